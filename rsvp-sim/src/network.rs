//! The network: built here, disturbed here, asked here. How it runs is in [`run`](crate::run).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use rand_core::Rng;
use rsvp_core::command::{ReserveRequest, SenderRequest};
use rsvp_core::config::{Bandwidth, GuaranteedConfig, InterfaceConfig, NodeConfig, ReductionConfig};
use rsvp_core::input::{InterfaceInfo, Route};
use rsvp_core::output::{Installation, InstallationId, RouteKey};
use rsvp_core::{ApiId, Command, CommandError, Event, Input, Instant, InterfaceId, Node, Reply, SessionKey};
use rsvp_record::{RecordedNode, Recorder};

use crate::driver::Driver;
use crate::random::{self, Random, SEED_VARIABLE};
use crate::routing::RoutingTable;
use crate::run::{Action, Hook};
use crate::topology::{
    Conditions, Device, InstallAnswer, Installer, Link, LinkId, NodeId, Port, Role, Traffic,
};
use crate::transcript::Transcript;

/// A network of RSVP nodes in virtual time.
///
/// Time passes only in [`Network::run_until`] and its relatives. Whatever is random comes from the seed.
pub struct Network {
    pub(crate) seed: u64,
    pub(crate) random: Random,
    pub(crate) now: Instant,
    pub(crate) devices: Vec<Device>,
    pub(crate) links: Vec<Link>,
    pub(crate) routing: RoutingTable,
    /// The devices that shared trees grow from, by group.
    pub(crate) cores: BTreeMap<IpAddr, NodeId>,
    /// Whether the routes of groups name all next hops.
    pub(crate) lists_next_hops: bool,
    /// What happens when, in order; the second part of the key keeps things of one instant in the order they were
    /// decided.
    pub(crate) agenda: BTreeMap<(Instant, u64), Action>,
    pub(crate) decided: u64,
    pub(crate) transcript: Transcript,
    pub(crate) hooks: Vec<Hook>,
    /// When which node wants to be woken.
    pub(crate) wakes: BTreeSet<(Instant, NodeId)>,
    /// How many inputs of one instant a node takes before it is polled.
    pub(crate) batch: usize,
    /// Whether the messages are kept.
    pub(crate) records: bool,
    /// The nodes that something has happened to since the last checks.
    pub(crate) touched: BTreeSet<NodeId>,
    pub(crate) shuffle: bool,
    pub(crate) convergence: Duration,
    interface_config: InterfaceConfig,
    recorder: RecorderFor,
}

/// Gives a recorder for the node of this name, if it is to be recorded.
type RecorderFor = Box<dyn FnMut(&str) -> Option<Recorder>>;

impl Network {
    /// An empty network. The environment variable `RSVP_SIM_SEED` overrides `seed`; when a test panics, the seed is
    /// printed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let seed = random::seed_from_environment().unwrap_or(seed);
        let bandwidth = Bandwidth { total: 1_250_000, per_flow: 1_250_000, link: 1_250_000 };
        Self {
            seed,
            random: random::seeded(seed),
            now: Instant::ZERO,
            devices: Vec::new(),
            links: Vec::new(),
            routing: RoutingTable::default(),
            cores: BTreeMap::new(),
            lists_next_hops: false,
            agenda: BTreeMap::new(),
            decided: 0,
            transcript: Transcript::default(),
            wakes: BTreeSet::new(),
            batch: 1,
            records: true,
            hooks: Vec::new(),
            touched: BTreeSet::new(),
            shuffle: false,
            convergence: Duration::ZERO,
            interface_config: InterfaceConfig {
                bandwidth: Some(bandwidth),
                guaranteed: Some(GuaranteedConfig::new(1500, 1000)),
                ..InterfaceConfig::default()
            },
            recorder: Box::new(|_| None),
        }
    }

    /// The seed in force.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The settings of every interface of nodes that [`Network::host`] and [`Network::router`] add from now on. At
    /// first: the defaults of the RFC, and 10 Mbit/s that may be reserved.
    pub fn set_interface_config(&mut self, config: InterfaceConfig) {
        self.interface_config = config;
    }

    /// What of RFC 2961 the nodes that are added from now on use.
    pub fn set_reduction(&mut self, reduction: ReductionConfig) {
        self.interface_config.reduction = reduction;
    }

    /// Nodes that start from now on are recorded with what this gives for their names.
    pub fn record(&mut self, recorder: impl FnMut(&str) -> Option<Recorder> + 'static) {
        self.recorder = Box::new(recorder);
    }

    /// From now on nodes are polled in random order; their answers must come to the same.
    pub fn shuffle_polls(&mut self) {
        self.shuffle = true;
    }

    /// How long routing takes to see that something changed; at first no time at all.
    pub fn set_convergence(&mut self, delay: Duration) {
        self.convergence = delay;
    }

    /// From now on a node is polled only after so many inputs of one instant (at least one), or after the last of them,
    /// as drivers read several datagrams with one system call. At first one.
    pub fn set_batch(&mut self, inputs: usize) {
        self.batch = inputs.max(1);
    }

    /// From now on the messages that are sent are not kept; those so far are forgotten.
    pub fn stop_recording(&mut self) {
        self.records = false;
        self.transcript.clear();
    }

    /// Adds a host that runs RSVP.
    pub fn host(&mut self, name: &str) -> NodeId {
        let config = NodeConfig {
            router: false,
            default_interface: self.interface_config.clone(),
            ..NodeConfig::default()
        };
        self.add(name, Role::Host, Some(config))
    }

    /// Adds a router that runs RSVP.
    pub fn router(&mut self, name: &str) -> NodeId {
        let config = NodeConfig {
            router: true,
            default_interface: self.interface_config.clone(),
            ..NodeConfig::default()
        };
        self.add(name, Role::Router, Some(config))
    }

    /// Adds a router that has never heard of RSVP.
    pub fn plain_router(&mut self, name: &str) -> NodeId {
        self.add(name, Role::Router, None)
    }

    /// Adds a device; with a configuration it runs RSVP.
    pub fn add(&mut self, name: &str, role: Role, config: Option<NodeConfig>) -> NodeId {
        let id = NodeId(self.devices.len());
        self.devices.push(Device {
            name: name.to_owned(),
            role,
            config,
            rsvp: None,
            wake: None,
            run: 0,
            powered: true,
            frozen: false,
            inbox: VecDeque::new(),
            ports: Vec::new(),
            stubs: Vec::new(),
            watches: BTreeMap::new(),
            groups: BTreeSet::new(),
            kernel: BTreeMap::new(),
            installer: Box::new(|_| InstallAnswer::DONE),
            events: Vec::new(),
            tells: true,
        });
        if self.devices[id.0].config.is_some() {
            self.start(id);
        }
        id
    }

    /// Adds a link that nothing is attached to yet.
    pub fn link(&mut self, conditions: Conditions) -> LinkId {
        self.add_link(conditions, false)
    }

    fn add_link(&mut self, conditions: Conditions, point_to_point: bool) -> LinkId {
        let id = LinkId(self.links.len());
        self.links.push(Link::new(conditions, point_to_point));
        id
    }

    /// Gives a device an interface on a link, with these addresses.
    pub fn attach(&mut self, node: NodeId, link: LinkId, name: &str, addresses: &[IpAddr]) -> InterfaceId {
        let device = &mut self.devices[node.0];
        let position = device.ports.len();
        let id = InterfaceId(u32::try_from(position + 1).expect("fewer interfaces than that"));
        device.ports.push(Port {
            id,
            name: name.to_owned(),
            addresses: addresses.to_vec(),
            link,
            mtu: 1500,
            enabled: true,
        });
        self.links[link.0].ends.push((node, position));
        self.announce_interface(node, position);
        self.topology_changed();
        id
    }

    /// Joins devices by a new link: two by a point-to-point link, more by a LAN. Link number n gets the addresses
    /// 10.n/256.n%256.1 and so on, and fd00:n::1 and so on, in the order given; the interfaces are called eth0, eth1 …
    /// on each device.
    pub fn connect(&mut self, nodes: &[NodeId]) -> LinkId {
        let link = self.add_link(Conditions::default(), nodes.len() == 2);
        let number = u16::try_from(link.0 + 1).expect("fewer links than that");
        let [high, low] = number.to_be_bytes();
        for (position, node) in nodes.iter().enumerate() {
            let last = u8::try_from(position + 1).expect("fewer devices on a LAN than that");
            let v4 = Ipv4Addr::new(10, high, low, last);
            let v6 = Ipv6Addr::new(0xfd00, number, 0, 0, 0, 0, 0, last.into());
            let name = format!("eth{}", self.devices[node.0].ports.len());
            self.attach(*node, link, &name, &[v4.into(), v6.into()]);
        }
        link
    }

    /// Gives a device an address that belongs to no link, like one on a loopback interface or a network behind it.
    pub fn add_address(&mut self, node: NodeId, address: IpAddr) {
        self.devices[node.0].stubs.push(address);
        self.topology_changed();
    }

    /// Changes what a link does to packets.
    pub fn set_conditions(&mut self, link: LinkId, conditions: Conditions) {
        self.links[link.0].conditions = conditions;
    }

    /// Changes what routing counts a link for; at first 1.
    pub fn set_cost(&mut self, link: LinkId, cost: u32) {
        self.links[link.0].cost = cost;
        self.topology_changed();
    }

    /// Has all senders to a group share one tree, which grows from this router. Without one, every sender has a tree of
    /// its own, by reverse paths.
    pub fn share_tree(&mut self, group: IpAddr, core: NodeId) {
        self.cores.insert(group, core);
        self.topology_changed();
    }

    /// From now on the routes of groups name all next hops on a link: the routers that take the packets on, and the members
    /// (NHops_list of RFC 2961 section 4.7.1).
    pub fn list_next_hops(&mut self) {
        self.lists_next_hops = true;
        self.topology_changed();
    }

    /// Decides how traffic control of a device answers; at first everything succeeds at once.
    pub fn set_installer(&mut self, node: NodeId, installer: Installer) {
        self.devices[node.0].installer = installer;
    }

    /// Takes a link down or up: the interfaces on it notice, and routing does.
    pub fn set_link_up(&mut self, link: LinkId, up: bool) {
        if std::mem::replace(&mut self.links[link.0].up, up) == up {
            return;
        }
        for (node, position) in self.links[link.0].ends.clone() {
            self.announce_interface(node, position);
        }
        self.topology_changed();
    }

    /// Takes one interface down or up.
    pub fn set_interface_up(&mut self, node: NodeId, interface: InterfaceId, up: bool) {
        let ports = &mut self.devices[node.0].ports;
        let position =
            ports.iter().position(|port| port.id == interface).expect("an interface of this device");
        ports[position].enabled = up;
        self.announce_interface(node, position);
        self.topology_changed();
    }

    /// Cuts some devices off from the others on a link. Nobody is told: packets vanish.
    pub fn partition(&mut self, link: LinkId, nodes: &[NodeId]) {
        self.links[link.0].isolated = nodes.iter().copied().collect();
    }

    /// Ends a [`Network::partition`].
    pub fn heal(&mut self, link: LinkId) {
        self.links[link.0].isolated.clear();
    }

    /// Ends RSVP on a device without a word, as SIGKILL does. The device forwards on, and traffic control keeps what was
    /// installed until RSVP starts again.
    pub fn kill(&mut self, node: NodeId) {
        let device = &mut self.devices[node.0];
        device.rsvp = None;
        device.frozen = false;
        device.inbox.clear();
        device.watches.clear();
        device.groups.clear();
        self.note_wake(node);
    }

    /// Starts RSVP on a device, with no memory of an earlier run.
    ///
    /// # Panics
    ///
    /// When the device has no configuration for RSVP.
    pub fn start(&mut self, node: NodeId) {
        self.kill(node);
        let mut seed = [0; 32];
        self.random.fill_bytes(&mut seed);
        let device = &mut self.devices[node.0];
        let config = device.config.clone().expect("the device has a configuration for RSVP");
        device.run += 1;
        device.kernel.clear();
        let rsvp = match (self.recorder)(&device.name) {
            Some(recorder) => RecordedNode::recorded(config, seed, self.now, recorder),
            None => Node::new(config, seed, self.now).into(),
        };
        device.rsvp = Some(Driver::new(rsvp));
        for position in 0..device.ports.len() {
            self.announce_interface(node, position);
        }
        self.settle(node);
    }

    /// Stops RSVP on a device in its tracks, as SIGSTOP does: it still takes packets in transit away from the kernel,
    /// but does nothing with them until [`Network::thaw`].
    pub fn freeze(&mut self, node: NodeId) {
        self.devices[node.0].frozen = true;
        self.note_wake(node);
    }

    /// Lets a frozen RSVP go on.
    pub fn thaw(&mut self, node: NodeId) {
        let now = self.now;
        let device = &mut self.devices[node.0];
        device.frozen = false;
        for (interface, packet) in std::mem::take(&mut device.inbox) {
            if let Some(driver) = &mut device.rsvp {
                driver.handle(now, packet.datagram(interface));
            }
        }
        self.settle(node);
    }

    /// Cuts a device's power, or gives it back; with power back, RSVP starts if it does not
    /// run.
    pub fn set_power(&mut self, node: NodeId, on: bool) {
        let device = &mut self.devices[node.0];
        device.powered = on;
        let starts = on && device.config.is_some() && device.rsvp.is_none();
        self.topology_changed();
        if !on {
            self.kill(node);
        } else if starts {
            self.start(node);
        }
    }

    /// Closes a node's socket for sending, or opens it again.
    pub fn block_socket(&mut self, node: NodeId, blocked: bool) {
        let now = self.now;
        if let Some(driver) = &mut self.devices[node.0].rsvp {
            driver.block_socket(now, blocked);
        }
        self.settle(node);
    }

    /// Gives a node a command, now.
    ///
    /// # Errors
    ///
    /// What the node answers.
    ///
    /// # Panics
    ///
    /// When the device does not run RSVP.
    pub fn command(&mut self, node: NodeId, command: Command) -> Result<Reply, CommandError> {
        let now = self.now;
        let driver = self.devices[node.0].rsvp.as_mut().expect("the device runs RSVP");
        let reply = driver.command(now, command);
        self.settle(node);
        reply
    }

    /// Registers an application of a node for a session.
    ///
    /// # Errors
    ///
    /// What the node answers.
    pub fn open(&mut self, node: NodeId, session: SessionKey) -> Result<ApiId, CommandError> {
        match self.command(node, Command::OpenSession(session))? {
            Reply::Session(api) => Ok(api),
            other => unreachable!("a session was opened, and the answer is {other:?}"),
        }
    }

    /// Starts an application that announces a sender.
    ///
    /// # Errors
    ///
    /// What the node answers.
    pub fn announce(
        &mut self,
        node: NodeId,
        session: SessionKey,
        sender: SenderRequest,
    ) -> Result<ApiId, CommandError> {
        let api = self.open(node, session)?;
        self.command(node, Command::AddSender(api, sender))?;
        Ok(api)
    }

    /// Starts an application that reserves.
    ///
    /// # Errors
    ///
    /// What the node answers.
    pub fn reserve(
        &mut self,
        node: NodeId,
        session: SessionKey,
        reservation: ReserveRequest,
    ) -> Result<ApiId, CommandError> {
        let api = self.open(node, session)?;
        self.command(node, Command::Reserve(api, reservation))?;
        Ok(api)
    }

    /// Checks this after every step; an `Err` ends the simulation with its text.
    pub fn check(&mut self, hook: impl FnMut(&Self) -> Result<(), String> + 'static) {
        self.hooks.push(Box::new(hook));
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// All devices, in the order they were added.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.devices.len()).map(NodeId)
    }

    /// All links, in the order they were added.
    pub fn links(&self) -> impl Iterator<Item = LinkId> + use<> {
        (0..self.links.len()).map(LinkId)
    }

    /// The device with this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<NodeId> {
        self.devices.iter().position(|device| device.name == name).map(NodeId)
    }

    /// The nodes that something has happened to since the last checks; after a wait, all of them.
    pub fn touched(&self) -> impl Iterator<Item = NodeId> {
        self.touched.iter().copied()
    }

    /// A device's name.
    #[must_use]
    pub fn name(&self, node: NodeId) -> &str {
        &self.devices[node.0].name
    }

    /// A device's first IPv4 address.
    ///
    /// # Panics
    ///
    /// When it has none.
    #[must_use]
    pub fn address(&self, node: NodeId) -> IpAddr {
        self.addresses(node).find(IpAddr::is_ipv4).expect("the device has an IPv4 address")
    }

    /// All addresses of a device.
    pub fn addresses(&self, node: NodeId) -> impl Iterator<Item = IpAddr> {
        self.devices[node.0].addresses()
    }

    /// A device's interface on a link.
    #[must_use]
    pub fn interface(&self, node: NodeId, link: LinkId) -> Option<InterfaceId> {
        self.devices[node.0].ports.iter().find(|port| port.link == link).map(|port| port.id)
    }

    /// The link that joins two devices; the first one, if there are several.
    #[must_use]
    pub fn link_between(&self, one: NodeId, other: NodeId) -> Option<LinkId> {
        let joins =
            |link: &Link| [one, other].into_iter().all(|node| link.ends.iter().any(|(end, _)| *end == node));
        self.links.iter().position(joins).map(LinkId)
    }

    /// The node that runs on a device; `None` while none does.
    #[must_use]
    pub fn node(&self, node: NodeId) -> Option<&Node> {
        self.driver(node).map(Driver::node)
    }

    /// Whether RSVP on a device is stopped by [`Network::freeze`].
    #[must_use]
    pub fn is_frozen(&self, node: NodeId) -> bool {
        self.devices[node.0].frozen
    }

    /// The driver of a device's node, with its statistics.
    #[must_use]
    pub fn driver(&self, node: NodeId) -> Option<&Driver> {
        self.devices[node.0].rsvp.as_ref()
    }

    /// What traffic control of a device holds.
    #[must_use]
    pub fn kernel(&self, node: NodeId) -> &BTreeMap<InstallationId, Installation> {
        &self.devices[node.0].kernel
    }

    /// How routing sends packets from a device to an address.
    pub fn route(&mut self, node: NodeId, destination: IpAddr) -> Route {
        self.routing.route(node, destination).clone()
    }

    /// How routing sends packets of a source to a group past a device, or from it.
    pub fn group_route(&mut self, node: NodeId, source: IpAddr, group: IpAddr) -> Route {
        self.routing.answer(node, &RouteKey { table: 0, destination: group, source: Some(source) })
    }

    /// What a node has told since the last call.
    pub fn take_events(&mut self, node: NodeId) -> Vec<Event> {
        std::mem::take(&mut self.devices[node.0].events)
    }

    /// What was sent on a link so far.
    #[must_use]
    pub fn traffic(&self, link: LinkId) -> Traffic {
        self.links[link.0].traffic
    }

    /// From now on what a node tells is not kept.
    pub fn ignore_events(&mut self, node: NodeId) {
        self.devices[node.0].tells = false;
        self.devices[node.0].events.clear();
    }

    /// Every message that was sent.
    #[must_use]
    pub fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    /// Forgets the messages so far.
    pub fn clear_transcript(&mut self) {
        self.transcript.clear();
    }

    /// Tells a node about one of its interfaces.
    fn announce_interface(&mut self, node: NodeId, position: usize) {
        let device = &mut self.devices[node.0];
        let port = &device.ports[position];
        let info = InterfaceInfo {
            id: port.id,
            name: port.name.clone(),
            addresses: port.addresses.clone(),
            mtu: port.mtu,
            up: port.enabled && self.links[port.link.0].up,
            point_to_point: self.links[port.link.0].point_to_point,
        };
        if let Some(driver) = &mut device.rsvp {
            driver.handle(self.now, Input::Interface(info));
        }
        self.settle(node);
    }

    fn topology_changed(&mut self) {
        if self.convergence == Duration::ZERO {
            self.reroute();
        } else {
            self.schedule(self.convergence, Action::Reroute);
        }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("simulation at {:?}; replay with {SEED_VARIABLE}={}", self.now, self.seed);
        }
    }
}
