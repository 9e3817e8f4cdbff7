//! Waiting with async-io.

use std::future::{Future, poll_fn};
use std::io;
use std::os::fd::OwnedFd;
use std::pin::pin;
use std::task::{Context, Poll};

use async_io::{Async, Timer};
use futures_lite::future::yield_now;
use rsvp_core::Instant;
use rsvp_driver::{Clock, Engine, Handle, Outside, RecordedNode, Source, Turn};
use rsvp_io::System;

/// Drives one node on one outside.
pub struct Driver<O: Outside = System> {
    engine: Engine<O>,
    sources: Vec<(Source, Async<OwnedFd>)>,
}

impl<O: Outside> Driver<O> {
    /// A driver for a node whose time is that of `clock`, and the handle to it.
    ///
    /// # Errors
    ///
    /// If the reactor cannot watch a source.
    pub fn new(node: impl Into<RecordedNode>, outside: O, clock: Clock) -> io::Result<(Self, Handle)> {
        let (mut engine, handle) = Engine::new(node, outside, clock);
        let mut sources = Vec::new();
        for (source, fd) in engine.sources()? {
            sources.push((source, Async::new_nonblocking(fd)?));
        }
        Ok((Self { engine, sources }, handle))
    }

    /// Runs until a handle shuts it down or all handles are gone; then everything is torn down.
    ///
    /// # Errors
    ///
    /// If a source is broken for good.
    pub async fn run(mut self) -> io::Result<()> {
        loop {
            let turn = poll_fn(|context| Poll::Ready(self.engine.turn(context))).await?;
            match turn {
                Turn::Again => yield_now().await,
                Turn::Wait(deadline) => self.wait(deadline).await?,
                Turn::Ended => {
                    self.engine.close();
                    return Ok(());
                }
            }
            poll_fn(|context| Poll::Ready(self.note_ready(context))).await?;
        }
    }

    /// Waits for whatever comes first.
    async fn wait(&mut self, deadline: Option<Instant>) -> io::Result<()> {
        let deadline = deadline.and_then(|deadline| self.engine.clock().at(deadline));
        let mut timer = pin!(deadline.map_or_else(Timer::never, Timer::at));
        // The first poll was done by the turn: a job that came since has woken the task. So the second one ends the wait.
        let mut is_woken = false;
        poll_fn(|context| {
            if self.note_ready(context)? || timer.as_mut().poll(context).is_ready() || is_woken {
                return Poll::Ready(Ok(()));
            }
            is_woken = true;
            Poll::Pending
        })
        .await
    }

    /// Tells the engine which sources are ready; whether there are any. What is not drained, or comes later, is told again.
    fn note_ready(&mut self, context: &mut Context<'_>) -> io::Result<bool> {
        let Self { engine, sources } = self;
        let mut any = false;
        for (source, fd) in sources {
            if let Poll::Ready(ready) = fd.poll_readable(context) {
                ready?;
                engine.on_readable(*source);
                any = true;
            }
            if engine.blocked() == Some(*source)
                && let Poll::Ready(ready) = fd.poll_writable(context)
            {
                ready?;
                engine.on_writable(*source);
                any = true;
            }
        }
        Ok(any)
    }
}
