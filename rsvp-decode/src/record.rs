//! What a frame says: the packet, the message or the messages of a Bundle, their objects, and what is wrong with them.

use std::time::SystemTime;

use rsvp_core::wire::{
    Bundle, CommonHeader, DecodeError, DecodeErrorKind, MessageType, Object, RawMessage, RawObject,
};
use serde::Serialize;

use crate::packet::{Content, Fragment, LinkType, Packet, dissect};

/// One captured packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Counts the packets of the file from 1.
    pub number: u64,
    /// When it was captured.
    pub time: Option<SystemTime>,
    /// What its first octets are.
    pub link: LinkType,
    /// As much of it as there is.
    pub data: &'a [u8],
    /// What is wrong with the record itself; `data` is what could be saved.
    pub damage: Option<String>,
}

/// Everything to print about one frame.
#[derive(Debug)]
pub struct Record<'a> {
    /// The number of the frame.
    pub frame: u64,
    /// When it was captured.
    pub time: Option<SystemTime>,
    /// `None` when the frame is damaged before it tells what it is.
    pub packet: Option<Packet<'a>>,
    /// `None` when the packet holds no start of a message.
    pub message: Option<Message>,
    /// What is wrong.
    pub error: Option<String>,
}

/// A message as far as it could be read.
#[derive(Debug)]
pub struct Message {
    /// Its header.
    pub header: Option<CommonHeader>,
    /// What its checksum says.
    pub checksum: Checksum,
    /// The objects in front of the damage, and what they hold.
    pub objects: Vec<(RawObject, Result<Object, DecodeError>)>,
    /// The messages of a Bundle, and what is wrong with each.
    pub bundled: Vec<(Self, Option<String>)>,
}

/// What the checksum of a message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Checksum {
    /// It is right.
    Ok,
    /// It is wrong.
    Bad,
    /// The sender computed none, or there is not the whole message to check.
    None,
}

/// What becomes of a frame.
#[derive(Debug)]
pub enum Outcome<'a> {
    /// It carries RSVP, or is so damaged that it may have.
    Record(Record<'a>),
    /// It does not carry RSVP.
    Other,
    /// It is too short or damaged to tell.
    Unclear,
    /// Its link type is not supported.
    UnknownLink,
}

impl<'a> Record<'a> {
    /// Reads a frame.
    #[must_use]
    pub fn of(frame: &Frame<'a>) -> Outcome<'a> {
        let mut record =
            Record { frame: frame.number, time: frame.time, packet: None, message: None, error: None };
        let mut faults = Vec::from_iter(frame.damage.clone());
        match dissect(frame.link, frame.data) {
            Content::Rsvp(packet) => {
                faults.extend(packet.fragment.map(|fragment| describe(fragment, packet.payload.len())));
                if packet.fragment.is_none_or(|fragment| fragment.offset == 0) {
                    let (message, fault) = Message::read(&packet);
                    faults.extend(fault);
                    record.message = Some(message);
                }
                record.packet = Some(packet);
            }
            // A damaged record may have been RSVP.
            Content::Unclear if frame.damage.is_some() => {}
            Content::Unclear => return Outcome::Unclear,
            Content::Other => return Outcome::Other,
            Content::UnknownLink => return Outcome::UnknownLink,
        }
        record.error = (!faults.is_empty()).then(|| faults.join("; "));
        Outcome::Record(record)
    }
}

impl Message {
    /// Reads a message that is all there, and tells the first fault.
    pub(crate) fn whole(bytes: &[u8]) -> (Self, Option<String>) {
        Self::parse(bytes, true)
    }

    fn parse(bytes: &[u8], is_whole: bool) -> (Self, Option<String>) {
        match CommonHeader::peek(bytes) {
            Ok(header) if header.message_type == MessageType::BUNDLE => Self::bundle(header, bytes, is_whole),
            _ => Self::single(bytes, is_whole),
        }
    }

    /// Reads the message of a packet, and tells the first fault.
    fn read(packet: &Packet<'_>) -> (Self, Option<String>) {
        let is_whole = !packet.is_cut && packet.fragment.is_none();
        let (message, fault) = Self::parse(packet.payload, is_whole);
        let fault = if packet.is_cut {
            Some(cut(message.header.as_ref(), packet.payload.len()))
        } else {
            fault.filter(|_| is_whole)
        };
        (message, fault)
    }

    fn single(bytes: &[u8], is_whole: bool) -> (Self, Option<String>) {
        let (partial, error) = RawMessage::decode_partial(bytes);
        let objects: Vec<_> = partial
            .objects
            .into_iter()
            .map(|placed| {
                let decoded = placed.decode();
                (placed.object, decoded)
            })
            .collect();
        let contents = objects.iter().filter_map(|(_, object)| object.as_ref().err());
        let damaged = contents.filter(|error| !matches!(error.kind, DecodeErrorKind::UnknownCType { .. }));
        let fault = error.as_ref().or(damaged.min_by_key(|error| error.offset)).map(ToString::to_string);
        let checksum = Checksum::of(partial.header.as_ref(), error.as_ref(), is_whole);
        (Self { header: partial.header, checksum, objects, bundled: Vec::new() }, fault)
    }

    fn bundle(header: CommonHeader, bytes: &[u8], is_whole: bool) -> (Self, Option<String>) {
        let bundled: Vec<_> = Bundle::parts(bytes).map(|(_, part)| Self::single(part, true)).collect();
        let error = Bundle::decode(bytes).err();
        let of_message = |(position, (_, fault)): (usize, &(Self, Option<String>))| {
            fault.as_ref().map(|fault| format!("message {}: {fault}", position + 1))
        };
        let fault = error.as_ref().map(ToString::to_string);
        let fault = fault.or_else(|| bundled.iter().enumerate().find_map(of_message));
        let checksum = Checksum::of(Some(&header), error.as_ref(), is_whole);
        (Self { header: Some(header), checksum, objects: Vec::new(), bundled }, fault)
    }
}

impl Checksum {
    /// The checksum is looked at when version and length are right, and before the contents are.
    fn of(header: Option<&CommonHeader>, error: Option<&DecodeError>, is_whole: bool) -> Self {
        if !is_whole || !header.is_some_and(CommonHeader::has_checksum) {
            return Self::None;
        }
        match error.map(|error| error.kind) {
            Some(DecodeErrorKind::BadVersion(_) | DecodeErrorKind::BadLength { .. }) => Self::None,
            Some(DecodeErrorKind::BadChecksum { .. }) => Self::Bad,
            _ => Self::Ok,
        }
    }
}

fn describe(fragment: Fragment, length: usize) -> String {
    let Fragment { identification, offset, is_last } = fragment;
    let end = u64::from(offset) + length as u64;
    let place = if is_last { "the last" } else { "more follow" };
    format!("fragment: bytes {offset} to {end} of datagram {identification:#x}, {place}; not reassembled")
}

fn cut(header: Option<&CommonHeader>, captured: usize) -> String {
    match header {
        Some(header) => format!("truncated: the capture has {captured} of {} bytes", header.length),
        None => format!("truncated: the capture has {captured} bytes of the message"),
    }
}
