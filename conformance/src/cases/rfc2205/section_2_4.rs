//! RFC 2205 section 2.4: teardown.

use std::time::Duration;

use crate::bench::{Action, Dut, Lab, Port, Station, cl, ff, millis, se};
use crate::cases::rfc2205::capacity::{announce, assert_room};
use crate::shows;
use rsvp_core::wire::{Path, PathTear, Resv, ResvErr, ResvTear, RsvpHop, Style};

/// What "at once" may take.
const AT_ONCE: Duration = Duration::from_millis(500);

/// A PathTear goes downstream at once, and takes the reservation along: its bandwidth is free, and when the sender comes
/// back, nothing is asked for it.
pub(crate) fn a_path_tear_takes_the_reservation_along(lab: &Lab) {
    shows(&["rfc2205-2.4-02", "rfc2205-2.4-04"]);
    let mut dut = lab.router();
    let (h, s1) = (dut.h(), dut.s1());
    announce(&mut dut, h, 1, 200.0);
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(40.0), s1)]);
    dut.send(Station::D1, resv.clone());
    dut.expect::<Resv>(Port::A);
    let tear = dut.path_tear(Station::U1, h, s1);
    let began = dut.now();
    dut.send(Station::U1, tear);
    let torn = dut.expect::<PathTear>(Port::C);
    assert_eq!(torn.message.sender_template, s1);
    assert!(torn.sent.at.since(began) <= AT_ONCE + dut.timing.slack);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect_to::<ResvErr>(Station::D1).message.error.code, 3, "no path state");
    assert_room(&mut dut, Station::D1, 45.0, 55.0);
    let path = dut.path(Station::U1, h, s1);
    dut.send(Station::U1, path);
    dut.expect::<Path>(Port::C);
    dut.expect_silence();
}

/// A ResvTear goes upstream at once, and leaves the path state, which is refreshed further and can be reserved again.
pub(crate) fn a_resv_tear_leaves_the_path_state(lab: &Lab) {
    shows(&["rfc2205-2.4-02", "rfc2205-2.4-04"]);
    let mut dut = lab.brisk().router();
    let (h, s1, r) = (dut.h(), dut.s1(), dut.r());
    announce(&mut dut, h, 1, 20.0);
    dut.reserve(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    let tear = dut.resv_tear(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    let began = dut.now();
    dut.send(Station::D1, tear);
    let torn = dut.expect::<ResvTear>(Port::A);
    assert_eq!(torn.message.flows[0].filters, [s1]);
    assert!(torn.sent.at.since(began) <= AT_ONCE + dut.timing.slack);
    dut.forget();
    dut.advance(2 * r);
    dut.expect::<Path>(Port::C);
    dut.expect_no::<PathTear>(Port::C);
    dut.expect_no::<Resv>(Port::A);
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![s1])]);
}

/// Where a PathTear was lost, the state times out, and the device tears it down from there on, as the Paths went.
pub(crate) fn a_lost_tear_is_made_up_for_by_the_timeout(lab: &Lab) {
    shows(&["rfc2205-2.4-06", "rfc2205-3.1.5-04", "rfc2205-3.1.5-09"]);
    let mut dut = lab.brisk().router();
    let (g, s1, r) = (dut.g(), dut.s1(), dut.r());
    dut.learn(Station::U1, g, s1);
    for number in [2, 3] {
        announce(&mut dut, g, number, 20.0);
    }
    dut.advance(7 * r);
    for port in [Port::C, Port::D] {
        let tears = dut.all::<PathTear>(port);
        assert_eq!(tears.len(), 1, "{port:?}");
        assert_eq!(tears[0].message.sender_template, s1);
        let packet = &tears[0].sent.packet;
        assert_eq!((packet.source, packet.destination), (s1.source(), g.destination()));
        assert!(packet.router_alert, "as the Path");
    }
    dut.expect_no::<PathTear>(Port::A);
    dut.expect_no::<PathTear>(Port::B);
}

/// One filter spec of a reservation is torn down, and the other stays.
pub(crate) fn any_subset_of_filters_can_be_torn(lab: &Lab) {
    shows(&["rfc2205-2.4-07"]);
    let mut dut = lab.brisk().router();
    let (g, s1, s2, r) = (dut.g(), dut.s1(), dut.s2(), dut.r());
    for number in [1, 2] {
        announce(&mut dut, g, number, 20.0);
    }
    dut.reserve(Station::D1, g, Style::Se, &[se(cl(1.0), &[s1, s2])]);
    let tear = dut.resv_tear(Station::D1, g, Style::Se, &[se(cl(1.0), &[s2])]);
    dut.send(Station::D1, tear);
    assert_eq!(dut.expect::<ResvTear>(Port::B).message.flows[0].filters, [s2]);
    dut.expect_no::<ResvTear>(Port::A);
    dut.forget();
    dut.advance(2 * r);
    let kept = dut.all::<Resv>(Port::A);
    assert!(!kept.is_empty(), "S1 is refreshed");
    assert!(kept.iter().all(|resv| resv.shares() == [(1.0, vec![s1])]), "{kept:?}");
    dut.expect_no::<Resv>(Port::B);
    dut.expect_no::<ResvTear>(Port::A);
}

/// The flowspec in a ResvTear does not matter: what it names is torn down, and what it does not name keeps its flowspec.
pub(crate) fn the_flowspec_of_a_tear_does_not_count(lab: &Lab) {
    shows(&["rfc2205-2.4-08"]);
    let mut dut = lab.brisk().router();
    let (h, g, s1, s2, r) = (dut.h(), dut.g(), dut.s1(), dut.s2(), dut.r());
    announce(&mut dut, h, 1, 20.0);
    for number in [1, 2] {
        announce(&mut dut, g, number, 20.0);
    }
    for (session, style, senders) in [(h, Style::Ff, vec![s1]), (g, Style::Se, vec![s1, s2])] {
        let mut resv = dut.resv(Station::D1, session, style, &[se(cl(2.0), &senders)]);
        resv.refresh_ms = millis(100 * r);
        dut.send(Station::D1, resv);
    }
    dut.expect::<Resv>(Port::A);
    dut.forget();
    let tear = dut.resv_tear(Station::D1, h, Style::Ff, &[ff(cl(9.0), s1)]);
    dut.send(Station::D1, tear);
    assert_eq!(dut.expect::<ResvTear>(Port::A).message.session.key, h);
    let tear = dut.resv_tear(Station::D1, g, Style::Se, &[se(cl(9.0), &[s2])]);
    dut.send(Station::D1, tear);
    assert_eq!(dut.expect::<ResvTear>(Port::B).message.flows[0].filters, [s2]);
    dut.forget();
    dut.advance(2 * r);
    let kept = dut.all::<Resv>(Port::A);
    assert!(!kept.is_empty(), "S1 of the group is refreshed");
    for resv in kept {
        assert_eq!((resv.message.session.key, resv.shares()), (g, vec![(2.0, vec![s1])]));
    }
    dut.expect_no::<Resv>(Port::B);
}

/// A session that the operator clears is torn down in both directions, as its Paths and Resvs went, and its state is gone;
/// another session of the same sender stays. What its neighbours say then brings it back.
pub(crate) fn a_cleared_session_is_torn_both_ways(lab: &Lab) {
    shows(&["rfc2205-2.4-02", "rfc2205-3.1.5-04", "rfc2205-3.1.6-05"]);
    let mut dut = lab.router();
    let (h, other, s1) = (dut.h(), dut.h_at(5001), dut.s1());
    for session in [h, other] {
        dut.learn(Station::U1, session, s1);
        dut.reserve(Station::D1, session, Style::Ff, &[ff(cl(1.0), s1)]);
    }
    let path = dut.path(Station::U1, h, s1);
    let resv = |dut: &Dut, session, n| dut.resv(Station::D1, session, Style::Ff, &[ff(cl(n), s1)]);
    dut.act(&Action::Clear(h));
    let torn = dut.expect::<PathTear>(Port::C);
    let (source, destination) = (torn.sent.packet.source, torn.sent.packet.destination);
    assert_eq!((source, destination), (s1.source(), h.destination()), "as the Path went");
    assert_eq!((torn.message.session.key, torn.message.sender_template), (h, s1));
    let torn = dut.expect_to::<ResvTear>(Station::U1);
    assert_eq!((torn.message.session.key, &torn.message.flows[0].filters[..]), (h, &[s1][..]));
    assert_eq!(torn.message.hop, RsvpHop { address: dut.plan.dut(Port::A), lih: path.hop.lih });
    dut.expect_silence();
    let again = resv(&dut, h, 1.0);
    dut.send(Station::D1, again.clone());
    assert_eq!(dut.expect_to::<ResvErr>(Station::D1).message.error.code, 3, "no path state");
    let more = resv(&dut, other, 2.0);
    dut.send(Station::D1, more);
    let asked = dut.expect::<Resv>(Port::A);
    assert_eq!((asked.message.session.key, asked.shares()), (other, vec![(2.0, vec![s1])]), "it stays");
    dut.send(Station::U1, path);
    assert_eq!(dut.expect::<Path>(Port::C).message.session.key, h);
    dut.send(Station::D1, again);
    assert_eq!(dut.expect::<Resv>(Port::A).message.session.key, h);
    dut.expect_silence();
}

/// A group's session that the operator clears is torn down for each sender, on all interfaces that its Paths went out of, and
/// towards each previous hop that was asked for a reservation.
pub(crate) fn a_cleared_group_is_torn_everywhere(lab: &Lab) {
    shows(&["rfc2205-2.4-02", "rfc2205-3.1.5-04", "rfc2205-3.1.6-05"]);
    let mut dut = lab.group(2);
    let (g, senders) = (dut.g(), [dut.s1(), dut.s2()]);
    for next_hop in [Station::D1, Station::D3] {
        dut.reserve(next_hop, g, Style::Se, &[se(cl(1.0), &senders)]);
    }
    dut.act(&Action::Clear(g));
    for port in [Port::C, Port::D] {
        let mut torn = senders.map(|_| dut.expect::<PathTear>(port).message.sender_template);
        torn.sort_unstable();
        assert_eq!(torn, senders, "the senders that are torn down on {}", port.name());
    }
    for (previous_hop, sender) in [(Station::U1, senders[0]), (Station::U2, senders[1])] {
        let torn = dut.expect_to::<ResvTear>(previous_hop).message;
        assert_eq!((torn.style, &torn.flows[0].filters[..]), (Style::Se, &[sender][..]));
    }
    dut.expect_silence();
}
