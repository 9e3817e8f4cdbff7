//! Random networks, random trouble, and then peace: what is reserved where must be what a simple model says.
//!
//! Every seed makes its own network. When one fails, `RSVP_SIM_SEED=<seed> cargo test -p rsvp-sim --test random` runs that
//! one alone.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use rsvp_core::command::{ReserveRequest, SenderRequest};
use rsvp_core::config::{Bandwidth, InterfaceConfig};
use rsvp_core::input::InstallFailure;
use rsvp_core::wire::{FilterSpec, FlowDescriptor, FlowKey, Flowspec, SenderTspec, Style, Tspec};
use rsvp_core::{ApiId, Command, InterfaceId, SessionKey};
use rsvp_sim::{
    Conditions, Draw, InstallAnswer, LinkId, Network, NodeId, Random, SEED_VARIABLE, invariants, seeded,
};

/// How many networks a plain test run tries.
const SEEDS: u64 = 50;

/// The refresh period; lifetimes are 5.25 times as long.
const REFRESH: Duration = Duration::from_secs(2);

/// Time in which all that trouble has left behind is gone: a lifetime for each of some hops.
const PEACE: Duration = Duration::from_secs(90);

#[test]
fn reservations_converge_to_what_was_asked_for() {
    if std::env::var_os(SEED_VARIABLE).is_some() {
        Scenario::new(0, 10_000_000).run();
        return;
    }
    let compared: usize = (0..SEEDS).map(|seed| Scenario::new(seed, 10_000_000).run()).sum();
    assert!(compared > 250, "only {compared} reservations in {SEEDS} networks: that shows nothing");
}

#[test]
fn scarce_bandwidth_is_never_overrun() {
    if std::env::var_os(SEED_VARIABLE).is_some() {
        return Scenario::new(0, 60_000).run_scarce();
    }
    for seed in 0..SEEDS / 2 {
        Scenario::new(seed, 60_000).run_scarce();
    }
}

struct Scenario {
    net: Network,
    random: Random,
    routers: Vec<NodeId>,
    hosts: Vec<NodeId>,
    links: Vec<LinkId>,
    sessions: Vec<Session>,
}

struct Session {
    key: SessionKey,
    style: Style,
    destination: NodeId,
    senders: Vec<Sender>,
    receivers: Vec<Receiver>,
}

struct Sender {
    node: NodeId,
    filter: FilterSpec,
    api: Option<ApiId>,
}

struct Receiver {
    api: ApiId,
    /// What it asks for, if it does: bytes per second, and for which senders (by position).
    rate: Option<f32>,
    wanted: Vec<usize>,
}

/// What is reserved where: device, outgoing interface, session and senders, with the rate.
type Reserved = BTreeMap<(NodeId, InterfaceId, SessionKey, Vec<FilterSpec>), f32>;

impl Scenario {
    fn new(seed: u64, bandwidth: u64) -> Self {
        let mut net = Network::new(seed);
        let mut random = seeded(net.seed() ^ 0x5eed);
        net.set_interface_config(InterfaceConfig {
            refresh: REFRESH,
            bandwidth: Some(Bandwidth { total: bandwidth, per_flow: bandwidth, link: bandwidth }),
            ..InterfaceConfig::default()
        });
        if random.chance(0.5) {
            net.shuffle_polls();
        }
        net.set_convergence(random.duration(Duration::from_secs(2)));
        net.check(invariants::pools_hold);
        net.check(invariants::nothing_outlives_its_lifetime);
        net.check(invariants::traffic_control_agrees);
        let mut scenario =
            Self { net, random, routers: vec![], hosts: vec![], links: vec![], sessions: vec![] };
        scenario.build();
        scenario.net.run_for(Duration::from_secs(3));
        scenario
    }

    /// A tree of routers with some more links, and hosts on it.
    fn build(&mut self) {
        let routers = 2 + self.random.below(5);
        for number in 0..routers {
            let name = format!("r{number}");
            let plain = number > 0 && self.random.chance(0.1);
            let router = if plain { self.net.plain_router(&name) } else { self.net.router(&name) };
            if number > 0 {
                let other = self.routers[self.random.below(number)];
                self.join(&[other, router]);
            }
            self.routers.push(router);
        }
        for _ in 0..self.random.below(3) {
            let [one, other] = [0; 2].map(|_| self.routers[self.random.below(routers)]);
            if one != other {
                self.join(&[one, other]);
            }
        }
        for number in 0..2 + self.random.below(4) {
            let host = self.net.host(&format!("h{number}"));
            let router = self.routers[self.random.below(routers)];
            self.join(&[host, router]);
            self.hosts.push(host);
        }
        for port in 0..2 + self.random.below(5) {
            self.add_session(5000 + u16::try_from(port).expect("a few"));
        }
    }

    fn join(&mut self, nodes: &[NodeId]) {
        let link = self.net.connect(nodes);
        self.links.push(link);
    }

    fn add_session(&mut self, port: u16) {
        let v6 = self.random.chance(0.5);
        let destination = self.hosts[self.random.below(self.hosts.len())];
        let key = SessionKey::Ip(FlowKey { destination: self.address(destination, v6), protocol: 17, port });
        let style = [Style::Ff, Style::Se, Style::Wf][self.random.below(3)];
        let senders = self.hosts.iter().filter(|host| **host != destination).copied().collect::<Vec<_>>();
        let senders = senders
            .into_iter()
            .take(3)
            .map(|node| {
                let filter = FilterSpec::Ip { source: self.address(node, v6), port: 4000 };
                Sender { node, filter, api: None }
            })
            .collect();
        self.sessions.push(Session { key, style, destination, senders, receivers: vec![] });
        let session = self.sessions.len() - 1;
        for _ in 0..1 + self.random.below(2) {
            let api = self.net.open(destination, key).expect("a session is opened");
            self.sessions[session].receivers.push(Receiver { api, rate: None, wanted: vec![] });
        }
    }

    fn address(&self, node: NodeId, v6: bool) -> IpAddr {
        self.net.addresses(node).find(|address| address.is_ipv6() == v6).expect("every device has both")
    }

    /// Returns how many reservations were compared.
    fn run(mut self) -> usize {
        for _ in 0..40 {
            self.disturb();
            let pause = self.random.duration(Duration::from_secs(4));
            self.net.run_for(pause);
        }
        self.make_peace();
        let expected = self.expected();
        let found = self.found();
        assert_eq!(found, expected, "\n{}", self.net.transcript().tail(&self.net, 60));
        self.release();
        expected.len()
    }

    fn run_scarce(mut self) {
        for _ in 0..40 {
            self.disturb();
            let pause = self.random.duration(Duration::from_secs(4));
            self.net.run_for(pause);
        }
        self.make_peace();
        self.release();
    }

    /// Something happens: to the network, or to an application.
    fn disturb(&mut self) {
        match self.random.below(12) {
            0..=2 => self.change_sender(),
            3..=5 => self.change_receiver(),
            6 => self.change_conditions(),
            7 => {
                let link = self.links[self.random.below(self.links.len())];
                let up = self.random.chance(0.6);
                self.net.set_link_up(link, up);
            }
            8 => {
                let link = self.links[self.random.below(self.links.len())];
                let node = self.routers[self.random.below(self.routers.len())];
                if self.random.chance(0.5) { self.net.partition(link, &[node]) } else { self.net.heal(link) }
            }
            9 => self.change_traffic_control(),
            10 => {
                let node = self.any_node();
                let blocked = self.random.chance(0.5);
                self.net.block_socket(node, blocked);
            }
            _ => self.hit_a_router(),
        }
    }

    fn change_conditions(&mut self) {
        let link = self.links[self.random.below(self.links.len())];
        let conditions = Conditions {
            delay: Duration::from_millis(1) + self.random.duration(Duration::from_millis(20)),
            jitter: self.random.duration(Duration::from_millis(50)),
            loss: [0.0, 0.1, 0.3][self.random.below(3)],
            duplication: [0.0, 0.1][self.random.below(2)],
        };
        self.net.set_conditions(link, conditions);
    }

    fn any_node(&mut self) -> NodeId {
        let nodes: Vec<NodeId> = self.net.nodes().collect();
        nodes[self.random.below(nodes.len())]
    }

    /// Traffic control of a node becomes slow, or fails, or does neither.
    fn change_traffic_control(&mut self) {
        let node = self.any_node();
        let fails = self.random.chance(0.3);
        let delay = self.random.duration(Duration::from_secs(3));
        let result = if fails { Err(InstallFailure { reason: "none left".to_owned() }) } else { Ok(()) };
        let answer = InstallAnswer { delay, result };
        self.net.set_installer(node, Box::new(move |_| answer.clone()));
    }

    fn hit_a_router(&mut self) {
        let router = self.routers[self.random.below(self.routers.len())];
        let running = self.net.node(router).is_some();
        match self.random.below(4) {
            0 if running => self.net.kill(router),
            1 if running => self.net.freeze(router),
            2 => self.net.set_power(router, false),
            _ => self.restore(router),
        }
    }

    /// Brings a router back from whatever was done to it.
    fn restore(&mut self, router: NodeId) {
        self.net.thaw(router);
        self.net.set_power(router, true);
    }

    fn change_sender(&mut self) {
        let session = self.random.below(self.sessions.len());
        let Session { key, ref senders, .. } = self.sessions[session];
        if senders.is_empty() {
            return;
        }
        let sender = self.random.below(senders.len());
        let Sender { node, filter, api } = senders[sender];
        self.sessions[session].senders[sender].api = match api {
            Some(api) => {
                self.net.command(node, Command::Release(api)).expect("it was opened");
                None
            }
            None => {
                let tspec = SenderTspec::TokenBucket(bucket(1_000_000.0));
                let request = SenderRequest {
                    template: filter,
                    tspec,
                    adspec: true.into(),
                    policy: Vec::new(),
                    ttl: 63,
                };
                Some(self.net.announce(node, key, request).expect("it is a good sender"))
            }
        };
    }

    fn change_receiver(&mut self) {
        let session = self.random.below(self.sessions.len());
        let receiver = self.random.below(self.sessions[session].receivers.len());
        let node = self.sessions[session].destination;
        let api = self.sessions[session].receivers[receiver].api;
        if self.sessions[session].receivers[receiver].rate.is_some() && self.random.chance(0.3) {
            self.net.command(node, Command::Unreserve(api)).expect("it has a reservation");
            self.sessions[session].receivers[receiver].rate = None;
            return;
        }
        let rate = [10_000.0, 20_000.0, 40_000.0][self.random.below(3)];
        let all: Vec<usize> = (0..self.sessions[session].senders.len()).collect();
        let style = self.sessions[session].style;
        let wanted: Vec<usize> = match style {
            Style::Ff => all.into_iter().filter(|_| self.random.chance(0.7)).collect(),
            Style::Se | Style::Wf => all,
        };
        let filters: Vec<FilterSpec> =
            wanted.iter().map(|sender| self.sessions[session].senders[*sender].filter).collect();
        if filters.is_empty() && style != Style::Wf {
            return;
        }
        let flow =
            |filters| FlowDescriptor { flowspec: Some(Flowspec::ControlledLoad(bucket(rate))), filters };
        let flows = match style {
            Style::Ff => filters.into_iter().map(|filter| flow(vec![filter])).collect(),
            Style::Se => vec![flow(filters)],
            Style::Wf => vec![flow(vec![])],
        };
        let address = self.sessions[session].key.flow().destination;
        let request = ReserveRequest {
            receiver: address,
            style,
            flows,
            policy: Vec::new(),
            confirm: self.random.chance(0.5),
        };
        self.net.command(node, Command::Reserve(api, request)).expect("it is a good request");
        let receiver = &mut self.sessions[session].receivers[receiver];
        (receiver.rate, receiver.wanted) = (Some(rate), wanted);
    }

    /// Mends everything and waits until all has settled.
    fn make_peace(&mut self) {
        for link in self.links.clone() {
            self.net.set_conditions(link, Conditions::default());
            self.net.heal(link);
            self.net.set_link_up(link, true);
        }
        for router in self.routers.clone() {
            self.restore(router);
        }
        for node in self.net.nodes() {
            self.net.block_socket(node, false);
            self.net.set_installer(node, Box::new(|_| InstallAnswer::DONE));
        }
        self.net.run_for(PEACE);
    }

    /// What the requests of the receivers come to: along the data path of every sender, on every outgoing interface of a
    /// node that runs RSVP, the largest request.
    fn expected(&mut self) -> Reserved {
        let mut reserved = Reserved::new();
        for index in 0..self.sessions.len() {
            let mut shared: BTreeMap<(NodeId, InterfaceId), BTreeSet<FilterSpec>> = BTreeMap::new();
            for position in 0..self.sessions[index].senders.len() {
                let Sender { node, filter, api } = self.sessions[index].senders[position];
                if api.is_none() {
                    continue;
                }
                let Session { key, style, ref receivers, .. } = self.sessions[index];
                let asks = receivers.iter().filter(|receiver| receiver.wanted.contains(&position));
                let rate = asks.filter_map(|receiver| receiver.rate).fold(0.0, f32::max);
                if rate == 0.0 {
                    continue;
                }
                for hop in self.path(node, key.flow().destination) {
                    match style {
                        Style::Ff => {
                            reserved.insert((hop.0, hop.1, key, vec![filter]), rate);
                        }
                        Style::Se | Style::Wf => {
                            shared.entry(hop).or_default().insert(filter);
                        }
                    }
                }
            }
            let Session { key, style, ref receivers, .. } = self.sessions[index];
            let rate = receivers.iter().filter_map(|receiver| receiver.rate).fold(0.0, f32::max);
            for ((node, interface), filters) in shared {
                let filters = if style == Style::Wf { vec![] } else { filters.into_iter().collect() };
                reserved.insert((node, interface, key, filters), rate);
            }
        }
        reserved
    }

    /// The RSVP nodes that a packet passes, each with the interface that it leaves by.
    fn path(&mut self, from: NodeId, destination: IpAddr) -> Vec<(NodeId, InterfaceId)> {
        let mut path = Vec::new();
        let mut here = from;
        loop {
            let route = self.net.route(here, destination);
            let Some(hop) = route.outgoing.first() else { return path };
            if self.net.node(here).is_some() {
                path.push((here, hop.interface));
            }
            let next = hop.gateway.unwrap_or(destination);
            let owner =
                self.net.nodes().find(|node| self.net.addresses(*node).any(|address| address == next));
            here = owner.expect("every next hop is a device's");
        }
    }

    /// What traffic control holds.
    fn found(&self) -> Reserved {
        let mut reserved = Reserved::new();
        for node in self.net.nodes() {
            for installation in self.net.kernel(node).values() {
                let mut filters = installation.filters.clone();
                filters.sort_unstable();
                let rate = installation.flowspec.tspec().expect("controlled load").rate;
                let twin =
                    reserved.insert((node, installation.interface, installation.session, filters), rate);
                assert_eq!(twin, None, "two installations for one thing: {installation:?}");
            }
        }
        reserved
    }

    /// All applications go; nothing may be left of them anywhere.
    fn release(&mut self) {
        for session in std::mem::take(&mut self.sessions) {
            for sender in session.senders {
                if let Some(api) = sender.api {
                    self.net.command(sender.node, Command::Release(api)).expect("it was opened");
                }
            }
            for receiver in session.receivers {
                self.net.command(session.destination, Command::Release(receiver.api)).expect("it was opened");
            }
        }
        self.net.run_for(PEACE);
        if let Err(left) = invariants::nothing_is_left(&self.net) {
            panic!("{left}\n{}", self.net.transcript().tail(&self.net, 60));
        }
    }
}

fn bucket(rate: f32) -> Tspec {
    Tspec { rate, bucket: rate, peak: rate, min_unit: 64, max_packet: 1500 }
}
