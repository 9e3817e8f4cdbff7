//! The routing table of the router: the routing protocols change it while the node runs.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::IpAddr;
use std::os::fd::OwnedFd;

use ipnet::IpNet;
use rsvp_core::InterfaceId;
use rsvp_core::input::{InterfaceInfo, NextHop, Route};
use rsvp_core::output::RouteKey;
use rsvp_driver::{ReadOutcome, Routing, RoutingEvent, Source};

use crate::inbox::{Inbox, Outbox};

/// What a routing protocol has found out.
pub(crate) enum RouteChange {
    /// Packets to these addresses go there from now on.
    Add(IpNet, NextHop),
    /// There is no such route any more.
    Withdraw(IpNet),
}

/// Routes to addresses, by the longest prefix. This router routes no groups.
pub(crate) struct Rib {
    ports: Vec<InterfaceInfo>,
    routes: HashMap<IpNet, NextHop>,
    /// What the node wants to know of, and what it was told last.
    watched: BTreeMap<RouteKey, Route>,
    changes: Inbox<RouteChange>,
}

impl Rib {
    /// An empty table of a router with these ports, and the way in for changes.
    pub(crate) fn new(ports: Vec<InterfaceInfo>) -> io::Result<(Self, Outbox<RouteChange>)> {
        let (feed, changes) = Inbox::new()?;
        Ok((Self { ports, routes: HashMap::new(), watched: BTreeMap::new(), changes }, feed))
    }

    fn lookup(&self, destination: IpAddr) -> Route {
        if self.ports.iter().any(|port| port.addresses.contains(&destination)) {
            return Route { local: true, ..Route::default() };
        }
        Route { outgoing: self.longest_match(destination).into_iter().collect(), ..Route::default() }
    }

    fn longest_match(&self, destination: IpAddr) -> Option<NextHop> {
        let host = IpNet::from(destination);
        (0..=host.max_prefix_len()).rev().find_map(|length| {
            let prefix = IpNet::new(destination, length).ok()?.trunc();
            self.routes.get(&prefix).copied()
        })
    }
}

impl Routing for Rib {
    fn sources(&self) -> io::Result<Vec<OwnedFd>> {
        Ok(vec![self.changes.source()?])
    }

    fn start(&mut self, sink: &mut dyn FnMut(RoutingEvent)) {
        self.ports.iter().cloned().for_each(|port| sink(RoutingEvent::Interface(port.into())));
    }

    fn read(
        &mut self,
        _: Source,
        budget: usize,
        sink: &mut dyn FnMut(RoutingEvent),
    ) -> io::Result<ReadOutcome> {
        let Self { routes, changes, .. } = self;
        let outcome = changes.drain(budget, |change| match change {
            RouteChange::Add(prefix, next_hop) => drop(routes.insert(prefix.trunc(), next_hop)),
            RouteChange::Withdraw(prefix) => drop(routes.remove(&prefix.trunc())),
        });
        // Only what has changed: the node repairs at once what it is told of.
        let changed: Vec<_> = self
            .watched
            .iter()
            .map(|(key, known)| (*key, self.lookup(key.destination), known))
            .filter(|(_, route, known)| route != *known)
            .map(|(key, route, _)| (key, route))
            .collect();
        for (key, route) in changed {
            self.watched.insert(key, route.clone());
            sink(RoutingEvent::Route(key, route));
        }
        Ok(outcome)
    }

    fn watch(&mut self, key: RouteKey) -> Option<Route> {
        let route = self.lookup(key.destination);
        self.watched.insert(key, route.clone());
        Some(route)
    }

    fn unwatch(&mut self, key: &RouteKey) {
        self.watched.remove(key);
    }

    fn next_hop(&mut self, destination: IpAddr) -> Option<NextHop> {
        self.longest_match(destination)
    }

    fn on_membership(&mut self, _: IpAddr, _: bool, _: &mut dyn FnMut(RoutingEvent)) {}

    fn default_interface(&mut self, _: IpAddr) -> Option<InterfaceId> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn net(text: &str) -> IpNet {
        text.parse().expect("a prefix")
    }

    fn by(number: u32) -> NextHop {
        NextHop { interface: InterfaceId(number), gateway: None }
    }

    /// Has the table read its inbox; what it tells.
    fn read(rib: &mut Rib) -> Vec<(RouteKey, Vec<NextHop>)> {
        let mut told = Vec::new();
        let sink = &mut |event| match event {
            RoutingEvent::Route(key, route) => told.push((key, route.outgoing)),
            other => panic!("no route: {other:?}"),
        };
        assert_eq!(rib.read(Source(0), 64, sink).expect("it works"), ReadOutcome::Drained);
        told
    }

    #[test]
    fn the_longest_prefix_holds_and_only_changes_are_told() {
        let port = InterfaceInfo::new(InterfaceId(1), "west", [ip("10.0.1.1")]);
        let (mut rib, feed) = Rib::new(vec![port]).expect("a table");
        let key = RouteKey::to(ip("10.0.2.2"));
        assert_eq!(rib.watch(key), Some(Route::default()), "no route is an answer");
        assert!(rib.watch(RouteKey::to(ip("10.0.1.1"))).is_some_and(|route| route.local));

        feed.put(RouteChange::Add(net("10.0.0.0/16"), by(1)));
        assert_eq!(read(&mut rib), [(key, vec![by(1)])]);
        feed.put(RouteChange::Add(net("10.0.2.0/24"), by(2)));
        assert_eq!(read(&mut rib), [(key, vec![by(2)])]);
        feed.put(RouteChange::Add(net("0.0.0.0/0"), by(3)));
        assert_eq!(read(&mut rib), [], "a shorter prefix changes nothing");
        assert_eq!(rib.next_hop(ip("192.0.2.1")), Some(by(3)));
        feed.put(RouteChange::Withdraw(net("10.0.2.0/24")));
        assert_eq!(read(&mut rib), [(key, vec![by(1)])]);
        rib.unwatch(&key);
        feed.put(RouteChange::Withdraw(net("10.0.0.0/16")));
        assert_eq!(read(&mut rib), [], "nobody watches");
    }
}
