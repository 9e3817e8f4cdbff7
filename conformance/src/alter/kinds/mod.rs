//! The kinds of alterations.

mod objects;
mod reduction;
mod transport;

use rsvp_core::wire::RawMessage;

use crate::alter::Alteration;
use crate::alter::fault::Fault;
use crate::bench::Packet;

/// All of them.
pub fn kinds() -> impl Iterator<Item = &'static Alteration> {
    [transport::KINDS, objects::KINDS, reduction::KINDS].into_iter().flatten()
}

const fn kind(
    name: &'static str,
    clause: &'static str,
    text: &'static str,
    fault: fn() -> Box<dyn Fault>,
) -> Alteration {
    Alteration { name, text, clause, fault }
}

fn raw(packet: &Packet) -> Option<RawMessage> {
    RawMessage::decode(&packet.message).ok()
}
