//! RFC 2961 sections 5.4 to 5.6: NACKs, soft state, compatibility.

use std::time::Duration;

use crate::bench::{Dut, Lab, Port, Received, Station, plain};
use crate::shows;
use rsvp_core::config::SummaryRefresh;
use rsvp_core::input::{NextHop, Route};
use rsvp_core::wire::{IdEntries, IdList, Message, MessageId, Path, PathTear, Resv, Srefresh};

use super::dialogue::nack_of;
use super::{announce, expect_summaries, lasting_path, lasting_resv, sessions};

/// Path state of S1 for H at D1 and Resv state at U1, both told with ids and acknowledged.
fn told(dut: &mut Dut) -> (Received<Path>, Received<Resv>) {
    let (h, s1) = (dut.h(), dut.s1());
    dut.befriend(&[Station::U1, Station::D1]);
    dut.send(Station::U1, lasting_path(dut, Station::U1, h, s1));
    dut.send(Station::D1, lasting_resv(dut, Station::D1, h, s1));
    dut.advance(Duration::from_secs(1));
    let told = (dut.expect::<Path>(Port::C), dut.expect::<Resv>(Port::A));
    dut.forget();
    told
}

/// A NACK has the very Epoch and identifier that were listed.
pub(crate) fn a_nack_names_what_was_listed(lab: &Lab) {
    shows(&["rfc2961-5.4-01"]);
    let mut dut = lab.router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.send_id(Station::U1, lasting_path(&dut, Station::U1, h, s1), plain(10));
    let unknown = MessageId { epoch: 0x0065_4321, id: 0xdead_beef };
    dut.send_srefresh(Station::U1, &[IdList::new(unknown.epoch, IdEntries::Plain(vec![unknown.id]))]);
    dut.expect_acks(Station::U1, &[nack_of(unknown)]);
}

/// On a NACK the whole Path or Resv is sent again at once; on one that names nothing, nothing is.
pub(crate) fn what_is_not_there_is_told_again(lab: &Lab) {
    shows(&["rfc2961-5.4-03", "rfc2961-5.4-04", "rfc2961-5.4-06"]);
    let mut dut = lab.router();
    let (path, resv) = told(&mut dut);
    let before = dut.now();
    dut.send_nack(Station::D1, path.id().id);
    let again = dut.expect::<Path>(Port::C);
    assert_eq!(again.message, path.message);
    assert_eq!(again.sent.packet.destination, path.sent.packet.destination);
    assert!(again.sent.at.since(before) <= Duration::from_millis(100) + dut.timing.slack);
    dut.send_nack(Station::U1, resv.id().id);
    let again = dut.expect::<Resv>(Port::A);
    assert_eq!(again.message, resv.message);
    assert_eq!(again.sent.packet.destination, dut.plan.station(Station::U1));
    dut.forget();
    let MessageId { epoch, id } = path.id().id;
    for unknown in [MessageId { epoch, id: id + 1000 }, MessageId { epoch: epoch ^ 1, id }] {
        for station in [Station::D1, Station::U1] {
            dut.send_nack(station, unknown);
            dut.expect_silence();
        }
    }
    // Of state that is gone.
    let (h, s1) = (dut.h(), dut.s1());
    dut.send(Station::U1, dut.path_tear(Station::U1, h, s1));
    dut.expect::<PathTear>(Port::C);
    dut.advance(Duration::from_secs(1));
    dut.forget();
    dut.send_nack(Station::D1, id_of(&path));
    dut.send_nack(Station::U1, resv.id().id);
    dut.expect_silence();
}

fn id_of(path: &Received<Path>) -> MessageId {
    path.id().id
}

/// On a NACK of one state out of several, that one alone is sent again.
pub(crate) fn only_what_is_not_there_is_told_again(lab: &Lab) {
    shows(&["rfc2961-5.4-05"]);
    let mut dut = lab.router();
    dut.befriend(&[Station::D1, Station::D2]);
    let (mut all, s1) = (sessions(&dut, dut.h(), 3), dut.s1());
    all.push(dut.k());
    announce(&mut dut, Station::U1, &all, s1);
    let paths = dut.all_of::<Path>(Port::C, 3);
    dut.advance(Duration::from_secs(1));
    dut.forget();
    dut.send_nack(Station::D1, id_of(&paths[1]));
    let again = dut.expect::<Path>(Port::C);
    assert_eq!(again.message, paths[1].message);
    dut.expect_silence();
}

/// A NACK of what is not acknowledged yet neither ends its delivery nor the state.
pub(crate) fn a_nack_is_no_acknowledgement(lab: &Lab) {
    shows(&["rfc2961-5.4-07"]);
    let mut dut = lab.brisk().router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.introduce(Station::D1);
    dut.send(Station::U1, lasting_path(&dut, Station::U1, h, s1));
    let path = dut.expect::<Path>(Port::C);
    dut.send_nack(Station::D1, id_of(&path));
    dut.advance(Duration::from_secs(4));
    let again = dut.all::<Path>(Port::C);
    assert!(!again.is_empty() && again.iter().all(|it| it.message == path.message));
    dut.expect_no::<PathTear>(Port::C);
    dut.acknowledging(Station::D1);
    dut.advance(2 * dut.r());
    assert!(!dut.all::<Path>(Port::C).is_empty() || !dut.all::<Srefresh>(Port::C).is_empty());
}

/// An Srefresh to the session's address may draw a NACK from a new next hop, which then gets the whole Path the same
/// way.
pub(crate) fn a_route_change_that_nobody_noticed_is_repaired(lab: &Lab) {
    shows(&["rfc2961-5.4-08"]);
    let mut dut = lab.brisk().reducing_with(|reduction| reduction.summary_refresh = SummaryRefresh::Session);
    let (k, s1) = (dut.k(), dut.s1());
    dut.befriend(&[Station::D2, Station::D3]);
    dut.send(Station::U1, lasting_path(&dut, Station::U1, k, s1));
    let path = dut.expect::<Path>(Port::D);
    dut.advance(2 * dut.r());
    let summary = dut.expect::<Srefresh>(Port::D);
    // The network hands it on to D3 unseen: it goes to the session, with Router Alert.
    assert_eq!(summary.sent.packet.destination, k.flow().destination);
    assert!(summary.sent.packet.router_alert);
    dut.forget();
    dut.send_nack(Station::D3, id_of(&path));
    let again = dut.expect::<Path>(Port::D);
    assert_eq!(again.message, path.message);
    assert_eq!(again.sent.packet.destination, k.flow().destination, "it goes the same way as the summary");
}

/// How many times a state is summed up between one whole refresh of it and the next, at each of its neighbours, if it is
/// refreshed wholly every `every` times, and how often that was. No period has both.
fn between_whole_refreshes(lab: &Lab, every: u32, periods: u32) -> (Vec<u32>, usize) {
    let mut dut = lab.brisk().reducing_with(|reduction| reduction.full_refresh = every);
    let (path, resv) = told(&mut dut);
    dut.advance(periods * dut.r());
    let shortest = dut.r() / 2 - Duration::from_millis(100) - dut.timing.slack;
    let (mut counts, mut whole) = (Vec::new(), 0);
    for (port, id) in [(Port::C, path.id().id), (Port::A, resv.id().id)] {
        let (mut last, mut summed) = (None, None);
        for message in dut.all::<Message>(port) {
            let is_whole = match &message.message {
                Message::Path(_) | Message::Resv(_) => true,
                Message::Srefresh(_) => false,
                _ => continue,
            };
            let at = message.sent.at;
            let is_soon = last.replace(at).is_some_and(|before| at.since(before) < shortest);
            assert!(!is_soon, "two in one period");
            if is_whole {
                assert_eq!(message.id().id, id, "a refresh");
                whole += 1;
                counts.extend(summed.replace(0));
            } else if let Some(summed) = &mut summed {
                *summed += 1;
            }
        }
    }
    (counts, whole)
}

/// Where it is configured, one refresh in so many is whole, and no state is refreshed both ways in one period.
pub(crate) fn whole_refreshes_go_between_the_summaries(lab: &Lab) {
    shows(&["rfc2961-5.5-02", "rfc2961-5.5-03", "rfc2961-5.5-04"]);
    assert_eq!(between_whole_refreshes(lab, 0, 3).1, 0, "none where none are configured");
    for (every, periods) in [(2, 9), (4, 14)] {
        let (counts, _) = between_whole_refreshes(lab, every, periods);
        assert!(!counts.is_empty(), "there are whole refreshes");
        assert!(counts.iter().all(|count| count.abs_diff(every) <= 1), "one in {every}: {counts:?}");
    }
}

/// Until the next hop says that it is capable, refreshes are whole Paths.
pub(crate) fn standard_refreshes_go_to_who_is_not_known(lab: &Lab) {
    shows(&["rfc2961-5.6-01"]);
    let mut dut = lab.brisk().reducing();
    let (h, s1) = (dut.h(), dut.s1());
    dut.send(Station::U1, lasting_path(&dut, Station::U1, h, s1));
    dut.advance(5 * dut.r());
    assert!(dut.all::<Path>(Port::C).len() >= 4);
    dut.expect_no::<Srefresh>(Port::C);
    dut.set_flags(Station::D1, 1);
    dut.acknowledging(Station::D1);
    dut.send(Station::D1, lasting_resv(&dut, Station::D1, h, s1));
    dut.advance(4 * dut.r());
    expect_summaries(&mut dut, Port::C);
}

/// The route of H leads to a router without RSVP, behind which D1 is.
fn behind_others(dut: &mut Dut) {
    let hop = NextHop { interface: Port::C.interface(), gateway: Some(dut.plan.address(3, 9)) };
    dut.set_route(dut.h().flow().destination, None, Route { outgoing: vec![hop], ..Route::default() });
}

/// Where the next hop does not speak RSVP Path state is refreshed by whole Paths, and Resv state by Srefreshes as
/// ever.
pub(crate) fn nothing_is_summed_up_through_routers_without_rsvp(lab: &Lab) {
    shows(&["rfc2961-5.6-02"]);
    for summary_refresh in [SummaryRefresh::Neighbor, SummaryRefresh::Session] {
        let mut dut = lab.brisk().reducing_with(|reduction| reduction.summary_refresh = summary_refresh);
        behind_others(&mut dut);
        let (h, s1) = (dut.h(), dut.s1());
        dut.befriend(&[Station::U1]);
        dut.set_flags(Station::D1, 1);
        dut.acknowledging(Station::D1);
        dut.send(Station::U1, lasting_path(&dut, Station::U1, h, s1));
        let mut resv = dut.pack(Station::D1, lasting_resv(&dut, Station::D1, h, s1));
        resv.ttl -= 1;
        dut.send_packet(Station::D1, &resv);
        dut.advance(4 * dut.r());
        assert!(dut.all::<Path>(Port::C).len() >= 3);
        dut.expect_no::<Srefresh>(Port::C);
        assert!(!dut.all::<Srefresh>(Port::A).is_empty(), "Resv state at U1 is");
    }
}

/// Where it is configured, Srefreshes go to the session's address across a node without RSVP, and a NACK draws the
/// whole Path.
pub(crate) fn an_operator_may_have_everything_summed_up(lab: &Lab) {
    shows(&["rfc2961-5.6-03"]);
    let mut dut = lab.brisk().reducing_with(|reduction| {
        reduction.assume_capable = true;
        reduction.summary_refresh = SummaryRefresh::Session;
    });
    behind_others(&mut dut);
    let (h, s1) = (dut.h(), dut.s1());
    dut.acknowledging(Station::D1);
    dut.send(Station::U1, lasting_path(&dut, Station::U1, h, s1));
    let path = dut.expect::<Path>(Port::C);
    dut.send_ack(Station::D1, id_of(&path));
    dut.advance(3 * dut.r());
    let summaries = dut.all::<Srefresh>(Port::C);
    assert!(!summaries.is_empty());
    for summary in summaries {
        assert_eq!(summary.ids(), [id_of(&path)]);
        assert_eq!(summary.sent.packet.destination, h.flow().destination);
        assert!(summary.sent.packet.router_alert);
    }
    dut.forget();
    dut.send_nack(Station::D1, id_of(&path));
    assert_eq!(dut.expect::<Path>(Port::C).message, path.message);
}
