//! What all drivers of rsvp-core share: the loop, the handle, and the seam to the outside. Nothing here does I/O or waits.
//!
//! A driver brings a [`Node`](rsvp_core::Node) together with an [`Outside`] (sockets, routes, traffic control) and a
//! [`Clock`]. All that differs from one runtime to the next is how it waits, so that is all that `rsvp-io-tokio`,
//! `rsvp-io-mio`, `rsvp-io-async-std` and the blocking driver of `rsvp-io` do themselves. [`Engine`] is the rest: give it what has become ready, have
//! it [`turn`](Engine::turn), wait for what it says.
//!
//! A [`Handle`] is how the rest of a program talks to a node that runs: commands, questions, and a stream of events, from any
//! thread and on any runtime.
//!
//! # A driver of your own
//!
//! ```no_run
//! # use rsvp_driver::Source;
//! # fn poll(_: &[(Source, std::os::fd::OwnedFd)], _: Option<Source>, _: Option<rsvp_core::Instant>) -> Vec<Source> { vec![] }
//! # fn example<O: rsvp_driver::Outside>(node: rsvp_core::Node, outside: O, wake: std::task::Waker) -> std::io::Result<()> {
//! use std::task::Context;
//!
//! use rsvp_driver::{Clock, Engine, Turn};
//!
//! let (mut engine, handle) = Engine::new(node, outside, Clock::start());
//! let sources = engine.sources()?;
//! loop {
//!     // `wake` has to end the wait below; a job of a handle calls it.
//!     match engine.turn(&Context::from_waker(&wake))? {
//!         Turn::Again => {}
//!         Turn::Wait(deadline) => {
//!             for source in poll(&sources, engine.blocked(), deadline) {
//!                 engine.on_readable(source);
//!                 engine.on_writable(source);
//!             }
//!         }
//!         Turn::Ended => break engine.close(),
//!     }
//! }
//! # Ok(()) }
//! ```

#![forbid(unsafe_code)]
#![cfg(unix)]

mod clock;
mod engine;
mod handle;
mod interfaces;
#[cfg(all(test, loom))]
mod loom_tests;
pub mod memory;
mod outside;
mod parts;
mod queue;
mod static_routing;
mod sync;

pub use clock::Clock;
pub use engine::{Engine, Turn};
pub use handle::{Events, Handle, Stopped};
pub use interfaces::{Interfaces, Link};
pub use memory::MemoryTransport;
pub use outside::{Diagnostic, Message, Outside, OutsideView, ReadOutcome, SendOutcome, Severity, Source};
pub use parts::{NoTrafficControl, Parts, Routing, RoutingEvent, TrafficControl, Transport};
/// Waits for what a [`Handle`] was asked, on a thread without a runtime.
pub use pollster::block_on;
pub use rsvp_record::RecordedNode;
pub use static_routing::StaticRouting;
