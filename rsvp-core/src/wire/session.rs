//! SESSION (RFC 2205 section A.1, RFC 2207 section 3.1).

use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use super::code::{ClassNum, ctype};
use super::error::{DecodeError, EncodeError};
use super::object::{encode_address, encode_object};
use super::reader::Reader;

/// What names a session: the part of the SESSION object that is its identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum SessionKey {
    /// IPv4/UDP and IPv6/UDP (C-Types 1 and 2).
    Ip(FlowKey),
    /// IPv4/GPI and IPv6/GPI (C-Types 3 and 4, RFC 2207): the port is virtual.
    Gpi(FlowKey),
}

/// Destination address, protocol and port of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FlowKey {
    /// DestAddress, unicast or multicast.
    pub destination: IpAddr,
    /// IP protocol id.
    pub protocol: u8,
    /// DstPort (or vDstPort); 0 means the protocol has none.
    pub port: u16,
}

/// SESSION object (class 1).
///
/// ```text
/// +-------------+-------------+-------------+-------------+
/// |       DestAddress (IPv4: 4 bytes, IPv6: 16 bytes)     |
/// +-------------+-------------+-------------+-------------+
/// | Protocol Id |    Flags    |    DstPort or vDstPort    |
/// +-------------+-------------+-------------+-------------+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Session {
    /// Its identity.
    pub key: SessionKey,
    /// [`Session::E_POLICE`]; other bits mean nothing.
    pub flags: u8,
}

impl SessionKey {
    /// What is sent in UDP to this address and port.
    ///
    /// ```
    /// use rsvp_core::SessionKey;
    ///
    /// let session = SessionKey::udp("192.0.2.7".parse()?, 5004);
    /// assert_eq!(session.flow().protocol, 17);
    /// # Ok::<(), std::net::AddrParseError>(())
    /// ```
    #[must_use]
    pub const fn udp(destination: IpAddr, port: u16) -> Self {
        Self::Ip(FlowKey { destination, protocol: 17, port })
    }

    /// Destination, protocol and port.
    #[must_use]
    pub const fn flow(&self) -> &FlowKey {
        match self {
            Self::Ip(flow) | Self::Gpi(flow) => flow,
        }
    }

    /// The session as packets show it: a virtual port is in none of them, and is 0 here (RFC 2207 section 4.1).
    #[must_use]
    pub const fn of_packets(self) -> Self {
        match self {
            Self::Ip(flow) => Self::Ip(flow),
            Self::Gpi(flow) => Self::Gpi(FlowKey { port: 0, ..flow }),
        }
    }

    /// DestAddress.
    #[must_use]
    pub const fn destination(&self) -> IpAddr {
        self.flow().destination
    }
}

impl Session {
    /// E_Police: no node before has policed (only in Path).
    pub const E_POLICE: u8 = 0x01;

    pub(super) fn decode(ctype: u8, reader: &mut Reader<'_>) -> Result<Option<Self>, DecodeError> {
        let destination = match ctype {
            ctype::IPV4 | ctype::SESSION_IPV4_GPI => reader.ipv4()?,
            ctype::IPV6 | ctype::SESSION_IPV6_GPI => reader.ipv6()?.into(),
            _ => return Ok(None),
        };
        let (protocol, flags, port) = (reader.u8()?, reader.u8()?, reader.u16()?);
        let flow = FlowKey { destination, protocol, port };
        let key = match ctype {
            ctype::IPV4 | ctype::IPV6 => SessionKey::Ip(flow),
            _ => SessionKey::Gpi(flow),
        };
        Ok(Some(Self { key, flags }))
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let ctype = match (self.key, self.key.destination()) {
            (SessionKey::Ip(_), IpAddr::V4(_)) => ctype::IPV4,
            (SessionKey::Ip(_), IpAddr::V6(_)) => ctype::IPV6,
            (SessionKey::Gpi(_), IpAddr::V4(_)) => ctype::SESSION_IPV4_GPI,
            (SessionKey::Gpi(_), IpAddr::V6(_)) => ctype::SESSION_IPV6_GPI,
        };
        let FlowKey { destination, protocol, port } = *self.key.flow();
        encode_object(out, ClassNum::SESSION, ctype, |out| {
            encode_address(out, destination);
            out.extend_from_slice(&[protocol, self.flags]);
            out.extend_from_slice(&port.to_be_bytes());
        })
    }
}

impl fmt::Display for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FlowKey { destination, protocol, port } = self.flow();
        write!(f, "{destination} protocol {protocol} port {port}")
    }
}
