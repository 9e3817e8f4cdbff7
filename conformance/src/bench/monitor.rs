//! What holds for every message that a DUT sends, whatever the case.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;

use rsvp_core::input::Encapsulation;
use rsvp_core::wire::{
    Acknowledgement, Bundle, ClassNum, ErrorSpec, FlaggedId, Head, IdEntries, IdList, Message, MessageId,
    MessageType, RawMessage, Srefresh,
};

use crate::bench::bytes::internet_sum;
use crate::bench::plan::{Plan, Port};
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
    let Packet { destination, ttl, router_alert, encapsulation, .. } = sent.packet;
    assert_eq!(encapsulation, Encapsulation::Raw, "raw IP (RFC 2961 section 3.3): {bundle:?}");
    assert!(
        matches!(bytes[0], 0x10 | 0x11),
        "version 1, one flag at most (RFC 2961 section 3.1): {bundle:?}"
    );
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
/// C-Type or style that is not known, since it is about that object (RFC 2205 section 3.10), and for a message about an LSP
/// tunnel, for which the engine has no types.
///
/// # Panics
///
/// When it breaks a rule that every message has to keep.
pub(crate) fn check(plan: Plan, sent: &Sent) -> Option<Message> {
    let bytes = &sent.packet.message;
    let raw = RawMessage::decode(bytes).unwrap_or_else(|error| panic!("{error} in {bytes:02x?}"));
    check_header(&raw, sent);
    if is_of_tunnel(&raw) {
        return None;
    }
    let is_error = matches!(raw.header.message_type, MessageType::PATH_ERR | MessageType::RESV_ERR);
    let message = match Message::parse(&raw, usize::MAX) {
        Ok(message) => message,
        Err(error) if is_error && error.reply().is_some() => return None,
        Err(error) => panic!("{error} in {raw:?}"),
    };
    check_error(plan, &message);
    check_head(&raw, &sent.packet);
    match &message {
        Message::Resv(resv) => check_scope(resv.scope.as_deref()),
        Message::Srefresh(srefresh) => check_lists(srefresh, &sent.packet),
        _ => {}
    }
    Some(message)
}

/// Whether a message is about an LSP tunnel: its SESSION is of C-Type `LSP_TUNNEL_IPv4` or `LSP_TUNNEL_IPv6`
/// (RFC 3209 section 4.6.1).
fn is_of_tunnel(raw: &RawMessage) -> bool {
    raw.object(ClassNum::SESSION).is_some_and(|placed| matches!(placed.object.ctype, 7 | 8))
}

fn check_header(raw: &RawMessage, Sent { packet, bundle, .. }: &Sent) {
    let Packet { source, destination, ttl, router_alert, encapsulation, message: bytes } = packet;
    assert!(matches!(bytes[0], 0x10 | 0x11), "version 1 (RFC 2205 section 3.1.1): {raw:?}");
    assert_eq!(raw.header.reserved, 0, "the reserved octet (RFC 2205 section 3.1.1): {raw:?}");
    assert!(
        raw.header.checksum == 0 || internet_sum(bytes) == 0xffff,
        "the checksum covers the message, if there is one (RFC 2205 section 3.1.1): {raw:?}"
    );
    assert_eq!(source.is_ipv4(), destination.is_ipv4(), "one family: {packet:?}");
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
    // Other messages do not need it, but nothing forbids it them.
    let must_alert = travels && is_raw && bundle.is_none();
    assert!(*router_alert || !must_alert, "Router Alert (RFC 2205 section 3.3): {raw:?}");
}

/// What stands in front of any message. Its order is part of the syntax.
fn check_head(raw: &RawMessage, Packet { destination, message: bytes, .. }: &Packet) {
    let (Head { acknowledgements, message_id }, _) =
        Head::split(bytes).unwrap_or_else(|error| panic!("{error} in {raw:?}"));
    let flags = message_id.map_or(0, |id| id.flags);
    assert_eq!(flags & !FlaggedId::ACK_DESIRED, 0, "MESSAGE_ID has one flag (RFC 2961 section 4.2): {raw:?}");
    for Acknowledgement::Ack(id) | Acknowledgement::Nack(id) in &acknowledgements {
        assert_eq!(id.flags, 0, "flags of an acknowledgement (RFC 2961 section 4.3): {raw:?}");
    }
    let is_to_one = acknowledgements.is_empty() || !destination.is_multicast();
    assert!(is_to_one, "an acknowledgement goes to one node (RFC 2961 section 4.6): {raw:?}");
}

/// Which lists go where (RFC 2961 section 5.2).
fn check_lists(srefresh: &Srefresh, Packet { destination, router_alert, .. }: &Packet) {
    for IdList { flags, entries, .. } in &srefresh.lists {
        assert_eq!(*flags, 0, "flags of a list (RFC 2961 section 5.1): {srefresh:?}");
        let is_of_sources = matches!(entries, IdEntries::Sources(_));
        assert_eq!(is_of_sources, destination.is_multicast(), "SRC_LIST goes to groups: {srefresh:?}");
        let is_for_neighbour = matches!(entries, IdEntries::Groups(_));
        assert!(!(is_for_neighbour && *router_alert), "MCAST_LIST goes to a neighbour: {srefresh:?}");
    }
    assert!(*router_alert || !destination.is_multicast(), "to a group with Router Alert: {srefresh:?}");
}

/// The message ids that the DUT has used, and for what.
#[derive(Default)]
pub(crate) struct Ledger {
    /// By generator, which is an address of the DUT.
    generators: BTreeMap<IpAddr, Used>,
}

/// The ids of one generator.
struct Used {
    epoch: u32,
    /// By destination. What goes to one may overtake what goes to another, whose link address is still asked for.
    latest: BTreeMap<IpAddr, MessageId>,
    /// Where a message went, and what it was behind its head.
    messages: BTreeMap<u32, (Port, MessageType, Vec<u8>)>,
}

impl Ledger {
    /// Checks what a message says of message ids against all before it.
    ///
    /// # Panics
    ///
    /// When an id is used for two messages, or out of order, or a summary refresh names what was not told before.
    pub(crate) fn check(&mut self, plan: Plan, sent: &Sent) {
        let bytes = &sent.packet.message;
        let raw = RawMessage::decode(bytes).expect("it has been checked");
        let (head, body) = Head::split(bytes).expect("it has been checked");
        let generator = raw.hop().map_or(sent.packet.source, |hop| hop.address);
        if !Port::ALL.iter().any(|port| plan.dut(*port) == generator) {
            return; // Passed on for another node.
        }
        if let Ok(Message::Srefresh(srefresh)) = Message::parse(&raw, usize::MAX) {
            for id in srefresh.lists.iter().flat_map(IdList::message_ids) {
                self.check_listed(sent, id);
            }
        }
        let Some(FlaggedId { id, .. }) = head.message_id else { return };
        let message = (sent.port, raw.header.message_type, bytes[body..].to_vec());
        let used = self.generators.entry(generator).or_insert_with(|| Used {
            epoch: id.epoch,
            latest: BTreeMap::new(),
            messages: BTreeMap::new(),
        });
        assert_eq!(id.epoch, used.epoch, "the Epoch stays (RFC 2961 section 4.2): {raw:?}");
        if let Some(before) = used.messages.get(&id.id) {
            assert_eq!(*before, message, "an id names one message (RFC 2961 section 4.2): {raw:?}");
            return;
        }
        if let Some(latest) = used.latest.insert(sent.packet.destination, id) {
            assert!(latest.is_older_than(id), "{id} after {latest} (RFC 2961 section 4.5): {raw:?}");
        }
        used.messages.insert(id.id, message);
    }

    /// What is listed was told before, from the same address (RFC 2961 section 5.2), on the same way.
    fn check_listed(&self, sent: &Sent, id: MessageId) {
        let used = self.generators.get(&sent.packet.source);
        let told = used.filter(|used| used.epoch == id.epoch).and_then(|used| used.messages.get(&id.id));
        assert!(
            matches!(told, Some((port, MessageType::PATH | MessageType::RESV, _)) if *port == sent.port),
            "a summary refresh names {id}, which was not told by a Path or Resv on this way: {told:?}"
        );
    }
}

/// Codes and flags of the errors that the DUT finds (RFC 2205 Appendix B): none beyond code 23. Those of others it passes on
/// as they are.
fn check_error(plan: Plan, message: &Message) {
    let (error, allowed): (&ErrorSpec, &[u8]) = match message {
        Message::PathErr(error) => (&error.error, &[1, 2, 7, 8, 13, 14, 21, 22, 23]),
        Message::ResvErr(error) => (&error.error, &[1, 2, 3, 4, 5, 6, 7, 12, 13, 14, 21, 22, 23]),
        Message::ResvConf(confirmation) => (&confirmation.error, &[0]),
        _ => return,
    };
    if !Port::ALL.iter().any(|port| plan.dut(*port) == error.node) {
        return;
    }
    assert!(allowed.contains(&error.code), "error code {} in {message:?}", error.code);
    let flags = if matches!(message, Message::ResvErr(_)) { ErrorSpec::IN_PLACE } else { 0 };
    assert_eq!(error.flags & !flags, 0, "flags of ERROR_SPEC (RFC 2205 section A.5): {message:?}");
}

/// SCOPE is in ascending order, with no address twice (RFC 2205 section A.6).
fn check_scope(scope: Option<&[IpAddr]>) {
    let scope = scope.unwrap_or_default();
    assert!(scope.windows(2).all(|pair| pair[0] < pair[1]), "SCOPE is not ascending: {scope:?}");
}
