//! Devices, their interfaces, and the links between them: what is where, before anything happens.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use rsvp_core::config::NodeConfig;
use rsvp_core::input::{InstallFailure, Route};
use rsvp_core::output::{Installation, InstallationId, RouteKey};
use rsvp_core::{Event, InterfaceId, Transmit, udp};

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
}

impl Default for Conditions {
    /// One millisecond, and no harm done.
    fn default() -> Self {
        Self { delay: Duration::from_millis(1), jitter: Duration::ZERO, loss: 0.0, duplication: 0.0 }
    }
}

/// A link: point-to-point with two interfaces on it, a LAN with more.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) conditions: Conditions,
    pub(crate) cost: u32,
    pub(crate) up: bool,
    /// Devices that cannot hear the others on this link, nor be heard.
    pub(crate) isolated: BTreeSet<NodeId>,
    /// Who is on it: device and position of the interface in the device.
    pub(crate) ends: Vec<(NodeId, usize)>,
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
