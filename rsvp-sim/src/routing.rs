//! Shortest paths, and the trees of multicast: what converged routing protocols would have put into every device.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use rsvp_core::InterfaceId;
use rsvp_core::input::{NextHop, Route};
use rsvp_core::output::RouteKey;

use crate::topology::{Device, Link, NodeId, Role};

/// The network as routing knows it. It stays as it was taken until it is taken again.
#[derive(Debug, Default)]
pub(crate) struct RoutingTable {
    devices: Vec<Vertex>,
    /// The usable interfaces on each link: device and position in [`Vertex::ports`].
    links: BTreeMap<usize, Vec<(usize, usize)>>,
    /// The links where each group has members.
    members: BTreeMap<IpAddr, BTreeSet<usize>>,
    /// The groups that share one tree for all senders, and the device that it grows from.
    cores: BTreeMap<IpAddr, NodeId>,
    /// Whether a group's routes name all next hops on a link.
    lists_next_hops: bool,
    distances: BTreeMap<IpAddr, Vec<Option<u32>>>,
    routes: BTreeMap<(NodeId, IpAddr), Route>,
    trees: BTreeMap<(IpAddr, IpAddr), Tree>,
}

#[derive(Debug)]
struct Vertex {
    forwards: bool,
    /// Its own addresses, also those of interfaces that are down.
    own: Vec<IpAddr>,
    /// Those of them that belong to no link.
    stubs: Vec<IpAddr>,
    /// Groups that its applications receive, and where.
    groups: BTreeSet<(IpAddr, InterfaceId)>,
    ports: Vec<Edge>,
}

/// One usable interface: its link is up, and so is it.
#[derive(Debug)]
struct Edge {
    interface: InterfaceId,
    addresses: Vec<IpAddr>,
    link: usize,
    cost: u32,
}

/// How the packets of one source get to a group: for each router that they pass, where they come in, and where they
/// go out.
type Tree = BTreeMap<usize, (InterfaceId, Vec<InterfaceId>)>;

impl RoutingTable {
    /// Looks at the network as it is now.
    pub(crate) fn new(
        devices: &[Device],
        links: &[Link],
        cores: &BTreeMap<IpAddr, NodeId>,
        lists_next_hops: bool,
    ) -> Self {
        let vertex = |device: &Device| Vertex {
            forwards: device.role == Role::Router,
            own: device.addresses().collect(),
            stubs: if device.powered { device.stubs.clone() } else { Vec::new() },
            groups: device.memberships().collect(),
            ports: device
                .ports
                .iter()
                .filter(|port| device.powered && port.enabled && links[port.link.0].up)
                .map(|port| Edge {
                    interface: port.id,
                    addresses: port.addresses.clone(),
                    link: port.link.0,
                    cost: links[port.link.0].cost,
                })
                .collect(),
        };
        let vertices: Vec<Vertex> = devices.iter().map(vertex).collect();
        let mut table = Self { cores: cores.clone(), lists_next_hops, ..Self::default() };
        for (device, vertex) in vertices.iter().enumerate() {
            for (position, edge) in vertex.ports.iter().enumerate() {
                table.links.entry(edge.link).or_default().push((device, position));
            }
            for (group, interface) in devices[device].memberships() {
                let joined = vertex.ports.iter().find(|port| port.interface == interface);
                table.members.entry(group).or_default().extend(joined.map(|port| port.link));
            }
        }
        table.devices = vertices;
        table
    }

    /// The answer to a watched route.
    pub(crate) fn answer(&mut self, node: NodeId, key: &RouteKey) -> Route {
        match key.source {
            Some(source) if key.destination.is_multicast() => self.group_route(node, source, key.destination),
            _ => self.route(node, key.destination).clone(),
        }
    }

    /// How `node` reaches `destination`.
    pub(crate) fn route(&mut self, node: NodeId, destination: IpAddr) -> &Route {
        if !self.routes.contains_key(&(node, destination)) {
            let route = self.compute(node, destination);
            self.routes.insert((node, destination), route);
        }
        &self.routes[&(node, destination)]
    }

    fn compute(&mut self, node: NodeId, destination: IpAddr) -> Route {
        if destination.is_multicast() {
            return Route::default();
        }
        if self.devices[node.0].own.contains(&destination) {
            return Route { local: true, ..Route::default() };
        }
        let distances = self.distances(destination);
        let hops = self.devices[node.0]
            .ports
            .iter()
            .flat_map(|edge| self.hops(node.0, edge, destination, &distances));
        let best = hops.min_by_key(|(distance, _)| *distance);
        Route { outgoing: best.into_iter().map(|(_, hop)| hop).collect(), ..Route::default() }
    }

    /// How packets from `source` to `group` pass `node`. A host sends and receives by its first interface unless it says
    /// otherwise.
    fn group_route(&mut self, node: NodeId, source: IpAddr, group: IpAddr) -> Route {
        let vertex = &self.devices[node.0];
        let local = vertex.groups.iter().any(|(member, _)| *member == group);
        let shared_tree = self.cores.contains_key(&group);
        let is_source = vertex.own.contains(&source);
        if is_source || !vertex.forwards {
            let hop = vertex
                .ports
                .iter()
                .find(|port| port.address_like(group).is_some())
                .map(|port| port.interface);
            let outgoing = self.next_hops(node, hop.as_slice(), source, group);
            return Route { local, outgoing, shared_tree, incoming: None };
        }
        if let Some((incoming, outgoing)) = self.tree(source, group).get(&node.0).cloned() {
            let outgoing = self.next_hops(node, &outgoing, source, group);
            return Route { local, incoming: Some(incoming), outgoing, shared_tree };
        }
        let expected = self.route(node, source).outgoing.first().map(|hop| hop.interface);
        Route { local, incoming: expected, outgoing: Vec::new(), shared_tree }
    }

    /// The next hops of a group on these interfaces: the routers there that take its packets on, and the members.
    fn next_hops(
        &mut self,
        node: NodeId,
        interfaces: &[InterfaceId],
        source: IpAddr,
        group: IpAddr,
    ) -> Vec<NextHop> {
        let mut hops = Vec::new();
        for interface in interfaces.iter().copied() {
            let link = self.link_at(node.0, interface).filter(|_| self.lists_next_hops);
            let others = link.and_then(|link| self.links.get(&link)).cloned().unwrap_or_default();
            let before = hops.len();
            for (other, position) in others.into_iter().filter(|(other, _)| *other != node.0) {
                let on_tree = self.tree(source, group).get(&other).cloned();
                let vertex = &self.devices[other];
                let port = &vertex.ports[position];
                let takes_on = on_tree
                    .is_some_and(|(incoming, outgoing)| incoming == port.interface && !outgoing.is_empty());
                if takes_on || vertex.groups.contains(&(group, port.interface)) {
                    hops.push(NextHop { interface, gateway: port.address_like(group) });
                }
            }
            if hops.len() == before {
                hops.push(NextHop { interface, gateway: None });
            }
        }
        hops
    }

    fn link_at(&self, device: usize, interface: InterfaceId) -> Option<usize> {
        self.devices[device].ports.iter().find(|port| port.interface == interface).map(|port| port.link)
    }

    fn tree(&mut self, source: IpAddr, group: IpAddr) -> &Tree {
        if !self.trees.contains_key(&(source, group)) {
            let tree = self.grow(source, group).unwrap_or_default();
            self.trees.insert((source, group), tree);
        }
        &self.trees[&(source, group)]
    }

    /// Grows a tree from the source, or from the group's core, to every link with members (by reverse paths), and then
    /// follows the packets from the source's own link.
    fn grow(&mut self, source: IpAddr, group: IpAddr) -> Option<Tree> {
        let first = self.link_of(source)?;
        let center = match self.cores.get(&group) {
            Some(core) => self.devices[core.0].address_like(source)?,
            None => source,
        };
        let top = self.link_of(center)?;
        let members = self.members.get(&group).cloned().unwrap_or_default();
        // The routers on the tree, by link.
        let mut joints: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        let mut open: Vec<usize> = members.iter().copied().chain([first]).collect();
        let mut seen: BTreeSet<usize> = open.iter().copied().collect();
        while let Some(link) = open.pop() {
            let Some((router, up)) = self.forwarder(link, top, center) else { continue };
            joints.entry(link).or_default().insert(router);
            joints.entry(up).or_default().insert(router);
            if seen.insert(up) {
                open.push(up);
            }
        }
        let mut tree = Tree::new();
        self.follow(first, None, &joints, &members, &mut tree);
        Some(tree)
    }

    /// The router that brings packets from `center` onto a link, and the link that it gets them from.
    fn forwarder(&mut self, link: usize, top: usize, center: IpAddr) -> Option<(usize, usize)> {
        if link == top {
            return None;
        }
        let distances = self.distances(center);
        let routers = self.links.get(&link)?.iter().map(|(device, _)| *device);
        let router = routers
            .filter(|device| self.devices[*device].forwards && distances[*device].is_some())
            .min_by_key(|device| (distances[*device], *device))?;
        if self.devices[router].own.contains(&center) {
            return Some((router, top));
        }
        let up = self.route(NodeId(router), center).outgoing.first()?.interface;
        let port = self.devices[router].ports.iter().find(|port| port.interface == up)?;
        Some((router, port.link))
    }

    /// Follows packets that are on `link`, where `from` brought them; tells whether anybody beyond wants them.
    fn follow(
        &self,
        link: usize,
        from: Option<usize>,
        joints: &BTreeMap<usize, BTreeSet<usize>>,
        members: &BTreeSet<usize>,
        tree: &mut Tree,
    ) -> bool {
        let mut is_wanted = members.contains(&link);
        for router in joints.get(&link).into_iter().flatten().copied().filter(|router| Some(*router) != from)
        {
            let incoming = self.interface_on(router, link);
            let mut outgoing = Vec::new();
            for other in joints.iter().filter(|(other, on)| **other != link && on.contains(&router)) {
                if self.follow(*other.0, Some(router), joints, members, tree) {
                    outgoing.extend(self.interface_on(router, *other.0));
                }
            }
            is_wanted |= !outgoing.is_empty();
            if let Some(incoming) = incoming {
                tree.insert(router, (incoming, outgoing));
            }
        }
        is_wanted
    }

    fn interface_on(&self, device: usize, link: usize) -> Option<InterfaceId> {
        self.devices[device].ports.iter().find(|port| port.link == link).map(|port| port.interface)
    }

    /// The link of an address; for one that belongs to no link, the first one of its device.
    fn link_of(&self, address: IpAddr) -> Option<usize> {
        let ports = self.devices.iter().flat_map(|device| &device.ports);
        let direct = ports.clone().find(|port| port.addresses.contains(&address));
        let owner = || self.devices.iter().find(|device| device.stubs.contains(&address))?.ports.first();
        direct.or_else(owner).map(|port| port.link)
    }

    /// The ways out of one interface towards `destination`, each with its distance.
    fn hops(
        &self,
        device: usize,
        edge: &Edge,
        destination: IpAddr,
        distances: &[Option<u32>],
    ) -> Vec<(u32, NextHop)> {
        if self.is_on_link(edge.link, destination) {
            return vec![(edge.cost, NextHop { interface: edge.interface, gateway: None })];
        }
        let others = self.links.get(&edge.link).into_iter().flatten().filter(|(other, _)| *other != device);
        others
            .filter_map(|(index, position)| {
                let other = &self.devices[*index];
                let distance =
                    distances[*index].filter(|_| other.forwards || other.stubs.contains(&destination))?;
                let gateway = other.ports[*position].address_like(destination)?;
                Some((edge.cost + distance, NextHop { interface: edge.interface, gateway: Some(gateway) }))
            })
            .collect()
    }

    /// The distance of every device to `destination`; `None` if it cannot reach it.
    fn distances(&mut self, destination: IpAddr) -> Vec<Option<u32>> {
        if let Some(distances) = self.distances.get(&destination) {
            return distances.clone();
        }
        let mut distances: Vec<Option<u32>> = self
            .devices
            .iter()
            .map(|device| {
                if device.stubs.contains(&destination) {
                    return Some(0);
                }
                let direct = device.ports.iter().filter(|port| self.is_on_link(port.link, destination));
                direct.map(|port| port.cost).min()
            })
            .collect();
        let mut changed = true;
        while std::mem::take(&mut changed) {
            for index in 0..self.devices.len() {
                let ports = self.devices[index].ports.iter();
                let best = ports
                    .flat_map(|edge| self.hops(index, edge, destination, &distances))
                    .map(|(distance, _)| distance)
                    .min();
                if best.is_some_and(|best| distances[index].is_none_or(|known| best < known)) {
                    distances[index] = best;
                    changed = true;
                }
            }
        }
        self.distances.insert(destination, distances.clone());
        distances
    }

    fn is_on_link(&self, link: usize, address: IpAddr) -> bool {
        let ports = self.links.get(&link).into_iter().flatten();
        ports
            .map(|(device, position)| &self.devices[*device].ports[*position])
            .any(|port| port.addresses.contains(&address))
    }
}

impl Vertex {
    fn address_like(&self, like: IpAddr) -> Option<IpAddr> {
        self.ports.iter().find_map(|port| port.address_like(like))
    }
}

impl Edge {
    fn address_like(&self, like: IpAddr) -> Option<IpAddr> {
        self.addresses.iter().copied().find(|address| address.is_ipv4() == like.is_ipv4())
    }
}
