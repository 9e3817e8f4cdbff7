//! The file: what its octets mean, for the writer and the reader alike.
//!
//! ```text
//! file    =  "RSVPREC" format  frame(header)  frame(record)*
//! frame   =  length of the contents (varint)  check (2 octets)  contents
//! record  =  microseconds since the record before (zigzag varint)  place (varint)  body, if place is 0
//! body    =  kind (1 octet)  value
//! ```
//!
//! Numbers and values are as [postcard](https://postcard.jamesmunns.com/wire-format) writes them. The check is the lower
//! half of the contents' CRC-32, in network byte order. A body between [`LEAST_KEPT`] and [`MOST_KEPT`] octets is kept by
//! both sides in the next of [`PLACES`] places, in turn; when it comes again, its place stands for it, counted from 1.
//! Refreshes are equal as a rule, so this is what makes a recording small.

use rsvp_core::{Instant, NodeConfig};
use serde::{Deserialize, Serialize};

/// What a recording begins with; the format follows.
pub(crate) const MAGIC: &[u8; 7] = b"RSVPREC";

/// The format. It changes with everything that is written, so also with the types of `rsvp-core` that are.
pub(crate) const FORMAT: u8 = 1;

/// The most octets of a frame's contents. The largest values are configurations.
pub(crate) const MAX_FRAME: usize = 1 << 26;

/// The octets of a frame's check.
pub(crate) const CHECK: usize = 2;

/// Shorter bodies cost no more than their place would.
pub(crate) const LEAST_KEPT: usize = 8;

/// Longer bodies seldom come again.
pub(crate) const MOST_KEPT: usize = 4096;

/// How many bodies are kept.
pub(crate) const PLACES: usize = 1 << 18;

/// What a recording says of the node before anything happens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the program that recorded.
    pub version: String,
    /// What the node's randomness came from.
    pub seed: [u8; 32],
    /// The node's time when it was made.
    pub start: Instant,
    /// Microseconds between 1970 (UTC) and then; 0 if the system's clock did not tell.
    pub wall_clock: u64,
    /// The node's configuration at first.
    pub config: NodeConfig,
}

/// What a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// An input is handled.
    Handle,
    /// A command is given.
    Command,
    /// What the command before returned.
    Answer,
    /// A message was polled.
    Transmit,
    /// An event was polled.
    Event,
    /// A request was polled.
    Request,
    /// Polls found nothing.
    Nothing,
    /// Nothing follows.
    End,
}

impl Kind {
    pub(crate) fn from_octet(octet: u8) -> Option<Self> {
        let all = [
            Self::Handle,
            Self::Command,
            Self::Answer,
            Self::Transmit,
            Self::Event,
            Self::Request,
            Self::Nothing,
            Self::End,
        ];
        all.get(usize::from(octet)).copied()
    }
}

/// A kind of output that is polled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Poll {
    /// [`poll_transmit`](rsvp_core::Node::poll_transmit).
    Transmit = 1,
    /// [`poll_event`](rsvp_core::Node::poll_event).
    Event = 2,
    /// [`poll_request`](rsvp_core::Node::poll_request).
    Request = 3,
}

/// Polls in one octet: two bits for each, the first ones lowest.
pub(crate) fn pack(polls: &[Poll]) -> u8 {
    polls.iter().rev().fold(0, |octet, poll| octet << 2 | *poll as u8)
}

/// The polls of an octet.
pub(crate) fn unpack(mut octet: u8) -> Option<Vec<Poll>> {
    let mut polls = Vec::new();
    while octet != 0 {
        polls.push(match octet & 3 {
            1 => Poll::Transmit,
            2 => Poll::Event,
            3 => Poll::Request,
            _ => return None,
        });
        octet >>= 2;
    }
    Some(polls)
}

/// Why a recording ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// The node was dropped.
    Closed,
    /// The recording had become as long as it may.
    Limit,
    /// The program panicked; while the node was called, if it says which call.
    Panicked(Option<Callee>),
}

/// A call of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Callee {
    /// [`handle`](rsvp_core::Node::handle).
    Handle,
    /// [`command`](rsvp_core::Node::command).
    Command,
    /// One of the polls.
    Poll(Poll),
}

/// The check of a frame.
pub(crate) fn check(contents: &[u8]) -> [u8; CHECK] {
    let [_, _, check @ ..] = crc32fast::hash(contents).to_be_bytes();
    check
}

/// Appends a value.
pub(crate) fn put(value: &impl Serialize, octets: &mut Vec<u8>) -> postcard::Result<()> {
    *octets = postcard::to_extend(value, std::mem::take(octets))?;
    Ok(())
}

/// Whether a body is kept for when it comes again.
pub(crate) fn is_kept(body: &[u8]) -> bool {
    (LEAST_KEPT..=MOST_KEPT).contains(&body.len())
}

/// Octets, written at once.
pub(crate) struct Octets<'a>(pub(crate) &'a [u8]);

impl Serialize for Octets<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polls_fit_into_an_octet_in_any_order() {
        for polls in [
            &[][..],
            &[Poll::Event],
            &[Poll::Request, Poll::Transmit],
            &[Poll::Event, Poll::Request, Poll::Transmit],
        ] {
            assert_eq!(unpack(pack(polls)).as_deref(), Some(polls));
        }
        assert_eq!(unpack(0b01_00), None);
    }

    #[test]
    fn kinds_are_what_their_octets_say() {
        for octet in 0..=Kind::End as u8 {
            assert_eq!(Kind::from_octet(octet).map(|kind| kind as u8), Some(octet));
        }
        assert_eq!(Kind::from_octet(Kind::End as u8 + 1), None);
    }
}
