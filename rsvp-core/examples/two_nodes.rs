//! Two hosts on a link, in one process and in virtual time: one announces a flow, the other reserves for it.

use std::{error::Error, net::IpAddr, time::Duration};

use rsvp_core::command::{ReserveRequest, SenderRequest};
use rsvp_core::config::{Bandwidth, InterfaceConfig};
use rsvp_core::input::{Datagram, InterfaceInfo, NextHop, Route};
use rsvp_core::wire::{FilterSpec, FlowDescriptor, Flowspec, Style, Tspec};
use rsvp_core::{ApiId, Command, CommandError, EventKind, Input, Instant, InterfaceId};
use rsvp_core::{Node, NodeConfig, Ready, Reply, Request, SessionKey};

const LINK: InterfaceId = InterfaceId(1);

/// How long a datagram is under way.
const LINK_DELAY: Duration = Duration::from_millis(1);

/// A node, and what has happened around it that it was not told yet.
struct Host {
    node: Node,
    address: IpAddr,
    inputs: Vec<Input<'static>>,
}

impl Host {
    fn new(address: IpAddr, seed: [u8; 32]) -> Self {
        let bandwidth = Some(Bandwidth { total: 1_000_000, per_flow: 500_000, link: 1_250_000 }); // bytes per second
        let default_interface = InterfaceConfig { bandwidth, ..InterfaceConfig::default() };
        let config = NodeConfig { router: false, default_interface, ..NodeConfig::default() };
        let inputs = vec![Input::Interface(InterfaceInfo::new(LINK, "eth0", [address]))];
        Self { node: Node::new(config, seed, Instant::ZERO), address, inputs }
    }

    /// One turn of the loop: tells the node what happened, does what it wants done, and says when it is to be called
    /// again. What it sends is put on the wire.
    fn turn(&mut self, now: Instant, wire: &mut Vec<Datagram<'static>>) -> Option<Instant> {
        for input in self.inputs.drain(..) {
            self.node.handle(now, input);
        }
        self.node.handle(now, Input::Timeout); // Does nothing while nothing is due.
        while let Some(request) = self.node.poll_request() {
            match request {
                // A real embedder asks its routing table, and tells the node whenever the answer changes.
                Request::WatchRoute(key) => {
                    let local = key.destination == self.address;
                    let hop = (!local).then_some(NextHop { interface: LINK, gateway: None });
                    let route = Route { local, outgoing: hop.into_iter().collect(), ..Route::default() };
                    self.node.handle(now, Input::Route(key, route));
                }
                // A real one programs its scheduler, and answers when that is done or has failed.
                Request::Install(flow) => {
                    println!("{}: give {:?} to {:?}", self.address, flow.flowspec, flow.filters);
                    self.node.handle(now, Input::Installed(flow.id, Ok(())));
                }
                Request::Remove(id) => println!("{}: take away {id:?}", self.address),
                Request::UnwatchRoute(_) | Request::Join { .. } | Request::Leave { .. } => {}
            }
        }
        let mut bytes = Vec::new();
        while let Some(transmit) = self.node.poll_transmit(now, &mut bytes) {
            wire.push(Datagram {
                interface: LINK,
                source: transmit.source,
                destination: transmit.destination,
                ttl: Some(transmit.ttl),
                encapsulation: transmit.encapsulation,
                payload: bytes.clone().into(),
            });
        }
        while let Some(event) = self.node.poll_event() {
            if let EventKind::Upcall(_, _, upcall) = event.kind {
                println!("{}: after {:?}: {upcall:?}", self.address, event.at.since(Instant::ZERO));
            }
        }
        self.node.poll_timeout(Ready::ALL).map(|(at, _)| at)
    }
}

/// Opens a session for an application.
fn open(node: &mut Node, key: SessionKey) -> Result<ApiId, CommandError> {
    match node.command(Instant::ZERO, Command::OpenSession(key))? {
        Reply::Session(id) => Ok(id),
        other => unreachable!("OpenSession is answered with {other:?}"),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut alice = Host::new("192.0.2.1".parse()?, [1; 32]); // A real seed comes from the operating system.
    let mut bob = Host::new("192.0.2.2".parse()?, [2; 32]);
    let key = SessionKey::udp(bob.address, 5004);
    let sender = FilterSpec::Ip { source: alice.address, port: 4000 };
    let traffic = Tspec { rate: 125e3, bucket: 10e3, peak: 250e3, min_unit: 64, max_packet: 1500 };

    let application = open(&mut alice.node, key)?;
    let request = SenderRequest::new(sender, traffic);
    alice.node.command(Instant::ZERO, Command::AddSender(application, request))?;

    let application = open(&mut bob.node, key)?;
    let flow = FlowDescriptor { flowspec: Some(Flowspec::ControlledLoad(traffic)), filters: vec![sender] };
    let request = ReserveRequest::new(bob.address, Style::Ff, vec![flow]).confirmed();
    bob.node.command(Instant::ZERO, Command::Reserve(application, request))?;

    // Ten minutes, from one deadline to the next. A real embedder waits until then, or until something happens.
    let (mut now, end) = (Instant::ZERO, Instant::ZERO + Duration::from_secs(600));
    while now < end {
        let (mut to_bob, mut to_alice) = (Vec::new(), Vec::new());
        let next = [alice.turn(now, &mut to_bob), bob.turn(now, &mut to_alice)];
        let arrival = (to_bob.len() + to_alice.len() > 0).then_some(now + LINK_DELAY);
        now = next.into_iter().chain([arrival]).flatten().min().unwrap_or(end);
        bob.inputs.extend(to_bob.into_iter().map(Input::Datagram));
        alice.inputs.extend(to_alice.into_iter().map(Input::Datagram));
    }
    let [installed] = &alice.node.installed()[..] else { return Err("there is no reservation".into()) };
    println!("{}: {} bytes/s are reserved for {key}", alice.address, installed.bandwidth);
    assert_eq!((installed.bandwidth, installed.installed), (125_000, true));
    Ok(())
}
