//! A reservation between two hosts, in virtual time: `cargo run -p rsvp-sim --example reservation`.

use std::time::Duration;

use rsvp_core::command::{Command, CommandError, ReserveRequest, SenderRequest};
use rsvp_core::wire::{FilterSpec, FlowDescriptor, FlowKey, Flowspec, SenderTspec, SessionKey, Style, Tspec};
use rsvp_sim::Network;

fn main() -> Result<(), CommandError> {
    // Two hosts on a link; the seed decides everything that is random.
    let mut net = Network::new(42);
    let [alice, bob] = ["alice", "bob"].map(|name| net.host(name));
    net.connect(&[alice, bob]);

    // Alice announces what she will send to UDP port 5004 of Bob: a Path.
    let key = SessionKey::Ip(FlowKey { destination: net.address(bob), protocol: 17, port: 5004 });
    let sender = FilterSpec::Ip { source: net.address(alice), port: 4000 };
    let traffic = Tspec { rate: 125e3, bucket: 10e3, peak: 250e3, min_unit: 64, max_packet: 1500 };
    let request = SenderRequest {
        template: sender,
        tspec: SenderTspec::TokenBucket(traffic),
        adspec: true.into(),
        policy: Vec::new(),
        ttl: 63,
    };
    let sending = net.announce(alice, key, request)?;
    net.run_for(Duration::from_secs(1));

    // Bob reserves for it and wants to hear when that is done: a Resv, and a ResvConf.
    let flow = FlowDescriptor { flowspec: Some(Flowspec::ControlledLoad(traffic)), filters: vec![sender] };
    let request = ReserveRequest {
        receiver: net.address(bob),
        style: Style::Ff,
        flows: vec![flow],
        policy: Vec::new(),
        confirm: true,
    };
    let receiving = net.reserve(bob, key, request)?;
    net.run_for(Duration::from_secs(1));
    println!("installed at alice: {:#?}", net.kernel(alice));

    // An hour of refreshes takes no time. Then both leave, and nothing is left.
    net.run_for(Duration::from_secs(3600));
    net.command(bob, Command::Release(receiving))?;
    net.command(alice, Command::Release(sending))?;
    net.run_for(Duration::from_secs(1));
    println!("{}", net.transcript().tail(&net, 8));
    for event in net.take_events(bob) {
        println!("bob at {:?}: {:?}", event.at, event.kind);
    }
    assert_eq!(net.next_time(), None, "the network is idle");
    Ok(())
}
