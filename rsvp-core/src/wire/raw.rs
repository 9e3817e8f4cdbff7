//! Stage one: the common header and a lossless list of objects (RFC 2205 sections 3.1.1 and 3.1.2).

use alloc::vec::Vec;

use super::code::{ClassNum, MessageType};
use super::error::{DecodeError, DecodeErrorKind, EncodeError};
use super::error_spec::ErrorSpec;
use super::filter_spec::{FilterSpec, SenderTemplate};
use super::flowspec::Flowspec;
use super::hop::RsvpHop;
use super::message::{Header, Message};
use super::object::{Contents, HEADER_LEN, Object, RawObject, RawObjectAt};
use super::reader::Reader;
use super::session::Session;
use super::style::Style;

/// The common header.
///
/// ```text
///        0             1              2             3
/// +-------------+-------------+-------------+-------------+
/// | Vers | Flags|  Msg Type   |       RSVP Checksum       |
/// +-------------+-------------+-------------+-------------+
/// |  Send_TTL   | (Reserved)  |        RSVP Length        |
/// +-------------+-------------+-------------+-------------+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommonHeader {
    /// Vers, 4 bits: 1.
    pub version: u8,
    /// Flags, 4 bits: [`Header::REFRESH_REDUCTION`].
    pub flags: u8,
    /// Msg Type.
    pub message_type: MessageType,
    /// RSVP Checksum as it came; 0 means that the sender computed none.
    pub checksum: u16,
    /// Send_TTL: the TTL that the message was sent with.
    pub send_ttl: u8,
    /// Reserved; sent as zero.
    pub reserved: u8,
    /// RSVP Length in octets, this header included.
    pub length: u16,
}

/// A message as a list of objects, none of them interpreted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawMessage {
    /// The common header.
    pub header: CommonHeader,
    /// The objects in the order in which they came.
    pub objects: Vec<RawObjectAt>,
}

/// What could be read of a damaged message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartialMessage {
    /// The common header, if there are enough octets.
    pub header: Option<CommonHeader>,
    /// The objects in front of the damage.
    pub objects: Vec<RawObjectAt>,
}

pub(super) const COMMON_HEADER_LEN: usize = 8;
const VERSION: u8 = 1;

impl CommonHeader {
    /// Reads the header of a datagram and looks no further.
    ///
    /// # Errors
    ///
    /// When the datagram is shorter than the header.
    pub fn peek(datagram: &[u8]) -> Result<Self, DecodeError> {
        Self::decode(&mut Reader::new(datagram, 0))
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let available = reader.remaining();
        if available < COMMON_HEADER_LEN {
            let kind = DecodeErrorKind::Truncated { needed: COMMON_HEADER_LEN, available };
            return Err(DecodeError::new(reader.offset(), kind));
        }
        let first = reader.u8()?;
        Ok(Self {
            version: first >> 4,
            flags: first & 0x0f,
            message_type: MessageType(reader.u8()?),
            checksum: reader.u16()?,
            send_ttl: reader.u8()?,
            reserved: reader.u8()?,
            length: reader.u16()?,
        })
    }

    fn to_bytes(self) -> [u8; COMMON_HEADER_LEN] {
        let [checksum_high, checksum_low] = self.checksum.to_be_bytes();
        let [length_high, length_low] = self.length.to_be_bytes();
        [
            self.version << 4 | self.flags & 0x0f,
            self.message_type.0,
            checksum_high,
            checksum_low,
            self.send_ttl,
            self.reserved,
            length_high,
            length_low,
        ]
    }

    /// Whether the sender computed a checksum.
    #[must_use]
    pub const fn has_checksum(&self) -> bool {
        self.checksum != 0
    }

    /// Checks what the header says of the whole datagram.
    ///
    /// # Errors
    ///
    /// When it is of another version, or its length or checksum are wrong.
    pub fn check(&self, datagram: &[u8]) -> Result<(), DecodeError> {
        if self.version != VERSION {
            return Err(DecodeError::new(0, DecodeErrorKind::BadVersion(self.version)));
        }
        let (stated, available) = (usize::from(self.length), datagram.len());
        if stated != available {
            return Err(DecodeError::new(6, DecodeErrorKind::BadLength { stated, available }));
        }
        let computed = transmitted_checksum(datagram);
        if self.has_checksum() && computed != self.checksum {
            let kind = DecodeErrorKind::BadChecksum { found: self.checksum, computed };
            return Err(DecodeError::new(2, kind));
        }
        Ok(())
    }
}

impl RawMessage {
    /// Reads a whole datagram.
    ///
    /// # Errors
    ///
    /// When it is truncated, of another version, its length or checksum are wrong, or an object's length is impossible.
    pub fn decode(datagram: &[u8]) -> Result<Self, DecodeError> {
        match Self::decode_partial(datagram) {
            (_, Some(error)) => Err(error),
            (PartialMessage { header: Some(header), objects }, None) => Ok(Self { header, objects }),
            (PartialMessage { header: None, .. }, None) => {
                let kind = DecodeErrorKind::Truncated { needed: COMMON_HEADER_LEN, available: 0 };
                Err(DecodeError::new(0, kind))
            }
        }
    }

    /// Reads as much of a datagram as is readable, and tells the first fault. A wrong length or checksum does not keep
    /// it from reading the objects.
    #[must_use]
    pub fn decode_partial(datagram: &[u8]) -> (PartialMessage, Option<DecodeError>) {
        let mut partial = PartialMessage::default();
        let error = Self::read(datagram, &mut partial).err();
        (partial, error)
    }

    fn read(datagram: &[u8], partial: &mut PartialMessage) -> Result<(), DecodeError> {
        let header = CommonHeader::decode(&mut Reader::new(datagram, 0))?;
        partial.header = Some(header);
        let checked = header.check(datagram);
        if header.version != VERSION {
            return checked;
        }
        if header.message_type == MessageType::BUNDLE {
            return checked.and(Err(DecodeError::new(1, DecodeErrorKind::NestedBundle)));
        }
        let end = usize::from(header.length).clamp(COMMON_HEADER_LEN, datagram.len());
        let mut reader = Reader::new(&datagram[COMMON_HEADER_LEN..end], COMMON_HEADER_LEN);
        let mut read = Ok(());
        while read.is_ok() && !reader.is_empty() {
            read = read_object(&mut reader).map(|object| partial.objects.push(object));
        }
        checked.and(read)
    }

    /// A message of these objects, with length and checksum as they should be.
    ///
    /// # Errors
    ///
    /// When it, or one of its objects, is too long.
    pub fn new(
        message_type: MessageType,
        header: Header,
        objects: impl IntoIterator<Item = RawObject>,
    ) -> Result<Self, EncodeError> {
        let mut bytes = alloc::vec![0; COMMON_HEADER_LEN];
        let mut placed = Vec::new();
        for object in objects {
            let offset = bytes.len();
            object.encode(&mut bytes)?;
            placed.push(RawObjectAt { offset, object });
        }
        let header = seal(message_type, header, &mut bytes)?;
        Ok(Self { header, objects: placed })
    }

    /// Appends the message. One that was decoded becomes the bytes it was decoded from, checksum included.
    ///
    /// # Errors
    ///
    /// When an object is too long.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.extend_from_slice(&self.header.to_bytes());
        self.objects.iter().try_for_each(|placed| placed.object.encode(out))
    }

    /// What a node without RFC 2961 makes of the message, if there is an object of it: the class is unknown
    /// (error code 13).
    #[must_use]
    pub(crate) fn extension(&self) -> Option<DecodeError> {
        let classes = [ClassNum::MESSAGE_ID, ClassNum::MESSAGE_ID_ACK, ClassNum::MESSAGE_ID_LIST];
        let placed = self.objects.iter().find(|placed| classes.contains(&placed.object.class_num()))?;
        let kind =
            DecodeErrorKind::UnknownClass { class: placed.object.class_num(), ctype: placed.object.ctype };
        Some(DecodeError::new(placed.offset, kind))
    }

    /// The first object of a class.
    #[must_use]
    pub fn object(&self, class: ClassNum) -> Option<&RawObjectAt> {
        self.objects.iter().find(|placed| placed.object.class_num() == class)
    }

    /// SESSION, if it is there and understood.
    #[must_use]
    pub fn session(&self) -> Option<Session> {
        match self.typed(ClassNum::SESSION)? {
            Object::Session(session) => Some(session),
            _ => None,
        }
    }

    /// RSVP_HOP, if it is there and understood.
    #[must_use]
    pub fn hop(&self) -> Option<RsvpHop> {
        match self.typed(ClassNum::RSVP_HOP)? {
            Object::RsvpHop(hop) => Some(hop),
            _ => None,
        }
    }

    /// SENDER_TEMPLATE, if it is there and understood.
    #[must_use]
    pub fn sender_template(&self) -> Option<SenderTemplate> {
        match self.typed(ClassNum::SENDER_TEMPLATE)? {
            Object::SenderTemplate(template) => Some(template),
            _ => None,
        }
    }

    /// STYLE, if it is there and understood.
    #[must_use]
    pub fn style(&self) -> Option<Style> {
        match self.typed(ClassNum::STYLE)? {
            Object::Style(style) => Some(style),
            _ => None,
        }
    }

    /// The first FLOWSPEC.
    #[must_use]
    pub fn flowspec(&self) -> Option<Flowspec> {
        match self.typed(ClassNum::FLOWSPEC)? {
            Object::Flowspec(flowspec) => Some(flowspec),
            _ => None,
        }
    }

    /// The first FILTER_SPEC, if it is understood.
    #[must_use]
    pub fn filter_spec(&self) -> Option<FilterSpec> {
        match self.typed(ClassNum::FILTER_SPEC)? {
            Object::FilterSpec(filter) => Some(filter),
            _ => None,
        }
    }

    /// The PathErr or ResvErr for a Path or Resv that could not be interpreted (error codes 6, 13 and 14): the objects
    /// that an error message repeats are copied as they came, understood or not (RFC 2205 sections 3.1.7 and 3.1.8).
    /// Of several FF flow descriptors only the first is repeated. `hop` is the RSVP_HOP for a ResvErr.
    ///
    /// `None` for other message types, which are not answered, if there is not enough to repeat, and if what would be
    /// repeated is out of order itself.
    #[must_use]
    pub fn error_reply(&self, header: Header, hop: &RsvpHop, error: &ErrorSpec) -> Option<Self> {
        let copies = |class: ClassNum| {
            let all = self.objects.iter().map(|placed| &placed.object);
            all.filter(move |object| object.class_num() == class).cloned()
        };
        let mut objects = Vec::new();
        objects.push(copies(ClassNum::SESSION).next()?);
        let error = Object::ErrorSpec(*error).encode().ok()?;
        let message_type = match self.header.message_type {
            MessageType::PATH => {
                objects.push(error);
                objects.push(copies(ClassNum::SENDER_TEMPLATE).next()?);
                objects.extend(copies(ClassNum::SENDER_TSPEC).next());
                objects.extend(copies(ClassNum::ADSPEC).next());
                MessageType::PATH_ERR
            }
            MessageType::RESV => {
                objects.push(Object::RsvpHop(*hop).encode().ok()?);
                objects.push(error);
                objects.extend(copies(ClassNum::SCOPE).next());
                objects.push(copies(ClassNum::STYLE).next()?);
                objects.extend(copies(ClassNum::FLOWSPEC).next());
                let filters = if self.style() == Some(Style::Se) { usize::MAX } else { 1 };
                objects.extend(copies(ClassNum::FILTER_SPEC).take(filters));
                MessageType::RESV_ERR
            }
            _ => return None,
        };
        let reply = Self::new(message_type, header, objects).ok()?;
        let is_broken = Message::parse(&reply, usize::MAX).is_err_and(|error| error.reply().is_none());
        (!is_broken).then_some(reply)
    }

    fn typed(&self, class: ClassNum) -> Option<Object> {
        self.object(class)?.decode().ok()
    }
}

fn read_object(reader: &mut Reader<'_>) -> Result<RawObjectAt, DecodeError> {
    let Contents { class, ctype, bytes, offset } = read_contents(reader)?;
    Ok(RawObjectAt { offset, object: RawObject { class: class.0, ctype, contents: bytes.to_vec() } })
}

/// The next object.
pub(super) fn read_contents<'a>(reader: &mut Reader<'a>) -> Result<Contents<'a>, DecodeError> {
    let (offset, available) = (reader.offset(), reader.remaining());
    let mut object = *reader;
    let stated = usize::from(object.u16()?);
    if stated < HEADER_LEN || stated % 4 != 0 || stated > available {
        return Err(DecodeError::new(offset, DecodeErrorKind::BadObjectLength { stated, available }));
    }
    let mut object = reader.split(stated)?;
    object.u16()?;
    let (class, ctype) = (ClassNum(object.u8()?), object.u8()?);
    Ok(Contents { class, ctype, bytes: object.bytes(object.remaining())?, offset })
}

/// Writes the common header, length and checksum included, over the first octets of a message whose objects are there.
pub(crate) fn seal(
    message_type: MessageType,
    header: Header,
    message: &mut [u8],
) -> Result<CommonHeader, EncodeError> {
    let length = message.len();
    let field = u16::try_from(length).map_err(|_| EncodeError::TooLong { length })?;
    let Header { flags, send_ttl } = header;
    let mut header = CommonHeader {
        version: VERSION,
        flags: flags & 0x0f,
        message_type,
        checksum: 0,
        send_ttl,
        reserved: 0,
        length: field,
    };
    message[..COMMON_HEADER_LEN].copy_from_slice(&header.to_bytes());
    header.checksum = transmitted_checksum(message);
    message[..COMMON_HEADER_LEN].copy_from_slice(&header.to_bytes());
    Ok(header)
}

/// What belongs into the checksum field of a message, whatever is in it: never 0, which says that there is none. In
/// one's complement 0xffff is the same number.
fn transmitted_checksum(message: &[u8]) -> u16 {
    match checksum(message) {
        0 => 0xffff,
        checksum => checksum,
    }
}

/// The one's complement of the one's complement sum of a message with its checksum field taken as zero.
fn checksum(message: &[u8]) -> u16 {
    let (words, rest) = message.as_chunks::<4>();
    let mut sum: u64 = words.iter().map(|word| u64::from(u32::from_be_bytes(*word))).sum();
    let mut last = [0; 4];
    last[..rest.len()].copy_from_slice(rest);
    sum += u64::from(u32::from_be_bytes(last));
    if let Some([_, _, high, low]) = words.first() {
        sum -= u64::from(u16::from_be_bytes([*high, *low]));
    }
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    !(sum as u16)
}
