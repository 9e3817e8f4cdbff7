//! What cannot be seen on the wire of the requirements of RFC 2961.

mod section_4_2;
mod section_6;

use conformance::bench::{Dut, Port, Received, Station, tspec};
use rsvp_core::wire::Path;

/// U1's Path of S1 for H, with a rate in units of B, and where it goes on to.
fn trigger(dut: &mut Dut, rate: f32) -> Received<Path> {
    let path = Path { sender_tspec: tspec(rate), ..dut.path(Station::U1, dut.h(), dut.s1()) };
    dut.send(Station::U1, path);
    dut.expect::<Path>(Port::C)
}
