//! The scenario on the engine alone, in virtual time: protocol, but no data and no kernel.

use std::collections::BTreeMap;
use std::time::Duration;

use rsvp_core::command::{ReserveRequest, SenderRequest};
use rsvp_core::config::{Bandwidth, GuaranteedConfig, InterfaceConfig, NodeConfig};
use rsvp_core::event::{Cause, Change, EventKind, Subject as CoreSubject, Upcall};
use rsvp_core::wire::{
    Adspec, FilterSpec, FlowDescriptor, FlowKey, Flowspec, Rspec, SenderTspec, SessionKey, Style, Tspec,
};
use rsvp_core::{ApiId, Command, Event, Instant, InterfaceId, Reply};
use rsvp_sim::{Conditions, Fate, LinkId, Network, NodeId, Role};

use super::backend::{
    Backend, Ending, Fault, Heard, InstalledState, NodeState, PathState, Refusal, StateChange, Subject,
    Verdict,
};
use super::heard;
use super::model::{Action, Flow, FlowIndex, NodeIndex, Scenario};
use super::scenario::{Service, StateKind, StyleName};

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
    /// The applications that run, by flow: its sender and its receiver.
    senders: BTreeMap<FlowIndex, ApiId>,
    receivers: BTreeMap<FlowIndex, ApiId>,
    refusals: BTreeMap<FlowIndex, Refusal>,
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
            for end in link.ends {
                let interfaces = &scenario.nodes[end].interfaces;
                for interface in interfaces.iter().filter(|interface| interface.link == index) {
                    network.attach(nodes[end], id, &interface.name, &[interface.address]);
                }
            }
            links.push(id);
        }
        // Without a convergence, routes are static, as those of the namespaces are.
        network.set_convergence(scenario.convergence.unwrap_or(Duration::MAX / 4));
        Self {
            scenario,
            network,
            nodes,
            links,
            senders: BTreeMap::new(),
            receivers: BTreeMap::new(),
            refusals: BTreeMap::new(),
            changes: Vec::new(),
        }
    }

    fn command(&mut self, node: NodeIndex, command: Command) -> Result<Reply, Fault> {
        self.network
            .command(self.nodes[node], command)
            .map_err(|error| format!("{}: {error}", self.scenario.nodes[node].name))
    }

    fn open(&mut self, node: NodeIndex, flow: &Flow) -> Result<ApiId, Fault> {
        match self.command(node, Command::OpenSession(session(flow)))? {
            Reply::Session(id) => Ok(id),
            other => Err(format!("opening a session was answered by {other:?}")),
        }
    }

    fn announce(&mut self, index: FlowIndex) -> Result<(), Fault> {
        let flow = &self.scenario.flows[index];
        let id = self.open(flow.from, flow)?;
        self.senders.insert(index, id);
        let request = SenderRequest {
            template: filter(flow),
            tspec: SenderTspec::TokenBucket(tspec(flow)),
            adspec: true.into(),
            policy: Vec::new(),
            ttl: PATH_TTL,
        };
        self.command(flow.from, Command::AddSender(id, request)).map(drop)
    }

    fn reserve(&mut self, index: FlowIndex) -> Result<(), Fault> {
        let flow = &self.scenario.flows[index];
        let id = self.open(flow.to, flow)?;
        self.receivers.insert(index, id);
        self.refusals.remove(&index);
        let flowspec = match flow.service {
            Service::ControlledLoad => Flowspec::ControlledLoad(tspec(flow)),
            Service::Guaranteed => {
                Flowspec::Guaranteed(tspec(flow), Rspec { rate: tspec(flow).rate, slack: 0 })
            }
        };
        let (style, filters) = match flow.style {
            StyleName::Ff => (Style::Ff, vec![filter(flow)]),
            StyleName::Se => (Style::Se, vec![filter(flow)]),
            StyleName::Wf => (Style::Wf, Vec::new()),
        };
        let request = ReserveRequest {
            receiver: flow.destination,
            style,
            flows: vec![FlowDescriptor { flowspec: Some(flowspec), filters }],
            policy: Vec::new(),
            confirm: true,
        };
        self.command(flow.to, Command::Reserve(id, request)).map(drop)
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
        let flows = &self.scenario.flows;
        self.senders.retain(|flow, _| flows[*flow].from != node);
        self.receivers.retain(|flow, _| flows[*flow].to != node);
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
            flow: None,
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
                if let Some(flow) = heard::flow_of(&session, self.scenario) {
                    let refusal = Refusal { code: error.code, value: error.value, node: error.node };
                    self.refusals.insert(flow, refusal);
                }
            }
            EventKind::Upcall(..) => {}
            EventKind::State(state) => {
                let (subject, interface, neighbor) = match state.subject {
                    CoreSubject::Path { previous_hop, interface, .. } => {
                        (Subject::State(StateKind::Path), interface, previous_hop)
                    }
                    CoreSubject::Reservation { next_hop, interface, .. } => {
                        (Subject::State(StateKind::Reservation), interface, next_hop)
                    }
                    CoreSubject::Installation { interface, .. } => {
                        (Subject::Installation, Some(interface), None)
                    }
                    _ => (Subject::Other, None, None),
                };
                self.changes.push(StateChange {
                    subject,
                    interface: interface.and_then(|id| self.interface_name(node, id)),
                    flow: state.session.and_then(|session| heard::flow_of(&session, self.scenario)),
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
            Action::Reserve(flow) => self.reserve(flow)?,
            Action::Withdraw(flow) => {
                let id = self.senders.remove(&flow);
                self.end(self.scenario.flows[flow].from, id)?;
            }
            Action::Release(flow) => {
                let id = self.receivers.remove(&flow);
                self.end(self.scenario.flows[flow].to, id)?;
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
        let paths = node.senders().into_iter().map(|view| PathState {
            flow: heard::flow_of(&view.session, self.scenario),
            previous_hop: view.previous_hop.map(|hop| hop.address),
            non_rsvp: view.non_rsvp,
            broken: matches!(view.adspec, Some(Adspec::IntServ(adspec)) if adspec.general.broken),
        });
        let installed = node.installed().into_iter().map(|view| InstalledState {
            flow: heard::flow_of(&view.session, self.scenario),
            bandwidth: view.bandwidth * 8,
            done: view.installed,
        });
        Ok(NodeState { paths: paths.collect(), installed: installed.collect() })
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

    fn refusal(&mut self, flow: FlowIndex) -> Option<Refusal> {
        self.collect();
        self.refusals.get(&flow).cloned()
    }

    fn glance(&mut self) -> Option<String> {
        None
    }

    fn finish(&mut self) -> Result<Ending, Fault> {
        let mut messages = Vec::new();
        for entry in self.network.transcript().entries() {
            let Fate::Sent { to, .. } = entry.fate else { continue };
            let Some(refresh) = heard::read(&entry.message, self.scenario) else { continue };
            let Some(node) = self.nodes.iter().position(|id| *id == to) else { continue };
            messages.push(Heard {
                at: since_start(entry.at),
                node,
                kind: refresh.kind,
                flow: refresh.flow,
                hop: refresh.hop.address,
                refresh: refresh.period,
            });
        }
        Ok(Ending { traffic: None, heard: messages, checks: Vec::new() })
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
            refresh: scenario.timers.refresh.0,
            refresh_multiple: scenario.timers.refresh_multiple,
            repair_delay: scenario.timers.repair_delay.0,
            blockade_multiple: scenario.timers.blockade_multiple,
            guaranteed: Some(GuaranteedConfig::new(1500, 1000)),
            ..InterfaceConfig::default()
        };
        (interface.name.clone(), config)
    });
    NodeConfig {
        router: scenario.nodes[node].kind.forwards(),
        interfaces: interfaces.collect(),
        ..NodeConfig::default()
    }
}

fn session(flow: &Flow) -> SessionKey {
    SessionKey::Ip(FlowKey { destination: flow.destination, protocol: UDP, port: flow.port })
}

fn filter(flow: &Flow) -> FilterSpec {
    FilterSpec::Ip { source: flow.source, port: flow.port }
}

#[expect(clippy::cast_precision_loss, reason = "what goes into a TSpec is a 32-bit float anyway")]
fn tspec(flow: &Flow) -> Tspec {
    Tspec {
        rate: flow.rate as f32 / 8.0,
        bucket: flow.bucket as f32,
        peak: f32::INFINITY,
        min_unit: flow.packet,
        max_packet: flow.packet,
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
