//! What the tests on real networks share.

#![expect(dead_code, reason = "every test program uses a part of it")]

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use rsvp_core::input::{Datagram, Encapsulation, InterfaceInfo};
use rsvp_core::output::RouteKey;
use rsvp_core::{Input, InterfaceId, Request, Transmit};
use rsvp_driver::{Message, Outside, Parts, ReadOutcome, SendOutcome, Source, Transport};
use rsvp_io::{KernelRouting, KernelTrafficControl, RawSockets, SystemOptions};
use rsvp_netns::Namespace;

pub(crate) type TestResult = Result<(), Box<dyn std::error::Error>>;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long a test waits for what must not happen.
const SILENCE: Duration = Duration::from_millis(200);

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// Whether the process may make namespaces; says so loudly if not, and insists where the environment promises it.
pub(crate) fn is_permitted() -> bool {
    match Namespace::new("probe") {
        Ok(_) => true,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "no namespaces here: {error}");
            eprintln!("SKIPPED: {error}");
            false
        }
    }
}

/// Two hosts and a router between them, both families: 10.1.1.2 - west 10.1.1.1, east 10.1.2.1 - 10.1.2.2, and
/// the same numbers behind `fd01:`.
pub(crate) struct Network {
    pub(crate) a: Namespace,
    pub(crate) r: Namespace,
    pub(crate) b: Namespace,
}

pub(crate) fn network() -> Result<Network, rsvp_netns::Error> {
    let [a, r, b] = [Namespace::new("a")?, Namespace::new("r")?, Namespace::new("b")?];
    a.link("eth0", &r, "west")?;
    b.link("eth0", &r, "east")?;
    r.forward()?;
    for (host, side, number) in [(&a, "west", 1), (&b, "east", 2)] {
        let (v4, v6) = (format!("10.1.{number}"), format!("fd01:{number}:"));
        host.address("eth0", ip(&format!("{v4}.2")), 24)?;
        host.address("eth0", ip(&format!("{v6}:2")), 64)?;
        r.address(side, ip(&format!("{v4}.1")), 24)?;
        r.address(side, ip(&format!("{v6}:1")), 64)?;
        host.route(ip("0.0.0.0"), 0, ip(&format!("{v4}.1")))?;
        host.route(ip("::"), 0, ip(&format!("{v6}:1")))?;
    }
    for (namespace, interface) in [(&a, "eth0"), (&r, "west"), (&r, "east"), (&b, "eth0")] {
        namespace.wait_for_link(interface)?;
    }
    Ok(Network { a, r, b })
}

/// A system in a namespace, and what it told.
pub(crate) struct Node<T: Transport = RawSockets> {
    pub(crate) system: Parts<T, KernelRouting, KernelTrafficControl>,
    pub(crate) interfaces: BTreeMap<String, InterfaceInfo>,
    pub(crate) removed: Vec<InterfaceId>,
    pub(crate) inputs: Vec<Input<'static>>,
}

impl Node {
    pub(crate) fn host(namespace: &Namespace) -> Self {
        Self::open(namespace, SystemOptions::default())
    }

    pub(crate) fn router(namespace: &Namespace) -> Self {
        Self::open(namespace, SystemOptions { router: true, ..SystemOptions::default() })
    }

    pub(crate) fn open(namespace: &Namespace, options: SystemOptions) -> Self {
        let system = namespace
            .run(|| rsvp_io::open(options).map_err(std::io::Error::other))
            .expect("the namespace has all that a system needs");
        Self::new(system)
    }

    pub(crate) fn send(&mut self, transmit: &Transmit, payload: &[u8]) {
        let failed = self.system.transport().counters().send_failed;
        assert_eq!(self.try_send(transmit, payload), SendOutcome::Sent);
        assert_eq!(self.system.transport().counters().send_failed, failed, "not sent: {transmit:?}");
    }

    /// Whether the system can send this at all.
    pub(crate) fn fails_to_send(&mut self, transmit: &Transmit, payload: &[u8]) -> bool {
        let failed = self.system.transport().counters().send_failed;
        self.try_send(transmit, payload) == SendOutcome::Sent
            && self.system.transport().counters().send_failed == failed + 1
    }
}

impl<T: Transport> Node<T> {
    /// With what was put together.
    pub(crate) fn new(system: Parts<T, KernelRouting, KernelTrafficControl>) -> Self {
        let mut node = Self { system, interfaces: BTreeMap::new(), removed: Vec::new(), inputs: Vec::new() };
        let mut inputs = Vec::new();
        node.system.start(&mut |input| inputs.push(keep(input)));
        node.take_in(inputs);
        node
    }

    fn take_in(&mut self, inputs: Vec<Input<'static>>) {
        for input in inputs {
            match input {
                Input::Interface(info) => {
                    self.interfaces.insert(info.name.clone(), info);
                }
                Input::InterfaceRemoved(id) => {
                    self.removed.push(id);
                    self.interfaces.retain(|_, info| info.id != id);
                }
                input => self.inputs.push(input),
            }
        }
    }

    pub(crate) fn id(&self, interface: &str) -> InterfaceId {
        self.interfaces[interface].id
    }

    /// Reads all that there is now.
    pub(crate) fn read(&mut self) {
        let sources = self.system.sources().expect("descriptors").len();
        for source in (0..sources).map(Source) {
            let mut inputs = Vec::new();
            while self.system.read(source, 16, &mut |input| inputs.push(keep(input))).expect("readable")
                == ReadOutcome::More
            {}
            self.take_in(inputs);
        }
    }

    /// Reads until `found` finds something.
    pub(crate) fn wait<A>(&mut self, what: &str, mut found: impl FnMut(&mut Self) -> Option<A>) -> A {
        let start = Instant::now();
        loop {
            self.read();
            if let Some(found) = found(self) {
                return found;
            }
            assert!(start.elapsed() < PATIENCE, "waited in vain for {what}; inputs: {:?}", self.inputs);
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// The next datagram.
    pub(crate) fn datagram(&mut self) -> Datagram<'static> {
        self.datagram_that(|_| true)
    }

    /// The next of certain datagrams.
    pub(crate) fn datagram_that(&mut self, is_meant: impl Fn(&Datagram<'_>) -> bool) -> Datagram<'static> {
        self.wait("a datagram", |node| {
            let is_meant = |input: &Input<'_>| matches!(input, Input::Datagram(it) if is_meant(it));
            let position = node.inputs.iter().position(is_meant)?;
            match node.inputs.remove(position) {
                Input::Datagram(datagram) => Some(datagram),
                _ => None,
            }
        })
    }

    /// The next datagram, while something else is done again and again.
    pub(crate) fn datagram_while(&mut self, mut meanwhile: impl FnMut()) -> Datagram<'static> {
        self.wait("a datagram", |node| {
            meanwhile();
            let position = node.inputs.iter().position(|input| matches!(input, Input::Datagram(_)))?;
            match node.inputs.remove(position) {
                Input::Datagram(datagram) => Some(datagram),
                _ => None,
            }
        })
    }

    /// Asserts that nothing comes.
    pub(crate) fn hears_nothing(&mut self) {
        std::thread::sleep(SILENCE);
        self.read();
        assert_eq!(self.inputs, [], "nothing is expected");
    }

    pub(crate) fn try_send(&mut self, transmit: &Transmit, payload: &[u8]) -> SendOutcome {
        self.system.send(&mut [message(transmit, payload)])
    }

    pub(crate) fn request(&mut self, request: Request) {
        let mut inputs = Vec::new();
        self.system.request(request, &mut |input| inputs.push(keep(input)));
        self.take_in(inputs);
    }

    /// The next answer about a route.
    pub(crate) fn route(&mut self) -> (RouteKey, rsvp_core::input::Route) {
        self.wait("a route", |node| {
            let position = node.inputs.iter().position(|input| matches!(input, Input::Route(..)))?;
            match node.inputs.remove(position) {
                Input::Route(key, route) => Some((key, route)),
                _ => None,
            }
        })
    }
}

pub(crate) fn message(transmit: &Transmit, payload: &[u8]) -> Message {
    Message { transmit: transmit.clone(), payload: payload.to_owned() }
}

/// A transmit as a Path has it.
pub(crate) fn path(interface: Option<InterfaceId>, source: &str, destination: &str) -> Transmit {
    Transmit {
        interface,
        next_hop: None,
        source: ip(source),
        destination: ip(destination),
        ttl: 63,
        router_alert: true,
        encapsulation: Encapsulation::Raw,
        traffic_class: 48 << 2,
    }
}

pub(crate) fn keep(input: Input<'_>) -> Input<'static> {
    match input {
        Input::Datagram(datagram) => Input::Datagram(Datagram {
            payload: datagram.payload.into_owned().into(),
            interface: datagram.interface,
            source: datagram.source,
            destination: datagram.destination,
            ttl: datagram.ttl,
            encapsulation: datagram.encapsulation,
        }),
        Input::Timeout => Input::Timeout,
        Input::Interface(info) => Input::Interface(info),
        Input::InterfaceRemoved(id) => Input::InterfaceRemoved(id),
        Input::Route(key, route) => Input::Route(key, route),
        Input::Installed(id, result) => Input::Installed(id, result),
        Input::Preempted(id, reason) => Input::Preempted(id, reason),
        Input::SocketBlocked => Input::SocketBlocked,
        Input::SocketWritable => Input::SocketWritable,
    }
}
