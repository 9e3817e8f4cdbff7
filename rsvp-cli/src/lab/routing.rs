//! Routing: the links as they are from a moment on, and the routes that a routing protocol would make of them.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use super::model::{Flow, LinkIndex, Node, NodeIndex, Scenario};

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

    /// The nodes that a flow passes at a moment, from its sender to its receiver.
    pub(crate) fn path(&self, flow: &Flow, at: Duration) -> Option<Vec<NodeIndex>> {
        self.topology(at).path(&self.nodes, flow.from, flow.to)
    }
}
