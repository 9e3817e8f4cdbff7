//! The outside, put together of parts: each can be replaced by one of your own.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::OwnedFd;

use rsvp_core::input::{Datagram, InterfaceInfo, NextHop, Route};
use rsvp_core::output::{Installation, InstallationId, RouteKey};
use rsvp_core::{Input, InterfaceId, Request, udp};

use crate::{Diagnostic, Interfaces, Link, Message, Outside, OutsideView, ReadOutcome, SendOutcome, Source};

/// Carries RSVP messages to neighbours and from them. Nothing here blocks.
///
/// `rsvp_io::RawSockets` uses IP protocol 46 and UDP (RFC 2205 Appendix C), `rsvp_io::PacketSockets` frames;
/// [`MemoryTransport`](crate::MemoryTransport) stays within the process.
pub trait Transport: Send + 'static {
    /// The file descriptors to wait for; their places in the list are their [`Source`]s. Asked once.
    ///
    /// # Errors
    ///
    /// If a descriptor cannot be duplicated.
    fn sources(&self) -> io::Result<Vec<OwnedFd>>;

    /// Reads at most `budget` datagrams from a source.
    ///
    /// # Errors
    ///
    /// Only if the source is broken for good.
    fn read(
        &mut self,
        source: Source,
        budget: usize,
        interfaces: &Interfaces,
        sink: &mut dyn FnMut(Datagram<'_>),
    ) -> io::Result<ReadOutcome>;

    /// Sends datagrams in their order, as many as can be sent now; as [`Outside::send`].
    fn send(&mut self, messages: &[Message], interfaces: &Interfaces) -> SendOutcome;

    /// From now on receives what is sent to these groups on these interfaces, and to no others.
    fn receive_groups(&mut self, groups: &BTreeSet<(IpAddr, InterfaceId)>, interfaces: &Interfaces) {
        let _ = (groups, interfaces);
    }

    /// The groups that are received in fact.
    fn groups(&self) -> Vec<(IpAddr, InterfaceId)> {
        Vec::new()
    }

    /// What an operator should know about it, as of now.
    fn diagnostics(&self, interfaces: &Interfaces) -> Vec<Diagnostic> {
        let _ = interfaces;
        Vec::new()
    }
}

/// Knows the interfaces, and where packets go. Nothing here blocks.
///
/// `rsvp_io::KernelRouting` is that of Linux; [`StaticRouting`](crate::StaticRouting) knows what it was told at the start.
pub trait Routing: Send + 'static {
    /// As [`Transport::sources`].
    ///
    /// # Errors
    ///
    /// If a descriptor cannot be duplicated.
    fn sources(&self) -> io::Result<Vec<OwnedFd>> {
        Ok(Vec::new())
    }

    /// Tells the interfaces and addresses that there are. Called once, before anything else.
    fn start(&mut self, sink: &mut dyn FnMut(RoutingEvent));

    /// Takes in at most `budget` messages from a source, and tells what has changed.
    ///
    /// # Errors
    ///
    /// Only if the source is broken for good.
    fn read(
        &mut self,
        source: Source,
        budget: usize,
        sink: &mut dyn FnMut(RoutingEvent),
    ) -> io::Result<ReadOutcome> {
        let _ = (source, budget, sink);
        Ok(ReadOutcome::Drained)
    }

    /// Looks a route up, and tells of it again when it changes. `None`: the answer is told later, as a change.
    fn watch(&mut self, key: RouteKey) -> Option<Route>;

    /// The route is of no interest any more.
    fn unwatch(&mut self, key: &RouteKey);

    /// By where a message to this address leaves that names no interface itself, as a ResvConf does. `None` leaves it to the
    /// transport, whose platform may have a routing table of its own.
    fn next_hop(&mut self, destination: IpAddr) -> Option<NextHop>;

    /// This node receives a group, or does so no more: routes to it are local then. Tells those that have changed.
    fn on_membership(&mut self, group: IpAddr, joined: bool, sink: &mut dyn FnMut(RoutingEvent));

    /// The interface by which this node receives a group where nobody says by which.
    fn default_interface(&mut self, group: IpAddr) -> Option<InterfaceId>;

    /// What an operator should know about it, as of now.
    fn diagnostics(&self) -> Vec<Diagnostic> {
        Vec::new()
    }
}

/// What [`Routing`] tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoutingEvent {
    /// An interface is there, or has changed.
    Interface(Link),
    /// An interface is gone for good.
    InterfaceRemoved(InterfaceId),
    /// All addresses of this machine, those of devices that are no interfaces of the node included: what has one of them as its
    /// source was sent from here. Those of interfaces need not be told.
    Own(Vec<IpAddr>),
    /// A watched route has changed, or is answered.
    Route(RouteKey, Route),
}

/// Gives reservations what was promised. Nothing here blocks.
///
/// `rsvp_io::KernelTrafficControl` is that of Linux; with [`NoTrafficControl`] reservations are admitted and not enforced.
pub trait TrafficControl: Send + 'static {
    /// As [`Transport::sources`].
    ///
    /// # Errors
    ///
    /// If a descriptor cannot be duplicated.
    fn sources(&self) -> io::Result<Vec<OwnedFd>> {
        Ok(Vec::new())
    }

    /// Hands on at most `budget` answers: [`Input::Installed`] and [`Input::Preempted`].
    ///
    /// # Errors
    ///
    /// Only if the source is broken for good.
    fn read(
        &mut self,
        source: Source,
        budget: usize,
        sink: &mut dyn FnMut(Input<'_>),
    ) -> io::Result<ReadOutcome> {
        let _ = (source, budget, sink);
        Ok(ReadOutcome::Drained)
    }

    /// Whether it takes more work now. If not, it does so again after a source was read.
    fn is_ready(&self) -> bool {
        true
    }

    /// Makes an installation what it is to be, whether it is new or not, and answers with [`Input::Installed`]: at once, or
    /// later through [`read`](Self::read).
    fn install(&mut self, installation: Installation, sink: &mut dyn FnMut(Input<'_>));

    /// Takes an installation away. There is no answer.
    fn remove(&mut self, id: InstallationId);

    /// An interface is there, or has changed.
    fn on_interface(&mut self, link: &Link) {
        let _ = link;
    }

    /// An interface is gone, and its installations with it.
    fn on_interface_removed(&mut self, id: InterfaceId) {
        let _ = id;
    }

    /// The names of the interfaces whose reservations are enforced.
    fn enforced(&self) -> BTreeSet<String> {
        BTreeSet::new()
    }

    /// What an operator should know about it, as of now.
    fn diagnostics(&self) -> Vec<Diagnostic> {
        Vec::new()
    }
}

/// Admits and enforces nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoTrafficControl;

impl TrafficControl for NoTrafficControl {
    fn install(&mut self, installation: Installation, sink: &mut dyn FnMut(Input<'_>)) {
        sink(Input::Installed(installation.id, Ok(())));
    }

    fn remove(&mut self, _: InstallationId) {}
}

/// The [`Outside`] that is made of a transport, routing and traffic control.
pub struct Parts<T: Transport, R: Routing, C: TrafficControl> {
    transport: T,
    routing: R,
    traffic_control: C,
    interfaces: Interfaces,
    /// Of the transport, then of routing, then of traffic control.
    sources: Vec<OwnedFd>,
    of_transport: usize,
    of_routing: usize,
}

impl<T: Transport, R: Routing, C: TrafficControl> Parts<T, R, C> {
    /// Puts them together.
    ///
    /// # Errors
    ///
    /// If a descriptor cannot be duplicated.
    pub fn new(transport: T, routing: R, traffic_control: C) -> io::Result<Self> {
        let mut sources = transport.sources()?;
        let of_transport = sources.len();
        sources.extend(routing.sources()?);
        let of_routing = sources.len() - of_transport;
        sources.extend(traffic_control.sources()?);
        let interfaces = Interfaces::default();
        Ok(Self { transport, routing, traffic_control, interfaces, sources, of_transport, of_routing })
    }

    /// The transport.
    pub fn transport(&self) -> &T {
        &self.transport
    }

    /// The interfaces that routing has told of.
    pub fn interfaces(&self) -> &Interfaces {
        &self.interfaces
    }

    /// Has routing do something, and passes on what it tells.
    fn ask_routing<A>(
        &mut self,
        ask: impl FnOnce(&mut R, &mut dyn FnMut(RoutingEvent)) -> A,
        sink: &mut dyn FnMut(Input<'_>),
    ) -> A {
        let Self { routing, interfaces, traffic_control, .. } = self;
        let mut is_changed = false;
        let answer = ask(routing, &mut |event| match event {
            RoutingEvent::Route(key, route) => sink(Input::Route(key, route)),
            RoutingEvent::Own(addresses) => interfaces.set_own(addresses),
            RoutingEvent::Interface(link) => {
                is_changed = true;
                join_own_groups(interfaces, &link.info);
                traffic_control.on_interface(&link);
                interfaces.insert(link.clone());
                sink(Input::Interface(link.info));
            }
            RoutingEvent::InterfaceRemoved(id) => {
                is_changed = true;
                own_groups().into_iter().for_each(|group| interfaces.leave(group, Some(id)));
                traffic_control.on_interface_removed(id);
                interfaces.remove(id);
                sink(Input::InterfaceRemoved(id));
            }
        });
        if is_changed {
            self.settle_groups();
        }
        answer
    }

    /// Has the transport receive the groups that are wanted now.
    fn settle_groups(&mut self) {
        let Self { transport, routing, interfaces, .. } = self;
        let place = |(group, interface): (IpAddr, Option<InterfaceId>)| {
            Some((group, interface.or_else(|| routing.default_interface(group))?))
        };
        let groups = interfaces.groups().filter_map(place).collect();
        transport.receive_groups(&groups, interfaces);
    }
}

impl<T: Transport, R: Routing, C: TrafficControl> Outside for Parts<T, R, C> {
    fn sources(&self) -> io::Result<Vec<OwnedFd>> {
        self.sources.iter().map(OwnedFd::try_clone).collect()
    }

    fn start(&mut self, sink: &mut dyn FnMut(Input<'_>)) {
        self.ask_routing(|routing, events| routing.start(events), sink);
    }

    fn read(
        &mut self,
        source: Source,
        budget: usize,
        sink: &mut dyn FnMut(Input<'_>),
    ) -> io::Result<ReadOutcome> {
        let Some(number) = source.0.checked_sub(self.of_transport) else {
            let Self { transport, interfaces, .. } = self;
            return transport
                .read(source, budget, interfaces, &mut |datagram| sink(Input::Datagram(datagram)));
        };
        match number.checked_sub(self.of_routing) {
            None => self.ask_routing(|routing, events| routing.read(Source(number), budget, events), sink),
            Some(number) => self.traffic_control.read(Source(number), budget, sink),
        }
    }

    fn send(&mut self, messages: &mut [Message]) -> SendOutcome {
        for Message { transmit, .. } in
            messages.iter_mut().filter(|message| message.transmit.interface.is_none())
        {
            if let Some(hop) = self.routing.next_hop(transmit.destination) {
                transmit.interface = Some(hop.interface);
                transmit.next_hop = transmit.next_hop.or(hop.gateway);
            }
        }
        self.transport.send(messages, &self.interfaces)
    }

    fn is_ready_for_requests(&self) -> bool {
        self.traffic_control.is_ready()
    }

    fn request(&mut self, request: Request, sink: &mut dyn FnMut(Input<'_>)) {
        let (group, joined) = match request {
            Request::WatchRoute(key) => {
                if let Some(route) = self.routing.watch(key) {
                    sink(Input::Route(key, route));
                }
                return;
            }
            Request::UnwatchRoute(key) => return self.routing.unwatch(&key),
            Request::Install(installation) => return self.traffic_control.install(installation, sink),
            Request::Remove(id) => return self.traffic_control.remove(id),
            Request::Join { group, interface } => {
                self.interfaces.join(group, interface);
                (group, true)
            }
            Request::Leave { group, interface } => {
                self.interfaces.leave(group, interface);
                (group, self.interfaces.is_member(group))
            }
        };
        self.settle_groups();
        self.ask_routing(|routing, events| routing.on_membership(group, joined, events), sink);
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        let mut found = self.transport.diagnostics(&self.interfaces);
        found.extend(self.routing.diagnostics());
        found.extend(self.traffic_control.diagnostics());
        found
    }

    fn view(&self) -> OutsideView {
        let mut groups: BTreeMap<String, Vec<IpAddr>> = BTreeMap::new();
        for (group, id) in self.transport.groups() {
            if let Some(link) = self.interfaces.link(id) {
                groups.entry(link.info.name.clone()).or_default().push(group);
            }
        }
        OutsideView { enforced: self.traffic_control.enforced(), groups }
    }

    fn close(self) {
        drop(self);
    }
}

/// Every RSVP node is in 224.0.0.14 and ff02::e: hosts that can do UDP only send Paths of groups there (RFC 2205
/// Appendix C), and neighbours that know of each other by configuration Srefreshes (RFC 2961 section 5.3).
fn join_own_groups(interfaces: &mut Interfaces, info: &InterfaceInfo) {
    for group in own_groups() {
        if info.addresses.iter().any(|address| address.is_ipv4() == group.is_ipv4()) {
            interfaces.join(group, Some(info.id));
        } else {
            interfaces.leave(group, Some(info.id));
        }
    }
}

/// The group of all RSVP nodes on a link, of both families; G* of RFC 2205 Appendix C.
fn own_groups() -> [IpAddr; 2] {
    [udp::group(Ipv4Addr::UNSPECIFIED.into()), udp::group(Ipv6Addr::UNSPECIFIED.into())]
}
