//! RFC 2205 section 3.9: multihomed hosts.

use crate::bench::{Action, Dut, Lab, Port, Station, cl, ff, group_route, tspec, wf};
use crate::shows;
use rsvp_core::command::{ReserveRequest, SenderRequest};
use rsvp_core::wire::{FilterSpec, FlowDescriptor, Path, PathTear, Resv, ResvTear, SessionKey, Style};

/// A sender that is bound to one of the DUT's interfaces.
fn bound(dut: &Dut, port: Port) -> FilterSpec {
    FilterSpec::Ip { source: dut.plan.dut(port), port: 4000 }
}

fn announce(dut: &mut Dut, session: SessionKey, template: FilterSpec) {
    let request =
        SenderRequest { template, tspec: tspec(20.0), adspec: false.into(), policy: vec![], ttl: 63 };
    dut.act(&Action::Send(session, request));
}

/// Reserves for a receiver on this interface.
fn reserve(dut: &mut Dut, session: SessionKey, on: Port, style: Style, flow: &FlowDescriptor) {
    let (receiver, flows) = (dut.plan.dut(on), vec![flow.clone()]);
    let request = ReserveRequest { receiver, style, flows, policy: vec![], confirm: false };
    dut.act(&Action::Reserve(session, request));
}

/// A host that sends and receives in one session does the one and the other: what is reserved for its own data is no
/// request of its own, and its request is for the data of others alone.
pub(crate) fn sending_and_receiving_are_separate(lab: &Lab) {
    shows(&["rfc2205-1-01"]);
    let mut dut = lab.host();
    let (g, own, s1) = (dut.g(), bound(&dut, Port::C), dut.s1());
    announce(&mut dut, g, own);
    dut.expect::<Path>(Port::C);
    // It joins the group by that, and hears of S1 from then on.
    reserve(&mut dut, g, Port::A, Style::Ff, &ff(cl(2.0), s1));
    let resv = dut.resv(Station::D1, g, Style::Ff, &[ff(cl(1.0), own)]);
    dut.send(Station::D1, resv);
    dut.expect_silence();
    let path = dut.path(Station::U1, g, s1);
    dut.send(Station::U1, path);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(2.0, vec![s1])], "its own request, and only that");
    dut.expect_silence();
}

/// The Paths of a sender that is bound to an interface's address leave by that interface alone, refreshes and all.
pub(crate) fn a_sender_is_bound_to_the_interface_of_its_address(lab: &Lab) {
    shows(&["rfc2205-3.9-01"]);
    let mut dut = lab.brisk().host();
    let (g, r) = (dut.g(), dut.r());
    for port in [Port::B, Port::C] {
        let own = bound(&dut, port);
        announce(&mut dut, g, own);
        let path = dut.expect::<Path>(port);
        assert_eq!(path.sent.packet.source, dut.plan.dut(port));
        assert_eq!(path.message.hop.address, dut.plan.dut(port));
        dut.advance(2 * r);
        dut.expect::<Path>(port);
        for other in Port::ALL.into_iter().filter(|other| *other != port) {
            dut.expect_no::<Path>(other);
        }
        dut.act(&Action::Release(g));
        dut.expect::<PathTear>(port);
        dut.forget();
    }
}

/// A sender that is bound to no interface uses the one that the system would.
pub(crate) fn an_unbound_sender_uses_the_default_interface(lab: &Lab) {
    shows(&["rfc2205-3.9-01"]);
    let mut dut = lab.host();
    let (g, unbound) = (dut.g(), FilterSpec::Ip { source: dut.plan.far(), port: 4000 });
    dut.set_route(g.destination(), Some(unbound.source()), group_route(Port::A, &[Port::D]));
    announce(&mut dut, g, unbound);
    assert_eq!(dut.expect::<Path>(Port::D).message.hop.address, dut.plan.dut(Port::D));
    dut.expect_silence();
}

/// A receiver that is bound to an interface's address reserves out of that interface, and moves with it.
pub(crate) fn a_reservation_goes_out_of_the_receivers_interface(lab: &Lab) {
    shows(&["rfc2205-3.9-02"]);
    let places = [(Station::U1, Station::U2), (Station::U2, Station::U1)];
    for (first, second) in places {
        let mut dut = lab.host();
        let (g, s1) = (dut.g(), dut.s1());
        reserve(&mut dut, g, first.port(), Style::Ff, &ff(cl(1.0), s1));
        for station in [first, second] {
            let path = dut.path(station, g, s1);
            dut.send(station, path);
        }
        assert_eq!(dut.expect_to::<Resv>(first).shares(), [(1.0, vec![s1])]);
        dut.expect_silence();
        reserve(&mut dut, g, second.port(), Style::Ff, &ff(cl(1.0), s1));
        // The group is received there now, and with it the Path.
        let path = dut.path(second, g, s1);
        dut.send(second, path);
        assert_eq!(dut.expect_to::<Resv>(second).shares(), [(1.0, vec![s1])]);
        dut.expect_to::<ResvTear>(first);
        dut.expect_silence();
    }
}

/// A receiver that is bound to no interface reserves out of the one that the system expects the data on.
pub(crate) fn an_unbound_receiver_uses_the_default_interface(lab: &Lab) {
    shows(&["rfc2205-3.9-02"]);
    let mut dut = lab.host();
    let (g, s1, receiver) = (dut.g(), dut.s1(), dut.plan.far());
    let flows = vec![ff(cl(1.0), s1)];
    let request = ReserveRequest { receiver, style: Style::Ff, flows, policy: vec![], confirm: false };
    dut.act(&Action::Reserve(g, request));
    for station in [Station::U1, Station::U2] {
        let path = dut.path(station, g, s1);
        dut.send(station, path);
    }
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![s1])]);
    dut.expect_silence();
}

/// A router where S1's data comes in on a (Isp), and an application that receives on d (Iapp): while d is but an outgoing
/// interface of that data, the Resv goes out of a; where a branch of its own delivers the data on d, out of d.
pub(crate) fn a_router_with_a_receiver_uses_the_path_state_of_the_receivers_interface(lab: &Lab) {
    shows(&["rfc2205-3.9-03"]);
    for style in [Style::Ff, Style::Wf] {
        let mut dut = lab.router();
        let (g, s1) = (dut.g(), dut.s1());
        let flow = if style == Style::Ff { ff(cl(1.0), s1) } else { wf(cl(1.0)) };
        // Forwarding within the router: Iapp is an outgoing interface of the path state of Isp.
        dut.learn(Station::U1, g, s1);
        reserve(&mut dut, g, Port::D, style, &flow);
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
