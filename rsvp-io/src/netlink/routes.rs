//! Routes that the node watches: looked up one by one, and again when something changed that may concern them.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Bound;

use netlink_bindings::rt_route;
use rsvp_core::InterfaceId;
use rsvp_core::input::{NextHop, Route};
use rsvp_core::output::RouteKey;

use super::multicast::MulticastEntries;
use super::{Links, Netlink, NetlinkError};

/// The watched routes.
///
/// The kernel tells of changed prefixes, not of changed destinations: so those that a changed prefix covers
/// are looked up again, and all of them when a link, an address, a rule or a next-hop object has changed,
/// since IPv4 routes go silently with their link. An answer that is the same as before is not told again.
///
/// For a group it is another matter: the kernel's multicast forwarding entries are all kept here, as a multicast
/// routing daemon has set them. What an application of this node sends needs none: it leaves by the interface that has
/// the sender's address, and on a multicast router also as an entry says that expects it there.
pub(crate) struct Routes {
    netlink: Netlink,
    entries: MulticastEntries,
    /// The groups that this node is in.
    joined: BTreeSet<IpAddr>,
    watched: BTreeMap<RouteKey, Route>,
    /// To be looked up again.
    dirty: BTreeSet<RouteKey>,
    /// A walk over all watched routes: those after this one are still to be looked up.
    sweep: Option<Bound<RouteKey>>,
    /// Something changed during the walk that asks for another one.
    sweep_again: bool,
}

/// What may have changed the answer for a watched route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RouteChange {
    /// The route to this prefix.
    Prefix(IpAddr, u8),
    /// Possibly every route.
    Any,
}

impl Routes {
    pub(crate) fn open() -> io::Result<Self> {
        Ok(Self {
            netlink: Netlink::open(netlink_sys::protocols::NETLINK_ROUTE)?,
            entries: MulticastEntries::default(),
            joined: BTreeSet::new(),
            watched: BTreeMap::new(),
            dirty: BTreeSet::new(),
            sweep: None,
            sweep_again: false,
        })
    }

    /// Watches a route; the answer is what holds now.
    pub(crate) fn watch(&mut self, key: RouteKey, links: &Links) -> Route {
        let route = self.lookup(&key, links);
        self.watched.insert(key, route.clone());
        route
    }

    pub(crate) fn unwatch(&mut self, key: &RouteKey) {
        self.watched.remove(key);
        self.dirty.remove(key);
    }

    /// Takes note that routes may have changed.
    pub(crate) fn on_change(&mut self, change: RouteChange) {
        match change {
            RouteChange::Any if self.sweep.is_some() => self.sweep_again = true,
            RouteChange::Any => self.sweep = Some(Bound::Unbounded),
            RouteChange::Prefix(address, length) => {
                let (first, last) = range(address, length);
                self.dirty.extend(self.watched.range(covered(first, last)).map(|(key, _)| *key));
            }
        }
    }

    /// Reads the multicast forwarding entries anew.
    pub(crate) fn dump(&mut self) -> Result<(), NetlinkError> {
        self.entries.dump(&mut self.netlink)
    }

    /// Takes note of a multicast forwarding entry, if it is one. Says whether it is.
    pub(crate) fn on_multicast_entry(
        &mut self,
        header: &rt_route::Rtmsg,
        attributes: &rt_route::IterableRouteAttrs<'_>,
        present: bool,
    ) -> bool {
        let group = self.entries.on_entry(header, attributes, present);
        if let Some(group) = group {
            self.dirty.extend(self.watched.range(covered(group, group)).map(|(key, _)| *key));
        }
        group.is_some()
    }

    /// This node is in a group, or is so no more: tells the routes that have changed by that.
    pub(crate) fn on_membership(
        &mut self,
        group: IpAddr,
        joined: bool,
        links: &Links,
        tell: &mut dyn FnMut(RouteKey, Route),
    ) {
        if joined {
            self.joined.insert(group);
        } else {
            self.joined.remove(&group);
        }
        let keys: Vec<RouteKey> = self.watched.range(covered(group, group)).map(|(key, _)| *key).collect();
        for key in keys {
            self.look_again(key, links, tell);
        }
    }

    /// The watched flows to groups that go nowhere because there is no forwarding entry.
    pub(crate) fn unrouted(&self, links: &Links) -> impl Iterator<Item = &RouteKey> {
        let flows = self.watched.iter().filter(|(key, _)| key.destination.is_multicast());
        flows
            .filter(|(key, route)| {
                let is_foreign = key.source.is_some_and(|source| !links.has_address(source));
                is_foreign && route.incoming.is_none() && route.outgoing.is_empty()
            })
            .map(|(key, _)| key)
    }

    /// The interface by which packets to a group leave where nobody says by which.
    pub(crate) fn default_interface(&mut self, group: IpAddr, links: &Links) -> Option<InterfaceId> {
        let key = RouteKey { table: 0, destination: group, source: None };
        lookup(&mut self.netlink, &key, links).outgoing.first().map(|hop| hop.interface)
    }

    /// Looks at most `budget` routes up again and tells those that changed. Says whether more are waiting.
    pub(crate) fn refresh(
        &mut self,
        budget: usize,
        links: &Links,
        tell: &mut dyn FnMut(RouteKey, Route),
    ) -> bool {
        for _ in 0..budget {
            let Some(key) = self.next_to_refresh() else { return false };
            self.look_again(key, links, tell);
        }
        !self.dirty.is_empty() || self.sweep.is_some()
    }

    fn look_again(&mut self, key: RouteKey, links: &Links, tell: &mut dyn FnMut(RouteKey, Route)) {
        let route = self.lookup(&key, links);
        let Some(known) = self.watched.get_mut(&key) else { return };
        if *known != route {
            known.clone_from(&route);
            tell(key, route);
        }
    }

    fn next_to_refresh(&mut self) -> Option<RouteKey> {
        if let Some(key) = self.dirty.pop_first() {
            return Some(key);
        }
        loop {
            let from = self.sweep?;
            if let Some((key, _)) = self.watched.range((from, Bound::Unbounded)).next() {
                self.sweep = Some(Bound::Excluded(*key));
                return Some(*key);
            }
            self.sweep = std::mem::take(&mut self.sweep_again).then_some(Bound::Unbounded);
        }
    }

    /// Where packets go. Tables other than what the rules choose are not looked at.
    fn lookup(&mut self, key: &RouteKey, links: &Links) -> Route {
        if key.table != 0 {
            Route::default()
        } else if key.destination.is_multicast() {
            self.multicast(key, links)
        } else {
            lookup(&mut self.netlink, key, links)
        }
    }

    fn multicast(&mut self, key: &RouteKey, links: &Links) -> Route {
        let group = key.destination;
        let any = if group.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let source = key.source.unwrap_or(any);
        let local = self.joined.contains(&group);
        let entry = self.entries.of(group, source);
        let hops = |devices: &[u32]| -> Vec<NextHop> {
            let interfaces = devices.iter().filter_map(|device| links.id(*device));
            interfaces.map(|interface| NextHop { interface, gateway: None }).collect()
        };
        let mut route = Route { local, ..Route::default() };
        if links.has_address(source) {
            let Some(device) = links.device_of(source) else {
                // The address is the loopback's, say. The routing table knows by which interface groups are reached.
                return Route { local, ..lookup(&mut self.netlink, key, links) };
            };
            route.outgoing = hops(&[device]);
            // On a multicast router it is as if it had come in there, too.
            if let Some(entry) = entry.filter(|entry| entry.incoming == device) {
                route.outgoing.extend(hops(&entry.outgoing));
            }
        } else if let Some(entry) = entry
            && let Some(incoming) = links.id(entry.incoming)
        {
            route.incoming = Some(incoming);
            route.outgoing = hops(&entry.outgoing);
            route.shared_tree = entry.shared;
        }
        route
    }
}

/// Asks the kernel where packets to a destination go. No answer is no route.
fn lookup(netlink: &mut Netlink, key: &RouteKey, links: &Links) -> Route {
    let (family, bits) = match key.destination {
        IpAddr::V4(_) => (libc::AF_INET, 32),
        IpAddr::V6(_) => (libc::AF_INET6, 128),
    };
    let header = rt_route::Rtmsg { rtm_family: family as u8, rtm_dst_len: bits, ..rt_route::Rtmsg::new() };
    let mut request = rt_route::Request::new().op_getroute_do(&header);
    request.encode().push_dst(key.destination);
    let mut route = Route::default();
    let result = netlink.call(&request, |(header, attributes)| {
        route = read_route(&header, &attributes, links);
    });
    if let Err(error) = result {
        on_failed_lookup(key, &error);
        return Route::default();
    }
    route
}

/// An error is how the kernel says "unreachable", but it may mean something else.
fn on_failed_lookup(key: &RouteKey, error: &NetlinkError) {
    let unreachable = [libc::ENETUNREACH, libc::EHOSTUNREACH, libc::EACCES, libc::EINVAL, libc::ENETDOWN];
    if error.errno().is_some_and(|errno| unreachable.contains(&errno)) {
        tracing::debug!(destination = %key.destination, %error, "no route");
    } else {
        tracing::warn!(destination = %key.destination, %error, "the route lookup failed");
    }
}

fn read_route(
    header: &rt_route::Rtmsg,
    attributes: &rt_route::IterableRouteAttrs<'_>,
    links: &Links,
) -> Route {
    match header.rtm_type {
        libc::RTN_LOCAL => Route { local: true, ..Route::default() },
        libc::RTN_UNICAST | libc::RTN_MULTICAST => {
            let is_unicast = header.rtm_type == libc::RTN_UNICAST;
            let gateway = attributes.get_gateway().or_else(|_| attributes.get_via()).ok();
            let gateway = gateway.filter(|_| is_unicast);
            // A device that is no interface of the node leads nowhere for RSVP.
            let interface = attributes.get_oif().ok().and_then(|device| links.id(device));
            let outgoing = interface.map(|interface| NextHop { interface, gateway });
            Route { outgoing: outgoing.into_iter().collect(), ..Route::default() }
        }
        _ => Route::default(),
    }
}

/// The keys with a destination from the first to the last, in the default table.
fn covered(first: IpAddr, last: IpAddr) -> std::ops::RangeInclusive<RouteKey> {
    let greatest = IpAddr::V6(Ipv6Addr::from_bits(u128::MAX));
    RouteKey { table: 0, destination: first, source: None }..=RouteKey {
        table: 0,
        destination: last,
        source: Some(greatest),
    }
}

/// The first and the last address of a prefix.
fn range(address: IpAddr, length: u8) -> (IpAddr, IpAddr) {
    match address {
        IpAddr::V4(address) => {
            let host = u32::MAX.checked_shr(length.into()).unwrap_or(0);
            let bits = address.to_bits();
            (Ipv4Addr::from_bits(bits & !host).into(), Ipv4Addr::from_bits(bits | host).into())
        }
        IpAddr::V6(address) => {
            let host = u128::MAX.checked_shr(length.into()).unwrap_or(0);
            let bits = address.to_bits();
            (Ipv6Addr::from_bits(bits & !host).into(), Ipv6Addr::from_bits(bits | host).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::InterfaceSelection;

    fn key(destination: &str) -> RouteKey {
        RouteKey { table: 0, destination: destination.parse().unwrap(), source: None }
    }

    fn watching(destinations: &[&str]) -> Routes {
        let mut routes = Routes::open().expect("netlink needs no privilege");
        routes.watched = destinations.iter().map(|d| (key(d), Route::default())).collect();
        routes
    }

    #[test]
    fn only_what_a_prefix_covers_is_looked_up_again() {
        let mut routes = watching(&["10.0.0.255", "10.0.1.0", "10.0.1.255", "10.0.2.0", "2001:db8::1"]);
        routes.on_change(RouteChange::Prefix("10.0.1.0".parse().unwrap(), 24));
        assert_eq!(routes.dirty, [key("10.0.1.0"), key("10.0.1.255")].into());
        routes.dirty.clear();
        routes.on_change(RouteChange::Prefix("0.0.0.0".parse().unwrap(), 0));
        assert_eq!(routes.dirty.len(), 4, "the IPv4 default route covers IPv4 alone");
        routes.on_change(RouteChange::Prefix("::".parse().unwrap(), 0));
        assert_eq!(routes.dirty.len(), 5);
    }

    #[test]
    fn a_sweep_looks_at_every_route_once_and_again_if_asked_meanwhile() {
        let mut routes = watching(&["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
        routes.on_change(RouteChange::Any);
        assert_eq!(routes.next_to_refresh(), Some(key("10.0.0.1")));
        routes.on_change(RouteChange::Any);
        routes.on_change(RouteChange::Any);
        let rest: Vec<_> = std::iter::from_fn(|| routes.next_to_refresh()).collect();
        assert_eq!(rest, ["10.0.0.2", "10.0.0.3", "10.0.0.1", "10.0.0.2", "10.0.0.3"].map(key));
    }

    #[test]
    fn work_per_call_is_bounded() {
        let mut routes = watching(&["192.0.2.1", "192.0.2.2", "192.0.2.3"]);
        let links = Links::new(InterfaceSelection::All);
        routes.on_change(RouteChange::Any);
        assert!(routes.refresh(2, &links, &mut |_, _| {}));
        assert!(!routes.refresh(2, &links, &mut |_, _| {}));
    }
}
