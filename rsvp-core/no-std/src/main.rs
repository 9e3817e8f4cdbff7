//! A router that makes a reservation, without std and without libc, on x86-64 Linux.
//!
//! Two pretended neighbours send it a Path and a Resv; it exits with 0 if both went on as they should, and else with the
//! number of the step that failed.

#![no_std]
#![no_main]

extern crate alloc;

mod platform;

use alloc::borrow::Cow;
use alloc::vec;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};

use rsvp_core::config::{Bandwidth, InterfaceConfig};
use rsvp_core::input::{Datagram, Encapsulation, InterfaceInfo, NextHop, Route};
use rsvp_core::wire::{
    FilterSpec, FlowDescriptor, FlowKey, Flowspec, Header, Message, MessageType, Path, RawMessage, Resv,
    RsvpHop, SenderTspec, Session, Style, Tspec,
};
use rsvp_core::{Input, Instant, InterfaceId, Node, NodeConfig, Ready, Request, SessionKey};

const UPSTREAM: InterfaceId = InterfaceId(1);
const DOWNSTREAM: InterfaceId = InterfaceId(2);
const PREVIOUS_HOP: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 1, 1));
const NEXT_HOP: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 2, 2));
const SENDER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 9, 9, 9));
const RECEIVER: IpAddr = IpAddr::V4(Ipv4Addr::new(11, 9, 9, 9));
const OWN: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::new(10, 0, 1, 2)), IpAddr::V4(Ipv4Addr::new(10, 0, 2, 1))];

/// The step that failed.
type Failed = u8;

fn session() -> Session {
    Session { key: SessionKey::Ip(FlowKey { destination: RECEIVER, protocol: 17, port: 5004 }), flags: 0 }
}

fn tspec() -> Tspec {
    Tspec { rate: 1000.0, bucket: 2000.0, peak: 2000.0, min_unit: 64, max_packet: 1500 }
}

fn path() -> Message {
    Message::Path(Path {
        session: session(),
        hop: RsvpHop { address: PREVIOUS_HOP, lih: 7 },
        refresh_ms: 30_000,
        policy: Vec::new(),
        sender_template: FilterSpec::Ip { source: SENDER, port: 4000 },
        sender_tspec: SenderTspec::TokenBucket(tspec()),
        adspec: None,
        forward: Vec::new(),
    })
}

fn resv() -> Message {
    Message::Resv(Resv {
        session: session(),
        hop: RsvpHop { address: NEXT_HOP, lih: DOWNSTREAM.0 },
        refresh_ms: 30_000,
        confirm: None,
        scope: None,
        policy: Vec::new(),
        style: Style::Ff,
        flows: vec![FlowDescriptor {
            flowspec: Some(Flowspec::ControlledLoad(tspec())),
            filters: vec![FilterSpec::Ip { source: SENDER, port: 4000 }],
        }],
        forward: Vec::new(),
    })
}

fn router() -> Node {
    let bandwidth = Some(Bandwidth { total: 10_000, per_flow: 10_000, link: 10_000 });
    let default_interface = InterfaceConfig { bandwidth, ..InterfaceConfig::default() };
    let mut node =
        Node::new(NodeConfig { default_interface, ..NodeConfig::default() }, [7; 32], Instant::ZERO);
    for (id, name, address) in [(UPSTREAM, "up", OWN[0]), (DOWNSTREAM, "down", OWN[1])] {
        node.handle(
            Instant::ZERO,
            Input::Interface(InterfaceInfo {
                id,
                name: name.into(),
                addresses: vec![address],
                mtu: 1500,
                up: true,
                point_to_point: false,
            }),
        );
    }
    node
}

/// Hands in a neighbour's message.
fn receive(
    node: &mut Node,
    now: Instant,
    message: &Message,
    from: (InterfaceId, IpAddr),
    to: IpAddr,
) -> Option<()> {
    let mut payload = Vec::new();
    message.encode(Header { flags: 0, send_ttl: 60 }, &mut payload).ok()?;
    node.handle(
        now,
        Input::Datagram(Datagram {
            interface: from.0,
            source: from.1,
            destination: to,
            ttl: Some(60),
            encapsulation: Encapsulation::Raw,
            payload: Cow::Owned(payload),
        }),
    );
    Some(())
}

/// Whether the next message that the node sends is of this type and leaves by this interface.
fn sends(node: &mut Node, now: Instant, message_type: MessageType, interface: InterfaceId) -> bool {
    let mut datagram = Vec::new();
    node.poll_transmit(now, &mut datagram).is_some_and(|transmit| {
        transmit.interface == Some(interface)
            && RawMessage::decode(&datagram).is_ok_and(|raw| raw.header.message_type == message_type)
    })
}

/// Makes a reservation through a router and lets it expire.
fn run() -> Result<(), Failed> {
    let mut node = router();
    let mut now = Instant::from_micros(1_000_000);

    receive(&mut node, now, &path(), (UPSTREAM, SENDER), RECEIVER).ok_or(1)?;
    let Some(Request::WatchRoute(key)) = node.poll_request() else { return Err(2) };
    let route = Route {
        outgoing: vec![NextHop { interface: DOWNSTREAM, gateway: Some(NEXT_HOP) }],
        ..Route::default()
    };
    node.handle(now, Input::Route(key, route));
    if !sends(&mut node, now, MessageType::PATH, DOWNSTREAM) {
        return Err(3);
    }

    receive(&mut node, now, &resv(), (DOWNSTREAM, NEXT_HOP), OWN[1]).ok_or(4)?;
    let Some(Request::Install(installation)) = node.poll_request() else { return Err(5) };
    node.handle(now, Input::Installed(installation.id, Ok(())));
    if !sends(&mut node, now, MessageType::RESV, UPSTREAM) || node.installed().len() != 1 {
        return Err(6);
    }

    // Nobody refreshes it: it dies, and what was installed is taken away.
    let mut datagram = Vec::new();
    let mut is_removed = false;
    while let Some((at, _)) = node.poll_timeout(Ready::ALL) {
        now = at;
        node.handle(now, Input::Timeout);
        while node.poll_transmit(now, &mut datagram).is_some() {}
        while node.poll_event().is_some() {}
        while let Some(request) = node.poll_request() {
            is_removed |= matches!(request, Request::Remove(id) if id == installation.id);
        }
    }
    if is_removed && node.sessions().is_empty() { Ok(()) } else { Err(7) }
}
