//! RFC 2961 section 4.3: MESSAGE_ID_ACK and MESSAGE_ID_NACK.

use std::time::Duration;

use conformance::bench::{Lab, Port, Station, list, mid, wanted};
use conformance::shows;
use rsvp_core::wire::{Acknowledgement, FlaggedId, MessageId, MessageType};

use crate::dialogue::{ack_of, copies, path, saying, trigger};

#[test]
fn the_layout_of_an_acknowledgement() {
    shows(&["rfc2961-4.3-01", "rfc2961-4.3-02", "rfc2961-4.3-04", "rfc2961-4.4-01"]);
    let mut dut = Lab::in_process().reducing();
    for (flags, rate) in [(0x01, 20.0), (0xff, 10.0)] {
        let path = path(&dut, dut.h(), rate);
        dut.send_id(Station::U1, path, FlaggedId { flags, id: mid(0x0102_0304) });
        let raw = dut.take_sent();
        let message = raw.iter().map(|sent| &sent.packet.message).find(|it| it[1] == 0x0d).expect("an Ack");
        assert_eq!(message[8..], [0, 12, 24, 1, 0, 0x12, 0x34, 0x56, 1, 2, 3, 4], "flags {flags:02x} came");
    }
}

#[test]
fn the_layout_of_a_nack() {
    shows(&["rfc2961-4.3-05", "rfc2961-4.3-02"]);
    let mut dut = Lab::in_process().reducing();
    dut.send_srefresh(Station::U1, &[list(&[0x0102_0304])]);
    let sent = dut.expect_raw(Port::A, MessageType::ACK);
    let object = &sent.objects[0].object;
    assert_eq!((object.class, object.ctype), (24, 2));
    assert_eq!(object.contents, [0, 0x12, 0x34, 0x56, 1, 2, 3, 4]);
    assert_eq!(sent.objects.len(), 1);
}

#[test]
fn flags_are_ignored() {
    shows(&["rfc2961-4.3-03"]);
    let mut dut = Lab::in_process().reducing();
    let id = trigger(&mut dut).id().id;
    let acknowledgement = Acknowledgement::Ack(FlaggedId { flags: 0xfd, id });
    dut.send_with(Station::D1, conformance::bench::Ack, &saying(&[acknowledgement]));
    dut.advance(Duration::from_secs(10));
    assert!(copies(&mut dut, Port::C).is_empty());
}

#[test]
fn an_acknowledgement_of_nothing_has_no_effect() {
    shows(&["rfc2961-4.3-06"]);
    let mut dut = Lab::in_process().reducing();
    let MessageId { epoch, id } = trigger(&mut dut).id().id;
    let wrong = [
        MessageId { epoch: epoch ^ 1, id },
        MessageId { epoch, id: id.wrapping_add(1000) },
        MessageId { epoch, id: id.wrapping_sub(1) },
    ];
    let wrong = wrong.map(ack_of);
    dut.send_with(Station::D1, conformance::bench::Ack, &saying(&wrong));
    dut.advance(Duration::from_secs(3));
    assert_eq!(copies(&mut dut, Port::C), [[0, 1000]], "the second and third copy");
    let changed = path(&dut, dut.h(), 10.0);
    dut.send_id(Station::U1, changed, wanted(1));
    let id = dut.expect::<rsvp_core::wire::Path>(Port::C).id().id;
    for _ in 0..3 {
        dut.send_ack(Station::D1, id);
    }
    dut.advance(Duration::from_secs(5));
    assert!(copies(&mut dut, Port::C).is_empty());
}
