//! The state of a node as an operator may see it. Names follow the ietf-rsvp YANG model where it has one.
//!
//! Every view says why the state is as it is: what happened last ([`History`]) and what comes next ([`Deadline`]).

use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use crate::command::ApiId;
use crate::config::{Bandwidth, InterfaceConfig};
use crate::counters::ReductionCounters;
use crate::event::{Cause, Subject};
use crate::input::InterfaceId;
use crate::output::{InstallationId, PoliceFlags, WakeReason};
use crate::time::Instant;
use crate::wire::{Adspec, FilterSpec, Flowspec, RsvpHop, SenderTspec, SessionKey, Style};

/// What happened to a piece of state, and when.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct History {
    /// When it was created.
    pub created: Instant,
    /// When its contents last changed.
    pub changed: Instant,
    /// When it was last refreshed.
    pub refreshed: Instant,
    /// What caused the last change.
    pub cause: Cause,
}

/// What will happen next to a piece of state if nothing else does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Deadline {
    /// When.
    pub at: Instant,
    /// What.
    pub reason: WakeReason,
}

/// A session.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct SessionView {
    /// Its identity.
    pub session: SessionKey,
    /// Style of its reservations, if it has any.
    pub style: Option<Style>,
    /// Path state blocks.
    pub senders: usize,
    /// Reservation state blocks.
    pub reservations: usize,
    /// Traffic control state blocks.
    pub installed: usize,
    /// Applications registered here.
    pub applications: Vec<ApiId>,
    /// Whether the destination is this node.
    pub local: bool,
}

/// A sender: path state (PSB).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct SenderView {
    /// Its session.
    pub session: SessionKey,
    /// Who sends.
    pub sender: FilterSpec,
    /// What it sends.
    pub tspec: SenderTspec,
    /// What the path up to here offers.
    pub adspec: Option<Adspec>,
    /// Where the Path came from; `None` for a local sender.
    pub previous_hop: Option<RsvpHop>,
    /// The interface it came in on; `None` for a local sender.
    pub incoming_interface: Option<InterfaceId>,
    /// Where it goes.
    pub outgoing_interfaces: Vec<InterfaceId>,
    /// Whether the destination is this node.
    pub local: bool,
    /// Whether a hop without RSVP lies between the previous hop and here.
    pub non_rsvp: bool,
    /// The neighbour's refresh period, in milliseconds.
    pub refresh_ms: u32,
    /// TTL for forwarding.
    pub ttl: u8,
    /// What happened.
    pub history: History,
    /// When it expires; `None` for a local sender.
    pub expires: Option<Deadline>,
    /// When its Path is next refreshed downstream; `None` if it leaves by no interface.
    pub refresh: Option<Deadline>,
}

/// A reservation that a next hop asked for (RSB).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ReservationView {
    /// Its session.
    pub session: SessionKey,
    /// Who asked; `None` for a local receiver.
    pub next_hop: Option<IpAddr>,
    /// The interface towards it; `None` for a local receiver.
    pub interface: Option<InterfaceId>,
    /// Style.
    pub style: Style,
    /// What it asked for.
    pub flowspec: Flowspec,
    /// For whom; empty for WF.
    pub filters: Vec<FilterSpec>,
    /// Whether it holds in traffic control here (for a local receiver: whether it was passed on).
    pub admitted: bool,
    /// Why it was last refused, if it was.
    pub refused: Option<Cause>,
    /// The neighbour's refresh period, in milliseconds.
    pub refresh_ms: u32,
    /// What happened.
    pub history: History,
    /// When it expires; `None` for a local receiver.
    pub expires: Option<Deadline>,
}

/// A request that was refused here: it made no state, or left what stood as it was. It is listed for as long as it is
/// repeated.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RefusalView {
    /// Its session.
    pub session: SessionKey,
    /// Who asked for what.
    pub subject: Subject,
    /// Why it was refused.
    pub cause: Cause,
    /// When it was first refused.
    pub first: Instant,
    /// When it was last refused.
    pub last: Instant,
    /// How often it was refused.
    pub count: u64,
    /// When it is forgotten, unless it is refused again.
    pub expires: Deadline,
}

/// What this node asks of a previous hop: the Resv it sends.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RequestView {
    /// Its session.
    pub session: SessionKey,
    /// Whom it asks.
    pub previous_hop: IpAddr,
    /// The interface towards it.
    pub interface: InterfaceId,
    /// Style.
    pub style: Style,
    /// What it asks for: a flowspec and the senders that it is for.
    pub flows: Vec<crate::wire::FlowDescriptor>,
    /// Whether some of it is blockaded (RFC 2205 section 3.5).
    pub blockaded: bool,
    /// What happened.
    pub history: History,
    /// When it is refreshed.
    pub refresh: Option<Deadline>,
}

/// A reservation in traffic control (TCSB).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct InstalledView {
    /// Its name.
    pub id: InstallationId,
    /// Its session.
    pub session: SessionKey,
    /// The interface it leaves by.
    pub interface: InterfaceId,
    /// Style.
    pub style: Style,
    /// What it gets.
    pub flowspec: Flowspec,
    /// Whose packets; empty for WF.
    pub filters: Vec<FilterSpec>,
    /// Where it is policed.
    pub police: PoliceFlags,
    /// Bytes per second taken from the interface's pool.
    pub bandwidth: u64,
    /// Whether traffic control has answered for the latest change.
    pub installed: bool,
    /// What happened.
    pub history: History,
}

/// An interface.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct InterfaceView {
    /// Its logical interface handle.
    pub id: InterfaceId,
    /// Its name.
    pub name: String,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// Largest packet, in bytes.
    pub mtu: u32,
    /// Whether it carries packets.
    pub up: bool,
    /// Whether Paths that leave by it go in UDP, be it besides raw or alone (RFC 2205 Appendix C).
    pub udp: bool,
    /// Its settings.
    pub config: InterfaceConfig,
    /// The pool.
    pub bandwidth: Option<Bandwidth>,
    /// What is taken from the pool, in bytes per second.
    pub reserved: u64,
    /// Reservations that are in place.
    pub reservations: usize,
}

/// A neighbour: a hop address on an interface.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct NeighborView {
    /// Its address.
    pub address: IpAddr,
    /// On which interface.
    pub interface: InterfaceId,
    /// Path state learnt from it.
    pub senders: usize,
    /// Reservations that it asked for.
    pub reservations: usize,
    /// Whether it is to be told in UDP (RFC 2205 Appendix C).
    pub udp: bool,
    /// When it was last heard.
    pub last_heard: Option<Instant>,
    /// When it was last sent something.
    pub last_sent: Option<Instant>,
    /// States that it is told of: Paths and Resvs.
    pub advertised: usize,
    /// Refresh reduction (RFC 2961).
    pub reduction: ReductionView,
}

/// How a node and its neighbour use RFC 2961.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ReductionView {
    /// Whether this node says to it that it is capable of refresh reduction.
    pub local_capable: bool,
    /// Whether it said so in its last message; `None`: it has not been heard.
    pub remote_capable: Option<bool>,
    /// Whether it has sent a MESSAGE_ID.
    pub remote_message_id: bool,
    /// Whether it has rejected a MESSAGE_ID as unknown.
    pub rejects_message_id: bool,
    /// Whether messages to it carry a MESSAGE_ID.
    pub message_ids: bool,
    /// Whether messages to it are bundled.
    pub bundles: bool,
    /// Whether state is summary-refreshed with it.
    pub summary_refresh: bool,
    /// This node's Epoch.
    pub local_epoch: u32,
    /// Its Epoch, as of its last MESSAGE_ID.
    pub remote_epoch: Option<u32>,
    /// Messages that await its acknowledgement.
    pub outstanding: usize,
    /// Messages that wait until it has acknowledged others.
    pub paced: usize,
    /// States that are refreshed together: by Srefresh, or else in Bundles.
    pub summarized: usize,
    /// When they are refreshed next.
    pub next_refresh: Option<Instant>,
    /// What was counted.
    pub counters: ReductionCounters,
}
