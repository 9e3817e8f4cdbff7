//! RFC 2961 section 3.3: Bundle messages that are sent.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::bench::{Ack, Dut, Family, Lab, Port, Received, Station, cl, tspec, wanted};
use crate::shows;
use rsvp_core::Instant;
use rsvp_core::config::SummaryRefresh;
use rsvp_core::input::{Encapsulation, NextHop, Route};
use rsvp_core::wire::{
    Acknowledgement, FlaggedId, Head, Message, MessageId, Path, PathTear, Resv, ResvConf, ResvTear,
    SessionKey, Srefresh, Style,
};

use super::{
    announce, expect_bundles, inconclusive, lasting_path, lasting_resv, longest_gap, reserve, sessions, via,
};

/// What an IPv4 header takes of a packet.
const IP_HEADER: usize = 20;

/// A router that D1 has told that it is capable, and path state that goes there, of `count` sessions at once.
fn bundling(dut: Dut, count: u16) -> Dut {
    let mut dut = dut;
    dut.befriend(&[Station::D1]);
    let (sessions, s1) = (sessions(&dut, dut.h(), count), dut.s1());
    announce(&mut dut, Station::U1, &sessions, s1);
    dut
}

/// D1 says that it has none of the Paths that were sent, so many: all are due at once.
fn all_again(dut: &mut Dut, count: usize) {
    let nack = |path: &Received<Path>| Acknowledgement::Nack(FlaggedId::plain(path.id().id));
    let acknowledgements = dut.all_of::<Path>(Port::C, count).iter().map(nack).collect();
    dut.send_with(Station::D1, Ack, &Head { acknowledgements, message_id: None });
}

/// Messages that are due together all come, whether Bundles are configured or not, and without them none is in a
/// Bundle.
pub(crate) fn nobody_has_to_bundle(lab: &Lab) {
    shows(&["rfc2961-3.3-01"]);
    for bundle in [false, true] {
        let mut dut = lab.reducing_with(|reduction| reduction.bundle = bundle);
        dut.befriend(&[Station::D1]);
        let s1 = dut.s1();
        for session in sessions(&dut, dut.h(), 3) {
            dut.send(Station::U1, lasting_path(&dut, Station::U1, session, s1));
        }
        all_again(&mut dut, 3);
        let paths = dut.all_of::<Path>(Port::C, 3);
        assert_eq!(paths.len(), 3);
        assert!(bundle || paths.iter().all(|path| path.sent.bundle.is_none()), "{paths:?}");
    }
}

/// A neighbour that has sent Bundles may send changes and tears by themselves.
pub(crate) fn messages_that_are_not_bundled_are_always_taken(lab: &Lab) {
    shows(&["rfc2961-3.3-02"]);
    let mut dut = lab.router();
    let (h, k, s1) = (dut.h(), dut.k(), dut.s1());
    dut.befriend(&[Station::U1, Station::D1, Station::D2]);
    announce(&mut dut, Station::U1, &[h, k], s1);
    reserve(&mut dut, Station::D1, &[h], s1);
    reserve(&mut dut, Station::D2, &[k], s1);
    dut.forget();
    let mut path = lasting_path(&dut, Station::U1, h, s1);
    path.sender_tspec = tspec(3.0);
    dut.send(Station::U1, path);
    assert_eq!(dut.expect::<Path>(Port::C).message.sender_tspec, tspec(3.0));
    let mut resv = lasting_resv(&dut, Station::D1, h, s1);
    resv.flows[0].flowspec = Some(cl(2.0));
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(2.0, vec![s1])]);
    let resv = lasting_resv(&dut, Station::D2, k, s1);
    dut.send(Station::D2, dut.resv_tear(Station::D2, k, resv.style, &resv.flows));
    assert_eq!(dut.expect::<ResvTear>(Port::A).message.session.key, k);
    dut.send(Station::U1, dut.path_tear(Station::U1, k, s1));
    dut.expect::<PathTear>(Port::D);
}

/// No Bundle goes to a neighbour of which nothing is known, or that does not set the flag, however much is due.
pub(crate) fn bundles_go_to_those_who_are_known_to_take_them(lab: &Lab) {
    shows(&["rfc2961-3.3-03", "rfc2961-3.3-04"]);
    let mut dut = lab.brisk().router();
    let (all, s1) = (sessions(&dut, dut.h(), 100), dut.s1());
    announce(&mut dut, Station::U1, &all[..20], s1);
    let paths = dut.all_of::<Path>(Port::C, 20);
    assert!(paths.iter().all(|path| path.sent.bundle.is_none()), "nothing is known of D1");
    // D1 says that it is not, with an id of its own.
    dut.send_id(Station::D1, lasting_resv(&dut, Station::D1, all[0], s1), wanted(1));
    dut.acknowledging(Station::D1);
    announce(&mut dut, Station::U1, &all[20..], s1);
    dut.advance(3 * dut.r());
    assert!(dut.bundles(Port::C).is_empty(), "it is not capable");
    assert!(dut.all::<Path>(Port::C).len() >= 160);
    dut.set_flags(Station::D1, 1);
    dut.send(Station::D1, lasting_resv(&dut, Station::D1, all[1], s1));
    let more: Vec<SessionKey> =
        (0..10).map(|n| dut.plan.session(dut.h().flow().destination, 6000 + n)).collect();
    announce(&mut dut, Station::U1, &more, s1);
    // It is.
    expect_bundles(&mut dut, Port::C, 10);
    // It need not say so where it is configured.
    let mut dut = lab.with(Family::V4, |config| config.default_interface.reduction.assume_capable = true);
    dut.introduce(Station::D1);
    dut.withdraw(Station::D1);
    announce(&mut dut, Station::U1, &all[..10], s1);
    expect_bundles(&mut dut, Port::C, 10);
}

/// A Bundle is a raw IP datagram from the device's address to the neighbour's, without Router Alert, whatever is in
/// it.
pub(crate) fn a_bundle_goes_from_one_neighbour_to_another(lab: &Lab) {
    shows(&["rfc2961-3.3-05", "rfc2961-3.3-06", "rfc2961-3.3-07"]);
    let mut dut = lab.router();
    dut.befriend(&[Station::U1, Station::D1]);
    let (sessions, s1) = (sessions(&dut, dut.h(), 3), dut.s1());
    announce(&mut dut, Station::U1, &sessions, s1);
    dut.wait_for::<Path>(Port::C, 3);
    reserve(&mut dut, Station::D1, &sessions, s1);
    dut.wait_for::<Resv>(Port::A, 3);
    let tears: Vec<_> =
        sessions.iter().map(|key| dut.pack(Station::U1, dut.path_tear(Station::U1, *key, s1))).collect();
    dut.send_bundle(Station::U1, &tears);
    dut.wait_for::<PathTear>(Port::C, 3);
    for (port, station) in [(Port::C, Station::D1), (Port::A, Station::U1)] {
        for (bundle, _) in expect_bundles(&mut dut, port, 0) {
            assert_eq!(bundle.encapsulation, Encapsulation::Raw);
            assert_eq!(bundle.source, dut.plan.dut(port));
            assert_eq!(bundle.destination, dut.plan.station(station));
            assert!(!bundle.router_alert);
        }
    }
}

/// Path, ResvConf and PathTear in a Bundle to the device's own address, without Router Alert, are taken.
pub(crate) fn what_comes_in_a_bundle_needs_no_router_alert(lab: &Lab) {
    shows(&["rfc2961-3.3-08"]);
    let mut dut = lab.router();
    let (h, s1) = (dut.h(), dut.s1());
    let path = dut.pack(Station::U1, lasting_path(&dut, Station::U1, h, s1));
    let bundle = dut.bundle(Station::U1, &[path]);
    assert!(!bundle.router_alert && bundle.destination == dut.plan.dut(Port::A));
    dut.send_packet(Station::U1, &bundle);
    assert_eq!(dut.expect::<Path>(Port::C).message.session.key, h);
    dut.send(Station::D1, lasting_resv(&dut, Station::D1, h, s1));
    let flows = lasting_resv(&dut, Station::D1, h, s1).flows;
    let confirmation = dut.resv_conf(h, h.flow().destination, Style::Ff, &flows);
    let tear = dut.path_tear(Station::U1, h, s1);
    let packets = [dut.pack(Station::U1, confirmation), dut.pack(Station::U1, tear)];
    dut.send_bundle(Station::U1, &packets);
    dut.expect::<ResvConf>(Port::C);
    dut.expect::<PathTear>(Port::C);
}

/// No Bundle exceeds the MTU or the limit that is configured, each holds whole messages only, and none is lost.
pub(crate) fn a_bundle_is_one_datagram(lab: &Lab) {
    shows(&["rfc2961-3.3-09", "rfc2961-3.3-11"]);
    for (max_packet, limit) in [(u16::MAX, 1500), (600, 600)] {
        let dut = lab.reducing_with(|reduction| reduction.max_packet = max_packet);
        let mut dut = bundling(dut, 90);
        all_again(&mut dut, 90);
        let bundles = expect_bundles(&mut dut, Port::C, 90);
        let mut messages = 0;
        for (bundle, inside) in &bundles {
            assert!(bundle.message.len() + IP_HEADER <= limit, "{}", bundle.message.len());
            // The monitor has read all of them to their ends.
            let octets: usize = inside.iter().map(|message| message.sent.packet.message.len()).sum();
            assert_eq!(bundle.message.len(), 8 + octets);
            messages += inside.len();
        }
        assert_eq!(messages + dut.all::<Path>(Port::C).len(), 90);
    }
}

/// A Bundle of more than 6000 octets is taken as a whole.
pub(crate) fn a_bundle_that_comes_may_be_larger_than_the_mtu(lab: &Lab) {
    shows(&["rfc2961-3.3-10"]);
    let mut dut = lab.router();
    let (sessions, s1) = (sessions(&dut, dut.h(), 70), dut.s1());
    let path = |key: &SessionKey| dut.pack(Station::U1, lasting_path(&dut, Station::U1, *key, s1));
    let bundle = dut.bundle(Station::U1, &sessions.iter().map(path).collect::<Vec<_>>());
    assert!(bundle.message.len() > 6000);
    dut.send_packet(Station::U1, &bundle);
    assert_eq!(dut.all_of::<Path>(Port::C, 70).len(), 70);
}

/// A trigger that is alone leaves within the bundle delay, also while others are being refreshed.
pub(crate) fn nothing_waits_long_for_others(lab: &Lab) {
    shows(&["rfc2961-3.3-12", "rfc2961-3.3-13"]);
    for delay in [0, 50] {
        let delay = Duration::from_millis(delay);
        let mut dut = lab.brisk().reducing_with(|reduction| {
            reduction.bundle_delay = delay;
            reduction.summary_refresh = SummaryRefresh::Off;
        });
        dut.befriend(&[Station::D1]);
        let (h, s1) = (dut.h(), dut.s1());
        let limit = delay + Duration::from_millis(1) + dut.timing.slack;
        let before = dut.now();
        dut.send(Station::U1, lasting_path(&dut, Station::U1, h, s1));
        let after = dut.expect::<Path>(Port::C).sent.at.since(before);
        assert!(after <= limit, "{after:?}");
        // While others are being refreshed, too.
        let more = sessions(&dut, dut.h(), 30);
        announce(&mut dut, Station::U1, &more[1..], s1);
        dut.advance(dut.r() * 9 / 10);
        dut.forget();
        let before = dut.now();
        dut.send(Station::U1, dut.path_tear(Station::U1, h, s1));
        let after = dut.expect::<PathTear>(Port::C).sent.at.since(before);
        assert!(after <= limit, "{after:?}");
    }
}

/// Of many sessions whose refreshes are bundled, each is refreshed within 1.5 R.
pub(crate) fn bundling_makes_no_refresh_late(lab: &Lab) {
    shows(&["rfc2961-3.3-14"]);
    let dut = lab.brisk().with(Family::V4, |config| {
        config.default_interface.reduction.summary_refresh = SummaryRefresh::Off;
        config.default_interface.reduction.bundle_delay = Duration::from_millis(20);
    });
    let mut dut = bundling(dut, 60);
    let period = dut.r();
    dut.advance(4 * period);
    expect_bundles(&mut dut, Port::C, 0);
    dut.forget();
    dut.advance(7 * period);
    let mut times: BTreeMap<u16, Vec<Instant>> = BTreeMap::new();
    for path in dut.all::<Path>(Port::C) {
        times.entry(path.message.session.key.flow().port).or_default().push(path.sent.at);
    }
    assert_eq!(times.len(), 60);
    for (port, times) in times {
        let gap = longest_gap(&times);
        let longest = period * 3 / 2 + Duration::from_millis(100) + dut.timing.slack;
        assert!(gap <= longest, "{port}: {gap:?}");
    }
}

/// Paths, changes and PathTears that wait to be bundled leave in the order in which they came about.
pub(crate) fn what_concerns_one_state_keeps_its_order(lab: &Lab) {
    shows(&["rfc2961-3.3-15"]);
    let mut dut = lab.reducing_with(|reduction| reduction.bundle_delay = Duration::from_millis(250));
    dut.befriend(&[Station::D1]);
    let (sessions, s1) = (sessions(&dut, dut.h(), 3), dut.s1());
    for n in [20.0, 10.0] {
        for session in &sessions {
            let mut path = lasting_path(&dut, Station::U1, *session, s1);
            path.sender_tspec = tspec(n);
            dut.send(Station::U1, path);
        }
    }
    for session in &sessions {
        dut.send(Station::U1, dut.path_tear(Station::U1, *session, s1));
    }
    dut.advance(Duration::from_secs(1));
    let mut last: BTreeMap<SessionKey, (u8, MessageId)> = BTreeMap::new();
    for message in dut.all::<Message>(Port::C) {
        let (key, step) = match &message.message {
            Message::Path(path) => (path.session.key, u8::from(path.sender_tspec == tspec(10.0))),
            Message::PathTear(tear) => (tear.session.key, 2),
            other => panic!("unexpected {other:?}"),
        };
        let id = message.id().id;
        if let Some((step_before, before)) = last.insert(key, (step, id)) {
            assert!(step_before < step && before.is_older_than(id), "{key:?}: {step_before}, {step}");
        }
    }
    assert!(last.len() == 3 && last.values().all(|(step, _)| *step == 2), "{last:?}");
}

/// The route of H leads to a router without RSVP, behind which D1 is.
fn behind_others(dut: &mut Dut) {
    let gateway = Some(dut.plan.address(3, 9));
    let hop = NextHop { interface: Port::C.interface(), gateway };
    let route = Route { outgoing: vec![hop], ..Route::default() };
    dut.set_route(dut.h().flow().destination, None, route);
}

/// Where routing leads to a node that does not speak RSVP, Paths and PathTears go to the session's address, in no
/// Bundle.
pub(crate) fn no_bundle_goes_where_the_neighbour_is_not_the_next_hop(lab: &Lab) {
    shows(&["rfc2961-3.3-16"]);
    let mut dut = lab.brisk().router();
    behind_others(&mut dut);
    let (sessions, s1) = (sessions(&dut, dut.h(), 6), dut.s1());
    announce(&mut dut, Station::U1, &sessions[..3], s1);
    dut.set_flags(Station::D1, 1);
    dut.acknowledging(Station::D1);
    let mut resv = dut.pack(Station::D1, lasting_resv(&dut, Station::D1, sessions[0], s1));
    resv.ttl -= 1;
    dut.send_packet(Station::D1, &resv);
    announce(&mut dut, Station::U1, &sessions[3..], s1);
    dut.advance(3 * dut.r());
    let tears: Vec<_> =
        sessions.iter().map(|key| dut.pack(Station::U1, dut.path_tear(Station::U1, *key, s1))).collect();
    dut.send_bundle(Station::U1, &tears);
    let sent = dut.all::<Message>(Port::C);
    assert!(sent.len() >= 18, "{}", sent.len());
    for message in sent {
        let is_downstream = matches!(message.message, Message::Path(_) | Message::PathTear(_));
        assert!(message.sent.bundle.is_none() || !is_downstream, "{message:?}");
        assert_eq!(message.sent.packet.destination == dut.h().flow().destination, is_downstream);
    }
}

/// A neighbour whose messages have crossed other nodes gets neither Bundles nor Srefreshes.
pub(crate) fn no_bundle_goes_to_who_is_behind_others(lab: &Lab) {
    shows(&["rfc2961-3.3-16", "rfc2961-5.6-02"]);
    let mut dut = lab.brisk().router();
    let (sessions, s1) = (sessions(&dut, dut.h(), 3), dut.s1());
    announce(&mut dut, Station::U1, &sessions, s1);
    dut.set_flags(Station::D1, 1);
    // D1 is the next hop by its address, as through a tunnel, but its messages have crossed other nodes.
    for session in &sessions {
        let mut resv = dut.pack(Station::D1, lasting_resv(&dut, Station::D1, *session, s1));
        resv.ttl -= 1;
        dut.send_packet(Station::D1, &resv);
    }
    dut.forget();
    dut.advance(3 * dut.r());
    assert!(dut.bundles(Port::C).is_empty());
    dut.expect_no::<Srefresh>(Port::C);
    assert!(dut.all::<Path>(Port::C).len() >= 6);
}

/// Paths of different TTL leave with it, in Bundles whose Send_TTL is that of their Paths.
pub(crate) fn paths_of_different_ttl_share_no_bundle(lab: &Lab) {
    shows(&["rfc2961-3.1-08"]);
    let mut dut = lab.router();
    dut.befriend(&[Station::D1]);
    let (h, s1) = (dut.h(), dut.s1());
    for (number, session) in sessions(&dut, h, 6).into_iter().enumerate() {
        let mut path = dut.pack(Station::U1, lasting_path(&dut, Station::U1, session, s1));
        if number < 3 {
            path.ttl = 20;
            path.message[4] = 20;
            path.message[2..4].fill(0);
        }
        dut.send_packet(Station::U1, &path);
    }
    all_again(&mut dut, 6);
    let mut told = Vec::new();
    for message in dut.all_of::<Path>(Port::C, 6) {
        let Received { sent, raw, message, .. } = message;
        assert_eq!(sent.packet.ttl, if message.session.key.flow().port < 5003 { 19 } else { 63 });
        assert_eq!(raw.header.send_ttl, sent.packet.ttl);
        told.extend(sent.bundle.map(|bundle| bundle.message[4] == sent.packet.ttl));
    }
    if told.is_empty() {
        inconclusive("the device sends no Bundles");
    }
    assert!(told.iter().all(|told| *told), "all in Bundles of that TTL");
}

/// Bundles to two neighbours on a LAN hold the Paths that each of them is next hop of.
pub(crate) fn a_bundle_holds_what_its_neighbour_handles(lab: &Lab) {
    shows(&["rfc2961-3.3-17"]);
    let mut dut = lab.router();
    let (k, s1) = (dut.k(), dut.s1());
    let other = dut.plan.session(dut.plan.address(8, 9), 5000);
    let route = via(&dut, Station::D3);
    dut.set_route(other.flow().destination, None, route);
    dut.befriend(&[Station::D2, Station::D3]);
    let mut all = sessions(&dut, k, 3);
    all.extend(sessions(&dut, other, 3));
    // In turns.
    all.sort_by_key(|key| key.flow().port);
    announce(&mut dut, Station::U1, &all, s1);
    let bundles = expect_bundles(&mut dut, Port::D, 6);
    for (bundle, messages) in bundles {
        let owner: IpAddr = if bundle.destination == dut.plan.station(Station::D2) {
            k.flow().destination
        } else {
            assert_eq!(bundle.destination, dut.plan.station(Station::D3));
            other.flow().destination
        };
        for message in messages {
            assert_eq!(message.message.session().expect("a Path").key.flow().destination, owner);
        }
    }
}

/// Paths, refreshes and PathTears of three multicast sessions and three unicast ones; how many of the multicast ones were
/// not in a Bundle, and how many were.
fn multicast_bundled(dut: &mut Dut, port: Port, unicast: SessionKey) -> [usize; 2] {
    let groups = sessions(dut, dut.g(), 3);
    let mut all = sessions(dut, unicast, 3);
    all.extend(&groups);
    let s1 = dut.s1();
    announce(dut, Station::U1, &all, s1);
    dut.advance(3 * dut.r());
    let tear = |key: &SessionKey| dut.pack(Station::U1, dut.path_tear(Station::U1, *key, s1));
    let tears: Vec<_> = all.iter().map(tear).collect();
    dut.send_bundle(Station::U1, &tears);
    dut.advance(dut.timing.patience);
    let mut counts = [0; 2];
    for message in dut.all::<Message>(port) {
        let is_of_group = message.message.session().is_some_and(|session| groups.contains(&session.key));
        if is_of_group {
            let is_bundled = message.sent.bundle.is_some();
            counts[usize::from(is_bundled)] += 1;
            assert_eq!(message.sent.packet.destination.is_multicast(), !is_bundled);
        }
    }
    counts
}

/// On a LAN with several next hops messages to a group leave by themselves, to the group's address.
pub(crate) fn paths_of_groups_are_bundled_on_no_lan(lab: &Lab) {
    shows(&["rfc2961-3.3-18"]);
    let mut dut = lab.brisk().router();
    dut.befriend(&[Station::D2, Station::D3]);
    let k = dut.k();
    let [alone, bundled] = multicast_bundled(&mut dut, Port::D, k);
    assert!(alone >= 6 && bundled == 0, "{alone} and {bundled}");
}

/// On a point-to-point link messages to a group go into Bundles only if the next hop sets the flag.
pub(crate) fn paths_of_groups_are_bundled_for_no_next_hop_that_is_not_capable(lab: &Lab) {
    shows(&["rfc2961-3.3-19"]);
    for is_capable in [false, true] {
        let mut dut = lab.brisk().point_to_point(Family::V4);
        if is_capable {
            dut.befriend(&[Station::D1]);
        } else {
            dut.acknowledging(Station::D1);
            dut.withdraw(Station::D1);
        }
        let h = dut.h();
        let [alone, bundled] = multicast_bundled(&mut dut, Port::C, h);
        assert!(is_capable || bundled == 0, "{bundled}");
        assert!(is_capable || alone >= 6, "{alone}");
    }
}

/// On a point-to-point link, whatever goes out is for the one next hop, and may go into one Bundle: the Paths of groups too,
/// beside those of hosts.
pub(crate) fn paths_of_groups_may_be_bundled_on_a_point_to_point_link(lab: &Lab) {
    shows(&["rfc2961-3.3-17"]);
    let mut dut = lab.brisk().point_to_point(Family::V4);
    dut.befriend(&[Station::D1]);
    let h = dut.h();
    let [_, bundled] = multicast_bundled(&mut dut, Port::C, h);
    if bundled == 0 {
        inconclusive("the device puts no Paths of groups into Bundles");
    }
}
