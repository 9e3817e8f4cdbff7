//! How the rest of a program talks to a running node.

use std::collections::VecDeque;
use std::fmt;

use rsvp_core::snapshot::Snapshot;
use rsvp_core::{Command, CommandError, Event, EventKind, Node, Reply};

use crate::queue::{Receiver, Sender, queue};
use crate::sync::{Arc, Mutex, lock};
use crate::{Clock, Diagnostic, OutsideView};

/// Jobs that may wait for the loop; who has another one waits. Where loom tries every order of events, few make it full.
const JOB_QUEUE: usize = if cfg!(loom) { 1 } else { 256 };

/// Events that a slow subscriber may fall behind.
const EVENT_QUEUE: usize = if cfg!(loom) { 2 } else { 8192 };

/// Work for the loop between two of its turns.
pub(crate) enum Job {
    /// Carry out a command.
    Command(Box<Command>, Answer<Result<Reply, CommandError>>),
    /// Look at the node.
    Query(Box<dyn FnOnce(&Node) + Send>),
    /// Copy the node's state.
    Snapshot(Answer<Arc<Snapshot>>),
    /// Tell what the operator should know.
    Diagnostics(Answer<Vec<Diagnostic>>),
    /// Tell what the outside does for the interfaces.
    View(Answer<OutsideView>),
    /// Tear down and end.
    Shutdown(Answer<()>),
}

/// Where an answer goes: a queue for one.
pub(crate) struct Answer<T>(Sender<T>);

impl<T> Answer<T> {
    fn new() -> (Self, Receiver<T>) {
        let (sender, receiver) = queue(1);
        (Self(sender), receiver)
    }

    /// Answers. Whoever asked may have gone; what was asked for is done all the same.
    pub(crate) fn give(self, answer: T) {
        let _ = self.0.offer(answer, |_, _| {});
    }
}

/// The driver has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the node has stopped")
    }
}

impl std::error::Error for Stopped {}

/// A way to a running node; cheap to clone, and the same for every driver. When the last one is gone, the driver shuts down.
///
/// Its methods are asynchronous on any runtime, and need none: a plain thread waits with [`block_on`](crate::block_on). The
/// thread that runs the driver must not wait for itself: it has the driver's own methods.
#[derive(Clone)]
pub struct Handle {
    jobs: Sender<Job>,
    subscribers: Subscribers,
    clock: Clock,
}

impl Handle {
    /// A handle, where its jobs come out, and where events go in.
    pub(crate) fn new(clock: Clock) -> (Self, Receiver<Job>, Publisher) {
        let (jobs, receiver) = queue(JOB_QUEUE);
        let (publisher, subscribers) = publisher();
        (Self { jobs, subscribers, clock }, receiver, publisher)
    }

    /// The clock by which the node's instants count.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Carries out a command.
    ///
    /// # Errors
    ///
    /// Those of the command; [`CommandError::ShuttingDown`] if the driver has ended.
    pub async fn command(&self, command: Command) -> Result<Reply, CommandError> {
        let result = self.ask(|answer| Job::Command(Box::new(command), answer)).await;
        result.unwrap_or(Err(CommandError::ShuttingDown))
    }

    /// Looks at the node between two turns. The node waits meanwhile, so the closure should be quick; for all of the state
    /// there is [`snapshot`](Self::snapshot).
    ///
    /// # Errors
    ///
    /// If the driver has ended.
    pub async fn query<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Node) -> T + Send + 'static,
    ) -> Result<T, Stopped> {
        self.ask(|answer: Answer<T>| Job::Query(Box::new(move |node| answer.give(look(node))))).await
    }

    /// A copy of the node's state. It is made of slices between the turns, however large the state is, so the node goes
    /// on meanwhile: each session is as it was at one moment, not all at the same. It has everything that was so when it was
    /// asked for, and still is.
    ///
    /// # Errors
    ///
    /// If the driver has ended.
    pub async fn snapshot(&self) -> Result<Arc<Snapshot>, Stopped> {
        self.ask(Job::Snapshot).await
    }

    /// What an operator should know about the machine, as of now.
    ///
    /// # Errors
    ///
    /// If the driver has ended.
    pub async fn diagnostics(&self) -> Result<Vec<Diagnostic>, Stopped> {
        self.ask(Job::Diagnostics).await
    }

    /// What the outside does for the interfaces, as of now.
    ///
    /// # Errors
    ///
    /// If the driver has ended.
    pub async fn outside_view(&self) -> Result<OutsideView, Stopped> {
        self.ask(Job::View).await
    }

    /// The node's events from now on.
    #[must_use]
    pub fn subscribe(&self) -> Events {
        self.subscribers.subscribe()
    }

    /// Tears everything down towards the neighbours, removes what was installed, and ends the driver.
    pub async fn shutdown(&self) {
        // A driver that has ended already is as good.
        let _ = self.ask(Job::Shutdown).await;
    }

    async fn ask<T>(&self, job: impl FnOnce(Answer<T>) -> Job) -> Result<T, Stopped> {
        let (answer, mut answered) = Answer::new();
        self.jobs.send(job(answer)).await.map_err(|_| Stopped)?;
        answered.receive().await.ok_or(Stopped)
    }
}

/// Who follows the events. `None`: there will be no more.
#[derive(Clone)]
pub(crate) struct Subscribers(Arc<Mutex<Option<Vec<Sender<Event>>>>>);

/// Where events go in. With it they end, in whatever way the loop does.
pub(crate) struct Publisher(Subscribers);

/// Nobody follows it yet.
pub(crate) fn publisher() -> (Publisher, Subscribers) {
    let subscribers = Subscribers(Arc::new(Mutex::new(Some(Vec::new()))));
    (Publisher(subscribers.clone()), subscribers)
}

impl Subscribers {
    pub(crate) fn subscribe(&self) -> Events {
        let (sender, receiver) = queue(EVENT_QUEUE);
        if let Some(subscribers) = lock(&self.0).as_mut() {
            // On a quiet node nothing else notices those that have gone.
            subscribers.retain(|subscriber| !subscriber.is_closed());
            subscribers.push(sender);
        }
        Events(receiver)
    }
}

impl Publisher {
    /// Tells an event to everybody. Waits for nobody.
    pub(crate) fn tell(&self, event: &Event) {
        let mut subscribers = lock(&self.0.0);
        let Some(list) = subscribers.as_mut() else { return };
        list.retain(|subscriber| subscriber.offer(event.clone(), note_loss).is_ok());
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        let subscribers = lock(&self.0.0).take();
        drop(subscribers);
    }
}

/// There is no room for an event: says so where the gap is.
fn note_loss(events: &mut VecDeque<Event>, event: &Event) {
    match events.back_mut() {
        Some(Event { at, kind: EventKind::Lost(count) }) => {
            *at = event.at;
            *count += lost(event);
        }
        _ => events.push_back(Event { at: event.at, kind: EventKind::Lost(lost(event)) }),
    }
}

/// The events that are lost with this one.
fn lost(event: &Event) -> u64 {
    match event.kind {
        EventKind::Lost(count) => count,
        _ => 1,
    }
}

/// A subscription to the node's events.
pub struct Events(Receiver<Event>);

impl Events {
    /// The next event; `None` when the driver has ended. A subscriber that does not keep up is told by
    /// [`EventKind::Lost`], where the gap is. Cancel safe.
    pub async fn next(&mut self) -> Option<Event> {
        self.0.receive().await
    }

    /// The next event, if it is there already.
    pub fn try_next(&mut self) -> Option<Event> {
        self.0.try_receive()
    }
}
