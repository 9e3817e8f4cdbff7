//! Neighbours: hop addresses on interfaces.

use alloc::collections::BTreeMap;
use core::net::IpAddr;

use crate::input::InterfaceId;
use crate::time::Instant;

/// What the node knows of a neighbour.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Neighbor {
    pub(crate) senders: usize,
    pub(crate) reservations: usize,
    /// Whether nodes without RSVP lie in between, as the TTL of its messages says.
    is_remote: bool,
    pub(crate) last_heard: Option<Instant>,
    pub(crate) last_sent: Option<Instant>,
    /// Whether it sent its last message in UDP, and so is to be told in UDP (RFC 2205 Appendix C).
    pub(crate) udp: bool,
}

impl Neighbor {
    fn is_idle(&self) -> bool {
        self.senders == 0 && self.reservations == 0
    }
}

/// The neighbours that some state hangs on; forgotten with their last state.
#[derive(Debug, Default)]
pub(crate) struct Neighbors {
    map: BTreeMap<(InterfaceId, IpAddr), Neighbor>,
    /// The one whose message is being handled; it is known until the end of the call even if no state hangs on it.
    speaking: Option<(InterfaceId, IpAddr)>,
}

impl Neighbors {
    /// A message of it is being handled, which came in UDP or raw.
    pub(crate) fn speaks(&mut self, interface: InterfaceId, address: IpAddr, udp: bool) {
        self.end_call();
        self.map.entry((interface, address)).or_default().udp = udp;
        self.speaking = Some((interface, address));
    }

    /// The message has been handled.
    pub(crate) fn end_call(&mut self) {
        if let Some(key) = self.speaking.take()
            && self.map.get(&key).is_some_and(Neighbor::is_idle)
        {
            self.map.remove(&key);
        }
    }

    /// Whether it is known to need UDP.
    pub(crate) fn needs_udp(&self, interface: InterfaceId, address: IpAddr) -> bool {
        self.map.get(&(interface, address)).is_some_and(|neighbor| neighbor.udp)
    }

    /// Path state from it is new.
    pub(crate) fn add_sender(&mut self, interface: InterfaceId, address: IpAddr) {
        self.map.entry((interface, address)).or_default().senders += 1;
    }

    /// A reservation of it is new.
    pub(crate) fn add_reservation(&mut self, interface: InterfaceId, address: IpAddr) {
        self.map.entry((interface, address)).or_default().reservations += 1;
    }

    /// Path state from it is gone.
    pub(crate) fn remove_sender(&mut self, interface: InterfaceId, address: IpAddr) {
        self.remove(interface, address, |n| n.senders -= 1);
    }

    /// A reservation of it is gone.
    pub(crate) fn remove_reservation(&mut self, interface: InterfaceId, address: IpAddr) {
        self.remove(interface, address, |n| n.reservations -= 1);
    }

    fn remove(&mut self, interface: InterfaceId, address: IpAddr, take: impl FnOnce(&mut Neighbor)) {
        if let Some(neighbor) = self.map.get_mut(&(interface, address)) {
            take(neighbor);
            if neighbor.is_idle() && self.speaking != Some((interface, address)) {
                self.map.remove(&(interface, address));
            }
        }
    }

    /// Whether nodes without RSVP lie between it and this node.
    pub(crate) fn is_remote(&self, interface: InterfaceId, address: IpAddr) -> bool {
        self.map.get(&(interface, address)).is_some_and(|neighbor| neighbor.is_remote)
    }

    /// It was heard, in UDP or raw, and from afar or not, as the TTL says. Each message says it anew: what somebody else
    /// said in its name does not outlive its next refresh.
    pub(crate) fn heard(
        &mut self,
        (interface, address): (InterfaceId, IpAddr),
        now: Instant,
        udp: bool,
        is_remote: bool,
    ) {
        if let Some(neighbor) = self.map.get_mut(&(interface, address)) {
            neighbor.last_heard = Some(now);
            neighbor.udp = udp;
            neighbor.is_remote = is_remote;
        }
    }

    /// It was sent something.
    pub(crate) fn sent(&mut self, interface: InterfaceId, address: IpAddr, now: Instant) {
        if let Some(neighbor) = self.map.get_mut(&(interface, address)) {
            neighbor.last_sent = Some(now);
        }
    }

    /// All of them, in the order of interface and address.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&(InterfaceId, IpAddr), &Neighbor)> {
        self.map.iter()
    }
}
