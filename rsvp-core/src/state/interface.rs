//! Logical interfaces.

use core::net::IpAddr;

use crate::admission::Ledger;
use crate::input::InterfaceInfo;

/// A logical interface and its books.
#[derive(Debug)]
pub(crate) struct Interface {
    pub(crate) info: InterfaceInfo,
    pub(crate) ledger: Ledger,
    /// Whether a Path came in UDP here (RFC 2205 Appendix C).
    pub(crate) has_heard_udp: bool,
}

impl Interface {
    /// Its preferred address of the family of `like`.
    pub(crate) fn address_like(&self, like: IpAddr) -> Option<IpAddr> {
        self.info.addresses.iter().copied().find(|a| a.is_ipv4() == like.is_ipv4())
    }
}
