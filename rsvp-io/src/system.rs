//! One node's share of Linux.

use std::io;
use std::os::fd::BorrowedFd;

use rsvp_core::{Input, Request, Transmit};

use crate::options::{Diagnostic, OpenError, SystemOptions};

/// Everything that one node needs from Linux: sockets, interfaces, routes and traffic control.
///
/// Nothing here blocks, and nothing here has a clock. A driver waits until one of the [`sources`](Self::sources)
/// is readable, calls [`read`](Self::read) and hands the inputs to its node; it passes the node's transmits to
/// [`send`](Self::send) and its requests to [`request`](Self::request).
pub struct System {
    counters: SystemCounters,
}

/// One of the file descriptors to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Source {
    /// RSVP over IPv4; also the one to wait for until it is writable.
    Ipv4,
    /// RSVP over IPv6 that is addressed to this node.
    Ipv6,
    /// IPv6 packets in transit with a Router Alert for RSVP; also the one to wait for until it is writable.
    Ipv6Alert,
    /// Changes of interfaces, addresses and routes.
    Monitor,
    /// Answers of traffic control.
    TrafficControl,
}

/// What is left after a [`read`](System::read).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "more input may be waiting without another readiness notification"]
pub enum ReadOutcome {
    /// Nothing; wait until the source is readable again.
    Drained,
    /// The budget is used up; call again before waiting (after other sources have had their turn).
    More,
}

/// What became of a datagram.
#[derive(Debug)]
#[must_use = "a datagram that would block has to be kept and sent again"]
pub enum SendOutcome {
    /// It is with the kernel.
    Sent,
    /// The kernel takes no more now: keep it, wait until this source is writable, send it again.
    WouldBlock(Source),
    /// It could not be sent and will not be; counted. The next one may be.
    Failed(io::Error),
}

/// What the system counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SystemCounters {
    /// RSVP datagrams received and handed on.
    pub received: u64,
    /// Datagrams sent.
    pub sent: u64,
    /// Datagrams that could not be sent.
    pub send_failed: u64,
    /// Datagrams that were refused for now.
    pub send_blocked: u64,
}

impl System {
    /// Opens the sockets and takes over the root queueing discipline of the interfaces with a configured rate.
    ///
    /// # Errors
    ///
    /// If a socket cannot be had; lacking traffic control is a [`Diagnostic`] only.
    pub fn open(options: SystemOptions) -> Result<Self, OpenError> {
        tracing::debug!(?options, "opening");
        Ok(Self { counters: SystemCounters::default() })
    }

    /// The file descriptors to wait for. The list never changes.
    pub fn sources(&self) -> impl Iterator<Item = (Source, BorrowedFd<'_>)> {
        [].into_iter()
    }

    /// Tells the interfaces that there are. To be called once, before anything else.
    pub fn start(&mut self, sink: &mut dyn FnMut(Input<'_>)) {
        let _ = sink;
    }

    /// Reads at most `budget` datagrams or messages from a source and tells what they mean. Never blocks.
    ///
    /// # Errors
    ///
    /// Only if the source is broken for good.
    pub fn read(
        &mut self,
        source: Source,
        budget: usize,
        sink: &mut dyn FnMut(Input<'_>),
    ) -> io::Result<ReadOutcome> {
        let _ = (source, budget, sink);
        Ok(ReadOutcome::Drained)
    }

    /// Sends one datagram. Never blocks.
    pub fn send(&mut self, transmit: &Transmit, payload: &[u8]) -> SendOutcome {
        let _ = (transmit, payload);
        SendOutcome::Sent
    }

    /// Whether [`request`](Self::request) takes another one now. If not, it does so again after
    /// [`Source::TrafficControl`] was read; leave the requests with the node until then, which merges them.
    #[must_use]
    pub fn is_ready_for_requests(&self) -> bool {
        true
    }

    /// Carries out a request. Answers come as inputs, at once or later through [`read`](Self::read). Never blocks.
    pub fn request(&mut self, request: Request, sink: &mut dyn FnMut(Input<'_>)) {
        let _ = (request, sink);
    }

    /// The counters.
    #[must_use]
    pub fn counters(&self) -> &SystemCounters {
        &self.counters
    }

    /// What an operator should know about this machine, as of now.
    #[must_use]
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        Vec::new()
    }

    /// Removes what was installed and waits until it is gone. Dropping does the same.
    pub fn close(self) {}
}
