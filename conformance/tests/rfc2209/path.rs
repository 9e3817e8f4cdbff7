//! RFC 2209 section 2: what PATH and PTEAR MESSAGE ARRIVES do to the state.

use conformance::bench::{Dut, Lab, Port, Station, Timing, cl, ff, group_route, hex, tspec, wf};
use conformance::shows;
use rsvp_core::wire::{Adspec, RawObject, Resv, Session, Style};

#[test]
fn path_state_holds_what_the_path_said() {
    shows(&["rfc2209-1-01"]);
    let mut dut = Lab::in_process().router();
    let (g, s1) = (dut.g(), dut.s1());
    let mut path = dut.path(Station::U1, g, s1);
    path.session.flags = Session::E_POLICE;
    let contents =
        hex("00000009 01000008 04000001 00000003 06000001 49742400 08000001 000001f4 0a000001 000005dc");
    path.adspec = Some(Adspec::decode(&RawObject { class: 13, ctype: 2, contents }));
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
fn the_path_state_that_routing_expects_takes_over() {
    shows(&["rfc2209-2.path-11"]);
    let mut dut = Lab::in_process().router();
    let (g, s1) = (dut.g(), dut.s1());
    dut.learn(Station::U1, g, s1);
    dut.learn(Station::U2, g, s1);
    let outgoing = |dut: &mut Dut, port: Port| {
        let state = dut.senders(g).into_iter().find(|s| s.incoming_interface == Some(port.interface()));
        state.expect("there is state for both").outgoing_interfaces
    };
    let downstream = [Port::C.interface(), Port::D.interface()];
    assert_eq!((outgoing(&mut dut, Port::A), outgoing(&mut dut, Port::B)), (downstream.to_vec(), vec![]));
    dut.set_route(g.destination(), Some(s1.source()), group_route(Port::B, &[Port::C, Port::D]));
    dut.advance(Timing::VIRTUAL.at_once);
    assert_eq!(outgoing(&mut dut, Port::A), [], "Local_Only");
    assert_eq!(outgoing(&mut dut, Port::B), downstream);
}
