//! RFC 2961 section 4.5: what is acknowledged.

use std::time::Duration;

use conformance::bench::{Lab, Packet, Port, Station, ack, object, wanted};
use conformance::shows;
use rsvp_core::wire::{Path, ResvErr};

use crate::dialogue::{all_types, id_object, path, resv};

#[test]
fn what_wants_an_acknowledgement_gets_it() {
    shows(&["rfc2961-4.5-30", "rfc2961-4.6-09"]);
    let mut dut = Lab::in_process().router();
    for (number, (from, message, _)) in (1..).zip(all_types(&dut)) {
        let sent_at = dut.now();
        dut.send_id(from, message.clone(), wanted(number));
        let acks = dut.timed_acks(from);
        let [(at, said)] = &acks[..] else { panic!("{acks:?} for {message:?}") };
        assert_eq!(*said, ack(number));
        assert!(at.since(sent_at) < Duration::from_millis(50), "{message:?}");
    }
}

#[test]
fn each_copy_is_acknowledged() {
    shows(&["rfc2961-4.5-31", "rfc2961-4.5-20"]);
    let mut dut = Lab::in_process().router();
    let path = path(&dut, dut.h(), 20.0);
    for copy in 0..3 {
        dut.send_id(Station::U1, path.clone(), wanted(10));
        assert_eq!(dut.acks(Station::U1), [ack(10)], "copy {copy}");
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

#[test]
fn faults_of_form_are_not_acknowledged() {
    shows(&["rfc2961-4.5-32"]);
    let mut dut = Lab::in_process().router();
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
    assert_eq!(dut.acks(Station::U1), [ack(9)], "without fault");
}

#[test]
fn unknown_objects_are_faults() {
    shows(&["rfc2961-4.5-32"]);
    let mut dut = Lab::in_process().unicast(1);
    let resv = resv(&dut, dut.h(), 1.0);
    dut.send_changed(Station::D1, resv, |objects| {
        objects.insert(0, id_object(1, wanted(9)));
        objects.insert(3, object(0x70, 1, &[0; 4]));
    });
    assert_eq!(dut.expect::<ResvErr>(Port::C).message.error.code, 13);
    assert_eq!(dut.acks(Station::D1), []);
}

#[test]
fn a_refused_reservation_is_answered_each_time() {
    shows(&["rfc2961-4.5-33", "rfc2961-4.6-02"]);
    let mut dut = Lab::in_process().greedy();
    dut.acknowledging(Station::D1);
    let resv = resv(&dut, dut.h(), 60.0);
    for copy in 0..3 {
        dut.send_id(Station::D1, resv.clone(), wanted(7));
        let acks = dut.acks(Station::D1);
        let errors: Vec<u8> = dut.all::<ResvErr>(Port::C).iter().map(|it| it.message.error.code).collect();
        assert!(acks.is_empty() || acks == [ack(7)], "{acks:?}");
        assert!(errors.is_empty() || errors == [1], "{errors:?}");
        assert!(!acks.is_empty() || !errors.is_empty(), "copy {copy}");
        assert!(copy > 0 || !errors.is_empty(), "it is refused");
        dut.advance(Duration::from_millis(400));
    }
}
