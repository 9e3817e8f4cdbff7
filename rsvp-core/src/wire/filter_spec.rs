//! FILTER_SPEC and SENDER_TEMPLATE (RFC 2205 sections A.9 and A.10, RFC 2207 section 3.2).

use alloc::vec::Vec;
use core::fmt;
use core::net::{IpAddr, Ipv6Addr};

use super::code::{ClassNum, ctype};
use super::error::{DecodeError, EncodeError};
use super::object::{encode_address, encode_object};
use super::reader::Reader;

/// FILTER_SPEC (class 10) and SENDER_TEMPLATE (class 11).
///
/// ```text
/// +-------------+-------------+-------------+-------------+
/// |         SrcAddress (IPv4: 4 bytes, IPv6: 16)          |
/// +-------------+-------------+-------------+-------------+
/// |    //////   |    //////   |          SrcPort          |   C-Types 1, 2
/// +-------------+-------------+-------------+-------------+
/// |   ///////   |         Flow Label (24 bits)            |   C-Type 3 (IPv6)
/// +-------------+-------------+-------------+-------------+
/// |        Generalized Port Identifier (GPI)              |   C-Types 4, 5
/// +-------------+-------------+-------------+-------------+
/// ```
///
/// Flow labels have 20 bits (RFC 6437); the upper 4 of the field are sent as zero and ignored on receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum FilterSpec {
    /// Source address and port (C-Types 1 and 2).
    Ip {
        /// SrcAddress.
        source: IpAddr,
        /// SrcPort; 0 means the protocol has none.
        port: u16,
    },
    /// IPv6 flow label (C-Type 3).
    FlowLabel {
        /// SrcAddress.
        source: Ipv6Addr,
        /// 20 bits.
        label: u32,
    },
    /// IPsec security parameter index (C-Types 4 and 5, RFC 2207).
    Gpi {
        /// SrcAddress.
        source: IpAddr,
        /// Generalised port identifier: the SPI.
        spi: u32,
    },
}

/// SENDER_TEMPLATE has the same contents as FILTER_SPEC.
pub type SenderTemplate = FilterSpec;

const FLOW_LABEL: u32 = 0x000f_ffff;

impl FilterSpec {
    /// The sender's address.
    #[must_use]
    pub const fn source(&self) -> IpAddr {
        match self {
            Self::Ip { source, .. } | Self::Gpi { source, .. } => *source,
            Self::FlowLabel { source, .. } => IpAddr::V6(*source),
        }
    }

    pub(super) fn decode(ctype: u8, reader: &mut Reader<'_>) -> Result<Option<Self>, DecodeError> {
        let source: IpAddr = match ctype {
            ctype::IPV4 | ctype::FILTER_IPV4_GPI => reader.ipv4()?,
            ctype::FILTER_IPV6_FLOW_LABEL => {
                let source = reader.ipv6()?;
                return Ok(Some(Self::FlowLabel { source, label: reader.u32()? & FLOW_LABEL }));
            }
            ctype::IPV6 | ctype::FILTER_IPV6_GPI => reader.ipv6()?.into(),
            _ => return Ok(None),
        };
        Ok(Some(match ctype {
            ctype::IPV4 | ctype::IPV6 => {
                reader.u16()?;
                Self::Ip { source, port: reader.u16()? }
            }
            _ => Self::Gpi { source, spi: reader.u32()? },
        }))
    }

    /// Encodes as `class`: FILTER_SPEC or SENDER_TEMPLATE.
    pub(super) fn encode(&self, class: ClassNum, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let (ctype, word) = match *self {
            Self::Ip { source: IpAddr::V4(_), port } => (ctype::IPV4, u32::from(port)),
            Self::Ip { source: IpAddr::V6(_), port } => (ctype::IPV6, u32::from(port)),
            Self::FlowLabel { label, .. } => (ctype::FILTER_IPV6_FLOW_LABEL, label & FLOW_LABEL),
            Self::Gpi { source: IpAddr::V4(_), spi } => (ctype::FILTER_IPV4_GPI, spi),
            Self::Gpi { source: IpAddr::V6(_), spi } => (ctype::FILTER_IPV6_GPI, spi),
        };
        encode_object(out, class, ctype, |out| {
            encode_address(out, self.source());
            out.extend_from_slice(&word.to_be_bytes());
        })
    }
}

impl fmt::Display for FilterSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip { source, port } => write!(f, "{source} port {port}"),
            Self::FlowLabel { source, label } => write!(f, "{source} flow label {label:#x}"),
            Self::Gpi { source, spi } => write!(f, "{source} SPI {spi:#x}"),
        }
    }
}
