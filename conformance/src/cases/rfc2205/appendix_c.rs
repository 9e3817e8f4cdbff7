//! RFC 2205 Appendix C: UDP encapsulation. A host that has no raw I/O is Hu there, one that has is Hr.

use std::net::IpAddr;

use crate::bench::{Action, Dut, Family, Kind, Lab, Port, Sent, Station, cl, ff, tspec};
use crate::shows;
use rsvp_core::command::{ReserveRequest, SenderRequest};
use rsvp_core::config::{FirstHop, InterfaceConfig, UdpEncapsulation, UdpOnly};
use rsvp_core::input::Encapsulation;
use rsvp_core::udp::{PU, PU_PRIME};
use rsvp_core::wire::{
    FilterSpec, Path, PathErr, PathTear, Resv, ResvConf, ResvErr, ResvTear, SessionKey, Style,
};

/// Where a message went: the address, and the UDP port; none is raw.
type Form = (IpAddr, Option<u16>);

/// G*.
fn group() -> IpAddr {
    "224.0.0.14".parse().expect("an address")
}

fn form(sent: &Sent) -> Form {
    let port = match sent.packet.encapsulation {
        Encapsulation::Raw => None,
        Encapsulation::Udp { destination_port, .. } => Some(destination_port),
    };
    (sent.packet.destination, port)
}

/// Asserts that a message leaves by a port in these forms, which are in order, and in no more.
fn expect_forms<M: Kind>(dut: &mut Dut, port: Port, expected: &[Form]) {
    let mut came: Vec<Form> = expected.iter().map(|_| form(&dut.expect::<M>(port).sent)).collect();
    came.extend(dut.all::<M>(port).iter().map(|more| form(&more.sent)));
    came.sort_unstable();
    assert_eq!(came, expected, "where each {} went", M::NAME);
}

/// Sends a message in UDP, as a host without raw I/O in a neighbour's place does.
fn send_in_udp(dut: &mut Dut, from: Station, message: impl Kind, to: IpAddr, port: u16) {
    let packet = dut.pack(from, message).in_udp(to, port);
    dut.send_packet(from, &packet);
}

/// A router whose neighbour U1 is a host without raw I/O that sends to H.
fn router_with_hu(lab: &Lab) -> Dut {
    let mut dut = lab.router();
    let (path, to) = (dut.path(Station::U1, dut.h(), dut.s1()), dut.plan.dut(Port::A));
    send_in_udp(&mut dut, Station::U1, path, to, PU);
    let _ = dut.expect::<Path>(Port::C);
    dut
}

/// A host without raw I/O.
fn hu(lab: &Lab, first_hop: Option<FirstHop>) -> Dut {
    lab.with(Family::V4, |config| {
        config.router = false;
        config.udp_only = Some(UdpOnly { first_hop });
    })
}

/// An application on the device sends from its address on an interface.
fn announce(dut: &mut Dut, port: Port, session: SessionKey) -> FilterSpec {
    let template = FilterSpec::Ip { source: dut.plan.dut(port), port: 4000 };
    let request =
        SenderRequest { template, tspec: tspec(200.0), adspec: false.into(), policy: vec![], ttl: 63 };
    dut.act(&Action::Send(session, request));
    template
}

/// An application on the device asks for 1 B for senders, at its address on an interface.
fn reserve(dut: &mut Dut, port: Port, session: SessionKey, senders: &[FilterSpec]) {
    let flows = senders.iter().map(|sender| ff(cl(1.0), *sender)).collect();
    let receiver = dut.plan.dut(port);
    let request = ReserveRequest { receiver, style: Style::Ff, flows, policy: vec![], confirm: false };
    dut.act(&Action::Reserve(session, request));
}

/// What a router sends in UDP goes to port 1699; what a host without raw I/O sends goes to 1698, for a group on the link.
pub(crate) fn the_two_forms_have_two_ports(lab: &Lab) {
    shows(&["rfc2205-C-02"]);
    let mut router = router_with_hu(lab);
    let path = router.path(Station::U2, router.session_towards_u1(), router.s2());
    router.send(Station::U2, path);
    let to = router.plan.station(Station::U1);
    expect_forms::<Path>(&mut router, Port::A, &[(to, None), (to, Some(1699))]);

    let mut host = hu(lab, None);
    let (neighbour, g) = (host.session_towards_u1(), host.g());
    announce(&mut host, Port::A, neighbour);
    expect_forms::<Path>(&mut host, Port::A, &[(to, Some(1698))]);
    announce(&mut host, Port::A, g);
    let sent = host.expect::<Path>(Port::A);
    assert_eq!(form(&sent.sent), (group(), Some(1698)));
    assert_eq!((sent.sent.packet.ttl, sent.raw.header.send_ttl), (1, 63), "it stays on the link");
    host.expect_silence();
}

/// A router hears what comes in UDP to port 1698 of its address and of the group, and ignores port 1699.
pub(crate) fn a_router_listens_at_its_address_and_at_the_group(lab: &Lab) {
    shows(&["rfc2205-C-03"]);
    let mut dut = lab.router();
    let own = dut.plan.dut(Port::A);
    let forms = [(own, 1699), (group(), 1699), (own, 1700), (own, 1698), (group(), 1698)];
    for (session_port, (to, port)) in (5001..).zip(forms) {
        let session = dut.h_at(session_port);
        let path = dut.path(Station::U1, session, dut.s1());
        send_in_udp(&mut dut, Station::U1, path, to, port);
        if port == 1698 {
            assert_eq!(dut.expect::<Path>(Port::C).message.session.key, session, "{to} port {port}");
        }
        dut.expect_silence();
    }
}

/// A host with raw I/O hears raw datagrams and UDP to port 1698, and not 1699; where it has heard UDP, it sends both.
pub(crate) fn a_host_with_raw_io_hears_both(lab: &Lab) {
    shows(&["rfc2205-C-08"]);
    let mut dut = lab.host();
    let (own, u1, s1) = (dut.plan.dut(Port::A), dut.plan.station(Station::U1), dut.s1());
    let [ignored, both, heard] = [5000, 5001, 5002].map(|port| dut.plan.session(own, port));
    for session in [ignored, both, heard] {
        reserve(&mut dut, Port::A, session, &[s1]);
    }
    let path = |dut: &Dut, session| dut.path(Station::U1, session, s1);
    let in_udp = path(&dut, ignored);
    send_in_udp(&mut dut, Station::U1, in_udp, own, PU_PRIME);
    dut.expect_silence();
    let raw = path(&dut, both);
    dut.send(Station::U1, raw.clone());
    send_in_udp(&mut dut, Station::U1, raw, own, PU_PRIME);
    let resv = dut.expect::<Resv>(Port::A);
    assert_eq!(
        (resv.message.session.key, form(&resv.sent)),
        (both, (u1, None)),
        "as one Path, which came raw"
    );
    dut.expect_silence();
    let in_udp = path(&dut, heard);
    send_in_udp(&mut dut, Station::U1, in_udp, own, PU);
    assert_eq!(dut.expect::<Resv>(Port::A).message.session.key, heard);
    dut.forget();
    let neighbour = dut.session_towards_u1();
    announce(&mut dut, Port::A, neighbour);
    expect_forms::<Path>(&mut dut, Port::A, &[(u1, None), (u1, Some(1699))]);
}

/// A router that has heard a Path in UDP on an interface sends each Path and PathTear there in both forms, and goes on
/// with raw ones alone elsewhere.
pub(crate) fn an_interface_learns_that_it_needs_udp(lab: &Lab) {
    shows(&["rfc2205-C-04", "rfc2205-C-05"]);
    for to_group in [false, true] {
        let mut dut = lab.brisk().router();
        let (session, s1, s2, r) = (dut.session_towards_u1(), dut.s1(), dut.s2(), dut.r());
        let (h, u1, own) = (dut.h(), dut.plan.station(Station::U1), dut.plan.dut(Port::A));
        let path = dut.path(Station::U2, session, s2);
        dut.send(Station::U2, path);
        expect_forms::<Path>(&mut dut, Port::A, &[(u1, None)]);
        let path = dut.path(Station::U1, h, s1);
        send_in_udp(&mut dut, Station::U1, path, if to_group { group() } else { own }, PU);
        let _ = dut.expect::<Path>(Port::C);
        dut.forget();
        dut.advance(r * 3);
        let mut later: Vec<Form> = dut.all::<Path>(Port::A).iter().map(|path| form(&path.sent)).collect();
        // One copy of the last may be on its way still.
        later.truncate(later.len() / 2 * 2);
        assert!(later.len() >= 4, "expected one Path a period in both forms, not {later:?}");
        for pair in later.chunks_mut(2) {
            pair.sort_unstable();
            assert_eq!(pair, [(u1, None), (u1, Some(1699))], "each Path in both forms");
        }
        for path in dut.all::<Path>(Port::C) {
            assert_eq!(form(&path.sent), (h.flow().destination, None), "nothing was heard there");
        }
        let tear = dut.path_tear(Station::U2, session, s2);
        dut.send(Station::U2, tear);
        expect_forms::<PathTear>(&mut dut, Port::A, &[(u1, None), (u1, Some(1699))]);
    }
}

/// A router can be told that an interface needs UDP.
pub(crate) fn an_interface_is_told_that_it_needs_udp(lab: &Lab) {
    shows(&["rfc2205-C-05"]);
    let mut dut = lab.with(Family::V4, |config| {
        let udp_encapsulation = UdpEncapsulation::Always;
        let settings = InterfaceConfig { udp_encapsulation, ..config.default_interface.clone() };
        config.interfaces.insert("a".to_owned(), settings);
    });
    let (to_u1, s2, u1) = (dut.session_towards_u1(), dut.s2(), dut.plan.station(Station::U1));
    let path = dut.path(Station::U2, to_u1, s2);
    dut.send(Station::U2, path);
    expect_forms::<Path>(&mut dut, Port::A, &[(u1, None), (u1, Some(1699))]);
}

/// A host without raw I/O sends its Paths to a destination on the link itself, and to its router for any other: the next
/// hop of its route, or the one that it is told, with the TTL that it is told.
pub(crate) fn a_host_without_raw_io_sends_to_the_destination_or_to_its_router(lab: &Lab) {
    shows(&["rfc2205-C-06", "rfc2205-C-11"]);
    for told in [None, Some(None), Some(Some(3))] {
        let plan = lab.plan(Family::V4);
        let (gateway, other) = (plan.station(Station::D1), plan.address(3, 9));
        let mut dut = hu(lab, told.map(|ttl| FirstHop { address: other, ttl }));
        let (on_link, h) = (plan.session(gateway, 5000), dut.h());
        let router = if told.is_some() { other } else { gateway };
        for (session, to, ttl) in [(on_link, gateway, 63), (h, router, told.flatten().unwrap_or(63))] {
            announce(&mut dut, Port::C, session);
            let sent = dut.expect::<Path>(Port::C).sent;
            assert_eq!((form(&sent), sent.packet.ttl), ((to, Some(1698)), ttl));
            assert_eq!(sent.packet.source, plan.dut(Port::C));
            dut.expect_silence();
        }
    }
}

/// A host without raw I/O hears UDP at both ports of its address, and no raw datagrams; its answers go in UDP to 1698.
pub(crate) fn a_host_without_raw_io_hears_udp_only(lab: &Lab) {
    shows(&["rfc2205-C-06"]);
    let mut dut = hu(lab, None);
    let (own, u1, s1) = (dut.plan.dut(Port::A), dut.plan.station(Station::U1), dut.s1());
    let [raw, one, other] = [5000, 5001, 5002].map(|port| dut.plan.session(own, port));
    for session in [raw, one, other] {
        reserve(&mut dut, Port::A, session, &[s1]);
    }
    let path = dut.path(Station::U1, raw, s1);
    dut.send(Station::U1, path);
    dut.expect_silence();
    for (session, port) in [(one, PU), (other, PU_PRIME)] {
        let path = dut.path(Station::U1, session, s1);
        send_in_udp(&mut dut, Station::U1, path, own, port);
        let resv = dut.expect::<Resv>(Port::A);
        assert_eq!((resv.message.session.key, form(&resv.sent)), (session, (u1, Some(1698))));
        dut.expect_silence();
    }
}

/// A host without raw I/O that has joined a group hears UDP to port 1699 of it, and to 1698 of 224.0.0.14, and takes both
/// forms of one Path for one.
pub(crate) fn a_member_without_raw_io_hears_udp_to_its_group(lab: &Lab) {
    shows(&["rfc2205-C-07"]);
    let mut dut = hu(lab, None);
    let (g, s1, s2) = (dut.g(), dut.s1(), dut.s2());
    reserve(&mut dut, Port::A, g, &[s1, s2]);
    let path = dut.path(Station::U1, g, s1);
    send_in_udp(&mut dut, Station::U1, path.clone(), g.flow().destination, PU_PRIME);
    let named =
        |resv: Resv| -> Vec<FilterSpec> { resv.flows.into_iter().flat_map(|flow| flow.filters).collect() };
    assert_eq!(named(dut.expect::<Resv>(Port::A).message), [s1], "from a router");
    send_in_udp(&mut dut, Station::U1, path.clone(), group(), PU);
    dut.expect_silence();
    send_in_udp(&mut dut, Station::U1, Path { sender_template: s2, ..path }, group(), PU);
    let resv = dut.expect::<Resv>(Port::A).message;
    assert!(
        named(resv.clone()).contains(&s2),
        "expected S2, from another host without raw I/O, not {resv:?}"
    );
    announce(&mut dut, Port::A, g);
    assert_eq!(form(&dut.expect::<Path>(Port::A).sent), (group(), Some(1698)), "and sends to 224.0.0.14");
}

/// A router sends a Resv, a PathErr and a ResvTear in UDP to a previous hop that sent in UDP, and raw to another one.
pub(crate) fn the_other_messages_go_in_udp_to_those_that_need_it(lab: &Lab) {
    shows(&["rfc2205-C-09"]);
    let mut dut = router_with_hu(lab);
    let (h, s1, s2) = (dut.h(), dut.s1(), dut.s2());
    dut.learn(Station::U2, h, s2);
    let (u1, u2) = (dut.plan.station(Station::U1), dut.plan.station(Station::U2));
    let (to_u1, to_u2) = ([(u1, Some(1699))], [(u2, None)]);
    let flows = [ff(cl(1.0), s1), ff(cl(1.0), s2)];
    let resv = dut.resv(Station::D1, h, Style::Ff, &flows);
    dut.send(Station::D1, resv);
    expect_forms::<Resv>(&mut dut, Port::A, &to_u1);
    expect_forms::<Resv>(&mut dut, Port::B, &to_u2);
    for sender in [s1, s2] {
        let error = dut.path_err(h, sender, 21, 0);
        dut.send(Station::D1, error);
    }
    expect_forms::<PathErr>(&mut dut, Port::A, &to_u1);
    expect_forms::<PathErr>(&mut dut, Port::B, &to_u2);
    let tear = dut.resv_tear(Station::D1, h, Style::Ff, &flows);
    dut.send(Station::D1, tear);
    expect_forms::<ResvTear>(&mut dut, Port::A, &to_u1);
    expect_forms::<ResvTear>(&mut dut, Port::B, &to_u2);
}

/// What is wrong with a message is answered in the form that it came in.
pub(crate) fn errors_answer_in_the_form_that_the_cause_came_in(lab: &Lab) {
    shows(&["rfc2205-C-09"]);
    let mut dut = lab.greedy();
    let (h, s1, own) = (dut.h(), dut.s1(), dut.plan.dut(Port::A));
    let [u1, d1] = [Station::U1, Station::D1].map(|station| dut.plan.station(station));
    let mut path = dut.path(Station::U1, dut.h_at(5001), s1);
    path.sender_tspec = tspec(-1.0);
    send_in_udp(&mut dut, Station::U1, path.clone(), own, PU);
    expect_forms::<PathErr>(&mut dut, Port::A, &[(u1, Some(1699))]);
    dut.send(Station::U1, path);
    expect_forms::<PathErr>(&mut dut, Port::A, &[(u1, None)]);
    let (too_much, to_c) = (dut.resv(Station::D1, h, Style::Ff, &[ff(cl(100.0), s1)]), dut.plan.dut(Port::C));
    send_in_udp(&mut dut, Station::D1, too_much.clone(), to_c, PU);
    expect_forms::<ResvErr>(&mut dut, Port::C, &[(d1, Some(1699))]);
    dut.send(Station::D1, too_much);
    expect_forms::<ResvErr>(&mut dut, Port::C, &[(d1, None)]);
}

/// A ResvConf goes in UDP to a receiver without raw I/O; one that such a host sends goes on raw to a receiver that is far.
pub(crate) fn a_confirmation_reaches_a_host_without_raw_io(lab: &Lab) {
    shows(&["rfc2205-C-09"]);
    let mut dut = lab.unicast(1);
    let (h, s1, d1) = (dut.h(), dut.s1(), dut.plan.station(Station::D1));
    let (to_a, to_c) = (dut.plan.dut(Port::A), dut.plan.dut(Port::C));
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    send_in_udp(&mut dut, Station::D1, resv, to_c, PU);
    let _ = dut.expect::<Resv>(Port::A);
    let from_afar = dut.resv_conf(h, d1, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::U1, from_afar);
    expect_forms::<ResvConf>(&mut dut, Port::C, &[(d1, Some(1699))]);
    let receiver = h.flow().destination;
    let from_hu = dut.resv_conf(h, receiver, Style::Ff, &[ff(cl(1.0), s1)]);
    send_in_udp(&mut dut, Station::U1, from_hu, to_a, PU);
    expect_forms::<ResvConf>(&mut dut, Port::C, &[(receiver, None)]);
}

/// A host without raw I/O sends its Resv, ResvTear, ResvErr and ResvConf to its router in UDP, at port 1698.
pub(crate) fn a_host_without_raw_io_answers_in_udp(lab: &Lab) {
    shows(&["rfc2205-C-09"]);
    let mut dut = hu(lab, None);
    let (h, own, d1) = (dut.h(), dut.plan.dut(Port::C), dut.plan.station(Station::D1));
    let s1 = announce(&mut dut, Port::C, h);
    let _ = dut.expect::<Path>(Port::C);
    // As a sender: its router asks for more than there is, then for what there is, to be confirmed to a far receiver.
    let too_much = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(100.0), s1)]);
    send_in_udp(&mut dut, Station::D1, too_much, own, PU_PRIME);
    expect_forms::<ResvErr>(&mut dut, Port::C, &[(d1, Some(1698))]);
    let mut resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    resv.confirm = Some(h.flow().destination);
    send_in_udp(&mut dut, Station::D1, resv, own, PU_PRIME);
    let confirmed = dut.expect::<ResvConf>(Port::C);
    assert_eq!(confirmed.message.confirm, h.flow().destination);
    assert_eq!(form(&confirmed.sent), (d1, Some(1698)), "its router sends it on");
    // As a receiver.
    let (session, s2) = (dut.plan.session(own, 5000), dut.s2());
    reserve(&mut dut, Port::C, session, &[s2]);
    let path = dut.path(Station::D1, session, s2);
    send_in_udp(&mut dut, Station::D1, path, own, PU_PRIME);
    expect_forms::<Resv>(&mut dut, Port::C, &[(d1, Some(1698))]);
    dut.act(&Action::Release(session));
    expect_forms::<ResvTear>(&mut dut, Port::C, &[(d1, Some(1698))]);
}

/// Through a router a host without raw I/O makes a reservation with a node that has it, as sender and as receiver.
pub(crate) fn any_mixture_on_a_network_interoperates(lab: &Lab) {
    shows(&["rfc2205-C-01"]);
    let mut dut = router_with_hu(lab);
    let (h, s1, own) = (dut.h(), dut.s1(), dut.plan.dut(Port::A));
    let (u1, d1) = (dut.plan.station(Station::U1), dut.plan.station(Station::D1));
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, resv);
    let resv = dut.expect::<Resv>(Port::A);
    assert_eq!((resv.shares(), form(&resv.sent)), (vec![(1.0, vec![s1])], (u1, Some(1699))));
    dut.expect_silence();

    // And the other way round: U1 receives from a sender behind D1.
    let back = dut.session_towards_u1();
    let sender = FilterSpec::Ip { source: h.flow().destination, port: 4000 };
    let path = dut.path(Station::D1, back, sender);
    dut.send(Station::D1, path);
    expect_forms::<Path>(&mut dut, Port::A, &[(u1, None), (u1, Some(1699))]);
    let resv = dut.resv(Station::U1, back, Style::Ff, &[ff(cl(1.0), sender)]);
    send_in_udp(&mut dut, Station::U1, resv, own, PU);
    let resv = dut.expect::<Resv>(Port::C);
    assert_eq!((resv.shares(), form(&resv.sent)), (vec![(1.0, vec![sender])], (d1, None)));
    dut.expect_silence();
}
