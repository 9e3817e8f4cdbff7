//! What the engine costs: receiving a refresh, and setting up and tearing down a session among 100,000 others; and the same
//! with RFC 2961.

mod router;

use std::hint::black_box;
use std::net::Ipv4Addr;
use std::time::Duration;

use criterion::{BatchSize, Criterion};
use router::{
    DOWNSTREAM, EPOCH, NHOP, PHOP, Router, SENDER, UPSTREAM, ack, encode, every, id, path, resv, session,
    with_id,
};
use rsvp_core::wire::{
    Bundle, FilterSpec, FlaggedId, Head, Header, IdEntries, IdList, Message, PathTear, RsvpHop, Srefresh,
};

const SESSIONS: u32 = 100_000;

/// The same Path or Resv, of state that nobody has to refresh.
fn lasting(bytes: &[u8]) -> Message {
    every(u32::MAX, bytes)
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

/// How many identifiers a summary refresh of 1500 octets lists.
const LISTED: u32 = 360;

impl Router {
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
    let mut router = Router::reducing(10_000, u32::MAX);
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
    let mut router = Router::full(SESSIONS);
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
