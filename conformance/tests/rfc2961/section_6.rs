//! RFC 2961 section 6: what a node holds of a message that it sends again.

use std::time::Duration;

use conformance::bench::{Dut, Lab, Station, cl, ff};
use conformance::shows;
use rsvp_core::wire::Style;

use crate::trigger;

#[test]
fn what_is_given_up_is_forgotten() {
    shows(&["rfc2961-6.3-04"]);
    let outstanding = |dut: &mut Dut| -> usize {
        dut.node().neighbors().iter().map(|neighbour| neighbour.reduction.outstanding).sum()
    };
    let mut dut = Lab::in_process().reducing();
    dut.acknowledging(Station::U1);
    trigger(&mut dut, 20.0);
    // Before, nobody knows that D1 is there.
    let (h, s1) = (dut.h(), dut.s1());
    dut.reserve(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    assert_eq!(outstanding(&mut dut), 1, "the Path");
    dut.advance(Duration::from_millis(3200));
    assert_eq!(outstanding(&mut dut), 1, "the last interval has not passed");
    dut.advance(Duration::from_millis(300));
    assert_eq!(outstanding(&mut dut), 0);
    dut.forget();
    let id = trigger(&mut dut, 10.0).id().id;
    assert_eq!(outstanding(&mut dut), 1);
    dut.send_ack(Station::D1, id);
    assert_eq!(outstanding(&mut dut), 0);
}
