//! RFC 2205 section 3.2 and Appendix A: what is not well formed leaves no state, and is counted; any R can be dealt with.

use std::time::Duration;

use conformance::bench::{Dut, Lab, Port, Station, cl, ff};
use conformance::shows;
use rsvp_core::counters::DropReason;
use rsvp_core::wire::{FilterSpec, FlowKey, Path, SessionKey, Style};

/// A session of H's host.
fn session(dut: &Dut, protocol: u8, port: u16) -> SessionKey {
    SessionKey::Ip(FlowKey { destination: dut.h().destination(), protocol, port })
}

#[test]
fn a_source_port_without_a_destination_port_is_counted_as_such() {
    shows(&["rfc2205-3.2-05"]);
    let mut dut = Lab::in_process().router();
    let key = session(&dut, 89, 0);
    let sender = |port| FilterSpec::Ip { source: "10.0.0.1".parse().expect("an address"), port };
    let path = dut.path(Station::U1, key, sender(4000));
    dut.send(Station::U1, path);
    assert!(dut.senders(key).is_empty());
    dut.learn(Station::U1, key, sender(0));
    let resv = dut.resv(Station::D1, key, Style::Ff, &[ff(cl(1.0), sender(4000))]);
    dut.send(Station::D1, resv);
    assert!(dut.reservations(key).is_empty());
    assert_eq!(dut.drops(DropReason::ConflictingPort), 2);
}

#[test]
fn what_has_no_real_address_is_counted_and_leaves_no_state() {
    shows(&["rfc2205-A.1-02", "rfc2205-A.9-02", "rfc2205-A.2-03"]);
    let zero = std::net::IpAddr::from([0, 0, 0, 0]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    let nobody = FilterSpec::Ip { source: zero, port: 4000 };
    for (session, sender) in [(dut.plan.session(zero, 5000), s1), (session(&dut, 0, 5000), s1), (h, nobody)] {
        let path = dut.path(Station::U1, session, sender);
        dut.send(Station::U1, path);
    }
    for address in [[0, 0, 0, 0], [255, 255, 255, 255], [224, 0, 0, 1]] {
        let mut path = dut.path(Station::U1, h, s1);
        path.hop.address = address.into();
        dut.send(Station::U1, path);
    }
    assert!(dut.node().sessions().is_empty());
    dut.learn(Station::U1, h, s1);
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), nobody)]);
    dut.send(Station::D1, resv);
    assert!(dut.reservations(h).is_empty());
    assert_eq!(dut.all_drops(), 7);
}

#[test]
fn the_longest_refresh_period_means_months() {
    shows(&["rfc2205-A.4-02"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    let mut path = dut.path(Station::U1, h, s1);
    path.refresh_ms = u32::MAX;
    dut.send(Station::U1, path);
    let _ = dut.expect::<Path>(Port::C);
    // L is 8 months; in 32 bits, so many milliseconds would be 12 days.
    dut.advance(Duration::from_secs(13 * 24 * 3600));
    assert_eq!(dut.senders(h).len(), 1);
}
