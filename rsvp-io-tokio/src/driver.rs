//! The loop between a node and the outside.

use std::future::poll_fn;
use std::io;
use std::os::fd::OwnedFd;
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt;
use rsvp_core::{Command, Event, Input, Node, Ready, Transmit};
use rsvp_io::{ReadOutcome, SendOutcome, Source, System};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::handle::{Handle, Job};
use crate::{Clock, Outside};

/// Datagrams or messages that are read from a source before the others have their turn.
const READ_BUDGET: usize = 256;

/// Outputs of a kind that are fetched before the inputs have their turn.
const OUTPUT_BUDGET: usize = 1024;

/// Jobs of handles that wait for the driver.
const JOB_QUEUE: usize = 256;

/// Events that a slow subscriber may fall behind.
const EVENT_QUEUE: usize = 8192;

/// How long a shutdown waits for the tears to leave.
const FLUSH_TIME: Duration = Duration::from_secs(2);

/// Drives one node on one outside.
pub struct Driver<O: Outside = System> {
    node: Node,
    outside: O,
    clock: Clock,
    sources: Vec<Watched>,
    jobs: mpsc::Receiver<Job>,
    events: broadcast::Sender<Event>,
    buffer: Vec<u8>,
    refused: Option<Refused>,
    /// Events were told, and their subscribers have not had their turn yet.
    told: bool,
}

/// A source and whether it may have something to read.
struct Watched {
    source: Source,
    fd: AsyncFd<OwnedFd>,
    readable: bool,
}

/// The one datagram that the socket refused; its bytes are in the driver's buffer.
struct Refused {
    transmit: Transmit,
    source: Source,
}

/// What ended a wait.
enum Wake {
    /// Somebody has work for us; `None`: all handles are gone.
    Job(Option<Job>),
    /// Sources are marked as readable, or the deadline has come.
    Ready,
    /// The socket takes datagrams again.
    Writable,
}

impl<O: Outside> Driver<O> {
    /// A driver for a node whose time is that of `clock`, and the handle to it. To be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// If the runtime cannot watch a source.
    pub fn new(node: Node, outside: O, clock: Clock) -> io::Result<(Self, Handle)> {
        let mut sources = Vec::new();
        for (source, fd) in outside.sources()? {
            #[expect(deprecated, reason = "an OwnedFd upholds what the unsafe replacement asks for")]
            let fd = AsyncFd::with_interest(fd, Interest::READABLE | Interest::WRITABLE)?;
            sources.push(Watched { source, fd, readable: true });
        }
        let (job_sender, jobs) = mpsc::channel(JOB_QUEUE);
        let (events, _) = broadcast::channel(EVENT_QUEUE);
        let handle = Handle::new(job_sender, events.clone(), clock);
        let buffer = Vec::new();
        Ok((Self { node, outside, clock, sources, jobs, events, buffer, refused: None, told: false }, handle))
    }

    /// Runs until a handle shuts it down or all handles are gone; then everything is torn down.
    ///
    /// # Errors
    ///
    /// If a source is broken for good.
    pub async fn run(mut self) -> io::Result<()> {
        let now = self.clock.now();
        let Self { node, outside, .. } = &mut self;
        outside.start(&mut |input| node.handle(now, input));
        let answer = loop {
            self.poll_outputs();
            match self.wait().await? {
                Wake::Job(None) => break None,
                Wake::Job(Some(Job::Shutdown(answer))) => break Some(answer),
                Wake::Job(Some(job)) => self.carry_out(job),
                Wake::Writable => self.retry_refused(),
                Wake::Ready => {}
            }
            self.read_sources()?;
            self.handle_timeout();
        };
        self.shut_down(answer).await;
        Ok(())
    }

    /// Waits for whatever comes first. Returns at once while a source is known to be readable or the node has work.
    async fn wait(&mut self) -> io::Result<Wake> {
        let blocked = self.refused.as_ref().map(|refused| refused.source);
        let deadline = self.node.poll_timeout(self.ready()).and_then(|(at, _)| self.clock.at(at));
        let is_told = std::mem::take(&mut self.told);
        let Self { sources, jobs, .. } = self;
        let is_readable = sources.iter().any(|watched| watched.readable);
        if is_readable || is_told {
            // Other tasks run: whoever follows the events keeps up even with a burst of them.
            tokio::task::yield_now().await;
        }
        if is_readable {
            // More is to be read; see what else there is.
            return Ok(jobs.try_recv().map_or(Wake::Ready, |job| Wake::Job(Some(job))));
        }
        tokio::select! {
            job = jobs.recv() => Ok(Wake::Job(job)),
            result = wait_for_sources(sources, blocked) => result,
            () = sleep_until(deadline) => Ok(Wake::Ready),
        }
    }

    /// The outputs that can be taken now.
    fn ready(&self) -> Ready {
        Ready {
            transmit: self.refused.is_none(),
            events: true,
            requests: self.outside.is_ready_for_requests(),
        }
    }

    /// Reads a batch from every source that has something.
    fn read_sources(&mut self) -> io::Result<()> {
        let Self { node, outside, sources, clock, .. } = self;
        for watched in sources.iter_mut().filter(|watched| watched.readable) {
            // The guard is taken before reading, so that what arrives after the last read is not cleared with it.
            let guard = watched.fd.readable().now_or_never().transpose()?;
            let now = clock.now();
            let outcome = outside.read(watched.source, READ_BUDGET, &mut |input| node.handle(now, input))?;
            if outcome == ReadOutcome::Drained {
                watched.readable = false;
                if let Some(mut guard) = guard {
                    guard.clear_ready();
                }
            }
        }
        Ok(())
    }

    /// Tells the node that its deadline has passed, if so.
    fn handle_timeout(&mut self) {
        let now = self.clock.now();
        if self.node.poll_timeout(self.ready()).is_some_and(|(at, _)| at <= now) {
            self.node.handle(now, Input::Timeout);
        }
    }

    /// Fetches what the node wants done; requests first, since their answers may lead to messages. What is left over
    /// makes the next deadline `now`.
    fn poll_outputs(&mut self) {
        let Self { node, outside, clock, .. } = self;
        for _ in 0..OUTPUT_BUDGET {
            if !outside.is_ready_for_requests() {
                break;
            }
            let Some(request) = node.poll_request() else { break };
            let now = clock.now();
            outside.request(request, &mut |input| node.handle(now, input));
        }
        self.send_messages();
        for _ in 0..OUTPUT_BUDGET {
            let Some(event) = self.node.poll_event() else { break };
            // Nobody need be listening.
            self.told |= self.events.send(event).is_ok();
        }
    }

    fn send_messages(&mut self) {
        for _ in 0..OUTPUT_BUDGET {
            if self.refused.is_some() {
                return;
            }
            let now = self.clock.now();
            let Some(transmit) = self.node.poll_transmit(now, &mut self.buffer) else { return };
            if let Some(source) = self.send(&transmit) {
                self.refused = Some(Refused { transmit, source });
                self.node.handle(now, Input::SocketBlocked);
            }
        }
    }

    /// Sends what is in the buffer; the source to wait for if the socket takes no more.
    fn send(&mut self, transmit: &Transmit) -> Option<Source> {
        match self.outside.send(transmit, &self.buffer) {
            SendOutcome::Sent => None,
            SendOutcome::Failed(error) => {
                tracing::debug!(%error, destination = %transmit.destination, "a message could not be sent");
                None
            }
            SendOutcome::WouldBlock(source) => Some(source),
        }
    }

    /// Sends the refused datagram, and tells the node when it has gone.
    fn retry_refused(&mut self) {
        let Some(refused) = self.refused.take() else { return };
        // Once with the readiness that was just told, and once more after it is cleared: whatever room appears in
        // between is either used or told again.
        if self.send(&refused.transmit).is_none() {
            self.node.handle(self.clock.now(), Input::SocketWritable);
            return;
        }
        let watched = self.sources.iter().find(|watched| watched.source == refused.source);
        if let Some(Ok(mut guard)) = watched.and_then(|watched| watched.fd.writable().now_or_never()) {
            guard.clear_ready();
        }
        match self.send(&refused.transmit) {
            None => self.node.handle(self.clock.now(), Input::SocketWritable),
            Some(source) => self.refused = Some(Refused { source, ..refused }),
        }
    }

    fn carry_out(&mut self, job: Job) {
        match job {
            // Whoever asked may have gone; what was asked for is done all the same.
            Job::Command(command, answer) => {
                let _ = answer.send(self.node.command(self.clock.now(), *command));
            }
            Job::Query(look) => look(&self.node),
            Job::Diagnostics(answer) => {
                let _ = answer.send(self.outside.diagnostics());
            }
            Job::View(answer) => {
                let _ = answer.send(self.outside.view());
            }
            Job::Shutdown(_) => {}
        }
    }

    /// Sends the tears, as far as the socket takes them in time, and removes what was installed.
    async fn shut_down(mut self, answer: Option<oneshot::Sender<()>>) {
        if let Err(error) = self.node.command(self.clock.now(), Command::Shutdown) {
            tracing::error!(%error, "the node does not shut down");
        }
        self.jobs.close();
        let limit = self.clock.now() + FLUSH_TIME;
        loop {
            self.poll_outputs();
            let now = self.clock.now();
            let due = self.node.poll_timeout(self.ready()).is_some_and(|(at, _)| at <= now);
            if now >= limit || (!due && self.refused.is_none()) {
                break;
            }
            self.node.handle(now, Input::Timeout);
            self.retry_refused();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.outside.close();
        if let Some(answer) = answer {
            let _ = answer.send(());
        }
    }
}

/// Waits until a source is readable (and marks all that are), or until the blocked one is writable.
async fn wait_for_sources(sources: &mut [Watched], blocked: Option<Source>) -> io::Result<Wake> {
    poll_fn(|cx| {
        let mut wake = None;
        for watched in sources.iter_mut() {
            if let Poll::Ready(guard) = watched.fd.poll_read_ready(cx) {
                guard?.retain_ready();
                watched.readable = true;
                wake = Some(Wake::Ready);
            }
            if blocked == Some(watched.source)
                && let Poll::Ready(guard) = watched.fd.poll_write_ready(cx)
            {
                guard?.retain_ready();
                return Poll::Ready(Ok(Wake::Writable));
            }
        }
        wake.map_or(Poll::Pending, |wake| Poll::Ready(Ok(wake)))
    })
    .await
}

async fn sleep_until(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
