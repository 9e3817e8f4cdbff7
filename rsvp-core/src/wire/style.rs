//! STYLE (RFC 2205 section A.7).

use alloc::vec::Vec;
use core::fmt;

use super::code::{ClassNum, ctype};
use super::error::{DecodeError, DecodeErrorKind, EncodeError};
use super::object::encode_object;
use super::reader::Reader;

/// STYLE object (class 8): the option vector.
///
/// ```text
/// +-------------+-------------+-------------+-------------+
/// |   Flags     |              Option Vector              |
/// +-------------+-------------+-------------+-------------+
/// ```
///
/// Of the option vector 19 bits are reserved, 2 are the sharing control and 3 the sender selection control. Reserved
/// bits are sent as zero and ignored on receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "UPPERCASE"))]
pub enum Style {
    /// Fixed filter: explicit senders, distinct reservations (0x0a).
    Ff,
    /// Shared explicit: explicit senders, one shared reservation (0x12).
    Se,
    /// Wildcard filter: all senders, one shared reservation (0x11).
    Wf,
}

impl Style {
    /// The option vector, 24 bits; its lower 16 are the error value of error code 5.
    #[must_use]
    pub const fn option_vector(self) -> u32 {
        match self {
            Self::Ff => 0b01_010,
            Self::Se => 0b10_010,
            Self::Wf => 0b10_001,
        }
    }

    /// The style that an option vector asks for, if it is one; bits that RFC 2205 leaves reserved do not count.
    #[must_use]
    pub const fn from_option_vector(option_vector: u32) -> Option<Self> {
        match option_vector & 0b11_111 {
            0b01_010 => Some(Self::Ff),
            0b10_010 => Some(Self::Se),
            0b10_001 => Some(Self::Wf),
            _ => None,
        }
    }

    /// Whether reservations of this style name their senders.
    #[must_use]
    pub const fn is_explicit(self) -> bool {
        matches!(self, Self::Ff | Self::Se)
    }

    /// Whether all senders share one reservation.
    #[must_use]
    pub const fn is_shared(self) -> bool {
        matches!(self, Self::Se | Self::Wf)
    }

    pub(super) fn decode(ctype: u8, reader: &mut Reader<'_>) -> Result<Option<Self>, DecodeError> {
        if ctype != ctype::DEFAULT {
            return Ok(None);
        }
        let offset = reader.offset();
        let option_vector = reader.u32()? & 0x00ff_ffff;
        let unknown = DecodeError::new(offset, DecodeErrorKind::UnknownStyle { option_vector });
        Self::from_option_vector(option_vector).map(Some).ok_or(unknown)
    }

    pub(super) fn encode(self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        encode_object(out, ClassNum::STYLE, ctype::DEFAULT, |out| {
            out.extend_from_slice(&self.option_vector().to_be_bytes());
        })
    }
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
