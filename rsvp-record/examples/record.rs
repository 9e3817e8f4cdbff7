//! Records the receiving host of a simulated network: `cargo run -p rsvp-record --example record -- FILE`. It reserves too
//! much, then less, and leaves. What came of it: `rsvp-cli replay -v FILE`.

use std::error::Error;
use std::fs::File;
use std::time::Duration;

use rsvp_core::command::{Command, ReserveRequest, SenderRequest};
use rsvp_core::wire::{FilterSpec, FlowDescriptor, FlowKey, Flowspec, SenderTspec, SessionKey, Style, Tspec};
use rsvp_record::Recorder;
use rsvp_sim::Network;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("which file?")?;
    let file = File::create_new(path)?;
    let mut net = Network::new(42);
    net.record(move |name| (name == "bob").then(|| file.try_clone().ok().map(Recorder::new)).flatten());
    let [alice, bob] = ["alice", "bob"].map(|name| net.host(name));
    let router = net.router("router");
    net.connect(&[alice, router]);
    net.connect(&[router, bob]);

    let key = SessionKey::Ip(FlowKey { destination: net.address(bob), protocol: 17, port: 5004 });
    let sender = FilterSpec::Ip { source: net.address(alice), port: 4000 };
    let tspec = Tspec { rate: 125e3, bucket: 10e3, peak: 4e6, min_unit: 64, max_packet: 1500 };
    let announced = SenderRequest {
        template: sender,
        tspec: SenderTspec::TokenBucket(Tspec { rate: 2e6, ..tspec }),
        adspec: true.into(),
        policy: Vec::new(),
        ttl: 63,
    };
    let sending = net.announce(alice, key, announced)?;
    net.run_for(Duration::from_secs(1));

    // The links carry 1.25 MB/s.
    let reserve = |rate: f32| {
        let flowspec = Some(Flowspec::ControlledLoad(Tspec { rate, ..tspec }));
        let flows = vec![FlowDescriptor { flowspec, filters: vec![sender] }];
        (flows, Style::Ff)
    };
    let receiver = net.address(bob);
    let request =
        |(flows, style)| ReserveRequest { receiver, style, flows, policy: Vec::new(), confirm: true };
    let receiving = net.reserve(bob, key, request(reserve(2e6)))?;
    net.run_for(Duration::from_secs(10));
    net.command(bob, Command::Reserve(receiving, request(reserve(1e5))))?;
    net.run_for(Duration::from_secs(120));
    net.command(alice, Command::Release(sending))?;
    net.run_for(Duration::from_secs(1));
    net.command(bob, Command::Release(receiving))?;
    net.run_for(Duration::from_secs(1));
    Ok(())
}
