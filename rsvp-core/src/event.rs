//! What a node tells: upcalls to local applications (RFC 2205 section 3.11.1) and changes of its state.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use crate::command::ApiId;
use crate::input::InterfaceId;
use crate::time::Instant;
use crate::wire::{
    Adspec, ErrorSpec, FilterSpec, FlowDescriptor, Flowspec, RawObject, SenderTspec, SessionKey, Style,
};

/// Something that happened, and when.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[must_use = "a polled event that is not used is lost"]
pub struct Event {
    /// When.
    pub at: Instant,
    /// What.
    pub kind: EventKind,
}

/// The kinds of events.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum EventKind {
    /// For one application.
    Upcall(ApiId, SessionKey, Upcall),
    /// State was created, changed or removed.
    State(StateEvent),
    /// So many events were dropped because they were not fetched; query the state.
    Lost(u64),
}

/// An upcall to an application.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Upcall {
    /// PATH_EVENT: a sender is there, or changed.
    Path {
        /// Who.
        sender: FilterSpec,
        /// What it sends.
        tspec: SenderTspec,
        /// What the path offers.
        adspec: Option<Adspec>,
        /// POLICY_DATA of its Path.
        policy: Vec<RawObject>,
    },
    /// PATH_EVENT: a sender is gone.
    PathGone {
        /// Who.
        sender: FilterSpec,
        /// Why.
        cause: Cause,
    },
    /// RESV_EVENT: a reservation for this application's sender is in place, or changed.
    Resv {
        /// Its style.
        style: Style,
        /// What is reserved.
        flowspec: Flowspec,
        /// For whom.
        filters: Vec<FilterSpec>,
        /// POLICY_DATA of the Resvs that it merges.
        policy: Vec<RawObject>,
    },
    /// RESV_EVENT: the reservation is gone.
    ResvGone {
        /// For whom.
        filters: Vec<FilterSpec>,
        /// Why.
        cause: Cause,
    },
    /// PATH_ERROR.
    PathError {
        /// What and where.
        error: ErrorSpec,
        /// For whose Path.
        sender: FilterSpec,
        /// POLICY_DATA of the PathErr.
        policy: Vec<RawObject>,
    },
    /// RESV_ERROR.
    ResvError {
        /// What and where.
        error: ErrorSpec,
        /// What was asked for.
        style: Style,
        /// The flow descriptors in error.
        flows: Vec<FlowDescriptor>,
        /// POLICY_DATA of the ResvErr.
        policy: Vec<RawObject>,
    },
    /// RESV_CONFIRM.
    Confirmed {
        /// The node that confirmed.
        node: IpAddr,
        /// The style.
        style: Style,
        /// What was confirmed.
        flows: Vec<FlowDescriptor>,
    },
}

/// A change of state.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct StateEvent {
    /// The session, if it concerns one.
    pub session: Option<SessionKey>,
    /// What kind of state.
    pub subject: Subject,
    /// What happened to it.
    pub change: Change,
    /// Why.
    pub cause: Cause,
}

/// The state that changed.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Subject {
    /// Path state of a sender (PSB).
    Path {
        /// The sender.
        sender: FilterSpec,
        /// Previous hop; `None` for a local sender.
        previous_hop: Option<IpAddr>,
        /// Incoming interface.
        interface: Option<InterfaceId>,
    },
    /// A reservation asked for by a next hop (RSB).
    Reservation {
        /// Next hop; `None` for a local receiver.
        next_hop: Option<IpAddr>,
        /// Outgoing interface.
        interface: Option<InterfaceId>,
        /// Style.
        style: Style,
        /// For whom; empty for WF.
        filters: Vec<FilterSpec>,
    },
    /// A reservation in traffic control (TCSB).
    Installation {
        /// Outgoing interface.
        interface: InterfaceId,
        /// What it gets.
        flowspec: Flowspec,
        /// For whom; empty for WF.
        filters: Vec<FilterSpec>,
    },
    /// A blockade (BSB).
    Blockade {
        /// Previous hop.
        previous_hop: IpAddr,
    },
    /// An interface.
    Interface {
        /// Which.
        interface: InterfaceId,
        /// Its name.
        name: String,
    },
}

/// What happened to state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Change {
    /// It is new.
    Created,
    /// It has other contents.
    Modified,
    /// It was refused.
    Refused,
    /// It is gone.
    Removed,
}

/// Why state is as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Cause {
    /// A local application or the configuration asked for it.
    Local,
    /// A Path message.
    Path,
    /// A Resv message.
    Resv,
    /// A PathTear message.
    PathTear,
    /// A ResvTear message.
    ResvTear,
    /// A ResvErr or PathErr message, or an error found here: code and value (RFC 2205 Appendix B).
    Error {
        /// Error code.
        code: u8,
        /// Error value.
        value: u16,
    },
    /// It was not refreshed within its lifetime.
    Expired,
    /// The path state that it hung on is gone.
    PathGone,
    /// The route changed.
    RouteChange,
    /// An interface came, changed or went.
    Interface,
    /// Traffic control answered, or could not do it; in words.
    TrafficControl(String),
    /// Traffic control withdrew it.
    Preempted,
    /// The operator cleared it.
    Cleared,
    /// The node is shutting down.
    Shutdown,
    /// The configuration changed.
    Configuration,
}
