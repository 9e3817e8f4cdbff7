//! A reservation along a row of routers: what it comes to when nothing happens, and what the neighbours of a router do when
//! it falls silent or dies, and when it comes back.

use std::time::Duration;

use rsvp_core::command::{Command, ReserveRequest, SenderRequest};
use rsvp_core::config::{Bandwidth, InterfaceConfig, ReductionConfig};
use rsvp_core::event::{EventKind, Upcall};
use rsvp_core::input::InstallFailure;
use rsvp_core::view::{ReservationView, SenderView};
use rsvp_core::wire::{Adspec, FilterSpec, FlowDescriptor, FlowKey, Flowspec, SenderTspec, Style, Tspec};
use rsvp_core::{ApiId, Instant, Node, SessionKey};
use rsvp_sim::{InstallAnswer, Network, NodeId, invariants};

const REFRESH: Duration = Duration::from_secs(2);

/// L = (K + 0.5) * 1.5 * R (RFC 2205 section 3.7).
const LIFETIME: Duration = Duration::from_millis(10_500);

/// s, r1, r2, r3 and d in a row.
struct Line {
    net: Network,
    nodes: [NodeId; 5],
    /// The applications at s and d.
    apps: Vec<(NodeId, ApiId)>,
}

impl Line {
    fn new(reduction: ReductionConfig) -> Self {
        let mut net = Network::new(11);
        net.set_interface_config(InterfaceConfig {
            refresh: REFRESH,
            reduction,
            bandwidth: Some(Bandwidth { total: 1_000_000, per_flow: 1_000_000, link: 1_000_000 }),
            ..InterfaceConfig::default()
        });
        net.check(invariants::pools_hold);
        net.check(invariants::nothing_outlives_its_lifetime);
        net.check(invariants::traffic_control_agrees);
        let [s, d] = ["s", "d"].map(|name| net.host(name));
        let [r1, r2, r3] = ["r1", "r2", "r3"].map(|name| net.router(name));
        for pair in [[s, r1], [r1, r2], [r2, r3], [r3, d]] {
            net.connect(&pair);
        }
        Self { net, nodes: [s, r1, r2, r3, d], apps: Vec::new() }
    }

    /// The line, with the reservation in place.
    fn reserved() -> Self {
        Self::reserved_with(ReductionConfig::default())
    }

    fn reserved_with(reduction: ReductionConfig) -> Self {
        let mut line = Self::new(reduction);
        line.set_up();
        line.net.run_for(Duration::from_secs(10));
        line.expect_everything();
        line
    }

    fn set_up(&mut self) {
        let [s, .., d] = self.nodes;
        let key = SessionKey::Ip(FlowKey { destination: self.net.address(d), protocol: 17, port: 5004 });
        let sender = FilterSpec::Ip { source: self.net.address(s), port: 4000 };
        let bucket = Tspec { rate: 1e5, bucket: 1e4, peak: 1e6, min_unit: 64, max_packet: 1500 };
        let tspec = SenderTspec::TokenBucket(bucket);
        let request =
            SenderRequest { template: sender, tspec, adspec: true.into(), policy: Vec::new(), ttl: 63 };
        let sending = self.net.announce(s, key, request).expect("it is a good sender");
        let flows =
            vec![FlowDescriptor { flowspec: Some(Flowspec::ControlledLoad(bucket)), filters: vec![sender] }];
        let request = ReserveRequest {
            receiver: self.net.address(d),
            style: Style::Ff,
            flows,
            policy: Vec::new(),
            confirm: true,
        };
        let receiving = self.net.reserve(d, key, request).expect("it is a good request");
        self.apps = vec![(d, receiving), (s, sending)];
    }

    /// Every node but the last has one reservation, asked for by its neighbour, and one Path from its neighbour.
    fn expect_everything(&self) {
        let [s, r1, r2, r3, d] = self.nodes;
        for (node, next) in [(s, r1), (r1, r2), (r2, r3), (r3, d)] {
            assert_eq!(self.net.kernel(node).len(), 1, "{}", self.net.name(node));
            let reservations = self.node(node).reservations();
            assert_eq!(reservations.len(), 1, "{}", self.net.name(node));
            let asked_by = reservations[0].next_hop.expect("a next hop");
            assert!(self.net.addresses(next).any(|address| address == asked_by), "{reservations:?}");
            let senders = self.node(next).senders();
            assert_eq!(senders.len(), 1, "{}", self.net.name(next));
            assert!(!senders[0].non_rsvp);
            let told_by = senders[0].previous_hop.expect("a previous hop").address;
            assert!(self.net.addresses(node).any(|address| address == told_by), "{senders:?}");
        }
    }

    fn node(&self, node: NodeId) -> &Node {
        self.net.node(node).expect("it runs")
    }

    /// What a node has learnt from `neighbour`: path state.
    fn senders_from(&self, node: NodeId, neighbour: NodeId) -> Vec<SenderView> {
        let mut senders = self.node(node).senders();
        senders.retain(|view| {
            let hop = view.previous_hop.expect("a previous hop").address;
            self.net.addresses(neighbour).any(|address| address == hop)
        });
        senders
    }

    /// What a node has learnt from `neighbour`: reservations.
    fn reservations_from(&self, node: NodeId, neighbour: NodeId) -> Vec<ReservationView> {
        let mut reservations = self.node(node).reservations();
        reservations.retain(|view| {
            let hop = view.next_hop.expect("a next hop");
            self.net.addresses(neighbour).any(|address| address == hop)
        });
        reservations
    }
}

/// Asserts that state that was last refreshed at `refreshed` died at its time.
fn expect_timely_death(refreshed: Instant, died: Instant) {
    let age = died.since(refreshed);
    assert!(age >= LIFETIME && age <= LIFETIME + Duration::from_millis(200), "died at the age of {age:?}");
}

#[test]
fn a_reservation_stands_is_refreshed_and_goes() {
    let mut line = Line::reserved();
    line.net.run_for(Duration::from_secs(600));
    line.expect_everything();
    for node in line.nodes {
        let counters = line.node(node).counters();
        assert_eq!(counters.path_timeouts + counters.resv_timeouts, 0, "{}", line.net.name(node));
        assert!(counters.reduction.summary_refreshes_received > 200, "{}", line.net.name(node));
        assert!(counters.refreshes_received < 10, "{}", line.net.name(node));
    }
    let [.., d] = line.nodes;
    let confirmed = |kind: &EventKind| matches!(kind, EventKind::Upcall(_, _, Upcall::Confirmed { .. }));
    assert_eq!(line.net.take_events(d).iter().filter(|event| confirmed(&event.kind)).count(), 1);
    for (node, api) in line.apps.clone() {
        line.net.command(node, Command::Release(api)).expect("it was opened");
        line.net.run_for(Duration::from_secs(1));
    }
    invariants::nothing_is_left(&line.net).expect("all is released");
    assert_eq!(line.net.next_time(), None, "idle nodes are idle");
}

#[test]
fn state_learnt_from_a_silent_router_lives_as_long_as_the_rfc_says() {
    let mut line = Line::reserved();
    let [_, r1, r2, r3, _] = line.nodes;
    line.net.freeze(r2);
    let path = line.senders_from(r3, r2)[0].history.refreshed;
    let resv = line.reservations_from(r1, r2)[0].history.refreshed;
    let (mut path_died, mut resv_died) = (None, None);
    while path_died.is_none() || resv_died.is_none() {
        line.net.run_for(Duration::from_millis(10));
        let now = line.net.now();
        if line.senders_from(r3, r2).is_empty() {
            path_died = path_died.or(Some(now));
        }
        if line.reservations_from(r1, r2).is_empty() {
            resv_died = resv_died.or(Some(now));
        }
        assert!(now.since(path) < Duration::from_secs(60), "it never dies");
    }
    expect_timely_death(path, path_died.expect("it did"));
    expect_timely_death(resv, resv_died.expect("it did"));
    assert!(line.net.kernel(r1).is_empty(), "traffic control is rid of it too");
    line.net.thaw(r2);
    line.net.run_for(4 * REFRESH);
    line.expect_everything();
}

#[test]
fn the_neighbours_of_a_dead_daemon_meet_across_its_kernel() {
    meet_across_a_dead_daemon(ReductionConfig::off(), REFRESH + REFRESH / 2);
}

#[test]
fn the_neighbours_of_a_dead_daemon_meet_though_they_had_refreshed_by_summary() {
    // It takes three silent periods, and the rest of a fourth, until it counts as gone.
    meet_across_a_dead_daemon(ReductionConfig::default(), 9 * REFRESH / 2 + Duration::from_millis(100));
}

fn meet_across_a_dead_daemon(reduction: ReductionConfig, within: Duration) {
    let mut line = Line::reserved_with(reduction);
    let [_, r1, r2, r3, d] = line.nodes;
    line.net.kill(r2);
    let path = line.senders_from(r3, r2)[0].history.refreshed;
    let resv = line.reservations_from(r1, r2)[0].history.refreshed;
    line.net.run_for(within);
    let met = line.senders_from(r3, r1);
    assert_eq!(met.len(), 1, "in time, r3 hears r1");
    assert!(met[0].non_rsvp, "the TTL tells of the hop between");
    let Some(Adspec::IntServ(adspec)) = &line.node(d).senders()[0].adspec else { panic!("no ADSPEC at d") };
    assert!(adspec.general.broken, "the ADSPEC says so to the receiver");
    line.net.run_for(REFRESH);
    assert_eq!(line.reservations_from(r1, r3).len(), 1, "and r1 hears r3");
    line.net.run_until(line.net.now().max(path.max(resv) + LIFETIME + Duration::from_millis(200)));
    assert!(line.senders_from(r3, r2).is_empty() && line.reservations_from(r1, r2).is_empty());
    assert_eq!(line.net.kernel(r1).len(), 1, "the reservation stands all the while");
    assert_eq!(line.net.kernel(r2).len(), 1, "nobody took away what the dead daemon had installed");
    line.net.start(r2);
    assert!(line.net.kernel(r2).is_empty(), "the next one did");
    line.net.run_for(LIFETIME + 2 * REFRESH);
    line.expect_everything();
}

#[test]
fn a_link_that_fails_and_comes_back() {
    let mut line = Line::reserved();
    let [s, r1, r2, r3, _] = line.nodes;
    let link = line.net.link_between(r1, r2).expect("they are neighbours");
    line.net.set_link_up(link, false);
    line.net.run_for(2 * LIFETIME);
    for node in [r2, r3] {
        assert!(line.net.kernel(node).is_empty(), "{}", line.net.name(node));
        assert!(line.node(node).senders().is_empty());
    }
    assert_eq!(line.node(s).senders().len(), 1, "the sender is still there");
    line.net.set_link_up(link, true);
    line.net.run_for(LIFETIME);
    line.expect_everything();
}

#[test]
fn a_resv_waits_for_traffic_control() {
    let mut line = Line::new(ReductionConfig::default());
    let [s, r1, r2, r3, _] = line.nodes;
    let delay = Duration::from_secs(1);
    for node in [s, r1, r2, r3] {
        line.net.set_installer(node, Box::new(move |_| InstallAnswer { delay, result: Ok(()) }));
    }
    line.net.run_for(Duration::from_millis(100));
    line.set_up();
    line.net.run_for(Duration::from_millis(2500));
    let reached = |line: &Line| [r3, r2, r1, s].map(|node| line.node(node).reservations().len());
    assert_eq!(reached(&line), [1, 1, 1, 0], "a second at each router");
    line.net.run_for(Duration::from_secs(2));
    line.expect_everything();
}

#[test]
fn a_failure_of_traffic_control_is_told_to_the_receiver() {
    let mut line = Line::new(ReductionConfig::default());
    let [s, r1, r2, _, d] = line.nodes;
    let result = Err(InstallFailure { reason: "no more classes".to_owned() });
    let answer = InstallAnswer { delay: Duration::from_millis(10), result };
    line.net.set_installer(r1, Box::new(move |_| answer.clone()));
    line.set_up();
    line.net.run_for(Duration::from_secs(1));
    let told = line.net.take_events(d).into_iter().find_map(|event| match event.kind {
        EventKind::Upcall(_, _, Upcall::ResvError { error, .. }) => Some(error),
        _ => None,
    });
    let error = told.expect("an error");
    assert_eq!((error.code, error.flags), (22, 0), "Traffic Control System error, and nothing was in place");
    assert!(line.net.addresses(r1).any(|address| address == error.node), "{error:?}");
    assert!(line.net.kernel(r1).is_empty() && line.net.kernel(s).is_empty());
    assert_eq!(line.net.kernel(r2).len(), 1, "further down it stays");
}

#[test]
fn a_node_that_cannot_send_makes_up_for_it() {
    let mut line = Line::reserved();
    let [_, _, r2, ..] = line.nodes;
    line.net.block_socket(r2, true);
    line.net.clear_transcript();
    line.net.run_for(Duration::from_secs(6));
    let sent = |line: &Line| line.net.transcript().entries().iter().filter(|entry| entry.from == r2).count();
    assert_eq!(sent(&line), 0);
    line.net.block_socket(r2, false);
    let caught_up = sent(&line);
    assert!((1..=2).contains(&caught_up), "one Path and one Resv, not all that were missed: {caught_up}");
    line.expect_everything();
}
