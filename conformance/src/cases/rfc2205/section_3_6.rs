//! RFC 2205 section 3.6: local repair.

use std::time::Duration;

use crate::bench::{Dut, Family, LASTING, Lab, Port, Station, cl, ff, group_route};
use crate::shows;
use rsvp_core::input::{NextHop, Route};
use rsvp_core::wire::{Path, PathTear, Resv, ResvTear, Style};

/// W, the time that routes are given to settle, unless it is configured otherwise.
const W: Duration = Duration::from_secs(2);

/// How much later than W a repair may come.
const LATE: Duration = Duration::from_millis(500);

/// Routes what S1 sends to the group of G by one interface.
fn route_by(dut: &mut Dut, port: Port) {
    let (group, source) = (dut.g().flow().destination, dut.s1().source());
    dut.set_route(group, Some(source), group_route(Port::A, &[port]));
}

/// Announces S1 in a session of the group, and asserts that its first Path leaves by c at once.
fn announce_by_c(dut: &mut Dut, port: u16) {
    let session = dut.plan.session(dut.g().flow().destination, port);
    let mut path = dut.path(Station::U1, session, dut.s1());
    path.refresh_ms = LASTING;
    dut.send(Station::U1, path);
    assert_eq!(dut.expect::<Path>(Port::C).message.session.key, session);
    dut.expect_no::<Path>(Port::D);
}

/// Changes the route, and asserts that Paths leave by the new interface after a while: for all these sessions, and not
/// before.
fn assert_repaired(dut: &mut Dut, port: Port, sessions: &[u16], wait: Duration) {
    dut.settle();
    let change = dut.now();
    route_by(dut, port);
    dut.advance((change + wait + LATE + dut.timing.slack).since(dut.now()));
    let paths = dut.all::<Path>(port);
    let mut repaired: Vec<u16> = paths.iter().map(|path| path.message.session.key.flow().port).collect();
    repaired.sort_unstable();
    assert_eq!(repaired, sessions, "every session of the destination, by {port:?}");
    for path in paths {
        let after = path.sent.at.since(change);
        assert!(after + dut.timing.slack >= wait, "expected it {wait:?} after the change, not {after:?}");
    }
}

/// When the route of a group changes, the Paths of all its sessions leave by the new interface: when the routes have had
/// the time to settle, and soon after.
pub(crate) fn a_route_change_is_repaired_after_a_while(lab: &Lab) {
    shows(&["rfc2205-3.6-01", "rfc2209-2.path-12", "rfc2205-3.11.4-03", "rfc2209-2.route-01"]);
    let mut dut = lab.router();
    route_by(&mut dut, Port::C);
    for port in [5000, 5001] {
        announce_by_c(&mut dut, port);
    }
    assert_repaired(&mut dut, Port::D, &[5000, 5001], W);
}

/// W is a matter of the interface that the Paths leave by.
pub(crate) fn the_wait_is_configurable_by_interface(lab: &Lab) {
    shows(&["rfc2205-3.6-02"]);
    let wait = Duration::from_millis(500);
    let mut dut = lab.with(Family::V4, |config| {
        let mut d = config.default_interface.clone();
        d.repair_delay = wait;
        config.interfaces.insert("d".to_owned(), d);
    });
    route_by(&mut dut, Port::C);
    announce_by_c(&mut dut, 5000);
    assert_repaired(&mut dut, Port::D, &[5000], wait);
    assert_repaired(&mut dut, Port::C, &[5000], W);
}

/// A route that is back before W has passed causes nothing on the other interface, and tears nothing down.
pub(crate) fn flapping_within_the_wait_comes_to_nothing(lab: &Lab) {
    shows(&["rfc2209-2.route-02"]);
    let mut dut = lab.router();
    route_by(&mut dut, Port::C);
    announce_by_c(&mut dut, 5000);
    for port in [Port::D, Port::C] {
        route_by(&mut dut, port);
        dut.advance(W / 4);
    }
    dut.advance(W + LATE);
    dut.expect_no::<Path>(Port::D);
    for port in [Port::C, Port::D] {
        dut.expect_no::<PathTear>(port);
    }
    let tear = dut.path_tear(Station::U1, dut.g(), dut.s1());
    dut.send(Station::U1, tear);
    let _ = dut.expect::<PathTear>(Port::C);
}

/// A Path that comes by another previous hop has the Resv sent there at once.
pub(crate) fn a_new_previous_hop_gets_the_resv_at_once(lab: &Lab) {
    shows(&["rfc2205-3.6-03"]);
    let mut dut = lab.unicast(1);
    let (h, s1) = (dut.h(), dut.s1());
    dut.reserve(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    let path = dut.path(Station::U2, h, s1);
    dut.send(Station::U2, path);
    let resv = dut.expect::<Resv>(Port::B);
    assert_eq!(resv.sent.packet.destination, dut.plan.station(Station::U2));
    assert_eq!(resv.shares(), [(1.0, vec![s1])]);
}

/// Once a route change has been repaired, Paths are refreshed by the new interface, and no more by the old one.
pub(crate) fn nothing_more_is_sent_along_an_abandoned_branch(lab: &Lab) {
    shows(&["rfc2205-3.6-04"]);
    let mut dut = lab.brisk().router();
    route_by(&mut dut, Port::C);
    announce_by_c(&mut dut, 5000);
    route_by(&mut dut, Port::D);
    dut.advance(W + LATE);
    dut.forget();
    dut.advance(2 * dut.timing.next_refresh());
    dut.expect_no::<Path>(Port::C);
    let refreshes = dut.all::<Path>(Port::D).len();
    assert!(refreshes >= 2, "expected a refresh within 1.5 R each time, not {refreshes}");
}

/// When a unicast route changes, what was asked for upstream is not torn down: nothing has timed out. What the new next hop
/// asks for takes the place of what the old one did.
pub(crate) fn a_route_change_tears_no_reservation_upstream(lab: &Lab) {
    shows(&["rfc2205-3.6-04", "rfc2205-3.1.6-04"]);
    let mut dut = lab.unicast(1);
    let (h, s1) = (dut.h(), dut.s1());
    dut.reserve(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    let by_d2 = NextHop { interface: Port::D.interface(), gateway: Some(dut.plan.station(Station::D2)) };
    dut.set_route(h.flow().destination, None, Route { outgoing: vec![by_d2], ..Route::default() });
    dut.advance(W + LATE + dut.timing.slack);
    assert_eq!(dut.expect::<Path>(Port::D).message.session.key, h);
    dut.expect_no::<ResvTear>(Port::A);
    let resv = dut.resv(Station::D2, h, Style::Ff, &[ff(cl(2.0), s1)]);
    dut.send(Station::D2, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(2.0, vec![s1])]);
    dut.expect_no::<ResvTear>(Port::A);
}
