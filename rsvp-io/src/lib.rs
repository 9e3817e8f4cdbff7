//! Raw RSVP sockets, netlink and traffic control on Linux: the one place with I/O.

#![deny(unsafe_op_in_unsafe_fn)]

mod diagnostics;
mod netlink;
mod options;
mod receive;
mod socket;
mod system;
mod tc;

pub use options::{Diagnostic, InterfaceSelection, OpenError, Severity, SystemOptions};
pub use system::{ReadOutcome, SendOutcome, Source, System, SystemCounters};
