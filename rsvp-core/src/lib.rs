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
//! A sender's application, in its own words:
//!
//! ```
//! use rsvp_core::command::{Command, Reply, SenderRequest};
//! use rsvp_core::input::{Input, InterfaceId, InterfaceInfo, NextHop, Route};
//! use rsvp_core::wire::{FilterSpec, FlowKey, SenderTspec, SessionKey, Tspec};
//! use rsvp_core::{Instant, Node, NodeConfig, Request};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let now = Instant::ZERO;
//! let mut node = Node::new(NodeConfig::default(), [7; 32], now);
//! let eth0 = InterfaceId(1);
//! node.handle(now, Input::Interface(InterfaceInfo {
//!     id: eth0,
//!     name: "eth0".into(),
//!     addresses: vec!["192.0.2.1".parse()?],
//!     mtu: 1500,
//!     up: true,
//!     point_to_point: false,
//! }));
//!
//! // The application announces that it will send to 198.51.100.7, UDP port 5004.
//! let session = SessionKey::Ip(FlowKey { destination: "198.51.100.7".parse()?, protocol: 17, port: 5004 });
//! let Reply::Session(id) = node.command(now, Command::OpenSession(session))? else { unreachable!() };
//! let tspec = Tspec { rate: 125_000.0, bucket: 10_000.0, peak: 250_000.0, min_unit: 64, max_packet: 1500 };
//! node.command(now, Command::AddSender(id, SenderRequest {
//!     template: FilterSpec::Ip { source: "192.0.2.1".parse()?, port: 4000 },
//!     tspec: SenderTspec::TokenBucket(tspec),
//!     adspec: true.into(), policy: Vec::new(),
//!     ttl: 63,
//! }))?;
//!
//! // The node asks for the route; the embedder knows it.
//! let Some(Request::WatchRoute(key)) = node.poll_request() else { unreachable!() };
//! let gateway = Some("192.0.2.254".parse()?);
//! let route = Route { outgoing: vec![NextHop { interface: eth0, gateway }], ..Route::default() };
//! node.handle(now, Input::Route(key, route));
//!
//! // And now there is a Path to send.
//! let mut datagram = Vec::new();
//! let transmit = node.poll_transmit(now, &mut datagram).expect("a Path message");
//! assert_eq!(transmit.destination, key.destination);
//! assert!(transmit.router_alert && !datagram.is_empty());
//! # Ok(())
//! # }
//! ```
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
