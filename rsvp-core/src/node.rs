//! The engine: inputs in, outputs out.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::admission::Admission;
use crate::command::{Command, CommandError, Reply};
use crate::config::NodeConfig;
use crate::counters::Counters;
use crate::event::Event;
use crate::input::Input;
use crate::output::{Ready, Request, Transmit, WakeReason};
use crate::time::Instant;
use crate::view::{
    InstalledView, InterfaceView, NeighborView, RequestView, ReservationView, SenderView, SessionView,
};

/// An RSVP node.
pub struct Node {
    config: NodeConfig,
    counters: Counters,
}

impl Node {
    /// A node with the default admission control.
    #[must_use]
    pub fn new(config: NodeConfig, seed: [u8; 32], now: Instant) -> Self {
        let _ = (seed, now);
        Self { config, counters: Counters::default() }
    }

    /// A node with its own admission control.
    #[must_use]
    pub fn with_admission(
        config: NodeConfig,
        seed: [u8; 32],
        now: Instant,
        admission: Box<dyn Admission>,
    ) -> Self {
        let _ = admission;
        Self::new(config, seed, now)
    }

    /// Takes note of what happened. Never fails: a peer's fault becomes an error message to it, or a counted drop.
    pub fn handle(&mut self, now: Instant, input: Input<'_>) {
        let _ = (now, input);
    }

    /// Carries out a local command.
    ///
    /// # Errors
    ///
    /// Only for the caller's fault; what fails later is an event.
    pub fn command(&mut self, now: Instant, command: Command) -> Result<Reply, CommandError> {
        let _ = (now, command);
        Ok(Reply::Done)
    }

    /// Writes the next message to send into `buf`, which is cleared first.
    pub fn poll_transmit(&mut self, now: Instant, buf: &mut Vec<u8>) -> Option<Transmit> {
        let _ = now;
        buf.clear();
        None
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        None
    }

    /// The next request.
    pub fn poll_request(&mut self) -> Option<Request> {
        None
    }

    /// When to call again, and why; `None` if nothing is pending. Equals the last `now` only if one of the outputs in
    /// `ready` may leave now or work is left over.
    #[must_use]
    pub fn poll_timeout(&self, ready: Ready) -> Option<(Instant, WakeReason)> {
        let _ = ready;
        None
    }

    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> &NodeConfig {
        &self.config
    }

    /// The counters.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// All sessions, in the order of their keys.
    #[must_use]
    pub fn sessions(&self) -> Vec<SessionView> {
        Vec::new()
    }

    /// All senders (PSBs).
    #[must_use]
    pub fn senders(&self) -> Vec<SenderView> {
        Vec::new()
    }

    /// All reservations that next hops asked for (RSBs).
    #[must_use]
    pub fn reservations(&self) -> Vec<ReservationView> {
        Vec::new()
    }

    /// All that this node asks of previous hops.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestView> {
        Vec::new()
    }

    /// All reservations in traffic control (TCSBs).
    #[must_use]
    pub fn installed(&self) -> Vec<InstalledView> {
        Vec::new()
    }

    /// All interfaces.
    #[must_use]
    pub fn interfaces(&self) -> Vec<InterfaceView> {
        Vec::new()
    }

    /// All neighbours.
    #[must_use]
    pub fn neighbors(&self) -> Vec<NeighborView> {
        Vec::new()
    }
}
