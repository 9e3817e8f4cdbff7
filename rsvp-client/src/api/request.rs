//! What a client asks, and what it is answered.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{ErrorInfo, Filter, Flowspec, PolicyData, SenderService, Session, Since, Style, Tspec};

/// A sender to announce.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SenderRequest {
    /// Where the data goes.
    pub session: Session,
    /// The sender's address; absent: the daemon's own, on the interface towards the destination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<IpAddr>,
    /// The sender's port; absent: the destination's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_port: Option<u16>,
    /// What it sends.
    pub tspec: Tspec,
    /// For which services; absent: `token-bucket`, controlled load and guaranteed service.
    #[serde(default)]
    pub service: SenderService,
    /// Whether to collect path properties in an ADSPEC; absent: yes.
    #[serde(default = "yes")]
    pub adspec: bool,
    /// POLICY_DATA for the nodes on the path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policy_data: Vec<PolicyData>,
    /// IP TTL of the Path; absent: 255.
    #[serde(default = "full_ttl")]
    pub ttl: u8,
}

impl SenderRequest {
    /// Announces this host's own traffic to a session.
    #[must_use]
    pub fn new(session: Session, tspec: Tspec) -> Self {
        Self {
            session,
            source: None,
            source_port: None,
            tspec,
            service: SenderService::default(),
            adspec: yes(),
            policy_data: Vec::new(),
            ttl: full_ttl(),
        }
    }
}

fn yes() -> bool {
    true
}

fn full_ttl() -> u8 {
    255
}

/// A reservation to make.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ReservationRequest {
    /// Where the data goes.
    pub session: Session,
    /// Reservation style.
    pub style: Style,
    /// For whom: at least one for FF and SE, none for WF. FF reserves for each of them.
    #[serde(default)]
    pub senders: Vec<Filter>,
    /// What to reserve.
    pub flowspec: Flowspec,
    /// The receiver's own address; absent: the destination if it is unicast, else the daemon's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receiver: Option<IpAddr>,
    /// POLICY_DATA for the nodes on the path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policy_data: Vec<PolicyData>,
    /// Whether a confirmation is wanted (ResvConf).
    #[serde(default)]
    pub confirm: bool,
}

impl ReservationRequest {
    /// A reservation for all senders (WF); add to `senders` for the other styles.
    #[must_use]
    pub fn new(session: Session, style: Style, flowspec: Flowspec) -> Self {
        Self {
            session,
            style,
            senders: Vec::new(),
            flowspec,
            receiver: None,
            policy_data: Vec::new(),
            confirm: false,
        }
    }

    /// The same, with a confirmation asked for.
    #[must_use]
    pub fn confirmed(mut self) -> Self {
        self.confirm = true;
        self
    }
}

/// What one application, or one entry of the configuration, has asked of the daemon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Application {
    /// Names it until the daemon ends; never reused.
    pub id: u64,
    /// What it does in the session.
    pub role: Role,
    /// Who keeps it alive.
    pub origin: Origin,
    /// The session.
    pub session: Session,
    /// For whom it reserves, or the sender itself; empty for WF.
    pub senders: Vec<Filter>,
    /// Style of the reservation; null for a sender.
    pub style: Option<Style>,
    /// How far it has come.
    pub state: ApplicationState,
    /// When it came to that state.
    pub since: Since,
    /// The last error that was reported to it.
    pub error: Option<ErrorInfo>,
}

/// What an application does in its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// It announces a sender.
    Sender,
    /// It reserves.
    Receiver,
}

/// Who keeps an application's state alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Its control connection: it is released when that is lost.
    Held,
    /// The daemon, until it is released.
    Detached,
    /// The configuration.
    Standing,
}

/// How far an application has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ApplicationState {
    /// Sender: announced, nobody has reserved.
    Announced,
    /// Sender: a reservation is in place.
    Reserved,
    /// Sender: the path reports an error.
    Failed,
    /// Receiver: no Path has come yet.
    WaitingForPath,
    /// Receiver: the reservation was sent upstream.
    Requested,
    /// Receiver: the path has confirmed the reservation.
    Admitted,
    /// Receiver: a node refused the reservation.
    Refused,
}

impl fmt::Display for ApplicationState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Announced => "announced",
            Self::Reserved => "reserved",
            Self::Failed => "failed",
            Self::WaitingForPath => "waiting for Path",
            Self::Requested => "requested",
            Self::Admitted => "admitted",
            Self::Refused => "refused",
        })
    }
}

/// Which state to clear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ClearRequest {
    /// One session; absent: all.
    #[serde(default)]
    pub session: Option<Session>,
}

/// What was cleared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Cleared {
    /// Sessions.
    pub sessions: usize,
}

/// What a reload of the configuration did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Reloaded {
    /// The file.
    pub file: String,
    /// Standing senders and reservations that were added.
    pub added: usize,
    /// Standing senders and reservations that were withdrawn.
    pub removed: usize,
    /// Standing senders and reservations that stayed as they were.
    pub unchanged: usize,
    /// What the operator should know: settings that wait for a restart, requests that failed.
    pub notes: Vec<String>,
}

/// The daemon itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Status {
    /// Its version.
    pub version: String,
    /// Its process id.
    pub pid: u32,
    /// When it started.
    pub started: Since,
    /// Its configuration file; null: built-in defaults.
    pub config: Option<String>,
    /// Whether it forwards (a router) or not (a host).
    pub router: bool,
    /// What does not work as wished, in words: no traffic control, a kernel setting in the way.
    pub warnings: Vec<String>,
}

/// Why a request was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Problem {
    /// In words, one line.
    pub error: String,
}
