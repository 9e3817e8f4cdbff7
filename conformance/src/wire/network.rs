//! A network of namespaces: the device in one, the tester in the other; or the network that a device is in anyway.

use std::net::IpAddr;

use rsvp_core::input::{NextHop, Route};
use rsvp_netns::{Error, Namespace};

use super::frames::RSVP;
use super::links::Links;
use super::medium::{Medium, only_station};
use super::profile::{Interfaces, LinkKind};
use crate::bench::{Family, Networks, Plan, Port, Unsupported, routes};

/// The lengths of the prefixes of a link, and of all networks of the plan.
const LINK_V4: u8 = 24;
const NETWORKS_V4: u8 = 16;

/// The namespaces, the links between them, and the device's addresses and routes.
#[derive(Debug)]
pub(super) struct Network {
    /// Tells it from the others.
    pub(super) number: usize,
    pub(super) device: Namespace,
    /// Kept because it ends with this value; none if the device is there anyway.
    tester: Option<Namespace>,
    pub(super) links: Links,
    /// Destinations, and sources where that matters, of routes that were changed.
    changed: Vec<(IpAddr, Option<IpAddr>)>,
    /// How the networks between them are numbered.
    networks: Networks,
    /// Whether an interface went down.
    is_cut: bool,
    /// Whether the device forwards what is not for it.
    is_router: bool,
}

impl Network {
    /// Makes it.
    pub(super) fn new(number: usize, networks: Networks, link: LinkKind) -> Result<Self, Error> {
        let device = Namespace::new(&format!("device {number}"))?;
        device.forward()?;
        let tester = Namespace::new(&format!("tester {number}"))?;
        // The stations speak for themselves; the kernel is to be silent on the tester's side.
        tester.sysctl("net/ipv6/conf/default/disable_ipv6", "1")?;
        for port in Port::ALL {
            device.add_link(port.name(), &tester, port.name())?;
        }
        if link == LinkKind::Raw {
            settle_in(&tester, networks.plan(Family::V4))?;
        }
        let mut sockets = Vec::new();
        for port in Port::ALL {
            tester.wait_for_link(port.name())?;
            sockets.push((port, medium(&tester, port.name(), networks, link)?));
        }
        let mut network = Self {
            tester: Some(tester),
            is_cut: true,
            ..Self::around(number, device, networks, Links::new(sockets))
        };
        network.restore()?;
        Ok(network)
    }

    /// That of a device that is there anyway, behind interfaces of this machine.
    pub(super) fn given(interfaces: &Interfaces, networks: Networks, link: LinkKind) -> Result<Self, String> {
        let text = |error: Error| error.to_string();
        let here = Namespace::current("this machine").map_err(text)?;
        let mut sockets = Vec::new();
        for port in Port::ALL {
            let interface = interfaces.towards(port);
            if link == LinkKind::Raw {
                let station = only_station(port);
                let (name, address) = (station.name(), networks.plan(Family::V4).station(station));
                if !here.has_address(interface, address).map_err(text)? {
                    return Err(format!(
                        "{interface} has not the address {address}: with link = \"raw\" this machine is {name}"
                    ));
                }
            }
            sockets.push((port, medium(&here, interface, networks, link).map_err(text)?));
        }
        Ok(Self::around(0, here, networks, Links::new(sockets)))
    }

    fn around(number: usize, device: Namespace, networks: Networks, links: Links) -> Self {
        Self {
            number,
            device,
            tester: None,
            links,
            changed: Vec::new(),
            networks,
            is_cut: false,
            is_router: true,
        }
    }

    /// Puts interfaces, addresses and routes back to what the plan has.
    pub(super) fn restore(&mut self) -> Result<(), Error> {
        let changed = std::mem::take(&mut self.changed);
        if !std::mem::take(&mut self.is_cut) {
            for key in changed {
                let plan = self.networks.plan(Family::of(key.0));
                let route = routes(plan).remove(&key).unwrap_or_default();
                self.route(key, &route)?;
            }
            return Ok(());
        }
        for port in Port::ALL {
            self.device.link_up(port.name())?;
            for plan in self.plans() {
                self.address(plan, port)?;
            }
        }
        for port in Port::ALL {
            self.device.wait_for_link(port.name())?;
        }
        for key in changed {
            self.route(key, &Route::default())?;
        }
        for plan in self.plans() {
            self.route_all(plan)?;
        }
        Ok(())
    }

    fn plans(&self) -> [Plan; 2] {
        [Family::V4, Family::V6].map(|family| self.networks.plan(family))
    }

    /// Has the device be a router, which forwards what is not for it, or a host, which does not. What a device is that is
    /// there anyway, is its own affair.
    pub(super) fn set_role(&mut self, is_router: bool) -> Result<(), Error> {
        if self.tester.is_none() || std::mem::replace(&mut self.is_router, is_router) == is_router {
            return Ok(());
        }
        self.device.sysctl("net/ipv4/ip_forward", if is_router { "1" } else { "0" })?;
        for plan in self.plans() {
            for (key, route) in routes(plan).into_iter().filter(|((to, _), _)| to.is_multicast()) {
                self.route(key, &if is_router { route } else { Route::default() })?;
            }
        }
        Ok(())
    }

    fn address(&self, plan: Plan, port: Port) -> Result<(), Error> {
        let length = match plan.family {
            Family::V4 => LINK_V4,
            Family::V6 => 64,
        };
        match self.device.address(port.name(), plan.dut(port), length) {
            Err(error) if error.is_existing() => Ok(()),
            done => done,
        }
    }

    fn route_all(&self, plan: Plan) -> Result<(), Error> {
        // What is on link the kernel knows by the addresses.
        let is_told = |key: &(IpAddr, Option<IpAddr>), route: &Route| {
            (key.1.is_some() && self.is_router) || route.outgoing.iter().any(|hop| hop.gateway.is_some())
        };
        for (key, route) in routes(plan) {
            if is_told(&key, &route) {
                self.route(key, &route)?;
            }
        }
        Ok(())
    }

    /// Changes a route, until the network is restored.
    pub(super) fn set_route(
        &mut self,
        destination: IpAddr,
        source: Option<IpAddr>,
        route: &Route,
    ) -> Result<(), Unsupported> {
        if !destination.is_multicast() && (route.outgoing.len() > 1 || source.is_some() || route.local) {
            return Err(Unsupported(format!("the route to {destination} cannot be changed like that")));
        }
        // On a link of two it is clear who the next hop is.
        let is_on_lan = |hop: &NextHop| hop.gateway.is_some() && hop.interface == Port::D.interface();
        if destination.is_multicast() && route.outgoing.iter().any(is_on_lan) {
            return Err(Unsupported("routes of groups do not say who the next hops on a LAN are".to_owned()));
        }
        self.changed.push((destination, source));
        self.route((destination, source), route).map_err(|error| Unsupported(error.to_string()))
    }

    fn route(&self, (destination, source): (IpAddr, Option<IpAddr>), route: &Route) -> Result<(), Error> {
        let name = |interface| Port::of(interface).map(Port::name);
        if destination.is_multicast() {
            let outgoing: Vec<&str> = route.outgoing.iter().filter_map(|hop| name(hop.interface)).collect();
            return match route.incoming.and_then(name) {
                Some(incoming) if !outgoing.is_empty() => {
                    self.device.multicast_route(source, destination, incoming, &outgoing)
                }
                _ => gone(self.device.multicast_unroute(source, destination)),
            };
        }
        let length = if destination.is_ipv4() { 32 } else { 128 };
        match route.outgoing.first() {
            Some(hop) => match (hop.gateway, name(hop.interface)) {
                (Some(gateway), _) => self.device.route(destination, length, gateway),
                (None, Some(interface)) => self.device.route_on_link(destination, length, interface),
                (None, None) => Ok(()),
            },
            None => gone(self.device.unroute(destination, length)),
        }
    }

    /// Takes an interface of the device down, or up again.
    pub(super) fn set_link(&mut self, port: Port, up: bool) -> Result<(), Unsupported> {
        self.switch(port, up).map_err(|error| Unsupported(error.to_string()))
    }

    fn switch(&mut self, port: Port, up: bool) -> Result<(), Error> {
        if !up {
            self.is_cut = true;
            return self.device.link_down(port.name());
        }
        self.device.link_up(port.name())?;
        for plan in self.plans() {
            self.address(plan, port)?;
        }
        self.device.wait_for_link(port.name())?;
        for plan in self.plans() {
            self.route_all(plan)?;
        }
        Ok(())
    }
}

/// The tester's end of a link.
fn medium(here: &Namespace, interface: &str, networks: Networks, link: LinkKind) -> Result<Medium, Error> {
    if link == LinkKind::Packet {
        return here.packet_socket(interface).map(Medium::Frames);
    }
    let groups = match networks.plan(Family::V4).g().destination() {
        IpAddr::V4(group) => vec![group],
        IpAddr::V6(_) => vec![],
    };
    here.raw_socket(interface, RSVP, &groups).map(Medium::Packets)
}

/// Has the kernel of the tester be the station on each link, and all that is behind it.
fn settle_in(tester: &Namespace, plan: Plan) -> Result<(), Error> {
    // The sources of packets that the device passes on are among what is behind the stations.
    tester.sysctl("net/ipv4/conf/all/accept_local", "1")?;
    for port in Port::ALL {
        tester.address(port.name(), plan.station(only_station(port)), LINK_V4)?;
    }
    tester.route_here(plan.address(0, 0), NETWORKS_V4)
}

/// What is to be removed may be gone already.
fn gone(removed: Result<(), Error>) -> Result<(), Error> {
    match removed {
        Err(error) if error.is_not_found() => Ok(()),
        done => done,
    }
}
