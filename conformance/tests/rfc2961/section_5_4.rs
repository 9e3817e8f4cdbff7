//! RFC 2961 sections 5.4 to 5.6: NACKs, soft state, compatibility.

use std::time::Duration;

use conformance::bench::{Dut, Lab, Port, R, Received, Station, Timing, nack, plain};
use conformance::shows;
use rsvp_core::config::SummaryRefresh;
use rsvp_core::input::{NextHop, Route};
use rsvp_core::wire::{
    Acknowledgement, FlaggedId, IdEntries, IdList, Message, MessageId, Path, PathTear, Resv, Srefresh,
};

use crate::{announce, lasting_path, lasting_resv, sessions};

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

#[test]
fn a_nack_names_what_was_listed() {
    shows(&["rfc2961-5.4-01"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.send_id(Station::U1, lasting_path(&dut, Station::U1, h, s1), plain(10));
    let unknown = MessageId { epoch: 0x0065_4321, id: 0xdead_beef };
    dut.send_srefresh(Station::U1, &[IdList::new(unknown.epoch, IdEntries::Plain(vec![unknown.id]))]);
    let nacks = dut.acks(Station::U1);
    assert_eq!(nacks, [Acknowledgement::Nack(FlaggedId::plain(unknown))]);
    assert_ne!(nacks, [nack(10)]);
}

#[test]
fn what_is_not_there_is_told_again() {
    shows(&["rfc2961-5.4-03", "rfc2961-5.4-04", "rfc2961-5.4-06"]);
    let mut dut = Lab::in_process().router();
    let (path, resv) = told(&mut dut);
    dut.advance(3 * R);
    assert!([Port::A, Port::C].iter().all(|port| !dut.all::<Srefresh>(*port).is_empty()));
    dut.forget();
    let before = dut.now();
    dut.send_nack(Station::D1, path.id().id);
    let again = dut.expect::<Path>(Port::C);
    assert_eq!(again.message, path.message);
    assert_eq!(again.sent.packet.destination, path.sent.packet.destination);
    assert!(again.sent.at.since(before) <= Timing::VIRTUAL.at_once);
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

#[test]
fn only_what_is_not_there_is_told_again() {
    shows(&["rfc2961-5.4-05"]);
    let mut dut = Lab::in_process().router();
    dut.befriend(&[Station::D1, Station::D2]);
    let (mut all, s1) = (sessions(&dut, dut.h(), 3), dut.s1());
    all.push(dut.k());
    announce(&mut dut, Station::U1, &all, s1);
    let paths = dut.all::<Path>(Port::C);
    dut.advance(2 * R);
    assert_eq!(dut.all::<Srefresh>(Port::C).last().expect("a summary").ids().len(), 3);
    dut.forget();
    dut.send_nack(Station::D1, id_of(&paths[1]));
    let again = dut.expect::<Path>(Port::C);
    assert_eq!(again.message, paths[1].message);
    dut.expect_silence();
}

#[test]
fn a_nack_is_no_acknowledgement() {
    shows(&["rfc2961-5.4-07"]);
    let mut dut = Lab::in_process().router();
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
    dut.advance(2 * R);
    assert!(!dut.all::<Path>(Port::C).is_empty() || !dut.all::<Srefresh>(Port::C).is_empty());
}

#[test]
fn a_route_change_that_nobody_noticed_is_repaired() {
    shows(&["rfc2961-5.4-08"]);
    let mut dut =
        Lab::in_process().reducing_with(|reduction| reduction.summary_refresh = SummaryRefresh::Session);
    let (k, s1) = (dut.k(), dut.s1());
    dut.befriend(&[Station::D2, Station::D3]);
    dut.send(Station::U1, lasting_path(&dut, Station::U1, k, s1));
    let path = dut.expect::<Path>(Port::D);
    dut.advance(2 * R);
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

/// The ports' messages of a state that is refreshed wholly every `every` times: how many were whole, and how many were
/// summed up; no period has both.
fn full_refreshes(every: u32) -> (usize, usize) {
    let mut dut = Lab::in_process().reducing_with(|reduction| reduction.full_refresh = every);
    let (path, resv) = told(&mut dut);
    dut.advance(90 * R);
    let mut counts = (0, 0);
    for (port, id) in [(Port::C, path.id().id), (Port::A, resv.id().id)] {
        let mut last = None;
        for message in dut.all::<Message>(port) {
            let is_whole = match &message.message {
                Message::Path(_) | Message::Resv(_) => true,
                Message::Srefresh(_) => false,
                _ => continue,
            };
            if is_whole {
                assert_eq!(message.id().id, id, "a refresh");
            }
            let at = message.sent.at;
            if let Some(before) = last.replace(at) {
                assert!(at.since(before) >= R / 2 - Duration::from_millis(100), "two in one period");
            }
            *(if is_whole { &mut counts.0 } else { &mut counts.1 }) += 1;
        }
    }
    counts
}

#[test]
fn whole_refreshes_go_between_the_summaries() {
    shows(&["rfc2961-5.5-02", "rfc2961-5.5-03", "rfc2961-5.5-04"]);
    let (whole, _) = full_refreshes(0);
    assert_eq!(whole, 0, "none by default");
    for every in [4, 10] {
        let (whole, summed) = full_refreshes(every);
        let ratio = summed as f64 / whole as f64;
        let expected = f64::from(every);
        assert!(ratio >= expected - 1.5 && ratio <= expected + 1.5, "one in {every}: {whole} and {summed}");
    }
}

#[test]
fn standard_refreshes_go_to_who_is_not_known() {
    shows(&["rfc2961-5.6-01"]);
    let mut dut = Lab::in_process().reducing();
    let (h, s1) = (dut.h(), dut.s1());
    dut.send(Station::U1, lasting_path(&dut, Station::U1, h, s1));
    dut.advance(5 * R);
    assert!(dut.all::<Path>(Port::C).len() >= 5);
    dut.expect_no::<Srefresh>(Port::C);
    dut.set_flags(Station::D1, 1);
    dut.acknowledging(Station::D1);
    dut.send(Station::D1, lasting_resv(&dut, Station::D1, h, s1));
    dut.advance(5 * R);
    assert!(!dut.all::<Srefresh>(Port::C).is_empty());
}

/// The route of H leads to a router without RSVP, behind which D1 is.
fn behind_others(dut: &mut Dut) {
    let hop = NextHop { interface: Port::C.interface(), gateway: Some(dut.plan.address(3, 9)) };
    dut.set_route(dut.h().flow().destination, None, Route { outgoing: vec![hop], ..Route::default() });
}

#[test]
fn nothing_is_summed_up_through_routers_without_rsvp() {
    shows(&["rfc2961-5.6-02"]);
    for summary_refresh in [SummaryRefresh::Neighbor, SummaryRefresh::Session] {
        let mut dut =
            Lab::in_process().reducing_with(|reduction| reduction.summary_refresh = summary_refresh);
        behind_others(&mut dut);
        let (h, s1) = (dut.h(), dut.s1());
        dut.befriend(&[Station::U1]);
        dut.set_flags(Station::D1, 1);
        dut.acknowledging(Station::D1);
        dut.send(Station::U1, lasting_path(&dut, Station::U1, h, s1));
        let mut resv = dut.pack(Station::D1, lasting_resv(&dut, Station::D1, h, s1));
        resv.ttl -= 1;
        dut.send_packet(Station::D1, &resv);
        dut.advance(5 * R);
        assert!(dut.all::<Path>(Port::C).len() >= 5);
        dut.expect_no::<Srefresh>(Port::C);
        assert!(!dut.all::<Srefresh>(Port::A).is_empty(), "Resv state at U1 is");
    }
}

#[test]
fn an_operator_may_have_everything_summed_up() {
    shows(&["rfc2961-5.6-03"]);
    let mut dut = Lab::in_process().reducing_with(|reduction| {
        reduction.assume_capable = true;
        reduction.summary_refresh = SummaryRefresh::Session;
    });
    behind_others(&mut dut);
    let (h, s1) = (dut.h(), dut.s1());
    dut.acknowledging(Station::D1);
    dut.send(Station::U1, lasting_path(&dut, Station::U1, h, s1));
    let path = dut.expect::<Path>(Port::C);
    dut.send_ack(Station::D1, id_of(&path));
    dut.advance(3 * R);
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
