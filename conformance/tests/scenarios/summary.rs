//! RFC 2961: messages that leave together, and state that is refreshed by the identifiers of what advertised it.

use conformance::bench::{EPOCH, Family, Lab, Packet, R, Station, cl, ff, list, mcast_list, plain, src_list};
use rsvp_core::input::{NextHop, Route};
use rsvp_core::wire::{Acknowledgement, FlaggedId, Head, MessageId, Path, Resv, SessionKey, Srefresh, Style};

use crate::reduction::{SECOND, answer, scene};
use crate::scene::Scene;

/// A Path of a sender behind r1 that lives long.
fn path(scene: &Scene, session: SessionKey, number: u8) -> Path {
    let path = scene.dut.path(Station::U1, session, scene.dut.plan.sender(number));
    Path { refresh_ms: 600_000, ..path }
}

/// r1's Path, with an identifier.
fn announce(scene: &mut Scene, session: SessionKey, number: u8, id: u32) {
    let path = path(scene, session, number);
    scene.say_with(Station::U1, path, &with_id(plain(id)));
}

fn with_id(id: FlaggedId) -> Head {
    Head { acknowledgements: Vec::new(), message_id: Some(id) }
}

/// r3's reservation for S1, which lives long.
fn resv(scene: &Scene) -> Resv {
    let resv = scene.dut.resv(Station::D1, scene.dut.h(), Style::Ff, &[ff(cl(1.0), scene.dut.s1())]);
    Resv { refresh_ms: 600_000, ..resv }
}

/// The group's data go out to these neighbours, as routing knows.
fn route_group(scene: &mut Scene, stations: &[Station]) {
    let plan = scene.dut.plan;
    let hop = |station: &Station| NextHop {
        interface: station.port().interface(),
        gateway: Some(plan.station(*station)),
    };
    let incoming = Some(Station::U1.port().interface());
    let route = Route { incoming, outgoing: stations.iter().map(hop).collect(), ..Route::default() };
    scene.dut.set_route(plan.g().flow().destination, Some(plan.sender(1).source()), route);
}

#[test]
fn a_bundle() {
    let mut scene = scene(
        "Three Paths come in a Bundle, and go on in one; so do the PathTears",
        Lab::in_process().router(),
    );
    scene.dut.befriend(&[Station::U1, Station::D1]);
    let (h, plan) = (scene.dut.h(), scene.dut.plan);
    let paths: Vec<Packet> = [1, 2, 3]
        .into_iter()
        .map(|number| scene.dut.pack_id(Station::U1, path(&scene, h, number), plain(number.into())))
        .collect();
    let paths = scene.dut.bundle(Station::U1, &paths);
    scene.say_packet(Station::U1, &paths);
    scene.remark("r3 acknowledges them.");
    scene.wait(SECOND);
    let resv = resv(&scene);
    scene.say(Station::D1, resv);
    let tear = |number: u8| {
        let tear = scene.dut.path_tear(Station::U1, h, plan.sender(number));
        scene.dut.pack_id(Station::U1, tear, plain(u32::from(number) + 3))
    };
    let tears: Vec<Packet> = [1, 2, 3].into_iter().map(tear).collect();
    let tears = scene.dut.bundle(Station::U1, &tears);
    scene.say_packet(Station::U1, &tears);
    insta::assert_snapshot!(scene.text());
}

#[test]
fn a_list() {
    let mut scene = scene("Two Paths and a reservation are refreshed by LISTs", Lab::in_process().router());
    scene.dut.befriend(&[Station::U1, Station::D1]);
    let h = scene.dut.h();
    announce(&mut scene, h, 1, 1);
    announce(&mut scene, h, 2, 2);
    let resv = resv(&scene);
    scene.say_with(Station::D1, resv, &with_id(plain(1)));
    scene.wait(2 * R);
    scene.remark("The neighbours do the same; of what the Router does not have, they hear:");
    scene.say(Station::U1, Srefresh { lists: vec![list(&[1, 2])] });
    scene.say(Station::D1, Srefresh { lists: vec![list(&[1, 7])] });
    insta::assert_snapshot!(scene.text());
}

#[test]
fn a_source_list() {
    let title =
        "The Path of a group on the LAN (d) of r4 and r5 is refreshed by a SRC_LIST, once both have it";
    let mut scene = scene(title, Lab::in_process().router());
    let (g, s1) = (scene.dut.g(), scene.dut.s1().source());
    route_group(&mut scene, &[Station::D2, Station::D3]);
    scene.dut.befriend(&[Station::U1, Station::D2, Station::D3]);
    announce(&mut scene, g, 1, 1);
    scene.remark("r4 and r5 acknowledge it.");
    scene.wait(2 * R);
    scene.remark("r5 has lost it:");
    answer(&mut scene, Station::D3, Acknowledgement::Nack);
    scene.wait(SECOND);
    scene.remark("r1 does the same; r2, from which the group's data do not come, is not answered:");
    let group = g.flow().destination;
    for from in [Station::U1, Station::U2] {
        let packet = scene.dut.pack(from, Srefresh { lists: vec![src_list(&[(1, s1), (7, s1)])] });
        scene.say_packet(from, &Packet { destination: group, router_alert: true, ..packet });
        scene.wait(SECOND);
    }
    insta::assert_snapshot!(scene.text());
}

#[test]
fn a_multicast_list() {
    let title = "On links with one neighbour, Paths of hosts and groups are refreshed by LIST and MCAST_LIST";
    let mut scene = scene(title, Lab::in_process().point_to_point(Family::V4));
    let (g, h, s1) = (scene.dut.g(), scene.dut.h(), scene.dut.s1().source());
    route_group(&mut scene, &[Station::D1]);
    scene.dut.befriend(&[Station::U1, Station::D1]);
    announce(&mut scene, h, 1, 1);
    announce(&mut scene, g, 1, 2);
    scene.wait(2 * R);
    scene.remark("r1 does the same:");
    let entries = [(2, s1, g.flow().destination), (7, s1, g.flow().destination)];
    scene.say(Station::U1, Srefresh { lists: vec![list(&[1]), mcast_list(&entries)] });
    insta::assert_snapshot!(scene.text());
}

#[test]
fn a_nack() {
    let mut scene =
        scene("r3 has lost a Path, and gets it again with the same identifier", Lab::in_process().router());
    scene.dut.befriend(&[Station::D1]);
    let h = scene.dut.h();
    announce(&mut scene, h, 1, 1);
    announce(&mut scene, h, 2, 2);
    scene.wait(R);
    scene.dut.withholding(Station::D1);
    answer(&mut scene, Station::D1, Acknowledgement::Nack);
    answer(&mut scene, Station::D1, Acknowledgement::Ack);
    scene.dut.acknowledging(Station::D1);
    scene.remark("It is refreshed with the other from now on:");
    scene.wait(R);
    insta::assert_snapshot!(scene.text());
}

#[test]
fn a_next_hop_restarts() {
    let title =
        "r3 restarts, which its next message tells by a new Epoch e': the Router asks what is left there";
    let mut scene = scene(title, Lab::in_process().router());
    scene.dut.befriend(&[Station::D1]);
    let (h, k) = (scene.dut.h(), scene.dut.session_towards_u1());
    let path = path(&scene, h, 1);
    scene.say(Station::U1, path);
    let resv = resv(&scene);
    scene.say_with(Station::D1, resv, &with_id(plain(1)));
    scene.remark("It restarts, and has a Path of its own to send:");
    let own = scene.dut.path(Station::D1, k, scene.dut.plan.sender(4));
    scene.say_with(Station::D1, own, &with_id(FlaggedId::plain(MessageId { epoch: EPOCH + 1, id: 1 })));
    scene.wait(SECOND);
    answer(&mut scene, Station::D1, Acknowledgement::Nack);
    insta::assert_snapshot!(scene.text());
}

#[test]
fn a_capability_is_withdrawn() {
    let title = "r3 says no more that it is capable of refresh reduction, and later that it is again";
    let mut scene = scene(title, Lab::in_process().router());
    scene.dut.befriend(&[Station::D1]);
    let h = scene.dut.h();
    for number in [1, 2] {
        let path = path(&scene, h, number);
        scene.say(Station::U1, path);
    }
    scene.wait(R + R / 3);
    for (flags, text) in [(0, "With the flag clear:"), (1, "With the flag set:")] {
        scene.remark(text);
        scene.dut.set_flags(Station::D1, flags);
        let error = scene.dut.path_err(h, scene.dut.s1(), 1, 0);
        scene.say(Station::D1, error);
        scene.wait(2 * R);
    }
    insta::assert_snapshot!(scene.text());
}
