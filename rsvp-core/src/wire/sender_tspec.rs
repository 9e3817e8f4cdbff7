//! SENDER_TSPEC (RFC 2205 section A.11; contents RFC 2210 section 3.1, RFC 2997 section 4.3).

use alloc::vec::Vec;

use super::code::{ClassNum, ctype};
use super::error::{DecodeError, EncodeError};
use super::flowspec::{Tspec, encode_null};
use super::object::{RawObject, encode_object};
use super::service::{
    Fragment, Malformed, ServiceNumber, decode_message, encode_fragment, encode_message, fill, parameter,
};

/// SENDER_TSPEC object (class 12).
///
/// ```text
/// +-------+-----------------------+-------------------------------+
/// | 0 (V) |       Unused          |   Overall length (words)      |
/// +-------+-------+-+-------------+-------------------------------+
/// |   1 (general) |0|  Reserved   |             6                 |
/// +---------------+-+-------------+-------------------------------+
/// |   127         |    0 (flags)  |             5                 |
/// +---------------+---------------+-------------------------------+
/// //                          r, b, p, m, M                      //
/// +---------------+-+-------------+-------------------------------+
/// |   6 (null)    |0|  Reserved   |             2                 |   instead of the above, or after it
/// +---------------+-+-------------+-------------------------------+
/// |   128         |    0 (flags)  |             1                 |
/// +---------------+---------------+-------------------------------+
/// |                           M                                   |
/// +---------------------------------------------------------------+
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum SenderTspec {
    /// Token bucket (service 1).
    TokenBucket(Tspec),
    /// Null service (RFC 2997): maximum packet size in bytes.
    Null {
        /// M.
        max_packet: u32,
    },
    /// A token bucket, and beside it what holds when the null service is chosen (RFC 2997 section 3.2).
    TokenBucketOrNull {
        /// For the other services.
        tspec: Tspec,
        /// M for the null service, in bytes.
        null_max_packet: u32,
    },
    /// Contents that this code does not interpret.
    Opaque(RawObject),
}

impl SenderTspec {
    /// Interprets a SENDER_TSPEC object; what this code does not understand stays opaque.
    #[must_use]
    pub fn decode(object: &RawObject) -> Self {
        Self::interpret(object).unwrap_or_else(|_| Self::Opaque(object.clone()))
    }

    /// Interprets a SENDER_TSPEC object.
    ///
    /// # Errors
    ///
    /// What keeps this code from understanding it.
    pub fn interpret(object: &RawObject) -> Result<Self, DecodeError> {
        decode_message(object, |mut reader| {
            let (mut bucket, mut null) = (None, None);
            while !reader.is_empty() {
                let fragment = Fragment::decode(&mut reader)?;
                fragment.parameters(|number, value| match (fragment.service, number) {
                    (ServiceNumber::GENERAL, parameter::TOKEN_BUCKET_TSPEC) => {
                        fill(&mut bucket, Tspec::decode(value)?, value)
                    }
                    (ServiceNumber::NULL, parameter::NULL_TSPEC) => fill(&mut null, value.u32()?, value),
                    _ => Err(Malformed::new(value, "unknown service or parameter")),
                })?;
            }
            match (bucket, null) {
                (Some(tspec), None) => Ok(Self::TokenBucket(tspec)),
                (None, Some(max_packet)) => Ok(Self::Null { max_packet }),
                (Some(tspec), Some(null_max_packet)) => {
                    Ok(Self::TokenBucketOrNull { tspec, null_max_packet })
                }
                (None, None) => Err(Malformed::new(&reader, "no TSpec")),
            }
        })
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let bucket = |tspec: &Tspec, out: &mut Vec<u8>| {
            encode_fragment(out, ServiceNumber::GENERAL, false, |out| tspec.encode(out));
        };
        if let Self::Opaque(object) = self {
            return object.encode(out);
        }
        encode_object(out, ClassNum::SENDER_TSPEC, ctype::INTSERV, |out| {
            encode_message(out, |out| match self {
                Self::TokenBucket(tspec) => bucket(tspec, out),
                Self::Null { max_packet } => encode_null(*max_packet, out),
                Self::TokenBucketOrNull { tspec, null_max_packet } => {
                    bucket(tspec, out);
                    encode_null(*null_max_packet, out);
                }
                Self::Opaque(_) => {}
            });
        })
    }

    /// The token bucket, if there is one.
    #[must_use]
    pub const fn tspec(&self) -> Option<&Tspec> {
        match self {
            Self::TokenBucket(tspec) | Self::TokenBucketOrNull { tspec, .. } => Some(tspec),
            Self::Null { .. } | Self::Opaque(_) => None,
        }
    }

    /// M, in bytes: of the token bucket if there is one.
    #[must_use]
    pub const fn max_packet(&self) -> Option<u32> {
        match self {
            Self::TokenBucket(tspec) | Self::TokenBucketOrNull { tspec, .. } => Some(tspec.max_packet),
            Self::Null { max_packet } => Some(*max_packet),
            Self::Opaque(_) => None,
        }
    }
}
