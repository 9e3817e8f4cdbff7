//! Raw RSVP sockets, netlink and traffic control on Linux: the one place with I/O.
//!
//! [`System`] is everything that one RSVP node needs from the kernel: the [`Outside`](rsvp_driver::Outside) of Linux. A driver
//! adds two things to it, a way to wait for file descriptors and a clock: [`Driver`] is one that blocks its thread,
//! `rsvp-io-tokio`, `rsvp-io-mio` and `rsvp-io-async-std` are others. The guide (`docs/embedding.md`, "Drivers") goes on from
//! here.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::io::Read;
//!
//! use rsvp_core::{Node, NodeConfig};
//! use rsvp_driver::{Clock, block_on};
//! use rsvp_io::{Driver, SystemOptions};
//!
//! let config = NodeConfig { router: true, ..NodeConfig::default() };
//! let mut seed = [0; 32];
//! std::fs::File::open("/dev/urandom")?.read_exact(&mut seed)?;
//!
//! let clock = Clock::start();
//! let node = Node::new(config, seed, clock.now());
//! let system = rsvp_io::open(SystemOptions { router: true, ..SystemOptions::default() })?;
//! let (driver, handle) = Driver::new(node, system, clock)?;
//! let running = std::thread::spawn(|| driver.run());
//!
//! println!("{} sessions", block_on(handle.snapshot())?.sessions.len());
//!
//! block_on(handle.shutdown());
//! running.join().expect("the driver does not panic")?;
//! # Ok(()) }
//! ```
//!
//! # A whole program
//!
//! Two hosts, without a network and without privilege: `cargo run -p rsvp-io --example in_memory`.
//!
#![doc = "```no_run"]
#![doc = include_str!("../examples/in_memory.rs")]
#![doc = "```"]
//!
//! # What it does to the machine
//!
//! - It opens raw sockets for IP protocol 46. A router's take every RSVP message in transit that carries a Router
//!   Alert; nothing is forwarded behind the node's back. It opens UDP sockets, too, on ports 1698 and, on a host without
//!   raw sockets, 1699 (RFC 2205 Appendix C; [`Carrier`]).
//! - In IPv6 the kernel gives a router everything in transit that carries the Router Alert for RSVP, whatever it is. What is not
//!   RSVP is sent on, by way of the output chain: **rules of the `forward` chain never see such packets**. Where those rules
//!   matter, drop hop-by-hop options of strangers before (chain `prerouting`).
//! - A router hears the messages to every group. In IPv4 that takes a multicast routing daemon (or static entries):
//!   without one the kernel drops them. An IPv6 message to a group is read by a packet socket, and an nftables
//!   table `inet rsvp-multicast` keeps the kernel from forwarding a second copy.
//! - It joins the groups that local applications receive, and on every interface 224.0.0.14 and ff02::e.
//! - Its sockets hold bursts of messages: their buffers are of 4 MiB, beyond `net.core.rmem_max` where it may (CAP_NET_ADMIN).
//! - On interfaces with a configured rate ([`SystemOptions::link_rates`]) it replaces the root queueing discipline by
//!   HTB (handle `5256:`), shaped to that rate: class `:2` for RSVP's own messages, `:3` for best effort, and one for
//!   each reservation from `:10` on; those of guaranteed service stand below `:4`. An nftables table `inet rsvp` sorts
//!   packets into them and sends to best effort what is policed and beyond its reservation's token bucket. It drops
//!   packets only where an installation says so ([`discards`](rsvp_core::output::Installation::discards)).
//! - Closing removes all of that, and so does dropping it. If the process is killed, the kernel removes the
//!   table at once, and the next start removes the queueing disciplines.
//!
//! [`PacketSockets`] is another transport, which does without raw sockets and the kernel's IP stack; it is put together with
//! [`KernelRouting`] and [`KernelTrafficControl`] by [`Parts`](rsvp_driver::Parts).
//!
//! It needs Linux 5.12 or later, CAP_NET_RAW and CAP_NET_ADMIN, in the user namespace that owns the network namespace;
//! being root in a user namespace is enough. With UDP alone it needs no privilege. Lacking a kernel feature for traffic
//! control, it says so ([`Outside::diagnostics`](rsvp_driver::Outside::diagnostics)) and answers every installation with
//! success: reservations are admitted then, but not enforced.
//!
//! # What it does not do
//!
//! It routes no groups: the routes that it gives for them are the forwarding entries of the kernel's default tables.
//! Filters by IPv6 flow label or IPsec SPI (RFC 2207) cannot be installed. Fragments of IPv6 messages in transit are dropped and
//! counted, since the kernel does not put them together; those for this host are whole.

#![deny(unsafe_op_in_unsafe_fn)]
#![cfg(target_os = "linux")]

mod diagnostics;
mod driver;
mod guard;
mod membership;
mod netlink;
mod nftables;
mod options;
mod packet_sockets;
mod raw_sockets;
mod receive;
mod socket;
mod sockets;
mod system;
mod tc;
mod wake;

pub use driver::Driver;
pub use netlink::KernelRouting;
pub use options::{Carrier, InterfaceSelection, OpenError, SystemOptions};
pub use packet_sockets::{PacketCounters, PacketSockets};
pub use raw_sockets::{RawSockets, SocketCounters};
pub use system::{System, open};
pub use tc::KernelTrafficControl;
pub use wake::Wake;
