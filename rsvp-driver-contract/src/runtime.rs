//! The drivers, each with a runtime that it is for.

use std::io;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use rsvp_core::Node;
use rsvp_driver::{Clock, Handle, Outside};

use crate::LONG;

/// A driver, and what runs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runtime {
    /// The driver of `rsvp-io` that blocks its thread.
    Blocking,
    /// `rsvp-io-mio` on a thread of its own.
    Mio,
    /// `rsvp-io-tokio` on a runtime of one thread.
    Tokio,
    /// The same, on one of several threads.
    TokioThreads,
    /// `rsvp-io-async-std` as a task of async-std.
    AsyncStd,
    /// The same, as a task of smol.
    Smol,
}

/// A driver on a thread.
pub struct Running(JoinHandle<io::Result<()>>);

impl Runtime {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Blocking, Self::Mio, Self::Tokio, Self::TokioThreads, Self::AsyncStd, Self::Smol];

    /// Runs a driver of this kind, in this thread, until it ends.
    ///
    /// # Errors
    ///
    /// The driver's.
    ///
    /// # Panics
    ///
    /// If nobody takes the handle.
    pub fn run<O: Outside>(
        self,
        node: Node,
        outside: O,
        clock: Clock,
        started: impl FnOnce(Handle),
    ) -> io::Result<()> {
        match self {
            Self::Blocking => {
                let (driver, handle) = rsvp_io::Driver::new(node, outside, clock)?;
                started(handle);
                driver.run()
            }
            Self::Mio => {
                let (driver, handle) = rsvp_io_mio::Driver::new(node, outside, clock)?;
                started(handle);
                driver.run()
            }
            Self::Tokio => {
                tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
                    let (driver, handle) = rsvp_io_tokio::Driver::new(node, outside, clock)?;
                    started(handle);
                    driver.run().await
                })
            }
            Self::TokioThreads => {
                let runtime =
                    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
                runtime.block_on(async {
                    let (driver, handle) = rsvp_io_tokio::Driver::new(node, outside, clock)?;
                    started(handle);
                    tokio::spawn(driver.run()).await?
                })
            }
            Self::AsyncStd => {
                let (driver, handle) = rsvp_io_async_std::Driver::new(node, outside, clock)?;
                started(handle);
                async_std::task::block_on(async_std::task::spawn(driver.run()))
            }
            Self::Smol => {
                let (driver, handle) = rsvp_io_async_std::Driver::new(node, outside, clock)?;
                started(handle);
                smol::block_on(smol::spawn(driver.run()))
            }
        }
    }

    /// The same, in a thread of its own.
    ///
    /// # Panics
    ///
    /// If the driver does not start.
    pub fn start<O: Outside>(self, node: Node, outside: O, clock: Clock) -> (Handle, Running) {
        let (give, take) = mpsc::channel();
        let run =
            move || self.run(node, outside, clock, move |handle| give.send(handle).expect("it is awaited"));
        let thread = thread::Builder::new().name(format!("{self:?}")).spawn(run).expect("a thread");
        match take.recv_timeout(LONG) {
            Ok(handle) => (handle, Running(thread)),
            Err(_) if thread.is_finished() => panic!("{self:?} does not start: {:?}", thread.join()),
            Err(_) => panic!("{self:?} never starts"),
        }
    }
}

impl Running {
    /// Waits until the driver has ended.
    ///
    /// # Errors
    ///
    /// The driver's.
    ///
    /// # Panics
    ///
    /// If it has panicked, or does not end.
    pub fn join(self) -> io::Result<()> {
        crate::eventually("the driver ends", || self.0.is_finished());
        self.0.join().expect("the driver does not panic")
    }
}
