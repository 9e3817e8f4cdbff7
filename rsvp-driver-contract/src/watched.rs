//! An outside that is looked at.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rsvp_core::{Input, Request};
use rsvp_driver::{Diagnostic, Message, Outside, OutsideView, ReadOutcome, SendOutcome, Source};

/// What a driver has done with its outside.
#[derive(Debug, Default)]
pub struct Trace {
    /// Calls of `read`.
    pub reads: AtomicUsize,
    /// Calls of `is_ready_for_requests`: no turn goes without.
    pub turns: AtomicUsize,
    /// Datagrams handed in.
    pub received: AtomicUsize,
    /// How many had been handed in when the first was sent.
    pub before_first_send: OnceLock<usize>,
    /// Refused sends.
    pub blocked: AtomicUsize,
    /// Calls of `close`.
    pub closed: AtomicUsize,
    /// Makes every read fail.
    pub broken: AtomicBool,
    sent: Mutex<Vec<Message>>,
}

/// An outside and its trace.
pub struct Watched<O> {
    outside: O,
    trace: Arc<Trace>,
}

impl Trace {
    /// What was sent, in order.
    #[must_use]
    pub fn sent(&self) -> Vec<Message> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<O: Outside> Watched<O> {
    /// The same outside, and where to see what becomes of it.
    #[must_use]
    pub fn new(outside: O) -> (Self, Arc<Trace>) {
        let trace = Arc::new(Trace::default());
        (Self { outside, trace: Arc::clone(&trace) }, trace)
    }
}

impl<O: Outside> Outside for Watched<O> {
    fn sources(&self) -> io::Result<Vec<OwnedFd>> {
        self.outside.sources()
    }

    fn start(&mut self, sink: &mut dyn FnMut(Input<'_>)) {
        self.outside.start(sink);
    }

    fn read(
        &mut self,
        source: Source,
        budget: usize,
        sink: &mut dyn FnMut(Input<'_>),
    ) -> io::Result<ReadOutcome> {
        self.trace.reads.fetch_add(1, Relaxed);
        if self.trace.broken.load(Relaxed) {
            return Err(io::Error::other("the source is broken"));
        }
        let received = &self.trace.received;
        self.outside.read(source, budget, &mut |input| {
            received.fetch_add(usize::from(matches!(input, Input::Datagram(_))), Relaxed);
            sink(input);
        })
    }

    fn send(&mut self, messages: &mut [Message]) -> SendOutcome {
        let trace = &self.trace;
        trace.before_first_send.get_or_init(|| trace.received.load(Relaxed));
        let outcome = self.outside.send(messages);
        let count = match outcome {
            SendOutcome::Sent => messages.len(),
            SendOutcome::Blocked(count, _) => {
                trace.blocked.fetch_add(1, Relaxed);
                count
            }
        };
        trace.sent.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&messages[..count]);
        outcome
    }

    fn is_ready_for_requests(&self) -> bool {
        self.trace.turns.fetch_add(1, Relaxed);
        self.outside.is_ready_for_requests()
    }

    fn request(&mut self, request: Request, sink: &mut dyn FnMut(Input<'_>)) {
        self.outside.request(request, sink);
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        self.outside.diagnostics()
    }

    fn view(&self) -> OutsideView {
        self.outside.view()
    }

    fn close(self) {
        self.outside.close();
        self.trace.closed.fetch_add(1, Relaxed);
    }
}
