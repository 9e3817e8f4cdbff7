//! What parts do together.

use std::collections::BTreeSet;
use std::net::IpAddr;

use rsvp_core::input::{Encapsulation, InterfaceInfo, NextHop};
use rsvp_core::{Input, InterfaceId, Transmit};
use rsvp_driver::memory::{self, LinkEnd};
use rsvp_driver::{
    MemoryTransport, Message, NoTrafficControl, Outside, Parts, SendOutcome, Source, StaticRouting,
};

const WEST: InterfaceId = InterfaceId(1);
const EAST: InterfaceId = InterfaceId(2);

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn parts(
    ends: impl IntoIterator<Item = (InterfaceId, LinkEnd)>,
) -> Parts<MemoryTransport, StaticRouting, NoTrafficControl> {
    let interfaces = [(WEST, "west", "10.0.1.1"), (EAST, "east", "10.0.2.1")]
        .map(|(id, name, address)| InterfaceInfo::new(id, name, [ip(address)]));
    let mut routing = StaticRouting::new(interfaces);
    let gateway = Some(ip("10.0.2.9"));
    routing.route("192.0.2.0/24".parse().expect("a prefix"), NextHop { interface: EAST, gateway });
    let mut parts = Parts::new(MemoryTransport::new(ends), routing, NoTrafficControl).expect("descriptors");
    parts.start(&mut |_| {});
    parts
}

/// As a ResvConf, which travels to its receiver by the routing table.
fn to(destination: &str) -> Message {
    let transmit = Transmit {
        interface: None,
        next_hop: None,
        source: ip("10.0.2.1"),
        destination: ip(destination),
        ttl: 63,
        router_alert: true,
        encapsulation: Encapsulation::Raw,
        traffic_class: 192,
    };
    Message { transmit, payload: vec![1, 2, 3] }
}

#[test]
fn a_message_without_an_interface_goes_as_routing_says() {
    let [(west, from_west), (east, from_east)] = [(); 2].map(|()| memory::link().expect("a link"));
    let mut here = parts([(WEST, west), (EAST, east)]);
    let mut there = parts([(WEST, from_west), (EAST, from_east)]);
    let mut messages = [to("192.0.2.7"), to("203.0.113.1")];
    assert_eq!(here.send(&mut messages), SendOutcome::Sent, "what has no route is lost");
    let chosen = &messages[0].transmit;
    assert_eq!((chosen.interface, chosen.next_hop), (Some(EAST), Some(ip("10.0.2.9"))));

    let mut heard = BTreeSet::new();
    for source in 0..2 {
        let sink = &mut |input: Input<'_>| match input {
            Input::Datagram(datagram) => drop(heard.insert((datagram.interface, datagram.destination))),
            other => panic!("nothing else is told: {other:?}"),
        };
        let _ = there.read(Source(source), 8, sink).expect("it works");
    }
    assert_eq!(heard, BTreeSet::from([(EAST, ip("192.0.2.7"))]));
}
