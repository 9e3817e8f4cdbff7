//! A mio driver for rsvp-core: readiness and a clock, nothing else. The rest is that of all drivers
//! (`rsvp_driver`); the guide (`docs/embedding.md`, "Drivers") tells how a program uses one. [`Driver`] drives a node on Linux,
//! on `rsvp_io::System`, or on any other `Outside`.
//!
//! On a thread of its own it [runs](Driver::run) by itself:
//!
//! ```no_run
//! # fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use std::io::Read;
//!
//! use rsvp_core::{Node, NodeConfig};
//! use rsvp_driver::{Clock, block_on};
//! use rsvp_io::{System, SystemOptions};
//! use rsvp_io_mio::Driver;
//!
//! let config = NodeConfig { router: true, ..NodeConfig::default() };
//! let mut seed = [0; 32];
//! std::fs::File::open("/dev/urandom")?.read_exact(&mut seed)?;
//!
//! let clock = Clock::start();
//! let node = Node::new(config, seed, clock.now());
//! let system = rsvp_io::open(SystemOptions { router: true, ..SystemOptions::default() })?;
//! let (driver, handle) = Driver::new(node, system, clock)?;
//! let running = std::thread::spawn(|| driver.run());
//!
//! println!("{} sessions", block_on(handle.snapshot())?.sessions.len());
//!
//! block_on(handle.shutdown());
//! running.join().expect("the driver does not panic")?;
//! # Ok(()) }
//! ```
//!
//! On one thread beside other protocols it shares their [`Poll`], and has its turn whenever that returns:
//!
//! ```no_run
//! # fn example(mut driver: rsvp_io_mio::Driver) -> std::io::Result<()> {
//! use mio::{Events, Poll, Token};
//! use rsvp_io_mio::Step;
//!
//! let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(64));
//! driver.register(poll.registry(), Token(100))?;
//! while let Step::Poll(timeout) = driver.turn()? {
//!     poll.poll(&mut events, timeout)?;
//!     for event in &events {
//!         if !driver.on_event(event) {
//!             // It is one of the others.
//!         }
//!     }
//! }
//! driver.close();
//! # Ok(()) }
//! ```
//!
//! `cargo run -p rsvp-io-mio --example beside_others` shows that, with two other protocols and without privilege. The thread
//! that runs the loop gives its commands to the [engine](Driver::engine) and fetches events with
//! [`try_next`](rsvp_driver::Events::try_next): it must not wait for a handle, but keep one, or the node shuts down.

#![cfg(target_os = "linux")]

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::task::{Context, Waker};
use std::time::Duration;

use mio::event::Event;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token};
use rsvp_driver::{Clock, Engine, Handle, Outside, RecordedNode, Source, Turn};
use rsvp_io::{System, Wake};

/// Drives one node on one outside.
pub struct Driver<O: Outside = System> {
    engine: Engine<O>,
    sources: Vec<(Source, OwnedFd)>,
    wake: Wake,
    waker: Waker,
    /// The token of the first source; the last is that of `wake`.
    first: Token,
}

/// What is to be done after a [`turn`](Driver::turn).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Step {
    /// Poll, no longer than this, and hand in the events.
    Poll(Option<Duration>),
    /// It is over: close the driver.
    Ended,
}

impl<O: Outside> Driver<O> {
    /// A driver for a node whose time is that of `clock`, and the handle to it.
    ///
    /// # Errors
    ///
    /// If there can be no more file descriptors.
    pub fn new(node: impl Into<RecordedNode>, outside: O, clock: Clock) -> io::Result<(Self, Handle)> {
        let (mut engine, handle) = Engine::new(node, outside, clock);
        let sources = engine.sources()?;
        let wake = Wake::new()?;
        let waker = wake.waker();
        Ok((Self { engine, sources, wake, waker, first: Token(0) }, handle))
    }

    /// Runs until a handle shuts it down or all handles are gone; then everything is torn down. Blocks the thread.
    ///
    /// # Errors
    ///
    /// If a source is broken for good.
    pub fn run(mut self) -> io::Result<()> {
        let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(64));
        self.register(poll.registry(), Token(0))?;
        while let Step::Poll(timeout) = self.turn()? {
            match poll.poll(&mut events, timeout) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => result?,
            }
            for event in &events {
                self.on_event(event);
            }
        }
        self.close();
        Ok(())
    }

    /// Registers what is to be waited for, with tokens from `first` on; tells how many. Once, before the first turn.
    ///
    /// # Errors
    ///
    /// If a source cannot be watched.
    pub fn register(&mut self, registry: &Registry, first: Token) -> io::Result<usize> {
        self.first = first;
        let fds = self.sources.iter().map(|(_, fd)| fd.as_fd()).chain([self.wake.as_fd()]);
        let mut count = 0;
        for fd in fds {
            let interest = Interest::READABLE | Interest::WRITABLE;
            registry.register(&mut SourceFd(&fd.as_raw_fd()), Token(first.0 + count), interest)?;
            count += 1;
        }
        Ok(count)
    }

    /// Takes note of an event; false if it is not of this driver.
    pub fn on_event(&mut self, event: &Event) -> bool {
        let Some(number) = event.token().0.checked_sub(self.first.0) else { return false };
        if number == self.sources.len() {
            self.wake.clear();
        }
        let Some((source, _)) = self.sources.get(number) else { return number == self.sources.len() };
        // An error is told by the next read.
        if event.is_readable() || event.is_error() {
            self.engine.on_readable(*source);
        }
        if event.is_writable() {
            self.engine.on_writable(*source);
        }
        true
    }

    /// Does what there is to do, a bounded amount of it.
    ///
    /// # Errors
    ///
    /// If a source is broken for good.
    pub fn turn(&mut self) -> io::Result<Step> {
        let timeout = match self.engine.turn(&Context::from_waker(&self.waker))? {
            Turn::Again => Some(Duration::ZERO),
            Turn::Wait(deadline) => deadline.map(|deadline| deadline.since(self.engine.clock().now())),
            Turn::Ended => return Ok(Step::Ended),
        };
        Ok(Step::Poll(timeout))
    }

    /// The engine: for who runs it on the same thread, and so must not wait for a handle.
    pub fn engine(&mut self) -> &mut Engine<O> {
        &mut self.engine
    }

    /// Removes what was installed. For a node that is to tear down first, [shut it down](Engine::shut_down) and go on until
    /// [`Step::Ended`].
    pub fn close(self) {
        self.engine.close();
    }
}
