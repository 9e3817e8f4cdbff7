//! Routing: the links as they are from a moment on, and the routes that a routing protocol would make of them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use super::model::{Flow, FlowIndex, LinkIndex, Node, NodeIndex, ReceiverIndex, Scenario, Target};

/// What routing knows of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LinkState {
    pub(crate) up: bool,
    /// What it counts in the length of a path.
    pub(crate) cost: u32,
}

/// The routes of all nodes from a moment on.
#[derive(Debug)]
pub(crate) struct Topology {
    /// When the routes are in place.
    pub(crate) from: Duration,
    /// What happened that they are the answer to; the start of the scenario for the first.
    pub(crate) since: Duration,
    /// By node.
    routes: Vec<Vec<Route>>,
}

/// A route of a node to a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) prefix: IpAddr,
    pub(crate) prefix_length: u8,
    pub(crate) gateway: IpAddr,
    link: LinkIndex,
    /// The node that has the gateway's address.
    next: NodeIndex,
}

/// How a node reaches another: the distance, the link that it leaves by, the neighbour there. The order makes the choice
/// between equals the same everywhere.
type Way = (u32, LinkIndex, NodeIndex);

impl Topology {
    /// What routing makes of links in these states.
    pub(crate) fn new(since: Duration, from: Duration, scenario: &Scenario, states: &[LinkState]) -> Self {
        let routes = scenario.node_indices().into_iter().map(|node| routes(scenario, states, node)).collect();
        Self { from, since, routes }
    }

    /// The routes of a node to every link that it is not on and can reach.
    pub(crate) fn routes(&self, node: NodeIndex) -> &[Route] {
        &self.routes[node]
    }

    /// The nodes that packets from one node to an interface of another pass, both included; `None` if there is no way.
    pub(crate) fn path(&self, nodes: &[Node], from: NodeIndex, to: NodeIndex) -> Option<Vec<NodeIndex>> {
        let link = nodes[to].interfaces.first()?.link;
        let mut path = vec![from];
        let mut here = from;
        while here != to {
            here = match self.routes[here].iter().find(|route| route.link == link) {
                Some(route) => route.next,
                // It is on the link.
                None if nodes[here].interface_on(link).is_some() => to,
                None => return None,
            };
            // Routes that are all of one time do not loop.
            path.push(here);
        }
        Some(path)
    }
}

fn routes(scenario: &Scenario, states: &[LinkState], node: NodeIndex) -> Vec<Route> {
    let ways = ways(scenario, states, node);
    let remote = (0..states.len()).filter(|link| scenario.nodes[node].interface_on(*link).is_none());
    let route = |link: LinkIndex| {
        let forwards = |end: &&NodeIndex| scenario.nodes[**end].kind.forwards();
        let reached = |end: &NodeIndex| ways.get(end).copied();
        let ends = &scenario.links[link].ends;
        // A host is the way to its link only for those that have the host itself as neighbour.
        let nearest = ends.iter().filter(forwards).filter_map(reached).min();
        let (_, by, next) = nearest.or_else(|| ends.iter().filter_map(reached).min())?;
        let gateway = scenario.nodes[next].interface_on(by)?.address;
        let (prefix, prefix_length) = (scenario.family.prefix(link), scenario.family.prefix_length());
        Some(Route { prefix, prefix_length, gateway, link, next })
    };
    remote.filter(|link| states[*link].up).filter_map(route).collect()
}

/// The best way from `start` to every node that it can reach. Hosts do not forward.
fn ways(scenario: &Scenario, states: &[LinkState], start: NodeIndex) -> BTreeMap<NodeIndex, Way> {
    let mut settled: BTreeMap<NodeIndex, Way> = BTreeMap::new();
    let mut open: BTreeMap<NodeIndex, Way> = BTreeMap::new();
    let offer = |open: &mut BTreeMap<NodeIndex, Way>, node: NodeIndex, way: Way| {
        let known = open.entry(node).or_insert(way);
        *known = way.min(*known);
    };
    for (link, node) in neighbours(scenario, states, start) {
        offer(&mut open, node, (states[link].cost, link, node));
    }
    while let Some((node, way)) = open.iter().map(|(node, way)| (*node, *way)).min_by_key(|(_, way)| *way) {
        open.remove(&node);
        settled.insert(node, way);
        if !scenario.nodes[node].kind.forwards() {
            continue;
        }
        for (link, next) in neighbours(scenario, states, node) {
            if next != start && !settled.contains_key(&next) {
                offer(&mut open, next, (way.0 + states[link].cost, way.1, way.2));
            }
        }
    }
    settled
}

/// The nodes that share a link with a node, where that is up.
fn neighbours(
    scenario: &Scenario,
    states: &[LinkState],
    node: NodeIndex,
) -> impl Iterator<Item = (LinkIndex, NodeIndex)> {
    let links = scenario.nodes[node].interfaces.iter().map(|interface| interface.link);
    let ends = links
        .filter(|link| states[*link].up)
        .flat_map(|link| scenario.links[link].ends.iter().map(move |end| (link, *end)));
    ends.filter(move |(_, end)| *end != node)
}

impl Scenario {
    /// The routes that are in place at a moment.
    pub(crate) fn topology(&self, at: Duration) -> &Topology {
        let past = self.topologies.partition_point(|topology| topology.from <= at);
        &self.topologies[past.saturating_sub(1)]
    }

    /// The way of a flow to these receivers at a moment. Towards a group it is made of the ways from the receivers back
    /// to the sender, as multicast routing does it; receivers that it cannot reach are not in it.
    pub(crate) fn tree(&self, flow: &Flow, receivers: &[ReceiverIndex], at: Duration) -> Tree {
        let topology = self.topology(at);
        let mut tree = Tree::default();
        for receiver in receivers {
            let to = self.receivers[*receiver].node;
            let path = match flow.to {
                Target::Host(_) => topology.path(&self.nodes, flow.from, to),
                Target::Group(_) => topology.path(&self.nodes, to, flow.from).map(|mut back| {
                    back.reverse();
                    back
                }),
            };
            for step in path.iter().flat_map(|path| path.windows(2)) {
                if let [node, next] = *step
                    && let Some(link) = self.link_between(node, next)
                {
                    tree.0.entry(node).or_default().outgoing.insert(link);
                    tree.0.entry(next).or_default().incoming = Some(link);
                }
            }
        }
        tree
    }

    /// The way of a flow to everyone who hears it at a moment. The routers at the sender's link are in it, whoever is
    /// in the group.
    pub(crate) fn data_tree(&self, index: FlowIndex, at: Duration) -> Tree {
        let flow = &self.flows[index];
        let receivers: Vec<_> = self.receivers_of(index).filter(|one| self.is_member(*one, at)).collect();
        let mut tree = self.tree(flow, &receivers, at);
        if let (Target::Group(_), Some(interface)) = (flow.to, self.nodes[flow.from].interfaces.first()) {
            tree.0.entry(flow.from).or_default().outgoing.insert(interface.link);
            let ends = self.links[interface.link].ends.iter();
            for router in ends.filter(|end| self.nodes[**end].kind.forwards()) {
                tree.0.entry(*router).or_default().incoming = Some(interface.link);
            }
        }
        tree
    }

    /// The way of a flow to everyone who has reserved for it at a moment.
    pub(crate) fn reserved_tree(&self, index: FlowIndex, at: Duration) -> Tree {
        let wants = |one: &ReceiverIndex| {
            self.receivers[*one].flows.contains(&index)
                && self.is_member(*one, at)
                && self.has_reserved(*one, at)
        };
        let receivers: Vec<_> = self.receivers_of(index).filter(wants).collect();
        self.tree(&self.flows[index], &receivers, at)
    }
}

/// The way of a flow: its nodes, from its sender to its receivers.
#[derive(Debug, Default)]
pub(crate) struct Tree(pub(crate) BTreeMap<NodeIndex, Branch>);

/// A node on a flow's way.
#[derive(Debug, Default)]
pub(crate) struct Branch {
    /// The link that the flow comes by; none at its sender.
    pub(crate) incoming: Option<LinkIndex>,
    /// The links that it leaves by; none at a receiver.
    pub(crate) outgoing: BTreeSet<LinkIndex>,
}

/// The moment before what happens at this one.
pub(crate) fn just_before(at: Duration) -> Duration {
    at.saturating_sub(Duration::from_nanos(1))
}
