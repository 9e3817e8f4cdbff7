//! RFC 2205 section 1.4: the styles and how they are merged.

use conformance::bench::{Lab, Port, Station, cl, ff, group_route, se, wf};
use rsvp_core::wire::Style;

use crate::scene::{Names, Scene, last_asked};

/// S1, and S2 with S3, stand for the previous hops towards them, R1, R2 and R3 for the next hops.
pub(crate) const FIGURE_4: &str = "\
S1 -------- (a)        (c) ------ R1
                router
S2, S3 ---- (b)        (d) --+--- R2
                             +--- R3";
pub(crate) const NAMES: Names = ["S1", "S2,S3", "R1", "R2", "R3"];

/// The senders of Figure 4.
pub(crate) const SENDERS: [(Station, u8); 3] = [(Station::U1, 1), (Station::U2, 2), (Station::U2, 3)];

/// Figure 4, where all data go to (c) and to (d).
pub(crate) fn figure_4(title: &str) -> Scene {
    let mut scene = Scene::new(title, FIGURE_4, NAMES, Lab::in_process().router());
    scene.senders(&SENDERS);
    scene
}

/// The requests of Figures 5 and 8.
fn wildcards(scene: &mut Scene) {
    for (from, n) in [(Station::D1, 4.0), (Station::D2, 3.0), (Station::D3, 2.0)] {
        scene.reserve(from, Style::Wf, &[wf(cl(n))]);
    }
    scene.figure();
}

#[test]
fn figure_5_wildcard_filter() {
    let mut scene = figure_4("Figure 5: Wildcard-Filter (WF) Reservation Example");
    wildcards(&mut scene);
    assert_eq!(last_asked(&mut scene, Port::A), [(4.0, vec![])]);
    assert_eq!(last_asked(&mut scene, Port::B), [(4.0, vec![])]);
    insta::assert_snapshot!(scene.text());
}

#[test]
fn figure_6_fixed_filter() {
    let mut scene = figure_4("Figure 6: Fixed-Filter (FF) Reservation Example");
    let [s1, s2, s3] = [1, 2, 3].map(|number| scene.dut.plan.sender(number));
    scene.reserve(Station::D1, Style::Ff, &[ff(cl(4.0), s1), ff(cl(5.0), s2)]);
    scene.reserve(Station::D2, Style::Ff, &[ff(cl(3.0), s1), ff(cl(1.0), s3)]);
    scene.reserve(Station::D3, Style::Ff, &[ff(cl(1.0), s1)]);
    scene.figure();
    assert_eq!(last_asked(&mut scene, Port::A), [(4.0, vec![s1])]);
    assert_eq!(last_asked(&mut scene, Port::B), [(5.0, vec![s2]), (1.0, vec![s3])]);
    insta::assert_snapshot!(scene.text());
}

#[test]
fn figure_7_shared_explicit() {
    let mut scene = figure_4("Figure 7: Shared-Explicit (SE) Reservation Example");
    let [s1, s2, s3] = [1, 2, 3].map(|number| scene.dut.plan.sender(number));
    scene.reserve(Station::D1, Style::Se, &[se(cl(1.0), &[s1, s2])]);
    scene.reserve(Station::D2, Style::Se, &[se(cl(3.0), &[s1, s3])]);
    scene.reserve(Station::D3, Style::Se, &[se(cl(2.0), &[s2])]);
    scene.figure();
    assert_eq!(last_asked(&mut scene, Port::A), [(3.0, vec![s1])]);
    assert_eq!(last_asked(&mut scene, Port::B), [(3.0, vec![s2, s3])]);
    insta::assert_snapshot!(scene.text());
}

#[test]
fn figure_8_partial_routing() {
    let mut dut = Lab::in_process().router();
    let group = dut.g().flow().destination;
    for number in [2, 3] {
        let source = Some(dut.plan.sender(number).source());
        dut.set_route(group, source, group_route(Port::B, &[Port::D]));
    }
    let mut scene = Scene::new("Figure 8: WF Reservation Example -- Partial Routing", FIGURE_4, NAMES, dut);
    scene.senders(&SENDERS);
    wildcards(&mut scene);
    assert_eq!(last_asked(&mut scene, Port::A), [(4.0, vec![])]);
    assert_eq!(last_asked(&mut scene, Port::B), [(3.0, vec![])]);
    insta::assert_snapshot!(scene.text());
}
