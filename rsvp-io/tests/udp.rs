//! RSVP in UDP (RFC 2205 Appendix C): what arrives where, and with what.

#![cfg(target_os = "linux")]

mod common;

use std::net::{IpAddr, UdpSocket};

use common::{Network, Node, TestResult, ip, is_permitted, network, path};
use rsvp_core::input::Encapsulation;
use rsvp_core::udp::{self, PU, PU_PRIME};
use rsvp_core::{Request, Transmit};
use rsvp_driver::Outside;
use rsvp_io::{Carrier, SystemOptions};
use rsvp_netns::Namespace;

const MESSAGE: &[u8] = b"\x10\x01\0\0\x40\0\0\x08";
/// Host and router on the link in the west, and a group, of each family.
const FAMILIES: [(&str, &str, &str); 2] =
    [("10.1.1.2", "10.1.1.1", "239.1.2.3"), ("fd01:1::2", "fd01:1::1", "ff0e::123")];

fn udp_only(namespace: &Namespace) -> Node {
    Node::open(namespace, SystemOptions { carrier: Carrier::UdpOnly, ..SystemOptions::default() })
}

/// A message in UDP, as the node gives it away.
fn in_udp(from: &Node, interface: &str, source: &str, destination: IpAddr, port: u16) -> Transmit {
    Transmit {
        destination,
        ttl: 1,
        router_alert: false,
        encapsulation: to(port),
        ..path(Some(from.id(interface)), source, source)
    }
}

fn to(destination_port: u16) -> Encapsulation {
    Encapsulation::Udp { source_port: PU, destination_port }
}

#[test]
fn a_host_without_raw_sockets_and_a_router_hear_each_other() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let Network { a, r, b: _b } = network()?;
    let (mut host, mut router) = (udp_only(&a), Node::router(&r));
    for (of_host, of_router, group) in FAMILIES {
        for destination in [ip(of_router), udp::group(ip(of_router))] {
            let transmit = in_udp(&host, "eth0", of_host, destination, PU);
            host.send(&transmit, MESSAGE);
            let heard = router.datagram();
            assert_eq!((heard.source, heard.destination), (ip(of_host), destination));
            assert_eq!((heard.interface, heard.ttl), (router.id("west"), Some(1)));
            assert_eq!((heard.encapsulation, &*heard.payload), (to(PU), MESSAGE));
        }
        for port in [PU, PU_PRIME] {
            let transmit = in_udp(&router, "west", of_router, ip(of_host), port);
            router.send(&transmit, MESSAGE);
            let heard = host.datagram();
            assert_eq!((heard.source, heard.destination), (ip(of_router), ip(of_host)));
            assert_eq!((heard.interface, heard.ttl), (host.id("eth0"), Some(1)));
            assert_eq!((heard.encapsulation, &*heard.payload), (to(port), MESSAGE));
        }
        let transmit = in_udp(&router, "west", of_router, ip(group), PU_PRIME);
        router.send(&transmit, MESSAGE);
        host.hears_nothing();
        host.request(Request::Join { group: ip(group), interface: None });
        router.send(&transmit, MESSAGE);
        let heard = host.datagram();
        assert_eq!((heard.destination, heard.encapsulation), (ip(group), to(PU_PRIME)));
        router.hears_nothing();
    }
    Ok(())
}

#[test]
fn what_goes_by_one_interface_is_not_heard_at_another() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let Network { a, r, b } = network()?;
    let (mut west, mut router, mut east) = (udp_only(&a), Node::router(&r), udp_only(&b));
    for (_, of_router, group) in FAMILIES {
        let group = ip(group);
        for host in [&mut west, &mut east] {
            host.request(Request::Join { group, interface: None });
        }
        let transmit = in_udp(&router, "east", of_router, group, PU_PRIME);
        router.send(&transmit, MESSAGE);
        assert_eq!(east.datagram().source, ip(of_router), "the address is the sender's choice");
        west.hears_nothing();
    }
    Ok(())
}

#[test]
fn a_large_message_is_whole() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let Network { a, r, b: _b } = network()?;
    let (mut host, mut router) = (udp_only(&a), Node::router(&r));
    for (of_host, of_router, _) in FAMILIES {
        for length in [9000, 60_000] {
            let message = vec![7; length];
            let transmit = in_udp(&host, "eth0", of_host, ip(of_router), PU);
            host.send(&transmit, &message);
            assert_eq!(&*router.datagram().payload, message);
        }
    }
    Ok(())
}

/// The port of an Internet socket.
fn local_port(socket: &UdpSocket) -> Option<u16> {
    socket.local_addr().ok().map(|address| address.port())
}

#[test]
fn each_way_of_carrying_has_its_sockets() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let Network { a, r: _r, b: _b } = network()?;
    let mut host = udp_only(&a);
    // One of each family, and the monitor.
    let ports = host.system.sources()?.into_iter().filter_map(|fd| local_port(&fd.into()));
    assert_eq!(ports.collect::<Vec<u16>>(), [PU, PU, PU_PRIME, PU_PRIME]);
    assert_eq!(host.system.sources()?.len(), 5);
    let raw = path(Some(host.id("eth0")), "10.1.1.2", "10.1.1.1");
    assert!(host.fails_to_send(&raw, MESSAGE), "there is no raw socket");
    let second = a.run(|| Ok(rsvp_io::open(SystemOptions::default()).err()))?.expect("the port is taken");
    assert!(second.to_string().contains("port 1698"), "{second}");
    let raw = SystemOptions { carrier: Carrier::Raw, ..SystemOptions::default() };
    let mut raw = Node::open(&a, raw);
    let to_group = in_udp(&raw, "eth0", "10.1.1.2", udp::group(ip("10.1.1.2")), PU);
    assert!(raw.fails_to_send(&to_group, MESSAGE), "there is no UDP socket");
    Ok(())
}
