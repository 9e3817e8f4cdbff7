//! Where messages to groups go: the kernel's multicast forwarding.

#![cfg(target_os = "linux")]

mod common;

use common::{Network, Node, TestResult, ip, is_permitted, network};
use rsvp_core::Request;
use rsvp_core::input::{NextHop, Route};
use rsvp_core::output::RouteKey;

/// A sender behind `west`, a group, and an address of the router there, of each family.
const GROUPS: [(&str, &str, &str); 2] =
    [("10.1.1.2", "239.1.2.3", "10.1.1.1"), ("fd01:1::2", "ff0e::123", "fd01:1::1")];

fn key(source: &str, group: &str) -> RouteKey {
    RouteKey { table: 0, destination: ip(group), source: Some(ip(source)) }
}

fn hops(interfaces: &[rsvp_core::InterfaceId]) -> Vec<NextHop> {
    interfaces.iter().map(|interface| NextHop { interface: *interface, gateway: None }).collect()
}

#[test]
fn routes_of_groups_are_the_kernels_forwarding_entries() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let Network { a: _a, r, b: _b } = network()?;
    let [early, late] = [("10.1.1.2", "239.1.2.9"), ("fd01:1::2", "ff0e::9")];
    for (source, group) in [early, late] {
        r.multicast_route(Some(ip(source)), ip(group), "west", &["east"])?;
    }
    let mut router = Node::router(&r);
    let (west, east) = (router.id("west"), router.id("east"));
    let through = |incoming, outgoing: &[_], shared_tree| Route {
        incoming: Some(incoming),
        outgoing: hops(outgoing),
        shared_tree,
        local: false,
    };
    for (source, group) in [early, late] {
        router.request(Request::WatchRoute(key(source, group)));
        assert_eq!(router.route().1, through(west, &[east], false), "{group} was there before the node");
    }
    for (source, group, _) in GROUPS {
        let (key, group) = (key(source, group), ip(group));
        router.request(Request::WatchRoute(key));
        assert_eq!(router.route(), (key, Route::default()), "there is no entry");
        r.multicast_route(None, group, "west", &["east"])?;
        assert_eq!(router.route(), (key, through(west, &[east], true)), "one for every source");
        r.multicast_route(Some(ip(source)), group, "west", &[])?;
        assert_eq!(router.route(), (key, through(west, &[], false)), "one for this source goes before");
        r.multicast_route(Some(ip(source)), group, "west", &["east"])?;
        assert_eq!(router.route(), (key, through(west, &[east], false)), "a receiver is there");
        r.multicast_route(Some(ip(source)), group, "east", &["west"])?;
        assert_eq!(router.route(), (key, through(east, &[west], false)), "the tree has turned");
        router.request(Request::Join { group, interface: None });
        assert!(router.route().1.local, "the node is a member");
        router.request(Request::Leave { group, interface: None });
        assert!(!router.route().1.local, "the node is no member any more");
        r.multicast_unroute(Some(ip(source)), group)?;
        assert_eq!(router.route(), (key, through(west, &[east], true)), "that for every source is left");
        r.multicast_unroute(None, group)?;
        assert_eq!(router.route(), (key, Route::default()), "nothing is left");
    }
    Ok(())
}

#[test]
fn what_a_node_sends_itself_leaves_by_the_senders_interface() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let Network { a, r, b: _b } = network()?;
    let (mut host, mut router) = (Node::host(&a), Node::router(&r));
    for (source, group, own) in GROUPS {
        host.request(Request::WatchRoute(key(source, group)));
        let expected = Route { outgoing: hops(&[host.id("eth0")]), ..Route::default() };
        assert_eq!(host.route().1, expected);
        let (west, east) = (router.id("west"), router.id("east"));
        router.request(Request::WatchRoute(key(own, group)));
        let expected = |outgoing: &[_]| Route { outgoing: hops(outgoing), ..Route::default() };
        assert_eq!(router.route().1, expected(&[west]));
        r.multicast_route(Some(ip(own)), ip(group), "west", &["east"])?;
        assert_eq!(router.route().1, expected(&[west, east]), "the kernel forwards what it sends, too");
        r.multicast_route(Some(ip(own)), ip(group), "east", &["west"])?;
        assert_eq!(router.route().1, expected(&[west]), "it expects it elsewhere");
    }
    Ok(())
}
