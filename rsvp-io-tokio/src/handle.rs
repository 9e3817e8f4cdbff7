//! How the rest of a program talks to a running node.

use std::fmt;

use rsvp_core::{Command, CommandError, Event, EventKind, Node, Reply};
use rsvp_io::{Diagnostic, SystemView};
use tokio::sync::broadcast::error::TryRecvError;
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::Clock;

/// Work for the driver between two turns.
pub(crate) enum Job {
    /// Carry out a command.
    Command(Box<Command>, oneshot::Sender<Result<Reply, CommandError>>),
    /// Look at the node.
    Query(Box<dyn FnOnce(&Node) + Send>),
    /// Tell what the operator should know.
    Diagnostics(oneshot::Sender<Vec<Diagnostic>>),
    /// Tell what the outside does for the interfaces.
    View(oneshot::Sender<SystemView>),
    /// Tear down and end.
    Shutdown(oneshot::Sender<()>),
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

/// A way to a running node; cheap to clone. When the last one is gone, the driver shuts down.
#[derive(Clone)]
pub struct Handle {
    jobs: mpsc::Sender<Job>,
    events: broadcast::Sender<Event>,
    clock: Clock,
}

impl Handle {
    pub(crate) fn new(jobs: mpsc::Sender<Job>, events: broadcast::Sender<Event>, clock: Clock) -> Self {
        Self { jobs, events, clock }
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
        let (answer, answered) = oneshot::channel();
        let job = Job::Command(Box::new(command), answer);
        self.jobs.send(job).await.map_err(|_| CommandError::ShuttingDown)?;
        answered.await.unwrap_or(Err(CommandError::ShuttingDown))
    }

    /// Looks at the node between two turns; the closure should be quick.
    ///
    /// # Errors
    ///
    /// If the driver has ended.
    pub async fn query<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Node) -> T + Send + 'static,
    ) -> Result<T, Stopped> {
        let (answer, answered) = oneshot::channel();
        let job = Job::Query(Box::new(move |node| {
            // Whoever asked may have gone.
            let _ = answer.send(look(node));
        }));
        self.jobs.send(job).await.map_err(|_| Stopped)?;
        answered.await.map_err(|_| Stopped)
    }

    /// What an operator should know about the machine, as of now.
    ///
    /// # Errors
    ///
    /// If the driver has ended.
    pub async fn diagnostics(&self) -> Result<Vec<Diagnostic>, Stopped> {
        let (answer, answered) = oneshot::channel();
        self.jobs.send(Job::Diagnostics(answer)).await.map_err(|_| Stopped)?;
        answered.await.map_err(|_| Stopped)
    }

    /// What the outside does for the interfaces, as of now.
    ///
    /// # Errors
    ///
    /// If the driver has ended.
    pub async fn system_view(&self) -> Result<SystemView, Stopped> {
        let (answer, answered) = oneshot::channel();
        self.jobs.send(Job::View(answer)).await.map_err(|_| Stopped)?;
        answered.await.map_err(|_| Stopped)
    }

    /// The node's events from now on.
    #[must_use]
    pub fn subscribe(&self) -> Events {
        Events { receiver: self.events.subscribe(), clock: self.clock }
    }

    /// Tears everything down towards the neighbours, removes what was installed, and ends the driver.
    pub async fn shutdown(&self) {
        let (answer, answered) = oneshot::channel();
        // A driver that has ended already is as good.
        if self.jobs.send(Job::Shutdown(answer)).await.is_ok() {
            let _ = answered.await;
        }
    }
}

/// A subscription to the node's events.
pub struct Events {
    receiver: broadcast::Receiver<Event>,
    clock: Clock,
}

impl Events {
    /// The next event; `None` when the driver has ended. A subscriber that does not keep up is told by
    /// [`EventKind::Lost`]. Cancel safe.
    pub async fn next(&mut self) -> Option<Event> {
        match self.receiver.recv().await {
            Ok(event) => Some(event),
            Err(broadcast::error::RecvError::Closed) => None,
            Err(broadcast::error::RecvError::Lagged(count)) => Some(self.lost(count)),
        }
    }

    /// The next event, if it is there already.
    pub fn try_next(&mut self) -> Option<Event> {
        match self.receiver.try_recv() {
            Ok(event) => Some(event),
            Err(TryRecvError::Empty | TryRecvError::Closed) => None,
            Err(TryRecvError::Lagged(count)) => Some(self.lost(count)),
        }
    }

    fn lost(&self, count: u64) -> Event {
        Event { at: self.clock.now(), kind: EventKind::Lost(count) }
    }
}
