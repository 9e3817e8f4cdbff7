//! Code points: message types, object classes and C-Types (RFC 2205 sections 3.1.1 and 3.1.2, Appendix A).

/// Declares a one-octet code point with named values.
macro_rules! code_point {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $constant:ident = $value:literal, $text:literal;)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[cfg_attr(feature = "serde", serde(transparent))]
        pub struct $name(pub u8);

        impl $name {
            $($(#[$doc])* pub const $constant: Self = Self($value);)*

            /// The name as the RFC spells it, if the value has one.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($text),)*
                    _ => None,
                }
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match self.name() {
                    Some(name) => f.write_str(name),
                    None => write!(f, "{}", self.0),
                }
            }
        }
    };
}

pub(super) use code_point;

code_point! {
    /// Msg Type of the common header (RFC 2205 section 3.1.1).
    MessageType {
        /// Path.
        PATH = 1, "Path";
        /// Resv.
        RESV = 2, "Resv";
        /// PathErr.
        PATH_ERR = 3, "PathErr";
        /// ResvErr.
        RESV_ERR = 4, "ResvErr";
        /// PathTear.
        PATH_TEAR = 5, "PathTear";
        /// ResvTear.
        RESV_TEAR = 6, "ResvTear";
        /// ResvConf.
        RESV_CONF = 7, "ResvConf";
        /// DREQ (RFC 2745); this one and those below are known by name only.
        DREQ = 8, "DREQ";
        /// DREP (RFC 2745).
        DREP = 9, "DREP";
        /// Bundle (RFC 2961).
        BUNDLE = 12, "Bundle";
        /// Ack (RFC 2961).
        ACK = 13, "Ack";
        /// Srefresh (RFC 2961).
        SREFRESH = 15, "Srefresh";
        /// Hello (RFC 3209).
        HELLO = 20, "Hello";
        /// Notify (RFC 3473).
        NOTIFY = 21, "Notify";
        /// Integrity Challenge (RFC 3097).
        INTEGRITY_CHALLENGE = 25, "Integrity Challenge";
        /// Integrity Response (RFC 3097).
        INTEGRITY_RESPONSE = 26, "Integrity Response";
        /// RecoveryPath (RFC 5063).
        RECOVERY_PATH = 30, "RecoveryPath";
    }
}

code_point! {
    /// Class-Num of an object (RFC 2205 section 3.1.2).
    ClassNum {
        /// NULL: ignored wherever it stands.
        NULL = 0, "NULL";
        /// SESSION.
        SESSION = 1, "SESSION";
        /// RSVP_HOP.
        RSVP_HOP = 3, "RSVP_HOP";
        /// INTEGRITY (RFC 2747).
        INTEGRITY = 4, "INTEGRITY";
        /// TIME_VALUES.
        TIME_VALUES = 5, "TIME_VALUES";
        /// ERROR_SPEC.
        ERROR_SPEC = 6, "ERROR_SPEC";
        /// SCOPE.
        SCOPE = 7, "SCOPE";
        /// STYLE.
        STYLE = 8, "STYLE";
        /// FLOWSPEC.
        FLOWSPEC = 9, "FLOWSPEC";
        /// FILTER_SPEC.
        FILTER_SPEC = 10, "FILTER_SPEC";
        /// SENDER_TEMPLATE.
        SENDER_TEMPLATE = 11, "SENDER_TEMPLATE";
        /// SENDER_TSPEC.
        SENDER_TSPEC = 12, "SENDER_TSPEC";
        /// ADSPEC.
        ADSPEC = 13, "ADSPEC";
        /// POLICY_DATA.
        POLICY_DATA = 14, "POLICY_DATA";
        /// RESV_CONFIRM.
        RESV_CONFIRM = 15, "RESV_CONFIRM";
        /// LABEL (RFC 3209); this one and those below are known by name only.
        LABEL = 16, "LABEL";
        /// LABEL_REQUEST (RFC 3209).
        LABEL_REQUEST = 19, "LABEL_REQUEST";
        /// EXPLICIT_ROUTE (RFC 3209).
        EXPLICIT_ROUTE = 20, "EXPLICIT_ROUTE";
        /// RECORD_ROUTE (RFC 3209).
        RECORD_ROUTE = 21, "RECORD_ROUTE";
        /// HELLO (RFC 3209).
        HELLO = 22, "HELLO";
        /// MESSAGE_ID (RFC 2961).
        MESSAGE_ID = 23, "MESSAGE_ID";
        /// MESSAGE_ID_ACK (RFC 2961).
        MESSAGE_ID_ACK = 24, "MESSAGE_ID_ACK";
        /// MESSAGE_ID_LIST (RFC 2961).
        MESSAGE_ID_LIST = 25, "MESSAGE_ID_LIST";
        /// DIAGNOSTIC (RFC 2745).
        DIAGNOSTIC = 30, "DIAGNOSTIC";
        /// ROUTE (RFC 2745).
        ROUTE = 31, "ROUTE";
        /// DIAG_RESPONSE (RFC 2745).
        DIAG_RESPONSE = 32, "DIAG_RESPONSE";
        /// DIAG_SELECT (RFC 2745).
        DIAG_SELECT = 33, "DIAG_SELECT";
        /// RECOVERY_LABEL (RFC 3473).
        RECOVERY_LABEL = 34, "RECOVERY_LABEL";
        /// UPSTREAM_LABEL (RFC 3473).
        UPSTREAM_LABEL = 35, "UPSTREAM_LABEL";
        /// LABEL_SET (RFC 3473).
        LABEL_SET = 36, "LABEL_SET";
        /// PROTECTION (RFC 4872).
        PROTECTION = 37, "PROTECTION";
        /// PRIMARY_PATH_ROUTE (RFC 4872).
        PRIMARY_PATH_ROUTE = 38, "PRIMARY_PATH_ROUTE";
        /// S2L_SUB_LSP (RFC 4875).
        S2L_SUB_LSP = 50, "S2L_SUB_LSP";
        /// DETOUR (RFC 4090).
        DETOUR = 63, "DETOUR";
        /// CHALLENGE (RFC 2747).
        CHALLENGE = 64, "CHALLENGE";
        /// DIFFSERV (RFC 3270).
        DIFFSERV = 65, "DIFFSERV";
        /// CLASSTYPE (RFC 4124).
        CLASSTYPE = 66, "CLASSTYPE";
        /// LSP_REQUIRED_ATTRIBUTES (RFC 5420).
        LSP_REQUIRED_ATTRIBUTES = 67, "LSP_REQUIRED_ATTRIBUTES";
        /// SUGGESTED_LABEL (RFC 3473).
        SUGGESTED_LABEL = 129, "SUGGESTED_LABEL";
        /// ACCEPTABLE_LABEL_SET (RFC 3473).
        ACCEPTABLE_LABEL_SET = 130, "ACCEPTABLE_LABEL_SET";
        /// RESTART_CAP (RFC 3473).
        RESTART_CAP = 131, "RESTART_CAP";
        /// SESSION_OF_INTEREST (RFC 4860).
        SESSION_OF_INTEREST = 132, "SESSION_OF_INTEREST";
        /// CAPABILITY (RFC 5063).
        CAPABILITY = 134, "CAPABILITY";
        /// NOTIFY_REQUEST (RFC 3473).
        NOTIFY_REQUEST = 195, "NOTIFY_REQUEST";
        /// ADMIN_STATUS (RFC 3473).
        ADMIN_STATUS = 196, "ADMIN_STATUS";
        /// LSP_ATTRIBUTES (RFC 5420).
        LSP_ATTRIBUTES = 197, "LSP_ATTRIBUTES";
        /// ALARM_SPEC (RFC 4783).
        ALARM_SPEC = 198, "ALARM_SPEC";
        /// ASSOCIATION (RFC 4872).
        ASSOCIATION = 199, "ASSOCIATION";
        /// SECONDARY_EXPLICIT_ROUTE (RFC 4873).
        SECONDARY_EXPLICIT_ROUTE = 200, "SECONDARY_EXPLICIT_ROUTE";
        /// SECONDARY_RECORD_ROUTE (RFC 4873).
        SECONDARY_RECORD_ROUTE = 201, "SECONDARY_RECORD_ROUTE";
        /// FAST_REROUTE (RFC 4090).
        FAST_REROUTE = 205, "FAST_REROUTE";
        /// SESSION_ATTRIBUTE (RFC 3209).
        SESSION_ATTRIBUTE = 207, "SESSION_ATTRIBUTE";
        /// DCLASS (RFC 2996).
        DCLASS = 225, "DCLASS";
        /// EXCLUDE_ROUTE (RFC 4874).
        EXCLUDE_ROUTE = 232, "EXCLUDE_ROUTE";
    }
}

impl MessageType {
    /// Whether a message of this type is about one session, and names it.
    #[must_use]
    pub const fn has_session(self) -> bool {
        matches!(self.0, 1..=7)
    }
}

/// What to do with an object whose class is not known: its two high-order bits say it
/// (RFC 2205 section 3.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownClassAction {
    /// 0bbbbbbb: reject the message with error code 13.
    Reject,
    /// 10bbbbbb: ignore the object.
    Ignore,
    /// 11bbbbbb: ignore the object, and pass it on unchanged.
    Forward,
}

impl ClassNum {
    /// What a node that does not know this class does with such an object.
    #[must_use]
    pub const fn unknown_action(self) -> UnknownClassAction {
        match self.0 >> 6 {
            0 | 1 => UnknownClassAction::Reject,
            2 => UnknownClassAction::Ignore,
            _ => UnknownClassAction::Forward,
        }
    }

    /// Whether the class is left to vendors: their enterprise code is the first word of such an object
    /// (RFC 3936 section 2.2).
    #[must_use]
    pub const fn is_private(self) -> bool {
        matches!(self.0, 124..=127 | 188..=191 | 252..=255)
    }

    /// Whether this code knows the class, rather than just its name.
    #[must_use]
    pub const fn is_known(self) -> bool {
        matches!(self.0, 0 | 1 | 3..=15 | 23..=25)
    }
}

/// C-Types (RFC 2205 Appendix A, RFC 2207 section 3, RFC 2961 sections 4 and 5).
pub mod ctype {
    /// The IPv4 form of SESSION, RSVP_HOP, ERROR_SPEC, SCOPE, FILTER_SPEC, SENDER_TEMPLATE and RESV_CONFIRM.
    pub const IPV4: u8 = 1;
    /// The IPv6 form of the same.
    pub const IPV6: u8 = 2;
    /// The only form of TIME_VALUES, STYLE and MESSAGE_ID.
    pub const DEFAULT: u8 = 1;
    /// MESSAGE_ID_ACK.
    pub const MESSAGE_ID_ACK: u8 = 1;
    /// MESSAGE_ID_NACK, of the same class.
    pub const MESSAGE_ID_NACK: u8 = 2;
    /// MESSAGE_ID LIST.
    pub const MESSAGE_ID_LIST: u8 = 1;
    /// IPv4/MESSAGE_ID SRC_LIST.
    pub const SRC_LIST_IPV4: u8 = 2;
    /// IPv6/MESSAGE_ID SRC_LIST.
    pub const SRC_LIST_IPV6: u8 = 3;
    /// IPv4/MESSAGE_ID MCAST_LIST.
    pub const MCAST_LIST_IPV4: u8 = 4;
    /// IPv6/MESSAGE_ID MCAST_LIST.
    pub const MCAST_LIST_IPV6: u8 = 5;
    /// IntServ form of FLOWSPEC, SENDER_TSPEC and ADSPEC.
    pub const INTSERV: u8 = 2;
    /// IPv4/GPI SESSION.
    pub const SESSION_IPV4_GPI: u8 = 3;
    /// IPv6/GPI SESSION.
    pub const SESSION_IPV6_GPI: u8 = 4;
    /// IPv6 flow label FILTER_SPEC and SENDER_TEMPLATE.
    pub const FILTER_IPV6_FLOW_LABEL: u8 = 3;
    /// IPv4/GPI FILTER_SPEC and SENDER_TEMPLATE.
    pub const FILTER_IPV4_GPI: u8 = 4;
    /// IPv6/GPI FILTER_SPEC and SENDER_TEMPLATE.
    pub const FILTER_IPV6_GPI: u8 = 5;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn high_bits_of_an_unknown_class_say_what_to_do() {
        assert_eq!(ClassNum(0x63).unknown_action(), UnknownClassAction::Reject);
        assert_eq!(ClassNum(0x7f).unknown_action(), UnknownClassAction::Reject);
        assert_eq!(ClassNum(0x80).unknown_action(), UnknownClassAction::Ignore);
        assert_eq!(ClassNum(0xbf).unknown_action(), UnknownClassAction::Ignore);
        assert_eq!(ClassNum(0xc0).unknown_action(), UnknownClassAction::Forward);
        assert_eq!(ClassNum(0xff).unknown_action(), UnknownClassAction::Forward);
    }

    #[test]
    fn names_are_the_rfcs() {
        assert_eq!(MessageType::RESV_CONF.to_string(), "ResvConf");
        assert_eq!(ClassNum(2).to_string(), "2");
        assert!(!ClassNum(2).is_known());
        assert!(ClassNum::MESSAGE_ID.is_known());
        assert!(!ClassNum::LABEL.is_known());
        assert!(ClassNum::RESV_CONFIRM.is_known());
        assert_eq!(ClassNum::SENDER_TSPEC.name(), Some("SENDER_TSPEC"));
    }
}
