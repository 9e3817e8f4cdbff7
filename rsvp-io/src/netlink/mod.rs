//! Netlink: interfaces and routes, and the socket that traffic control uses too.

mod links;
mod monitor;
mod multicast;
mod routes;
mod socket;

pub(crate) use links::{LinkEvent, Links};
pub(crate) use monitor::Monitor;
use routes::{RouteChange, Routes};
pub(crate) use socket::{Message, Netlink, NetlinkError};
