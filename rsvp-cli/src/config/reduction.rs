//! Refresh reduction and reliable delivery (RFC 2961) as the file has them.

use std::fmt;
use std::time::Duration;

use rsvp_core::config::{MessageIds, ReductionConfig, SummaryRefresh};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use toml::Spanned;

use super::values::{Count, Size, Span};

/// The smallest packet that every IPv4 host takes whole, in bytes.
const LEAST_PACKET: u16 = 576;
/// Longer than anybody waits for an acknowledgement, in seconds.
const LONGEST_WAIT: f64 = 3600.0;

/// What holds for the neighbour of one address, on whatever interface.
#[derive(serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct NeighborTable {
    pub(super) refresh_reduction: Spanned<ReductionSwitch>,
}

/// `refresh-reduction` as it is written: true, false, or a table.
pub(super) struct ReductionSwitch(ReductionTable);

/// The settings of `refresh-reduction`.
#[derive(Clone, Copy, Debug, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct ReductionTable {
    enabled: Option<bool>,
    message_ids: Option<MessageIds>,
    reliable: Option<bool>,
    bundle: Option<bool>,
    summary_refresh: Option<SummaryRefresh>,
    assume_capable: Option<bool>,
    ack_retransmit_time: Option<Interval>,
    retransmit_limit: Option<Count>,
    retransmit_growth: Option<Growth>,
    ack_hold_time: Option<Span>,
    group_ack_hold_time: Option<Span>,
    bundle_hold_time: Option<Span>,
    message_max_size: Option<PacketSize>,
    max_outstanding: Option<Count>,
    full_refresh: Option<u32>,
}

/// A time span that is not nothing.
#[derive(Clone, Copy, Debug, serde::Deserialize)]
#[serde(try_from = "Span")]
struct Interval(Duration);

impl TryFrom<Span> for Interval {
    type Error = String;

    fn try_from(span: Span) -> Result<Self, String> {
        if span.0 < Duration::from_millis(1) {
            return Err("ack-retransmit-time (Rf) must be at least 1ms; RFC 2961 suggests 500ms".to_owned());
        }
        Ok(Self(span.0))
    }
}

/// By which fraction a time grows.
#[derive(Clone, Copy, Debug, serde::Deserialize)]
#[serde(try_from = "f32")]
struct Growth(f32);

impl TryFrom<f32> for Growth {
    type Error = String;

    fn try_from(delta: f32) -> Result<Self, String> {
        if delta.is_finite() && delta >= 0.0 {
            return Ok(Self(delta));
        }
        Err("retransmit-growth (Delta) must be 0 or more; RFC 2961 suggests 1.0, which doubles the time"
            .to_owned())
    }
}

/// The size of an IP packet, in bytes.
#[derive(Clone, Copy, Debug, serde::Deserialize)]
#[serde(try_from = "Size")]
struct PacketSize(u16);

impl TryFrom<Size> for PacketSize {
    type Error = String;

    fn try_from(size: Size) -> Result<Self, String> {
        let size = u16::try_from(size.0).ok().filter(|size| *size >= LEAST_PACKET);
        size.map(Self)
            .ok_or_else(|| format!("message-max-size must be from {LEAST_PACKET} to {} bytes", u16::MAX))
    }
}

impl<'de> Deserialize<'de> for ReductionSwitch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BoolOrTable;

        impl<'de> Visitor<'de> for BoolOrTable {
            type Value = ReductionTable;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false, or a table of settings")
            }

            fn visit_bool<E: de::Error>(self, enabled: bool) -> Result<ReductionTable, E> {
                Ok(ReductionTable { enabled: Some(enabled), ..ReductionTable::default() })
            }

            fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<ReductionTable, A::Error> {
                ReductionTable::deserialize(MapAccessDeserializer::new(table))
            }
        }

        deserializer.deserialize_any(BoolOrTable).map(Self)
    }
}

impl ReductionSwitch {
    /// These settings over `base`.
    pub(super) fn over(self, base: &ReductionTable) -> Result<ReductionTable, String> {
        let Self(table) = self;
        let wants_ids = table.reliable == Some(true)
            || table.summary_refresh.is_some_and(|form| form != SummaryRefresh::Off);
        if table.message_ids == Some(MessageIds::Never) && wants_ids {
            return Err(
                "message-ids = \"never\" leaves nothing for reliable and summary-refresh to work with: \
                        take out one or the other"
                    .to_owned(),
            );
        }
        let merged = table.or(base);
        check(&merged.config())?;
        Ok(merged)
    }
}

impl ReductionTable {
    /// What it says, and what `base` says where it says nothing.
    fn or(self, base: &Self) -> Self {
        Self {
            enabled: self.enabled.or(base.enabled),
            message_ids: self.message_ids.or(base.message_ids),
            reliable: self.reliable.or(base.reliable),
            bundle: self.bundle.or(base.bundle),
            summary_refresh: self.summary_refresh.or(base.summary_refresh),
            assume_capable: self.assume_capable.or(base.assume_capable),
            ack_retransmit_time: self.ack_retransmit_time.or(base.ack_retransmit_time),
            retransmit_limit: self.retransmit_limit.or(base.retransmit_limit),
            retransmit_growth: self.retransmit_growth.or(base.retransmit_growth),
            ack_hold_time: self.ack_hold_time.or(base.ack_hold_time),
            group_ack_hold_time: self.group_ack_hold_time.or(base.group_ack_hold_time),
            bundle_hold_time: self.bundle_hold_time.or(base.bundle_hold_time),
            message_max_size: self.message_max_size.or(base.message_max_size),
            max_outstanding: self.max_outstanding.or(base.max_outstanding),
            full_refresh: self.full_refresh.or(base.full_refresh),
        }
    }

    /// The engine's settings.
    pub(super) fn config(&self) -> ReductionConfig {
        let is_on = self.enabled != Some(false);
        let switches = if is_on { ReductionConfig::default() } else { ReductionConfig::off() };
        let given = if is_on { *self } else { Self::default() };
        ReductionConfig {
            message_ids: given.message_ids.unwrap_or(switches.message_ids),
            reliable: given.reliable.unwrap_or(switches.reliable),
            bundle: given.bundle.unwrap_or(switches.bundle),
            summary_refresh: given.summary_refresh.unwrap_or(switches.summary_refresh),
            assume_capable: given.assume_capable.unwrap_or(switches.assume_capable),
            retransmit_interval: given
                .ack_retransmit_time
                .map_or(switches.retransmit_interval, |time| time.0),
            retransmit_limit: given.retransmit_limit.map_or(switches.retransmit_limit, |count| count.0),
            retransmit_growth: given.retransmit_growth.map_or(switches.retransmit_growth, |growth| growth.0),
            ack_delay: given.ack_hold_time.map_or(switches.ack_delay, |span| span.0),
            group_ack_delay: given.group_ack_hold_time.map_or(switches.group_ack_delay, |span| span.0),
            bundle_delay: given.bundle_hold_time.map_or(switches.bundle_delay, |span| span.0),
            max_packet: given.message_max_size.map_or(switches.max_packet, |size| size.0),
            max_outstanding: given.max_outstanding.map_or(switches.max_outstanding, |count| count.0),
            full_refresh: given.full_refresh.unwrap_or(switches.full_refresh),
        }
    }
}

/// Looks at settings that have to fit each other.
fn check(config: &ReductionConfig) -> Result<(), String> {
    let interval = config.retransmit_interval;
    for (name, hold) in [("ack-hold-time", config.ack_delay), ("group-ack-hold-time", config.group_ack_delay)]
    {
        if hold >= interval {
            return Err(format!(
                "{name} ({hold:?}) must be less than ack-retransmit-time (Rf, {interval:?}): a neighbour with the same \
                 settings would send again what has arrived"
            ));
        }
    }
    let (count, growth) = (f64::from(config.retransmit_limit), f64::from(config.retransmit_growth));
    // The sum of count times that grow from one to the next.
    let waits = if growth > 0.0 { ((1.0 + growth).powf(count) - 1.0) / growth } else { count };
    if interval.as_secs_f64() * waits > LONGEST_WAIT {
        return Err("a message would be sent again for more than an hour: lower retransmit-limit (Rl), \
                    retransmit-growth (Delta) or ack-retransmit-time (Rf)"
            .to_owned());
    }
    Ok(())
}
