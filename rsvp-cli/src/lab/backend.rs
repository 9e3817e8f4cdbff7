//! What a scenario runs on, as the runner sees it: real namespaces and daemons, or the simulator.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use super::model::{Action, FlowIndex, LinkIndex, NodeIndex, ReceiverIndex, Window};
use super::scenario::StateKind;

/// Why a run cannot go on, in words.
pub(crate) type Fault = String;

/// A network that a scenario runs in. Times count from the start of the scenario.
pub(crate) trait Backend {
    /// Lets time pass until then. Returns early, with `false`, if the run is to end.
    fn advance(&mut self, to: Duration) -> Result<bool, Fault>;

    /// Does something, now.
    fn act(&mut self, action: Action) -> Result<(), Fault>;

    /// What happened in the nodes since the last call, in order of time.
    fn take_changes(&mut self) -> Vec<StateChange>;

    /// The state of a node's RSVP now; in words why it cannot be had.
    fn state(&mut self, node: NodeIndex) -> Result<NodeState, String>;

    /// Whether a node's kernel holds what its RSVP has installed; in words what differs.
    fn kernel(&mut self, node: NodeIndex) -> Verdict;

    /// What a receiver was last told of its reservation, if it was refused.
    fn refusal(&mut self, receiver: ReceiverIndex) -> Option<Refusal>;

    /// Rates of the flows in the last second or so, for the timeline.
    fn glance(&mut self) -> Option<String>;

    /// Ends the run: stops everything and looks at what is left.
    fn finish(&mut self) -> Result<Ending, Fault>;
}

/// What a check comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It holds; with the figures, for the report.
    Passed(String),
    /// It does not.
    Failed(String),
    /// This backend cannot tell, and why.
    NotMeasured(String),
}

/// A change of RSVP state in a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StateChange {
    pub(crate) at: Duration,
    pub(crate) node: NodeIndex,
    pub(crate) subject: Subject,
    /// The flows that it is for.
    pub(crate) flows: Vec<FlowIndex>,
    /// The interface that it is at.
    pub(crate) interface: Option<String>,
    /// The neighbour that the state came from.
    pub(crate) neighbor: Option<IpAddr>,
    /// As the control API names it: `created`, `modified`, `refused`, `removed`.
    pub(crate) change: &'static str,
    /// Why, in words.
    pub(crate) cause: String,
    /// Whether it went because nobody refreshed it.
    pub(crate) expired: bool,
}

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// Soft state.
    State(StateKind),
    /// A reservation in traffic control.
    Installation,
    /// Anything else; in the log only.
    Other,
    /// So many events were lost: nothing can be said of what happened in the meantime.
    Lost(u64),
}

/// The RSVP state of a node.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct NodeState {
    pub(crate) paths: Vec<PathState>,
    pub(crate) installed: Vec<InstalledState>,
    pub(crate) neighbors: Vec<NeighborState>,
}

/// What a node uses of RFC 2961 with a neighbour.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NeighborState {
    pub(crate) node: Option<NodeIndex>,
    /// Whether messages have a MESSAGE_ID, are bundled, and state is summary-refreshed.
    pub(crate) used: [bool; 3],
    /// States that are refreshed together.
    pub(crate) summarized: usize,
}

/// A sender that a node knows (PSB).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PathState {
    pub(crate) flow: Option<FlowIndex>,
    pub(crate) previous_hop: Option<IpAddr>,
    /// Whether a hop without RSVP lies before this node.
    pub(crate) non_rsvp: bool,
    /// The ADSPEC's global break bit.
    pub(crate) broken: bool,
}

/// A reservation that a node has installed (TCSB).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct InstalledState {
    /// The flows that share it.
    pub(crate) flows: Vec<FlowIndex>,
    pub(crate) interface: String,
    /// Bits per second.
    pub(crate) bandwidth: u64,
    /// Whether traffic control has carried it out.
    pub(crate) done: bool,
}

/// A reservation that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: u8,
    pub(crate) value: u16,
    /// The node that refused.
    pub(crate) node: IpAddr,
}

/// What can be told only when all is over.
#[derive(Debug, Default)]
pub(crate) struct Ending {
    /// The data plane, if there was one.
    pub(crate) traffic: Option<Box<dyn Traffic>>,
    /// Every RSVP message that a node heard, in order of time.
    pub(crate) heard: Vec<Heard>,
    /// How the nodes sent theirs.
    pub(crate) sent: Sent,
    /// Every datagram with RSVP that was on a link.
    pub(crate) datagrams: Vec<Datagram>,
    /// Checks that every run makes: their names and what they came to.
    pub(crate) checks: Vec<(String, Verdict)>,
}

/// A datagram with RSVP on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Datagram {
    pub(crate) at: Duration,
    pub(crate) link: LinkIndex,
    /// Without the IP header.
    pub(crate) octets: usize,
}

/// How many Path and Resv messages of each node were seen on its links, raw and in UDP.
pub(crate) type Sent = BTreeMap<NodeIndex, Forms>;

/// Messages by how they are carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Forms {
    pub(crate) raw: u64,
    pub(crate) udp: u64,
}

impl Forms {
    /// Counts one.
    pub(crate) fn count(&mut self, is_udp: bool) {
        *(if is_udp { &mut self.udp } else { &mut self.raw }) += 1;
    }
}

/// The figures of the data plane.
pub(crate) trait Traffic: std::fmt::Debug {
    /// Of the packets that the flow's sender sent in this time, how many, and how many of those arrived; and what
    /// arrived in this time.
    fn measure(&self, flow: FlowIndex, receiver: ReceiverIndex, during: Window) -> Measured;

    /// When in this time the flow's packets were lost.
    fn outage(&self, flow: FlowIndex, receiver: ReceiverIndex, during: Window) -> Outage;
}

/// What was measured of a flow in a span of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Measured {
    /// Packets sent in that time.
    pub(crate) sent: u64,
    /// Those of them that arrived, whenever that was.
    pub(crate) delivered: u64,
    /// Bytes of the IP packets that arrived in that time.
    pub(crate) received_bytes: u64,
}

/// What a change of the network cost a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outage {
    /// Packets that did not arrive, of those sent in that time.
    pub(crate) lost: u64,
    /// When the first of them was sent, and when all packets began to arrive again; `None` if nothing worth
    /// mentioning was lost.
    pub(crate) lasted: Option<Window>,
}

/// A Path or Resv that reached a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) at: Duration,
    pub(crate) node: NodeIndex,
    pub(crate) kind: StateKind,
    pub(crate) flows: Vec<FlowIndex>,
    /// The address in its RSVP_HOP.
    pub(crate) hop: IpAddr,
    /// R, from its TIME_VALUES.
    pub(crate) refresh: Duration,
}
