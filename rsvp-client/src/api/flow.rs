//! Sessions, senders and what is said of their traffic.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// A session: where the data goes (RFC 2205 section 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Session {
    /// Destination address, unicast or multicast.
    pub destination: IpAddr,
    /// IP protocol, 17 for UDP.
    pub protocol_id: u8,
    /// Destination port; 0 where the protocol has none.
    pub destination_port: u16,
    /// The kind of session.
    #[serde(default)]
    pub session_type: SessionType,
}

/// The kinds of sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionType {
    /// A destination with a port (RFC 2205).
    #[default]
    Ip,
    /// A destination with a virtual port; senders have a generalised port identifier (RFC 2207).
    Gpi,
}

impl Session {
    /// A UDP session.
    #[must_use]
    pub fn udp(destination: IpAddr, port: u16) -> Self {
        Self { destination, protocol_id: 17, destination_port: port, session_type: SessionType::Ip }
    }
}

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_endpoint(f, self.destination, self.destination_port)?;
        match self.protocol_id {
            6 => f.write_str("/tcp"),
            17 => f.write_str("/udp"),
            protocol => write!(f, "/{protocol}"),
        }
    }
}

/// A sender within a session: FILTER_SPEC and SENDER_TEMPLATE. At most one of port, flow label and SPI is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Filter {
    /// Source address.
    pub source: IpAddr,
    /// Source port; 0 where the protocol has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_port: Option<u16>,
    /// IPv6 flow label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow_label: Option<u32>,
    /// IPsec security parameter index (RFC 2207).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spi: Option<u32>,
}

impl Filter {
    /// A sender with a port.
    #[must_use]
    pub fn new(source: IpAddr, port: u16) -> Self {
        Self { source, source_port: Some(port), flow_label: None, spi: None }
    }

    /// A sender with a flow label.
    #[must_use]
    pub fn with_flow_label(source: Ipv6Addr, label: u32) -> Self {
        Self { source: source.into(), source_port: None, flow_label: Some(label), spi: None }
    }

    /// A sender with a security parameter index.
    #[must_use]
    pub fn with_spi(source: IpAddr, spi: u32) -> Self {
        Self { source, source_port: None, flow_label: None, spi: Some(spi) }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(label) = self.flow_label {
            write!(f, "{} label {label:#x}", self.source)
        } else if let Some(spi) = self.spi {
            write!(f, "{} SPI {spi:#x}", self.source)
        } else {
            write_endpoint(f, self.source, self.source_port.unwrap_or(0))
        }
    }
}

fn write_endpoint(f: &mut fmt::Formatter<'_>, address: IpAddr, port: u16) -> fmt::Result {
    match address {
        IpAddr::V4(address) => write!(f, "{address}:{port}"),
        IpAddr::V6(address) => write!(f, "[{address}]:{port}"),
    }
}

/// Token bucket TSpec (RFC 2210 section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Tspec {
    /// r, token bucket rate in bits per second.
    pub average_rate: f64,
    /// b, token bucket size in bytes.
    pub size: f64,
    /// p, peak rate in bits per second; absent or null: unlimited.
    #[serde(default)]
    pub peak_rate: Option<f64>,
    /// m, minimum policed unit in bytes.
    pub min_policed_unit: u32,
    /// M, maximum packet size in bytes.
    pub max_packet_size: u32,
}

impl Tspec {
    /// m where none is given.
    pub const DEFAULT_MIN_POLICED_UNIT: u32 = 64;
    /// M where none is given.
    pub const DEFAULT_MAX_PACKET_SIZE: u32 = 1500;

    /// A TSpec for a flow of which only the rate is known, in bits per second: the bucket holds a tenth of a second of
    /// it, at least two packets; the peak is unlimited; m is 64 and M is 1500 bytes.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a rate beyond 2^53 bit/s is no rate")]
    pub fn of_rate(rate: u64) -> Self {
        let least = 2 * Self::DEFAULT_MAX_PACKET_SIZE;
        let bucket = u32::try_from(rate.div_ceil(80)).unwrap_or(u32::MAX).max(least);
        Self::token_bucket(rate as f64, bucket)
    }

    /// A TSpec of rate and bucket: the peak is unlimited; m is 64 and M is 1500 bytes, or less if the bucket is smaller.
    #[must_use]
    pub fn token_bucket(rate: f64, bucket: u32) -> Self {
        let max_packet_size = Self::DEFAULT_MAX_PACKET_SIZE.min(bucket);
        Self {
            average_rate: rate,
            size: f64::from(bucket),
            peak_rate: None,
            min_policed_unit: Self::DEFAULT_MIN_POLICED_UNIT.min(max_packet_size),
            max_packet_size,
        }
    }
}

/// What a sender says of its traffic (SENDER_TSPEC).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "service")]
#[non_exhaustive]
pub enum SenderTspec {
    /// Token bucket.
    TokenBucket(Tspec),
    /// Null service (RFC 2997).
    #[serde(rename_all = "kebab-case")]
    Null {
        /// M, maximum packet size in bytes.
        max_packet_size: u32,
    },
    /// A token bucket, and what holds if the null service is chosen (RFC 2997).
    #[serde(rename_all = "kebab-case")]
    TokenBucketOrNull {
        /// Token bucket.
        #[serde(flatten)]
        tspec: Tspec,
        /// M for the null service, in bytes.
        null_max_packet_size: u32,
    },
    /// Contents that the daemon does not interpret.
    Opaque {
        /// C-Type.
        ctype: u8,
        /// Length of the contents in bytes.
        length: usize,
    },
}

impl SenderTspec {
    /// The token bucket, if there is one.
    #[must_use]
    pub const fn token_bucket(&self) -> Option<&Tspec> {
        match self {
            Self::TokenBucket(tspec) | Self::TokenBucketOrNull { tspec, .. } => Some(tspec),
            Self::Null { .. } | Self::Opaque { .. } => None,
        }
    }
}

/// The services that a sender describes its traffic for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SenderService {
    /// Controlled load and guaranteed service.
    #[default]
    TokenBucket,
    /// The null service alone (RFC 2997): of the TSpec, only M counts.
    Null,
    /// All of them.
    TokenBucketOrNull,
}

/// What is reserved (FLOWSPEC).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "service")]
#[non_exhaustive]
pub enum Flowspec {
    /// Controlled load (RFC 2211).
    ControlledLoad(Tspec),
    /// Guaranteed service (RFC 2212).
    #[serde(rename_all = "kebab-case")]
    Guaranteed {
        /// The traffic.
        tspec: Tspec,
        /// R, the guaranteed rate in bits per second.
        rate: f64,
        /// S, the slack in microseconds.
        slack: u32,
    },
    /// Null service (RFC 2997).
    #[serde(rename_all = "kebab-case")]
    Null {
        /// M, maximum packet size in bytes.
        max_packet_size: u32,
    },
    /// Contents that the daemon does not interpret.
    Opaque {
        /// C-Type.
        ctype: u8,
        /// Length of the contents in bytes.
        length: usize,
    },
}

impl Flowspec {
    /// The rate that it asks for in bits per second: R of guaranteed service, else r.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        match self {
            Self::ControlledLoad(tspec) => Some(tspec.average_rate),
            Self::Guaranteed { rate, .. } => Some(*rate),
            Self::Null { .. } | Self::Opaque { .. } => None,
        }
    }
}

/// Reservation styles (RFC 2205 section 1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Style {
    /// Fixed filter: a distinct reservation for each named sender.
    Ff,
    /// Shared explicit: one reservation, shared by the named senders.
    Se,
    /// Wildcard filter: one reservation, shared by all senders.
    Wf,
}

impl fmt::Display for Style {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ff => "FF",
            Self::Se => "SE",
            Self::Wf => "WF",
        })
    }
}

/// One POLICY_DATA object (RFC 2205 section A.13). RSVP does not look into it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PolicyData {
    /// C-Type.
    pub c_type: u8,
    /// Contents in hexadecimal digits: whole words of four octets.
    pub contents: String,
}

/// What is reserved for whom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct FlowDescriptor {
    /// What; absent in some errors.
    #[serde(default)]
    pub flowspec: Option<Flowspec>,
    /// For whom; empty for WF.
    pub filters: Vec<Filter>,
}

/// What the path up to here offers (ADSPEC, RFC 2210 section 3.3).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Adspec {
    /// Whether a hop without integrated services was passed: the figures then hold for a part of the path only.
    pub broken: bool,
    /// Hops with integrated services.
    pub is_hops: u32,
    /// Path bandwidth estimate in bits per second; null: unlimited.
    pub bandwidth: Option<f64>,
    /// Minimum path latency in microseconds; null: not known.
    pub latency: Option<u32>,
    /// Path MTU in bytes.
    pub path_mtu: u32,
    /// Whether guaranteed service is offered by every hop.
    pub guaranteed: bool,
    /// Whether controlled load is offered by every hop.
    pub controlled_load: bool,
    /// What guaranteed service promises; null: the sender does not offer it.
    #[serde(default)]
    pub guaranteed_terms: Option<GuaranteedTerms>,
}

/// What guaranteed service promises over a path (RFC 2212).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct GuaranteedTerms {
    /// Whether a hop does not offer the service: then the terms hold for a part of the path only.
    pub broken: bool,
    /// Ctot in bytes.
    pub c_total: u32,
    /// Dtot in microseconds.
    pub d_total: u32,
    /// Csum in bytes: since the last reshaping point.
    pub c_sum: u32,
    /// Dsum in microseconds: since the last reshaping point.
    pub d_sum: u32,
    /// Minimum path latency of the service in microseconds, if it has one of its own.
    pub latency: Option<u32>,
    /// Path MTU of the service in bytes, if it has one of its own.
    pub path_mtu: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tspec_of_a_rate_holds_a_tenth_of_a_second() {
        let tspec = Tspec::of_rate(8_000_000);
        assert_eq!(tspec.size, 100_000.0);
        assert_eq!(Tspec::of_rate(1000).size, 3000.0, "never less than two packets");
        assert_eq!(tspec.peak_rate, None);
    }

    #[test]
    fn addresses_read_as_endpoints() {
        let session = Session::udp("2001:db8::1".parse().expect("address"), 5004);
        assert_eq!(session.to_string(), "[2001:db8::1]:5004/udp");
        assert_eq!(Filter::new("10.0.0.1".parse().expect("address"), 0).to_string(), "10.0.0.1:0");
    }

    #[test]
    fn flowspecs_are_told_apart_by_service() {
        let flowspec = Flowspec::ControlledLoad(Tspec::of_rate(1_000_000));
        let json = serde_json::to_value(&flowspec).expect("serialises");
        assert_eq!(json["service"], "controlled-load");
        assert_eq!(json["average-rate"], 1_000_000.0);
        assert_eq!(json["peak-rate"], serde_json::Value::Null);
        assert_eq!(serde_json::from_value::<Flowspec>(json).expect("deserialises"), flowspec);
    }
}
