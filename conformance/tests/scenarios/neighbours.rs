//! Several next hops on one LAN, and a shared reservation of which only a part can be had.

use conformance::bench::{Port, Station, cl, ff, se};
use rsvp_core::wire::{FlowDescriptor, ResvTear, Style};

use crate::scene::last_asked;
use crate::styles::figure_4;

#[test]
fn a_lan_with_two_next_hops() {
    let mut scene = figure_4("Two next hops on a LAN: one reservation, as large as the larger request");
    let (g, s1) = (scene.dut.g(), scene.dut.s1());
    scene.reserve(Station::D2, Style::Ff, &[ff(cl(1.0), s1)]);
    scene.reserve(Station::D3, Style::Ff, &[ff(cl(3.0), s1)]);
    scene.figure();
    assert_eq!(scene.dut.reserved(Port::D), [(3.0, vec![s1])]);
    scene.remark("\nThe larger one leaves, then the smaller one:");
    let tear = |flow: FlowDescriptor| FlowDescriptor { flowspec: None, ..flow };
    for (from, n) in [(Station::D3, 3.0), (Station::D2, 1.0)] {
        let resv_tear: ResvTear = scene.dut.resv_tear(from, g, Style::Ff, &[tear(ff(cl(n), s1))]);
        scene.say(from, resv_tear);
        scene.figure();
    }
    assert!(scene.dut.reserved(Port::D).is_empty() && scene.dut.node().requests().is_empty());
    insta::assert_snapshot!(scene.text());
}

#[test]
fn a_shared_explicit_request_is_had_in_part() {
    let title = "SE in part: S4 sends nothing yet, and for S1 4B are refused upstream; S2 is not concerned";
    let mut scene = figure_4(title);
    let [s1, s2, s4] = [1, 2, 4].map(|number| scene.dut.plan.sender(number));
    scene.reserve(Station::D1, Style::Se, &[se(cl(4.0), &[s1, s2, s4])]);
    let error = scene.dut.resv_err(Station::U1, scene.dut.g(), Style::Se, se(cl(4.0), &[s1]), (1, 2, 0));
    scene.say(Station::U1, error);
    scene.remark("A smaller request is not held back by the one that failed:");
    scene.reserve(Station::D2, Style::Se, &[se(cl(2.0), &[s1])]);
    scene.figure();
    assert_eq!(scene.dut.reserved(Port::C), [(4.0, vec![s1, s2])]);
    assert_eq!(last_asked(&mut scene, Port::A), [(2.0, vec![s1])]);
    assert_eq!(last_asked(&mut scene, Port::B), [(4.0, vec![s2])]);
    insta::assert_snapshot!(scene.text());
}
