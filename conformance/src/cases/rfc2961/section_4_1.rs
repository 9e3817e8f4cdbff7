//! RFC 2961 section 4.1: where the objects stand in the messages of RFC 2205.

use std::time::Duration;

use crate::bench::{Dut, Lab, Port, Station, ack, object, wanted};
use crate::shows;
use rsvp_core::wire::{Acknowledgement, ClassNum, Head, Message, MessageId, Path, Resv};

use super::dialogue::{
    ack_of, all_types, at_port, copies, expect_like, has_id, id_object, nack_of, path, resv, saying, trigger,
    trigger_in,
};
use super::inconclusive;

/// Longer than it takes until the third copy of a message.
const WHILE: Duration = Duration::from_secs(3);

const MESSAGE_ID: u8 = ClassNum::MESSAGE_ID.0;
const MESSAGE_ID_ACK: u8 = ClassNum::MESSAGE_ID_ACK.0;

/// Messages of each type may have MESSAGE_ID and acknowledgements in front: they are taken, and what they acknowledge
/// is not sent again.
pub(crate) fn every_message_may_have_the_objects(lab: &Lab) {
    shows(&["rfc2961-4.1-01", "rfc2961-4.8-01", "rfc2961-4.5-01", "rfc2961-4.5-30"]);
    let mut dut = lab.reducing();
    // What the DUT has said to U1 and to D1, and nobody has acknowledged.
    let mut owed: [Vec<Acknowledgement>; 2] = [vec![], vec![]];
    for (number, (from, message, port)) in (1..).zip(all_types(&dut)) {
        let acknowledgements = std::mem::take(&mut owed[usize::from(from == Station::D1)]);
        let head = Head { acknowledgements, message_id: Some(wanted(number)) };
        dut.send_with(from, message.clone(), &head);
        let sent = expect_like(&mut dut, port, &message);
        dut.expect_acks(from, &[ack(number)]);
        owed[usize::from(port == Port::C)].extend(sent.head.message_id.map(|it| ack_of(it.id)));
    }
    for (from, acknowledgements) in [Station::U1, Station::D1].into_iter().zip(owed) {
        dut.send_with(from, crate::bench::Ack, &saying(&acknowledgements));
    }
    dut.forget();
    dut.advance(WHILE);
    for port in [Port::A, Port::C] {
        assert!(copies(&mut dut, port).is_empty(), "all that was acknowledged is not sent again");
    }
}

/// A DUT that takes a second over its acknowledgements, which knows S1 and sends its Paths to D1.
fn slow_dut(lab: &Lab) -> Dut {
    let mut dut = lab.reducing_with(|reduction| {
        reduction.ack_delay = Duration::from_secs(1);
        reduction.retransmit_interval = Duration::from_secs(3);
    });
    dut.acknowledging(Station::D1);
    trigger(&mut dut);
    dut
}

/// In a message that takes acknowledgements along these come first, MESSAGE_ID next, and then the rest.
pub(crate) fn acknowledgements_come_first_and_message_id_after_them(lab: &Lab) {
    shows(&["rfc2961-4.1-03", "rfc2961-4.1-04", "rfc2961-4.6-03", "rfc2961-4.6-06"]);
    let mut dut = slow_dut(lab);
    for number in [1, 2] {
        let session = at_port(&dut, dut.h(), 6000 + number as u16);
        let path = path(&dut, session, 20.0);
        dut.send_id(Station::U1, path, wanted(number));
    }
    let resv = resv(&dut, dut.h(), 1.0);
    dut.send(Station::D1, resv);
    let sent = dut.expect::<Resv>(Port::A);
    if sent.head.acknowledgements.is_empty() {
        inconclusive("no message of the device takes acknowledgements along");
    }
    let begin = [MESSAGE_ID_ACK, MESSAGE_ID_ACK, MESSAGE_ID, ClassNum::SESSION.0];
    assert_eq!(sent.classes()[..4], begin, "{:?}", sent.raw);
    assert_eq!(sent.head.acknowledgements, [ack(1), ack(2)]);
    dut.expect_acks(Station::U1, &[ack(1), ack(2)]); // In the Resv.
    dut.advance(Duration::from_secs(2));
    assert_eq!(dut.acks(Station::U1), [], "and not once more");
}

/// In messages of each type MESSAGE_ID comes right behind the header.
pub(crate) fn message_id_comes_first_without_acknowledgements(lab: &Lab) {
    shows(&["rfc2961-4.1-05"]);
    let mut dut = lab.reducing();
    for (from, message, port) in all_types(&dut).into_iter().filter(|(_, message, _)| has_id(message)) {
        dut.send(from, message.clone());
        let sent = expect_like(&mut dut, port, &message);
        assert_eq!(sent.classes()[..2], [MESSAGE_ID, ClassNum::SESSION.0], "{:?}", sent.raw);
    }
}

/// Positive and negative acknowledgements in one message count each for itself.
pub(crate) fn acknowledgements_may_be_mixed(lab: &Lab) {
    shows(&["rfc2961-4.1-06"]);
    let mut dut = lab.reducing_with(|reduction| reduction.retransmit_interval = Duration::from_secs(2));
    let [i, j, k, l]: [MessageId; 4] = [5000, 5001, 5002, 5003].map(|port| {
        let session = at_port(&dut, dut.h(), port);
        trigger_in(&mut dut, session).id().id
    });
    for id in [k, l] {
        dut.send_ack(Station::D1, id);
    }
    dut.acknowledging(Station::D1);
    let head = Head {
        acknowledgements: vec![nack_of(k), ack_of(i), ack_of(j), nack_of(l)],
        message_id: Some(wanted(7)),
    };
    let resv = resv(&dut, dut.h(), 1.0);
    dut.send_with(Station::D1, resv, &head);
    dut.expect_acks(Station::D1, &[ack(7)]);
    let mut again: Vec<u16> =
        dut.all_of::<Path>(Port::C, 2).iter().map(|it| it.message.session.key.flow().port).collect();
    again.sort_unstable();
    assert_eq!(again, [5002, 5003], "what was not known is sent again at once");
    dut.advance(WHILE);
    assert!(copies(&mut dut, Port::C).is_empty(), "{i:?} and {j:?} were acknowledged");
}

/// A Path with its MESSAGE_ID somewhere in between is either taken and acknowledged, or neither.
pub(crate) fn objects_in_the_wrong_place(lab: &Lab) {
    shows(&["rfc2961-4.1-07", "rfc2961-4.5-32"]);
    for place in [1, 2, 3] {
        let mut dut = lab.reducing();
        let path = path(&dut, dut.h(), 20.0);
        dut.send_changed(Station::U1, path, |objects| objects.insert(place, id_object(1, wanted(9))));
        dut.advance(dut.timing.patience);
        let is_processed = !dut.all::<Path>(Port::C).is_empty();
        let is_acknowledged = dut.acks(Station::U1).contains(&ack(9));
        assert_eq!(is_processed, is_acknowledged, "at {place}");
    }
}

/// Behind an INTEGRITY object MESSAGE_ID and acknowledgements count as ever.
pub(crate) fn integrity_may_stand_before_them(lab: &Lab) {
    shows(&["rfc2961-4.1-05"]);
    let mut dut = lab.reducing();
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
    dut.expect_acks(Station::D1, &[ack(9)]);
    dut.expect::<Resv>(Port::A);
    dut.advance(WHILE);
    assert_eq!(dut.all::<Path>(Port::C).len(), 0);
}
