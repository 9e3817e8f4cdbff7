//! RFC 2961 section 4.4: Ack messages.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use crate::bench::{Ack, Dut, Lab, Packet, Port, Received, Station, ack, cl, ff, list, nack, plain, wanted};
use crate::shows;
use rsvp_core::wire::{
    ClassNum, Header, Message, MessageId, MessageType, Path, RawMessage, RawObject, SessionKey, Srefresh,
    Style,
};

use super::dialogue::{ack_of, all_types, at_port, copies, id_object, nack_of, path, saying, trigger};
use super::{announce, sessions};

/// Longer than it takes until the third copy of a message.
const WHILE: Duration = Duration::from_secs(3);

/// An acknowledgement comes alone in a message of type 13, once, from the device's own address.
pub(crate) fn an_ack_message_is_of_type_13(lab: &Lab) {
    shows(&["rfc2961-4.4-01", "rfc2961-4.6-05", "rfc2961-4.4-06", "rfc2961-4.4-07"]);
    let mut dut = lab.router();
    let path = path(&dut, dut.h(), 20.0);
    dut.send_id(Station::U1, path, wanted(5));
    let sent = dut.expect::<Ack>(Port::A);
    assert_eq!(sent.sent.packet.message[1], 0x0d);
    assert_eq!(sent.sent.packet.source, dut.plan.dut(Port::A));
    assert_eq!(sent.classes(), [ClassNum::MESSAGE_ID_ACK.0], "nothing else is in it");
    dut.expect_no::<Ack>(Port::A);
}

/// An Ack message, spelt out octet by octet, ends retransmission.
pub(crate) fn an_ack_message_ends_retransmission(lab: &Lab) {
    shows(&["rfc2961-4.4-01", "rfc2961-4.4-07"]);
    let mut dut = lab.reducing();
    let id = trigger(&mut dut).id().id;
    let [_, e1, e2, e3] = id.epoch.to_be_bytes();
    let [i1, i2, i3, i4] = id.id.to_be_bytes();
    // Version 1, no flags, type 13, no checksum, TTL 1, 20 octets.
    let message = vec![0x10, 0x0d, 0, 0, 1, 0, 0, 20, 0, 12, 24, 1, 0, e1, e2, e3, i1, i2, i3, i4];
    let packet = Packet { message, ttl: 1, ..dut.pack(Station::D1, Ack) };
    dut.send_packet(Station::D1, &packet);
    dut.advance(WHILE);
    assert!(copies(&mut dut, Port::C).is_empty());
}

/// Fifty acknowledgements of both kinds in one Ack message count each for itself.
pub(crate) fn an_ack_message_may_say_much(lab: &Lab) {
    shows(&["rfc2961-4.4-02"]);
    let interval = Duration::from_secs(2);
    let mut dut = lab.reducing_with(|reduction| reduction.retransmit_interval = interval);
    let (sessions, s1) = (sessions(&dut, dut.h(), 50), dut.s1());
    announce(&mut dut, Station::U1, &sessions, s1);
    let key = |it: &Received<Path>| it.message.session.key;
    let ids: BTreeMap<SessionKey, MessageId> =
        dut.all_of::<Path>(Port::C, 50).iter().map(|it| (key(it), it.id().id)).collect();
    let negative: BTreeSet<SessionKey> = sessions.iter().skip(1).step_by(2).copied().collect();
    let answer = |(key, id): (&SessionKey, &MessageId)| {
        if negative.contains(key) { nack_of(*id) } else { ack_of(*id) }
    };
    let acknowledgements: Vec<_> = ids.iter().map(answer).collect();
    dut.send_with(Station::D1, Ack, &saying(&acknowledgements));
    let again: BTreeSet<SessionKey> = dut.all_of::<Path>(Port::C, negative.len()).iter().map(key).collect();
    assert_eq!(again, negative, "sent again at once");
    dut.advance(interval + Duration::from_secs(1));
    for path in dut.all::<Path>(Port::C) {
        assert!(negative.contains(&key(&path)), "{:?} was acknowledged", path.id());
    }
}

/// Ack messages have acknowledgements of both kinds, are never empty, and have no MESSAGE_ID.
pub(crate) fn acknowledgements_go_together(lab: &Lab) {
    shows(&["rfc2961-4.4-02", "rfc2961-4.4-03"]);
    let mut dut = slow_dut(lab);
    for number in 0..5 {
        let session = at_port(&dut, dut.h(), 5000 + number as u16);
        let path = path(&dut, session, 20.0);
        dut.send_id(Station::U1, path, wanted(number));
    }
    dut.send_srefresh(Station::U1, &[list(&[4, 99])]);
    dut.advance(WHILE);
    let messages = dut.all::<Ack>(Port::A);
    assert!(messages.iter().all(|it| !it.head.acknowledgements.is_empty() && it.head.message_id.is_none()));
    let mut said: Vec<_> = messages.iter().flat_map(|it| it.head.acknowledgements.clone()).collect();
    said.sort_by_key(|it| it.id());
    assert_eq!(said, [ack(0), ack(1), ack(2), ack(3), ack(4), nack(99)]);
}

/// A DUT that takes a second over its acknowledgements.
fn slow_dut(lab: &Lab) -> Dut {
    lab.reducing_with(|reduction| {
        reduction.ack_delay = Duration::from_secs(1);
        reduction.retransmit_interval = Duration::from_secs(3);
    })
}

/// An Ack message with any objects.
fn ack_message(dut: &Dut, from: Station, objects: Vec<RawObject>) -> Packet {
    let header = Header { flags: 0, send_ttl: 64 };
    let raw = RawMessage::new(MessageType::ACK, header, objects).expect("it is not too long");
    let mut message = Vec::new();
    raw.encode(&mut message).expect("it is not too long");
    Packet { message, ..dut.pack(from, Ack) }
}

/// An Ack message with a MESSAGE_ID that wants an acknowledgement gets none.
pub(crate) fn an_ack_message_is_not_acknowledged(lab: &Lab) {
    shows(&["rfc2961-4.4-03", "rfc2961-4.5-01"]);
    let mut dut = lab.reducing();
    let id = trigger(&mut dut).id().id;
    let mut acknowledgement = id_object(1, rsvp_core::wire::FlaggedId::plain(id));
    acknowledgement.class = 24;
    let packet = ack_message(&dut, Station::D1, vec![acknowledgement, id_object(1, wanted(9))]);
    dut.send_packet(Station::D1, &packet);
    dut.advance(dut.timing.patience);
    assert_eq!(dut.acks(Station::D1), []);
}

/// Where the acknowledgement of a message from a neighbour goes, if its IP source is `source`.
fn acknowledged_at(dut: &mut Dut, from: Station, message: Message, number: u32, source: IpAddr) -> IpAddr {
    let packet = Packet { source, ..dut.pack_id(from, message, wanted(number)) };
    dut.send_packet(from, &packet);
    dut.wait_for::<Ack>(from.port(), 1);
    let says = |it: &Received<Message>| it.head.acknowledgements.contains(&ack(number));
    let Some(sent) = dut.all::<Message>(from.port()).into_iter().find(says) else {
        panic!("expected an acknowledgement of {number}")
    };
    assert_eq!(sent.sent.packet.source, dut.plan.dut(from.port()));
    sent.sent.packet.destination
}

/// An Ack message goes to the HOP address of the message that it is for, or to its IP source if it has no HOP.
pub(crate) fn an_ack_message_goes_to_who_made_the_message(lab: &Lab) {
    shows(&["rfc2961-4.4-04", "rfc2961-4.4-05", "rfc2961-4.4-06", "rfc2961-4.5-02"]);
    let mut dut = lab.router();
    for (number, (from, message, _)) in (1..).zip(all_types(&dut)) {
        let has_hop = !matches!(message, Message::PathErr(_) | Message::ResvConf(_));
        let other = dut.plan.address(from.port().interface().0 as u8, 77);
        let source = match message {
            Message::Path(_) | Message::PathTear(_) => dut.s1().source(),
            _ => other,
        };
        let expected = if has_hop { dut.plan.station(from) } else { source };
        let to = acknowledged_at(&mut dut, from, message.clone(), number, source);
        assert_eq!(to, expected, "{message:?} from {source}");
    }
}

/// An Srefresh with a MESSAGE_ID that wants it is acknowledged to its IP source.
pub(crate) fn a_summary_refresh_may_be_acknowledged(lab: &Lab) {
    shows(&["rfc2961-4.4-05", "rfc2961-4.5-01"]);
    let mut dut = lab.router();
    let path = path(&dut, dut.h(), 20.0);
    dut.send_id(Station::U1, path, plain(1));
    let summary = Message::Srefresh(Srefresh { lists: vec![list(&[1])] });
    let source = dut.plan.station(Station::U1);
    assert_eq!(acknowledged_at(&mut dut, Station::U1, summary, 2, source), source);
}

/// Two neighbours on a LAN get their own acknowledgements each.
pub(crate) fn each_neighbour_is_acknowledged_for_itself(lab: &Lab) {
    shows(&["rfc2961-4.4-08"]);
    let mut dut = slow_dut(lab);
    dut.acknowledging(Station::U1);
    dut.acknowledging(Station::D2);
    dut.acknowledging(Station::D3);
    for port in [5000, 5001] {
        let session = at_port(&dut, dut.k(), port);
        let path = path(&dut, session, 20.0);
        dut.send(Station::U1, path);
    }
    for (from, numbers) in [(Station::D2, [7, 8]), (Station::D3, [7, 9])] {
        for (port, number) in (5000..).zip(numbers) {
            let session = at_port(&dut, dut.k(), port);
            let resv = dut.resv(from, session, Style::Ff, &[ff(cl(1.0), dut.s1())]);
            dut.send_id(from, resv, wanted(number));
        }
    }
    dut.advance(WHILE);
    dut.expect_acks(Station::D2, &[ack(7), ack(8)]);
    dut.expect_acks(Station::D3, &[ack(7), ack(9)]);
}
