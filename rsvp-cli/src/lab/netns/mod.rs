//! The scenario on this machine: network namespaces, real daemons, real packets.

mod apps;
mod captures;
mod daemon;
mod kernel;
mod network;
pub(crate) mod scale;

use std::collections::BTreeMap;
use std::net::UdpSocket;
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant, SystemTime};

use nix::sys::signal::Signal;
use rsvp_client::Client;
use rsvp_client::api::{Filter, InstalledView, NeighborView, SenderView};
use rsvp_netns::Directory;
use tokio::runtime::Runtime;

use super::backend::{
    Backend, Ending, Fault, InstalledState, NeighborState, NodeState, PathState, Refusal, StateChange,
    Traffic, Verdict,
};
use super::interrupt::Interrupt;
use super::model::{Action, FlowIndex, NodeIndex, ReceiverIndex, Scenario, Window};
use super::traffic::Generator;
use crate::units::format_rate;
use apps::{Apps, Role};
use captures::Captures;
use daemon::{ANSWER, Changes, Daemon};
use network::Network;

/// What the directories of all runs are called, in the beginning.
const DIRECTORIES: &str = "rsvp-lab-";
/// The time that the timeline's rates are taken over.
const GLANCE: Duration = Duration::from_secs(1);

/// What a daemon answers: path state, reservations in traffic control, neighbours.
type Answer = (Vec<SenderView>, Vec<InstalledView>, Vec<NeighborView>);

/// A scenario in namespaces.
pub(crate) struct Netns<'a> {
    // In the order in which they have to go.
    apps: Apps,
    generator: Option<Generator>,
    /// By node; a plain router has none.
    daemons: Vec<Option<Daemon>>,
    captures: Option<Captures>,
    /// The receivers' sockets, to join groups with.
    sockets: Vec<UdpSocket>,
    network: Network,
    directory: Directory,
    scenario: &'a Scenario,
    interrupt: &'a Interrupt,
    /// The moment that the run has come to.
    moment: Duration,
    /// What the daemons answered at this moment; several checks need it.
    answers: BTreeMap<NodeIndex, NodeState>,
    changes: Changes,
    received: Receiver<StateChange>,
    started: (Instant, SystemTime),
    runtime: Runtime,
}

impl<'a> Netns<'a> {
    /// Builds the network and starts the daemons. Captures go to `pcap`, or nowhere that outlives the run.
    pub(crate) fn new(
        scenario: &'a Scenario,
        interrupt: &'a Interrupt,
        pcap: Option<&Path>,
    ) -> Result<Self, Fault> {
        let directory =
            Directory::new(DIRECTORIES).map_err(|error| format!("cannot make a directory: {error}"))?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(|error| format!("cannot start the event loop: {error}"))?;
        let network = Network::new(scenario)?;
        let captures = network.capture(scenario, pcap.unwrap_or(directory.path()))?;
        let mut daemons = Vec::new();
        for node in scenario.node_indices() {
            if !scenario.nodes[node].kind.speaks_rsvp() {
                daemons.push(None);
                continue;
            }
            let mut daemon = Daemon::new(scenario, node, directory.path())?;
            daemon.start(network.node(node), runtime.handle())?;
            daemons.push(Some(daemon));
        }
        let started = (Instant::now(), SystemTime::now());
        let (sink, received) = mpsc::channel();
        let changes = Changes { start: started.0, sink };
        for (node, daemon) in daemons.iter().enumerate() {
            let Some(daemon) = daemon else { continue };
            daemon.watch(scenario, node, &changes, runtime.handle());
        }
        let sockets = network.receivers(scenario)?;
        let failed = |error: std::io::Error| format!("cannot start the receivers: {error}");
        let receivers: Result<Vec<_>, _> = sockets.iter().map(UdpSocket::try_clone).collect();
        let generator = Generator::new(scenario, started.0, receivers.map_err(failed)?).map_err(failed)?;
        Ok(Self {
            apps: Apps::new(runtime.handle().clone()),
            generator: Some(generator),
            daemons,
            captures: Some(captures),
            sockets,
            network,
            directory,
            scenario,
            interrupt,
            moment: Duration::ZERO,
            answers: BTreeMap::new(),
            changes,
            received,
            started,
            runtime,
        })
    }

    /// How to look into the network while it runs, for people.
    pub(crate) fn hint(&self) -> String {
        let sockets = self.directory.path().join("NODE.sock");
        format!("look into it with: rsvp-cli show reservations --socket {}", sockets.display())
    }

    fn generator(&mut self) -> Result<&mut Generator, Fault> {
        self.generator.as_mut().ok_or_else(|| "the run has ended".to_owned())
    }

    fn send(&mut self, index: FlowIndex) -> Result<(), Fault> {
        let (scenario, flow) = (self.scenario, &self.scenario.flows[index]);
        // A sender that is told to send again stops first: its port must be free.
        self.generator()?.silence(index);
        let socket = self.network.sender(index, scenario)?;
        let sent = self.generator()?.send(index, flow, scenario.family.headers(), socket);
        sent.map_err(|error| format!("{}: cannot send: {error}", flow.name))
    }

    fn start_app(&mut self, role: Role) -> Result<(), Fault> {
        let node = match role {
            Role::Sender(flow) => self.scenario.flows[flow].from,
            Role::Receiver(receiver) => self.scenario.receivers[receiver].node,
        };
        let socket = self.socket(node)?.to_owned();
        self.apps.start(role, self.scenario, &socket)
    }

    fn set_member(&mut self, receiver: ReceiverIndex, joins: bool) -> Result<(), Fault> {
        self.network.set_member(receiver, joins, &self.sockets[receiver], self.scenario)?;
        self.network.route_groups(self.scenario, self.moment)
    }

    fn start(&mut self, node: NodeIndex) -> Result<(), Fault> {
        let daemon = daemon(&mut self.daemons, node)?;
        daemon.start(self.network.node(node), self.runtime.handle())?;
        daemon.watch(self.scenario, node, &self.changes, self.runtime.handle());
        self.apps.restart(self.scenario, node, daemon.socket())
    }

    /// Looks at the kernels of the nodes whose daemons were ended in order; one that the scenario has killed left
    /// things to its next start.
    fn look_for_leftovers(&self, stopped: &[bool]) -> Verdict {
        let mut looked = 0;
        for node in self.scenario.node_indices().into_iter().filter(|node| stopped[*node]) {
            if let Err(left) = kernel::is_clean(self.network.node(node), self.scenario, node) {
                return Verdict::Failed(left);
            }
            looked += 1;
        }
        Verdict::Passed(format!("{looked} nodes"))
    }

    fn socket(&self, node: NodeIndex) -> Result<&Path, Fault> {
        self.daemons[node].as_ref().map(Daemon::socket).ok_or_else(|| "it runs no RSVP".to_owned())
    }

    fn ask(&self, node: NodeIndex) -> Result<Answer, String> {
        let socket = self.socket(node)?.to_owned();
        let question = async move {
            let client = Client::connect(socket).await?;
            let (senders, installed) = (client.senders().await?, client.installed().await?);
            Ok::<_, rsvp_client::Error>((senders, installed, client.neighbors().await?))
        };
        let answer = self.runtime.block_on(async { tokio::time::timeout(ANSWER, question).await });
        match answer {
            Ok(answer) => answer.map_err(|error| error.to_string()),
            Err(_) => Err("its daemon does not answer".to_owned()),
        }
    }
}

impl Backend for Netns<'_> {
    fn advance(&mut self, to: Duration) -> Result<bool, Fault> {
        // Checks of one moment come one after the other.
        if std::mem::replace(&mut self.moment, to) != to {
            self.answers.clear();
        }
        Ok(!self.interrupt.sleep_until(self.started.0.checked_add(to)))
    }

    fn act(&mut self, action: Action) -> Result<(), Fault> {
        self.answers.clear();
        match action {
            Action::Send(flow) => self.send(flow),
            Action::Silence(flow) => {
                self.generator()?.silence(flow);
                Ok(())
            }
            Action::Announce(flow) => self.start_app(Role::Sender(flow)),
            Action::Withdraw(flow) => self.apps.end(Role::Sender(flow)),
            Action::Join(receiver) => self.set_member(receiver, true),
            Action::Leave(receiver) => self.set_member(receiver, false),
            Action::Reserve(receiver) => self.start_app(Role::Receiver(receiver)),
            Action::Release(receiver) => self.apps.end(Role::Receiver(receiver)),
            Action::LinkDown(link) => self.network.set_link(link, false, self.scenario),
            Action::LinkUp(link) => self.network.set_link(link, true, self.scenario),
            // Routing is told; it follows in its own time.
            Action::Cost(..) => Ok(()),
            Action::Converge(topology) => self.network.converge(topology, self.scenario),
            Action::Freeze(node) => daemon(&mut self.daemons, node)?.signal(Signal::SIGSTOP),
            Action::Thaw(node) => daemon(&mut self.daemons, node)?.signal(Signal::SIGCONT),
            Action::Kill(node) => daemon(&mut self.daemons, node)?.kill(),
            Action::Start(node) => self.start(node),
        }
    }

    fn take_changes(&mut self) -> Vec<StateChange> {
        let mut changes: Vec<StateChange> = self.received.try_iter().collect();
        changes.sort_by_key(|change| change.at);
        changes
    }

    fn state(&mut self, node: NodeIndex) -> Result<NodeState, String> {
        if let Some(known) = self.answers.get(&node) {
            return Ok(known.clone());
        }
        let (senders, installed, neighbors) = self.ask(node)?;
        let flows = |session: rsvp_client::api::Session, senders: &[Filter]| {
            let sources: Vec<_> = senders.iter().map(|sender| sender.source).collect();
            self.scenario.flows_to(session.destination, session.destination_port, &sources)
        };
        let paths = senders.into_iter().map(|view| PathState {
            flow: flows(view.session, &[view.sender]).first().copied(),
            previous_hop: view.previous_hop.map(|hop| hop.address),
            non_rsvp: view.non_rsvp,
            broken: view.adspec.is_some_and(|adspec| adspec.broken),
        });
        let installed = installed.into_iter().map(|view| InstalledState {
            flows: flows(view.session, &view.senders),
            interface: view.interface,
            bandwidth: view.bandwidth,
            done: view.installed,
        });
        let neighbors = neighbors.into_iter().map(|view| {
            let reduction = view.refresh_reduction.unwrap_or_default();
            NeighborState {
                node: self.scenario.owner(view.address),
                used: [reduction.message_ids, reduction.bundles, reduction.summary_refresh],
                summarized: reduction.summarized,
            }
        });
        let state = NodeState {
            paths: paths.collect(),
            installed: installed.collect(),
            neighbors: neighbors.collect(),
        };
        self.answers.insert(node, state.clone());
        Ok(state)
    }

    fn kernel(&mut self, node: NodeIndex) -> Verdict {
        let namespace = self.network.node(node);
        let judged = if self.daemons[node].is_some() {
            self.ask(node).and_then(|(_, installed, _)| kernel::compare(namespace, &installed))
        } else {
            kernel::is_clean(namespace, self.scenario, node).map(|()| "0".to_owned())
        };
        match judged {
            Ok(seen) => Verdict::Passed(seen),
            Err(why) => Verdict::Failed(why),
        }
    }

    fn refusal(&mut self, receiver: ReceiverIndex) -> Option<Refusal> {
        self.apps.refusal(receiver)
    }

    fn glance(&mut self) -> Option<String> {
        let now = self.started.0.elapsed();
        let window = Window { from: now.saturating_sub(2 * GLANCE), to: now.saturating_sub(GLANCE) };
        let generator = self.generator.as_ref()?;
        let mut figures = Vec::new();
        for index in generator.active() {
            for receiver in self.scenario.receivers_of(index) {
                let to = &self.scenario.receivers[receiver];
                if !self.scenario.is_member(receiver, window.from) {
                    continue;
                }
                let measured = generator.measure(index, receiver, window);
                let lost = measured.sent.saturating_sub(measured.delivered) * 100 / measured.sent.max(1);
                // Rounded to what a line has room for.
                let kilobits = measured.received_bytes * 8 / 10_000 * 10;
                #[expect(clippy::cast_precision_loss, reason = "for display")]
                let rate = format_rate(kilobits as f64 * 1000.0);
                let to = to.group.map(|_| format!(" to {}", to.name)).unwrap_or_default();
                figures.push(format!("{}{to} {rate} (-{lost} %)", self.scenario.flows[index].name));
            }
        }
        (!figures.is_empty()).then(|| figures.join("  "))
    }

    fn finish(&mut self) -> Result<Ending, Fault> {
        let mut generator = self.generator.take().ok_or("the run has ended")?;
        generator.stop();
        self.apps.end_all();
        // A plain router has nothing to stop, and nothing of RSVP may be left there either.
        let stop = |daemon: &mut Option<Daemon>| daemon.as_mut().map_or(Ok(true), Daemon::stop);
        let stopped: Result<Vec<bool>, String> = self.daemons.iter_mut().map(stop).collect();
        let (ended, clean) = match stopped {
            Ok(stopped) => (
                Verdict::Passed(format!(
                    "{} daemons",
                    stopped
                        .iter()
                        .zip(&self.daemons)
                        .filter(|(was, daemon)| **was && daemon.is_some())
                        .count()
                )),
                self.look_for_leftovers(&stopped),
            ),
            Err(why) => (Verdict::Failed(why), Verdict::NotMeasured("a daemon had to be killed".to_owned())),
        };
        let found = self.captures.take().ok_or("the run has ended")?.read(self.scenario, self.started.1)?;
        let checks = vec![
            (
                "what was counted agrees with what was captured".to_owned(),
                found.agree(self.scenario, &generator),
            ),
            ("every captured RSVP message is well-formed".to_owned(), found.well_formed()),
            ("every daemon ends in order".to_owned(), ended),
            ("nothing is left in any kernel".to_owned(), clean),
        ];
        Ok(Ending {
            traffic: Some(Box::new(generator)),
            heard: found.heard,
            sent: found.sent,
            datagrams: found.datagrams,
            checks,
        })
    }
}

/// The daemon of a node.
fn daemon(daemons: &mut [Option<Daemon>], node: NodeIndex) -> Result<&mut Daemon, Fault> {
    daemons[node].as_mut().ok_or_else(|| "a plain router has no daemon".to_owned())
}
