//! Waiting with tokio.

use std::future::poll_fn;
use std::io;
use std::os::fd::OwnedFd;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use rsvp_core::Instant;
use rsvp_driver::{Clock, Engine, Handle, Outside, RecordedNode, Source, Turn};
use rsvp_io::System;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::{Sleep, sleep_until};

/// Drives one node on one outside.
pub struct Driver<O: Outside = System> {
    engine: Engine<O>,
    sources: Vec<(Source, AsyncFd<OwnedFd>)>,
}

impl<O: Outside> Driver<O> {
    /// A driver for a node whose time is that of `clock`, and the handle to it. To be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// If the runtime cannot watch a source.
    pub fn new(node: impl Into<RecordedNode>, outside: O, clock: Clock) -> io::Result<(Self, Handle)> {
        let (mut engine, handle) = Engine::new(node, outside, clock);
        let mut sources = Vec::new();
        for (source, fd) in engine.sources()? {
            #[expect(deprecated, reason = "an OwnedFd upholds what the unsafe replacement asks for")]
            let fd = AsyncFd::with_interest(fd, Interest::READABLE | Interest::WRITABLE)?;
            sources.push((source, fd));
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
                Turn::Again => tokio::task::yield_now().await,
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
        let mut sleep = pin!(deadline.map(|deadline| sleep_until(deadline.into())));
        // The first poll was done by the turn: a job that came since has woken the task. So the second one ends the wait.
        let mut is_woken = false;
        poll_fn(|context| {
            if self.note_ready(context)? || is_over(sleep.as_mut().as_pin_mut(), context) || is_woken {
                return Poll::Ready(Ok(()));
            }
            is_woken = true;
            Poll::Pending
        })
        .await
    }

    /// Tells the engine which sources are ready; whether there are any. The readiness is cleared before the engine uses it:
    /// what comes later is told again.
    fn note_ready(&mut self, context: &mut Context<'_>) -> io::Result<bool> {
        let Self { engine, sources } = self;
        let mut any = false;
        for (source, fd) in sources {
            if let Poll::Ready(guard) = fd.poll_read_ready(context) {
                guard?.clear_ready();
                engine.on_readable(*source);
                any = true;
            }
            if engine.blocked() == Some(*source)
                && let Poll::Ready(guard) = fd.poll_write_ready(context)
            {
                guard?.clear_ready();
                engine.on_writable(*source);
                any = true;
            }
        }
        Ok(any)
    }
}

fn is_over(sleep: Option<Pin<&mut Sleep>>, context: &mut Context<'_>) -> bool {
    sleep.is_some_and(|sleep| sleep.poll(context).is_ready())
}
