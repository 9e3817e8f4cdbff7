//! What must hold for a node, whatever its neighbours send and whatever happens around it.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Duration;

use rsvp_core::command::{ReserveRequest, SenderRequest};
use rsvp_core::config::{Bandwidth, InterfaceConfig};
use rsvp_core::input::{
    Datagram, Encapsulation, InstallFailure, InterfaceInfo, NextHop, PreemptReason, Route,
};
use rsvp_core::output::{InstallationId, RouteKey};
use rsvp_core::udp::PU;
use rsvp_core::wire::{
    FilterSpec, FlowDescriptor, FlowKey, Flowspec, RawMessage, SenderTspec, Style, Tspec, messages,
};
use rsvp_core::{
    ApiId, Command, Input, Instant, InterfaceId, Node, NodeConfig, Ready, Reply, Request, SessionKey,
};

/// The interfaces' handles; neighbours echo them.
const INTERFACES: [u32; 2] = [77, 78];
/// More messages than this in answer to one input are a flood.
const MAX_ANSWERS: usize = 10_000;

/// Feeds the node with what `data` describes: records of an octet that says what happens, and what it needs.
pub(crate) fn node(data: &[u8]) {
    let mut world = World::new();
    let mut script = Script(data);
    while let Some(what) = script.octet() {
        world.step(what, &mut script);
        world.drain();
    }
    // Whatever it holds ends by itself, or is refreshed for ever; a day of it shows that timers stay sane.
    for _ in 0..100 {
        let Some((due, _)) = world.node.poll_timeout(Ready::ALL) else { break };
        world.now = world.now.max(due);
        world.node.handle(world.now, Input::Timeout);
        world.drain();
    }
}

/// The rest of the input.
struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    fn octet(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// As many octets as the next octet says in words, or what is left.
    fn words(&mut self) -> &'a [u8] {
        let length = usize::from(self.octet().unwrap_or(0)) * 4;
        let (words, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        words
    }
}

struct World {
    node: Node,
    now: Instant,
    installations: Vec<InstallationId>,
    routes: Vec<RouteKey>,
    api: Option<ApiId>,
    /// The datagrams that came.
    received: Vec<Vec<u8>>,
}

impl World {
    fn new() -> Self {
        let bandwidth = Bandwidth { total: 1_000_000, per_flow: 500_000, link: 1_250_000 };
        let interface = InterfaceConfig { bandwidth: Some(bandwidth), ..InterfaceConfig::default() };
        let config = NodeConfig { default_interface: interface, ..NodeConfig::default() };
        let node = Node::new(config, [7; 32], Instant::ZERO);
        let mut world = Self {
            node,
            now: Instant::ZERO,
            installations: Vec::new(),
            routes: Vec::new(),
            api: None,
            received: Vec::new(),
        };
        for index in 0..INTERFACES.len() {
            world.interface(index, true);
        }
        world
    }

    fn handle(&mut self, input: Input<'_>) {
        self.node.handle(self.now, input);
    }

    fn interface(&mut self, index: usize, up: bool) {
        let addresses = own_addresses(index);
        let id = InterfaceId(INTERFACES[index]);
        self.handle(Input::Interface(InterfaceInfo {
            id,
            name: format!("eth{index}"),
            addresses,
            mtu: 1500,
            up,
            point_to_point: false,
        }));
    }

    /// One thing that happens; the low bit of `what` often names an interface.
    fn step(&mut self, what: u8, script: &mut Script<'_>) {
        let index = usize::from(what & 1);
        match what {
            0..0xc0 => self.datagram(what, script.words()),
            0xc0..0xd0 => {
                self.now = self.now + Duration::from_millis(u64::from(script.octet().unwrap_or(1)) * 500);
                self.handle(Input::Timeout);
            }
            0xd0..0xd4 => self.interface(index, what & 2 != 0),
            0xd4..0xd6 => self.handle(Input::InterfaceRemoved(InterfaceId(INTERFACES[index]))),
            0xd6..0xda => {
                if let Some(key) = self.routes.last().copied() {
                    let route = if what & 2 == 0 { Route::default() } else { route_by(index) };
                    self.handle(Input::Route(key, route));
                }
            }
            0xda..0xdc => {
                if let Some(id) = self.installations.last().copied() {
                    self.handle(Input::Preempted(id, PreemptReason::Priority));
                }
            }
            0xdc => self.handle(Input::SocketBlocked),
            0xdd => self.handle(Input::SocketWritable),
            _ => self.command(what),
        }
    }

    /// A datagram from a neighbour, with its length right and without a checksum.
    fn datagram(&mut self, what: u8, octets: &[u8]) {
        let mut payload = octets.to_vec();
        if let (Ok(length), Some(header)) = (u16::try_from(payload.len()), payload.get_mut(..8)) {
            header[2..4].fill(0);
            header[6..8].copy_from_slice(&length.to_be_bytes());
        }
        let raw = RawMessage::decode(&payload).ok();
        let session = raw.and_then(|raw| raw.session()).map(|session| session.key.destination());
        let own = own_addresses(usize::from(what & 1))[0];
        let datagram = Datagram {
            interface: InterfaceId(INTERFACES[usize::from(what & 1)]),
            source: IpAddr::from([10, 0, 1, what >> 4]),
            destination: session.filter(|_| what & 2 == 0).unwrap_or(own),
            ttl: (what & 4 == 0).then_some(64),
            encapsulation: if what & 10 == 10 {
                Encapsulation::Udp { source_port: PU, destination_port: PU }
            } else {
                Encapsulation::Raw
            },
            payload: Cow::Borrowed(&payload),
        };
        self.handle(Input::Datagram(datagram));
        self.received.push(payload);
    }

    fn command(&mut self, what: u8) {
        let flow = FlowKey { destination: IpAddr::from([224, 1, 2, 3]), protocol: 17, port: 5000 };
        let tspec = Tspec { rate: 1e4, bucket: 2e3, peak: 2e4, min_unit: 64, max_packet: 1500 };
        let sender = FilterSpec::Ip { source: own_addresses(0)[0], port: 4000 };
        let remote = FilterSpec::Ip { source: IpAddr::from([10, 0, 0, 1]), port: 4000 };
        let api = self.api.unwrap_or(ApiId(0));
        let style = [Style::Ff, Style::Se, Style::Wf][usize::from(what % 3)];
        let filters = if style == Style::Wf { Vec::new() } else { vec![remote] };
        let flows = vec![FlowDescriptor { flowspec: Some(Flowspec::ControlledLoad(tspec)), filters }];
        let command = match what & 7 {
            0 | 7 => Command::OpenSession(SessionKey::Ip(flow)),
            1 => {
                let tspec = SenderTspec::TokenBucket(tspec);
                Command::AddSender(
                    api,
                    SenderRequest {
                        template: sender,
                        tspec,
                        adspec: true.into(),
                        policy: Vec::new(),
                        ttl: 64,
                    },
                )
            }
            2 => Command::RemoveSender(api, sender),
            3 => {
                let receiver = own_addresses(1)[0];
                Command::Reserve(
                    api,
                    ReserveRequest { receiver, style, flows, policy: Vec::new(), confirm: true },
                )
            }
            4 => Command::Unreserve(api),
            5 => Command::Release(api),
            _ => Command::Clear(None),
        };
        if let Ok(Reply::Session(id)) = self.node.command(self.now, command) {
            self.api = Some(id);
        }
    }

    /// Takes everything out of the node, and answers what it asks.
    fn drain(&mut self) {
        let mut buffer = Vec::new();
        for count in 0.. {
            assert!(count < MAX_ANSWERS, "the node does not come to rest");
            if self.node.poll_transmit(self.now, &mut buffer).is_some() {
                // What is not for this node is passed on as it came.
                if !self.received.contains(&buffer) {
                    for message in messages(&buffer) {
                        let message = message.expect("the node sends sound Bundles");
                        let sent = RawMessage::decode(message).expect("the node sends sound messages");
                        assert!(sent.header.has_checksum());
                    }
                }
                continue;
            }
            if let Some(request) = self.node.poll_request() {
                self.answer(request);
                continue;
            }
            if self.node.poll_event().is_none() {
                break;
            }
        }
    }

    fn answer(&mut self, request: Request) {
        match request {
            Request::WatchRoute(key) => {
                self.routes.push(key);
                let own = (0..INTERFACES.len()).any(|index| own_addresses(index).contains(&key.destination));
                let route = if own { Route { local: true, ..Route::default() } } else { route_by(1) };
                self.handle(Input::Route(key, route));
            }
            Request::UnwatchRoute(key) => self.routes.retain(|watched| *watched != key),
            Request::Install(installation) => {
                let id = installation.id;
                self.installations.push(id);
                // Every fourth one fails.
                let failure = InstallFailure { reason: "no room".to_owned() };
                let done = if id.0 % 4 == 3 { Err(failure) } else { Ok(()) };
                self.handle(Input::Installed(id, done));
            }
            Request::Remove(id) => self.installations.retain(|installed| *installed != id),
            Request::Join { .. } | Request::Leave { .. } => {}
        }
    }
}

fn own_addresses(index: usize) -> Vec<IpAddr> {
    let last = index as u16 + 1;
    vec![IpAddr::from([10, 9, last as u8, 1]), IpAddr::from([0x2001, 0xdb8, 9, 0, 0, 0, 0, last])]
}

/// In by the other interface, out by this one.
fn route_by(index: usize) -> Route {
    let outgoing = vec![NextHop { interface: InterfaceId(INTERFACES[index]), gateway: None }];
    let incoming = Some(InterfaceId(INTERFACES[1 - index]));
    Route { local: false, incoming, outgoing, shared_tree: false }
}
