//! Recordings of RSVP nodes: every call of a node in a compact file, and its replay byte for byte. A bug report is such a
//! file.
//!
//! A [`Node`](rsvp_core::Node) is a pure state machine: the same configuration, seed and calls give the same octets. So a
//! driver that puts a [`RecordedNode`] in its place writes all that is needed to relive what happened, and a [`Replay`]
//! shows the node after any step, with a debugger or with `rsvp-cli replay`. Each output is recorded, too, so that a replay
//! tells where a changed program does something else.
//!
//! ```
//! use std::io::Cursor;
//! use rsvp_core::{Input, Instant, NodeConfig};
//! use rsvp_record::{RecordedNode, Recorder, Replay};
//! # use std::sync::{Arc, Mutex};
//! # #[derive(Clone, Default)]
//! # struct Memory(Arc<Mutex<Vec<u8>>>);
//! # impl std::io::Write for Memory {
//! #     fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> { self.0.lock().unwrap().write(octets) }
//! #     fn flush(&mut self) -> std::io::Result<()> { Ok(()) }
//! # }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sink = Memory::default(); // or a file
//! let recorder = Recorder::new(sink.clone()).with_limit(1 << 30);
//! let mut node = RecordedNode::recorded(NodeConfig::default(), [7; 32], Instant::ZERO, recorder);
//! node.handle(Instant::from_micros(10), Input::Timeout);
//! assert_eq!(node.poll_event(), None);
//! drop(node);
//!
//! let recording = sink.0.lock().unwrap().clone();
//! let mut replay = Replay::open(Cursor::new(recording))?;
//! let mut steps = 0;
//! while let Some(step) = replay.step()? {
//!     steps = step.number;
//! }
//! assert_eq!(steps, 2, "an input, and a poll that found nothing");
//! # Ok(())
//! # }
//! ```
//!
//! # What is in the file
//!
//! The version of the program, the configuration, the seed, the time; then each call with its time and what came out.
//! `poll_timeout` changes nothing and is left out, and so are polls that find nothing a second time, though they may move
//! the node's clock: where a later call would notice, the last of them is there. What equals one of the last 262,144 bodies
//! is three octets. See `docs/replay.md` for sizes, and for what a recording gives away: addresses, and the seed.
//!
//! A file is readable to its last whole record, however the program ended. No octets make the reader panic, or allocate
//! more than is in proportion to the file; what they make the node do is caught ([`ReplayError::Panicked`]).

#![forbid(unsafe_code)]

mod format;
mod node;
mod recorder;
mod recording;
mod replay;

pub use format::{Callee, End, Header, Poll};
pub use node::RecordedNode;
pub use recorder::{Recorder, Status};
pub use recording::{Call, ReadError};
pub use replay::{Divergence, Panic, Replay, ReplayError, Step};
