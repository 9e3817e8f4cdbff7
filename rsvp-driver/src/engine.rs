//! The loop between a node and the outside, without the waiting.

use std::io;
use std::os::fd::OwnedFd;
use std::task::{Context, Poll};
use std::time::Duration;

use rsvp_core::snapshot::Survey;
use rsvp_core::{Command, CommandError, Input, Instant, Ready, Reply};
use rsvp_record::RecordedNode;

use crate::handle::{Answer, Handle, Job, Publisher};
use crate::queue::Receiver;
use crate::sync::Arc;
use crate::{Clock, Message, Outside, ReadOutcome, SendOutcome, Source};

/// Jobs of handles that are done before the inputs have their turn.
const JOB_BUDGET: usize = 64;

/// Datagrams or messages that are read from a source before the others have their turn.
const READ_BUDGET: usize = 256;

/// Outputs of a kind that are fetched before the inputs have their turn.
const OUTPUT_BUDGET: usize = 1024;

/// Datagrams that are handed to the outside together.
const SEND_BATCH: usize = 32;

/// Sessions that are copied for a snapshot before anything else has its turn.
const SURVEY_BUDGET: usize = 256;

/// How long a shutdown may take.
const SHUTDOWN_TIME: Duration = Duration::from_secs(2);

/// A shutdown waits for what leaves within this time: tears that are held for a bundle, or paced.
const LAST_MESSAGES: Duration = Duration::from_millis(50);

/// A node, its outside, and the jobs of its handles: all of a driver but the waiting.
///
/// A driver watches [`sources`](Self::sources), reports what it sees by [`on_readable`](Self::on_readable) and
/// [`on_writable`](Self::on_writable), and calls [`turn`](Self::turn), which says for what to wait next. Readiness may be told
/// by edge or by level: a source that was told is read until it is drained.
pub struct Engine<O: Outside> {
    node: RecordedNode,
    outside: O,
    clock: Clock,
    jobs: Receiver<Job>,
    /// All handles are gone, or one said so.
    ending: Option<Ending>,
    events: Publisher,
    /// By source: it may have something to read.
    readable: Vec<bool>,
    outgoing: Outgoing,
    snapshots: Snapshots,
}

/// What a driver is to do after a [`turn`](Engine::turn).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Turn {
    /// Give others their turn, look whether sources are ready, and call again at once: there is more to do.
    Again,
    /// Wait until a source is readable, the [blocked](Engine::blocked) one writable, the waker woken, or this time has come
    /// ([`Clock::at`] translates it).
    Wait(Option<Instant>),
    /// It is over: close the engine.
    Ended,
}

/// Datagrams on their way, at most [`SEND_BATCH`] of them. Their buffers are used again.
#[derive(Default)]
struct Outgoing {
    messages: Vec<Message>,
    /// The buffer for the one after the last.
    spare: Vec<u8>,
    /// Those before it are sent.
    next: usize,
    /// So many buffers are filled.
    count: usize,
    /// The next one waits for this source.
    blocked: Option<Source>,
}

/// A snapshot in the making, and who waits for it and for the next one.
#[derive(Default)]
struct Snapshots {
    survey: Option<Survey>,
    readers: Vec<Answer<Arc<rsvp_core::snapshot::Snapshot>>>,
    /// These have come while a snapshot was made already, which may lack what they know of.
    next: Vec<Answer<Arc<rsvp_core::snapshot::Snapshot>>>,
}

/// The end of the engine.
struct Ending {
    /// When it is over at the latest.
    limit: Instant,
    answers: Vec<Answer<()>>,
}

impl<O: Outside> Engine<O> {
    /// The loop of a node whose time is that of `clock`, and the first handle to it. The node may be one that is
    /// [recorded](RecordedNode::recorded).
    pub fn new(node: impl Into<RecordedNode>, mut outside: O, clock: Clock) -> (Self, Handle) {
        let (handle, jobs, events) = Handle::new(clock);
        let mut node = node.into();
        outside.start(&mut |input| node.handle(clock.now(), input));
        let engine = Self {
            node,
            outside,
            clock,
            jobs,
            ending: None,
            events,
            readable: Vec::new(),
            outgoing: Outgoing::default(),
            snapshots: Snapshots::default(),
        };
        (engine, handle)
    }

    /// The file descriptors to watch. All count as readable at first.
    ///
    /// # Errors
    ///
    /// If a descriptor cannot be duplicated.
    pub fn sources(&mut self) -> io::Result<Vec<(Source, OwnedFd)>> {
        let sources = self.outside.sources()?;
        self.readable = vec![true; sources.len()];
        Ok(sources.into_iter().enumerate().map(|(number, fd)| (Source(number), fd)).collect())
    }

    /// The node.
    #[must_use]
    pub fn node(&self) -> &RecordedNode {
        &self.node
    }

    /// The outside.
    #[must_use]
    pub fn outside(&self) -> &O {
        &self.outside
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// The source that takes no datagrams now, and has some to take. It is to be watched until it is writable.
    #[must_use]
    pub fn blocked(&self) -> Option<Source> {
        self.outgoing.blocked
    }

    /// Gives the node a command, from the thread that runs the loop. What comes of it is done in the next turn.
    ///
    /// # Errors
    ///
    /// As [`Node::command`](rsvp_core::Node::command).
    pub fn command(&mut self, command: Command) -> Result<Reply, CommandError> {
        self.node.command(self.clock.now(), command)
    }

    /// A source has something to read, or is broken.
    pub fn on_readable(&mut self, source: Source) {
        if let Some(readable) = self.readable.get_mut(source.0) {
            *readable = true;
        }
    }

    /// A source takes datagrams (again).
    pub fn on_writable(&mut self, source: Source) {
        if self.outgoing.blocked == Some(source) {
            self.send_outgoing();
        }
    }

    /// Does what there is to do, a bounded amount of it. The waker of `context` is woken when a handle has a job.
    ///
    /// # Errors
    ///
    /// If a source is broken for good.
    pub fn turn(&mut self, context: &Context<'_>) -> io::Result<Turn> {
        let more_jobs = self.take_jobs(context);
        self.read_sources()?;
        self.handle_timeout();
        self.poll_outputs();
        self.survey();
        let now = self.clock.now();
        let mut deadline = self.node.poll_timeout(self.ready()).map(|(at, _)| at);
        if let Some(ending) = &self.ending {
            let is_flushed = self.outgoing.is_empty() && deadline.is_none_or(|at| at > now + LAST_MESSAGES);
            if is_flushed || now >= ending.limit {
                return Ok(Turn::Ended);
            }
            deadline = Some(deadline.unwrap_or(ending.limit).min(ending.limit));
        }
        let is_due = deadline.is_some_and(|at| at <= now);
        if more_jobs || is_due || self.snapshots.are_wanted() || self.readable.contains(&true) {
            return Ok(Turn::Again);
        }
        Ok(Turn::Wait(deadline))
    }

    /// Tears everything down. Turns go on until [`Turn::Ended`]; handles ask for the same.
    pub fn shut_down(&mut self) {
        self.end(None);
    }

    /// Removes what was installed, and tells those who wait for it.
    pub fn close(self) {
        let Self { outside, events, ending, .. } = self;
        outside.close();
        drop(events);
        ending.into_iter().flat_map(|ending| ending.answers).for_each(|answer| answer.give(()));
    }

    /// Does jobs; tells whether there may be more. If not, the waker is woken by the next.
    fn take_jobs(&mut self, context: &Context<'_>) -> bool {
        for _ in 0..JOB_BUDGET {
            match self.jobs.poll_receive(context) {
                Poll::Pending => return false,
                Poll::Ready(Some(job)) => self.carry_out(job),
                Poll::Ready(None) => {
                    self.end(None);
                    return false;
                }
            }
        }
        true
    }

    fn carry_out(&mut self, job: Job) {
        match job {
            Job::Command(command, answer) => answer.give(self.node.command(self.clock.now(), *command)),
            Job::Query(look) => look(&self.node),
            Job::Snapshot(answer) => self.snapshots.next.push(answer),
            Job::Diagnostics(answer) => answer.give(self.outside.diagnostics()),
            Job::View(answer) => answer.give(self.outside.view()),
            Job::Shutdown(answer) => self.end(Some(answer)),
        }
    }

    fn end(&mut self, answer: Option<Answer<()>>) {
        if self.ending.is_none() {
            if let Err(error) = self.command(Command::Shutdown) {
                tracing::error!(%error, "the node does not shut down");
            }
            self.ending = Some(Ending { limit: self.clock.now() + SHUTDOWN_TIME, answers: Vec::new() });
        }
        if let Some(ending) = &mut self.ending {
            ending.answers.extend(answer);
        }
    }

    /// Reads a batch from every source that has something.
    fn read_sources(&mut self) -> io::Result<()> {
        let Self { node, outside, readable, clock, .. } = self;
        for (number, readable) in readable.iter_mut().enumerate().filter(|(_, readable)| **readable) {
            let now = clock.now();
            let sink = &mut |input: Input<'_>| node.handle(now, input);
            *readable = outside.read(Source(number), READ_BUDGET, sink)? == ReadOutcome::More;
        }
        Ok(())
    }

    /// The outputs that can be taken now.
    fn ready(&self) -> Ready {
        Ready {
            transmit: self.outgoing.blocked.is_none(),
            events: true,
            requests: self.outside.is_ready_for_requests(),
        }
    }

    /// Tells the node that its deadline has passed, if so.
    fn handle_timeout(&mut self) {
        let now = self.clock.now();
        if self.node.poll_timeout(self.ready()).is_some_and(|(at, _)| at <= now) {
            self.node.handle(now, Input::Timeout);
        }
    }

    /// Fetches what the node wants done; requests first, since their answers may lead to messages. What is left over
    /// makes the next deadline `now`.
    fn poll_outputs(&mut self) {
        let Self { node, outside, clock, .. } = self;
        for _ in 0..OUTPUT_BUDGET {
            if !outside.is_ready_for_requests() {
                break;
            }
            let Some(request) = node.poll_request() else { break };
            let now = clock.now();
            outside.request(request, &mut |input| node.handle(now, input));
        }
        self.send_messages();
        for _ in 0..OUTPUT_BUDGET {
            let Some(event) = self.node.poll_event() else { break };
            self.events.tell(&event);
        }
    }

    fn send_messages(&mut self) {
        for _ in 0..OUTPUT_BUDGET / SEND_BATCH {
            if !self.outgoing.is_empty() {
                return;
            }
            let now = self.clock.now();
            if !self.outgoing.fill(&mut self.node, now) {
                return;
            }
            self.send_outgoing();
        }
    }

    /// Sends what is on its way. The node is told when a source takes no more, and when it does so again: it builds nothing
    /// meanwhile.
    fn send_outgoing(&mut self) {
        let Self { outside, outgoing, node, clock, .. } = self;
        let was_blocked = outgoing.blocked.take().is_some();
        match outside.send(&mut outgoing.messages[outgoing.next..outgoing.count]) {
            SendOutcome::Sent => {
                outgoing.next = outgoing.count;
                if was_blocked {
                    node.handle(clock.now(), Input::SocketWritable);
                }
            }
            SendOutcome::Blocked(sent, source) => {
                outgoing.next += sent;
                outgoing.blocked = Some(source);
                if !was_blocked {
                    node.handle(clock.now(), Input::SocketBlocked);
                }
            }
        }
    }

    /// Goes on with the snapshot that somebody waits for.
    fn survey(&mut self) {
        let Self { snapshots, node, .. } = self;
        if snapshots.survey.is_none() && !snapshots.next.is_empty() {
            snapshots.readers.append(&mut snapshots.next);
            snapshots.survey = Some(Survey::begin(node));
        }
        let Some(mut survey) = snapshots.survey.take() else { return };
        if survey.visit(node, SURVEY_BUDGET) {
            let snapshot = Arc::new(survey.finish(node));
            snapshots.readers.drain(..).for_each(|reader| reader.give(Arc::clone(&snapshot)));
        } else {
            snapshots.survey = Some(survey);
        }
    }
}

impl Snapshots {
    /// Whether somebody waits for one.
    fn are_wanted(&self) -> bool {
        self.survey.is_some() || !self.next.is_empty()
    }
}

impl Outgoing {
    fn is_empty(&self) -> bool {
        self.next == self.count
    }

    /// Takes what the node has to send; false if that is nothing.
    fn fill(&mut self, node: &mut RecordedNode, now: Instant) -> bool {
        (self.next, self.count) = (0, 0);
        while self.count < SEND_BATCH {
            let Some(transmit) = node.poll_transmit(now, &mut self.spare) else { break };
            let payload = std::mem::take(&mut self.spare);
            let message = Message { transmit, payload };
            match self.messages.get_mut(self.count) {
                Some(place) => self.spare = std::mem::replace(place, message).payload,
                None => self.messages.push(message),
            }
            self.count += 1;
        }
        self.count > 0
    }
}
