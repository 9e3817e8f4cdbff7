//! UDP encapsulation (RFC 2205 Appendix C): how hosts that cannot send raw IP datagrams take part.
//!
//! The RFC calls such a host Hu, a host that can Hr, and a router R. [`NodeConfig::udp_only`] makes a node Hu;
//! [`InterfaceConfig::udp_encapsulation`] says on which interfaces R and Hr send Paths in UDP as well. What each sends
//! is in [`Transmit`](crate::Transmit); what the driver has to listen to, beside raw datagrams, is this:
//!
//! | node | address | port |
//! |---|---|---|
//! | R, Hr | its own addresses, and G* | Pu |
//! | Hu | its own addresses | Pu and Pu' |
//! | Hu | G* | Pu |
//! | Hu | the groups of its applications' sessions | Pu' |
//!
//! The node drops what comes to another port or address: two forms of one message are never both processed.
//!
//! [`NodeConfig::udp_only`]: crate::NodeConfig::udp_only
//! [`InterfaceConfig::udp_encapsulation`]: crate::config::InterfaceConfig::udp_encapsulation

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::input::Encapsulation;

/// Pu: the port that Hu sends to. Datagrams to either port leave from this one.
pub const PU: u16 = 1698;

/// Pu': the port that routers and hosts with raw I/O send to.
pub const PU_PRIME: u16 = 1699;

/// The TTL of a multicast datagram in UDP: it is for the network that it is sent on.
pub(crate) const LINK_TTL: u8 = 1;

/// G*, the group on the local network to which Hu sends the Paths of multicast sessions, in the family of `like`
/// (for IPv6: RSVP-ENCAPSULATION in IANA's registry).
#[must_use]
pub const fn group(like: IpAddr) -> IpAddr {
    match like {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::new(224, 0, 0, 14)),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xe)),
    }
}

/// In UDP to this port.
pub(crate) const fn to(destination_port: u16) -> Encapsulation {
    Encapsulation::Udp { source_port: PU, destination_port }
}
