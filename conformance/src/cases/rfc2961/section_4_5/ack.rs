//! RFC 2961 section 4.5: what is acknowledged.

use std::time::Duration;

use crate::bench::{Lab, Packet, Port, Station, ack, object, wanted};
use crate::shows;
use rsvp_core::wire::{Path, ResvErr};

use crate::cases::rfc2961::dialogue::{all_types, id_object, path, resv};

/// Messages of each type that want an acknowledgement get one, and soon.
pub(crate) fn what_wants_an_acknowledgement_gets_it(lab: &Lab) {
    shows(&["rfc2961-4.5-30", "rfc2961-4.6-09"]);
    let mut dut = lab.router();
    for (number, (from, message, _)) in (1..).zip(all_types(&dut)) {
        let sent_at = dut.now();
        dut.send_id(from, message.clone(), wanted(number));
        dut.wait_for_acks(from, 1);
        let acks = dut.timed_acks(from);
        let [(at, said)] = &acks[..] else { panic!("{acks:?} for {message:?}") };
        assert_eq!(*said, ack(number));
        assert!(at.since(sent_at) < Duration::from_millis(50) + dut.timing.slack, "{message:?}");
    }
}

/// A message that comes three times is acknowledged three times, and passed on once.
pub(crate) fn each_copy_is_acknowledged(lab: &Lab) {
    shows(&["rfc2961-4.5-31", "rfc2961-4.5-20"]);
    let mut dut = lab.router();
    let path = path(&dut, dut.h(), 20.0);
    for _ in 0..3 {
        dut.send_id(Station::U1, path.clone(), wanted(10));
        dut.expect_acks(Station::U1, &[ack(10)]);
        dut.advance(Duration::from_millis(400));
    }
    assert_eq!(dut.all::<Path>(Port::C).len(), 1);
}

/// The packet with its octets changed, and with no checksum.
fn changed(packet: &Packet, change: impl FnOnce(&mut Vec<u8>)) -> Packet {
    let mut message = packet.message.clone();
    message[2..4].fill(0);
    change(&mut message);
    Packet { message, ..packet.clone() }
}

/// A message with a wrong checksum, length or version, or without an object that it needs, is not acknowledged.
pub(crate) fn faults_of_form_are_not_acknowledged(lab: &Lab) {
    shows(&["rfc2961-4.5-32"]);
    let mut dut = lab.router();
    let whole = dut.pack_id(Station::U1, path(&dut, dut.h(), 20.0), wanted(9));
    let faults = [
        changed(&whole, |message| message[2..4].fill(1)),
        changed(&whole, |message| message[7] += 4),
        changed(&whole, |message| message[7] -= 4),
        // The length of SESSION, behind a header of 8 and a MESSAGE_ID of 12 octets.
        changed(&whole, |message| message[21] += 1),
        changed(&whole, |message| message[21] = 0),
        changed(&whole, |message| message.truncate(40)),
        changed(&whole, |message| message[0] = 0x20),
        // MESSAGE_ID itself: too short, too long.
        changed(&whole, |message| message[9] = 8),
        changed(&whole, |message| message[9] = 16),
    ];
    for (number, fault) in faults.iter().enumerate() {
        dut.send_packet(Station::U1, fault);
        assert_eq!(dut.acks(Station::U1), [], "fault {number}");
        dut.expect_silence();
    }
    for class in [1, 3, 5, 11, 12] {
        let path = path(&dut, dut.h(), 20.0);
        dut.send_changed(Station::U1, path, |objects| {
            objects.retain(|it| it.class != class);
            objects.insert(0, id_object(1, wanted(9)));
        });
        assert_eq!(dut.acks(Station::U1), [], "without an object of class {class}");
        dut.expect_no::<Path>(Port::C);
    }
    dut.send_packet(Station::U1, &changed(&whole, |_| ()));
    dut.expect_acks(Station::U1, &[ack(9)]); // Without fault.
}

/// A Resv that is refused for an object of an unknown class is not acknowledged.
pub(crate) fn unknown_objects_are_faults(lab: &Lab) {
    shows(&["rfc2961-4.5-32"]);
    let mut dut = lab.unicast(1);
    let resv = resv(&dut, dut.h(), 1.0);
    dut.send_changed(Station::D1, resv, |objects| {
        objects.insert(0, id_object(1, wanted(9)));
        objects.insert(3, object(0x70, 1, &[0; 4]));
    });
    assert_eq!(dut.expect::<ResvErr>(Port::C).message.error.code, 13);
    assert_eq!(dut.acks(Station::D1), []);
}

/// A Resv that admission refuses is answered, by error or acknowledgement, each time it comes.
pub(crate) fn a_refused_reservation_is_answered_each_time(lab: &Lab) {
    shows(&["rfc2961-4.5-33", "rfc2961-4.6-02"]);
    let mut dut = lab.greedy();
    dut.acknowledging(Station::D1);
    let resv = resv(&dut, dut.h(), 60.0);
    for copy in 0..3 {
        dut.send_id(Station::D1, resv.clone(), wanted(7));
        dut.wait_for::<ResvErr>(Port::C, 1);
        let acks = dut.acks(Station::D1);
        let errors: Vec<u8> = dut.all::<ResvErr>(Port::C).iter().map(|it| it.message.error.code).collect();
        assert!(acks.is_empty() || acks == [ack(7)], "{acks:?}");
        assert!(errors.is_empty() || errors == [1], "{errors:?}");
        assert!(!acks.is_empty() || !errors.is_empty(), "copy {copy}");
        assert!(copy > 0 || !errors.is_empty(), "it is refused");
        dut.advance(Duration::from_millis(400));
    }
}
