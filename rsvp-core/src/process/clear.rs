//! The operator clears sessions, or the node stops.

use super::{Work, remove_from};
use crate::command::{CommandError, Reply};
use crate::event::Cause;
use crate::node::Node;
use crate::state::{NextHopId, OutboxItem, SessionId};
use crate::wire::SessionKey;

impl Node {
    /// Begins to clear one session, or all.
    pub(super) fn on_clear(&mut self, key: Option<SessionKey>) -> Result<Reply, CommandError> {
        // What was refused may be of a session that there is no state of.
        self.state.refusals.clear(key);
        let sessions = match key {
            Some(key) => {
                alloc::vec![self.state.session(&key).ok_or(CommandError::UnknownSession(key))?]
            }
            None => self.state.sessions.keys().collect(),
        };
        let count = sessions.len();
        self.backlog.push_back(Work::Clear(sessions, Cause::Cleared));
        Ok(Reply::Cleared(count))
    }

    /// Begins to tear everything down. Local applications are gone with the node.
    pub(super) fn on_shutdown(&mut self) {
        if core::mem::replace(&mut self.stopping, true) {
            return;
        }
        let sessions = self.state.sessions.keys().collect();
        self.backlog.push_back(Work::Clear(sessions, Cause::Shutdown));
    }

    /// Removes a session's protocol state, with tears. On a clear, what is local is announced again; when the node
    /// stops, it goes too.
    pub(super) fn clear_session(&mut self, id: SessionId, cause: &Cause) {
        let Some(session) = self.state.sessions.get(id) else { return };
        let is_stop = *cause == Cause::Shutdown;
        let (ads, bsbs) = (session.resv_ads.clone(), session.bsbs.clone());
        if is_stop {
            for api in core::mem::take(&mut self.state.sessions[id].apis) {
                self.leave_group(api);
                self.state.apis.remove(&api);
            }
        }
        for bsb in bsbs {
            if let Some(timer) = self.state.bsbs.remove(bsb).and_then(|bsb| bsb.timer) {
                self.timers.cancel(timer);
            }
            remove_from(&mut self.state.sessions[id].bsbs, &bsb);
        }
        for ad in ads {
            self.end_resv_ad(ad);
        }
        self.clear_reservations(id, is_stop, cause);
        self.clear_senders(id, is_stop, cause);
        self.state.drop_if_empty(id);
    }

    fn clear_reservations(&mut self, id: SessionId, is_stop: bool, cause: &Cause) {
        let Some(session) = self.state.sessions.get(id) else { return };
        for rsb in session.rsbs.clone() {
            let is_local = matches!(self.state.rsbs[rsb].next_hop, NextHopId::Local(_));
            if is_stop || !is_local {
                self.remove_rsb(rsb, cause);
            }
        }
    }

    fn clear_senders(&mut self, id: SessionId, is_stop: bool, cause: &Cause) {
        let Some(session) = self.state.sessions.get(id) else { return };
        for psb in session.psbs.clone() {
            let is_local = self.state.psbs[psb].previous_hop().is_none();
            if is_stop || !is_local {
                self.remove_psb(psb, cause);
                continue;
            }
            self.tear_paths(psb);
            for ad in self.state.psbs[psb].ads.clone() {
                self.disown(OutboxItem::Path(ad));
                self.state.path_ads[ad].told = None;
                self.dirty_paths.push(ad);
            }
        }
    }
}
