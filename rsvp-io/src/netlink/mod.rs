//! Netlink: interfaces and routes, and the socket that traffic control uses too.

mod links;
mod monitor;
mod multicast;
mod routes;
mod socket;

use links::Links;
pub use monitor::KernelRouting;
use routes::{RouteChange, Routes};
pub(crate) use socket::{Message, Netlink, NetlinkError};
