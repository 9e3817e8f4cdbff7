//! How a case reaches the device under test.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use rsvp_core::command::{ReserveRequest, SenderRequest};
use rsvp_core::config::NodeConfig;
use rsvp_core::input::{Datagram, Encapsulation, InstallFailure, InterfaceInfo, NextHop, Route};
use rsvp_core::output::{Installation, InstallationId, RouteKey};
use rsvp_core::udp::PU;
use rsvp_core::wire::{FilterSpec, SessionKey};
use rsvp_core::{ApiId, Command, CommandError, Event, Input, Instant, Node, Reply, Request, Transmit};
use rsvp_sim::{Driver, Output};

use crate::bench::lab::Unsupported;
use crate::bench::plan::{Plan, Port, Station};

/// An RSVP message in an IP packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// IP source address.
    pub source: IpAddr,
    /// IP destination address.
    pub destination: IpAddr,
    /// TTL or hop limit.
    pub ttl: u8,
    /// Whether it carries Router Alert.
    pub router_alert: bool,
    /// Raw, or in UDP (RFC 2205 Appendix C).
    pub encapsulation: Encapsulation,
    /// The RSVP message.
    pub message: Vec<u8>,
}

impl Packet {
    /// The same message in UDP to an address and port.
    #[must_use]
    pub fn in_udp(self, destination: IpAddr, destination_port: u16) -> Self {
        let encapsulation = Encapsulation::Udp { source_port: PU, destination_port };
        Self { destination, router_alert: false, encapsulation, ..self }
    }
}

/// A packet that the DUT sent, or a message that came in a Bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// When.
    pub at: Instant,
    /// Where it came out.
    pub port: Port,
    /// The neighbour it was handed to, where that is not the destination itself.
    pub next_hop: Option<IpAddr>,
    /// What. The packet of a message that came in a Bundle is that of the Bundle, with this message alone.
    pub packet: Packet,
    /// The whole Bundle (RFC 2961 section 3) that it came in.
    pub bundle: Option<Rc<Packet>>,
}

/// What the DUT can be made to do by itself.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// An application sends: Path messages are to leave.
    Send(SessionKey, SenderRequest),
    /// It sends no more.
    Withdraw(SessionKey, FilterSpec),
    /// An application receives, and does not reserve yet: it joins the group of a multicast session.
    Receive(SessionKey),
    /// It reserves, or changes what it has reserved.
    Reserve(SessionKey, ReserveRequest),
    /// It withdraws its reservation.
    Unreserve(SessionKey),
    /// Applications have done with a session.
    Release(SessionKey),
    /// The operator removes the state of a session, and has that torn down.
    Clear(SessionKey),
    /// The operator changes the configuration.
    Configure(Box<NodeConfig>),
    /// An interface goes down, or comes up again.
    Link(Port, bool),
    /// The device stops in order: it takes down its state, and is not there any more.
    Shutdown,
    /// The device stops at once without a word, and starts anew.
    Restart,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send(session, request) => write!(f, "the device sends {} to {session}", request.template),
            Self::Withdraw(session, sender) => write!(f, "the device ceases to send {sender} to {session}"),
            Self::Receive(session) => write!(f, "the device receives {session}"),
            Self::Reserve(session, request) => {
                write!(f, "the device reserves {} for {session}", request.style)
            }
            Self::Unreserve(session) => write!(f, "the device withdraws its reservation for {session}"),
            Self::Release(session) => write!(f, "the device has done with {session}"),
            Self::Clear(session) => write!(f, "the operator clears {session}"),
            Self::Configure(_) => f.write_str("the device is configured anew"),
            Self::Link(port, true) => write!(f, "interface {} comes up", port.name()),
            Self::Link(port, false) => write!(f, "interface {} goes down", port.name()),
            Self::Shutdown => f.write_str("the device is shut down"),
            Self::Restart => f.write_str("the device restarts"),
        }
    }
}

/// Plays the DUT's neighbours.
pub trait Tester {
    /// The time.
    fn now(&self) -> Instant;

    /// Sends a packet to the DUT from a neighbour's place.
    fn send(&mut self, from: Station, packet: &Packet);

    /// Lets time pass, and returns what the DUT sent since the last call, in order; a Bundle is one packet.
    fn advance(&mut self, time: Duration) -> Vec<Sent>;

    /// Changes how the DUT's network routes, for packets of all sources or of one.
    ///
    /// # Errors
    ///
    /// When that cannot be done with this DUT.
    fn set_route(
        &mut self,
        destination: IpAddr,
        source: Option<IpAddr>,
        route: Route,
    ) -> Result<(), Unsupported>;

    /// Has the DUT do something of its own, as its operator or an application on it would.
    ///
    /// # Errors
    ///
    /// When that cannot be done with this DUT.
    fn act(&mut self, action: &Action) -> Result<(), Unsupported>;

    /// The inside of the DUT; `None` when only its packets can be seen.
    fn inside(&mut self) -> Option<&mut InProcess>;
}

/// What an engine's random numbers begin with.
const SEED: [u8; 32] = [7; 32];

/// Decides how traffic control answers a request to install; `None`: not yet.
pub type Installer = Box<dyn FnMut(&Installation) -> Option<Result<(), InstallFailure>>>;

/// An engine in this process and in virtual time, with all that it needs from outside.
pub struct InProcess {
    plan: Plan,
    config: NodeConfig,
    driver: Driver,
    /// The sessions that [`Action`]s have opened.
    opened: BTreeMap<SessionKey, ApiId>,
    now: Instant,
    /// By destination, and by source where that matters.
    routes: BTreeMap<(IpAddr, Option<IpAddr>), Route>,
    watches: Vec<RouteKey>,
    installer: Installer,
    kernel: BTreeMap<InstallationId, Installation>,
    requests: Vec<Request>,
    events: Vec<Event>,
    sent: Vec<Sent>,
}

impl InProcess {
    /// A DUT with the bench's interfaces and routes.
    #[must_use]
    pub fn new(plan: Plan, config: NodeConfig) -> Self {
        Self::holding(plan, config.clone(), Node::new(config, SEED, Instant::ZERO))
    }

    /// An engine that was just made, with the bench's interfaces and routes.
    #[must_use]
    pub fn around(plan: Plan, node: Node) -> Self {
        Self::holding(plan, NodeConfig::default(), node)
    }

    fn holding(plan: Plan, config: NodeConfig, node: Node) -> Self {
        let mut tester = Self {
            plan,
            config,
            driver: Driver::new(node),
            opened: BTreeMap::new(),
            now: Instant::ZERO,
            routes: routes(plan),
            watches: Vec::new(),
            installer: Box::new(|_| Some(Ok(()))),
            kernel: BTreeMap::new(),
            requests: Vec::new(),
            events: Vec::new(),
            sent: Vec::new(),
        };
        for port in Port::ALL {
            tester.input(Input::Interface(interface(plan, port)));
        }
        tester
    }

    /// The engine.
    #[must_use]
    pub fn node(&self) -> &Node {
        self.driver.node()
    }

    /// When the engine wants to be woken.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.driver.deadline().map(|(at, _)| at)
    }

    /// What traffic control holds.
    #[must_use]
    pub fn kernel(&self) -> &BTreeMap<InstallationId, Installation> {
        &self.kernel
    }

    /// The requests to the outside since the last call.
    pub fn take_requests(&mut self) -> Vec<Request> {
        std::mem::take(&mut self.requests)
    }

    /// The events since the last call.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Gives the engine a command.
    ///
    /// # Errors
    ///
    /// What the engine answers.
    pub fn command(&mut self, command: Command) -> Result<Reply, CommandError> {
        let reply = self.driver.command(self.now, command);
        self.settle();
        reply
    }

    /// Gives the engine an input.
    pub fn input(&mut self, input: Input<'_>) {
        self.driver.handle(self.now, input);
        self.settle();
    }

    /// Replaces how traffic control answers.
    pub fn set_installer(&mut self, installer: Installer) {
        self.installer = installer;
    }

    /// The application that speaks for a session.
    fn opened(&mut self, session: SessionKey) -> ApiId {
        if let Some(api) = self.opened.get(&session) {
            return *api;
        }
        let Ok(Reply::Session(api)) = self.command(Command::OpenSession(session)) else {
            panic!("the device does not open {session}");
        };
        self.opened.insert(session, api);
        api
    }

    /// Another engine takes the place of this one, later than it. It begins with other random numbers.
    fn restart(&mut self) {
        let mut seed = SEED;
        seed[0] = seed[0].wrapping_add(1 + (self.now.as_micros() % 251) as u8);
        let node = Node::new(self.config.clone(), seed, self.now);
        self.driver = Driver::new(node);
        self.watches.clear();
        self.kernel.clear();
        self.opened.clear();
        for port in Port::ALL {
            self.input(Input::Interface(interface(self.plan, port)));
        }
    }

    fn route(&self, key: &RouteKey) -> Route {
        let special = self.routes.get(&(key.destination, key.source));
        special.or_else(|| self.routes.get(&(key.destination, None))).cloned().unwrap_or_default()
    }

    /// Takes what the engine has put out, until there is no more.
    fn settle(&mut self) {
        loop {
            let outputs = self.driver.drain(self.now, None);
            if outputs.is_empty() {
                return;
            }
            for output in outputs {
                match output {
                    Output::Transmit(header, message) => self.transmit(&header, message),
                    Output::Event(event) => self.events.push(event),
                    Output::Request(request) => {
                        self.requests.push(request.clone());
                        self.carry_out(request);
                    }
                }
            }
        }
    }

    fn carry_out(&mut self, request: Request) {
        match request {
            Request::WatchRoute(key) => {
                self.watches.push(key);
                let route = self.route(&key);
                self.driver.handle(self.now, Input::Route(key, route));
            }
            Request::UnwatchRoute(key) => self.watches.retain(|watched| *watched != key),
            Request::Install(installation) => {
                let answer = (self.installer)(&installation);
                let id = installation.id;
                if answer == Some(Ok(())) {
                    self.kernel.insert(id, installation);
                }
                if let Some(result) = answer {
                    self.driver.handle(self.now, Input::Installed(id, result));
                }
            }
            Request::Remove(id) => {
                self.kernel.remove(&id);
            }
            // Whatever a case sends to a group, it sends to a member.
            Request::Join { .. } | Request::Leave { .. } => {}
        }
    }

    fn transmit(&mut self, header: &Transmit, message: Vec<u8>) {
        let key = RouteKey { table: 0, destination: header.destination, source: None };
        let routed = || self.route(&key).outgoing.first().map(|hop| hop.interface);
        let interface = header.interface.or_else(routed);
        let port = interface.and_then(Port::of).unwrap_or_else(|| panic!("no way out for {header:?}"));
        self.sent.push(Sent {
            at: self.now,
            port,
            next_hop: header.next_hop,
            packet: Packet {
                source: header.source,
                destination: header.destination,
                ttl: header.ttl,
                router_alert: header.router_alert,
                encapsulation: header.encapsulation,
                message,
            },
            bundle: None,
        });
    }
}

impl Tester for InProcess {
    fn now(&self) -> Instant {
        self.now
    }

    fn send(&mut self, from: Station, packet: &Packet) {
        self.input(Input::Datagram(Datagram {
            interface: from.port().interface(),
            source: packet.source,
            destination: packet.destination,
            ttl: Some(packet.ttl),
            encapsulation: packet.encapsulation,
            payload: Cow::Borrowed(&packet.message),
        }));
    }

    fn advance(&mut self, time: Duration) -> Vec<Sent> {
        let end = self.now + time;
        while let Some(at) = self.deadline().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.driver.wake(self.now);
            self.settle();
        }
        self.now = end;
        std::mem::take(&mut self.sent)
    }

    /// The engine learns it if it watches it.
    fn set_route(
        &mut self,
        destination: IpAddr,
        source: Option<IpAddr>,
        route: Route,
    ) -> Result<(), Unsupported> {
        self.routes.insert((destination, source), route);
        let concerned =
            |key: &RouteKey| key.destination == destination && (source.is_none() || key.source == source);
        for key in self.watches.clone().into_iter().filter(concerned) {
            let route = self.route(&key);
            self.input(Input::Route(key, route));
        }
        Ok(())
    }

    /// # Panics
    ///
    /// When the engine refuses what the case asks for.
    fn act(&mut self, action: &Action) -> Result<(), Unsupported> {
        let command = match action.clone() {
            Action::Send(session, request) => Command::AddSender(self.opened(session), request),
            Action::Withdraw(session, sender) => Command::RemoveSender(self.opened(session), sender),
            Action::Receive(session) => Command::Join(self.opened(session), None),
            Action::Reserve(session, request) => Command::Reserve(self.opened(session), request),
            Action::Unreserve(session) => Command::Unreserve(self.opened(session)),
            Action::Release(session) => {
                let api = self.opened(session);
                self.opened.remove(&session);
                Command::Release(api)
            }
            Action::Clear(session) => Command::Clear(Some(session)),
            Action::Configure(config) => {
                self.config = (*config).clone();
                Command::Configure(*config)
            }
            Action::Link(port, up) => {
                self.input(Input::Interface(InterfaceInfo { up, ..interface(self.plan, port) }));
                return Ok(());
            }
            Action::Shutdown => Command::Shutdown,
            Action::Restart => {
                self.restart();
                return Ok(());
            }
        };
        if let Err(error) = self.command(command) {
            panic!("{action}: {error}");
        }
        Ok(())
    }

    fn inside(&mut self) -> Option<&mut InProcess> {
        Some(self)
    }
}

fn interface(plan: Plan, port: Port) -> InterfaceInfo {
    InterfaceInfo {
        id: port.interface(),
        name: port.name().to_owned(),
        addresses: vec![plan.dut(port)],
        mtu: 1500,
        up: true,
        point_to_point: false,
    }
}

/// The routes of the DUT's network, by destination, and by source where that matters.
pub(crate) fn routes(plan: Plan) -> BTreeMap<(IpAddr, Option<IpAddr>), Route> {
    let hop = |station: Station, gateway| Route {
        outgoing: vec![NextHop { interface: station.port().interface(), gateway }],
        ..Route::default()
    };
    let via = |station| hop(station, Some(plan.station(station)));
    let stations = [Station::U1, Station::U2, Station::D1, Station::D2, Station::D3];
    let neighbours = stations.map(|station| (plan.station(station), hop(station, None)));
    let own = Port::ALL.map(|port| (plan.dut(port), Route { local: true, ..Route::default() }));
    let senders = [(1, Station::U1), (2, Station::U2), (3, Station::U2)];
    let senders = senders.map(|(number, station)| (plan.sender(number).source(), via(station)));
    let destinations = [(plan.h(), Station::D1), (plan.k(), Station::D2)];
    let destinations = destinations.map(|(session, station)| (session.flow().destination, via(station)));
    let unicast = neighbours.into_iter().chain(own).chain(senders).chain(destinations);
    let group = [(1, Port::A), (2, Port::B), (3, Port::B)].map(|(number, incoming)| {
        let route = group_route(incoming, &[Port::C, Port::D]);
        ((plan.g().flow().destination, Some(plan.sender(number).source())), route)
    });
    unicast.map(|(destination, route)| ((destination, None), route)).chain(group).collect()
}

/// The route of a sender's packets to a group.
#[must_use]
pub fn group_route(incoming: Port, outgoing: &[Port]) -> Route {
    let hop = |port: &Port| NextHop { interface: port.interface(), gateway: None };
    Route {
        incoming: Some(incoming.interface()),
        outgoing: outgoing.iter().map(hop).collect(),
        ..Route::default()
    }
}
