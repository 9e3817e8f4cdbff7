//! What a local application or operator asks of the node (RFC 2205 section 3.11.1).

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use crate::config::NodeConfig;
use crate::wire::{
    Adspec, ErrorCode, FilterSpec, FlowDescriptor, RawObject, SenderTemplate, SenderTspec, SessionKey, Style,
    Tspec,
};

/// Names one application's use of a session; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct ApiId(pub u64);

/// One local command.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Command {
    /// Replace the configuration; state that it does not touch survives.
    Configure(NodeConfig),
    /// SESSION: register for a session; upcalls carry the id in the reply.
    OpenSession(SessionKey),
    /// The application receives: for a multicast session the node joins the group, on the interface that has this
    /// address; `None` leaves the choice to the system. Then the application hears of the senders before it reserves;
    /// [`Reserve`](Self::Reserve) joins, too. Nothing to do for a unicast session.
    Join(ApiId, Option<IpAddr>),
    /// SENDER: announce a sender, or change what was announced for its template.
    AddSender(ApiId, SenderRequest),
    /// SENDER with its definition withdrawn: tear the sender's path state down.
    RemoveSender(ApiId, SenderTemplate),
    /// RESERVE: make or replace this application's reservation.
    Reserve(ApiId, ReserveRequest),
    /// Withdraw this application's reservation, keep the session open.
    Unreserve(ApiId),
    /// RELEASE: withdraw everything of this application and forget it.
    Release(ApiId),
    /// Operator: remove all protocol state of one session, or of all, with tears to the neighbours. What local
    /// applications and standing configuration asked for is announced again at once.
    Clear(Option<SessionKey>),
    /// Policy control has changed its mind: ask it again about all state, as a change of the configured rules does.
    ReviewPolicy,
    /// The node is about to stop: tear everything down towards the neighbours and accept nothing more.
    Shutdown,
}

/// A sender to announce.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SenderRequest {
    /// Its address and port. Normally this node's own; announcing for another host makes this node a proxy. For a
    /// multicast session, the address of an interface binds the sender to it: Path leaves by it, as the data is to do
    /// (RFC 2205 section 3.9). With any other address it leaves as the route says.
    pub template: SenderTemplate,
    /// What it will send.
    pub tspec: SenderTspec,
    /// Which ADSPEC to collect path properties in (RFC 2210).
    pub adspec: AdspecRequest,
    /// POLICY_DATA for the nodes on the path (RFC 2205 section 2.7), not interpreted.
    pub policy: Vec<RawObject>,
    /// IP TTL that its data leaves with, at most that of the Path; normally 255 for Path.
    pub ttl: u8,
}

impl SenderRequest {
    /// A sender for controlled load and guaranteed service, whose Path collects what the path has in the node's own ADSPEC,
    /// without POLICY_DATA and with a TTL of 255; set the fields that differ.
    #[must_use]
    pub const fn new(template: SenderTemplate, tspec: Tspec) -> Self {
        let tspec = SenderTspec::TokenBucket(tspec);
        Self { template, tspec, adspec: AdspecRequest::Default, policy: Vec::new(), ttl: 255 }
    }
}

/// The ADSPEC that a sender's Path starts from. What the path has is composed into it on the way, this node's own
/// interface included.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum AdspecRequest {
    /// The Path carries none.
    None,
    /// The node's own, for every service that it knows.
    Default,
    /// The application's (the Adspec parameter of SENDER, RFC 2205 section 3.11.1).
    Given(Adspec),
}

impl From<bool> for AdspecRequest {
    /// Whether the node is to supply one.
    fn from(wanted: bool) -> Self {
        if wanted { Self::Default } else { Self::None }
    }
}

/// A reservation to make.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ReserveRequest {
    /// The receiver's own address, for confirmations. For a multicast session the interface that has it is the one on
    /// which the application joins the group (RFC 2205 section 3.9); with any other address the application stays
    /// joined where it is, or leaves the choice to the system.
    pub receiver: IpAddr,
    /// Reservation style.
    pub style: Style,
    /// What to reserve for whom: several for FF, one for SE and WF. For FF and SE, senders that are not known yet are
    /// reserved for when their Path arrives.
    pub flows: Vec<FlowDescriptor>,
    /// POLICY_DATA for the nodes on the path (RFC 2205 section 2.7), not interpreted.
    pub policy: Vec<RawObject>,
    /// Whether a confirmation is wanted (ResvConf).
    pub confirm: bool,
}

impl ReserveRequest {
    /// A reservation without POLICY_DATA, and without a confirmation.
    #[must_use]
    pub const fn new(receiver: IpAddr, style: Style, flows: Vec<FlowDescriptor>) -> Self {
        Self { receiver, style, flows, policy: Vec::new(), confirm: false }
    }

    /// The same, with a confirmation asked for.
    #[must_use]
    pub fn confirmed(self) -> Self {
        Self { confirm: true, ..self }
    }
}

/// Answer to a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Reply {
    /// Done.
    Done,
    /// The session is open under this id.
    Session(ApiId),
    /// So many sessions were cleared.
    Cleared(usize),
}

/// The caller's fault.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum CommandError {
    /// No application is registered under this id.
    UnknownApi(ApiId),
    /// There is no such session.
    UnknownSession(SessionKey),
    /// There is no such sender.
    UnknownSender(FilterSpec),
    /// Another application announces this sender.
    SenderInUse(FilterSpec),
    /// The application has no reservation.
    NoReservation,
    /// No interface of this node has the address.
    ForeignAddress(IpAddr),
    /// Addresses of both families are mixed.
    FamilyMismatch,
    /// A zero port beside a non-zero one, or a port for a protocol that has none (error code 07 or 08).
    ConflictingPort,
    /// A session with a virtual port for a protocol that is not known to have security parameter indices
    /// (RFC 2207 section 4.1).
    NotGpiProtocol(u8),
    /// A virtual port that is not to be used: 0 is illegal, 1 to 10 are reserved (RFC 2207 section 5).
    InvalidDestinationPort(u16),
    /// A session with a virtual port takes senders with a security parameter index only, and they no other session
    /// (RFC 2207 section 4.1).
    ConflictingCType(FilterSpec),
    /// The session is in use with another style (error code 05).
    ConflictingStyle(Style),
    /// The session is reserved with a service that cannot be merged with this one (error code 21, value 1).
    ConflictingService,
    /// The flow descriptors do not fit the style, or there are none.
    BadFlows(String),
    /// The flowspec or TSpec is no valid one.
    BadFlowspec(String),
    /// An object given as POLICY_DATA is of another class.
    NotPolicyData(RawObject),
    /// Policy control refuses: error code and value (RFC 2205 section 2.7).
    Refused(ErrorCode, u16),
    /// A cap of the configuration is reached.
    LimitReached(String),
    /// The node is shutting down.
    ShuttingDown,
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownApi(id) => write!(f, "no application is registered as {}", id.0),
            Self::UnknownSession(key) => write!(f, "there is no session {key}"),
            Self::UnknownSender(sender) => write!(f, "there is no sender {sender}"),
            Self::SenderInUse(sender) => write!(f, "another application announces the sender {sender}"),
            Self::NoReservation => write!(f, "the application has no reservation in this session"),
            Self::ForeignAddress(address) => write!(f, "no interface of this node has the address {address}"),
            Self::FamilyMismatch => write!(f, "IPv4 and IPv6 addresses are mixed"),
            Self::ConflictingPort => write!(f, "a zero port cannot stand beside a non-zero one"),
            Self::NotGpiProtocol(protocol) => {
                write!(
                    f,
                    "protocol {protocol} has no security parameter indices: only 50 (ESP) and 51 (AH) have"
                )
            }
            Self::InvalidDestinationPort(port) => {
                write!(f, "{port} is no virtual destination port for applications: they begin at 11")
            }
            Self::ConflictingCType(filter) => {
                write!(f, "the sender {filter} is of another type (port or SPI) than the session")
            }
            Self::ConflictingStyle(style) => write!(f, "the session is already reserved in style {style}"),
            Self::ConflictingService => {
                write!(
                    f,
                    "the session is already reserved with a service that cannot be merged with this one"
                )
            }
            Self::BadFlows(why) => write!(f, "the flow descriptors do not fit the style: {why}"),
            Self::BadFlowspec(why) => write!(f, "the flowspec is not valid: {why}"),
            Self::NotPolicyData(object) => write!(f, "an object of {} is no POLICY_DATA", object.class_num()),
            Self::Refused(code, value) => match code.value_name(*value) {
                Some(name) => write!(f, "refused here: {code}: {name}"),
                None => write!(f, "refused here: {code}, value {value}"),
            },
            Self::LimitReached(which) => write!(f, "the limit on {which} is reached"),
            Self::ShuttingDown => write!(f, "the node is shutting down"),
        }
    }
}

impl core::error::Error for CommandError {}
