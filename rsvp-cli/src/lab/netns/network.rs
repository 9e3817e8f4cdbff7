//! The network below the daemons: namespaces, links, addresses, routes, groups.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rsvp_netns::{Error, Namespace};

use super::captures::Captures;
use crate::lab::backend::Fault;
use crate::lab::model::{FlowIndex, Interface, LinkIndex, NodeIndex, ReceiverIndex, Scenario, Target};
use crate::lab::routing::{Branch, Route};

/// All groups of IPv4.
const GROUPS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 0);
const GROUPS_LENGTH: u8 = 4;
/// What a LAN's bridge is called.
const BRIDGE: &str = "bridge";

/// The namespaces of a scenario.
#[derive(Debug)]
pub(crate) struct Network {
    /// By node.
    nodes: Vec<Namespace>,
    /// One for each LAN, in the order of the links; kept because they end with this value.
    _lans: Vec<Namespace>,
    /// How each router forwards each flow to a group: the interface that it comes by, and those that it leaves by.
    forwarding: BTreeMap<(NodeIndex, FlowIndex), (String, Vec<String>)>,
}

impl Network {
    /// Makes namespaces, links, addresses, and the routes of the start.
    pub(crate) fn new(scenario: &Scenario) -> Result<Self, Fault> {
        let mut nodes = Vec::new();
        for node in &scenario.nodes {
            let namespace = Namespace::new(&node.name).map_err(|error| error.to_string())?;
            if node.kind.forwards() {
                namespace.forward().map_err(|error| error.to_string())?;
            }
            nodes.push(namespace);
        }
        let mut lans = Vec::new();
        for link in 0..scenario.links.len() {
            lans.extend(connect(scenario, link, &nodes).map_err(|error| error.to_string())?);
        }
        for (node, namespace) in nodes.iter().enumerate() {
            for interface in &scenario.nodes[node].interfaces {
                namespace.wait_for_link(&interface.name).map_err(|error| error.to_string())?;
                // Elsewhere the daemon does that.
                if !scenario.nodes[node].kind.speaks_rsvp() {
                    namespace
                        .limit(&interface.name, scenario.links[interface.link].rate)
                        .map_err(|error| error.to_string())?;
                }
            }
            for route in scenario.topologies[0].routes(node) {
                namespace
                    .route(route.prefix, route.prefix_length, route.gateway)
                    .map_err(|error| error.to_string())?;
            }
            if let Some(gateway) = group_gateway(scenario, node) {
                namespace.route(GROUPS.into(), GROUPS_LENGTH, gateway).map_err(|error| error.to_string())?;
            }
        }
        let mut network = Self { nodes, _lans: lans, forwarding: BTreeMap::new() };
        network.route_groups(scenario, Duration::ZERO)?;
        Ok(network)
    }

    /// A node's namespace.
    pub(crate) fn node(&self, node: NodeIndex) -> &Namespace {
        &self.nodes[node]
    }

    /// Records every link at its first router, which sees all that passes it.
    pub(crate) fn capture(&self, scenario: &Scenario, directory: &Path) -> Result<Captures, Fault> {
        std::fs::create_dir_all(directory)
            .map_err(|error| format!("cannot make the directory {}: {error}", directory.display()))?;
        let mut captures = Captures::default();
        for (index, link) in scenario.links.iter().enumerate() {
            let router = link.ends.iter().find(|end| scenario.nodes[**end].kind.forwards());
            let node = *router.unwrap_or(&link.ends[0]);
            let path: PathBuf = directory.join(format!("{}.pcap", link.name));
            if let Some(interface) = scenario.nodes[node].interface_on(index) {
                let recorder =
                    self.nodes[node].capture(&interface.name, &path).map_err(|error| error.to_string())?;
                captures.add(path.clone(), recorder);
            }
        }
        Ok(captures)
    }

    /// Takes a link down or up, and up again puts back the addresses that the kernel removed, and routes if they are
    /// static.
    pub(crate) fn set_link(&self, link: LinkIndex, up: bool, scenario: &Scenario) -> Result<(), Fault> {
        for (namespace, interface) in ends(scenario, link, &self.nodes) {
            let set = if up { Namespace::link_up } else { Namespace::link_down };
            set(namespace, &interface.name).map_err(|error| error.to_string())?;
        }
        if !up {
            return Ok(());
        }
        let length = scenario.family.prefix_length();
        for (namespace, interface) in ends(scenario, link, &self.nodes) {
            match namespace.address(&interface.name, interface.address, length) {
                Err(error) if !error.is_existing() => return Err(error.to_string()),
                _ => {}
            }
        }
        if scenario.convergence.is_none() {
            for (node, namespace) in self.nodes.iter().enumerate() {
                for route in scenario.topologies[0].routes(node) {
                    // A node behind another link that is still down has no way to some of its routes.
                    let _ = namespace.route(route.prefix, route.prefix_length, route.gateway);
                }
            }
        }
        Ok(())
    }

    /// Gives every node the routes of a topology, and takes away those that it had and has no more.
    pub(crate) fn converge(&mut self, index: usize, scenario: &Scenario) -> Result<(), Fault> {
        let [before, now] = [&scenario.topologies[index - 1], &scenario.topologies[index]];
        for (node, namespace) in self.nodes.iter().enumerate() {
            let routes = now.routes(node);
            let gone = |old: &&Route| !routes.iter().any(|route| route.prefix == old.prefix);
            for route in before.routes(node).iter().filter(gone) {
                // The kernel may have removed it with the link.
                let _ = namespace.unroute(route.prefix, route.prefix_length);
            }
            for route in routes {
                namespace
                    .route(route.prefix, route.prefix_length, route.gateway)
                    .map_err(|error| error.to_string())?;
            }
        }
        self.route_groups(scenario, now.from)
    }

    /// Forwards the flows to groups along the trees of that time.
    pub(crate) fn route_groups(&mut self, scenario: &Scenario, at: Duration) -> Result<(), Fault> {
        let mut wanted = BTreeMap::new();
        for (index, flow) in scenario.flows.iter().enumerate() {
            let Target::Group(_) = flow.to else { continue };
            for (node, branch) in scenario.data_tree(index, at).0 {
                let forwards = scenario.nodes[node].kind.forwards();
                let entry = forwards.then(|| entry(scenario, node, &branch)).flatten();
                wanted.extend(entry.map(|entry| ((node, index), entry)));
            }
        }
        for ((node, index), (incoming, outgoing)) in &wanted {
            if self
                .forwarding
                .get(&(*node, *index))
                .is_none_or(|known| (&known.0, &known.1) != (incoming, outgoing))
            {
                let flow = &scenario.flows[*index];
                let outgoing: Vec<&str> = outgoing.iter().map(String::as_str).collect();
                self.nodes[*node]
                    .multicast_route(Some(flow.source), flow.destination, incoming, &outgoing)
                    .map_err(|error| error.to_string())?;
            }
        }
        for (node, index) in self.forwarding.keys().filter(|key| !wanted.contains_key(key)) {
            let flow = &scenario.flows[*index];
            self.nodes[*node]
                .multicast_unroute(Some(flow.source), flow.destination)
                .map_err(|error| error.to_string())?;
        }
        self.forwarding = wanted;
        Ok(())
    }

    /// Sockets that hear what the receivers are to hear; members have not joined yet.
    pub(crate) fn receivers(&self, scenario: &Scenario) -> Result<Vec<UdpSocket>, Fault> {
        let bind = |receiver: &crate::lab::model::Receiver| {
            let address = SocketAddr::new(receiver.destination, receiver.port);
            let socket = self.nodes[receiver.node].run(|| UdpSocket::bind(address));
            socket.map_err(|error| format!("{}: cannot receive at {address}: {error}", receiver.name))
        };
        scenario.receivers.iter().map(bind).collect()
    }

    /// A socket that sends a flow.
    pub(crate) fn sender(&self, index: FlowIndex, scenario: &Scenario) -> Result<UdpSocket, Fault> {
        let flow = &scenario.flows[index];
        let from = SocketAddr::new(flow.source, flow.port);
        let failed = |error| format!("{}: cannot send from {from}: {error}", flow.name);
        let namespace = &self.nodes[flow.from];
        let socket = namespace.run(|| UdpSocket::bind(from)).map_err(failed)?;
        if let (Target::Group(_), Some(interface)) = (flow.to, scenario.nodes[flow.from].interfaces.first()) {
            let index = namespace.index(&interface.name).map_err(|error| error.to_string())?;
            rsvp_netns::socket::send_to_groups(&socket, flow.source, index).map_err(failed)?;
        }
        Ok(socket)
    }

    /// Lets a member's socket join its group, or leave it.
    pub(crate) fn set_member(
        &self,
        index: ReceiverIndex,
        joins: bool,
        socket: &UdpSocket,
        scenario: &Scenario,
    ) -> Result<(), Fault> {
        let receiver = &scenario.receivers[index];
        let Some(interface) = scenario.nodes[receiver.node].interfaces.first() else { return Ok(()) };
        let number = self.nodes[receiver.node].index(&interface.name).map_err(|error| error.to_string())?;
        let done = match (receiver.destination, receiver.address) {
            (IpAddr::V4(group), IpAddr::V4(own)) if joins => socket.join_multicast_v4(&group, &own),
            (IpAddr::V4(group), IpAddr::V4(own)) => socket.leave_multicast_v4(&group, &own),
            (IpAddr::V6(group), _) if joins => socket.join_multicast_v6(&group, number),
            (IpAddr::V6(group), _) => socket.leave_multicast_v6(&group, number),
            _ => Ok(()),
        };
        let what = if joins { "join" } else { "leave" };
        done.map_err(|error| format!("{}: cannot {what} {}: {error}", receiver.name, receiver.destination))
    }
}

/// Where a host's routing sends what goes to groups of IPv4; IPv6 has such a route on every interface.
fn group_gateway(scenario: &Scenario, node: NodeIndex) -> Option<IpAddr> {
    let interface = scenario.nodes[node].interfaces.first()?;
    let router =
        scenario.links[interface.link].ends.iter().find(|end| scenario.nodes[**end].kind.forwards())?;
    let is_host = !scenario.nodes[node].kind.forwards();
    let gateway = scenario.nodes[*router].interface_on(interface.link)?.address;
    (is_host && gateway.is_ipv4() && !scenario.groups.is_empty()).then_some(gateway)
}

/// The ends of a link.
fn ends<'a>(
    scenario: &'a Scenario,
    link: LinkIndex,
    nodes: &'a [Namespace],
) -> impl Iterator<Item = (&'a Namespace, &'a Interface)> {
    let ends = scenario.links[link].ends.iter();
    ends.filter_map(move |node| Some((&nodes[*node], scenario.nodes[*node].interface_on(link)?)))
}

/// Makes a link: a veth pair, or a bridge in a namespace of its own with a veth pair to every node.
fn connect(scenario: &Scenario, link: LinkIndex, nodes: &[Namespace]) -> Result<Option<Namespace>, Error> {
    let ends: Vec<_> = ends(scenario, link, nodes).collect();
    let lan = if let [(one, from), (other, to)] = ends[..] {
        one.add_link(&from.name, other, &to.name)?;
        None
    } else {
        let lan = Namespace::new(&scenario.links[link].name)?;
        lan.add_bridge(BRIDGE)?;
        for (position, (namespace, interface)) in ends.iter().enumerate() {
            let port = format!("port{position}");
            namespace.add_link(&interface.name, &lan, &port)?;
            lan.plug(&port, BRIDGE)?;
        }
        Some(lan)
    };
    for (namespace, interface) in ends {
        namespace.address(&interface.name, interface.address, scenario.family.prefix_length())?;
    }
    Ok(lan)
}

/// The interface that a flow comes by to a router, and those that it leaves by.
fn entry(scenario: &Scenario, node: NodeIndex, branch: &Branch) -> Option<(String, Vec<String>)> {
    let name = |link: LinkIndex| Some(scenario.nodes[node].interface_on(link)?.name.clone());
    Some((name(branch.incoming?)?, branch.outgoing.iter().filter_map(|link| name(*link)).collect()))
}
