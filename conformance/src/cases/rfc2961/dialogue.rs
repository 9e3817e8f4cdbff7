//! What the cases of sections 4 and 6 say to their DUT, and what they hear.

use std::collections::BTreeMap;

use crate::bench::{Dut, Port, Received, Station, cl, ff, tspec};
use rsvp_core::wire::{
    Acknowledgement, FlaggedId, Head, Message, MessageId, Path, RawObject, Resv, SessionKey, Style,
};

/// How exactly a case looks at the times of copies, in milliseconds. All that is looked for are multiples of it, and what
/// passes on the way is much less.
const GRAIN: u64 = 250;

/// A MESSAGE_ID_ACK.
pub(crate) const fn ack_of(id: MessageId) -> Acknowledgement {
    Acknowledgement::Ack(FlaggedId::plain(id))
}

/// A MESSAGE_ID_NACK.
pub(crate) const fn nack_of(id: MessageId) -> Acknowledgement {
    Acknowledgement::Nack(FlaggedId::plain(id))
}

/// Acknowledgements, and no MESSAGE_ID.
pub(crate) fn saying(acknowledgements: &[Acknowledgement]) -> Head {
    Head { acknowledgements: acknowledgements.to_vec(), message_id: None }
}

/// A MESSAGE_ID object.
pub(crate) fn id_object(ctype: u8, id: FlaggedId) -> RawObject {
    let word = u32::from(id.flags) << 24 | id.id.epoch;
    RawObject { class: 23, ctype, contents: [word.to_be_bytes(), id.id.id.to_be_bytes()].concat() }
}

/// The session H, or K behind the LAN, with another port.
pub(crate) fn at_port(dut: &Dut, session: SessionKey, port: u16) -> SessionKey {
    dut.plan.session(session.flow().destination, port)
}

/// U1's Path of S1 with a rate in units of B.
pub(crate) fn path(dut: &Dut, session: SessionKey, rate: f32) -> Path {
    Path { sender_tspec: tspec(rate), ..dut.path(Station::U1, session, dut.s1()) }
}

/// D1's FF reservation for S1 in a session with a rate in units of B.
pub(crate) fn resv(dut: &Dut, session: SessionKey, rate: f32) -> Resv {
    dut.resv(Station::D1, session, Style::Ff, &[ff(cl(rate), dut.s1())])
}

/// Has U1 announce S1 in H: the Path that the DUT sends on.
pub(crate) fn trigger(dut: &mut Dut) -> Received<Path> {
    trigger_in(dut, dut.h())
}

/// The same in any session towards D1.
pub(crate) fn trigger_in(dut: &mut Dut, session: SessionKey) -> Received<Path> {
    let path = path(dut, session, 20.0);
    dut.send(Station::U1, path);
    dut.expect::<Path>(Port::C)
}

/// One message of each type, in an order in which they make sense, and where the DUT sends on one of the same type.
pub(crate) fn all_types(dut: &Dut) -> Vec<(Station, Message, Port)> {
    let (h, s1) = (dut.h(), dut.s1());
    let flow = ff(cl(1.0), s1);
    let flows = std::slice::from_ref(&flow);
    let receiver = h.flow().destination;
    let resv_err = dut.resv_err(Station::U1, h, Style::Ff, flow.clone(), (2, 0, 0));
    let tear = dut.resv_tear(Station::D1, h, Style::Ff, flows);
    vec![
        (Station::U1, Message::Path(path(dut, h, 20.0)), Port::C),
        (Station::D1, Message::Resv(resv(dut, h, 1.0)), Port::A),
        (Station::D1, Message::PathErr(dut.path_err(h, s1, 2, 0)), Port::A),
        (Station::U1, Message::ResvErr(resv_err), Port::C),
        (Station::U1, Message::ResvConf(dut.resv_conf(h, receiver, Style::Ff, flows)), Port::C),
        (Station::D1, Message::ResvTear(tear), Port::A),
        (Station::U1, Message::PathTear(dut.path_tear(Station::U1, h, s1)), Port::C),
    ]
}

/// Whether a DUT that uses MESSAGE_ID puts one into a message of this type. A ResvConf travels to its receiver with the
/// IP source that it has: nobody could tell whom to acknowledge it to.
pub(crate) const fn has_id(message: &Message) -> bool {
    !matches!(message, Message::ResvConf(_))
}

/// Takes the message of the type that the DUT sent out of a port, and forgets what else came out there.
pub(crate) fn expect_like(dut: &mut Dut, port: Port, like: &Message) -> Received<Message> {
    let found = dut.expect_type(port, like.message_type());
    dut.all::<Message>(port);
    found
}

/// Takes what left by a port and wants an acknowledgement: when the copies of each message left, in milliseconds since
/// the first one, in the order of their identifiers.
pub(crate) fn copies(dut: &mut Dut, port: Port) -> Vec<Vec<u64>> {
    copies_of(&dut.all::<Message>(port)).into_values().collect()
}

/// The same of messages that were taken.
pub(crate) fn copies_of(messages: &[Received<Message>]) -> BTreeMap<MessageId, Vec<u64>> {
    let mut first = BTreeMap::new();
    let mut times: BTreeMap<MessageId, Vec<u64>> = BTreeMap::new();
    for message in messages {
        let Some(id) = message.head.message_id.filter(|id| id.wants_ack()) else { continue };
        let start = *first.entry(id.id).or_insert(message.sent.at);
        let millis = message.sent.at.since(start).as_micros() as u64 / 1000;
        times.entry(id.id).or_default().push((millis + GRAIN / 2) / GRAIN * GRAIN);
    }
    times
}
