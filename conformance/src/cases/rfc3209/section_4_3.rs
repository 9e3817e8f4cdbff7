//! RFC 3209 section 4.3: ClassNum::EXPLICIT_ROUTE.

use std::net::Ipv4Addr;

use rsvp_core::wire::{ClassNum, MessageType, RawObject};

use crate::bench::{Dut, Lab, Lsp, Port, Station, Tunneled, explicit_route, loose, object, strict};
use crate::shows;

/// A node that there is no way to.
fn nowhere(dut: &Dut) -> Ipv4Addr {
    dut.host(99, 99)
}

/// A node that is no neighbour of the DUT: it is behind D1.
fn far(dut: &Dut) -> Ipv4Addr {
    dut.host(7, 99)
}

/// Sends a Path with an EXPLICIT_ROUTE of one's own.
fn send_along(dut: &mut Dut, lsp: Lsp, route: RawObject) {
    let path = dut.tunnel_path(Station::U1, lsp).with(route);
    dut.send_tunnel(Station::U1, MessageType::PATH, lsp, path);
}

/// Sends a Path that is to be refused, and returns what is said to be wrong.
fn refusal(dut: &mut Dut, lsp: Lsp, route: RawObject) -> (u8, u16) {
    send_along(dut, lsp, route);
    let error = dut.expect_tunnel(Port::A, MessageType::PATH_ERR).error();
    expect_no_path(dut);
    error
}

fn expect_no_path(dut: &Dut) {
    for port in Port::ALL {
        dut.expect_none(port, MessageType::PATH);
    }
}

/// Shows that the device still does what it should.
fn expect_well(dut: &mut Dut, id: u16) {
    dut.forget();
    dut.set_up(dut.lsp(id));
}

fn route_of(path: &Tunneled) -> Vec<Vec<u8>> {
    path.subobjects(ClassNum::EXPLICIT_ROUTE).into_iter().map(<[u8]>::to_vec).collect()
}

/// The device takes itself off the route, and sends the Path to the next hop of it.
pub(crate) fn the_device_takes_itself_off_the_route(lab: &Lab) {
    shows(&["rfc3209-4.3.4.1-07", "rfc3209-4.3.3.2-01"]);
    let mut dut = lab.router();
    let lsp = dut.lsp(101);
    let path = dut.tunnel_path(Station::U1, lsp);
    dut.send_tunnel(Station::U1, MessageType::PATH, lsp, path);
    let route = route_of(&dut.expect_tunnel(Port::C, MessageType::PATH));
    assert_eq!(route, [strict(dut.at(Station::D1), 32), loose(lsp.end, 32)], "what is left of the route");
}

/// Of several hops that are the device itself, all are taken off.
pub(crate) fn all_hops_of_the_device_are_taken_off(lab: &Lab) {
    shows(&["rfc3209-4.3.4.1-06"]);
    let mut dut = lab.router();
    let lsp = dut.lsp(102);
    let (d1, end) = (strict(dut.at(Station::D1), 32), loose(lsp.end, 32));
    let own = [strict(dut.on(Port::A), 32), strict(dut.on(Port::C), 32)];
    let route = explicit_route(&[&own[..], &[d1.clone(), end.clone()]].concat());
    send_along(&mut dut, lsp, route);
    assert_eq!(
        route_of(&dut.expect_tunnel(Port::C, MessageType::PATH)),
        [d1, end],
        "what is left of the route"
    );
}

/// Where the route ends with the device, but not the tunnel, the Path goes on by routing, and without a route.
pub(crate) fn a_route_that_ends_here_is_removed(lab: &Lab) {
    shows(&["rfc3209-4.3.4.1-04", "rfc3209-4.3.4.1-05"]);
    let mut dut = lab.router();
    let lsp = dut.lsp(103);
    let route = explicit_route(&[strict(dut.on(Port::A), 32)]);
    send_along(&mut dut, lsp, route);
    let path = dut.expect_tunnel(Port::C, MessageType::PATH);
    assert_eq!(path.all(ClassNum::EXPLICIT_ROUTE), Vec::<&RawObject>::new(), "EXPLICIT_ROUTE");
}

/// A loose hop is approached by routing, and the next hop is put in front of it.
pub(crate) fn a_loose_hop_is_approached(lab: &Lab) {
    shows(&["rfc3209-4.3.4.1-11", "rfc3209-4.3.4.1-13"]);
    let mut dut = lab.router();
    let lsp = dut.lsp(104);
    let route = explicit_route(&[strict(dut.on(Port::A), 32), loose(lsp.end, 32)]);
    send_along(&mut dut, lsp, route);
    let path = dut.expect_tunnel(Port::C, MessageType::PATH);
    let route = route_of(&path);
    let first = Ipv4Addr::new(route[0][2], route[0][3], route[0][4], route[0][5]);
    let prefix = u32::from(route[0][6]);
    let mask = u32::MAX.checked_shl(32 - prefix.min(32)).unwrap_or(0);
    assert_eq!(
        first.to_bits() & mask,
        dut.at(Station::D1).to_bits() & mask,
        "the first hop contains D1: {route:?}"
    );
}

/// The bits of a hop's address that are beyond its prefix do not count.
pub(crate) fn bits_beyond_the_prefix_do_not_count(lab: &Lab) {
    shows(&["rfc3209-4.3.3.2-02"]);
    let mut dut = lab.router();
    let lsp = dut.lsp(105);
    let [a, b, c, _] = dut.on(Port::A).octets();
    let network = strict(Ipv4Addr::new(a, b, c, 77), 24);
    let route = explicit_route(&[network, strict(dut.at(Station::D1), 32), loose(lsp.end, 32)]);
    send_along(&mut dut, lsp, route);
    dut.expect_tunnel(Port::C, MessageType::PATH);
}

/// Only the first route of a Path is followed.
pub(crate) fn only_the_first_route_counts(lab: &Lab) {
    shows(&["rfc3209-4.3-02"]);
    let mut dut = lab.router();
    let lsp = dut.lsp(106);
    let other = [strict(dut.on(Port::A), 32), strict(dut.at(Station::D2), 32), loose(lsp.end, 32)];
    let path =
        dut.tunnel_path(Station::U1, lsp).with_behind(ClassNum::EXPLICIT_ROUTE, explicit_route(&other));
    dut.send_tunnel(Station::U1, MessageType::PATH, lsp, path);
    dut.expect_tunnel(Port::C, MessageType::PATH);
    dut.expect_none(Port::D, MessageType::PATH);
}

/// Only the first route of a Path goes on.
pub(crate) fn only_the_first_route_goes_on(lab: &Lab) {
    shows(&["rfc3209-4.3-04"]);
    let mut dut = lab.router();
    let lsp = dut.lsp(107);
    let other = explicit_route(&[strict(dut.on(Port::A), 32), loose(lsp.end, 32)]);
    let path = dut.tunnel_path(Station::U1, lsp).with_behind(ClassNum::EXPLICIT_ROUTE, other);
    dut.send_tunnel(Station::U1, MessageType::PATH, lsp, path);
    assert_eq!(dut.expect_tunnel(Port::C, MessageType::PATH).all(ClassNum::EXPLICIT_ROUTE).len(), 1);
}

/// An EXPLICIT_ROUTE of a C-Type that nobody knows is refused with a PathErr about it.
pub(crate) fn a_route_of_an_unknown_ctype_is_refused(lab: &Lab) {
    shows(&["rfc3209-4.3.1-01"]);
    let mut dut = lab.router();
    let lsp = dut.lsp(108);
    let route = object(ClassNum::EXPLICIT_ROUTE.0, 9, &strict(dut.on(Port::A), 32));
    assert_eq!(refusal(&mut dut, lsp, route), (14, 0x1409), "unknown C-Type, of EXPLICIT_ROUTE");
}

/// A route whose first hop is another node is refused: a routing problem, bad initial subobject.
pub(crate) fn a_route_that_begins_elsewhere_is_refused(lab: &Lab) {
    shows(&["rfc3209-4.3.4.1-02"]);
    let mut dut = lab.router();
    for (id, first) in [(109, strict(far(&dut), 32)), (110, loose(far(&dut), 32))] {
        let lsp = dut.lsp(id);
        let route = explicit_route(&[first, loose(lsp.end, 32)]);
        assert_eq!(refusal(&mut dut, lsp, route), (24, 4), "what is wrong");
    }
}

/// A route without any hop is refused: a routing problem, bad EXPLICIT_ROUTE.
pub(crate) fn an_empty_route_is_refused(lab: &Lab) {
    shows(&["rfc3209-4.3.4.1-03"]);
    let mut dut = lab.router();
    let lsp = dut.lsp(113);
    assert_eq!(refusal(&mut dut, lsp, explicit_route(&[])), (24, 1), "what is wrong");
}

/// A strict hop that is no neighbour is reached over nobody else.
pub(crate) fn a_strict_hop_is_reached_over_nobody_else(lab: &Lab) {
    shows(&["rfc3209-4.3.3.1-01"]);
    let mut dut = lab.router();
    let lsp = dut.lsp(114);
    let route = explicit_route(&[strict(dut.on(Port::A), 32), strict(far(&dut), 32), loose(lsp.end, 32)]);
    send_along(&mut dut, lsp, route);
    expect_no_path(&dut);
    expect_well(&mut dut, 115);
}

/// A strict hop that is no neighbour is refused: a routing problem, bad strict node.
pub(crate) fn a_strict_hop_that_is_no_neighbour_is_refused(lab: &Lab) {
    shows(&["rfc3209-4.3.4.1-10"]);
    let mut dut = lab.router();
    let lsp = dut.lsp(116);
    let route = explicit_route(&[strict(dut.on(Port::A), 32), strict(far(&dut), 32), loose(lsp.end, 32)]);
    assert_eq!(refusal(&mut dut, lsp, route), (24, 2), "what is wrong");
}

/// A loose hop that there is no way to is refused: a routing problem, bad loose node.
pub(crate) fn a_loose_hop_that_cannot_be_reached_is_refused(lab: &Lab) {
    shows(&["rfc3209-4.3.4.1-12"]);
    let mut dut = lab.router();
    let lsp = dut.lsp(117);
    let route = explicit_route(&[strict(dut.on(Port::A), 32), loose(nowhere(&dut), 32), loose(lsp.end, 32)]);
    assert_eq!(refusal(&mut dut, lsp, route), (24, 3), "what is wrong");
}

/// A next hop of a kind that nobody knows is refused: a routing problem, bad EXPLICIT_ROUTE.
pub(crate) fn a_next_hop_of_an_unknown_kind_is_refused(lab: &Lab) {
    shows(&["rfc3209-4.3.6-01"]);
    let mut dut = lab.router();
    let lsp = dut.lsp(118);
    let strange = vec![100, 8, 1, 2, 3, 4, 5, 6];
    let route = explicit_route(&[strict(dut.on(Port::A), 32), strange, loose(lsp.end, 32)]);
    assert_eq!(refusal(&mut dut, lsp, route), (24, 1), "what is wrong");
}

/// A hop of a kind that nobody knows goes on as it is, while it is not yet its turn.
pub(crate) fn a_later_hop_of_an_unknown_kind_goes_on(lab: &Lab) {
    shows(&["rfc3209-4.3.6-03"]);
    let mut dut = lab.router();
    let lsp = dut.lsp(119);
    let left = [strict(dut.at(Station::D1), 32), vec![100, 8, 1, 2, 3, 4, 5, 6], loose(lsp.end, 32)];
    let route = [&[strict(dut.on(Port::A), 32)][..], &left].concat();
    send_along(&mut dut, lsp, explicit_route(&route));
    assert_eq!(route_of(&dut.expect_tunnel(Port::C, MessageType::PATH)), left, "what is left of the route");
}

/// A subobject whose length cannot be does no harm: no Path goes on by it, and the device goes on working.
pub(crate) fn impossible_lengths_do_no_harm(lab: &Lab) {
    shows(&["rfc3209-4.3.3-02"]);
    let mut dut = lab.router();
    for (id, length) in [(120, 0), (121, 2), (122, 6), (123, 200)] {
        let lsp = dut.lsp(id);
        let mut bad = strict(dut.at(Station::D1), 32);
        bad[1] = length;
        let route = explicit_route(&[strict(dut.on(Port::A), 32), bad, loose(lsp.end, 32)]);
        send_along(&mut dut, lsp, route);
        expect_no_path(&dut);
    }
    expect_well(&mut dut, 124);
}

/// A refusal tells about the Path that it is for, and who refuses.
pub(crate) fn a_refusal_names_the_path_and_the_device(lab: &Lab) {
    shows(&["rfc2205-3.1.7-03", "rfc2205-3.1.7-04"]);
    let mut dut = lab.router();
    let lsp = dut.lsp(125);
    let route = explicit_route(&[strict(far(&dut), 32), loose(lsp.end, 32)]);
    send_along(&mut dut, lsp, route);
    let error = dut.expect_tunnel(Port::A, MessageType::PATH_ERR);
    assert_eq!(error.object(ClassNum::SESSION), &lsp.session(), "the session");
    assert_eq!(error.object(ClassNum::SENDER_TEMPLATE), &lsp.sender_template(), "the sender");
    let node = &error.object(ClassNum::ERROR_SPEC).contents[..4];
    let own: Vec<_> = Port::ALL.iter().map(|port| dut.on(*port).octets()).collect();
    assert!(own.iter().any(|own| own == node), "expected an address of the device, not {node:?}");
}
