//! The writing side: what was called becomes a file.

use std::collections::HashMap;
use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use rsvp_core::{Command, CommandError, Event, Input, Instant, NodeConfig, Reply, Request, Transmit};
use serde::Serialize;
use siphasher::sip128::SipHasher13;

use crate::format::{self, Callee, End, FORMAT, Header, Kind, MAGIC, PLACES, Poll};

/// How much is gathered at most before it is written.
const BUFFER: usize = 1 << 16;

/// What is left free for the record that says that the limit is reached, in octets.
const RESERVE: u64 = 32;

/// Where a recording goes, and how much of it. Once it is given to a [`RecordedNode`](crate::RecordedNode), all that
/// happens to the node is written: at the end of each turn of its driver, when every kind of output has been polled and
/// nothing is left.
///
/// A recorder never harms the node. When it cannot write, or the limit is reached, it stops for good, logs that once, and
/// [`Status`] says why. It writes in the thread that calls the node: give it a sink that does not block for long. It takes
/// up to 20 MB of memory, for the hashes of what may come again.
pub struct Recorder {
    sink: Box<dyn Write + Send>,
    limit: u64,
    /// What is not written yet.
    buffer: Vec<u8>,
    /// The contents of the frame in the making.
    contents: Vec<u8>,
    body: Vec<u8>,
    status: Status,
    /// The time of the latest record.
    at: Instant,
    /// The node's clock.
    clock: Instant,
    /// Polls that were left out have moved the clock since the latest record with a time.
    is_ahead: bool,
    /// The kinds of output that have been found empty since something happened.
    empty: Vec<Poll>,
    /// The latest of them, which are not recorded yet, and their time.
    nothing: (Vec<Poll>, Instant),
    kept: Kept,
    /// The call that has not returned yet, and its time.
    under_way: Option<(Callee, Instant)>,
}

/// How a recording is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Octets written so far, those that are still gathered included.
    pub octets: u64,
    /// Records, the header not counted.
    pub records: u64,
    /// Why nothing more is recorded, in words, if that is so.
    pub stopped: Option<String>,
}

/// How many kinds of output there are.
const POLLS: usize = 3;

impl Recorder {
    /// A recorder that writes to `sink`, without limit. It gathers by itself: the sink needs no buffer.
    #[must_use]
    pub fn new(sink: impl Write + Send + 'static) -> Self {
        Self {
            sink: Box::new(sink),
            limit: u64::MAX,
            buffer: Vec::new(),
            contents: Vec::new(),
            body: Vec::new(),
            status: Status::default(),
            at: Instant::ZERO,
            clock: Instant::ZERO,
            is_ahead: false,
            empty: Vec::new(),
            nothing: (Vec::new(), Instant::ZERO),
            kept: Kept::new([0; 32]),
            under_way: None,
        }
    }

    /// Stops before more than `limit` octets are written.
    #[must_use]
    pub fn with_limit(mut self, limit: u64) -> Self {
        self.limit = limit;
        self
    }

    /// How it is doing.
    #[must_use]
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// Begins the recording of a node.
    pub(crate) fn begin(&mut self, config: &NodeConfig, seed: [u8; 32], start: Instant) {
        let wall_clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let header = Header {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seed,
            start,
            wall_clock: u64::try_from(wall_clock.as_micros()).unwrap_or(0),
            config: config.clone(),
        };
        (self.at, self.clock, self.kept) = (start, start, Kept::new(seed));
        self.buffer.extend_from_slice(MAGIC);
        self.buffer.push(FORMAT);
        self.status.octets = self.buffer.len() as u64;
        self.contents.clear();
        let written = format::put(&header, &mut self.contents);
        self.frame_or_stop(written);
        self.status.records = 0;
        self.flush();
    }

    /// Before an input is handled.
    pub(crate) fn input(&mut self, now: Instant, input: &Input<'_>) {
        self.happens(now, Kind::Handle, input);
        self.under_way = Some((Callee::Handle, now));
    }

    /// Before a command is given.
    pub(crate) fn command(&mut self, now: Instant, command: &Command) {
        self.happens(now, Kind::Command, command);
        self.under_way = Some((Callee::Command, now));
    }

    fn happens(&mut self, now: Instant, kind: Kind, value: &impl Serialize) {
        self.advance(now);
        self.empty.clear();
        self.record(now, kind, value);
    }

    /// Before a poll.
    pub(crate) fn polls(&mut self, poll: Poll, now: Option<Instant>) {
        self.under_way = Some((Callee::Poll(poll), now.unwrap_or(self.at)));
    }

    /// After a call.
    pub(crate) fn returned(&mut self) {
        self.under_way = None;
    }

    /// After a command.
    pub(crate) fn answer(&mut self, answer: &Result<Reply, CommandError>) {
        self.returned();
        self.record(self.at, Kind::Answer, answer);
    }

    /// After a message was polled.
    pub(crate) fn transmit(&mut self, now: Instant, transmit: Option<&Transmit>, message: &[u8]) {
        self.returned();
        if transmit.is_none() && self.empty.contains(&Poll::Transmit) && now >= self.clock {
            // The first such poll found nothing, and nothing has happened since: this one moves the clock only.
            self.clock = now;
            self.is_ahead = true;
            return;
        }
        self.advance(now);
        match transmit {
            Some(transmit) => self.found(now, Poll::Transmit, &(transmit, format::Octets(message))),
            None => self.found_nothing(now, Poll::Transmit),
        }
    }

    /// After an event was polled.
    pub(crate) fn event(&mut self, event: Option<&Event>) {
        self.returned();
        match event {
            Some(event) => self.found(self.at, Poll::Event, event),
            None if self.empty.contains(&Poll::Event) => {}
            None => self.found_nothing(self.at, Poll::Event),
        }
    }

    /// After a request was polled.
    pub(crate) fn request(&mut self, request: Option<&Request>) {
        self.returned();
        match request {
            Some(request) => self.found(self.at, Poll::Request, request),
            None if self.empty.contains(&Poll::Request) => {}
            None => self.found_nothing(self.at, Poll::Request),
        }
    }

    fn found(&mut self, at: Instant, poll: Poll, what: &impl Serialize) {
        self.empty.retain(|empty| *empty != poll);
        let kind = match poll {
            Poll::Transmit => Kind::Transmit,
            Poll::Event => Kind::Event,
            Poll::Request => Kind::Request,
        };
        self.record(at, kind, what);
    }

    /// The polls that find nothing at the end of a turn become one record.
    fn found_nothing(&mut self, at: Instant, poll: Poll) {
        if self.nothing.0.contains(&poll) {
            self.write_nothing();
        }
        self.nothing.0.push(poll);
        if poll == Poll::Transmit || self.nothing.0.len() == 1 {
            self.nothing.1 = at;
        }
        self.empty.retain(|empty| *empty != poll);
        self.empty.push(poll);
        if self.empty.len() == POLLS {
            self.write_nothing();
            self.flush();
        }
    }

    fn write_nothing(&mut self) {
        if !self.nothing.0.is_empty() {
            let polls = format::pack(&self.nothing.0);
            self.nothing.0.clear();
            self.write(self.nothing.1, Kind::Nothing, &polls);
        }
    }

    /// The node is called with this time. If it is earlier than that of polls that were left out, the last of them is
    /// recorded after all: the node does not turn its clock back.
    fn advance(&mut self, now: Instant) {
        if std::mem::take(&mut self.is_ahead) && now < self.clock {
            self.record(self.clock, Kind::Nothing, &format::pack(&[Poll::Transmit]));
        }
        self.clock = self.clock.max(now);
    }

    fn record(&mut self, at: Instant, kind: Kind, value: &impl Serialize) {
        self.write_nothing();
        self.write(at, kind, value);
    }

    fn write(&mut self, at: Instant, kind: Kind, value: &impl Serialize) {
        if self.status.stopped.is_some() {
            return;
        }
        self.body.clear();
        self.body.push(kind as u8);
        let delta = self.since(at);
        let written = format::put(value, &mut self.body).and_then(|()| {
            let place = if format::is_kept(&self.body) { self.kept.place(&self.body) } else { 0 };
            self.contents.clear();
            format::put(&(delta, place), &mut self.contents)?;
            if place == 0 {
                self.contents.extend_from_slice(&self.body);
            }
            Ok(())
        });
        self.at = at;
        self.frame_or_stop(written);
    }

    /// Microseconds since the record before.
    fn since(&self, at: Instant) -> i64 {
        at.as_micros().wrapping_sub(self.at.as_micros()).cast_signed()
    }

    /// Appends the frame that was made, if it was and there is room for it.
    fn frame_or_stop(&mut self, written: postcard::Result<()>) {
        if let Err(error) = written {
            return self.stop(error.to_string());
        }
        if self.contents.len() > format::MAX_FRAME {
            return self.stop("a value is too large".to_owned());
        }
        // A length takes five octets at most.
        let octets = (self.contents.len() + 5 + format::CHECK) as u64;
        if self.status.octets.saturating_add(octets).saturating_add(RESERVE) > self.limit {
            self.end(self.at, End::Limit);
            return self.stop(format!("the limit of {} octets is reached", self.limit));
        }
        self.append();
        self.status.records += 1;
        if self.buffer.len() >= BUFFER {
            self.flush();
        }
    }

    /// Appends a frame.
    fn append(&mut self) {
        let (before, length) = (self.buffer.len(), self.contents.len());
        if let Err(error) = format::put(&length, &mut self.buffer) {
            return self.stop(error.to_string());
        }
        self.buffer.extend_from_slice(&format::check(&self.contents));
        self.buffer.extend_from_slice(&self.contents);
        self.status.octets += (self.buffer.len() - before) as u64;
    }

    fn end(&mut self, at: Instant, end: End) {
        self.contents.clear();
        let written = format::put(&(self.since(at), 0_u32, Kind::End as u8, end), &mut self.contents);
        if written.is_ok() {
            self.append();
        }
        self.flush();
    }

    fn flush(&mut self) {
        let written: io::Result<()> = self.sink.write_all(&self.buffer).and_then(|()| self.sink.flush());
        self.buffer.clear();
        if let Err(error) = written {
            self.stop(error.to_string());
        }
    }

    fn stop(&mut self, why: String) {
        if self.status.stopped.is_none() {
            tracing::warn!(octets = self.status.octets, "recording stops: {why}");
            self.status.stopped = Some(why);
            self.kept = Kept::new([0; 32]);
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if self.status.stopped.is_none() && self.status.octets > 0 {
            self.advance(Instant::ZERO);
            self.write_nothing();
            match self.under_way {
                Some((callee, now)) => self.end(now, End::Panicked(Some(callee))),
                None if std::thread::panicking() => self.end(self.at, End::Panicked(None)),
                None => self.end(self.at, End::Closed),
            }
        }
    }
}

/// The bodies that were written lately, by their hashes.
struct Kept {
    hasher: SipHasher13,
    places: HashMap<u128, u32>,
    hashes: Vec<u128>,
    next: usize,
}

impl Kept {
    /// Hashes with a key that neighbours do not know, so that none can make two messages pass for one.
    fn new(seed: [u8; 32]) -> Self {
        let mut key = [0; 16];
        key.copy_from_slice(&seed[16..]);
        Self { hasher: SipHasher13::new_with_key(&key), places: HashMap::new(), hashes: Vec::new(), next: 0 }
    }

    /// The place of a body, counted from 1. 0: it is new, and now has one.
    fn place(&mut self, body: &[u8]) -> u32 {
        let hash = self.hasher.hash(body).as_u128();
        if let Some(place) = self.places.get(&hash) {
            return *place;
        }
        let index = self.next;
        self.next = (self.next + 1) % PLACES;
        if let Some(former) = self.hashes.get_mut(index) {
            self.places.remove(former);
            *former = hash;
        } else {
            self.hashes.push(hash);
        }
        self.places.insert(hash, u32::try_from(index + 1).unwrap_or(0));
        0
    }
}
