//! The scenario on the engine alone, in virtual time: protocol, but no data and no kernel.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use rsvp_core::command::{ReserveRequest, SenderRequest};
use rsvp_core::config::{
    Bandwidth, GuaranteedConfig, InterfaceConfig, NodeConfig, ReductionConfig, UdpEncapsulation, UdpOnly,
};
use rsvp_core::event::{Cause, Change, EventKind, Subject as CoreSubject, Upcall};
use rsvp_core::input::Encapsulation;
use rsvp_core::wire::{
    Adspec, FilterSpec, FlowDescriptor, FlowKey, Flowspec, Rspec, SenderTspec, SessionKey, Style, Tspec,
};
use rsvp_core::{ApiId, Command, Event, Instant, InterfaceId, Reply};
use rsvp_sim::{Conditions, Fate, LinkId, Network, NodeId, Role};

use super::backend::{
    Backend, Datagram, Ending, Fault, Heard, InstalledState, NeighborState, NodeState, PathState, Refusal,
    StateChange, Subject, Verdict,
};
use super::heard::{self, Listener};
use super::model::{Action, Flow, FlowIndex, NodeIndex, NodeKind, ReceiverIndex, Scenario};
use super::scenario::{Service, StateKind, StyleName, UdpUse};

/// The IP protocol of the flows.
const UDP: u8 = 17;
/// The seed of everything random; another run gives the same.
const SEED: u64 = 2205;
/// TTL of Path messages.
const PATH_TTL: u8 = 255;

/// A scenario in the simulator.
pub(crate) struct Sim<'a> {
    scenario: &'a Scenario,
    network: Network,
    nodes: Vec<NodeId>,
    links: Vec<LinkId>,
    /// The applications that run.
    senders: BTreeMap<FlowIndex, ApiId>,
    receivers: BTreeMap<ReceiverIndex, ApiId>,
    /// Those that hear their group and have not reserved, or did so besides.
    members: BTreeMap<ReceiverIndex, ApiId>,
    refusals: BTreeMap<ReceiverIndex, Refusal>,
    changes: Vec<StateChange>,
}

impl<'a> Sim<'a> {
    /// Builds the network.
    pub(crate) fn new(scenario: &'a Scenario) -> Self {
        let mut network = Network::new(SEED);
        let add = |node: NodeIndex| {
            let (name, config) = (&scenario.nodes[node].name, config(scenario, node));
            let kind = scenario.nodes[node].kind;
            let role = if kind.forwards() { Role::Router } else { Role::Host };
            network.add(name, role, kind.speaks_rsvp().then_some(config))
        };
        let nodes: Vec<NodeId> = scenario.node_indices().into_iter().map(add).collect();
        let mut links = Vec::new();
        for (index, link) in scenario.links.iter().enumerate() {
            let id = network.link(Conditions::default());
            network.set_cost(id, link.cost);
            for end in &link.ends {
                if let Some(interface) = scenario.nodes[*end].interface_on(index) {
                    network.attach(nodes[*end], id, &interface.name, &[interface.address]);
                }
            }
            links.push(id);
        }
        // Without a convergence, routes are static, as those of the namespaces are; but trees follow their members.
        let never = if scenario.groups.is_empty() { Duration::MAX / 4 } else { Duration::ZERO };
        network.set_convergence(scenario.convergence.unwrap_or(never));
        Self {
            scenario,
            network,
            nodes,
            links,
            senders: BTreeMap::new(),
            receivers: BTreeMap::new(),
            members: BTreeMap::new(),
            refusals: BTreeMap::new(),
            changes: Vec::new(),
        }
    }

    fn command(&mut self, node: NodeIndex, command: Command) -> Result<Reply, Fault> {
        self.network
            .command(self.nodes[node], command)
            .map_err(|error| format!("{}: {error}", self.scenario.nodes[node].name))
    }

    fn open(&mut self, node: NodeIndex, session: SessionKey) -> Result<ApiId, Fault> {
        match self.command(node, Command::OpenSession(session))? {
            Reply::Session(id) => Ok(id),
            other => Err(format!("opening a session was answered by {other:?}")),
        }
    }

    fn announce(&mut self, index: FlowIndex) -> Result<(), Fault> {
        let flow = &self.scenario.flows[index];
        let id = self.open(flow.from, session(flow.destination, flow.port))?;
        self.senders.insert(index, id);
        let request = SenderRequest {
            template: filter(flow),
            tspec: SenderTspec::TokenBucket(tspec(flow.rate, flow.bucket, flow.packet)),
            adspec: true.into(),
            policy: Vec::new(),
            ttl: PATH_TTL,
        };
        self.command(flow.from, Command::AddSender(id, request)).map(drop)
    }

    fn join(&mut self, index: ReceiverIndex) -> Result<(), Fault> {
        let receiver = &self.scenario.receivers[index];
        let id = self.open(receiver.node, session(receiver.destination, receiver.port))?;
        self.members.insert(index, id);
        self.command(receiver.node, Command::Join(id, None)).map(drop)
    }

    fn reserve(&mut self, index: ReceiverIndex) -> Result<(), Fault> {
        let receiver = &self.scenario.receivers[index];
        let id = self.open(receiver.node, session(receiver.destination, receiver.port))?;
        self.receivers.insert(index, id);
        self.refusals.remove(&index);
        let tspec = tspec(receiver.rate, receiver.bucket, receiver.packet);
        let flowspec = match receiver.service {
            Service::ControlledLoad => Flowspec::ControlledLoad(tspec),
            Service::Guaranteed => Flowspec::Guaranteed(tspec, Rspec { rate: tspec.rate, slack: 0 }),
        };
        let senders = || receiver.flows.iter().map(|flow| filter(&self.scenario.flows[*flow]));
        let one = |filters| FlowDescriptor { flowspec: Some(flowspec.clone()), filters };
        let (style, flows) = match receiver.style {
            StyleName::Ff => (Style::Ff, senders().map(|sender| one(vec![sender])).collect()),
            StyleName::Se => (Style::Se, vec![one(senders().collect())]),
            StyleName::Wf => (Style::Wf, vec![one(Vec::new())]),
        };
        let request =
            ReserveRequest { receiver: receiver.address, style, flows, policy: Vec::new(), confirm: true };
        self.command(receiver.node, Command::Reserve(id, request)).map(drop)
    }

    /// Ends an application; one whose daemon died has ended already.
    fn end(&mut self, node: NodeIndex, id: Option<ApiId>) -> Result<(), Fault> {
        match id {
            Some(id) => self.command(node, Command::Release(id)).map(drop),
            None => Ok(()),
        }
    }

    fn kill(&mut self, node: NodeIndex) {
        self.network.kill(self.nodes[node]);
        let (flows, receivers) = (&self.scenario.flows, &self.scenario.receivers);
        self.senders.retain(|flow, _| flows[*flow].from != node);
        self.receivers.retain(|receiver, _| receivers[*receiver].node != node);
        self.members.retain(|receiver, _| receivers[*receiver].node != node);
    }

    fn interface_name(&self, node: NodeIndex, id: InterfaceId) -> Option<String> {
        let node = self.network.node(self.nodes[node])?;
        node.interfaces().into_iter().find(|view| view.id == id).map(|view| view.name)
    }

    fn collect(&mut self) {
        for node in self.scenario.speakers() {
            for event in self.network.take_events(self.nodes[node]) {
                self.note(node, event);
            }
        }
        self.changes.sort_by_key(|change| change.at);
    }

    fn note(&mut self, node: NodeIndex, event: Event) {
        let at = since_start(event.at);
        let none = StateChange {
            at,
            node,
            subject: Subject::Other,
            flows: Vec::new(),
            interface: None,
            neighbor: None,
            change: "",
            cause: String::new(),
            expired: false,
        };
        match event.kind {
            EventKind::Lost(count) => {
                self.changes.push(StateChange { subject: Subject::Lost(count), ..none });
            }
            EventKind::Upcall(_, session, Upcall::ResvError { error, .. }) => {
                let key = session.flow();
                let told = self.scenario.receivers.iter().position(|receiver| {
                    receiver.node == node
                        && (receiver.destination, receiver.port) == (key.destination, key.port)
                });
                if let Some(receiver) = told {
                    let refusal = Refusal { code: error.code, value: error.value, node: error.node };
                    self.refusals.insert(receiver, refusal);
                }
            }
            EventKind::Upcall(..) => {}
            EventKind::State(state) => {
                let (subject, interface, neighbor, senders) = match state.subject {
                    CoreSubject::Path { previous_hop, interface, sender } => {
                        (Subject::State(StateKind::Path), interface, previous_hop, vec![sender])
                    }
                    CoreSubject::Reservation { next_hop, interface, filters, .. } => {
                        (Subject::State(StateKind::Reservation), interface, next_hop, filters)
                    }
                    CoreSubject::Installation { interface, filters, .. } => {
                        (Subject::Installation, Some(interface), None, filters)
                    }
                    _ => (Subject::Other, None, None, Vec::new()),
                };
                let flows = state.session.map(|session| heard::flows_of(&session, &senders, self.scenario));
                self.changes.push(StateChange {
                    subject,
                    interface: interface.and_then(|id| self.interface_name(node, id)),
                    flows: flows.unwrap_or_default(),
                    neighbor,
                    change: change_name(state.change),
                    cause: cause_text(&state.cause),
                    expired: state.cause == Cause::Expired && state.change == Change::Removed,
                    ..none
                });
            }
        }
    }
}

impl Backend for Sim<'_> {
    fn advance(&mut self, to: Duration) -> Result<bool, Fault> {
        // There is nothing to keep: virtual time that never ends shows nothing.
        if to != Duration::MAX {
            self.network.run_until(Instant::ZERO + to);
            self.collect();
        }
        Ok(true)
    }

    fn act(&mut self, action: Action) -> Result<(), Fault> {
        match action {
            // There is no data.
            Action::Send(_) | Action::Silence(_) => {}
            Action::Announce(flow) => self.announce(flow)?,
            Action::Join(receiver) => self.join(receiver)?,
            Action::Reserve(receiver) => self.reserve(receiver)?,
            Action::Withdraw(flow) => {
                let id = self.senders.remove(&flow);
                self.end(self.scenario.flows[flow].from, id)?;
            }
            Action::Release(receiver) => {
                let id = self.receivers.remove(&receiver);
                self.end(self.scenario.receivers[receiver].node, id)?;
            }
            Action::Leave(receiver) => {
                let id = self.members.remove(&receiver);
                self.end(self.scenario.receivers[receiver].node, id)?;
            }
            Action::LinkDown(link) => self.network.set_link_up(self.links[link], false),
            Action::LinkUp(link) => self.network.set_link_up(self.links[link], true),
            Action::Cost(link, cost) => self.network.set_cost(self.links[link], cost),
            // The network does it by itself.
            Action::Converge(_) => {}
            Action::Freeze(node) => self.network.freeze(self.nodes[node]),
            Action::Thaw(node) => self.network.thaw(self.nodes[node]),
            Action::Kill(node) => self.kill(node),
            Action::Start(node) => self.network.start(self.nodes[node]),
        }
        Ok(())
    }

    fn take_changes(&mut self) -> Vec<StateChange> {
        self.collect();
        std::mem::take(&mut self.changes)
    }

    fn state(&mut self, node: NodeIndex) -> Result<NodeState, String> {
        let node = self.network.node(self.nodes[node]).ok_or("its daemon does not run")?;
        let interfaces = node.interfaces();
        let name =
            |id: InterfaceId| interfaces.iter().find(|view| view.id == id).map(|view| view.name.clone());
        let paths = node.senders().into_iter().map(|view| PathState {
            flow: heard::flows_of(&view.session, &[view.sender], self.scenario).first().copied(),
            previous_hop: view.previous_hop.map(|hop| hop.address),
            non_rsvp: view.non_rsvp,
            broken: matches!(view.adspec, Some(Adspec::IntServ(adspec)) if adspec.general.broken),
        });
        let installed = node.installed().into_iter().map(|view| InstalledState {
            flows: heard::flows_of(&view.session, &view.filters, self.scenario),
            interface: name(view.interface).unwrap_or_default(),
            bandwidth: view.bandwidth * 8,
            done: view.installed,
        });
        let neighbors = node.neighbors().into_iter().map(|view| NeighborState {
            node: self.scenario.owner(view.address),
            used: [view.reduction.message_ids, view.reduction.bundles, view.reduction.summary_refresh],
            summarized: view.reduction.summarized,
        });
        let (paths, installed) = (paths.collect(), installed.collect());
        Ok(NodeState { paths, installed, neighbors: neighbors.collect() })
    }

    fn kernel(&mut self, node: NodeIndex) -> Verdict {
        let id = self.nodes[node];
        if !self.scenario.nodes[node].kind.speaks_rsvp() {
            return Verdict::Passed("0".to_owned());
        }
        let Some(engine) = self.network.node(id) else {
            return Verdict::Failed("its daemon does not run".to_owned());
        };
        let wanted: Vec<_> = engine.installed().iter().map(|view| view.id).collect();
        let there: Vec<_> = self.network.kernel(id).keys().copied().collect();
        let same = wanted.len() == there.len() && wanted.iter().all(|id| there.contains(id));
        let seen = format!("{} of {}", there.len(), wanted.len());
        if same { Verdict::Passed(seen) } else { Verdict::Failed(seen) }
    }

    fn refusal(&mut self, receiver: ReceiverIndex) -> Option<Refusal> {
        self.collect();
        self.refusals.get(&receiver).cloned()
    }

    fn glance(&mut self) -> Option<String> {
        None
    }

    fn finish(&mut self) -> Result<Ending, Fault> {
        let mut ending = Ending::default();
        let mut listener = Listener::default();
        for entry in self.network.transcript().entries() {
            let Fate::Sent { to, .. } = entry.fate else { continue };
            let index = |wanted: NodeId| self.nodes.iter().position(|id| *id == wanted);
            let (Some(from), Some(node)) = (index(entry.from), index(to)) else { continue };
            let at = since_start(entry.at);
            if let Some(link) = self.scenario.link_between(from, node) {
                ending.datagrams.push(Datagram { at, link, octets: entry.message.len() });
            }
            for refresh in listener.hear(&entry.message, entry.header.source, self.scenario) {
                if let Some(sender) = self.scenario.owner(refresh.hop.address).filter(|_| refresh.whole) {
                    let is_udp = matches!(entry.header.encapsulation, Encapsulation::Udp { .. });
                    ending.sent.entry(sender).or_default().count(is_udp);
                }
                ending.heard.push(Heard {
                    at,
                    node,
                    kind: refresh.kind,
                    flows: refresh.flows,
                    hop: refresh.hop.address,
                    refresh: refresh.period,
                });
            }
        }
        Ok(ending)
    }
}

fn since_start(at: Instant) -> Duration {
    at.since(Instant::ZERO)
}

fn config(scenario: &Scenario, node: NodeIndex) -> NodeConfig {
    let interfaces = scenario.nodes[node].interfaces.iter().map(|interface| {
        let link = &scenario.links[interface.link];
        let config = InterfaceConfig {
            bandwidth: Some(Bandwidth {
                total: link.reservable / 8,
                per_flow: link.reservable_per_flow / 8,
                link: link.rate / 8,
            }),
            udp_encapsulation: match link.udp_encapsulation {
                UdpUse::Learn => UdpEncapsulation::Learn,
                UdpUse::Always => UdpEncapsulation::Always,
                UdpUse::Never => UdpEncapsulation::Never,
            },
            refresh: scenario.timers.refresh.0,
            refresh_multiple: scenario.timers.refresh_multiple,
            repair_delay: scenario.timers.repair_delay.0,
            blockade_multiple: scenario.timers.blockade_multiple,
            guaranteed: Some(GuaranteedConfig::new(1500, 1000)),
            reduction: if scenario.nodes[node].refresh_reduction {
                ReductionConfig::default()
            } else {
                ReductionConfig::off()
            },
            ..InterfaceConfig::default()
        };
        (interface.name.clone(), config)
    });
    NodeConfig {
        router: scenario.nodes[node].kind.forwards(),
        interfaces: interfaces.collect(),
        udp_only: (scenario.nodes[node].kind == NodeKind::UdpHost).then(UdpOnly::default),
        ..NodeConfig::default()
    }
}

fn session(destination: IpAddr, port: u16) -> SessionKey {
    SessionKey::Ip(FlowKey { destination, protocol: UDP, port })
}

fn filter(flow: &Flow) -> FilterSpec {
    FilterSpec::Ip { source: flow.source, port: flow.port }
}

#[expect(clippy::cast_precision_loss, reason = "what goes into a TSpec is a 32-bit float anyway")]
fn tspec(rate: u64, bucket: u64, packet: u32) -> Tspec {
    Tspec {
        rate: rate as f32 / 8.0,
        bucket: bucket as f32,
        peak: f32::INFINITY,
        min_unit: packet,
        max_packet: packet,
    }
}

fn change_name(change: Change) -> &'static str {
    match change {
        Change::Created => "created",
        Change::Modified => "modified",
        Change::Refused => "refused",
        Change::Removed => "removed",
    }
}

fn cause_text(cause: &Cause) -> String {
    match cause {
        Cause::Error { code, value } => format!("error code {code}, value {value}"),
        Cause::TrafficControl(text) => format!("traffic control: {text}"),
        other => format!("{other:?}"),
    }
}
