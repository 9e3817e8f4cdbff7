//! The engine: inputs in, outputs out. Dispatch only; how a node reacts is in `process`.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use tracing::trace;

use crate::admission::{Admission, BandwidthPools};
use crate::command::{Command, CommandError, Reply};
use crate::config::NodeConfig;
use crate::counters::{Counters, DropReason};
use crate::event::Event;
use crate::events::Events;
use crate::input::Input;
use crate::map::HashKey;
use crate::output::{Ready, Request, Transmit, WakeReason};
use crate::policy::{LocalPolicy, Policy};
use crate::process::Work;
use crate::reduction::Overflow;
use crate::state::{MessageIds, Outbox, PathAdId, Requests, ResvAdId, State, TimerKey};
use crate::time::Instant;
use crate::timer::TimerQueue;

/// An RSVP node: one per host or router, however many interfaces it has.
///
/// Its methods are of four kinds: [`handle`](Self::handle) takes what happened, [`command`](Self::command) what a
/// local application wants; the `poll_` methods give what is to be done outside; the rest look at the state.
/// They may be called in any order. The recommended loop is: hand in all inputs at hand, poll every output until
/// `None`, then wait for an input or for [`poll_timeout`](Self::poll_timeout), and hand in [`Input::Timeout`] then.
///
/// ```
/// use rsvp_core::{Input, Instant, Node, NodeConfig, Ready};
///
/// let mut node = Node::new(NodeConfig::default(), [7; 32], Instant::ZERO);
/// let mut datagram = Vec::new();
/// node.handle(Instant::from_micros(10), Input::Timeout);
/// while let Some(transmit) = node.poll_transmit(Instant::from_micros(10), &mut datagram) {
///     println!("send {} bytes to {}", datagram.len(), transmit.destination);
/// }
/// assert_eq!(node.poll_timeout(Ready::ALL), None, "an empty node waits for nothing");
/// ```
pub struct Node {
    pub(crate) config: NodeConfig,
    pub(crate) counters: Counters,
    pub(crate) now: Instant,
    pub(crate) rng: ChaCha8Rng,
    pub(crate) admission: Box<dyn Admission>,
    pub(crate) policy: Box<dyn Policy>,
    pub(crate) state: State,
    pub(crate) timers: TimerQueue<TimerKey>,
    pub(crate) outbox: Outbox,
    pub(crate) overflow: Option<Overflow>,
    pub(crate) overflow_bytes: Vec<u8>,
    pub(crate) message_ids: MessageIds,
    pub(crate) requests: Requests,
    pub(crate) events: Events,
    pub(crate) backlog: VecDeque<Work>,
    pub(crate) dirty_paths: Vec<PathAdId>,
    pub(crate) dirty_resvs: Vec<ResvAdId>,
    pub(crate) last_api: u64,
    pub(crate) last_installation: u64,
    pub(crate) stopping: bool,
    pub(crate) scratch: Vec<u8>,
    blocked: bool,
}

impl Node {
    /// A node with the default admission control, [`BandwidthPools`], and policy control, [`LocalPolicy`].
    ///
    /// `seed` feeds all its randomness. Take it from the operating system at every start: a fixed seed makes hash keys
    /// foreseeable and repeats epochs. The same configuration, seed and sequence of calls give the same outputs.
    #[must_use]
    pub fn new(config: NodeConfig, seed: [u8; 32], now: Instant) -> Self {
        Self::with_control(config, seed, now, Box::new(BandwidthPools), Box::new(LocalPolicy))
    }

    /// A node with admission and policy control of your own.
    #[must_use]
    pub fn with_control(
        config: NodeConfig,
        seed: [u8; 32],
        now: Instant,
        admission: Box<dyn Admission>,
        policy: Box<dyn Policy>,
    ) -> Self {
        let mut rng = ChaCha8Rng::from_seed(seed);
        let hash = HashKey::draw(&mut rng);
        let epoch = rng.next_u32() & 0x00ff_ffff;
        let events = Events::new(config.limits.queued_events);
        Self {
            config,
            counters: Counters::default(),
            now,
            rng,
            admission,
            policy,
            state: State::new(hash),
            timers: TimerQueue::new(now),
            outbox: Outbox::new(hash),
            overflow: None,
            overflow_bytes: Vec::new(),
            message_ids: MessageIds::new(epoch, hash),
            requests: Requests::new(hash),
            events,
            backlog: VecDeque::new(),
            dirty_paths: Vec::new(),
            dirty_resvs: Vec::new(),
            last_api: 0,
            last_installation: 0,
            stopping: false,
            scratch: Vec::new(),
            blocked: false,
        }
    }

    /// Takes note of what happened. Never fails: a peer's fault becomes an error message to it, or a counted drop.
    pub fn handle(&mut self, now: Instant, input: Input<'_>) {
        self.advance(now);
        match input {
            Input::Timeout => {}
            Input::Datagram(datagram) => self.on_datagram(&datagram),
            Input::Interface(info) => self.on_interface(info),
            Input::InterfaceRemoved(id) => self.on_interface_removed(id),
            Input::Route(key, route) => self.on_route(key, route),
            Input::Installed(id, result) => self.on_installed(id, result),
            Input::Preempted(id, reason) => self.on_preempted(id, reason),
            Input::SocketBlocked => self.blocked = true,
            Input::SocketWritable => self.blocked = false,
        }
        self.run_timers();
        self.run_backlog();
        self.settle();
    }

    /// Carries out a local command.
    ///
    /// # Errors
    ///
    /// Only for the caller's fault; what fails later is an event.
    pub fn command(&mut self, now: Instant, command: Command) -> Result<Reply, CommandError> {
        self.advance(now);
        let reply = self.on_command(command);
        self.run_backlog();
        self.settle();
        reply
    }

    /// Writes the next message to send into `buf`, which is cleared first. `None`: nothing may leave now.
    pub fn poll_transmit(&mut self, now: Instant, buf: &mut Vec<u8>) -> Option<Transmit> {
        self.advance(now);
        buf.clear();
        if self.blocked {
            return None;
        }
        self.next_datagram(buf)
    }

    /// The next event, oldest first.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop()
    }

    /// The next request.
    pub fn poll_request(&mut self) -> Option<Request> {
        self.requests.pop()
    }

    /// When to call [`handle`](Self::handle) again, and why; `None` if nothing is pending. It equals the latest `now`
    /// only if one of the outputs in `ready` may leave now or work is left over. It may be earlier than needed, never later.
    #[must_use]
    pub fn poll_timeout(&self, ready: Ready) -> Option<(Instant, WakeReason)> {
        if ready.transmit && !self.blocked && (self.overflow.is_some() || !self.outbox.is_idle()) {
            return Some((self.now, WakeReason::Transmit));
        }
        if ready.requests && !self.requests.is_empty() {
            return Some((self.now, WakeReason::Request));
        }
        if ready.events && !self.events.is_empty() {
            return Some((self.now, WakeReason::Event));
        }
        if self.has_work() {
            return Some((self.now, WakeReason::Backlog));
        }
        let (deadline, key) = self.timers.next()?;
        let reason = match key {
            TimerKey::Psb(_) | TimerKey::Rsb(_) => WakeReason::Cleanup,
            TimerKey::PathAd(_) | TimerKey::ResvAd(_) | TimerKey::Tcsb(_) | TimerKey::RefreshGroup(_) => {
                WakeReason::Refresh
            }
            TimerKey::Retransmit(_) => WakeReason::Retransmit,
            TimerKey::Acks(_) => WakeReason::Acknowledge,
            TimerKey::Lane(_) => WakeReason::Bundle,
            TimerKey::Bsb(_) => WakeReason::Blockade,
            TimerKey::Repair(_) => WakeReason::Repair,
        };
        Some((deadline.max(self.now), reason))
    }

    /// Whether everything that [`Command::Shutdown`] began is done and polled, and acknowledged where that was wanted.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stopping
            && self.backlog.is_empty()
            && self.overflow.is_none()
            && self.outbox.is_done()
            && self.requests.is_empty()
    }

    fn advance(&mut self, now: Instant) {
        if now < self.now {
            self.counters.clock_backwards += 1;
        } else {
            self.now = now;
        }
    }

    /// Counts a message that is not acted upon.
    pub(crate) fn drop_message(&mut self, reason: DropReason) {
        trace!(?reason, "message dropped");
        *self.counters.dropped.entry(reason).or_insert(0) += 1;
    }
}
