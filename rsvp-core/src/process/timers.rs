//! What happens when a deadline is reached.

use alloc::vec::Vec;

use super::SLICE;
use super::merge::Content;
use crate::event::Cause;
use crate::node::Node;
use crate::state::{PathAdId, PsbId, ResvAdId, RsbId, TimerKey};
use crate::wire::{FilterSpec, Style};

impl Node {
    /// Works off a slice of the deadlines that have been reached.
    pub(crate) fn run_timers(&mut self) {
        for _ in 0..SLICE {
            let Some((_, key)) = self.timers.pop(self.now) else { return };
            match key {
                TimerKey::Psb(id) => self.on_psb_deadline(id),
                TimerKey::Rsb(id) => self.on_rsb_deadline(id),
                TimerKey::PathAd(id) => self.on_path_refresh(id),
                TimerKey::ResvAd(id) => self.on_resv_refresh(id),
                TimerKey::Bsb(id) => self.on_blockade_end(id),
                TimerKey::Tcsb(id) => self.on_retry(id),
                TimerKey::Repair(id) => self.on_repair(id),
                TimerKey::Retransmit(id) => self.on_retransmit(id),
                TimerKey::Acks(id) => self.on_acks_due(id),
                TimerKey::RefreshGroup(id) => self.on_refresh_group(id),
                TimerKey::Lane(id) => self.outbox.release(id),
            }
        }
    }

    fn on_psb_deadline(&mut self, id: PsbId) {
        let now = self.now;
        let Some(psb) = self.state.psbs.get_mut(id) else { return };
        psb.timer = None;
        match psb.expires {
            Some(expires) if expires > now => {
                self.counters.early_wakeups += 1;
                psb.timer = Some(self.timers.insert(expires, TimerKey::Psb(id)));
            }
            _ => {
                self.counters.path_timeouts += 1;
                self.remove_psb(id, &Cause::Expired);
            }
        }
    }

    fn on_rsb_deadline(&mut self, id: RsbId) {
        let now = self.now;
        let Some(rsb) = self.state.rsbs.get_mut(id) else { return };
        rsb.timer = None;
        let is_over = |expires: Option<crate::Instant>| expires.is_some_and(|expires| expires <= now);
        if is_over(rsb.expires) {
            let session = rsb.session;
            self.counters.resv_timeouts += 1;
            self.remove_rsb(id, &Cause::Expired);
            self.state.drop_if_empty(session);
            return;
        }
        // SE: each filter has its own lifetime (RFC 2209 section 2).
        let filters = &rsb.contents.filters;
        let over: Vec<FilterSpec> = filters
            .iter()
            .filter(|f| rsb.style == Style::Se && is_over(f.expires))
            .map(|f| f.filter)
            .collect();
        let next = filters
            .iter()
            .filter(|f| rsb.style == Style::Se && !is_over(f.expires))
            .filter_map(|f| f.expires)
            .min()
            .or(rsb.expires);
        if let Some(next) = next {
            rsb.timer = Some(self.timers.insert(next, TimerKey::Rsb(id)));
        }
        if over.is_empty() {
            self.counters.early_wakeups += 1;
        } else {
            self.counters.resv_timeouts += 1;
            self.remove_filters(id, &over, &Cause::Expired);
        }
    }

    fn on_path_refresh(&mut self, id: PathAdId) {
        let Some(ad) = self.state.path_ads.get_mut(id) else { return };
        ad.timer = None;
        let interface = ad.interface;
        if self.is_up(interface) {
            self.queue_path(id);
        } else {
            let due = self.now + self.refresh_period(interface);
            self.state.path_ads[id].timer = Some(self.timers.insert(due, TimerKey::PathAd(id)));
        }
    }

    fn on_resv_refresh(&mut self, id: ResvAdId) {
        let Some(ad) = self.state.resv_ads.get_mut(id) else { return };
        ad.timer = None;
        let ad = &self.state.resv_ads[id];
        let interface = ad.interface;
        let content = self.resv_content(ad, true);
        if matches!(content, Content::Nothing) {
            self.end_resv_ad(id);
        } else if matches!(content, Content::Unrouted) || !self.is_up(interface) {
            let due = self.now + self.refresh_period(interface);
            let ad = &mut self.state.resv_ads[id];
            ad.next_refresh = Some(due);
            ad.timer = Some(self.timers.insert(due, TimerKey::ResvAd(id)));
        } else {
            self.queue_resv(id);
        }
    }
}
