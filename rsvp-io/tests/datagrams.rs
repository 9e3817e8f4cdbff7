//! RSVP messages on real links: sent, intercepted in transit, received.

#![cfg(target_os = "linux")]

mod common;

use std::net::{IpAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::Duration;

use common::{Node, TestResult, ip, is_permitted, message, network, path};
use rsvp_core::{InterfaceId, Transmit};
use rsvp_driver::{Message, Outside, ReadOutcome, SendOutcome, Source};

const A: [&str; 2] = ["10.1.1.2", "fd01:1::2"];
const WEST: [&str; 2] = ["10.1.1.1", "fd01:1::1"];
const EAST: [&str; 2] = ["10.1.2.1", "fd01:2::1"];
const B: [&str; 2] = ["10.1.2.2", "fd01:2::2"];
const IPV4: usize = 0;
const IPV6: usize = 1;

/// It comes first.
const IPV4_SOCKET: Source = Source(0);

fn path_in_transit(family: usize) -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let [mut a, mut r, mut b] = [Node::host(&network.a), Node::router(&network.r), Node::host(&network.b)];
    a.send(&path(Some(a.id("eth0")), A[family], B[family]), b"in transit");
    let datagram = r.datagram();
    assert_eq!(&*datagram.payload, b"in transit");
    assert_eq!((datagram.source, datagram.destination), (ip(A[family]), ip(B[family])));
    assert_eq!((datagram.interface, datagram.ttl), (r.id("west"), Some(63)));
    b.hears_nothing();
    Ok(())
}

#[test]
fn path_in_transit_is_intercepted() -> TestResult {
    path_in_transit(IPV4)
}

#[test]
fn ipv6_path_in_transit_is_intercepted() -> TestResult {
    path_in_transit(IPV6)
}

fn foreign_source(family: usize) -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let [mut r, mut b] = [Node::router(&network.r), Node::host(&network.b)];
    r.send(&path(Some(r.id("east")), A[family], B[family]), b"for another");
    let datagram = b.datagram();
    assert_eq!((datagram.source, datagram.destination), (ip(A[family]), ip(B[family])));
    assert_eq!((datagram.interface, datagram.ttl), (b.id("eth0"), Some(63)));
    assert_eq!(&*datagram.payload, b"for another");
    assert_eq!(b.system.transport().counters().received, 1, "one copy");
    Ok(())
}

#[test]
fn foreign_source_is_kept() -> TestResult {
    foreign_source(IPV4)
}

#[test]
fn ipv6_foreign_source_is_kept() -> TestResult {
    foreign_source(IPV6)
}

fn hop_by_hop(family: usize) -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let [mut a, mut r] = [Node::host(&network.a), Node::router(&network.r)];
    let mut transmit = path(Some(r.id("west")), WEST[family], A[family]);
    transmit.router_alert = false;
    transmit.ttl = 255;
    r.send(&transmit, b"a Resv");
    let datagram = a.datagram();
    assert_eq!((datagram.source, datagram.ttl), (ip(WEST[family]), Some(255)));
    // The other address of the router is its own too, and the answer may leave the choice of the way.
    let mut transmit = path(None, A[family], EAST[family]);
    transmit.router_alert = false;
    a.send(&transmit, b"a Path");
    let datagram = r.datagram();
    assert_eq!((datagram.source, datagram.destination), (ip(A[family]), ip(EAST[family])));
    assert_eq!(datagram.interface, r.id("west"));
    assert_eq!(r.system.transport().counters().received, 1, "one copy");
    Ok(())
}

#[test]
fn messages_go_hop_by_hop() -> TestResult {
    hop_by_hop(IPV4)
}

#[test]
fn ipv6_messages_go_hop_by_hop() -> TestResult {
    hop_by_hop(IPV6)
}

fn chosen_next_hop(family: usize) -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let [mut a, mut r] = [Node::host(&network.a), Node::router(&network.r)];
    // The routing table knows no way to this destination.
    let nowhere = ["192.0.2.9", "2001:db8::9"][family];
    network.a.unroute(ip(["0.0.0.0", "::"][family]), 0)?;
    network.r.route(ip(nowhere), [32, 128][family], ip(B[family]))?;
    let mut transmit = path(Some(a.id("eth0")), A[family], nowhere);
    transmit.next_hop = Some(ip(WEST[family]));
    a.send(&transmit, b"by way of r");
    assert_eq!(r.datagram().destination, ip(nowhere));
    Ok(())
}

#[test]
fn next_hop_is_chosen_by_the_sender() -> TestResult {
    chosen_next_hop(IPV4)
}

#[test]
fn ipv6_next_hop_is_chosen_by_the_sender() -> TestResult {
    chosen_next_hop(IPV6)
}

/// Lengths of messages beyond the MTU, up to what an IP datagram holds.
const LARGE: [usize; 3] = [5000, 6000, 60_000];

fn octets(length: usize) -> Vec<u8> {
    (0..length).map(|n| n as u8).collect()
}

#[test]
fn message_beyond_the_mtu_is_fragmented_and_intercepted_whole() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let [mut a, mut r, mut b] = [Node::host(&network.a), Node::router(&network.r), Node::host(&network.b)];
    for payload in LARGE.map(octets) {
        a.send(&path(Some(a.id("eth0")), A[IPV4], B[IPV4]), &payload);
        let datagram = r.datagram();
        assert_eq!(&*datagram.payload, payload);
        assert_eq!((datagram.source, datagram.ttl), (ip(A[IPV4]), Some(63)));
        r.send(&path(Some(r.id("east")), A[IPV4], B[IPV4]), &payload);
        let datagram = b.datagram();
        assert_eq!(&*datagram.payload, payload);
        assert_eq!(datagram.source, ip(A[IPV4]), "a foreign source is kept in fragments too");
    }
    assert_eq!(
        a.system.transport().counters().received,
        0,
        "the socket that sends fragments receives nothing"
    );
    Ok(())
}

#[test]
fn ipv6_message_beyond_the_mtu_reaches_its_destination() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let [mut a, mut r, mut b] = [Node::host(&network.a), Node::router(&network.r), Node::host(&network.b)];
    for payload in LARGE.map(octets) {
        r.send(&path(Some(r.id("east")), A[IPV6], B[IPV6]), &payload);
        let datagram = b.datagram();
        assert_eq!(&*datagram.payload, payload);
        assert_eq!((datagram.source, datagram.ttl), (ip(A[IPV6]), Some(63)));
    }
    // In transit the kernel does not put it together: that is counted.
    a.send(&path(Some(a.id("eth0")), A[IPV6], B[IPV6]), &octets(5000));
    r.wait("fragments", |r| (r.system.transport().counters().transit_fragments >= 4).then_some(()));
    Ok(())
}

/// A Bundle or an Srefresh goes to the neighbour, without Router Alert, and may be as large as an IP datagram (RFC 2961
/// sections 3.3, 5.2).
#[test]
fn neighbours_exchange_messages_beyond_the_mtu() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let [mut a, mut r] = [Node::host(&network.a), Node::router(&network.r)];
    for family in [IPV4, IPV6] {
        for payload in LARGE.map(octets) {
            for upstream in [false, true] {
                let (from, to, interface, [source, destination]) = match upstream {
                    true => (&mut a, &mut r, "eth0", [A, WEST]),
                    false => (&mut r, &mut a, "west", [WEST, A]),
                };
                let transmit = path(Some(from.id(interface)), source[family], destination[family]);
                from.send(&Transmit { router_alert: false, ttl: 1, ..transmit }, &payload);
                let datagram = to.datagram();
                assert!(*datagram.payload == *payload, "{} octets to {}", payload.len(), destination[family]);
                assert_eq!((datagram.source, datagram.ttl), (ip(source[family]), Some(1)));
            }
        }
    }
    Ok(())
}

#[test]
fn ipv6_packets_with_an_alert_that_are_not_rsvp_are_sent_on() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let mut r = Node::router(&network.r);
    let receiver = network.b.run(|| UdpSocket::bind("[fd01:2::2]:5000"))?;
    receiver.set_read_timeout(Some(Duration::from_secs(2)))?;
    let sender = network.a.run(|| UdpSocket::bind("[fd01:1::2]:0"))?;
    set_router_alert(&sender)?;
    sender.send_to(b"not RSVP", "[fd01:2::2]:5000")?;
    r.wait("a packet in transit", |r| (r.system.transport().counters().forwarded == 1).then_some(()));
    let mut buffer = [0; 100];
    let (length, from) = receiver.recv_from(&mut buffer)?;
    assert_eq!((&buffer[..length], from.ip()), (&b"not RSVP"[..], ip("fd01:1::2")));
    assert_eq!(r.system.transport().counters().received, 0);
    Ok(())
}

#[expect(unsafe_code, reason = "no library sets hop-by-hop options")]
fn set_router_alert(socket: &UdpSocket) -> std::io::Result<()> {
    let option: [u8; 8] = [0, 0, 5, 2, 0, 1, 1, 0];
    // SAFETY: the pointer and the length describe `option`.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_IPV6,
            libc::IPV6_HOPOPTS,
            option.as_ptr().cast(),
            option.len() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

#[test]
fn systems_of_other_namespaces_hear_nothing() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let [here, elsewhere] = [network()?, network()?];
    let mut a = Node::host(&here.a);
    let [mut r, mut other] = [Node::router(&here.r), Node::router(&elsewhere.r)];
    for family in [IPV4, IPV6] {
        a.send(&path(Some(a.id("eth0")), A[family], B[family]), b"here");
        r.datagram();
    }
    other.hears_nothing();
    Ok(())
}

#[test]
fn own_messages_are_ignored() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let mut a = Node::host(&network.a);
    for address in A {
        a.send(&path(None, address, address), b"to myself");
    }
    a.wait("own messages", |a| (a.system.transport().counters().own == 2).then_some(()));
    assert_eq!(a.inputs, []);
    Ok(())
}

#[test]
fn a_datagram_that_cannot_be_sent_is_counted_and_the_next_one_can() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let [mut a, mut r] = [Node::host(&network.a), Node::router(&network.r)];
    network.a.unroute(ip("0.0.0.0"), 0)?;
    assert!(a.fails_to_send(&path(None, A[IPV4], "192.0.2.1"), b"nowhere"));
    a.send(&path(None, A[IPV4], WEST[IPV4]), b"here");
    assert_eq!(&*r.datagram().payload, b"here");
    assert_eq!((a.system.transport().counters().send_failed, a.system.transport().counters().sent), (1, 1));
    Ok(())
}

/// What the router sends in one batch, by number: to either side, in either family, in short runs.
fn batch_of_32(r: &Node) -> Vec<Message> {
    let to = |number: u8| {
        let (family, side) =
            [(0, 0), (0, 0), (0, 1), (0, 0), (0, 1), (1, 0), (1, 1), (1, 1)][usize::from(number % 8)];
        let interface = r.id(["west", "east"][side]);
        let transmit = path(Some(interface), [WEST, EAST][side][family], [A, B][side][family]);
        match number {
            // The routing table knows no way, and there is no such interface.
            12 => Transmit { interface: None, destination: ip("192.0.2.1"), ..transmit },
            26 => Transmit { interface: Some(InterfaceId(999)), ..transmit },
            _ => transmit,
        }
    };
    // These are larger than the MTU.
    let length = |number| if matches!(number, 17 | 22) { 5000 } else { 100 };
    (0..32).map(|number| message(&to(number), &vec![number; length(number)])).collect()
}

#[test]
fn a_batch_is_sent_in_order_around_what_fails() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let [mut a, mut r, mut b] = [Node::host(&network.a), Node::router(&network.r), Node::host(&network.b)];
    let mut batch = batch_of_32(&r);
    assert_eq!(r.system.send(&mut batch), SendOutcome::Sent);
    let counters = r.system.transport().counters();
    assert_eq!((counters.sent, counters.send_failed, counters.send_blocked), (30, 2, 0));
    for (host, addresses) in [(&mut a, A), (&mut b, B)] {
        for destination in addresses.map(ip) {
            // Each family has a socket of its own, so between them there is no order.
            for Message { transmit, payload } in
                batch.iter().filter(|it| it.transmit.destination == destination)
            {
                if transmit.interface == Some(InterfaceId(999)) {
                    continue;
                }
                let is_next = |datagram: &rsvp_core::input::Datagram<'_>| datagram.destination == destination;
                let datagram = host.datagram_that(is_next);
                assert_eq!((datagram.payload[0], datagram.payload.len()), (payload[0], payload.len()));
                assert!(*datagram.payload == *payload);
                assert_eq!((datagram.source, datagram.ttl), (transmit.source, Some(transmit.ttl)));
            }
        }
        host.hears_nothing();
    }
    Ok(())
}

#[test]
fn a_batch_that_meets_a_full_socket_goes_on_where_it_stopped() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let [mut a, mut r] = [Node::host(&network.a), Node::router(&network.r)];
    let fd = &a.system.sources()?[IPV4_SOCKET.0];
    nix::sys::socket::setsockopt(&fd, nix::sys::socket::sockopt::SndBuf, &4096)?;
    // What goes to a neighbour that does not answer stays with the socket for now.
    let silent = "10.1.1.77";
    let to = |number| if number < 8 { WEST[IPV4] } else { silent };
    let transmit = |number| Transmit { router_alert: false, ..path(Some(a.id("eth0")), A[IPV4], to(number)) };
    let mut batch: Vec<_> = (0..32).map(|number| message(&transmit(number), &[number; 500])).collect();
    a.send(&batch[0].transmit, b"the neighbour is known from now on");
    r.datagram();
    let SendOutcome::Blocked(gone, source) = a.system.send(&mut batch) else {
        panic!("there was room for all")
    };
    assert!((9..31).contains(&gone), "{gone}");
    assert_eq!(source, IPV4_SOCKET);
    let counters = a.system.transport().counters();
    assert_eq!((counters.sent, counters.send_failed, counters.send_blocked), (1 + gone as u64, 0, 1));
    network.r.address("west", ip(silent), 32)?;
    let mut heard = Vec::new();
    let mut next = gone;
    while heard.len() < batch.len() {
        heard.push(r.wait("a datagram", |r| {
            next = match a.system.send(&mut batch[next..]) {
                SendOutcome::Blocked(gone, _) => next + gone,
                SendOutcome::Sent => batch.len(),
            };
            (!r.inputs.is_empty()).then(|| r.inputs.remove(0))
        }));
    }
    let numbers = heard.iter().map(|input| match input {
        rsvp_core::Input::Datagram(datagram) => datagram.payload[0],
        other => panic!("{other:?}"),
    });
    assert_eq!(numbers.collect::<Vec<u8>>(), (0..32).collect::<Vec<u8>>());
    Ok(())
}

#[test]
fn many_datagrams_are_read_within_the_budget() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let [mut a, mut r] = [Node::host(&network.a), Node::router(&network.r)];
    for number in 0..100_u8 {
        a.send(&path(None, A[IPV4], B[IPV4]), &[number]);
    }
    let mut payloads = Vec::new();
    r.wait("the first", |r| r.inputs.pop());
    r.inputs.clear();
    for number in 100..200_u8 {
        a.send(&path(None, A[IPV4], B[IPV4]), &[number]);
    }
    std::thread::sleep(Duration::from_millis(50));
    let mut calls = 0;
    while payloads.len() < 100 {
        let before = payloads.len();
        let outcome = r.system.read(IPV4_SOCKET, 40, &mut |input| {
            if let rsvp_core::Input::Datagram(datagram) = input {
                payloads.push(datagram.payload[0]);
            }
        })?;
        assert!(payloads.len() - before <= 40, "the budget holds");
        assert!(outcome == ReadOutcome::More || payloads.len() == 100, "all are there");
        calls += 1;
    }
    assert_eq!(payloads, (100..200).collect::<Vec<u8>>(), "in order");
    assert!(calls >= 3);
    Ok(())
}

#[test]
fn datagrams_that_were_not_read_in_time_are_counted() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let [mut a, mut r] = [Node::host(&network.a), Node::router(&network.r)];
    let fd = &r.system.sources()?[IPV4_SOCKET.0];
    nix::sys::socket::setsockopt(&fd, nix::sys::socket::sockopt::RcvBuf, &8192)?;
    for _ in 0..100 {
        a.send(&path(None, A[IPV4], B[IPV4]), &[0; 500]);
    }
    r.wait("those that there was room for", |r| (!r.inputs.is_empty()).then_some(()));
    // What comes later tells of those that were lost.
    a.send(&path(None, A[IPV4], B[IPV4]), &[1; 500]);
    r.wait("the last", |r| match r.inputs.last() {
        Some(rsvp_core::Input::Datagram(datagram)) => (datagram.payload[0] == 1).then_some(()),
        _ => None,
    });
    let counters = r.system.transport().counters();
    assert!(counters.overflowed > 0);
    assert_eq!(counters.received + counters.overflowed, 101);
    let told = r.system.diagnostics();
    let words = format!("dropped {} received", r.system.transport().counters().overflowed);
    assert!(told.iter().any(|diagnostic| diagnostic.message.contains(&words)), "{told:?}");
    Ok(())
}

#[test]
fn ipv6_link_local_neighbours_are_reached() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let [mut a, mut r] = [Node::host(&network.a), Node::router(&network.r)];
    let link_local = |node: &Node, interface: &str| {
        let mut addresses = node.interfaces[interface].addresses.iter();
        addresses.find(|address| matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local())).copied()
    };
    let [here, there] = [link_local(&a, "eth0"), link_local(&r, "west")].map(|address| address.expect("one"));
    // As the gateway of a route.
    let mut transmit = path(Some(a.id("eth0")), A[IPV6], B[IPV6]);
    transmit.next_hop = Some(there);
    a.send(&transmit, b"a Path");
    assert_eq!(r.datagram().destination, ip(B[IPV6]));
    // As source and destination.
    transmit = Transmit { source: here, destination: there, next_hop: None, router_alert: false, ..transmit };
    a.send(&transmit, b"a Resv");
    let datagram = r.datagram();
    assert_eq!((datagram.source, datagram.destination, datagram.interface), (here, there, r.id("west")));
    Ok(())
}
