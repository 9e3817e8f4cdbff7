//! Ways in which a device can be at fault, for the kinds of alterations to be made of.

use rsvp_core::Instant;
use rsvp_core::wire::{ClassNum, Header, MessageType, Object, RawMessage, RawObject};

use crate::bench::{Packet, Sent, Station, seal};

/// A fault of a device. What passes, passes message by message; by itself a fault does nothing to it.
pub(super) trait Fault {
    /// What the testers get in place of a message that the device sends.
    fn sends(&mut self, message: Sent) -> Vec<Sent> {
        vec![message]
    }

    /// What the device gets in place of a message for it.
    fn hears(&mut self, _now: Instant, _from: Station, packet: Packet) -> Option<Packet> {
        Some(packet)
    }

    /// When it wants to be asked what it recalls.
    fn wakes(&self) -> Option<Instant> {
        None
    }

    /// Messages that the device gets, though nobody sends them now.
    fn recalls(&mut self, _now: Instant) -> Vec<(Station, Packet)> {
        Vec::new()
    }
}

/// The objects of what it sends are not what they should be. The checksum is right.
pub(super) struct Rewrites(pub(super) fn(MessageType, &mut Vec<RawObject>));

impl Fault for Rewrites {
    fn sends(&mut self, mut message: Sent) -> Vec<Sent> {
        change_objects(&mut message.packet, self.0);
        vec![message]
    }
}

/// What it sends leaves in another way than it should.
pub(super) struct Sends(pub(super) fn(MessageType, &mut Sent));

impl Fault for Sends {
    fn sends(&mut self, mut message: Sent) -> Vec<Sent> {
        (self.0)(message_type(&message.packet), &mut message);
        vec![message]
    }
}

/// It does not send what it should.
pub(super) struct Loses(pub(super) fn(&RawMessage) -> bool);

impl Fault for Loses {
    fn sends(&mut self, message: Sent) -> Vec<Sent> {
        let is_lost = RawMessage::decode(&message.packet.message).is_ok_and(|raw| (self.0)(&raw));
        if is_lost { Vec::new() } else { vec![message] }
    }
}

/// It sends twice what it should send once.
pub(super) struct Repeats;

impl Fault for Repeats {
    fn sends(&mut self, message: Sent) -> Vec<Sent> {
        vec![message.clone(), message]
    }
}

/// It does not heed what it should.
pub(super) struct Deaf(pub(super) fn(&RawMessage) -> bool);

impl Fault for Deaf {
    fn hears(&mut self, _: Instant, _: Station, packet: Packet) -> Option<Packet> {
        let is_lost = RawMessage::decode(&packet.message).is_ok_and(|raw| (self.0)(&raw));
        (!is_lost).then_some(packet)
    }
}

/// It takes what it should not take, or otherwise than it should.
pub(super) struct Hears(pub(super) fn(&mut Packet));

impl Fault for Hears {
    fn hears(&mut self, _: Instant, _: Station, mut packet: Packet) -> Option<Packet> {
        (self.0)(&mut packet);
        Some(packet)
    }
}

/// The Msg Type of what is in a packet, in order or not.
pub(super) fn message_type(packet: &Packet) -> MessageType {
    MessageType(packet.message.get(1).copied().unwrap_or(0))
}

/// Changes the objects of a message; length and checksum are made to fit. What is damaged stays as it is.
pub(super) fn change_objects(packet: &mut Packet, change: impl FnOnce(MessageType, &mut Vec<RawObject>)) {
    let Ok(raw) = RawMessage::decode(&packet.message) else { return };
    let message_type = raw.header.message_type;
    let header = Header { flags: raw.header.flags, send_ttl: raw.header.send_ttl };
    let before: Vec<RawObject> = raw.objects.into_iter().map(|placed| placed.object).collect();
    let mut objects = before.clone();
    change(message_type, &mut objects);
    if objects == before {
        return;
    }
    let mut bytes = Vec::new();
    let changed = RawMessage::new(message_type, header, objects);
    if changed.is_ok_and(|raw| raw.encode(&mut bytes).is_ok()) {
        packet.message = bytes;
    }
}

/// Changes octets of a message, and makes the checksum fit.
pub(super) fn change_bytes(packet: &mut Packet, change: impl FnOnce(&mut [u8])) {
    if packet.message.len() >= 8 {
        change(&mut packet.message);
        seal(&mut packet.message);
    }
}

/// Changes the objects of a class, where they are understood.
pub(super) fn change_each(objects: &mut [RawObject], class: ClassNum, mut change: impl FnMut(&mut Object)) {
    for object in objects.iter_mut().filter(|object| object.class == class.0) {
        let Ok(mut typed) = Object::decode(object) else { continue };
        change(&mut typed);
        if let Ok(changed) = typed.encode() {
            *object = changed;
        }
    }
}

/// How many objects of a class there are.
pub(super) fn count(objects: &[RawObject], class: ClassNum) -> usize {
    objects.iter().filter(|object| object.class == class.0).count()
}

/// Where the first object of a class is.
pub(super) fn find(objects: &[RawObject], class: ClassNum) -> Option<usize> {
    objects.iter().position(|object| object.class == class.0)
}
