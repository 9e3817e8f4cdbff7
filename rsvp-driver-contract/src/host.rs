//! A node that runs, with an application on it.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rsvp_core::command::{ReserveRequest, SenderRequest};
use rsvp_core::config::Bandwidth;
use rsvp_core::event::Upcall;
use rsvp_core::wire::{FilterSpec, FlowDescriptor, FlowKey, Flowspec, SenderTspec, Style, Tspec};
use rsvp_core::{ApiId, Command, EventKind, Node, NodeConfig, Reply, SessionKey};
use rsvp_driver::{Clock, Events, Handle, Outside};

use crate::{Running, Runtime, Trace, Watched};

/// More than anything here takes.
pub const LONG: Duration = Duration::from_secs(10);

/// Between two looks at something that will change.
pub const PAUSE: Duration = Duration::from_millis(1);

/// What every sender sends.
pub const TSPEC: Tspec =
    Tspec { rate: 1e5, bucket: 1e4, peak: f32::INFINITY, min_unit: 64, max_packet: 1500 };

/// A node that runs, an application's ways to it, and what it does outside.
pub struct Host {
    /// The way to the node.
    pub handle: Handle,
    /// What it tells.
    pub events: Events,
    /// The thread that it runs on.
    pub running: Running,
    /// What it does outside.
    pub trace: Arc<Trace>,
}

/// Waits for an answer.
///
/// # Panics
///
/// If none comes.
pub fn within<T>(what: &str, answer: impl Future<Output = T>) -> T {
    let answer = async { Some(answer.await) };
    let limit = async {
        smol::Timer::after(LONG).await;
        None
    };
    smol::block_on(smol::future::or(answer, limit)).unwrap_or_else(|| panic!("waited in vain: {what}"))
}

/// Waits until something is so.
///
/// # Panics
///
/// If it never is.
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < LONG, "waited in vain: {what}");
        thread::sleep(PAUSE);
    }
}

/// Room for many flows of [`TSPEC`].
#[must_use]
pub fn config() -> NodeConfig {
    let mut config = NodeConfig::default();
    config.default_interface.bandwidth =
        Some(Bandwidth { total: 1_000_000_000, per_flow: 1_000_000, link: 1_000_000_000 });
    config
}

/// A UDP session.
#[must_use]
pub fn session(destination: IpAddr, port: u16) -> SessionKey {
    SessionKey::Ip(FlowKey { destination, protocol: 17, port })
}

/// Someone who sends [`TSPEC`].
#[must_use]
pub fn sender(source: IpAddr, port: u16) -> SenderRequest {
    SenderRequest {
        template: FilterSpec::Ip { source, port },
        tspec: SenderTspec::TokenBucket(TSPEC),
        adspec: true.into(),
        policy: Vec::new(),
        ttl: 63,
    }
}

/// Controlled load for [`TSPEC`] at this rate.
#[must_use]
pub fn flow(rate: f32, filters: Vec<FilterSpec>) -> FlowDescriptor {
    FlowDescriptor { flowspec: Some(Flowspec::ControlledLoad(Tspec { rate, ..TSPEC })), filters }
}

/// A reservation to be confirmed.
#[must_use]
pub fn reservation(receiver: IpAddr, style: Style, flows: Vec<FlowDescriptor>) -> ReserveRequest {
    ReserveRequest { receiver, style, flows, policy: Vec::new(), confirm: true }
}

impl Host {
    /// Runs a node.
    pub fn start<O: Outside>(runtime: Runtime, config: NodeConfig, outside: O) -> Self {
        let clock = Clock::start();
        let node = Node::new(config, [7; 32], clock.now());
        let (outside, trace) = Watched::new(outside);
        let (handle, running) = runtime.start(node, outside, clock);
        let events = handle.subscribe();
        Self { handle, events, running, trace }
    }

    /// Gives a good command.
    ///
    /// # Panics
    ///
    /// If the node does not take it.
    pub fn command(&self, command: Command) -> Reply {
        within("a command is answered", self.handle.command(command)).expect("a good command")
    }

    /// Opens a session.
    ///
    /// # Panics
    ///
    /// If the node does not let it.
    pub fn open(&self, session: SessionKey) -> ApiId {
        match self.command(Command::OpenSession(session)) {
            Reply::Session(id) => id,
            other => panic!("no session: {other:?}"),
        }
    }

    /// Opens a session and announces a sender.
    pub fn announce(&self, session: SessionKey, sender: SenderRequest) -> ApiId {
        let id = self.open(session);
        self.command(Command::AddSender(id, sender));
        id
    }

    /// Opens a session and asks for a wildcard reservation of it.
    pub fn reserve(&self, session: SessionKey, receiver: IpAddr) -> ApiId {
        let id = self.open(session);
        let request = reservation(receiver, Style::Wf, vec![flow(TSPEC.rate, vec![])]);
        self.command(Command::Reserve(id, request));
        id
    }

    /// Looks at the node.
    ///
    /// # Panics
    ///
    /// If it has ended.
    pub fn look<T: Send + 'static>(&self, look: impl FnOnce(&Node) -> T + Send + 'static) -> T {
        within("a look at the node", self.handle.query(look)).expect("the node runs")
    }

    /// Waits for an upcall that `wanted` takes; passes over the others.
    ///
    /// # Panics
    ///
    /// If none comes.
    pub fn upcall(&mut self, what: &str, wanted: impl Fn(&Upcall) -> bool) -> Upcall {
        let Self { events, .. } = self;
        within(what, async {
            loop {
                match events.next().await.expect("the node runs").kind {
                    EventKind::Upcall(_, _, upcall) if wanted(&upcall) => return upcall,
                    _ => {}
                }
            }
        })
    }

    /// Has it tear down and end.
    ///
    /// # Errors
    ///
    /// The driver's.
    pub fn shut_down(self) -> io::Result<()> {
        within("the shutdown is answered", self.handle.shutdown());
        self.running.join()
    }
}
