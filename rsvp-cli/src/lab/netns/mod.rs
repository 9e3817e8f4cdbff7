//! The scenario on this machine: network namespaces, real daemons, real packets.

mod apps;
mod captures;
mod daemon;
mod directory;
mod kernel;

use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant, SystemTime};

use nix::sys::signal::Signal;
use rsvp_client::Client;
use rsvp_client::api::{InstalledView, SenderView};
use rsvp_netns::Namespace;
use tokio::runtime::Runtime;

use super::backend::{
    Backend, Ending, Fault, InstalledState, NodeState, PathState, Refusal, StateChange, Traffic, Verdict,
};
use super::interrupt::Interrupt;
use super::model::{Action, FlowIndex, LinkIndex, NodeIndex, Scenario, Window};
use super::routing::Route;
use super::traffic::Generator;
use crate::units::format_rate;
use apps::{Apps, Role};
use captures::Captures;
use daemon::{ANSWER, Changes, Daemon};
use directory::Directory;

/// The time that the timeline's rates are taken over.
const GLANCE: Duration = Duration::from_secs(1);

/// A scenario in namespaces.
pub(crate) struct Netns<'a> {
    // In the order in which they have to go.
    apps: Apps,
    generator: Option<Generator>,
    /// By node; a plain router has none.
    daemons: Vec<Option<Daemon>>,
    captures: Option<Captures>,
    namespaces: Vec<Namespace>,
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
        let directory = Directory::new().map_err(|error| format!("cannot make a directory: {error}"))?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(|error| format!("cannot start the event loop: {error}"))?;
        let namespaces = namespaces(scenario).map_err(|error| error.to_string())?;
        let captures = capture(scenario, &namespaces, pcap.unwrap_or(directory.path()))?;
        let mut daemons = Vec::new();
        for (node, namespace) in namespaces.iter().enumerate() {
            if !scenario.nodes[node].kind.speaks_rsvp() {
                daemons.push(None);
                continue;
            }
            let mut daemon = Daemon::new(scenario, node, directory.path())?;
            daemon.start(namespace, runtime.handle())?;
            daemons.push(Some(daemon));
        }
        let started = (Instant::now(), SystemTime::now());
        let (sink, received) = mpsc::channel();
        let changes = Changes { start: started.0, sink };
        for (node, daemon) in daemons.iter().enumerate() {
            let Some(daemon) = daemon else { continue };
            daemon.watch(scenario, node, &changes, runtime.handle());
        }
        let receivers = receivers(scenario, &namespaces)?;
        let generator = Generator::new(scenario, started.0, receivers)
            .map_err(|error| format!("cannot start the receivers: {error}"))?;
        Ok(Self {
            apps: Apps::new(runtime.handle().clone()),
            generator: Some(generator),
            daemons,
            captures: Some(captures),
            namespaces,
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
        let from = SocketAddr::new(flow.source, flow.port);
        let failed = |error| format!("{}: cannot send from {from}: {error}", flow.name);
        // A sender that is told to send again stops first: its port must be free.
        self.generator()?.silence(index);
        let socket = self.namespaces[flow.from].run(|| UdpSocket::bind(from)).map_err(failed)?;
        self.generator()?.send(index, flow, scenario.family.headers(), socket).map_err(failed)
    }

    fn set_link(&mut self, link: LinkIndex, up: bool) -> Result<(), Fault> {
        for node in self.scenario.links[link].ends {
            let interfaces = &self.scenario.nodes[node].interfaces;
            for interface in interfaces.iter().filter(|interface| interface.link == link) {
                let namespace = &self.namespaces[node];
                let done = if up {
                    namespace.link_up(&interface.name)
                } else {
                    namespace.link_down(&interface.name)
                };
                done.map_err(|error| error.to_string())?;
            }
        }
        if up {
            self.repair(link)?;
        }
        Ok(())
    }

    /// Gives every node the routes of a topology, and takes away those that it had and has no more.
    fn converge(&self, index: usize) -> Result<(), Fault> {
        let [before, now] = [&self.scenario.topologies[index - 1], &self.scenario.topologies[index]];
        for (node, namespace) in self.namespaces.iter().enumerate() {
            let routes = now.routes(node);
            let gone = |old: &&Route| !routes.iter().any(|route| route.prefix == old.prefix);
            for route in before.routes(node).iter().filter(gone) {
                // The kernel may have removed it with the link.
                let _ = namespace.unroute(route.prefix, route.prefix_length);
            }
            for route in routes {
                namespace
                    .route(route.prefix, route.prefix_length, route.gateway)
                    .map_err(|error| error.to_string())?;
            }
        }
        Ok(())
    }

    /// Puts back the addresses that the kernel removed with the link, and where routes are static those too.
    fn repair(&mut self, link: LinkIndex) -> Result<(), Fault> {
        for (node, namespace) in self.namespaces.iter().enumerate() {
            for interface in self.scenario.nodes[node].interfaces.iter().filter(|own| own.link == link) {
                let length = self.scenario.family.prefix_length();
                match namespace.address(&interface.name, interface.address, length) {
                    Err(error) if !error.is_existing() => return Err(error.to_string()),
                    _ => {}
                }
            }
            if self.scenario.convergence.is_some() {
                continue;
            }
            // A node behind another link that is still down has no way to some of its routes.
            for route in self.scenario.topologies[0].routes(node) {
                let _ = namespace.route(route.prefix, route.prefix_length, route.gateway);
            }
        }
        Ok(())
    }

    fn start(&mut self, node: NodeIndex) -> Result<(), Fault> {
        let daemon = daemon(&mut self.daemons, node)?;
        daemon.start(&self.namespaces[node], self.runtime.handle())?;
        daemon.watch(self.scenario, node, &self.changes, self.runtime.handle());
        self.apps.restart(self.scenario, node, daemon.socket())
    }

    /// Looks at the kernels of the nodes whose daemons were ended in order; one that the scenario has killed left
    /// things to its next start.
    fn look_for_leftovers(&self, stopped: &[bool]) -> Verdict {
        let mut looked = 0;
        for (node, namespace) in self.namespaces.iter().enumerate().filter(|(node, _)| stopped[*node]) {
            if let Err(left) = kernel::is_clean(namespace, self.scenario, node) {
                return Verdict::Failed(left);
            }
            looked += 1;
        }
        Verdict::Passed(format!("{looked} nodes"))
    }

    fn socket(&self, node: NodeIndex) -> Result<&Path, Fault> {
        self.daemons[node].as_ref().map(Daemon::socket).ok_or_else(|| "it runs no RSVP".to_owned())
    }

    fn ask(&self, node: NodeIndex) -> Result<(Vec<SenderView>, Vec<InstalledView>), String> {
        let socket = self.socket(node)?.to_owned();
        let question = async move {
            let client = Client::connect(socket).await?;
            Ok::<_, rsvp_client::Error>((client.senders().await?, client.installed().await?))
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
        let flows = &self.scenario.flows;
        match action {
            Action::Send(flow) => self.send(flow),
            Action::Silence(flow) => {
                self.generator()?.silence(flow);
                Ok(())
            }
            Action::Announce(flow) => {
                let socket = self.socket(flows[flow].from)?.to_owned();
                self.apps.start(Role::Sender, flow, &flows[flow], &socket)
            }
            Action::Reserve(flow) => {
                let socket = self.socket(flows[flow].to)?.to_owned();
                self.apps.start(Role::Receiver, flow, &flows[flow], &socket)
            }
            Action::Withdraw(flow) => self.apps.end(Role::Sender, flow),
            Action::Release(flow) => self.apps.end(Role::Receiver, flow),
            Action::LinkDown(link) => self.set_link(link, false),
            Action::LinkUp(link) => self.set_link(link, true),
            // Routing is told; it follows in its own time.
            Action::Cost(..) => Ok(()),
            Action::Converge(topology) => self.converge(topology),
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
        let (senders, installed) = self.ask(node)?;
        let flow = |session: rsvp_client::api::Session| {
            self.scenario.flow_to(session.destination, session.destination_port)
        };
        let paths = senders.into_iter().map(|view| PathState {
            flow: flow(view.session),
            previous_hop: view.previous_hop.map(|hop| hop.address),
            non_rsvp: view.non_rsvp,
            broken: view.adspec.is_some_and(|adspec| adspec.broken),
        });
        let installed = installed.into_iter().map(|view| InstalledState {
            flow: flow(view.session),
            bandwidth: view.bandwidth,
            done: view.installed,
        });
        let state = NodeState { paths: paths.collect(), installed: installed.collect() };
        self.answers.insert(node, state.clone());
        Ok(state)
    }

    fn kernel(&mut self, node: NodeIndex) -> Verdict {
        let namespace = &self.namespaces[node];
        let judged = if self.daemons[node].is_some() {
            self.ask(node).and_then(|(_, installed)| kernel::compare(namespace, &installed))
        } else {
            kernel::is_clean(namespace, self.scenario, node).map(|()| "0".to_owned())
        };
        match judged {
            Ok(seen) => Verdict::Passed(seen),
            Err(why) => Verdict::Failed(why),
        }
    }

    fn refusal(&mut self, flow: FlowIndex) -> Option<Refusal> {
        self.apps.refusal(flow)
    }

    fn glance(&mut self) -> Option<String> {
        let now = self.started.0.elapsed();
        let window = Window { from: now.saturating_sub(2 * GLANCE), to: now.saturating_sub(GLANCE) };
        let generator = self.generator.as_ref()?;
        let figures: Vec<String> = generator
            .active()
            .map(|index| {
                let flow = &self.scenario.flows[index];
                let measured = generator.measure(index, window);
                let lost = measured.sent.saturating_sub(measured.delivered) * 100 / measured.sent.max(1);
                // Rounded to what a line has room for.
                let kilobits = measured.received_bytes * 8 / 10_000 * 10;
                #[expect(clippy::cast_precision_loss, reason = "for display")]
                let rate = format_rate(kilobits as f64 * 1000.0);
                format!("{} {rate} (-{lost} %)", flow.name)
            })
            .collect();
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
        Ok(Ending { traffic: Some(Box::new(generator)), heard: found.heard, checks })
    }
}

/// The daemon of a node.
fn daemon(daemons: &mut [Option<Daemon>], node: NodeIndex) -> Result<&mut Daemon, Fault> {
    daemons[node].as_mut().ok_or_else(|| "a plain router has no daemon".to_owned())
}

/// Makes the network: namespaces, links, addresses, routes.
fn namespaces(scenario: &Scenario) -> Result<Vec<Namespace>, rsvp_netns::Error> {
    let mut namespaces = Vec::new();
    for node in &scenario.nodes {
        let namespace = Namespace::new(&node.name)?;
        if node.kind.forwards() {
            namespace.forward()?;
        }
        namespaces.push(namespace);
    }
    for (index, link) in scenario.links.iter().enumerate() {
        let [one, other] = link.ends.map(|node| {
            let interfaces = &scenario.nodes[node].interfaces;
            (node, interfaces.iter().find(|interface| interface.link == index))
        });
        let ((one, Some(from)), (other, Some(to))) = (one, other) else { continue };
        namespaces[one].add_link(&from.name, &namespaces[other], &to.name)?;
        for (node, interface) in [(one, from), (other, to)] {
            namespaces[node].address(&interface.name, interface.address, scenario.family.prefix_length())?;
        }
    }
    for (node, namespace) in namespaces.iter().enumerate() {
        for interface in &scenario.nodes[node].interfaces {
            namespace.wait_for_link(&interface.name)?;
            // Elsewhere the daemon does that.
            if !scenario.nodes[node].kind.speaks_rsvp() {
                namespace.limit(&interface.name, scenario.links[interface.link].rate)?;
            }
        }
        for route in scenario.topologies[0].routes(node) {
            namespace.route(route.prefix, route.prefix_length, route.gateway)?;
        }
    }
    Ok(namespaces)
}

/// Records every link, at its first end.
fn capture(scenario: &Scenario, namespaces: &[Namespace], directory: &Path) -> Result<Captures, Fault> {
    std::fs::create_dir_all(directory)
        .map_err(|error| format!("cannot make the directory {}: {error}", directory.display()))?;
    let mut captures = Captures::default();
    for (index, link) in scenario.links.iter().enumerate() {
        let node = link.ends[0];
        let interfaces = &scenario.nodes[node].interfaces;
        for interface in interfaces.iter().filter(|interface| interface.link == index) {
            let path: PathBuf = directory.join(format!("{}.pcap", link.name));
            let recorder =
                namespaces[node].capture(&interface.name, &path).map_err(|error| error.to_string())?;
            captures.add(path, recorder);
        }
    }
    Ok(captures)
}

/// Sockets that hear the flows.
fn receivers(scenario: &Scenario, namespaces: &[Namespace]) -> Result<Vec<UdpSocket>, Fault> {
    let bind = |flow: &super::model::Flow| {
        let address = SocketAddr::new(flow.destination, flow.port);
        let socket = namespaces[flow.to].run(|| UdpSocket::bind(address));
        socket.map_err(|error| format!("{}: cannot receive at {address}: {error}", flow.name))
    };
    scenario.flows.iter().map(bind).collect()
}
