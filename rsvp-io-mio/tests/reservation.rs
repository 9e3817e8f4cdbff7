//! A sender, a router and a receiver on real links, each driven by mio.

#![cfg(target_os = "linux")]

#[path = "../../rsvp-io/tests/common/mod.rs"]
mod common;

use std::time::{Duration, Instant};

use common::{TestResult, ip, is_permitted, network};
use rsvp_core::command::{ReserveRequest, SenderRequest};
use rsvp_core::config::{Bandwidth, InterfaceConfig, UdpEncapsulation, UdpOnly};
use rsvp_core::event::Upcall;
use rsvp_core::wire::{FilterSpec, FlowDescriptor, FlowKey, Flowspec, SenderTspec, Style, Tspec};
use rsvp_core::{ApiId, Command, Event, EventKind, NodeConfig, Reply, SessionKey};
use rsvp_io::{System, SystemOptions, Transport};
use rsvp_io_mio::Driver;
use rsvp_netns::Namespace;

const PATIENCE: Duration = Duration::from_secs(5);
const TSPEC: Tspec =
    Tspec { rate: 100_000.0, bucket: 10_000.0, peak: 1_000_000.0, min_unit: 100, max_packet: 1500 };

fn driver(namespace: &Namespace, router: bool, link_rates: &[(&str, u64)]) -> Driver {
    let options = SystemOptions {
        router,
        link_rates: link_rates.iter().map(|(name, rate)| ((*name).to_owned(), *rate)).collect(),
        ..SystemOptions::default()
    };
    let bandwidth = Bandwidth { total: 1_000_000, per_flow: 500_000, link: 1_250_000 };
    // Hosts that only receive cannot be learnt of.
    let udp_encapsulation = if router { UdpEncapsulation::Always } else { UdpEncapsulation::Learn };
    let default_interface =
        InterfaceConfig { bandwidth: Some(bandwidth), udp_encapsulation, ..InterfaceConfig::default() };
    let config = NodeConfig { router, default_interface, ..NodeConfig::default() };
    let system = namespace.run(|| System::open(options).map_err(std::io::Error::other)).expect("opened");
    Driver::new(config, [u8::from(router); 32], system).expect("watched")
}

fn host(namespace: &Namespace) -> Driver {
    driver(namespace, false, &[])
}

/// A host without raw sockets.
fn udp_host(namespace: &Namespace) -> Driver {
    let options = SystemOptions { transport: Transport::UdpOnly, ..SystemOptions::default() };
    let config = NodeConfig { router: false, udp_only: Some(UdpOnly::default()), ..NodeConfig::default() };
    let system = namespace.run(|| System::open(options).map_err(std::io::Error::other)).expect("opened");
    Driver::new(config, [2; 32], system).expect("watched")
}

/// Steps all drivers until one of them tells an event that `wanted` takes.
fn run<T>(drivers: &mut [Driver], what: &str, mut wanted: impl FnMut(usize, Event) -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        for (number, driver) in drivers.iter_mut().enumerate() {
            driver.step(Some(Duration::from_millis(1))).expect("all sources work");
            while let Some(event) = driver.poll_event() {
                if let Some(found) = wanted(number, event) {
                    return found;
                }
            }
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain for {what}");
    }
}

fn open(driver: &mut Driver, session: SessionKey) -> ApiId {
    match driver.command(Command::OpenSession(session)) {
        Ok(Reply::Session(id)) => id,
        other => panic!("no session: {other:?}"),
    }
}

fn upcall(event: Event) -> Option<Upcall> {
    match event.kind {
        EventKind::Upcall(_, _, upcall) => Some(upcall),
        _ => None,
    }
}

/// A host's reservation across a router: for itself, or for a group that it is in.
fn reservation(
    source: &str,
    receiver: &str,
    group: Option<&str>,
    receiving_host: fn(&Namespace) -> Driver,
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
    let mut drivers =
        [host(&network.a), driver(&network.r, true, &[("east", 1_250_000)]), receiving_host(&network.b)];
    let destination = group.unwrap_or(receiver);
    let session = SessionKey::Ip(FlowKey { destination: ip(destination), protocol: 17, port: 5004 });
    let sender = FilterSpec::Ip { source: ip(source), port: 4000 };

    let receiving = open(&mut drivers[RECEIVER], session);
    drivers[RECEIVER].command(Command::Join(receiving, None))?;
    // It is a member before the first Path comes; the next one would take half a minute.
    drivers[RECEIVER].step(Some(Duration::ZERO))?;
    let sending = open(&mut drivers[SENDER], session);
    let request = SenderRequest {
        template: sender,
        tspec: SenderTspec::TokenBucket(TSPEC),
        adspec: true.into(),
        policy: Vec::new(),
        ttl: 63,
    };
    drivers[SENDER].command(Command::AddSender(sending, request))?;
    let seen = run(&mut drivers, "the path", |number, event| match upcall(event)? {
        Upcall::Path { sender, .. } if number == RECEIVER => Some(sender),
        _ => None,
    });
    assert_eq!(seen, sender);

    let flows =
        vec![FlowDescriptor { flowspec: Some(Flowspec::ControlledLoad(TSPEC)), filters: vec![sender] }];
    let request =
        ReserveRequest { receiver: ip(receiver), style: Style::Ff, flows, policy: Vec::new(), confirm: true };
    drivers[RECEIVER].command(Command::Reserve(receiving, request))?;
    let (mut reserved, mut confirmed) = (false, false);
    run(&mut drivers, "the reservation and its confirmation", |number, event| {
        match upcall(event)? {
            Upcall::Resv { .. } => reserved |= number == SENDER,
            Upcall::Confirmed { .. } => confirmed |= number == RECEIVER,
            _ => {}
        }
        (reserved && confirmed).then_some(())
    });
    let installed = drivers[ROUTER].node().installed();
    assert_eq!(installed.len(), 1);
    assert!(installed[0].installed, "the kernel has it: {installed:?}");

    drivers[RECEIVER].command(Command::Release(receiving))?;
    run(&mut drivers, "the end of the reservation", |number, event| {
        matches!(upcall(event)?, Upcall::ResvGone { .. } if number == SENDER).then_some(())
    });
    assert_eq!(drivers[ROUTER].node().installed(), []);
    drivers.into_iter().for_each(Driver::close);
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

#[test]
fn closing_tears_down() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let [mut a, r] = [driver(&network.a, false, &[]), driver(&network.r, true, &[])];
    let session = SessionKey::Ip(FlowKey { destination: ip("10.1.2.2"), protocol: 17, port: 5004 });
    let id = open(&mut a, session);
    let request = SenderRequest {
        template: FilterSpec::Ip { source: ip("10.1.1.2"), port: 4000 },
        tspec: SenderTspec::TokenBucket(TSPEC),
        adspec: false.into(),
        policy: Vec::new(),
        ttl: 63,
    };
    a.command(Command::AddSender(id, request))?;
    let mut drivers = [a, r];
    let start = Instant::now();
    while drivers[1].node().senders().is_empty() {
        run(&mut drivers, "an event", |_, _| Some(()));
        assert!(start.elapsed() < PATIENCE, "no path state");
    }
    let [a, mut r] = drivers;
    a.close();
    while !r.node().senders().is_empty() {
        r.step(Some(Duration::from_millis(10)))?;
        assert!(start.elapsed() < PATIENCE, "the path state outlives its sender");
    }
    Ok(())
}

#[test]
fn a_full_socket_delays_messages_but_loses_none() -> TestResult {
    const SENDERS: u16 = 30;
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let [mut a, r] = [driver(&network.a, false, &[]), driver(&network.r, true, &[])];
    for (_, fd) in a.system().sources() {
        // As small as the kernel allows. What waits for the neighbour's address fills it.
        let result = nix::sys::socket::setsockopt(&fd, nix::sys::socket::sockopt::SndBuf, &1);
        assert!(result.is_ok() || result == Err(nix::errno::Errno::ENOPROTOOPT), "{result:?}");
    }
    let session = SessionKey::Ip(FlowKey { destination: ip("10.1.1.99"), protocol: 17, port: 5004 });
    let id = open(&mut a, session);
    for port in 1..=SENDERS {
        let request = SenderRequest {
            template: FilterSpec::Ip { source: ip("10.1.1.2"), port },
            tspec: SenderTspec::TokenBucket(TSPEC),
            adspec: true.into(),
            policy: Vec::new(),
            ttl: 63,
        };
        a.command(Command::AddSender(id, request))?;
    }
    let start = Instant::now();
    while a.system().counters().send_blocked == 0 {
        a.step(Some(Duration::from_millis(10)))?;
        assert!(start.elapsed() < PATIENCE, "the socket never fills: {:?}", a.system().counters());
    }
    network.r.address("west", ip("10.1.1.99"), 32)?;
    let mut drivers = [a, r];
    while drivers[1].node().senders().len() < usize::from(SENDERS) {
        run(&mut drivers, "the next path", |_, _| Some(()));
    }
    assert_eq!(drivers[0].system().counters().sent, u64::from(SENDERS));
    Ok(())
}

#[test]
fn an_idle_driver_sleeps() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let mut r = driver(&network.r, true, &[]);
    // What the new interfaces cause settles first: their addresses, and reports of groups, which come at random times.
    let sleep = Duration::from_millis(200);
    let begin = Instant::now();
    loop {
        let start = Instant::now();
        r.step(Some(sleep))?;
        if start.elapsed() >= sleep {
            return Ok(());
        }
        assert!(begin.elapsed() < PATIENCE, "it never sleeps {sleep:?}");
    }
}

/// Acknowledgements coalesce, and what a batch makes due leaves together, because the node gets all of it first.
#[test]
fn a_step_hands_over_a_whole_batch() -> TestResult {
    const SESSIONS: u16 = 100;
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let [mut a, mut r] = [host(&network.a), driver(&network.r, true, &[])];
    for driver in [&mut a, &mut r] {
        // What the new interfaces cause comes first.
        driver.step(Some(Duration::ZERO))?;
    }
    for port in 0..SESSIONS {
        let session =
            SessionKey::Ip(FlowKey { destination: ip("10.1.1.1"), protocol: 17, port: 5000 + port });
        let id = open(&mut a, session);
        let request = SenderRequest {
            template: FilterSpec::Ip { source: ip("10.1.1.2"), port: 4000 },
            tspec: SenderTspec::TokenBucket(TSPEC),
            adspec: true.into(),
            policy: Vec::new(),
            ttl: 63,
        };
        a.command(Command::AddSender(id, request))?;
    }
    let start = Instant::now();
    while a.node().counters().sent.path < SESSIONS.into() {
        a.step(Some(Duration::ZERO))?;
        assert!(start.elapsed() < PATIENCE, "all Paths leave");
    }
    r.step(Some(PATIENCE))?;
    assert_eq!(r.node().counters().received.path, SESSIONS.into(), "in one step");
    Ok(())
}
