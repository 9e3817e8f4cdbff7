//! Neighbours that use different parts of RFC 2961: whatever two of them use, and whether the link loses datagrams or not,
//! their sessions are set up, changed, refreshed for a long time and torn down as without it.

use std::net::{IpAddr, Ipv4Addr};
use std::thread;
use std::time::Duration;

use rsvp_core::command::{Command, ReserveRequest, SenderRequest};
use rsvp_core::config::{InterfaceConfig, MessageIds, NodeConfig, ReductionConfig, SummaryRefresh};
use rsvp_core::wire::{FilterSpec, FlowDescriptor, FlowKey, Flowspec, SenderTspec, Style, Tspec};
use rsvp_core::{ApiId, SessionKey};
use rsvp_sim::{Conditions, Network, NodeId, Role, invariants};

/// R.
const REFRESH: Duration = Duration::from_secs(2);

/// K: so many that no state dies by chance of 10 % loss.
const MULTIPLE: u32 = 8;

/// L = (K + 0.5) * 1.5 * R (RFC 2205 section 3.7).
const LIFETIME: Duration = Duration::from_millis(25_500);

/// The most nodes that a Path passes from host to host.
const HOPS: u32 = 3;

/// Time for everything that a change brings about, retransmissions included, or the next refresh.
const CALM: Duration = Duration::from_secs(12);

/// The parts of RFC 2961 that a neighbour may use.
fn subsets() -> Vec<(&'static str, ReductionConfig)> {
    let default = ReductionConfig::default;
    let always = ReductionConfig { message_ids: MessageIds::Always, ..default() };
    let off = SummaryRefresh::Off;
    vec![
        ("nothing", ReductionConfig::off()),
        ("everything", default()),
        ("everything, ids always", always.clone()),
        ("no reliable delivery", ReductionConfig { reliable: false, ..default() }),
        ("no Bundles", ReductionConfig { bundle: false, ..default() }),
        ("no summary refresh", ReductionConfig { summary_refresh: off, ..default() }),
        (
            "reliable delivery alone",
            ReductionConfig { bundle: false, summary_refresh: off, ..always.clone() },
        ),
        ("Bundles alone", ReductionConfig { bundle: true, ..ReductionConfig::off() }),
        ("summary refresh alone", ReductionConfig { reliable: false, bundle: false, ..always.clone() }),
        (
            "summary refresh by session",
            ReductionConfig { summary_refresh: SummaryRefresh::Session, ..always },
        ),
    ]
}

fn node_config(reduction: &ReductionConfig, router: bool) -> NodeConfig {
    let default_interface = InterfaceConfig {
        refresh: REFRESH,
        refresh_multiple: MULTIPLE,
        bandwidth: Some(rsvp_core::config::Bandwidth {
            total: 10_000_000,
            per_flow: 10_000_000,
            link: 10_000_000,
        }),
        reduction: reduction.clone(),
        ..InterfaceConfig::default()
    };
    NodeConfig { router, default_interface, ..NodeConfig::default() }
}

/// One sender and its receivers.
struct Talk {
    from: NodeId,
    to: Vec<NodeId>,
    key: SessionKey,
    filter: FilterSpec,
    sending: Option<ApiId>,
    receiving: Vec<ApiId>,
}

fn bucket(rate: f32) -> Tspec {
    Tspec { rate, bucket: 1e4, peak: 1e6, min_unit: 64, max_packet: 1500 }
}

/// What is sent of which `rate` is reserved: more, so that the reservation is not cut down to it.
fn announced(rate: f32) -> SenderTspec {
    SenderTspec::TokenBucket(bucket(4.0 * rate))
}

/// A network and its sessions.
struct Scene {
    net: Network,
    talks: Vec<Talk>,
}

impl Scene {
    fn new(seed: u64) -> Self {
        let mut net = Network::new(seed);
        net.set_batch(64);
        net.list_next_hops();
        net.check(invariants::pools_hold);
        net.check(invariants::nothing_outlives_its_lifetime);
        net.check(invariants::traffic_control_agrees);
        net.check(invariants::message_ids_are_sound());
        Self { net, talks: Vec::new() }
    }

    fn lose(&mut self, loss: f64) {
        for link in self.net.links() {
            self.net.set_conditions(link, Conditions { loss, ..Conditions::default() });
        }
    }

    fn unicast(&mut self, from: NodeId, to: NodeId, v6: bool) {
        let address = |node: NodeId| {
            self.net.addresses(node).find(|address| address.is_ipv6() == v6).expect("it has both")
        };
        self.talk(from, &[to], address(from), address(to));
    }

    fn group(&mut self, from: NodeId, to: &[NodeId]) {
        let number = u8::try_from(self.talks.len() + 1).expect("few");
        let source = self.net.address(from);
        self.talk(from, to, source, Ipv4Addr::new(239, 0, 0, number).into());
    }

    fn talk(&mut self, from: NodeId, to: &[NodeId], source: IpAddr, destination: IpAddr) {
        let port = 5000 + u16::try_from(self.talks.len()).expect("few");
        self.talks.push(Talk {
            from,
            to: to.to_vec(),
            key: SessionKey::Ip(FlowKey { destination, protocol: 17, port }),
            filter: FilterSpec::Ip { source, port: 4000 },
            sending: None,
            receiving: Vec::new(),
        });
    }

    /// Everybody asks, or asks for something else.
    fn ask(&mut self, rate: f32) {
        for talk in &mut self.talks {
            let net = &mut self.net;
            let open = |net: &mut Network, node| net.open(node, talk.key).expect("a session is opened");
            let sending = *talk.sending.get_or_insert_with(|| open(net, talk.from));
            let sender = SenderRequest {
                template: talk.filter,
                tspec: announced(rate),
                adspec: true.into(),
                policy: Vec::new(),
                ttl: 63,
            };
            net.command(talk.from, Command::AddSender(sending, sender)).expect("it is a good sender");
            if talk.receiving.is_empty() {
                talk.receiving = talk.to.iter().map(|node| open(net, *node)).collect();
            }
            for (node, receiving) in talk.to.iter().zip(&talk.receiving) {
                let v6 = talk.key.flow().destination.is_ipv6();
                let flowspec = Some(Flowspec::ControlledLoad(bucket(rate)));
                let request = ReserveRequest {
                    receiver: net.addresses(*node).find(|address| address.is_ipv6() == v6).expect("both"),
                    style: Style::Ff,
                    flows: vec![FlowDescriptor { flowspec, filters: vec![talk.filter] }],
                    policy: Vec::new(),
                    confirm: true,
                };
                net.command(*node, Command::Reserve(*receiving, request)).expect("it is a good request");
            }
        }
    }

    /// What was asked for stands everywhere.
    fn expect_everything(&self, rate: f32) {
        for talk in &self.talks {
            let held: Vec<f32> = self.held(talk);
            assert_eq!(held, [rate], "{:?} at {}", talk.key, self.net.name(talk.from));
            for node in &talk.to {
                let senders = self.net.node(*node).expect("it runs").senders();
                let told = senders.iter().filter(|view| view.session == talk.key).map(|view| &view.tspec);
                assert_eq!(told.collect::<Vec<_>>(), [&announced(rate)], "{:?}", talk.key);
            }
        }
        self.expect_nothing_expired();
    }

    fn expect_nothing_expired(&self) {
        for id in self.net.nodes() {
            let counters = self.net.node(id).expect("it runs").counters();
            assert_eq!(counters.path_timeouts + counters.resv_timeouts, 0, "{}", self.net.name(id));
        }
    }

    /// The rates that the sender's node has reserved.
    fn held(&self, talk: &Talk) -> Vec<f32> {
        let kernel = self.net.kernel(talk.from).values().filter(|held| held.session == talk.key);
        kernel.map(|held| held.flowspec.tspec().expect("controlled load").rate).collect()
    }

    /// Every second sender goes, and the receivers of the others do; what is left of it is gone within `time`.
    fn half_leaves(&mut self, time: Duration) {
        for (number, talk) in self.talks.iter_mut().enumerate() {
            if number % 2 == 0 {
                let sending = talk.sending.take().expect("it was there");
                self.net.command(talk.from, Command::Release(sending)).expect("it was opened");
            } else {
                for (node, receiving) in talk.to.iter().zip(std::mem::take(&mut talk.receiving)) {
                    self.net.command(*node, Command::Release(receiving)).expect("it was opened");
                }
            }
        }
        self.net.run_for(time);
        for talk in &self.talks {
            assert!(self.held(talk).is_empty(), "{:?} is still reserved", talk.key);
            for id in self.net.nodes().filter(|_| talk.sending.is_none()) {
                let senders = self.net.node(id).expect("it runs").senders();
                let left = senders.iter().any(|view| view.session == talk.key);
                assert!(!left, "{} still knows the sender of {:?}", self.net.name(id), talk.key);
            }
        }
    }

    /// Everybody goes, and nothing is left.
    fn all_leave(&mut self) {
        for talk in std::mem::take(&mut self.talks) {
            let receiving = talk.to.iter().copied().zip(talk.receiving);
            for (node, api) in receiving.chain(talk.sending.map(|api| (talk.from, api))) {
                self.net.command(node, Command::Release(api)).expect("it was opened");
            }
        }
        // Where the tears are lost, state dies hop by hop.
        self.net.run_for(HOPS * LIFETIME + CALM);
        invariants::nothing_is_left(&self.net).expect("all is released");
        invariants::nothing_is_outstanding(&self.net).expect("all is acknowledged, or given up");
    }

    /// The life of the sessions.
    fn play(&mut self, loss: f64) {
        self.lose(loss);
        self.net.run_for(Duration::from_secs(1));
        self.ask(1e5);
        self.net.run_for(CALM);
        self.expect_everything(1e5);
        self.ask(2e5);
        self.net.run_for(CALM);
        self.expect_everything(2e5);
        self.net.run_for(20 * REFRESH);
        self.expect_everything(2e5);
        invariants::await_acknowledgements(&mut self.net, CALM).expect("all is acknowledged, or given up");
        let patience = if loss > 0.0 { HOPS * LIFETIME + CALM } else { Duration::from_secs(1) };
        self.half_leaves(patience);
        if loss == 0.0 {
            self.expect_nothing_expired();
        }
        self.all_leave();
    }
}

/// Two hosts on a link.
fn pair(seed: u64, one: &ReductionConfig, other: &ReductionConfig) -> Scene {
    let mut scene = Scene::new(seed);
    let net = &mut scene.net;
    let [a, b] = [("a", one), ("b", other)]
        .map(|(name, reduction)| net.add(name, Role::Host, Some(node_config(reduction, false))));
    net.connect(&[a, b]);
    scene.unicast(a, b, false);
    scene.unicast(a, b, true);
    scene.unicast(b, a, false);
    scene.group(a, &[b]);
    scene
}

fn try_all_pairs(loss: f64) {
    let subsets = subsets();
    thread::scope(|scope| {
        for part in 0..2 {
            let subsets = &subsets;
            scope.spawn(move || {
                for (x, (one_name, one)) in subsets.iter().enumerate().filter(|(x, _)| x % 2 == part) {
                    for (y, (other_name, other)) in subsets.iter().enumerate() {
                        let seed = u64::try_from(100 * x + y).expect("few");
                        let _told = Told(vec![one_name, other_name]);
                        pair(seed, one, other).play(loss);
                    }
                }
            });
        }
    });
}

/// Says what the nodes use that a test fails with.
struct Told(Vec<&'static str>);

impl Drop for Told {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("the neighbours use: {}", self.0.join("; "));
        }
    }
}

#[test]
fn any_two_neighbours_get_on() {
    try_all_pairs(0.0);
}

#[test]
fn any_two_neighbours_get_on_across_a_link_that_loses() {
    try_all_pairs(0.1);
}

/// Three routers on a LAN, and a host behind each.
fn lan(seed: u64, routers: [NodeConfig; 3]) -> Scene {
    let mut scene = Scene::new(seed);
    let net = &mut scene.net;
    let mut number = 0;
    let routers = routers.map(|config| {
        number += 1;
        net.add(&format!("r{number}"), Role::Router, Some(config))
    });
    net.connect(&routers);
    let hosts = routers.map(|router| {
        let config = node_config(&ReductionConfig::default(), false);
        let host = net.add(&format!("h{}", &net.name(router)[1..]), Role::Host, Some(config));
        net.connect(&[router, host]);
        host
    });
    let [one, two, three] = hosts;
    scene.group(one, &[two, three]);
    scene.group(two, &[one]);
    scene.unicast(one, two, false);
    scene.unicast(three, one, true);
    scene.unicast(two, three, false);
    scene
}

#[test]
fn three_different_neighbours_on_a_lan_get_on() {
    let subsets = subsets();
    let count = subsets.len();
    for first in 0..count {
        let three = [0, 1, 2].map(|more| &subsets[(first + 3 * more + 1) % count]);
        let _told = Told(three.map(|(name, _)| *name).to_vec());
        for loss in [0.0, 0.1] {
            let configs = three.map(|(_, reduction)| node_config(reduction, true));
            lan(first as u64, configs).play(loss);
        }
    }
}

/// Router 1 uses something else with router 2 than with router 3.
#[test]
fn a_neighbour_may_be_treated_differently_from_the_others_on_its_lan() {
    let subsets = subsets();
    for (number, (name, usual)) in subsets.iter().enumerate() {
        let (special_name, special) = &subsets[(number + 1) % subsets.len()];
        let _told = Told(vec![name, special_name]);
        for loss in [0.0, 0.1] {
            let mut configs = [usual, special, usual].map(|reduction| node_config(reduction, true));
            // The first link is the LAN.
            for address in ["10.0.1.2", "fd00:1::2"] {
                let address: IpAddr = address.parse().expect("an address");
                configs[0].neighbors.insert(address, special.clone());
            }
            lan(number as u64, configs).play(loss);
        }
    }
}
