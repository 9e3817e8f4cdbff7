//! RFC 2961 section 5.2: Srefresh messages.

use std::collections::{BTreeMap, BTreeSet};

use crate::bench::{
    Dut, Family, Lab, Packet, Port, Received, Station, ack, cl, ff, list, mcast_list, nack, object, plain,
    src_list, wanted,
};
use crate::shows;
use rsvp_core::config::SummaryRefresh;
use rsvp_core::wire::{
    Acknowledgement, ClassNum, FilterSpec, FlaggedId, Head, Header, IdEntries, IdList, MessageId,
    MessageType, Path, PathTear, RawMessage, RawObject, Resv, ResvTear, SessionKey, Srefresh, Style,
};

use super::dialogue::nack_of;
use super::{announce, expect_summaries, group_on, inconclusive, lasting_path, sessions};

/// A router that refreshes Path state by Srefresh messages to the sessions' destinations.
fn by_session(lab: &Lab) -> Dut {
    lab.brisk().reducing_with(|reduction| reduction.summary_refresh = SummaryRefresh::Session)
}

/// Path state of two unicast sessions at D1 and D2, Resv state at U1 and U2, and whatever else there is, all refreshed by
/// Srefresh messages; all that were sent in some periods.
fn all_summaries(mut dut: Dut) -> (Dut, Vec<Received<Srefresh>>) {
    let (h, s1, s2) = (dut.h(), dut.s1(), dut.s2());
    dut.befriend(&[Station::U1, Station::U2, Station::D1, Station::D2]);
    for session in [h, dut.k()] {
        dut.send(Station::U1, lasting_path(&dut, Station::U1, session, s1));
    }
    dut.send(Station::U2, lasting_path(&dut, Station::U2, h, s2));
    let both = [ff(cl(1.0), s1), ff(cl(1.0), s2)];
    let resv = dut.resv(Station::D1, h, Style::Ff, &both);
    dut.send(Station::D1, Resv { refresh_ms: 600_000, ..resv });
    dut.forget();
    dut.advance(3 * dut.r());
    let summaries: Vec<_> = Port::ALL.iter().flat_map(|port| dut.all::<Srefresh>(*port)).collect();
    if summaries.is_empty() {
        inconclusive("the device sends no Srefresh messages");
    }
    assert!(summaries.len() > 4, "{summaries:?}");
    (dut, summaries)
}

fn is_source_list(list: &IdList) -> bool {
    matches!(list.entries, IdEntries::Sources(_))
}

/// An Srefresh is of type 15 and has at least one list; one with several lists is taken.
pub(crate) fn a_summary_refresh_has_lists(lab: &Lab) {
    shows(&["rfc2961-5.2-01", "rfc2961-5.2-02"]);
    for dut in [lab.brisk().router(), by_session(lab)] {
        for summary in all_summaries(dut).1 {
            assert_eq!(summary.message_type(), MessageType(15));
            assert!(!summary.objects(ClassNum::MESSAGE_ID_LIST).is_empty());
        }
    }
    let mut dut = lab.router();
    let (sessions, s1) = (sessions(&dut, dut.h(), 3), dut.s1());
    let lists: Vec<IdList> = (0..3).map(|n| IdList::new(n, IdEntries::Plain(vec![7 + n, 70 + n]))).collect();
    for (session, n) in sessions.iter().zip(0..) {
        let id = FlaggedId::plain(MessageId { epoch: n, id: 7 + n });
        dut.send_id(Station::U1, lasting_path(&dut, Station::U1, *session, s1), id);
    }
    dut.forget();
    let packet = dut.pack(Station::U1, Srefresh { lists: lists.clone() });
    assert_eq!(packet.message[1], 15);
    dut.send_packet(Station::U1, &packet);
    let unknown = [0, 1, 2].map(|n| MessageId { epoch: n, id: 70 + n });
    dut.expect_acks(Station::U1, &unknown.map(nack_of));
}

/// An Srefresh with a LIST and an MCAST_LIST, for Path and Resv state, alone or in a Bundle, keeps all of it alive.
pub(crate) fn lists_for_a_neighbour_share_a_message(lab: &Lab) {
    shows(&["rfc2961-5.2-03", "rfc2961-5.2-05", "rfc2961-5.2-17"]);
    let mut dut = lab.brisk().router();
    let (h, g, s1) = (dut.h(), dut.g(), dut.s1());
    let group = g.flow().destination;
    let back = dut.session_towards_u1();
    let sender = FilterSpec::Ip { source: h.flow().destination, port: 9 };
    // U1 is the previous hop of H and G, and the next hop of the session that ends there.
    for (session, id) in [(h, 10), (g, 11)] {
        let path = dut.path(Station::U1, session, s1);
        dut.send_id(Station::U1, path, plain(id));
    }
    dut.send(Station::D1, lasting_path(&dut, Station::D1, back, sender));
    dut.expect::<Path>(Port::A);
    let resv = dut.resv(Station::U1, back, Style::Ff, &[ff(cl(1.0), sender)]);
    dut.send_id(Station::U1, resv, plain(12));
    assert_eq!(dut.expect::<Resv>(Port::C).message.session.key, back);
    dut.forget();
    let lists = [list(&[10, 12]), mcast_list(&[(11, s1.source(), group)])];
    for number in 0..8 {
        dut.advance(dut.r());
        let summary = dut.pack(Station::U1, Srefresh { lists: lists.to_vec() });
        if number % 2 == 0 {
            dut.send_packet(Station::U1, &summary);
        } else {
            let other = dut.plan.session(h.flow().destination, 6000);
            let path = dut.pack(Station::U1, lasting_path(&dut, Station::U1, other, s1));
            dut.send_bundle(Station::U1, &[summary, path]);
        }
    }
    assert_eq!(dut.acks(Station::U1), []);
    dut.expect_no::<PathTear>(Port::C);
    dut.expect_no::<ResvTear>(Port::C);
    let told = dut.all::<Path>(Port::C);
    assert!(told.iter().any(|path| path.message.session.key.flow().port == 6000), "the Path in the Bundle");
    // The lifetime is 5.25 R.
    dut.advance(6 * dut.r());
    assert_eq!(dut.all_of::<PathTear>(Port::C, 2).len(), 2);
    dut.expect::<ResvTear>(Port::C);
}

/// Srefreshes to a group on a LAN have SRC_LISTs alone, Router Alert and the HOP address; others have no SRC_LIST.
pub(crate) fn source_lists_stand_alone(lab: &Lab) {
    shows(&["rfc2961-5.2-04", "rfc2961-5.2-09", "rfc2961-5.2-10", "rfc2961-5.2-12", "rfc2961-5.3-17"]);
    for mut dut in [lab.brisk().router(), by_session(lab)] {
        group_on(&mut dut, &[Station::D2, Station::D3]);
        let (dut, summaries) = all_summaries(dut);
        let group = dut.g().flow().destination;
        let mut to_groups = 0;
        for summary in &summaries {
            let packet = &summary.sent.packet;
            let to_group = packet.destination == group;
            to_groups += usize::from(to_group);
            assert!(summary.message.lists.iter().all(|list| is_source_list(list) == to_group), "{summary:?}");
            assert!(
                !to_group || packet.router_alert && packet.source == dut.plan.dut(Port::D),
                "{summary:?}"
            );
        }
        assert!(to_groups > 0, "{summaries:?}");
    }
}

/// A SRC_LIST that comes to the device, or beside other lists, refreshes no state of a host, and draws no NACK for a group.
pub(crate) fn a_source_list_out_of_place_refreshes_nothing(lab: &Lab) {
    shows(&["rfc2961-5.2-04", "rfc2961-5.2-12"]);
    // Mixed, or sent to the neighbour: no unicast state is refreshed, no group is guessed.
    let mut dut = lab.brisk().router();
    let (h, s1) = (dut.h(), dut.s1());
    let path = dut.path(Station::U1, h, s1);
    dut.send_id(Station::U1, path, plain(10));
    for _ in 0..6 {
        dut.advance(dut.r());
        dut.send_srefresh(Station::U1, &[src_list(&[(10, s1.source()), (99, s1.source())])]);
        dut.send_srefresh_to(
            Station::U1,
            dut.g().flow().destination,
            &[list(&[98]), src_list(&[(10, s1.source())])],
        );
    }
    assert!(!dut.acks(Station::U1).contains(&nack(99)));
    dut.expect::<PathTear>(Port::C);
}

/// Where it is configured, Srefreshes for Path state go to the session's address with Router Alert, those for Resv
/// state to the previous hop.
pub(crate) fn path_state_is_refreshed_where_its_session_is(lab: &Lab) {
    shows(&["rfc2961-5.2-06", "rfc2961-5.2-14"]);
    let (mut dut, summaries) = all_summaries(by_session(lab));
    let destinations = [dut.h(), dut.k()].map(|key| key.flow().destination);
    for station in [Station::U1, Station::U2] {
        let address = dut.plan.station(station);
        assert!(summaries.iter().any(|it| it.sent.packet.destination == address), "Resv state");
    }
    let is_upstream = |it: &&Received<Srefresh>| matches!(it.sent.port, Port::A | Port::B);
    for summary in summaries.iter().filter(|it| !is_upstream(it)) {
        assert!(destinations.contains(&summary.sent.packet.destination), "{summary:?}");
        assert!(summary.sent.packet.router_alert);
    }
    for destination in destinations {
        assert!(summaries.iter().any(|it| it.sent.packet.destination == destination), "{destination}");
    }
    // Over IPv6, too.
    let mut v6 = lab.brisk().with(Family::V6, |config| {
        config.default_interface.reduction.summary_refresh = SummaryRefresh::Session;
    });
    let (h, s1) = (v6.h(), v6.s1());
    v6.befriend(&[Station::D1]);
    v6.send(Station::U1, lasting_path(&v6, Station::U1, h, s1));
    v6.advance(2 * v6.r());
    let summary = v6.expect::<Srefresh>(Port::C);
    assert!(summary.sent.packet.router_alert && summary.sent.packet.destination == h.flow().destination);
    dut.forget();
}

/// Srefreshes come from the HOP address; those to a neighbour have no Router Alert.
pub(crate) fn path_state_may_be_refreshed_at_the_next_hop(lab: &Lab) {
    shows(&["rfc2961-5.2-07", "rfc2961-5.2-15", "rfc2961-5.2-13"]);
    for (dut, is_by_session) in [(lab.brisk().router(), false), (by_session(lab), true)] {
        let (dut, summaries) = all_summaries(dut);
        let neighbours = Station::ALL.map(|station| dut.plan.station(station));
        for summary in &summaries {
            let packet = &summary.sent.packet;
            assert_eq!(packet.source, dut.plan.dut(summary.sent.port), "the HOP address");
            assert_eq!(packet.router_alert, !neighbours.contains(&packet.destination), "{summary:?}");
        }
        let learnt = if is_by_session { &[][..] } else { &[Station::D1, Station::D2] };
        for station in [Station::U1, Station::U2].iter().chain(learnt) {
            let address = dut.plan.station(*station);
            assert!(summaries.iter().any(|it| it.sent.packet.destination == address), "{station:?}");
        }
    }
}

/// Srefreshes for Resv state go to the previous hop that has it, and name what it was told.
pub(crate) fn resv_state_is_refreshed_at_its_previous_hop(lab: &Lab) {
    shows(&["rfc2961-5.2-08", "rfc2961-5.2-13"]);
    let mut dut = lab.brisk().router();
    let (h, s1, s2) = (dut.h(), dut.s1(), dut.s2());
    dut.befriend(&[Station::U1, Station::U2, Station::D1]);
    dut.send(Station::U1, lasting_path(&dut, Station::U1, h, s1));
    dut.send(Station::U2, lasting_path(&dut, Station::U2, h, s2));
    let both = [ff(cl(1.0), s1), ff(cl(1.0), s2)];
    let resv = dut.resv(Station::D1, h, Style::Ff, &both);
    dut.send(Station::D1, Resv { refresh_ms: 600_000, ..resv });
    let told = [Port::A, Port::B].map(|port| dut.expect::<Resv>(port).id().id);
    dut.advance(4 * dut.r());
    for ((port, station), id) in [(Port::A, Station::U1), (Port::B, Station::U2)].into_iter().zip(told) {
        for summary in expect_summaries(&mut dut, port) {
            assert_eq!(summary.ids(), [id]);
            assert_eq!(summary.sent.packet.destination, dut.plan.station(station));
            assert_eq!(summary.sent.packet.source, dut.plan.dut(port));
        }
    }
}

/// On a point-to-point link the state of hosts and of groups is listed to the next hop, and such an Srefresh is
/// understood.
pub(crate) fn a_next_hop_gets_lists_of_both_kinds(lab: &Lab) {
    shows(&["rfc2961-5.2-11"]);
    let mut dut = lab.brisk().point_to_point(Family::V4);
    let (h, s1) = (dut.h(), dut.s1());
    let of_group = group_on(&mut dut, &[Station::D1]).id().id;
    dut.send(Station::U1, lasting_path(&dut, Station::U1, h, s1));
    let of_host = dut.expect::<Path>(Port::C).id().id;
    dut.advance(3 * dut.r());
    let mut seen: BTreeMap<MessageId, bool> = BTreeMap::new();
    for summary in dut.all::<Srefresh>(Port::C) {
        assert_eq!(summary.sent.packet.destination, dut.plan.station(Station::D1));
        for list in &summary.message.lists {
            match &list.entries {
                IdEntries::Plain(ids) => {
                    seen.extend(ids.iter().map(|id| (MessageId { epoch: list.epoch, id: *id }, false)));
                }
                IdEntries::Groups(entries) => seen
                    .extend(entries.iter().map(|(id, ..)| (MessageId { epoch: list.epoch, id: *id }, true))),
                IdEntries::Sources(_) => panic!("SRC_LIST to a neighbour: {summary:?}"),
            }
        }
    }
    assert_eq!(seen, BTreeMap::from([(of_group, true), (of_host, false)]));
    // And the DUT takes both.
    dut.send_srefresh(
        Station::U1,
        &[list(&[1]), mcast_list(&[(2, s1.source(), dut.g().flow().destination)])],
    );
    dut.expect_acks(Station::U1, &[nack(1), nack(2)]);
}

/// The ids of many states are spread over Srefreshes that fit the MTU; one that comes may be larger.
pub(crate) fn a_summary_refresh_is_one_datagram(lab: &Lab) {
    shows(&["rfc2961-5.2-16", "rfc2961-5.2-18"]);
    let mut dut = lab.brisk().router();
    dut.befriend(&[Station::D1]);
    let (all, s1) = (sessions(&dut, dut.h(), 500), dut.s1());
    announce(&mut dut, Station::U1, &all, s1);
    let told: BTreeSet<SessionKey> =
        dut.all_of::<Path>(Port::C, all.len()).iter().map(|path| path.message.session.key).collect();
    assert_eq!(told.len(), all.len());
    dut.advance(4 * dut.r());
    let summaries = expect_summaries(&mut dut, Port::C);
    for summary in &summaries {
        assert!(summary.sent.packet.message.len() + 20 <= 1500, "one packet of the link");
    }
    let listed: BTreeSet<MessageId> = summaries.iter().flat_map(Received::ids).collect();
    assert_eq!(listed.len(), all.len());
}

/// An Srefresh of 9000 octets, which is more than a packet of the link holds, is read to its end.
pub(crate) fn a_summary_refresh_that_comes_may_be_larger_than_the_mtu(lab: &Lab) {
    shows(&["rfc2961-5.2-16"]);
    let mut dut = lab.router();
    let ids: Vec<u32> = (1..=2247).collect();
    let packet = dut.pack(Station::U1, Srefresh { lists: vec![list(&ids)] });
    assert!(packet.message.len() > 9000);
    dut.send_packet(Station::U1, &packet);
    dut.expect_acks(Station::U1, &ids.iter().map(|id| nack(*id)).collect::<Vec<_>>());
}

/// INTEGRITY, acknowledgements and MESSAGE_ID may stand before the lists, and do in what is sent.
pub(crate) fn what_stands_before_the_lists(lab: &Lab) {
    shows(&["rfc2961-5.2-19", "rfc2961-5.2-20"]);
    let mut dut = lab.brisk().router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.befriend(&[Station::D1]);
    dut.send_id(Station::U1, lasting_path(&dut, Station::U1, h, s1), plain(10));
    let told = dut.expect::<Path>(Port::C).id().id;
    // INTEGRITY, an ack, an id, a list.
    let integrity = object(4, 1, &[0; 24]);
    let head = Head {
        acknowledgements: vec![Acknowledgement::Ack(FlaggedId::plain(told))],
        message_id: Some(wanted(900)),
    };
    let packet = dut.pack_with(Station::U1, Srefresh { lists: vec![list(&[10, 999])] }, &head);
    let raw = RawMessage::decode(&packet.message).expect("it was encoded just now");
    let header = Header { flags: 0, send_ttl: 64 };
    let objects: Vec<RawObject> =
        std::iter::once(integrity).chain(raw.objects.into_iter().map(|placed| placed.object)).collect();
    let raw = RawMessage::new(MessageType::SREFRESH, header, objects).expect("it is short");
    let mut message = Vec::new();
    raw.encode(&mut message).expect("it is short");
    dut.send_packet(Station::U1, &Packet { message, ..packet });
    // It has come; 10 is known, 999 is not.
    dut.expect_acks(Station::U1, &[ack(900), nack(999)]);
    // What the DUT puts in front, while there is something that waits to be taken along.
    let brisk = lab.brisk();
    let mut dut = brisk.reducing_with(|reduction| {
        reduction.ack_delay = 2 * brisk.r();
        reduction.retransmit_interval = 4 * brisk.r();
    });
    dut.befriend(&[Station::D1]);
    dut.send(Station::U1, lasting_path(&dut, Station::U1, h, s1));
    dut.expect::<Path>(Port::C);
    dut.send_srefresh(Station::D1, &[list(&[77])]);
    dut.advance(dut.r() * 3 / 2);
    let summary = expect_summaries(&mut dut, Port::C).swap_remove(0);
    if summary.head.acknowledgements.is_empty() {
        inconclusive("no message of the device takes acknowledgements along");
    }
    assert_eq!(summary.head.acknowledgements, [nack(77)]);
    let place = |class: &u8| [24, 23, 25].iter().position(|it| it == class);
    assert!(summary.classes().is_sorted_by_key(place), "{:?}", summary.classes());
}
