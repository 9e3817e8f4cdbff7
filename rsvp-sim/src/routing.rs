//! Shortest paths: what a converged link-state routing protocol would have put into every device.

use std::collections::BTreeMap;
use std::net::IpAddr;

use rsvp_core::InterfaceId;
use rsvp_core::input::{NextHop, Route};

use crate::topology::{Device, Link, NodeId, Role};

/// The network as routing knows it. It stays as it was taken until it is taken again.
#[derive(Debug, Default)]
pub(crate) struct RoutingTable {
    devices: Vec<Vertex>,
    cache: BTreeMap<(NodeId, IpAddr), Route>,
}

#[derive(Debug)]
struct Vertex {
    forwards: bool,
    /// Its own addresses, also those of interfaces that are down.
    own: Vec<IpAddr>,
    /// Those of them that belong to no link.
    stubs: Vec<IpAddr>,
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

impl RoutingTable {
    /// Looks at the network as it is now.
    pub(crate) fn new(devices: &[Device], links: &[Link]) -> Self {
        let devices = devices
            .iter()
            .map(|device| Vertex {
                forwards: device.role == Role::Router,
                own: device.addresses().collect(),
                stubs: if device.powered { device.stubs.clone() } else { Vec::new() },
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
            })
            .collect();
        Self { devices, cache: BTreeMap::new() }
    }

    /// How `node` reaches `destination`.
    pub(crate) fn route(&mut self, node: NodeId, destination: IpAddr) -> Route {
        if let Some(route) = self.cache.get(&(node, destination)) {
            return route.clone();
        }
        let route = self.compute(node, destination);
        self.cache.insert((node, destination), route.clone());
        route
    }

    fn compute(&self, node: NodeId, destination: IpAddr) -> Route {
        if destination.is_multicast() {
            return Route::default();
        }
        let here = &self.devices[node.0];
        if here.own.contains(&destination) {
            return Route { local: true, ..Route::default() };
        }
        let distances = self.distances(destination);
        let best = here
            .ports
            .iter()
            .flat_map(|edge| self.hops(node, edge, destination, &distances))
            .min_by_key(|(distance, _)| *distance);
        Route { outgoing: best.into_iter().map(|(_, hop)| hop).collect(), ..Route::default() }
    }

    /// The ways out of one interface towards `destination`, each with its distance.
    fn hops(
        &self,
        node: NodeId,
        edge: &Edge,
        destination: IpAddr,
        distances: &[Option<u32>],
    ) -> Vec<(u32, NextHop)> {
        if self.is_on_link(edge.link, destination) {
            return vec![(edge.cost, NextHop { interface: edge.interface, gateway: None })];
        }
        let mut hops = Vec::new();
        for (index, other) in self.devices.iter().enumerate() {
            let usable = index != node.0 && (other.forwards || other.stubs.contains(&destination));
            let Some(distance) = distances[index].filter(|_| usable) else { continue };
            let gateway = other
                .ports
                .iter()
                .filter(|port| port.link == edge.link)
                .flat_map(|port| &port.addresses)
                .find(|address| address.is_ipv4() == destination.is_ipv4());
            if let Some(gateway) = gateway {
                let hop = NextHop { interface: edge.interface, gateway: Some(*gateway) };
                hops.push((edge.cost + distance, hop));
            }
        }
        hops
    }

    /// The distance of every device to `destination`; `None` if it cannot reach it.
    fn distances(&self, destination: IpAddr) -> Vec<Option<u32>> {
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
        loop {
            let mut changed = false;
            for index in 0..self.devices.len() {
                let best = self.devices[index]
                    .ports
                    .iter()
                    .flat_map(|edge| self.hops(NodeId(index), edge, destination, &distances))
                    .map(|(distance, _)| distance)
                    .min();
                if best.is_some_and(|best| distances[index].is_none_or(|known| best < known)) {
                    distances[index] = best;
                    changed = true;
                }
            }
            if !changed {
                return distances;
            }
        }
    }

    fn is_on_link(&self, link: usize, address: IpAddr) -> bool {
        let ports = self.devices.iter().flat_map(|device| &device.ports);
        ports.filter(|port| port.link == link).any(|port| port.addresses.contains(&address))
    }
}
