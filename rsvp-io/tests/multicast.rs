//! Messages to groups, who hears them, and where they go.

#![cfg(target_os = "linux")]

mod common;

use std::net::IpAddr;

use common::{Network, Node, TestResult, ip, is_permitted, network, path};
use rsvp_core::{Request, Transmit};
use rsvp_driver::Outside;
use rsvp_io::{Carrier, SystemOptions};
use rsvp_netns::Namespace;
use socket2::{Domain, InterfaceIndexOrAddress, Socket, Type};

/// A sender behind `west`, a group, and an address of the router there, of each family.
const GROUPS: [(&str, &str, &str); 2] =
    [("10.1.1.2", "239.1.2.3", "10.1.1.1"), ("fd01:1::2", "ff0e::123", "fd01:1::1")];
const MESSAGE: &[u8] = b"\x10\x01\0\0\x40\0\0\x08";

fn join(group: &str) -> Request {
    Request::Join { group: ip(group), interface: None }
}

fn leave(group: &str) -> Request {
    Request::Leave { group: ip(group), interface: None }
}

/// Another program that has joined a group.
fn member(namespace: &Namespace, interface: &str, group: &str) -> Socket {
    let index = namespace.index(interface).expect("the interface");
    let open = || match ip(group) {
        IpAddr::V4(group) => {
            let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
            socket.join_multicast_v4_n(&group, &InterfaceIndexOrAddress::Index(index))?;
            Ok(socket)
        }
        IpAddr::V6(group) => {
            let socket = Socket::new(Domain::IPV6, Type::DGRAM, None)?;
            socket.join_multicast_v6(&group, index)?;
            Ok(socket)
        }
    };
    namespace.run(open).expect("joined")
}

/// Lets the router forward the groups from west to east.
fn forward(r: &Namespace) -> Result<(), rsvp_netns::Error> {
    GROUPS
        .iter()
        .try_for_each(|(source, group, _)| r.multicast_route(Some(ip(source)), ip(group), "west", &["east"]))
}

/// Whoever knows its neighbours by configuration sends Srefreshes to all of them (RFC 2961 section 5.3).
#[test]
fn every_node_hears_the_group_of_all_rsvp_nodes() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let Network { a, r, b: _b } = network()?;
    let raw = SystemOptions { carrier: Carrier::Raw, ..SystemOptions::default() };
    let (mut host, mut router) = (Node::open(&a, raw), Node::router(&r));
    for (of_host, group, of_router) in
        [("10.1.1.2", "224.0.0.14", "10.1.1.1"), ("fd01:1::2", "ff02::e", "fd01:1::1")]
    {
        for (upstream, source) in [(false, of_router), (true, of_host)] {
            let (from, to, interface) = match upstream {
                true => (&mut host, &mut router, "eth0"),
                false => (&mut router, &mut host, "west"),
            };
            let transmit = path(Some(from.id(interface)), source, group);
            from.send(&Transmit { router_alert: false, ttl: 1, ..transmit }, MESSAGE);
            let heard = to.datagram();
            assert_eq!((heard.source, heard.destination), (ip(source), ip(group)));
            from.hears_nothing();
            to.hears_nothing();
        }
    }
    Ok(())
}

#[test]
fn a_router_hears_every_group_once_and_the_kernel_passes_nothing_on() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let Network { a, r, b } = network()?;
    forward(&r)?;
    let (mut sender, mut router, mut receiver) = (Node::host(&a), Node::router(&r), Node::host(&b));
    for (source, group, _) in GROUPS {
        receiver.request(join(group));
        let mut others = Vec::new();
        for round in ["nobody is a member on the router", "another program is", "the node is, too"] {
            sender.send(&path(Some(sender.id("eth0")), source, group), MESSAGE);
            let heard = router.datagram();
            assert_eq!((heard.interface, heard.ttl), (router.id("west"), Some(63)), "{group}: {round}");
            assert_eq!((heard.source, heard.destination), (ip(source), ip(group)), "{round}");
            assert_eq!(*heard.payload, *MESSAGE, "{round}");
            router.hears_nothing();
            receiver.hears_nothing();
            match others.is_empty() {
                true => others.push(member(&r, "west", group)),
                false => router.request(join(group)),
            }
        }
        router.send(&path(Some(router.id("east")), source, group), MESSAGE);
        let heard = receiver.datagram();
        assert_eq!((heard.source, heard.destination), (ip(source), ip(group)));
        router.hears_nothing();
        sender.hears_nothing();
        receiver.request(leave(group));
    }
    Ok(())
}

#[test]
fn the_guard_ends_with_the_router() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let Network { a, r, b } = network()?;
    forward(&r)?;
    let (mut sender, router, mut receiver) = (Node::host(&a), Node::router(&r), Node::host(&b));
    router.system.close();
    for (source, group, _) in GROUPS {
        receiver.request(join(group));
        sender.send(&path(Some(sender.id("eth0")), source, group), MESSAGE);
        assert_eq!(receiver.datagram().ttl, Some(62), "the kernel forwards it as it does any packet");
    }
    Ok(())
}

#[test]
fn a_host_hears_the_groups_that_it_is_in() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let Network { a, r, b: _b } = network()?;
    let (mut host, mut router) = (Node::host(&a), Node::router(&r));
    for (_, group, from) in GROUPS {
        let mut tell = || router.send(&path(Some(router.id("west")), from, group), MESSAGE);
        let _other = member(&a, "eth0", group);
        tell();
        host.hears_nothing();
        host.request(join(group));
        tell();
        assert_eq!(host.datagram().destination, ip(group));
        host.request(leave(group));
        tell();
        host.hears_nothing();
    }
    assert_eq!(host.system.transport().counters().not_joined, 4, "they came for the other program");
    Ok(())
}

#[test]
fn a_host_is_in_more_groups_than_one_socket_may_be() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let Network { a, r, b: _b } = network()?;
    let (mut host, mut router) = (Node::host(&a), Node::router(&r));
    let groups: Vec<String> = (1..=50).map(|number| format!("239.1.1.{number}")).collect();
    for group in &groups {
        host.request(join(group));
    }
    for group in &groups {
        router.send(&path(Some(router.id("west")), "10.1.1.1", group), MESSAGE);
        assert_eq!(host.datagram().destination, ip(group));
    }
    Ok(())
}

#[test]
fn a_membership_follows_its_interface() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let Network { a, r, b: _b } = network()?;
    let (mut host, mut router) = (Node::host(&a), Node::router(&r));
    host.request(join("239.1.2.3"));
    a.unlink("eth0")?;
    host.wait("the link's end", |host| (!host.removed.is_empty()).then_some(()));
    a.link("eth1", &r, "again")?;
    a.address("eth1", ip("10.1.1.2"), 24)?;
    r.address("again", ip("10.1.1.1"), 24)?;
    host.wait("the new link", |host| {
        host.interfaces.get("eth1")?.addresses.contains(&ip("10.1.1.2")).then_some(())
    });
    router.wait("its other end", |router| router.interfaces.contains_key("again").then_some(()));
    router.send(&path(Some(router.id("again")), "10.1.1.1", "239.1.2.3"), MESSAGE);
    assert_eq!(host.datagram().interface, host.id("eth1"));
    Ok(())
}
