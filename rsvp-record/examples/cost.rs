//! What recording costs a router: `cargo run --release -p rsvp-record --example cost`. It simulates a host, a router and a
//! host with many reservations for an hour, with the router recorded into a file and without.

use std::error::Error;
use std::fs::File;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use rsvp_core::command::{ReserveRequest, SenderRequest};
use rsvp_core::config::ReductionConfig;
use rsvp_core::wire::{FilterSpec, FlowDescriptor, FlowKey, Flowspec, SenderTspec, SessionKey, Style, Tspec};
use rsvp_record::Recorder;
use rsvp_sim::Network;

const FLOWS: u16 = 1000;
const TRAFFIC: Tspec = Tspec { rate: 100.0, bucket: 2e3, peak: 200.0, min_unit: 64, max_packet: 1500 };
const HOUR: Duration = Duration::from_secs(3600);

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::temp_dir().join(format!("cost-{}.rsvp", std::process::id()));
    let plain = run(None)?;
    let recorded = run(Some(File::create_new(&path)?))?;
    let octets = std::fs::metadata(&path)?.len();
    std::fs::remove_file(&path)?;
    // Paths and Resvs, in and out, every 30 seconds.
    let refreshes = 4 * u32::from(FLOWS) * 120;
    println!("{refreshes} refreshes in and out of the router in an hour of the network's time");
    println!("CPU time of all: not recorded: {plain:?}; recorded: {recorded:?}");
    println!("{:?} more for each", recorded.saturating_sub(plain) / refreshes);
    println!("{octets} octets in all: {:.1} for each", octets as f64 / f64::from(refreshes));
    Ok(())
}

/// The CPU time that the hour takes.
fn run(file: Option<File>) -> Result<Duration, Box<dyn Error>> {
    let mut net = Network::new(42);
    net.stop_recording();
    net.set_reduction(ReductionConfig::off());
    net.record(move |name| {
        let file = file.as_ref().filter(|_| name == "router")?;
        file.try_clone().ok().map(Recorder::new)
    });
    let [alice, bob] = ["alice", "bob"].map(|name| net.host(name));
    let router = net.router("router");
    net.connect(&[alice, router]);
    net.connect(&[router, bob]);
    for node in [alice, bob, router] {
        net.ignore_events(node);
    }
    let sender = FilterSpec::Ip { source: net.address(alice), port: 4000 };
    for port in 1..=FLOWS {
        let key = SessionKey::Ip(FlowKey { destination: net.address(bob), protocol: 17, port });
        let request = SenderRequest {
            template: sender,
            tspec: SenderTspec::TokenBucket(TRAFFIC),
            adspec: true.into(),
            policy: Vec::new(),
            ttl: 63,
        };
        net.announce(alice, key, request)?;
        let request = ReserveRequest {
            receiver: net.address(bob),
            style: Style::Ff,
            flows: vec![FlowDescriptor {
                flowspec: Some(Flowspec::ControlledLoad(TRAFFIC)),
                filters: vec![sender],
            }],
            policy: Vec::new(),
            confirm: false,
        };
        net.reserve(bob, key, request)?;
    }
    net.run_for(Duration::from_secs(60));
    let start = cpu_time()?;
    net.run_for(HOUR);
    Ok(cpu_time()?.saturating_sub(start))
}

/// What this thread has computed.
fn cpu_time() -> nix::Result<Duration> {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from)
}
