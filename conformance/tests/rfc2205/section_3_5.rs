//! RFC 2205 section 3.5: blockade state.

use conformance::bench::{Lab, Port, Station, cl, wf};
use conformance::shows;
use rsvp_core::wire::Style;

#[test]
fn a_blockade_leaves_traffic_control_alone() {
    shows(&["rfc2205-3.5-11", "rfc2205-2.5-04"]);
    let mut dut = Lab::in_process().group(2);
    let g = dut.g();
    dut.reserve(Station::D1, g, Style::Wf, &[wf(cl(4.0))]);
    dut.reserve(Station::D2, g, Style::Wf, &[wf(cl(6.0))]);
    let error = dut.resv_err(Station::U1, g, Style::Wf, wf(cl(4.0)), (1, 2, 0));
    dut.send(Station::U1, error);
    let resv = dut.resv(Station::D3, g, Style::Wf, &[wf(cl(2.0))]);
    dut.send(Station::D3, resv);
    assert_eq!(dut.reserved(Port::C), [(4.0, vec![])]);
    assert_eq!(dut.reserved(Port::D), [(6.0, vec![])]);
}
