//! Drives one node as its contract says, and checks that the node keeps its side.

use std::collections::BTreeMap;

use rand_core::Rng;
use rsvp_core::{
    Command, CommandError, Event, Input, Instant, Node, Ready, Reply, Request, Transmit, WakeReason,
};
use rsvp_record::RecordedNode;

use crate::random::Random;

/// One thing that a node put out.
#[derive(Clone, Debug)]
pub enum Output {
    /// A message to send.
    Transmit(Transmit, Vec<u8>),
    /// Something to tell.
    Event(Event),
    /// Work for the outside.
    Request(Request),
}

/// How often a node may say "call me again now" before that counts as spinning.
const MAX_BACKLOG_ROUNDS: usize = 100_000;

/// How often in a row a node may be woken for the same instant without putting anything out: deadlines that have moved
/// on are worked off in slices.
const MAX_IDLE_ROUNDS: usize = 5_000;

/// One node, and the caller's side of its contract.
///
/// Every output is polled after every input, until none is left. Then the node's next deadline must lie in the future,
/// or else be [`WakeReason::Backlog`] that ends; anything else would make a real driver spin, and panics here.
pub struct Driver {
    node: RecordedNode,
    ready: Ready,
    wakes: BTreeMap<&'static str, u64>,
}

impl Driver {
    /// Takes charge of a node.
    #[must_use]
    pub fn new(node: impl Into<RecordedNode>) -> Self {
        Self { node: node.into(), ready: Ready::ALL, wakes: BTreeMap::new() }
    }

    /// The node, for queries.
    #[must_use]
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// How often the node was woken for a deadline, by reason.
    #[must_use]
    pub fn wakes(&self) -> &BTreeMap<&'static str, u64> {
        &self.wakes
    }

    /// Whether datagrams can leave. While they cannot, none is polled and the node has been told so.
    pub fn block_socket(&mut self, now: Instant, blocked: bool) {
        if self.ready.transmit != blocked {
            return;
        }
        self.ready.transmit = !blocked;
        self.node.handle(now, if blocked { Input::SocketBlocked } else { Input::SocketWritable });
    }

    /// Hands the node an input. Call [`Driver::drain`] afterwards.
    pub fn handle(&mut self, now: Instant, input: Input<'_>) {
        self.node.handle(now, input);
    }

    /// Hands the node a command. Call [`Driver::drain`] afterwards.
    ///
    /// # Errors
    ///
    /// What the node answers.
    pub fn command(&mut self, now: Instant, command: Command) -> Result<Reply, CommandError> {
        self.node.command(now, command)
    }

    /// When the node wants to be called again, and why.
    #[must_use]
    pub fn deadline(&self) -> Option<(Instant, WakeReason)> {
        self.node.poll_timeout(self.ready)
    }

    /// Tells the node that its deadline has come.
    pub fn wake(&mut self, now: Instant) {
        if let Some((_, reason)) = self.deadline() {
            *self.wakes.entry(reason_name(reason)).or_default() += 1;
        }
        self.node.handle(now, Input::Timeout);
    }

    /// Polls until the node has nothing left to put out now. With `shuffle`, outputs of different kinds come in random
    /// order; a node must not care.
    ///
    /// # Panics
    ///
    /// When the node breaks the contract of [`Node::poll_timeout`].
    pub fn drain(&mut self, now: Instant, mut shuffle: Option<&mut Random>) -> Vec<Output> {
        let mut outputs = Vec::new();
        let mut idle = 0;
        for _ in 0..MAX_BACKLOG_ROUNDS {
            let before = outputs.len();
            self.poll_all(now, shuffle.as_deref_mut(), &mut outputs);
            let Some((at, reason)) = self.deadline() else { return outputs };
            if at > now {
                return outputs;
            }
            let pending = matches!(reason, WakeReason::Transmit | WakeReason::Event | WakeReason::Request);
            assert!(!pending, "the node reports a pending {} but puts none out", reason_name(reason));
            idle = if reason != WakeReason::Backlog && outputs.len() == before { idle + 1 } else { 0 };
            assert!(
                idle <= MAX_IDLE_ROUNDS,
                "the node spins: woken at {now:?} for {} it asks for {at:?} again",
                reason_name(reason)
            );
            self.wake(now);
        }
        panic!("the node's backlog does not end at {now:?}");
    }

    fn poll_all(&mut self, now: Instant, mut shuffle: Option<&mut Random>, outputs: &mut Vec<Output>) {
        let mut buffer = Vec::new();
        let mut open = [self.ready.transmit, self.ready.events, self.ready.requests];
        while open.contains(&true) {
            let mut kind = match shuffle.as_deref_mut() {
                Some(random) => random.next_u32() as usize % open.len(),
                None => 0,
            };
            while !open[kind] {
                kind = (kind + 1) % open.len();
            }
            let output = match kind {
                0 => self
                    .node
                    .poll_transmit(now, &mut buffer)
                    .map(|transmit| Output::Transmit(transmit, buffer.clone())),
                1 => self.node.poll_event().map(Output::Event),
                _ => self.node.poll_request().map(Output::Request),
            };
            match output {
                Some(output) => outputs.push(output),
                None => open[kind] = false,
            }
        }
    }
}

fn reason_name(reason: WakeReason) -> &'static str {
    match reason {
        WakeReason::Transmit => "transmit",
        WakeReason::Event => "event",
        WakeReason::Request => "request",
        WakeReason::Backlog => "backlog",
        WakeReason::Refresh => "refresh",
        WakeReason::Cleanup => "cleanup",
        WakeReason::Blockade => "blockade",
        WakeReason::Repair => "repair",
        WakeReason::Retransmit => "retransmit",
        WakeReason::Acknowledge => "acknowledge",
        WakeReason::Bundle => "bundle",
    }
}
