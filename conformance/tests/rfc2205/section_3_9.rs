//! RFC 2205 sections 1, 3.1.3 and 3.9: senders and receivers on the node itself, and their interfaces.

use conformance::bench::{Dut, Lab, Port, R, Station, cl, ff, group_route, tspec, wf};
use conformance::shows;
use rsvp_core::command::{ReserveRequest, SenderRequest};
use rsvp_core::event::Upcall;
use rsvp_core::wire::{FilterSpec, FlowDescriptor, Path, PathTear, Resv, ResvTear, Style};
use rsvp_core::{ApiId, Command, Request};

/// A sender that is bound to one of the DUT's interfaces.
fn bound(dut: &Dut, port: Port) -> FilterSpec {
    FilterSpec::Ip { source: dut.plan.dut(port), port: 4000 }
}

fn announce(dut: &mut Dut, api: ApiId, template: FilterSpec) {
    let request =
        SenderRequest { template, tspec: tspec(1.0), adspec: false.into(), policy: vec![], ttl: 63 };
    dut.command(Command::AddSender(api, request)).expect("it is a good sender");
}

/// Reserves for a receiver on this interface.
fn reserve(dut: &mut Dut, api: ApiId, on: Port, style: Style, flows: &[FlowDescriptor]) {
    let request = ReserveRequest {
        receiver: dut.plan.dut(on),
        style,
        flows: flows.to_vec(),
        policy: vec![],
        confirm: false,
    };
    dut.command(Command::Reserve(api, request)).expect("it is a good request");
}

fn heard(dut: &mut Dut, api: ApiId) -> Vec<FilterSpec> {
    let upcalls = dut.upcalls().into_iter().filter(|(to, _)| *to == api);
    upcalls
        .filter_map(|(_, upcall)| match upcall {
            Upcall::Path { sender, .. } => Some(sender),
            _ => None,
        })
        .collect()
}

#[test]
fn sending_and_receiving_are_separate() {
    shows(&["rfc2205-1-01"]);
    let mut dut = Lab::in_process().host();
    let (g, own, s1) = (dut.g(), bound(&dut, Port::C), dut.s1());
    let [sending, receiving] = [(); 2].map(|()| dut.open(g));
    announce(&mut dut, sending, own);
    dut.expect::<Path>(Port::C);
    dut.learn(Station::U1, g, s1);
    dut.reserve(Station::D1, g, Style::Ff, &[ff(cl(1.0), own)]);
    assert_eq!(dut.reserved(Port::C), [(1.0, vec![own])]);
    let reservations = dut.reservations(g);
    assert_eq!(reservations.len(), 1, "nothing for the opposite direction: {reservations:?}");
    dut.expect_silence();

    reserve(&mut dut, receiving, Port::A, Style::Ff, &[ff(cl(2.0), s1)]);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(2.0, vec![s1])], "its own request, and only that");
    assert_eq!(dut.reserved(Port::A), []);
    assert_eq!(dut.reserved(Port::C), [(1.0, vec![own])]);
    dut.expect_silence();
}

#[test]
fn a_sender_does_not_hear_itself() {
    shows(&["rfc2205-3.1.3-09"]);
    let mut dut = Lab::in_process().host();
    let (g, own, s1) = (dut.g(), bound(&dut, Port::A), dut.s1());
    let [both, other] = [(); 2].map(|()| dut.open(g));
    for api in [both, other] {
        dut.command(Command::Join(api, None)).expect("the session is a group's");
    }
    announce(&mut dut, both, own);
    let upcalls = dut.upcalls();
    let told = |api| upcalls.iter().any(|(to, upcall)| *to == api && matches!(upcall, Upcall::Path { .. }));
    assert!(!told(both), "{upcalls:?}");
    assert!(told(other), "another process receives what this one sends: {upcalls:?}");
    dut.learn(Station::U1, g, s1);
    assert_eq!(heard(&mut dut, both), [s1], "it receives what others send");
}

#[test]
fn a_sender_is_bound_to_the_interface_of_its_address() {
    shows(&["rfc2205-3.9-01"]);
    let mut dut = Lab::in_process().host();
    let g = dut.g();
    for port in [Port::B, Port::C] {
        let (api, own) = (dut.open(g), bound(&dut, port));
        announce(&mut dut, api, own);
        let path = dut.expect::<Path>(port);
        assert_eq!(path.sent.packet.source, dut.plan.dut(port));
        assert_eq!(path.message.hop.address, dut.plan.dut(port));
        dut.expect_silence();
        dut.advance(2 * R);
        for other in Port::ALL.into_iter().filter(|other| *other != port) {
            dut.expect_no::<Path>(other);
        }
        dut.command(Command::Release(api)).expect("it was opened");
        dut.expect::<PathTear>(port);
        dut.forget();
    }

    let unbound = FilterSpec::Ip { source: dut.plan.far(), port: 4000 };
    dut.set_route(g.destination(), Some(unbound.source()), group_route(Port::A, &[Port::D]));
    let api = dut.open(g);
    announce(&mut dut, api, unbound);
    assert_eq!(dut.expect::<Path>(Port::D).message.hop.address, dut.plan.dut(Port::D));
    dut.expect_silence();
}

#[test]
fn a_reservation_goes_out_of_the_receivers_interface() {
    shows(&["rfc2205-3.9-02"]);
    for (on, elsewhere) in [(Port::A, Port::B), (Port::B, Port::A)] {
        let mut dut = Lab::in_process().host();
        let (g, s1) = (dut.g(), dut.s1());
        let api = dut.open(g);
        dut.learn(Station::U1, g, s1);
        dut.learn(Station::U2, g, s1);
        reserve(&mut dut, api, on, Style::Ff, &[ff(cl(1.0), s1)]);
        assert!(
            dut.inside()
                .take_requests()
                .contains(&Request::Join { group: g.destination(), interface: Some(on.interface()) })
        );
        assert_eq!(dut.expect::<Resv>(on).shares(), [(1.0, vec![s1])]);
        dut.expect_silence();
        reserve(&mut dut, api, elsewhere, Style::Ff, &[ff(cl(1.0), s1)]);
        dut.expect::<Resv>(elsewhere);
        dut.expect::<ResvTear>(on);
        dut.expect_silence();
    }

    // No interface is named: the one that the system expects the data on.
    let mut dut = Lab::in_process().host();
    let (g, s1) = (dut.g(), dut.s1());
    let api = dut.open(g);
    dut.learn(Station::U2, g, s1);
    dut.learn(Station::U1, g, s1);
    let receiver = dut.plan.far();
    let flows = vec![ff(cl(1.0), s1)];
    let request = ReserveRequest { receiver, style: Style::Ff, flows, policy: vec![], confirm: false };
    dut.command(Command::Reserve(api, request)).expect("it is a good request");
    dut.expect::<Resv>(Port::A);
    dut.expect_silence();
}

/// A router where S1's data comes in on a (Isp), and an application that receives on d (Iapp).
#[test]
fn a_router_with_a_receiver_uses_the_path_state_of_the_receivers_interface() {
    shows(&["rfc2205-3.9-03"]);
    for style in [Style::Ff, Style::Wf] {
        let mut dut = Lab::in_process().router();
        let (g, s1) = (dut.g(), dut.s1());
        let flow = if style == Style::Ff { ff(cl(1.0), s1) } else { wf(cl(1.0)) };
        let api = dut.open(g);
        // Forwarding within the router: Iapp is an outgoing interface of the path state of Isp.
        dut.learn(Station::U1, g, s1);
        reserve(&mut dut, api, Port::D, style, std::slice::from_ref(&flow));
        dut.expect::<Resv>(Port::A);
        dut.expect_silence();
        // A branch of its own: there is path state of Iapp, and it is Local_Only.
        dut.set_route(g.destination(), Some(s1.source()), group_route(Port::A, &[Port::C]));
        let path = dut.path(Station::D2, g, s1);
        dut.send(Station::D2, path);
        let resv = dut.expect_to::<Resv>(Station::D2);
        assert_eq!(resv.sent.port, Port::D);
        dut.expect::<ResvTear>(Port::A);
        dut.forget();
        let local_only =
            dut.senders(g).into_iter().find(|s| s.incoming_interface == Some(Port::D.interface()));
        assert_eq!(local_only.expect("path state").outgoing_interfaces, []);
        // It matches nobody else's reservation.
        let resv = dut.resv(Station::D1, g, style, &[flow]);
        dut.send(Station::D1, resv);
        dut.expect::<Resv>(Port::A);
        dut.expect_no::<Resv>(Port::D);
        // And is ignored when a PathTear goes on.
        let tear = dut.path_tear(Station::D2, g, s1);
        dut.send(Station::D2, tear);
        dut.expect_no::<PathTear>(Port::C);
    }
}
