//! RFC 2205 section 3.7: how long state lives.

use std::time::Duration;

use conformance::bench::{Family, Lab, Port, Station, cl, ff};
use conformance::shows;
use rsvp_core::wire::Style;

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
