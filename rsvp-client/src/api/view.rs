//! The daemon's state, as `show` prints it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{Adspec, Cause, Filter, FlowDescriptor, Flowspec, SenderTspec, Session, Style, is_false};

/// A point in the past.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Since {
    /// Seconds ago.
    pub ago: f64,
    /// RFC 3339 wall-clock time.
    pub time: String,
}

/// A point in the future.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Next {
    /// Seconds from now.
    #[serde(rename = "in")]
    pub in_seconds: f64,
    /// RFC 3339 wall-clock time.
    pub time: String,
    /// What happens then: `refresh`, `cleanup`, `blockade`, `repair`.
    pub what: String,
}

/// What happened to a piece of state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct StateHistory {
    /// The latest of the following: `created`, `changed` or `refreshed`.
    pub last_event: String,
    /// What caused the last change.
    pub cause: Cause,
    /// When it was created.
    pub created: Since,
    /// When its contents last changed.
    pub changed: Since,
    /// When it was last refreshed.
    pub refreshed: Since,
}

/// A hop (RSVP_HOP).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Hop {
    /// Its address.
    pub address: IpAddr,
    /// Its logical interface handle.
    pub lih: u32,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SessionView {
    /// Its identity.
    pub session: Session,
    /// `up` when a reservation is admitted here, else `down`.
    pub session_status: String,
    /// Style of its reservations, if it has any.
    pub style: Option<Style>,
    /// Path state blocks.
    pub psbs: usize,
    /// Reservation state blocks.
    pub rsbs: usize,
    /// Traffic control state blocks.
    pub tcsbs: usize,
    /// Ids of the applications registered here.
    pub applications: Vec<u64>,
    /// Whether the destination is this node.
    pub local: bool,
    /// The latest change among its path and reservation state.
    pub history: Option<StateHistory>,
    /// The earliest deadline among its path and reservation state.
    pub next: Option<Next>,
}

/// Path state of a sender (PSB).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SenderView {
    /// Its session.
    pub session: Session,
    /// Who sends.
    pub sender: Filter,
    /// What it sends.
    pub tspec: SenderTspec,
    /// What the path up to here offers.
    pub adspec: Option<Adspec>,
    /// Where the Path came from; null for a local sender.
    pub previous_hop: Option<Hop>,
    /// The interface it came in on; null for a local sender.
    pub incoming_interface: Option<String>,
    /// The interfaces it leaves by.
    pub outgoing_interfaces: Vec<String>,
    /// Whether the destination is this node.
    pub local: bool,
    /// Whether a hop without RSVP lies before this node.
    #[serde(default, skip_serializing_if = "is_false")]
    pub non_rsvp: bool,
    /// The refresh period that the previous hop announced, in seconds.
    pub refresh_interval: f64,
    /// TTL for forwarding.
    pub ttl: u8,
    /// What happened.
    pub history: StateHistory,
    /// Seconds until it expires; null for a local sender, which does not.
    pub expires_in: Option<f64>,
    /// What comes next.
    pub next: Option<Next>,
}

/// A reservation that a next hop or a local receiver asked for (RSB).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ReservationView {
    /// Its session.
    pub session: Session,
    /// Style.
    pub style: Style,
    /// For whom; empty for WF.
    pub senders: Vec<Filter>,
    /// What it asked for.
    pub flowspec: Flowspec,
    /// Who asked; null for a local receiver.
    pub next_hop: Option<IpAddr>,
    /// The interface towards it; null for a local receiver.
    pub interface: Option<String>,
    /// Whether it holds in traffic control here (for a local receiver: whether it was passed on).
    pub admitted: bool,
    /// Why it was last refused, if it was.
    pub refused: Option<Cause>,
    /// The refresh period that the next hop announced, in seconds.
    pub refresh_interval: f64,
    /// What happened.
    pub history: StateHistory,
    /// Seconds until it expires; null for a local receiver.
    pub expires_in: Option<f64>,
    /// What comes next.
    pub next: Option<Next>,
}

/// A request that was refused here: it made no state, or left what stood as it was. It is listed for as long as it is
/// repeated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RefusalView {
    /// Its session.
    pub session: Session,
    /// `path` or `reservation`.
    pub subject: String,
    /// The sender, or for whom the reservation was to be; empty for WF.
    pub senders: Vec<Filter>,
    /// Style of a reservation; null for a sender.
    pub style: Option<Style>,
    /// Who asked.
    pub neighbor: Option<IpAddr>,
    /// The interface towards it.
    pub interface: Option<String>,
    /// Why it was refused.
    pub cause: Cause,
    /// When it was first refused.
    pub first: Since,
    /// When it was last refused.
    pub last: Since,
    /// How often it was refused.
    pub count: u64,
    /// When it is forgotten, unless it is refused again.
    pub next: Next,
}

/// What this node asks of a previous hop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RequestView {
    /// Its session.
    pub session: Session,
    /// Whom it asks.
    pub previous_hop: IpAddr,
    /// The interface towards it.
    pub interface: String,
    /// Style.
    pub style: Style,
    /// What it asks for whom.
    pub flows: Vec<FlowDescriptor>,
    /// Whether some of it is blockaded (RFC 2205 section 3.5).
    pub blockaded: bool,
    /// What happened.
    pub history: StateHistory,
    /// When it is refreshed.
    pub next: Option<Next>,
}

/// A reservation in traffic control (TCSB).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct InstalledView {
    /// Names it until the daemon ends.
    pub id: u64,
    /// Its session.
    pub session: Session,
    /// The interface it leaves by.
    pub interface: String,
    /// Style.
    pub style: Style,
    /// Whose packets; empty for WF.
    pub senders: Vec<Filter>,
    /// What they get.
    pub flowspec: Flowspec,
    /// Where they are policed: `entry`, `merge`, `branch`.
    pub police: Vec<String>,
    /// What it takes from the interface's pool, in bits per second.
    pub bandwidth: u64,
    /// Whether traffic control has carried out the latest change.
    pub installed: bool,
    /// What happened.
    pub history: StateHistory,
    /// When the first of the reservations that it was made from expires.
    pub next: Option<Next>,
}

/// A bandwidth pool, in bits per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Bandwidth {
    /// What all reservations together may take.
    pub total: u64,
    /// What a single reservation may take.
    pub per_flow: u64,
    /// What the link carries.
    pub link: u64,
    /// What is taken.
    pub reserved: u64,
    /// What is left of the total.
    pub available: u64,
}

/// An interface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct InterfaceView {
    /// Its name.
    pub name: String,
    /// Its logical interface handle.
    pub lih: u32,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// Largest packet in bytes.
    pub mtu: u32,
    /// Whether it carries packets.
    pub up: bool,
    /// Whether RSVP runs on it.
    pub enabled: bool,
    /// Its pool; null: no bandwidth is configured, every reservation out of it is refused.
    pub bandwidth: Option<Bandwidth>,
    /// Reservations in place.
    pub reservations: usize,
    /// Whether the daemon programs the kernel for it, or does admission control only.
    pub traffic_control: bool,
    /// Whether Path messages leave by it in UDP, too (RFC 2205 Appendix C).
    pub udp: bool,
    /// The groups that the node has joined there.
    pub groups: Vec<IpAddr>,
    /// R, in seconds.
    pub refresh_interval: f64,
    /// K.
    pub refresh_misses: u32,
    /// Kb.
    pub blockade_multiple: u32,
    /// W, in seconds.
    pub repair_delay: f64,
    /// Slew.Max.
    pub slew_max: f64,
}

/// A neighbour: a hop address on an interface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct NeighborView {
    /// Its address.
    pub address: IpAddr,
    /// On which interface.
    pub interface: String,
    /// Whether the configuration names it.
    pub configured: bool,
    /// Path state learnt from it.
    pub psbs: usize,
    /// Reservations that it asked for.
    pub rsbs: usize,
    /// Whether it is told in UDP (RFC 2205 Appendix C).
    pub udp: bool,
    /// When it was last heard.
    pub last_heard: Option<Since>,
    /// When it was last sent something.
    pub last_sent: Option<Since>,
    /// States that it is told of: Paths and Resvs.
    pub advertised: usize,
    /// How RFC 2961 is used with it; null: it is known from the configuration alone.
    pub refresh_reduction: Option<Reduction>,
}

/// How a node and its neighbour use refresh reduction (RFC 2961).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Reduction {
    /// Whether this node says to it that it is capable.
    pub local_refresh_reduction: bool,
    /// Whether it said so in its last message; null: it has not been heard.
    pub remote_refresh_reduction: Option<bool>,
    /// Whether it has sent a MESSAGE_ID.
    pub remote_message_id: bool,
    /// Whether it has rejected a MESSAGE_ID as an object that it does not know.
    pub rejects_message_id: bool,
    /// Whether messages to it carry a MESSAGE_ID.
    pub message_ids: bool,
    /// Whether messages to it are bundled.
    pub bundles: bool,
    /// Whether state is summary-refreshed with it.
    pub summary_refresh: bool,
    /// This node's Epoch.
    pub local_epoch: u32,
    /// Its Epoch, as of its last MESSAGE_ID; null: it has sent none.
    pub remote_epoch: Option<u32>,
    /// Messages that await its acknowledgement.
    pub outstanding: usize,
    /// Messages that wait until it has acknowledged others.
    pub paced: usize,
    /// States that are refreshed together, by Srefresh or in Bundles.
    pub summarized: usize,
    /// When they are refreshed.
    pub next: Option<Next>,
    /// What was counted.
    pub counters: ReductionCounts,
}

/// What is counted of refresh reduction (RFC 2961), for the node or for one neighbour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ReductionCounts {
    /// Messages sent again because they were not acknowledged in time.
    pub retransmitted: u64,
    /// Messages that were never acknowledged.
    pub given_up: u64,
    /// MESSAGE_ID_ACKs sent.
    pub sent_ack: u64,
    /// MESSAGE_ID_NACKs sent.
    pub sent_nack: u64,
    /// MESSAGE_ID_ACKs received.
    pub received_ack: u64,
    /// MESSAGE_ID_NACKs received.
    pub received_nack: u64,
    /// MESSAGE_ID_ACKs that named no message that awaited one.
    pub unknown_ack: u64,
    /// MESSAGE_ID_NACKs that named no state.
    pub unknown_nack: u64,
    /// Messages received out of order.
    pub out_of_order: u64,
    /// States refreshed by Srefresh messages sent.
    pub summary_refreshed: u64,
    /// States refreshed by Srefresh messages received.
    pub summary_refreshes_received: u64,
    /// Times that a neighbour's Epoch changed: it has restarted.
    pub restarts: u64,
}

/// Message counts by type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct MessageCounts {
    /// Received and accepted Path messages.
    pub path_received: u64,
    /// Sent Path messages.
    pub path_sent: u64,
    /// Received and accepted Resv messages.
    pub resv_received: u64,
    /// Sent Resv messages.
    pub resv_sent: u64,
    /// Received and accepted PathErr messages.
    pub path_err_received: u64,
    /// Sent PathErr messages.
    pub path_err_sent: u64,
    /// Received and accepted ResvErr messages.
    pub resv_err_received: u64,
    /// Sent ResvErr messages.
    pub resv_err_sent: u64,
    /// Received and accepted PathTear messages.
    pub path_tear_received: u64,
    /// Sent PathTear messages.
    pub path_tear_sent: u64,
    /// Received and accepted ResvTear messages.
    pub resv_tear_received: u64,
    /// Sent ResvTear messages.
    pub resv_tear_sent: u64,
    /// Received and accepted ResvConf messages.
    pub resv_confirm_received: u64,
    /// Sent ResvConf messages.
    pub resv_confirm_sent: u64,
    /// Received and accepted Bundle messages (RFC 2961); the messages in them count as well.
    pub bundle_received: u64,
    /// Sent Bundle messages; the messages in them count as well.
    pub bundle_sent: u64,
    /// Received and accepted Ack messages (RFC 2961).
    pub ack_received: u64,
    /// Sent Ack messages.
    pub ack_sent: u64,
    /// Received and accepted Srefresh messages (RFC 2961).
    pub srefresh_received: u64,
    /// Sent Srefresh messages.
    pub srefresh_sent: u64,
}

/// Datagrams, and the octets of RSVP in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PacketCounts {
    /// Datagrams received.
    pub received: u64,
    /// Datagrams sent.
    pub sent: u64,
    /// Octets received, without IP headers.
    pub octets_received: u64,
    /// Octets sent, without IP headers.
    pub octets_sent: u64,
}

/// All counters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Counters {
    /// Messages by type.
    pub messages: MessageCounts,
    /// Received messages that were mere refreshes.
    pub refreshes_received: u64,
    /// Sent messages that were mere refreshes.
    pub refreshes_sent: u64,
    /// Datagrams: a Bundle is one.
    pub packets: PacketCounts,
    /// Refresh reduction (RFC 2961).
    pub refresh_reduction: ReductionCounts,
    /// Acknowledgements that a limit kept from being made.
    pub acks_dropped: u64,
    /// Dropped messages by reason.
    pub dropped: BTreeMap<String, u64>,
    /// Path state that was not refreshed in time.
    pub path_timeouts: u64,
    /// Reservation state that was not refreshed in time.
    pub resv_timeouts: u64,
    /// Reservations refused by admission control.
    pub admission_failures: u64,
    /// Senders and reservations refused by policy control.
    pub policy_failures: u64,
    /// Events that were not fetched in time.
    pub events_lost: u64,
    /// Tears, errors and confirmations that a limit kept from being sent.
    pub one_shots_dropped: u64,
    /// Times that the clock ran backwards.
    pub clock_backwards: u64,
    /// Wake-ups for a deadline that had moved on.
    pub early_wakeups: u64,
}
