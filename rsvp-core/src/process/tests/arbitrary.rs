//! Whatever comes, in whatever order: no panic, no contradiction, and nothing left over in the end.

use alloc::vec::Vec;
use core::net::IpAddr;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use super::consistency::{check, check_empty};
use super::{
    Bench, DOWN, DOWN2, Kernel, SECOND, UP, bucket, flow, interface_info, ip, path, path_tear, resv,
    resv_err, resv_tear, route, sender, session, session_to,
};
use crate::command::{ApiId, Command, ReserveRequest, SenderRequest};
use crate::config::{Bandwidth, NodeConfig};
use crate::input::{Encapsulation, Input, InterfaceId, PreemptReason};
use crate::output::RouteKey;
use crate::time::Duration;
use crate::udp::PU;
use crate::wire::{
    ErrorSpec, FilterSpec, FlowDescriptor, Head, Message, PathErr, ResvConf, RsvpHop, SenderTspec, Session,
    SessionKey, Style,
};

/// How much of each kind of state there was at most, so that a test knows that it has seen something.
#[derive(Debug, Default)]
struct Seen {
    installed: usize,
    blockades: usize,
    requests: usize,
    confirmations: u64,
    refreshes: u64,
    timeouts: u64,
    refusals: u64,
    outstanding: usize,
    summarized: usize,
    reduction: [u64; 8],
}

impl Seen {
    fn note(&mut self, node: &crate::Node) {
        let counters = node.counters();
        self.installed = self.installed.max(node.state.tcsbs.len());
        self.blockades = self.blockades.max(node.state.bsbs.len());
        self.requests = self.requests.max(node.state.resv_ads.len());
        self.confirmations = self.confirmations.max(counters.sent.resv_confirm);
        self.refreshes = self.refreshes.max(counters.refreshes_received);
        self.timeouts = self.timeouts.max(counters.resv_timeouts.min(counters.path_timeouts));
        self.refusals = self.refusals.max(counters.admission_failures);
        for view in node.neighbors() {
            self.outstanding = self.outstanding.max(view.reduction.outstanding);
            self.summarized = self.summarized.max(view.reduction.summarized);
        }
        let it = &counters.reduction;
        let now = [
            it.given_up,
            it.received_ack - it.unknown_ack,
            it.received_nack - it.unknown_nack,
            it.sent_nack,
            it.out_of_order,
            it.summary_refreshed,
            it.summary_refreshes_received,
            it.restarts,
        ];
        for (seen, now) in self.reduction.iter_mut().zip(now) {
            *seen = (*seen).max(now);
        }
    }

    fn is_much(&self) -> bool {
        self.installed > 2
            && self.blockades > 1
            && self.requests > 2
            && self.confirmations.min(self.refreshes).min(self.timeouts).min(self.refusals) > 0
            && self.outstanding.min(self.summarized) > 2
            && self.reduction.iter().all(|count| *count > 0)
    }
}

pub(super) struct Chaos {
    pub(super) bench: Bench,
    rng: ChaCha8Rng,
    apis: Vec<(ApiId, SessionKey)>,
    polls: bool,
    /// The style that most messages of this run have.
    style: Style,
    /// Messages that may come again.
    former: Vec<(InterfaceId, Message, Head)>,
    /// The latest Message_Identifier of the neighbours.
    pub(super) number: u32,
}

impl Chaos {
    fn new(seed: u64, wait_for_installation: bool) -> Self {
        let mut bench = Bench::new();
        let config = NodeConfig { wait_for_installation, ..bench.node.config().clone() };
        bench.command(Command::Configure(config)).unwrap();
        let style = [Style::Ff, Style::Se, Style::Wf][usize::try_from(seed % 3).unwrap()];
        let rng = ChaCha8Rng::seed_from_u64(seed);
        let number = u32::MAX - 100;
        let mut chaos = Self { bench, rng, apis: Vec::new(), polls: true, style, former: Vec::new(), number };
        chaos.reconfigure_reduction();
        chaos
    }

    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.rng.next_u64() % end
    }

    pub(super) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub(super) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        let index = usize::try_from(self.below(from.len() as u64)).unwrap();
        from[index].clone()
    }

    pub(super) fn key(&mut self) -> SessionKey {
        let other = session_to("10.0.9.8");
        let mut portless = session();
        if let SessionKey::Ip(flow) = &mut portless {
            flow.port = 0;
        }
        self.pick(&[
            session(),
            session(),
            session(),
            session(),
            session(),
            session(),
            other,
            session_to("224.1.1.1"),
            portless,
        ])
    }

    pub(super) fn sender(&mut self) -> FilterSpec {
        let n = u8::try_from(self.below(3) + 1).unwrap();
        sender(n)
    }

    pub(super) fn interface(&mut self) -> InterfaceId {
        self.pick(&[UP, UP, DOWN, DOWN, DOWN2])
    }

    fn hop(&mut self, interface: InterfaceId) -> RsvpHop {
        let last = u8::try_from(self.below(2) + 2).unwrap();
        let address = IpAddr::V4([10, 0, u8::try_from(interface.0).unwrap(), last].into());
        RsvpHop { address, lih: self.pick(&[interface.0, interface.0, interface.0, 99]) }
    }

    fn style(&mut self) -> Style {
        let any = self.pick(&[Style::Ff, Style::Se, Style::Wf]);
        if self.one_in(8) { any } else { self.style }
    }

    fn flows(&mut self, style: Style) -> Vec<FlowDescriptor> {
        let rate = self.pick(&[500.0, 1000.0, 4000.0, 7000.0, 20_000.0]);
        let mut filters: Vec<_> = (0..=self.below(3)).map(|_| self.sender()).collect();
        filters.sort_unstable();
        filters.dedup();
        match style {
            Style::Wf => alloc::vec![flow(rate, &[])],
            Style::Se => alloc::vec![flow(rate, &filters)],
            Style::Ff => filters.iter().map(|filter| flow(rate, &[*filter])).collect(),
        }
    }

    fn refresh_ms(&mut self) -> u32 {
        self.pick(&[0, 1000, 30_000, 30_000, 30_000, 30_000, 30_000, 300_000])
    }

    pub(super) fn message(&mut self) -> (InterfaceId, Message) {
        let interface = self.interface();
        let (key, style) = (self.key(), self.style());
        let message = match self.below(14) {
            0..=4 => {
                let mut path = path(1);
                path.session = Session { key, flags: u8::try_from(self.below(2)).unwrap() };
                path.sender_template = self.sender();
                path.hop = self.hop(interface);
                path.refresh_ms = self.refresh_ms();
                path.sender_tspec = SenderTspec::TokenBucket(bucket(self.pick(&[1000.0, 2000.0])));
                Message::Path(path)
            }
            5 => {
                let mut tear = path_tear(1);
                tear.session.key = key;
                tear.sender_template = self.sender();
                tear.hop = self.hop(interface);
                Message::PathTear(tear)
            }
            6..=9 => {
                let mut resv = resv(DOWN, style, self.flows(style));
                resv.session.key = key;
                resv.hop = self.hop(interface);
                resv.refresh_ms = self.refresh_ms();
                resv.confirm = self.one_in(3).then(|| ip("10.0.9.9"));
                Message::Resv(resv)
            }
            10 => {
                let mut tear = resv_tear(DOWN, style, self.flows(style));
                tear.session.key = key;
                tear.hop = self.hop(interface);
                Message::ResvTear(tear)
            }
            11 => {
                let mut error = resv_err(style, self.flows(style).remove(0), 0);
                error.session.key = key;
                error.hop = self.hop(interface);
                error.error.flags = self.pick(&[0, ErrorSpec::IN_PLACE]);
                (error.error.code, error.error.value) =
                    self.pick(&[(1, 2), (1, 2), (3, 0), (12, 0), (13, 0x1701)]);
                Message::ResvErr(error)
            }
            12 => {
                let (code, value) = self.pick(&[(7, 0), (7, 0), (13, 0x1701)]);
                Message::PathErr(PathErr {
                    session: Session { key, flags: 0 },
                    error: ErrorSpec {
                        node: self.hop(interface).address,
                        flags: 0,
                        code,
                        value,
                        enterprise: None,
                    },
                    policy: Vec::new(),
                    sender_template: self.sender(),
                    sender_tspec: None,
                    adspec: None,
                    forward: Vec::new(),
                })
            }
            _ => Message::ResvConf(ResvConf {
                session: Session { key, flags: 0 },
                error: ErrorSpec { node: ip("10.8.8.8"), flags: 0, code: 0, value: 0, enterprise: None },
                confirm: self.pick(&[ip("10.0.9.9"), ip("10.0.3.1")]),
                style,
                flows: self.flows(style),
                forward: Vec::new(),
            }),
        };
        (interface, message)
    }

    fn local(&mut self) {
        let key = self.key();
        if self.apis.is_empty() || self.one_in(4) {
            if let Ok(crate::Reply::Session(api)) =
                self.bench.node.command(self.bench.now, Command::OpenSession(key))
            {
                self.apis.push((api, key));
            }
            return;
        }
        let (api, _) = self.pick(&self.apis.clone());
        let style = self.style();
        let command = match self.below(9) {
            0..=1 => Command::AddSender(
                api,
                SenderRequest {
                    template: self.sender(),
                    tspec: SenderTspec::TokenBucket(bucket(1000.0)),
                    adspec: self.one_in(2).into(),
                    policy: Vec::new(),
                    ttl: 63,
                },
            ),
            2 => Command::RemoveSender(api, self.sender()),
            3..=5 => Command::Reserve(
                api,
                ReserveRequest {
                    receiver: ip("10.0.3.1"),
                    style,
                    flows: self.flows(style),
                    policy: Vec::new(),
                    confirm: self.one_in(2),
                },
            ),
            6 => Command::Unreserve(api),
            7 => {
                self.apis.retain(|(other, _)| *other != api);
                Command::Release(api)
            }
            _ if self.one_in(3) => Command::Clear(if self.one_in(3) { None } else { Some(key) }),
            _ => return,
        };
        // Many of these are the caller's fault; that is part of the test.
        let _ = self.bench.node.command(self.bench.now, command);
    }

    fn outside(&mut self) {
        match self.below(10) {
            0..=3 => {
                let outgoing = self.pick(&[
                    alloc::vec![DOWN, DOWN2],
                    alloc::vec![DOWN, DOWN2],
                    alloc::vec![DOWN],
                    alloc::vec![DOWN2],
                    alloc::vec![DOWN, DOWN2],
                    alloc::vec![UP],
                    alloc::vec![],
                ]);
                let destination = self.key().destination();
                let source = destination.is_multicast().then(|| ip("10.1.0.1"));
                let mut route = route(&outgoing);
                for hop in &mut route.outgoing {
                    let last = self.pick(&[2, 2, 3]);
                    let n = u8::try_from(hop.interface.0).unwrap();
                    hop.gateway = self.one_in(2).then(|| IpAddr::V4([10, 0, n, last].into()));
                }
                route.local = outgoing.is_empty();
                route.incoming = destination.is_multicast().then_some(UP);
                let key = RouteKey { table: 0, destination, source };
                self.bench.routes.insert(key, route.clone());
                self.bench.node.handle(self.bench.now, Input::Route(key, route));
            }
            4 => {
                let mut info = interface_info(u8::try_from(self.below(3) + 1).unwrap());
                info.up = self.one_in(2);
                if self.one_in(3) {
                    info.addresses.clear();
                }
                self.bench.node.handle(self.bench.now, Input::Interface(info));
            }
            5 if self.one_in(3) => {
                let n = u8::try_from(self.below(3) + 1).unwrap();
                let id = InterfaceId(n.into());
                self.bench.node.handle(self.bench.now, Input::InterfaceRemoved(id));
            }
            6 => {
                let kernels = [Kernel::Works, Kernel::Works, Kernel::Works, Kernel::Fails, Kernel::Waits];
                self.bench.kernel = self.pick(&kernels);
            }
            7 => {
                let ids: Vec<_> = self.bench.node.installed().iter().map(|installed| installed.id).collect();
                if !ids.is_empty() {
                    let id = self.pick(&ids);
                    self.bench.node.handle(self.bench.now, Input::Preempted(id, PreemptReason::Priority));
                }
            }
            8 => {
                let total = self.pick(&[2_000, 10_000, 10_000]);
                let mut config = self.bench.node.config().clone();
                config.default_interface.bandwidth =
                    Some(Bandwidth { total, per_flow: total, link: 100_000 });
                let _ = self.bench.node.command(self.bench.now, Command::Configure(config));
                if self.one_in(3) {
                    self.reconfigure_reduction();
                }
            }
            _ => {
                let answer = if self.one_in(3) { Err(()) } else { Ok(()) };
                self.bench.answer(answer);
            }
        }
    }

    fn step(&mut self) {
        match self.below(22) {
            0..=12 => {
                let known = self.former.clone();
                let (interface, message, head) = if !known.is_empty() && self.one_in(3) {
                    self.pick(&known)
                } else {
                    let (interface, message) = self.message();
                    (interface, message, self.head())
                };
                if self.former.len() < 20 {
                    self.former.push((interface, message.clone(), head.clone()));
                } else if self.one_in(10) {
                    self.former.clear();
                }
                self.bench.head = head;
                self.bench.flags = self.flags();
                let form = self.pick(&[Encapsulation::Raw, Encapsulation::Raw, crate::udp::to(PU)]);
                self.bench.encapsulation = form;
                self.bench.receive(interface, message);
            }
            13..=14 => self.local(),
            15..=16 => self.outside(),
            17..=18 => self.speak_of_messages(),
            19 => {
                let millis = self.pick(&[1, 500, 5000, 40_000]);
                self.bench.run(Duration::from_millis(millis));
            }
            20 if self.one_in(3) => {
                let seconds = self.pick(&[30, 200, 2000]);
                self.bench.sleep(SECOND * seconds);
            }
            20 => self.bench.poll(),
            _ => {
                let input = if self.polls { Input::SocketBlocked } else { Input::SocketWritable };
                self.polls = !self.polls;
                self.bench.input(input);
            }
        }
        if self.polls {
            self.bench.poll();
        }
        check(&self.bench.node);
        self.bench.sent.clear();
        self.bench.events.clear();
        self.bench.requests.clear();
        let said = self.bench.heads.len();
        self.bench.heads.drain(..said.saturating_sub(30));
        for n in 1..=3 {
            // A removed interface comes back once everything on it is gone.
            let id = InterfaceId(n.into());
            if !self.bench.node.state.interfaces.contains_key(&id) && self.bench.node.backlog.is_empty() {
                self.bench.interface(n);
            }
        }
    }

    fn finish(mut self) {
        self.bench.kernel = Kernel::Works;
        self.bench.input(Input::SocketWritable);
        self.bench.answer(Ok(()));
        for (api, _) in core::mem::take(&mut self.apis) {
            self.bench.command(Command::Release(api)).unwrap();
        }
        self.bench.run(SECOND * 20_000);
        for n in 1..=3 {
            // The neighbour at the other end of a point-to-point link is known as long as there is the link.
            self.bench.input(Input::InterfaceRemoved(InterfaceId(n)));
        }
        check_empty(&self.bench.node);
    }
}

fn run(seeds: core::ops::Range<u64>, steps: usize) {
    let mut seen = Seen::default();
    for seed in seeds {
        for wait_for_installation in [true, false] {
            let mut chaos = Chaos::new(seed, wait_for_installation);
            for _ in 0..steps {
                chaos.step();
                seen.note(&chaos.bench.node);
            }
            chaos.finish();
        }
    }
    assert!(seen.is_much(), "{seen:?}");
}

#[test]
fn no_order_of_events_breaks_a_node() {
    run(0..40, 400);
}
