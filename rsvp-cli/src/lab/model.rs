//! A scenario that has been checked: names resolved, addresses given, routes found, everything in order of time.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use super::routing::Topology;
use super::scenario::{Family, Service, StateKind, StyleName, Timers};

/// Position of a node in [`Scenario::nodes`].
pub(crate) type NodeIndex = usize;
/// Position of a link in [`Scenario::links`].
pub(crate) type LinkIndex = usize;
/// Position of a flow in [`Scenario::flows`].
pub(crate) type FlowIndex = usize;

/// A checked scenario.
#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) title: String,
    pub(crate) family: Family,
    pub(crate) duration: Duration,
    pub(crate) timers: Timers,
    /// How long after a change of the links all routes follow; never, if there is none.
    pub(crate) convergence: Option<Duration>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) links: Vec<Link>,
    pub(crate) flows: Vec<Flow>,
    /// In order of time.
    pub(crate) events: Vec<Event>,
    /// In the order of the file.
    pub(crate) checks: Vec<Check>,
    /// The routes, in order of time; the first are those of the start.
    pub(crate) topologies: Vec<Topology>,
}

/// A host or a router.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) kind: NodeKind,
    pub(crate) interfaces: Vec<Interface>,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NodeKind {
    /// It runs RSVP and does not forward.
    Host,
    /// It runs RSVP and forwards.
    Router,
    /// It forwards, and has never heard of RSVP.
    PlainRouter,
}

impl NodeKind {
    /// Whether it forwards packets for others.
    pub(crate) fn forwards(self) -> bool {
        self != Self::Host
    }

    /// Whether it runs RSVP.
    pub(crate) fn speaks_rsvp(self) -> bool {
        self != Self::PlainRouter
    }
}

impl Node {
    /// Its interface on a link.
    pub(crate) fn interface_on(&self, link: LinkIndex) -> Option<&Interface> {
        self.interfaces.iter().find(|interface| interface.link == link)
    }
}

/// A node's end of a link.
#[derive(Debug)]
pub(crate) struct Interface {
    pub(crate) name: String,
    pub(crate) link: LinkIndex,
    pub(crate) address: IpAddr,
}

/// A link; rates in bits per second.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) name: String,
    pub(crate) ends: [NodeIndex; 2],
    /// What it counts in the length of a path, at first.
    pub(crate) cost: u32,
    pub(crate) rate: u64,
    pub(crate) reservable: u64,
    pub(crate) reservable_per_flow: u64,
}

/// A flow of UDP packets from one host to another.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) name: String,
    pub(crate) from: NodeIndex,
    pub(crate) to: NodeIndex,
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    /// Source and destination port.
    pub(crate) port: u16,
    /// r of its TSpec, in bits per second.
    pub(crate) rate: u64,
    /// b of its TSpec, in bytes.
    pub(crate) bucket: u64,
    /// Length of its IP packets in bytes: m and M of its TSpec.
    pub(crate) packet: u32,
    /// What it really sends, in bits per second.
    pub(crate) sends: u64,
    pub(crate) service: Service,
    pub(crate) style: StyleName,
}

/// What happens at a moment.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) at: Duration,
    pub(crate) actions: Vec<Action>,
}

/// One thing done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// The sender begins to send data.
    Send(FlowIndex),
    /// It stops.
    Silence(FlowIndex),
    /// The sender announces the flow (Path).
    Announce(FlowIndex),
    /// It takes that back (PathTear).
    Withdraw(FlowIndex),
    /// The receiver reserves (Resv).
    Reserve(FlowIndex),
    /// It takes that back (ResvTear).
    Release(FlowIndex),
    /// Both ends of the link go down.
    LinkDown(LinkIndex),
    /// They come back.
    LinkUp(LinkIndex),
    /// Routing is told another cost of the link.
    Cost(LinkIndex, u32),
    /// Routing has seen what happened: the routes of this topology come into place.
    Converge(usize),
    /// The daemon stands still (SIGSTOP).
    Freeze(NodeIndex),
    /// It goes on (SIGCONT).
    Thaw(NodeIndex),
    /// The daemon dies (SIGKILL).
    Kill(NodeIndex),
    /// It starts again.
    Start(NodeIndex),
}

/// A span of time in a scenario, from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) from: Duration,
    pub(crate) to: Duration,
}

/// Something that must hold.
#[derive(Debug)]
pub(crate) enum Check {
    /// Rate (share of the TSpec's) and loss (share of what was sent).
    Traffic {
        flow: FlowIndex,
        during: Window,
        rate_at_least: Option<f64>,
        loss_at_most: Option<f64>,
        loss_at_least: Option<f64>,
    },
    /// The reservation is in place, or is not, at these nodes.
    Reserved { flow: FlowIndex, at: Duration, nodes: Vec<NodeIndex>, wanted: bool },
    /// Path state is there, and came from where it should.
    Path {
        flow: FlowIndex,
        at: Duration,
        nodes: Vec<NodeIndex>,
        previous_hop: Option<NodeIndex>,
        non_rsvp: Option<bool>,
        broken: Option<bool>,
    },
    /// Path state is not there.
    NoPath { flow: FlowIndex, at: Duration, nodes: Vec<NodeIndex> },
    /// The receiver got this error from this node.
    Refused { flow: FlowIndex, at: Duration, code: u8, value: Option<u16>, node: NodeIndex },
    /// No state times out at these nodes.
    NoTimeouts { during: Window, nodes: Vec<NodeIndex> },
    /// State of a neighbour that fell silent ends at its lifetime.
    Expires {
        flow: FlowIndex,
        state: StateKind,
        node: NodeIndex,
        learnt_from: NodeIndex,
        during: Window,
        slack: Duration,
    },
    /// After a change at `from`, the reservation stands on the flow's new path, and its packets arrive again.
    Recovers { flow: FlowIndex, from: Duration, within: Duration },
    /// The kernel holds what the daemon has installed.
    Kernel { at: Duration, nodes: Vec<NodeIndex> },
}

impl Check {
    /// When it can be judged.
    pub(crate) fn due(&self) -> Duration {
        match self {
            Self::Traffic { during, .. } | Self::NoTimeouts { during, .. } | Self::Expires { during, .. } => {
                during.to
            }
            Self::Reserved { at, .. }
            | Self::Path { at, .. }
            | Self::NoPath { at, .. }
            | Self::Refused { at, .. }
            | Self::Kernel { at, .. } => *at,
            Self::Recovers { from, within, .. } => *from + *within,
        }
    }
}

impl Family {
    /// The address of an end (0 or 1) of a link.
    pub(crate) fn address(self, link: LinkIndex, end: usize) -> IpAddr {
        let number = u16::try_from(link + 1).unwrap_or(u16::MAX);
        let host = if end == 0 { 1 } else { 2 };
        self.compose(number, host)
    }

    /// The prefix of a link.
    pub(crate) fn prefix(self, link: LinkIndex) -> IpAddr {
        self.compose(u16::try_from(link + 1).unwrap_or(u16::MAX), 0)
    }

    fn compose(self, link: u16, host: u8) -> IpAddr {
        let [high, low] = link.to_be_bytes();
        match self {
            Self::Ipv4 => Ipv4Addr::new(10, high, low, host).into(),
            Self::Ipv6 => Ipv6Addr::new(0xfd00, link, 0, 0, 0, 0, 0, host.into()).into(),
        }
    }

    /// The length of every link's prefix.
    pub(crate) fn prefix_length(self) -> u8 {
        match self {
            Self::Ipv4 => 24,
            Self::Ipv6 => 64,
        }
    }

    /// Bytes of IP and UDP header.
    pub(crate) fn headers(self) -> u32 {
        match self {
            Self::Ipv4 => 28,
            Self::Ipv6 => 48,
        }
    }
}

impl Scenario {
    /// The node that has this address.
    pub(crate) fn owner(&self, address: IpAddr) -> Option<NodeIndex> {
        let owns = |node: &Node| node.interfaces.iter().any(|interface| interface.address == address);
        self.nodes.iter().position(owns)
    }

    /// The name of the node that has this address, or the address.
    pub(crate) fn name_of(&self, address: IpAddr) -> String {
        self.owner(address).map_or_else(|| address.to_string(), |node| self.nodes[node].name.clone())
    }

    /// The flow with this destination and port.
    pub(crate) fn flow_to(&self, destination: IpAddr, port: u16) -> Option<FlowIndex> {
        self.flows.iter().position(|flow| flow.destination == destination && flow.port == port)
    }

    /// The link that joins two nodes.
    pub(crate) fn link_between(&self, one: NodeIndex, other: NodeIndex) -> Option<LinkIndex> {
        self.links.iter().position(|link| link.ends.contains(&one) && link.ends.contains(&other))
    }

    /// The nodes that run RSVP.
    pub(crate) fn speakers(&self) -> Vec<NodeIndex> {
        self.node_indices().into_iter().filter(|node| self.nodes[*node].kind.speaks_rsvp()).collect()
    }

    /// All nodes.
    pub(crate) fn node_indices(&self) -> Vec<NodeIndex> {
        (0..self.nodes.len()).collect()
    }
}
