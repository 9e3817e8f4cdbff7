//! An RSVP engine without I/O: RFC 2205 and RFC 2209, with integrated services (RFC 2210 to 2212), refresh reduction and
//! reliable delivery (RFC 2961).
//!
//! RSVP lets the receivers of a flow reserve bandwidth along its path. A sender announces itself with a *Path* message, which
//! travels to the destination and leaves path state at every router on the way. A receiver answers with a *Resv*, which goes
//! back hop by hop, and every router admits or refuses it. Both are repeated (*refreshed*) for as long as they are wanted; what is
//! not refreshed dies. A *session* is the destination of a flow: address, protocol and port.
//!
//! [`Node`] is one host or router in that. It has no sockets, clock, threads or routing table: whoever embeds it hands in
//! what happened, with the time, and carries out what comes back.
//!
//! ```text
//!   datagrams, routes, interfaces, ──▶ ┌──────┐ ──▶ poll_transmit   datagrams to send
//!   answers of traffic control         │ Node │ ──▶ poll_request    routes to watch, flows to install
//!   (handle, with now)                 │      │ ──▶ poll_event      upcalls, changes of state
//!   local commands (command)       ──▶ └──────┘ ──▶ poll_timeout    when to call again, and why
//! ```
//!
//! The guide `docs/embedding.md` tells all that an embedder has to do, and what state costs.
//!
//! # A whole program
//!
//! Two nodes with a pretended link between them, and the loop that drives each: `cargo run -p rsvp-core --example two_nodes`.
//!
#![doc = "```"]
#![doc = include_str!("../examples/two_nodes.rs")]
#![doc = "```"]
//!
//! # Where to look
//!
//! | for | see |
//! |---|---|
//! | what goes in: datagrams, interfaces, routes, answers | [`input`] |
//! | what a local application or operator asks | [`command`] |
//! | what comes out: messages, requests, deadlines | [`output`] |
//! | upcalls and changes of state | [`event`] |
//! | the state as an operator sees it | [`view`], and the methods of [`Node`] |
//! | timers, limits, bandwidth of interfaces | [`config`] |
//! | what is counted, and why messages are dropped | [`counters`] |
//! | admission and policy control of your own | [`admission`], [`policy`] |
//! | messages and objects as octets | [`wire`] |
//! | the arithmetic of flowspecs | [`intserv`] |
//! | RSVP in UDP | [`udp`] |
//!
//! # What it promises
//!
//! - Input from the network never makes it panic. It is answered with the error message that the RFC asks for, or dropped and
//!   counted with its [`DropReason`](counters::DropReason).
//! - The same configuration, seed and calls give the same outputs, to the octet.
//! - The work of a call is bounded; so is what peers can make it hold ([`config::Limits`]).
//! - No unsafe code, and no `std`: it is `no_std` with `alloc`.
//!
//! # Features
//!
//! `serde`, on by default, makes inputs, commands, outputs and views serialisable.

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
