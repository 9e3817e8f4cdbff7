//! Bundle messages (RFC 2961 section 3): several messages in one datagram.

use alloc::vec::Vec;

use super::code::MessageType;
use super::error::{DecodeError, DecodeErrorKind, EncodeError};
use super::message::Header;
use super::raw::{COMMON_HEADER_LEN, CommonHeader, seal};

/// A Bundle message, read from a datagram.
///
/// ```text
///        0             1              2             3
/// +-------------+-------------+-------------+-------------+
/// | Vers | Flags|  Msg type   |       RSVP checksum       |
/// +-------------+-------------+-------------+-------------+
/// |  Send_TTL   | (Reserved)  |        RSVP length        |
/// +-------------+-------------+-------------+-------------+
/// //          First sub-message (header and body)        //
/// +-------------+-------------+-------------+-------------+
/// //                   More sub-messages                 //
/// +-------------+-------------+-------------+-------------+
/// ```
///
/// A Bundle is no list of objects; each of its messages is one, with a header of its own.
///
/// ```
/// use rsvp_core::wire::{Bundle, Header};
///
/// let ack = [0x11, 13, 0, 0, 255, 0, 0, 8];
/// let mut datagram = Vec::new();
/// Bundle::encode(Header { flags: 1, send_ttl: 255 }, &[&ack, &ack], &mut datagram).unwrap();
/// let bundle = Bundle::decode(&datagram).unwrap();
/// assert_eq!(bundle.messages().count(), 2);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bundle<'a> {
    /// The header of the Bundle itself. Its Send_TTL stands for that of its messages.
    pub header: CommonHeader,
    datagram: &'a [u8],
}

impl<'a> Bundle<'a> {
    /// Octets of the header.
    pub const HEADER_LEN: usize = COMMON_HEADER_LEN;

    /// Reads a whole datagram.
    ///
    /// # Errors
    ///
    /// When it is no Bundle, truncated, of another version, its length or checksum are wrong, or it has no message.
    pub fn decode(datagram: &'a [u8]) -> Result<Self, DecodeError> {
        let header = CommonHeader::peek(datagram)?;
        if header.message_type != MessageType::BUNDLE {
            return Err(DecodeError::new(1, DecodeErrorKind::UnknownMessageType(header.message_type)));
        }
        header.check(datagram)?;
        if datagram.len() == COMMON_HEADER_LEN {
            let kind =
                DecodeErrorKind::Truncated { needed: 2 * COMMON_HEADER_LEN, available: datagram.len() };
            return Err(DecodeError::new(COMMON_HEADER_LEN, kind));
        }
        Ok(Self { header, datagram })
    }

    /// Its messages, each from its common header on, with the offset at which it stands. What is wrong with one of them
    /// does not keep the others from being read, as long as its length tells where the next one begins.
    #[must_use]
    pub const fn messages(&self) -> BundleMessages<'a> {
        BundleMessages { parts: Self::parts(self.datagram) }
    }

    /// What stands behind the header of a Bundle, however damaged, cut where the lengths of its messages say so. What no
    /// length is possible of is one last part. Nothing else is looked at.
    #[must_use]
    pub const fn parts(datagram: &'a [u8]) -> BundleParts<'a> {
        BundleParts { datagram, offset: COMMON_HEADER_LEN }
    }

    /// Appends a Bundle of these messages.
    ///
    /// # Errors
    ///
    /// When it is too long for RSVP. `out` is then as it was.
    pub fn encode(header: Header, messages: &[&[u8]], out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let start = out.len();
        out.resize(start + COMMON_HEADER_LEN, 0);
        messages.iter().for_each(|message| out.extend_from_slice(message));
        let sealed = Self::seal(header, &mut out[start..]);
        if sealed.is_err() {
            out.truncate(start);
        }
        sealed
    }

    /// Writes the header over the first octets of a Bundle whose messages are there.
    pub(crate) fn seal(header: Header, bundle: &mut [u8]) -> Result<(), EncodeError> {
        seal(MessageType::BUNDLE, header, bundle).map(|_| ())
    }
}

/// The messages of a datagram, each from its common header on: those of a Bundle, or the one that it is. They are not
/// looked into; a Bundle that is none gives one error.
///
/// ```
/// use rsvp_core::wire::{RawMessage, messages};
///
/// let datagram = [0x10, 13, 0, 0, 255, 0, 0, 8];
/// for message in messages(&datagram) {
///     assert!(RawMessage::decode(message.unwrap()).unwrap().objects.is_empty());
/// }
/// ```
pub fn messages(datagram: &[u8]) -> impl Iterator<Item = Result<&[u8], DecodeError>> {
    let is_bundle =
        CommonHeader::peek(datagram).is_ok_and(|header| header.message_type == MessageType::BUNDLE);
    let (single, bundle) = match is_bundle.then(|| Bundle::decode(datagram)) {
        None => (Some(Ok(datagram)), None),
        Some(Ok(bundle)) => (None, Some(bundle)),
        Some(Err(error)) => (Some(Err(error)), None),
    };
    let bundled = bundle.into_iter().flat_map(|bundle| bundle.messages());
    single.into_iter().chain(bundled.map(|message| message.map(|(_, bytes)| bytes)))
}

/// The parts of a [`Bundle`], each with the offset at which it stands.
#[derive(Clone, Debug)]
pub struct BundleParts<'a> {
    datagram: &'a [u8],
    offset: usize,
}

impl<'a> Iterator for BundleParts<'a> {
    type Item = (usize, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let offset = self.offset;
        let rest = self.datagram.get(offset..).filter(|rest| !rest.is_empty())?;
        let stated = CommonHeader::peek(rest).map_or(0, |header| usize::from(header.length));
        let is_possible = stated >= COMMON_HEADER_LEN && stated.is_multiple_of(4);
        let part = rest.get(..stated).filter(|_| is_possible).unwrap_or(rest);
        self.offset += part.len();
        Some((offset, part))
    }
}

/// The messages of a [`Bundle`].
#[derive(Clone, Debug)]
pub struct BundleMessages<'a> {
    parts: BundleParts<'a>,
}

impl<'a> Iterator for BundleMessages<'a> {
    type Item = Result<(usize, &'a [u8]), DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (offset, part) = self.parts.next()?;
        let error = |at: usize, kind| Some(Err(DecodeError::new(offset + at, kind)));
        let header = match CommonHeader::peek(part) {
            Ok(header) => header,
            Err(truncated) => return error(0, truncated.kind),
        };
        let (stated, available) = (usize::from(header.length), part.len());
        if stated != available || stated % 4 != 0 {
            return error(6, DecodeErrorKind::BadLength { stated, available });
        }
        if header.message_type == MessageType::BUNDLE {
            return error(0, DecodeErrorKind::NestedBundle);
        }
        Some(Ok((offset, part)))
    }
}
