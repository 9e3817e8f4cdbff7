//! What all drivers of rsvp-core share: the loop, the handle, and the seam to the outside. Nothing here does I/O or waits.
//!
//! A driver brings a [`Node`](rsvp_core::Node) together with an [`Outside`] (sockets, routes, traffic control) and a
//! [`Clock`]. All that differs from one runtime to the next is how it waits, so that is all that `rsvp-io-tokio`,
//! `rsvp-io-mio`, `rsvp-io-async-std` and the blocking driver of `rsvp-io` do themselves. [`Engine`] is the rest: give it what
//! has become ready, have it [`turn`](Engine::turn), wait for what it says.
//!
//! Most programs take one of those drivers, and begin with the guide (`docs/embedding.md`, "Drivers") or with a program in
//! memory (`cargo run -p rsvp-io --example in_memory`). This crate is where the types are that they have in common:
//!
//! | for | see |
//! |---|---|
//! | commands, questions and events, from any thread and on any runtime | [`Handle`], [`Events`], [`block_on`] |
//! | sockets, a routing table, a scheduler of your own | [`Transport`], [`Routing`], [`TrafficControl`], put together by [`Parts`] |
//! | the parts that need no operating system | [`MemoryTransport`], [`StaticRouting`], [`NoTrafficControl`] |
//! | recording what happens to a node | [`RecordedNode`] |
//! | another way to wait | [`Engine`] |
//!
//! # A part of your own
//!
//! Traffic control that enforces nothing, and says what it should; on routes and links that are told to it.
//!
//! ```
//! use rsvp_core::output::{Installation, InstallationId};
//! use rsvp_core::{Input, InterfaceId, input::InterfaceInfo};
//! use rsvp_driver::{MemoryTransport, Parts, StaticRouting, TrafficControl, memory};
//!
//! struct Printed;
//!
//! impl TrafficControl for Printed {
//!     fn install(&mut self, installation: Installation, sink: &mut dyn FnMut(Input<'_>)) {
//!         println!("{:?} gets {:?}", installation.session, installation.flowspec);
//!         sink(Input::Installed(installation.id, Ok(())));
//!     }
//!
//!     fn remove(&mut self, id: InstallationId) {
//!         println!("{id:?} goes");
//!     }
//! }
//!
//! let eth0 = InterfaceId(1);
//! let (end, _other_end) = memory::link()?;
//! let routing = StaticRouting::new([InterfaceInfo::new(eth0, "eth0", ["192.0.2.1".parse()?])]);
//! let outside = Parts::new(MemoryTransport::new([(eth0, end)]), routing, Printed)?;
//! # let _ = outside;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! `examples/custom-router` is a whole router with parts of its own.
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
