//! RFC 2205 Appendix B: what is no error but a fault of form is counted.

use conformance::bench::{Lab, faults_of_form};
use conformance::shows;
use rsvp_core::counters::DropReason;

/// How each of the bench's faults of form is counted, in their order.
const REASONS: [DropReason; 13] = [
    DropReason::BadLength,
    DropReason::BadVersion,
    DropReason::BadChecksum,
    DropReason::UnknownMessageType,
    DropReason::BadLength,
    DropReason::BadLength,
    DropReason::MalformedObject,
    DropReason::ConflictingPort,
    DropReason::Inconsistent,
    DropReason::Inconsistent,
    DropReason::MalformedObject,
    DropReason::MissingObject,
    DropReason::MalformedObject,
];

#[test]
fn each_fault_of_form_is_counted_and_leaves_nothing_behind() {
    shows(&["rfc2205-B-21"]);
    let faults = faults_of_form(&Lab::in_process().unicast(1));
    assert_eq!(faults.len(), REASONS.len());
    for (fault, reason) in faults.into_iter().zip(REASONS) {
        let mut dut = Lab::in_process().unicast(1);
        let (h, what) = (dut.h(), fault.what);
        dut.send_packet(fault.from, &fault.packet);
        dut.expect_silence();
        let dropped = dut.node().counters().dropped.clone();
        assert_eq!((dut.drops(reason), dut.all_drops()), (1, 1), "{what}: {dropped:?}");
        assert_eq!((dut.node().sessions().len(), dut.senders(h).len()), (1, 1), "{what}");
        assert!(dut.reservations(h).is_empty(), "{what}");
    }
}
