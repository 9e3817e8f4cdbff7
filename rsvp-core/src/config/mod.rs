//! What an operator may set: timers, limits and bandwidth, for the node and for each interface.

mod reduction;

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use crate::policy::PolicyRule;
use crate::time::Duration;

pub use reduction::{MessageIds, ReductionConfig, SummaryRefresh};

/// Configuration of a node.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct NodeConfig {
    /// Whether the node forwards: a router handles messages in transit, a host only its own.
    pub router: bool,
    /// What holds for an interface that `interfaces` does not name.
    pub default_interface: InterfaceConfig,
    /// Settings by interface name.
    pub interfaces: BTreeMap<String, InterfaceConfig>,
    /// What of RFC 2961 is used with a neighbour of this address, in place of what its interface's settings say.
    pub neighbors: BTreeMap<IpAddr, ReductionConfig>,
    /// Caps on what a peer or an application may make the node hold.
    pub limits: Limits,
    /// Whether a Resv goes upstream only after traffic control has answered (the default), or at once.
    pub wait_for_installation: bool,
    /// Makes a host do without raw IP datagrams: it sends and hears RSVP in UDP only ("Hu" of RFC 2205 Appendix C).
    /// Of no effect on a router, which always has them. Default: `None`.
    pub udp_only: Option<UdpOnly>,
    /// The rules of [`LocalPolicy`](crate::policy::LocalPolicy), in order. When they change, all state is asked about anew.
    pub policy: Vec<PolicyRule>,
}

impl Default for NodeConfig {
    fn default() -> Self {
        Self {
            router: true,
            default_interface: InterfaceConfig::default(),
            interfaces: BTreeMap::new(),
            neighbors: BTreeMap::new(),
            limits: Limits::default(),
            wait_for_installation: true,
            udp_only: None,
            policy: Vec::new(),
        }
    }
}

impl NodeConfig {
    /// The settings that hold for the interface called `name`.
    #[must_use]
    pub fn interface(&self, name: &str) -> &InterfaceConfig {
        self.interfaces.get(name).unwrap_or(&self.default_interface)
    }

    /// What of RFC 2961 is used with the neighbour `address` on the interface called `name`.
    #[must_use]
    pub fn reduction(&self, name: &str, address: IpAddr) -> &ReductionConfig {
        self.neighbors.get(&address).unwrap_or(&self.interface(name).reduction)
    }

    /// The settings of a host without raw I/O, if this is one.
    #[must_use]
    pub fn hu(&self) -> Option<&UdpOnly> {
        self.udp_only.as_ref().filter(|_| !self.router)
    }
}

/// Settings of a host without raw I/O (RFC 2205 Appendix C).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct UdpOnly {
    /// Where the Paths of unicast sessions go that are not for the local network. `None`: to the gateway of the route.
    pub first_hop: Option<FirstHop>,
}

/// The first-hop router of a host without raw I/O (RFC 2205 Appendix C).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FirstHop {
    /// Ra: its address.
    pub address: IpAddr,
    /// Ta: for a router that is not on the host's network, the TTL that just reaches it. Then the Paths of multicast
    /// sessions go to it, too. `None`: it is on the host's network.
    pub ttl: Option<u8>,
}

/// Configuration of one logical interface.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct InterfaceConfig {
    /// Whether RSVP runs here. Messages that arrive on a disabled interface are dropped and counted.
    pub enabled: bool,
    /// Bandwidth that may be reserved; `None` refuses every reservation out of this interface.
    pub bandwidth: Option<Bandwidth>,
    /// R, the refresh period (RFC 2205 section 3.7), default 30 s.
    pub refresh: Duration,
    /// K, how many refreshes may be lost before state dies (RFC 2205 section 3.7), default 3.
    pub refresh_multiple: u32,
    /// Kb, the blockade multiple (RFC 2205 section 3.5), default 4.
    pub blockade_multiple: u32,
    /// W, the wait before a local repair (RFC 2205 section 3.6), default 2 s.
    pub repair_delay: Duration,
    /// Slew.Max, by how much R may grow from one refresh to the next (RFC 2205 section 3.7),
    /// as a factor beyond 1; default 0.30.
    pub slew_max: f32,
    /// The least delay that this interface adds to a packet, for the ADSPEC's minimum path latency
    /// (RFC 2215 section 3.4); `None` when it is not known.
    pub latency: Option<Duration>,
    /// What the link adds to an IP packet, in bytes: with it, all reservations together never take more than the link
    /// carries (RFC 2212, "Guidelines for Implementors"). Default: 0.
    pub link_header: u32,
    /// What the interface's scheduler promises to guaranteed service. `None`, the default: it is not offered.
    pub guaranteed: Option<GuaranteedConfig>,
    /// Whether a router or a host with raw I/O sends Path and PathTear in UDP, too (RFC 2205 Appendix C).
    pub udp_encapsulation: UdpEncapsulation,
    /// Whether a Path that comes in UDP counts as received with the TTL that its Send_TTL says, as RFC 2205 Appendix C
    /// wants it; else with the TTL of the IP packet where the driver can tell. Default: true.
    pub udp_send_ttl: bool,
    /// Whether nodes without RSVP lie behind the interface that cannot be seen from the TTL, as in a multicast tunnel
    /// (RFC 2205 section 3.3): the ADSPEC of every Path that leaves by it says so. Default: no.
    pub non_rsvp: bool,
    /// Whether there is only one neighbour on the link (RFC 2961 sections 3.3, 5.3). `None`, the default: as the driver
    /// says ([`InterfaceInfo::point_to_point`](crate::input::InterfaceInfo)).
    pub point_to_point: Option<bool>,
    /// Refresh reduction and reliable delivery (RFC 2961).
    pub reduction: ReductionConfig,
}

impl Default for InterfaceConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            bandwidth: None,
            refresh: Duration::from_secs(30),
            refresh_multiple: 3,
            blockade_multiple: 4,
            repair_delay: Duration::from_secs(2),
            slew_max: 0.30,
            latency: None,
            link_header: 0,
            guaranteed: None,
            udp_encapsulation: UdpEncapsulation::Learn,
            udp_send_ttl: true,
            non_rsvp: false,
            point_to_point: None,
            reduction: ReductionConfig::default(),
        }
    }
}

/// Whether an interface needs UDP encapsulation (RFC 2205 Appendix C).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum UdpEncapsulation {
    /// From when on the first Path in UDP was heard there.
    #[default]
    Learn,
    /// It does: for a network whose hosts without raw I/O only receive, and so are not heard until they know of a Path.
    Always,
    /// It does not, and what comes in UDP is dropped.
    Never,
}

/// The bandwidth pool of an interface, in bytes per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Bandwidth {
    /// What all reservations together may take.
    pub total: u64,
    /// What a single reservation may take.
    pub per_flow: u64,
    /// What the link itself carries; the ADSPEC's available path bandwidth is bounded by it.
    pub link: u64,
}

/// How an interface serves guaranteed service (RFC 2212): by how much its scheduler deviates from the fluid model, and
/// what else holds for the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct GuaranteedConfig {
    /// C, the rate-dependent term, in bytes.
    pub c: u32,
    /// D, the rate-independent term, in microseconds.
    pub d: u32,
    /// The largest IP packet of the service, in bytes, if it is less than the interface's MTU: the service's own PATH_MTU
    /// (RFC 2210 section 3.3.5).
    pub mtu: Option<u32>,
    /// How many flows may have the service at once, where D holds for so many only; more are refused (error code 1,
    /// value 1).
    pub flows: Option<usize>,
    /// Whether what does not conform is discarded where the flow is policed; else it is best effort.
    pub discards: bool,
    /// Whether every flow is reshaped here to its TSpec: then Csum and Dsum start anew behind this node.
    pub reshapes: bool,
}

impl GuaranteedConfig {
    /// A scheduler with these error terms: C in bytes, D in microseconds. It does not reshape.
    #[must_use]
    pub const fn new(c: u32, d: u32) -> Self {
        Self { c, d, mtu: None, flows: None, discards: false, reshapes: false }
    }
}

/// Caps: beyond them new state is refused; existing state is never evicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Limits {
    /// Sessions of the node.
    pub sessions: usize,
    /// Path state blocks of one session.
    pub senders_per_session: usize,
    /// Reservation state blocks of one session.
    pub reservations_per_session: usize,
    /// Objects of one message.
    pub objects_per_message: usize,
    /// One-shot messages (tears, errors, confirmations) that wait to be sent or acknowledged.
    pub queued_one_shots: usize,
    /// Acknowledgements that wait to be sent (RFC 2961); further ones are not made.
    pub queued_acks: usize,
    /// Refused requests that are remembered: they are told of once, and `Node::refusals` lists them. A long one counts
    /// once more for each 1024 octets. Further ones are not told of.
    pub refusals: usize,
    /// Events that wait to be fetched; beyond it they are replaced by one `Lost(n)`.
    pub queued_events: usize,
    /// Senders whose Path is sent along a new route in one second (RFC 2205 section 3.6); those beyond it follow in
    /// the next.
    pub repairs_per_second: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sessions: 1_000_000,
            senders_per_session: 1024,
            reservations_per_session: 1024,
            objects_per_message: 1024,
            queued_one_shots: 65_536,
            queued_acks: 65_536,
            refusals: 4096,
            queued_events: 16_384,
            repairs_per_second: 10_000,
        }
    }
}
