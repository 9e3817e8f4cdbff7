//! What a node wants done outside: messages to send, work that only the outside can do, and when to
//! call again. Events for applications are in [`event`](crate::event).

use alloc::vec::Vec;
use core::net::IpAddr;

use crate::SessionKey;
use crate::input::{Encapsulation, InterfaceId};
use crate::wire::{FilterSpec, Flowspec, SenderTspec};

/// How to send the message that [`Node::poll_transmit`](crate::Node::poll_transmit) wrote.
///
/// A message in UDP is a datagram like any other, from a UDP socket of this host: `source` is an address of this node,
/// without Router Alert. Where it goes and with which TTL follows RFC 2205 Appendix C, Figures 13 and 14; what is for
/// the local network only has TTL 1. It is still the [`interface`](Self::interface) that it leaves by.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[must_use = "a polled message that is not sent is lost"]
pub struct Transmit {
    /// The logical interface to leave by; `None` leaves the choice to the routing table.
    pub interface: Option<InterfaceId>,
    /// The neighbour to hand the packet to, when it is not the destination itself.
    pub next_hop: Option<IpAddr>,
    /// IP source address; a raw Path carries its sender's, which may be another node's.
    pub source: IpAddr,
    /// IP destination address.
    pub destination: IpAddr,
    /// TTL or hop limit.
    pub ttl: u8,
    /// Whether to set the Router Alert option (RFC 2113, RFC 2711).
    pub router_alert: bool,
    /// How to carry it: raw, or in UDP with these ports.
    pub encapsulation: Encapsulation,
    /// The DS field; RSVP's own messages use CS6 (48 << 2).
    pub traffic_class: u8,
}

/// What identifies a watched route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RouteKey {
    /// Routing table; 0 is the default one.
    pub table: u32,
    /// Where packets go.
    pub destination: IpAddr,
    /// For multicast: where they come from.
    pub source: Option<IpAddr>,
}

impl RouteKey {
    /// The route to an address, or of whatever is sent to a group from here, in the default table.
    #[must_use]
    pub const fn to(destination: IpAddr) -> Self {
        Self { table: 0, destination, source: None }
    }
}

/// Names one installation for as long as the node lives; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct InstallationId(pub u64);

/// Work that only the outside can do.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[must_use = "a polled request that is not carried out is lost"]
pub enum Request {
    /// Look this route up, answer with [`Input::Route`](crate::Input::Route), and again when it changes.
    WatchRoute(RouteKey),
    /// The route is of no interest any more.
    UnwatchRoute(RouteKey),
    /// Make the kernel (or the hardware) give this flow what it says, whether it is new or changed, and
    /// answer with [`Input::Installed`](crate::Input::Installed). Before the answer the node asks for no other installation
    /// under the same id.
    Install(Installation),
    /// Take the installation away; there is no answer. The request may come before the last installation is answered, and
    /// for one that was never asked for.
    Remove(InstallationId),
    /// Receive what is sent to this group: a local application does. There is no answer; the request may come for a
    /// group that is joined already. A router needs no group for the messages that it forwards.
    Join {
        /// The group.
        group: IpAddr,
        /// Where; `None` leaves the choice to the system, as a socket does that names no interface.
        interface: Option<InterfaceId>,
    },
    /// The last local application has left the group there. There is no answer; the request may come for a group that
    /// was never joined.
    Leave {
        /// The group.
        group: IpAddr,
        /// Where.
        interface: Option<InterfaceId>,
    },
}

/// The desired state of one reservation in traffic control (one TCSB).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Installation {
    /// Its name.
    pub id: InstallationId,
    /// The interface it leaves by.
    pub interface: InterfaceId,
    /// Whose packets; a virtual port (RFC 2207) is 0 here, since packets have none.
    pub session: SessionKey,
    /// Which senders' packets; empty means all (wildcard).
    pub filters: Vec<FilterSpec>,
    /// What they get (TC_Flowspec).
    pub flowspec: Flowspec,
    /// What the senders said they send, summed (Path_Te).
    pub sender_tspec: Option<SenderTspec>,
    /// Where to police.
    pub police: PoliceFlags,
    /// For guaranteed service: bytes of IP packets that may have to wait here at most, b + Csum + Dsum*r with this node's
    /// own terms (RFC 2212, "Policing"). With so large a buffer nothing that conforms is lost.
    pub buffer: Option<u32>,
    /// Whether what does not conform is discarded where it is policed; else it is best effort.
    pub discards: bool,
}

/// What is done with packets beyond the TSpec of their flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conditioning {
    /// They are best effort, or discarded ([`Installation::discards`]).
    Police,
    /// All wait until they conform; what no longer fits into the buffer does not.
    Reshape,
}

impl Installation {
    /// How to keep the flow to its TSpec; `None` if it has none.
    ///
    /// Controlled load is policed everywhere: no node may rely on another having done so (RFC 2211 section 7).
    /// Guaranteed service must not be policed but at the edge of the network (E_Police_Flag), since queues upstream
    /// distort what conformed there: elsewhere it is reshaped. That has to be done where M_Police_Flag or B_Police_Flag
    /// is on, and may be done anywhere (RFC 2212, "Policing").
    #[must_use]
    pub fn conditioning(&self) -> Option<Conditioning> {
        match self.flowspec {
            Flowspec::ControlledLoad(_) => Some(Conditioning::Police),
            Flowspec::Guaranteed(..) if self.police.contains(PoliceFlags::ENTRY) => {
                Some(Conditioning::Police)
            }
            Flowspec::Guaranteed(..) => Some(Conditioning::Reshape),
            Flowspec::Null { .. } | Flowspec::Opaque(_) => None,
        }
    }
}

bitflags::bitflags! {
    /// The reasons to police a flow (RFC 2205 section 3.8).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
    pub struct PoliceFlags: u8 {
        /// E_Police_Flag: this node is the first that can police.
        const ENTRY = 1;
        /// M_Police_Flag: a shared reservation merges several senders.
        const MERGE = 2;
        /// B_Police_Flag: the flow branches, and gets less here than elsewhere.
        const BRANCH = 4;
    }
}

/// The outputs that the caller can take now, for [`Node::poll_timeout`](crate::Node::poll_timeout).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ready {
    /// It can send datagrams.
    pub transmit: bool,
    /// It can take events.
    pub events: bool,
    /// It can take requests.
    pub requests: bool,
}

impl Ready {
    /// Everything.
    pub const ALL: Self = Self { transmit: true, events: true, requests: true };
}

/// Why the node wants to be called again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum WakeReason {
    /// A message is ready to be sent.
    Transmit,
    /// An event is ready.
    Event,
    /// A request is ready.
    Request,
    /// Work is left over from an earlier call.
    Backlog,
    /// State is due for a refresh.
    Refresh,
    /// State may be due to expire.
    Cleanup,
    /// A blockade ends.
    Blockade,
    /// A local repair has waited long enough.
    Repair,
    /// A message may have to be sent again (RFC 2961 section 6).
    Retransmit,
    /// An acknowledgement has waited long enough (RFC 2961 section 4.6).
    Acknowledge,
    /// Messages have waited for others long enough (RFC 2961 section 3.3).
    Bundle,
}
