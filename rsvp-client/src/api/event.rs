//! What the daemon tells: events of its state, and what happens to an application's own session.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{Adspec, Application, Filter, FlowDescriptor, Flowspec, PolicyData, SenderTspec, Session, Style};

/// Why state is as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Cause {
    /// The cause's name: `local`, `path`, `resv`, `path-tear`, `resv-tear`, `error`, `expired`, `path-gone`,
    /// `route-change`, `interface`, `traffic-control`, `preempted`, `cleared`, `shutdown`, `configuration`.
    pub kind: String,
    /// In words.
    pub text: String,
    /// RSVP error code, for `error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<u8>,
    /// RSVP error value, for `error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_value: Option<u16>,
}

/// An error that RSVP reports (ERROR_SPEC).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ErrorInfo {
    /// The node that found it.
    pub node: IpAddr,
    /// Error code (RFC 2205 Appendix B).
    pub error_code: u8,
    /// Error value.
    pub error_value: u16,
    /// Code and value in the words of RFC 2205 Appendix B.
    pub text: String,
    /// The reservation that failed left an earlier one in place (InPlace).
    pub in_place: bool,
    /// The request that failed asked for more than this receiver's (NotGuilty).
    pub not_guilty: bool,
}

/// One event of the daemon's state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct EventRecord {
    /// Counts up by one from the daemon's start; a gap means that events were lost.
    pub sequence: u64,
    /// RFC 3339 wall-clock time.
    pub time: String,
    /// The session, if it concerns one.
    #[serde(default)]
    pub session: Option<Session>,
    /// In words, one line.
    pub text: String,
    /// What happened.
    #[serde(flatten)]
    pub happening: Happening,
}

/// What an event tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
#[non_exhaustive]
pub enum Happening {
    /// State was created, changed, refused or removed.
    State {
        /// `path`, `reservation`, `installation`, `blockade` or `interface`.
        subject: String,
        /// `created`, `modified`, `refused` or `removed`.
        change: String,
        /// Why.
        cause: Cause,
        /// Its interface, if it has one.
        #[serde(default)]
        interface: Option<String>,
        /// The neighbour that it came from, if any.
        #[serde(default)]
        neighbor: Option<IpAddr>,
        /// Style of a reservation.
        #[serde(default)]
        style: Option<Style>,
        /// The senders that it is for; empty for WF.
        #[serde(default)]
        senders: Vec<Filter>,
        /// What it gets, for an installation.
        #[serde(default)]
        flowspec: Option<Flowspec>,
    },
    /// Something was told to an application.
    Upcall {
        /// Which application.
        application: u64,
        /// What.
        upcall: Upcall,
    },
    /// Events were lost because nobody fetched them in time.
    Lost {
        /// How many.
        count: u64,
    },
}

/// What an application is told of its session (RFC 2205 section 3.11.1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "type")]
#[non_exhaustive]
pub enum Upcall {
    /// PATH_EVENT: a sender is there, or changed.
    Path {
        /// Who.
        sender: Filter,
        /// What it sends.
        tspec: SenderTspec,
        /// What the path offers.
        adspec: Option<Adspec>,
        /// POLICY_DATA of its Path.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        policy_data: Vec<PolicyData>,
    },
    /// PATH_EVENT: a sender is gone.
    PathGone {
        /// Who.
        sender: Filter,
        /// Why.
        cause: Cause,
    },
    /// RESV_EVENT: a reservation for the application's sender is in place, or changed.
    Resv {
        /// Its style.
        style: Style,
        /// What is reserved.
        flowspec: Flowspec,
        /// For whom.
        senders: Vec<Filter>,
        /// POLICY_DATA of the Resvs that it merges.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        policy_data: Vec<PolicyData>,
    },
    /// RESV_EVENT: the reservation is gone.
    ResvGone {
        /// For whom.
        senders: Vec<Filter>,
        /// Why.
        cause: Cause,
    },
    /// PATH_ERROR.
    PathError {
        /// What and where.
        error: ErrorInfo,
        /// For whose Path.
        sender: Filter,
        /// POLICY_DATA of the PathErr.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        policy_data: Vec<PolicyData>,
    },
    /// RESV_ERROR.
    ResvError {
        /// What and where.
        error: ErrorInfo,
        /// What was asked for.
        style: Style,
        /// The flow descriptors in error.
        flows: Vec<FlowDescriptor>,
        /// POLICY_DATA of the ResvErr.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        policy_data: Vec<PolicyData>,
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

/// One message of the stream of an application's own events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Update {
    /// The application as it is now.
    pub application: Application,
    /// What happened; absent in the first message of a stream.
    #[serde(default)]
    pub upcall: Option<Upcall>,
    /// In words, one line.
    pub text: String,
}
