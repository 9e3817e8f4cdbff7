//! RFC 2961 section 5.3: summary refreshes, sent and received.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use conformance::bench::{
    Dut, EPOCH, Family, Lab, Packet, Port, R, Received, Station, group_route, list, mcast_list, nack, plain,
    src_list, tspec,
};
use conformance::shows;
use rsvp_core::config::SummaryRefresh;
use rsvp_core::input::{NextHop, Route};
use rsvp_core::wire::{
    FlaggedId, IdEntries, IdList, Message, MessageId, Path, PathTear, Resv, ResvTear, SessionKey, Srefresh,
};

use crate::{
    announce, group_on, lasting_path, lasting_resv, longest_gap, refresh_times, reserve, sessions, via,
};

/// The upper end of the jitter of RFC 2205 section 3.7, and what passes until a message leaves.
const LONGEST: Duration = Duration::from_millis(45_100);

/// A Path with an id and an R of 2 s from U1: it lives for 10.5 s.
fn brief(dut: &mut Dut, session: SessionKey, id: u32) {
    let path = dut.path(Station::U1, session, dut.s1());
    dut.send_id(Station::U1, Path { refresh_ms: 2000, ..path }, plain(id));
    assert_eq!(dut.expect::<Path>(Port::C).message.refresh_ms, 30_000);
}

/// The ids of the Paths that were sent out of a port.
fn told(dut: &mut Dut, port: Port) -> BTreeSet<MessageId> {
    dut.all::<Path>(port).iter().map(|path| path.id().id).collect()
}

#[test]
fn summary_refreshes_take_the_place_of_standard_ones() {
    shows(&["rfc2961-5.3-01", "rfc2961-5.3-06", "rfc2961-5.3-07"]);
    let mut dut = Lab::in_process().router();
    dut.befriend(&[Station::U1, Station::D1]);
    let (h, s1) = (dut.h(), dut.s1());
    dut.send(Station::U1, lasting_path(&dut, Station::U1, h, s1));
    dut.send(Station::D1, lasting_resv(&dut, Station::D1, h, s1));
    dut.advance(30 * R);
    let paths = dut.all::<Path>(Port::C);
    assert_eq!((paths.len(), dut.all::<Resv>(Port::A).len()), (1, 1), "no standard refresh");
    let times = refresh_times(&paths, &dut.all::<Srefresh>(Port::C), h);
    assert!(longest_gap(&times) <= LONGEST);
    let mean = times[times.len() - 1].since(times[0]).as_secs_f64() / (times.len() - 1) as f64;
    assert!((22.0..=33.0).contains(&mean), "about every 30 s: {mean}");
    let upstream: Vec<_> = dut.all::<Srefresh>(Port::A).iter().map(|it| it.sent.at).collect();
    assert!(longest_gap(&upstream) <= LONGEST);
}

#[test]
fn a_states_period_stays_what_it_was() {
    shows(&["rfc2961-5.3-02", "rfc2961-5.3-20"]);
    let mut dut = Lab::in_process().router();
    let h = dut.h();
    brief(&mut dut, h, 10);
    // Srefreshes come in another rhythm than R: now two in a second, now none for 8 s.
    for _ in 0..13 {
        dut.send_srefresh(Station::U1, &[list(&[10])]);
        dut.advance(Duration::from_millis(500));
        dut.send_srefresh(Station::U1, &[list(&[10])]);
        dut.advance(Duration::from_secs(8));
    }
    assert!(dut.all::<Path>(Port::C).len() >= 2, "and D1 is told as before");
    dut.expect_no::<PathTear>(Port::C);
    let last = dut.now();
    dut.send_srefresh(Station::U1, &[list(&[10])]);
    dut.advance(Duration::from_secs(20));
    let lived = dut.expect::<PathTear>(Port::C).sent.at.since(last);
    let lifetime = Duration::from_millis(10_500);
    assert!(lived >= lifetime && lived <= lifetime + Duration::from_secs(1), "{lived:?}");
    assert_eq!(dut.acks(Station::U1), []);
}

#[test]
fn as_much_as_possible_is_summed_up_in_one_message() {
    shows(&["rfc2961-5.3-03", "rfc2961-5.3-04", "rfc2961-5.3-09", "rfc2961-5.3-14"]);
    let mut dut = Lab::in_process().router();
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
    let told = [told(&mut dut, Port::C), told(&mut dut, Port::D)];
    dut.advance(R);
    dut.forget();
    dut.advance(5 * R);
    for ((port, station), told) in [(Port::C, Station::D1), (Port::D, Station::D2)].into_iter().zip(told) {
        let summaries = dut.all::<Srefresh>(port);
        assert!(summaries.len() >= 3);
        for summary in summaries {
            assert_eq!(BTreeSet::from_iter(summary.ids()), told, "all of them, each time, and no other");
            assert_eq!(summary.sent.packet.destination, dut.plan.station(station));
            assert_eq!(summary.sent.packet.source, dut.plan.dut(port));
        }
    }
}

#[test]
fn no_state_times_out_at_the_next_hop() {
    shows(&["rfc2961-5.3-05"]);
    let mut dut = Lab::in_process().router();
    dut.befriend(&[Station::D1]);
    let (sessions, s1) = (sessions(&dut, dut.h(), 5), dut.s1());
    announce(&mut dut, Station::U1, &sessions, s1);
    // The Paths live for 52 minutes.
    dut.advance(100 * R);
    let (paths, summaries) = (dut.all::<Path>(Port::C), dut.all::<Srefresh>(Port::C));
    let lifetime = R * 7 / 2 * 3 / 2;
    for session in &sessions {
        let times = refresh_times(&paths, &summaries, *session);
        assert!(longest_gap(&times) <= LONGEST);
        let without_third: Vec<_> =
            times.iter().enumerate().filter(|(number, _)| number % 3 != 2).map(|(_, at)| *at).collect();
        assert!(longest_gap(&without_third) < lifetime, "one in three lost");
    }
}

#[test]
fn a_group_is_summed_up_for_those_who_have_it() {
    shows(&["rfc2961-5.3-05"]);
    let mut dut = Lab::in_process().router();
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
    dut.advance(4 * R);
    dut.expect_no::<Srefresh>(Port::D);
    let before = dut.all::<Path>(Port::D);
    assert!(before.len() >= 4, "it is told as a whole, again and again");
    dut.send_ack(Station::D3, before[0].id().id);
    dut.advance(2 * R);
    assert!(!dut.all::<Srefresh>(Port::D).is_empty());
}

/// All Srefreshes for Path state of three sessions of two destinations, both behind D1.
fn of_two_destinations(summary_refresh: SummaryRefresh) -> (Dut, Vec<Received<Srefresh>>, Vec<MessageId>) {
    let mut dut = Lab::in_process().reducing_with(|reduction| reduction.summary_refresh = summary_refresh);
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
    dut.advance(6 * R);
    let summaries = dut.all::<Srefresh>(Port::C);
    assert!(dut.all::<Path>(Port::C).is_empty() && summaries.len() >= 3);
    (dut, summaries, ids)
}

#[test]
fn one_message_covers_one_destination_or_one_neighbour() {
    shows(&["rfc2961-5.3-08", "rfc2961-5.3-12"]);
    let (dut, summaries, ids) = of_two_destinations(SummaryRefresh::Session);
    let mut seen = BTreeSet::new();
    for summary in summaries {
        let of_x = summary.sent.packet.destination == dut.h().flow().destination;
        assert!(of_x || summary.sent.packet.destination == dut.plan.address(7, 8), "{summary:?}");
        let expected = if of_x { &ids[..2] } else { &ids[2..] };
        assert!(summary.ids().iter().all(|id| expected.contains(id)), "{summary:?}");
        seen.extend(summary.ids());
    }
    assert_eq!(seen.len(), 3);
    let (dut, summaries, ids) = of_two_destinations(SummaryRefresh::Neighbor);
    let last = summaries.last().expect("there are some");
    assert_eq!(last.sent.packet.destination, dut.plan.station(Station::D1));
    assert_eq!(BTreeSet::from_iter(last.ids()), BTreeSet::from_iter(ids));
}

#[test]
fn nothing_is_summed_up_for_neighbours_who_may_not_be_there() {
    shows(&["rfc2961-5.3-10"]);
    let mut dut = Lab::in_process().reducing();
    let (h, s1) = (dut.h(), dut.s1());
    let hop = NextHop { interface: Port::C.interface(), gateway: Some(dut.plan.address(3, 9)) };
    dut.set_route(h.flow().destination, None, Route { outgoing: vec![hop], ..Route::default() });
    dut.befriend(&[Station::D1]);
    dut.send(Station::U1, lasting_path(&dut, Station::U1, h, s1));
    let of_group = group_on(&mut dut, &[Station::D2, Station::D3]).id().id;
    dut.advance(5 * R);
    let group = dut.g().flow().destination;
    for summary in Port::ALL.iter().flat_map(|port| dut.all::<Srefresh>(*port)) {
        assert_eq!(summary.sent.packet.destination, group, "{summary:?}");
        assert_eq!(summary.ids(), [of_group]);
    }
}

#[test]
fn a_summary_refresh_goes_to_the_next_hop_and_may_come_for_all() {
    shows(&["rfc2961-5.3-11", "rfc2961-5.3-18"]);
    let mut dut = Lab::in_process().router();
    let (h, g, s1) = (dut.h(), dut.g(), dut.s1());
    dut.befriend(&[Station::D1]);
    brief(&mut dut, h, 10);
    brief(&mut dut, g, 11);
    let lists = [list(&[10]), mcast_list(&[(11, s1.source(), g.flow().destination)])];
    for _ in 0..25 {
        dut.advance(Duration::from_secs(2));
        let packet = dut.pack(Station::U1, Srefresh { lists: lists.to_vec() });
        let destination: IpAddr = [224, 0, 0, 14].into();
        dut.send_packet(Station::U1, &Packet { destination, ..packet });
    }
    // The DUT has learnt who its next hop is.
    assert_eq!(dut.expect::<Srefresh>(Port::C).sent.packet.destination, dut.plan.station(Station::D1));
    dut.expect_no::<PathTear>(Port::C);
    assert_eq!(dut.acks(Station::U1), []);
}

#[test]
fn all_path_state_of_a_point_to_point_link_is_summed_up_together() {
    shows(&["rfc2961-5.3-13", "rfc2961-5.3-17"]);
    let mut dut = Lab::in_process().point_to_point(Family::V4);
    let (g, s1) = (dut.g(), dut.s1());
    group_on(&mut dut, &[Station::D1]);
    let mut all = sessions(&dut, dut.h(), 30);
    all.extend(&sessions(&dut, g, 5)[1..]);
    announce(&mut dut, Station::U1, &all, s1);
    dut.advance(R);
    dut.forget();
    dut.advance(4 * R);
    let summaries = dut.all::<Srefresh>(Port::C);
    assert!(summaries.len() >= 2);
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
    let mut dut = Lab::in_process().router();
    group_on(&mut dut, &[Station::D2, Station::D3]);
    dut.advance(4 * R);
    let summaries = dut.all::<Srefresh>(Port::D);
    assert!(!summaries.is_empty());
    for summary in summaries {
        assert_eq!(summary.sent.packet.destination, g.flow().destination);
        assert!(summary.message.lists.iter().all(|list| matches!(list.entries, IdEntries::Sources(_))));
    }
}

#[test]
fn resv_state_for_one_previous_hop_is_summed_up_together() {
    shows(&["rfc2961-5.3-15"]);
    let mut dut = Lab::in_process().router();
    dut.befriend(&[Station::U1, Station::D1]);
    let (sessions, s1) = (sessions(&dut, dut.h(), 40), dut.s1());
    announce(&mut dut, Station::U1, &sessions, s1);
    reserve(&mut dut, Station::D1, &sessions, s1);
    let told: BTreeSet<MessageId> = dut.all::<Resv>(Port::A).iter().map(|resv| resv.id().id).collect();
    assert_eq!(told.len(), 40);
    dut.advance(R);
    dut.forget();
    dut.advance(3 * R);
    let summaries = dut.all::<Srefresh>(Port::A);
    assert!(summaries.iter().any(|summary| BTreeSet::from_iter(summary.ids()) == told), "{summaries:?}");
}

#[test]
fn each_list_counts_under_its_own_epoch() {
    shows(&["rfc2961-5.3-16"]);
    let mut dut = Lab::in_process().router();
    dut.befriend(&[Station::D1]);
    let (sessions, s1) = (sessions(&dut, dut.h(), 3), dut.s1());
    for (session, (epoch, id)) in sessions.iter().zip([(1, 1), (1, 2), (2, 7)]) {
        let id = FlaggedId::plain(MessageId { epoch, id });
        dut.send_id(Station::U1, lasting_path(&dut, Station::U1, *session, s1), id);
    }
    let own: BTreeSet<u32> = told(&mut dut, Port::C).iter().map(|id| id.epoch).collect();
    let lists = |epochs: [u32; 2]| {
        let [one, other] = epochs;
        [IdList::new(one, IdEntries::Plain(vec![1, 2])), IdList::new(other, IdEntries::Plain(vec![7]))]
    };
    dut.send_srefresh(Station::U1, &lists([1, 2]));
    assert_eq!(dut.acks(Station::U1), []);
    dut.send_srefresh(Station::U1, &lists([2, 1]));
    let mut nacks: Vec<_> = dut.acks(Station::U1).iter().map(|nack| nack.id()).collect();
    nacks.sort_unstable();
    assert_eq!(nacks, [(1, 7), (2, 1), (2, 2)].map(|(epoch, id)| MessageId { epoch, id }));
    dut.advance(2 * R);
    let summary = dut.expect::<Srefresh>(Port::C);
    assert_eq!((summary.message.lists.len(), own.len()), (1, 1));
    assert_eq!(Some(&summary.message.lists[0].epoch), own.first());
}

#[test]
fn every_identifier_that_comes_is_looked_up() {
    shows(&["rfc2961-5.3-18", "rfc2961-5.3-20"]);
    let mut dut = Lab::in_process().router();
    let (sessions, s1) = (sessions(&dut, dut.h(), 200), dut.s1());
    let ids: Vec<u32> = (1..=200).collect();
    let path = |(session, id): (&SessionKey, &u32)| {
        let path = Path { refresh_ms: 4000, ..dut.path(Station::U1, *session, s1) };
        dut.pack_id(Station::U1, path, plain(*id))
    };
    let packets: Vec<_> = sessions.iter().zip(&ids).map(path).collect();
    dut.send_bundle(Station::U1, &packets);
    assert_eq!(dut.all::<Path>(Port::C).len(), 200);
    // The lifetime is 21 s.
    for _ in 0..26 {
        dut.advance(Duration::from_secs(4));
        dut.send_srefresh(Station::U1, &[list(&ids)]);
    }
    dut.expect_no::<PathTear>(Port::C);
    assert!(dut.all::<Path>(Port::C).len() >= 400, "D1 is refreshed, too");
    assert_eq!(dut.acks(Station::U1), []);
    dut.advance(Duration::from_secs(25));
    assert_eq!(dut.all::<PathTear>(Port::C).len(), 200);
}

#[test]
fn resv_state_is_refreshed_as_path_state_is() {
    shows(&["rfc2961-5.3-18", "rfc2961-5.3-20"]);
    let mut dut = Lab::in_process().unicast(1);
    let (h, s1) = (dut.h(), dut.s1());
    let path = lasting_path(&dut, Station::U1, h, s1);
    dut.send(Station::U1, path);
    let resv = Resv { refresh_ms: 2000, ..lasting_resv(&dut, Station::D1, h, s1) };
    dut.send_id(Station::D1, resv, plain(10));
    for _ in 0..20 {
        dut.advance(Duration::from_secs(2));
        dut.send_srefresh(Station::D1, &[list(&[10])]);
    }
    dut.expect_no::<ResvTear>(Port::A);
    assert_eq!(dut.acks(Station::D1), []);
    dut.advance(Duration::from_secs(12));
    dut.expect::<ResvTear>(Port::A);
}

#[test]
fn an_identifier_counts_by_its_source_kind_and_epoch() {
    shows(&["rfc2961-5.3-19", "rfc2961-5.3-23"]);
    let mut dut = Lab::in_process().router();
    let (h, g, s1) = (dut.h(), dut.g(), dut.s1());
    let group = g.flow().destination;
    dut.send_id(Station::U1, lasting_path(&dut, Station::U1, h, s1), plain(10));
    dut.send_id(Station::U1, lasting_path(&dut, Station::U1, g, s1), plain(11));
    dut.send_srefresh(Station::U2, &[list(&[10])]);
    assert_eq!(dut.acks(Station::U2), [nack(10)], "another source");
    let other = IdList::new(EPOCH + 1, IdEntries::Plain(vec![10]));
    dut.send_srefresh(Station::U1, &[other]);
    let wrong: Vec<MessageId> = dut.acks(Station::U1).iter().map(|nack| nack.id()).collect();
    assert_eq!(wrong, [MessageId { epoch: EPOCH + 1, id: 10 }], "another Epoch");
    dut.send_srefresh(Station::U1, &[list(&[11])]);
    assert_eq!(dut.acks(Station::U1), [nack(11)], "Path state of a group, in a LIST");
    dut.send_srefresh(Station::U1, &[mcast_list(&[(10, s1.source(), group)])]);
    assert_eq!(dut.acks(Station::U1), [nack(10)], "that of a host, in an MCAST_LIST");
    dut.send_srefresh_to(Station::U1, group, &[src_list(&[(10, s1.source())])]);
    dut.advance(Duration::from_secs(1));
    assert_eq!(dut.acks(Station::U1), [nack(10)], "that of a host, in a SRC_LIST");
    dut.send_srefresh(Station::U1, &[list(&[10]), mcast_list(&[(11, s1.source(), group)])]);
    dut.send_srefresh_to(Station::U1, group, &[src_list(&[(11, s1.source())])]);
    dut.advance(Duration::from_secs(1));
    assert_eq!(dut.acks(Station::U1), []);
}

#[test]
fn what_is_not_found_is_said() {
    shows(&["rfc2961-5.3-21", "rfc2961-5.3-22"]);
    let mut dut = Lab::in_process().router();
    let h = dut.h();
    brief(&mut dut, h, 10);
    for _ in 0..10 {
        dut.advance(Duration::from_secs(2));
        dut.send_srefresh(Station::U1, &[list(&[11, 10, 12])]);
        let mut nacks = dut.acks(Station::U1);
        nacks.sort_by_key(|nack| nack.id());
        assert_eq!(nacks, [nack(11), nack(12)]);
    }
    dut.expect_no::<PathTear>(Port::C);
    // A trigger takes the place of what was told before.
    let path = dut.path(Station::U1, h, dut.s1());
    let changed = Path { refresh_ms: 2000, sender_tspec: tspec(3.0), ..path };
    dut.send_id(Station::U1, changed, plain(20));
    for _ in 0..10 {
        dut.advance(Duration::from_secs(2));
        dut.send_srefresh(Station::U1, &[list(&[20])]);
    }
    assert_eq!(dut.acks(Station::U1), []);
    dut.expect_no::<PathTear>(Port::C);
    for _ in 0..6 {
        dut.advance(Duration::from_secs(2));
        dut.send_srefresh(Station::U1, &[list(&[10])]);
        assert_eq!(dut.acks(Station::U1), [nack(10)]);
    }
    dut.expect::<PathTear>(Port::C);
}

#[test]
fn only_who_would_forward_for_a_group_answers() {
    shows(&["rfc2961-5.3-24", "rfc2961-5.3-25", "rfc2961-5.3-26", "rfc2961-5.4-02"]);
    let mut dut = Lab::in_process().router();
    let (group, s1) = (dut.g().flow().destination, dut.s1().source());
    let ask = |dut: &mut Dut, from: Station| {
        dut.send_srefresh_to(from, group, &[src_list(&[(5, s1)])]);
        dut.advance(Duration::from_secs(1));
        let to_group = dut.acks(from);
        dut.send_srefresh(from, &[mcast_list(&[(6, s1, group)])]);
        dut.advance(Duration::from_secs(1));
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

#[test]
fn a_summary_refresh_changes_nothing() {
    shows(&["rfc2961-5.3-27"]);
    let mut dut = Lab::in_process().router();
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
    for n in 0..26_u32 {
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
    for message in Port::ALL.iter().flat_map(|port| dut.all::<Message>(*port)) {
        match message.message {
            Message::Ack => {}
            Message::PathTear(tear) => {
                assert_eq!(tear.session.key, g);
                assert!(message.sent.at.since(begin) <= Duration::from_secs(12), "not prolonged");
            }
            other => panic!("unexpected {other:?}"),
        }
    }
    // What was there is there as it was.
    dut.forget();
    dut.send_srefresh(Station::U1, &[list(&[10])]);
    dut.send_srefresh(Station::D1, &[list(&[12])]);
    assert_eq!([dut.acks(Station::U1), dut.acks(Station::D1)], [vec![], vec![]]);
}
