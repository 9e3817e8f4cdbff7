//! RFC 2205 section 3.4: avoiding RSVP message loops.

use crate::bench::{Dut, Lab, Port, Station, cl, wf};
use crate::cases::rfc2205::capacity::announce;
use crate::shows;
use rsvp_core::wire::{Resv, Style};

/// Passes on, around the ring and back to the DUT, what the DUT has sent to U1.
///
/// The data goes from U1's node X over the DUT to D1's node Y, and from there to X again. X and Y send and receive
/// themselves, so that each has one previous hop, and puts no SCOPE into its Resvs that did not come with one. X would ask
/// Y for Y's data, and Y the DUT for that of S2, if the SCOPE lets them.
fn pass_around(dut: &mut Dut) {
    let y = dut.plan.address(7, 7);
    for resv in dut.all::<Resv>(Port::A) {
        let Resv { style, flows, scope, .. } = resv.message;
        let is_for = |sender| scope.as_ref().is_none_or(|scope| scope.contains(&sender));
        if is_for(y) && is_for(dut.s2().source()) {
            let resv = Resv { scope, ..dut.resv(Station::D1, dut.g(), style, &flows) };
            dut.send(Station::D1, resv);
        }
    }
}

/// A WF reservation in a ring of three nodes, two of which leave the SCOPE to the device, dies when its receiver falls
/// silent: it is not refreshed by what goes around the ring.
pub(crate) fn a_wildcard_reservation_does_not_refresh_itself_around_a_ring(lab: &Lab) {
    shows(&["rfc2205-3.4-05"]);
    let mut dut = lab.brisk().router();
    let (g, r) = (dut.g(), dut.r());
    for number in [1, 2] {
        announce(&mut dut, g, number, 20.0);
    }
    for _ in 0..2 {
        let resv = dut.resv(Station::D1, g, Style::Wf, &[wf(cl(1.0))]);
        dut.send(Station::D1, resv);
        dut.advance(r / 2);
        pass_around(&mut dut);
    }
    dut.expect::<Resv>(Port::B);
    // The receiver is silent from here on; L is 5.25 r.
    for _ in 0..14 {
        dut.advance(r / 2);
        pass_around(&mut dut);
    }
    dut.forget();
    dut.advance(2 * r);
    for port in [Port::A, Port::B] {
        dut.expect_no::<Resv>(port);
    }
    let resv = dut.resv(Station::D1, g, Style::Wf, &[wf(cl(1.0))]);
    dut.send(Station::D1, resv);
    for port in [Port::A, Port::B] {
        dut.expect::<Resv>(port);
    }
}
