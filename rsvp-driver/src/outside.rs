//! What the loop needs of the outside.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::{fmt, io};

use rsvp_core::{Input, Request, Transmit};

/// Sockets, interfaces, routes and traffic control: everything of one node that is not the protocol. `rsvp_io::System`
/// is that of Linux. Nothing here blocks.
pub trait Outside: Send + 'static {
    /// The file descriptors to wait for; their places in the list are their [`Source`]s. Asked once.
    ///
    /// # Errors
    ///
    /// If a descriptor cannot be duplicated.
    fn sources(&self) -> io::Result<Vec<OwnedFd>>;

    /// Tells the interfaces that there are. Called once, before anything else.
    fn start(&mut self, sink: &mut dyn FnMut(Input<'_>));

    /// Reads at most `budget` datagrams or messages from a source and tells what they mean.
    ///
    /// # Errors
    ///
    /// Only if the source is broken for good: the driver then ends.
    fn read(
        &mut self,
        source: Source,
        budget: usize,
        sink: &mut dyn FnMut(Input<'_>),
    ) -> io::Result<ReadOutcome>;

    /// Sends datagrams in their order, as many as can be sent now. One that fails counts as sent: it is lost, and the
    /// next may go. What it writes into a message that it keeps waiting is there when that is sent again.
    fn send(&mut self, messages: &mut [Message]) -> SendOutcome;

    /// Whether [`request`](Self::request) takes another one now. If not, it does so again after a source was read; the
    /// requests stay with the node until then, which merges them.
    fn is_ready_for_requests(&self) -> bool;

    /// Carries out a request. Answers come as inputs, at once or later through [`read`](Self::read).
    fn request(&mut self, request: Request, sink: &mut dyn FnMut(Input<'_>));

    /// What an operator should know about this machine, as of now.
    fn diagnostics(&self) -> Vec<Diagnostic>;

    /// What the outside does for the node's interfaces, as of now.
    fn view(&self) -> OutsideView;

    /// Removes what was installed.
    fn close(self);
}

/// One of the file descriptors to wait for: its place in [`Outside::sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source(pub usize);

/// A datagram to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// How.
    pub transmit: Transmit,
    /// The RSVP message, from the common header on.
    pub payload: Vec<u8>,
}

/// What is left after a [`read`](Outside::read).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "more input may be waiting without another readiness notification"]
pub enum ReadOutcome {
    /// Nothing; wait until the source is readable again.
    Drained,
    /// The budget is used up; read again before waiting (after other sources have had their turn).
    More,
}

/// What became of the datagrams of a [`send`](Outside::send).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a datagram that would block has to be kept and sent again"]
pub enum SendOutcome {
    /// All are gone.
    Sent,
    /// So many are gone. The next has to wait until this source is writable.
    Blocked(usize, Source),
}

/// What the outside does for the node's interfaces, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutsideView {
    /// Those whose reservations are enforced by traffic control; on the others reservations are admitted only.
    pub enforced: BTreeSet<String>,
    /// The groups that are joined.
    pub groups: BTreeMap<String, Vec<IpAddr>>,
}

/// Something that an operator should know about this machine, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How much it matters.
    pub severity: Severity,
    /// The interface that it concerns, if it concerns one.
    pub interface: Option<String>,
    /// What is the matter, and what to do about it.
    pub message: String,
}

/// How much a [`Diagnostic`] matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Notice,
    /// Part of what was configured does not work.
    Warning,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.interface {
            Some(name) => write!(f, "{name}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}
