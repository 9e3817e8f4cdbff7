//! RFC 2205 sections 2.5 and 3.5: the killer reservation problems, and blockade state.

use std::time::Duration;

use conformance::bench::{Family, Lab, Port, R, Station, cl, ff, wf};
use rsvp_core::Instant;
use rsvp_core::wire::{ErrorSpec, Style};

use crate::scene::{Scene, last_asked};
use crate::styles::{FIGURE_4, NAMES, SENDERS, figure_4};

#[test]
fn the_first_killer_reservation_problem() {
    let dut = Lab::in_process().with(Family::V4, |config| {
        let pool = config.default_interface.bandwidth.as_mut().expect("the bench sets one");
        (pool.total, pool.per_flow) = (100_000, 100_000);
    });
    let title =
        "KR-I: a larger request fails on (d), of which 10B may be reserved; the smaller one stays in place";
    let mut scene = Scene::new(title, FIGURE_4, NAMES, dut);
    scene.senders(&SENDERS);
    let s1 = scene.dut.s1();
    scene.reserve(Station::D2, Style::Ff, &[ff(cl(4.0), s1)]);
    scene.reserve(Station::D3, Style::Ff, &[ff(cl(12.0), s1)]);
    scene.remark("The larger one is persistent:");
    scene.reserve(Station::D3, Style::Ff, &[ff(cl(12.0), s1)]);
    scene.figure();
    assert_eq!(scene.dut.reserved(Port::D), [(4.0, vec![s1])]);
    assert_eq!(last_asked(&mut scene, Port::A), [(4.0, vec![s1])]);
    insta::assert_snapshot!(scene.text());
}

/// A previous hop refuses what the group's WF reservations ask of it.
fn refuse(scene: &mut Scene, from: Station, n: f32, flags: u8) {
    let error = scene.dut.resv_err(from, scene.dut.g(), Style::Wf, wf(cl(n)), (1, 2, flags));
    scene.say(from, error);
}

/// Refreshes from all sides, not written down, for so many periods.
fn refreshes(scene: &mut Scene, periods: u32) {
    let g = scene.dut.g();
    for _ in 0..periods {
        scene.wait_silently(R);
        for (from, number) in SENDERS {
            scene.dut.learn(from, g, scene.dut.plan.sender(number));
        }
        for (from, n) in [(Station::D1, 4.0), (Station::D2, 2.0)] {
            scene.dut.reserve(from, g, Style::Wf, &[wf(cl(n))]);
        }
    }
}

#[test]
fn figure_12_the_second_killer_reservation_problem() {
    let mut scene = figure_4("Figure 12, KR-II: Blockading with Shared Style");
    scene.reserve(Station::D1, Style::Wf, &[wf(cl(4.0))]);
    scene.remark("It fails somewhere upstream via (a), but not via (b):");
    refuse(&mut scene, Station::U1, 4.0, 0);
    scene.reserve(Station::D2, Style::Wf, &[wf(cl(2.0))]);
    scene.figure();
    assert_eq!(last_asked(&mut scene, Port::A), [(2.0, vec![])], "what is blockaded is left out");
    assert_eq!(last_asked(&mut scene, Port::B), [(4.0, vec![])]);

    scene.remark("\nAfter Kb * R = 120 s of refreshes the blockade ends, and (a) is asked for all again:");
    refreshes(&mut scene, 3);
    let end = Duration::from_millis(120_400);
    scene.wait_silently(end - scene.dut.now().since(Instant::ZERO) - Duration::from_millis(1));
    scene.wait(Duration::from_millis(2));
    assert_eq!(last_asked(&mut scene, Port::A), [(4.0, vec![])]);
    refuse(&mut scene, Station::U1, 4.0, ErrorSpec::IN_PLACE);
    scene.figure();
    assert_eq!(last_asked(&mut scene, Port::A), [(2.0, vec![])]);
    insta::assert_snapshot!(scene.text());
}
