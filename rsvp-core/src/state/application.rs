//! Local applications and the groups that they receive.

use core::net::IpAddr;

use super::SessionId;
use crate::input::InterfaceId;

/// One application's use of a session.
#[derive(Debug)]
pub(crate) struct Application {
    pub(crate) session: SessionId,
    /// The group that it receives; `None` for unicast, and while it does not receive.
    pub(crate) group: Option<Group>,
    /// The address that it said it receives at.
    pub(crate) address: Option<IpAddr>,
}

/// A group, and where it is received; without an interface, where the system chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Group {
    pub(crate) address: IpAddr,
    pub(crate) interface: Option<InterfaceId>,
}
