//! RFC 2209 section 2: RERR and RACK MESSAGE ARRIVES.

use super::gaps;
use crate::bench::{Lab, Port, Station, cl, ff, group_route, se, wf};
use crate::shows;
use rsvp_core::wire::{ErrorSpec, Path, Resv, ResvConf, ResvErr, Style};

/// A ResvErr of a session without path state goes nowhere, and blocks nothing that comes later.
pub(crate) fn a_reservation_error_without_path_state_is_dropped(lab: &Lab) {
    shows(&["rfc2209-2.rerr-01"]);
    let mut dut = lab.router();
    let (h, s1) = (dut.h(), dut.s1());
    let error = dut.resv_err(Station::U1, h, Style::Ff, ff(cl(1.0), s1), (1, 2, 0));
    dut.send(Station::U1, error.clone());
    dut.expect_silence();
    dut.learn(Station::U1, h, s1);
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![s1])]);
    dut.send(Station::U1, error);
    assert_eq!(dut.expect_to::<ResvErr>(Station::D1).message.error.code, 1, "now there is somebody to tell");
}

/// A previous hop that refuses all that there is, each time it is asked, is not asked more often for that.
pub(crate) fn a_failure_of_all_there_is_starts_no_loop(lab: &Lab) {
    shows(&["rfc2209-2.rerr-03"]);
    let mut dut = lab.brisk().unicast(1);
    let (h, s1, r) = (dut.h(), dut.s1(), dut.r());
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(4.0), s1)]);
    dut.send(Station::D1, resv);
    let mut asked = vec![dut.expect::<Resv>(Port::A)];
    let end = dut.now() + r * 4;
    loop {
        let error = dut.resv_err(Station::U1, h, Style::Ff, ff(cl(4.0), s1), (1, 2, 0));
        dut.send(Station::U1, error);
        assert_eq!(dut.expect_to::<ResvErr>(Station::D1).message.error.code, 1);
        let mut again = dut.all::<Resv>(Port::A);
        while again.is_empty() && dut.now() < end {
            dut.advance(r / 20);
            again = dut.all(Port::A);
        }
        if again.is_empty() {
            break;
        }
        asked.extend(again);
    }
    let gaps = gaps(&asked, s1);
    assert!(!gaps.is_empty(), "expected refreshes in 4 R, not none");
    let shortest = gaps.into_iter().min().unwrap_or_default();
    assert!(shortest + dut.timing.slack >= r / 2, "expected refreshes alone, not a Resv after {shortest:?}");
}

/// A ResvErr is told to those whose reservations share a filter with it.
pub(crate) fn an_error_concerns_those_who_share_a_filter_with_it(lab: &Lab) {
    shows(&["rfc2209-2.rerr-04"]);
    let mut dut = lab.group(3);
    let (g, s1, s2) = (dut.g(), dut.s1(), dut.s2());
    for (station, sender, port) in [(Station::D1, s1, Port::A), (Station::D2, s2, Port::B)] {
        let resv = dut.resv(station, g, Style::Se, &[se(cl(1.0), &[sender])]);
        dut.send(station, resv);
        let _ = dut.expect::<Resv>(port);
    }
    for (station, sender, told) in [(Station::U1, s1, Station::D1), (Station::U2, s2, Station::D2)] {
        let error = dut.resv_err(station, g, Style::Se, se(cl(1.0), &[sender]), (2, 0, 0));
        dut.send(station, error);
        let _ = dut.expect_to::<ResvErr>(told);
        dut.expect_silence();
    }
}

/// A ResvErr is not told to those whose reservations are on the interface that it came in on.
pub(crate) fn an_error_does_not_go_back_where_it_came_from(lab: &Lab) {
    shows(&["rfc2209-2.rerr-04"]);
    let mut dut = lab.router();
    let (g, s1, s2) = (dut.g(), dut.s1(), dut.s2());
    dut.set_route(g.destination(), Some(s1.source()), group_route(Port::A, &[Port::B, Port::C]));
    dut.set_route(g.destination(), Some(s2.source()), group_route(Port::B, &[Port::A, Port::C]));
    for (station, sender, ports) in
        [(Station::U1, s1, [Port::B, Port::C]), (Station::U2, s2, [Port::A, Port::C])]
    {
        let path = dut.path(station, g, sender);
        dut.send(station, path);
        for port in ports {
            let _ = dut.expect::<Path>(port);
        }
    }
    for (station, n, asked) in
        [(Station::D1, 1.0, Port::B), (Station::U1, 2.0, Port::B), (Station::U2, 3.0, Port::A)]
    {
        let resv = dut.resv(station, g, Style::Wf, &[wf(cl(n))]);
        dut.send(station, resv);
        let _ = dut.expect::<Resv>(asked);
        dut.forget();
    }
    for (from, other) in [(Station::U1, Station::U2), (Station::U2, Station::U1)] {
        let error = dut.resv_err(from, g, Style::Wf, wf(cl(3.0)), (2, 0, 0));
        dut.send(from, error);
        for told in [Station::D1, other] {
            let _ = dut.expect_to::<ResvErr>(told);
        }
        dut.expect_silence();
    }
}

/// InPlace limits who is told of an admission failure. Errors of other codes are told to all, whatever their flags.
pub(crate) fn the_in_place_flag_counts_for_admission_failures_only(lab: &Lab) {
    shows(&["rfc2209-2.rerr-06"]);
    let mut dut = lab.group(1);
    let g = dut.g();
    for (station, n) in [(Station::D2, 2.0), (Station::D1, 4.0)] {
        let resv = dut.resv(station, g, Style::Wf, &[wf(cl(n))]);
        dut.send(station, resv);
        assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(n, vec![])]);
    }
    let error = dut.resv_err(Station::U1, g, Style::Wf, wf(cl(4.0)), (2, 0, ErrorSpec::IN_PLACE));
    dut.send(Station::U1, error);
    for station in [Station::D1, Station::D2] {
        assert_eq!(dut.expect_to::<ResvErr>(station).message.error.code, 2);
    }
    dut.expect_silence();
}

/// A ResvConf for the device itself ends there; one for another node goes on, though there is no state that it fits.
pub(crate) fn a_confirmation_needs_no_state_to_pass(lab: &Lab) {
    shows(&["rfc2209-2.rack-01"]);
    let mut dut = lab.router();
    let (h, s1) = (dut.h(), dut.s1());
    let here = dut.plan.dut(Port::A);
    let confirmation = dut.resv_conf(h, here, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::U1, confirmation);
    dut.expect_silence();
    let confirmation = dut.resv_conf(h, h.flow().destination, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::U1, confirmation.clone());
    let passed = dut.expect::<ResvConf>(Port::C);
    assert_eq!((passed.sent.packet.destination, passed.message), (confirmation.confirm, confirmation));
    dut.expect_silence();
}
