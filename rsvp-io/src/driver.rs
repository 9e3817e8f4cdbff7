//! The driver that blocks its thread, with `ppoll`.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::task::Context;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;
use rsvp_driver::{Clock, Engine, Handle, Outside, RecordedNode, Source, Turn};

use crate::System;
use crate::wake::Wake;

/// Drives one node on one outside, on a thread of its own.
pub struct Driver<O: Outside = System> {
    engine: Engine<O>,
    sources: Vec<(Source, OwnedFd)>,
    wake: Wake,
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
        Ok((Self { engine, sources, wake: Wake::new()? }, handle))
    }

    /// Runs until a handle shuts it down or all handles are gone; then everything is torn down. Blocks the thread.
    ///
    /// # Errors
    ///
    /// If a source is broken for good.
    pub fn run(mut self) -> io::Result<()> {
        let waker = self.wake.waker();
        loop {
            match self.engine.turn(&Context::from_waker(&waker))? {
                Turn::Again => self.wait(Some(Duration::ZERO))?,
                Turn::Wait(deadline) => {
                    let now = self.engine.clock().now();
                    self.wait(deadline.map(|deadline| deadline.since(now)))?;
                }
                Turn::Ended => {
                    self.engine.close();
                    return Ok(());
                }
            }
        }
    }

    /// Waits at most so long, and tells the engine what is ready.
    fn wait(&mut self, limit: Option<Duration>) -> io::Result<()> {
        let Self { engine, sources, wake } = self;
        let blocked = engine.blocked();
        let interest = |source: Source| {
            if blocked == Some(source) { PollFlags::POLLIN | PollFlags::POLLOUT } else { PollFlags::POLLIN }
        };
        let mut fds: Vec<_> =
            sources.iter().map(|(source, fd)| PollFd::new(fd.as_fd(), interest(*source))).collect();
        fds.push(PollFd::new(wake.as_fd(), PollFlags::POLLIN));
        match ppoll(&mut fds, limit.map(TimeSpec::from_duration), None) {
            Err(Errno::EINTR) => return Ok(()),
            result => result?,
        };
        let ready: Vec<PollFlags> = fds.iter().map(|fd| fd.revents().unwrap_or(PollFlags::empty())).collect();
        for ((source, _), ready) in sources.iter().zip(&ready) {
            // An error is told by the next read.
            if ready.intersects(!PollFlags::POLLOUT) {
                engine.on_readable(*source);
            }
            if ready.contains(PollFlags::POLLOUT) {
                engine.on_writable(*source);
            }
        }
        if ready.last().is_some_and(|ready| !ready.is_empty()) {
            wake.clear();
        }
        Ok(())
    }
}
