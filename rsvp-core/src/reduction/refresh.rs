//! State that a neighbour was told of is refreshed together: by summary refresh, or by Bundles of refreshes
//! (RFC 2961 section 5).

use alloc::vec::Vec;
use core::net::IpAddr;

use rand_core::Rng;

use crate::config::{InterfaceConfig, NodeConfig, SummaryRefresh};
use crate::input::{Encapsulation, InterfaceId};
use crate::node::Node;
use crate::output::Transmit;
use crate::process::transmit::{HOP_TTL, NETWORK_CONTROL, Parcel};
use crate::state::{
    GroupKey, Interface, Lane, OutboxItem, Peer, RefreshGroup, RefreshGroupId, Seat, TimerKey,
};
use crate::time::Duration;
use crate::wire::{Bundle, FlaggedId, ListWriter, MessageId, MessageType, ctype, seal};

/// How many datagrams of summary refreshes leave at once, so that they do not overrun a neighbour's socket.
const BURST: u32 = 16;

/// How many whole messages are made at once.
const SLICE: usize = 256;

/// After how many refresh periods without a word a neighbour is presumed to run RSVP no more.
const SILENT_PERIODS: u32 = 3;

/// The pause after a burst.
const PAUSE: Duration = Duration::from_millis(20);

/// How the members of a group are refreshed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// By their identifiers.
    Summary,
    /// By whole messages, in Bundles.
    Bundles,
    /// Each for itself: the group ends.
    Alone,
}

impl Node {
    /// Gives an advertisement that was just sent its place among those that are refreshed together. Without one, its own
    /// timer refreshes it.
    pub(crate) fn take_seat(&mut self, item: OutboxItem) {
        let wanted = self.wanted_group(item);
        let seat = self.delivery(item).and_then(|delivery| delivery.seat);
        let sits_in = seat.and_then(|seat| self.state.refresh_groups.get(seat.group)).map(|group| group.key);
        if wanted != sits_in {
            self.leave_seat(item);
        }
        let Some(key) = wanted else { return };
        if wanted == sits_in {
            return self.cancel_refresh(item);
        }
        let group = self.group_or_new(key);
        if self.state.refresh_groups.get(group).is_none_or(|group| group.is_ending) {
            return;
        }
        self.cancel_refresh(item);
        let id = self.delivery(item).and_then(|delivery| delivery.id).unwrap_or(0);
        let is_multicast = self.is_of_group(item);
        let Some(block) = self.state.refresh_groups.get_mut(group) else { return };
        let index = if is_multicast { &mut block.multicast } else { &mut block.plain }.push(id, item);
        let Ok(index) = u32::try_from(index) else { return };
        if let Some(delivery) = self.delivery_mut(item) {
            delivery.seat = Some(Seat { group, index, multicast: is_multicast });
        }
    }

    fn group_or_new(&mut self, key: GroupKey) -> RefreshGroupId {
        if let Some(id) = self.state.refresh_groups.find(&key) {
            return id;
        }
        let due = self.now + self.jitter(self.refresh_period(key.interface));
        let id = self.state.refresh_groups.insert(key, self.now);
        if let Some(group) = self.state.refresh_groups.get_mut(id) {
            group.timer = Some(self.timers.insert(due, TimerKey::RefreshGroup(id)));
        }
        id
    }

    /// Takes an advertisement from those that are refreshed together.
    pub(crate) fn leave_seat(&mut self, item: OutboxItem) {
        let Some(seat) = self.delivery_mut(item).and_then(|delivery| delivery.seat.take()) else { return };
        let Some(group) = self.state.refresh_groups.get_mut(seat.group) else { return };
        let members = if seat.multicast { &mut group.multicast } else { &mut group.plain };
        let moved = members.remove(seat.index as usize);
        let is_empty = group.is_empty();
        for (item, index) in moved.into_iter().flatten() {
            if let Some(seat) = self.delivery_mut(item).and_then(|delivery| delivery.seat.as_mut()) {
                seat.index = u32::try_from(index).unwrap_or(u32::MAX);
            }
        }
        if is_empty && let Some(group) = self.state.refresh_groups.remove(seat.group) {
            if let Some(timer) = group.timer {
                self.timers.cancel(timer);
            }
            if let Some(probe) = group.probe {
                self.message_ids.retire(probe);
            }
        }
    }

    /// Whether it is the Path of a multicast session.
    fn is_of_group(&self, item: OutboxItem) -> bool {
        let OutboxItem::Path(id) = item else { return false };
        self.state.path_ads.get(id).is_some_and(|ad| self.state.psbs[ad.psb].route.destination.is_multicast())
    }

    /// The group that an advertisement belongs to, as things stand now.
    fn wanted_group(&self, item: OutboxItem) -> Option<GroupKey> {
        match item {
            OutboxItem::Path(id) => {
                let ad = self.state.path_ads.get(id)?;
                if ad.period != self.refresh_period(ad.interface) || self.needs_udp(ad.interface) {
                    return None;
                }
                let destination = self.state.psbs[ad.psb].route.destination;
                let source = self.address_towards(ad.interface, destination)?;
                let has_id = ad.delivery.id.is_some();
                let to_session = GroupKey { interface: ad.interface, destination, source, to_session: true };
                match self.path_peer(id) {
                    Peer::One(interface, address) => {
                        let key = GroupKey { interface, destination: address, source, to_session: false };
                        let config = self.reduction(interface, address);
                        let by_session = config.summarizes()
                            && has_id
                            && !destination.is_multicast()
                            && (config.summary_refresh == SummaryRefresh::Session
                                && self.is_capable(interface, address)
                                || config.assume_capable && !self.is_capable(interface, address));
                        if by_session {
                            Some(to_session)
                        } else {
                            Some(key).filter(|key| self.admits(key, has_id))
                        }
                    }
                    Peer::All(interface, _) => {
                        let config = &self.interface_config(interface).reduction;
                        let are_all_known = self.known_next_hops(id).is_some()
                            && ad.delivery.is_acked
                            && self.are_all_capable(interface, destination);
                        let may = config.summarizes() && has_id && (config.assume_capable || are_all_known);
                        may.then_some(to_session)
                    }
                }
            }
            OutboxItem::Resv(id) => {
                let ad = self.state.resv_ads.get(id)?;
                if ad.period != self.refresh_period(ad.interface) {
                    return None;
                }
                let key = GroupKey {
                    interface: ad.interface,
                    destination: ad.hop.address,
                    source: ad.told_from?,
                    to_session: false,
                };
                Some(key).filter(|key| self.admits(key, ad.delivery.id.is_some()))
            }
            _ => None,
        }
    }

    /// Whether the group of a neighbour takes state that it was told of, with a MESSAGE_ID or without.
    fn admits(&self, key: &GroupKey, has_id: bool) -> bool {
        match self.manner(key) {
            Manner::Summary => has_id,
            Manner::Bundles => true,
            Manner::Alone => false,
        }
    }

    /// Whether every neighbour that was heard on an interface is capable of refresh reduction.
    fn are_all_capable(&self, interface: InterfaceId, like: IpAddr) -> bool {
        let mut heard = self.state.neighbors.on(interface, like).filter(|(_, n)| n.last_heard.is_some());
        heard.all(|(_, neighbor)| neighbor.capable == Some(true))
    }

    fn manner(&self, key: &GroupKey) -> Manner {
        let config = self.reduction(key.interface, key.destination);
        if !self.interface_config(key.interface).enabled {
            Manner::Alone
        } else if key.to_session {
            let is_group = key.destination.is_multicast();
            let may =
                config.assume_capable || !is_group || self.are_all_capable(key.interface, key.destination);
            if config.summarizes() && may { Manner::Summary } else { Manner::Alone }
        } else if !self.is_capable(key.interface, key.destination) {
            Manner::Alone
        } else if config.summarizes() {
            Manner::Summary
        } else if config.bundle {
            Manner::Bundles
        } else {
            Manner::Alone
        }
    }

    /// The group of what a neighbour was told.
    pub(super) fn group_of_neighbor(
        &self,
        interface: InterfaceId,
        address: IpAddr,
    ) -> Option<RefreshGroupId> {
        let source = self.address_towards(interface, address)?;
        let key = GroupKey { interface, destination: address, source, to_session: false };
        self.state.refresh_groups.find(&key)
    }

    /// Something about a neighbour has changed: what it was told is looked at within `at_most`, not only when it is due.
    pub(super) fn hurry(&mut self, interface: InterfaceId, address: IpAddr, at_most: Duration) {
        if let Some(id) = self.group_of_neighbor(interface, address) {
            self.hurry_group(id, at_most);
        }
    }

    fn hurry_group(&mut self, id: RefreshGroupId, at_most: Duration) {
        let most = u64::try_from(at_most.as_micros()).unwrap_or(0);
        let due = self.now + Duration::from_micros(self.rng.next_u64() % (most + 1));
        let Some(group) = self.state.refresh_groups.get_mut(id) else { return };
        if group.next.is_none() {
            self.timers.advance(&mut group.timer, due, TimerKey::RefreshGroup(id));
        } else {
            group.next = Some(due);
        }
    }

    /// Settings have changed: the members of groups that depend on them are sorted anew.
    pub(crate) fn review_refresh_groups(&mut self, old: &NodeConfig) {
        let all_changed = old.neighbors != self.config.neighbors;
        let changed = |interface: &Interface| {
            let (old, new) =
                (old.interface(&interface.info.name), self.config.interface(&interface.info.name));
            let relevant = |config: &InterfaceConfig| (config.enabled, config.refresh, config.point_to_point);
            all_changed || relevant(old) != relevant(new) || old.reduction != new.reduction
        };
        let interfaces: Vec<InterfaceId> =
            self.state.interfaces.values().filter(|i| changed(i)).map(|i| i.info.id).collect();
        for interface in interfaces {
            for id in self.state.refresh_groups.on(interface) {
                if let Some(group) = self.state.refresh_groups.get_mut(id) {
                    group.is_ending = true;
                }
                self.hurry_group(id, Duration::ZERO);
            }
        }
    }

    /// The members of a group are due, or some of them are left.
    pub(crate) fn on_refresh_group(&mut self, id: RefreshGroupId) {
        let Some(group) = self.state.refresh_groups.get_mut(id) else { return };
        group.timer = None;
        let (key, is_ending) = (group.key, group.is_ending);
        let manner = if is_ending { Manner::Alone } else { self.manner(&key) };
        if manner == Manner::Alone {
            return self.dissolve(id);
        }
        let period = self.refresh_period(key.interface);
        if !self.is_up(key.interface) {
            return self.wake_group(id, period);
        }
        let next = self.now + self.jitter(period);
        let silence = self.silence_of(&key);
        if silence > period * SILENT_PERIODS {
            return self.presume_gone(id, &key);
        }
        let Some(group) = self.state.refresh_groups.get_mut(id) else { return };
        if group.next.is_none() {
            group.begin(self.now, next);
            group.is_probing = silence > period / 2;
        }
        match manner {
            Manner::Summary => {
                group.budget = BURST;
                if !group.is_through() {
                    self.queue_srefresh(id);
                }
            }
            _ => self.queue_members(id),
        }
        self.rest(id);
    }

    /// How long a neighbour that is refreshed has been silent; zero where that tells nothing.
    fn silence_of(&self, key: &GroupKey) -> Duration {
        if key.to_session || self.reduction(key.interface, key.destination).assume_capable {
            return Duration::ZERO;
        }
        let neighbor = self.state.neighbors.get(key.interface, key.destination);
        neighbor
            .and_then(|neighbor| neighbor.last_heard)
            .map_or(Duration::ZERO, |heard| self.now.since(heard))
    }

    /// A neighbour no longer answers: RSVP may not run there any more, and what is addressed to it alone would not reach
    /// whoever is behind it (RFC 2961 section 5.6). It has to show its ability anew.
    fn presume_gone(&mut self, id: RefreshGroupId, key: &GroupKey) {
        if let Some(neighbor) = self.state.neighbors.get_mut(key.interface, key.destination) {
            neighbor.capable = None;
            neighbor.sends_ids = false;
        }
        self.resume(key.interface, key.destination);
        self.dissolve(id);
    }

    /// A part of the walk is done: it goes on after a pause, or begins anew in the next period.
    fn rest(&mut self, id: RefreshGroupId) {
        let Some(group) = self.state.refresh_groups.get_mut(id) else { return };
        let is_through = group.is_through();
        let wait = match group.next {
            Some(next) if is_through => {
                group.next = None;
                next.since(self.now).max(Duration::from_millis(1))
            }
            _ => PAUSE,
        };
        self.wake_group(id, wait);
    }

    fn wake_group(&mut self, id: RefreshGroupId, wait: Duration) {
        let due = self.now + wait;
        if let Some(group) = self.state.refresh_groups.get_mut(id) {
            self.timers.arm(&mut group.timer, due, TimerKey::RefreshGroup(id));
        }
    }

    /// Refreshes some members by whole messages.
    fn queue_members(&mut self, id: RefreshGroupId) {
        for _ in 0..SLICE {
            let Some(group) = self.state.refresh_groups.get_mut(id) else { return };
            let members = if group.plain.peek().is_some() { &mut group.plain } else { &mut group.multicast };
            let Some((_, item)) = members.peek() else { return };
            members.step();
            let is_probing = core::mem::take(&mut group.is_probing);
            if let Some(delivery) = self.delivery_mut(item) {
                delivery.is_asked_for |= is_probing;
            }
            self.queue_whole(item);
        }
    }

    fn queue_whole(&mut self, item: OutboxItem) {
        match item {
            OutboxItem::Path(id) => self.queue_path(id),
            OutboxItem::Resv(id) => self.queue_resv(id),
            _ => {}
        }
    }

    /// Sends members of a group away, each to be refreshed for itself, or to find another group then. None is refreshed
    /// later than the group would have refreshed it (RFC 2961 section 2).
    fn dissolve(&mut self, id: RefreshGroupId) {
        for _ in 0..SLICE {
            let Some(group) = self.state.refresh_groups.get(id) else { return };
            let latest = group.began + self.refresh_period(group.key.interface) * 3 / 2;
            let Some(item) = group.plain.last().or_else(|| group.multicast.last()) else { return };
            self.leave_seat(item);
            let left = latest.since(self.now);
            let wait = Duration::from_micros(
                self.rng.next_u64() % (u64::try_from(left.as_micros()).unwrap_or(0) + 1),
            );
            self.refresh_alone(item, wait);
        }
        self.wake_group(id, Duration::from_millis(1));
    }

    /// From now on, an advertisement has a timer of its own.
    pub(crate) fn refresh_alone(&mut self, item: OutboxItem, wait: Duration) {
        let due = self.now + wait;
        match item {
            OutboxItem::Path(id) => {
                if let Some(ad) = self.state.path_ads.get_mut(id) {
                    self.timers.advance(&mut ad.timer, due, TimerKey::PathAd(id));
                }
            }
            OutboxItem::Resv(id) => {
                if let Some(ad) = self.state.resv_ads.get_mut(id) {
                    ad.next_refresh = Some(due);
                    self.timers.advance(&mut ad.timer, due, TimerKey::ResvAd(id));
                }
            }
            _ => {}
        }
    }

    fn cancel_refresh(&mut self, item: OutboxItem) {
        let timer = match item {
            OutboxItem::Path(id) => self.state.path_ads.get_mut(id).and_then(|ad| ad.timer.take()),
            OutboxItem::Resv(id) => self.state.resv_ads.get_mut(id).and_then(|ad| {
                ad.next_refresh = None;
                ad.timer.take()
            }),
            _ => None,
        };
        if let Some(timer) = timer {
            self.timers.cancel(timer);
        }
    }

    fn queue_srefresh(&mut self, id: RefreshGroupId) {
        let Some(lane) = self.lane_of_group(id) else { return };
        if let Some(group) = self.state.refresh_groups.get_mut(id)
            && !core::mem::replace(&mut group.queued, true)
        {
            self.outbox.push_urgent(lane, OutboxItem::Srefresh(id));
        }
    }

    /// A summary refresh goes the way that its members went.
    fn lane_of_group(&self, id: RefreshGroupId) -> Option<Lane> {
        let group = self.state.refresh_groups.get(id)?;
        if !group.key.to_session {
            return Some(Lane { interface: Some(group.key.interface), peer: group.key.destination });
        }
        match group.plain.last().or_else(|| group.multicast.last())? {
            OutboxItem::Path(ad) => Some(self.path_lane(self.state.path_ads.get(ad)?)),
            _ => None,
        }
    }

    /// Appends an Srefresh message with as many members of a group as fit into `room` octets.
    pub(crate) fn build_srefresh(
        &mut self,
        lane: Lane,
        id: RefreshGroupId,
        room: usize,
        buf: &mut Vec<u8>,
    ) -> Option<Parcel> {
        let group = self.state.refresh_groups.get_mut(id)?;
        group.queued = false;
        let key = group.key;
        if self.manner(&key) != Manner::Summary {
            self.hurry_group(id, Duration::ZERO);
            return None;
        }
        let start = buf.len();
        buf.resize(start + Bundle::HEADER_LEN, 0);
        let acks = self.ready_acks(lane).filter(|_| !key.to_session);
        if let Some(acks) = acks {
            // Half of the room is for what was asked for.
            self.append_acks(acks, room / 2, buf);
        }
        self.append_probe(id, buf);
        let left = room.saturating_sub(buf.len() - start);
        let count = self.append_members(id, left, buf);
        let is_through = self.state.refresh_groups.get(id).is_none_or(RefreshGroup::is_through);
        if is_through {
            self.rest(id);
        } else if let Some(group) = self.state.refresh_groups.get_mut(id) {
            group.budget = group.budget.saturating_sub(1);
            if group.budget > 0 {
                self.queue_srefresh(id);
            }
        }
        if count == 0 {
            buf.truncate(start);
            return None;
        }
        let peer = if key.destination.is_multicast() {
            Peer::All(key.interface, key.destination)
        } else {
            Peer::One(key.interface, lane.peer)
        };
        let transmit = self.srefresh_transmit(id, lane, &key);
        let header = self.header(transmit.ttl, Some(peer));
        if seal(MessageType::SREFRESH, header, &mut buf[start..]).is_err() {
            buf.truncate(start);
            return None;
        }
        let sent = u64::try_from(count).unwrap_or(0);
        self.count(self.neighbor_of(lane), |counters| counters.summary_refreshed += sent);
        Some(Parcel { transmit, kind: MessageType::SREFRESH, may_be_bundled: false })
    }

    /// A neighbour that has been silent is asked for an acknowledgement, to see whether it is there.
    fn append_probe(&mut self, id: RefreshGroupId, buf: &mut Vec<u8>) {
        let Some(group) = self.state.refresh_groups.get_mut(id) else { return };
        if !core::mem::take(&mut group.is_probing) {
            return;
        }
        if let Some(old) = group.probe.take() {
            self.message_ids.retire(old);
        }
        let probe = self.message_ids.assign(OutboxItem::Srefresh(id));
        group.probe = Some(probe);
        let probe = MessageId { epoch: self.message_ids.epoch, id: probe };
        buf.extend_from_slice(&FlaggedId::wanting_ack(probe).to_object());
    }

    fn srefresh_transmit(&self, id: RefreshGroupId, lane: Lane, key: &GroupKey) -> Transmit {
        let to_neighbor = Transmit {
            interface: Some(key.interface),
            next_hop: None,
            source: key.source,
            destination: key.destination,
            ttl: HOP_TTL,
            router_alert: false,
            encapsulation: Encapsulation::Raw,
            traffic_class: NETWORK_CONTROL,
        };
        if !key.to_session {
            return to_neighbor;
        }
        let first =
            self.state.refresh_groups.get(id).and_then(|g| g.plain.last().or_else(|| g.multicast.last()));
        let ttl = match first {
            Some(OutboxItem::Path(ad)) => self.state.psbs[self.state.path_ads[ad].psb].ttl,
            _ => HOP_TTL,
        };
        let next_hop = Some(lane.peer).filter(|peer| *peer != key.destination && !peer.is_unspecified());
        Transmit { next_hop, ttl, router_alert: true, ..to_neighbor }
    }

    /// Appends the lists, and tells how many members are in them. Those whose turn it is to be refreshed by a whole message
    /// are not (RFC 2961 section 5.5).
    fn append_members(&mut self, id: RefreshGroupId, room: usize, buf: &mut Vec<u8>) -> usize {
        let end = buf.len() + room;
        let Some(group) = self.state.refresh_groups.get(id) else { return 0 };
        let key = group.key;
        let full = self.reduction(key.interface, key.destination).full_refresh;
        let mut whole = Vec::new();
        let plain = self.append_list(id, ctype::MESSAGE_ID_LIST, end, full, &mut whole, buf);
        let form = match (key.to_session, key.destination.is_ipv4()) {
            (true, true) => ctype::SRC_LIST_IPV4,
            (true, false) => ctype::SRC_LIST_IPV6,
            (false, true) => ctype::MCAST_LIST_IPV4,
            (false, false) => ctype::MCAST_LIST_IPV6,
        };
        let multicast = self.append_list(id, form, end, full, &mut whole, buf);
        for item in whole {
            self.queue_whole(item);
        }
        plain + multicast
    }

    fn append_list(
        &mut self,
        id: RefreshGroupId,
        form: u8,
        end: usize,
        full: u32,
        whole: &mut Vec<OutboxItem>,
        buf: &mut Vec<u8>,
    ) -> usize {
        let is_plain = form == ctype::MESSAGE_ID_LIST;
        let Some(group) = self.state.refresh_groups.get_mut(id) else { return 0 };
        let (key, round) = (group.key, group.round);
        let address = if key.source.is_ipv4() { 4 } else { 16 };
        let entry = match form {
            ctype::MESSAGE_ID_LIST => 4,
            ctype::SRC_LIST_IPV4 | ctype::SRC_LIST_IPV6 => 4 + address,
            _ => 4 + 2 * address,
        };
        let list = ListWriter::begin(form, self.message_ids.epoch, buf);
        let mut count = 0;
        let members = if is_plain { &mut group.plain } else { &mut group.multicast };
        while let Some((message_id, item)) = members.peek() {
            if full != 0 && message_id % full == round % full {
                whole.push(item);
                members.step();
                continue;
            }
            if buf.len() + entry > end {
                break;
            }
            let mut addresses = [key.destination; 2];
            if !is_plain && let OutboxItem::Path(ad) = item {
                let psb = &self.state.psbs[self.state.path_ads[ad].psb];
                addresses = [psb.sender.source(), psb.route.destination];
            }
            let named = match (is_plain, key.to_session) {
                (true, _) => 0,
                (false, true) => 1,
                (false, false) => 2,
            };
            ListWriter::add(message_id, &addresses[..named], buf);
            members.step();
            count += 1;
        }
        list.end(buf);
        count
    }
}
