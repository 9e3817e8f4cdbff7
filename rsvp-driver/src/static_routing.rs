//! Interfaces and routes that do not change.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;
use rsvp_core::InterfaceId;
use rsvp_core::input::{NextHop, Route};
use rsvp_core::output::RouteKey;

use crate::{Link, Routing, RoutingEvent};

/// The [`Routing`] of a node whose interfaces and routes are known from the start.
///
/// Packets to an address go by the most specific prefix. Packets of a flow to a group go as it was said of that flow; those
/// of other flows, and of local senders, by the prefix, as a host's do. The addresses of the interfaces are local.
///
/// ```
/// use rsvp_core::InterfaceId;
/// use rsvp_core::input::{InterfaceInfo, NextHop};
/// use rsvp_core::output::RouteKey;
/// use rsvp_driver::{Routing, StaticRouting};
///
/// let west = InterfaceId(1);
/// let mut routing = StaticRouting::new([InterfaceInfo::new(west, "west", ["10.0.0.1".parse()?])]);
/// routing.route("10.0.0.0/8".parse()?, NextHop { interface: west, gateway: None });
///
/// let route = routing.watch(RouteKey::to("10.9.9.9".parse()?));
/// assert_eq!(route.unwrap().outgoing[0].interface, west);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct StaticRouting {
    links: Vec<Link>,
    routes: BTreeMap<IpNet, NextHop>,
    flows: BTreeMap<(IpAddr, IpAddr), Route>,
    joined: BTreeSet<IpAddr>,
    watched: BTreeSet<RouteKey>,
}

impl StaticRouting {
    /// With these interfaces and no routes.
    #[must_use]
    pub fn new(links: impl IntoIterator<Item = impl Into<Link>>) -> Self {
        Self { links: links.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// Packets to these addresses go there.
    pub fn route(&mut self, prefix: IpNet, next_hop: NextHop) -> &mut Self {
        self.routes.insert(prefix, next_hop);
        self
    }

    /// Packets from a source to a group arrive and leave as `route` says; whether this node receives them itself is none of
    /// its business.
    pub fn flow(&mut self, source: IpAddr, group: IpAddr, route: Route) -> &mut Self {
        self.flows.insert((source, group), route);
        self
    }

    fn lookup(&self, key: &RouteKey) -> Route {
        let is_own = |address: &IpAddr| self.links.iter().any(|link| link.info.addresses.contains(address));
        if is_own(&key.destination) {
            return Route { local: true, ..Route::default() };
        }
        let local = self.joined.contains(&key.destination);
        let flow = key.source.and_then(|source| self.flows.get(&(source, key.destination)));
        if let Some(flow) = flow {
            return Route { local, ..flow.clone() };
        }
        if key.destination.is_multicast() && !key.source.as_ref().is_none_or(is_own) {
            return Route { local, ..Route::default() };
        }
        let prefixes = self.routes.iter().filter(|(prefix, _)| prefix.contains(&key.destination));
        let best = prefixes.max_by_key(|(prefix, _)| prefix.prefix_len());
        Route { local, outgoing: best.map(|(_, hop)| *hop).into_iter().collect(), ..Route::default() }
    }
}

impl Routing for StaticRouting {
    fn start(&mut self, sink: &mut dyn FnMut(RoutingEvent)) {
        self.links.iter().cloned().map(RoutingEvent::Interface).for_each(sink);
    }

    fn watch(&mut self, key: RouteKey) -> Option<Route> {
        self.watched.insert(key);
        Some(self.lookup(&key))
    }

    fn unwatch(&mut self, key: &RouteKey) {
        self.watched.remove(key);
    }

    fn next_hop(&mut self, destination: IpAddr) -> Option<NextHop> {
        self.lookup(&RouteKey::to(destination)).outgoing.first().copied()
    }

    fn on_membership(&mut self, group: IpAddr, joined: bool, sink: &mut dyn FnMut(RoutingEvent)) {
        let is_changed = if joined { self.joined.insert(group) } else { self.joined.remove(&group) };
        let keys = self.watched.iter().filter(|key| is_changed && key.destination == group);
        keys.for_each(|key| sink(RoutingEvent::Route(*key, self.lookup(key))));
    }

    fn default_interface(&mut self, group: IpAddr) -> Option<InterfaceId> {
        let routed = self.next_hop(group);
        let has_family =
            |link: &&Link| link.info.addresses.iter().any(|address| address.is_ipv4() == group.is_ipv4());
        let first = || self.links.iter().find(has_family).map(|link| link.info.id);
        routed.map(|hop| hop.interface).or_else(first)
    }
}

#[cfg(test)]
mod tests {
    use rsvp_core::input::InterfaceInfo;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn routing() -> StaticRouting {
        let link = |number: u8, name: &str| {
            InterfaceInfo::new(InterfaceId(number.into()), name, [IpAddr::from([10, 0, number, 1])])
        };
        let mut routing = StaticRouting::new([link(1, "west"), link(2, "east")]);
        for (prefix, number) in [("0.0.0.0/0", 1), ("10.0.2.0/24", 2)] {
            let hop = NextHop { interface: InterfaceId(number), gateway: None };
            routing.route(prefix.parse().expect("a prefix"), hop);
        }
        routing
    }

    fn interfaces(routing: &mut StaticRouting, destination: &str, source: Option<&str>) -> Vec<u32> {
        let key = RouteKey { table: 0, destination: ip(destination), source: source.map(ip) };
        let route = routing.watch(key).expect("an answer at once");
        route.outgoing.iter().map(|hop| hop.interface.0).collect()
    }

    #[test]
    fn the_most_specific_prefix_holds() {
        let mut routing = routing();
        assert_eq!(interfaces(&mut routing, "10.0.2.9", None), [2]);
        assert_eq!(interfaces(&mut routing, "192.0.2.1", None), [1]);
        let own = RouteKey::to(ip("10.0.2.1"));
        assert!(routing.watch(own).expect("an answer").local);
    }

    #[test]
    fn groups_go_as_their_flows_say() {
        let mut routing = routing();
        let route = Route {
            incoming: Some(InterfaceId(1)),
            outgoing: vec![NextHop { interface: InterfaceId(2), gateway: None }],
            ..Route::default()
        };
        routing.flow(ip("192.0.2.1"), ip("239.1.2.3"), route);
        assert_eq!(interfaces(&mut routing, "239.1.2.3", Some("192.0.2.1")), [2]);
        assert_eq!(interfaces(&mut routing, "239.1.2.3", Some("192.0.2.2")), [], "an unknown flow");
        assert_eq!(interfaces(&mut routing, "239.1.2.3", Some("10.0.1.1")), [1], "an own one");
    }

    #[test]
    fn whoever_joins_a_group_is_local() {
        let mut routing = routing();
        let key = RouteKey { table: 0, destination: ip("239.1.2.3"), source: Some(ip("192.0.2.1")) };
        assert!(!routing.watch(key).expect("an answer").local);
        let mut told = Vec::new();
        routing.on_membership(ip("239.1.2.3"), true, &mut |event| told.push(event));
        assert!(matches!(&told[..], [RoutingEvent::Route(known, route)] if *known == key && route.local));
        routing.on_membership(ip("239.1.2.3"), true, &mut |_| panic!("nothing has changed"));
    }
}
