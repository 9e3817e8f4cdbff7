//! RFC 2205 sections 2.3 and 3.4: what comes in by an interface never goes out by it, and the SCOPE of a wildcard.

use std::net::IpAddr;

use conformance::bench::{Lab, Port, Station, cl, group_route, wf};
use rsvp_core::wire::{Resv, Style};

use crate::scene::{Scene, last_asked};

/// The senders behind each neighbour; the data of each goes to all other neighbours.
type Sides<'a> = &'a [(Station, &'a [u8])];

fn scene(title: &str, topology: &str, names: [&'static str; 5], sides: Sides<'_>) -> Scene {
    let mut dut = Lab::in_process().router();
    let group = dut.g().flow().destination;
    let mut senders = Vec::new();
    for (from, numbers) in sides {
        let others: Vec<Port> =
            sides.iter().map(|(at, _)| at.port()).filter(|at| *at != from.port()).collect();
        for number in *numbers {
            let source = Some(dut.plan.sender(*number).source());
            dut.set_route(group, source, group_route(from.port(), &others));
            senders.push((*from, *number));
        }
    }
    let mut scene = Scene::new(title, topology, names, dut);
    scene.senders(&senders);
    scene
}

#[test]
fn figure_10_independent_reservations() {
    let topology = "R1, S1 ---- (a) router (c) ---- R2, S2";
    let sides: Sides<'_> = &[(Station::U1, &[1]), (Station::D1, &[2])];
    let names = ["R1,S1", "", "R2,S2", "", ""];
    let mut scene = scene("Figure 10: Independent Reservations", topology, names, sides);
    scene.reserve(Station::D1, Style::Wf, &[wf(cl(3.0))]);
    scene.reserve(Station::U1, Style::Wf, &[wf(cl(4.0))]);
    scene.figure();
    assert_eq!(last_asked(&mut scene, Port::A), [(3.0, vec![])]);
    assert_eq!(last_asked(&mut scene, Port::C), [(4.0, vec![])]);
    insta::assert_snapshot!(scene.text());
}

#[test]
fn figure_11_scope_objects() {
    let topology = "\
R4, S4 ---- (a)
                router (c) ---- R2, S2, S3
R1, S1 ---- (b)";
    let sides: Sides<'_> = &[(Station::U1, &[4]), (Station::U2, &[1]), (Station::D1, &[2, 3])];
    let names = ["R4,S4", "R1,S1", "R2,S2,S3", "", ""];
    let title = "Figure 11: SCOPE Objects in Wildcard-Scope Reservations";
    let mut scene = scene(title, topology, names, sides);
    let address = |scene: &Scene, number: &u8| scene.dut.plan.sender(*number).source();
    for (from, scope) in [(Station::D1, &[1, 4][..]), (Station::U1, &[1, 2, 3]), (Station::U2, &[2, 3, 4])] {
        let scope: Vec<IpAddr> = scope.iter().map(|number| address(&scene, number)).collect();
        let resv = scene.dut.resv(from, scene.dut.g(), Style::Wf, &[wf(cl(1.0))]);
        scene.say(from, Resv { scope: Some(scope), ..resv });
    }
    let text = scene.text();
    for (port, scope) in [("(a) > R4,S4", "[S4]"), ("(b) > R1,S1", "[S1]"), ("(c) > R2,S2,S3", "[S2,S3]")] {
        let last = text.lines().rfind(|line| line.contains(port)).expect("it is asked");
        assert!(last.contains(scope), "{last}");
    }
    insta::assert_snapshot!(text);
}
