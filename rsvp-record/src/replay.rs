//! A recording is replayed: the same calls to a new node, whose outputs must be the same octets.

use std::any::Any;
use std::fmt;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rsvp_core::{Instant, Node};

use crate::format::{self, Callee, End, Header, Kind, Octets, Poll};
use crate::recording::{Call, ReadError, Record, Recording};

/// A recording and a new node that relives it, step by step.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut replay = rsvp_record::Replay::open(std::fs::File::open("bug.rsvp")?)?;
/// while let Some(step) = replay.step()? {
///     println!("{} {:?}", step.number, step.call);
/// }
/// println!("{} sessions in the end", replay.node().sessions().len());
/// # Ok(())
/// # }
/// ```
pub struct Replay<R> {
    recording: Recording<R>,
    node: Node,
    buffer: Vec<u8>,
    /// What the latest command returned.
    answer: Option<Vec<u8>>,
    /// The next record, if it has been looked at.
    peeked: Option<Result<Option<Record>, ReadError>>,
    step: u64,
    end: Option<End>,
    is_over: bool,
}

/// A step that came out as recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Its number, counted from 1.
    pub number: u64,
    /// The node's time. An event or request is polled without one, and has that of the step before.
    pub at: Instant,
    /// What was called.
    pub call: Call,
}

/// Why a replay goes no further.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The file cannot be read on.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The node did something else than it did then.
    #[error(transparent)]
    Diverged(Box<Divergence>),
    /// The node panicked.
    #[error(transparent)]
    Panicked(Panic),
}

/// The first step at which the node did something else than it did then.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("step {step} came out differently")]
pub struct Divergence {
    /// The step.
    pub step: u64,
    /// Its time.
    pub at: Instant,
    /// What came out then; [`Call::End`]: a panic.
    pub expected: Call,
    /// What came out now; `None`: nothing.
    pub got: Option<Call>,
}

/// A panic of the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panic {
    /// The step.
    pub step: u64,
    /// What it said.
    pub message: String,
    /// Whether it panicked there when it was recorded, too.
    pub is_recorded: bool,
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let then = if self.is_recorded { ", as it did when it was recorded" } else { "" };
        write!(f, "the node panicked at step {}{then}: {}", self.step, self.message)
    }
}

impl std::error::Error for Panic {}

impl<R: Read> Replay<R> {
    /// A new node, as the recording begins.
    ///
    /// # Errors
    ///
    /// When this is no recording, or not one that this version can read.
    pub fn open(reader: R) -> Result<Self, ReadError> {
        let recording = Recording::open(reader)?;
        let Header { config, seed, start, .. } = recording.header().clone();
        let node = Node::new(config, seed, start);
        Ok(Self {
            recording,
            node,
            buffer: Vec::new(),
            answer: None,
            peeked: None,
            step: 0,
            end: None,
            is_over: false,
        })
    }

    /// What the recording says of the node.
    pub fn header(&self) -> &Header {
        self.recording.header()
    }

    /// The node as it is after the latest step.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// The number of the latest step; 0 before the first.
    pub fn number(&self) -> u64 {
        self.step
    }

    /// Why the recording ends, once [`step`](Self::step) has returned `None`. `None`: the file ends without saying why, as
    /// after SIGKILL, or while the node still runs.
    pub fn end(&self) -> Option<End> {
        self.end
    }

    /// The time of the next step; `None`: the recording ends, or cannot be read on, which [`step`](Self::step) tells.
    pub fn next_at(&mut self) -> Option<Instant> {
        if self.is_over {
            return None;
        }
        let next = self.peeked.get_or_insert_with(|| self.recording.next());
        let record = next.as_ref().ok()?.as_ref()?;
        (!matches!(record.call, Call::End(_))).then_some(record.at)
    }

    /// Does what was done next, and compares what comes out. `None`: the recording ends.
    ///
    /// # Errors
    ///
    /// When the file cannot be read on, or something else came out. There is no next step then: further calls return
    /// `None`.
    pub fn step(&mut self) -> Result<Option<Step>, ReplayError> {
        if self.is_over {
            return Ok(None);
        }
        let outcome = self.next();
        self.is_over = !matches!(outcome, Ok(Some(_)));
        outcome
    }

    fn next(&mut self) -> Result<Option<Step>, ReplayError> {
        let next = self.peeked.take().unwrap_or_else(|| self.recording.next());
        let Some(record) = next? else { return Ok(None) };
        if let Call::End(end) = record.call {
            return self.ends(end, &record);
        }
        self.step = self.recording.read();
        let got = match self.repeat(&record) {
            Ok(got) => got,
            Err((callee, message)) => {
                let next = self.recording.next().ok().flatten();
                let is_recorded =
                    next.is_some_and(|next| next.call == Call::End(End::Panicked(Some(callee))));
                return Err(ReplayError::Panicked(Panic { step: self.step, message, is_recorded }));
            }
        };
        if let Some(got) = got
            && got != record.body
        {
            return Err(self.diverged(&record, crate::recording::call(&got)));
        }
        Ok(Some(Step { number: self.step, at: record.at, call: record.call }))
    }

    /// Does what a record says. The body of what came out, if the record is about that; or which call panicked, and how.
    fn repeat(&mut self, record: &Record) -> Result<Option<Vec<u8>>, (Callee, String)> {
        let Self { node, answer, .. } = self;
        let at = record.at;
        Ok(match &record.call {
            Call::Handle(input) => {
                call(Callee::Handle, || node.handle(at, input.clone()))?;
                None
            }
            Call::Command(command) => {
                let returned = call(Callee::Command, || node.command(at, command.clone()))?;
                *answer = Some(body(Kind::Answer, &returned));
                None
            }
            Call::Answer(_) => Some(answer.take().unwrap_or_default()),
            Call::Transmit(..) => self.poll(Poll::Transmit, at)?.or(Some(Vec::new())),
            Call::Event(_) => self.poll(Poll::Event, at)?.or(Some(Vec::new())),
            Call::Request(_) => self.poll(Poll::Request, at)?.or(Some(Vec::new())),
            Call::Nothing(polls) => {
                for poll in polls {
                    if let Some(found) = self.poll(*poll, at)? {
                        return Ok(Some(found));
                    }
                }
                None
            }
            Call::End(_) => None,
        })
    }

    /// What a poll finds, as a body.
    fn poll(&mut self, poll: Poll, at: Instant) -> Result<Option<Vec<u8>>, (Callee, String)> {
        let Self { node, buffer, .. } = self;
        let callee = Callee::Poll(poll);
        Ok(match poll {
            Poll::Transmit => call(callee, || node.poll_transmit(at, buffer))?
                .map(|transmit| body(Kind::Transmit, &(transmit, Octets(buffer)))),
            Poll::Event => call(callee, || node.poll_event())?.map(|event| body(Kind::Event, &event)),
            Poll::Request => {
                call(callee, || node.poll_request())?.map(|request| body(Kind::Request, &request))
            }
        })
    }

    /// The recording ends. A poll that panicked has left no record but this: it is repeated.
    fn ends(&mut self, end: End, record: &Record) -> Result<Option<Step>, ReplayError> {
        self.end = Some(end);
        let End::Panicked(Some(callee)) = end else { return Ok(None) };
        self.step = self.recording.read();
        let polled = match callee {
            Callee::Poll(poll) => self.poll(poll, record.at),
            Callee::Handle | Callee::Command => Ok(None),
        };
        Err(match polled {
            Err((_, message)) => ReplayError::Panicked(Panic { step: self.step, message, is_recorded: true }),
            Ok(_) => self.diverged(record, None),
        })
    }

    fn diverged(&self, record: &Record, got: Option<Call>) -> ReplayError {
        let (step, at, expected) = (self.step, record.at, record.call.clone());
        ReplayError::Diverged(Box::new(Divergence { step, at, expected, got }))
    }
}

/// A body as the recorder writes it; empty if it cannot be written, which differs from every other.
fn body(kind: Kind, value: &impl serde::Serialize) -> Vec<u8> {
    let mut body = vec![kind as u8];
    match format::put(value, &mut body) {
        Ok(()) => body,
        Err(_) => Vec::new(),
    }
}

/// Calls the node; a panic is told as an error.
fn call<T>(callee: Callee, what: impl FnOnce() -> T) -> Result<T, (Callee, String)> {
    catch_unwind(AssertUnwindSafe(what)).map_err(|payload| (callee, words(payload.as_ref())))
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it says nothing").to_owned()
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use rsvp_core::admission::BandwidthPools;
    use rsvp_core::command::{Command, SenderRequest};
    use rsvp_core::policy::{Policy, PolicyRequest, Verdict};
    use rsvp_core::wire::{FilterSpec, FlowKey, SenderTspec, SessionKey, Tspec};
    use rsvp_core::{NodeConfig, Reply};

    use super::*;
    use crate::{RecordedNode, Recorder};

    struct Panicking;

    impl Policy for Panicking {
        fn decide(&self, _: &PolicyRequest<'_>) -> Verdict {
            panic!("a bug of the node")
        }
    }

    fn panicking_node() -> Node {
        let (config, now) = (NodeConfig::default(), Instant::ZERO);
        Node::with_control(config, [7; 32], now, Box::new(BandwidthPools), Box::new(Panicking))
    }

    /// The recording of a node that panics when somebody announces a sender.
    fn recording() -> Vec<u8> {
        let (mut reader, writer) = std::io::pipe().expect("a pipe");
        let recorder = Recorder::new(writer);
        let mut node = RecordedNode::recorded(NodeConfig::default(), [7; 32], Instant::ZERO, recorder);
        node.node = panicking_node();
        let flow = FlowKey { destination: [10, 0, 0, 1].into(), protocol: 17, port: 5004 };
        let opened = node.command(Instant::from_micros(5), Command::OpenSession(SessionKey::Ip(flow)));
        let Ok(Reply::Session(id)) = opened else { panic!("it is open") };
        let tspec = Tspec { rate: 1e5, bucket: 1e4, peak: 2e5, min_unit: 64, max_packet: 1500 };
        let request = SenderRequest {
            template: FilterSpec::Ip { source: [10, 0, 0, 2].into(), port: 4000 },
            tspec: SenderTspec::TokenBucket(tspec),
            adspec: true.into(),
            policy: Vec::new(),
            ttl: 63,
        };
        let now = Instant::from_micros(9);
        let panic = catch_unwind(AssertUnwindSafe(|| node.command(now, Command::AddSender(id, request))));
        assert!(panic.is_err());
        drop(node);
        let mut octets = Vec::new();
        reader.read_to_end(&mut octets).expect("what was written");
        octets
    }

    fn last_words(mut replay: Replay<Cursor<Vec<u8>>>) -> ReplayError {
        loop {
            match replay.step() {
                Ok(step) => assert!(step.is_some(), "it goes on to the panic"),
                Err(error) => return error,
            }
        }
    }

    #[test]
    fn a_panic_is_reproduced() {
        let mut replay = Replay::open(Cursor::new(recording())).expect("a recording");
        replay.node = panicking_node();
        let ReplayError::Panicked(panic) = last_words(replay) else { panic!("it panics again") };
        assert_eq!(panic, Panic { step: 3, message: "a bug of the node".to_owned(), is_recorded: true });
    }

    #[test]
    fn a_node_that_does_not_panic_any_more_does_something_else() {
        let replay = Replay::open(Cursor::new(recording())).expect("a recording");
        let ReplayError::Diverged(divergence) = last_words(replay) else { panic!("it is seen") };
        assert_eq!((divergence.step, divergence.at), (4, Instant::from_micros(9)));
        assert_eq!(divergence.expected, Call::End(End::Panicked(Some(Callee::Command))));
        assert_eq!(divergence.got, None);
    }

    /// Without its end mark, the same panic is news.
    #[test]
    fn a_new_panic_is_told_from_a_recorded_one() {
        let mut octets = recording();
        octets.truncate(octets.len() - 3);
        let mut replay = Replay::open(Cursor::new(octets)).expect("a recording");
        replay.node = panicking_node();
        let ReplayError::Panicked(panic) = last_words(replay) else { panic!("it panics again") };
        assert!(!panic.is_recorded);
        assert_eq!(panic.to_string(), "the node panicked at step 3: a bug of the node");
    }
}
