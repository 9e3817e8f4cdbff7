//! RFC 2205 sections 3.2 and 3.3: ports, and how messages are sent.

use std::time::Duration;

use conformance::bench::{Dut, Lab, Port, Station, cl, ff, se, tspec, wf};
use conformance::shows;
use rsvp_core::counters::DropReason;
use rsvp_core::wire::{FilterSpec, FlowKey, Path, PathErr, PathTear, Resv, ResvErr, SessionKey, Style};

/// A session of H's host.
fn session(dut: &Dut, protocol: u8, port: u16) -> SessionKey {
    SessionKey::Ip(FlowKey { destination: dut.h().flow().destination, protocol, port })
}

/// S1 with another port.
fn s1_port(dut: &Dut, port: u16) -> FilterSpec {
    FilterSpec::Ip { source: dut.s1().source(), port }
}

#[test]
fn any_protocol_is_accepted() {
    shows(&["rfc2205-3.2-02"]);
    for (port, source_port) in [(0, 0), (9, 4000)] {
        let mut dut = Lab::in_process().router();
        let key = session(&dut, 132, port);
        let path = dut.path(Station::U1, key, s1_port(&dut, source_port));
        dut.send(Station::U1, path);
        assert_eq!(dut.expect::<Path>(Port::C).message.session.key, key);
    }
}

#[test]
fn destination_ports_are_all_zero_or_none() {
    shows(&["rfc2209-2.path-02"]);
    for (first, second) in [(5000, 0), (0, 5000)] {
        let mut dut = Lab::in_process().router();
        let port_of = |port| if port == 0 { 0 } else { 4000 };
        let [one, two] = [first, second].map(|port| session(&dut, 17, port));
        let sender = s1_port(&dut, port_of(first));
        dut.learn(Station::U1, one, sender);
        let sender = s1_port(&dut, port_of(second));
        let before = dut.node().senders();
        let path = dut.path(Station::U1, two, sender);
        dut.send(Station::U1, path);
        assert_eq!(dut.expect_to::<PathErr>(Station::U1).message.error.code, 7);
        dut.expect_silence();
        assert_eq!(dut.node().senders(), before);
    }
    let mut dut = Lab::in_process().router();
    let s1 = dut.s1();
    for port in [5000, 5001] {
        let key = session(&dut, 17, port);
        dut.learn(Station::U1, key, s1);
    }
    assert_eq!(dut.node().senders().len(), 2);
}

#[test]
fn without_a_destination_port_there_is_no_source_port() {
    shows(&["rfc2205-3.2-05", "rfc2209-2.arrive-05"]);
    let mut dut = Lab::in_process().router();
    let key = session(&dut, 89, 0);
    let path = dut.path(Station::U1, key, s1_port(&dut, 4000));
    dut.send(Station::U1, path);
    dut.expect_silence();
    assert!(dut.senders(key).is_empty());
    let sender = s1_port(&dut, 0);
    dut.learn(Station::U1, key, sender);
    let resv = dut.resv(Station::D1, key, Style::Ff, &[ff(cl(1.0), s1_port(&dut, 4000))]);
    dut.send(Station::D1, resv);
    dut.expect_silence();
    assert!(dut.reservations(key).is_empty());
    assert_eq!(dut.drops(DropReason::ConflictingPort), 2);
}

#[test]
fn source_ports_of_one_sender_are_all_zero_or_none() {
    shows(&["rfc2205-3.2-06", "rfc2205-B-11", "rfc2209-2.path-03"]);
    for (first, second, conflict) in [(4000, 0, true), (0, 4000, true), (4000, 4001, false)] {
        let mut dut = Lab::in_process().router();
        let h = dut.h();
        let sender = s1_port(&dut, first);
        dut.learn(Station::U1, h, sender);
        let path = dut.path(Station::U1, h, s1_port(&dut, second));
        dut.send(Station::U1, path);
        if conflict {
            assert_eq!(dut.expect_to::<PathErr>(Station::U1).message.error.code, 8);
            assert_eq!(dut.senders(h).len(), 1);
        } else {
            let _ = dut.expect::<Path>(Port::C);
            assert_eq!(dut.senders(h).len(), 2);
        }
        dut.expect_silence();
    }
}

#[test]
fn a_zero_port_matches_only_zero() {
    shows(&["rfc2205-3.2-07", "rfc2209-2.resv-03"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.learn(Station::U1, h, s1);
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1_port(&dut, 0))]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect_to::<ResvErr>(Station::D1).message.error.code, 4);
    dut.expect_silence();
    assert!(dut.reservations(h).is_empty());
}

#[test]
fn router_alert_is_on_what_travels_to_others() {
    shows(&["rfc2205-3.3-02"]);
    // The bench's monitor checks the option on every message of every case; here are those that have it.
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    let path = dut.path(Station::U1, h, s1);
    dut.send(Station::U1, path);
    assert!(dut.expect::<Path>(Port::C).sent.packet.router_alert, "passed on");
    dut.advance(Duration::from_secs(46));
    assert!(dut.expect::<Path>(Port::C).sent.packet.router_alert, "refreshed");
    let confirmation = dut.resv_conf(h, h.flow().destination, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::U1, confirmation);
    assert!(dut.expect::<rsvp_core::wire::ResvConf>(Port::C).sent.packet.router_alert);
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, resv);
    assert!(!dut.expect::<Resv>(Port::A).sent.packet.router_alert);
    let tear = dut.path_tear(Station::U1, h, s1);
    dut.send(Station::U1, tear);
    assert!(dut.expect::<PathTear>(Port::C).sent.packet.router_alert);
}

#[test]
fn a_message_may_be_larger_than_a_packet() {
    shows(&["rfc2205-3.3-04"]);
    let mut dut = Lab::in_process().router();
    let h = dut.h();
    let senders: Vec<FilterSpec> = (1..=300).map(|port| s1_port(&dut, port)).collect();
    for sender in &senders {
        dut.learn(Station::U1, h, *sender);
    }
    let resv = dut.resv(Station::D1, h, Style::Se, &[se(cl(1.0), &senders)]);
    dut.send(Station::D1, resv);
    let up = dut.expect::<Resv>(Port::A);
    assert!(up.sent.packet.message.len() > 3600, "{} octets", up.sent.packet.message.len());
    assert_eq!(up.shares(), [(1.0, senders)]);
    dut.expect_no::<Resv>(Port::A);
}

#[test]
fn a_change_on_a_lan_triggers_nothing_there() {
    let mut dut = Lab::in_process().router();
    let g = dut.g();
    for (station, number) in [(Station::U1, 1), (Station::U2, 2)] {
        let sender = dut.plan.sender(number);
        dut.learn(station, g, sender);
    }
    let resv = dut.resv(Station::D2, g, Style::Wf, &[wf(cl(1.0))]);
    dut.send(Station::D2, resv);
    let _ = (dut.expect::<Resv>(Port::A), dut.expect::<Resv>(Port::B));
    dut.expect_silence();
}

#[test]
fn the_lih_is_opaque_to_the_neighbour() {
    shows(&["rfc2205-3.3-05", "rfc2205-A.2-02"]);
    for lih in [0, 1, 0xffff_ffff] {
        let mut dut = Lab::in_process().router();
        let (h, s1) = (dut.h(), dut.s1());
        let mut path = dut.path(Station::U1, h, s1);
        path.hop.lih = lih;
        dut.send(Station::U1, path);
        assert_eq!(dut.expect::<Path>(Port::C).message.hop.lih, dut.next_hop(Station::D1).lih);
        let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
        dut.send(Station::D1, resv);
        assert_eq!(dut.expect::<Resv>(Port::A).message.hop.lih, lih);
        let tear = dut.resv_tear(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
        dut.send(Station::D1, tear);
        assert_eq!(dut.expect::<rsvp_core::wire::ResvTear>(Port::A).message.hop.lih, lih);
    }
}

#[test]
fn the_session_flags_are_no_part_of_its_name() {
    shows(&["rfc2205-A.1-03"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    let mut path = dut.path(Station::U1, h, s1);
    path.session.flags = 0x81;
    dut.send(Station::U1, path);
    dut.forget();
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![s1])]);
    assert_eq!(dut.node().sessions().len(), 1);
}

#[test]
fn sessions_and_senders_have_real_addresses() {
    shows(&["rfc2205-A.1-02", "rfc2205-A.9-02"]);
    let zero = std::net::IpAddr::from([0, 0, 0, 0]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    let nowhere = dut.plan.session(zero, 5000);
    let path = dut.path(Station::U1, nowhere, s1);
    dut.send(Station::U1, path);
    let no_protocol = session(&dut, 0, 5000);
    let path = dut.path(Station::U1, no_protocol, s1);
    dut.send(Station::U1, path);
    let nobody = FilterSpec::Ip { source: zero, port: 4000 };
    let path = dut.path(Station::U1, h, nobody);
    dut.send(Station::U1, path);
    dut.expect_silence();
    assert!(dut.node().sessions().is_empty());
    dut.learn(Station::U1, h, s1);
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), nobody)]);
    dut.send(Station::D1, resv);
    dut.expect_silence();
    assert!(dut.reservations(h).is_empty());
    assert_eq!(dut.all_drops(), 4);
}

#[test]
fn hops_have_real_addresses() {
    shows(&["rfc2205-A.2-03"]);
    for address in [[0, 0, 0, 0], [255, 255, 255, 255], [224, 0, 0, 1]] {
        let mut dut = Lab::in_process().router();
        let mut path = dut.path(Station::U1, dut.h(), dut.s1());
        path.hop.address = address.into();
        dut.send(Station::U1, path);
        dut.expect_silence();
        assert!(dut.node().sessions().is_empty());
        assert_eq!(dut.all_drops(), 1);
    }
}

#[test]
fn a_filter_of_another_c_type_is_another_sender() {
    shows(&["rfc2205-A.10-01"]);
    let mut dut = Lab::in_process().router_v6();
    let (h, s1) = (dut.h(), dut.s1());
    dut.learn(Station::U1, h, s1);
    let std::net::IpAddr::V6(source) = s1.source() else { panic!("S1 is an IPv6 host") };
    let label = FilterSpec::FlowLabel { source, label: 4000 };
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), label)]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect_to::<ResvErr>(Station::D1).message.error.code, 4);
    assert!(dut.reservations(h).is_empty());
}

#[test]
fn any_refresh_period_is_taken_as_it_is() {
    shows(&["rfc2205-A.4-02"]);
    for refresh_ms in [0, u32::MAX] {
        let mut dut = Lab::in_process().router();
        let (h, s1) = (dut.h(), dut.s1());
        let mut path = dut.path(Station::U1, h, s1);
        path.refresh_ms = refresh_ms;
        dut.send(Station::U1, path);
        let _ = dut.expect::<Path>(Port::C);
        dut.advance(Duration::from_secs(3600));
        if refresh_ms == u32::MAX {
            assert_eq!(dut.senders(h).len(), 1, "it lives for 8 months");
        }
    }
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    let mut path = dut.path(Station::U1, h, s1);
    path.refresh_ms = 0;
    path.sender_tspec = tspec(1.0);
    dut.send(Station::U1, path);
    assert_eq!(dut.all::<Path>(Port::C).len(), 1, "no busy loop");
}

#[test]
fn a_resv_with_conflicting_ports_is_refused() {
    shows(&["rfc2205-3.2-04", "rfc2205-B-10"]);
    for (first, second) in [(5000, 0), (0, 5000)] {
        let mut dut = Lab::in_process().router();
        let [one, two] = [first, second].map(|port| session(&dut, 17, port));
        let sender = s1_port(&dut, if first == 0 { 0 } else { 4000 });
        dut.learn(Station::U1, one, sender);
        let resv = dut.resv(Station::D1, two, Style::Wf, &[wf(cl(1.0))]);
        dut.send(Station::D1, resv);
        assert_eq!(dut.expect_to::<ResvErr>(Station::D1).message.error.code, 7);
        dut.expect_silence();
        assert!(dut.node().reservations().is_empty());
    }
}
