//! FLOWSPEC (RFC 2205 section A.8; contents RFC 2210 section 3.2, RFC 2997 section 4.4).

use alloc::vec::Vec;

use super::code::{ClassNum, ctype};
use super::error::{DecodeError, EncodeError};
use super::object::{RawObject, encode_object};
use super::reader::Reader;
use super::service::{
    Fragment, Malformed, ServiceNumber, decode_message, encode_fragment, encode_message, encode_parameter,
    fill, parameter,
};

/// Token bucket TSpec (RFC 2210 section 3.1; RFC 2215 section 3.6): parameter 127.
///
/// ```text
/// +---------------------------------------------------------------+
/// |  Token Bucket Rate [r] (32-bit IEEE floating point number)    |
/// +---------------------------------------------------------------+
/// |  Token Bucket Size [b] (32-bit IEEE floating point number)    |
/// +---------------------------------------------------------------+
/// |  Peak Data Rate [p] (32-bit IEEE floating point number)       |
/// +---------------------------------------------------------------+
/// |  Minimum Policed Unit [m] (32-bit integer)                    |
/// +---------------------------------------------------------------+
/// |  Maximum Packet Size [M]  (32-bit integer)                    |
/// +---------------------------------------------------------------+
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Tspec {
    /// r, bucket rate in bytes per second.
    pub rate: f32,
    /// b, bucket depth in bytes.
    pub bucket: f32,
    /// p, peak rate in bytes per second; may be infinite.
    #[cfg_attr(feature = "serde", serde(with = "super::unlimited"))]
    pub peak: f32,
    /// m, minimum policed unit in bytes.
    pub min_unit: u32,
    /// M, maximum packet size in bytes.
    pub max_packet: u32,
}

/// RSpec of guaranteed service (RFC 2212): parameter 130.
///
/// ```text
/// +---------------------------------------------------------------+
/// |  Rate [R]  (32-bit IEEE floating point number)                |
/// +---------------------------------------------------------------+
/// |  Slack Term [S]  (32-bit integer)                             |
/// +---------------------------------------------------------------+
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Rspec {
    /// R, in bytes per second.
    pub rate: f32,
    /// S, slack in microseconds.
    pub slack: u32,
}

/// FLOWSPEC object (class 9): one service, with its parameters.
///
/// ```text
/// +-------+-----------------------+-------------------------------+
/// | 0 (V) |       Unused          |   Overall length (words)      |
/// +-------+-------+-+-------------+-------------------------------+
/// | Service no.   |0|  Reserved   |   Length of service data      |   5: controlled load, 2: guaranteed, 6: null
/// +---------------+-+-------------+-------------------------------+
/// |   127         |    0 (flags)  |             5                 |   TSpec (services 5 and 2)
/// +---------------+---------------+-------------------------------+
/// //                          r, b, p, m, M                      //
/// +---------------+---------------+-------------------------------+
/// |   130         |    0 (flags)  |             2                 |   RSpec (service 2)
/// +---------------+---------------+-------------------------------+
/// //                          R, S                               //
/// +---------------+---------------+-------------------------------+
/// |   128         |    0 (flags)  |             1                 |   TSpec of service 6
/// +---------------+---------------+-------------------------------+
/// |                           M                                   |
/// +---------------------------------------------------------------+
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Flowspec {
    /// Controlled load (RFC 2211).
    ControlledLoad(Tspec),
    /// Guaranteed service (RFC 2212).
    Guaranteed(Tspec, Rspec),
    /// Null service (RFC 2997): maximum packet size in bytes.
    Null {
        /// M.
        max_packet: u32,
    },
    /// A service or C-Type whose contents this code does not interpret.
    Opaque(RawObject),
}

impl Tspec {
    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            rate: reader.f32()?,
            bucket: reader.f32()?,
            peak: reader.f32()?,
            min_unit: reader.u32()?,
            max_packet: reader.u32()?,
        })
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        encode_parameter(out, parameter::TOKEN_BUCKET_TSPEC, |out| {
            for real in [self.rate, self.bucket, self.peak] {
                out.extend_from_slice(&real.to_be_bytes());
            }
            for integer in [self.min_unit, self.max_packet] {
                out.extend_from_slice(&integer.to_be_bytes());
            }
        });
    }
}

impl Rspec {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_parameter(out, parameter::GUARANTEED_RSPEC, |out| {
            out.extend_from_slice(&self.rate.to_be_bytes());
            out.extend_from_slice(&self.slack.to_be_bytes());
        });
    }
}

/// Appends the fragment that FLOWSPEC and SENDER_TSPEC use for the null service.
pub(super) fn encode_null(max_packet: u32, out: &mut Vec<u8>) {
    encode_fragment(out, ServiceNumber::NULL, false, |out| {
        encode_parameter(out, parameter::NULL_TSPEC, |out| out.extend_from_slice(&max_packet.to_be_bytes()));
    });
}

impl Flowspec {
    /// Interprets a FLOWSPEC object; what this code does not understand stays opaque. RSVP passes a FLOWSPEC to
    /// traffic control unexamined, and it is there that it is refused (RFC 2205 section 3.10).
    #[must_use]
    pub fn decode(object: &RawObject) -> Self {
        Self::interpret(object).unwrap_or_else(|_| Self::Opaque(object.clone()))
    }

    /// Interprets a FLOWSPEC object.
    ///
    /// # Errors
    ///
    /// What keeps this code from understanding it.
    pub fn interpret(object: &RawObject) -> Result<Self, DecodeError> {
        decode_message(object, |mut reader| {
            let fragment = Fragment::decode(&mut reader)?;
            if !reader.is_empty() {
                return Err(Malformed::new(&reader, "more than one service"));
            }
            Self::decode_service(fragment)
        })
    }

    fn decode_service(fragment: Fragment<'_>) -> Result<Self, Malformed> {
        let (mut tspec, mut rspec, mut null) = (None, None, None);
        fragment.parameters(|number, value| match number {
            parameter::TOKEN_BUCKET_TSPEC => fill(&mut tspec, Tspec::decode(value)?, value),
            parameter::GUARANTEED_RSPEC => {
                let decoded = Rspec { rate: value.f32()?, slack: value.u32()? };
                fill(&mut rspec, decoded, value)
            }
            parameter::NULL_TSPEC => fill(&mut null, value.u32()?, value),
            _ => Err(Malformed::new(value, "unknown parameter")),
        })?;
        match (fragment.service, tspec, rspec, null) {
            (ServiceNumber::CONTROLLED_LOAD, Some(tspec), None, None) => Ok(Self::ControlledLoad(tspec)),
            (ServiceNumber::GUARANTEED, Some(tspec), Some(rspec), None) => Ok(Self::Guaranteed(tspec, rspec)),
            (ServiceNumber::NULL, None, None, Some(max_packet)) => Ok(Self::Null { max_packet }),
            (service, ..) if service.name().is_none() => {
                Err(Malformed::new(&fragment.body, "unknown service"))
            }
            _ => Err(Malformed::new(&fragment.body, "parameters do not fit the service")),
        }
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let service = match self {
            Self::Opaque(object) => return object.encode(out),
            Self::ControlledLoad(_) => ServiceNumber::CONTROLLED_LOAD,
            Self::Guaranteed(..) => ServiceNumber::GUARANTEED,
            Self::Null { .. } => ServiceNumber::NULL,
        };
        encode_object(out, ClassNum::FLOWSPEC, ctype::INTSERV, |out| {
            encode_message(out, |out| match self {
                Self::Null { max_packet } => encode_null(*max_packet, out),
                Self::ControlledLoad(tspec) => encode_fragment(out, service, false, |out| tspec.encode(out)),
                Self::Guaranteed(tspec, rspec) => encode_fragment(out, service, false, |out| {
                    tspec.encode(out);
                    rspec.encode(out);
                }),
                Self::Opaque(_) => {}
            });
        })
    }

    /// The service asked for, if the object is one of IntServ's.
    #[must_use]
    pub fn service(&self) -> Option<ServiceNumber> {
        match self {
            Self::ControlledLoad(_) => Some(ServiceNumber::CONTROLLED_LOAD),
            Self::Guaranteed(..) => Some(ServiceNumber::GUARANTEED),
            Self::Null { .. } => Some(ServiceNumber::NULL),
            Self::Opaque(object) if object.ctype == ctype::INTSERV => {
                object.contents.get(4).copied().map(ServiceNumber)
            }
            Self::Opaque(_) => None,
        }
    }

    /// The token bucket, if the service has one.
    #[must_use]
    pub const fn tspec(&self) -> Option<&Tspec> {
        match self {
            Self::ControlledLoad(tspec) | Self::Guaranteed(tspec, _) => Some(tspec),
            Self::Null { .. } | Self::Opaque(_) => None,
        }
    }
}
