//! The RSVP engine for C and C++: what `include/rsvp.h` declares. `docs/c-api.md` tells how to use it.
//!
//! The functions are thin: they check and convert what C hands in, call [`rsvp_core::Node`], and convert what comes out.
//! What a router does for every packet is typed; configuration, commands, events and views are JSON, which is
//! `rsvp-core`'s serde form.
//!
//! Every function that can fail goes through `fault::run` or `handle::enter`, so that no panic leaves the library.

#![expect(unsafe_code, reason = "C hands in pointers")]
#![expect(
    clippy::missing_safety_doc,
    reason = "the top of the header tells what callers owe; it holds for all functions"
)]
#![deny(unsafe_op_in_unsafe_fn)]

mod abi;
mod decode;
mod fault;
mod handle;
mod installation;
mod json;
mod node;
mod pointer;
mod poll;
mod types;

#[cfg(test)]
mod tests;

pub use abi::*;
pub use decode::{rsvp_decode_json, rsvp_string_free};
pub use fault::{Status, rsvp_last_error};
pub use handle::Handle;
pub use installation::{Filter, FilterKind, Flowspec, Handling, Installation, Service, Session, Tspec};
pub use json::{
    rsvp_node_command_json, rsvp_node_handle_json, rsvp_node_poll_event_json, rsvp_node_view_json,
};
pub use node::{
    rsvp_node_free, rsvp_node_handle_datagram, rsvp_node_handle_installed, rsvp_node_handle_interface,
    rsvp_node_handle_interface_removed, rsvp_node_handle_preempted, rsvp_node_handle_route,
    rsvp_node_handle_socket_blocked, rsvp_node_handle_socket_writable, rsvp_node_handle_timeout,
    rsvp_node_new,
};
pub use poll::{
    rsvp_node_is_stopped, rsvp_node_poll_request, rsvp_node_poll_timeout, rsvp_node_poll_transmit,
};
pub use types::{
    Address, Datagram, Encapsulation, Interface, NextHop, Request, RequestKind, Route, RouteKey, Timeout,
    Transmit, WakeReason,
};
