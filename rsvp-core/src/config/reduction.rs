//! Settings of refresh reduction and reliable delivery (RFC 2961).

use crate::time::Duration;

/// What of RFC 2961 is used with a neighbour, and how.
///
/// The node says that it is capable of refresh reduction (its section 2) if it takes MESSAGE_ID, Bundle and Srefresh. What
/// it sends depends on what the neighbour said last. Each can be switched off alone; without
/// [`message_ids`](Self::message_ids) there is neither reliable delivery nor summary refresh.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct ReductionConfig {
    /// To whom messages go with a MESSAGE_ID, and whether it is understood. Default: [`MessageIds::Learn`].
    pub message_ids: MessageIds,
    /// Whether messages other than refreshes are to be acknowledged, and are sent again until they are. Default: true.
    pub reliable: bool,
    /// Whether Bundle messages are sent and taken. Default: true.
    pub bundle: bool,
    /// Whether Srefresh messages are sent and taken. Default: [`SummaryRefresh::Neighbor`].
    pub summary_refresh: SummaryRefresh,
    /// Whether every neighbour is taken to be capable, whatever it says or does not say: for networks where all nodes
    /// are (RFC 2961 sections 2, 3.3, 5.6). Default: false.
    pub assume_capable: bool,
    /// Rf: the time from a message to its first retransmission (RFC 2961 section 6.2). Default: 500 ms.
    pub retransmit_interval: Duration,
    /// Rl: how often a message is sent in all while it is not acknowledged; at least once. Default: 3.
    pub retransmit_limit: u32,
    /// Delta: by which fraction the time between two retransmissions grows. Default: 1, which doubles it.
    pub retransmit_growth: f32,
    /// How long an acknowledgement may wait for a message that takes it along. Default: 10 ms.
    pub ack_delay: Duration,
    /// An acknowledgement of a message to a group waits a random time of up to this (RFC 2961 section 4.7). To be less
    /// than Rf of the neighbours. Default: 100 ms.
    pub group_ack_delay: Duration,
    /// How long a message may wait for others to be bundled with. Default: 0, which bundles what leaves at the same time.
    pub bundle_delay: Duration,
    /// The most octets of a Bundle, Srefresh or Ack, IP header included; none is larger than the interface's MTU.
    /// Default: 65535, so that the MTU decides.
    pub max_packet: u16,
    /// How many messages may await their acknowledgement at once; further ones wait. Errors, tears and
    /// acknowledgements wait for nobody. Default: 512.
    pub max_outstanding: u32,
    /// Every how many summary refreshes of a state a whole message is sent in its place (RFC 2961 section 5.5). Default:
    /// 0, never.
    pub full_refresh: u32,
}

/// To whom messages go with a MESSAGE_ID.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum MessageIds {
    /// To neighbours that have sent one, or that say that they are capable of refresh reduction.
    #[default]
    Learn,
    /// To everyone, until it is rejected (RFC 2961 section 4.8).
    Always,
    /// To nobody; one that comes is rejected as an object of unknown class.
    Never,
}

/// How Path state is summary-refreshed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum SummaryRefresh {
    /// By messages to the next hop, for many sessions together, where that is known to be capable of it (RFC 2961
    /// section 5.3, "secondary method").
    #[default]
    Neighbor,
    /// By messages to the sessions' destinations, one for each destination, which notice a change of route by themselves.
    Session,
    /// Not at all, and Srefresh messages that come are dropped.
    Off,
}

impl Default for ReductionConfig {
    fn default() -> Self {
        Self {
            message_ids: MessageIds::Learn,
            reliable: true,
            bundle: true,
            summary_refresh: SummaryRefresh::Neighbor,
            assume_capable: false,
            retransmit_interval: Duration::from_millis(500),
            retransmit_limit: 3,
            retransmit_growth: 1.0,
            ack_delay: Duration::from_millis(10),
            group_ack_delay: Duration::from_millis(100),
            bundle_delay: Duration::ZERO,
            max_packet: u16::MAX,
            max_outstanding: 512,
            full_refresh: 0,
        }
    }
}

impl ReductionConfig {
    /// RFC 2205 alone: nothing of RFC 2961 is sent or understood.
    #[must_use]
    pub fn off() -> Self {
        Self {
            message_ids: MessageIds::Never,
            reliable: false,
            bundle: false,
            summary_refresh: SummaryRefresh::Off,
            ..Self::default()
        }
    }

    /// Whether messages with a MESSAGE_ID are understood.
    #[must_use]
    pub fn takes_ids(&self) -> bool {
        self.message_ids != MessageIds::Never
    }

    /// Whether Srefresh messages are sent and understood.
    #[must_use]
    pub fn summarizes(&self) -> bool {
        self.takes_ids() && self.summary_refresh != SummaryRefresh::Off
    }

    /// Whether the node says that it is capable of refresh reduction (RFC 2961 section 2).
    #[must_use]
    pub fn is_capable(&self) -> bool {
        self.takes_ids() && self.bundle && self.summarizes()
    }
}
