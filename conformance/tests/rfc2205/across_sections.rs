//! RFC 2205: cases that concern several sections at once.

use conformance::bench::{
    Family, InProcess, Lab, Packet, Plan, Port, R, Station, Tester, cl, ff, group_route, object, se, tspec,
    wf,
};
use conformance::shows;
use rsvp_core::command::{Command, ReserveRequest};
use rsvp_core::config::NodeConfig;
use rsvp_core::event::Upcall;
use rsvp_core::input::{NextHop, Route};
use rsvp_core::wire::{
    ErrorSpec, FilterSpec, FlowKey, MessageType, Path, PathErr, Resv, ResvErr, SessionKey, Style,
};

#[test]
fn figure_10_both_ways() {
    shows(&["rfc2205-2.1-05", "rfc2205-2.3-08", "rfc2205-2.3-09", "rfc2205-3.4-10"]);
    let mut dut = Lab::in_process().router();
    let (g, s1) = (dut.g(), dut.s1());
    let s9 = dut.plan.sender(9);
    let group = g.flow().destination;
    dut.set_route(group, Some(s1.source()), group_route(Port::A, &[Port::C]));
    dut.set_route(group, Some(s9.source()), group_route(Port::C, &[Port::A]));
    let path = dut.path(Station::U1, g, s1);
    dut.send(Station::U1, path);
    assert_eq!(dut.expect::<Path>(Port::C).message.sender_template, s1);
    let path = dut.path(Station::D1, g, s9);
    dut.send(Station::D1, path);
    assert_eq!(dut.expect::<Path>(Port::A).message.sender_template, s9);
    dut.expect_silence();
    let resv = dut.resv(Station::D1, g, Style::Wf, &[wf(cl(3.0))]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(3.0, vec![])]);
    dut.expect_silence();
    let resv = dut.resv(Station::U1, g, Style::Wf, &[wf(cl(4.0))]);
    dut.send(Station::U1, resv);
    assert_eq!(dut.expect::<Resv>(Port::C).shares(), [(4.0, vec![])]);
    dut.expect_silence();
    assert_eq!(dut.reserved(Port::A), [(4.0, vec![])]);
    assert_eq!(dut.reserved(Port::C), [(3.0, vec![])]);
    let error = dut.resv_err(Station::U1, g, Style::Wf, wf(cl(3.0)), (2, 0, 0));
    dut.send(Station::U1, error);
    let _ = dut.expect_to::<ResvErr>(Station::D1);
    dut.expect_silence();
}

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
fn policy_data_is_not_merged() {
    shows(&["rfc2205-2.7-02", "rfc2209-2.rrefresh-11"]);
    let mut dut = Lab::in_process().router();
    let (g, s1) = (dut.g(), dut.s1());
    dut.learn(Station::U1, g, s1);
    let policy = [object(14, 1, &[1; 8]), object(14, 1, &[2; 8])];
    for (station, policy) in [Station::D1, Station::D2].into_iter().zip(&policy) {
        let mut resv = dut.resv(station, g, Style::Ff, &[ff(cl(1.0), s1)]);
        resv.policy = vec![policy.clone()];
        dut.send(station, resv);
    }
    let mut carried = dut.all::<Resv>(Port::A).pop().expect("a Resv").message.policy;
    carried.sort_by(|one, other| one.contents.cmp(&other.contents));
    assert_eq!(carried, policy);
}

#[test]
fn a_resv_crosses_other_routers_to_its_previous_hop() {
    shows(&["rfc2205-2.9-01"]);
    let mut dut = Lab::in_process().router();
    let (h, s1, far) = (dut.h(), dut.s1(), dut.plan.far());
    let via_u1 = NextHop { interface: Port::A.interface(), gateway: Some(dut.plan.station(Station::U1)) };
    dut.set_route(far, None, Route { outgoing: vec![via_u1], ..Route::default() });
    let mut path = dut.path(Station::U1, h, s1);
    path.hop.address = far;
    let mut packet = dut.pack(Station::U1, path);
    packet.ttl = 60;
    dut.send_packet(Station::U1, &packet);
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, resv);
    let resv = dut.expect::<Resv>(Port::A);
    assert_eq!(resv.sent.packet.destination, far);
    assert!(resv.sent.packet.ttl > 1, "it has more than one hop to go");
}

#[test]
fn messages_of_others_are_forwarded_as_they_are() {
    shows(&["rfc2205-2.9-03", "rfc2209-2.arrive-02"]);
    let dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    let other = dut.plan.session(dut.plan.station(Station::D1), 1).flow().destination;
    let resv = dut.pack(Station::U1, dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]));
    let error = dut.pack(Station::U1, dut.path_err(h, s1, 2, 0));
    for packet in [resv, error] {
        let mut damaged = packet.message.clone();
        damaged.truncate(20);
        damaged[2..4].fill(0);
        damaged[7] = 20;
        for message in [packet.message.clone(), damaged] {
            let mut tester = InProcess::new(Plan(Family::V4), NodeConfig::default());
            let packet = Packet { destination: other, message: message.clone(), ..packet.clone() };
            tester.send(Station::U1, &packet);
            let sent = tester.advance(R);
            assert_eq!(sent.len(), 1, "{sent:?}");
            assert_eq!((sent[0].port, sent[0].packet.destination), (Port::C, other));
            assert_eq!((sent[0].packet.ttl, &sent[0].packet.message), (63, &message));
            assert!(tester.node().sessions().is_empty());
        }
    }
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
fn undefined_style_bits() {
    shows(&["rfc2205-A.7-03"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.learn(Station::U1, h, s1);
    let resv = dut.resv(Station::D1, h, Style::Wf, &[wf(cl(1.0))]);
    dut.send_changed(Station::D1, resv, |objects| {
        let style = objects.iter_mut().find(|object| object.class == 8).expect("it is there");
        style.contents[2] = 0x04;
    });
    assert_eq!(dut.expect::<Resv>(Port::A).message.style, Style::Wf, "new option bits are ignored");
    assert_eq!(dut.reserved(Port::C), [(1.0, vec![])]);
}

/// Makes the DUT find every error it can find in what a neighbour sends. The bench checks each answer: that its code may
/// appear in its type, and is none of the reserved ones.
#[test]
fn each_code_in_its_message() {
    shows(&["rfc2205-B-01", "rfc2205-B-12", "rfc2205-B-16"]);
    let mut dut = Lab::in_process().router();
    let (h, s1, s2) = (dut.h(), dut.s1(), dut.s2());
    let unknown = dut.plan.sender(9);
    let mut resv_codes = Vec::new();
    let mut path_codes = Vec::new();
    let early = dut.resv(Station::D1, h, Style::Wf, &[wf(cl(1.0))]);
    dut.send(Station::D1, early);
    let mut path = dut.path(Station::U1, h, s1);
    path.sender_tspec = tspec(200.0);
    dut.send(Station::U1, path.clone());
    let no_port = FilterSpec::Ip { source: s1.source(), port: 0 };
    for (session, sender) in [(h, no_port), (dut.plan.session(h.flow().destination, 0), no_port)] {
        let path = dut.path(Station::U1, session, sender);
        dut.send(Station::U1, path);
    }
    dut.send_changed(Station::U1, path.clone(), |objects| objects.push(object(99, 1, &[0; 4])));
    dut.send_changed(Station::U1, path.clone(), |objects| objects[0].ctype = 99);
    path.sender_tspec = tspec(f32::NAN);
    dut.send(Station::U1, path);
    for flow in [ff(cl(100.0), s1), ff(cl(1.0), unknown), ff(cl(f32::NAN), s1), ff(cl(1.0), s1)] {
        let resv = dut.resv(Station::D1, h, Style::Ff, &[flow]);
        dut.send(Station::D1, resv);
    }
    let resv = dut.resv(Station::D1, h, Style::Se, &[se(cl(1.0), &[s1, s2])]);
    dut.send(Station::D1, resv.clone());
    dut.send_changed(Station::D1, resv.clone(), |objects| objects.insert(1, object(99, 1, &[0; 4])));
    dut.send_changed(Station::D1, resv, |objects| {
        let style = objects.iter_mut().find(|object| object.class == 8).expect("it is there");
        style.contents[3] = 0x09;
    });
    for error in dut.all::<ResvErr>(Port::C) {
        resv_codes.push(error.message.error.code);
    }
    for error in dut.all::<PathErr>(Port::A) {
        path_codes.push(error.message.error.code);
    }
    resv_codes.push(dut.expect_raw(Port::C, MessageType::RESV_ERR).objects[2].object.contents[5]);
    for codes in [&mut resv_codes, &mut path_codes] {
        codes.sort_unstable();
    }
    assert_eq!(resv_codes, [1, 3, 4, 5, 6, 13, 21]);
    assert_eq!(path_codes, [7, 8, 13, 21], "a SESSION that is not understood is answered by nothing");
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
