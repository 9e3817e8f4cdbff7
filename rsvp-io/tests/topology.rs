//! Interfaces and routes as the kernel has them, and their changes.

#![cfg(target_os = "linux")]

mod common;

use std::collections::BTreeSet;

use common::{Node, TestResult, ip, is_permitted, network};
use rsvp_core::Request;
use rsvp_core::input::{NextHop, Route};
use rsvp_core::output::RouteKey;
use rsvp_driver::Outside;
use rsvp_io::{InterfaceSelection, SystemOptions};

fn key(destination: &str) -> RouteKey {
    RouteKey { table: 0, destination: ip(destination), source: None }
}

fn by(node: &Node, interface: &str, gateway: Option<&str>) -> Route {
    let outgoing = vec![NextHop { interface: node.id(interface), gateway: gateway.map(ip) }];
    Route { outgoing, ..Route::default() }
}

#[test]
fn interfaces_are_told_with_their_addresses() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let r = Node::router(&network.r);
    assert_eq!(r.interfaces.keys().collect::<Vec<_>>(), ["east", "west"]);
    let east = &r.interfaces["east"];
    assert!(east.up);
    assert_eq!(east.mtu, 1500);
    assert_eq!(east.addresses[..2], [ip("10.1.2.1"), ip("fd01:2::1")]);
    assert_eq!(east.addresses.len(), 3, "and a link-local address: {:?}", east.addresses);
    Ok(())
}

#[test]
fn only_selected_interfaces_are_told() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let names: BTreeSet<String> = ["east".to_owned(), "absent".to_owned()].into();
    let options = SystemOptions {
        router: true,
        interfaces: InterfaceSelection::Named(names),
        ..SystemOptions::default()
    };
    let mut r = Node::open(&network.r, options);
    assert_eq!(r.interfaces.keys().collect::<Vec<_>>(), ["east"]);
    r.request(Request::WatchRoute(key("10.1.1.2")));
    assert_eq!(r.route().1, Route::default(), "a device that is no interface leads nowhere");
    Ok(())
}

#[test]
fn a_link_that_fails_and_comes_back_is_told() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let mut r = Node::router(&network.r);
    let id = r.id("east");
    network.b.link_down("eth0")?;
    r.wait("the loss of the carrier", |r| (!r.interfaces["east"].up).then_some(()));
    network.b.link_up("eth0")?;
    r.wait("the carrier", |r| r.interfaces["east"].up.then_some(()));
    assert_eq!(r.id("east"), id, "it is the same interface");
    Ok(())
}

#[test]
fn an_interface_that_is_made_anew_has_another_id() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let mut r = Node::router(&network.r);
    let id = r.id("east");
    network.r.unlink("east")?;
    r.wait("the removal", |r| r.removed.contains(&id).then_some(()));
    network.r.link("east", &network.b, "eth0")?;
    network.r.address("east", ip("10.1.2.1"), 24)?;
    let known = r.wait("the new one", |r| r.interfaces.get("east").cloned());
    assert_ne!(known.id, id);
    r.wait("its address", |r| r.interfaces["east"].addresses.contains(&ip("10.1.2.1")).then_some(()));
    Ok(())
}

#[test]
fn addresses_that_come_and_go_are_told() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let mut r = Node::router(&network.r);
    network.r.address("east", ip("10.1.9.1"), 24)?;
    r.wait("an address", |r| r.interfaces["east"].addresses.contains(&ip("10.1.9.1")).then_some(()));
    assert_eq!(r.interfaces["east"].addresses[0], ip("10.1.2.1"), "the first stays the preferred one");
    network.r.link_down("east")?;
    r.wait("the loss of IPv6 addresses", |r| {
        r.interfaces["east"].addresses.iter().all(std::net::IpAddr::is_ipv4).then_some(())
    });
    Ok(())
}

#[test]
fn routes_are_answered_at_once() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let [mut a, mut r] = [Node::host(&network.a), Node::router(&network.r)];
    for (destination, expected) in [
        ("10.1.1.2", by(&r, "west", None)),
        ("fd01:2::2", by(&r, "east", None)),
        ("10.1.2.1", Route { local: true, ..Route::default() }),
        ("fd01:1::1", Route { local: true, ..Route::default() }),
        ("192.0.2.1", Route::default()),
        ("2001:db8::1", Route::default()),
        ("224.1.2.3", Route::default()),
    ] {
        r.request(Request::WatchRoute(key(destination)));
        assert_eq!(r.inputs.len(), 1, "{destination}");
        assert_eq!(r.route(), (key(destination), expected), "{destination}");
    }
    a.request(Request::WatchRoute(key("192.0.2.1")));
    assert_eq!(a.route().1, by(&a, "eth0", Some("10.1.1.1")));
    a.request(Request::WatchRoute(key("2001:db8::1")));
    assert_eq!(a.route().1, by(&a, "eth0", Some("fd01:1::1")));
    Ok(())
}

#[test]
fn route_changes_are_told_for_what_they_cover() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let mut r = Node::router(&network.r);
    for destination in ["192.0.2.1", "198.51.100.1", "2001:db8::1"] {
        r.request(Request::WatchRoute(key(destination)));
    }
    r.inputs.clear();
    network.r.route(ip("192.0.2.0"), 24, ip("10.1.2.2"))?;
    assert_eq!(r.route(), (key("192.0.2.1"), by(&r, "east", Some("10.1.2.2"))));
    network.r.route(ip("192.0.2.0"), 25, ip("10.1.1.2"))?;
    assert_eq!(r.route(), (key("192.0.2.1"), by(&r, "west", Some("10.1.1.2"))), "a longer prefix");
    network.r.route(ip("2001:db8::"), 32, ip("fd01:1::2"))?;
    assert_eq!(r.route(), (key("2001:db8::1"), by(&r, "west", Some("fd01:1::2"))));
    network.r.unroute(ip("192.0.2.0"), 25)?;
    assert_eq!(r.route(), (key("192.0.2.1"), by(&r, "east", Some("10.1.2.2"))));
    r.request(Request::UnwatchRoute(key("192.0.2.1")));
    network.r.unroute(ip("192.0.2.0"), 24)?;
    r.hears_nothing();
    Ok(())
}

#[test]
fn routes_that_go_silently_with_their_link_are_told() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let mut r = Node::router(&network.r);
    network.r.route(ip("192.0.2.0"), 24, ip("10.1.2.2"))?;
    r.request(Request::WatchRoute(key("192.0.2.1")));
    assert_eq!(r.route().1, by(&r, "east", Some("10.1.2.2")));
    network.r.link_down("east")?;
    assert_eq!(r.route(), (key("192.0.2.1"), Route::default()));
    Ok(())
}

#[test]
fn a_storm_of_changes_ends_in_the_right_state() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let mut r = Node::router(&network.r);
    r.request(Request::WatchRoute(key("192.0.2.1")));
    r.inputs.clear();
    for round in 0..300 {
        let gateway = if round % 2 == 0 { "10.1.2.2" } else { "10.1.1.2" };
        network.r.route(ip("192.0.2.0"), 24, ip(gateway))?;
    }
    let west = by(&r, "west", Some("10.1.1.2"));
    r.wait("the last route", |r| match r.inputs.last() {
        Some(rsvp_core::Input::Route(_, route)) => (*route == west).then_some(()),
        _ => None,
    });
    assert_eq!(r.inputs.len(), 1, "changes that were waiting together are told as one");
    Ok(())
}

#[test]
fn notifications_that_are_lost_are_made_up_for() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let network = network()?;
    let mut r = Node::router(&network.r);
    r.request(Request::WatchRoute(key("192.0.2.1")));
    r.inputs.clear();
    for fd in r.system.sources()? {
        nix::sys::socket::setsockopt(&fd, nix::sys::socket::sockopt::RcvBuf, &4096)?;
    }
    for _ in 0..300 {
        network.r.route(ip("198.51.100.0"), 24, ip("10.1.2.2"))?;
        network.r.unroute(ip("198.51.100.0"), 24)?;
    }
    // By now there is no room for these.
    network.r.route(ip("192.0.2.0"), 24, ip("10.1.1.2"))?;
    network.r.address("east", ip("10.1.9.1"), 24)?;
    network.r.unlink("west")?;
    r.wait("the loss of the interface", |r| (!r.interfaces.contains_key("west")).then_some(()));
    assert!(r.interfaces["east"].addresses.contains(&ip("10.1.9.1")));
    r.hears_nothing();
    network.r.route(ip("192.0.2.0"), 24, ip("10.1.2.2"))?;
    assert_eq!(r.route(), (key("192.0.2.1"), by(&r, "east", Some("10.1.2.2"))), "it goes on");
    Ok(())
}
