//! What the engine costs: receiving a refresh, and setting up and tearing down a session among 100,000 others; and the same
//! with RFC 2961.

use std::borrow::Cow;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use criterion::{BatchSize, Criterion};
use rsvp_core::config::{Bandwidth, InterfaceConfig};
use rsvp_core::input::{Datagram, Encapsulation, InterfaceInfo, NextHop, Route};
use rsvp_core::wire::{
    Acknowledgement, Bundle, FilterSpec, FlaggedId, FlowDescriptor, FlowKey, Flowspec, Head, Header,
    IdEntries, IdList, Message, MessageId, Path, PathTear, RawMessage, Resv, RsvpHop, SenderTspec, Session,
    Srefresh, Style, Tspec,
};
use rsvp_core::{Input, Instant, InterfaceId, Node, NodeConfig, Ready, Request, SessionKey};

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
        self.answer_requests();
        while self.node.poll_transmit(self.now, &mut self.datagram).is_some() {}
        while self.node.poll_event().is_some() {}
    }

    fn answer_requests(&mut self) {
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

/// The Epoch of the neighbours.
const EPOCH: u32 = 0xab_cdef;

/// How many identifiers a summary refresh of 1500 octets lists.
const LISTED: u32 = 360;

/// A message of a neighbour that is capable of refresh reduction, with a MESSAGE_ID.
fn with_id(message: &Message, id: FlaggedId) -> Vec<u8> {
    let head = Head { message_id: Some(id), ..Head::default() };
    let header = Header { flags: Header::REFRESH_REDUCTION, send_ttl: 60 };
    let mut bytes = Vec::new();
    message.encode_with(header, &head, &mut bytes).unwrap();
    bytes
}

fn id(n: u32) -> MessageId {
    MessageId { epoch: EPOCH, id: n }
}

/// The same message, of state that nobody has to refresh.
fn lasting(bytes: &[u8]) -> Message {
    let mut message = Message::parse(&RawMessage::decode(bytes).unwrap(), usize::MAX).unwrap();
    match &mut message {
        Message::Path(path) => path.refresh_ms = u32::MAX,
        Message::Resv(resv) => resv.refresh_ms = u32::MAX,
        _ => {}
    }
    message
}

/// What a neighbour acknowledges, or just that it is there.
fn ack(id: MessageId) -> Vec<u8> {
    let acknowledgements = vec![Acknowledgement::Ack(FlaggedId::plain(id))];
    let mut bytes = Vec::new();
    let header = Header { flags: Header::REFRESH_REDUCTION, send_ttl: 255 };
    Message::Ack.encode_with(header, &Head { acknowledgements, message_id: None }, &mut bytes).unwrap();
    bytes
}

impl Router {
    /// A router between two neighbours that are capable, and send everything with a MESSAGE_ID.
    fn reducing(sessions: u32) -> Self {
        let mut router = Self::new();
        for n in 0..sessions {
            router.path(n, &with_id(&lasting(&path(n)), FlaggedId::plain(id(n))));
            router.drain();
            router.resv(&with_id(&lasting(&resv(n)), FlaggedId::plain(id(n))));
            router.drain();
        }
        assert_eq!(router.node.installed().len(), sessions as usize);
        // What is never acknowledged is given up, and all joins those that are refreshed together.
        for _ in 0..4 {
            router.refresh_all();
        }
        router
    }

    /// Lets a refresh period pass, in which both neighbours are heard.
    fn refresh_all(&mut self) {
        self.receive(UPSTREAM, PHOP, Ipv4Addr::new(10, 0, 1, 2).into(), &ack(id(0)));
        self.receive(DOWNSTREAM, NHOP, Ipv4Addr::new(10, 0, 2, 1).into(), &ack(id(0)));
        self.run_for(Duration::from_secs(30));
    }

    fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        self.drain();
        while let Some((at, _)) = self.node.poll_timeout(Ready::ALL).filter(|(at, _)| *at <= end) {
            self.now = at;
            self.node.handle(at, Input::Timeout);
            self.drain();
        }
        self.now = end;
    }

    /// A Path arrives, goes on, and both are acknowledged.
    fn set_up_reliably(&mut self, n: u32, payload: &[u8]) {
        self.path(n, payload);
        let mut sent = None;
        self.answer_requests();
        while let Some(transmit) = self.node.poll_transmit(self.now, &mut self.datagram) {
            let id = Head::split(&self.datagram).unwrap().0.message_id;
            sent = sent.or(id.filter(|_| transmit.interface == Some(DOWNSTREAM)));
        }
        let sent = sent.filter(|id| id.wants_ack()).expect("it goes on reliably");
        self.receive(DOWNSTREAM, NHOP, Ipv4Addr::new(10, 0, 2, 1).into(), &ack(sent.id));
        self.run_for(Duration::from_millis(10));
    }
}

fn reduction(criterion: &mut Criterion) {
    let mut router = Router::reducing(10_000);
    let own = Ipv4Addr::new(10, 0, 1, 2).into();
    let mut group = criterion.benchmark_group("node-10k-reduction");
    group.sample_size(20);

    let list = IdList::new(EPOCH, IdEntries::Plain((0..LISTED).collect()));
    let mut srefresh = Vec::new();
    let header = Header { flags: Header::REFRESH_REDUCTION, send_ttl: 255 };
    Message::Srefresh(Srefresh { lists: vec![list] }).encode(header, &mut srefresh).unwrap();
    let before = router.node.counters().reduction.summary_refreshes_received;
    group.throughput(criterion::Throughput::Elements(LISTED.into()));
    group.bench_function("receive an Srefresh of 360 states", |bench| {
        bench.iter(|| router.receive(UPSTREAM, PHOP, own, black_box(&srefresh)));
    });
    let after = router.node.counters().reduction;
    assert!(after.summary_refreshes_received > before && after.sent_nack == 0, "{after:?}");

    let refreshes: Vec<_> = (0..7).map(|n| with_id(&lasting(&path(n)), FlaggedId::plain(id(n)))).collect();
    let parts: Vec<&[u8]> = refreshes.iter().map(Vec::as_slice).collect();
    let mut bundle = Vec::new();
    Bundle::encode(Header { send_ttl: 60, ..header }, &parts, &mut bundle).unwrap();
    // The first one is news: those were no Bundles that told it before.
    router.receive(UPSTREAM, PHOP, own, &bundle);
    let before = router.node.counters().refreshes_received;
    group.throughput(criterion::Throughput::Elements(7));
    group.bench_function("receive a Bundle of 7 refreshes", |bench| {
        bench.iter(|| router.receive(UPSTREAM, PHOP, own, black_box(&bundle)));
    });
    assert!(router.node.counters().refreshes_received >= before + 7);

    let before = router.node.counters().reduction.summary_refreshed;
    group.throughput(criterion::Throughput::Elements(10_000));
    group.bench_function("make the Srefreshes of 10,000 Resvs and Paths in one period", |bench| {
        bench.iter(|| router.refresh_all());
    });
    assert!(router.node.counters().reduction.summary_refreshed > before);

    let mut fresh = 10_000..u32::MAX;
    let own = router.node.counters().reduction.sent_ack;
    group.throughput(criterion::Throughput::Elements(1));
    group.bench_function("pass on a reliable Path, both acknowledged", |bench| {
        bench.iter_batched(
            || fresh.next().map(|n| (n, with_id(&lasting(&path(n)), FlaggedId::wanting_ack(id(n))))).unwrap(),
            |(n, path)| router.set_up_reliably(n, &path),
            BatchSize::SmallInput,
        );
    });
    assert!(router.node.counters().reduction.sent_ack > own);
    group.finish();
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
    reduction(&mut criterion);
    criterion.final_summary();
}
