//! Two hosts and a link between them in the memory of one process: one announces what it sends, the other reserves for it.
//! Each runs on a thread of its own, and takes no privilege. It ends when the reservation is confirmed.
//!
//! ```sh
//! cargo run -p rsvp-io --example in_memory
//! ```

use std::{error::Error, net::IpAddr, thread};

use rsvp_core::command::{ReserveRequest, SenderRequest};
use rsvp_core::config::{Bandwidth, InterfaceConfig};
use rsvp_core::event::Upcall;
use rsvp_core::input::{InterfaceInfo, NextHop};
use rsvp_core::wire::{FilterSpec, FlowDescriptor, Flowspec, Style, Tspec};
use rsvp_core::{Command, EventKind, InterfaceId, Node, NodeConfig, Reply, SessionKey};
use rsvp_driver::memory::{self, LinkEnd};
use rsvp_driver::{Clock, Handle, MemoryTransport, NoTrafficControl, Parts, StaticRouting, block_on};
use rsvp_io::Driver;

type Fallible<T> = Result<T, Box<dyn Error>>;

/// A host with this address on the link, and the thread that it runs on.
fn host(
    address: IpAddr,
    seed: [u8; 32],
    end: LinkEnd,
) -> Fallible<(Handle, thread::JoinHandle<std::io::Result<()>>)> {
    let bandwidth = Some(Bandwidth { total: 1_000_000, per_flow: 500_000, link: 1_250_000 }); // bytes per second
    let default_interface = InterfaceConfig { bandwidth, ..InterfaceConfig::default() };
    let config = NodeConfig { router: false, default_interface, ..NodeConfig::default() };

    let eth0 = InterfaceId(1);
    let mut routing = StaticRouting::new([InterfaceInfo::new(eth0, "eth0", [address])]);
    routing.route("192.0.2.0/24".parse()?, NextHop { interface: eth0, gateway: None });
    let outside = Parts::new(MemoryTransport::new([(eth0, end)]), routing, NoTrafficControl)?;

    let clock = Clock::start();
    let (driver, handle) = Driver::new(Node::new(config, seed, clock.now()), outside, clock)?;
    Ok((handle, thread::spawn(|| driver.run())))
}

fn main() -> Fallible<()> {
    let [alice, bob]: [IpAddr; 2] = ["192.0.2.1".parse()?, "192.0.2.2".parse()?];
    let (end, other_end) = memory::link()?;
    let (sending, sender) = host(alice, [1; 32], end)?; // Real seeds come from the operating system.
    let (receiving, receiver) = host(bob, [2; 32], other_end)?;
    let mut events = receiving.subscribe();

    let session = SessionKey::udp(bob, 5004);
    let from = FilterSpec::Ip { source: alice, port: 4000 };
    let traffic = Tspec { rate: 125e3, bucket: 10e3, peak: 250e3, min_unit: 64, max_packet: 1500 };
    let open = |host: &Handle| match block_on(host.command(Command::OpenSession(session)))? {
        Reply::Session(id) => Fallible::Ok(id),
        other => unreachable!("OpenSession is answered with {other:?}"),
    };
    block_on(sending.command(Command::AddSender(open(&sending)?, SenderRequest::new(from, traffic))))?;
    let flow = FlowDescriptor { flowspec: Some(Flowspec::ControlledLoad(traffic)), filters: vec![from] };
    let request = ReserveRequest::new(bob, Style::Ff, vec![flow]).confirmed();
    block_on(receiving.command(Command::Reserve(open(&receiving)?, request)))?;

    while let Some(event) = block_on(events.next()) {
        match event.kind {
            EventKind::Upcall(_, _, Upcall::Path { sender, tspec, .. }) => {
                println!("{sender} sends {tspec:?}");
            }
            EventKind::Upcall(_, _, Upcall::ResvError { error, .. }) => return Err(error.to_string().into()),
            EventKind::Upcall(_, _, Upcall::Confirmed { node, flows, .. }) => {
                println!("{node} confirms {flows:?}");
                break;
            }
            _ => {}
        }
    }
    let installed = block_on(sending.query(Node::installed))?;
    assert_eq!(installed[0].bandwidth, 125_000);
    for (host, thread) in [(receiving, receiver), (sending, sender)] {
        block_on(host.shutdown());
        thread.join().expect("the driver does not panic")?;
    }
    Ok(())
}
