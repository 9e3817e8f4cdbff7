//! RFC 2205 section 1: what reservations are installed.

use conformance::bench::{Family, Lab, Packet, Plan, Port, Station, cl, ff, se, wf};
use conformance::shows;
use rsvp_core::wire::Style;

#[test]
fn the_reservation_is_where_the_data_leaves() {
    shows(&["rfc2205-1.2-01"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.learn(Station::U1, h, s1);
    dut.reserve(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    assert_eq!(dut.reserved(Port::C), [(1.0, vec![s1])]);
    for port in [Port::A, Port::B, Port::D] {
        assert!(dut.reserved(port).is_empty(), "{port:?}");
    }
}

#[test]
fn wf_is_one_pipe_for_all_senders() {
    shows(&["rfc2205-1.3-02"]);
    let mut dut = Lab::in_process().group(3);
    let g = dut.g();
    dut.reserve(Station::D2, g, Style::Wf, &[wf(cl(3.0))]);
    assert_eq!(dut.reserved(Port::D), [(3.0, vec![])], "one reservation, for any sender");
}

#[test]
fn ff_is_one_pipe_for_each_sender() {
    shows(&["rfc2205-1.3-04"]);
    let mut dut = Lab::in_process().group(3);
    let (g, s1, s2) = (dut.g(), dut.s1(), dut.s2());
    dut.reserve(Station::D1, g, Style::Ff, &[ff(cl(4.0), s1), ff(cl(5.0), s2)]);
    assert_eq!(dut.reserved(Port::C), [(4.0, vec![s1]), (5.0, vec![s2])]);
    let c = dut.node().interfaces().into_iter().find(|view| view.id == Port::C.interface());
    assert_eq!(c.expect("c is there").reserved, 90_000);
}

#[test]
fn se_is_one_pipe_for_the_listed_senders() {
    shows(&["rfc2205-1.3-05"]);
    let mut dut = Lab::in_process().group(3);
    let (g, s1, s2) = (dut.g(), dut.s1(), dut.s2());
    dut.reserve(Station::D1, g, Style::Se, &[se(cl(1.0), &[s1, s2])]);
    assert_eq!(dut.reserved(Port::C), [(1.0, vec![s1, s2])]);
}

/// Figures 5 to 7: what traffic control holds on c and d.
#[test]
fn what_the_figures_install() {
    shows(&["rfc2205-2.2-02", "rfc2209-2.utc-01"]);
    let mut dut = Lab::in_process().group(3);
    let (g, s1, s2, s3) = (dut.g(), dut.s1(), dut.s2(), dut.s3());
    for (station, n) in [(Station::D1, 4.0), (Station::D2, 3.0), (Station::D3, 2.0)] {
        dut.reserve(station, g, Style::Wf, &[wf(cl(n))]);
    }
    assert_eq!(dut.reserved(Port::C), [(4.0, vec![])]);
    assert_eq!(dut.reserved(Port::D), [(3.0, vec![])]);

    let mut dut = Lab::in_process().group(3);
    dut.reserve(Station::D1, g, Style::Ff, &[ff(cl(4.0), s1), ff(cl(5.0), s2)]);
    dut.reserve(Station::D2, g, Style::Ff, &[ff(cl(3.0), s1), ff(cl(1.0), s3)]);
    dut.reserve(Station::D3, g, Style::Ff, &[ff(cl(1.0), s1)]);
    assert_eq!(dut.reserved(Port::C), [(4.0, vec![s1]), (5.0, vec![s2])]);
    assert_eq!(dut.reserved(Port::D), [(3.0, vec![s1]), (1.0, vec![s3])]);

    let mut dut = Lab::in_process().group(3);
    dut.reserve(Station::D1, g, Style::Se, &[se(cl(1.0), &[s1, s2])]);
    dut.reserve(Station::D2, g, Style::Se, &[se(cl(3.0), &[s1, s3])]);
    dut.reserve(Station::D3, g, Style::Se, &[se(cl(2.0), &[s2])]);
    assert_eq!(dut.reserved(Port::C), [(1.0, vec![s1, s2])]);
    assert_eq!(dut.reserved(Port::D), [(3.0, vec![s1, s2, s3])]);
}

/// The plan and packets of a case are what the catalogue says.
#[test]
fn the_bench_speaks_the_golden_messages() {
    let plan = Plan::new(Family::V4);
    assert_eq!(plan.sender(1).to_string(), "10.0.0.1 port 4000");
    let dut = Lab::in_process().router();
    let Packet { source, destination, router_alert, .. } =
        dut.pack(Station::U1, dut.path(Station::U1, dut.h(), dut.s1()));
    assert_eq!((source, destination), (dut.s1().source(), dut.h().flow().destination));
    assert!(router_alert);
    let error = dut.pack(Station::D1, dut.path_err(dut.h(), dut.s1(), 2, 0));
    assert_eq!(error.destination, dut.plan.dut(Port::C));
}
