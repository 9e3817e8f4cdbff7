//! PATH MESSAGE ARRIVES (RFC 2209 section 2).

use alloc::vec::Vec;

use super::datagram::{Received, error_cause};
use super::{remove_from, touch};
use crate::counters::DropReason;
use crate::event::{Cause, Change, Subject, Upcall};
use crate::node::Node;
use crate::output::{Request, RouteKey};
use crate::state::{PathOrigin, PolicyData, Psb, PsbId, RefreshTarget, SessionId, TimerKey};
use crate::wire::{ErrorCode, ErrorSpec, FilterSpec, Path, RawObject, SenderTemplate, SessionKey};

impl Node {
    pub(super) fn on_path(&mut self, received: &Received<'_>, path: Path) -> Result<(), DropReason> {
        let key = path.session.key;
        if self.state.is_own(path.hop.address) || self.state.is_own(path.sender_template.source()) {
            return Err(DropReason::OwnMessage);
        }
        if received.udp {
            self.learn_udp(received.interface);
        }
        self.state.neighbors.speaks(received.interface, path.hop.address, received.udp);
        if path.sender_template.source().is_ipv4() != key.flow().destination.is_ipv4()
            || path.hop.address.is_ipv4() != key.flow().destination.is_ipv4()
        {
            return Err(DropReason::Inconsistent);
        }
        if key.flow().port == 0 && port_of(&path.sender_template) != 0 {
            return Err(DropReason::ConflictingPort);
        }
        if self.state.has_port_conflict(&key) {
            self.path_err(received, &path, ErrorCode::CONFLICTING_DEST_PORTS, 0);
            return Err(DropReason::ConflictingPort);
        }
        if let Some(session) = self.state.session(&key)
            && self.has_sender_conflict(session, &path.sender_template)
        {
            self.path_err(received, &path, ErrorCode::CONFLICTING_SENDER_PORTS, 0);
            return Err(DropReason::ConflictingPort);
        }
        if let Err(bad) = self.admission.check_sender(&path.sender_tspec, path.adspec.as_ref()) {
            self.path_err(received, &path, bad.code, bad.value);
            return Err(DropReason::Inconsistent);
        }
        let existing = self.state.session(&key).and_then(|session| {
            self.find_psb(session, &path.sender_template, |psb| {
                psb.previous_hop().is_some_and(|(_, interface)| interface == received.interface)
            })
        });
        if existing.is_some_and(|psb| self.is_late_for_psb(psb, path.hop.address, received.message_id)) {
            return Err(DropReason::OutOfOrder);
        }
        let policy = match self.judge_path(existing, received.interface, &path) {
            Ok(policy) => policy,
            Err((code, value)) => {
                self.path_err(received, &path, code, value);
                return Err(DropReason::RefusedByPolicy);
            }
        };
        let psb = match existing {
            Some(psb) => {
                self.update_psb(psb, received, path, policy);
                psb
            }
            None => self.create_psb(received, path, policy)?,
        };
        self.forget_refused_path(psb);
        self.arm_psb(psb, received);
        Ok(())
    }

    /// Whether another sender of the session has the same address, where one of the two ports is zero.
    pub(super) fn has_sender_conflict(&self, session: SessionId, sender: &SenderTemplate) -> bool {
        let port = port_of(sender);
        self.state.sessions[session].psbs.iter().any(|psb| {
            let other = &self.state.psbs[*psb].sender;
            let other_port = port_of(other);
            other.source() == sender.source() && other_port != port && (port == 0 || other_port == 0)
        })
    }

    /// Finds a sender's PSB.
    pub(super) fn find_psb(
        &self,
        session: SessionId,
        sender: &SenderTemplate,
        is_meant: impl Fn(&Psb) -> bool,
    ) -> Option<PsbId> {
        self.state.sessions[session].psbs.iter().copied().find(|psb| {
            let psb = &self.state.psbs[*psb];
            psb.sender == *sender && is_meant(psb)
        })
    }

    fn create_psb(
        &mut self,
        received: &Received<'_>,
        path: Path,
        policy: PolicyData,
    ) -> Result<PsbId, DropReason> {
        let key = path.session.key;
        if self.is_full(&key) {
            self.path_err(received, &path, ErrorCode::RSVP_SYSTEM_ERROR, 0);
            return Err(DropReason::LimitReached);
        }
        let session = self.state.session_or_new(key);
        let psb = Psb {
            session,
            sender: path.sender_template,
            tspec: path.sender_tspec,
            adspec: path.adspec,
            policy,
            denied: false,
            refused: None,
            forward: path.forward,
            origin: PathOrigin::Hop(path.hop, received.interface),
            ttl: received.ttl.saturating_sub(1),
            non_rsvp: received.non_rsvp,
            e_police: path.session.flags & crate::wire::Session::E_POLICE != 0,
            refresh_ms: path.refresh_ms,
            expires: None,
            timer: None,
            repair: None,
            route: route_key(&key, &path.sender_template),
            routed: false,
            local: false,
            ads: Vec::new(),
            message_id: None,
            fingerprint: None,
            summary: None,
            history: self.new_history(Cause::Path),
        };
        self.state.neighbors.add_sender(received.interface, path.hop.address);
        Ok(self.insert_psb(psb))
    }

    /// Whether a new sender of this session would exceed a limit.
    pub(super) fn is_full(&self, key: &SessionKey) -> bool {
        match self.state.session(key) {
            None => self.state.sessions.len() >= self.config.limits.sessions,
            Some(session) => {
                self.state.sessions[session].psbs.len() >= self.config.limits.senders_per_session
            }
        }
    }

    /// Links a new PSB, tells of it, and lets the reservations that wait for it know.
    pub(super) fn insert_psb(&mut self, psb: Psb) -> PsbId {
        let session = psb.session;
        let route = psb.route;
        let (subject, sender) = (path_subject(&psb), psb.sender);
        let cause = psb.history.cause.clone();
        let id = self.state.psbs.insert(psb);
        self.state.sessions[session].psbs.push(id);
        self.report(Some(self.state.sessions[session].key), subject, Change::Created, cause);
        self.tell_receivers(id);
        if !route.destination.is_multicast() {
            self.take_over(id);
        }
        self.watch_route(route, id);
        self.senders_changed(id);
        self.deliveries_changed(session, &sender);
        id
    }

    /// The PSB of a sender whose Path goes on. There may be others: of a multi-homed sender, of one that multicast
    /// brings by several ways, or of a unicast sender whose route has just changed (RFC 2205 sections 3.1.3, 3.9).
    pub(super) fn forwarder(&self, session: SessionId, sender: &SenderTemplate) -> Option<PsbId> {
        self.find_psb(session, sender, |psb| !psb.ads.is_empty())
    }

    /// Whether another PSB of the same sender goes on in this one's place.
    pub(super) fn is_silent(&self, id: PsbId) -> bool {
        let psb = &self.state.psbs[id];
        self.forwarder(psb.session, &psb.sender).is_some_and(|speaker| speaker != id)
    }

    /// From now on this PSB's Path goes on, in the place of the sender's other.
    pub(super) fn take_over(&mut self, id: PsbId) {
        let psb = &self.state.psbs[id];
        if let Some(other) = self.forwarder(psb.session, &psb.sender).filter(|other| *other != id) {
            self.hand_over(other, id);
        }
    }

    fn hand_over(&mut self, from: PsbId, to: PsbId) {
        let ads = core::mem::take(&mut self.state.psbs[from].ads);
        for ad in &ads {
            self.state.path_ads[*ad].psb = to;
        }
        self.dirty_paths.extend(&ads);
        self.state.psbs[to].ads.extend(ads);
        self.senders_changed(to);
    }

    fn update_psb(&mut self, id: PsbId, received: &Received<'_>, path: Path, policy: PolicyData) {
        let ttl = received.ttl.saturating_sub(1);
        let e_police = path.session.flags & crate::wire::Session::E_POLICE != 0;
        self.forget_psb_fingerprint(id);
        let psb = &mut self.state.psbs[id];
        let Some((old_hop, interface)) = psb.previous_hop() else { return };
        let hop_changed = old_hop != path.hop;
        let changed = hop_changed
            || psb.tspec != path.sender_tspec
            || psb.adspec != path.adspec
            || psb.policy != policy
            || psb.forward != path.forward
            || psb.ttl != ttl
            || psb.non_rsvp != received.non_rsvp
            || psb.e_police != e_police;
        psb.origin = PathOrigin::Hop(path.hop, interface);
        psb.tspec = path.sender_tspec;
        psb.adspec = path.adspec;
        psb.policy = policy;
        psb.forward = path.forward;
        psb.ttl = ttl;
        psb.non_rsvp = received.non_rsvp;
        psb.e_police = e_police;
        psb.refresh_ms = path.refresh_ms;
        if !changed {
            return;
        }
        touch(&mut psb.history, self.now, Cause::Path);
        let (session, subject) = (psb.session, path_subject(psb));
        if hop_changed {
            self.state.neighbors.remove_sender(interface, old_hop.address);
            self.state.neighbors.add_sender(interface, path.hop.address);
            self.forget_told(session, old_hop, interface);
            if !self.state.psbs[id].route.destination.is_multicast() {
                self.take_over(id);
            }
        }
        self.report(Some(self.state.sessions[session].key), subject, Change::Modified, Cause::Path);
        self.tell_receivers(id);
        let ads = self.state.psbs[id].ads.clone();
        self.dirty_paths.extend(ads);
        self.senders_changed(id);
    }

    /// Starts or restarts a PSB's lifetime and remembers the message that refreshes it.
    fn arm_psb(&mut self, id: PsbId, received: &Received<'_>) {
        self.refresh_psb(id);
        if let Some((hop, interface)) = self.state.psbs[id].previous_hop() {
            self.heard(received, (interface, hop.address));
        }
        self.state.psbs[id].fingerprint = Some(received.fingerprint);
        self.remember_refresh(received.fingerprint, RefreshTarget::Path(id));
        self.state.psbs[id].message_id = received.message_id;
        if let Some(message_id) = received.message_id
            && let Some((hop, interface)) = self.state.psbs[id].previous_hop()
        {
            let summary = self.remember_id((interface, hop.address), message_id, RefreshTarget::Path(id));
            self.state.psbs[id].summary = Some(summary);
        }
    }

    /// Extends a PSB's lifetime. A later deadline is taken up when the timer fires; an earlier one at once.
    pub(super) fn refresh_psb(&mut self, id: PsbId) {
        let Some(psb) = self.state.psbs.get(id) else { return };
        let Some((_, interface)) = psb.previous_hop() else { return };
        let expires = self.expiry(psb.refresh_ms, interface);
        let psb = &mut self.state.psbs[id];
        psb.history.refreshed = self.now;
        psb.expires = Some(expires);
        self.timers.advance(&mut psb.timer, expires, TimerKey::Psb(id));
    }

    /// A sender is new or changed: what is reserved for it may have to change.
    pub(super) fn senders_changed(&mut self, id: PsbId) {
        let session = self.state.psbs[id].session;
        if self.state.sessions[session].rsbs.is_empty() {
            return;
        }
        self.review_wildcards(id);
        self.fit_requests(session);
        let psb = &self.state.psbs[id];
        let interfaces: Vec<_> = psb.ads.iter().map(|ad| self.state.path_ads[*ad].interface).collect();
        let sender = psb.sender;
        for interface in interfaces {
            self.update_traffic_control_for(session, interface, &sender, &Cause::Path);
        }
        self.mark_upstream_of(id);
    }

    /// PATH_EVENT upcalls to every application of the session but the sender's own (RFC 2205 section 3.1.3).
    pub(super) fn tell_receivers(&mut self, id: PsbId) {
        let psb = &self.state.psbs[id];
        if !psb.reaches_here() {
            return;
        }
        let session = &self.state.sessions[psb.session];
        let upcall = path_upcall(psb);
        let key = session.key;
        let own = psb.origin;
        for api in session.apis.clone().into_iter().filter(|api| own != PathOrigin::Local(*api)) {
            self.upcall(api, key, upcall.clone());
        }
    }

    /// Tells every application of the session but the sender's own that its path state is gone.
    pub(super) fn tell_path_gone(
        &mut self,
        session: SessionId,
        sender: &SenderTemplate,
        origin: PathOrigin,
        cause: &Cause,
    ) {
        let session = &self.state.sessions[session];
        let key = session.key;
        for api in session.apis.clone().into_iter().filter(|api| origin != PathOrigin::Local(*api)) {
            self.upcall(api, key, Upcall::PathGone { sender: *sender, cause: cause.clone() });
        }
    }

    /// Removes a PSB and the reservations that only it carried (RFC 2209, PTEAR). The Path is torn downstream
    /// unless the cause makes that pointless.
    pub(super) fn remove_psb(&mut self, id: PsbId, cause: &Cause) {
        let heir = self.heir(id);
        match heir {
            Some(heir) if !self.state.psbs[id].ads.is_empty() => self.hand_over(id, heir),
            Some(_) => {}
            None => self.tear_paths(id),
        }
        self.forget_psb_fingerprint(id);
        let Some(psb) = self.state.psbs.remove(id) else { return };
        for timer in psb.timer.into_iter().chain(psb.repair) {
            self.timers.cancel(timer);
        }
        let session = psb.session;
        let key = self.state.sessions[session].key;
        remove_from(&mut self.state.sessions[session].psbs, &id);
        self.unwatch_route(psb.route);
        if let Some((hop, interface)) = psb.previous_hop() {
            self.state.neighbors.remove_sender(interface, hop.address);
            self.forget_told_sender(session, &psb.sender, hop, interface);
        }
        if psb.reaches_here() && self.find_psb(session, &psb.sender, |_| true).is_none() {
            self.tell_path_gone(session, &psb.sender, psb.origin, cause);
        }
        self.report(Some(key), path_subject(&psb), Change::Removed, cause.clone());
        for ad in &psb.ads {
            self.remove_path_ad(*ad);
        }
        if let Some(heir) = heir {
            self.on_route_for(&psb.route, heir);
        }
        self.release_sender(session, &psb.sender, cause);
        self.fit_requests(session);
        self.deliveries_changed(session, &psb.sender);
        self.state.drop_if_empty(session);
    }

    /// The PSB that speaks for a sender when this one goes. Then no PathTear goes on (RFC 2205 section 3.1.5). Where
    /// multicast routing expects the data on one interface, there is none: path state of another must not go on.
    pub(super) fn heir(&self, id: PsbId) -> Option<PsbId> {
        let psb = self.state.psbs.get(id)?;
        if psb.route.destination.is_multicast() && self.expected_interface(psb).is_some() {
            return None;
        }
        let others = self.state.sessions[psb.session].psbs.iter().copied().filter(|other| *other != id);
        others.into_iter().find(|other| self.state.psbs[*other].sender == psb.sender)
    }

    /// Forgets which message was a mere refresh of this PSB.
    pub(super) fn forget_psb_fingerprint(&mut self, id: PsbId) {
        let Some(psb) = self.state.psbs.get_mut(id) else { return };
        for fingerprint in [psb.fingerprint.take(), psb.summary.take()].into_iter().flatten() {
            self.state.refreshes.remove(&fingerprint);
        }
    }

    fn watch_route(&mut self, key: RouteKey, psb: PsbId) {
        let is_watched = self.state.unmatched_ids.contains(&key);
        let entry = self.state.routes.entry(key).or_insert_with(|| {
            if !is_watched {
                self.requests.push(Request::WatchRoute(key));
            }
            crate::state::RouteEntry::default()
        });
        entry.add(psb);
        if entry.answer.is_some() {
            self.on_route_for(&key, psb);
        }
    }

    fn unwatch_route(&mut self, key: RouteKey) {
        let Some(entry) = self.state.routes.get_mut(&key) else { return };
        let psbs = &self.state.psbs;
        if entry.remove(|psb| psbs.contains_key(psb)) {
            self.state.routes.remove(&key);
            if !self.state.unmatched_ids.contains(&key) {
                self.requests.push(Request::UnwatchRoute(key));
            }
        }
    }

    /// PathErr for local senders is an upcall; for others it goes to the previous hop.
    pub(super) fn deliver_path_error(&mut self, id: PsbId, error: ErrorSpec, policy: Vec<RawObject>) {
        let psb = &mut self.state.psbs[id];
        if let PathOrigin::Local(api) = psb.origin {
            let cause = error_cause(error.code, error.value);
            let is_news = psb.refused.replace(cause.clone()).as_ref() != Some(&cause);
            let (sender, subject) = (psb.sender, path_subject(psb));
            let key = self.state.sessions[psb.session].key;
            if is_news {
                self.report(Some(key), subject, Change::Refused, cause);
            }
            self.upcall(api, key, Upcall::PathError { error, sender, policy });
        }
    }
}

/// PATH_EVENT: what applications are told of a sender.
pub(super) fn path_upcall(psb: &Psb) -> Upcall {
    Upcall::Path {
        sender: psb.sender,
        tspec: psb.tspec.clone(),
        adspec: psb.adspec.clone(),
        policy: psb.policy.onward().to_vec(),
    }
}

/// How an event names a PSB.
pub(super) fn path_subject(psb: &Psb) -> Subject {
    let previous = psb.previous_hop();
    Subject::Path {
        sender: psb.sender,
        previous_hop: previous.map(|(hop, _)| hop.address),
        interface: previous.map(|(_, interface)| interface),
    }
}

/// The source port of a sender, 0 if its protocol has none. A flow label or SPI is no port.
pub(super) fn port_of(sender: &FilterSpec) -> u16 {
    match sender {
        FilterSpec::Ip { port, .. } => *port,
        _ => 0,
    }
}

/// The route that a sender's data takes: by destination, for multicast also by source.
pub(super) fn route_key(session: &SessionKey, sender: &SenderTemplate) -> RouteKey {
    let destination = session.flow().destination;
    let source = destination.is_multicast().then(|| sender.source());
    RouteKey { table: 0, destination, source }
}
