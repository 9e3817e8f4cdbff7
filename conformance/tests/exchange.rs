//! The main exchange over three routers, message by message: `cargo insta review` shows what changed.

use std::net::IpAddr;
use std::time::Duration;

use rsvp_core::command::{ReserveRequest, SenderRequest};
use rsvp_core::config::ReductionConfig;
use rsvp_core::wire::{FilterSpec, FlowDescriptor, FlowKey, Flowspec, SenderTspec, Style, Tspec};
use rsvp_core::{ApiId, Command, SessionKey};
use rsvp_sim::{Network, NodeId, invariants};

const SECOND: Duration = Duration::from_secs(1);

/// s1 and s2, three routers in a row, and the receiving host d.
struct Line {
    net: Network,
    senders: [NodeId; 2],
    receiver: NodeId,
    key: SessionKey,
}

impl Line {
    fn new(v6: bool) -> Self {
        let mut net = Network::new(1);
        net.set_reduction(ReductionConfig::off());
        net.check(invariants::pools_hold);
        net.check(invariants::nothing_outlives_its_lifetime);
        let senders = ["s1", "s2"].map(|name| net.host(name));
        let [r1, r2, r3] = ["r1", "r2", "r3"].map(|name| net.router(name));
        let receiver = net.host("d");
        for pair in [[senders[0], r1], [senders[1], r1], [r1, r2], [r2, r3], [r3, receiver]] {
            net.connect(&pair);
        }
        let destination = address(&net, receiver, v6);
        let key = SessionKey::Ip(FlowKey { destination, protocol: 17, port: 5004 });
        let mut line = Self { net, senders, receiver, key };
        line.wait(SECOND);
        line
    }

    fn filter(&self, sender: usize) -> FilterSpec {
        let v6 = self.key.flow().destination.is_ipv6();
        FilterSpec::Ip { source: address(&self.net, self.senders[sender], v6), port: 4000 }
    }

    fn open_receiver(&mut self) -> ApiId {
        self.net.open(self.receiver, self.key).expect("a session is opened")
    }

    fn announce(&mut self, sender: usize) -> ApiId {
        let node = self.senders[sender];
        let tspec = SenderTspec::TokenBucket(bucket(3_000_000.0));
        let request = SenderRequest {
            template: self.filter(sender),
            tspec,
            adspec: (sender == 0).into(),
            policy: Vec::new(),
            ttl: 63,
        };
        let api = self.net.announce(node, self.key, request).expect("it is a good sender");
        self.wait(SECOND);
        api
    }

    fn reserve(&mut self, api: ApiId, style: Style, rate: f32, senders: &[usize], confirm: bool) {
        let filters: Vec<FilterSpec> = senders.iter().map(|sender| self.filter(*sender)).collect();
        let flow =
            |filters| FlowDescriptor { flowspec: Some(Flowspec::ControlledLoad(bucket(rate))), filters };
        let flows = match style {
            Style::Ff => filters.into_iter().map(|filter| flow(vec![filter])).collect(),
            Style::Se | Style::Wf => vec![flow(filters)],
        };
        let request = ReserveRequest {
            receiver: self.key.flow().destination,
            style,
            flows,
            policy: Vec::new(),
            confirm,
        };
        self.net.command(self.receiver, Command::Reserve(api, request)).expect("it is a good request");
        self.wait(SECOND);
    }

    fn release(&mut self, node: NodeId, api: ApiId) {
        self.net.command(node, Command::Release(api)).expect("it was opened");
        self.wait(SECOND);
    }

    fn wait(&mut self, time: Duration) {
        self.net.run_for(time);
    }

    /// All messages so far.
    fn text(&self) -> String {
        self.net.transcript().text(&self.net)
    }
}

fn address(net: &Network, node: NodeId, v6: bool) -> IpAddr {
    net.addresses(node).find(|address| address.is_ipv6() == v6).expect("every device has both")
}

fn bucket(rate: f32) -> Tspec {
    Tspec { rate, bucket: 10_000.0, peak: 4_000_000.0, min_unit: 64, max_packet: 1500 }
}

/// Path, Resv with confirmation, a period of refreshes, and both tears.
fn main_exchange(v6: bool) -> String {
    let mut line = Line::new(v6);
    let sender = line.announce(0);
    let receiver = line.open_receiver();
    line.reserve(receiver, Style::Ff, 100_000.0, &[0], true);
    line.wait(45 * SECOND);
    line.release(line.receiver, receiver);
    line.release(line.senders[0], sender);
    invariants::nothing_is_left(&line.net).expect("all is released");
    line.text()
}

#[test]
fn path_resv_refresh_and_tear_over_ipv4() {
    insta::assert_snapshot!(main_exchange(false));
}

#[test]
fn path_resv_refresh_and_tear_over_ipv6() {
    insta::assert_snapshot!(main_exchange(true));
}

/// Two receivers of two senders, in one style: the second asks for more, and leaves again.
fn two_receivers(style: Style) -> String {
    let mut line = Line::new(false);
    let senders = [line.announce(0), line.announce(1)];
    line.net.clear_transcript();
    let receivers = [line.open_receiver(), line.open_receiver()];
    let all: &[usize] = if style == Style::Wf { &[] } else { &[0, 1] };
    line.reserve(receivers[0], style, 100_000.0, &all[..all.len().min(1)], false);
    line.reserve(receivers[1], style, 300_000.0, all, false);
    line.release(line.receiver, receivers[1]);
    let text = line.text();
    line.release(line.receiver, receivers[0]);
    line.release(line.senders[0], senders[0]);
    line.release(line.senders[1], senders[1]);
    invariants::nothing_is_left(&line.net).expect("all is released");
    text
}

#[test]
fn two_receivers_with_fixed_filters() {
    insta::assert_snapshot!(two_receivers(Style::Ff));
}

#[test]
fn two_receivers_sharing_explicit_senders() {
    insta::assert_snapshot!(two_receivers(Style::Se));
}

#[test]
fn two_receivers_sharing_any_sender() {
    insta::assert_snapshot!(two_receivers(Style::Wf));
}

#[test]
fn a_refused_reservation() {
    let mut line = Line::new(false);
    line.announce(0);
    line.net.clear_transcript();
    let receiver = line.open_receiver();
    // Of the 1250000 bytes per second of every link, this is too much at r3 already.
    line.reserve(receiver, Style::Ff, 2_000_000.0, &[0], true);
    insta::assert_snapshot!(line.text());
}
