//! What the testers send gets lost, comes twice, or late. RSVP takes this for granted: refreshes repair it (RFC 2205 section
//! 2.3), and ids tell old from new (RFC 2961 section 4.5).
//!
//! Some cases choose what gets lost. The others run on a way that loses, doubles and reorders by chance.

use std::time::Duration;

use crate::bench::{Dut, Lab, Port, Station, ack, cl, ff, list, nack, tspec, wanted};
use crate::shows;
use rsvp_core::wire::{Path, PathTear, Resv, ResvErr, ResvTear, Style};

/// Path and Resv of S1 for H, from U1 and D1: a round of refreshes. The rest of a period passes.
fn round(dut: &mut Dut, path: &Path, rate: f32) {
    let begin = dut.now();
    dut.send(Station::U1, path.clone());
    let resv = dut.resv(Station::D1, path.session.key, Style::Ff, &[ff(cl(rate), path.sender_template)]);
    dut.send(Station::D1, resv);
    let passed = dut.now().since(begin);
    dut.advance(dut.r().saturating_sub(passed));
}

/// Neighbours refresh every R over a way that loses, doubles and reorders their messages. The reservation comes to be, and
/// then the device keeps it, and goes on refreshing it both ways.
pub(crate) fn state_is_made_and_kept_by_refreshes(lab: &Lab) {
    shows(&["rfc2205-2.3-02", "rfc2205-2.3-04"]);
    let mut dut = lab.brisk().lossy().router();
    let path = dut.path(Station::U1, dut.h(), dut.s1());
    for _ in 0..6 {
        round(&mut dut, &path, 1.0);
    }
    dut.expect::<Path>(Port::C);
    dut.expect::<Resv>(Port::A);
    dut.forget();
    for _ in 0..6 {
        round(&mut dut, &path, 1.0);
    }
    dut.expect_no::<PathTear>(Port::C);
    dut.expect_no::<ResvTear>(Port::A);
    let refreshes = (dut.all::<Path>(Port::C).len(), dut.all::<Resv>(Port::A).len());
    assert!(
        refreshes.0 >= 3 && refreshes.1 >= 3,
        "expected a refresh each 1.5 R at least, not {refreshes:?} in 6 R"
    );
}

/// Sender and receiver change what they say while messages get lost and overtake each other. Refreshes bring what they said
/// last everywhere.
pub(crate) fn changes_arrive_in_spite_of_loss(lab: &Lab) {
    shows(&["rfc2205-2.3-04", "rfc2205-2.3-05", "rfc2205-2.3-06"]);
    let mut dut = lab.brisk().lossy().router();
    let mut path = dut.path(Station::U1, dut.h(), dut.s1());
    for (rate, rounds) in [(1.0, 2), (3.0, 2), (2.0, 6)] {
        path.sender_tspec = tspec(10.0 * rate);
        for _ in 0..rounds {
            round(&mut dut, &path, rate);
        }
    }
    let path = dut.all::<Path>(Port::C).pop().map(|path| path.message.sender_tspec);
    assert_eq!(path, Some(tspec(20.0)), "what the sender said last");
    let resv = dut.all::<Resv>(Port::A).pop().map(|resv| resv.message.flows);
    assert_eq!(resv, Some(vec![ff(cl(2.0), dut.s1())]), "what the receiver said last");
}

/// Two refreshes get lost in a row, twice. The device has K = 3, and keeps its state; when no more refreshes come, it takes
/// it down, not before (K + 0.5) * 1.5 R.
pub(crate) fn two_lost_refreshes_are_outlasted_and_more_are_not(lab: &Lab) {
    shows(&["rfc2205-2.3-01", "rfc2205-2.4-03", "rfc2205-2.4-06", "rfc2205-3.7-02"]);
    let mut dut = lab.brisk().router();
    let path = dut.path(Station::U1, dut.h(), dut.s1());
    let mut refreshed = dut.now();
    for _ in 0..3 {
        refreshed = dut.now();
        round(&mut dut, &path, 1.0);
        dut.advance(dut.r() * 2);
    }
    dut.expect_no::<PathTear>(Port::C);
    dut.expect_no::<ResvTear>(Port::A);
    dut.advance(dut.r() * 5);
    let torn = dut.expect::<PathTear>(Port::C).sent.at.since(refreshed);
    let least = dut.r() * 21 / 4;
    assert!(torn + dut.timing.slack >= least, "expected {least:?} without a refresh at least, not {torn:?}");
    let resv = dut.resv(Station::D1, dut.h(), Style::Ff, &[ff(cl(1.0), dut.s1())]);
    dut.forget();
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<ResvErr>(Port::C).message.error.code, 3, "No path information");
}

/// A PathTear comes before the Path that it was sent after: it matches nothing. The Path then makes state, which the next
/// PathTear removes. The same with Resv and ResvTear.
pub(crate) fn a_tear_overtakes(lab: &Lab) {
    shows(&["rfc2205-3.1.5-02", "rfc2205-3.1.6-02"]);
    let mut dut = lab.router();
    let (h, s1) = (dut.h(), dut.s1());
    let flows = [ff(cl(1.0), s1)];
    dut.send(Station::U1, dut.path_tear(Station::U1, h, s1));
    dut.expect_silence();
    dut.send(Station::U1, dut.path(Station::U1, h, s1));
    dut.expect::<Path>(Port::C);
    dut.send(Station::D1, dut.resv_tear(Station::D1, h, Style::Ff, &flows));
    dut.expect_silence();
    dut.send(Station::D1, dut.resv(Station::D1, h, Style::Ff, &flows));
    dut.expect::<Resv>(Port::A);
    dut.send(Station::D1, dut.resv_tear(Station::D1, h, Style::Ff, &flows));
    dut.expect::<ResvTear>(Port::A);
    dut.send(Station::U1, dut.path_tear(Station::U1, h, s1));
    dut.expect::<PathTear>(Port::C);
    dut.expect_silence();
}

/// Every message comes twice. The second one is a refresh, or matches nothing: neither is passed on.
pub(crate) fn messages_come_twice(lab: &Lab) {
    shows(&["rfc2205-2.3-03", "rfc2205-3.1.5-02", "rfc2205-3.1.6-02"]);
    let mut dut = lab.router();
    let (h, s1) = (dut.h(), dut.s1());
    let flows = [ff(cl(1.0), s1)];
    for _ in 0..2 {
        dut.send(Station::U1, dut.path(Station::U1, h, s1));
    }
    dut.expect::<Path>(Port::C);
    for _ in 0..2 {
        dut.send(Station::D1, dut.resv(Station::D1, h, Style::Ff, &flows));
    }
    dut.expect::<Resv>(Port::A);
    for _ in 0..2 {
        dut.send(Station::D1, dut.resv_tear(Station::D1, h, Style::Ff, &flows));
    }
    dut.expect::<ResvTear>(Port::A);
    for _ in 0..2 {
        dut.send(Station::U1, dut.path_tear(Station::U1, h, s1));
    }
    dut.expect::<PathTear>(Port::C);
    dut.expect_silence();
}

/// Messages with ids come late, after newer ones about the same state: they change nothing, whether Path or PathTear. What is
/// newer still does.
pub(crate) fn old_messages_come_late(lab: &Lab) {
    shows(&["rfc2961-4.5-14", "rfc2961-4.5-16", "rfc2961-4.5-19", "rfc2961-4.5-28"]);
    let mut dut = lab.reducing();
    dut.befriend(&[Station::U1]);
    let (h, s1) = (dut.h(), dut.s1());
    let announcing = |dut: &Dut, rate| Path { sender_tspec: tspec(rate), ..dut.path(Station::U1, h, s1) };
    for (id, rate) in [(10, 10.0), (13, 13.0)] {
        let path = announcing(&dut, rate);
        dut.send_id(Station::U1, path, wanted(id));
        assert_eq!(dut.expect::<Path>(Port::C).message.sender_tspec, tspec(rate));
    }
    let late = announcing(&dut, 12.0);
    dut.send_id(Station::U1, late, wanted(12));
    dut.send_id(Station::U1, dut.path_tear(Station::U1, h, s1), wanted(11));
    dut.expect_no::<Path>(Port::C);
    dut.expect_no::<PathTear>(Port::C);
    let path = announcing(&dut, 14.0);
    dut.send_id(Station::U1, path, wanted(14));
    assert_eq!(dut.expect::<Path>(Port::C).message.sender_tspec, tspec(14.0));
    dut.send_id(Station::U1, dut.path_tear(Station::U1, h, s1), wanted(15));
    dut.expect::<PathTear>(Port::C);
}

/// A Path to a next hop gets lost, or its acknowledgement does: it comes again after Rf, the same with the same id, until it is
/// acknowledged.
pub(crate) fn a_lost_trigger_is_sent_again(lab: &Lab) {
    shows(&["rfc2961-4.5-08", "rfc2961-4.5-11", "rfc2961-6.1-02", "rfc2961-6.3-01"]);
    let mut dut = lab.reducing();
    dut.befriend(&[Station::D1]);
    dut.withholding(Station::D1);
    dut.send(Station::U1, dut.path(Station::U1, dut.h(), dut.s1()));
    let first = dut.expect::<Path>(Port::C);
    assert!(first.id().wants_ack(), "it is to be acknowledged: {first:?}");
    dut.advance(Duration::from_millis(500));
    let second = dut.expect::<Path>(Port::C);
    assert_eq!((second.id(), &second.message), (first.id(), &first.message), "the same again");
    let after = second.sent.at.since(first.sent.at);
    let is_rf = after + dut.timing.slack >= Duration::from_millis(500);
    assert!(is_rf, "expected Rf of 500 ms in between, not {after:?}");
    dut.send_ack(Station::D1, first.id().id);
    dut.forget();
    dut.advance(Duration::from_secs(3));
    dut.expect_no::<Path>(Port::C);
}

/// A previous hop names its state by id over a way that loses, doubles and reorders: whatever is not acknowledged it sends
/// again, whatever is not known to the device it tells in full. The state comes to be, and stays.
pub(crate) fn state_is_kept_by_ids_in_spite_of_loss(lab: &Lab) {
    shows(&["rfc2961-4.5-30", "rfc2961-4.5-31", "rfc2961-5.3-20"]);
    let mut dut = lab.brisk().lossy().reducing();
    dut.introduce(Station::U1);
    let path = dut.path(Station::U1, dut.h(), dut.s1());
    let mut is_known = false;
    for number in 0..14 {
        if is_known {
            dut.send_srefresh(Station::U1, &[list(&[1])]);
        } else {
            dut.send_id(Station::U1, path.clone(), wanted(1));
        }
        dut.advance(dut.r());
        for answer in dut.acks(Station::U1) {
            is_known = if answer == nack(1) { false } else { is_known || answer == ack(1) };
        }
        if number == 6 {
            assert!(is_known, "a Path that was sent again and again is acknowledged");
            dut.forget();
        }
    }
    dut.expect_no::<PathTear>(Port::C);
    let paths = dut.all::<Path>(Port::C).into_iter().filter(|path| path.message.session.key == dut.h());
    assert!(paths.count() >= 3, "a refresh each 1.5 R at least");
}
