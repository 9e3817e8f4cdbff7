//! Networks of Linux network namespaces, for the lab and for tests that need real links and real packets.
//!
//! A [`Namespace`] is held by a file descriptor alone: it has no name in the file system, so nothing of it is left
//! when the process that made it ends, however that happens. Links are veth pairs. Everything goes over netlink.
//!
//! Making namespaces needs CAP_SYS_ADMIN and CAP_NET_ADMIN. A process without them gets them inside a user namespace
//! of its own by [`isolate::enter`], where the system allows that.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let host = rsvp_netns::Namespace::new("host")?;
//! let router = rsvp_netns::Namespace::new("router")?;
//! host.link("eth0", &router, "eth0")?;
//! host.address("eth0", "10.0.0.1".parse().unwrap(), 24)?;
//! router.address("eth0", "10.0.0.2".parse().unwrap(), 24)?;
//! router.forward()?;
//! host.route("0.0.0.0".parse().unwrap(), 0, "10.0.0.2".parse().unwrap())?;
//! let socket = host.run(|| std::net::UdpSocket::bind("10.0.0.1:0"))?;
//! # Ok(()) }
//! ```

#![cfg(target_os = "linux")]

mod capture;
mod directory;
mod error;
pub mod isolate;
mod kernel;
mod multicast;
mod namespace;
mod netlink;
mod packet;
mod process;
mod raw;
pub mod socket;

pub use capture::{Capture, CaptureStatistics};
pub use directory::Directory;
pub use error::Error;
pub use kernel::{HtbClass, InterfaceTraffic, MapElement};
pub use namespace::Namespace;
pub use packet::{HeardFrame, PacketSocket};
pub use process::Process;
pub use raw::RawSocket;
