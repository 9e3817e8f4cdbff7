//! RFC 2205 section 3.1: what a node does with each message, and how it makes its own.

use conformance::bench::{Lab, Port, R, Station, cl, ff, se, tspec, wf};
use conformance::shows;
use rsvp_core::counters::DropReason;
use rsvp_core::wire::{Path, Resv, ResvErr, ResvTear, Style};

/// Every message that is dropped is counted, by the reason.
#[test]
fn what_is_dropped_is_counted() {
    let mut dut = Lab::in_process().router();
    let path = dut.path(Station::U1, dut.h(), dut.s1());
    let mut sound = dut.pack(Station::U1, path.clone());
    sound.message[2..4].fill(0);
    for (at, octet, reason) in [
        (0, 0x20, DropReason::BadVersion),
        (1, 255, DropReason::UnknownMessageType),
        (2, 0xff, DropReason::BadChecksum),
        (7, sound.message[7] - 4, DropReason::BadLength),
    ] {
        let mut packet = sound.clone();
        packet.message[at] = octet;
        packet.destination = dut.plan.dut(Port::A);
        dut.send_packet(Station::U1, &packet);
        assert_eq!(dut.drops(reason), 1, "{reason:?}");
    }
    dut.send_changed(Station::U1, path, |objects| objects.retain(|object| object.class != 5));
    assert_eq!(dut.drops(DropReason::MissingObject), 1);
    let tear = dut.path_tear(Station::U1, dut.h(), dut.s1());
    dut.send(Station::U1, tear);
    assert_eq!((dut.drops(DropReason::NoState), dut.all_drops()), (1, 6));
    assert!(dut.node().sessions().is_empty());
}

#[test]
fn a_path_ends_where_its_destination_is() {
    shows(&["rfc2205-3.1.3-11"]);
    let mut dut = Lab::in_process().host();
    let here = dut.plan.session(dut.plan.dut(Port::A), 5000);
    let s1 = dut.s1();
    let api = dut.open(here);
    let path = dut.path(Station::U1, here, s1);
    dut.send(Station::U1, path);
    dut.expect_silence();
    let upcalls = dut.upcalls();
    assert!(
        matches!(&upcalls[..], [(id, rsvp_core::event::Upcall::Path { sender, .. })] if *id == api && *sender == s1),
        "{upcalls:?}"
    );
    assert!(dut.senders(here)[0].local);
}

#[test]
fn a_removed_sender_leaves_shared_reservations_of_the_others() {
    shows(&["rfc2205-3.1.5-06", "rfc2209-2.ptear-03"]);
    let mut dut = Lab::in_process().group(3);
    let (g, s1, s2) = (dut.g(), dut.s1(), dut.s2());
    dut.reserve(Station::D1, g, Style::Se, &[se(cl(1.0), &[s1, s2])]);
    let tear = dut.path_tear(Station::U1, g, s1);
    dut.send(Station::U1, tear);
    assert_eq!(dut.reserved(Port::C), [(1.0, vec![s2])], "traffic control is told");
}

#[test]
fn a_wildcard_reservation_lives_with_its_last_sender() {
    shows(&["rfc2205-3.1.5-07"]);
    let mut dut = Lab::in_process().router();
    let (g, s1, s2) = (dut.g(), dut.s1(), dut.s2());
    dut.learn(Station::U1, g, s1);
    dut.learn(Station::U2, g, s2);
    dut.reserve(Station::D1, g, Style::Wf, &[wf(cl(1.0))]);
    let tear = dut.path_tear(Station::U1, g, s1);
    dut.send(Station::U1, tear);
    assert_eq!(dut.reserved(Port::C), [(1.0, vec![])]);
    let tear = dut.path_tear(Station::U2, g, s2);
    dut.send(Station::U2, tear);
    assert!(dut.kernel(Port::C).is_empty() && dut.reservations(g).is_empty());
}

#[test]
fn a_path_error_is_told_to_the_sending_application() {
    shows(&["rfc2205-3.1.7-05"]);
    let mut dut = Lab::in_process().host();
    let h = dut.h();
    let source = rsvp_core::wire::FilterSpec::Ip { source: dut.plan.dut(Port::C), port: 4000 };
    let api = dut.open(h);
    let request = rsvp_core::command::SenderRequest {
        template: source,
        tspec: tspec(1.0),
        adspec: false.into(),
        policy: Vec::new(),
        ttl: 64,
    };
    dut.command(rsvp_core::Command::AddSender(api, request)).expect("the sender is fine");
    dut.forget();
    let error = dut.path_err(h, source, 2, 7);
    dut.send(Station::D1, error.clone());
    let upcalls = dut.upcalls();
    assert_eq!(
        upcalls,
        [(api, rsvp_core::event::Upcall::PathError { error: error.error, sender: source, policy: vec![] })]
    );
    dut.expect_silence();
    dut.advance(R + R / 2);
    let _ = dut.expect::<Path>(Port::C);
}

#[test]
fn a_reservation_error_is_told_to_the_receiving_application() {
    shows(&["rfc2205-3.1.8-10"]);
    let mut dut = Lab::in_process().host();
    let here = dut.plan.session(dut.plan.dut(Port::A), 5000);
    let s1 = dut.s1();
    let api = dut.open(here);
    let path = dut.path(Station::U1, here, s1);
    dut.send(Station::U1, path);
    let request = rsvp_core::command::ReserveRequest {
        receiver: dut.plan.dut(Port::A),
        style: Style::Ff,
        flows: vec![ff(cl(4.0), s1)],
        policy: Vec::new(),
        confirm: false,
    };
    dut.command(rsvp_core::Command::Reserve(api, request)).expect("the request is fine");
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(4.0, vec![s1])]);
    dut.upcalls();
    let error = dut.resv_err(Station::U1, here, Style::Ff, ff(cl(4.0), s1), (2, 5, 1));
    dut.send(Station::U1, error.clone());
    let expected = rsvp_core::event::Upcall::ResvError {
        error: error.error,
        style: Style::Ff,
        flows: vec![ff(cl(4.0), s1)],
        policy: vec![],
    };
    assert_eq!(dut.upcalls(), [(api, expected)]);
    dut.advance(R + R / 2);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(4.0, vec![s1])], "it is still asked for");
}

#[test]
fn a_broken_reservation_is_reported() {
    shows(&["rfc2205-3.1.8-11", "rfc2205-3.11.2-06"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.learn(Station::U1, h, s1);
    dut.reserve(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    let id = dut.kernel(Port::C)[0].id;
    let reason = rsvp_core::input::PreemptReason::Priority;
    dut.inside().input(rsvp_core::Input::Preempted(id, reason));
    dut.advance(conformance::bench::Timing::VIRTUAL.at_once);
    let error = dut.expect_to::<ResvErr>(Station::D1).message;
    assert_eq!((error.error.code, &error.flows[0].filters), (12, &vec![s1]));
    let _ = dut.expect::<ResvTear>(Port::A);
    assert!(dut.node().installed().is_empty() && dut.reservations(h).is_empty());
}
