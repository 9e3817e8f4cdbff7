//! What can be wrong with bytes, and with what is to become bytes.

use core::fmt;

use super::code::{ClassNum, MessageType};
use super::error_spec::ErrorCode;

/// Why bytes are no valid message or object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// Where: octets from the start of the message (of the object, when an object alone was decoded).
    pub offset: usize,
    /// What.
    pub kind: DecodeErrorKind,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// Shorter than the common header, an object header, or what they say.
    Truncated {
        /// Octets that should be there.
        needed: usize,
        /// Octets that are there.
        available: usize,
    },
    /// Not RSVP version 1.
    BadVersion(u8),
    /// The RSVP Length field disagrees with the datagram.
    BadLength {
        /// What the field says.
        stated: usize,
        /// Octets of the datagram.
        available: usize,
    },
    /// The checksum does not match.
    BadChecksum {
        /// What the field says.
        found: u16,
        /// What it should be.
        computed: u16,
    },
    /// The length of an object is no multiple of 4, less than 4, or more than the message has.
    BadObjectLength {
        /// What the field says.
        stated: usize,
        /// Octets left in the message.
        available: usize,
    },
    /// The contents of an object are shorter than its C-Type requires.
    ObjectTooShort {
        /// Class-Num.
        class: ClassNum,
        /// C-Type.
        ctype: u8,
        /// Octets that should be there.
        needed: usize,
        /// Octets that are there.
        available: usize,
    },
    /// The contents of an object are impossible.
    BadContents {
        /// Class-Num.
        class: ClassNum,
        /// C-Type.
        ctype: u8,
        /// Why.
        reason: &'static str,
    },
    /// The message type is not known.
    UnknownMessageType(MessageType),
    /// An object of class 0bbbbbbb that is not known (RFC 2205 section 3.10): error code 13.
    UnknownClass {
        /// Class-Num.
        class: ClassNum,
        /// C-Type.
        ctype: u8,
    },
    /// The C-Type is not known: error code 14.
    UnknownCType {
        /// Class-Num.
        class: ClassNum,
        /// C-Type.
        ctype: u8,
    },
    /// An object that the message type requires is missing.
    MissingObject(ClassNum),
    /// An object that may appear once appears again.
    DuplicateObject(ClassNum),
    /// An object that the message type has no place for.
    UnexpectedObject(ClassNum),
    /// An object stands where it has no meaning: INTEGRITY not first, an acknowledgement or a MESSAGE_ID behind other
    /// objects, a flow descriptor before STYLE, or something else behind it.
    MisplacedObject(ClassNum),
    /// The option vector is none of the styles: error code 6.
    UnknownStyle {
        /// 24 bits.
        option_vector: u32,
    },
    /// The flow descriptors do not fit the style or the message type.
    BadFlowDescriptors(&'static str),
    /// The C-Type of a SENDER_TEMPLATE or FILTER_SPEC does not go with that of SESSION: one of the two has a generalised
    /// port identifier (RFC 2207 section 4.1).
    ConflictingCType(ClassNum),
    /// A Bundle within a Bundle, or where a single message is expected (RFC 2961 section 3.2).
    NestedBundle,
    /// An Srefresh combines SRC_LIST with another form of list (RFC 2961 section 5.2).
    MixedLists,
    /// More objects than the limit.
    TooManyObjects {
        /// The limit.
        limit: usize,
    },
}

impl DecodeError {
    pub(super) const fn new(offset: usize, kind: DecodeErrorKind) -> Self {
        Self { offset, kind }
    }

    /// Error code and value for the PathErr or ResvErr that this fault deserves; `None` for a fault that is only
    /// counted and logged where it is found (RFC 2205 Appendix B).
    #[must_use]
    pub const fn reply(&self) -> Option<(ErrorCode, u16)> {
        match self.kind {
            DecodeErrorKind::UnknownClass { class, ctype } => {
                Some((ErrorCode::UNKNOWN_OBJECT_CLASS, u16::from_be_bytes([class.0, ctype])))
            }
            DecodeErrorKind::UnknownCType { class, ctype } => {
                Some((ErrorCode::UNKNOWN_OBJECT_CTYPE, u16::from_be_bytes([class.0, ctype])))
            }
            DecodeErrorKind::UnknownStyle { .. } => Some((ErrorCode::UNKNOWN_RESERVATION_STYLE, 0)),
            _ => None,
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at octet {})", self.kind, self.offset)
    }
}

impl fmt::Display for DecodeErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated { needed, available } => {
                write!(f, "{needed} octets needed, {available} there")
            }
            Self::BadVersion(version) => write!(f, "RSVP version {version}, not 1"),
            Self::BadLength { stated, available } => {
                write!(f, "RSVP Length says {stated} octets, the datagram has {available}")
            }
            Self::BadChecksum { found, computed } => {
                write!(f, "checksum is {found:#06x}, not {computed:#06x}")
            }
            Self::BadObjectLength { stated, available } => {
                write!(f, "object length {stated} is illegal, {available} octets are left")
            }
            Self::ObjectTooShort { class, ctype, needed, available } => {
                write!(f, "{class} C-Type {ctype} needs {needed} more octets of contents, {available} there")
            }
            Self::BadContents { class, ctype, reason } => write!(f, "{class} C-Type {ctype}: {reason}"),
            Self::UnknownMessageType(message_type) => write!(f, "unknown message type {message_type}"),
            Self::UnknownClass { class, ctype } => {
                write!(f, "unknown object class {class} (C-Type {ctype})")
            }
            Self::UnknownCType { class, ctype } => write!(f, "unknown C-Type {ctype} of {class}"),
            Self::MissingObject(class) => write!(f, "{class} is missing"),
            Self::DuplicateObject(class) => write!(f, "second {class}"),
            Self::UnexpectedObject(class) => write!(f, "{class} is illegal in this message type"),
            Self::MisplacedObject(class) => write!(f, "{class} stands in the wrong place"),
            Self::UnknownStyle { option_vector } => {
                write!(f, "unknown reservation style {option_vector:#08x}")
            }
            Self::BadFlowDescriptors(reason) => f.write_str(reason),
            Self::ConflictingCType(class) => {
                write!(f, "the C-Type of {class} conflicts with that of SESSION")
            }
            Self::NestedBundle => f.write_str("a Bundle stands where a single message belongs"),
            Self::MixedLists => f.write_str("SRC_LIST is combined with another form of MESSAGE_ID_LIST"),
            Self::TooManyObjects { limit } => write!(f, "more than {limit} objects"),
        }
    }
}

impl core::error::Error for DecodeError {}

/// Why a message has no encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// It, or one of its objects, is longer than a length field can say: 65535 octets.
    TooLong {
        /// Octets it would take.
        length: usize,
    },
    /// A list of addresses mixes IPv4 and IPv6.
    MixedFamilies,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { length } => write!(f, "{length} octets do not fit an RSVP length field"),
            Self::MixedFamilies => f.write_str("IPv4 and IPv6 addresses are mixed"),
        }
    }
}

impl core::error::Error for EncodeError {}
