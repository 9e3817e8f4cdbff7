//! Packets with RSVP, taken apart for people to read: from a frame of a capture, or from a message that somebody has at hand,
//! to text or JSON.
//!
//! Nothing that a packet holds is an error here. A [`Record`] tells what could be read, and what is wrong with the rest.

mod json;
mod packet;
mod record;
mod text;
mod tree;

pub use json::{line, message_line};
pub use packet::{Content, Fragment, LinkType, Packet, dissect};
pub use record::{Checksum, Frame, Message, Outcome, Record};
pub use text::hex;
pub use tree::{Tree, describe};
