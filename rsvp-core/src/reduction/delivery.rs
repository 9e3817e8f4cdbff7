//! Identifiers, acknowledgements and retransmission of this node's own messages (RFC 2961 sections 4.5, 4.6, 6).

use alloc::vec::Vec;
use core::net::IpAddr;

use crate::input::InterfaceId;
use crate::node::Node;
use crate::state::{Awaited, Delivery, Lane, OutboxItem, PathAdId, Peer, TimerKey};
use crate::time::Duration;
use crate::wire::{Acknowledgement, FlaggedId, MessageId};

/// The longest time between two retransmissions.
const LONGEST: Duration = Duration::from_secs(3600);

impl Node {
    /// How far a message has got.
    pub(super) fn delivery(&self, item: OutboxItem) -> Option<&Delivery> {
        match item {
            OutboxItem::Path(id) => self.state.path_ads.get(id).map(|ad| &ad.delivery),
            OutboxItem::Resv(id) => self.state.resv_ads.get(id).map(|ad| &ad.delivery),
            OutboxItem::OneShot(id) => self.outbox.one_shot(id).map(|one_shot| &one_shot.delivery),
            OutboxItem::Acks(_) | OutboxItem::Srefresh(_) => None,
        }
    }

    pub(super) fn delivery_mut(&mut self, item: OutboxItem) -> Option<&mut Delivery> {
        match item {
            OutboxItem::Path(id) => self.state.path_ads.get_mut(id).map(|ad| &mut ad.delivery),
            OutboxItem::Resv(id) => self.state.resv_ads.get_mut(id).map(|ad| &mut ad.delivery),
            OutboxItem::OneShot(id) => self.outbox.one_shot_mut(id).map(|one_shot| &mut one_shot.delivery),
            OutboxItem::Acks(_) | OutboxItem::Srefresh(_) => None,
        }
    }

    /// The MESSAGE_ID of a message that is about to be sent to `peer`. One with news takes a new identifier, and so
    /// supersedes what was sent before; a refresh and a retransmission repeat theirs.
    pub(crate) fn identify(&mut self, item: OutboxItem, peer: Peer, is_news: bool) -> Option<FlaggedId> {
        let known = self.delivery(item)?.id;
        let (id, is_new) = match known.filter(|id| !is_news && !self.message_ids.is_aged(*id)) {
            Some(id) => (id, false),
            None => {
                self.disown(item);
                (self.message_ids.assign(item), true)
            }
        };
        // Whoever does not acknowledge must not take the room of what others are told once.
        let is_crowded = matches!(item, OutboxItem::OneShot(_))
            && self.outbox.one_shots() > self.config.limits.queued_one_shots / 2;
        let is_reliable = self.reduction_of(peer).reliable && !is_crowded;
        let delivery = self.delivery_mut(item)?;
        delivery.id = Some(id);
        let wants_ack = is_reliable && (is_new || delivery.awaited.is_some() || delivery.is_asked_for);
        let id = MessageId { epoch: self.message_ids.epoch, id };
        Some(if wants_ack { FlaggedId::wanting_ack(id) } else { FlaggedId::plain(id) })
    }

    /// A message was sent: if it is to be acknowledged, the clock runs.
    pub(crate) fn has_sent(&mut self, item: OutboxItem, peer: Peer, sent: FlaggedId, acks: usize) {
        let limit = self.copies_of(peer);
        let Some(delivery) = self.delivery_mut(item) else { return };
        delivery.is_asked_for = false;
        // A refresh after the last copy does not put off that it is given up.
        if !sent.wants_ack() || delivery.awaited.as_ref().is_some_and(|awaited| awaited.copies >= limit) {
            return;
        }
        let is_again = delivery.awaited.is_some();
        let awaited = delivery.awaited.get_or_insert_with(|| Awaited {
            peer,
            acks,
            acked_by: Vec::new(),
            copies: 0,
            timer: None,
        });
        awaited.copies += 1;
        let (copies, mut timer) = (awaited.copies, awaited.timer.take());
        let due = self.now + self.retransmission_wait(peer, copies);
        self.timers.arm(&mut timer, due, TimerKey::Retransmit(sent.id.id));
        if let Some(awaited) = self.delivery_mut(item).and_then(|delivery| delivery.awaited.as_mut()) {
            awaited.timer = timer;
        }
        let neighbor = neighbor_in(peer);
        if is_again {
            self.count(neighbor, |counters| counters.retransmitted += 1);
        } else if let Some((interface, address)) = neighbor {
            self.state.neighbors.add_outstanding(interface, address);
        }
    }

    /// How often a message is sent to a neighbour in all while it is not acknowledged.
    fn copies_of(&self, peer: Peer) -> u32 {
        self.reduction_of(peer).retransmit_limit.max(1)
    }

    /// The time from a copy to the next: Rf * (1 + Delta)^(copies - 1).
    fn retransmission_wait(&self, peer: Peer, copies: u32) -> Duration {
        let config = self.reduction_of(peer);
        let factor = 1.0 + config.retransmit_growth.max(0.0);
        let mut wait = config.retransmit_interval.max(Duration::from_millis(1));
        for _ in 1..copies {
            let grown = Duration::try_from_secs_f32(wait.as_secs_f32() * factor);
            wait = grown.unwrap_or(LONGEST).min(LONGEST);
            if wait == LONGEST {
                break;
            }
        }
        wait
    }

    /// A message was not acknowledged in time: it is sent again, or given up.
    pub(crate) fn on_retransmit(&mut self, id: u32) {
        let Some(item) = self.message_ids.message(id) else { return };
        let Some(awaited) = self.delivery_mut(item).and_then(|delivery| delivery.awaited.as_mut()) else {
            return;
        };
        awaited.timer = None;
        let (peer, copies) = (awaited.peer, awaited.copies);
        if copies >= self.copies_of(peer) {
            self.count(neighbor_in(peer), |counters| counters.given_up += 1);
            self.await_no_more(item);
            self.forget_one_shot(item);
        } else if let Some(lane) = self.lane_of(item) {
            match item {
                OutboxItem::Path(ad) => self.state.path_ads[ad].queued = true,
                OutboxItem::Resv(ad) => self.state.resv_ads[ad].queued = true,
                _ => {}
            }
            self.outbox.push_urgent(lane, item);
        }
    }

    fn lane_of(&self, item: OutboxItem) -> Option<Lane> {
        match item {
            OutboxItem::Path(id) => Some(self.path_lane(self.state.path_ads.get(id)?)),
            OutboxItem::Resv(id) => {
                self.state.resv_ads.get(id).map(|ad| self.lane_to(ad.interface, ad.hop.address))
            }
            OutboxItem::OneShot(id) => self.outbox.one_shot(id).map(|one_shot| one_shot.lane),
            OutboxItem::Acks(_) | OutboxItem::Srefresh(_) => None,
        }
    }

    /// No acknowledgement of a message is awaited any more. That may let others go.
    fn await_no_more(&mut self, item: OutboxItem) {
        let Some(awaited) = self.delivery_mut(item).and_then(|delivery| delivery.awaited.take()) else {
            return;
        };
        if let Some(timer) = awaited.timer {
            self.timers.cancel(timer);
        }
        if let Some((interface, address)) = neighbor_in(awaited.peer) {
            self.state.neighbors.remove_outstanding(interface, address);
            self.resume(interface, address);
        }
    }

    /// What waited for a neighbour's acknowledgements looks again whether it may go.
    pub(super) fn resume(&mut self, interface: InterfaceId, address: IpAddr) {
        let lane = Lane { interface: Some(interface), peer: address };
        self.outbox.pace(lane, false);
        // What goes to groups by a point-to-point link waits for it as well; the link may have been one until now.
        self.outbox.pace(Lane { peer: super::unspecified(address), ..lane }, false);
    }

    fn forget_one_shot(&mut self, item: OutboxItem) {
        if let OutboxItem::OneShot(id) = item
            && let Some(id) = self.take_one_shot(id).and_then(|one_shot| one_shot.delivery.id)
        {
            self.message_ids.retire(id);
        }
    }

    /// What was last sent of this state no longer stands for it: its identifier is of no use, and it is not sent again.
    pub(crate) fn disown(&mut self, item: OutboxItem) {
        self.leave_seat(item);
        self.await_no_more(item);
        if let Some(delivery) = self.delivery_mut(item) {
            (delivery.is_acked, delivery.acked_by_incapable, delivery.is_asked_for) = (false, false, false);
            if let Some(id) = delivery.id.take() {
                self.message_ids.retire(id);
            }
        }
    }

    /// Acts on the acknowledgements in front of a message, whatever it is. `is_capable`: whether it says that its sender
    /// is capable of refresh reduction.
    pub(crate) fn on_acknowledgements(
        &mut self,
        from: (InterfaceId, IpAddr),
        is_capable: bool,
        all: &[Acknowledgement],
    ) {
        for acknowledgement in all {
            let id = acknowledgement.id();
            let item = self.message_ids.message(id.id).filter(|_| id.epoch == self.message_ids.epoch);
            match (acknowledgement, item) {
                (Acknowledgement::Ack(_), Some(item)) => {
                    self.count(Some(from), |counters| counters.received_ack += 1);
                    self.on_ack(from.1, is_capable, item);
                }
                (Acknowledgement::Ack(_), None) => self.count(Some(from), |counters| {
                    counters.received_ack += 1;
                    counters.unknown_ack += 1;
                }),
                (Acknowledgement::Nack(_), Some(item @ (OutboxItem::Path(_) | OutboxItem::Resv(_)))) => {
                    self.count(Some(from), |counters| counters.received_nack += 1);
                    self.on_nack(item);
                }
                (Acknowledgement::Nack(_), _) => self.count(Some(from), |counters| {
                    counters.received_nack += 1;
                    counters.unknown_nack += 1;
                }),
            }
        }
    }

    /// A message has arrived. One to a group has when all its next hops say so, as far as routing knows them
    /// (RFC 2961 section 4.7).
    fn on_ack(&mut self, from: IpAddr, is_capable: bool, item: OutboxItem) {
        let Some(delivery) = self.delivery_mut(item) else { return };
        delivery.acked_by_incapable |= !is_capable;
        if let Some(awaited) = delivery.awaited.as_mut().filter(|awaited| awaited.acks > 1) {
            if !awaited.acked_by.contains(&from) {
                awaited.acked_by.push(from);
            }
            if awaited.acked_by.len() < awaited.acks {
                return;
            }
        }
        self.has_arrived(item);
    }

    /// The latest message about some state has arrived: it was acknowledged, or answered by an error message
    /// (RFC 2961 section 4.5).
    fn has_arrived(&mut self, item: OutboxItem) {
        self.await_no_more(item);
        if let Some(delivery) = self.delivery_mut(item) {
            delivery.is_acked = true;
        }
        match item {
            OutboxItem::OneShot(_) => self.forget_one_shot(item),
            OutboxItem::Resv(id) => {
                let ad = &mut self.state.resv_ads[id];
                ad.confirming = None;
                if !ad.confirms.is_empty() {
                    self.queue_resv(id);
                }
            }
            // Towards a group, summary refresh begins only now.
            OutboxItem::Path(_) => self.take_seat(item),
            OutboxItem::Acks(_) | OutboxItem::Srefresh(_) => {}
        }
    }

    /// A neighbour has no state that this identifier advertised: it gets the whole message (RFC 2961 section 5.4).
    fn on_nack(&mut self, item: OutboxItem) {
        if let Some(delivery) = self.delivery_mut(item) {
            delivery.is_asked_for = true;
        }
        self.queue_whole(item);
    }

    /// An error message of a neighbour is about what it was told here: so that has arrived, unless the error says that the
    /// neighbour does not know MESSAGE_ID.
    pub(crate) fn is_answered_by_error(
        &mut self,
        (interface, from): (InterfaceId, IpAddr),
        item: OutboxItem,
        is_rejected_id: bool,
    ) {
        if is_rejected_id {
            self.on_rejected_id(interface, from, item);
        } else {
            self.has_arrived(item);
        }
    }

    /// An error message says that a neighbour does not know MESSAGE_ID: it gets its message again without
    /// (RFC 2961 section 4.8).
    fn on_rejected_id(&mut self, interface: InterfaceId, from: IpAddr, item: OutboxItem) {
        let peer = match item {
            OutboxItem::Path(id) => self.path_peer(id),
            OutboxItem::Resv(id) => {
                let ad = &self.state.resv_ads[id];
                Peer::One(ad.interface, ad.hop.address)
            }
            _ => return,
        };
        let mut is_noted = false;
        for (interface, address) in neighbor_in(peer).into_iter().chain([(interface, from)]) {
            if let Some(neighbor) = self.state.neighbors.get_mut(interface, address) {
                neighbor.rejects_ids = true;
                is_noted = true;
            }
            self.hurry(interface, address);
        }
        let Some(delivery) = self.delivery(item) else { return };
        if delivery.id.is_none() {
            return;
        }
        self.disown(item);
        if let Some(delivery) = self.delivery_mut(item) {
            // Else a neighbour may take back what somebody has said in its name.
            delivery.without_id = !is_noted;
        }
        self.queue_whole(item);
    }

    /// How many acknowledgements a Path awaits (RFC 2961 section 4.7).
    pub(crate) fn acks_awaited(&self, id: PathAdId) -> usize {
        self.known_next_hops(id).unwrap_or(1)
    }

    /// How many next hops there are for a group on the interface of an advertisement, if routing knows.
    pub(super) fn known_next_hops(&self, id: PathAdId) -> Option<usize> {
        let ad = &self.state.path_ads[id];
        let route = self.state.routes.get(&self.state.psbs[ad.psb].route)?.answer.as_ref()?;
        let hops = route.outgoing.iter().filter(|hop| hop.interface == ad.interface && hop.gateway.is_some());
        Some(hops.count()).filter(|count| *count > 0)
    }
}

/// The neighbour, if it is one.
pub(crate) fn neighbor_in(peer: Peer) -> Option<(InterfaceId, IpAddr)> {
    match peer {
        Peer::One(interface, address) => Some((interface, address)),
        Peer::All(..) => None,
    }
}
