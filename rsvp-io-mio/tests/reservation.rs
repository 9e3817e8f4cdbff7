//! A sender, a router and a receiver on real links, all driven by mio on one thread.

#![cfg(target_os = "linux")]

#[path = "../../rsvp-io/tests/common/mod.rs"]
mod common;

use std::io;
use std::time::{Duration, Instant};

use common::{TestResult, ip, is_permitted, network};
use mio::{Poll, Token};
use rsvp_core::command::{ReserveRequest, SenderRequest};
use rsvp_core::config::{Bandwidth, InterfaceConfig, UdpEncapsulation, UdpOnly};
use rsvp_core::event::Upcall;
use rsvp_core::wire::{FilterSpec, FlowDescriptor, FlowKey, Flowspec, SenderTspec, Style, Tspec};
use rsvp_core::{ApiId, Command, Event, EventKind, Node, NodeConfig, Reply, SessionKey};
use rsvp_driver::{Clock, Engine, Events, Handle, Outside};
use rsvp_io::{Carrier, System, SystemOptions};
use rsvp_io_mio::{Driver, Step};
use rsvp_netns::Namespace;

const PATIENCE: Duration = Duration::from_secs(5);
const TSPEC: Tspec =
    Tspec { rate: 100_000.0, bucket: 10_000.0, peak: 1_000_000.0, min_unit: 100, max_packet: 1500 };

/// Nodes on one thread, which share a poll, as they would with other protocols.
struct Nodes {
    poll: Poll,
    happened: mio::Events,
    nodes: Vec<Running>,
}

struct Running {
    driver: Driver,
    told: Events,
    /// Of the driver, that would end without any.
    _handle: Handle,
}

/// A node that does not run yet.
fn node(config: NodeConfig, seed: u8, system: System) -> Running {
    let clock = Clock::start();
    let node = Node::new(config, [seed; 32], clock.now());
    let (driver, handle) = Driver::new(node, system, clock).expect("a driver");
    Running { driver, told: handle.subscribe(), _handle: handle }
}

fn system(namespace: &Namespace, options: SystemOptions) -> System {
    namespace.run(|| rsvp_io::open(options).map_err(std::io::Error::other)).expect("opened")
}

fn raw_config(router: bool) -> NodeConfig {
    let bandwidth = Bandwidth { total: 1_000_000, per_flow: 500_000, link: 1_250_000 };
    // Hosts that only receive cannot be learnt of.
    let udp_encapsulation = if router { UdpEncapsulation::Always } else { UdpEncapsulation::Learn };
    let default_interface =
        InterfaceConfig { bandwidth: Some(bandwidth), udp_encapsulation, ..InterfaceConfig::default() };
    NodeConfig { router, default_interface, ..NodeConfig::default() }
}

fn host(namespace: &Namespace) -> Running {
    node(raw_config(false), 0, system(namespace, SystemOptions::default()))
}

fn router(namespace: &Namespace, link_rates: &[(&str, u64)]) -> Running {
    let link_rates = link_rates.iter().map(|(name, rate)| ((*name).to_owned(), *rate)).collect();
    let options = SystemOptions { router: true, link_rates, ..SystemOptions::default() };
    node(raw_config(true), 1, system(namespace, options))
}

/// A host without raw sockets.
fn udp_host(namespace: &Namespace) -> Running {
    let options = SystemOptions { carrier: Carrier::UdpOnly, ..SystemOptions::default() };
    let config = NodeConfig { router: false, udp_only: Some(UdpOnly::default()), ..NodeConfig::default() };
    node(config, 2, system(namespace, options))
}

impl Nodes {
    /// Tokens that are not of the nodes before it or behind it.
    fn first_token(number: usize) -> Token {
        Token(100 * (number + 1))
    }

    fn new(nodes: impl IntoIterator<Item = Running>) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut nodes: Vec<Running> = nodes.into_iter().collect();
        for (number, node) in nodes.iter_mut().enumerate() {
            assert!(node.driver.register(poll.registry(), Self::first_token(number))? < 100);
        }
        Ok(Self { poll, happened: mio::Events::with_capacity(64), nodes })
    }

    /// Every node has its turn, then all of them wait for the same things, at most so long; false if it is over with
    /// one of them.
    fn step(&mut self, limit: Duration) -> io::Result<bool> {
        let mut limit = limit;
        for node in &mut self.nodes {
            match node.driver.turn()? {
                Step::Poll(timeout) => limit = limit.min(timeout.unwrap_or(limit)),
                Step::Ended => return Ok(false),
            }
        }
        self.poll.poll(&mut self.happened, Some(limit))?;
        for event in &self.happened {
            let takers = self.nodes.iter_mut().filter_map(|node| node.driver.on_event(event).then_some(()));
            assert_eq!(takers.count(), 1, "an event is of one node: {event:?}");
        }
        Ok(true)
    }

    /// Steps until a node tells an event that `wanted` takes.
    fn run<T>(&mut self, what: &str, mut wanted: impl FnMut(usize, Event) -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            self.step(Duration::from_millis(10)).expect("all sources work");
            for (number, node) in self.nodes.iter_mut().enumerate() {
                while let Some(event) = node.told.try_next() {
                    if let Some(found) = wanted(number, event) {
                        return found;
                    }
                }
            }
            assert!(start.elapsed() < PATIENCE, "waited in vain for {what}");
        }
    }

    fn engine(&mut self, number: usize) -> &mut Engine<System> {
        self.nodes[number].driver.engine()
    }

    fn command(&mut self, number: usize, command: Command) -> Reply {
        self.engine(number).command(command).expect("a good command")
    }

    fn open(&mut self, number: usize, session: SessionKey) -> ApiId {
        match self.command(number, Command::OpenSession(session)) {
            Reply::Session(id) => id,
            other => panic!("no session: {other:?}"),
        }
    }
}

fn upcall(event: Event) -> Option<Upcall> {
    match event.kind {
        EventKind::Upcall(_, _, upcall) => Some(upcall),
        _ => None,
    }
}

fn session(destination: &str, port: u16) -> SessionKey {
    SessionKey::Ip(FlowKey { destination: ip(destination), protocol: 17, port })
}

fn sender(template: FilterSpec) -> SenderRequest {
    let tspec = SenderTspec::TokenBucket(TSPEC);
    SenderRequest { template, tspec, adspec: true.into(), policy: Vec::new(), ttl: 63 }
}

fn template(source: &str, port: u16) -> FilterSpec {
    FilterSpec::Ip { source: ip(source), port }
}

/// A host's reservation across a router: for itself, or for a group that it is in.
fn reservation(
    source: &str,
    receiver: &str,
    group: Option<&str>,
    receiving_host: fn(&Namespace) -> Running,
) -> TestResult {
    const SENDER: usize = 0;
    const ROUTER: usize = 1;
    const RECEIVER: usize = 2;
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    if let Some(group) = group {
        network.r.multicast_route(Some(ip(source)), ip(group), "west", &["east"])?;
    }
    let nodes = [host(&network.a), router(&network.r, &[("east", 1_250_000)]), receiving_host(&network.b)];
    let mut nodes = Nodes::new(nodes)?;
    let session = session(group.unwrap_or(receiver), 5004);
    let template = template(source, 4000);

    let receiving = nodes.open(RECEIVER, session);
    nodes.command(RECEIVER, Command::Join(receiving, None));
    // It is a member before the first Path comes; the next one would take half a minute.
    nodes.step(Duration::ZERO)?;
    let sending = nodes.open(SENDER, session);
    nodes.command(SENDER, Command::AddSender(sending, sender(template)));
    let seen = nodes.run("the path", |number, event| match upcall(event)? {
        Upcall::Path { sender, .. } if number == RECEIVER => Some(sender),
        _ => None,
    });
    assert_eq!(seen, template);

    let flows =
        vec![FlowDescriptor { flowspec: Some(Flowspec::ControlledLoad(TSPEC)), filters: vec![template] }];
    let request =
        ReserveRequest { receiver: ip(receiver), style: Style::Ff, flows, policy: Vec::new(), confirm: true };
    nodes.command(RECEIVER, Command::Reserve(receiving, request));
    let (mut reserved, mut confirmed) = (false, false);
    nodes.run("the reservation and its confirmation", |number, event| {
        match upcall(event)? {
            Upcall::Resv { .. } => reserved |= number == SENDER,
            Upcall::Confirmed { .. } => confirmed |= number == RECEIVER,
            _ => {}
        }
        (reserved && confirmed).then_some(())
    });
    let installed = nodes.engine(ROUTER).node().installed();
    assert_eq!(installed.len(), 1);
    assert!(installed[0].installed, "the kernel has it: {installed:?}");

    nodes.command(RECEIVER, Command::Release(receiving));
    nodes.run("the end of the reservation", |number, event| {
        matches!(upcall(event)?, Upcall::ResvGone { .. } if number == SENDER).then_some(())
    });
    assert_eq!(nodes.engine(ROUTER).node().installed(), []);
    nodes.nodes.into_iter().for_each(|node| node.driver.close());
    Ok(())
}

#[test]
fn reservation_across_a_router() -> TestResult {
    reservation("10.1.1.2", "10.1.2.2", None, host)
}

#[test]
fn ipv6_reservation_across_a_router() -> TestResult {
    reservation("fd01:1::2", "fd01:2::2", None, host)
}

#[test]
fn reservation_for_a_group() -> TestResult {
    reservation("10.1.1.2", "10.1.2.2", Some("239.1.2.3"), host)
}

#[test]
fn ipv6_reservation_for_a_group() -> TestResult {
    reservation("fd01:1::2", "fd01:2::2", Some("ff0e::123"), host)
}

#[test]
fn reservation_for_a_group_in_udp() -> TestResult {
    reservation("10.1.1.2", "10.1.2.2", Some("239.1.2.3"), udp_host)
}

#[test]
fn ipv6_reservation_in_udp() -> TestResult {
    reservation("fd01:1::2", "fd01:2::2", None, udp_host)
}

fn wait_for_senders(nodes: &mut Nodes, number: usize, count: usize) -> TestResult {
    let start = Instant::now();
    while nodes.engine(number).node().senders().len() != count {
        nodes.step(Duration::from_millis(10))?;
        assert!(start.elapsed() < PATIENCE, "node {number} never knows {count} senders");
    }
    Ok(())
}

#[test]
fn shutting_down_tears_down() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let mut nodes = Nodes::new([host(&network.a), router(&network.r, &[])])?;
    let id = nodes.open(0, session("10.1.2.2", 5004));
    nodes.command(0, Command::AddSender(id, sender(template("10.1.1.2", 4000))));
    wait_for_senders(&mut nodes, 1, 1)?;
    nodes.engine(0).shut_down();
    let start = Instant::now();
    while nodes.step(Duration::from_millis(10))? {
        assert!(start.elapsed() < PATIENCE, "the host never ends");
    }
    nodes.nodes.remove(0).driver.close();
    wait_for_senders(&mut nodes, 0, 0)
}

#[test]
fn a_full_socket_delays_messages_but_loses_none() -> TestResult {
    const SENDERS: u16 = 30;
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let small = system(&network.a, SystemOptions::default());
    for fd in small.sources()? {
        // As small as the kernel allows. What waits for the neighbour's address fills it.
        let result = nix::sys::socket::setsockopt(&fd, nix::sys::socket::sockopt::SndBuf, &1);
        assert!(result.is_ok() || result == Err(nix::errno::Errno::ENOPROTOOPT), "{result:?}");
    }
    let mut nodes = Nodes::new([node(raw_config(false), 0, small), router(&network.r, &[])])?;
    let id = nodes.open(0, session("10.1.1.99", 5004));
    for port in 1..=SENDERS {
        nodes.command(0, Command::AddSender(id, sender(template("10.1.1.2", port))));
    }
    let start = Instant::now();
    while nodes.engine(0).outside().transport().counters().send_blocked == 0 {
        nodes.step(Duration::from_millis(10))?;
        assert!(start.elapsed() < PATIENCE, "the socket never fills");
    }
    network.r.address("west", ip("10.1.1.99"), 32)?;
    wait_for_senders(&mut nodes, 1, SENDERS.into())?;
    assert_eq!(nodes.engine(0).outside().transport().counters().sent, u64::from(SENDERS));
    Ok(())
}

#[test]
fn an_idle_driver_sleeps() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let mut nodes = Nodes::new([router(&network.r, &[])])?;
    // What the new interfaces cause settles first: their addresses, and reports of groups, which come at random times.
    let sleep = Duration::from_millis(200);
    let begin = Instant::now();
    loop {
        let start = Instant::now();
        nodes.step(sleep)?;
        if start.elapsed() >= sleep {
            return Ok(());
        }
        assert!(begin.elapsed() < PATIENCE, "it never sleeps {sleep:?}");
    }
}

/// Acknowledgements coalesce, and what a batch makes due leaves together, because the node gets all of it first.
#[test]
fn a_turn_hands_over_a_whole_batch() -> TestResult {
    const SESSIONS: u16 = 100;
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let [mut a, mut r] = [Nodes::new([host(&network.a)])?, Nodes::new([router(&network.r, &[])])?];
    for nodes in [&mut a, &mut r] {
        // What the new interfaces cause comes first.
        nodes.step(Duration::ZERO)?;
    }
    for port in 0..SESSIONS {
        let id = a.open(0, session("10.1.1.1", 5000 + port));
        a.command(0, Command::AddSender(id, sender(template("10.1.1.2", 4000))));
    }
    let start = Instant::now();
    while a.engine(0).node().counters().sent.path < SESSIONS.into() {
        a.step(Duration::ZERO)?;
        assert!(start.elapsed() < PATIENCE, "all Paths leave");
    }
    // Of what the poll tells, the next turn makes use.
    r.step(Duration::ZERO)?;
    let _ = r.nodes[0].driver.turn()?;
    assert_eq!(r.engine(0).node().counters().received.path, SESSIONS.into(), "in one turn");
    Ok(())
}
