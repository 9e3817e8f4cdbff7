//! One node driven by hand: messages in, polls out.

mod arbitrary;
mod confirmation;
mod consistency;
mod group;
mod hostile;
mod identifiers;
mod lifetime;
mod local_repair;
mod policy;
mod quiet;
mod reduction;
mod reservation;
mod udp;
mod within;

use alloc::collections::BTreeMap;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};

use crate::command::{ApiId, Command, Reply};
use crate::config::{Bandwidth, InterfaceConfig, NodeConfig};
use crate::input::{
    Datagram, Encapsulation, Input, InstallFailure, InterfaceId, InterfaceInfo, NextHop, Route,
};
use crate::node::Node;
use crate::output::{InstallationId, Request, RouteKey, Transmit};
use crate::time::{Duration, Instant};
use crate::wire::{
    ErrorSpec, FilterSpec, FlowDescriptor, FlowKey, Flowspec, Head, Header, Message, Path, PathTear,
    RawMessage, Resv, ResvErr, ResvTear, RsvpHop, SenderTspec, Session, SessionKey, Style, Tspec, messages,
};
use crate::{Event, EventKind};

pub(super) const SECOND: Duration = Duration::from_secs(1);
/// The interface towards the sender, and two towards receivers.
pub(super) const UP: InterfaceId = InterfaceId(1);
pub(super) const DOWN: InterfaceId = InterfaceId(2);
pub(super) const DOWN2: InterfaceId = InterfaceId(3);

pub(super) fn ip(text: &str) -> IpAddr {
    IpAddr::V4(text.parse::<Ipv4Addr>().unwrap())
}

/// The session that most tests use.
pub(super) fn session() -> SessionKey {
    session_to("10.0.9.9")
}

pub(super) fn session_to(destination: &str) -> SessionKey {
    SessionKey::Ip(FlowKey { destination: ip(destination), protocol: 17, port: 5004 })
}

/// The sender 10.1.0.`n`.
pub(super) fn sender(n: u8) -> FilterSpec {
    FilterSpec::Ip { source: IpAddr::V4(Ipv4Addr::new(10, 1, 0, n)), port: 4000 }
}

pub(super) fn bucket(rate: f32) -> Tspec {
    Tspec { rate, bucket: 10_000.0, peak: rate * 2.0, min_unit: 64, max_packet: 1500 }
}

pub(super) fn flow(rate: f32, filters: &[FilterSpec]) -> FlowDescriptor {
    FlowDescriptor { flowspec: Some(Flowspec::ControlledLoad(bucket(rate))), filters: filters.to_vec() }
}

/// The PHOP 10.0.1.2 and the NHOP 10.0.2.2 that most tests use.
pub(super) fn phop() -> RsvpHop {
    RsvpHop { address: ip("10.0.1.2"), lih: 77 }
}

pub(super) fn nhop(interface: InterfaceId) -> RsvpHop {
    RsvpHop {
        address: IpAddr::V4(Ipv4Addr::new(10, 0, u8::try_from(interface.0).unwrap(), 2)),
        lih: interface.0,
    }
}

pub(super) fn path(n: u8) -> Path {
    Path {
        session: Session { key: session(), flags: 0 },
        hop: phop(),
        refresh_ms: 30_000,
        policy: Vec::new(),
        sender_template: sender(n),
        sender_tspec: SenderTspec::TokenBucket(bucket(100_000.0)),
        adspec: None,
        forward: Vec::new(),
    }
}

pub(super) fn path_tear(n: u8) -> PathTear {
    PathTear {
        session: Session { key: session(), flags: 0 },
        hop: phop(),
        sender_template: sender(n),
        sender_tspec: None,
        adspec: None,
        forward: Vec::new(),
    }
}

pub(super) fn resv(interface: InterfaceId, style: Style, flows: Vec<FlowDescriptor>) -> Resv {
    Resv {
        session: Session { key: session(), flags: 0 },
        hop: nhop(interface),
        refresh_ms: 30_000,
        confirm: None,
        scope: None,
        policy: Vec::new(),
        style,
        flows,
        forward: Vec::new(),
    }
}

pub(super) fn resv_tear(interface: InterfaceId, style: Style, flows: Vec<FlowDescriptor>) -> ResvTear {
    ResvTear {
        session: Session { key: session(), flags: 0 },
        hop: nhop(interface),
        scope: None,
        style,
        flows,
        forward: Vec::new(),
    }
}

/// An admission control failure, from the PHOP.
pub(super) fn resv_err(style: Style, flow: FlowDescriptor, flags: u8) -> ResvErr {
    ResvErr {
        session: Session { key: session(), flags: 0 },
        hop: phop(),
        error: ErrorSpec { node: ip("10.7.7.7"), flags, code: 1, value: 2, enterprise: None },
        scope: None,
        policy: Vec::new(),
        style,
        flows: alloc::vec![flow],
        forward: Vec::new(),
    }
}

/// How the bench's traffic control answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kernel {
    Works,
    Fails,
    /// Answers are held back.
    Waits,
}

/// A node and its surroundings.
pub(super) struct Bench {
    pub(super) node: Node,
    pub(super) now: Instant,
    pub(super) routes: BTreeMap<RouteKey, Route>,
    pub(super) kernel: Kernel,
    /// How the neighbours' messages come; those in UDP come to the address of the interface.
    pub(super) encapsulation: Encapsulation,
    /// What stands in front of the neighbours' messages.
    pub(super) head: Head,
    /// The flags of the neighbours' messages.
    pub(super) flags: u8,
    pub(super) sent: Vec<(Transmit, Message)>,
    /// What stood in front of the messages that were sent.
    pub(super) heads: Vec<Head>,
    pub(super) events: Vec<Event>,
    pub(super) requests: Vec<Request>,
    waiting: Vec<InstallationId>,
}

impl Bench {
    /// A router whose routes all lead out of [`DOWN`].
    pub(super) fn new() -> Self {
        let bandwidth = Some(Bandwidth { total: 10_000, per_flow: 8_000, link: 100_000 });
        let default_interface = InterfaceConfig { bandwidth, ..InterfaceConfig::default() };
        let config = NodeConfig { default_interface, ..NodeConfig::default() };
        let mut bench = Self {
            node: Node::new(config, [3; 32], Instant::ZERO),
            now: Instant::ZERO,
            routes: BTreeMap::new(),
            kernel: Kernel::Works,
            encapsulation: Encapsulation::Raw,
            head: Head::default(),
            flags: 0,
            sent: Vec::new(),
            heads: Vec::new(),
            events: Vec::new(),
            requests: Vec::new(),
            waiting: Vec::new(),
        };
        for n in 1..=3 {
            bench.interface(n);
        }
        bench
    }

    /// Announces the interface `n`, with the address 10.0.`n`.1.
    pub(super) fn interface(&mut self, n: u8) {
        self.input(Input::Interface(interface_info(n)));
    }

    /// Hands an input in and polls everything.
    pub(super) fn input(&mut self, input: Input<'_>) {
        self.node.handle(self.now, input);
        self.poll();
    }

    pub(super) fn command(&mut self, command: Command) -> Result<Reply, crate::CommandError> {
        let reply = self.node.command(self.now, command);
        self.poll();
        reply
    }

    pub(super) fn open(&mut self, key: SessionKey) -> ApiId {
        match self.command(Command::OpenSession(key)) {
            Ok(Reply::Session(api)) => api,
            other => panic!("{other:?}"),
        }
    }

    /// A message from a neighbour.
    #[expect(clippy::needless_pass_by_value, reason = "a test makes its message where it hands it in")]
    pub(super) fn receive(&mut self, interface: InterfaceId, message: Message) {
        let (source, destination) = addresses(&message);
        self.receive_with(interface, source, destination, 63, 63, &message);
    }

    pub(super) fn receive_with(
        &mut self,
        interface: InterfaceId,
        source: IpAddr,
        destination: Option<IpAddr>,
        send_ttl: u8,
        ttl: u8,
        message: &Message,
    ) {
        let payload = self.encode(message, send_ttl);
        self.deliver(interface, source, destination, ttl, payload);
    }

    /// A message as a neighbour sends it.
    pub(super) fn encode(&self, message: &Message, send_ttl: u8) -> Vec<u8> {
        let mut payload = Vec::new();
        message.encode_with(Header { flags: self.flags, send_ttl }, &self.head, &mut payload).unwrap();
        payload
    }

    /// Any octets from a neighbour.
    pub(super) fn deliver(
        &mut self,
        interface: InterfaceId,
        source: IpAddr,
        destination: Option<IpAddr>,
        ttl: u8,
        payload: Vec<u8>,
    ) {
        let is_raw = self.encapsulation == Encapsulation::Raw;
        let own =
            self.node.state.interfaces.get(&interface).and_then(|on| on.info.addresses.first().copied());
        self.input(Input::Datagram(Datagram {
            interface,
            source,
            destination: destination.filter(|_| is_raw).or(own).unwrap_or(source),
            ttl: Some(ttl),
            encapsulation: self.encapsulation,
            payload: payload.into(),
        }));
    }

    /// Polls everything; requests are carried out.
    pub(super) fn poll(&mut self) {
        for _ in 0..10_000 {
            let mut is_idle = true;
            if let Some(request) = self.node.poll_request() {
                is_idle = false;
                self.carry_out(request);
            }
            let mut bytes = Vec::new();
            if let Some(transmit) = self.node.poll_transmit(self.now, &mut bytes) {
                is_idle = false;
                for message in messages(&bytes) {
                    self.heads.push(Head::split(message.unwrap()).unwrap().0);
                    let raw = message.and_then(RawMessage::decode).unwrap();
                    self.sent.push((transmit.clone(), Message::parse(&raw, 10_000).unwrap()));
                }
            }
            while let Some(event) = self.node.poll_event() {
                self.events.push(event);
            }
            if is_idle {
                return;
            }
        }
        panic!("the node never comes to rest");
    }

    fn carry_out(&mut self, request: Request) {
        match &request {
            Request::WatchRoute(key) => {
                let route = self.routes.get(key).cloned().unwrap_or_else(|| route(&[DOWN]));
                self.node.handle(self.now, Input::Route(*key, route));
            }
            Request::Install(installation) => {
                let id = installation.id;
                let answer = match self.kernel {
                    Kernel::Works => Some(Ok(())),
                    Kernel::Fails => Some(Err(InstallFailure { reason: "no".to_string() })),
                    Kernel::Waits => None,
                };
                match answer {
                    Some(answer) => self.node.handle(self.now, Input::Installed(id, answer)),
                    None => self.waiting.push(id),
                }
            }
            Request::UnwatchRoute(_) | Request::Remove(_) | Request::Join { .. } | Request::Leave { .. } => {}
        }
        self.requests.push(request);
    }

    /// Answers what was held back.
    pub(super) fn answer(&mut self, answer: Result<(), ()>) {
        for id in core::mem::take(&mut self.waiting) {
            let answer = answer.map_err(|()| InstallFailure { reason: "no".to_string() });
            self.node.handle(self.now, Input::Installed(id, answer));
        }
        self.poll();
    }

    /// Changes the route of the session.
    pub(super) fn reroute(&mut self, outgoing: &[InterfaceId]) {
        let key = RouteKey { table: 0, destination: session().destination(), source: None };
        self.routes.insert(key, route(outgoing));
        self.input(Input::Route(key, route(outgoing)));
    }

    /// Lets time pass, waking the node as it asks.
    pub(super) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        let mut stuck = 0;
        while let Some((deadline, reason)) = self.node.poll_timeout(crate::Ready::ALL) {
            if deadline > end {
                break;
            }
            stuck = if deadline == self.now { stuck + 1 } else { 0 };
            assert!(stuck < 10_000, "time stands still: {reason:?}");
            self.now = deadline;
            self.input(Input::Timeout);
        }
        self.now = end;
        self.input(Input::Timeout);
    }

    /// Lets time pass without waking the node until the end.
    pub(super) fn sleep(&mut self, time: Duration) {
        self.now = self.now + time;
        self.input(Input::Timeout);
        while self.node.poll_timeout(crate::Ready::ALL).is_some_and(|(deadline, _)| deadline <= self.now) {
            self.input(Input::Timeout);
        }
    }

    pub(super) fn take_sent(&mut self) -> Vec<Message> {
        core::mem::take(&mut self.sent).into_iter().map(|(_, message)| message).collect()
    }

    pub(super) fn upcalls(&mut self) -> Vec<crate::event::Upcall> {
        let events = core::mem::take(&mut self.events);
        let upcalls = events.into_iter().filter_map(|event| match event.kind {
            EventKind::Upcall(_, _, upcall) => Some(upcall),
            _ => None,
        });
        upcalls.collect()
    }

    /// A router with path state of these senders and nothing sent since.
    pub(super) fn with_paths(senders: &[u8]) -> Self {
        let mut bench = Self::new();
        for n in senders {
            bench.receive(UP, Message::Path(path(*n)));
        }
        bench.sent.clear();
        bench
    }
}

pub(super) fn interface_info(n: u8) -> InterfaceInfo {
    InterfaceInfo {
        id: InterfaceId(n.into()),
        name: alloc::format!("if{n}"),
        addresses: alloc::vec![IpAddr::V4(Ipv4Addr::new(10, 0, n, 1))],
        mtu: 1500,
        up: true,
        point_to_point: false,
    }
}

pub(super) fn route(outgoing: &[InterfaceId]) -> Route {
    let hop = |interface: &InterfaceId| NextHop { interface: *interface, gateway: None };
    Route { local: false, incoming: None, outgoing: outgoing.iter().map(hop).collect(), shared_tree: false }
}

/// Source and destination as the message's sender would set them; `None`: this node.
fn addresses(message: &Message) -> (IpAddr, Option<IpAddr>) {
    match message {
        Message::Ack | Message::Srefresh(_) => panic!("it names no session"),
        Message::Path(path) => (path.sender_template.source(), Some(path.session.key.destination())),
        Message::PathTear(tear) => (tear.sender_template.source(), Some(tear.session.key.destination())),
        Message::Resv(resv) => (resv.hop.address, None),
        Message::ResvTear(tear) => (tear.hop.address, None),
        Message::ResvErr(error) => (error.hop.address, None),
        Message::PathErr(error) => (error.error.node, None),
        Message::ResvConf(confirmation) => (confirmation.error.node, Some(confirmation.confirm)),
    }
}
