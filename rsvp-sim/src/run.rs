//! How a network runs: the agenda, the wake-ups of nodes, and the way of packets.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Duration;

use rsvp_core::input::Datagram;
use rsvp_core::output::{InstallationId, RouteKey};
use rsvp_core::{Input, Instant, InterfaceId, Request, Transmit};

use crate::driver::{Driver, Output};
use crate::network::Network;
use crate::random::Draw;
use crate::routing::RoutingTable;
use crate::topology::{InstallAnswer, NodeId, Packet, Role};
use crate::transcript::{Entry, Fate};

/// A check of the whole network.
pub(crate) type Hook = Box<dyn FnMut(&Network) -> Result<(), String>>;

/// How many packets a stopped daemon's socket buffers.
const INBOX_LIMIT: usize = 256;

/// Something that will happen.
#[derive(Debug)]
pub(crate) enum Action {
    /// A packet reaches a device.
    Arrive(NodeId, InterfaceId, Packet),
    /// Routing answers a run of RSVP.
    Routed(NodeId, u64, RouteKey),
    /// Traffic control answers a run of RSVP.
    Installed(NodeId, u64, InstallationId, InstallAnswer),
    /// Routing sees the network as it is now.
    Reroute,
}

impl Action {
    /// The node that it concerns, if it is only one.
    fn node(&self) -> Option<NodeId> {
        match self {
            Self::Arrive(node, ..) | Self::Routed(node, ..) | Self::Installed(node, ..) => Some(*node),
            Self::Reroute => None,
        }
    }
}

impl Network {
    /// Lets time pass until `end`, with all that happens up to and at that time.
    pub fn run_until(&mut self, end: Instant) {
        while self.next_time().is_some_and(|next| next <= end) {
            self.step();
        }
        self.now = self.now.max(end);
        self.touched.extend(self.nodes());
        self.run_checks();
    }

    /// Lets so much time pass.
    pub fn run_for(&mut self, time: Duration) {
        self.run_until(self.now + time);
    }

    /// When the next thing happens; `None` when the whole network is idle.
    #[must_use]
    pub fn next_time(&self) -> Option<Instant> {
        let agenda = self.agenda.first_key_value().map(|((at, _), _)| *at);
        let wake = self.wakes.first().map(|(at, _)| *at);
        agenda.into_iter().chain(wake).min().map(|at| at.max(self.now))
    }

    /// Lets the next thing happen; false when there is none.
    ///
    /// # Panics
    ///
    /// When a check of the network fails, or a node breaks its driver's contract.
    pub fn step(&mut self) -> bool {
        let Some(next) = self.next_time() else { return false };
        self.now = next;
        let agenda = self.agenda.first_key_value().map(|((at, _), _)| *at);
        if agenda.is_some_and(|at| at <= next) {
            self.act_next();
        } else if let Some((_, node)) = self.wakes.first().copied() {
            let driver = self.devices[node.0].rsvp.as_mut().expect("only a running node wakes");
            driver.wake(next);
            self.settle(node);
        }
        self.run_checks();
        true
    }

    /// Does what comes next on the agenda, together with what follows for the same node at the same instant.
    fn act_next(&mut self) {
        let Some((_, action)) = self.agenda.pop_first() else { return };
        let Some(node) = action.node() else { return self.act(action) };
        self.act(action);
        for _ in 1..self.batch {
            let Some(next) = self.agenda.first_entry() else { break };
            if next.key().0 > self.now || next.get().node() != Some(node) {
                break;
            }
            let action = next.remove();
            self.act(action);
        }
        self.settle(node);
    }

    /// Keeps the list of who wants to be woken when.
    pub(crate) fn note_wake(&mut self, node: NodeId) {
        let device = &mut self.devices[node.0];
        let driver = device.rsvp.as_ref().filter(|_| !device.frozen);
        let wake = driver.and_then(Driver::deadline).map(|(at, _)| at);
        let former = std::mem::replace(&mut device.wake, wake);
        if former != wake {
            former.map(|at| self.wakes.remove(&(at, node)));
            wake.map(|at| self.wakes.insert((at, node)));
        }
    }

    fn run_checks(&mut self) {
        let mut hooks = std::mem::take(&mut self.hooks);
        for hook in &mut hooks {
            if let Err(text) = hook(self) {
                panic!("at {:?}: {text}\nlast messages:\n{}", self.now, self.transcript.tail(self, 20));
            }
        }
        self.hooks = hooks;
        self.touched.clear();
    }

    pub(crate) fn schedule(&mut self, delay: Duration, action: Action) {
        self.schedule_at(self.now + delay, action);
    }

    fn schedule_at(&mut self, at: Instant, action: Action) {
        self.decided += 1;
        self.agenda.insert((at, self.decided), action);
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Arrive(node, interface, packet) => self.arrive(node, interface, packet),
            Action::Reroute => self.reroute(),
            Action::Routed(node, run, key) => {
                if self.devices[node.0].run == run {
                    self.answer_route(node, key);
                }
            }
            Action::Installed(node, run, id, answer) => {
                if self.devices[node.0].run == run {
                    self.input(node, Input::Installed(id, answer.result));
                }
            }
        }
    }

    /// Hands an input to a node, if it runs. It is to be settled afterwards.
    fn input(&mut self, node: NodeId, input: Input<'_>) {
        let now = self.now;
        if let Some(driver) = &mut self.devices[node.0].rsvp {
            driver.handle(now, input);
        }
    }

    /// Takes everything that a node has put out.
    pub(crate) fn settle(&mut self, node: NodeId) {
        self.touched.insert(node);
        let device = &mut self.devices[node.0];
        if let Some(driver) = device.rsvp.as_mut().filter(|_| !device.frozen) {
            let shuffle = self.shuffle.then_some(&mut self.random);
            for output in driver.drain(self.now, shuffle) {
                match output {
                    Output::Event(event) if self.devices[node.0].tells => {
                        self.devices[node.0].events.push(event);
                    }
                    Output::Event(_) => {}
                    Output::Request(request) => self.carry_out(node, request),
                    Output::Transmit(header, payload) => self.send(node, &Packet { header, payload }),
                }
            }
        }
        self.note_wake(node);
    }

    fn carry_out(&mut self, node: NodeId, request: Request) {
        let device = &mut self.devices[node.0];
        let run = device.run;
        match request {
            Request::WatchRoute(key) => {
                device.watches.insert(key, None);
                self.schedule(Duration::ZERO, Action::Routed(node, run, key));
            }
            Request::UnwatchRoute(key) => {
                device.watches.remove(&key);
            }
            Request::Install(installation) => {
                let answer = (device.installer)(&installation);
                let id = installation.id;
                if answer.result.is_ok() {
                    device.kernel.insert(id, installation);
                }
                self.schedule(answer.delay, Action::Installed(node, run, id, answer));
            }
            Request::Remove(id) => {
                device.kernel.remove(&id);
            }
            Request::Join { group, interface } => {
                device.groups.insert((group, interface));
                self.schedule(self.convergence, Action::Reroute);
            }
            Request::Leave { group, interface } => {
                device.groups.remove(&(group, interface));
                self.schedule(self.convergence, Action::Reroute);
            }
        }
    }

    /// Tells a node a route that it watches, unless it knows.
    fn answer_route(&mut self, node: NodeId, key: RouteKey) {
        let Some(known) = self.devices[node.0].watches.get(&key) else { return };
        let route = self.routing.answer(node, &key);
        if known.as_ref() == Some(&route) {
            return;
        }
        self.devices[node.0].watches.insert(key, Some(route.clone()));
        self.input(node, Input::Route(key, route));
    }

    /// Looks at the network as it is and tells the nodes what changed for them.
    pub(crate) fn reroute(&mut self) {
        self.routing = RoutingTable::new(&self.devices, &self.links, &self.cores, self.lists_next_hops);
        for node in self.nodes() {
            let keys: Vec<RouteKey> = self.devices[node.0].watches.keys().copied().collect();
            for key in keys {
                self.answer_route(node, key);
                self.settle(node);
            }
        }
    }

    /// Sends a packet from a device as if a program on it had made it: a hostile one, or a peer that is no [`Node`].
    ///
    /// [`Node`]: rsvp_core::Node
    pub fn inject(&mut self, from: NodeId, header: Transmit, message: Vec<u8>) {
        self.send(from, &Packet { header, payload: message });
    }

    /// Sends a packet that a node made.
    fn send(&mut self, node: NodeId, packet: &Packet) {
        let destination = packet.header.destination;
        match packet.header.interface {
            Some(interface) => match self.neighbour(node, interface, &packet.header) {
                Some(neighbour) => self.cross_link(node, interface, neighbour, packet, false),
                None => self.note(node, packet, false, Fate::NoRoute),
            },
            None => self.forward(node, destination, packet, false),
        }
    }

    /// Copies a packet to a group along the tree, if it came in where routing expects it.
    fn replicate(&mut self, node: NodeId, interface: InterfaceId, packet: &Packet) {
        let Transmit { source, destination, .. } = packet.header;
        let key = RouteKey { table: 0, destination, source: Some(source) };
        let route = self.routing.answer(node, &key);
        if route.incoming != Some(interface) {
            return;
        }
        for hop in route.outgoing {
            self.cross_link(node, hop.interface, destination, packet, true);
        }
    }

    /// Whom a packet that leaves by `interface` is handed to, as the kernel decides it.
    fn neighbour(&mut self, node: NodeId, interface: InterfaceId, header: &Transmit) -> Option<IpAddr> {
        if header.destination.is_multicast() {
            return Some(header.destination);
        }
        if header.next_hop.is_some() {
            return header.next_hop;
        }
        let port = self.devices[node.0].port(interface)?;
        let on_link = self.links[port.link.0].ends.iter().any(|(other, position)| {
            self.devices[other.0].ports[*position].addresses.contains(&header.destination)
        });
        if on_link {
            return Some(header.destination);
        }
        let route = self.routing.route(node, header.destination);
        let hop = route.outgoing.iter().find(|hop| hop.interface == interface)?;
        hop.gateway.or(Some(header.destination))
    }

    /// Sends a packet on the way that the routing table says.
    fn forward(&mut self, node: NodeId, destination: IpAddr, packet: &Packet, transit: bool) {
        match self.routing.route(node, destination).outgoing.first().copied() {
            Some(hop) => {
                let neighbour = hop.gateway.unwrap_or(destination);
                self.cross_link(node, hop.interface, neighbour, packet, transit);
            }
            None => self.note(node, packet, transit, Fate::NoRoute),
        }
    }

    /// Puts a packet on a link.
    fn cross_link(
        &mut self,
        node: NodeId,
        interface: InterfaceId,
        neighbour: IpAddr,
        packet: &Packet,
        transit: bool,
    ) {
        let port = self.devices[node.0].port(interface).expect("a node sends by its own interfaces");
        let link = &self.links[port.link.0];
        if !link.up || !port.enabled {
            return self.note(node, packet, transit, Fate::InterfaceDown);
        }
        let is_target = |device: NodeId, position: usize| {
            let port = &self.devices[device.0].ports[position];
            device != node
                && port.enabled
                && (neighbour.is_multicast() || port.addresses.contains(&neighbour))
        };
        let targets: Vec<(NodeId, InterfaceId)> = link
            .ends
            .iter()
            .filter(|(device, position)| is_target(*device, *position))
            .map(|(device, position)| (*device, self.devices[device.0].ports[*position].id))
            .collect();
        let (number, conditions) = (port.link.0, link.conditions);
        let isolated = link.isolated.clone();
        if targets.is_empty() {
            return self.note(node, packet, transit, Fate::NoNeighbor);
        }
        self.links[number].traffic.add(packet);
        for (target, interface) in targets {
            let cut = isolated.contains(&node) != isolated.contains(&target);
            if cut || self.random.chance(conditions.loss) {
                self.note(node, packet, transit, Fate::Lost(target));
                continue;
            }
            let mut copies = 0;
            for _ in 0..if self.random.chance(conditions.duplication) { 2 } else { 1 } {
                let arrival = self.now + conditions.delay + self.random.duration(conditions.jitter);
                if let Some(at) = self.links[number].take_in(target, arrival) {
                    self.schedule_at(at, Action::Arrive(target, interface, packet.clone()));
                    copies += 1;
                }
            }
            let fate = if copies > 0 { Fate::Sent { to: target, copies } } else { Fate::Lost(target) };
            self.note(node, packet, transit, fate);
        }
    }

    /// What the kernel does with a packet that came in.
    fn arrive(&mut self, node: NodeId, interface: InterfaceId, mut packet: Packet) {
        let destination = packet.header.destination;
        // Linux intercepts only what it has a route for, or what is sent to a group.
        let is_group = destination.is_multicast();
        let device = &mut self.devices[node.0];
        let usable = device.port(interface).is_some_and(|port| port.enabled && self.links[port.link.0].up);
        if !device.powered || !usable {
            return;
        }
        let ours = device.owns(destination) || device.receives(destination, interface);
        let routed = device.role == Role::Router && !ours;
        let alert = packet.header.router_alert && !device.owns(packet.header.source);
        let intercepted =
            routed && alert && (is_group || !self.routing.route(node, destination).outgoing.is_empty());
        if device.rsvp.is_some() && (ours || intercepted) {
            if !device.frozen {
                self.input(node, packet.datagram(interface));
            } else if device.inbox.len() < INBOX_LIMIT {
                device.inbox.push_back((interface, packet));
            }
        } else if routed && packet.header.ttl > 1 {
            packet.header.ttl -= 1;
            if is_group {
                self.replicate(node, interface, &packet);
            } else {
                self.forward(node, destination, &packet, true);
            }
        }
    }

    fn note(&mut self, node: NodeId, packet: &Packet, transit: bool, fate: Fate) {
        if !self.records {
            return;
        }
        self.transcript.push(Entry {
            at: self.now,
            from: node,
            transit,
            fate,
            header: packet.header.clone(),
            message: packet.payload.clone(),
        });
    }
}

impl Packet {
    /// The packet as the node sees it.
    pub(crate) fn datagram(&self, interface: InterfaceId) -> Input<'_> {
        Input::Datagram(Datagram {
            interface,
            source: self.header.source,
            destination: self.header.destination,
            ttl: Some(self.header.ttl),
            encapsulation: self.header.encapsulation,
            payload: Cow::Borrowed(&self.payload),
        })
    }
}
