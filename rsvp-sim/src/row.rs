//! Many sessions along one row of routers: how long they take to stand, and what it takes to keep them.

use std::time::Duration;

use rsvp_core::command::{ReserveRequest, SenderRequest};
use rsvp_core::config::{Bandwidth, InterfaceConfig, ReductionConfig};
use rsvp_core::counters::{Counters, MessageCounters};
use rsvp_core::event::{EventKind, Upcall};
use rsvp_core::wire::{FilterSpec, FlowDescriptor, FlowKey, Flowspec, SenderTspec, Style, Tspec};
use rsvp_core::{Instant, SessionKey};

use crate::network::Network;
use crate::topology::{Conditions, LinkId, NodeId};

/// How many datagrams or answers of one instant a node takes before it is polled, as the Tokio driver does.
const BATCH: usize = 256;

/// How often the sender is asked what stands.
const SLICE: Duration = Duration::from_millis(100);

/// Sessions of one destination differ by port and, beyond this many, by protocol.
const PORTS: usize = 60_000;
const PROTOCOLS: [u8; 4] = [17, 6, 33, 132];

const TSPEC: Tspec = Tspec { rate: 1000.0, bucket: 2000.0, peak: 2000.0, min_unit: 64, max_packet: 1500 };

/// A row of nodes, and the sessions that are to stand along it.
#[derive(Clone, Debug)]
pub struct RowPlan {
    /// How many sessions there are, all of the same sender and receiver; at most 240,000.
    pub sessions: usize,
    /// How many links there are between the sender's node and the receiver's: one more than routers.
    pub hops: usize,
    /// What each link does to packets.
    pub conditions: Conditions,
    /// What all nodes use of RFC 2961.
    pub reduction: ReductionConfig,
    /// R.
    pub refresh: Duration,
    /// Over what time the sessions ask, evenly. Zero: all at once.
    pub over: Duration,
    /// The seed of everything random.
    pub seed: u64,
}

/// The row, in virtual time.
pub struct Row {
    net: Network,
    links: Vec<LinkId>,
    sender: NodeId,
    receiver: NodeId,
    /// By session: when sender and receiver asked.
    asked: Vec<Instant>,
    /// By session: how long it took to stand.
    stood: Vec<Option<Duration>>,
    standing: usize,
}

/// What was sent so far on all links together, and what went wrong in all nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Messages; those in Bundles count, the Bundles do not.
    pub messages: u64,
    /// Datagrams.
    pub datagrams: u64,
    /// Octets of the datagrams, with IP headers.
    pub octets: u64,
    /// States that were not refreshed in time.
    pub expired: u64,
    /// Messages that were sent again because nobody acknowledged them.
    pub retransmitted: u64,
    /// Messages that were never acknowledged.
    pub given_up: u64,
}

impl Row {
    /// Builds the row. Nobody has asked for anything yet.
    ///
    /// # Panics
    ///
    /// When there are too many sessions.
    #[must_use]
    pub fn new(plan: &RowPlan) -> Self {
        assert!(plan.sessions <= PORTS * PROTOCOLS.len(), "more sessions than a destination can have");
        let mut net = Network::new(plan.seed);
        net.stop_recording();
        net.set_batch(BATCH);
        let pool = u64::MAX / 2;
        net.set_interface_config(InterfaceConfig {
            bandwidth: Some(Bandwidth { total: pool, per_flow: pool, link: pool }),
            refresh: plan.refresh,
            reduction: plan.reduction.clone(),
            ..InterfaceConfig::default()
        });
        let sender = net.host("s");
        let mut nodes = vec![sender];
        nodes.extend((1..plan.hops).map(|number| net.router(&format!("r{number}"))));
        let receiver = net.host("d");
        nodes.push(receiver);
        nodes.iter().filter(|node| **node != sender).for_each(|node| net.ignore_events(*node));
        let links: Vec<LinkId> = nodes.windows(2).map(|pair| net.connect(pair)).collect();
        links.iter().for_each(|link| net.set_conditions(*link, plan.conditions));
        Self { net, links, sender, receiver, asked: Vec::new(), stood: Vec::new(), standing: 0 }
    }

    /// The sender and the receiver of each session ask, both at the same instant.
    ///
    /// # Panics
    ///
    /// When a node refuses: it must not.
    pub fn ask(&mut self, plan: &RowPlan) {
        let start = self.net.now();
        let count = u32::try_from(plan.sessions).expect("few enough");
        for number in 0..count {
            let at = start + plan.over / count.max(1) * number;
            if at > self.net.now() {
                self.run_until(at);
            }
            self.asked.push(at);
            self.stood.push(None);
            let (key, filter) = self.names(number as usize);
            let sender = SenderRequest {
                template: filter,
                tspec: SenderTspec::TokenBucket(TSPEC),
                adspec: true.into(),
                policy: Vec::new(),
                ttl: 63,
            };
            self.net.announce(self.sender, key, sender).expect("it is a good sender");
            let flowspec = Some(Flowspec::ControlledLoad(TSPEC));
            let request = ReserveRequest {
                receiver: key.flow().destination,
                style: Style::Ff,
                flows: vec![FlowDescriptor { flowspec, filters: vec![filter] }],
                policy: Vec::new(),
                confirm: false,
            };
            self.net.reserve(self.receiver, key, request).expect("it is a good request");
        }
    }

    fn names(&self, number: usize) -> (SessionKey, FilterSpec) {
        let protocol = PROTOCOLS[number / PORTS];
        let port = u16::try_from(number % PORTS + 1).expect("few enough");
        let key = FlowKey { destination: self.net.address(self.receiver), protocol, port };
        (SessionKey::Ip(key), FilterSpec::Ip { source: self.net.address(self.sender), port: 4000 })
    }

    /// Lets time pass until all sessions stand, or so much time has passed.
    pub fn run_until_all_stand(&mut self, most: Duration) {
        let end = self.net.now() + most;
        while self.standing < self.stood.len() && self.net.now() < end {
            self.run_until(end.min(self.net.now() + SLICE));
        }
    }

    /// Lets so much time pass.
    pub fn run_for(&mut self, time: Duration) {
        let end = self.net.now() + time;
        while self.net.now() < end {
            self.run_until(end.min(self.net.now() + SLICE));
        }
    }

    fn run_until(&mut self, end: Instant) {
        self.net.run_until(end);
        for event in self.net.take_events(self.sender) {
            let EventKind::Upcall(_, key, Upcall::Resv { .. }) = event.kind else { continue };
            let protocol = PROTOCOLS.iter().position(|protocol| *protocol == key.flow().protocol);
            let number = protocol.unwrap_or(0) * PORTS + usize::from(key.flow().port) - 1;
            if self.stood[number].is_none() {
                self.stood[number] = Some(event.at.since(self.asked[number]));
                self.standing += 1;
            }
        }
    }

    /// By session: how long after sender and receiver had asked its reservation stood end to end, which is when its Resv
    /// had reached the sender's node. `None`: it has not yet.
    #[must_use]
    pub fn stood(&self) -> &[Option<Duration>] {
        &self.stood
    }

    /// What was sent, and what went wrong.
    ///
    /// # Panics
    ///
    /// When a node was stopped, which nobody does here.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for link in &self.links {
            let traffic = self.net.traffic(*link);
            totals.datagrams += traffic.datagrams;
            totals.octets += traffic.octets;
        }
        for id in self.net.nodes() {
            let Counters { sent, reduction, path_timeouts, resv_timeouts, .. } =
                self.net.node(id).expect("all nodes run").counters();
            totals.messages += messages(sent);
            totals.expired += path_timeouts + resv_timeouts;
            totals.retransmitted += reduction.retransmitted;
            totals.given_up += reduction.given_up;
        }
        totals
    }

    /// The network.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.net
    }
}

fn messages(sent: &MessageCounters) -> u64 {
    let MessageCounters {
        path,
        resv,
        path_err,
        resv_err,
        path_tear,
        resv_tear,
        resv_confirm,
        bundle: _,
        ack,
        srefresh,
    } = sent;
    path + resv + path_err + resv_err + path_tear + resv_tear + resv_confirm + ack + srefresh
}
