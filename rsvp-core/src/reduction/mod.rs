//! Refresh reduction and reliable delivery (RFC 2961).
//!
//! Each message that changes something takes a new identifier ([`delivery`]) and is sent again until it is acknowledged.
//! State that a capable neighbour has been told of joins the others that it is told of ([`refresh`]): all have one timer,
//! and are refreshed by their identifiers ([`srefresh`]). What waits for one neighbour leaves in one datagram ([`pack`]).
//! The other direction is in [`receive`], and what this node owes its neighbours in [`acks`].
//!
//! Which of it is used is asked anew each time: of the configuration, and of what the neighbour said last. So a neighbour
//! may gain and lose its abilities at any time.
//!
//! There is room for negotiated pacing (RFC 8370): `is_window_full` is the one place that decides it.

mod acks;
mod delivery;
mod pack;
mod receive;
mod refresh;
mod srefresh;

pub(crate) use delivery::neighbor_in;
pub(crate) use pack::Overflow;

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::config::{MessageIds, ReductionConfig};
use crate::counters::ReductionCounters;
use crate::input::InterfaceId;
use crate::node::Node;
use crate::state::{Lane, Neighbor, PathAdId, Peer};
use crate::view::ReductionView;
use crate::wire::Header;

impl Node {
    /// The settings that hold for a neighbour.
    pub(crate) fn reduction(&self, interface: InterfaceId, address: IpAddr) -> &ReductionConfig {
        match self.config.neighbors.get(&address) {
            Some(reduction) => reduction,
            None => &self.interface_config(interface).reduction,
        }
    }

    /// The settings that hold for a neighbour, or for all on an interface.
    fn reduction_of(&self, peer: Peer) -> &ReductionConfig {
        match peer {
            Peer::One(interface, address) => self.reduction(interface, address),
            Peer::All(interface, _) => &self.interface_config(interface).reduction,
        }
    }

    /// The flags of a message to a neighbour. Where it is not known who will handle it, it says the least.
    pub(crate) fn flags(&self, peer: Option<Peer>) -> u8 {
        let is_capable = self.config.hu().is_none()
            && match peer {
                Some(peer) => self.reduction_of(peer).is_capable(),
                None => {
                    let interfaces = self.config.interfaces.values().map(|interface| &interface.reduction);
                    let mut all = interfaces.chain([&self.config.default_interface.reduction]);
                    all.all(ReductionConfig::is_capable)
                }
            };
        if is_capable { Header::REFRESH_REDUCTION } else { 0 }
    }

    /// Whether messages to a neighbour have a MESSAGE_ID.
    pub(crate) fn carries_ids(&self, peer: Peer) -> bool {
        if self.config.hu().is_some() {
            return false;
        }
        let speaks = |neighbor: &Neighbor| neighbor.sends_ids || neighbor.capable == Some(true);
        let config = self.reduction_of(peer);
        let (is_rejected, is_learnt) = match peer {
            Peer::One(interface, address) => {
                let neighbor = self.state.neighbors.get(interface, address);
                (neighbor.is_some_and(|n| n.udp || n.rejects_ids), neighbor.is_some_and(speaks))
            }
            Peer::All(interface, group) => {
                let heard =
                    || self.state.neighbors.on(interface, group).filter(|(_, n)| n.last_heard.is_some());
                let is_rejected = heard().any(|(_, neighbor)| neighbor.rejects_ids);
                (is_rejected, heard().all(|(_, neighbor)| speaks(neighbor)) && heard().next().is_some())
            }
        };
        !is_rejected
            && match config.message_ids {
                MessageIds::Never => false,
                MessageIds::Always => true,
                MessageIds::Learn => is_learnt || config.assume_capable,
            }
    }

    /// Whether a neighbour takes Bundle and Srefresh messages. One behind nodes without RSVP does not: another may take
    /// its place unnoticed (RFC 2961 sections 3.3, 5.6).
    pub(crate) fn is_capable(&self, interface: InterfaceId, address: IpAddr) -> bool {
        let assumed = self.reduction(interface, address).assume_capable;
        self.config.hu().is_none()
            && self.state.neighbors.get(interface, address).is_some_and(|neighbor| {
                let is_capable = neighbor.capable == Some(true) || assumed && neighbor.capable.is_some();
                is_capable && !neighbor.udp && !neighbor.rejects_ids
            })
            && !self.state.neighbors.is_remote(interface, address)
    }

    /// Whether an interface has one neighbour only.
    pub(crate) fn is_point_to_point(&self, id: InterfaceId) -> bool {
        let says_driver = || self.state.interfaces.get(&id).is_some_and(|i| i.info.point_to_point);
        self.interface_config(id).point_to_point.unwrap_or_else(says_driver)
    }

    /// Who gets the Path of an advertisement.
    pub(crate) fn path_peer(&self, id: PathAdId) -> Peer {
        let ad = &self.state.path_ads[id];
        let destination = self.destination_of(id);
        let next = if !destination.is_multicast() {
            Some(ad.next_hop.unwrap_or(destination))
        } else if self.is_point_to_point(ad.interface) {
            self.state.neighbors.other_end(ad.interface, destination)
        } else {
            None
        };
        next.map_or(Peer::All(ad.interface, destination), |next| Peer::One(ad.interface, next))
    }

    /// The neighbour that gets what waits in a lane, if there is one and it is known.
    fn neighbor_of(&self, lane: Lane) -> Option<(InterfaceId, IpAddr)> {
        let interface = lane.interface?;
        match lane.peer {
            peer if peer.is_unspecified() => {
                self.state.neighbors.other_end(interface, peer).map(|end| (interface, end))
            }
            peer if peer.is_multicast() => None,
            peer => Some((interface, peer)),
        }
    }

    /// Whether as many messages await a neighbour's acknowledgement as may: further ones wait. A neighbour that has never
    /// shown that it acknowledges anything is not waited for.
    fn is_window_full(&self, lane: Lane) -> bool {
        self.neighbor_of(lane).is_some_and(|(interface, address)| {
            let neighbor = self.state.neighbors.get(interface, address);
            neighbor.is_some_and(|neighbor| {
                let limit = self.reduction(interface, address).max_outstanding.max(1);
                (neighbor.sends_ids || neighbor.capable == Some(true))
                    && neighbor.outstanding >= limit as usize
            })
        })
    }

    /// Counts something, for the node and for the neighbour.
    fn count(
        &mut self,
        neighbor: Option<(InterfaceId, IpAddr)>,
        mut add: impl FnMut(&mut ReductionCounters),
    ) {
        add(&mut self.counters.reduction);
        let known =
            neighbor.and_then(|(interface, address)| self.state.neighbors.get_mut(interface, address));
        if let Some(neighbor) = known {
            add(&mut neighbor.counters);
        }
    }

    /// How RFC 2961 is used with a neighbour, as an operator may see it.
    pub(crate) fn reduction_view(
        &self,
        interface: InterfaceId,
        address: IpAddr,
        neighbor: &Neighbor,
    ) -> ReductionView {
        let config = self.reduction(interface, address);
        let peer = Peer::One(interface, address);
        let is_capable = self.is_capable(interface, address);
        let group =
            self.group_of_neighbor(interface, address).and_then(|id| self.state.refresh_groups.get(id));
        let lane = Lane { interface: Some(interface), peer: address };
        ReductionView {
            local_capable: config.is_capable(),
            remote_capable: neighbor.capable,
            remote_message_id: neighbor.sends_ids,
            rejects_message_id: neighbor.rejects_ids,
            message_ids: self.carries_ids(peer),
            bundles: is_capable && config.bundle,
            summary_refresh: is_capable && config.summarizes(),
            local_epoch: self.message_ids.epoch,
            remote_epoch: neighbor.epoch,
            outstanding: neighbor.outstanding,
            paced: self.outbox.paced(lane),
            summarized: group.map_or(0, |group| group.plain.len() + group.multicast.len()),
            next_refresh: group.and_then(|group| group.next.or_else(|| self.timers.deadline(group.timer?))),
            counters: neighbor.counters,
        }
    }
}

/// The unspecified address of the family of `like`.
pub(crate) fn unspecified(like: IpAddr) -> IpAddr {
    match like {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    }
}
