//! The engine's main exchange, seen from outside: state appears, is kept, and goes.

use std::net::IpAddr;
use std::time::Duration;

use rsvp_core::command::{Reply, ReserveRequest, SenderRequest};
use rsvp_core::config::{Bandwidth, InterfaceConfig};
use rsvp_core::wire::{FilterSpec, FlowDescriptor, FlowKey, Flowspec, SenderTspec, Style, Tspec};
use rsvp_core::{ApiId, Command, EventKind, SessionKey};
use rsvp_sim::{Network, NodeId};

const SECOND: Duration = Duration::from_secs(1);

fn bucket(rate: f32) -> Tspec {
    Tspec { rate, bucket: 10_000.0, peak: rate * 2.0, min_unit: 64, max_packet: 1500 }
}

fn session(destination: IpAddr) -> SessionKey {
    SessionKey::Ip(FlowKey { destination, protocol: 17, port: 5004 })
}

fn open(net: &mut Network, node: NodeId, key: SessionKey) -> ApiId {
    match net.command(node, Command::OpenSession(key)) {
        Ok(Reply::Session(api)) => api,
        other => panic!("{other:?}"),
    }
}

fn line() -> (Network, [NodeId; 4]) {
    let mut net = Network::new(1);
    net.set_interface_config(InterfaceConfig {
        bandwidth: Some(Bandwidth { total: 1_000_000, per_flow: 800_000, link: 1_250_000 }),
        ..InterfaceConfig::default()
    });
    let nodes = [net.host("s"), net.router("r1"), net.router("r2"), net.host("d")];
    for pair in nodes.windows(2) {
        net.connect(pair);
    }
    (net, nodes)
}

fn announce(net: &mut Network, from: NodeId, key: SessionKey) -> (ApiId, FilterSpec) {
    let api = open(net, from, key);
    let sender = FilterSpec::Ip { source: net.address(from), port: 4000 };
    let request = SenderRequest {
        template: sender,
        tspec: SenderTspec::TokenBucket(bucket(100_000.0)),
        adspec: true,
        ttl: 63,
    };
    net.command(from, Command::AddSender(api, request)).unwrap();
    (api, sender)
}

fn reserve(net: &mut Network, at: NodeId, key: SessionKey, sender: FilterSpec, rate: f32) -> ApiId {
    let api = open(net, at, key);
    let flow =
        FlowDescriptor { flowspec: Some(Flowspec::ControlledLoad(bucket(rate))), filters: vec![sender] };
    let request =
        ReserveRequest { receiver: net.address(at), style: Style::Ff, flows: vec![flow], confirm: true };
    net.command(at, Command::Reserve(api, request)).unwrap();
    api
}

#[test]
fn reservation_stands_is_refreshed_and_goes() {
    let (mut net, [s, r1, r2, d]) = line();
    let key = session(net.address(d));
    let (api_s, sender) = announce(&mut net, s, key);
    net.run_for(SECOND);
    let api_d = reserve(&mut net, d, key, sender, 100_000.0);
    net.run_for(SECOND);
    for node in [s, r1, r2] {
        assert_eq!(net.node(node).unwrap().installed().len(), 1, "{}", net.transcript().text(&net));
        assert_eq!(net.kernel(node).len(), 1);
    }
    net.run_for(Duration::from_secs(600));
    for node in [s, r1, r2] {
        let node = net.node(node).unwrap();
        assert_eq!(node.installed().len(), 1);
        assert_eq!(node.counters().path_timeouts + node.counters().resv_timeouts, 0);
    }
    assert!(net.node(r2).unwrap().counters().refreshes_received > 20);
    let confirmed = net.take_events(d).into_iter().any(|event| {
        matches!(event.kind, EventKind::Upcall(api, _, rsvp_core::event::Upcall::Confirmed { .. }) if api == api_d)
    });
    assert!(confirmed);
    net.command(d, Command::Release(api_d)).unwrap();
    net.run_for(SECOND);
    for node in [s, r1, r2] {
        assert_eq!(net.kernel(node).len(), 0);
    }
    net.command(s, Command::Release(api_s)).unwrap();
    net.run_for(SECOND);
    for node in [s, r1, r2, d] {
        assert_eq!(net.node(node).unwrap().sessions().len(), 0, "{}", net.transcript().text(&net));
    }
    assert_eq!(net.next_time(), None, "idle nodes are idle");
}
