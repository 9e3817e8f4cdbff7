//! RFC 2205 section 3.4: loops, for which it takes several nodes.

use std::net::IpAddr;
use std::time::Duration;

use conformance::bench::cl;
use conformance::shows;
use rsvp_core::Command;
use rsvp_core::command::{ReserveRequest, SenderRequest};
use rsvp_core::wire::{
    FilterSpec, FlowDescriptor, FlowKey, Message, RawMessage, SenderTspec, SessionKey, Style,
};
use rsvp_sim::{Network, NodeId, invariants};

/// Five routers in a ring, each with a host that sends and receives. (In a ring of three, all data goes one hop, and
/// nothing can circle.)
struct Ring {
    net: Network,
    routers: [NodeId; 5],
    hosts: [NodeId; 5],
    key: SessionKey,
}

impl Ring {
    fn new() -> Self {
        let mut net = Network::new(5);
        net.check(invariants::traffic_control_agrees);
        let routers = ["r1", "r2", "r3", "r4", "r5"].map(|name| net.router(name));
        let hosts = ["h1", "h2", "h3", "h4", "h5"].map(|name| net.host(name));
        for number in 0..5 {
            net.connect(&[routers[number], routers[(number + 1) % 5]]);
        }
        for (router, host) in routers.into_iter().zip(hosts) {
            net.connect(&[router, host]);
        }
        let destination: IpAddr = [239, 1, 1, 1].into();
        let key = SessionKey::Ip(FlowKey { destination, protocol: 17, port: 5004 });
        Self { net, routers, hosts, key }
    }

    fn set_up(&mut self) {
        for host in self.hosts {
            let source = self.net.address(host);
            let template = FilterSpec::Ip { source, port: 4000 };
            let tspec = SenderTspec::TokenBucket(conformance::bench::bucket(1.0));
            let request = SenderRequest { template, tspec, adspec: true.into(), policy: vec![], ttl: 63 };
            self.net.announce(host, self.key, request).expect("it is a good sender");
            let flows = vec![FlowDescriptor { flowspec: Some(cl(1.0)), filters: vec![] }];
            let request =
                ReserveRequest { receiver: source, style: Style::Wf, flows, policy: vec![], confirm: false };
            self.net.reserve(host, self.key, request).expect("it is a good request");
        }
        self.net.run_for(Duration::from_secs(60));
    }

    /// How many reservations the routers have.
    fn reserved(&self) -> usize {
        self.routers.iter().map(|router| self.net.kernel(*router).len()).sum()
    }

    /// How many Resvs have a SCOPE.
    fn scopes(&self) -> usize {
        let messages = self.net.transcript().entries().iter();
        let parsed = messages.filter_map(|entry| {
            let raw = RawMessage::decode(&entry.message).ok()?;
            Message::parse(&raw, 100).ok()
        });
        parsed.filter(|message| matches!(message, Message::Resv(resv) if resv.scope.is_some())).count()
    }
}

#[test]
fn wildcard_reservations_do_not_refresh_each_other_around_a_ring() {
    shows(&["rfc2205-3.4-05"]);
    let mut ring = Ring::new();
    ring.set_up();
    assert_eq!(ring.reserved(), 15, "each router reserves towards its host and both neighbours");
    assert!(ring.scopes() > 0, "the senders come from several previous hops");
    // The receivers fall silent: their hosts die, so that no tear helps. Others send in their place.
    for host in ring.hosts {
        ring.net.kill(host);
    }
    for host in ring.hosts {
        ring.net.start(host);
        let template = FilterSpec::Ip { source: ring.net.address(host), port: 4000 };
        let tspec = SenderTspec::TokenBucket(conformance::bench::bucket(1.0));
        let request = SenderRequest { template, tspec, adspec: true.into(), policy: vec![], ttl: 63 };
        let api = ring.net.announce(host, ring.key, request).expect("it is a good sender");
        ring.net.command(host, Command::Join(api, None)).expect("it is open");
    }
    // Five lifetimes L = (K + 0.5) * 1.5 * R, one for each hop of the ring.
    ring.net.run_for(5 * Duration::from_millis(157_500));
    assert_eq!(ring.reserved(), 0);
    let senders = ring.net.node(ring.routers[0]).expect("it runs").senders();
    assert_eq!(senders.len(), 5, "the path state, around which it could go, is all there");
}
