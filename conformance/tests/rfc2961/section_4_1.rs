//! RFC 2961 section 4.1: where the objects stand in the messages of RFC 2205.

use std::time::Duration;

use conformance::bench::{Dut, Lab, Port, Station, ack, object, wanted};
use conformance::shows;
use rsvp_core::wire::{Acknowledgement, ClassNum, Head, Message, MessageId, Path, Resv};

use crate::dialogue::{
    ack_of, all_types, at_port, copies, expect_like, has_id, id_object, nack_of, path, resv, saying, trigger,
    trigger_in,
};

const MESSAGE_ID: u8 = ClassNum::MESSAGE_ID.0;
const MESSAGE_ID_ACK: u8 = ClassNum::MESSAGE_ID_ACK.0;

#[test]
fn every_message_may_have_the_objects() {
    shows(&["rfc2961-4.1-01", "rfc2961-4.8-01", "rfc2961-4.5-01", "rfc2961-4.5-30"]);
    let mut dut = Lab::in_process().reducing();
    // What the DUT has said to U1 and to D1, and nobody has acknowledged.
    let mut owed: [Vec<Acknowledgement>; 2] = [vec![], vec![]];
    for (number, (from, message, port)) in (1..).zip(all_types(&dut)) {
        let acknowledgements = std::mem::take(&mut owed[usize::from(from == Station::D1)]);
        let head = Head { acknowledgements, message_id: Some(wanted(number)) };
        dut.send_with(from, message.clone(), &head);
        let sent = expect_like(&mut dut, port, &message);
        assert_eq!(dut.acks(from), [ack(number)], "{message:?}");
        owed[usize::from(port == Port::C)].extend(sent.head.message_id.map(|it| ack_of(it.id)));
    }
    for (from, acknowledgements) in [Station::U1, Station::D1].into_iter().zip(owed) {
        dut.send_with(from, conformance::bench::Ack, &saying(&acknowledgements));
    }
    dut.forget();
    dut.advance(Duration::from_secs(10));
    for port in [Port::A, Port::C] {
        assert!(copies(&mut dut, port).is_empty(), "all that was acknowledged is not sent again");
    }
}

/// A DUT that takes a second over its acknowledgements, which knows S1 and sends its Paths to D1.
fn slow_dut() -> Dut {
    let mut dut = Lab::in_process().reducing_with(|reduction| reduction.ack_delay = Duration::from_secs(1));
    dut.acknowledging(Station::D1);
    trigger(&mut dut);
    dut
}

#[test]
fn acknowledgements_come_first_and_message_id_after_them() {
    shows(&["rfc2961-4.1-03", "rfc2961-4.1-04", "rfc2961-4.6-03", "rfc2961-4.6-06"]);
    let mut dut = slow_dut();
    for number in [1, 2] {
        let session = at_port(&dut, dut.h(), 6000 + number as u16);
        let path = path(&dut, session, 20.0);
        dut.send_id(Station::U1, path, wanted(number));
    }
    let resv = resv(&dut, dut.h(), 1.0);
    dut.send(Station::D1, resv);
    let sent = dut.expect::<Resv>(Port::A);
    let begin = [MESSAGE_ID_ACK, MESSAGE_ID_ACK, MESSAGE_ID, ClassNum::SESSION.0];
    assert_eq!(sent.classes()[..4], begin, "{:?}", sent.raw);
    assert_eq!(sent.head.acknowledgements, [ack(1), ack(2)]);
    assert_eq!(dut.acks(Station::U1), [ack(1), ack(2)], "in the Resv");
    dut.advance(Duration::from_secs(5));
    assert_eq!(dut.acks(Station::U1), [], "and not once more");
}

#[test]
fn message_id_comes_first_without_acknowledgements() {
    shows(&["rfc2961-4.1-05"]);
    let mut dut = Lab::in_process().reducing();
    for (from, message, port) in all_types(&dut).into_iter().filter(|(_, message, _)| has_id(message)) {
        dut.send(from, message.clone());
        let sent = expect_like(&mut dut, port, &message);
        assert_eq!(sent.classes()[..2], [MESSAGE_ID, ClassNum::SESSION.0], "{:?}", sent.raw);
    }
}

#[test]
fn acknowledgements_may_be_mixed() {
    shows(&["rfc2961-4.1-06"]);
    let mut dut =
        Lab::in_process().reducing_with(|reduction| reduction.retransmit_interval = Duration::from_secs(2));
    let [i, j, k, l]: [MessageId; 4] = [5000, 5001, 5002, 5003].map(|port| {
        let session = at_port(&dut, dut.h(), port);
        trigger_in(&mut dut, session).id().id
    });
    for id in [k, l] {
        dut.send_ack(Station::D1, id);
    }
    let head = Head {
        acknowledgements: vec![nack_of(k), ack_of(i), ack_of(j), nack_of(l)],
        message_id: Some(wanted(7)),
    };
    let resv = resv(&dut, dut.h(), 1.0);
    dut.send_with(Station::D1, resv, &head);
    assert_eq!(dut.acks(Station::D1), [ack(7)]);
    let again: Vec<MessageId> = dut.all::<Path>(Port::C).iter().map(|it| it.id().id).collect();
    assert_eq!(again, [k, l], "what was not known is sent again at once");
    for id in [k, l] {
        dut.send_ack(Station::D1, id);
    }
    dut.advance(Duration::from_secs(10));
    assert!(copies(&mut dut, Port::C).is_empty(), "{i:?} and {j:?} were acknowledged");
}

#[test]
fn objects_in_the_wrong_place() {
    shows(&["rfc2961-4.1-07", "rfc2961-4.5-32"]);
    for place in [1, 2, 3] {
        let mut dut = Lab::in_process().reducing();
        let path = path(&dut, dut.h(), 20.0);
        dut.send_changed(Station::U1, path, |objects| objects.insert(place, id_object(1, wanted(9))));
        let is_processed = !dut.all::<Path>(Port::C).is_empty();
        let is_acknowledged = dut.acks(Station::U1).contains(&ack(9));
        assert_eq!(is_processed, is_acknowledged, "at {place}");
    }
}

#[test]
fn integrity_may_stand_before_them() {
    shows(&["rfc2961-4.1-05"]);
    let mut dut = Lab::in_process().reducing();
    let id = trigger(&mut dut).id().id;
    let packet = dut.pack_with(Station::D1, resv(&dut, dut.h(), 1.0), &saying(&[ack_of(id)]));
    let raw = rsvp_core::wire::RawMessage::decode(&packet.message).expect("a message");
    let message = Message::parse(&raw, usize::MAX).expect("a Resv");
    dut.send_changed(Station::D1, message, |objects| {
        let mut acknowledgement = id_object(1, rsvp_core::wire::FlaggedId::plain(id));
        acknowledgement.class = MESSAGE_ID_ACK;
        let integrity = object(ClassNum::INTEGRITY.0, 1, &[0; 36]);
        objects.splice(0..0, [integrity, acknowledgement, id_object(1, wanted(9))]);
    });
    assert_eq!(dut.acks(Station::D1), [ack(9)]);
    dut.expect::<Resv>(Port::A);
    dut.advance(Duration::from_secs(10));
    assert_eq!(dut.all::<Path>(Port::C).len(), 0);
}
