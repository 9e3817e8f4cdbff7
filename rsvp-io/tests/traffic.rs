//! What the kernel does to traffic: two hosts and a router whose link to the east carries 10 Mbit/s.

#![cfg(target_os = "linux")]

mod common;

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use common::{Network, Node, TestResult, ip, is_permitted, network, path};
use conformance::shows;
use rsvp_core::input::Encapsulation;
use rsvp_core::output::{Installation, InstallationId, PoliceFlags};
use rsvp_core::udp::{PU, PU_PRIME};
use rsvp_core::wire::{FilterSpec, FlowKey, Flowspec, Tspec};
use rsvp_core::{Input, Request, SessionKey, Transmit};
use rsvp_driver::Outside;
use rsvp_io::{Carrier, SystemOptions};
use socket2::{Domain, Socket, Type};

/// Bytes per second of the link.
const LINK: u64 = 1_250_000;
/// Bytes of every IP packet.
const PACKET: usize = 1000;
/// Bytes per second of a reservation.
const RATE: f32 = 250_000.0;
/// How long traffic is measured.
const TIME: Duration = Duration::from_millis(1500);
const A: [&str; 2] = ["10.1.1.2", "fd01:1::2"];
const B: [&str; 2] = ["10.1.2.2", "fd01:2::2"];
const EAST: [&str; 2] = ["10.1.2.1", "fd01:2::1"];
const PORT: u16 = 5004;
const UDP: u8 = 17;

fn router(network: &Network) -> Node {
    Node::open(
        &network.r,
        SystemOptions {
            router: true,
            link_rates: [("east".to_owned(), LINK)].into(),
            // Two of them in UDP would not do in one namespace.
            carrier: Carrier::Raw,
            ..SystemOptions::default()
        },
    )
}

/// Packets at a steady rate to one port, from these ports in turn.
#[derive(Clone, Copy, Debug)]
struct Flow {
    family: usize,
    from: &'static [u16],
    to: u16,
    rate: f64,
}

const fn flow(family: usize, from: &'static [u16], to: u16, rate: f64) -> Flow {
    Flow { family, from, to, rate }
}

/// Three times what the link carries.
const fn flood(family: usize) -> Flow {
    flow(family, &[9000], 9000, 3.0 * LINK as f64)
}

/// What became of a flow.
#[derive(Clone, Copy, Debug)]
struct Outcome {
    sent: usize,
    received: usize,
}

impl Outcome {
    fn loss(&self) -> f64 {
        1.0 - self.received as f64 / self.sent as f64
    }

    /// Bytes per second of IP packets.
    fn rate(&self) -> f64 {
        (self.received * PACKET) as f64 / TIME.as_secs_f64()
    }
}

/// Sends all flows at once, and counts what arrives.
fn run(network: &Network, flows: &[Flow]) -> io::Result<Vec<Outcome>> {
    let mut sockets = Vec::new();
    for flow in flows {
        let address = |hosts: [&str; 2], port| SocketAddr::new(ip(hosts[flow.family]), port);
        let receiver = network.b.run(|| UdpSocket::bind(address(B, flow.to)))?;
        receiver.set_read_timeout(Some(Duration::from_millis(500)))?;
        nix::sys::socket::setsockopt(&receiver, nix::sys::socket::sockopt::RcvBuf, &(1 << 20))?;
        let senders =
            network.a.run(|| flow.from.iter().map(|port| UdpSocket::bind(address(A, *port))).collect())?;
        let senders: Vec<UdpSocket> = senders;
        for sender in &senders {
            sender.connect(address(B, flow.to))?;
        }
        sockets.push((*flow, senders, receiver));
    }
    Ok(std::thread::scope(|scope| {
        let start = |(flow, senders, receiver)| {
            (scope.spawn(move || send(flow, senders)), scope.spawn(move || count(receiver)))
        };
        let running: Vec<_> =
            sockets.iter().map(|(flow, senders, receiver)| start((flow, senders, receiver))).collect();
        let ended = running.into_iter().map(|(sender, receiver)| (sender.join(), receiver.join()));
        ended.map(|(sent, received)| Outcome { sent: sent.unwrap(), received: received.unwrap() }).collect()
    }))
}

/// Keeps to the rate whatever the machine is busy with: what was missed for more than 10 ms is not made up for.
fn send(flow: &Flow, sockets: &[UdpSocket]) -> usize {
    let payload = vec![0; PACKET - [28, 48][flow.family]];
    let per_second = flow.rate / PACKET as f64;
    let burst = (per_second / 100.0).ceil() as usize;
    let start = Instant::now();
    let (mut sent, mut missed) = (0, 0);
    while start.elapsed() < TIME {
        let due = (start.elapsed().as_secs_f64() * per_second) as usize - missed;
        missed += (due - sent).saturating_sub(burst);
        for number in sent..due.min(sent + burst) {
            sockets[number % sockets.len()].send(&payload).expect("sent");
        }
        sent = due.min(sent + burst);
        std::thread::sleep(Duration::from_millis(1));
    }
    sent
}

/// Counts until nothing has come for a while.
fn count(socket: &UdpSocket) -> usize {
    let mut received = 0;
    while socket.recv(&mut [0; PACKET]).is_ok() {
        received += 1;
    }
    received
}

/// A reservation for these senders (source ports; none is a wildcard) out of the east.
fn reservation(r: &Node, id: u64, family: usize, port: u16, senders: &[u16]) -> Installation {
    let source: IpAddr = ip(A[family]);
    Installation {
        id: InstallationId(id),
        interface: r.id("east"),
        session: SessionKey::Ip(FlowKey { destination: ip(B[family]), protocol: UDP, port }),
        filters: senders.iter().map(|port| FilterSpec::Ip { source, port: *port }).collect(),
        flowspec: Flowspec::ControlledLoad(Tspec {
            rate: RATE,
            bucket: 10_000.0,
            peak: f32::INFINITY,
            min_unit: PACKET as u32,
            max_packet: 1500,
        }),
        sender_tspec: None,
        police: PoliceFlags::ENTRY,
        buffer: None,
        discards: false,
    }
}

fn install(r: &mut Node, installation: Installation) {
    let id = installation.id;
    r.request(Request::Install(installation));
    r.wait("the installation", |r| {
        let position = r.inputs.iter().position(|input| matches!(input, Input::Installed(..)))?;
        assert_eq!(r.inputs.remove(position), Input::Installed(id, Ok(())));
        Some(())
    });
}

fn under_flood(family: usize) -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let mut r = router(&network);
    let flows = [flow(family, &[1001], PORT, RATE.into()), flood(family)];
    let without = run(&network, &flows)?;
    assert!(without[0].loss() > 0.2, "without a reservation: {without:?}");
    let installation = reservation(&r, 1, family, PORT, &[1001]);
    install(&mut r, installation);
    let with = run(&network, &flows)?;
    assert!(with[0].loss() < 0.01, "with a reservation: {with:?}");
    assert!(with[1].rate() > 0.6 * LINK as f64, "best effort has the rest: {with:?}");
    assert!(with[1].rate() < 0.85 * LINK as f64, "the link has its rate: {with:?}");
    r.request(Request::Remove(InstallationId(1)));
    std::thread::sleep(Duration::from_millis(100));
    let after = run(&network, &flows)?;
    assert!(after[0].loss() > 0.2, "after it is gone: {after:?}");
    let system = &mut r.system;
    assert_eq!(network.r.run(move || Ok(system.diagnostics()))?, [], "all is well");
    Ok(())
}

#[test]
fn reserved_flow_keeps_its_rate_under_flood() -> TestResult {
    under_flood(0)
}

#[test]
fn ipv6_reserved_flow_keeps_its_rate_under_flood() -> TestResult {
    under_flood(1)
}

/// RSVP's own messages in UDP do not suffer from a flood.
fn rsvp_in_udp_under_flood(family: usize) -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let link_rates = [("east".to_owned(), LINK)].into();
    let mut r =
        Node::open(&network.r, SystemOptions { router: true, link_rates, ..SystemOptions::default() });
    let receiver = network.b.run(|| UdpSocket::bind((ip(B[family]), PU_PRIME)))?;
    receiver.set_read_timeout(Some(Duration::from_millis(500)))?;
    // It is read when all is over.
    rsvp_netns::socket::enlarge(&receiver)?;
    let message = Transmit {
        ttl: 1,
        router_alert: false,
        encapsulation: Encapsulation::Udp { source_port: PU, destination_port: PU_PRIME },
        ..path(Some(r.id("east")), EAST[family], B[family])
    };
    let sent = std::thread::scope(|scope| {
        let flooding = scope.spawn(|| run(&network, &[flood(family)]));
        let mut sent = 0;
        while !flooding.is_finished() {
            r.send(&message, b"in UDP");
            sent += 1;
            std::thread::sleep(Duration::from_millis(5));
        }
        let flooded = flooding.join().expect("a thread").expect("sockets");
        assert!(flooded[0].loss() > 0.2, "that is no flood: {flooded:?}");
        sent
    });
    assert_eq!(count(&receiver), sent);
    Ok(())
}

#[test]
fn rsvp_in_udp_does_not_suffer_from_a_flood() -> TestResult {
    rsvp_in_udp_under_flood(0)
}

#[test]
fn rsvp_in_udp_over_ipv6_does_not_suffer_from_a_flood() -> TestResult {
    rsvp_in_udp_under_flood(1)
}

fn excess(police: PoliceFlags) -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let mut r = router(&network);
    for (id, port, sender) in [(1, PORT, 1001), (2, PORT + 2, 1002)] {
        let mut installation = reservation(&r, id, 0, port, &[sender]);
        installation.police = police;
        install(&mut r, installation);
    }
    let greedy = flow(0, &[1001], PORT, 2.0 * f64::from(RATE));
    let modest = flow(0, &[1002], PORT + 2, RATE.into());
    let idle = run(&network, &[greedy, modest])?;
    assert!(idle[0].loss() < 0.01, "on an idle link the excess arrives: {idle:?}");
    let busy = run(&network, &[greedy, modest, flood(0)])?;
    assert!(busy[0].rate() > 0.97 * f64::from(RATE), "it keeps its share: {busy:?}");
    assert!(busy[0].rate() < 1.7 * f64::from(RATE), "but the excess has to compete: {busy:?}");
    assert!(busy[1].loss() < 0.01, "and harms no other reservation: {busy:?}");
    Ok(())
}

#[test]
fn excess_goes_to_best_effort() -> TestResult {
    excess(PoliceFlags::ENTRY)
}

#[test]
fn excess_goes_to_best_effort_where_only_the_rate_is_watched() -> TestResult {
    excess(PoliceFlags::empty())
}

#[test]
fn shared_reservations_are_shared() -> TestResult {
    shows(&["rfc2205-1.2-02"]);
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let mut r = router(&network);
    let explicit = reservation(&r, 1, 0, PORT, &[1001, 1002]);
    install(&mut r, explicit);
    let wildcard = reservation(&r, 2, 0, PORT + 2, &[]);
    install(&mut r, wildcard);
    let flows =
        [flow(0, &[1001, 1002], PORT, RATE.into()), flow(0, &[1003, 1004], PORT + 2, RATE.into()), flood(0)];
    let outcome = run(&network, &flows)?;
    assert!(outcome[0].loss() < 0.01, "shared explicit: {outcome:?}");
    assert!(outcome[1].loss() < 0.01, "wildcard: {outcome:?}");
    let both = flow(0, &[1001, 1002], PORT, 2.0 * f64::from(RATE));
    let outcome = run(&network, &[both, flood(0)])?;
    assert!(outcome[0].rate() < 1.7 * f64::from(RATE), "both together have it once: {outcome:?}");
    let stranger = [flow(0, &[1003], PORT, RATE.into()), flood(0)];
    let outcome = run(&network, &stranger)?;
    assert!(outcome[0].loss() > 0.2, "another sender has no part in it: {outcome:?}");
    Ok(())
}

#[test]
fn ports_are_those_of_the_transport_header() -> TestResult {
    shows(&["rfc2205-3.2-01"]);
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let mut r = router(&network);
    let installation = reservation(&r, 1, 0, PORT, &[1001]);
    install(&mut r, installation);
    for (from, to, is_reserved) in
        [(&[1001], PORT, true), (&[1002], PORT, false), (&[1001], PORT + 2, false), (&[PORT], 1001, false)]
    {
        let outcome = run(&network, &[flow(0, from, to, RATE.into()), flood(0)])?;
        let loss = outcome[0].loss();
        assert!(if is_reserved { loss < 0.01 } else { loss > 0.2 }, "{from:?} to {to}: {outcome:?}");
    }
    Ok(())
}

#[test]
fn protocols_without_ports_can_be_reserved_for() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let mut r = router(&network);
    let installation = reservation(&r, 1, 0, 0, &[0]);
    install(&mut r, installation);
    // The flood is of the other family: this reservation is for all UDP packets from one host to the other.
    let outcome = run(&network, &[flow(0, &[1001], PORT, RATE.into()), flood(1)])?;
    assert!(outcome[0].loss() < 0.01, "{outcome:?}");
    Ok(())
}

/// A packet of IPsec as far as the classifier looks: the security parameter index where the protocol has it.
fn ipsec_packet(protocol: i32, family: usize, spi: u8) -> Vec<u8> {
    // AH: next header, payload length in words less 2, reserved.
    let header: &[u8] = if protocol == libc::IPPROTO_AH { &[59, 4, 0, 0] } else { &[] };
    let mut packet = [header, &[0, 0, 0, spi]].concat();
    packet.resize(PACKET - [20, 40][family], 0);
    packet
}

/// Of a UDP socket's methods it takes those that any datagram socket has.
fn raw_socket(family: usize, protocol: i32) -> io::Result<UdpSocket> {
    let domain = [Domain::IPV4, Domain::IPV6][family];
    Ok(Socket::new(domain, Type::RAW, Some(protocol.into()))?.into())
}

/// Packets of these security parameter indices in turn through a flood; how many arrive of each.
fn ipsec_through_a_flood(
    network: &Network,
    family: usize,
    protocol: i32,
    spis: [u8; 2],
) -> io::Result<[Outcome; 2]> {
    let sender = network.a.run(|| raw_socket(family, protocol))?;
    let receiver = network.b.run(|| raw_socket(family, protocol))?;
    receiver.set_read_timeout(Some(Duration::from_millis(500)))?;
    nix::sys::socket::setsockopt(&receiver, nix::sys::socket::sockopt::RcvBuf, &(1 << 20))?;
    let packets = spis.map(|spi| ipsec_packet(protocol, family, spi));
    let at =
        packets[0].len() - (PACKET - [20, 40][family]) + if protocol == libc::IPPROTO_AH { 7 } else { 3 };
    std::thread::scope(|scope| {
        let flood = scope.spawn(|| run(network, &[flood(1 - family)]));
        let counting = scope.spawn(|| {
            let mut received = [0; 2];
            let mut buffer = [0; 2 * PACKET];
            while let Ok(octets) = receiver.recv(&mut buffer) {
                // IPv4 comes with its header.
                let message = &buffer[if family == 0 { 20 } else { 0 }..octets];
                for (count, spi) in received.iter_mut().zip(spis) {
                    *count += usize::from(message[at] == spi);
                }
            }
            received
        });
        std::thread::sleep(Duration::from_millis(200));
        let rounds = (0.8 * f64::from(RATE) / PACKET as f64) as usize;
        for _ in 0..rounds {
            for packet in &packets {
                sender.send_to(packet, SocketAddr::new(ip(B[family]), 0))?;
            }
            std::thread::sleep(Duration::from_secs(1) / rounds as u32);
        }
        let received = counting.join().unwrap();
        flood.join().unwrap()?;
        Ok(received.map(|received| Outcome { sent: rounds, received }))
    })
}

#[test]
fn ipsec_flows_are_told_apart_by_their_index() -> TestResult {
    shows(&["rfc2207-4.1-06"]);
    if !is_permitted() {
        return Ok(());
    }
    for family in [0, 1] {
        for protocol in [libc::IPPROTO_ESP, libc::IPPROTO_AH] {
            let network = network()?;
            let mut r = router(&network);
            let mut installation = reservation(&r, 1, family, 0, &[]);
            let destination = installation.session.destination();
            let key = FlowKey { destination, protocol: u8::try_from(protocol)?, port: 0 };
            installation.session = SessionKey::Gpi(key);
            installation.filters = vec![FilterSpec::Gpi { source: ip(A[family]), spi: 7 }];
            install(&mut r, installation);
            let [reserved, other] = ipsec_through_a_flood(&network, family, protocol, [7, 8])?;
            assert!(reserved.loss() < 0.02, "protocol {protocol}: {reserved:?}");
            assert!(other.loss() > 0.2, "another index of protocol {protocol}: {other:?}");
        }
    }
    Ok(())
}

#[test]
fn messages_get_through_a_flood() -> TestResult {
    shows(&["rfc2205-2.3-11"]);
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let [mut r, mut b] = [router(&network), Node::host(&network.b)];
    let messages = 100;
    std::thread::scope(|scope| -> TestResult {
        let flood = scope.spawn(|| run(&network, &[flood(0)]));
        std::thread::sleep(Duration::from_millis(300));
        for _ in 0..messages / 2 {
            for family in [0, 1] {
                r.send(&path(Some(r.id("east")), A[family], B[family]), &[0; 200]);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        b.wait("all messages", |b| (b.inputs.len() == messages).then_some(()));
        let outcome = flood.join().unwrap()?;
        assert!(outcome[0].loss() > 0.5, "it was a flood: {outcome:?}");
        Ok(())
    })
}

#[test]
fn addresses_are_resolved_through_a_flood() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let _r = router(&network);
    // Addresses that the other host has to resolve; the answers leave by the flooded interface.
    let addresses: Vec<IpAddr> =
        (100..105).flat_map(|n| [ip(&format!("10.1.2.{n}")), ip(&format!("fd01:2::{n}"))]).collect();
    for address in &addresses {
        network.r.address("east", *address, if address.is_ipv4() { 24 } else { 64 })?;
    }
    std::thread::scope(|scope| -> TestResult {
        let flood = scope.spawn(|| run(&network, &[flood(0)]));
        std::thread::sleep(Duration::from_millis(300));
        for address in addresses {
            let here = network.r.run(|| UdpSocket::bind((address, PORT)))?;
            here.set_read_timeout(Some(Duration::from_millis(500)))?;
            let any: IpAddr = ip(if address.is_ipv4() { "0.0.0.0" } else { "::" });
            let there = network.b.run(|| UdpSocket::bind((any, 0)))?;
            there.send_to(&[0], (address, PORT))?;
            // A lost answer is asked for again only after a second.
            assert!(here.recv(&mut [0]).is_ok(), "{address} is resolved at once");
        }
        let outcome = flood.join().unwrap()?;
        assert!(outcome[0].loss() > 0.5, "it was a flood: {outcome:?}");
        Ok(())
    })
}

#[test]
fn interface_without_a_rate_is_admitted_but_not_enforced() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let mut r = router(&network);
    let mut installation = reservation(&r, 1, 0, PORT, &[1001]);
    installation.interface = r.id("west");
    r.request(Request::Install(installation));
    assert_eq!(r.inputs, [Input::Installed(InstallationId(1), Ok(()))], "at once");
    Ok(())
}

#[test]
fn without_traffic_control_reservations_are_admitted_and_it_is_said() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let [_first, mut second] = [router(&network), router(&network)];
    let installation = reservation(&second, 1, 0, PORT, &[1001]);
    install(&mut second, installation);
    let system = &mut second.system;
    let diagnostics = network.r.run(move || Ok(system.diagnostics()))?;
    let [guard, enforcer] = &diagnostics[..] else { panic!("two are expected: {diagnostics:?}") };
    assert!(guard.message.contains("may reach the next hops twice"), "{guard}");
    assert!(enforcer.message.contains("admitted but not enforced"), "{enforcer}");
    Ok(())
}

#[test]
fn an_interface_that_appears_later_is_taken_over() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    network.r.unlink("east")?;
    let mut r = router(&network);
    network.b.link("eth0", &network.r, "east")?;
    network.b.address("eth0", ip(B[0]), 24)?;
    network.b.route(ip("0.0.0.0"), 0, ip("10.1.2.1"))?;
    network.r.address("east", ip("10.1.2.1"), 24)?;
    r.wait("the interface", |r| r.interfaces.get("east").filter(|east| east.up).map(|_| ()));
    std::thread::sleep(Duration::from_millis(200));
    let outcome = run(&network, &[flood(0)])?;
    assert!(outcome[0].rate() < 1.1 * LINK as f64, "the link has its rate: {outcome:?}");
    drop(r);
    let outcome = run(&network, &[flood(0)])?;
    assert!(outcome[0].loss() < 0.01, "and loses it when the system is closed: {outcome:?}");
    Ok(())
}
