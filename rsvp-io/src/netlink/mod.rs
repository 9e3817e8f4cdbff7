//! Netlink: interfaces and routes, and the socket that traffic control uses too.

mod links;
mod monitor;
mod multicast;
mod neighbors;
mod routes;
mod socket;

use links::Links;
pub use monitor::KernelRouting;
pub(crate) use neighbors::{Change, Neighbor, Neighbors};
use routes::{RouteChange, Routes};
pub(crate) use socket::{Message, Netlink, NetlinkError};
