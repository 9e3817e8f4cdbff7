//! A sans-IO RSVP engine: RFC 2205 and RFC 2209, with integrated services (RFC 2210 to 2212), refresh reduction and
//! reliable delivery (RFC 2961).
//!
//! [`Node`] is one host or router. It has no sockets, clock, threads or routing table: whoever embeds it hands in what
//! happened, with the time, and carries out what comes back.
//!
//! ```text
//!   datagrams, routes, interfaces, ──▶ ┌──────┐ ──▶ poll_transmit   datagrams to send
//!   answers of traffic control         │ Node │ ──▶ poll_request    routes to watch, flows to install
//!   (handle, with now)                 │      │ ──▶ poll_event      upcalls, changes of state
//!   local commands (command)       ──▶ └──────┘ ──▶ poll_timeout    when to call again, and why
//! ```
//!
//! # The loop
//!
#![doc = "```"]
#![doc = include_str!("../examples/two_nodes.rs")]
#![doc = "```"]
//!
//! Where to look: [`wire`] for messages and objects, [`intserv`] for the arithmetic of flowspecs, [`input`],
//! [`command`], [`output`] and [`event`] for what goes in and out, [`view`] for the state as an operator sees it,
//! [`admission`] and [`policy`] for your own admission and policy control, [`config`] for timers, limits and bandwidth,
//! [`udp`] for RSVP in UDP.
//!
//! Bad input from the network never panics: it is answered with the error message that the RFC asks for, or dropped and
//! counted with its [`DropReason`](counters::DropReason). The crate is `no_std` with `alloc`; its one feature, `serde`
//! (on by default), makes inputs, commands, outputs and views serialisable.

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
pub mod policy;
pub mod snapshot;
pub mod time;
pub mod udp;
pub mod view;
pub mod wire;

mod events;
mod map;
mod node;
mod process;
mod query;
mod reduction;
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
