//! RFC 2205 section 3.6: local repair.

use std::time::Duration;

use conformance::bench::{Family, Plan, cl, ff, tspec};
use rsvp_core::command::{AdspecRequest, ReserveRequest, SenderRequest};
use rsvp_core::config::ReductionConfig;
use rsvp_core::wire::{FilterSpec, Style};
use rsvp_sim::{Network, NodeId, invariants};

const SECOND: Duration = Duration::from_secs(1);

/// Where a reservation of the session stands.
fn reserved(net: &Network, nodes: &[NodeId]) -> Vec<String> {
    let stands = nodes.iter().filter(|node| !net.kernel(**node).is_empty());
    stands.map(|node| net.name(*node).to_owned()).collect()
}

#[test]
fn a_route_changes() {
    let mut net = Network::new(1);
    net.set_reduction(ReductionConfig::off());
    net.check(invariants::pools_hold);
    let (s, d) = (net.host("s"), net.host("d"));
    let [r1, r2, r3, r4] = ["r1", "r2", "r3", "r4"].map(|name| net.router(name));
    let routers = [r1, r2, r3, r4];
    net.connect(&[s, r1]);
    let [above, below] = [r2, r3].map(|by| [net.connect(&[r1, by]), net.connect(&[by, r4])]);
    net.connect(&[r4, d]);
    for link in below {
        net.set_cost(link, 2);
    }
    net.run_for(SECOND);

    let template = FilterSpec::Ip { source: net.address(s), port: 4000 };
    let session = Plan::new(Family::V4).session(net.address(d), 5000);
    let sender = SenderRequest {
        template,
        tspec: tspec(20.0),
        adspec: AdspecRequest::None,
        ttl: 63,
        policy: Vec::new(),
    };
    net.announce(s, session, sender).expect("a good sender");
    let flows = vec![ff(cl(1.0), template)];
    let request = ReserveRequest {
        receiver: net.address(d),
        style: Style::Ff,
        flows,
        confirm: false,
        policy: Vec::new(),
    };
    net.reserve(d, session, request).expect("a good reservation");
    net.run_for(SECOND);
    assert_eq!(reserved(&net, &routers), ["r1", "r2", "r4"]);

    net.clear_transcript();
    let changed = net.now();
    for link in above {
        net.set_cost(link, 3);
    }
    net.run_for(4 * SECOND);
    let text = net.transcript().text(&net);
    assert_eq!(
        reserved(&net, &routers),
        routers.map(|node| net.name(node).to_owned()),
        "r2 does not know yet"
    );
    net.run_for(200 * SECOND);
    assert_eq!(reserved(&net, &routers), ["r1", "r3", "r4"], "the old branch has timed out");
    insta::assert_snapshot!(format!(
        "Local repair: at {:.3} the route of r1 changes from r2 to r3\n\n\
         s --- r1 --+-- r2 --+-- r4 --- d\n           +-- r3 --+\n\n{text}",
        changed.since(rsvp_core::Instant::ZERO).as_secs_f32()
    ));
}
