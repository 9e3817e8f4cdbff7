//! The framing that IntServ objects share: message, per-service and parameter headers (RFC 2210 Appendix 1).

use alloc::vec::Vec;

use super::code::{code_point, ctype};
use super::error::{DecodeError, DecodeErrorKind};
use super::object::{Contents, HEADER_LEN, RawObject};
use super::reader::Reader;

code_point! {
    /// Service number (RFC 2210, RFC 2997).
    ServiceNumber {
        /// Default and general parameters.
        GENERAL = 1, "general parameters";
        /// Guaranteed service (RFC 2212).
        GUARANTEED = 2, "guaranteed service";
        /// Controlled load (RFC 2211).
        CONTROLLED_LOAD = 5, "controlled load";
        /// Null service (RFC 2997).
        NULL = 6, "null service";
    }
}

/// Parameter numbers (RFC 2215, RFC 2212 section 5, RFC 2997 section 4).
pub(super) mod parameter {
    pub(in crate::wire) const IS_HOPS: u8 = 4;
    pub(in crate::wire) const PATH_BANDWIDTH: u8 = 6;
    pub(in crate::wire) const PATH_LATENCY: u8 = 8;
    pub(in crate::wire) const PATH_MTU: u8 = 10;
    pub(in crate::wire) const TOKEN_BUCKET_TSPEC: u8 = 127;
    pub(in crate::wire) const NULL_TSPEC: u8 = 128;
    pub(in crate::wire) const GUARANTEED_RSPEC: u8 = 130;
    pub(in crate::wire) const C_TOTAL: u8 = 133;
    pub(in crate::wire) const D_TOTAL: u8 = 134;
    pub(in crate::wire) const C_SUM: u8 = 135;
    pub(in crate::wire) const D_SUM: u8 = 136;
}

/// What is wrong with the contents of an IntServ object, and where.
#[derive(Clone, Copy, Debug)]
pub(super) struct Malformed {
    offset: usize,
    reason: &'static str,
}

impl Malformed {
    pub(super) const fn new(reader: &Reader<'_>, reason: &'static str) -> Self {
        Self { offset: reader.offset(), reason }
    }
}

impl From<DecodeError> for Malformed {
    fn from(error: DecodeError) -> Self {
        debug_assert!(matches!(error.kind, DecodeErrorKind::Truncated { .. }));
        Self { offset: error.offset, reason: "shorter than its length fields say" }
    }
}

/// Interprets an IntServ object: calls `decode` with a reader behind the message header.
///
/// ```text
///  31    28 27                   16 15                            0
/// +-------+-----------------------+-------------------------------+
/// |   V   |    Unused             |     OVERALL LENGTH (words)    |
/// +-------+-----------------------+-------------------------------+
/// ```
pub(super) fn decode_message<T>(
    object: &RawObject,
    decode: impl FnOnce(Reader<'_>) -> Result<T, Malformed>,
) -> Result<T, DecodeError> {
    let contents = Contents::new(object, 0);
    if object.ctype != ctype::INTSERV {
        return Err(contents.bad(0, "C-Type is not known"));
    }
    let mut reader = Reader::new(&object.contents, HEADER_LEN);
    let whole = |reader: &mut Reader<'_>| {
        if reader.u16()? >> 12 != 0 {
            return Err(Malformed::new(reader, "message format version is not 0"));
        }
        if usize::from(reader.u16()?) * 4 != reader.remaining() {
            return Err(Malformed::new(reader, "overall length does not match the object"));
        }
        Ok(())
    };
    whole(&mut reader)
        .and_then(|()| decode(reader))
        .map_err(|Malformed { offset, reason }| contents.bad(offset, reason))
}

/// The data of one service.
///
/// ```text
///  31            24 23           16 15                            0
/// +---------------+-+-------------+-------------------------------+
/// |  SVC_NUMBER   |B| Reserved    |      SVC_LENGTH (words)       |
/// +---------------+-+-------------+-------------------------------+
/// ```
#[derive(Clone, Copy)]
pub(super) struct Fragment<'a> {
    pub(super) service: ServiceNumber,
    /// The break bit.
    pub(super) broken: bool,
    /// The parameters.
    pub(super) body: Reader<'a>,
}

impl<'a> Fragment<'a> {
    pub(super) fn decode(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        let service = ServiceNumber(reader.u8()?);
        let broken = reader.u8()? & 0x80 != 0;
        let length = usize::from(reader.u16()?) * 4;
        Ok(Self { service, broken, body: reader.split(length)? })
    }

    /// Calls `take` for each parameter.
    pub(super) fn parameters(
        self,
        mut take: impl FnMut(u8, &mut Reader<'a>) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        let mut body = self.body;
        while !body.is_empty() {
            let (number, mut value) = decode_parameter(&mut body)?;
            take(number, &mut value)?;
            if !value.is_empty() {
                return Err(Malformed::new(&value, "parameter is longer than its number says"));
            }
        }
        Ok(())
    }
}

/// A parameter: its number and a reader of its value. No flag is defined (RFC 2215 section 1).
///
/// ```text
///  31            24 23           16 15                            0
/// +---------------+---------------+-------------------------------+
/// |  PARAM_NUM    |I   FLAGS      |     PARAM_LENGTH (words)      |
/// +---------------+---------------+-------------------------------+
/// ```
fn decode_parameter<'a>(reader: &mut Reader<'a>) -> Result<(u8, Reader<'a>), Malformed> {
    let number = reader.u8()?;
    reader.u8()?;
    let length = usize::from(reader.u16()?) * 4;
    Ok((number, reader.split(length)?))
}

/// Fills `slot`, or complains about a repeated parameter.
pub(super) fn fill<T>(slot: &mut Option<T>, value: T, reader: &Reader<'_>) -> Result<(), Malformed> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(Malformed::new(reader, "parameter appears twice")),
    }
}

pub(super) fn encode_message(out: &mut Vec<u8>, fragments: impl FnOnce(&mut Vec<u8>)) {
    encode_block(out, [0, 0], fragments);
}

pub(super) fn encode_fragment(
    out: &mut Vec<u8>,
    service: ServiceNumber,
    broken: bool,
    parameters: impl FnOnce(&mut Vec<u8>),
) {
    encode_block(out, [service.0, if broken { 0x80 } else { 0 }], parameters);
}

pub(super) fn encode_parameter(out: &mut Vec<u8>, number: u8, value: impl FnOnce(&mut Vec<u8>)) {
    encode_block(out, [number, 0], value);
}

/// Appends a header of two octets and a length in words, and what `body` appends.
fn encode_block(out: &mut Vec<u8>, header: [u8; 2], body: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(&[header[0], header[1], 0, 0]);
    let start = out.len();
    body(out);
    out.resize(start + (out.len() - start).next_multiple_of(4), 0);
    // A block too long for this field makes its object too long as well, which is an error there.
    let words = u16::try_from((out.len() - start) / 4).unwrap_or(u16::MAX);
    out[start - 2..start].copy_from_slice(&words.to_be_bytes());
}
