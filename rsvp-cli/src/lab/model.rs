//! A scenario that has been checked: names resolved, addresses given, routes found, everything in order of time.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use super::routing::Topology;
use super::scenario::{Family, Form, Service, StateKind, StyleName, Timers, UdpUse};

/// Position of a node in [`Scenario::nodes`].
pub(crate) type NodeIndex = usize;
/// Position of a link in [`Scenario::links`].
pub(crate) type LinkIndex = usize;
/// Position of a flow in [`Scenario::flows`].
pub(crate) type FlowIndex = usize;
/// Position of a group in [`Scenario::groups`].
pub(crate) type GroupIndex = usize;
/// Position of a receiver in [`Scenario::receivers`].
pub(crate) type ReceiverIndex = usize;

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
    pub(crate) groups: Vec<Group>,
    pub(crate) flows: Vec<Flow>,
    /// Of the flows to hosts, then the members of groups.
    pub(crate) receivers: Vec<Receiver>,
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
    /// Whether its RSVP knows RFC 2961.
    pub(crate) refresh_reduction: bool,
    pub(crate) interfaces: Vec<Interface>,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NodeKind {
    /// It runs RSVP and does not forward.
    Host,
    /// A host without raw sockets: its RSVP is in UDP.
    UdpHost,
    /// It runs RSVP and forwards.
    Router,
    /// It forwards, and has never heard of RSVP.
    PlainRouter,
}

impl NodeKind {
    /// Whether flows may begin and end at it.
    pub(crate) fn is_host(self) -> bool {
        matches!(self, Self::Host | Self::UdpHost)
    }

    /// Whether it forwards packets for others.
    pub(crate) fn forwards(self) -> bool {
        !self.is_host()
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
    /// Two, or more on a LAN.
    pub(crate) ends: Vec<NodeIndex>,
    /// What it counts in the length of a path, at first.
    pub(crate) cost: u32,
    pub(crate) rate: u64,
    pub(crate) reservable: u64,
    pub(crate) reservable_per_flow: u64,
    pub(crate) udp_encapsulation: UdpUse,
}

/// A multicast group.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) address: IpAddr,
    pub(crate) port: u16,
}

/// A flow of UDP packets from a host to another, or to a group.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) name: String,
    pub(crate) from: NodeIndex,
    pub(crate) to: Target,
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
}

/// Where a flow goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Host(NodeIndex),
    Group(GroupIndex),
}

/// Who hears flows and may reserve for them: the receiver of a flow to a host, or a member of a group.
#[derive(Debug)]
pub(crate) struct Receiver {
    /// That of the flow, or the member's.
    pub(crate) name: String,
    pub(crate) node: NodeIndex,
    /// Its own address.
    pub(crate) address: IpAddr,
    pub(crate) group: Option<GroupIndex>,
    /// Where its flows go.
    pub(crate) destination: IpAddr,
    pub(crate) port: u16,
    /// The flows that it reserves for.
    pub(crate) flows: Vec<FlowIndex>,
    /// What it reserves: r and b of its TSpec, in bits per second and bytes, and m and M.
    pub(crate) rate: u64,
    pub(crate) bucket: u64,
    pub(crate) packet: u32,
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
    /// The member joins its group.
    Join(ReceiverIndex),
    /// It leaves.
    Leave(ReceiverIndex),
    /// The receiver reserves (Resv).
    Reserve(ReceiverIndex),
    /// It takes that back (ResvTear).
    Release(ReceiverIndex),
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
        receiver: ReceiverIndex,
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
    /// State and reservations of the group are where they have to be, and nowhere else.
    Placement { group: GroupIndex, at: Duration },
    /// The receiver got this error from this node.
    Refused { receiver: ReceiverIndex, at: Duration, code: u8, value: Option<u16>, node: NodeIndex },
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
    /// Every Path and Resv that the nodes sent in the whole run was in that form, and there was at least one.
    Encapsulation { nodes: Vec<NodeIndex>, form: Form, end: Duration },
    /// The node uses all of RFC 2961 with that neighbour, and refreshes so many states together; or none of it.
    Reduction { at: Duration, node: NodeIndex, neighbor: NodeIndex, used: bool, states: usize },
    /// How many datagrams with RSVP pass the link, and how many octets are in them.
    RsvpLoad {
        link: LinkIndex,
        during: Window,
        packets_at_least: Option<usize>,
        packets_at_most: Option<usize>,
        octets_at_most: Option<usize>,
    },
    /// The kernel holds what the daemon has installed.
    Kernel { at: Duration, nodes: Vec<NodeIndex> },
}

impl Check {
    /// When it can be judged.
    pub(crate) fn due(&self) -> Duration {
        match self {
            Self::Traffic { during, .. }
            | Self::NoTimeouts { during, .. }
            | Self::Expires { during, .. }
            | Self::RsvpLoad { during, .. } => during.to,
            Self::Reserved { at, .. }
            | Self::Path { at, .. }
            | Self::NoPath { at, .. }
            | Self::Placement { at, .. }
            | Self::Refused { at, .. }
            | Self::Reduction { at, .. }
            | Self::Kernel { at, .. } => *at,
            Self::Encapsulation { end, .. } => *end,
            Self::Recovers { from, within, .. } => *from + *within,
        }
    }
}

impl Family {
    /// The address of an end of a link, counted from 0.
    pub(crate) fn address(self, link: LinkIndex, end: usize) -> IpAddr {
        let number = u16::try_from(link + 1).unwrap_or(u16::MAX);
        self.compose(number, u8::try_from(end + 1).unwrap_or(u8::MAX))
    }

    /// The address of a group: of organisation-local scope, so that routers forward it.
    pub(crate) fn group_address(self, group: GroupIndex) -> IpAddr {
        let number = u16::try_from(group + 1).unwrap_or(u16::MAX);
        let [high, low] = number.to_be_bytes();
        match self {
            Self::Ipv4 => Ipv4Addr::new(239, 192, high, low).into(),
            Self::Ipv6 => Ipv6Addr::new(0xff18, 0, 0, 0, 0, 0, 0, number).into(),
        }
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

    /// The flows to this destination and port, of these sources; of all, if there are none.
    pub(crate) fn flows_to(&self, destination: IpAddr, port: u16, sources: &[IpAddr]) -> Vec<FlowIndex> {
        let of_session = |flow: &Flow| flow.destination == destination && flow.port == port;
        let of_source = |flow: &Flow| sources.is_empty() || sources.contains(&flow.source);
        let wanted = self.flows.iter().enumerate().filter(|(_, flow)| of_session(flow) && of_source(flow));
        wanted.map(|(index, _)| index).collect()
    }

    /// Flows by their name; all of a group by the group's.
    pub(crate) fn flow_names(&self, flows: &[FlowIndex]) -> String {
        let Some(first) = flows.first().map(|flow| &self.flows[*flow]) else {
            return "another session".to_owned();
        };
        if let Target::Group(group) = first.to
            && flows.len() > 1
            && flows.len() == self.flows_to(first.destination, first.port, &[]).len()
        {
            return self.groups[group].name.clone();
        }
        let names: Vec<&str> = flows.iter().map(|flow| self.flows[*flow].name.as_str()).collect();
        names.join(", ")
    }

    /// The receivers that may hear a flow.
    pub(crate) fn receivers_of(&self, flow: FlowIndex) -> impl Iterator<Item = ReceiverIndex> {
        let (destination, port) = (self.flows[flow].destination, self.flows[flow].port);
        let hears = move |receiver: &Receiver| receiver.destination == destination && receiver.port == port;
        self.receivers.iter().enumerate().filter(move |(_, one)| hears(one)).map(|(index, _)| index)
    }

    /// Whether a receiver is in its group at a moment; one of a host's own flow always is there.
    pub(crate) fn is_member(&self, receiver: ReceiverIndex, at: Duration) -> bool {
        self.receivers[receiver].group.is_none()
            || self.is_in_force(Action::Join(receiver), Action::Leave(receiver), at)
    }

    /// Whether a sender has announced its flow at a moment.
    pub(crate) fn is_announced(&self, flow: FlowIndex, at: Duration) -> bool {
        self.is_in_force(Action::Announce(flow), Action::Withdraw(flow), at)
    }

    /// Whether a receiver wants its reservation at a moment.
    pub(crate) fn has_reserved(&self, receiver: ReceiverIndex, at: Duration) -> bool {
        self.is_in_force(Action::Reserve(receiver), Action::Release(receiver), at)
    }

    /// Whether `begin` happened up to that moment, and not `end` after it.
    fn is_in_force(&self, begin: Action, end: Action, at: Duration) -> bool {
        let past = self.events.iter().take_while(|event| event.at <= at).flat_map(|event| &event.actions);
        past.filter(|action| [begin, end].contains(action)).last() == Some(&begin)
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
