//! RFC 2961 section 4.3: MESSAGE_ID_ACK and MESSAGE_ID_NACK.

use std::time::Duration;

use crate::bench::{Ack, Lab, Port, Station, list, mid, wanted};
use crate::shows;
use rsvp_core::wire::{Acknowledgement, FlaggedId, MessageId, MessageType};

use super::dialogue::{ack_of, copies, path, saying, trigger};

/// MESSAGE_ID_ACK is of class 24 and C-Type 1, and has the Epoch and identifier that came, and no flags.
pub(crate) fn the_layout_of_an_acknowledgement(lab: &Lab) {
    shows(&["rfc2961-4.3-01", "rfc2961-4.3-02", "rfc2961-4.3-04", "rfc2961-4.4-01"]);
    let mut dut = lab.reducing();
    for (flags, rate) in [(0x01, 20.0), (0xff, 10.0)] {
        let path = path(&dut, dut.h(), rate);
        dut.send_id(Station::U1, path, FlaggedId { flags, id: mid(0x0102_0304) });
        let message = dut.expect::<Ack>(Port::A).sent.packet.message;
        assert_eq!(message[8..], [0, 12, 24, 1, 0, 0x12, 0x34, 0x56, 1, 2, 3, 4], "flags {flags:02x} came");
    }
}

/// MESSAGE_ID_NACK is of class 24 and C-Type 2, and has the Epoch and identifier that were listed.
pub(crate) fn the_layout_of_a_nack(lab: &Lab) {
    shows(&["rfc2961-4.3-05", "rfc2961-4.3-02"]);
    let mut dut = lab.reducing();
    dut.send_srefresh(Station::U1, &[list(&[0x0102_0304])]);
    let sent = dut.expect_raw(Port::A, MessageType::ACK);
    let object = &sent.objects[0].object;
    assert_eq!((object.class, object.ctype), (24, 2));
    assert_eq!(object.contents, [0, 0x12, 0x34, 0x56, 1, 2, 3, 4]);
    assert_eq!(sent.objects.len(), 1);
}

/// An acknowledgement counts whatever its flags.
pub(crate) fn flags_are_ignored(lab: &Lab) {
    shows(&["rfc2961-4.3-03"]);
    let mut dut = lab.reducing();
    let id = trigger(&mut dut).id().id;
    let acknowledgement = Acknowledgement::Ack(FlaggedId { flags: 0xfd, id });
    dut.send_with(Station::D1, Ack, &saying(&[acknowledgement]));
    dut.advance(Duration::from_secs(3));
    assert!(copies(&mut dut, Port::C).is_empty());
}

/// Acknowledgements of another Epoch or identifier end no retransmission, and repeated ones do no harm.
pub(crate) fn an_acknowledgement_of_nothing_has_no_effect(lab: &Lab) {
    shows(&["rfc2961-4.3-06"]);
    let mut dut = lab.reducing();
    let MessageId { epoch, id } = trigger(&mut dut).id().id;
    let wrong = [
        MessageId { epoch: epoch ^ 1, id },
        MessageId { epoch, id: id.wrapping_add(1000) },
        MessageId { epoch, id: id.wrapping_sub(1) },
    ];
    let wrong = wrong.map(ack_of);
    dut.send_with(Station::D1, Ack, &saying(&wrong));
    dut.advance(Duration::from_secs(3));
    assert_eq!(copies(&mut dut, Port::C), [[0, 1000]], "the second and third copy");
    let changed = path(&dut, dut.h(), 10.0);
    dut.send_id(Station::U1, changed, wanted(1));
    let id = dut.expect::<rsvp_core::wire::Path>(Port::C).id().id;
    for _ in 0..3 {
        dut.send_ack(Station::D1, id);
    }
    dut.advance(Duration::from_secs(2));
    assert!(copies(&mut dut, Port::C).is_empty());
}
