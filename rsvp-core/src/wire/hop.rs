//! RSVP_HOP (RFC 2205 section A.2).

use alloc::vec::Vec;
use core::net::IpAddr;

use super::code::ClassNum;
use super::error::{DecodeError, EncodeError};
use super::object::{decode_family_address, encode_address, encode_object, family_ctype};
use super::reader::Reader;

/// RSVP_HOP object (class 3): PHOP in downstream messages, NHOP in upstream messages.
///
/// ```text
/// +-------------+-------------+-------------+-------------+
/// | Next/Previous Hop Address (IPv4: 4 bytes, IPv6: 16)   |
/// +-------------+-------------+-------------+-------------+
/// |                 Logical Interface Handle              |
/// +-------------+-------------+-------------+-------------+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RsvpHop {
    /// Address of the interface that the message left by.
    pub address: IpAddr,
    /// Logical interface handle.
    pub lih: u32,
}

/// Whether an address can be one interface of one node.
pub(crate) const fn is_unicast(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            !(address.is_unspecified() || address.is_multicast() || address.is_broadcast())
        }
        IpAddr::V6(address) => !(address.is_unspecified() || address.is_multicast()),
    }
}

impl RsvpHop {
    pub(super) fn decode(ctype: u8, reader: &mut Reader<'_>) -> Result<Option<Self>, DecodeError> {
        let Some(address) = decode_family_address(ctype, reader)? else { return Ok(None) };
        Ok(Some(Self { address, lih: reader.u32()? }))
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        encode_object(out, ClassNum::RSVP_HOP, family_ctype(self.address), |out| {
            encode_address(out, self.address);
            out.extend_from_slice(&self.lih.to_be_bytes());
        })
    }
}
