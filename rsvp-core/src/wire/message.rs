//! Messages, typed (RFC 2205 section 3.1).

use alloc::vec::Vec;
use core::net::IpAddr;

use super::adspec::Adspec;
use super::code::MessageType;
use super::error_spec::ErrorSpec;
use super::filter_spec::{FilterSpec, SenderTemplate};
use super::flowspec::Flowspec;
use super::hop::RsvpHop;
use super::message_id::Srefresh;
use super::object::RawObject;
use super::sender_tspec::SenderTspec;
use super::session::Session;
use super::style::Style;

/// A FLOWSPEC and the filters that share it.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FlowDescriptor {
    /// What is asked for; a ResvTear may leave it out.
    pub flowspec: Option<Flowspec>,
    /// Whose packets: none for WF, one for FF, one or more for SE.
    pub filters: Vec<FilterSpec>,
}

/// Common header fields that are not derived from the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Header {
    /// Four flag bits: [`REFRESH_REDUCTION`](Self::REFRESH_REDUCTION).
    pub flags: u8,
    /// Send_TTL.
    pub send_ttl: u8,
}

impl Header {
    /// Refresh-Reduction-Capable: the sender takes everything that RFC 2961 defines (its section 2).
    pub const REFRESH_REDUCTION: u8 = 0x1;
}

/// A message, typed. Objects that RSVP does not interpret and that must be passed on are in `forward`.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Message {
    /// Msg Type 1.
    Path(Path),
    /// Msg Type 2.
    Resv(Resv),
    /// Msg Type 3.
    PathErr(PathErr),
    /// Msg Type 4.
    ResvErr(ResvErr),
    /// Msg Type 5.
    PathTear(PathTear),
    /// Msg Type 6.
    ResvTear(ResvTear),
    /// Msg Type 7.
    ResvConf(ResvConf),
    /// Msg Type 13 (RFC 2961 section 4.4): nothing but the acknowledgements of its [`Head`](super::Head).
    Ack,
    /// Msg Type 15.
    Srefresh(Srefresh),
}

/// Path message (RFC 2205 section 3.1.3).
///
/// ```text
/// <Path Message> ::= <Common Header> [ <INTEGRITY> ]
///                    <SESSION> <RSVP_HOP> <TIME_VALUES>
///                    [ <POLICY_DATA> ... ]
///                    <SENDER_TEMPLATE> <SENDER_TSPEC> [ <ADSPEC> ]
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Path {
    /// SESSION.
    pub session: Session,
    /// RSVP_HOP: the previous hop.
    pub hop: RsvpHop,
    /// TIME_VALUES: R in milliseconds.
    pub refresh_ms: u32,
    /// POLICY_DATA objects, contents not interpreted.
    pub policy: Vec<RawObject>,
    /// SENDER_TEMPLATE.
    pub sender_template: SenderTemplate,
    /// SENDER_TSPEC.
    pub sender_tspec: SenderTspec,
    /// ADSPEC.
    pub adspec: Option<Adspec>,
    /// Objects of unknown class 11bbbbbb, to be passed on as they are.
    pub forward: Vec<RawObject>,
}

/// Resv message (RFC 2205 section 3.1.4).
///
/// ```text
/// <Resv Message> ::= <Common Header> [ <INTEGRITY> ]
///                    <SESSION> <RSVP_HOP> <TIME_VALUES>
///                    [ <RESV_CONFIRM> ] [ <SCOPE> ]
///                    [ <POLICY_DATA> ... ]
///                    <STYLE> <flow descriptor list>
/// ```
///
/// The list is `<FLOWSPEC>` for WF, `<FLOWSPEC> <FILTER_SPEC> ...` for SE, and for FF pairs
/// `[ <FLOWSPEC> ] <FILTER_SPEC>`, where a FLOWSPEC equal to the one before may be left out.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Resv {
    /// SESSION.
    pub session: Session,
    /// RSVP_HOP: the next hop.
    pub hop: RsvpHop,
    /// TIME_VALUES: R in milliseconds.
    pub refresh_ms: u32,
    /// RESV_CONFIRM: the receiver that wants a confirmation.
    pub confirm: Option<IpAddr>,
    /// SCOPE: sender addresses; `None` when the object is absent.
    pub scope: Option<Vec<IpAddr>>,
    /// POLICY_DATA objects.
    pub policy: Vec<RawObject>,
    /// STYLE.
    pub style: Style,
    /// Flow descriptors: several for FF, one for SE and WF.
    pub flows: Vec<FlowDescriptor>,
    /// Objects of unknown class 11bbbbbb.
    pub forward: Vec<RawObject>,
}

/// PathTear message (RFC 2205 section 3.1.5).
///
/// ```text
/// <PathTear Message> ::= <Common Header> [ <INTEGRITY> ]
///                        <SESSION> <RSVP_HOP>
///                        <SENDER_TEMPLATE> [ <SENDER_TSPEC> ] [ <ADSPEC> ]
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PathTear {
    /// SESSION.
    pub session: Session,
    /// RSVP_HOP.
    pub hop: RsvpHop,
    /// SENDER_TEMPLATE.
    pub sender_template: SenderTemplate,
    /// SENDER_TSPEC; carried for compatibility, ignored.
    pub sender_tspec: Option<SenderTspec>,
    /// ADSPEC; ignored.
    pub adspec: Option<Adspec>,
    /// Objects of unknown class 11bbbbbb.
    pub forward: Vec<RawObject>,
}

/// ResvTear message (RFC 2205 section 3.1.6).
///
/// ```text
/// <ResvTear Message> ::= <Common Header> [ <INTEGRITY> ]
///                        <SESSION> <RSVP_HOP> [ <SCOPE> ]
///                        <STYLE> <flow descriptor list>
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ResvTear {
    /// SESSION.
    pub session: Session,
    /// RSVP_HOP.
    pub hop: RsvpHop,
    /// SCOPE.
    pub scope: Option<Vec<IpAddr>>,
    /// STYLE.
    pub style: Style,
    /// Flow descriptors; flowspecs are ignored.
    pub flows: Vec<FlowDescriptor>,
    /// Objects of unknown class 11bbbbbb.
    pub forward: Vec<RawObject>,
}

/// PathErr message (RFC 2205 section 3.1.7).
///
/// ```text
/// <PathErr message> ::= <Common Header> [ <INTEGRITY> ]
///                       <SESSION> <ERROR_SPEC>
///                       [ <POLICY_DATA> ... ]
///                       <SENDER_TEMPLATE> [ <SENDER_TSPEC> ] [ <ADSPEC> ]
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PathErr {
    /// SESSION.
    pub session: Session,
    /// ERROR_SPEC.
    pub error: ErrorSpec,
    /// POLICY_DATA objects.
    pub policy: Vec<RawObject>,
    /// SENDER_TEMPLATE of the Path in error.
    pub sender_template: SenderTemplate,
    /// SENDER_TSPEC.
    pub sender_tspec: Option<SenderTspec>,
    /// ADSPEC.
    pub adspec: Option<Adspec>,
    /// Objects of unknown class 11bbbbbb.
    pub forward: Vec<RawObject>,
}

/// ResvErr message (RFC 2205 section 3.1.8).
///
/// ```text
/// <ResvErr Message> ::= <Common Header> [ <INTEGRITY> ]
///                       <SESSION> <RSVP_HOP> <ERROR_SPEC> [ <SCOPE> ]
///                       [ <POLICY_DATA> ... ]
///                       <STYLE> [ <error flow descriptor> ]
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ResvErr {
    /// SESSION.
    pub session: Session,
    /// RSVP_HOP.
    pub hop: RsvpHop,
    /// ERROR_SPEC.
    pub error: ErrorSpec,
    /// SCOPE.
    pub scope: Option<Vec<IpAddr>>,
    /// POLICY_DATA objects.
    pub policy: Vec<RawObject>,
    /// STYLE.
    pub style: Style,
    /// The flow descriptor in error: at most one.
    pub flows: Vec<FlowDescriptor>,
    /// Objects of unknown class 11bbbbbb.
    pub forward: Vec<RawObject>,
}

/// ResvConf message (RFC 2205 section 3.1.9).
///
/// ```text
/// <ResvConf message> ::= <Common Header> [ <INTEGRITY> ]
///                        <SESSION> <ERROR_SPEC> <RESV_CONFIRM>
///                        <STYLE> <flow descriptor list>
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ResvConf {
    /// SESSION.
    pub session: Session,
    /// ERROR_SPEC: the node that confirms; code 0.
    pub error: ErrorSpec,
    /// RESV_CONFIRM: the receiver to tell.
    pub confirm: IpAddr,
    /// STYLE.
    pub style: Style,
    /// Flow descriptors.
    pub flows: Vec<FlowDescriptor>,
    /// Objects of unknown class 11bbbbbb.
    pub forward: Vec<RawObject>,
}

impl Message {
    /// Msg Type.
    #[must_use]
    pub const fn message_type(&self) -> MessageType {
        match self {
            Self::Path(_) => MessageType::PATH,
            Self::Resv(_) => MessageType::RESV,
            Self::PathErr(_) => MessageType::PATH_ERR,
            Self::ResvErr(_) => MessageType::RESV_ERR,
            Self::PathTear(_) => MessageType::PATH_TEAR,
            Self::ResvTear(_) => MessageType::RESV_TEAR,
            Self::ResvConf(_) => MessageType::RESV_CONF,
            Self::Ack => MessageType::ACK,
            Self::Srefresh(_) => MessageType::SREFRESH,
        }
    }

    /// SESSION; every message of RFC 2205 has one.
    #[must_use]
    pub const fn session(&self) -> Option<&Session> {
        Some(match self {
            Self::Ack | Self::Srefresh(_) => return None,
            Self::Path(message) => &message.session,
            Self::Resv(message) => &message.session,
            Self::PathErr(message) => &message.session,
            Self::ResvErr(message) => &message.session,
            Self::PathTear(message) => &message.session,
            Self::ResvTear(message) => &message.session,
            Self::ResvConf(message) => &message.session,
        })
    }
}
