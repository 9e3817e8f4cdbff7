//! State that a neighbour was told of is refreshed together: by summary refresh, or by Bundles of refreshes
//! (RFC 2961 section 5).

use alloc::vec::Vec;
use core::net::IpAddr;

use rand_core::Rng;

use crate::config::{InterfaceConfig, NodeConfig, SummaryRefresh};
use crate::input::InterfaceId;
use crate::node::Node;
use crate::state::{GroupKey, Interface, OutboxItem, PathAdId, Peer, RefreshGroupId, Seat, TimerKey};
use crate::time::{Duration, Instant};

/// How many datagrams of summary refreshes leave at once, so that they do not overrun a neighbour's socket.
const BURST: u32 = 16;

/// After a neighbour has restarted, it is told within this time what it has lost,
const RECOVERY: Duration = Duration::from_secs(1);

/// and, if it keeps restarting, so often in a refresh period at most.
const RECOVERIES: u32 = 6;

/// How many whole messages are made at once.
const SLICE: usize = 256;

/// After how many refresh periods without a word a neighbour is presumed to run RSVP no more.
const SILENT_PERIODS: u32 = 3;

/// The pause after a burst.
const PAUSE: Duration = Duration::from_millis(20);

/// How the members of a group are refreshed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
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
            self.stand_up(item);
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
        matches!(item, OutboxItem::Path(id) if self.destination_of(id).is_multicast())
    }

    /// The group that an advertisement belongs to, as things stand now. One whose R is still growing towards that of the
    /// group (RFC 2205 section 3.7) has to say so each time, and belongs to none.
    fn wanted_group(&self, item: OutboxItem) -> Option<GroupKey> {
        match item {
            OutboxItem::Path(id) => self.wanted_group_of_path(id),
            OutboxItem::Resv(id) => {
                let ad = self.state.resv_ads.get(id)?;
                let key = GroupKey {
                    interface: ad.interface,
                    destination: ad.hop.address,
                    source: ad.told_from?,
                    to_session: false,
                };
                let is_apt = ad.period == self.refresh_period(ad.interface)
                    && self.admits(&key, ad.delivery.id.is_some());
                is_apt.then_some(key)
            }
            _ => None,
        }
    }

    fn wanted_group_of_path(&self, id: PathAdId) -> Option<GroupKey> {
        let ad = self.state.path_ads.get(id)?;
        if ad.period != self.refresh_period(ad.interface) || self.needs_udp(ad.interface) {
            return None;
        }
        let (interface, has_id) = (ad.interface, ad.delivery.id.is_some());
        let destination = self.destination_of(id);
        let source = self.address_towards(interface, destination)?;
        let of_session = GroupKey { interface, destination, source, to_session: true };
        let neighbor = match self.path_peer(id) {
            Peer::One(_, address) => address,
            Peer::All(..) => return Some(of_session).filter(|_| has_id && self.may_summarize_for_all(id)),
        };
        if has_id && !destination.is_multicast() && self.is_refreshed_by_session(interface, neighbor) {
            return Some(of_session);
        }
        let of_neighbor = GroupKey { destination: neighbor, to_session: false, ..of_session };
        Some(of_neighbor).filter(|key| self.admits(key, has_id))
    }

    /// Whether Path state of unicast sessions is summary-refreshed by messages to their destinations: where that is
    /// wanted, and where a next hop is only assumed to be capable, since it may not run RSVP at all (RFC 2961 section 5.6).
    fn is_refreshed_by_session(&self, interface: InterfaceId, neighbor: IpAddr) -> bool {
        let config = self.reduction(interface, neighbor);
        let is_capable = self.is_capable(interface, neighbor);
        let is_wanted = is_capable && config.summary_refresh == SummaryRefresh::Session;
        config.summarizes() && (is_wanted || !is_capable && config.assume_capable)
    }

    /// Whether the Path of a group is summary-refreshed on a link with several neighbours: if all are known, are capable,
    /// and have acknowledged it. Of others there may be some that have not said a word yet.
    fn may_summarize_for_all(&self, id: PathAdId) -> bool {
        let ad = &self.state.path_ads[id];
        let config = &self.interface_config(ad.interface).reduction;
        let destination = self.destination_of(id);
        let are_all_known = || {
            self.known_next_hops(id).is_some()
                && ad.delivery.is_acked
                && !ad.delivery.acked_by_incapable
                && self.are_all_capable(ad.interface, destination)
        };
        config.summarizes() && (config.assume_capable || are_all_known())
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

    pub(super) fn manner(&self, key: &GroupKey) -> Manner {
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

    /// How the members of a group are refreshed now. What goes to a session's destination is for the next hop there.
    pub(super) fn manner_of(&self, id: RefreshGroupId, key: &GroupKey) -> Manner {
        let is_assumed = self.reduction(key.interface, key.destination).assume_capable;
        if !key.to_session || key.destination.is_multicast() || is_assumed {
            return self.manner(key);
        }
        let next_hop = self.lane_of_group(id).and_then(|lane| self.neighbor_of(lane));
        match next_hop {
            Some((interface, address)) if self.is_capable(interface, address) => self.manner(key),
            _ => Manner::Alone,
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

    /// Something about a neighbour has changed: what it was told is looked at now, not only when it is due.
    pub(super) fn hurry(&mut self, interface: InterfaceId, address: IpAddr) {
        if let Some(id) = self.group_of_neighbor(interface, address) {
            self.hurry_group(id, self.now);
        }
    }

    /// A neighbour has restarted: it is soon told what it has lost.
    pub(super) fn recover(&mut self, interface: InterfaceId, address: IpAddr) {
        let Some(id) = self.group_of_neighbor(interface, address) else { return };
        let most = u64::try_from(RECOVERY.as_micros()).unwrap_or(u64::MAX);
        let due = self.now + Duration::from_micros(self.rng.next_u64() % most);
        let apart = self.refresh_period(interface) / RECOVERIES;
        let Some(group) = self.state.refresh_groups.get_mut(id) else { return };
        // One that is still to come serves this restart, too.
        if group.hurried.is_some_and(|hurried| hurried > self.now) {
            return;
        }
        let due = group.hurried.map_or(due, |hurried| due.max(hurried + apart));
        group.hurried = Some(due);
        self.hurry_group(id, due);
    }

    pub(super) fn hurry_group(&mut self, id: RefreshGroupId, due: Instant) {
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
                self.hurry_group(id, self.now);
            }
        }
    }

    /// The members of a group are due, or some of them are left.
    pub(crate) fn on_refresh_group(&mut self, id: RefreshGroupId) {
        let Some(group) = self.state.refresh_groups.get_mut(id) else { return };
        group.timer = None;
        let (key, is_ending) = (group.key, group.is_ending);
        let manner = if is_ending { Manner::Alone } else { self.manner_of(id, &key) };
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
    pub(super) fn rest(&mut self, id: RefreshGroupId) {
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

    pub(super) fn queue_whole(&mut self, item: OutboxItem) {
        match item {
            OutboxItem::Path(id) => self.queue_path(id),
            OutboxItem::Resv(id) => self.queue_resv(id),
            _ => {}
        }
    }

    /// Sends members of a group away, each to be refreshed for itself, or to find another group then.
    fn dissolve(&mut self, id: RefreshGroupId) {
        for _ in 0..SLICE {
            let Some(group) = self.state.refresh_groups.get(id) else { return };
            let Some(item) = group.last() else { return };
            self.stand_up(item);
        }
        self.wake_group(id, Duration::from_millis(1));
    }

    /// Takes an advertisement from those that are refreshed together, to be refreshed for itself: no later than they
    /// (RFC 2961 section 2).
    fn stand_up(&mut self, item: OutboxItem) {
        let group = self.delivery(item).and_then(|delivery| delivery.seat).map(|seat| seat.group);
        let Some(group) = group.and_then(|id| self.state.refresh_groups.get(id)) else { return };
        let left = (group.began + self.refresh_period(group.key.interface) * 3 / 2).since(self.now);
        self.leave_seat(item);
        let most = u64::try_from(left.as_micros()).unwrap_or(0);
        let wait = Duration::from_micros(self.rng.next_u64() % (most + 1));
        self.refresh_alone(item, wait);
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
}
