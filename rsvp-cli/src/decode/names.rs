//! Names of code points that the engine does not interpret, for people to read.

use rsvp_core::wire::{ClassNum, MessageType};

/// Message types beyond RFC 2205.
const MESSAGES: &[(u8, &str)] = &[
    (8, "DREQ"),                // RFC 2745
    (9, "DREP"),                // RFC 2745
    (12, "Bundle"),             // RFC 2961
    (13, "Ack"),                // RFC 2961
    (15, "Srefresh"),           // RFC 2961
    (20, "Hello"),              // RFC 3209
    (21, "Notify"),             // RFC 3473
    (25, "IntegrityChallenge"), // RFC 3097
    (26, "IntegrityResponse"),  // RFC 3097
    (30, "RecoveryPath"),       // RFC 5063
];

/// Object classes beyond RFC 2205.
const CLASSES: &[(u8, &str)] = &[
    (16, "RSVP_LABEL"),                // RFC 3209
    (19, "LABEL_REQUEST"),             // RFC 3209
    (20, "EXPLICIT_ROUTE"),            // RFC 3209
    (21, "RECORD_ROUTE"),              // RFC 3209
    (22, "HELLO"),                     // RFC 3209
    (23, "MESSAGE_ID"),                // RFC 2961
    (24, "MESSAGE_ID_ACK"),            // RFC 2961
    (25, "MESSAGE_ID_LIST"),           // RFC 2961
    (30, "DIAGNOSTIC"),                // RFC 2745
    (31, "ROUTE"),                     // RFC 2745
    (32, "DIAG_RESPONSE"),             // RFC 2745
    (33, "DIAG_SELECT"),               // RFC 2745
    (34, "RECOVERY_LABEL"),            // RFC 3473
    (35, "UPSTREAM_LABEL"),            // RFC 3473
    (36, "LABEL_SET"),                 // RFC 3473
    (37, "PROTECTION"),                // RFC 3473, RFC 4872
    (38, "PRIMARY_PATH_ROUTE"),        // RFC 4872
    (50, "S2L_SUB_LSP"),               // RFC 4875
    (63, "DETOUR"),                    // RFC 4090
    (64, "CHALLENGE"),                 // RFC 2747
    (65, "DIFFSERV"),                  // RFC 3270
    (66, "CLASSTYPE"),                 // RFC 4124
    (67, "LSP_REQUIRED_ATTRIBUTES"),   // RFC 5420
    (129, "SUGGESTED_LABEL"),          // RFC 3473
    (130, "ACCEPTABLE_LABEL_SET"),     // RFC 3473
    (131, "RESTART_CAP"),              // RFC 3473
    (132, "SESSION_OF_INTEREST"),      // RFC 4860
    (134, "CAPABILITY"),               // RFC 5063
    (195, "NOTIFY_REQUEST"),           // RFC 3473
    (196, "ADMIN_STATUS"),             // RFC 3473
    (197, "LSP_ATTRIBUTES"),           // RFC 5420
    (198, "ALARM_SPEC"),               // RFC 4783
    (199, "ASSOCIATION"),              // RFC 4872
    (200, "SECONDARY_EXPLICIT_ROUTE"), // RFC 4873
    (201, "SECONDARY_RECORD_ROUTE"),   // RFC 4873
    (205, "FAST_REROUTE"),             // RFC 4090
    (207, "SESSION_ATTRIBUTE"),        // RFC 3209
    (225, "DCLASS"),                   // RFC 2996
    (232, "EXCLUDE_ROUTE"),            // RFC 4874
];

fn look_up(names: &[(u8, &'static str)], number: u8) -> Option<&'static str> {
    names.iter().find(|(known, _)| *known == number).map(|(_, name)| *name)
}

/// The name of a message type.
pub(super) fn message(number: MessageType) -> Option<&'static str> {
    number.name().or_else(|| look_up(MESSAGES, number.0))
}

/// The name of an object class.
pub(super) fn class(number: ClassNum) -> Option<&'static str> {
    number.name().or_else(|| look_up(CLASSES, number.0))
}
