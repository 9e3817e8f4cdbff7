//! Carries a plan out, and compares what comes of it with what must be.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::time::Duration;

use rsvp_core::command::{ReserveRequest, SenderRequest};
use rsvp_core::config::{Bandwidth, GuaranteedConfig, InterfaceConfig, NodeConfig};
use rsvp_core::input::InstallFailure;
use rsvp_core::wire::{FilterSpec, FlowDescriptor, FlowKey, Flowspec, Rspec, SenderTspec, Style, Tspec};
use rsvp_core::{ApiId, Command, InterfaceId, SessionKey};

use super::model::{self, Paths, Receiver, Reckoned, Reservation, Spot, Wishes};
use super::plan::{Kind, Place, Plan, SessionPlan, Step};
use crate::invariants;
use crate::network::Network;
use crate::topology::{Conditions, InstallAnswer, LinkId, NodeId, Role};

/// The refresh period; lifetimes are 5.25 times as long.
const REFRESH: Duration = Duration::from_secs(2);

/// Time in which all that trouble has left behind is gone: a lifetime for each of some hops.
const PEACE: Duration = Duration::from_secs(120);

/// By when nobody waits for an acknowledgement any more. Errors that are told again and again may be under way; between
/// them, nothing is.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many messages a failure shows.
const TAIL: usize = 20;

/// A plan whose network did not end up as it must.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What is wrong.
    pub text: String,
    /// The last messages.
    pub messages: String,
}

impl Plan {
    /// Carries the plan out: builds the network, takes every step, makes peace, compares what is reserved with what must
    /// be, and lets everybody go. Returns how many reservations were compared.
    ///
    /// # Errors
    ///
    /// What is wrong in the end, or the panic of a node or of a check on the way.
    pub fn run(&self) -> Result<usize, Failure> {
        self.run_with(|_| ())
    }

    /// As [`run`](Self::run), with something done to the network before there is anything in it.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn run_with(&self, prepare: impl FnOnce(&mut Network)) -> Result<usize, Failure> {
        silence_panics();
        let mut stage = Stage::build(self, prepare);
        let silent = SILENT.replace(true);
        let result = catch_unwind(AssertUnwindSafe(|| stage.play()));
        SILENT.set(silent);
        let result = result.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Err(text.unwrap_or_else(|| "a panic without words".to_owned()))
        });
        result.map_err(|text| Failure { text, messages: stage.net.transcript().tail(&stage.net, TAIL) })
    }
}

thread_local! {
    /// Whether panics on this thread are told by [`Plan::run`] instead.
    static SILENT: Cell<bool> = const { Cell::new(false) };
}

/// A panic is a result here; hundreds of them while a plan is minimised are no news.
fn silence_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !SILENT.get() {
                hook(info);
            }
        }));
    });
}

struct Stage<'a> {
    plan: &'a Plan,
    net: Network,
    /// By session: the applications of its senders, and of its receivers.
    senders: Vec<Vec<Option<ApiId>>>,
    receivers: Vec<Vec<Option<Receiving>>>,
    highest: Vec<f32>,
}

/// A receiving application, and what it reserves: the rate and for whom.
struct Receiving {
    api: ApiId,
    request: Option<(f32, BTreeSet<FilterSpec>)>,
}

impl<'a> Stage<'a> {
    fn build(plan: &'a Plan, prepare: impl FnOnce(&mut Network)) -> Self {
        let mut net = Network::new(plan.seed);
        prepare(&mut net);
        if plan.shuffle {
            net.shuffle_polls();
        }
        net.set_batch(plan.batch);
        if plan.lists_next_hops {
            net.list_next_hops();
        }
        for (number, kind) in plan.devices.iter().enumerate() {
            let name = format!("{}{number}", kind.letter());
            let role = if *kind == Kind::Host { Role::Host } else { Role::Router };
            net.add(&name, role, (*kind != Kind::Plain).then(|| node_config(plan, number, role)));
        }
        for link in &plan.links {
            net.connect(&link.iter().map(|device| NodeId(*device)).collect::<Vec<_>>());
        }
        for session in &plan.sessions {
            if let Some(core) = session.core {
                net.share_tree(group(session), NodeId(core));
            }
        }
        net.set_convergence(plan.convergence);
        net.check(invariants::pools_hold);
        net.check(invariants::nothing_outlives_its_lifetime);
        net.check(invariants::traffic_control_agrees);
        net.check(invariants::message_ids_are_sound());
        let nobody = |session: &SessionPlan| (0..session.receivers.len()).map(|_| None).collect();
        Self {
            plan,
            net,
            senders: plan.sessions.iter().map(|session| vec![None; session.senders.len()]).collect(),
            receivers: plan.sessions.iter().map(nobody).collect(),
            highest: vec![0.0; plan.sessions.len()],
        }
    }

    fn play(&mut self) -> Result<usize, String> {
        self.net.run_for(Duration::from_secs(3));
        for (step, pause) in &self.plan.steps {
            self.take(step);
            self.net.run_for(*pause);
        }
        self.make_peace();
        let compared = if self.plan.compare { self.compare()? } else { 0 };
        invariants::await_acknowledgements(&mut self.net, PATIENCE)?;
        self.release();
        invariants::nothing_is_left(&self.net)?;
        invariants::nothing_is_outstanding(&self.net)?;
        Ok(compared)
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Announce { session, sender } => self.announce(session, sender),
            Step::Withdraw { session, sender } => {
                let place = self.plan.sessions[session].senders[sender];
                if self.acts(place.device)
                    && let Some(api) = self.senders[session][sender].take()
                {
                    self.command(place.device, Command::Release(api));
                }
            }
            Step::Join { session, receiver } => drop(self.join(session, receiver)),
            Step::Reserve { session, receiver, rate, ref wanted, confirm } => {
                #[expect(clippy::cast_precision_loss, reason = "these are round numbers")]
                self.reserve(session, receiver, rate as f32, wanted, confirm);
            }
            Step::Unreserve { session, receiver } => {
                let device = self.plan.sessions[session].receivers[receiver].device;
                if self.acts(device)
                    && let Some(receiving) = &mut self.receivers[session][receiver]
                    && receiving.request.take().is_some()
                {
                    let api = receiving.api;
                    self.command(device, Command::Unreserve(api));
                }
            }
            Step::Leave { session, receiver } => {
                let device = self.plan.sessions[session].receivers[receiver].device;
                if self.acts(device)
                    && let Some(receiving) = self.receivers[session][receiver].take()
                {
                    self.command(device, Command::Release(receiving.api));
                }
            }
            _ => self.disturb(step),
        }
    }

    /// What happens to the network.
    fn disturb(&mut self, step: &Step) {
        let millis = Duration::from_millis;
        match *step {
            Step::Conditions { link, delay, jitter, loss, duplication } => {
                let (loss, duplication) = (f64::from(loss) / 100.0, f64::from(duplication) / 100.0);
                let conditions = Conditions {
                    delay: millis(delay),
                    jitter: millis(jitter),
                    loss,
                    duplication,
                    intake: None,
                };
                self.net.set_conditions(LinkId(link), conditions);
            }
            Step::Link { link, up } => self.net.set_link_up(LinkId(link), up),
            Step::Cost { link, cost } => self.net.set_cost(LinkId(link), cost),
            Step::Partition { link, device: Some(device) } => {
                self.net.partition(LinkId(link), &[NodeId(device)]);
            }
            Step::Partition { link, device: None } => self.net.heal(LinkId(link)),
            Step::Kill(device) if self.acts(device) => {
                self.net.kill(NodeId(device));
                self.forget(device);
            }
            Step::Freeze(device) if self.acts(device) => self.net.freeze(NodeId(device)),
            Step::PowerOff(device) => {
                self.net.set_power(NodeId(device), false);
                self.forget(device);
            }
            Step::Restore(device) => self.restore(device),
            Step::TrafficControl { device, delay, fails } => {
                let result =
                    if fails { Err(InstallFailure { reason: "none left".to_owned() }) } else { Ok(()) };
                let answer = InstallAnswer { delay: millis(delay), result };
                self.net.set_installer(NodeId(device), Box::new(move |_| answer.clone()));
            }
            Step::Socket { device, blocked } => self.net.block_socket(NodeId(device), blocked),
            Step::Clear(device) if self.acts(device) => self.command(device, Command::Clear(None)),
            _ => {}
        }
    }

    /// Whether RSVP runs on a device and is not stopped.
    fn acts(&self, device: usize) -> bool {
        self.net.node(NodeId(device)).is_some() && !self.net.is_frozen(NodeId(device))
    }

    fn command(&mut self, device: usize, command: Command) {
        let text = format!("{command:?}");
        if let Err(error) = self.net.command(NodeId(device), command) {
            panic!("{}: {text}: {error}", self.net.name(NodeId(device)));
        }
    }

    /// The applications of a device are gone with it.
    fn forget(&mut self, device: usize) {
        for (number, session) in self.plan.sessions.iter().enumerate() {
            for (sender, place) in session.senders.iter().enumerate() {
                if place.device == device {
                    self.senders[number][sender] = None;
                }
            }
            for (receiver, place) in session.receivers.iter().enumerate() {
                if place.device == device {
                    self.receivers[number][receiver] = None;
                }
            }
        }
    }

    fn restore(&mut self, device: usize) {
        self.net.thaw(NodeId(device));
        self.net.set_power(NodeId(device), true);
    }

    fn spot(&self, place: Place) -> Option<Spot> {
        let device = NodeId(place.device);
        self.net.interface(device, LinkId(place.link)).map(|interface| (device, interface))
    }

    fn address(&self, place: Place, v6: bool) -> Option<IpAddr> {
        let (device, interface) = self.spot(place)?;
        let port = self.net.devices[device.0].port(interface)?;
        port.addresses.iter().copied().find(|address| address.is_ipv6() == v6)
    }

    fn key(&self, session: &SessionPlan) -> Option<SessionKey> {
        let destination = match session.destination {
            None => group(session),
            Some(device) => {
                self.net.addresses(NodeId(device)).find(|address| address.is_ipv6() == session.v6)?
            }
        };
        Some(SessionKey::Ip(FlowKey { destination, protocol: 17, port: session.port }))
    }

    fn filter(&self, session: &SessionPlan, sender: usize) -> Option<FilterSpec> {
        let source = self.address(*session.senders.get(sender)?, session.v6)?;
        Some(FilterSpec::Ip { source, port: 4000 })
    }

    fn announce(&mut self, number: usize, sender: usize) {
        let session = &self.plan.sessions[number];
        let device = session.senders[sender].device;
        let (Some(key), Some(template)) = (self.key(session), self.filter(session, sender)) else { return };
        if !self.acts(device) || self.senders[number][sender].is_some() {
            return;
        }
        let tspec = SenderTspec::TokenBucket(bucket(1_000_000.0));
        let request = SenderRequest { template, tspec, adspec: true.into(), policy: vec![], ttl: 63 };
        let api = self.net.announce(NodeId(device), key, request).expect("it is a good sender");
        self.senders[number][sender] = Some(api);
    }

    /// The application of a receiver, which receives from now on.
    fn join(&mut self, number: usize, receiver: usize) -> Option<ApiId> {
        let session = &self.plan.sessions[number];
        let place = session.receivers[receiver];
        let (key, address) = (self.key(session)?, self.address(place, session.v6)?);
        if !self.acts(place.device) {
            return None;
        }
        if let Some(receiving) = &self.receivers[number][receiver] {
            return Some(receiving.api);
        }
        let api = self.net.open(NodeId(place.device), key).expect("a session is opened");
        self.command(place.device, Command::Join(api, Some(address)));
        self.receivers[number][receiver] = Some(Receiving { api, request: None });
        Some(api)
    }

    fn reserve(&mut self, number: usize, receiver: usize, rate: f32, wanted: &[usize], confirm: bool) {
        let session = &self.plan.sessions[number];
        let place = session.receivers[receiver];
        let filters: BTreeSet<FilterSpec> =
            wanted.iter().filter_map(|sender| self.filter(session, *sender)).collect();
        let Some(address) = self.address(place, session.v6) else { return };
        if filters.is_empty() && session.style != Style::Wf {
            return;
        }
        let Some(api) = self.join(number, receiver) else { return };
        let tspec = bucket(rate);
        let flowspec = if session.guaranteed {
            Flowspec::Guaranteed(tspec, Rspec { rate, slack: 0 })
        } else {
            Flowspec::ControlledLoad(tspec)
        };
        let flow = |filters| FlowDescriptor { flowspec: Some(flowspec.clone()), filters };
        let flows = match session.style {
            Style::Ff => filters.iter().map(|filter| flow(vec![*filter])).collect(),
            Style::Se => vec![flow(filters.iter().copied().collect())],
            Style::Wf => vec![flow(vec![])],
        };
        let request =
            ReserveRequest { receiver: address, style: session.style, flows, policy: vec![], confirm };
        self.command(place.device, Command::Reserve(api, request));
        self.highest[number] = self.highest[number].max(rate);
        self.receivers[number][receiver] = Some(Receiving { api, request: Some((rate, filters)) });
    }

    /// Mends everything and waits until all has settled.
    fn make_peace(&mut self) {
        for link in (0..self.plan.links.len()).map(LinkId) {
            self.net.set_conditions(link, Conditions::default());
            self.net.heal(link);
            self.net.set_link_up(link, true);
        }
        for device in 0..self.plan.devices.len() {
            self.restore(device);
            self.net.block_socket(NodeId(device), false);
            self.net.set_installer(NodeId(device), Box::new(|_| InstallAnswer::DONE));
        }
        self.net.run_for(PEACE);
    }

    /// The sessions as their applications left them.
    fn wishes(&self) -> Vec<Wishes> {
        let sessions = self.plan.sessions.iter().enumerate();
        sessions.filter_map(|(number, session)| self.wishes_of(number, session)).collect()
    }

    fn wishes_of(&self, number: usize, session: &SessionPlan) -> Option<Wishes> {
        let senders = (0..session.senders.len()).filter(|sender| self.senders[number][*sender].is_some());
        let senders = senders
            .filter_map(|sender| Some((self.filter(session, sender)?, self.spot(session.senders[sender])?)));
        let receivers =
            self.receivers[number].iter().zip(&session.receivers).filter_map(|(receiving, place)| {
                let (rate, wanted) = receiving.as_ref()?.request.clone()?;
                Some(Receiver { at: self.spot(*place)?, rate, wanted })
            });
        Some(Wishes {
            key: self.key(session)?,
            style: session.style,
            senders: senders.collect(),
            receivers: receivers.collect(),
            highest: self.highest[number],
        })
    }

    fn compare(&mut self) -> Result<usize, String> {
        let wishes = self.wishes();
        let Reckoned { paths, idle, reserved: expected } = model::reckon(&mut self.net, &wishes);
        let found = self.paths();
        if let Some(path) = paths.symmetric_difference(&found).find(|path| !idle.contains(path)) {
            let which = if found.contains(path) { "an orphan" } else { "missing" };
            return Err(format!("{}: {which} path state: {path:?}", self.net.name(path.0)));
        }
        let found = self.reserved()?;
        let name = |spot: &Spot| format!("{} on {:?}", self.net.name(spot.0), spot.1);
        for (key, rate) in &found {
            match expected.get(key) {
                None => return Err(format!("{}: an orphan reservation: {key:?} at {rate}", name(&key.0))),
                Some((least, most)) if *rate < *least || *rate > *most => {
                    return Err(format!("{}: {key:?} has {rate}, not {least} to {most}", name(&key.0)));
                }
                Some(_) => {}
            }
        }
        match expected.iter().find(|(key, _)| !found.contains_key(key)) {
            Some((key, (rate, _))) => Err(format!("{}: not reserved: {key:?} at {rate}", name(&key.0))),
            None => Ok(found.len()),
        }
    }

    /// The path state that the nodes have.
    fn paths(&self) -> Paths {
        let nodes = self.net.nodes().filter_map(|id| Some((id, self.net.node(id)?)));
        let all = nodes.flat_map(|(id, node)| node.senders().into_iter().map(move |view| (id, view)));
        all.map(|(id, view)| (id, view.session, view.sender, view.incoming_interface)).collect()
    }

    /// What traffic control holds.
    fn reserved(&self) -> Result<BTreeMap<Reservation, f32>, String> {
        let mut reserved = BTreeMap::new();
        for node in self.net.nodes() {
            for installation in self.net.kernel(node).values() {
                let mut filters = installation.filters.clone();
                filters.sort_unstable();
                let spot: (NodeId, InterfaceId) = (node, installation.interface);
                let rate = installation.flowspec.tspec().map_or(0.0, |tspec| tspec.rate);
                if reserved.insert((spot, installation.session, filters), rate).is_some() {
                    return Err(format!("{}: reserved twice: {installation:?}", self.net.name(node)));
                }
            }
        }
        Ok(reserved)
    }

    /// All applications go; nothing may be left of them anywhere.
    fn release(&mut self) {
        for (number, session) in self.plan.sessions.iter().enumerate() {
            for (sender, place) in session.senders.iter().enumerate() {
                if let Some(api) = self.senders[number][sender].take() {
                    self.command(place.device, Command::Release(api));
                }
            }
            for (receiver, place) in session.receivers.iter().enumerate() {
                if let Some(receiving) = self.receivers[number][receiver].take() {
                    self.command(place.device, Command::Release(receiving.api));
                }
            }
        }
        self.net.run_for(PEACE);
    }
}

fn node_config(plan: &Plan, device: usize, role: Role) -> NodeConfig {
    let pool = Bandwidth { total: plan.bandwidth, per_flow: plan.bandwidth, link: plan.bandwidth };
    let [first, others] = plan.reductions[device].clone().map(|reduction| InterfaceConfig {
        refresh: REFRESH,
        bandwidth: Some(pool),
        guaranteed: Some(GuaranteedConfig::new(1500, 1000)),
        point_to_point: (!plan.point_to_point).then_some(false),
        reduction,
        ..InterfaceConfig::default()
    });
    NodeConfig {
        router: role == Role::Router,
        default_interface: others,
        interfaces: BTreeMap::from([("eth0".to_owned(), first)]),
        ..NodeConfig::default()
    }
}

fn group(session: &SessionPlan) -> IpAddr {
    let [high, low] = session.port.to_be_bytes();
    if session.v6 {
        Ipv6Addr::new(0xff0e, 0, 0, 0, 0, 0, 0, session.port).into()
    } else {
        Ipv4Addr::new(239, 1, high, low).into()
    }
}

fn bucket(rate: f32) -> Tspec {
    Tspec { rate, bucket: rate, peak: rate, min_unit: 64, max_packet: 1500 }
}
