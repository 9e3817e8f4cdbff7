//! A sans-IO RSVP engine (RFC 2205, RFC 2209).

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod admission;
pub mod command;
pub mod config;
pub mod counters;
pub mod event;
pub mod input;
pub mod intserv;
pub mod output;
pub mod time;
pub mod view;
pub mod wire;

mod events;
mod map;
mod node;
mod process;
mod query;
mod state;
mod timer;

pub use command::{ApiId, Command, CommandError, Reply};
pub use config::NodeConfig;
pub use event::{Event, EventKind};
pub use input::{Input, InterfaceId};
pub use node::Node;
pub use output::{Ready, Request, Transmit, WakeReason};
pub use time::Instant;
pub use wire::SessionKey;
