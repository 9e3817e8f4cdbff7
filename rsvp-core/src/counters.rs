//! What a node counts. Names follow the statistics of the ietf-rsvp YANG model.

use alloc::collections::BTreeMap;

/// Why a received message was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum DropReason {
    /// It arrived on an interface that the node does not know.
    UnknownInterface,
    /// RSVP is disabled on the interface, or it has no address that an error could be sent from.
    InterfaceDisabled,
    /// Shorter than it says, or than a header.
    Truncated,
    /// Not RSVP version 1.
    BadVersion,
    /// Checksum mismatch.
    BadChecksum,
    /// The length field disagrees with the objects or the datagram.
    BadLength,
    /// An object's length or contents are impossible.
    MalformedObject,
    /// A mandatory object is missing.
    MissingObject,
    /// An object class that must be known is not (RFC 2205 section 3.10).
    UnknownObjectClass,
    /// A C-Type is not known.
    UnknownObjectCType,
    /// The message type is not known.
    UnknownMessageType,
    /// More objects than the limit.
    TooManyObjects,
    /// Conflicting ports (RFC 2205 section 3.2).
    ConflictingPort,
    /// It names no state that the node has.
    NoState,
    /// A limit of the configuration is reached.
    LimitReached,
    /// The node's own message came back.
    OwnMessage,
    /// It is not for this node, which does not forward.
    NotForUs,
    /// It came in UDP to an address or port at which this node does not listen, or raw to a host without raw I/O
    /// (RFC 2205 Appendix C).
    NotListening,
    /// Its contents are of no valid combination (style and filters, address families).
    Inconsistent,
    /// Policy control refuses it.
    RefusedByPolicy,
    /// TTL is used up.
    TtlExpired,
    /// The node is shutting down.
    ShuttingDown,
    /// A message of the node's own that has no encoding: larger than RSVP can say.
    Unencodable,
    /// A newer message of its generator about the same state has come before it (RFC 2961 section 4.5).
    OutOfOrder,
    /// A Bundle within a Bundle (RFC 2961 section 3.2).
    NestedBundle,
    /// An extension of RFC 2961 that is switched off for its interface or neighbour.
    ExtensionDisabled,
}

/// Message counts by type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub struct MessageCounters {
    /// Path.
    pub path: u64,
    /// Resv.
    pub resv: u64,
    /// PathErr.
    pub path_err: u64,
    /// ResvErr.
    pub resv_err: u64,
    /// PathTear.
    pub path_tear: u64,
    /// ResvTear.
    pub resv_tear: u64,
    /// ResvConf.
    pub resv_confirm: u64,
    /// Bundle (RFC 2961); its messages count as well.
    pub bundle: u64,
    /// Ack (RFC 2961).
    pub ack: u64,
    /// Srefresh (RFC 2961).
    pub srefresh: u64,
}

/// What is counted of RFC 2961, for a node or for one neighbour. Names follow the OpenConfig model where it has one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub struct ReductionCounters {
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

/// All counters of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub struct Counters {
    /// Messages received and accepted for processing.
    pub received: MessageCounters,
    /// Messages sent.
    pub sent: MessageCounters,
    /// Received messages that were mere refreshes.
    pub refreshes_received: u64,
    /// Sent messages that were mere refreshes.
    pub refreshes_sent: u64,
    /// Datagrams received: a Bundle counts once.
    pub packets_received: u64,
    /// Datagrams sent.
    pub packets_sent: u64,
    /// Octets of RSVP received, without IP headers.
    pub octets_received: u64,
    /// Octets of RSVP sent, without IP headers.
    pub octets_sent: u64,
    /// Refresh reduction.
    pub reduction: ReductionCounters,
    /// Acknowledgements that were not made because of the limit.
    pub acks_dropped: u64,
    /// Dropped messages by reason.
    pub dropped: BTreeMap<DropReason, u64>,
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
    /// One-shot messages that were not queued because of the limit.
    pub one_shots_dropped: u64,
    /// Times that `now` ran backwards.
    pub clock_backwards: u64,
    /// Wake-ups for a deadline that had moved on.
    pub early_wakeups: u64,
}
