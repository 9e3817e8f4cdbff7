//! MESSAGE_ID, MESSAGE_ID_ACK, MESSAGE_ID_NACK and MESSAGE_ID_LIST (RFC 2961 sections 4.2, 4.3, 5.1).

use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use super::code::{ClassNum, MessageType, ctype};
use super::error::{DecodeError, EncodeError};
use super::object::{HEADER_LEN, encode_address, encode_object};
use super::raw::{COMMON_HEADER_LEN, read_contents};
use super::reader::Reader;

/// What names a message: unique among all that its generator, one IP address, has sent (RFC 2961 section 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MessageId {
    /// Epoch: 24 bits that change whenever the generator restarts.
    pub epoch: u32,
    /// Message_Identifier.
    pub id: u32,
}

impl MessageId {
    /// Whether it was generated before `other`: same Epoch, and lower as far as the wrap-around of 32 bits lets one tell
    /// (RFC 2961 section 4.5). Of two identifiers that are exactly half the range apart, neither is older.
    #[must_use]
    pub const fn is_older_than(self, other: Self) -> bool {
        self.epoch == other.epoch && other.id.wrapping_sub(self.id).cast_signed() > 0
    }
}

/// Epoch and Message_Identifier: `0x123456/7`.
impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#08x}/{}", self.epoch, self.id)
    }
}

/// The contents of MESSAGE_ID (class 23), MESSAGE_ID_ACK (class 24, C-Type 1) and MESSAGE_ID_NACK (class 24, C-Type 2).
///
/// ```text
/// +-------------+-------------+-------------+-------------+
/// |    Flags    |                   Epoch                 |
/// +-------------+-------------+-------------+-------------+
/// |                  Message_Identifier                   |
/// +-------------+-------------+-------------+-------------+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FlaggedId {
    /// Flags: [`ACK_DESIRED`](Self::ACK_DESIRED) in MESSAGE_ID; none in the others, where they are ignored.
    pub flags: u8,
    /// Epoch and Message_Identifier.
    pub id: MessageId,
}

impl FlaggedId {
    /// The sender of the message wants it acknowledged.
    pub const ACK_DESIRED: u8 = 0x01;

    /// Octets of the object.
    pub const OBJECT_LEN: usize = HEADER_LEN + 8;

    /// Without flags.
    #[must_use]
    pub const fn plain(id: MessageId) -> Self {
        Self { flags: 0, id }
    }

    /// A message that is to be acknowledged.
    #[must_use]
    pub const fn wanting_ack(id: MessageId) -> Self {
        Self { flags: Self::ACK_DESIRED, id }
    }

    /// Whether an acknowledgement is wanted.
    #[must_use]
    pub const fn wants_ack(self) -> bool {
        self.flags & Self::ACK_DESIRED != 0
    }

    /// The MESSAGE_ID object.
    pub(crate) fn to_object(self) -> [u8; Self::OBJECT_LEN] {
        let [first, second] = (Self::OBJECT_LEN as u16).to_be_bytes();
        let [_, high, middle, low] = self.id.epoch.to_be_bytes();
        let [a, b, c, d] = self.id.id.to_be_bytes();
        [first, second, ClassNum::MESSAGE_ID.0, ctype::DEFAULT, self.flags, high, middle, low, a, b, c, d]
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (flags, epoch) = flags_and_epoch(reader)?;
        Ok(Self { flags, id: MessageId { epoch, id: reader.u32()? } })
    }

    pub(super) fn decode_message_id(ctype: u8, reader: &mut Reader<'_>) -> Result<Option<Self>, DecodeError> {
        if ctype == ctype::DEFAULT { Self::decode(reader).map(Some) } else { Ok(None) }
    }

    pub(super) fn encode(self, class: ClassNum, ctype: u8, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        encode_object(out, class, ctype, |out| {
            encode_epoch(self.flags, self.id.epoch, out);
            out.extend_from_slice(&self.id.id.to_be_bytes());
        })
    }
}

/// A MESSAGE_ID_ACK or MESSAGE_ID_NACK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Acknowledgement {
    /// The message has arrived.
    Ack(FlaggedId),
    /// A summary refresh named it, and no state was found that it had advertised.
    Nack(FlaggedId),
}

impl Acknowledgement {
    /// Octets of the object.
    pub const ENCODED_LEN: usize = HEADER_LEN + 8;

    /// What it is about.
    #[must_use]
    pub const fn id(self) -> MessageId {
        match self {
            Self::Ack(flagged) | Self::Nack(flagged) => flagged.id,
        }
    }

    pub(super) fn decode(ctype: u8, reader: &mut Reader<'_>) -> Result<Option<Self>, DecodeError> {
        let form = match ctype {
            ctype::MESSAGE_ID_ACK => Self::Ack,
            ctype::MESSAGE_ID_NACK => Self::Nack,
            _ => return Ok(None),
        };
        FlaggedId::decode(reader).map(form).map(Some)
    }

    pub(crate) fn encode(self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self {
            Self::Ack(flagged) => flagged.encode(ClassNum::MESSAGE_ID_ACK, ctype::MESSAGE_ID_ACK, out),
            Self::Nack(flagged) => flagged.encode(ClassNum::MESSAGE_ID_ACK, ctype::MESSAGE_ID_NACK, out),
        }
    }
}

/// The objects of RFC 2961 that any message may have in front: after INTEGRITY, before all others (section 4.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Head {
    /// MESSAGE_ID_ACK and MESSAGE_ID_NACK, which have nothing to do with the message that carries them.
    pub acknowledgements: Vec<Acknowledgement>,
    /// MESSAGE_ID.
    pub message_id: Option<FlaggedId>,
}

impl Head {
    /// Whether there is none of it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.acknowledgements.is_empty() && self.message_id.is_none()
    }

    /// Reads the head of a message, given from its common header on, and tells at which octet the other objects begin.
    ///
    /// # Errors
    ///
    /// When one of the objects is not of its form, or the length of one of them or of the next is impossible. What
    /// stands behind the head is not looked at otherwise.
    pub fn split(message: &[u8]) -> Result<(Self, usize), DecodeError> {
        let mut head = Self::default();
        let objects = message.get(COMMON_HEADER_LEN..).unwrap_or_default();
        let mut reader = Reader::new(objects, COMMON_HEADER_LEN);
        while head.message_id.is_none() && !reader.is_empty() {
            let mut next = reader;
            let object = read_contents(&mut next)?;
            match object.class {
                ClassNum::MESSAGE_ID_ACK => {
                    head.acknowledgements.push(object.read(Acknowledgement::decode)?);
                }
                ClassNum::MESSAGE_ID => head.message_id = Some(object.read(FlaggedId::decode_message_id)?),
                ClassNum::NULL => {}
                ClassNum::INTEGRITY if object.offset == COMMON_HEADER_LEN => {}
                _ => break,
            }
            reader = next;
        }
        Ok((head, reader.offset()))
    }

    /// Appends the objects.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        for acknowledgement in &self.acknowledgements {
            acknowledgement.encode(out)?;
        }
        self.message_id.map_or(Ok(()), |id| id.encode(ClassNum::MESSAGE_ID, ctype::DEFAULT, out))
    }
}

/// MESSAGE_ID_LIST object (class 25): the state that a summary refresh refreshes (RFC 2961 section 5.1).
///
/// ```text
/// +-------------+-------------+-------------+-------------+
/// |    Flags    |                   Epoch                 |
/// +-------------+-------------+-------------+-------------+
/// //                       entries                       //
/// +-------------+-------------+-------------+-------------+
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct IdList {
    /// Flags: none; ignored.
    pub flags: u8,
    /// The Epoch of all its identifiers.
    pub epoch: u32,
    /// The identifiers, with what belongs to them.
    pub entries: IdEntries,
}

/// The three forms of a list. There is at least one entry, and all addresses are of one family.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum IdEntries {
    /// MESSAGE_ID LIST (C-Type 1), 4 octets each: Resv state, and Path state of unicast sessions.
    ///
    /// ```text
    /// +-------------+-------------+-------------+-------------+
    /// |                  Message_Identifier                   |
    /// +-------------+-------------+-------------+-------------+
    /// ```
    Plain(Vec<u32>),
    /// SRC_LIST (C-Types 2 and 3), 8 or 20 octets each: Path state of the group that the message goes to, with the
    /// sender.
    ///
    /// ```text
    /// +-------------+-------------+-------------+-------------+
    /// |                  Message_Identifier                   |
    /// +-------------+-------------+-------------+-------------+
    /// |         Source_IP_Address (IPv4: 4 bytes, IPv6: 16)   |
    /// +-------------+-------------+-------------+-------------+
    /// ```
    Sources(Vec<(u32, IpAddr)>),
    /// MCAST_LIST (C-Types 4 and 5), 12 or 36 octets each: Path state of groups, with the sender and the group.
    ///
    /// ```text
    /// +-------------+-------------+-------------+-------------+
    /// |                  Message_Identifier                   |
    /// +-------------+-------------+-------------+-------------+
    /// |         Source_IP_Address (IPv4: 4 bytes, IPv6: 16)   |
    /// +-------------+-------------+-------------+-------------+
    /// |      Destination_IP_Address (IPv4: 4 bytes, IPv6: 16) |
    /// +-------------+-------------+-------------+-------------+
    /// ```
    Groups(Vec<(u32, IpAddr, IpAddr)>),
}

impl IdList {
    /// A list without flags.
    #[must_use]
    pub const fn new(epoch: u32, entries: IdEntries) -> Self {
        Self { flags: 0, epoch, entries }
    }

    /// What its entries name, in their order.
    pub fn message_ids(&self) -> impl Iterator<Item = MessageId> {
        let id = |index: usize| match &self.entries {
            IdEntries::Plain(ids) => ids[index],
            IdEntries::Sources(entries) => entries[index].0,
            IdEntries::Groups(entries) => entries[index].0,
        };
        (0..self.len()).map(move |index| MessageId { epoch: self.epoch, id: id(index) })
    }

    /// How many entries it has.
    #[must_use]
    pub const fn len(&self) -> usize {
        match &self.entries {
            IdEntries::Plain(ids) => ids.len(),
            IdEntries::Sources(entries) => entries.len(),
            IdEntries::Groups(entries) => entries.len(),
        }
    }

    /// Whether it has no entry; no such list may be sent.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn decode(ctype: u8, reader: &mut Reader<'_>) -> Result<Option<Self>, DecodeError> {
        if !matches!(ctype, ctype::MESSAGE_ID_LIST..=ctype::MCAST_LIST_IPV6) {
            return Ok(None);
        }
        let (flags, epoch) = flags_and_epoch(reader)?;
        let is_ipv4 = matches!(ctype, ctype::SRC_LIST_IPV4 | ctype::MCAST_LIST_IPV4);
        let address = |reader: &mut Reader<'_>| {
            if is_ipv4 { reader.ipv4() } else { reader.ipv6().map(Into::into) }
        };
        let entries = match ctype {
            ctype::MESSAGE_ID_LIST => IdEntries::Plain(all(reader, Reader::u32)?),
            ctype::SRC_LIST_IPV4 | ctype::SRC_LIST_IPV6 => {
                IdEntries::Sources(all(reader, |reader| Ok((reader.u32()?, address(reader)?)))?)
            }
            _ => {
                let entry = |reader: &mut Reader<'_>| Ok((reader.u32()?, address(reader)?, address(reader)?));
                IdEntries::Groups(all(reader, entry)?)
            }
        };
        Ok(Some(Self { flags, epoch, entries }))
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        encode_object(out, ClassNum::MESSAGE_ID_LIST, self.ctype()?, |out| {
            encode_epoch(self.flags, self.epoch, out);
            match &self.entries {
                IdEntries::Plain(ids) => ids.iter().for_each(|id| out.extend_from_slice(&id.to_be_bytes())),
                IdEntries::Sources(entries) => {
                    for (id, source) in entries {
                        out.extend_from_slice(&id.to_be_bytes());
                        encode_address(out, *source);
                    }
                }
                IdEntries::Groups(entries) => {
                    for (id, source, group) in entries {
                        out.extend_from_slice(&id.to_be_bytes());
                        encode_address(out, *source);
                        encode_address(out, *group);
                    }
                }
            }
        })
    }

    fn ctype(&self) -> Result<u8, EncodeError> {
        match &self.entries {
            IdEntries::Plain(_) => Ok(ctype::MESSAGE_ID_LIST),
            IdEntries::Sources(entries) => {
                let addresses = entries.iter().map(|(_, source)| *source);
                of_family(addresses, [ctype::SRC_LIST_IPV4, ctype::SRC_LIST_IPV6])
            }
            IdEntries::Groups(entries) => {
                let addresses = entries.iter().flat_map(|(_, source, group)| [*source, *group]);
                of_family(addresses, [ctype::MCAST_LIST_IPV4, ctype::MCAST_LIST_IPV6])
            }
        }
    }
}

/// The C-Type for IPv4 or that for IPv6.
fn of_family(mut addresses: impl Iterator<Item = IpAddr>, [v4, v6]: [u8; 2]) -> Result<u8, EncodeError> {
    let is_ipv4 = addresses.next().is_none_or(|first| first.is_ipv4());
    if addresses.any(|address| address.is_ipv4() != is_ipv4) {
        return Err(EncodeError::MixedFamilies);
    }
    Ok(if is_ipv4 { v4 } else { v6 })
}

/// Writes a MESSAGE_ID_LIST entry by entry.
#[derive(Debug)]
pub(crate) struct ListWriter {
    start: usize,
}

impl ListWriter {
    /// Octets in front of the first entry.
    pub(crate) const HEADER_LEN: usize = HEADER_LEN + 4;

    /// Begins a list.
    pub(crate) fn begin(ctype: u8, epoch: u32, out: &mut Vec<u8>) -> Self {
        let start = out.len();
        out.extend_from_slice(&[0, 0, ClassNum::MESSAGE_ID_LIST.0, ctype]);
        encode_epoch(0, epoch, out);
        Self { start }
    }

    /// Adds an entry.
    pub(crate) fn add(id: u32, addresses: &[IpAddr], out: &mut Vec<u8>) {
        out.extend_from_slice(&id.to_be_bytes());
        addresses.iter().for_each(|address| encode_address(out, *address));
    }

    /// Ends the list; one without entries is taken back.
    pub(crate) fn end(self, out: &mut Vec<u8>) {
        let length = out.len() - self.start;
        match u16::try_from(length) {
            Ok(field) if length > Self::HEADER_LEN => {
                out[self.start..self.start + 2].copy_from_slice(&field.to_be_bytes());
            }
            _ => out.truncate(self.start),
        }
    }
}

/// Reads entries until there is nothing left; at least one.
fn all<'a, T>(
    reader: &mut Reader<'a>,
    mut entry: impl FnMut(&mut Reader<'a>) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    let mut entries = alloc::vec![entry(reader)?];
    while !reader.is_empty() {
        entries.push(entry(reader)?);
    }
    Ok(entries)
}

fn flags_and_epoch(reader: &mut Reader<'_>) -> Result<(u8, u32), DecodeError> {
    let word = reader.u32()?;
    let [flags, ..] = word.to_be_bytes();
    Ok((flags, word & 0x00ff_ffff))
}

fn encode_epoch(flags: u8, epoch: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(&(u32::from(flags) << 24 | epoch & 0x00ff_ffff).to_be_bytes());
}

/// Srefresh message (RFC 2961 section 5.2): refreshes state by the identifiers of the messages that advertised it.
///
/// ```text
/// <Srefresh Message> ::= <Common Header> [ <INTEGRITY> ]
///                        [ [ <MESSAGE_ID_ACK> | <MESSAGE_ID_NACK> ] ... ]
///                        [ <MESSAGE_ID> ]
///                        <srefresh list> | <source srefresh list>
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Srefresh {
    /// One or more lists. SRC_LIST is not combined with the other forms.
    pub lists: Vec<IdList>,
}

/// Whether a message type may have a MESSAGE_ID (RFC 2961 section 4.5): all but Ack and Bundle.
pub(super) const fn may_have_id(message_type: MessageType) -> bool {
    !matches!(message_type, MessageType::ACK | MessageType::BUNDLE)
}
