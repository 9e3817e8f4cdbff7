//! RFC 2205 Appendix C: UDP encapsulation.

use std::net::IpAddr;
use std::time::Duration;

use conformance::bench::{Dut, Family, Kind, Lab, Packet, Plan, Port, R, Station, cl, ff, tspec};
use conformance::shows;
use rsvp_core::command::{ReserveRequest, SenderRequest};
use rsvp_core::config::{Bandwidth, FirstHop, InterfaceConfig, NodeConfig, UdpEncapsulation, UdpOnly};
use rsvp_core::counters::DropReason;
use rsvp_core::event::{EventKind, Upcall};
use rsvp_core::input::{Encapsulation, NextHop, Route};
use rsvp_core::wire::{
    FilterSpec, Path, PathErr, PathTear, RawMessage, Resv, ResvConf, ResvErr, ResvTear, SessionKey, Style,
};
use rsvp_core::{Command, Event};
use rsvp_sim::{Network, NodeId, Role, invariants};

const PU: u16 = 1698;
const PU_PRIME: u16 = 1699;

/// G*.
fn group() -> IpAddr {
    "224.0.0.14".parse().expect("an address")
}

fn udp(port: u16) -> Encapsulation {
    Encapsulation::Udp { source_port: PU, destination_port: port }
}

/// Where the messages of a kind that left by a port went, and how.
fn forms<M: Kind>(dut: &mut Dut, port: Port) -> Vec<(IpAddr, Encapsulation)> {
    dut.all::<M>(port).iter().map(|it| (it.sent.packet.destination, it.sent.packet.encapsulation)).collect()
}

/// Sends a message in UDP, as a host without raw I/O in a neighbour's place does.
fn send_in_udp(dut: &mut Dut, from: Station, message: impl Kind, to: IpAddr, port: u16) {
    let packet = dut.pack(from, message).in_udp(to, port);
    dut.send_packet(from, &packet);
}

/// A router whose neighbour U1 is a host without raw I/O that sends to H.
fn router_with_hu() -> Dut {
    let mut dut = Lab::in_process().router();
    let path = dut.path(Station::U1, dut.h(), dut.s1());
    let to = dut.plan.dut(Port::A);
    send_in_udp(&mut dut, Station::U1, path, to, PU);
    dut.forget();
    dut
}

/// A host without raw I/O.
fn hu(first_hop: Option<FirstHop>) -> Dut {
    Lab::in_process().with(Family::V4, |config: &mut NodeConfig| {
        config.router = false;
        config.udp_only = Some(UdpOnly { first_hop });
    })
}

/// Announces a sender of the DUT itself, whose data leave by a.
fn announce(dut: &mut Dut, session: SessionKey) -> FilterSpec {
    let source = dut.plan.dut(Port::A);
    let destination = session.flow().destination;
    if destination.is_multicast() {
        let hop = NextHop { interface: Port::A.interface(), gateway: None };
        let route = Route { outgoing: vec![hop], ..Route::default() };
        dut.set_route(destination, Some(source), route);
    }
    let api = dut.open(session);
    let template = FilterSpec::Ip { source, port: 4000 };
    let request =
        SenderRequest { template, tspec: tspec(200.0), adspec: false.into(), policy: vec![], ttl: 63 };
    dut.command(Command::AddSender(api, request)).expect("a good sender");
    template
}

#[test]
fn the_two_forms_have_two_ports() {
    shows(&["rfc2205-C-02"]);
    let mut router = router_with_hu();
    let path = router.path(Station::U2, router.session_towards_u1(), router.s2());
    router.send(Station::U2, path);
    let to = router.plan.station(Station::U1);
    assert_eq!(forms::<Path>(&mut router, Port::A), [(to, Encapsulation::Raw), (to, udp(PU_PRIME))]);

    let mut host = hu(None);
    let neighbour = host.session_towards_u1();
    announce(&mut host, neighbour);
    assert_eq!(forms::<Path>(&mut host, Port::A), [(to, udp(PU))]);
    let g = host.g();
    announce(&mut host, g);
    let sent = host.expect::<Path>(Port::A).sent.packet;
    assert_eq!((sent.destination, sent.encapsulation), (group(), udp(PU)));
    assert_eq!(sent.ttl, 1, "it stays on the link");
    assert_eq!(RawMessage::decode(&sent.message).expect("a message").header.send_ttl, 63);
    host.expect_silence();
}

#[test]
fn a_router_listens_at_its_address_and_at_the_group() {
    shows(&["rfc2205-C-03", "rfc2205-C-08"]);
    let own = Lab::in_process().router().plan.dut(Port::A);
    let h = Lab::in_process().router().h().flow().destination;
    for (to, port, is_heard) in [
        (own, PU, true),
        (group(), PU, true),
        (own, PU_PRIME, false),
        (group(), PU_PRIME, false),
        (h, PU, false),
        (own, 1700, false),
    ] {
        let mut dut = Lab::in_process().router();
        let (h, s1) = (dut.h(), dut.s1());
        let path = dut.path(Station::U1, h, s1);
        send_in_udp(&mut dut, Station::U1, path, to, port);
        assert_eq!(dut.senders(h).len(), usize::from(is_heard), "{to} port {port}");
        assert_eq!(dut.drops(DropReason::NotListening), u64::from(!is_heard), "{to} port {port}");
    }
    for router in [true, false] {
        let mut dut = Lab::in_process().with(Family::V4, |config| config.router = router);
        let session = dut.plan.session(own, 5000);
        let both = dut.pack(Station::U1, dut.path(Station::U1, session, dut.s1()));
        dut.send_packet(Station::U1, &both);
        dut.send_packet(Station::U1, &both.clone().in_udp(own, PU_PRIME));
        assert_eq!(dut.node().counters().received.path, 1, "in both forms, processed once");
        assert_eq!(dut.drops(DropReason::NotListening), 1);
        assert!(!dut.node().interfaces()[0].udp, "what is ignored teaches nothing");
        dut.send_packet(Station::U1, &both.in_udp(own, PU));
        assert_eq!(dut.node().counters().received.path, 2, "a host with raw I/O hears UDP to Pu as well");
    }
}

#[test]
fn an_interface_learns_that_it_needs_udp() {
    shows(&["rfc2205-C-04", "rfc2205-C-05", "rfc2205-C-08"]);
    for to_group in [false, true] {
        let mut dut = Lab::in_process().router();
        let (session, s1, s2) = (dut.session_towards_u1(), dut.s1(), dut.s2());
        let (h, u1, own) = (dut.h(), dut.plan.station(Station::U1), dut.plan.dut(Port::A));
        let path = dut.path(Station::U2, session, s2);
        dut.send(Station::U2, path);
        assert_eq!(forms::<Path>(&mut dut, Port::A), [(u1, Encapsulation::Raw)], "nothing was heard in UDP");
        let path = dut.path(Station::U1, h, s1);
        send_in_udp(&mut dut, Station::U1, path, if to_group { group() } else { own }, PU);
        let both = [(u1, Encapsulation::Raw), (u1, udp(PU_PRIME))];
        assert_eq!(forms::<Path>(&mut dut, Port::A), both, "whoever needs it is told at once");
        assert_eq!(forms::<Path>(&mut dut, Port::C), [(h.flow().destination, Encapsulation::Raw)]);
        dut.advance(2 * R);
        let later = forms::<Path>(&mut dut, Port::A);
        assert!(!later.is_empty() && later.chunks(2).all(|pair| pair == both), "each Path: {later:?}");
        assert!(forms::<Path>(&mut dut, Port::C).iter().all(|(_, form)| *form == Encapsulation::Raw));
        let tear = dut.path_tear(Station::U2, session, s2);
        dut.send(Station::U2, tear);
        assert_eq!(forms::<PathTear>(&mut dut, Port::A), both, "PathTear as Path");
        assert!(dut.node().interfaces()[0].udp);
    }
}

#[test]
fn an_interface_is_told_whether_it_needs_udp() {
    shows(&["rfc2205-C-05"]);
    for (setting, is_encapsulated) in [(UdpEncapsulation::Always, true), (UdpEncapsulation::Never, false)] {
        let mut dut = Lab::in_process().with(Family::V4, |config| {
            let settings = config.default_interface.clone();
            let settings = InterfaceConfig { udp_encapsulation: setting, ..settings };
            config.interfaces.insert("a".to_owned(), settings);
        });
        let (h, s1, own) = (dut.h(), dut.s1(), dut.plan.dut(Port::A));
        let path = dut.path(Station::U1, h, s1);
        send_in_udp(&mut dut, Station::U1, path, own, PU);
        assert_eq!(dut.senders(h).len(), usize::from(is_encapsulated), "never: not heard either");
        dut.forget();
        let path = dut.path(Station::U2, dut.session_towards_u1(), dut.s2());
        dut.send(Station::U2, path);
        let in_udp =
            forms::<Path>(&mut dut, Port::A).iter().filter(|(_, form)| *form == udp(PU_PRIME)).count();
        assert_eq!(in_udp, usize::from(is_encapsulated));
        assert_eq!(dut.node().interfaces()[0].udp, is_encapsulated);
    }
}

#[test]
fn a_host_without_raw_io_sends_to_the_destination_or_to_its_router() {
    shows(&["rfc2205-C-06", "rfc2205-C-11"]);
    let gateway = hu(None).plan.station(Station::D1);
    let ra = hu(None).plan.far();
    let configured = |ttl| Some(FirstHop { address: ra, ttl });
    for (first_hop, to, ttl) in
        [(None, gateway, 63), (configured(None), ra, 63), (configured(Some(3)), ra, 3)]
    {
        let mut dut = hu(first_hop);
        let (h, on_link) = (dut.h(), dut.plan.session(gateway, 5000));
        let source = dut.plan.dut(Port::C);
        for (session, to, ttl) in [(on_link, gateway, 63), (h, to, ttl)] {
            announce(&mut dut, session);
            let Packet { source: from, destination, ttl: with, encapsulation, .. } =
                dut.expect::<Path>(Port::C).sent.packet;
            assert_eq!((from, destination, with, encapsulation), (source, to, ttl, udp(PU)));
            dut.expect_silence();
        }
        let g = dut.g();
        announce(&mut dut, g);
        let sent = dut.expect::<Path>(Port::A).sent.packet;
        let expected = if ttl == 3 { (ra, 3) } else { (group(), 1) };
        assert_eq!((sent.destination, sent.ttl), expected, "with Ta, multicast sessions go to Ra, too");
    }
}

#[test]
fn a_host_without_raw_io_hears_udp_only() {
    shows(&["rfc2205-C-06", "rfc2205-C-07"]);
    let mut dut = hu(None);
    let own = dut.plan.dut(Port::A);
    let sessions = [5000, 5001, 5002].map(|port| dut.plan.session(own, port));
    for (session, port) in sessions.into_iter().zip([PU, PU_PRIME, 1700]) {
        let path = dut.path(Station::U1, session, dut.s1());
        send_in_udp(&mut dut, Station::U1, path, own, port);
    }
    assert_eq!(sessions.map(|session| dut.senders(session).len()), [1, 1, 0]);
    let raw = dut.path(Station::U1, sessions[2], dut.s1());
    dut.send(Station::U1, raw);
    assert!(dut.senders(sessions[2]).is_empty());
    assert_eq!(dut.drops(DropReason::NotListening), 2);

    let g = dut.g();
    dut.open(g);
    let path = dut.path(Station::U1, g, dut.s1());
    send_in_udp(&mut dut, Station::U1, path.clone(), g.flow().destination, PU_PRIME);
    assert!(matches!(dut.upcalls()[..], [(_, Upcall::Path { .. })]), "from a router");
    send_in_udp(&mut dut, Station::U1, path.clone(), group(), PU);
    assert!(dut.upcalls().is_empty(), "both forms of one Path are one event");
    let other = Path { sender_template: dut.s2(), ..path };
    send_in_udp(&mut dut, Station::U1, other, group(), PU);
    assert!(matches!(dut.upcalls()[..], [(_, Upcall::Path { .. })]), "from another host without raw I/O");
}

#[test]
fn the_other_messages_go_in_udp_to_those_that_need_it() {
    shows(&["rfc2205-C-09"]);
    let mut dut = router_with_hu();
    let (h, s1, s2) = (dut.h(), dut.s1(), dut.s2());
    dut.learn(Station::U2, h, s2);
    let (u1, u2) = (dut.plan.station(Station::U1), dut.plan.station(Station::U2));
    let (to_u1, to_u2) = ([(u1, udp(PU_PRIME))], [(u2, Encapsulation::Raw)]);

    let flows = [ff(cl(1.0), s1), ff(cl(1.0), s2)];
    let resv = dut.resv(Station::D1, h, Style::Ff, &flows);
    dut.send(Station::D1, resv);
    assert_eq!(forms::<Resv>(&mut dut, Port::A), to_u1);
    assert_eq!(forms::<Resv>(&mut dut, Port::B), to_u2);
    for sender in [s1, s2] {
        let error = dut.path_err(h, sender, 21, 0);
        dut.send(Station::D1, error);
    }
    assert_eq!(forms::<PathErr>(&mut dut, Port::A), to_u1);
    assert_eq!(forms::<PathErr>(&mut dut, Port::B), to_u2);
    let tear = dut.resv_tear(Station::D1, h, Style::Ff, &flows);
    dut.send(Station::D1, tear);
    assert_eq!(forms::<ResvTear>(&mut dut, Port::A), to_u1);
    assert_eq!(forms::<ResvTear>(&mut dut, Port::B), to_u2);
}

#[test]
fn errors_answer_in_the_form_that_the_cause_came_in() {
    shows(&["rfc2205-C-09"]);
    let mut dut = Lab::in_process().router();
    let (h, s1, own) = (dut.h(), dut.s1(), dut.plan.dut(Port::A));
    let (u1, to_c) = (dut.plan.station(Station::U1), dut.plan.dut(Port::C));
    let mut path = dut.path(Station::U1, h, s1);
    path.sender_tspec = tspec(-1.0);
    send_in_udp(&mut dut, Station::U1, path.clone(), own, PU);
    assert_eq!(forms::<PathErr>(&mut dut, Port::A), [(u1, udp(PU_PRIME))], "though no state hangs on it");
    dut.send(Station::U1, path);
    assert_eq!(forms::<PathErr>(&mut dut, Port::A), [(u1, Encapsulation::Raw)]);

    // Resvs for more than there is.
    let mut path = dut.path(Station::U1, h, s1);
    path.sender_tspec = tspec(200.0);
    dut.send(Station::U1, path);
    let d1 = dut.plan.station(Station::D1);
    let too_much = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(100.0), s1)]);
    send_in_udp(&mut dut, Station::D1, too_much.clone(), to_c, PU);
    assert_eq!(forms::<ResvErr>(&mut dut, Port::C), [(d1, udp(PU_PRIME))]);
    dut.send(Station::D1, too_much);
    assert_eq!(forms::<ResvErr>(&mut dut, Port::C), [(d1, Encapsulation::Raw)]);
}

#[test]
fn a_confirmation_reaches_a_host_without_raw_io() {
    shows(&["rfc2205-C-09"]);
    let mut dut = Lab::in_process().unicast(1);
    let (h, s1, d1) = (dut.h(), dut.s1(), dut.plan.station(Station::D1));
    let to_c = dut.plan.dut(Port::C);
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    send_in_udp(&mut dut, Station::D1, resv, to_c, PU);
    dut.forget();
    let from_afar = dut.resv_conf(h, d1, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::U1, from_afar);
    assert_eq!(forms::<ResvConf>(&mut dut, Port::C), [(d1, udp(PU_PRIME))]);
    // And from one: it comes to the router, which sends it on to the receiver.
    let receiver = h.flow().destination;
    let from_hu = dut.resv_conf(h, receiver, Style::Ff, &[ff(cl(1.0), s1)]);
    let own = dut.plan.dut(Port::A);
    send_in_udp(&mut dut, Station::U1, from_hu, own, PU);
    assert_eq!(forms::<ResvConf>(&mut dut, Port::C), [(receiver, Encapsulation::Raw)]);
}

#[test]
fn a_host_without_raw_io_answers_in_udp() {
    shows(&["rfc2205-C-09"]);
    let mut dut = hu(None);
    let (h, own) = (dut.h(), dut.plan.dut(Port::C));
    let s1 = announce(&mut dut, h);
    let d1 = dut.plan.station(Station::D1);
    dut.forget();
    // As a sender: its router asks for more than there is, then for what there is, to be confirmed to a far receiver.
    let too_much = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(100.0), s1)]);
    send_in_udp(&mut dut, Station::D1, too_much, own, PU_PRIME);
    assert_eq!(forms::<ResvErr>(&mut dut, Port::C), [(d1, udp(PU))]);
    let mut resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    resv.confirm = Some(h.flow().destination);
    send_in_udp(&mut dut, Station::D1, resv, own, PU_PRIME);
    let confirmed = dut.expect::<ResvConf>(Port::C);
    assert_eq!(confirmed.message.confirm, h.flow().destination);
    let packet = confirmed.sent.packet;
    assert_eq!((packet.destination, packet.encapsulation), (d1, udp(PU)), "its router sends it on");
    // As a receiver.
    let session = dut.plan.session(own, 5000);
    let api = dut.open(session);
    let path = dut.path(Station::D1, session, dut.s2());
    send_in_udp(&mut dut, Station::D1, path, own, PU_PRIME);
    dut.expect_silence();
    let s2 = dut.s2();
    let request = ReserveRequest {
        receiver: own,
        style: Style::Ff,
        flows: vec![ff(cl(1.0), s2)],
        policy: vec![],
        confirm: false,
    };
    dut.command(Command::Reserve(api, request)).expect("a good reservation");
    assert_eq!(forms::<Resv>(&mut dut, Port::C), [(d1, udp(PU))]);
    dut.command(Command::Release(api)).expect("it is open");
    assert_eq!(forms::<ResvTear>(&mut dut, Port::C), [(d1, udp(PU))]);
}

#[test]
fn send_ttl_stands_for_the_received_ttl() {
    shows(&["rfc2205-C-10"]);
    for (udp_send_ttl, non_rsvp) in [(true, false), (false, true)] {
        let mut dut =
            Lab::in_process().with(Family::V4, |config| config.default_interface.udp_send_ttl = udp_send_ttl);
        let (h, s1, own) = (dut.h(), dut.s1(), dut.plan.dut(Port::A));
        let mut packet = dut.pack(Station::U1, dut.path(Station::U1, h, s1)).in_udp(own, PU);
        let send_ttl = packet.ttl;
        packet.ttl -= 5;
        dut.send_packet(Station::U1, &packet);
        let received = if udp_send_ttl { send_ttl } else { packet.ttl };
        assert_eq!(dut.senders(h)[0].non_rsvp, non_rsvp);
        assert_eq!(dut.expect::<Path>(Port::C).raw.header.send_ttl, received - 1);
    }
}

/// A LAN with two hosts without raw I/O, a host with it and a router, and behind the router a host that is far.
fn mixed_lan() -> (Network, [NodeId; 4]) {
    let mut net = Network::new(1);
    let udp_only = NodeConfig { router: false, udp_only: Some(UdpOnly::default()), ..NodeConfig::default() };
    let bandwidth = Some(Bandwidth { total: 1_000_000, per_flow: 1_000_000, link: 1_000_000 });
    let default_interface = InterfaceConfig { bandwidth, ..InterfaceConfig::default() };
    let udp_only = NodeConfig { default_interface, ..udp_only };
    let [hu1, hu2] = ["hu1", "hu2"].map(|name| net.add(name, Role::Host, Some(udp_only.clone())));
    let (hr, router, far) = (net.host("hr"), net.router("r"), net.host("far"));
    net.connect(&[hu1, hu2, hr, router]);
    net.connect(&[router, far]);
    net.run_for(Duration::from_secs(1));
    (net, [hu1, hu2, hr, far])
}

/// The upcalls of a node since the last call.
fn upcalls(net: &mut Network, node: NodeId) -> Vec<Upcall> {
    let upcall = |event: Event| match event.kind {
        EventKind::Upcall(_, _, upcall) => Some(upcall),
        _ => None,
    };
    net.take_events(node).into_iter().filter_map(upcall).collect()
}

#[test]
fn any_mixture_on_a_network_interoperates() {
    shows(&["rfc2205-C-01"]);
    let (mut net, hosts) = mixed_lan();
    let pairs = hosts.iter().flat_map(|from| hosts.iter().map(move |to| (*from, *to)));
    for (from, to) in pairs.filter(|(from, to)| from != to) {
        let what = format!("{} > {}", net.name(from), net.name(to));
        let plan = Plan(Family::V4);
        let session = plan.session(net.address(to), 5000);
        let template = FilterSpec::Ip { source: net.address(from), port: 4000 };
        let sender =
            SenderRequest { template, tspec: tspec(1.0), adspec: true.into(), policy: vec![], ttl: 63 };
        let sender = net.announce(from, session, sender).expect("a good sender");
        let flows = vec![ff(cl(1.0), template)];
        let request = ReserveRequest {
            receiver: net.address(to),
            style: Style::Ff,
            flows,
            policy: vec![],
            confirm: true,
        };
        let receiver = net.reserve(to, session, request).expect("a good reservation");
        net.run_for(Duration::from_secs(1));
        let log = net.transcript().text(&net);
        let at_sender = upcalls(&mut net, from);
        assert!(matches!(at_sender[..], [Upcall::Resv { .. }]), "{what}: {at_sender:?}\n{log}");
        let at_receiver = upcalls(&mut net, to);
        let wanted = matches!(at_receiver[..], [Upcall::Path { .. }, Upcall::Confirmed { .. }]);
        assert!(wanted, "{what}: {at_receiver:?}\n{log}");
        for (node, api) in [(from, sender), (to, receiver)] {
            net.command(node, Command::Release(api)).expect("it is open");
        }
        net.run_for(Duration::from_secs(1));
        invariants::nothing_is_left(&net).expect("tears arrive as well");
        for node in [from, to] {
            net.take_events(node);
        }
        net.clear_transcript();
    }
}

#[test]
fn any_mixture_in_a_group_interoperates() {
    shows(&["rfc2205-C-01", "rfc2205-C-07"]);
    let (mut net, hosts) = mixed_lan();
    let [hu1, _, hr, far] = hosts;
    // One without raw I/O comes first: by it the others learn that it is needed.
    for from in [hu1, hr, far] {
        let session = Plan(Family::V4).g();
        let template = FilterSpec::Ip { source: net.address(from), port: 4000 };
        let sender =
            SenderRequest { template, tspec: tspec(1.0), adspec: true.into(), policy: vec![], ttl: 63 };
        let sender = net.announce(from, session, sender).expect("a good sender");
        let receivers: Vec<NodeId> = hosts.into_iter().filter(|node| *node != from).collect();
        let mut apps = vec![(from, sender)];
        for node in &receivers {
            let (receiver, flows) = (net.address(*node), vec![ff(cl(1.0), template)]);
            let request = ReserveRequest { receiver, style: Style::Ff, flows, policy: vec![], confirm: true };
            apps.push((*node, net.reserve(*node, session, request).expect("a good reservation")));
        }
        // Who joins after the Path hears the next one.
        net.run_for(2 * R);
        let log = net.transcript().text(&net);
        let at_sender = upcalls(&mut net, from);
        let told = at_sender.iter().any(|upcall| matches!(upcall, Upcall::Resv { .. }));
        assert!(told, "{}: {at_sender:?}\n{log}", net.name(from));
        for node in receivers {
            let told = upcalls(&mut net, node);
            let count = |is_meant: fn(&Upcall) -> bool| told.iter().filter(|upcall| is_meant(upcall)).count();
            let paths = count(|upcall| matches!(upcall, Upcall::Path { .. }));
            let confirmed = count(|upcall| matches!(upcall, Upcall::Confirmed { .. }));
            let what = format!("{} > {}: {told:?}\n{log}", net.name(from), net.name(node));
            assert_eq!((paths, confirmed > 0), (1, true), "{what}");
        }
        // The sender first: who leaves the group before the PathTear is there does not get it.
        for (node, api) in apps {
            net.command(node, Command::Release(api)).expect("it is open");
            net.run_for(Duration::from_secs(1));
        }
        invariants::nothing_is_left(&net).expect("tears arrive as well");
        for node in hosts {
            net.take_events(node);
        }
        net.clear_transcript();
    }
}
