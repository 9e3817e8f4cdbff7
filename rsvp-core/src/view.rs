//! The state of a node as an operator may see it. Names follow the ietf-rsvp YANG model where it has one.
//!
//! Every view says why the state is as it is: what happened last ([`History`]) and what comes next ([`Deadline`]).

use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use crate::command::ApiId;
use crate::config::{Bandwidth, InterfaceConfig};
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
}
