//! RFC 2209 section 2: PATH, PTEAR and PERR MESSAGE ARRIVES, and PATH REFRESH.

use std::time::Duration;

use conformance::bench::{Dut, Lab, Port, R, Station, cl, ff, group_route, hex, tspec, wf};
use conformance::shows;
use rsvp_core::counters::DropReason;
use rsvp_core::wire::{
    Adspec, IntServAdspec, Path, PathErr, PathTear, RawObject, Resv, ResvTear, Session, Style,
};

/// An ADSPEC whose path has so many bytes per second.
fn adspec(bandwidth: f32) -> Adspec {
    let contents =
        hex("00000009 01000008 04000001 00000003 06000001 49742400 08000001 000001f4 0a000001 000005dc");
    match Adspec::decode(&RawObject { class: 13, ctype: 2, contents }) {
        Adspec::IntServ(mut adspec) => {
            adspec.general.bandwidth = bandwidth;
            Adspec::IntServ(adspec)
        }
        other => panic!("{other:?}"),
    }
}

fn bandwidth(path: &Path) -> f32 {
    match &path.adspec {
        Some(Adspec::IntServ(IntServAdspec { general, .. })) => general.bandwidth,
        other => panic!("{other:?}"),
    }
}

#[test]
fn path_state_holds_what_the_path_said() {
    shows(&["rfc2209-1-01"]);
    let mut dut = Lab::in_process().router();
    let (g, s1) = (dut.g(), dut.s1());
    let mut path = dut.path(Station::U1, g, s1);
    path.session.flags = Session::E_POLICE;
    path.adspec = Some(adspec(1000.0));
    let mut packet = dut.pack(Station::U1, path.clone());
    packet.ttl = 60;
    dut.send_packet(Station::U1, &packet);
    let state = dut.senders(g).remove(0);
    assert_eq!((state.session, state.sender, state.tspec), (g, s1, path.sender_tspec.clone()));
    assert_eq!((state.previous_hop, state.incoming_interface), (Some(path.hop), Some(Port::A.interface())));
    assert_eq!(state.outgoing_interfaces, [Port::C.interface(), Port::D.interface()]);
    assert_eq!(state.adspec, path.adspec);
    assert!(state.non_rsvp, "Send_TTL is 64, the TTL 60");
    assert_eq!(state.ttl, 59, "that it goes on with");
    dut.reserve(Station::D1, g, Style::Ff, &[ff(cl(1.0), s1)]);
    assert!(dut.kernel(Port::C)[0].police.contains(rsvp_core::output::PoliceFlags::ENTRY), "E_Police");
}

#[test]
fn what_changes_in_a_path_and_what_that_triggers() {
    shows(&["rfc2209-2.path-05"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.learn(Station::U1, h, s1);
    dut.reserve(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    let mut path = dut.path(Station::U1, h, s1);
    path.sender_tspec = tspec(30.0);
    dut.send(Station::U1, path.clone());
    assert_eq!(dut.expect::<Path>(Port::C).message.sender_tspec, tspec(30.0));
    path.hop.lih = 99;
    dut.send(Station::U1, path.clone());
    assert_eq!(dut.expect::<Resv>(Port::A).message.hop.lih, 99);
    dut.forget();
    path.hop.address = dut.plan.address(1, 9);
    dut.send(Station::U1, path);
    let resv = dut.expect::<Resv>(Port::A);
    assert_eq!(resv.sent.packet.destination, dut.plan.address(1, 9));
    assert_eq!(dut.senders(h).len(), 1, "the newest previous hop on an interface replaces the old one");
}

#[test]
fn another_adspec_is_used_in_the_next_path() {
    shows(&["rfc2209-2.path-06"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    let mut path = dut.path(Station::U1, h, s1);
    path.adspec = Some(adspec(2000.0));
    dut.send(Station::U1, path.clone());
    assert_eq!(bandwidth(&dut.expect::<Path>(Port::C).message), 2000.0);
    path.adspec = Some(adspec(1000.0));
    dut.send(Station::U1, path);
    dut.advance(R + R / 2);
    assert_eq!(bandwidth(&dut.expect::<Path>(Port::C).message), 1000.0);
}

#[test]
fn a_path_without_adspec_after_one_with() {
    shows(&["rfc2209-2.path-07"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    let mut path = dut.path(Station::U1, h, s1);
    path.adspec = Some(adspec(2000.0));
    dut.send(Station::U1, path.clone());
    dut.forget();
    path.adspec = None;
    dut.send(Station::U1, path);
    dut.advance(R + R / 2);
    let sent = dut.all::<Path>(Port::C);
    assert!(
        !sent.is_empty() && sent.iter().all(|path| path.message.adspec.is_none()),
        "the latest Path counts"
    );
    assert_eq!(dut.senders(h)[0].adspec, None);
}

#[test]
fn a_new_sender_is_passed_on_without_the_wait_of_a_repair() {
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    let path = dut.path(Station::U1, h, s1);
    dut.send(Station::U1, path);
    let sent = dut.expect::<Path>(Port::C);
    assert!(sent.sent.at.as_micros() < 100_000, "{:?}", sent.sent.at);
}

#[test]
fn a_path_that_is_no_news_changes_no_rate() {
    shows(&["rfc2209-2.path-13"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.learn(Station::U1, h, s1);
    for _ in 0..10 {
        let path = dut.path(Station::U1, h, s1);
        dut.send(Station::U1, path);
        dut.advance(Duration::from_secs(1));
    }
    dut.expect_silence();
}

#[test]
fn a_change_of_one_sender_is_no_news_of_the_other() {
    shows(&["rfc2209-2.path-15"]);
    let mut dut = Lab::in_process().router();
    let (h, s1, s2) = (dut.h(), dut.s1(), dut.s2());
    dut.learn(Station::U1, h, s1);
    dut.learn(Station::U2, h, s2);
    let mut path = dut.path(Station::U1, h, s1);
    path.sender_tspec = tspec(5.0);
    dut.send(Station::U1, path);
    assert_eq!(dut.expect::<Path>(Port::C).message.sender_template, s1);
    dut.expect_silence();
}

#[test]
fn a_new_sender_of_a_shared_reservation_counts_at_once() {
    let mut dut = Lab::in_process().router();
    let (h, s1, s2) = (dut.h(), dut.s1(), dut.s2());
    dut.learn(Station::U1, h, s1);
    dut.reserve(Station::D1, h, Style::Wf, &[wf(cl(1.0))]);
    assert_eq!(dut.kernel(Port::C)[0].sender_tspec, Some(tspec(20.0)));
    let path = dut.path(Station::U2, h, s2);
    dut.send(Station::U2, path);
    assert_eq!(dut.kernel(Port::C)[0].sender_tspec, Some(tspec(40.0)), "Path_Te is the sum");
    assert_eq!(dut.expect::<Resv>(Port::B).shares(), [(1.0, vec![])]);
}

#[test]
fn a_path_tear_is_made_anew_for_each_interface() {
    shows(&["rfc2209-2.ptear-02"]);
    let mut dut = Lab::in_process().router();
    let (g, s1) = (dut.g(), dut.s1());
    let path = dut.path(Station::U1, g, s1);
    dut.send(Station::U1, path);
    let lih = [Port::C, Port::D].map(|port| dut.expect::<Path>(port).message.hop.lih);
    let tear = dut.path_tear(Station::U1, g, s1);
    dut.send(Station::U1, tear);
    for (port, lih) in [Port::C, Port::D].into_iter().zip(lih) {
        let hop = dut.expect::<PathTear>(port).message.hop;
        assert_eq!((hop.address, hop.lih), (dut.plan.dut(port), lih));
    }
    dut.expect_silence();
    assert!(dut.senders(g).is_empty());
}

#[test]
fn a_removed_sender_takes_its_part_of_the_sum_along() {
    shows(&["rfc2209-2.ptear-04", "rfc2209-2.utc-04"]);
    let mut dut = Lab::in_process().router();
    let (h, s1, s2) = (dut.h(), dut.s1(), dut.s2());
    for (station, sender) in [(Station::U1, s1), (Station::U2, s2)] {
        let mut path = dut.path(station, h, sender);
        path.sender_tspec = tspec(2.0);
        dut.send(station, path);
    }
    dut.reserve(Station::D1, h, Style::Wf, &[wf(cl(10.0))]);
    let merge = rsvp_core::output::PoliceFlags::MERGE;
    let installed = dut.kernel(Port::C).remove(0);
    assert_eq!((installed.sender_tspec, installed.police.contains(merge)), (Some(tspec(4.0)), true));
    let tear = dut.path_tear(Station::U2, h, s2);
    dut.send(Station::U2, tear);
    let installed = dut.kernel(Port::C).remove(0);
    assert_eq!((installed.sender_tspec, installed.police.contains(merge)), (Some(tspec(2.0)), false));
}

#[test]
fn a_path_error_for_nobody_is_dropped() {
    shows(&["rfc2209-2.perr-01"]);
    let mut dut = Lab::in_process().router();
    let (h, k, s1, s2) = (dut.h(), dut.k(), dut.s1(), dut.s2());
    dut.learn(Station::U1, h, s1);
    for (session, sender) in [(h, s2), (k, s1)] {
        let error = dut.path_err(session, sender, 2, 0);
        dut.send(Station::D1, error);
    }
    dut.expect_silence();
    assert_eq!(dut.drops(DropReason::NoState), 2);
    let error = dut.path_err(h, s1, 2, 0);
    dut.send(Station::D1, error);
    let _ = dut.expect::<PathErr>(Port::A);
}

#[test]
fn the_ttl_counts_down() {
    shows(&["rfc2209-2.prefresh-01"]);
    for (ttl, goes_on) in [(2, true), (1, false)] {
        let mut dut = Lab::in_process().router();
        let path = dut.path(Station::U1, dut.h(), dut.s1());
        let mut packet = dut.pack(Station::U1, path);
        packet.ttl = ttl;
        dut.send_packet(Station::U1, &packet);
        if goes_on {
            assert_eq!(dut.expect::<Path>(Port::C).sent.packet.ttl, 1);
        }
        dut.advance(2 * R);
        if !goes_on {
            dut.expect_silence();
        }
        let h = dut.h();
        assert_eq!(dut.senders(h).len(), 1);
    }
}

#[test]
fn the_path_state_that_routing_expects_takes_over() {
    shows(&["rfc2209-2.path-11"]);
    let mut dut = Lab::in_process().router();
    let (g, s1) = (dut.g(), dut.s1());
    dut.learn(Station::U1, g, s1);
    let mut other = dut.path(Station::U2, g, s1);
    other.sender_tspec = tspec(30.0);
    dut.send(Station::U2, other.clone());
    dut.expect_silence();
    let resv = dut.resv(Station::D1, g, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, resv);
    dut.expect::<Resv>(Port::A);
    dut.expect_silence();

    dut.set_route(g.destination(), Some(s1.source()), group_route(Port::B, &[Port::C, Port::D]));
    dut.advance(Duration::from_millis(100));
    for port in [Port::C, Port::D] {
        let path = dut.expect::<Path>(port).message;
        assert_eq!(path.sender_tspec, tspec(30.0), "that of the Path on b");
    }
    dut.expect::<Resv>(Port::B);
    dut.expect::<ResvTear>(Port::A);
    dut.expect_silence();
    let outgoing = |dut: &mut Dut, port: Port| {
        let state = dut.senders(g).into_iter().find(|s| s.incoming_interface == Some(port.interface()));
        state.expect("both stay").outgoing_interfaces
    };
    assert_eq!(outgoing(&mut dut, Port::A), [], "Local_Only");
    assert_eq!(outgoing(&mut dut, Port::B), [Port::C.interface(), Port::D.interface()]);

    // From now on what comes in on a goes nowhere, and one stream of Paths leaves.
    let mut astray = dut.path(Station::U1, g, s1);
    astray.sender_tspec = tspec(5.0);
    dut.send(Station::U1, astray);
    dut.expect_silence();
    dut.send(Station::U2, other);
    dut.advance(2 * R);
    let paths = dut.all::<Path>(Port::C);
    assert!((1..=4).contains(&paths.len()), "{} Paths in two periods", paths.len());
    assert!(paths.iter().all(|path| path.message.sender_tspec == tspec(30.0)));
}
