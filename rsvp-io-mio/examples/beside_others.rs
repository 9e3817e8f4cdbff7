//! RSVP on the one thread of a program that has other protocols: all share a `mio::Poll`, and none has to wait for another.
//!
//! ```sh
//! cargo run -p rsvp-io-mio --example beside_others
//! ```
//!
//! The others are an echo service in UDP, and a timer that sends something to it. RSVP is there twice, as the two hosts of a
//! link in memory, so that it needs no privilege and has somebody to talk to. It ends when a reservation is confirmed and some
//! echoes have come back.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::net::UdpSocket;
use mio::{Interest, Poll, Registry, Token};
use rsvp_core::command::{ReserveRequest, SenderRequest};
use rsvp_core::config::{Bandwidth, InterfaceConfig};
use rsvp_core::event::Upcall;
use rsvp_core::input::{InterfaceInfo, NextHop};
use rsvp_core::wire::{FilterSpec, FlowDescriptor, Flowspec, Style, Tspec};
use rsvp_core::{ApiId, Command, EventKind, InterfaceId, Node, NodeConfig, Reply, SessionKey};
use rsvp_driver::memory::{self, LinkEnd};
use rsvp_driver::{Clock, Events, Handle, MemoryTransport, NoTrafficControl, Parts, StaticRouting};
use rsvp_io_mio::{Driver, Step};

type Fallible<T> = Result<T, Box<dyn Error>>;

/// Who an event is of. A driver takes as many tokens as it says, from the one that it is given.
const ECHO: Token = Token(0);
const CALLER: Token = Token(1);
const RSVP: [Token; 2] = [Token(100), Token(200)];

const ANY_PORT: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);
/// From one call of the echo service to the next.
const PERIOD: Duration = Duration::from_millis(10);
const ECHOES: usize = 3;
/// More than all of it takes.
const LIMIT: Duration = Duration::from_secs(10);

/// A host with RSVP.
struct Host {
    driver: Driver<Parts<MemoryTransport, StaticRouting, NoTrafficControl>>,
    events: Events,
    /// The driver ends with its last handle. This thread asks the engine instead: it would wait for itself.
    _handle: Handle,
}

impl Host {
    fn new(address: IpAddr, seed: [u8; 32], end: LinkEnd) -> Fallible<Self> {
        let bandwidth = Some(Bandwidth { total: 1_000_000, per_flow: 500_000, link: 1_250_000 }); // bytes per second
        let default_interface = InterfaceConfig { bandwidth, ..InterfaceConfig::default() };
        let config = NodeConfig { router: false, default_interface, ..NodeConfig::default() };
        let eth0 = InterfaceId(1);
        let mut routing = StaticRouting::new([InterfaceInfo::new(eth0, "eth0", [address])]);
        routing.route("192.0.2.0/24".parse()?, NextHop { interface: eth0, gateway: None });
        let outside = Parts::new(MemoryTransport::new([(eth0, end)]), routing, NoTrafficControl)?;
        let clock = Clock::start();
        let (driver, handle) = Driver::new(Node::new(config, seed, clock.now()), outside, clock)?;
        Ok(Self { driver, events: handle.subscribe(), _handle: handle })
    }

    /// Gives the node a command. What comes of it is done in the driver's next turn.
    fn open(&mut self, session: SessionKey) -> Fallible<ApiId> {
        match self.driver.engine().command(Command::OpenSession(session))? {
            Reply::Session(id) => Ok(id),
            other => unreachable!("OpenSession is answered with {other:?}"),
        }
    }

    /// Takes note of what has happened; whether a reservation is confirmed.
    fn is_confirmed(&mut self) -> Fallible<bool> {
        while let Some(event) = self.events.try_next() {
            match event.kind {
                EventKind::Upcall(_, _, Upcall::Confirmed { node, .. }) => {
                    println!("rsvp: confirmed by {node}");
                    return Ok(true);
                }
                EventKind::Upcall(_, _, Upcall::ResvError { error, .. }) => {
                    return Err(error.to_string().into());
                }
                _ => {}
            }
        }
        Ok(false)
    }
}

/// An echo service, and who calls it.
struct Echo {
    service: UdpSocket,
    caller: UdpSocket,
    next_call: Instant,
    count: usize,
}

impl Echo {
    fn new(registry: &Registry) -> io::Result<Self> {
        let [mut service, mut caller] =
            [UdpSocket::bind(ANY_PORT.into())?, UdpSocket::bind(ANY_PORT.into())?];
        caller.connect(service.local_addr()?)?;
        registry.register(&mut service, ECHO, Interest::READABLE)?;
        registry.register(&mut caller, CALLER, Interest::READABLE)?;
        Ok(Self { service, caller, next_call: Instant::now(), count: 0 })
    }

    /// Calls if it is time to; how long until the next call.
    fn turn(&mut self) -> io::Result<Duration> {
        let now = Instant::now();
        if self.next_call <= now {
            self.next_call = now + PERIOD;
            self.caller.send(b"hello")?;
        }
        Ok(self.next_call.saturating_duration_since(now))
    }

    /// Takes note of an event; false if it is not of this protocol.
    fn on_event(&mut self, event: &Event) -> io::Result<bool> {
        match event.token() {
            ECHO => {
                while let Some((data, from)) = receive(&self.service)? {
                    self.service.send_to(&data, from)?;
                }
            }
            CALLER => {
                while receive(&self.caller)?.is_some() {
                    self.count += 1;
                    println!("echo: number {} is back", self.count);
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// A datagram, if one is there.
fn receive(socket: &UdpSocket) -> io::Result<Option<(Vec<u8>, SocketAddr)>> {
    let mut buffer = [0; 64];
    match socket.recv_from(&mut buffer) {
        Ok((length, from)) => Ok(Some((buffer[..length].to_vec(), from))),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}

fn main() -> Fallible<()> {
    let mut poll = Poll::new()?;
    let mut echo = Echo::new(poll.registry())?;
    let addresses: [IpAddr; 2] = ["192.0.2.1".parse()?, "192.0.2.2".parse()?];
    let (end, other_end) = memory::link()?;
    // Real seeds come from the operating system.
    let mut hosts = [Host::new(addresses[0], [1; 32], end)?, Host::new(addresses[1], [2; 32], other_end)?];
    for (host, first) in hosts.iter_mut().zip(RSVP) {
        let count = host.driver.register(poll.registry(), first)?;
        println!("rsvp: has the tokens {} to {}", first.0, first.0 + count - 1);
    }
    ask_for_a_reservation(&mut hosts, addresses)?;

    let start = Instant::now();
    let mut events = mio::Events::with_capacity(64);
    let mut is_confirmed = false;
    // The first host to end is the receiver: its tears are for the sender, which ends with the program.
    loop {
        let mut timeout = echo.turn()?;
        for host in &mut hosts {
            match host.driver.turn()? {
                Step::Poll(limit) => timeout = timeout.min(limit.unwrap_or(timeout)),
                Step::Ended => {
                    hosts.into_iter().for_each(|host| host.driver.close());
                    println!("rsvp: has ended");
                    return Ok(());
                }
            }
        }
        is_confirmed |= hosts[1].is_confirmed()?;
        if is_confirmed && echo.count >= ECHOES {
            hosts[1].driver.engine().shut_down();
        }
        if start.elapsed() > LIMIT {
            return Err(format!("{} echoes and no end in {LIMIT:?}", echo.count).into());
        }
        match poll.poll(&mut events, Some(timeout)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            result => result?,
        }
        for event in &events {
            let is_taken = echo.on_event(event)? || hosts.iter_mut().any(|host| host.driver.on_event(event));
            assert!(is_taken, "it is of one of them");
        }
    }
}

/// The first host announces what it sends, the second reserves for it.
fn ask_for_a_reservation(hosts: &mut [Host; 2], [alice, bob]: [IpAddr; 2]) -> Fallible<()> {
    let session = SessionKey::udp(bob, 5004);
    let from = FilterSpec::Ip { source: alice, port: 4000 };
    let traffic = Tspec { rate: 125e3, bucket: 10e3, peak: 250e3, min_unit: 64, max_packet: 1500 };
    let [sender, receiver] = hosts;
    let application = sender.open(session)?;
    sender.driver.engine().command(Command::AddSender(application, SenderRequest::new(from, traffic)))?;
    let application = receiver.open(session)?;
    let flow = FlowDescriptor { flowspec: Some(Flowspec::ControlledLoad(traffic)), filters: vec![from] };
    let request = ReserveRequest::new(bob, Style::Ff, vec![flow]).confirmed();
    receiver.driver.engine().command(Command::Reserve(application, request))?;
    Ok(())
}
