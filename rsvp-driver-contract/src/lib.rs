//! What every driver of rsvp-core owes, whatever it waits with. The tests in `tests/` run on each [`Runtime`]; a driver of
//! another runtime becomes one, and has to pass them.

#![cfg(target_os = "linux")]

/// The programs of the guide, which use the engine and its drivers.
#[cfg(doctest)]
#[doc = include_str!("../../docs/embedding.md")]
pub struct Embedding;

mod host;
mod memory;
mod runtime;
mod watched;

pub use host::{Host, LONG, PAUSE, TSPEC, config, eventually, flow, reservation, sender, session, within};
pub use memory::{LinkEnd, Memory, memory_link};
pub use runtime::{Running, Runtime};
pub use watched::{Trace, Watched};
