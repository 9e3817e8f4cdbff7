//! Routes (RFC 2205 section 3.11.4): ROUTE CHANGE NOTIFICATION and PATH LOCAL REPAIR (RFC 2209 section 2).

use alloc::vec::Vec;
use core::net::IpAddr;

use super::{Work, remove_from, touch};
use crate::event::{Cause, Change};
use crate::input::{InterfaceId, NextHop, Route};
use crate::node::Node;
use crate::output::RouteKey;
use crate::state::{OutboxItem, PathAdId, PsbId, TimerKey};
use crate::time::Duration;

impl Node {
    pub(crate) fn on_route(&mut self, key: RouteKey, route: Route) {
        self.decide_unmatched_ids(&key, &route);
        // No entry: the answer is late, the route is of no interest any more.
        let Some(entry) = self.state.routes.get_mut(&key) else { return };
        if entry.answer.as_ref() == Some(&route) {
            return;
        }
        entry.answer = Some(route);
        let users = entry.users().to_vec();
        self.backlog.push_back(Work::Route(key, users));
    }

    /// Applies a watched route to one PSB.
    pub(super) fn on_route_for(&mut self, key: &RouteKey, id: PsbId) {
        let Some(route) = self.state.routes.get(key).and_then(|entry| entry.answer.clone()) else { return };
        let Some(psb) = self.state.psbs.get_mut(id) else { return };
        let is_first = !core::mem::replace(&mut psb.routed, true);
        self.set_local(id, route.local);
        let psb = &self.state.psbs[id];
        let (session, sender) = (psb.session, psb.sender);
        self.deliveries_changed(session, &sender);
        let wanted = self.wanted_hops(id, &route);
        let mut changed = self.drop_ads_beside(id, &wanted);
        let mut fresh = Vec::new();
        for hop in &wanted {
            changed |= self.take_up_next_hop(id, hop, &mut fresh);
        }
        changed |= key.destination.is_multicast() && self.take_up_members(id, &route);
        if is_first {
            self.dirty_paths.extend(fresh);
            self.senders_changed(id);
        } else if changed {
            self.begin_repair(id, &wanted);
        }
    }

    /// The next hops that a PSB's Path goes to. None for path state that is of use to local receivers only
    /// (Local_Only, RFC 2205 section 3.9), and while the sender's other path state goes on.
    fn wanted_hops(&mut self, id: PsbId, route: &Route) -> Vec<NextHop> {
        let psb = &self.state.psbs[id];
        if let Some(interface) = self.bound_to(psb) {
            return alloc::vec![interface];
        }
        let incoming = psb.previous_hop().map(|(_, interface)| interface);
        let is_multicast = psb.route.destination.is_multicast();
        if incoming.is_some() && !self.config.router {
            return Vec::new();
        }
        if is_multicast
            && incoming.is_some()
            && let Some(expected) = route.incoming
        {
            self.make_way(id, expected);
            if incoming != Some(expected) {
                return Vec::new();
            }
        }
        if self.is_silent(id) {
            return Vec::new();
        }
        let outgoing = route.outgoing.iter().copied();
        if !is_multicast {
            return outgoing.collect();
        }
        // A group's Path goes once to each interface, whoever the next hops on it are.
        let mut hops: Vec<NextHop> = Vec::new();
        for hop in outgoing.filter(|hop| Some(hop.interface) != incoming) {
            if !hops.iter().any(|known| known.interface == hop.interface) {
                hops.push(NextHop { gateway: None, ..hop });
            }
        }
        hops
    }

    /// Drops advertisements on interfaces that the route no longer has. Nothing is torn there: the state behind them
    /// times out, or is found again by another way (RFC 2205 section 3.6).
    fn drop_ads_beside(&mut self, id: PsbId, wanted: &[NextHop]) -> bool {
        let mut dropped = false;
        for ad in self.state.psbs[id].ads.clone() {
            let interface = self.state.path_ads[ad].interface;
            if !wanted.iter().any(|hop| hop.interface == interface) {
                self.remove_path_ad(ad);
                remove_from(&mut self.state.psbs[id].ads, &ad);
                self.doubt_reservations(id, interface);
                dropped = true;
            }
        }
        dropped
    }

    /// What is reserved for a sender on an interface that it leaves by no more is refreshed only if another sender
    /// justifies it.
    fn doubt_reservations(&mut self, id: PsbId, interface: InterfaceId) {
        let psb = &self.state.psbs[id];
        for rsb in self.state.sessions[psb.session].rsbs.clone() {
            if self.state.rsbs[rsb].next_hop.interface() == Some(interface) {
                self.forget_rsb_fingerprint(rsb);
            }
        }
    }

    /// Makes sure that the PSB is advertised to this next hop; tells whether that is new.
    fn take_up_next_hop(&mut self, id: PsbId, hop: &NextHop, fresh: &mut Vec<PathAdId>) -> bool {
        let known = self.state.psbs[id]
            .ads
            .iter()
            .copied()
            .find(|ad| self.state.path_ads[*ad].interface == hop.interface);
        let Some(ad) = known else {
            fresh.push(self.add_path_ad(id, hop.interface, hop.gateway));
            return true;
        };
        let block = &mut self.state.path_ads[ad];
        if block.next_hop == hop.gateway {
            return false;
        }
        block.next_hop = hop.gateway;
        block.told = None;
        block.delivery.without_id = false;
        self.disown(OutboxItem::Path(ad));
        self.keep_in_mind(ad);
        true
    }

    /// Notes the next hops of a group on each interface; tells whether there is one who was not told yet, or they are
    /// not known any more: then all are to hear the Path itself again.
    fn take_up_members(&mut self, id: PsbId, route: &Route) -> bool {
        let mut changed = false;
        for ad in self.state.psbs[id].ads.clone() {
            let block = &mut self.state.path_ads[ad];
            let here = route.outgoing.iter().filter(|hop| hop.interface == block.interface);
            let members: Vec<IpAddr> = here.filter_map(|hop| hop.gateway).collect();
            let former = core::mem::replace(&mut block.next_hops, members);
            let members = &block.next_hops;
            let is_other = members.iter().any(|member| !former.contains(member))
                || members.is_empty() && !former.is_empty();
            if is_other && block.told.is_some() {
                block.told = None;
                self.disown(OutboxItem::Path(ad));
                changed = true;
            }
        }
        changed
    }

    /// Waits W before it sends Path along the new route, so that routing can settle; where many senders move at once,
    /// they go one after the other.
    fn begin_repair(&mut self, id: PsbId, wanted: &[NextHop]) {
        let delay = wanted.iter().map(|hop| self.interface_config(hop.interface).repair_delay).max();
        let psb = &mut self.state.psbs[id];
        touch(&mut psb.history, self.now, Cause::RouteChange);
        let (subject, session) = (super::path::path_subject(psb), psb.session);
        if psb.repair.is_none()
            && let Some(delay) = delay
        {
            let at = self.state.next_repair.max(self.now + delay);
            self.state.next_repair =
                at + Duration::from_secs(1) / self.config.limits.repairs_per_second.max(1);
            psb.repair = Some(self.timers.insert(at, TimerKey::Repair(id)));
        }
        self.report(Some(self.state.sessions[session].key), subject, Change::Modified, Cause::RouteChange);
    }

    /// W is over: whoever was not told yet is told now.
    pub(super) fn on_repair(&mut self, id: PsbId) {
        let Some(psb) = self.state.psbs.get_mut(id) else { return };
        psb.repair = None;
        let ads = psb.ads.clone();
        self.dirty_paths.extend(ads);
        self.senders_changed(id);
    }
}
