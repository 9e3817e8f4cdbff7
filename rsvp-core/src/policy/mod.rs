//! Policy control (RFC 2205 section 2.7): a trait that an embedder may replace, and the default rules of the configuration.

mod local;

pub use local::LocalPolicy;

use alloc::vec::Vec;
use core::net::IpAddr;

pub use ipnet::IpNet;

use crate::input::InterfaceId;
use crate::wire::{
    ErrorCode, FilterSpec, Flowspec, RawObject, SenderTemplate, SenderTspec, SessionKey, Style,
};

/// Decides who may announce and who may reserve, and what becomes of POLICY_DATA, which nobody else interprets.
///
/// It is asked when a request would create or change state: an equal refresh of what stands does not come here, while a
/// request that was refused, and left no state, comes again whenever it is repeated. When its mind changes, the embedder
/// gives [`Command::ReviewPolicy`](crate::Command::ReviewPolicy), and all state is asked about anew. Admission control is
/// asked after it, and only about what it accepts.
pub trait Policy: Send {
    /// Whether the request may be carried out.
    fn decide(&self, request: &PolicyRequest<'_>) -> Verdict;
}

/// What policy control gets to see.
#[derive(Clone, Copy, Debug)]
pub struct PolicyRequest<'a> {
    /// The session.
    pub session: &'a SessionKey,
    /// Who asks for what.
    pub subject: PolicySubject<'a>,
    /// POLICY_DATA, as it came.
    pub data: &'a [RawObject],
    /// The rules of the configuration.
    pub rules: &'a [PolicyRule],
}

/// Who asks for what.
#[derive(Clone, Copy, Debug)]
pub enum PolicySubject<'a> {
    /// A sender announces itself, with a Path or through the API.
    Sender {
        /// Who.
        sender: &'a SenderTemplate,
        /// What it sends.
        tspec: &'a SenderTspec,
        /// Previous hop and incoming interface; `None` for a local application.
        previous_hop: Option<(IpAddr, InterfaceId)>,
    },
    /// A receiver reserves, with a Resv or through the API.
    Reservation {
        /// Style.
        style: Style,
        /// What it asks for.
        flowspec: &'a Flowspec,
        /// The bytes per second that this takes ([`Admission::bandwidth`](crate::admission::Admission::bandwidth)).
        bandwidth: u64,
        /// For whom; for WF the senders that are known.
        senders: &'a [FilterSpec],
        /// The next hop's address; of a local application its receiver's.
        receiver: IpAddr,
        /// The outgoing interface; `None` for a local application.
        interface: Option<InterfaceId>,
    },
}

/// The answer of policy control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Yes; send this POLICY_DATA on instead of what came, if given.
    Accept {
        /// POLICY_DATA objects for the next nodes.
        data: Option<Vec<RawObject>>,
    },
    /// No: error code and value for the PathErr or ResvErr.
    Reject {
        /// Error code, normally [`ErrorCode::POLICY_CONTROL_FAILURE`].
        code: ErrorCode,
        /// Error value.
        value: u16,
    },
}

/// One of the rules of [`LocalPolicy`]; the first that matches decides.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PolicyRule {
    /// The senders that it is for; `None`: all.
    pub sender: Option<IpNet>,
    /// The receivers that it is for, by the session's destination or the next hop; `None`: all.
    pub receiver: Option<IpNet>,
    /// What it says.
    pub action: PolicyAction,
}

/// What a rule says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum PolicyAction {
    /// Accept.
    Allow,
    /// Refuse.
    Deny,
    /// Accept senders, and reservations of at most so many bytes per second.
    Limit(u64),
}
