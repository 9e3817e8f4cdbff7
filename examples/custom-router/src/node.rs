//! Nodes that run, each on a thread.

use std::io;
use std::net::IpAddr;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rsvp_core::command::{ReserveRequest, SenderRequest};
use rsvp_core::config::{Bandwidth, InterfaceConfig};
use rsvp_core::event::Upcall;
use rsvp_core::input::{InterfaceInfo, NextHop};
use rsvp_core::wire::{FilterSpec, FlowDescriptor, Flowspec, Style, Tspec};
use rsvp_core::{ApiId, Command, Event, EventKind, InterfaceId, Node, NodeConfig, Reply, SessionKey};
use rsvp_driver::memory::LinkEnd;
use rsvp_driver::{
    Clock, Events, Handle, MemoryTransport, NoTrafficControl, Outside, Parts, StaticRouting, block_on,
};
use rsvp_io::Driver;

use crate::Fallible;

/// What every sender sends.
pub(crate) const TRAFFIC: Tspec =
    Tspec { rate: 125e3, bucket: 10e3, peak: 250e3, min_unit: 64, max_packet: 1500 };

/// A node, and a program's ways to it.
pub(crate) struct Running {
    pub(crate) handle: Handle,
    events: Events,
    thread: JoinHandle<io::Result<()>>,
}

impl Running {
    /// Runs a node on whatever is outside of it.
    pub(crate) fn start(router: bool, seed: [u8; 32], outside: impl Outside) -> Fallible<Self> {
        // Bytes per second. The chip is the bottleneck in this network.
        let bandwidth = Some(Bandwidth { total: 10_000_000, per_flow: 1_000_000, link: 12_500_000 });
        // Short, so that the story is: the defaults are 2 s, and 30 s from one refresh to the next.
        let (repair_delay, refresh) = (Duration::from_millis(100), Duration::from_millis(300));
        let default_interface =
            InterfaceConfig { bandwidth, repair_delay, refresh, ..InterfaceConfig::default() };
        let config = NodeConfig { router, default_interface, ..NodeConfig::default() };
        let clock = Clock::start();
        let (driver, handle) = Driver::new(Node::new(config, seed, clock.now()), outside, clock)?;
        let events = handle.subscribe();
        Ok(Self { handle, events, thread: thread::spawn(|| driver.run()) })
    }

    /// Runs a host with an interface for each of these addresses and links. What is for others goes by the first.
    pub(crate) fn start_host(
        seed: [u8; 32],
        ends: impl IntoIterator<Item = (IpAddr, LinkEnd)>,
        gateway: IpAddr,
    ) -> Fallible<Self> {
        let (mut interfaces, mut links) = (Vec::new(), Vec::new());
        for (id, (address, end)) in (1..).map(InterfaceId).zip(ends) {
            interfaces.push(InterfaceInfo::new(id, format!("eth{}", id.0 - 1), [address]));
            links.push((id, end));
        }
        let mut routing = StaticRouting::new(interfaces);
        routing.route("0.0.0.0/0".parse()?, NextHop { interface: InterfaceId(1), gateway: Some(gateway) });
        Self::start(false, seed, Parts::new(MemoryTransport::new(links), routing, NoTrafficControl)?)
    }

    fn open(&self, session: SessionKey) -> Fallible<ApiId> {
        match block_on(self.handle.command(Command::OpenSession(session)))? {
            Reply::Session(id) => Ok(id),
            other => unreachable!("OpenSession is answered with {other:?}"),
        }
    }

    /// Announces what an application sends.
    pub(crate) fn announce(&self, session: SessionKey, from: FilterSpec) -> Fallible<ApiId> {
        let id = self.open(session)?;
        block_on(self.handle.command(Command::AddSender(id, SenderRequest::new(from, TRAFFIC))))?;
        Ok(id)
    }

    /// Reserves for all of it.
    pub(crate) fn reserve(&self, session: SessionKey, from: FilterSpec) -> Fallible<ApiId> {
        let id = self.open(session)?;
        let flow = FlowDescriptor { flowspec: Some(Flowspec::ControlledLoad(TRAFFIC)), filters: vec![from] };
        let request = ReserveRequest::new(session.destination(), Style::Ff, vec![flow]).confirmed();
        block_on(self.handle.command(Command::Reserve(id, request)))?;
        Ok(id)
    }

    /// Withdraws what an application has asked for.
    pub(crate) fn release(&self, id: ApiId) -> Fallible<()> {
        block_on(self.handle.command(Command::Release(id)))?;
        Ok(())
    }

    /// Waits for an event that `wanted` takes; passes over the others.
    pub(crate) fn wait_for<T>(&mut self, wanted: impl Fn(&EventKind) -> Option<T>) -> Fallible<T> {
        while let Some(Event { kind, .. }) = block_on(self.events.next()) {
            if let EventKind::Lost(count) = kind {
                return Err(format!("{count} events were lost, and with them, maybe, the one awaited").into());
            }
            if let Some(found) = wanted(&kind) {
                return Ok(found);
            }
        }
        Err("the node has stopped".into())
    }

    /// The same for the upcalls of an application.
    pub(crate) fn wait_for_upcall<T>(
        &mut self,
        application: ApiId,
        wanted: impl Fn(&Upcall) -> Option<T>,
    ) -> Fallible<T> {
        self.wait_for(|kind| match kind {
            EventKind::Upcall(id, _, upcall) if *id == application => wanted(upcall),
            _ => None,
        })
    }

    /// Tears down and ends.
    pub(crate) fn stop(self) -> Fallible<()> {
        block_on(self.handle.shutdown());
        Ok(self.thread.join().expect("the driver does not panic")?)
    }
}
