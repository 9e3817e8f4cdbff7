//! The simulator itself: routing, forwarding, interception and faults, with packets that need no engine.

use std::net::IpAddr;
use std::time::Duration;

use rsvp_core::input::{Encapsulation, NextHop};
use rsvp_core::{Instant, Transmit};
use rsvp_sim::{Conditions, Fate, Network, NodeId};

/// A packet from one device to another, its message a bare header that every node drops.
fn packet(network: &Network, from: NodeId, to: NodeId, ttl: u8, router_alert: bool) -> (Transmit, Vec<u8>) {
    let header = Transmit {
        interface: None,
        next_hop: None,
        source: network.address(from),
        destination: network.address(to),
        ttl,
        router_alert,
        encapsulation: Encapsulation::Raw,
        traffic_class: 192,
    };
    (header, vec![0x10, 1, 0, 0, ttl, 0, 0, 8])
}

/// Sends a packet and returns the hops that it took.
fn hops(network: &mut Network, from: NodeId, to: NodeId, ttl: u8, router_alert: bool) -> Vec<String> {
    network.clear_transcript();
    let (header, message) = packet(network, from, to, ttl, router_alert);
    network.inject(from, header, message);
    network.run_for(Duration::from_secs(1));
    let entries = network.transcript().entries().iter();
    entries
        .map(|entry| match entry.fate {
            Fate::Sent { to, .. } => format!("{}>{}", network.name(entry.from), network.name(to)),
            fate => format!("{} {fate:?}", network.name(entry.from)),
        })
        .collect()
}

#[test]
fn plain_routers_forward_and_count_down_the_ttl() {
    let mut network = Network::new(1);
    let [a, b] = ["a", "b"].map(|name| network.add(name, rsvp_sim::Role::Host, None));
    let [r1, r2] = ["r1", "r2"].map(|name| network.plain_router(name));
    network.connect(&[a, r1]);
    network.connect(&[r1, r2]);
    network.connect(&[r2, b]);
    assert_eq!(hops(&mut network, a, b, 3, true), ["a>r1", "r1>r2", "r2>b"]);
    let ttls: Vec<u8> = network.transcript().entries().iter().map(|entry| entry.header.ttl).collect();
    assert_eq!(ttls, [3, 2, 1]);
    assert_eq!(hops(&mut network, a, b, 2, true), ["a>r1", "r1>r2"], "the TTL is used up at r2");
}

#[test]
fn a_router_with_rsvp_intercepts_router_alert_and_nothing_else() {
    let mut network = Network::new(1);
    let [a, b] = ["a", "b"].map(|name| network.host(name));
    let router = network.router("r");
    network.connect(&[a, router]);
    let last = network.connect(&[router, b]);
    assert_eq!(hops(&mut network, a, b, 64, true), ["a>r"]);
    assert_eq!(hops(&mut network, a, b, 64, false), ["a>r", "r>b"]);
    network.kill(router);
    assert_eq!(hops(&mut network, a, b, 64, true), ["a>r", "r>b"], "the kernel forwards on");
    network.start(router);
    network.freeze(router);
    assert_eq!(hops(&mut network, a, b, 64, true), ["a>r"], "a stopped daemon still takes it");
    network.thaw(router);
    network.set_link_up(last, false);
    assert_eq!(hops(&mut network, a, b, 64, false), ["a NoRoute"]);
}

/// a and b joined by r1 (short) and by r2 and r3 (long).
fn ring(network: &mut Network) -> (NodeId, NodeId, rsvp_sim::LinkId) {
    let [a, b] = ["a", "b"].map(|name| network.add(name, rsvp_sim::Role::Host, None));
    let [r1, r2, r3] = ["r1", "r2", "r3"].map(|name| network.plain_router(name));
    network.connect(&[b, r1, r3]);
    let short = network.connect(&[a, r1]);
    network.connect(&[a, r2]);
    network.connect(&[r2, r3]);
    (a, b, short)
}

#[test]
fn routes_are_shortest_paths_and_follow_failures() {
    let mut network = Network::new(1);
    let (a, b, short) = ring(&mut network);
    let target = network.address(b);
    let gateway =
        |network: &mut Network| network.route(a, target).outgoing[0].gateway.map(|ip| ip.to_string());
    assert_eq!(gateway(&mut network).as_deref(), Some("10.0.2.2"));
    network.set_link_up(short, false);
    assert_eq!(gateway(&mut network).as_deref(), Some("10.0.3.2"));
    network.set_link_up(short, true);
    network.set_cost(short, 10);
    assert_eq!(gateway(&mut network).as_deref(), Some("10.0.3.2"));
    let v6: IpAddr = "fd00:1::1".parse().expect("an address");
    assert_eq!(
        network.route(a, v6).outgoing[0].gateway.map(|ip| ip.to_string()).as_deref(),
        Some("fd00:3::2")
    );
    assert!(network.route(b, target).local);
    let r1 = network.find("r1").expect("it is there");
    let on_link = network.route(r1, target);
    assert!(matches!(on_link.outgoing[..], [NextHop { gateway: None, .. }]));
}

#[test]
fn routing_may_take_its_time_to_converge() {
    let mut network = Network::new(1);
    let (a, b, short) = ring(&mut network);
    network.set_convergence(Duration::from_secs(5));
    network.set_link_up(short, false);
    assert_eq!(hops(&mut network, a, b, 64, false), ["a InterfaceDown"]);
    network.run_until(Instant::from_micros(5_000_000));
    assert_eq!(hops(&mut network, a, b, 64, false), ["a>r2", "r2>r3", "r3>b"]);
}

#[test]
fn a_device_without_power_is_routed_around() {
    let mut network = Network::new(1);
    let (a, b, _) = ring(&mut network);
    let r1 = network.find("r1").expect("it is there");
    network.set_power(r1, false);
    assert_eq!(hops(&mut network, a, b, 64, false), ["a>r2", "r2>r3", "r3>b"]);
    network.set_power(r1, true);
    assert_eq!(hops(&mut network, a, b, 64, false), ["a>r1", "r1>b"]);
}

#[test]
fn a_partition_is_silent_and_heals() {
    let mut network = Network::new(1);
    let [a, b, c] = ["a", "b", "c"].map(|name| network.host(name));
    let lan = network.connect(&[a, b, c]);
    network.partition(lan, &[c]);
    assert_eq!(hops(&mut network, a, b, 64, false), ["a>b"]);
    assert_eq!(hops(&mut network, a, c, 64, false), [format!("a {:?}", Fate::Lost(c))]);
    network.heal(lan);
    assert_eq!(hops(&mut network, a, c, 64, false), ["a>c"]);
}

/// Sends 200 packets over a bad link and returns the transcript.
fn bad_link(seed: u64) -> String {
    let mut network = Network::new(seed);
    let [a, b] = ["a", "b"].map(|name| network.add(name, rsvp_sim::Role::Host, None));
    let link = network.connect(&[a, b]);
    let jitter = Duration::from_millis(5);
    network.set_conditions(link, Conditions { jitter, loss: 0.3, duplication: 0.2, ..Conditions::default() });
    for _ in 0..200 {
        let (header, message) = packet(&network, a, b, 64, false);
        network.inject(a, header, message);
    }
    network.run_for(Duration::from_secs(1));
    network.transcript().text(&network)
}

#[test]
fn chance_comes_from_the_seed_alone() {
    let text = bad_link(7);
    assert_eq!(text, bad_link(7));
    assert_ne!(text, bad_link(8));
    let lost = text.matches("(lost)").count();
    assert!((40..=80).contains(&lost), "{lost} of 200 lost at 30 %");
    let twice = text.matches("(twice)").count();
    assert!((15..=45).contains(&twice), "{twice} of the rest twice at 20 %");
}

#[test]
fn an_idle_network_has_nothing_to_do() {
    let mut network = Network::new(1);
    let [a, b] = ["a", "b"].map(|name| network.host(name));
    network.connect(&[a, b]);
    network.check(rsvp_sim::invariants::pools_hold);
    network.run_for(Duration::from_secs(3600));
    assert_eq!(network.next_time(), None);
    assert_eq!(network.now(), Instant::from_micros(3_600_000_000));
    assert!(network.transcript().entries().is_empty());
    rsvp_sim::invariants::nothing_is_left(&network).expect("nothing was ever there");
}
