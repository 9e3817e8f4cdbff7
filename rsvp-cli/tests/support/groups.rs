//! Scenarios of the network with groups, and with a host that can do UDP only.

use rsvp_netns::Process;
use serde_json::Value;

use crate::network::{CONFIG, Network, Node, RECEIVER, RECEIVER6, SENDER, SENDER6, eventually, ip};

/// A sender, a receiver and a group, of each family.
const GROUPS: [(&str, &str, &str); 2] = [(SENDER, RECEIVER, "239.1.2.3"), (SENDER6, RECEIVER6, "ff0e::123")];

fn send(node: &Node, destination: &str) -> Process {
    node.hold(&["send", "-d", destination, "-p", "5004", "-b", "1Mbit"])
}

fn reserve(node: &Node, destination: &str) -> Process {
    node.hold(&["reserve", "-d", destination, "-p", "5004", "-b", "1Mbit", "--confirm", "--wait"])
}

fn state(node: &Node) -> Value {
    node.show("applications")[0]["state"].clone()
}

fn paths(node: &Node, direction: &str) -> u64 {
    node.show("counters")["messages"][format!("path-{direction}")].as_u64().expect("a count")
}

/// The groups that a host has joined.
fn groups(host: &Node) -> Vec<Value> {
    host.show("interfaces")[0]["groups"].as_array().cloned().expect("a list")
}

/// A receiver comes late, with it a branch of the tree; it leaves, and another branch is there when it comes again.
pub(crate) fn a_group_is_reached_where_the_kernel_forwards_it(network: &mut Network) {
    for (source, _, group) in GROUPS {
        let Network { sender, router, receiver, .. } = network;
        let forwards = router.namespace();
        let route = |outgoing: &[&str]| {
            forwards.multicast_route(Some(ip(source)), ip(group), "west", outgoing).expect("an entry");
        };
        route(&[]);
        let (sent, heard) = (paths(router, "sent"), paths(receiver, "received"));
        let _sending = send(sender, group);
        eventually("the router knows of the sender", || router.count("senders") == 1);
        assert_eq!(router.show("senders")[0]["incoming-interface"], "west");
        let flow = format!("no multicast forwarding entry for ({source}, {group})");
        assert!(
            !router.ok(&["show", "status"]).contains(&flow),
            "the entry is there, though it leads nowhere"
        );
        forwards.multicast_unroute(Some(ip(source)), ip(group)).expect("it was there");
        eventually("an operator is told what is missing", || router.ok(&["show", "status"]).contains(&flow));
        let receiving = reserve(receiver, group);
        assert_eq!(receiver.count("senders"), 0, "there is no branch yet");
        route(&["east"]);
        eventually("the receiver's reservation holds", || state(receiver) == "admitted");
        assert!(groups(receiver).iter().any(|joined| joined == group), "{:?}", groups(receiver));
        eventually("the sender knows", || state(sender) == "reserved");
        assert_eq!(router.show("installed")[0]["interface"], "east");
        assert_eq!(router.show("senders")[0]["outgoing-interfaces"][0], "east");
        drop(receiving);
        eventually("the group is left", || !groups(receiver).iter().any(|joined| joined == group));
        eventually("nothing is reserved any more", || router.count("installed") == 0);
        let _receiving = reserve(receiver, group);
        eventually("it holds again", || state(receiver) == "admitted");
        route(&[]);
        eventually("the branch is gone", || {
            router.show("senders")[0]["outgoing-interfaces"].as_array().is_some_and(Vec::is_empty)
        });
        eventually("what was reserved on it, too", || router.count("installed") == 0);
        eventually("the receiver has not heard of the sender for long", || receiver.count("senders") == 0);
        let (sent, heard) = (paths(router, "sent") - sent, paths(receiver, "received") - heard);
        assert_eq!(heard, sent, "the receiver has heard each Path of the router once, and no other");
        forwards.multicast_unroute(Some(ip(source)), ip(group)).expect("it was there");
    }
}

/// A host that may open no raw socket sends, and receives, in UDP.
pub(crate) fn a_host_without_privilege_takes_part_in_udp(network: &mut Network) {
    network.receiver.stop();
    network.receiver.configure(&format!("role = \"host\"\nudp-only = {{}}\nlog.level = \"debug\"\n{CONFIG}"));
    network.receiver.start_without_privilege();
    let log = network.receiver.log();
    assert!(log.contains("kept={}"), "it has no capability: {log}");
    let Network { sender, router, receiver, .. } = network;
    let interface = |name: &str| {
        let interfaces = router.show("interfaces");
        let all = interfaces.as_array().expect("a list");
        all.iter().find(|interface| interface["name"] == name).cloned().expect("the interface")
    };
    for (from, to, group) in GROUPS {
        // What it sends arrives first: so the router learns that it needs UDP.
        {
            let _sending = send(receiver, from);
            let _receiving = reserve(sender, from);
            eventually("it hears of the reservation", || state(receiver) == "reserved");
            eventually("the receiver is told", || state(sender) == "admitted");
            assert_eq!(router.show("senders")[0]["non-rsvp"], Value::Null, "it is the next hop");
        }
        assert_eq!(interface("east")["udp"], true);
        assert_eq!(interface("west")["udp"], false);
        eventually("nothing is left", || router.count("sessions") + receiver.count("sessions") == 0);
        let forwards = router.namespace();
        forwards.multicast_route(Some(ip(from)), ip(group), "west", &["east"]).expect("an entry");
        forwards.multicast_route(Some(ip(to)), ip(group), "east", &["west"]).expect("an entry");
        for destination in [to, group] {
            let heard = paths(receiver, "received");
            let sending = send(sender, destination);
            let receiving = reserve(receiver, destination);
            eventually("its reservation holds", || state(receiver) == "admitted");
            eventually("the sender knows", || state(sender) == "reserved");
            assert!(paths(receiver, "received") > heard);
            drop((sending, receiving));
            eventually("nothing is left", || router.count("sessions") + receiver.count("sessions") == 0);
        }
        let sending = send(receiver, group);
        let receiving = reserve(sender, group);
        eventually("a member beyond the router has reserved", || state(receiver) == "reserved");
        drop((sending, receiving));
        eventually("nothing is left", || router.count("sessions") + receiver.count("sessions") == 0);
        for source in [from, to] {
            forwards.multicast_unroute(Some(ip(source)), ip(group)).expect("it was there");
        }
    }
    assert_eq!(network.receiver.stop(), Some(0), "{}", network.receiver.log());
    network.receiver.configure_also("");
    network.receiver.start();
}
