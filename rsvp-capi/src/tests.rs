//! What C cannot bring about, or cannot see.

use std::ffi::CStr;
use std::net::IpAddr;
use std::ptr;

use rsvp_core::input::{self, InterfaceId};
use rsvp_core::output::{self, InstallationId, PoliceFlags};
use rsvp_core::wire::{self, FilterSpec, FlowKey, RawObject, Rspec, SenderTspec, SessionKey};
use rsvp_core::{Instant, Node, NodeConfig};

use crate::fault::{Status, run};
use crate::handle::{Handle, Lent, enter};
use crate::installation::{FilterKind, Handling, Installed, Service, Tspec};
use crate::node::{rsvp_node_free, rsvp_node_handle_timeout};
use crate::poll;
use crate::types::{
    Address, Datagram, Encapsulation, Interface, NextHop, RequestKind, Route, RouteKey, Transmit,
};
use crate::{RSVP_NO_INTERFACE, RSVP_RAW, RSVP_TTL_UNKNOWN, RSVP_UDP, rsvp_last_error};

const TSPEC: wire::Tspec =
    wire::Tspec { rate: 125e3, bucket: 1e4, peak: f32::INFINITY, min_unit: 64, max_packet: 1500 };

fn node() -> *mut Handle {
    Box::into_raw(Box::new(Handle::new(Node::new(NodeConfig::default(), [7; 32], Instant::ZERO))))
}

fn last_error() -> String {
    // SAFETY: the text is valid until the next call that fails, and copied before.
    unsafe { CStr::from_ptr(rsvp_last_error()) }.to_str().expect("it is UTF-8").to_owned()
}

#[test]
fn a_panic_poisons_its_node_alone() {
    let (bad, good) = (node(), node());
    // SAFETY: the nodes live, in this thread, until they are freed at the end.
    unsafe {
        assert_eq!(enter(bad, |_| panic!("a planted {}", "bug")), Status::Panicked);
        assert!(last_error().ends_with("a bug in it: a planted bug"), "{}", last_error());
        for _ in 0..2 {
            assert_eq!(rsvp_node_handle_timeout(bad, 1), Status::Panicked);
            assert!(last_error().starts_with("this node can only be freed"), "{}", last_error());
            assert!(last_error().ends_with("a planted bug"), "{}", last_error());
        }
        assert_eq!(rsvp_node_handle_timeout(good, 1), Status::Ok);
        rsvp_node_free(bad);
        rsvp_node_free(good);
    }
}

#[test]
fn a_panic_without_a_node_is_told() {
    assert_eq!(run(|| std::panic::panic_any(7)), Status::Panicked);
    assert!(last_error().ends_with("no words"), "{}", last_error());
}

#[test]
fn errors_are_of_the_thread() {
    // SAFETY: NULL is refused.
    assert_eq!(unsafe { rsvp_node_handle_timeout(ptr::null_mut(), 1) }, Status::InvalidArgument);
    assert_eq!(last_error(), "node is NULL");
    let other = std::thread::spawn(last_error).join().expect("the thread ends");
    assert_eq!(other, "");
}

#[test]
fn a_node_may_move_to_another_thread() {
    fn is_send<T: Send>() {}
    is_send::<Node>();
}

fn ip(address: &str) -> IpAddr {
    address.parse().expect("it is an address")
}

fn address(text: &str) -> Address {
    ip(text).into()
}

#[test]
fn addresses_are_in_network_byte_order() {
    assert_eq!(address("192.0.2.1").octets[..5], [192, 0, 2, 1, 0]);
    assert_eq!(address("2001:db8::1").octets, [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    for text in ["192.0.2.1", "2001:db8::1"] {
        assert_eq!(address(text).known("it"), Ok(ip(text)));
    }
    assert_eq!(Address::default().optional("it"), Ok(None));
    assert!(Address::default().known("it").is_err());
}

#[test]
fn a_datagram_is_read_whole() {
    let payload = [1, 2, 3];
    let datagram = Datagram {
        interface: 3,
        source: address("192.0.2.1"),
        destination: address("2001:db8::2"),
        ttl: 63,
        encapsulation: Encapsulation { kind: RSVP_UDP, source_port: 1698, destination_port: 1699 },
        payload: payload.as_ptr(),
        length: payload.len(),
    };
    let mut wanted = input::Datagram {
        interface: InterfaceId(3),
        source: ip("192.0.2.1"),
        destination: ip("2001:db8::2"),
        ttl: Some(63),
        encapsulation: input::Encapsulation::Udp { source_port: 1698, destination_port: 1699 },
        payload: (&payload).into(),
    };
    // SAFETY: the payload is there.
    assert_eq!(unsafe { datagram.read() }, Ok(wanted.clone()));
    let encapsulation = Encapsulation { kind: RSVP_RAW, ..datagram.encapsulation };
    let datagram = Datagram { ttl: RSVP_TTL_UNKNOWN, encapsulation, ..datagram };
    wanted.ttl = None;
    wanted.encapsulation = input::Encapsulation::Raw;
    // SAFETY: as above.
    assert_eq!(unsafe { datagram.read() }, Ok(wanted));
}

#[test]
fn an_interface_is_read_whole() {
    let addresses = [address("192.0.2.1"), address("2001:db8::1")];
    let interface = Interface {
        id: 3,
        name: c"tunnel0".as_ptr(),
        addresses: addresses.as_ptr(),
        address_count: addresses.len(),
        mtu: 1400,
        up: 0,
        point_to_point: 1,
    };
    let wanted = input::InterfaceInfo {
        id: InterfaceId(3),
        name: "tunnel0".into(),
        addresses: vec![ip("192.0.2.1"), ip("2001:db8::1")],
        mtu: 1400,
        up: false,
        point_to_point: true,
    };
    // SAFETY: name and addresses are there.
    assert_eq!(unsafe { interface.read() }, Ok(wanted));
}

#[test]
fn a_route_is_read_whole() {
    let outgoing = [
        NextHop { interface: 1, gateway: address("192.0.2.254") },
        NextHop { interface: 2, gateway: Address::default() },
    ];
    let route = Route {
        local: 0,
        shared_tree: 1,
        incoming: 7,
        outgoing: outgoing.as_ptr(),
        outgoing_count: outgoing.len(),
    };
    let mut wanted = input::Route {
        local: false,
        incoming: Some(InterfaceId(7)),
        outgoing: vec![
            input::NextHop { interface: InterfaceId(1), gateway: Some(ip("192.0.2.254")) },
            input::NextHop { interface: InterfaceId(2), gateway: None },
        ],
        shared_tree: true,
    };
    // SAFETY: the next hops are there.
    assert_eq!(unsafe { route.read() }, Ok(wanted.clone()));
    let route = Route { local: 1, shared_tree: 0, incoming: RSVP_NO_INTERFACE, ..route };
    (wanted.local, wanted.shared_tree, wanted.incoming) = (true, false, None);
    // SAFETY: as above.
    assert_eq!(unsafe { route.read() }, Ok(wanted));
}

#[test]
fn a_message_to_send_is_told_whole() {
    let told = Transmit::new(
        &output::Transmit {
            interface: Some(InterfaceId(3)),
            next_hop: Some(ip("192.0.2.9")),
            source: ip("192.0.2.1"),
            destination: ip("198.51.100.7"),
            ttl: 62,
            router_alert: true,
            encapsulation: input::Encapsulation::Udp { source_port: 1698, destination_port: 1699 },
            traffic_class: 192,
        },
        &[5; 12],
    );
    assert_eq!((told.interface, told.next_hop), (3, address("192.0.2.9")));
    assert_eq!((told.source, told.destination), (address("192.0.2.1"), address("198.51.100.7")));
    assert_eq!((told.ttl, told.router_alert, told.traffic_class, told.length), (62, 1, 192, 12));
    let encapsulation = Encapsulation { kind: RSVP_UDP, source_port: 1698, destination_port: 1699 };
    assert_eq!(told.encapsulation, encapsulation);
}

#[test]
fn requests_are_told_whole() {
    let mut lent = Lent::default();
    let key = output::RouteKey { table: 9, destination: ip("233.252.0.1"), source: Some(ip("192.0.2.1")) };
    let watch = poll::describe(output::Request::WatchRoute(key), &mut lent);
    assert_eq!(watch.kind, RequestKind::WatchRoute);
    let told = RouteKey { table: 9, destination: address("233.252.0.1"), source: address("192.0.2.1") };
    assert_eq!(watch.route, told);
    assert_eq!(told.read(), Ok(key));
    let unwatch = poll::describe(output::Request::UnwatchRoute(key), &mut lent);
    assert_eq!((unwatch.kind, unwatch.route), (RequestKind::UnwatchRoute, told));

    let group = ip("233.252.0.1");
    for (interface, told) in [(Some(InterfaceId(3)), 3), (None, RSVP_NO_INTERFACE)] {
        let join = poll::describe(output::Request::Join { group, interface }, &mut lent);
        assert_eq!((join.kind, join.group, join.interface), (RequestKind::Join, group.into(), told));
        let leave = poll::describe(output::Request::Leave { group, interface }, &mut lent);
        assert_eq!((leave.kind, leave.group, leave.interface), (RequestKind::Leave, group.into(), told));
    }

    let remove = poll::describe(output::Request::Remove(InstallationId(5)), &mut lent);
    assert_eq!((remove.kind, remove.installation_id), (RequestKind::Remove, 5));
    let flow = installation(wire::Flowspec::ControlledLoad(TSPEC));
    let install = poll::describe(output::Request::Install(flow), &mut lent);
    assert_eq!((install.kind, install.installation_id), (RequestKind::Install, 5));
    // SAFETY: `lent` lives, and lends nothing new.
    let form = unsafe { &*install.installation };
    assert_eq!((form.id, form.handling), (5, Handling::Police));
    assert_eq!(form.flowspec.service, Service::ControlledLoad);
    assert_eq!(form.flowspec.tspec, Tspec::from(&TSPEC));
}

fn installation(flowspec: wire::Flowspec) -> output::Installation {
    let source = ip("192.0.2.1");
    output::Installation {
        id: InstallationId(5),
        interface: InterfaceId(3),
        session: SessionKey::Ip(FlowKey { destination: ip("198.51.100.7"), protocol: 17, port: 5004 }),
        filters: vec![
            FilterSpec::Ip { source, port: 4000 },
            FilterSpec::Gpi { source, spi: 0x1234_5678 },
            FilterSpec::FlowLabel { source: "2001:db8::1".parse().expect("it is an address"), label: 7 },
        ],
        flowspec,
        sender_tspec: Some(SenderTspec::TokenBucketOrNull { tspec: TSPEC, null_max_packet: 100 }),
        police: PoliceFlags::MERGE | PoliceFlags::BRANCH,
        buffer: Some(12_000),
        discards: true,
    }
}

#[test]
fn an_installation_is_told_whole() {
    let mut installed = Installed::default();
    let flowspec = wire::Flowspec::Guaranteed(TSPEC, Rspec { rate: 2e5, slack: 9 });
    let form = *installed.keep(installation(flowspec));
    assert_eq!((form.id, form.interface, form.session.protocol, form.session.port), (5, 3, 17, 5004));
    assert_eq!(form.session.destination.octets[..4], [198, 51, 100, 7]);
    assert_eq!((form.police, form.discards, form.buffer), (6, 1, 12_000));
    assert_eq!(form.handling, Handling::Reshape);
    assert_eq!(form.flowspec.service, Service::Guaranteed);
    assert_eq!((form.flowspec.rate, form.flowspec.slack), (2e5, 9));
    assert_eq!(form.flowspec.tspec, Tspec::from(&TSPEC));
    // SAFETY: `installed` lives, and keeps nothing new.
    let (filters, sender) =
        unsafe { (std::slice::from_raw_parts(form.filters, form.filter_count), form.sender_tspec.as_ref()) };
    let told = Vec::from_iter(filters.iter().map(|filter| (filter.kind, filter.source.family, filter.value)));
    let wanted =
        [(FilterKind::Port, 4, 4000), (FilterKind::Spi, 4, 0x1234_5678), (FilterKind::FlowLabel, 6, 7)];
    assert_eq!(told, wanted);
    assert_eq!(sender, Some(&Tspec::from(&TSPEC)));
}

#[test]
fn a_service_that_is_not_known_is_told_as_it_came() {
    let mut installed = Installed::default();
    let object = RawObject { class: 9, ctype: 77, contents: vec![1, 2, 3, 4] };
    let form = *installed.keep(installation(wire::Flowspec::Opaque(object)));
    assert_eq!((form.flowspec.service, form.flowspec.ctype), (Service::Other, 77));
    assert_eq!(form.handling, Handling::None);
    // SAFETY: `installed` lives, and keeps nothing new.
    let contents = unsafe { std::slice::from_raw_parts(form.flowspec.contents, form.flowspec.length) };
    assert_eq!(contents, [1, 2, 3, 4]);

    let source = output::Installation {
        filters: Vec::new(),
        sender_tspec: None,
        buffer: None,
        ..installation(wire::Flowspec::Null { max_packet: 500 })
    };
    let form = *installed.keep(source);
    assert_eq!((form.flowspec.service, form.flowspec.tspec.max_packet), (Service::Null, 500));
    assert!(form.filters.is_null() && form.sender_tspec.is_null() && form.flowspec.contents.is_null());
    assert_eq!((form.filter_count, form.buffer), (0, 0));
}
