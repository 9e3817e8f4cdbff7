//! RFC 2205 section 2.3: soft state.

use std::time::Duration;

use crate::bench::{Lab, Port, Station, cl, ff, millis, tspec, wf};
use crate::cases::rfc2205::capacity::announce;
use crate::shows;
use rsvp_core::wire::{Path, PathTear, Resv, ResvErr, ResvTear, Style};

/// What "at once" may take.
const AT_ONCE: Duration = Duration::from_millis(500);

/// Path state lives for L after its last refresh, by the R of the neighbour, which here is not that of the device, and is
/// torn down on all interfaces then.
pub(crate) fn path_state_that_is_not_refreshed_dies(lab: &Lab) {
    shows(&["rfc2205-2.3-01", "rfc2205-2.4-03", "rfc2205-3.7-02"]);
    let mut dut = lab.brisk().router();
    let (g, s1, r) = (dut.g(), dut.s1(), dut.r());
    let mut path = dut.path(Station::U1, g, s1);
    path.refresh_ms = millis(2 * r);
    let began = dut.now();
    dut.send(Station::U1, path);
    // L is at least (K + 0.5) * 1.5 * 2 r.
    dut.advance(14 * r);
    for port in [Port::C, Port::D] {
        let tear = dut.expect::<PathTear>(port);
        assert_eq!(tear.message.sender_template, s1);
        let lived = tear.sent.at.since(began);
        assert!(lived + dut.timing.slack >= 21 * r / 2, "not before L: {lived:?}");
    }
    dut.forget();
    let resv = dut.resv(Station::D1, g, Style::Wf, &[wf(cl(1.0))]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect_to::<ResvErr>(Station::D1).message.error.code, 3, "after L it is gone");
}

/// A reservation lives for L after its last refresh, and is torn down upstream then; the path state stays.
pub(crate) fn a_reservation_that_is_not_refreshed_dies_and_is_torn_upstream(lab: &Lab) {
    shows(&["rfc2205-2.3-01", "rfc2205-2.4-03", "rfc2205-3.1.6-04", "rfc2205-3.1.6-05"]);
    let mut dut = lab.brisk().router();
    let (h, s1, r) = (dut.h(), dut.s1(), dut.r());
    announce(&mut dut, h, 1, 20.0);
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    let began = dut.now();
    dut.send(Station::D1, resv.clone());
    dut.expect::<Resv>(Port::A);
    dut.advance(7 * r);
    let tear = dut.expect::<ResvTear>(Port::A);
    let lived = tear.sent.at.since(began);
    assert!(lived + dut.timing.slack >= 21 * r / 4, "not before L: {lived:?}");
    assert_eq!(tear.message.flows[0].filters, [s1]);
    assert_eq!(tear.sent.packet.destination, dut.plan.station(Station::U1));
    assert_eq!((tear.message.hop.address, tear.message.hop.lih), (dut.plan.dut(Port::A), 77));
    dut.forget();
    dut.advance(2 * r);
    dut.expect::<Path>(Port::C);
    dut.expect_no::<Resv>(Port::A);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![s1])], "the path state is there");
}

/// After one Path, the device goes on to send Paths of its own with the sender's address, at its own rate; many Paths that
/// come in are not passed on one for one.
pub(crate) fn a_node_refreshes_from_its_own_state_at_its_own_rate(lab: &Lab) {
    shows(&["rfc2205-2.3-02", "rfc2205-3.1.3-08"]);
    let mut dut = lab.brisk().router();
    let (h, s1, r) = (dut.h(), dut.s1(), dut.r());
    let path = dut.path(Station::U1, h, s1);
    dut.send(Station::U1, path.clone());
    dut.expect::<Path>(Port::C);
    dut.advance(4 * r);
    let paths = dut.all::<Path>(Port::C);
    assert!((2..=9).contains(&paths.len()), "{} Paths in 4 R", paths.len());
    for path in &paths {
        assert_eq!(path.sent.packet.source, s1.source());
        assert_eq!(path.message.hop.address, dut.plan.dut(Port::C));
    }
    for _ in 0..20 {
        dut.send(Station::U1, path.clone());
    }
    let relayed = dut.all::<Path>(Port::C).len();
    assert!(relayed <= 6, "{relayed} Paths for 20");
}

/// Nothing in a Path says whether it is new: what equals the state is a refresh, and is not passed on at once; what
/// differs is.
pub(crate) fn a_repeated_path_is_no_news(lab: &Lab) {
    shows(&["rfc2205-2.3-03"]);
    let mut dut = lab.router();
    let (h, s1) = (dut.h(), dut.s1());
    let mut path = dut.path(Station::U1, h, s1);
    dut.send(Station::U1, path.clone());
    dut.expect::<Path>(Port::C);
    for _ in 0..4 {
        dut.send(Station::U1, path.clone());
    }
    dut.expect_silence();
    path.sender_tspec = tspec(3.0);
    dut.send(Station::U1, path);
    assert_eq!(dut.expect::<Path>(Port::C).message.sender_tspec, tspec(3.0));
}

/// What is not acknowledged is not sent again and again, but with the next refresh. (Some quick refreshes may follow a
/// change, so it is the steady state that counts.)
pub(crate) fn a_lost_message_is_not_repeated_before_the_next_refresh(lab: &Lab) {
    shows(&["rfc2205-2.3-04"]);
    let mut dut = lab.brisk().router();
    let (h, r) = (dut.h(), dut.r());
    announce(&mut dut, h, 1, 20.0);
    dut.advance(2 * r);
    dut.forget();
    dut.advance(4 * r);
    let times: Vec<_> = dut.all::<Path>(Port::C).iter().map(|path| path.sent.at).collect();
    assert!(times.len() >= 2, "a refresh repairs the loss: {times:?}");
    for pair in times.windows(2) {
        let gap = pair[1].since(pair[0]);
        assert!(gap + dut.timing.slack >= r / 2, "no sooner than a refresh: {gap:?}");
    }
}

/// A revised Path replaces the state in place, and is passed on at once where the Paths go, not to where it came from. The
/// same holds for a Resv: it triggers nothing on the LAN that it came from.
pub(crate) fn a_changed_path_is_passed_on_at_once(lab: &Lab) {
    shows(&["rfc2205-2.3-05", "rfc2205-3.3-03"]);
    let mut dut = lab.group(3);
    let (g, s1) = (dut.g(), dut.s1());
    let mut path = dut.path(Station::U1, g, s1);
    path.sender_tspec = tspec(3.0);
    let began = dut.now();
    dut.send(Station::U1, path);
    for port in [Port::C, Port::D] {
        let path = dut.expect::<Path>(port);
        assert_eq!((path.message.sender_template, path.message.sender_tspec), (s1, tspec(3.0)));
        assert!(path.sent.at.since(began) <= AT_ONCE + dut.timing.slack);
    }
    dut.expect_silence();
    for n in [1.0, 2.0] {
        let resv = dut.resv(Station::D2, g, Style::Wf, &[wf(cl(n))]);
        dut.send(Station::D2, resv);
        for port in [Port::A, Port::B] {
            assert_eq!(dut.expect::<Resv>(port).shares(), [(n, vec![])]);
        }
        dut.expect_silence();
    }
}

/// A reservation that is changed changes what goes upstream at once, not at the next refresh.
pub(crate) fn a_changed_reservation_is_passed_on_at_once(lab: &Lab) {
    shows(&["rfc2205-2.3-06"]);
    let mut dut = lab.unicast(1);
    let (h, s1) = (dut.h(), dut.s1());
    for n in [1.0, 3.0, 2.0] {
        let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(n), s1)]);
        let began = dut.now();
        dut.send(Station::D1, resv);
        let resv = dut.expect::<Resv>(Port::A);
        assert_eq!(resv.shares(), [(n, vec![s1])]);
        assert!(resv.sent.at.since(began) <= AT_ONCE + dut.timing.slack);
        dut.expect_silence();
    }
}

/// A change goes no further where merging hides it.
pub(crate) fn a_change_ends_where_merging_hides_it(lab: &Lab) {
    shows(&["rfc2205-2.3-07"]);
    let mut dut = lab.group(3);
    let g = dut.g();
    dut.reserve(Station::D1, g, Style::Wf, &[wf(cl(4.0))]);
    for n in [2.0, 3.0] {
        let resv = dut.resv(Station::D2, g, Style::Wf, &[wf(cl(n))]);
        dut.send(Station::D2, resv);
    }
    dut.advance(AT_ONCE);
    dut.expect_silence();
    let resv = dut.resv(Station::D2, g, Style::Wf, &[wf(cl(5.0))]);
    dut.send(Station::D2, resv);
    for port in [Port::A, Port::B] {
        assert_eq!(dut.expect::<Resv>(port).shares(), [(5.0, vec![])]);
    }
}
