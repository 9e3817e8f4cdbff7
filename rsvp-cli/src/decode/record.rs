//! What a frame says: the packet, the message, its objects, and what is wrong with them.

use std::time::SystemTime;

use rsvp_core::wire::{CommonHeader, DecodeError, DecodeErrorKind, Object, RawMessage, RawObject};
use serde::Serialize;

use super::capture::Frame;
use super::packet::{Content, Fragment, Packet, dissect};

/// Everything to print about one frame.
#[derive(Debug)]
pub(super) struct Record<'a> {
    pub(super) frame: u64,
    pub(super) time: Option<SystemTime>,
    /// `None` when the frame is damaged before it tells what it is.
    pub(super) packet: Option<Packet<'a>>,
    /// `None` when the packet holds no start of a message.
    pub(super) message: Option<Message>,
    pub(super) error: Option<String>,
}

/// A message as far as it could be read.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) header: Option<CommonHeader>,
    pub(super) checksum: Checksum,
    objects: Vec<(RawObject, Result<Object, DecodeError>)>,
}

/// What the checksum of a message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Checksum {
    Ok,
    Bad,
    /// The sender computed none, or there is not the whole message to check.
    None,
}

/// What becomes of a frame.
#[derive(Debug)]
pub(super) enum Outcome<'a> {
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
    pub(super) fn of(frame: &Frame<'a>) -> Outcome<'a> {
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

    /// The objects in front of the damage, and what they hold.
    pub(super) fn objects(&self) -> impl Iterator<Item = (&RawObject, &Result<Object, DecodeError>)> {
        self.message.iter().flat_map(|message| &message.objects).map(|(raw, object)| (raw, object))
    }
}

impl Message {
    /// Reads the message of a packet, and tells the first fault.
    fn read(packet: &Packet<'_>) -> (Self, Option<String>) {
        let (partial, error) = RawMessage::decode_partial(packet.payload);
        let is_whole = !packet.is_cut && packet.fragment.is_none();
        let objects: Vec<_> = partial
            .objects
            .into_iter()
            .map(|placed| {
                let decoded = placed.decode();
                (placed.object, decoded)
            })
            .collect();
        let checksum = match partial.header {
            Some(header) if is_whole && header.has_checksum() => Checksum::after(error.as_ref()),
            _ => Checksum::None,
        };
        let fault = if packet.is_cut {
            Some(cut(partial.header.as_ref(), packet.payload.len()))
        } else if packet.fragment.is_some() {
            None
        } else {
            let contents = objects.iter().filter_map(|(_, object)| object.as_ref().err());
            let damaged =
                contents.filter(|error| !matches!(error.kind, DecodeErrorKind::UnknownCType { .. }));
            error.as_ref().or(damaged.min_by_key(|error| error.offset)).map(ToString::to_string)
        };
        (Self { header: partial.header, checksum, objects }, fault)
    }
}

impl Checksum {
    /// The checksum is looked at when version and length are right, and before the objects are.
    fn after(error: Option<&DecodeError>) -> Self {
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
