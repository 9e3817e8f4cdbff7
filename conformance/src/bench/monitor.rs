//! What holds for every message that a DUT sends, whatever the case.

use std::net::IpAddr;
use std::rc::Rc;

use rsvp_core::input::Encapsulation;
use rsvp_core::wire::{Bundle, ErrorSpec, Message, MessageType, RawMessage};

use crate::bench::tester::{Packet, Sent};

/// The messages of a packet of the DUT: several if it is a Bundle (RFC 2961 section 3), which is checked.
///
/// # Panics
///
/// When the Bundle breaks a rule.
pub(crate) fn open(sent: Sent) -> Vec<Sent> {
    let bytes = &sent.packet.message;
    if bytes.get(1) != Some(&MessageType::BUNDLE.0) {
        return vec![sent];
    }
    let bundle = Bundle::decode(bytes).unwrap_or_else(|error| panic!("{error} in {bytes:02x?}"));
    let Packet { destination, ttl, router_alert, .. } = sent.packet;
    assert_eq!(bytes[0], 0x11, "version 1, the one flag that there is (RFC 2961 section 3.1): {bundle:?}");
    assert_eq!(bundle.header.reserved, 0, "the reserved octet (RFC 2961 section 3.1): {bundle:?}");
    assert_eq!(bundle.header.send_ttl, ttl, "Send_TTL is the IP TTL (RFC 2961 section 3.1): {bundle:?}");
    assert!(!router_alert, "no Router Alert (RFC 2961 section 3.3): {bundle:?}");
    assert!(!destination.is_multicast(), "to a neighbour (RFC 2961 section 3.3): {destination}");
    let whole = Rc::new(sent.packet.clone());
    let message = |message: &[u8]| Sent {
        packet: Packet { message: message.to_vec(), ..sent.packet.clone() },
        bundle: Some(Rc::clone(&whole)),
        ..sent
    };
    let messages =
        bundle.messages().map(|part| part.unwrap_or_else(|error| panic!("{error} in {bytes:02x?}")));
    messages.map(|(_, bytes)| message(bytes)).collect()
}

/// Checks a message of the DUT, and returns the message in it; `None` for an error message that repeats an object of a
/// C-Type or style that is not known, since it is about that object (RFC 2205 section 3.10).
///
/// # Panics
///
/// When it breaks a rule that every message has to keep.
pub(crate) fn check(sent: &Sent) -> Option<Message> {
    let bytes = &sent.packet.message;
    let raw = RawMessage::decode(bytes).unwrap_or_else(|error| panic!("{error} in {bytes:02x?}"));
    check_header(&raw, sent);
    let is_error = matches!(raw.header.message_type, MessageType::PATH_ERR | MessageType::RESV_ERR);
    let message = match Message::parse(&raw, usize::MAX) {
        Ok(message) => message,
        Err(error) if is_error && error.reply().is_some() => return None,
        Err(error) => panic!("{error} in {raw:?}"),
    };
    check_error(&message);
    if let Message::Resv(resv) = &message {
        check_scope(resv.scope.as_deref());
    }
    Some(message)
}

fn check_header(raw: &RawMessage, Sent { packet, bundle, .. }: &Sent) {
    let Packet { source, destination, ttl, router_alert, encapsulation, message: bytes } = packet;
    assert!(matches!(bytes[0], 0x10 | 0x11), "version 1 (RFC 2205 section 3.1.1): {raw:?}");
    assert_eq!(raw.header.reserved, 0, "the reserved octet (RFC 2205 section 3.1.1): {raw:?}");
    assert_ne!(raw.header.checksum, 0, "a checksum is sent: {raw:?}");
    assert_eq!(internet_sum(bytes), 0xffff, "the checksum covers the message (section 3.1.1): {raw:?}");
    let is_raw = *encapsulation == Encapsulation::Raw;
    // In UDP the TTL that counts is Send_TTL; that of the packet may be less (RFC 2205 Appendix C).
    assert!(
        raw.header.send_ttl == *ttl || !is_raw,
        "Send_TTL is the IP TTL (RFC 2205 section 3.1.1): {raw:?}"
    );
    let travels = matches!(
        raw.header.message_type,
        MessageType::PATH | MessageType::PATH_TEAR | MessageType::RESV_CONF
    );
    let is_summary = raw.header.message_type == MessageType::SREFRESH;
    // A summary refresh may go to sessions or to neighbours: a case knows which it expects.
    let alerts = if is_summary { *router_alert } else { travels && is_raw && bundle.is_none() };
    assert_eq!(*router_alert, alerts, "Router Alert (RFC 2205 section 3.3): {raw:?}");
    assert_eq!(source.is_ipv4(), destination.is_ipv4(), "one family: {packet:?}");
}

/// Codes and flags of what the DUT may send (RFC 2205 Appendix B). It finds no errors beyond code 23 itself, but passes
/// those of others on.
fn check_error(message: &Message) {
    let (error, allowed): (&ErrorSpec, &[u8]) = match message {
        Message::PathErr(error) => (&error.error, &[1, 2, 7, 8, 13, 14, 21, 22, 23]),
        Message::ResvErr(error) => (&error.error, &[1, 2, 3, 4, 5, 6, 7, 12, 13, 14, 21, 22, 23]),
        Message::ResvConf(confirmation) => (&confirmation.error, &[0]),
        _ => return,
    };
    assert!(error.code > 23 || allowed.contains(&error.code), "error code {} in {message:?}", error.code);
    let flags = if matches!(message, Message::ResvErr(_)) { ErrorSpec::IN_PLACE } else { 0 };
    assert_eq!(error.flags & !flags, 0, "flags of ERROR_SPEC (RFC 2205 section A.5): {message:?}");
}

/// SCOPE is in ascending order, with no address twice (RFC 2205 section A.6).
fn check_scope(scope: Option<&[IpAddr]>) {
    let scope = scope.unwrap_or_default();
    assert!(scope.windows(2).all(|pair| pair[0] < pair[1]), "SCOPE is not ascending: {scope:?}");
}

/// The one's complement sum of the whole message, its checksum included.
fn internet_sum(bytes: &[u8]) -> u32 {
    let word = |pair: &[u8]| u32::from(pair[0]) << 8 | pair.get(1).copied().map_or(0, u32::from);
    let mut sum: u32 = bytes.chunks(2).map(word).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum
}
