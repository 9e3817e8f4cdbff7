//! Devices, their interfaces, and the links between them: what is where, before anything happens.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use rsvp_core::config::NodeConfig;
use rsvp_core::input::{Encapsulation, InstallFailure, Route};
use rsvp_core::output::{Installation, InstallationId, RouteKey};
use rsvp_core::{Event, Instant, InterfaceId, Transmit, udp};

use crate::driver::Driver;

/// A device of the network: a host or a router, with RSVP or without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) usize);

/// A link of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub(crate) usize);

/// Whether a device forwards packets for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It does not.
    Host,
    /// It does.
    Router,
}

/// What a link does to the packets that cross it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conditions {
    /// How long every packet takes.
    pub delay: Duration,
    /// How much longer some take: drawn evenly for each packet, so packets overtake each other.
    pub jitter: Duration,
    /// The probability that a packet is lost, 0.0 to 1.0.
    pub loss: f64,
    /// The probability that a packet arrives twice, 0.0 to 1.0.
    pub duplication: f64,
    /// What each interface on the link can take in; `None`: everything, at once.
    pub intake: Option<Intake>,
}

/// How fast a device takes in what comes from a link. What finds the buffer full is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intake {
    /// How many packets fit into the buffer.
    pub buffer: u32,
    /// How long the device takes for each.
    pub each: Duration,
}

impl Default for Conditions {
    /// One millisecond, and no harm done.
    fn default() -> Self {
        Self {
            delay: Duration::from_millis(1),
            jitter: Duration::ZERO,
            loss: 0.0,
            duplication: 0.0,
            intake: None,
        }
    }
}

/// A link: point-to-point with two interfaces on it, a LAN with more.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) conditions: Conditions,
    pub(crate) point_to_point: bool,
    pub(crate) cost: u32,
    pub(crate) up: bool,
    /// Devices that cannot hear the others on this link, nor be heard.
    pub(crate) isolated: BTreeSet<NodeId>,
    /// Who is on it: device and position of the interface in the device.
    pub(crate) ends: Vec<(NodeId, usize)>,
    /// Until when each device that takes in slowly has enough to do.
    pub(crate) busy: BTreeMap<NodeId, Instant>,
    pub(crate) traffic: Traffic,
}

/// What was sent on a link, by everybody on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Datagrams, lost ones included.
    pub datagrams: u64,
    /// Their octets, with IP headers.
    pub octets: u64,
}

impl Traffic {
    pub(crate) fn add(&mut self, Packet { header, payload }: &Packet) {
        let ip = match (header.destination.is_ipv4(), header.router_alert) {
            (true, false) => 20,
            (true, true) => 24,
            (false, false) => 40,
            (false, true) => 48,
        };
        let udp = if header.encapsulation == Encapsulation::Raw { 0 } else { 8 };
        self.datagrams += 1;
        self.octets += payload.len() as u64 + ip + udp;
    }
}

impl Link {
    pub(crate) fn new(conditions: Conditions, point_to_point: bool) -> Self {
        Self {
            conditions,
            point_to_point,
            cost: 1,
            up: true,
            isolated: BTreeSet::new(),
            ends: Vec::new(),
            busy: BTreeMap::new(),
            traffic: Traffic::default(),
        }
    }

    /// When a packet that arrives at `at` has been taken in by `target`; `None` if its buffer is full.
    pub(crate) fn take_in(&mut self, target: NodeId, at: Instant) -> Option<Instant> {
        let Some(Intake { buffer, each }) = self.conditions.intake else { return Some(at) };
        let busy = self.busy.entry(target).or_insert(at);
        if busy.since(at) > each * buffer {
            return None;
        }
        *busy = (*busy).max(at) + each;
        Some(*busy)
    }
}

/// An interface of a device.
#[derive(Clone, Debug)]
pub(crate) struct Port {
    pub(crate) id: InterfaceId,
    pub(crate) name: String,
    pub(crate) addresses: Vec<IpAddr>,
    pub(crate) link: LinkId,
    pub(crate) mtu: u32,
    /// Set up by the operator; the link may be down all the same.
    pub(crate) enabled: bool,
}

/// A packet with an RSVP message in it.
#[derive(Clone, Debug)]
pub(crate) struct Packet {
    pub(crate) header: Transmit,
    pub(crate) payload: Vec<u8>,
}

/// When and how traffic control answers a request to install.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstallAnswer {
    /// How long it takes.
    pub delay: Duration,
    /// What comes of it.
    pub result: Result<(), InstallFailure>,
}

impl InstallAnswer {
    /// Done, at once.
    pub const DONE: Self = Self { delay: Duration::ZERO, result: Ok(()) };
}

/// Traffic control of a device: decides how each request to install ends.
pub type Installer = Box<dyn FnMut(&Installation) -> InstallAnswer>;

/// A host or router: its RSVP node if it runs one, and the operating system below.
pub(crate) struct Device {
    pub(crate) name: String,
    pub(crate) role: Role,
    /// The configuration that a start of RSVP takes; `None` for a device without RSVP.
    pub(crate) config: Option<NodeConfig>,
    pub(crate) rsvp: Option<Driver>,
    /// When RSVP wants to be woken, as the network's list of that has it.
    pub(crate) wake: Option<Instant>,
    /// How often RSVP was started: answers to an earlier run are void.
    pub(crate) run: u64,
    pub(crate) powered: bool,
    /// While stopped, RSVP neither sends nor reads; what arrives waits in `inbox`.
    pub(crate) frozen: bool,
    pub(crate) inbox: VecDeque<(InterfaceId, Packet)>,
    pub(crate) ports: Vec<Port>,
    /// Addresses that belong to no link.
    pub(crate) stubs: Vec<IpAddr>,
    pub(crate) watches: BTreeMap<RouteKey, Option<Route>>,
    /// The groups that its applications receive, and where.
    pub(crate) groups: BTreeSet<(IpAddr, Option<InterfaceId>)>,
    pub(crate) kernel: BTreeMap<InstallationId, Installation>,
    pub(crate) installer: Installer,
    pub(crate) events: Vec<Event>,
    /// Whether `events` are kept.
    pub(crate) tells: bool,
}

impl Device {
    pub(crate) fn port(&self, id: InterfaceId) -> Option<&Port> {
        self.ports.iter().find(|port| port.id == id)
    }

    /// All its addresses, those of its interfaces first.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.ports.iter().flat_map(|port| &port.addresses).chain(&self.stubs).copied()
    }

    /// Whether an application of it receives a group on this interface; without a choice it is the first one. RSVP itself
    /// receives what hosts without raw I/O send.
    pub(crate) fn receives(&self, group: IpAddr, interface: InterfaceId) -> bool {
        group == udp::group(group) || self.memberships().any(|member| member == (group, interface))
    }

    /// The groups that its applications receive, and on which interface.
    pub(crate) fn memberships(&self) -> impl Iterator<Item = (IpAddr, InterfaceId)> {
        let first = self.ports.first().map(|port| port.id);
        self.groups.iter().filter_map(move |(group, on)| Some((*group, on.or(first)?)))
    }

    pub(crate) fn owns(&self, address: IpAddr) -> bool {
        self.addresses().any(|own| own == address)
    }
}
