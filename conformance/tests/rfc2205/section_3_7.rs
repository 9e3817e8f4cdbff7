//! RFC 2205 sections 3.6 and 3.7: local repair, and time.

use std::time::Duration;

use conformance::bench::{Dut, Family, Lab, Port, R, Received, Station, Timing, cl, ff, group_route};
use conformance::shows;
use rsvp_core::Instant;
use rsvp_core::wire::{Path, PathTear, Resv, Style};

/// The Paths that were sent out of a port, by time and destination port.
fn paths(dut: &mut Dut, port: Port) -> Vec<(Duration, u16)> {
    let of =
        |path: &Received<Path>| (path.sent.at.since(Instant::ZERO), path.message.session.key.flow().port);
    dut.all::<Path>(port).iter().map(of).collect()
}

#[test]
fn a_route_change_is_repaired_after_a_while() {
    shows(&["rfc2205-3.6-01", "rfc2209-2.path-12", "rfc2205-3.11.4-03", "rfc2209-2.route-01"]);
    let mut dut = Lab::in_process().router();
    let (g, s1) = (dut.g(), dut.s1());
    let group = g.flow().destination;
    dut.set_route(group, Some(s1.source()), group_route(Port::A, &[Port::C]));
    for port in [5000, 5001] {
        let key = dut.plan.session(group, port);
        dut.learn(Station::U1, key, s1);
    }
    let change = dut.now().since(Instant::ZERO);
    dut.set_route(group, Some(s1.source()), group_route(Port::A, &[Port::D]));
    dut.advance(Duration::from_secs(4));
    let on_d = paths(&mut dut, Port::D);
    let mut ports: Vec<u16> = on_d.iter().map(|(_, port)| *port).collect();
    ports.sort_unstable();
    assert_eq!(ports, [5000, 5001], "every session of the destination");
    for (at, _) in on_d {
        let after = at - change;
        assert!(after >= Duration::from_secs(2) && after < Duration::from_millis(2500), "{after:?}");
    }
}

#[test]
fn the_wait_is_configurable_by_interface() {
    shows(&["rfc2205-3.6-02"]);
    let mut dut = Lab::in_process().with(Family::V4, |config| {
        let mut d = config.default_interface.clone();
        d.repair_delay = Duration::from_millis(500);
        config.interfaces.insert("d".to_owned(), d);
    });
    let (g, s1) = (dut.g(), dut.s1());
    let group = g.flow().destination;
    dut.set_route(group, Some(s1.source()), group_route(Port::A, &[Port::C]));
    dut.learn(Station::U1, g, s1);
    for (port, wait) in [(Port::D, 500), (Port::C, 2000)] {
        let change = dut.now().since(Instant::ZERO);
        dut.set_route(group, Some(s1.source()), group_route(Port::A, &[port]));
        dut.advance(Duration::from_secs(3));
        let after = paths(&mut dut, port)[0].0 - change;
        let wait = Duration::from_millis(wait);
        assert!(after >= wait && after < wait + 2 * Timing::VIRTUAL.at_once, "{port:?}: {after:?}");
    }
}

#[test]
fn flapping_within_the_wait_comes_to_nothing() {
    shows(&["rfc2209-2.route-02"]);
    let mut dut = Lab::in_process().router();
    let (g, s1) = (dut.g(), dut.s1());
    let group = g.flow().destination;
    dut.set_route(group, Some(s1.source()), group_route(Port::A, &[Port::C]));
    dut.learn(Station::U1, g, s1);
    for port in [Port::D, Port::C] {
        dut.set_route(group, Some(s1.source()), group_route(Port::A, &[port]));
        dut.advance(Duration::from_millis(500));
    }
    dut.advance(Duration::from_secs(5));
    assert!(paths(&mut dut, Port::D).is_empty());
    dut.expect_no::<PathTear>(Port::C);
}

#[test]
fn a_new_previous_hop_gets_the_resv_at_once() {
    shows(&["rfc2205-3.6-03"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.learn(Station::U1, h, s1);
    dut.reserve(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    let path = dut.path(Station::U2, h, s1);
    dut.send(Station::U2, path);
    let resv = dut.expect::<Resv>(Port::B);
    assert_eq!(resv.sent.packet.destination, dut.plan.station(Station::U2));
    assert_eq!(resv.shares(), [(1.0, vec![s1])]);
}

#[test]
fn nothing_more_is_sent_along_an_abandoned_branch() {
    shows(&["rfc2205-3.6-04"]);
    let mut dut = Lab::in_process().router();
    let (g, s1) = (dut.g(), dut.s1());
    let group = g.flow().destination;
    dut.set_route(group, Some(s1.source()), group_route(Port::A, &[Port::C]));
    dut.learn(Station::U1, g, s1);
    dut.set_route(group, Some(s1.source()), group_route(Port::A, &[Port::D]));
    dut.advance(3 * R);
    assert!(paths(&mut dut, Port::C).is_empty());
    assert!(paths(&mut dut, Port::D).len() >= 2);
}

#[test]
fn refreshes_are_spread_at_random() {
    shows(&["rfc2205-3.7-01", "rfc2205-3.7-07"]);
    let mut dut = Lab::in_process()
        .with(Family::V4, |config| config.default_interface.refresh = Duration::from_secs(1));
    let (h, s1) = (dut.h(), dut.s1());
    let mut path = dut.path(Station::U1, h, s1);
    path.refresh_ms = 600_000;
    dut.send(Station::U1, path);
    dut.forget();
    dut.advance(Duration::from_secs(400));
    let at: Vec<f64> = paths(&mut dut, Port::C).iter().map(|(at, _)| at.as_secs_f64()).collect();
    let intervals: Vec<f64> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(intervals.len() > 300, "{}", intervals.len());
    assert!(intervals.iter().all(|interval| (0.499..=1.501).contains(interval)), "{intervals:?}");
    let count = intervals.len() as f64;
    let mean = intervals.iter().sum::<f64>() / count;
    let deviation = (intervals.iter().map(|interval| (interval - mean).powi(2)).sum::<f64>() / count).sqrt();
    assert!((0.9..1.1).contains(&mean) && (0.22..0.36).contains(&deviation), "{mean} {deviation}");
}

#[test]
fn the_lifetime_follows_the_neighbours_period() {
    shows(&["rfc2209-2.path-08", "rfc2209-2.resv-12"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    for (refresh_ms, alive, dead) in [(1000, 5, 7), (4000, 20, 24)] {
        let mut path = dut.path(Station::U1, h, s1);
        path.refresh_ms = refresh_ms;
        dut.send(Station::U1, path);
        dut.advance(Duration::from_secs(alive));
        assert_eq!(dut.senders(h).len(), 1, "R = {refresh_ms} ms");
        dut.advance(Duration::from_secs(dead - alive));
        assert!(dut.senders(h).is_empty(), "R = {refresh_ms} ms");
    }
    let mut path = dut.path(Station::U1, h, s1);
    path.refresh_ms = 600_000;
    dut.send(Station::U1, path);
    let mut resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    resv.refresh_ms = 4000;
    for _ in 0..5 {
        dut.send(Station::D1, resv.clone());
        dut.advance(Duration::from_secs(20));
        assert_eq!(dut.reservations(h).len(), 1, "a refresh starts the lifetime again");
    }
    dut.advance(Duration::from_secs(4));
    assert!(dut.reservations(h).is_empty());
}

#[test]
fn each_next_hops_period_counts_for_its_own_state() {
    shows(&["rfc2205-3.7-03"]);
    let mut dut = Lab::in_process().router();
    let (k, s1) = (dut.k(), dut.s1());
    let mut path = dut.path(Station::U1, k, s1);
    path.refresh_ms = 600_000;
    dut.send(Station::U1, path);
    for (station, refresh_ms) in [(Station::D2, 1000), (Station::D3, 4000)] {
        let mut resv = dut.resv(station, k, Style::Ff, &[ff(cl(1.0), s1)]);
        resv.refresh_ms = refresh_ms;
        dut.send(station, resv);
    }
    dut.advance(Duration::from_secs(20));
    assert_eq!(dut.reservations(k).len(), 1, "that of D3");
    assert_eq!(dut.reserved(Port::D), [(1.0, vec![s1])]);
    dut.advance(Duration::from_secs(4));
    assert!(dut.reserved(Port::D).is_empty());
}

#[test]
fn time_values_say_the_nodes_own_period() {
    shows(&["rfc2205-3.7-04", "rfc2205-3.7-05", "rfc2205-A.4-01"]);
    let mut dut = Lab::in_process().with(Family::V4, |config| {
        let mut c = config.default_interface.clone();
        c.refresh = Duration::from_secs(10);
        config.interfaces.insert("c".to_owned(), c);
    });
    let (g, s1) = (dut.g(), dut.s1());
    let mut path = dut.path(Station::U1, g, s1);
    path.refresh_ms = 5000;
    dut.send(Station::U1, path);
    assert_eq!(dut.expect::<Path>(Port::C).message.refresh_ms, 10_000);
    let on_d = dut.expect::<Path>(Port::D);
    assert_eq!(on_d.message.refresh_ms, 30_000);
    assert_eq!(on_d.objects(rsvp_core::wire::ClassNum::TIME_VALUES)[0].contents, [0, 0, 0x75, 0x30]);
    let mut resv = dut.resv(Station::D2, g, Style::Ff, &[ff(cl(1.0), s1)]);
    resv.refresh_ms = 7000;
    dut.send(Station::D2, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).message.refresh_ms, 30_000);
}

#[test]
fn the_period_grows_slowly() {
    shows(&["rfc2205-3.7-06"]);
    let mut dut = Lab::in_process()
        .with(Family::V4, |config| config.default_interface.refresh = Duration::from_secs(10));
    let (h, s1) = (dut.h(), dut.s1());
    let mut path = dut.path(Station::U1, h, s1);
    path.refresh_ms = 600_000;
    dut.send(Station::U1, path);
    dut.forget();
    let mut config = dut.node().config().clone();
    config.default_interface.refresh = R;
    dut.command(rsvp_core::Command::Configure(config)).expect("it is a good configuration");
    dut.advance(20 * R);
    let periods: Vec<u32> = dut.all::<Path>(Port::C).iter().map(|path| path.message.refresh_ms).collect();
    assert_eq!(periods.last(), Some(&30_000));
    let mut before = 10_000;
    for period in periods {
        assert!(f64::from(period) <= f64::from(before) * 1.3 + 1.0, "{before} to {period}");
        before = period;
    }
    let mut config = dut.node().config().clone();
    config.default_interface.refresh = Duration::from_secs(5);
    dut.command(rsvp_core::Command::Configure(config)).expect("it is a good configuration");
    dut.advance(2 * R);
    assert_eq!(dut.all::<Path>(Port::C).last().expect("a refresh").message.refresh_ms, 5000);
}

#[test]
fn timers_are_set_by_interface() {
    shows(&["rfc2205-3.7-08", "rfc2205-3.3-07"]);
    let mut dut = Lab::in_process().with(Family::V4, |config| {
        let mut a = config.default_interface.clone();
        a.refresh_multiple = 5;
        config.interfaces.insert("a".to_owned(), a);
    });
    let (h, s1, s2) = (dut.h(), dut.s1(), dut.s2());
    for (station, sender) in [(Station::U1, s1), (Station::U2, s2)] {
        let mut path = dut.path(station, h, sender);
        path.refresh_ms = 1000;
        dut.send(station, path);
    }
    // (3 + 0.5) * 1.5 = 5.25 s on b, (5 + 0.5) * 1.5 = 8.25 s on a.
    dut.advance(Duration::from_millis(8000));
    let left: Vec<_> = dut.senders(h).into_iter().map(|view| view.sender).collect();
    assert_eq!(left, [s1]);
    dut.advance(Duration::from_secs(2));
    assert!(dut.senders(h).is_empty());
}
