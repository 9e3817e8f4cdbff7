//! RFC 2205 Appendix C: UDP encapsulation.

use std::time::Duration;

use conformance::bench::{Family, Lab, Plan, Port, R, Station, cl, ff, tspec};
use conformance::shows;
use rsvp_core::command::{ReserveRequest, SenderRequest};
use rsvp_core::config::{Bandwidth, InterfaceConfig, NodeConfig, UdpEncapsulation, UdpOnly};
use rsvp_core::counters::DropReason;
use rsvp_core::event::{EventKind, Upcall};
use rsvp_core::input::Encapsulation;
use rsvp_core::udp::{PU, PU_PRIME};
use rsvp_core::wire::{FilterSpec, Path, Style};
use rsvp_core::{Command, Event};
use rsvp_sim::{Network, NodeId, Role, invariants};

#[test]
fn an_interface_can_be_told_that_it_needs_no_udp() {
    shows(&["rfc2205-C-05"]);
    let mut dut = Lab::in_process().with(Family::V4, |config| {
        let udp_encapsulation = UdpEncapsulation::Never;
        let settings = InterfaceConfig { udp_encapsulation, ..config.default_interface.clone() };
        config.interfaces.insert("a".to_owned(), settings);
    });
    let (h, s1) = (dut.h(), dut.s1());
    let path = dut.pack(Station::U1, dut.path(Station::U1, h, s1));
    dut.send_packet(Station::U1, &path.in_udp(dut.plan.dut(Port::A), PU));
    dut.expect_silence();
    assert!(dut.senders(h).is_empty(), "it is not heard");
    let path = dut.path(Station::U2, dut.session_towards_u1(), dut.s2());
    dut.send(Station::U2, path);
    assert_eq!(dut.expect::<Path>(Port::A).sent.packet.encapsulation, Encapsulation::Raw);
    dut.expect_silence();
}

#[test]
fn what_is_ignored_teaches_nothing() {
    for router in [true, false] {
        let mut dut = Lab::in_process().with(Family::V4, |config| config.router = router);
        let own = dut.plan.dut(Port::A);
        let session = dut.plan.session(own, 5000);
        let both = dut.pack(Station::U1, dut.path(Station::U1, session, dut.s1()));
        dut.send_packet(Station::U1, &both);
        dut.send_packet(Station::U1, &both.clone().in_udp(own, PU_PRIME));
        assert_eq!(dut.node().counters().received.path, 1, "in both forms, processed once");
        assert_eq!(dut.drops(DropReason::NotListening), 1);
        assert!(!dut.node().interfaces()[0].udp);
        dut.send_packet(Station::U1, &both.in_udp(own, PU));
        assert_eq!(dut.node().counters().received.path, 2);
        assert!(dut.node().interfaces()[0].udp);
    }
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
        let plan = Plan::new(Family::V4);
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
        let session = Plan::new(Family::V4).g();
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
