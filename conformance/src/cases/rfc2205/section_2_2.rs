//! RFC 2205 section 2.2: merging flowspecs.

use crate::bench::{Lab, Port, Station, bucket, cl, ff, wf};
use crate::cases::rfc2205::capacity::{announce, assert_room};
use crate::shows;
use rsvp_core::wire::{Flowspec, Resv, Style, Tspec};

/// Of two requests that cannot be ordered a third one is made that covers both.
pub(crate) fn what_goes_upstream_is_the_least_upper_bound(lab: &Lab) {
    shows(&["rfc2205-2.2-01"]);
    let mut dut = lab.group(3);
    let (g, s1) = (dut.g(), dut.s1());
    let flowspec = |rate, depth| Flowspec::ControlledLoad(Tspec { rate, bucket: depth, ..bucket(1.0) });
    let resv = dut.resv(Station::D1, g, Style::Ff, &[ff(flowspec(10_000.0, 1000.0), s1)]);
    dut.send(Station::D1, resv);
    let sent = dut.expect::<Resv>(Port::A).message.flows;
    assert_eq!(sent, [ff(flowspec(10_000.0, 1000.0), s1)]);
    let resv = dut.resv(Station::D2, g, Style::Ff, &[ff(flowspec(5000.0, 4000.0), s1)]);
    dut.send(Station::D2, resv);
    let sent = dut.expect::<Resv>(Port::A).message.flows;
    assert_eq!(sent, [ff(flowspec(10_000.0, 4000.0), s1)]);
}

/// What is installed is no more than the senders together announce, while the whole request goes on upstream.
pub(crate) fn installed_is_no_more_than_the_senders_send(lab: &Lab) {
    shows(&["rfc2205-2.2-03"]);
    let mut dut = lab.router();
    let g = dut.g();
    for number in [1, 2] {
        announce(&mut dut, g, number, 10.0);
    }
    let resv = dut.resv(Station::D1, g, Style::Wf, &[wf(cl(40.0))]);
    dut.send(Station::D1, resv);
    for port in [Port::A, Port::B] {
        assert_eq!(dut.expect::<Resv>(port).shares(), [(40.0, vec![])]);
    }
    assert_room(&mut dut, Station::D1, 25.0, 35.0);
}
