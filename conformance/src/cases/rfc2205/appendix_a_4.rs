//! RFC 2205 section A.4: TIME_VALUES.

use crate::bench::{Lab, Port, Station};
use crate::shows;
use rsvp_core::wire::{Path, PathTear};

/// Any R is taken as it is: neither does the device send without end for a short one, nor is the lifetime of the longest
/// one any shorter for it.
pub(crate) fn any_refresh_period_is_taken_as_it_is(lab: &Lab) {
    shows(&["rfc2205-A.4-02"]);
    let mut dut = lab.brisk().router();
    let (h, k, s1, r) = (dut.h(), dut.k(), dut.s1(), dut.r());
    for (session, port, refresh_ms) in [(h, Port::C, u32::MAX), (k, Port::D, 0)] {
        let mut path = dut.path(Station::U1, session, s1);
        path.refresh_ms = refresh_ms;
        dut.send(Station::U1, path);
        dut.expect::<Path>(port);
    }
    dut.advance(6 * r);
    let busy = dut.all::<Path>(Port::D).len() + dut.all::<PathTear>(Port::D).len();
    assert!(busy <= 14, "{busy} messages in 6 R");
    assert!(dut.all::<Path>(Port::C).len() >= 4, "it is refreshed");
    dut.expect_no::<PathTear>(Port::C);
}
