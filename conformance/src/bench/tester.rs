//! How a case reaches the device under test.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use rsvp_core::config::NodeConfig;
use rsvp_core::input::{Datagram, Encapsulation, InstallFailure, InterfaceInfo, NextHop, Route};
use rsvp_core::output::{Installation, InstallationId, RouteKey};
use rsvp_core::udp::PU;
use rsvp_core::{Command, CommandError, Event, Input, Instant, Node, Reply, Request, Transmit};
use rsvp_sim::{Driver, Output};

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

/// Plays the DUT's neighbours.
pub trait Tester {
    /// The time.
    fn now(&self) -> Instant;

    /// Sends a packet to the DUT from a neighbour's place.
    fn send(&mut self, from: Station, packet: &Packet);

    /// Lets time pass, and returns what the DUT sent since the last call, in order; a Bundle is one packet.
    fn advance(&mut self, time: Duration) -> Vec<Sent>;

    /// Changes how the DUT's network routes, for packets of all sources or of one.
    fn set_route(&mut self, destination: IpAddr, source: Option<IpAddr>, route: Route);

    /// The inside of the DUT; `None` when only its packets can be seen.
    fn inside(&mut self) -> Option<&mut InProcess>;
}

/// Decides how traffic control answers a request to install; `None`: not yet.
pub type Installer = Box<dyn FnMut(&Installation) -> Option<Result<(), InstallFailure>>>;

/// An engine in this process and in virtual time, with all that it needs from outside.
pub struct InProcess {
    driver: Driver,
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
        Self::around(plan, Node::new(config, [7; 32], Instant::ZERO))
    }

    /// An engine that was just made, with the bench's interfaces and routes.
    #[must_use]
    pub fn around(plan: Plan, node: Node) -> Self {
        let mut tester = Self {
            driver: Driver::new(node),
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
    fn set_route(&mut self, destination: IpAddr, source: Option<IpAddr>, route: Route) {
        self.routes.insert((destination, source), route);
        let concerned =
            |key: &RouteKey| key.destination == destination && (source.is_none() || key.source == source);
        for key in self.watches.clone().into_iter().filter(concerned) {
            let route = self.route(&key);
            self.input(Input::Route(key, route));
        }
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

fn routes(plan: Plan) -> BTreeMap<(IpAddr, Option<IpAddr>), Route> {
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
