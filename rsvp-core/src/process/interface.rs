//! Logical interfaces come, change and go.

use alloc::vec::Vec;

use super::{Work, remove_from};
use crate::admission::Ledger;
use crate::config::InterfaceConfig;
use crate::event::{Cause, Change, Subject};
use crate::input::{InterfaceId, InterfaceInfo};
use crate::node::Node;
use crate::state::{Interface, SessionId};
use crate::time::Duration;

impl Node {
    /// The settings of an interface; the default ones for an interface that is gone.
    pub(crate) fn interface_config(&self, id: InterfaceId) -> &InterfaceConfig {
        match self.state.interfaces.get(&id) {
            Some(interface) => self.config.interface(&interface.info.name),
            None => &self.config.default_interface,
        }
    }

    /// R of an interface. TIME_VALUES counts in milliseconds, and zero would be no period.
    pub(crate) fn refresh_period(&self, id: InterfaceId) -> Duration {
        self.interface_config(id).refresh.max(Duration::from_millis(1))
    }

    /// Whether an interface carries packets.
    pub(crate) fn is_up(&self, id: InterfaceId) -> bool {
        self.state.interfaces.get(&id).is_some_and(|interface| interface.info.up)
    }

    /// State on an interface that goes down stays: it is soft, and the interface may come back in time. What changes
    /// are the routes, and those are inputs of their own.
    pub(crate) fn on_interface(&mut self, info: InterfaceInfo) {
        let id = info.id;
        let subject = Subject::Interface { interface: id, name: info.name.clone() };
        let addresses = info.addresses.clone();
        let change = match self.state.interfaces.get_mut(&id) {
            Some(known) if known.info == info => return,
            Some(known) => {
                known.info = info;
                Change::Modified
            }
            None => {
                self.state
                    .interfaces
                    .insert(id, Interface { info, ledger: Ledger::default(), has_heard_udp: false });
                Change::Created
            }
        };
        self.report(None, subject, change, Cause::Interface);
        self.rejoin(id, &addresses);
        self.begin_reannouncing(Some(id));
    }

    /// Begins to look through what is told on an interface, or on all: an address, MTU or setting in it has changed.
    pub(super) fn begin_reannouncing(&mut self, interface: Option<InterfaceId>) {
        let sessions = self.state.sessions.keys().collect();
        self.backlog.push_back(Work::Reannounce(interface, sessions));
    }

    /// Tells the neighbours of one session on an interface, or on all, what they do not know yet.
    pub(super) fn reannounce(&mut self, interface: Option<InterfaceId>, id: SessionId) {
        let Some(session) = self.state.sessions.get(id) else { return };
        let is_meant = |on: InterfaceId| interface.is_none_or(|interface| interface == on);
        let ads = session.psbs.iter().flat_map(|psb| &self.state.psbs[*psb].ads).copied();
        let ads: Vec<_> = ads.filter(|ad| is_meant(self.state.path_ads[*ad].interface)).collect();
        for ad in ads {
            if self.interface_config(self.state.path_ads[ad].interface).enabled {
                self.dirty_paths.push(ad);
            } else {
                self.withdraw_path(ad);
            }
        }
        let Some(session) = self.state.sessions.get(id) else { return };
        for ad in session.resv_ads.clone() {
            let block = &self.state.resv_ads[ad];
            let own = self.address_towards(block.interface, block.hop.address);
            if is_meant(block.interface)
                && block.told_from.is_some()
                && own.is_some()
                && own != block.told_from
            {
                self.queue_resv(ad);
            }
        }
    }

    pub(crate) fn on_interface_removed(&mut self, id: InterfaceId) {
        let Some(interface) = self.state.interfaces.remove(&id) else { return };
        self.state.neighbors.forget_other_end(id);
        let sessions = self.state.sessions.keys().collect();
        self.backlog.push_back(Work::InterfaceGone(id, sessions));
        let subject = Subject::Interface { interface: id, name: interface.info.name };
        self.report(None, subject, Change::Removed, Cause::Interface);
    }

    /// Removes what one session had on an interface that is gone.
    pub(super) fn on_interface_gone_for(&mut self, interface: InterfaceId, session: SessionId) {
        let Some(block) = self.state.sessions.get(session) else { return };
        for psb in block.psbs.clone() {
            let block = &self.state.psbs[psb];
            if block.previous_hop().is_some_and(|(_, incoming)| incoming == interface) {
                self.remove_psb(psb, &Cause::Interface);
                continue;
            }
            for ad in block.ads.clone() {
                if self.state.path_ads[ad].interface == interface {
                    self.remove_path_ad(ad);
                    remove_from(&mut self.state.psbs[psb].ads, &ad);
                }
            }
        }
        let Some(block) = self.state.sessions.get(session) else { return };
        for rsb in block.rsbs.clone() {
            if self.state.rsbs.get(rsb).is_some_and(|rsb| rsb.next_hop.interface() == Some(interface)) {
                self.remove_rsb(rsb, &Cause::Interface);
            }
        }
        self.state.drop_if_empty(session);
    }
}
