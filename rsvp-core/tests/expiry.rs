//! State that ends all at once, as after a node was stopped for a while.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use rsvp_core::config::{Bandwidth, InterfaceConfig};
use rsvp_core::input::{Datagram, Encapsulation, InterfaceInfo, NextHop, Route};
use rsvp_core::wire::{
    FilterSpec, FlowDescriptor, FlowKey, Flowspec, Header, Message, Path, Resv, RsvpHop, SenderTspec,
    Session, Style, Tspec,
};
use rsvp_core::{Input, Instant, InterfaceId, Node, NodeConfig, Request, SessionKey};

const UPSTREAM: (InterfaceId, Ipv4Addr) = (InterfaceId(1), Ipv4Addr::new(10, 0, 1, 2));
const DOWNSTREAM: (InterfaceId, Ipv4Addr) = (InterfaceId(2), Ipv4Addr::new(10, 0, 2, 1));
const PHOP: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 1, 1));
const NHOP: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 2, 2));
const DESTINATION: IpAddr = IpAddr::V4(Ipv4Addr::new(11, 0, 0, 1));
const SENDER: FilterSpec = FilterSpec::Ip { source: IpAddr::V4(Ipv4Addr::new(10, 9, 9, 9)), port: 4000 };
const TSPEC: Tspec = Tspec { rate: 1000.0, bucket: 2000.0, peak: 2000.0, min_unit: 64, max_packet: 1500 };

fn session() -> Session {
    let flow = FlowKey { destination: DESTINATION, protocol: 17, port: 5000 };
    Session { key: SessionKey::Ip(flow), flags: 0 }
}

fn path(refresh_ms: u32) -> Message {
    Message::Path(Path {
        session: session(),
        hop: RsvpHop { address: PHOP, lih: 7 },
        refresh_ms,
        policy: Vec::new(),
        sender_template: SENDER,
        sender_tspec: SenderTspec::TokenBucket(TSPEC),
        adspec: None,
        forward: Vec::new(),
    })
}

fn resv(refresh_ms: u32) -> Message {
    Message::Resv(Resv {
        session: session(),
        hop: RsvpHop { address: NHOP, lih: DOWNSTREAM.0.0 },
        refresh_ms,
        confirm: None,
        scope: None,
        policy: Vec::new(),
        style: Style::Ff,
        flows: vec![FlowDescriptor {
            flowspec: Some(Flowspec::ControlledLoad(TSPEC)),
            filters: vec![SENDER],
        }],
        forward: Vec::new(),
    })
}

fn receive(node: &mut Node, interface: InterfaceId, source: IpAddr, destination: IpAddr, message: &Message) {
    let mut payload = Vec::new();
    message.encode(Header { flags: 0, send_ttl: 60 }, &mut payload).unwrap();
    let datagram = Datagram {
        interface,
        source,
        destination,
        ttl: Some(60),
        encapsulation: Encapsulation::Raw,
        payload: Cow::Owned(payload),
    };
    node.handle(Instant::ZERO, Input::Datagram(datagram));
}

/// A router with a path and a reservation, both told to its neighbours; the periods are those that the messages name.
fn router(path_refresh_ms: u32, resv_refresh_ms: u32) -> Node {
    let pool = u64::MAX / 2;
    let bandwidth = Some(Bandwidth { total: pool, per_flow: pool, link: pool });
    let default_interface = InterfaceConfig { bandwidth, ..InterfaceConfig::default() };
    let config = NodeConfig { default_interface, ..NodeConfig::default() };
    let mut node = Node::new(config, [1; 32], Instant::ZERO);
    for (id, address) in [UPSTREAM, DOWNSTREAM] {
        let addresses = vec![address.into()];
        let info = InterfaceInfo {
            id,
            name: format!("if{}", id.0),
            addresses,
            mtu: 1500,
            up: true,
            point_to_point: false,
        };
        node.handle(Instant::ZERO, Input::Interface(info));
    }
    receive(&mut node, UPSTREAM.0, SENDER.source(), DESTINATION, &path(path_refresh_ms));
    let Some(Request::WatchRoute(route)) = node.poll_request() else { panic!("no route is asked for") };
    let outgoing = vec![NextHop { interface: DOWNSTREAM.0, gateway: Some(NHOP) }];
    node.handle(Instant::ZERO, Input::Route(route, Route { outgoing, ..Route::default() }));
    receive(&mut node, DOWNSTREAM.0, NHOP, DOWNSTREAM.1.into(), &resv(resv_refresh_ms));
    let Some(Request::Install(installation)) = node.poll_request() else { panic!("nothing is installed") };
    node.handle(Instant::ZERO, Input::Installed(installation.id, Ok(())));
    let mut datagram = Vec::new();
    while node.poll_transmit(Instant::ZERO, &mut datagram).is_some() {}
    assert_eq!((node.senders().len(), node.reservations().len()), (1, 1));
    node
}

#[test]
fn a_path_and_its_reservation_end_in_one_call() {
    for (path_refresh_ms, resv_refresh_ms) in [(30_000, 1000), (1000, 30_000), (1000, 1000)] {
        let mut node = router(path_refresh_ms, resv_refresh_ms);
        node.handle(Instant::ZERO + Duration::from_secs(100_000), Input::Timeout);
        assert!(node.sessions().is_empty());
    }
}
