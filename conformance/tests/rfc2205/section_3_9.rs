//! RFC 2205 sections 1, 3.1.3 and 3.9: what applications on the node itself see.

use conformance::bench::{Dut, Lab, Port, Station, cl, ff, tspec};
use conformance::shows;
use rsvp_core::command::{ReserveRequest, SenderRequest};
use rsvp_core::event::Upcall;
use rsvp_core::wire::{FilterSpec, FlowDescriptor, Path, Resv, Style};
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
fn the_group_is_joined_on_the_receivers_interface() {
    shows(&["rfc2205-3.9-02"]);
    for on in [Port::A, Port::B] {
        let mut dut = Lab::in_process().host();
        let (g, s1) = (dut.g(), dut.s1());
        let api = dut.open(g);
        dut.learn(Station::U1, g, s1);
        reserve(&mut dut, api, on, Style::Ff, &[ff(cl(1.0), s1)]);
        let join = Request::Join { group: g.destination(), interface: Some(on.interface()) };
        assert!(dut.inside().take_requests().contains(&join));
    }
}
