//! A router with a routing table and a forwarding chip of its own: what a vendor writes to put `rsvp-core` into a product.
//!
//! ```sh
//! cargo run -p custom-router
//! ```
//!
//! - `rib.rs` is the `Routing` part: longest prefix match in a table that routing protocols change while the node runs.
//! - `asic.rs` is the `TrafficControl` part: a chip that answers later, whose tables are small, and whose ports break.
//! - `inbox.rs` is how other threads wake the driver: a queue that ends in a file descriptor.
//! - `node.rs` runs nodes, each with the driver that blocks its thread.
//!
//! The third part, the `Transport`, is the one in memory here, so that the whole network is in this process and takes no
//! privilege: alice, the router, and bob, who is on two of its ports. `rsvp_io::RawSockets` would be that of Linux.
//!
//! ```text
//!   alice ────────── west  router  east ────────── eth0  bob
//!   10.0.1.2                       south ───────── eth1  10.0.2.2, 10.0.3.2
//! ```
//!
//! It tells what happens, and ends with 0 if all did that should: a reservation is installed in the chip; a second one is
//! refused, since the port's table is full; the route changes, and the reservation follows it; the chip loses the port, and
//! the receiver hears that his reservation was preempted.

#![cfg(target_os = "linux")]

mod asic;
mod inbox;
mod node;
mod rib;

use std::error::Error;
use std::net::IpAddr;
use std::thread;
use std::time::Duration;

use rsvp_core::event::{Cause, Change, StateEvent, Subject, Upcall};
use rsvp_core::input::{InterfaceInfo, NextHop};
use rsvp_core::wire::{ErrorCode, ErrorSpec, FilterSpec};
use rsvp_core::{ApiId, EventKind, InterfaceId, SessionKey};
use rsvp_driver::{MemoryTransport, Parts, memory};

use crate::asic::{Asic, Bench, Entry};
use crate::inbox::Outbox;
use crate::node::Running;
use crate::rib::{Rib, RouteChange};

type Fallible<T> = Result<T, Box<dyn Error>>;

const WEST: InterfaceId = InterfaceId(1);
const EAST: InterfaceId = InterfaceId(2);
const SOUTH: InterfaceId = InterfaceId(3);

/// More than the whole story takes.
const LIMIT: Duration = Duration::from_secs(30);

/// The network, and the ways to what is special in it.
struct Network {
    alice: Running,
    router: Running,
    bob: Running,
    routes: Outbox<RouteChange>,
    chip: Bench,
}

fn main() -> Fallible<()> {
    thread::spawn(|| {
        thread::sleep(LIMIT);
        eprintln!("the story does not go on: this is {LIMIT:?} after its beginning");
        std::process::exit(1);
    });
    let mut network = Network::new()?;
    let from = FilterSpec::Ip { source: "10.0.1.2".parse()?, port: 4000 };
    let [first, second] = [5004, 5006].map(|port| SessionKey::udp(IpAddr::from([10, 0, 2, 2]), port));
    network.routes.put(RouteChange::Add("10.0.1.0/24".parse()?, NextHop { interface: WEST, gateway: None }));
    network.routes.put(RouteChange::Add("10.0.2.0/24".parse()?, NextHop { interface: EAST, gateway: None }));
    for session in [first, second] {
        network.alice.announce(session, from)?;
    }

    let receiver = network.a_reservation_is_installed(first, from)?;
    network.a_second_one_finds_the_table_full(second, from)?;
    network.the_route_changes()?;
    network.the_port_breaks(receiver)?;
    network.end()
}

impl Network {
    fn new() -> Fallible<Self> {
        let (west, to_alice) = memory::link()?;
        let (east, to_bob) = memory::link()?;
        let (south, to_bob_too) = memory::link()?;
        let ports = [(WEST, "west"), (EAST, "east"), (SOUTH, "south")];
        let numbered = |(id, name): (InterfaceId, &str)| {
            InterfaceInfo::new(id, name, [IpAddr::from([10, 0, id.0.to_le_bytes()[0], 1])])
        };
        let (rib, routes) = Rib::new(ports.map(numbered).into())?;
        let (asic, chip) = Asic::power_on(1)?;
        let transport = MemoryTransport::new([(WEST, west), (EAST, east), (SOUTH, south)]);
        // Real seeds come from the operating system.
        Ok(Self {
            router: Running::start(true, [1; 32], Parts::new(transport, rib, asic)?)?,
            alice: Running::start_host([2; 32], [("10.0.1.2".parse()?, to_alice)], "10.0.1.1".parse()?)?,
            bob: Running::start_host(
                [3; 32],
                [("10.0.2.2".parse()?, to_bob), ("10.0.3.2".parse()?, to_bob_too)],
                "10.0.2.1".parse()?,
            )?,
            routes,
            chip,
        })
    }

    fn a_reservation_is_installed(&mut self, session: SessionKey, from: FilterSpec) -> Fallible<ApiId> {
        println!("bob reserves for {session}");
        let application = self.bob.reserve(session, from)?;
        let node = self.bob.wait_for_upcall(application, |upcall| match upcall {
            Upcall::Confirmed { node, .. } => Some(*node),
            _ => None,
        })?;
        println!("  bob hears: confirmed by {node}");
        println!("  the chip gives on port east: {}", self.chip.wait_for(|entries| on_port(EAST, entries)));
        Ok(application)
    }

    fn a_second_one_finds_the_table_full(&mut self, session: SessionKey, from: FilterSpec) -> Fallible<()> {
        println!("bob reserves for {session}");
        let application = self.bob.reserve(session, from)?;
        let reason = self.router.wait_for(|kind| match kind {
            EventKind::State(StateEvent {
                subject: Subject::Reservation { .. },
                change: Change::Refused,
                cause: Cause::TrafficControl(reason),
                ..
            }) => Some(reason.clone()),
            _ => None,
        })?;
        println!("  the chip tells the router: {reason}");
        let error = self.bob.wait_for_upcall(application, resv_error)?;
        println!("  bob hears: {error}");
        assert_eq!(error.error_code(), ErrorCode::TRAFFIC_CONTROL_SYSTEM_ERROR);
        self.bob.release(application)?;
        Ok(())
    }

    fn the_route_changes(&mut self) -> Fallible<()> {
        println!("the route to bob changes to port south");
        // To one who is on both ports; the longer prefix holds from the first change on.
        let next_hop = NextHop { interface: SOUTH, gateway: Some("10.0.3.2".parse()?) };
        self.routes.put(RouteChange::Add("10.0.2.2/32".parse()?, next_hop));
        self.routes.put(RouteChange::Withdraw("10.0.2.0/24".parse()?));
        println!("  the chip gives on port south: {}", self.chip.wait_for(|entries| on_port(SOUTH, entries)));
        self.chip.wait_for(|entries| on_port(EAST, entries).is_none().then_some(()));
        println!("  the chip gives nothing on port east any more: nobody has refreshed that");
        Ok(())
    }

    fn the_port_breaks(&mut self, application: ApiId) -> Fallible<()> {
        println!("the chip loses port south");
        self.chip.lose_port(SOUTH);
        let error = self.bob.wait_for_upcall(application, resv_error)?;
        println!("  bob hears: {error}");
        assert_eq!(error.error_code(), ErrorCode::SERVICE_PREEMPTED);
        self.chip.wait_for(|entries| entries.is_empty().then_some(()));
        println!("  the chip holds nothing");
        self.bob.release(application)
    }

    fn end(self) -> Fallible<()> {
        println!("all leave");
        self.bob.stop()?;
        self.alice.stop()?;
        self.router.stop()
    }
}

/// The one entry that a port has room for.
fn on_port(port: InterfaceId, entries: &[Entry]) -> Option<Entry> {
    entries.iter().find(|entry| entry.port == port).cloned()
}

fn resv_error(upcall: &Upcall) -> Option<ErrorSpec> {
    match upcall {
        Upcall::ResvError { error, .. } => Some(*error),
        _ => None,
    }
}
