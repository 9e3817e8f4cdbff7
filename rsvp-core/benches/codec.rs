//! Decoding and encoding a Path and a Resv, in time and in octets.

use std::hint::black_box;
use std::net::IpAddr;

use criterion::{Criterion, Throughput};
use rsvp_core::intserv::{self, Hop};
use rsvp_core::wire::{
    Adspec, FilterSpec, FlowDescriptor, FlowKey, Flowspec, Header, Message, Path, RawMessage, Resv, RsvpHop,
    SenderTspec, Session, SessionKey, Style, Tspec,
};

const HEADER: Header = Header { flags: 0, send_ttl: 63 };
const MAX_OBJECTS: usize = 1024;

const TSPEC: Tspec =
    Tspec { rate: 125_000.0, bucket: 12_500.0, peak: f32::INFINITY, min_unit: 64, max_packet: 1500 };

fn ip(address: &str) -> IpAddr {
    address.parse().expect("an address")
}

fn session() -> Session {
    let flow = FlowKey { destination: ip("192.0.2.100"), protocol: 17, port: 5004 };
    Session { key: SessionKey::Ip(flow), flags: 0 }
}

fn hop() -> RsvpHop {
    RsvpHop { address: ip("198.51.100.1"), lih: 3 }
}

fn sender(last: u8) -> FilterSpec {
    FilterSpec::Ip { source: IpAddr::from([203, 0, 113, last]), port: 4000 }
}

/// A Path with an ADSPEC for both services.
fn path() -> Message {
    let hop_properties = Hop {
        bandwidth: 1.25e6,
        latency: Some(100),
        mtu: 1500,
        guaranteed: Some((1500, 1000)),
        controlled_load: true,
        ..Hop::default()
    };
    let initial = intserv::initial_adspec(&SenderTspec::TokenBucket(TSPEC));
    let adspec = intserv::advertise(&initial, &hop_properties);
    Message::Path(Path {
        session: session(),
        hop: hop(),
        refresh_ms: 30_000,
        policy: Vec::new(),
        sender_template: sender(1),
        sender_tspec: SenderTspec::TokenBucket(TSPEC),
        adspec: Some(Adspec::IntServ(adspec)),
        forward: Vec::new(),
    })
}

/// A Resv of fixed-filter style for so many senders.
fn resv(senders: u8) -> Message {
    let flow = |last| FlowDescriptor {
        flowspec: Some(Flowspec::ControlledLoad(TSPEC)),
        filters: [sender(last)].into(),
    };
    Message::Resv(Resv {
        session: session(),
        hop: hop(),
        refresh_ms: 30_000,
        confirm: None,
        scope: None,
        policy: Vec::new(),
        style: Style::Ff,
        flows: (1..=senders).map(flow).collect(),
        forward: Vec::new(),
    })
}

fn codec(criterion: &mut Criterion) {
    for (name, message) in [("Path", path()), ("Resv", resv(1)), ("Resv of 32 senders", resv(32))] {
        let mut group = criterion.benchmark_group(name);
        let mut bytes = Vec::new();
        message.encode(HEADER, &mut bytes).expect("it fits");
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function("decode, raw", |bencher| {
            bencher.iter(|| RawMessage::decode(black_box(&bytes)).expect("it is sound"));
        });
        group.bench_function("decode, typed", |bencher| {
            bencher.iter(|| {
                let raw = RawMessage::decode(black_box(&bytes)).expect("it is sound");
                Message::parse(&raw, MAX_OBJECTS).expect("it is sound")
            });
        });
        let mut buffer = Vec::with_capacity(bytes.len());
        group.bench_function("encode", |bencher| {
            bencher.iter(|| {
                buffer.clear();
                black_box(&message).encode(HEADER, &mut buffer).expect("it fits");
                buffer.len()
            });
        });
        group.finish();
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    codec(&mut criterion);
    criterion.final_summary();
}
