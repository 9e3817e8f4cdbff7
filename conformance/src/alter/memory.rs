//! Faults that depend on what was said before.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use rsvp_core::Instant;
use rsvp_core::wire::{ClassNum, Head, MessageId, MessageType, Object, RawMessage, RawObject, RawObjectAt};

use crate::alter::fault::{Fault, change_each, change_objects, count, find, message_type};
use crate::bench::{Packet, Port, Sent, Station};

/// What a message is about: the contents of SESSION and, in Path and PathTear, of SENDER_TEMPLATE.
type State = (Vec<u8>, Vec<u8>);

fn state_of(raw: &RawMessage) -> State {
    let contents = |class| raw.object(class).map(|placed| placed.object.contents.clone()).unwrap_or_default();
    let mut session = contents(ClassNum::SESSION);
    // The flags of SESSION are not part of its identity.
    if let Some(flags) = session.len().checked_sub(3) {
        session[flags] = 0;
    }
    (session, contents(ClassNum::SENDER_TEMPLATE))
}

/// Where something was told, by what, and of what.
type Told = (Port, IpAddr, MessageType, State);

/// It keeps its state alive less often than it says: of so many refreshes it sends one, or none at all.
pub(super) struct Sluggish {
    sends_one_in: Option<u32>,
    /// What was told last, and how often it was told again.
    told: BTreeMap<Told, (Vec<u8>, u32)>,
}

impl Sluggish {
    pub(super) fn new(sends_one_in: Option<u32>) -> Self {
        Self { sends_one_in, told: BTreeMap::new() }
    }
}

impl Fault for Sluggish {
    fn sends(&mut self, message: Sent) -> Vec<Sent> {
        let bytes = &message.packet.message;
        let (Ok(raw), Ok((_, body))) = (RawMessage::decode(bytes), Head::split(bytes)) else {
            return vec![message];
        };
        let key = |message_type| (message.port, message.packet.destination, message_type, state_of(&raw));
        match raw.header.message_type {
            MessageType::PATH_TEAR => {
                self.told.remove(&key(MessageType::PATH));
            }
            MessageType::RESV_TEAR => {
                self.told.remove(&key(MessageType::RESV));
            }
            told @ (MessageType::PATH | MessageType::RESV | MessageType::SREFRESH) => {
                let body = if told == MessageType::SREFRESH { Vec::new() } else { bytes[body..].to_vec() };
                let (before, refreshes) = self.told.entry(key(told)).or_default();
                let is_new = *before != body;
                *refreshes = if is_new { 0 } else { *refreshes + 1 };
                *before = body;
                let is_its_turn = self.sends_one_in.is_some_and(|turns| refreshes.is_multiple_of(turns));
                if !is_new && !is_its_turn {
                    return Vec::new();
                }
            }
            _ => {}
        }
        vec![message]
    }
}

/// An object of what it sends is the one that came in, as it came.
pub(super) struct Echoes {
    class: ClassNum,
    message_type: MessageType,
    heard: BTreeMap<State, RawObject>,
}

impl Echoes {
    pub(super) fn new(class: ClassNum, message_type: MessageType) -> Self {
        Self { class, message_type, heard: BTreeMap::new() }
    }
}

impl Fault for Echoes {
    fn hears(&mut self, _: Instant, _: Station, packet: Packet) -> Option<Packet> {
        if let Ok(raw) = RawMessage::decode(&packet.message)
            && raw.header.message_type == self.message_type
            && let Some(placed) = raw.object(self.class)
        {
            self.heard.insert(state_of(&raw), placed.object.clone());
        }
        Some(packet)
    }

    fn sends(&mut self, mut message: Sent) -> Vec<Sent> {
        let heard = RawMessage::decode(&message.packet.message)
            .ok()
            .filter(|raw| raw.header.message_type == self.message_type)
            .and_then(|raw| self.heard.get(&state_of(&raw)));
        if let Some(heard) = heard {
            change_objects(&mut message.packet, |_, objects| {
                if count(objects, self.class) == 1
                    && let Some(place) = find(objects, self.class)
                {
                    objects[place] = heard.clone();
                }
            });
        }
        vec![message]
    }
}

/// A request for a confirmation goes out with every Resv from then on.
#[derive(Default)]
pub(super) struct AsksAgain {
    asked: BTreeMap<State, RawObject>,
}

impl Fault for AsksAgain {
    fn sends(&mut self, mut message: Sent) -> Vec<Sent> {
        let Ok(raw) = RawMessage::decode(&message.packet.message) else { return vec![message] };
        if raw.header.message_type == MessageType::RESV {
            let state = state_of(&raw);
            if let Some(placed) = raw.object(ClassNum::RESV_CONFIRM) {
                self.asked.insert(state, placed.object.clone());
            } else if let Some(asked) = self.asked.get(&state) {
                change_objects(&mut message.packet, |_, objects| {
                    let place = find(objects, ClassNum::TIME_VALUES).map_or(objects.len(), |place| place + 1);
                    objects.insert(place, asked.clone());
                });
            }
        }
        vec![message]
    }
}

/// An object of a class 10bbbbbb is passed on, as one of a class 11bbbbbb would be.
#[derive(Default)]
pub(super) struct KeepsIgnored {
    kept: BTreeSet<(u8, Vec<u8>)>,
}

/// What makes 11bbbbbb of 10bbbbbb.
const FORWARDED: u8 = 0x40;

impl Fault for KeepsIgnored {
    fn hears(&mut self, _: Instant, _: Station, mut packet: Packet) -> Option<Packet> {
        change_objects(&mut packet, |_, objects| {
            for object in objects.iter_mut().filter(|object| object.class >> 6 == 0b10) {
                object.class |= FORWARDED;
                self.kept.insert((object.class, object.contents.clone()));
            }
        });
        Some(packet)
    }

    fn sends(&mut self, mut message: Sent) -> Vec<Sent> {
        change_objects(&mut message.packet, |_, objects| {
            for object in objects {
                if self.kept.contains(&(object.class, object.contents.clone())) {
                    object.class &= !FORWARDED;
                }
            }
        });
        vec![message]
    }
}

/// What it does to the ids of its messages.
pub(super) enum Ids {
    /// Every message has the first id of all.
    Stale,
    /// Every message has an Epoch of its own.
    Epochs,
}

/// Its message ids are not what they should be.
pub(super) struct Numbers {
    ids: Ids,
    first: BTreeMap<Port, MessageId>,
    sent: u32,
}

impl Numbers {
    pub(super) fn new(ids: Ids) -> Self {
        Self { ids, first: BTreeMap::new(), sent: 0 }
    }
}

impl Fault for Numbers {
    fn sends(&mut self, mut message: Sent) -> Vec<Sent> {
        let Self { ids, first, sent } = self;
        change_objects(&mut message.packet, |_, objects| {
            change_each(objects, ClassNum::MESSAGE_ID, |object| {
                let Object::MessageId(id) = object else { return };
                let first = *first.entry(message.port).or_insert(id.id);
                match ids {
                    Ids::Stale => id.id = first,
                    Ids::Epochs => {
                        *sent += 1;
                        id.id.epoch = id.id.epoch.wrapping_add(*sent) & 0x00ff_ffff;
                    }
                }
            });
        });
        vec![message]
    }
}

/// It does not send again what nobody acknowledges.
#[derive(Default)]
pub(super) struct SendsOnce {
    sent: BTreeSet<(Port, MessageId)>,
}

impl Fault for SendsOnce {
    fn sends(&mut self, message: Sent) -> Vec<Sent> {
        let id = Head::split(&message.packet.message).ok().and_then(|(head, _)| head.message_id);
        match id.filter(|id| id.wants_ack()) {
            Some(id) if !self.sent.insert((message.port, id.id)) => Vec::new(),
            _ => vec![message],
        }
    }
}

/// State that nobody refreshes stays until it is torn down.
#[derive(Default)]
pub(super) struct Immortal {
    /// Who said it, whether it is a Resv, and what it is about; the message, its period, and when it is due.
    kept: BTreeMap<(Station, bool, State), (Packet, Duration, Instant)>,
}

impl Fault for Immortal {
    fn hears(&mut self, now: Instant, from: Station, packet: Packet) -> Option<Packet> {
        let Ok(raw) = RawMessage::decode(&packet.message) else { return Some(packet) };
        let state = state_of(&raw);
        match message_type(&packet) {
            kind @ (MessageType::PATH | MessageType::RESV) => {
                let period = match raw.object(ClassNum::TIME_VALUES).map(RawObjectAt::decode) {
                    Some(Ok(Object::TimeValues(ms))) => Duration::from_millis(ms.max(100).into()),
                    _ => return Some(packet),
                };
                let mut plain = packet.clone();
                change_objects(&mut plain, |_, objects| {
                    objects.retain(|object| !matches!(object.class, 23 | 24));
                });
                self.kept.insert((from, kind == MessageType::RESV, state), (plain, period, now + period));
            }
            MessageType::PATH_TEAR => {
                let session = state.0.clone();
                self.kept.remove(&(from, false, state));
                self.kept.retain(|(_, is_resv, (of, _)), _| !is_resv || *of != session);
            }
            MessageType::RESV_TEAR => {
                self.kept.remove(&(from, true, state));
            }
            _ => {}
        }
        Some(packet)
    }

    fn wakes(&self) -> Option<Instant> {
        self.kept.values().map(|(_, _, due)| *due).min()
    }

    fn recalls(&mut self, now: Instant) -> Vec<(Station, Packet)> {
        let due = self.kept.iter_mut().filter(|(_, (_, _, due))| *due <= now);
        due.map(|((from, _, _), (packet, period, due))| {
            *due = now + *period;
            (*from, packet.clone())
        })
        .collect()
    }
}
