//! What the engine costs: receiving a refresh, and setting up and tearing down a session among 100,000 others.

use std::borrow::Cow;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};

use criterion::{BatchSize, Criterion};
use rsvp_core::config::{Bandwidth, InterfaceConfig};
use rsvp_core::input::{Datagram, Encapsulation, InterfaceInfo, NextHop, Route};
use rsvp_core::wire::{
    FilterSpec, FlowDescriptor, FlowKey, Flowspec, Header, Message, Path, PathTear, Resv, RsvpHop,
    SenderTspec, Session, Style, Tspec,
};
use rsvp_core::{Input, Instant, InterfaceId, Node, NodeConfig, Request, SessionKey};

const SESSIONS: u32 = 100_000;
const UPSTREAM: InterfaceId = InterfaceId(1);
const DOWNSTREAM: InterfaceId = InterfaceId(2);
const PHOP: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 1, 1));
const NHOP: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 2, 2));
const SENDER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 9, 9, 9));

fn tspec() -> Tspec {
    Tspec { rate: 1000.0, bucket: 2000.0, peak: 2000.0, min_unit: 64, max_packet: 1500 }
}

fn session(n: u32) -> Session {
    let destination = Ipv4Addr::from_bits(0x0b00_0000 + n / 100).into();
    let port = u16::try_from(5000 + n % 100).unwrap();
    Session { key: SessionKey::Ip(FlowKey { destination, protocol: 17, port }), flags: 0 }
}

fn encode(message: &Message) -> Vec<u8> {
    let mut bytes = Vec::new();
    message.encode(Header { flags: 0, send_ttl: 60 }, &mut bytes).unwrap();
    bytes
}

fn path(n: u32) -> Vec<u8> {
    encode(&Message::Path(Path {
        session: session(n),
        hop: RsvpHop { address: PHOP, lih: 7 },
        refresh_ms: 30_000,
        policy: Vec::new(),
        sender_template: FilterSpec::Ip { source: SENDER, port: 4000 },
        sender_tspec: SenderTspec::TokenBucket(tspec()),
        adspec: None,
        forward: Vec::new(),
    }))
}

fn path_tear(n: u32) -> Vec<u8> {
    encode(&Message::PathTear(PathTear {
        session: session(n),
        hop: RsvpHop { address: PHOP, lih: 7 },
        sender_template: FilterSpec::Ip { source: SENDER, port: 4000 },
        sender_tspec: None,
        adspec: None,
        forward: Vec::new(),
    }))
}

fn resv(n: u32) -> Vec<u8> {
    encode(&Message::Resv(Resv {
        session: session(n),
        hop: RsvpHop { address: NHOP, lih: DOWNSTREAM.0 },
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
    }))
}

/// A router between two neighbours, with a driver that answers everything at once.
struct Router {
    node: Node,
    now: Instant,
    datagram: Vec<u8>,
}

impl Router {
    fn new() -> Self {
        let pool = u64::MAX / 2;
        let default_interface = InterfaceConfig {
            bandwidth: Some(Bandwidth { total: pool, per_flow: pool, link: pool }),
            ..InterfaceConfig::default()
        };
        let config = NodeConfig { default_interface, ..NodeConfig::default() };
        let mut router = Self {
            node: Node::new(config, [1; 32], Instant::ZERO),
            now: Instant::ZERO,
            datagram: Vec::new(),
        };
        for (id, name, address) in
            [(UPSTREAM, "up", Ipv4Addr::new(10, 0, 1, 2)), (DOWNSTREAM, "down", Ipv4Addr::new(10, 0, 2, 1))]
        {
            let info = InterfaceInfo {
                id,
                name: name.into(),
                addresses: vec![address.into()],
                mtu: 1500,
                up: true,
                point_to_point: false,
            };
            router.node.handle(router.now, Input::Interface(info));
        }
        router
    }

    fn receive(&mut self, interface: InterfaceId, source: IpAddr, destination: IpAddr, payload: &[u8]) {
        let datagram = Datagram {
            interface,
            source,
            destination,
            ttl: Some(60),
            encapsulation: Encapsulation::Raw,
            payload: Cow::Borrowed(payload),
        };
        self.node.handle(self.now, Input::Datagram(datagram));
    }

    fn path(&mut self, n: u32, payload: &[u8]) {
        self.receive(UPSTREAM, SENDER, session(n).key.flow().destination, payload);
    }

    fn resv(&mut self, payload: &[u8]) {
        self.receive(DOWNSTREAM, NHOP, Ipv4Addr::new(10, 0, 2, 1).into(), payload);
    }

    fn drain(&mut self) {
        while let Some(request) = self.node.poll_request() {
            match request {
                Request::WatchRoute(key) => {
                    let outgoing = vec![NextHop { interface: DOWNSTREAM, gateway: Some(NHOP) }];
                    let route = Route { outgoing, ..Route::default() };
                    self.node.handle(self.now, Input::Route(key, route));
                }
                Request::Install(installation) => {
                    self.node.handle(self.now, Input::Installed(installation.id, Ok(())));
                }
                Request::UnwatchRoute(_)
                | Request::Remove(_)
                | Request::Join { .. }
                | Request::Leave { .. } => {}
            }
        }
        while self.node.poll_transmit(self.now, &mut self.datagram).is_some() {}
        while self.node.poll_event().is_some() {}
    }

    fn set_up(&mut self, n: u32) {
        self.path(n, &path(n));
        self.drain();
        self.resv(&resv(n));
        self.drain();
    }

    fn full() -> Self {
        let mut router = Self::new();
        for n in 0..SESSIONS {
            router.set_up(n);
        }
        assert_eq!(router.node.installed().len(), SESSIONS as usize);
        router
    }
}

fn node(criterion: &mut Criterion) {
    let mut router = Router::full();
    let mut group = criterion.benchmark_group("node-100k");
    group.sample_size(20);

    let paths: Vec<_> = (0..SESSIONS).map(path).collect();
    let mut next = (0..SESSIONS).cycle();
    group.throughput(criterion::Throughput::Bytes(paths[0].len() as u64));
    group.bench_function("receive a Path refresh", |bench| {
        bench.iter(|| {
            let n = next.next().unwrap();
            router.path(n, black_box(&paths[n as usize]));
        });
    });

    let resvs: Vec<_> = (0..SESSIONS).map(resv).collect();
    group.throughput(criterion::Throughput::Bytes(resvs[0].len() as u64));
    group.bench_function("receive a Resv refresh", |bench| {
        bench.iter(|| router.resv(black_box(&resvs[next.next().unwrap() as usize])));
    });

    let refreshes = router.node.counters().refreshes_received;
    assert!(refreshes > 0, "what was measured were refreshes");
    group.throughput(criterion::Throughput::Elements(1));
    let mut fresh = SESSIONS..u32::MAX;
    group.bench_function("set up and tear down a session", |bench| {
        bench.iter_batched(
            || {
                let n = fresh.next().unwrap();
                (n, path(n), resv(n), path_tear(n))
            },
            |(n, path, resv, tear)| {
                router.path(n, &path);
                router.drain();
                router.resv(&resv);
                router.drain();
                router.path(n, &tear);
                router.drain();
            },
            BatchSize::SmallInput,
        );
    });
    assert_eq!(router.node.installed().len(), SESSIONS as usize, "what was set up was torn down");
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    node(&mut criterion);
    criterion.final_summary();
}
