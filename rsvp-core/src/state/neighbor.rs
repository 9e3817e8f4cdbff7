//! Neighbours: hop addresses on interfaces.

use alloc::collections::BTreeMap;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::counters::ReductionCounters;
use crate::input::InterfaceId;
use crate::time::Instant;

/// What the node knows of a neighbour.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Neighbor {
    pub(crate) senders: usize,
    pub(crate) reservations: usize,
    /// Path and Resv that it is told.
    pub(crate) advertised: usize,
    /// Whether it is the neighbour at the other end of a point-to-point link.
    is_other_end: bool,
    /// Whether nodes without RSVP lie in between, as the TTL of its messages says.
    is_remote: bool,
    pub(crate) last_heard: Option<Instant>,
    pub(crate) last_sent: Option<Instant>,
    /// Whether it sent its last message in UDP, and so is to be told in UDP (RFC 2205 Appendix C).
    pub(crate) udp: bool,
    /// Whether its last message said that it is capable of refresh reduction (RFC 2961 section 2).
    pub(crate) capable: Option<bool>,
    /// Whether it has sent a MESSAGE_ID.
    pub(crate) sends_ids: bool,
    /// Whether it has rejected a MESSAGE_ID.
    pub(crate) rejects_ids: bool,
    /// The Epoch of its last MESSAGE_ID.
    pub(crate) epoch: Option<u32>,
    /// Messages that await its acknowledgement.
    pub(crate) outstanding: usize,
    /// Tears and errors for it that wait to be sent or acknowledged: they go as it takes them.
    pub(crate) one_shots: usize,
    pub(crate) counters: ReductionCounters,
}

impl Neighbor {
    fn is_idle(&self) -> bool {
        let kept_by = [self.senders, self.reservations, self.advertised, self.outstanding, self.one_shots];
        kept_by == [0; 5] && !self.is_other_end
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

    /// A neighbour that some state hangs on, or that is speaking.
    pub(crate) fn get(&self, interface: InterfaceId, address: IpAddr) -> Option<&Neighbor> {
        self.map.get(&(interface, address))
    }

    /// The same, to be changed.
    pub(crate) fn get_mut(&mut self, interface: InterfaceId, address: IpAddr) -> Option<&mut Neighbor> {
        self.map.get_mut(&(interface, address))
    }

    /// The neighbours on an interface, of the family of `like`.
    pub(crate) fn on(
        &self,
        interface: InterfaceId,
        like: IpAddr,
    ) -> impl Iterator<Item = (IpAddr, &Neighbor)> {
        let (first, last) = match like {
            IpAddr::V4(_) => (Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::BROADCAST.into()),
            IpAddr::V6(_) => (Ipv6Addr::UNSPECIFIED.into(), Ipv6Addr::from([0xff; 16]).into()),
        };
        let all = self.map.range((interface, first)..=(interface, last));
        all.map(|((_, address), neighbor)| (*address, neighbor))
    }

    /// The one neighbour, of the family of `like`, at the other end of a point-to-point link, if it was heard.
    pub(crate) fn other_end(&self, interface: InterfaceId, like: IpAddr) -> Option<IpAddr> {
        self.on(interface, like).find(|(_, neighbor)| neighbor.is_other_end).map(|(address, _)| address)
    }

    /// It was heard on a point-to-point link.
    pub(crate) fn is_at_other_end(&mut self, interface: InterfaceId, address: IpAddr) {
        let former = self.other_end(interface, address);
        if former == Some(address) {
            return;
        }
        if let Some(former) = former {
            self.let_go(interface, former, |neighbor| neighbor.is_other_end = false);
        }
        self.map.entry((interface, address)).or_default().is_other_end = true;
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

    /// It is told of state.
    pub(crate) fn add_advertised(&mut self, interface: InterfaceId, address: IpAddr) {
        self.map.entry((interface, address)).or_default().advertised += 1;
    }

    /// One message more awaits its acknowledgement.
    pub(crate) fn add_outstanding(&mut self, interface: InterfaceId, address: IpAddr) {
        self.map.entry((interface, address)).or_default().outstanding += 1;
    }

    /// A tear or an error for it waits.
    pub(crate) fn add_one_shot(&mut self, interface: InterfaceId, address: IpAddr) {
        self.map.entry((interface, address)).or_default().one_shots += 1;
    }

    /// A tear or an error for it waits no more.
    pub(crate) fn remove_one_shot(&mut self, interface: InterfaceId, address: IpAddr) {
        self.let_go(interface, address, |n| n.one_shots -= 1);
    }

    /// Path state from it is gone.
    pub(crate) fn remove_sender(&mut self, interface: InterfaceId, address: IpAddr) {
        self.let_go(interface, address, |n| n.senders -= 1);
    }

    /// A reservation of it is gone.
    pub(crate) fn remove_reservation(&mut self, interface: InterfaceId, address: IpAddr) {
        self.let_go(interface, address, |n| n.reservations -= 1);
    }

    /// It is told of some state no more.
    pub(crate) fn remove_advertised(&mut self, interface: InterfaceId, address: IpAddr) {
        self.let_go(interface, address, |n| n.advertised -= 1);
    }

    /// One message less awaits its acknowledgement.
    pub(crate) fn remove_outstanding(&mut self, interface: InterfaceId, address: IpAddr) {
        self.let_go(interface, address, |n| n.outstanding -= 1);
    }

    fn let_go(&mut self, interface: InterfaceId, address: IpAddr, take: impl FnOnce(&mut Neighbor)) {
        if let Some(neighbor) = self.map.get_mut(&(interface, address)) {
            take(neighbor);
            if neighbor.is_idle() && self.speaking != Some((interface, address)) {
                self.map.remove(&(interface, address));
            }
        }
    }

    /// The interface is gone for good.
    pub(crate) fn forget_other_end(&mut self, interface: InterfaceId) {
        for like in [Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()] {
            if let Some(address) = self.other_end(interface, like) {
                self.let_go(interface, address, |neighbor| neighbor.is_other_end = false);
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
