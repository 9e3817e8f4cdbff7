//! Nodes of simulated networks are recorded and replayed.

mod support;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rsvp_core::command::{Command, ReserveRequest, SenderRequest};
use rsvp_core::config::ReductionConfig;
use rsvp_core::wire::{FilterSpec, FlowDescriptor, FlowKey, Flowspec, SenderTspec, SessionKey, Style, Tspec};
use rsvp_core::{Input, Node};
use rsvp_record::{Call, End, Recorder, Replay, ReplayError};
use rsvp_sim::trial::Plan;
use rsvp_sim::{Network, NodeId};
use support::{Memory, steps};

const TRAFFIC: Tspec = Tspec { rate: 1e3, bucket: 2e3, peak: 2e3, min_unit: 64, max_packet: 1500 };

/// The recordings of a network, by the nodes' names and starts.
#[derive(Clone, Default)]
struct Recordings(Arc<Mutex<BTreeMap<(String, usize), Memory>>>);

impl Recordings {
    fn recorder(&self, name: &str) -> Recorder {
        let memory = Memory::default();
        let mut all = self.0.lock().expect("nobody panics with it");
        let run = all.keys().filter(|(other, _)| other == name).count();
        all.insert((name.to_owned(), run), memory.clone());
        Recorder::new(memory)
    }

    fn of(&self, net: &mut Network) {
        let recordings = self.clone();
        net.record(move |name| Some(recordings.recorder(name)));
    }

    fn all(&self) -> Vec<((String, usize), Vec<u8>)> {
        let all = self.0.lock().expect("nobody panics with it");
        all.iter().map(|(key, memory)| (key.clone(), memory.octets())).collect()
    }
}

/// Two hosts and a router between them, with `flows` reservations.
fn line(recordings: &Recordings, flows: u16, reduction: ReductionConfig) -> (Network, [NodeId; 3]) {
    let mut net = Network::new(42);
    net.set_reduction(reduction);
    recordings.of(&mut net);
    let [alice, bob] = ["alice", "bob"].map(|name| net.host(name));
    let router = net.router("router");
    net.connect(&[alice, router]);
    net.connect(&[router, bob]);
    let sender = FilterSpec::Ip { source: net.address(alice), port: 4000 };
    for port in 1..=flows {
        let key = SessionKey::Ip(FlowKey { destination: net.address(bob), protocol: 17, port });
        let request = SenderRequest {
            template: sender,
            tspec: SenderTspec::TokenBucket(TRAFFIC),
            adspec: true.into(),
            policy: Vec::new(),
            ttl: 63,
        };
        net.announce(alice, key, request).expect("announced");
        let flow =
            FlowDescriptor { flowspec: Some(Flowspec::ControlledLoad(TRAFFIC)), filters: vec![sender] };
        let request = ReserveRequest {
            receiver: net.address(bob),
            style: Style::Ff,
            flows: vec![flow],
            policy: Vec::new(),
            confirm: true,
        };
        net.reserve(bob, key, request).expect("reserved");
    }
    (net, [alice, bob, router])
}

/// All that an operator sees of a node.
fn state(node: &Node) -> String {
    format!(
        "{:?} {:?} {:?} {:?} {:?} {:?}",
        node.sessions(),
        node.senders(),
        node.reservations(),
        node.installed(),
        node.neighbors(),
        node.counters()
    )
}

#[test]
fn every_node_is_relived_octet_by_octet() {
    let recordings = Recordings::default();
    let (mut net, nodes) = line(&recordings, 5, ReductionConfig::off());
    net.run_for(Duration::from_secs(3600));
    net.command(nodes[0], Command::Clear(None)).expect("cleared");
    net.run_for(Duration::from_secs(60));
    let states: BTreeMap<String, String> = nodes
        .map(|node| (net.name(node).to_owned(), state(net.node(node).expect("it runs"))))
        .into_iter()
        .collect();
    drop(net);
    let all = recordings.all();
    assert_eq!(all.len(), 3);
    for ((name, _), octets) in all {
        let (steps, replay) = steps(&octets);
        let replay = replay.unwrap_or_else(|error| panic!("{name}: {error}: {error:?}"));
        assert_eq!(replay.end(), Some(End::Closed));
        assert_eq!(state(replay.node()), states[&name]);
        let sent = steps.iter().filter(|step| matches!(step.call, Call::Transmit(..))).count();
        let heard = steps.iter().filter(|step| matches!(step.call, Call::Handle(Input::Datagram(_)))).count();
        assert!(sent > 500 && heard > 500, "{name}: {sent} messages out, {heard} in");
    }
}

/// Octets of the router's recording for each refresh that it takes or sends: of as many Paths as Resvs, every 30 s.
fn octets_per_refresh(reduction: &ReductionConfig) -> f64 {
    const FLOWS: u16 = 50;
    const PERIODS: u32 = 60;
    let recordings = Recordings::default();
    let (mut net, nodes) = line(&recordings, FLOWS, reduction.clone());
    let recorded = || {
        let all = recordings.all();
        all.iter().filter(|((name, _), _)| name == "router").map(|(_, all)| all.len()).sum::<usize>()
    };
    net.run_for(Duration::from_secs(600));
    let before = recorded();
    net.run_for(Duration::from_secs(30) * PERIODS);
    let counters = net.node(nodes[2]).expect("it runs").counters();
    let received = counters.refreshes_received + counters.reduction.summary_refreshes_received;
    assert!(received > u64::from(FLOWS) * 100, "{received} of {reduction:?}");
    (recorded() - before) as f64 / f64::from(4 * u32::from(FLOWS) * PERIODS)
}

/// What docs/replay.md says of the size of a recording.
#[test]
fn a_refresh_takes_few_octets() {
    let whole = octets_per_refresh(&ReductionConfig::off());
    let summary = octets_per_refresh(&ReductionConfig::default());
    println!("octets for a refresh, in or out: {whole:.1} whole, {summary:.1} in summary refreshes");
    assert!(whole < 25.0 && summary < 10.0, "{whole} {summary}");
}

#[test]
fn random_networks_are_relived() {
    let (mut nodes, mut restarts) = (0, 0);
    for seed in 0..10 {
        let recordings = Recordings::default();
        Plan::random(seed).run_with(|net| recordings.of(net)).expect("it runs");
        for ((name, run), octets) in recordings.all() {
            let (_, replay) = steps(&octets);
            let replay = replay.unwrap_or_else(|error| panic!("seed {seed}, {name}: {error}: {error:?}"));
            assert_eq!(replay.end(), Some(End::Closed), "seed {seed}, {name}");
            nodes += 1;
            restarts += usize::from(run > 0);
        }
    }
    assert!(nodes > 30 && restarts > 3, "{nodes} recordings, {restarts} of a later start");
}

/// A planted change: the node's first random draw is another.
#[test]
fn another_seed_is_found_out() {
    let recordings = Recordings::default();
    let (mut net, _) = line(&recordings, 1, ReductionConfig::default());
    net.run_for(Duration::from_secs(100));
    drop(net);
    let (_, mut octets) = recordings.all().swap_remove(0);
    let seed = Replay::open(octets.as_slice()).expect("a recording").header().seed;
    let place = octets.windows(32).position(|window| window == seed).expect("it is there");
    octets[place] ^= 1;
    // The header's frame: the format's octet, a length of two octets, its check, its contents.
    let length = usize::from(octets[8] & 0x7f) | usize::from(octets[9]) << 7;
    let crc = crc32fast::hash(&octets[12..12 + length]).to_be_bytes();
    octets[10..12].copy_from_slice(&crc[2..]);
    let (before, replay) = steps(&octets);
    let Err(ReplayError::Diverged(divergence)) = replay else { panic!("it is not seen") };
    assert_eq!(divergence.step, before.len() as u64 + 1);
    assert_ne!(Some(divergence.expected), divergence.got);
}
