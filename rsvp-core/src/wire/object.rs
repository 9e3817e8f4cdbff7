//! Objects: the header that all share, and the typed contents of each class (RFC 2205 section 3.1.2, Appendix A).

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};

use super::adspec::Adspec;
use super::code::{ClassNum, ctype};
use super::error::{DecodeError, DecodeErrorKind, EncodeError};
use super::error_spec::ErrorSpec;
use super::filter_spec::{FilterSpec, SenderTemplate};
use super::flowspec::Flowspec;
use super::hop::RsvpHop;
use super::message_id::{Acknowledgement, FlaggedId, IdList};
use super::reader::Reader;
use super::sender_tspec::SenderTspec;
use super::session::Session;
use super::style::Style;

/// An object as received, contents not interpreted.
///
/// ```text
/// +-------------+-------------+-------------+-------------+
/// |       Length (bytes)      |  Class-Num  |   C-Type    |
/// +-------------+-------------+-------------+-------------+
/// |                                                       |
/// //                  (Object contents)                   //
/// |                                                       |
/// +-------------+-------------+-------------+-------------+
/// ```
///
/// Length counts the header too; it is a multiple of 4 and at least 4. Contents of another size are filled up with
/// zero octets when they are encoded.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RawObject {
    /// Class-Num.
    pub class: u8,
    /// C-Type.
    pub ctype: u8,
    /// Contents, without the object header.
    pub contents: Vec<u8>,
}

/// A RawObject, and where in its message it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawObjectAt {
    /// Offset of the object header, in octets from the start of the common header.
    pub offset: usize,
    /// The object.
    pub object: RawObject,
}

/// An object with its contents interpreted.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Object {
    /// NULL (class 0): any C-Type and contents, ignored.
    Null,
    /// SESSION.
    Session(Session),
    /// RSVP_HOP.
    RsvpHop(RsvpHop),
    /// INTEGRITY: contents, not interpreted here.
    Integrity(Vec<u8>),
    /// TIME_VALUES: the refresh period R in milliseconds.
    TimeValues(u32),
    /// ERROR_SPEC.
    ErrorSpec(ErrorSpec),
    /// SCOPE: source addresses.
    Scope(Vec<IpAddr>),
    /// STYLE.
    Style(Style),
    /// FLOWSPEC.
    Flowspec(Flowspec),
    /// FILTER_SPEC.
    FilterSpec(FilterSpec),
    /// SENDER_TEMPLATE.
    SenderTemplate(SenderTemplate),
    /// SENDER_TSPEC.
    SenderTspec(SenderTspec),
    /// ADSPEC.
    Adspec(Adspec),
    /// POLICY_DATA: contents, not interpreted here.
    PolicyData(RawObject),
    /// RESV_CONFIRM: the receiver's address.
    ResvConfirm(IpAddr),
    /// MESSAGE_ID.
    MessageId(FlaggedId),
    /// MESSAGE_ID_ACK or MESSAGE_ID_NACK.
    MessageIdAck(Acknowledgement),
    /// MESSAGE_ID_LIST.
    MessageIdList(IdList),
    /// An object of a class that this code does not know.
    Unknown(RawObject),
}

impl RawObject {
    /// Class-Num, by name.
    #[must_use]
    pub const fn class_num(&self) -> ClassNum {
        ClassNum(self.class)
    }

    /// Octets it takes in a message, header and filling included.
    #[must_use]
    pub const fn encoded_len(&self) -> usize {
        HEADER_LEN + self.contents.len().next_multiple_of(4)
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        encode_object(out, self.class_num(), self.ctype, |out| out.extend_from_slice(&self.contents))
    }

    /// Takes an encoded object apart.
    fn from_encoded(mut bytes: Vec<u8>) -> Self {
        let contents = bytes.split_off(HEADER_LEN);
        Self { class: bytes[2], ctype: bytes[3], contents }
    }
}

impl RawObjectAt {
    /// Interprets the contents; offsets of errors are those of the message.
    ///
    /// # Errors
    ///
    /// As [`Object::decode`].
    pub fn decode(&self) -> Result<Object, DecodeError> {
        Object::decode_at(&self.object, self.offset)
    }
}

impl Object {
    /// Interprets the contents of an object. Offsets of errors count from its header.
    ///
    /// FLOWSPEC and ADSPEC of a C-Type or with contents that this code does not understand come back as opaque, since
    /// it is traffic control that judges them (RFC 2205 section 3.10).
    ///
    /// # Errors
    ///
    /// When the C-Type of a known class is not known, or the contents do not fit it.
    pub fn decode(object: &RawObject) -> Result<Self, DecodeError> {
        Self::decode_at(object, 0)
    }

    pub(super) fn decode_at(object: &RawObject, offset: usize) -> Result<Self, DecodeError> {
        let contents = Contents::new(object, offset);
        let decoded = match object.class_num() {
            ClassNum::NULL => Self::Null,
            ClassNum::SESSION => Self::Session(contents.read(Session::decode)?),
            ClassNum::RSVP_HOP => Self::RsvpHop(contents.read(RsvpHop::decode)?),
            ClassNum::INTEGRITY => Self::Integrity(object.contents.clone()),
            ClassNum::TIME_VALUES => Self::TimeValues(contents.read(decode_time_values)?),
            ClassNum::ERROR_SPEC => Self::ErrorSpec(contents.read(ErrorSpec::decode)?),
            ClassNum::SCOPE => Self::Scope(contents.read(decode_scope)?),
            ClassNum::STYLE => Self::Style(contents.read(Style::decode)?),
            ClassNum::FLOWSPEC => Self::Flowspec(Flowspec::decode(object)),
            ClassNum::FILTER_SPEC => Self::FilterSpec(contents.read(FilterSpec::decode)?),
            ClassNum::SENDER_TEMPLATE => Self::SenderTemplate(contents.read(FilterSpec::decode)?),
            ClassNum::SENDER_TSPEC if object.ctype != ctype::INTSERV => {
                return Err(contents.unknown_ctype());
            }
            ClassNum::SENDER_TSPEC => Self::SenderTspec(SenderTspec::decode(object)),
            ClassNum::ADSPEC => Self::Adspec(Adspec::decode(object)),
            ClassNum::POLICY_DATA => Self::PolicyData(object.clone()),
            ClassNum::RESV_CONFIRM => Self::ResvConfirm(contents.read(decode_resv_confirm)?),
            ClassNum::MESSAGE_ID => Self::MessageId(contents.read(FlaggedId::decode_message_id)?),
            ClassNum::MESSAGE_ID_ACK => Self::MessageIdAck(contents.read(Acknowledgement::decode)?),
            ClassNum::MESSAGE_ID_LIST => Self::MessageIdList(contents.read(IdList::decode)?),
            _ => Self::Unknown(object.clone()),
        };
        Ok(decoded)
    }
}

impl Object {
    /// The object as it goes into a message. INTEGRITY has C-Type 1; an empty SCOPE is IPv4.
    ///
    /// # Errors
    ///
    /// When it is too long, or a SCOPE mixes address families.
    pub fn encode(&self) -> Result<RawObject, EncodeError> {
        let mut bytes = Vec::new();
        self.encode_into(&mut bytes)?;
        Ok(RawObject::from_encoded(bytes))
    }

    fn encode_into(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self {
            Self::Null => encode_object(out, ClassNum::NULL, 0, |_| {}),
            Self::Session(session) => session.encode(out),
            Self::RsvpHop(hop) => hop.encode(out),
            Self::Integrity(contents) => {
                encode_object(out, ClassNum::INTEGRITY, ctype::DEFAULT, |out| out.extend_from_slice(contents))
            }
            Self::TimeValues(refresh_ms) => encode_time_values(*refresh_ms, out),
            Self::ErrorSpec(error) => error.encode(out),
            Self::Scope(sources) => {
                let family = sources.first().copied().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
                encode_scope(sources, family, out)
            }
            Self::Style(style) => style.encode(out),
            Self::Flowspec(flowspec) => flowspec.encode(out),
            Self::FilterSpec(filter) => filter.encode(ClassNum::FILTER_SPEC, out),
            Self::SenderTemplate(template) => template.encode(ClassNum::SENDER_TEMPLATE, out),
            Self::SenderTspec(tspec) => tspec.encode(out),
            Self::Adspec(adspec) => adspec.encode(out),
            Self::ResvConfirm(receiver) => encode_resv_confirm(*receiver, out),
            Self::MessageId(id) => id.encode(ClassNum::MESSAGE_ID, ctype::DEFAULT, out),
            Self::MessageIdAck(acknowledgement) => acknowledgement.encode(out),
            Self::MessageIdList(list) => list.encode(out),
            Self::PolicyData(object) | Self::Unknown(object) => object.encode(out),
        }
    }
}

/// The contents of one object on their way to a type, and where in the message the object is.
#[derive(Clone, Copy)]
pub(super) struct Contents<'a> {
    pub(super) class: ClassNum,
    pub(super) ctype: u8,
    pub(super) bytes: &'a [u8],
    pub(super) offset: usize,
}

impl<'a> Contents<'a> {
    pub(super) fn new(object: &'a RawObject, offset: usize) -> Self {
        Self { class: object.class_num(), ctype: object.ctype, bytes: &object.contents, offset }
    }

    /// Runs `decode` on C-Type and contents; it returns `None` for a C-Type it does not know, and must use the
    /// contents up.
    pub(super) fn read<T>(
        self,
        decode: impl FnOnce(u8, &mut Reader<'_>) -> Result<Option<T>, DecodeError>,
    ) -> Result<T, DecodeError> {
        let mut reader = Reader::new(self.bytes, self.offset + HEADER_LEN);
        let decoded = decode(self.ctype, &mut reader).map_err(|error| self.name(error))?;
        let decoded = decoded.ok_or_else(|| self.unknown_ctype())?;
        if reader.is_empty() {
            return Ok(decoded);
        }
        Err(self.bad(reader.offset(), "contents are longer than the C-Type says"))
    }

    /// Adds class and C-Type to what the reader says.
    pub(super) fn name(self, error: DecodeError) -> DecodeError {
        let DecodeErrorKind::Truncated { needed, available } = error.kind else { return error };
        let Self { class, ctype, .. } = self;
        let kind = DecodeErrorKind::ObjectTooShort { class, ctype, needed, available };
        DecodeError::new(error.offset, kind)
    }

    pub(super) fn bad(self, offset: usize, reason: &'static str) -> DecodeError {
        let Self { class, ctype, .. } = self;
        DecodeError::new(offset, DecodeErrorKind::BadContents { class, ctype, reason })
    }

    fn unknown_ctype(self) -> DecodeError {
        let Self { class, ctype, offset, .. } = self;
        DecodeError::new(offset, DecodeErrorKind::UnknownCType { class, ctype })
    }
}

/// Octets of an object header.
pub(super) const HEADER_LEN: usize = 4;

/// Appends an object whose contents `contents` appends; fills up to a multiple of 4.
pub(super) fn encode_object(
    out: &mut Vec<u8>,
    class: ClassNum,
    ctype: u8,
    contents: impl FnOnce(&mut Vec<u8>),
) -> Result<(), EncodeError> {
    let start = out.len();
    out.extend_from_slice(&[0, 0, class.0, ctype]);
    contents(out);
    let length = (out.len() - start).next_multiple_of(4);
    out.resize(start + length, 0);
    let field = u16::try_from(length).map_err(|_| EncodeError::TooLong { length })?;
    out[start..start + 2].copy_from_slice(&field.to_be_bytes());
    Ok(())
}

/// Appends the octets of an address.
pub(super) fn encode_address(out: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(address) => out.extend_from_slice(&address.octets()),
        IpAddr::V6(address) => out.extend_from_slice(&address.octets()),
    }
}

/// The C-Type of a class that has an IPv4 and an IPv6 form.
pub(super) const fn family_ctype(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => ctype::IPV4,
        IpAddr::V6(_) => ctype::IPV6,
    }
}

/// TIME_VALUES (RFC 2205 section A.4).
///
/// ```text
/// +-------------+-------------+-------------+-------------+
/// |                   Refresh Period R                    |
/// +-------------+-------------+-------------+-------------+
/// ```
fn decode_time_values(ctype: u8, reader: &mut Reader<'_>) -> Result<Option<u32>, DecodeError> {
    if ctype == ctype::DEFAULT { reader.u32().map(Some) } else { Ok(None) }
}

pub(super) fn encode_time_values(refresh_ms: u32, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    encode_object(out, ClassNum::TIME_VALUES, ctype::DEFAULT, |out| {
        out.extend_from_slice(&refresh_ms.to_be_bytes());
    })
}

/// SCOPE (RFC 2205 section A.6).
///
/// ```text
/// +-------------+-------------+-------------+-------------+
/// |           IPv4 Src Address (4 bytes) / IPv6 (16)      |
/// +-------------+-------------+-------------+-------------+
/// //                                                      //
/// +-------------+-------------+-------------+-------------+
/// |           IPv4 Src Address (4 bytes) / IPv6 (16)      |
/// +-------------+-------------+-------------+-------------+
/// ```
fn decode_scope(ctype: u8, reader: &mut Reader<'_>) -> Result<Option<Vec<IpAddr>>, DecodeError> {
    let mut sources = Vec::new();
    while !reader.is_empty() {
        match ctype {
            ctype::IPV4 => sources.push(reader.ipv4()?),
            ctype::IPV6 => sources.push(reader.ipv6()?.into()),
            _ => return Ok(None),
        }
    }
    Ok(matches!(ctype, ctype::IPV4 | ctype::IPV6).then_some(sources))
}

/// The addresses leave in ascending order, as section A.6 demands. An empty list takes the family of `session`.
pub(super) fn encode_scope(
    sources: &[IpAddr],
    session: IpAddr,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    if sources.iter().any(|source| source.is_ipv4() != session.is_ipv4()) {
        return Err(EncodeError::MixedFamilies);
    }
    let mut sources = sources.to_vec();
    sources.sort_unstable();
    encode_object(out, ClassNum::SCOPE, family_ctype(session), |out| {
        for source in sources {
            encode_address(out, source);
        }
    })
}

/// RESV_CONFIRM (RFC 2205 section A.14).
///
/// ```text
/// +-------------+-------------+-------------+-------------+
/// |         Receiver Address (IPv4: 4 bytes, IPv6: 16)    |
/// +-------------+-------------+-------------+-------------+
/// ```
fn decode_resv_confirm(ctype: u8, reader: &mut Reader<'_>) -> Result<Option<IpAddr>, DecodeError> {
    decode_family_address(ctype, reader)
}

pub(super) fn encode_resv_confirm(receiver: IpAddr, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    encode_object(out, ClassNum::RESV_CONFIRM, family_ctype(receiver), |out| encode_address(out, receiver))
}

/// An address whose family the C-Type says; `None` for another C-Type.
pub(super) fn decode_family_address(
    ctype: u8,
    reader: &mut Reader<'_>,
) -> Result<Option<IpAddr>, DecodeError> {
    match ctype {
        ctype::IPV4 => reader.ipv4().map(Some),
        ctype::IPV6 => Ok(Some(reader.ipv6()?.into())),
        _ => Ok(None),
    }
}
