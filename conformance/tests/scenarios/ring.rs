//! RFC 2205 section 3.4: wildcard reservations on a ring, kept from running in circles by their SCOPE.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use conformance::bench::{Family, Plan, R, cl, tspec, wf};

use conformance::shows;
use rsvp_core::SessionKey;
use rsvp_core::command::{AdspecRequest, ReserveRequest, SenderRequest};
use rsvp_core::config::ReductionConfig;
use rsvp_core::wire::{FilterSpec, Message, RawMessage, Style, messages};
use rsvp_sim::{Fate, Network, NodeId, invariants};

use crate::notation;

/// Five routers in a ring, each with a host that sends and a host that receives: as many as it takes for every router to
/// pass on data from both sides.
struct Ring {
    net: Network,
    senders: Vec<NodeId>,
    routers: Vec<NodeId>,
    receivers: Vec<NodeId>,
    session: SessionKey,
}

impl Ring {
    fn new() -> Self {
        let mut net = Network::new(1);
        net.set_reduction(ReductionConfig::off());
        net.check(invariants::pools_hold);
        let routers: Vec<NodeId> = (1..=5).map(|n| net.router(&format!("r{n}"))).collect();
        let senders: Vec<NodeId> = (1..=5).map(|n| net.host(&format!("s{n}"))).collect();
        let receivers: Vec<NodeId> = (1..=5).map(|n| net.host(&format!("d{n}"))).collect();
        for n in 0..5 {
            net.connect(&[routers[n], routers[(n + 1) % 5]]);
            net.connect(&[senders[n], routers[n]]);
            net.connect(&[receivers[n], routers[n]]);
        }
        let session = Plan::new(Family::V4).g();
        Self { net, senders, routers, receivers, session }
    }

    /// Everybody sends, and everybody reserves for everybody.
    fn begin(&mut self) {
        for node in self.senders.clone() {
            let template = FilterSpec::Ip { source: self.net.address(node), port: 4000 };
            let (adspec, policy) = (AdspecRequest::None, Vec::new());
            let sender = SenderRequest { template, tspec: tspec(1.0), adspec, ttl: 63, policy };
            self.net.announce(node, self.session, sender).expect("a good sender");
        }
        for node in self.receivers.clone() {
            let (receiver, flows) = (self.net.address(node), vec![wf(cl(1.0))]);
            let policy = Vec::new();
            let request = ReserveRequest { receiver, style: Style::Wf, flows, confirm: false, policy };
            self.net.reserve(node, self.session, request).expect("a good reservation");
        }
        self.net.run_for(2 * R);
    }

    /// What each neighbour asks of another within a period, in the notation of the RFC.
    fn asked(&mut self) -> BTreeSet<String> {
        self.net.clear_transcript();
        self.net.run_for(2 * R);
        let name = |source: IpAddr| {
            let sender = self.senders.iter().find(|node| self.net.address(**node) == source);
            sender.map_or_else(|| source.to_string(), |node| self.net.name(*node).to_owned())
        };
        let mut lines = BTreeSet::new();
        for entry in self.net.transcript().entries() {
            let Fate::Sent { to, .. } = entry.fate else { continue };
            for message in messages(&entry.message) {
                let raw = message.and_then(RawMessage::decode).expect("a good message");
                let Ok(Message::Resv(resv)) = Message::parse(&raw, usize::MAX) else { continue };
                let what = notation::flows(resv.style, &resv.flows, resv.scope.as_deref(), &name);
                lines.insert(format!("{} > {}  Resv {what}", self.net.name(entry.from), self.net.name(to)));
            }
        }
        lines
    }

    /// How many senders and how many reservations the routers know of.
    fn state(&self) -> (usize, usize) {
        let nodes = || self.routers.iter().filter_map(|node| self.net.node(*node));
        (nodes().map(|node| node.senders().len()).sum(), nodes().map(|node| node.reservations().len()).sum())
    }
}

#[test]
fn wildcards_on_a_ring_do_not_keep_themselves_alive() {
    shows(&["rfc2205-3.4-05"]);
    let mut ring = Ring::new();
    ring.begin();
    let asked = ring.asked();
    let (senders, reservations) = ring.state();
    assert_eq!((senders, reservations), (25, 15), "all hear all, and all ask on both sides and from below");
    // The receivers stop without a word. Their hosts stay in the group, so that the trees stay as they are.
    for node in ring.receivers.clone() {
        ring.net.kill(node);
    }
    ring.net.run_for(Duration::from_secs(300));
    assert_eq!(ring.state(), (25, 0), "the senders are there, and nobody asks for them");

    let lines: Vec<String> = asked.into_iter().collect();
    insta::assert_snapshot!(format!(
        "WF on a ring: who asks whom, and in square brackets the SCOPE, which is what ends a circle\n\n\
         s1..s5 send, d1..d5 receive; sN and dN are on rN\n\n\
         r1 --- r2 --- r3 --- r4 --- r5 --- r1\n\n{}",
        lines.join("\n")
    ));
}
