//! RFC 2205 section 2: what happens to the state.

use conformance::bench::{Dut, Lab, Port, Station, cl, ff, se, tspec, wf};
use conformance::shows;
use rsvp_core::wire::{PathErr, Resv, ResvErr, Style};

/// A router with n times B reserved.
fn reserved(n: f32) -> Dut {
    let mut dut = Lab::in_process().greedy();
    let (h, s1) = (dut.h(), dut.s1());
    dut.reserve(Station::D1, h, Style::Ff, &[ff(cl(n), s1)]);
    dut
}

#[test]
fn a_path_error_changes_no_state() {
    shows(&["rfc2205-2.5-01", "rfc2205-3.1.7-02"]);
    let mut dut = reserved(1.0);
    let (h, s1) = (dut.h(), dut.s1());
    let before = (dut.node().senders(), dut.node().reservations(), dut.node().installed());
    let error = dut.path_err(h, s1, 2, 0);
    dut.send(Station::D1, error);
    dut.expect::<PathErr>(Port::A);
    dut.expect_silence();
    assert_eq!((dut.node().senders(), dut.node().reservations(), dut.node().installed()), before);
}

#[test]
fn traffic_control_keeps_what_it_had_when_it_refuses_more() {
    shows(&["rfc2205-3.11.2-03"]);
    for before in [vec![], vec![2.0]] {
        let mut dut = Lab::in_process().greedy();
        let (h, s1) = (dut.h(), dut.s1());
        for n in &before {
            dut.reserve(Station::D1, h, Style::Ff, &[ff(cl(*n), s1)]);
        }
        let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(100.0), s1)]);
        dut.send(Station::D1, resv);
        let error = dut.expect_to::<ResvErr>(Station::D1).message.error;
        assert_eq!((error.code, error.value, usize::from(error.flags)), (1, 2, before.len()));
        let shares: Vec<_> = before.iter().map(|n| (*n, vec![s1])).collect();
        assert_eq!(dut.reserved(Port::C), shares);
        assert_eq!(dut.reservations(h).len(), before.len());
    }
}

#[test]
fn traffic_control_lets_go_of_what_is_torn() {
    shows(&["rfc2205-2.4-02", "rfc2205-2.4-07", "rfc2205-2.4-08"]);
    let mut dut = reserved(1.0);
    let (h, s1) = (dut.h(), dut.s1());
    let tear = dut.resv_tear(Station::D1, h, Style::Ff, &[ff(cl(9.0), s1)]);
    dut.send(Station::D1, tear);
    assert!(dut.kernel(Port::C).is_empty() && dut.reservations(h).is_empty());
    assert_eq!(dut.senders(h).len(), 1);

    let mut dut = reserved(1.0);
    let tear = dut.path_tear(Station::U1, h, s1);
    dut.send(Station::U1, tear);
    assert!(dut.kernel(Port::C).is_empty() && dut.reservations(h).is_empty());
    assert!(dut.senders(h).is_empty());

    let mut dut = Lab::in_process().group(3);
    let (g, s2) = (dut.g(), dut.s2());
    dut.reserve(Station::D1, g, Style::Se, &[se(cl(2.0), &[s1, s2])]);
    let tear = dut.resv_tear(Station::D1, g, Style::Se, &[se(cl(9.0), &[s2])]);
    dut.send(Station::D1, tear);
    assert_eq!(dut.reserved(Port::C), [(2.0, vec![s1])]);
}

#[test]
fn the_lih_says_where_it_is_installed() {
    shows(&["rfc2205-2.9-04"]);
    let mut dut = Lab::in_process().unicast(1);
    let (h, s1) = (dut.h(), dut.s1());
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    let packet = dut.pack(Station::D1, resv);
    dut.send_packet(Station::D2, &packet);
    assert_eq!(dut.reserved(Port::C), [(1.0, vec![s1])]);
    assert!(dut.reserved(Port::D).is_empty());
}

#[test]
fn installed_is_no_more_than_the_senders_send() {
    shows(&["rfc2205-2.2-03"]);
    let mut dut = Lab::in_process().router();
    let g = dut.g();
    for (station, number) in [(Station::U1, 1), (Station::U2, 2)] {
        let mut path = dut.path(station, g, dut.plan.sender(number));
        path.sender_tspec = tspec(2.0);
        dut.send(station, path);
    }
    dut.forget();
    let resv = dut.resv(Station::D1, g, Style::Wf, &[wf(cl(10.0))]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(10.0, vec![])]);
    let installed = dut.kernel(Port::C);
    assert_eq!(installed[0].sender_tspec, Some(tspec(4.0)), "Path_Te is the sum");
    let c = dut.node().interfaces().into_iter().find(|view| view.id == Port::C.interface());
    assert_eq!(c.expect("c is there").reserved, 40_000, "traffic control takes the lesser of both");
}
