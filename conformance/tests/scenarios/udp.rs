//! RFC 2205 Appendix C: a host without raw I/O, as sender and as receiver.

use std::time::Duration;

use conformance::bench::{Family, Plan, cl, ff, tspec};
use rsvp_core::NodeConfig;
use rsvp_core::command::{AdspecRequest, ReserveRequest, SenderRequest};
use rsvp_core::config::ReductionConfig;
use rsvp_core::config::UdpOnly;
use rsvp_core::wire::{FilterSpec, Style};
use rsvp_sim::{Network, NodeId, Role, invariants};

/// One sends to the other, which reserves, with a confirmation.
fn exchange(net: &mut Network, from: NodeId, to: NodeId) {
    let template = FilterSpec::Ip { source: net.address(from), port: 4000 };
    let session = Plan::new(Family::V4).session(net.address(to), 5000);
    let policy = Vec::new();
    let sender = SenderRequest { template, tspec: tspec(1.0), adspec: AdspecRequest::None, ttl: 63, policy };
    net.announce(from, session, sender).expect("a good sender");
    net.run_for(Duration::from_secs(1));
    let (receiver, flows) = (net.address(to), vec![ff(cl(1.0), template)]);
    let request = ReserveRequest { receiver, style: Style::Ff, flows, confirm: true, policy: Vec::new() };
    net.reserve(to, session, request).expect("a good reservation");
    net.run_for(Duration::from_secs(1));
}

#[test]
fn a_host_without_raw_io() {
    let mut net = Network::new(1);
    net.set_reduction(ReductionConfig::off());
    net.check(invariants::pools_hold);
    let hr = net.host("hr");
    let config = net.node(hr).expect("it runs").config().clone();
    let config = NodeConfig { udp_only: Some(UdpOnly::default()), ..config };
    let hu = net.add("hu", Role::Host, Some(config));
    let (router, far) = (net.router("r"), net.host("far"));
    net.connect(&[hu, hr, router]);
    net.connect(&[router, far]);
    net.run_for(Duration::from_secs(1));
    exchange(&mut net, hu, far);
    exchange(&mut net, far, hu);
    exchange(&mut net, far, hr);
    for node in [hu, router, far] {
        assert_eq!(net.kernel(node).len(), if node == hu { 1 } else { 2 } + usize::from(node == router));
    }
    let text = net.transcript().text(&net);
    insta::assert_snapshot!(format!(
        "Appendix C: hu, which has no raw I/O, sends to far, then far to hu, and far to hr, which has it\n\n\
         hu ---+\n      +--- r --- far\nhr ---+\n\n{text}"
    ));
}
