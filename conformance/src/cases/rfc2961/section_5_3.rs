//! RFC 2961 section 5.3: summary refreshes, sent and received.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use crate::bench::{
    Action, Dut, EPOCH, Family, Lab, Packet, Port, Received, Setup, Station, cl, ff, group_route, list,
    mcast_list, millis, nack, plain, src_list, tspec, wanted,
};
use crate::shows;
use rsvp_core::config::SummaryRefresh;
use rsvp_core::input::{NextHop, Route};
use rsvp_core::wire::{
    FlaggedId, IdEntries, IdList, Message, MessageId, Path, PathTear, Resv, ResvTear, SessionKey, Srefresh,
    Style,
};

use super::dialogue::nack_of;
use super::{
    announce, expect_summaries, group_on, lasting_path, lasting_resv, longest_gap, refresh_times, reserve,
    send_bundles, sessions, via,
};

/// The upper end of the jitter of RFC 2205 section 3.7, and what passes until a message leaves.
fn longest(dut: &Dut) -> Duration {
    dut.r() * 3 / 2 + Duration::from_millis(100) + dut.timing.slack
}

/// A Path with an id from U1, whose R is that of the DUT: it lives for 5.25 R.
fn brief(dut: &mut Dut, session: SessionKey, id: u32) {
    let path = dut.path(Station::U1, session, dut.s1());
    dut.send_id(Station::U1, path, plain(id));
    dut.expect::<Path>(Port::C);
}

/// The ids of the Paths that were sent out of a port, so many.
fn told(dut: &mut Dut, port: Port, count: usize) -> BTreeSet<MessageId> {
    dut.all_of::<Path>(port, count).iter().map(|path| path.id().id).collect()
}

/// State that was acknowledged is refreshed by Srefreshes alone, within the bounds of R.
pub(crate) fn summary_refreshes_take_the_place_of_standard_ones(lab: &Lab) {
    shows(&["rfc2961-5.3-01", "rfc2961-5.3-06"]);
    let mut dut = lab.brisk().router();
    dut.befriend(&[Station::U1, Station::D1]);
    let (h, s1) = (dut.h(), dut.s1());
    dut.send(Station::U1, lasting_path(&dut, Station::U1, h, s1));
    dut.send(Station::D1, lasting_resv(&dut, Station::D1, h, s1));
    dut.advance(10 * dut.r());
    let paths = dut.all::<Path>(Port::C);
    assert_eq!((paths.len(), dut.all::<Resv>(Port::A).len()), (1, 1), "no standard refresh");
    let times = refresh_times(&paths, &expect_summaries(&mut dut, Port::C), h);
    assert!(longest_gap(&times) <= longest(&dut), "{times:?}");
    let mean = times[times.len() - 1].since(times[0]) / (times.len() as u32 - 1);
    assert!(mean <= dut.r() * 5 / 4, "about every R: {mean:?}");
    let upstream: Vec<_> = dut.all::<Srefresh>(Port::A).iter().map(|it| it.sent.at).collect();
    assert!(longest_gap(&upstream) <= longest(&dut), "{upstream:?}");
}

/// With the R of 30 s that is the default, an Srefresh follows between 15 s and 45 s after the Path.
pub(crate) fn the_interval_is_that_of_standard_refreshes(lab: &Lab) {
    shows(&["rfc2961-5.3-07"]);
    let mut dut = lab.brisk().router();
    dut.befriend(&[Station::D1]);
    let (h, s1) = (dut.h(), dut.s1());
    dut.send(Station::U1, lasting_path(&dut, Station::U1, h, s1));
    let path = dut.expect::<Path>(Port::C);
    let (shortest, longest) = (dut.r() / 2 - dut.timing.slack, longest(&dut));
    dut.advance(longest);
    let summaries = expect_summaries(&mut dut, Port::C);
    let after = summaries[0].sent.at.since(path.sent.at);
    assert!((shortest..=longest).contains(&after), "{after:?}");
    assert!(summaries[0].ids().contains(&path.id().id));
}

/// When the operator changes what has nothing to do with refreshes, state is summed up as before.
pub(crate) fn a_change_of_other_settings_brings_no_standard_refresh(lab: &Lab) {
    shows(&["rfc2961-5.3-01"]);
    let mut dut = lab.brisk().router();
    dut.befriend(&[Station::U1, Station::D1]);
    let (h, s1) = (dut.h(), dut.s1());
    dut.send(Station::U1, lasting_path(&dut, Station::U1, h, s1));
    dut.send(Station::D1, lasting_resv(&dut, Station::D1, h, s1));
    dut.expect::<Path>(Port::C);
    dut.expect::<Resv>(Port::A);
    dut.advance(2 * dut.r());
    let mut config = Setup::stock(dut.plan.family, dut.r()).config;
    let bandwidth = config.default_interface.bandwidth.as_mut().expect("the stock has some");
    bandwidth.per_flow /= 2;
    dut.forget();
    dut.act(&Action::Configure(Box::new(config)));
    dut.advance(2 * longest(&dut));
    for port in [Port::A, Port::C] {
        assert!(expect_summaries(&mut dut, port).len() >= 2, "within 3 R from {port:?}");
    }
    dut.expect_no::<Path>(Port::C);
    dut.expect_no::<Resv>(Port::A);
}

/// However often Srefreshes come, the state lives for the lifetime that its own R gives it.
pub(crate) fn a_states_period_stays_what_it_was(lab: &Lab) {
    shows(&["rfc2961-5.3-02", "rfc2961-5.3-20"]);
    let mut dut = lab.brisk().router();
    let (h, r) = (dut.h(), dut.r());
    brief(&mut dut, h, 10);
    // Srefreshes come in another rhythm than R: now four in an R, now none for 4 R.
    for _ in 0..2 {
        dut.send_srefresh(Station::U1, &[list(&[10])]);
        dut.advance(r / 4);
        dut.send_srefresh(Station::U1, &[list(&[10])]);
        dut.advance(4 * r);
    }
    assert!(dut.all::<Path>(Port::C).len() >= 2, "and D1 is told as before");
    dut.expect_no::<PathTear>(Port::C);
    let last = dut.now();
    dut.send_srefresh(Station::U1, &[list(&[10])]);
    dut.advance(r * 13 / 2);
    let lived = dut.expect::<PathTear>(Port::C).sent.at.since(last);
    let lifetime = r * 21 / 4;
    assert!(lived + dut.timing.slack >= lifetime && lived <= lifetime + r, "{lived:?}");
    assert_eq!(dut.acks(Station::U1), []);
}

/// While R grows, state that was summed up is refreshed by whole messages: they say how long R is, an Srefresh cannot.
pub(crate) fn a_period_that_grows_is_told_before_it_is_summed_up(lab: &Lab) {
    shows(&["rfc2205-3.7-04", "rfc2205-3.7-06"]);
    let mut dut = lab.brisk().router();
    let (h, s1, r) = (dut.h(), dut.s1(), dut.r());
    dut.befriend(&[Station::U1, Station::D1]);
    dut.send_id(Station::U1, lasting_path(&dut, Station::U1, h, s1), wanted(1));
    dut.expect::<Path>(Port::C);
    dut.send_id(Station::D1, lasting_resv(&dut, Station::D1, h, s1), wanted(2));
    dut.expect::<Resv>(Port::A);
    dut.advance(dut.timing.next_refresh());
    let mut config = Setup::stock(dut.plan.family, r).config;
    config.default_interface.refresh = 2 * r;
    dut.forget();
    dut.act(&Action::Configure(Box::new(config)));
    // 1, 1.3, 1.69 and 2 times R, each at most one and a half times as long as it says.
    dut.advance(6 * r + 4 * dut.timing.slack);
    let paths: Vec<u32> = dut.all::<Path>(Port::C).iter().map(|path| path.message.refresh_ms).collect();
    let resvs: Vec<u32> = dut.all::<Resv>(Port::A).iter().map(|resv| resv.message.refresh_ms).collect();
    for periods in [paths, resvs] {
        assert_eq!(periods.last(), Some(&millis(2 * r)), "all of {periods:?}");
        let steps: Vec<u32> = [millis(r)].into_iter().chain(periods).collect();
        let is_slow = steps.windows(2).all(|pair| f64::from(pair[1]) <= f64::from(pair[0]) * 1.3 + 1.0);
        assert!(is_slow, "expected growth by 30 % at most, not {steps:?}");
    }
}

/// All Path state at one neighbour is in each Srefresh to it, and no other.
pub(crate) fn as_much_as_possible_is_summed_up_in_one_message(lab: &Lab) {
    shows(&["rfc2961-5.3-03", "rfc2961-5.3-04", "rfc2961-5.3-09", "rfc2961-5.3-14"]);
    let mut dut = lab.brisk().router();
    dut.befriend(&[Station::D1, Station::D2]);
    let s1 = dut.s1();
    // Of two destinations on the LAN, both behind D2.
    let second = dut.plan.session(dut.plan.address(8, 9), 5000);
    let route = via(&dut, Station::D2);
    dut.set_route(second.flow().destination, None, route);
    let mut on_lan = sessions(&dut, dut.k(), 50);
    on_lan.extend(sessions(&dut, second, 50));
    announce(&mut dut, Station::U1, &on_lan, s1);
    let c = sessions(&dut, dut.h(), 10);
    announce(&mut dut, Station::U1, &c, s1);
    let told = [told(&mut dut, Port::C, 10), told(&mut dut, Port::D, 100)];
    dut.advance(dut.r());
    dut.forget();
    dut.advance(4 * dut.r());
    for ((port, station), told) in [(Port::C, Station::D1), (Port::D, Station::D2)].into_iter().zip(told) {
        for summary in expect_summaries(&mut dut, port) {
            assert_eq!(BTreeSet::from_iter(summary.ids()), told, "all of them, each time, and no other");
            assert_eq!(summary.sent.packet.destination, dut.plan.station(station));
            assert_eq!(summary.sent.packet.source, dut.plan.dut(port));
        }
    }
}

/// State is summed up so often that one lost Srefresh in three does not end it.
pub(crate) fn no_state_times_out_at_the_next_hop(lab: &Lab) {
    shows(&["rfc2961-5.3-05"]);
    let mut dut = lab.brisk().router();
    dut.befriend(&[Station::D1]);
    let (sessions, s1) = (sessions(&dut, dut.h(), 5), dut.s1());
    announce(&mut dut, Station::U1, &sessions, s1);
    dut.advance(14 * dut.r());
    let (paths, summaries) = (dut.all::<Path>(Port::C), dut.all::<Srefresh>(Port::C));
    let lifetime = dut.r() * 7 / 2 * 3 / 2;
    for session in &sessions {
        let times = refresh_times(&paths, &summaries, *session);
        assert!(longest_gap(&times) <= longest(&dut), "{times:?}");
        let without_third: Vec<_> =
            times.iter().enumerate().filter(|(number, _)| number % 3 != 2).map(|(_, at)| *at).collect();
        assert!(longest_gap(&without_third) < lifetime, "one in three lost");
    }
}

/// While one of several next hops has not acknowledged a Path to a group, no Srefresh takes its place.
pub(crate) fn a_group_is_summed_up_for_those_who_have_it(lab: &Lab) {
    shows(&["rfc2961-5.3-05"]);
    let mut dut = lab.brisk().router();
    // D3 has missed the Path: nobody has it acknowledge.
    dut.introduce(Station::D3);
    let route = dut.g().flow().destination;
    let hop = |station: Station| NextHop {
        interface: Port::D.interface(),
        gateway: Some(dut.plan.station(station)),
    };
    let incoming = Some(Port::A.interface());
    let outgoing = vec![hop(Station::D2), hop(Station::D3)];
    let s1 = dut.s1();
    dut.set_route(route, Some(s1.source()), Route { incoming, outgoing, ..Route::default() });
    dut.befriend(&[Station::D2]);
    let g = dut.g();
    dut.send(Station::U1, lasting_path(&dut, Station::U1, g, s1));
    dut.advance(4 * dut.r());
    dut.expect_no::<Srefresh>(Port::D);
    let before = dut.all::<Path>(Port::D);
    assert!(before.len() >= 3, "it is told as a whole, again and again");
    dut.send_ack(Station::D3, before[0].id().id);
    dut.advance(2 * dut.r());
    assert!(!dut.all::<Srefresh>(Port::D).is_empty());
}

/// All Srefreshes for Path state of three sessions of two destinations, both behind D1.
fn of_two_destinations(
    lab: &Lab,
    summary_refresh: SummaryRefresh,
) -> (Dut, Vec<Received<Srefresh>>, Vec<MessageId>) {
    let mut dut = lab.brisk().reducing_with(|reduction| reduction.summary_refresh = summary_refresh);
    let s1 = dut.s1();
    dut.befriend(&[Station::D1]);
    let y = dut.plan.session(dut.plan.address(7, 8), 5000);
    let route = via(&dut, Station::D1);
    dut.set_route(y.flow().destination, None, route);
    let mut all = sessions(&dut, dut.h(), 2);
    all.push(y);
    let mut ids = Vec::new();
    for session in all {
        dut.send(Station::U1, lasting_path(&dut, Station::U1, session, s1));
        ids.push(dut.expect::<Path>(Port::C).id().id);
    }
    dut.advance(4 * dut.r());
    let summaries = expect_summaries(&mut dut, Port::C);
    (dut, summaries, ids)
}

/// An Srefresh to a session's address lists state of that destination only; one to a neighbour lists all of it.
pub(crate) fn one_message_covers_one_destination_or_one_neighbour(lab: &Lab) {
    shows(&["rfc2961-5.3-08", "rfc2961-5.3-12"]);
    let (dut, summaries, ids) = of_two_destinations(lab, SummaryRefresh::Session);
    let mut seen = BTreeSet::new();
    for summary in summaries {
        let of_x = summary.sent.packet.destination == dut.h().flow().destination;
        assert!(of_x || summary.sent.packet.destination == dut.plan.address(7, 8), "{summary:?}");
        let expected = if of_x { &ids[..2] } else { &ids[2..] };
        assert!(summary.ids().iter().all(|id| expected.contains(id)), "{summary:?}");
        seen.extend(summary.ids());
    }
    assert_eq!(seen.len(), 3);
    let (dut, summaries, ids) = of_two_destinations(lab, SummaryRefresh::Neighbor);
    let last = summaries.last().expect("there are some");
    assert_eq!(last.sent.packet.destination, dut.plan.station(Station::D1));
    assert_eq!(BTreeSet::from_iter(last.ids()), BTreeSet::from_iter(ids));
}

/// No Srefresh goes to a next hop of which it is not known that it speaks RSVP.
pub(crate) fn nothing_is_summed_up_for_neighbours_who_may_not_be_there(lab: &Lab) {
    shows(&["rfc2961-5.3-10"]);
    let mut dut = lab.brisk().reducing();
    let (h, s1) = (dut.h(), dut.s1());
    let hop = NextHop { interface: Port::C.interface(), gateway: Some(dut.plan.address(3, 9)) };
    dut.set_route(h.flow().destination, None, Route { outgoing: vec![hop], ..Route::default() });
    dut.befriend(&[Station::D1]);
    dut.send(Station::U1, lasting_path(&dut, Station::U1, h, s1));
    dut.advance(4 * dut.r());
    for port in Port::ALL {
        dut.expect_no::<Srefresh>(port);
    }
    assert!(dut.all::<Path>(Port::C).len() >= 3, "whole Paths");
}

/// The Path state of a group on a LAN is in no Srefresh to a neighbour's address.
pub(crate) fn a_group_on_a_lan_is_summed_up_to_no_neighbour(lab: &Lab) {
    shows(&["rfc2961-5.3-10"]);
    let mut dut = lab.brisk().reducing();
    let (g, k, s1) = (dut.g(), dut.k(), dut.s1());
    dut.befriend(&[Station::D2, Station::D3]);
    dut.send(Station::U1, lasting_path(&dut, Station::U1, g, s1));
    let of_group = dut.expect::<Path>(Port::D).id().id;
    dut.send(Station::U1, lasting_path(&dut, Station::U1, k, s1));
    let of_host = dut.expect::<Path>(Port::D).id().id;
    dut.advance(4 * dut.r());
    let summaries = expect_summaries(&mut dut, Port::D);
    assert!(summaries.iter().any(|summary| summary.ids().contains(&of_host)));
    let group = g.flow().destination;
    for summary in summaries.iter().filter(|summary| summary.ids().contains(&of_group)) {
        assert_eq!(summary.sent.packet.destination, group, "{summary:?}");
    }
}

/// Srefreshes go to the next hop's address; one that comes to the group of all RSVP routers counts.
pub(crate) fn a_summary_refresh_goes_to_the_next_hop_and_may_come_for_all(lab: &Lab) {
    shows(&["rfc2961-5.3-11", "rfc2961-5.3-18"]);
    let mut dut = lab.brisk().router();
    let (h, g, s1) = (dut.h(), dut.g(), dut.s1());
    dut.befriend(&[Station::D1]);
    brief(&mut dut, h, 10);
    brief(&mut dut, g, 11);
    let lists = [list(&[10]), mcast_list(&[(11, s1.source(), g.flow().destination)])];
    for _ in 0..8 {
        dut.advance(dut.r());
        let packet = dut.pack(Station::U1, Srefresh { lists: lists.to_vec() });
        let destination: IpAddr = [224, 0, 0, 14].into();
        dut.send_packet(Station::U1, &Packet { destination, ..packet });
    }
    // The DUT has learnt who its next hop is.
    let summary = expect_summaries(&mut dut, Port::C).swap_remove(0);
    assert_eq!(summary.sent.packet.destination, dut.plan.station(Station::D1));
    dut.expect_no::<PathTear>(Port::C);
    assert_eq!(dut.acks(Station::U1), []);
}

/// On a point-to-point link the state of hosts and groups is in one Srefresh.
pub(crate) fn all_path_state_of_a_point_to_point_link_is_summed_up_together(lab: &Lab) {
    shows(&["rfc2961-5.3-13", "rfc2961-5.3-17"]);
    let mut dut = lab.brisk().point_to_point(Family::V4);
    let (g, s1) = (dut.g(), dut.s1());
    group_on(&mut dut, &[Station::D1]);
    let mut all = sessions(&dut, dut.h(), 30);
    all.extend(&sessions(&dut, g, 5)[1..]);
    announce(&mut dut, Station::U1, &all, s1);
    dut.advance(dut.r());
    dut.forget();
    dut.advance(3 * dut.r());
    let summaries = expect_summaries(&mut dut, Port::C);
    for summary in summaries {
        assert_eq!(summary.sent.packet.destination, dut.plan.station(Station::D1));
        let mut lengths = [0; 2];
        for list in &summary.message.lists {
            match &list.entries {
                IdEntries::Plain(ids) => lengths[0] += ids.len(),
                IdEntries::Groups(entries) => lengths[1] += entries.len(),
                IdEntries::Sources(_) => panic!("to a neighbour: {summary:?}"),
            }
        }
        assert_eq!(lengths, [30, 5]);
    }
}

/// All Resv state for one previous hop is in one Srefresh.
pub(crate) fn resv_state_for_one_previous_hop_is_summed_up_together(lab: &Lab) {
    shows(&["rfc2961-5.3-15"]);
    let mut dut = lab.brisk().router();
    dut.befriend(&[Station::U1, Station::D1]);
    let (sessions, s1) = (sessions(&dut, dut.h(), 40), dut.s1());
    announce(&mut dut, Station::U1, &sessions, s1);
    reserve(&mut dut, Station::D1, &sessions, s1);
    let told: BTreeSet<MessageId> = dut.all_of::<Resv>(Port::A, 40).iter().map(|resv| resv.id().id).collect();
    assert_eq!(told.len(), 40);
    dut.advance(dut.r());
    dut.forget();
    dut.advance(3 * dut.r());
    let summaries = dut.all::<Srefresh>(Port::A);
    assert!(summaries.iter().any(|summary| BTreeSet::from_iter(summary.ids()) == told), "{summaries:?}");
}

/// Of two lists in one Srefresh each counts under its own Epoch.
pub(crate) fn each_list_counts_under_its_own_epoch(lab: &Lab) {
    shows(&["rfc2961-5.3-16"]);
    let mut dut = lab.brisk().router();
    dut.befriend(&[Station::D1]);
    let (sessions, s1) = (sessions(&dut, dut.h(), 3), dut.s1());
    for (session, (epoch, id)) in sessions.iter().zip([(1, 1), (1, 2), (2, 7)]) {
        let id = FlaggedId::plain(MessageId { epoch, id });
        dut.send_id(Station::U1, lasting_path(&dut, Station::U1, *session, s1), id);
    }
    let own: BTreeSet<u32> = told(&mut dut, Port::C, 3).iter().map(|id| id.epoch).collect();
    let lists = |epochs: [u32; 2]| {
        let [one, other] = epochs;
        [IdList::new(one, IdEntries::Plain(vec![1, 2])), IdList::new(other, IdEntries::Plain(vec![7]))]
    };
    dut.send_srefresh(Station::U1, &lists([1, 2]));
    assert_eq!(dut.acks(Station::U1), []);
    dut.send_srefresh(Station::U1, &lists([2, 1]));
    let unknown = [(1, 7), (2, 1), (2, 2)].map(|(epoch, id)| nack_of(MessageId { epoch, id }));
    dut.expect_acks(Station::U1, &unknown);
    dut.advance(2 * dut.r());
    let summary = expect_summaries(&mut dut, Port::C).swap_remove(0);
    assert_eq!((summary.message.lists.len(), own.len()), (1, 1));
    assert_eq!(Some(&summary.message.lists[0].epoch), own.first());
}

/// Two hundred states are all kept alive by what one Srefresh lists, and all end without it.
pub(crate) fn every_identifier_that_comes_is_looked_up(lab: &Lab) {
    shows(&["rfc2961-5.3-18", "rfc2961-5.3-20"]);
    let mut dut = lab.brisk().router();
    let (sessions, s1) = (sessions(&dut, dut.h(), 200), dut.s1());
    let ids: Vec<u32> = (1..=200).collect();
    let path = |(session, id): (&SessionKey, &u32)| {
        dut.pack_id(Station::U1, dut.path(Station::U1, *session, s1), plain(*id))
    };
    let packets: Vec<_> = sessions.iter().zip(&ids).map(path).collect();
    send_bundles(&mut dut, Station::U1, &packets);
    dut.wait_for::<Path>(Port::C, 200);
    // The lifetime is 5.25 R.
    for _ in 0..8 {
        dut.advance(dut.r());
        dut.send_srefresh(Station::U1, &[list(&ids)]);
    }
    dut.expect_no::<PathTear>(Port::C);
    assert!(dut.all::<Path>(Port::C).len() >= 600, "D1 is refreshed, too");
    assert_eq!(dut.acks(Station::U1), []);
    dut.advance(6 * dut.r());
    assert_eq!(dut.all_of::<PathTear>(Port::C, 200).len(), 200);
}

/// Resv state is kept alive by Srefreshes alone, and ends without them.
pub(crate) fn resv_state_is_refreshed_as_path_state_is(lab: &Lab) {
    shows(&["rfc2961-5.3-18", "rfc2961-5.3-20"]);
    let mut dut = lab.brisk().router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.send(Station::U1, lasting_path(&dut, Station::U1, h, s1));
    dut.expect::<Path>(Port::C);
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send_id(Station::D1, resv, plain(10));
    for _ in 0..8 {
        dut.advance(dut.r());
        dut.send_srefresh(Station::D1, &[list(&[10])]);
    }
    dut.expect_no::<ResvTear>(Port::A);
    assert_eq!(dut.acks(Station::D1), []);
    dut.advance(6 * dut.r());
    dut.expect::<ResvTear>(Port::A);
}

/// An identifier of another neighbour, of another Epoch, or in the list of another kind of state names nothing.
pub(crate) fn an_identifier_counts_by_its_source_kind_and_epoch(lab: &Lab) {
    shows(&["rfc2961-5.3-19", "rfc2961-5.3-23"]);
    let mut dut = lab.router();
    let (h, g, s1) = (dut.h(), dut.g(), dut.s1());
    let group = g.flow().destination;
    dut.send_id(Station::U1, lasting_path(&dut, Station::U1, h, s1), plain(10));
    dut.send_id(Station::U1, lasting_path(&dut, Station::U1, g, s1), plain(11));
    dut.send_srefresh(Station::U2, &[list(&[10])]);
    dut.expect_acks(Station::U2, &[nack(10)]); // Another source.
    let other = IdList::new(EPOCH + 1, IdEntries::Plain(vec![10]));
    dut.send_srefresh(Station::U1, &[other]);
    dut.expect_acks(Station::U1, &[nack_of(MessageId { epoch: EPOCH + 1, id: 10 })]); // Another Epoch.
    dut.send_srefresh(Station::U1, &[list(&[11])]);
    dut.expect_acks(Station::U1, &[nack(11)]); // Path state of a group, in a LIST.
    dut.send_srefresh(Station::U1, &[mcast_list(&[(10, s1.source(), group)])]);
    dut.expect_acks(Station::U1, &[nack(10)]); // That of a host, in an MCAST_LIST.
    dut.send_srefresh_to(Station::U1, group, &[src_list(&[(10, s1.source())])]);
    dut.advance(Duration::from_secs(1));
    dut.expect_acks(Station::U1, &[nack(10)]); // That of a host, in a SRC_LIST.
    dut.send_srefresh(Station::U1, &[list(&[10]), mcast_list(&[(11, s1.source(), group)])]);
    dut.send_srefresh_to(Station::U1, group, &[src_list(&[(11, s1.source())])]);
    dut.advance(Duration::from_secs(1));
    assert_eq!(dut.acks(Station::U1), []);
}

/// Identifiers that are not known, or not any more, are said to be so, and refresh nothing; those beside them do.
pub(crate) fn what_is_not_found_is_said(lab: &Lab) {
    shows(&["rfc2961-5.3-21", "rfc2961-5.3-22"]);
    let mut dut = lab.brisk().router();
    let h = dut.h();
    brief(&mut dut, h, 10);
    for _ in 0..6 {
        dut.advance(dut.r());
        dut.send_srefresh(Station::U1, &[list(&[11, 10, 12])]);
        dut.expect_acks(Station::U1, &[nack(11), nack(12)]);
    }
    dut.expect_no::<PathTear>(Port::C);
    // A trigger takes the place of what was told before.
    let path = dut.path(Station::U1, h, dut.s1());
    let changed = Path { sender_tspec: tspec(3.0), ..path };
    dut.send_id(Station::U1, changed, plain(20));
    for _ in 0..2 {
        dut.advance(dut.r());
        dut.send_srefresh(Station::U1, &[list(&[20])]);
    }
    assert_eq!(dut.acks(Station::U1), []);
    dut.expect_no::<PathTear>(Port::C);
    for _ in 0..6 {
        dut.advance(dut.r());
        dut.send_srefresh(Station::U1, &[list(&[10])]);
        dut.expect_acks(Station::U1, &[nack(10)]);
    }
    dut.expect::<PathTear>(Port::C);
}

/// What is not known in a list of a group is said only where the sender's data would be forwarded.
pub(crate) fn only_who_would_forward_for_a_group_answers(lab: &Lab) {
    shows(&["rfc2961-5.3-24", "rfc2961-5.3-25", "rfc2961-5.3-26", "rfc2961-5.4-02"]);
    let mut dut = lab.router();
    let (group, s1) = (dut.g().flow().destination, dut.s1().source());
    let ask = |dut: &mut Dut, from: Station| {
        dut.send_srefresh_to(from, group, &[src_list(&[(5, s1)])]);
        dut.advance(Duration::from_millis(500));
        let to_group = dut.acks(from);
        dut.send_srefresh(from, &[mcast_list(&[(6, s1, group)])]);
        dut.advance(Duration::from_millis(500));
        let to_node = dut.acks(from);
        dut.expect_silence();
        [to_group, to_node]
    };
    // S1's packets to the group come in by a.
    assert_eq!(ask(&mut dut, Station::U1), [vec![nack(5)], vec![nack(6)]]);
    assert_eq!(ask(&mut dut, Station::U2), [vec![], vec![]]);
    dut.set_route(group, Some(s1), group_route(Port::B, &[Port::C]));
    assert_eq!(ask(&mut dut, Station::U1), [vec![], vec![]]);
    assert_eq!(ask(&mut dut, Station::U2), [vec![nack(5)], vec![nack(6)]]);
    dut.set_route(group, Some(s1), Route::default());
    assert_eq!(ask(&mut dut, Station::U1), [vec![], vec![]]);
    assert_eq!(ask(&mut dut, Station::U2), [vec![], vec![]]);
}

/// Srefreshes with any Epochs and identifiers neither make nor change nor end any state.
pub(crate) fn a_summary_refresh_changes_nothing(lab: &Lab) {
    shows(&["rfc2961-5.3-27"]);
    let mut dut = lab.router();
    let (h, g, s1) = (dut.h(), dut.g(), dut.s1());
    let group = g.flow().destination;
    dut.acknowledging(Station::U1);
    dut.acknowledging(Station::D1);
    dut.send_id(Station::U1, lasting_path(&dut, Station::U1, h, s1), plain(10));
    let path = Path { refresh_ms: 2000, ..dut.path(Station::U1, g, s1) };
    dut.send_id(Station::U1, path, plain(11));
    dut.send_id(Station::D1, lasting_resv(&dut, Station::D1, h, s1), plain(12));
    dut.expect::<Resv>(Port::A);
    dut.forget();
    let begin = dut.now();
    // The lifetime of what U1 said of the group.
    let end = begin + Duration::from_millis(10_500 + 1500);
    for n in 0_u32.. {
        if dut.now() > end {
            break;
        }
        let (epoch, id) = (n.wrapping_mul(0x9e37) & 0xff_ffff, n.wrapping_mul(0x9e37_79b9) | 0x100);
        for from in [Station::U1, Station::U2, Station::D1] {
            let lists = [
                IdList::new(epoch, IdEntries::Plain(vec![id, 10, 12])),
                IdList::new(
                    epoch,
                    IdEntries::Groups(vec![(id, s1.source(), group), (11, s1.source(), group)]),
                ),
            ];
            dut.send_srefresh(from, &lists);
        }
        dut.advance(Duration::from_millis(200));
    }
    let mut gone = 0;
    for message in Port::ALL.iter().flat_map(|port| dut.all::<Message>(*port)) {
        match message.message {
            Message::Ack => {}
            Message::PathTear(tear) => {
                assert_eq!(tear.session.key, g);
                gone += 1;
            }
            other => panic!("unexpected {other:?}"),
        }
    }
    assert_eq!(gone, 2, "it is not prolonged, where it had gone to");
    // What was there is there as it was.
    dut.forget();
    dut.send_srefresh(Station::U1, &[list(&[10])]);
    dut.send_srefresh(Station::D1, &[list(&[12])]);
    assert_eq!([dut.acks(Station::U1), dut.acks(Station::D1)], [vec![], vec![]]);
}
