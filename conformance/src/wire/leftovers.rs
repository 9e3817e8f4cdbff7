//! State that the stations have made in a device, and how it is torn down.

use std::collections::BTreeMap;

use rsvp_core::wire::{self, ClassNum, Header, MessageType, RawMessage, RawObject};

use crate::bench::{Packet, Station};

/// What tells one state of a station from the others.
type Key = (Station, MessageType, Vec<Vec<u8>>);

/// The tears for all Paths and Resvs of one case that no station has torn down itself.
#[derive(Debug, Default)]
pub(super) struct Leftovers(BTreeMap<Key, Packet>);

/// Objects that say which state a message is about.
const IDENTITY: [ClassNum; 5] = [
    ClassNum::SESSION,
    ClassNum::RSVP_HOP,
    ClassNum::STYLE,
    ClassNum::SENDER_TEMPLATE,
    ClassNum::FILTER_SPEC,
];
/// What else a tear repeats. Whoever gets it does not heed it (RFC 2205 sections 3.1.5 and 3.1.6), but may expect it.
const REPEATED: [ClassNum; 3] = [ClassNum::SENDER_TSPEC, ClassNum::FLOWSPEC, ClassNum::SCOPE];

impl Leftovers {
    /// Takes note of what a station sends; a Bundle counts as the messages in it. What is damaged makes no state.
    pub(super) fn note(&mut self, from: Station, packet: &Packet) {
        for message in wire::messages(&packet.message).map_while(Result::ok) {
            let Ok(raw) = RawMessage::decode(message) else { continue };
            let tear = match raw.header.message_type {
                MessageType::PATH | MessageType::PATH_TEAR => MessageType::PATH_TEAR,
                MessageType::RESV | MessageType::RESV_TEAR => MessageType::RESV_TEAR,
                _ => continue,
            };
            let key = (from, tear, contents(&raw));
            if raw.header.message_type == tear {
                self.0.remove(&key);
            } else if let Some(message) = torn(tear, &raw) {
                self.0.insert(key, Packet { message, ..packet.clone() });
            }
        }
    }

    /// The tears that are left to be sent, and by whom.
    pub(super) fn take(&mut self) -> Vec<(Station, Packet)> {
        std::mem::take(&mut self.0).into_iter().map(|((from, ..), packet)| (from, packet)).collect()
    }
}

/// The contents of the objects that say which state a message is about.
fn contents(raw: &RawMessage) -> Vec<Vec<u8>> {
    let is_identity = |object: &&RawObject| IDENTITY.iter().any(|class| class.0 == object.class);
    let objects = raw.objects.iter().map(|placed| &placed.object);
    objects.filter(is_identity).map(|object| object.contents.clone()).collect()
}

/// The tear for what a Path or Resv has made; `None` if there is no such message.
fn torn(tear: MessageType, raw: &RawMessage) -> Option<Vec<u8>> {
    let is_kept = |object: &&RawObject| IDENTITY.iter().chain(&REPEATED).any(|class| class.0 == object.class);
    let objects = raw.objects.iter().map(|placed| &placed.object);
    let header = Header { flags: 0, send_ttl: raw.header.send_ttl };
    let raw = RawMessage::new(tear, header, objects.filter(is_kept).cloned()).ok()?;
    let mut octets = Vec::new();
    raw.encode(&mut octets).ok()?;
    Some(octets)
}

#[cfg(test)]
mod tests {
    use rsvp_core::wire::{Bundle, Message, Style};

    use super::*;
    use crate::bench::{Kind, Lab, Port, cl, ff, se};

    #[test]
    fn what_a_case_has_made_is_torn_down() {
        let mut dut = Lab::in_process().router();
        let (h, s1, s2) = (dut.h(), dut.s1(), dut.s2());
        let mut left = Leftovers::default();
        for (station, sender) in [(Station::U1, s1), (Station::U2, s2)] {
            let path = dut.pack(station, dut.path(station, h, sender));
            // A refresh makes nothing new.
            for _ in 0..2 {
                dut.send_packet(station, &path);
                left.note(station, &path);
            }
        }
        let resv = dut.resv(Station::D1, h, Style::Se, &[se(cl(1.0), &[s1, s2])]);
        let resv = dut.pack(Station::D1, resv);
        dut.send_packet(Station::D1, &resv);
        left.note(Station::D1, &resv);
        dut.forget();
        let tears = left.take();
        assert_eq!(tears.len(), 3);
        for (station, packet) in tears {
            dut.send_packet(station, &packet);
        }
        assert_eq!(dut.senders(h), []);
        assert_eq!(dut.reservations(h), []);
        assert_eq!(dut.reserved(Port::C), []);
        assert!(left.take().is_empty());
    }

    #[test]
    fn what_a_station_has_torn_down_is_not_left() {
        let dut = Lab::in_process().router();
        let (h, s1) = (dut.h(), dut.s1());
        let mut left = Leftovers::default();
        left.note(Station::U1, &dut.pack(Station::U1, dut.path(Station::U1, h, s1)));
        let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
        left.note(Station::D1, &dut.pack(Station::D1, resv));
        left.note(Station::U1, &dut.pack(Station::U1, dut.path_tear(Station::U1, h, s1)));
        let stations: Vec<Station> = left.take().into_iter().map(|(station, _)| station).collect();
        assert_eq!(stations, [Station::D1]);
    }

    #[test]
    fn a_bundle_leaves_what_is_in_it_and_what_is_damaged_nothing() {
        let dut = Lab::in_process().router();
        let (h, s1, s2) = (dut.h(), dut.s1(), dut.s2());
        let path = |sender| dut.pack(Station::U1, dut.path(Station::U1, h, sender)).message;
        let mut message = Vec::new();
        let header = Header { flags: 1, send_ttl: 64 };
        Bundle::encode(header, &[&path(s1), &path(s2)], &mut message).expect("it can be encoded");
        let packet = dut.wrap(Station::U1, &Message::Ack, message);
        let mut left = Leftovers::default();
        left.note(Station::U1, &packet);
        let tears = left.take();
        assert_eq!(tears.len(), 2);
        for ((_, tear), sender) in tears.iter().zip([s1, s2]) {
            let raw = RawMessage::decode(&tear.message).expect("a message");
            let message = Message::parse(&raw, usize::MAX).expect("a message");
            let expected = dut.path_tear(Station::U1, h, sender).into_message();
            assert_eq!(message, expected);
        }
        let mut damaged = dut.pack(Station::U1, dut.path(Station::U1, h, s1));
        damaged.message.truncate(20);
        left.note(Station::U1, &damaged);
        assert!(left.take().is_empty());
    }
}
