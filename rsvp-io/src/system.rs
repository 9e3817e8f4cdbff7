//! One node's share of Linux.

use rsvp_driver::Parts;

use crate::netlink::KernelRouting;
use crate::options::{OpenError, SystemOptions};
use crate::raw_sockets::RawSockets;
use crate::tc::KernelTrafficControl;

/// Everything that one node needs from Linux: sockets, interfaces, routes and traffic control.
pub type System = Parts<RawSockets, KernelRouting, KernelTrafficControl>;

/// Opens the sockets and takes over the root queueing discipline of the interfaces with a configured rate.
///
/// Everything belongs to the network namespace of the calling thread; later calls may come from any other.
///
/// # Errors
///
/// If a socket cannot be had; lacking IPv6 or traffic control is a [`Diagnostic`](rsvp_driver::Diagnostic) only.
pub fn open(options: SystemOptions) -> Result<System, OpenError> {
    let SystemOptions { router, interfaces, link_rates, carrier } = options;
    let transport = RawSockets::open(router, carrier)?;
    let routing = KernelRouting::open(router, interfaces)?;
    let traffic_control = KernelTrafficControl::open(link_rates)?;
    Parts::new(transport, routing, traffic_control).map_err(OpenError::descriptors)
}
