//! RFC 2205: tests that concern several sections at once.

use conformance::bench::{Lab, Port, R, Station, cl, ff};
use conformance::shows;
use rsvp_core::command::{Command, ReserveRequest};
use rsvp_core::event::Upcall;
use rsvp_core::wire::{ErrorSpec, FlowKey, Resv, ResvErr, SessionKey, Style};

#[test]
fn a_confirmation_promises_nothing() {
    shows(&["rfc2205-1.2-05", "rfc2205-2.6-04"]);
    let mut dut = Lab::in_process().host();
    let (session, s1) = (dut.plan.session(dut.plan.dut(Port::A), 5000), dut.s1());
    let api = dut.open(session);
    dut.learn(Station::U1, session, s1);
    let receiver = dut.plan.dut(Port::A);
    let flow = ff(cl(2.0), s1);
    let request = ReserveRequest {
        receiver,
        style: Style::Ff,
        flows: vec![flow.clone()],
        policy: Vec::new(),
        confirm: true,
    };
    dut.command(Command::Reserve(api, request)).expect("it is a good request");
    dut.upcalls();
    for _ in 0..2 {
        let confirmation = dut.resv_conf(session, receiver, Style::Ff, std::slice::from_ref(&flow));
        dut.send(Station::U1, confirmation);
        assert!(matches!(&dut.upcalls()[..], [(_, Upcall::Confirmed { .. })]), "each one is told");
    }
    let error = dut.resv_err(Station::U1, session, Style::Ff, flow, (2, 0, 0));
    dut.send(Station::U1, error);
    assert!(matches!(&dut.upcalls()[..], [(_, Upcall::ResvError { .. })]));
    dut.forget();
    dut.advance(R + R / 2);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(2.0, vec![s1])], "it is refreshed all the same");
}

#[test]
fn a_session_of_a_protocol_with_ports_may_have_none() {
    shows(&["rfc2205-3.2-03"]);
    let mut dut = Lab::in_process().host();
    let destination = dut.h().flow().destination;
    for (protocol, port) in [(17, 0), (89, 9)] {
        let flow = FlowKey { destination, protocol, port };
        assert!(
            dut.command(Command::OpenSession(SessionKey::Ip(flow))).is_ok(),
            "it is left to the application"
        );
        let api = dut.open(SessionKey::Ip(flow));
        for api in [rsvp_core::ApiId(api.0 - 1), api] {
            dut.command(Command::Release(api)).expect("it was opened");
        }
    }
}

#[test]
fn a_preempted_reservation_is_code_12() {
    shows(&["rfc2205-B-13"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.learn(Station::U1, h, s1);
    dut.reserve(Station::D1, h, Style::Ff, &[ff(cl(3.0), s1)]);
    let id = dut.kernel(Port::C)[0].id;
    let reason = rsvp_core::input::PreemptReason::ResourceLost;
    dut.inside().input(rsvp_core::Input::Preempted(id, reason));
    dut.advance(conformance::bench::Timing::VIRTUAL.at_once);
    let error = dut.expect_to::<ResvErr>(Station::D1).message;
    let ErrorSpec { code, value, flags, .. } = error.error;
    assert_eq!((code, flags), (12, 0));
    assert!(value == 0 || value >> 14 == 0b10, "none, or one of this organisation: {value:#06x}");
    assert_eq!((error.style, error.flows), (Style::Ff, vec![ff(cl(3.0), s1)]));
}

#[test]
fn path_state_of_the_wrong_side_is_for_local_use_alone() {
    shows(&["rfc2205-3.1.3-13", "rfc2209-1-02", "rfc2209-2.path-01"]);
    let mut dut = Lab::in_process().group(1);
    let (g, s1) = (dut.g(), dut.s1());
    let path = dut.path(Station::U2, g, s1);
    dut.send(Station::U2, path);
    dut.expect_silence();
    let mut outgoing: Vec<usize> = dut.senders(g).iter().map(|view| view.outgoing_interfaces.len()).collect();
    outgoing.sort_unstable();
    assert_eq!(outgoing, [0, 2], "one forwards, the other does not");
    let resv = dut.resv(Station::D1, g, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, resv);
    let _ = dut.expect::<Resv>(Port::A);
    dut.expect_silence();
    let tear = dut.path_tear(Station::U2, g, s1);
    dut.send(Station::U2, tear);
    dut.expect_silence();
    assert_eq!(dut.senders(g).len(), 1);
}
