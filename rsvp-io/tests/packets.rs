//! RSVP over packet sockets, with neighbours that use raw sockets.

#![cfg(target_os = "linux")]

mod common;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::{fs, io};

use common::{Network, Node, TestResult, ip, is_permitted, message, network, path};
use rsvp_core::{Request, Transmit};
use rsvp_driver::{Outside, Parts, SendOutcome};
use rsvp_io::{InterfaceSelection, KernelRouting, KernelTrafficControl, PacketCounters, PacketSockets};
use rsvp_netns::{Namespace, PacketSocket};

/// Host, router west, router east and host, of each family.
const FAMILIES: [[&str; 4]; 2] =
    [["10.1.1.2", "10.1.1.1", "10.1.2.1", "10.1.2.2"], ["fd01:1::2", "fd01:1::1", "fd01:2::1", "fd01:2::2"]];
const GROUPS: [&str; 2] = ["239.1.2.3", "ff0e::123"];

fn on_packets(namespace: &Namespace, router: bool) -> Node<PacketSockets> {
    let open = || {
        let transport = PacketSockets::open(router).map_err(io::Error::other)?;
        let routing = KernelRouting::open(router, InterfaceSelection::All).map_err(io::Error::other)?;
        let traffic_control = KernelTrafficControl::open(BTreeMap::new()).map_err(io::Error::other)?;
        Parts::new(transport, routing, traffic_control)
    };
    Node::new(namespace.run(open).expect("the namespace has all that it needs"))
}

fn counters(node: &Node<PacketSockets>) -> &PacketCounters {
    node.system.transport().counters()
}

/// A message to the neighbour.
fn to_neighbor(transmit: &Transmit) -> Transmit {
    Transmit { router_alert: false, ttl: 1, ..transmit.clone() }
}

#[test]
fn path_in_transit_is_intercepted_and_sent_on() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let [mut a, mut b] = [Node::host(&network.a), Node::host(&network.b)];
    let mut r = on_packets(&network.r, true);
    for [host, _, _, other] in FAMILIES {
        a.send(&path(Some(a.id("eth0")), host, other), b"a Path");
        let datagram = r.datagram();
        assert_eq!((datagram.source, datagram.destination), (ip(host), ip(other)));
        assert_eq!((datagram.interface, datagram.ttl), (r.id("west"), Some(63)));
        assert_eq!(&*datagram.payload, b"a Path");
        // The kernel forwards no second one.
        b.hears_nothing();
        // The sender's address is kept. The routing table knows the neighbour, whom nobody has asked for yet.
        let onwards = Transmit { ttl: 62, ..path(Some(r.id("east")), host, other) };
        assert_eq!(r.try_send(&onwards, b"a Path, sent on"), SendOutcome::Sent);
        let datagram = b.datagram_while(|| r.read());
        assert_eq!((datagram.source, datagram.ttl), (ip(host), Some(62)));
        assert_eq!(&*datagram.payload, b"a Path, sent on");
        b.hears_nothing();
    }
    assert_eq!((counters(&r).sockets.received, counters(&r).sockets.sent), (2, 2));
    Ok(())
}

#[test]
fn messages_wait_for_a_neighbour_that_is_not_found_yet_and_keep_their_order() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let mut r = on_packets(&network.r, true);
    let mut a = on_packets(&network.a, false);
    for [host, west, ..] in FAMILIES {
        let transmit = to_neighbor(&path(Some(a.id("eth0")), host, west));
        let mut batch: Vec<_> = (0..32).map(|number| message(&transmit, &[number; 100])).collect();
        assert_eq!(a.system.send(&mut batch), SendOutcome::Sent);
        for number in 0..32 {
            let datagram = r.datagram_while(|| a.read());
            assert_eq!((datagram.source, datagram.ttl), (ip(host), Some(1)));
            assert_eq!(&*datagram.payload, &[number; 100]);
        }
        // The answer finds its neighbour, too, and goes where the next hop is told.
        let transmit = to_neighbor(&path(Some(r.id("west")), west, host));
        assert_eq!(
            r.try_send(&Transmit { next_hop: Some(ip(host)), ..transmit }, b"a Resv"),
            SendOutcome::Sent
        );
        assert_eq!(&*a.datagram_while(|| r.read()).payload, b"a Resv");
    }
    assert_eq!((counters(&a).sockets.sent, counters(&a).sockets.send_failed), (64, 0));
    Ok(())
}

#[test]
fn a_neighbour_that_does_not_answer_costs_what_waits_for_it_and_no_more() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    network.a.run(|| fs::write("/proc/sys/net/ipv4/neigh/eth0/retrans_time_ms", "100"))?;
    let mut a = on_packets(&network.a, false);
    let silent = to_neighbor(&path(Some(a.id("eth0")), "10.1.1.2", "10.1.1.77"));
    for _ in 0..100 {
        assert_eq!(a.try_send(&silent, b"nobody hears it"), SendOutcome::Sent);
    }
    assert_eq!((counters(&a).not_found, counters(&a).sockets.send_failed), (36, 36), "64 wait");
    // Nor is there a way to these.
    network.a.unroute(ip("0.0.0.0"), 0)?;
    assert_eq!(a.try_send(&path(None, "10.1.1.2", "192.0.2.1"), b"nowhere"), SendOutcome::Sent);
    assert_eq!(counters(&a).sockets.send_failed, 37);
    // The kernel gives up after three questions.
    a.wait("the end of the search", |a| (counters(a).not_found == 100).then_some(()));
    assert_eq!((counters(&a).sockets.send_failed, counters(&a).sockets.sent), (101, 0));
    // It is looked for anew, and found once it is there.
    network.r.address("west", ip("10.1.1.77"), 32)?;
    let mut r = Node::router(&network.r);
    assert_eq!(a.try_send(&silent, b"heard"), SendOutcome::Sent);
    assert_eq!(&*r.datagram_while(|| a.read()).payload, b"heard");
    Ok(())
}

#[test]
fn groups_are_heard_by_members_and_by_routers() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let mut r = on_packets(&network.r, true);
    let mut a = on_packets(&network.a, false);
    for ([host, west, ..], group) in FAMILIES.into_iter().zip(GROUPS) {
        let to_group = path(Some(a.id("eth0")), host, group);
        assert_eq!(a.try_send(&to_group, b"a Path to a group"), SendOutcome::Sent);
        let datagram = r.datagram();
        assert_eq!((datagram.destination, datagram.interface), (ip(group), r.id("west")));
        let back = path(Some(r.id("west")), west, group);
        assert_eq!(r.try_send(&back, b"unheard"), SendOutcome::Sent);
        a.hears_nothing();
        a.request(Request::Join { group: ip(group), interface: None });
        assert_eq!(r.try_send(&back, b"heard"), SendOutcome::Sent);
        assert_eq!(&*a.datagram().payload, b"heard");
    }
    assert_eq!(counters(&a).sockets.not_joined, 2);
    Ok(())
}

#[test]
fn the_kernel_neither_answers_nor_passes_on() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let Network { a, r, b: _b } = network()?;
    let mut router = on_packets(&r, true);
    let mut host = Node::host(&a);
    let heard = a.run(|| PacketSocket::open("eth0"))?;
    for [address, west, _, other] in FAMILIES {
        host.send(&to_neighbor(&path(Some(host.id("eth0")), address, west)), b"to the router");
        assert_eq!(router.datagram().destination, ip(west));
        host.send(&path(Some(host.id("eth0")), address, other), b"in transit");
        assert_eq!(router.datagram().destination, ip(other));
    }
    host.hears_nothing();
    let mut buffer = [0; 2000];
    while let Some(frame) = heard.receive(&mut buffer, false)? {
        // ICMP says "protocol unreachable", ICMPv6 "parameter problem".
        let is_refusal = match &buffer[..frame.length] {
            [_, _, _, _, _, _, _, _, _, _, _, _, 0x08, 0, rest @ ..] => rest[9] == 1 && rest[20] == 3,
            [_, _, _, _, _, _, _, _, _, _, _, _, 0x86, 0xdd, rest @ ..] => rest[6] == 58 && rest[40] == 4,
            _ => false,
        };
        assert!(frame.is_own || !is_refusal, "the kernel refuses what the node has taken");
    }
    Ok(())
}

#[test]
fn fragments_are_dropped_and_none_are_made() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let mut r = on_packets(&network.r, true);
    let mut a = Node::host(&network.a);
    for [host, west, _, other] in FAMILIES {
        a.send(&path(Some(a.id("eth0")), host, other), &[7; 5000]);
        let large = to_neighbor(&path(Some(r.id("west")), west, host));
        assert_eq!(r.try_send(&large, &[7; 1490]), SendOutcome::Sent);
    }
    r.wait("fragments", |r| (counters(r).sockets.transit_fragments >= 8).then_some(()));
    assert_eq!((counters(&r).too_large, counters(&r).sockets.send_failed), (2, 2));
    assert_eq!(counters(&r).sockets.received, 0);
    Ok(())
}

#[test]
fn ipv6_link_local_neighbours_are_reached() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let [mut a, mut r] = [on_packets(&network.a, false), on_packets(&network.r, true)];
    let link_local = |node: &Node<PacketSockets>, interface: &str| {
        let mut addresses = node.interfaces[interface].addresses.iter();
        addresses.find(|address| matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local())).copied()
    };
    let [here, there] = [link_local(&a, "eth0"), link_local(&r, "west")].map(|address| address.expect("one"));
    let [host, _, _, other] = FAMILIES[1];
    // As the gateway of a route, and as source and destination.
    let a_path = Transmit { next_hop: Some(there), ..path(Some(a.id("eth0")), host, other) };
    assert_eq!(a.try_send(&a_path, b"a Path"), SendOutcome::Sent);
    assert_eq!(r.datagram_while(|| a.read()).destination, ip(other));
    let a_resv = Transmit { source: here, destination: there, ..to_neighbor(&a_path) };
    assert_eq!(a.try_send(&Transmit { next_hop: None, ..a_resv }, b"a Resv"), SendOutcome::Sent);
    let datagram = r.datagram_while(|| a.read());
    assert_eq!((datagram.source, datagram.destination, datagram.interface), (here, there, r.id("west")));
    Ok(())
}
