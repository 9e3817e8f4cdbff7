//! Traffic control by a forwarding chip: every port has a small table of flows that get a queue of their own.
//!
//! The chip takes its time, so it has a thread here where a real one has a driver. Orders go to it, reports come back.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rsvp_core::input::{InstallFailure, PreemptReason};
use rsvp_core::output::{Installation, InstallationId};
use rsvp_core::wire::{FilterSpec, Flowspec};
use rsvp_core::{Input, InterfaceId, SessionKey};
use rsvp_driver::{Link, ReadOutcome, Source, TrafficControl};

use crate::inbox::{Inbox, Outbox};

/// Orders that the chip takes before it has carried out the first.
const QUEUE: usize = 16;

/// How long the chip works on an order.
const LATENCY: Duration = Duration::from_millis(2);

/// A flow with a queue of its own.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) port: InterfaceId,
    session: SessionKey,
    filters: Vec<FilterSpec>,
    /// Bytes per second.
    rate: f32,
}

/// What the chip is told to do.
enum Order {
    Program(InstallationId, Entry),
    Erase(InstallationId),
    /// Not an order in truth, but what makes the demonstration: the port breaks.
    LosePort(InterfaceId),
}

/// What the chip tells.
enum Report {
    Programmed(InstallationId, Result<(), InstallFailure>),
    /// The entry is gone, without an order.
    Lost(InstallationId),
}

type Entries = BTreeMap<InstallationId, Entry>;

/// What the chip holds; others may look at it.
#[derive(Clone, Default)]
struct Table(Arc<(Mutex<Entries>, Condvar)>);

/// The node's side.
pub(crate) struct Asic {
    orders: Sender<Order>,
    reports: Inbox<Report>,
    /// Orders that are not answered.
    pending: usize,
    ports: BTreeSet<String>,
}

/// The side of who looks at the chip, and breaks it.
pub(crate) struct Bench {
    orders: Sender<Order>,
    table: Table,
}

/// The thread in the place of the hardware.
struct Chip {
    orders: Receiver<Order>,
    reports: Outbox<Report>,
    table: Table,
    /// Entries of each port.
    slots: usize,
    broken: BTreeSet<InterfaceId>,
}

impl Asic {
    /// A chip whose ports have so many entries each.
    pub(crate) fn power_on(slots: usize) -> io::Result<(Self, Bench)> {
        let (orders, taken) = channel();
        let (told, reports) = Inbox::new()?;
        let table = Table::default();
        let chip =
            Chip { orders: taken, reports: told, table: table.clone(), slots, broken: BTreeSet::new() };
        thread::spawn(|| chip.work());
        let bench = Bench { orders: orders.clone(), table };
        Ok((Self { orders, reports, pending: 0, ports: BTreeSet::new() }, bench))
    }
}

impl TrafficControl for Asic {
    fn sources(&self) -> io::Result<Vec<OwnedFd>> {
        Ok(vec![self.reports.source()?])
    }

    fn read(&mut self, _: Source, budget: usize, sink: &mut dyn FnMut(Input<'_>)) -> io::Result<ReadOutcome> {
        let Self { reports, pending, .. } = self;
        Ok(reports.drain(budget, |report| match report {
            Report::Programmed(id, result) => {
                *pending -= 1;
                sink(Input::Installed(id, result));
            }
            Report::Lost(id) => sink(Input::Preempted(id, PreemptReason::ResourceLost)),
        }))
    }

    /// What does not fit into the queue stays with the node, where a newer wish replaces it.
    fn is_ready(&self) -> bool {
        self.pending < QUEUE
    }

    fn install(&mut self, installation: Installation, sink: &mut dyn FnMut(Input<'_>)) {
        let Installation { id, interface, session, filters, flowspec, .. } = installation;
        let rate = match flowspec {
            Flowspec::ControlledLoad(tspec) => tspec.rate,
            Flowspec::Guaranteed(_, rspec) => rspec.rate,
            _ => {
                let reason = "the chip knows controlled load and guaranteed service only".to_owned();
                return sink(Input::Installed(id, Err(InstallFailure { reason })));
            }
        };
        let entry = Entry { port: interface, session, filters, rate };
        if self.orders.send(Order::Program(id, entry)).is_ok() {
            self.pending += 1;
        } else {
            let reason = "the chip is gone".to_owned();
            sink(Input::Installed(id, Err(InstallFailure { reason })));
        }
    }

    /// The chip takes orders one after the other, so that what it is still to program goes as well.
    fn remove(&mut self, id: InstallationId) {
        // A chip that is gone holds nothing.
        let _ = self.orders.send(Order::Erase(id));
    }

    fn on_interface(&mut self, link: &Link) {
        self.ports.insert(link.info.name.clone());
    }

    fn enforced(&self) -> BTreeSet<String> {
        self.ports.clone()
    }
}

impl Chip {
    fn work(mut self) {
        while let Ok(order) = self.orders.recv() {
            thread::sleep(LATENCY);
            match order {
                Order::Program(id, entry) => {
                    let result = self.program(id, entry).map_err(|reason| InstallFailure { reason });
                    self.reports.put(Report::Programmed(id, result));
                }
                Order::Erase(id) => self.table.change(|entries| drop(entries.remove(&id))),
                Order::LosePort(port) => {
                    self.broken.insert(port);
                    let mut lost = Vec::new();
                    self.table.change(|entries| {
                        entries.retain(|id, entry| {
                            let stays = entry.port != port;
                            lost.extend((!stays).then_some(*id));
                            stays
                        });
                    });
                    lost.into_iter().for_each(|id| self.reports.put(Report::Lost(id)));
                }
            }
        }
    }

    /// What was there under the id stays if that fails.
    fn program(&self, id: InstallationId, entry: Entry) -> Result<(), String> {
        if self.broken.contains(&entry.port) {
            return Err("the port is broken".to_owned());
        }
        self.table.change(|entries| {
            let others = entries.iter().filter(|(other, held)| **other != id && held.port == entry.port);
            if others.count() >= self.slots {
                return Err(format!("all {} entries of the port are taken", self.slots));
            }
            entries.insert(id, entry);
            Ok(())
        })
    }
}

impl Table {
    fn change<T>(&self, change: impl FnOnce(&mut Entries) -> T) -> T {
        let (entries, changed) = &*self.0;
        let result = change(&mut entries.lock().unwrap_or_else(PoisonError::into_inner));
        changed.notify_all();
        result
    }
}

impl Bench {
    /// Breaks a port.
    pub(crate) fn lose_port(&self, port: InterfaceId) {
        // A chip that is gone has lost it.
        let _ = self.orders.send(Order::LosePort(port));
    }

    /// Waits until `wanted` finds in the entries what it looks for.
    pub(crate) fn wait_for<T>(&self, wanted: impl Fn(&[Entry]) -> Option<T>) -> T {
        let (entries, changed) = &*self.table.0;
        let mut entries = entries.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let seen: Vec<_> = entries.values().cloned().collect();
            if let Some(found) = wanted(&seen) {
                return found;
            }
            entries = changed.wait(entries).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes/s to {}", self.rate, self.session)?;
        self.filters.iter().try_for_each(|filter| write!(f, " from {filter}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(port: u32) -> Entry {
        let session = SessionKey::udp([10, 0, 2, 2].into(), 5004);
        Entry { port: InterfaceId(port), session, filters: Vec::new(), rate: 1e5 }
    }

    #[test]
    fn a_full_port_takes_changes_and_nothing_new() {
        let (_, orders) = channel();
        let (reports, _inbox) = Inbox::new().expect("an inbox");
        let table = Table::default();
        let mut chip = Chip { orders, reports, table, slots: 1, broken: BTreeSet::new() };
        assert_eq!(chip.program(InstallationId(1), entry(1)), Ok(()));
        assert!(chip.program(InstallationId(2), entry(1)).is_err(), "the port is full");
        assert_eq!(chip.program(InstallationId(1), Entry { rate: 2e5, ..entry(1) }), Ok(()));
        assert_eq!(chip.program(InstallationId(3), entry(2)), Ok(()), "another port");
        chip.broken.insert(InterfaceId(3));
        assert!(chip.program(InstallationId(4), entry(3)).is_err());
    }
}
