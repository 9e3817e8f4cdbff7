//! A mio driver for rsvp-core: readiness and a clock, nothing else.
//!
//! The thread that owns the [`Driver`] calls [`run`](Driver::run), or [`step`](Driver::step) in a loop of its own; between
//! steps it may look at the node and give it commands.
//!
//! ```no_run
//! # fn example(seed: [u8; 32]) -> Result<(), Box<dyn std::error::Error>> {
//! use std::ops::ControlFlow;
//!
//! use rsvp_core::NodeConfig;
//! use rsvp_io::{System, SystemOptions};
//! use rsvp_io_mio::Driver;
//!
//! let system = System::open(SystemOptions { router: true, ..SystemOptions::default() })?;
//! let mut driver = Driver::new(NodeConfig::default(), seed, system)?;
//! driver.run(|_, event| {
//!     println!("{event:?}");
//!     ControlFlow::Continue(())
//! })?;
//! driver.close();
//! # Ok(()) }
//! ```

#![cfg(target_os = "linux")]

use std::io;
use std::ops::ControlFlow;
use std::os::fd::AsRawFd;
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use rsvp_core::{Command, CommandError, Event, Input, Instant, Node, NodeConfig, Ready, Reply, Transmit};
use rsvp_io::{ReadOutcome, SendOutcome, Source, System};

/// Datagrams or messages that are read from a source before the others have their turn.
const READ_BUDGET: usize = 256;

/// Outputs of a kind that are fetched before the inputs have their turn.
const OUTPUT_BUDGET: usize = 1024;

/// How long closing waits for the tears to leave.
const FLUSH_TIME: Duration = Duration::from_secs(2);

/// Drives one node on one system.
pub struct Driver {
    node: Node,
    system: System,
    /// Where the node's time starts.
    start: std::time::Instant,
    poll: Poll,
    events: Events,
    sources: Vec<Watched>,
    /// The last datagram polled.
    buffer: Vec<u8>,
    /// Set while that datagram is one that the socket refused.
    refused: Option<Transmit>,
}

/// A source and whether it may have something to read.
struct Watched {
    source: Source,
    readable: bool,
}

impl Driver {
    /// A node with this configuration and seed, and its driver. The seed has to come from a cryptographic generator, and
    /// be another one at every start.
    ///
    /// # Errors
    ///
    /// If the sources cannot be watched.
    pub fn new(config: NodeConfig, seed: [u8; 32], mut system: System) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut sources = Vec::new();
        for (source, fd) in system.sources() {
            let (token, interest) = (Token(sources.len()), Interest::READABLE | Interest::WRITABLE);
            poll.registry().register(&mut SourceFd(&fd.as_raw_fd()), token, interest)?;
            sources.push(Watched { source, readable: true });
        }
        let mut node = Node::new(config, seed, Instant::ZERO);
        system.start(&mut |input| node.handle(Instant::ZERO, input));
        Ok(Self {
            node,
            system,
            start: std::time::Instant::now(),
            poll,
            events: Events::with_capacity(16),
            sources,
            buffer: Vec::new(),
            refused: None,
        })
    }

    /// The node.
    #[must_use]
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// The system.
    #[must_use]
    pub fn system(&self) -> &System {
        &self.system
    }

    /// The node's time.
    #[must_use]
    pub fn now(&self) -> Instant {
        Instant::ZERO + self.start.elapsed()
    }

    /// Gives the node a command; what comes of it is done in the next [`step`](Self::step).
    ///
    /// # Errors
    ///
    /// As [`Node::command`].
    pub fn command(&mut self, command: Command) -> Result<Reply, CommandError> {
        let now = self.now();
        self.node.command(now, command)
    }

    /// The node's next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.node.poll_event()
    }

    /// Steps until `on_event`, which gets every event, says to stop.
    ///
    /// # Errors
    ///
    /// If a source is broken for good.
    pub fn run(&mut self, mut on_event: impl FnMut(&mut Self, Event) -> ControlFlow<()>) -> io::Result<()> {
        loop {
            self.step(None)?;
            while let Some(event) = self.poll_event() {
                if on_event(self, event).is_break() {
                    return Ok(());
                }
            }
        }
    }

    /// Does what is to be done now; if that is nothing, waits until there is something, but no longer than `max_wait`.
    ///
    /// # Errors
    ///
    /// If a source is broken for good.
    pub fn step(&mut self, max_wait: Option<Duration>) -> io::Result<()> {
        self.poll_outputs();
        self.wait(max_wait)?;
        self.read_sources()?;
        let now = self.now();
        if self.is_due(now) {
            self.node.handle(now, Input::Timeout);
        }
        self.poll_outputs();
        Ok(())
    }

    /// Tears everything down: sends the tears, as far as the socket takes them in time, and removes what was installed.
    pub fn close(mut self) {
        if let Err(error) = self.command(Command::Shutdown) {
            tracing::error!(%error, "the node does not shut down");
        }
        let limit = self.now() + FLUSH_TIME;
        loop {
            self.poll_outputs();
            let now = self.now();
            if now >= limit || (self.refused.is_none() && !self.is_due(now)) {
                break;
            }
            self.node.handle(now, Input::Timeout);
            std::thread::sleep(Duration::from_millis(1));
        }
        self.system.close();
    }

    /// Whether the node has something to do now.
    fn is_due(&self, now: Instant) -> bool {
        self.node.poll_timeout(self.ready()).is_some_and(|(at, _)| at <= now)
    }

    /// The outputs that can be taken now. Events wait for [`poll_event`](Self::poll_event).
    fn ready(&self) -> Ready {
        Ready {
            transmit: self.refused.is_none(),
            events: false,
            requests: self.system.is_ready_for_requests(),
        }
    }

    fn wait(&mut self, max_wait: Option<Duration>) -> io::Result<()> {
        let until_deadline = self.node.poll_timeout(self.ready()).map(|(at, _)| at.since(self.now()));
        let mut timeout = until_deadline.into_iter().chain(max_wait).min();
        if self.sources.iter().any(|watched| watched.readable) {
            timeout = Some(Duration::ZERO);
        }
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            result => result?,
        }
        for event in &self.events {
            // An error is told by the next read. That a socket is writable needs no note: every step tries again.
            if event.is_readable() || event.is_error() {
                self.sources[event.token().0].readable = true;
            }
        }
        Ok(())
    }

    /// Reads a batch from every source that has something.
    fn read_sources(&mut self) -> io::Result<()> {
        let now = self.now();
        let Self { node, system, sources, .. } = self;
        for watched in sources.iter_mut().filter(|watched| watched.readable) {
            let outcome = system.read(watched.source, READ_BUDGET, &mut |input| node.handle(now, input))?;
            watched.readable = outcome == ReadOutcome::More;
        }
        Ok(())
    }

    /// Fetches what the node wants done. What is left over makes the next deadline now.
    fn poll_outputs(&mut self) {
        self.send_messages();
        let now = self.now();
        for _ in 0..OUTPUT_BUDGET {
            if !self.system.is_ready_for_requests() {
                break;
            }
            let Some(request) = self.node.poll_request() else { break };
            let Self { node, system, .. } = self;
            system.request(request, &mut |input| node.handle(now, input));
        }
        self.send_messages();
    }

    fn send_messages(&mut self) {
        let now = self.now();
        if let Some(transmit) = self.refused.take() {
            if !self.send(&transmit) {
                self.refused = Some(transmit);
                return;
            }
            self.node.handle(now, Input::SocketWritable);
        }
        for _ in 0..OUTPUT_BUDGET {
            let Some(transmit) = self.node.poll_transmit(now, &mut self.buffer) else { return };
            if !self.send(&transmit) {
                self.refused = Some(transmit);
                self.node.handle(now, Input::SocketBlocked);
                return;
            }
        }
    }

    /// Sends what is in the buffer. False if the socket takes no more now.
    fn send(&mut self, transmit: &Transmit) -> bool {
        match self.system.send(transmit, &self.buffer) {
            SendOutcome::Sent => true,
            SendOutcome::Failed(error) => {
                tracing::debug!(%error, destination = %transmit.destination, "a message could not be sent");
                true
            }
            SendOutcome::WouldBlock(_) => false,
        }
    }
}
