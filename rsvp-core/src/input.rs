//! What happens to a node from outside. Each input is handled with [`Node::handle`](crate::Node::handle),
//! which never fails.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use crate::output::{InstallationId, RouteKey};

/// A logical interface (RFC 2205 section 3.3), by its logical interface handle (LIH).
///
/// The driver chooses the numbers. It must never let a number name another interface later, not even
/// after a restart: neighbours echo it in Resv messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct InterfaceId(pub u32);

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Input<'a> {
    /// Time has passed; work that is due gets done.
    Timeout,
    /// A datagram arrived.
    Datagram(Datagram<'a>),
    /// An interface appeared or changed.
    Interface(InterfaceInfo),
    /// An interface is gone for good.
    InterfaceRemoved(InterfaceId),
    /// The answer to a watched route, or a change of it.
    Route(RouteKey, Route),
    /// Traffic control has done, or could not do, what the last request for this id asked.
    Installed(InstallationId, Result<(), InstallFailure>),
    /// Traffic control withdrew an installation by itself.
    Preempted(InstallationId, PreemptReason),
    /// The driver's socket takes no more datagrams.
    SocketBlocked,
    /// The driver's socket takes datagrams again.
    SocketWritable,
}

/// A received RSVP message, IP header removed.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Datagram<'a> {
    /// The logical interface that it came in on.
    pub interface: InterfaceId,
    /// IP source address.
    pub source: IpAddr,
    /// IP destination address; may be another node's, when the message was intercepted in transit.
    pub destination: IpAddr,
    /// The TTL or hop limit it arrived with, if the driver can tell.
    pub ttl: Option<u8>,
    /// How it was carried.
    pub encapsulation: Encapsulation,
    /// The RSVP message, from the common header on.
    pub payload: Cow<'a, [u8]>,
}

/// How an RSVP message is carried (RFC 2205 Appendix C).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Encapsulation {
    /// IP protocol 46.
    #[default]
    Raw,
    /// In UDP, with these ports.
    Udp {
        /// Source port.
        source_port: u16,
        /// Destination port.
        destination_port: u16,
    },
}

/// An interface as the driver sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct InterfaceInfo {
    /// Its logical interface handle.
    pub id: InterfaceId,
    /// Its name; selects its configuration.
    pub name: String,
    /// Its addresses, the preferred one of each family first.
    pub addresses: Vec<IpAddr>,
    /// Largest IP packet, in bytes.
    pub mtu: u32,
    /// Whether it can carry packets now.
    pub up: bool,
    /// Whether there can be only one neighbour on it, as on a tunnel or a serial link.
    pub point_to_point: bool,
}

impl InterfaceInfo {
    /// An interface that is up, with an MTU of 1500 bytes and any number of neighbours; set the fields that differ.
    #[must_use]
    pub fn new(
        id: InterfaceId,
        name: impl Into<String>,
        addresses: impl IntoIterator<Item = IpAddr>,
    ) -> Self {
        let addresses = addresses.into_iter().collect();
        Self { id, name: name.into(), addresses, mtu: 1500, up: true, point_to_point: false }
    }
}

/// Where packets to a destination go (RFC 2205 section 3.11.4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Route {
    /// Whether the destination is one of this node's own addresses (or a group it is a member of).
    pub local: bool,
    /// For multicast: the interface that the source's packets must arrive on.
    pub incoming: Option<InterfaceId>,
    /// The interfaces that packets leave by. Empty: there is no route.
    pub outgoing: Vec<NextHop>,
    /// For multicast: whether the forwarding tree is shared by all senders.
    pub shared_tree: bool,
}

/// One outgoing interface of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct NextHop {
    /// The logical interface.
    pub interface: InterfaceId,
    /// The next router's address; `None` when the destination is on this link. For multicast `None`, unless routing knows
    /// all the next hops of a link: then there is one entry for each (NHops_list of RFC 2961 section 4.7.1), and as many
    /// acknowledgements of a Path are awaited.
    pub gateway: Option<IpAddr>,
}

/// Why traffic control could not do as asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct InstallFailure {
    /// In words, for the operator.
    pub reason: String,
}

/// Why an installation was withdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum PreemptReason {
    /// Something more important needed the resources.
    Priority,
    /// The resources are gone (a link got slower, a device was reset).
    ResourceLost,
}
