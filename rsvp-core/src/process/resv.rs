//! RESV MESSAGE ARRIVES (RFC 2209 section 2).

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::datagram::Received;
use super::path::port_of;
use super::{remove_from, touch};
use crate::counters::DropReason;
use crate::event::{Cause, Change, Subject};
use crate::input::InterfaceId;
use crate::node::Node;
use crate::state::{
    Confirm, NextHopId, Pending, PolicyData, RefreshTarget, Rsb, RsbContents, RsbFilter, RsbId, SessionId,
    TimerKey,
};
use crate::time::Instant;
use crate::wire::{
    ErrorCode, ErrorSpec, FilterSpec, FlowDescriptor, Flowspec, MessageId, Resv, ResvErr, RsvpHop, Style,
    is_unicast,
};

/// A refusal: error code and value.
pub(super) type Refusal = (ErrorCode, u16);

/// One flow descriptor of a Resv, with what the message says of all of them.
pub(super) struct Request<'a> {
    pub(super) session: SessionId,
    next_hop: NextHopId,
    pub(super) interface: InterfaceId,
    pub(super) resv: &'a Resv,
    /// The receiver to confirm to.
    confirm: Option<IpAddr>,
    pub(super) flowspec: Flowspec,
    pub(super) filters: Vec<FilterSpec>,
    /// What policy control made of its POLICY_DATA.
    policy: PolicyData,
    expires: Instant,
}

impl Node {
    pub(super) fn on_resv(&mut self, received: &Received<'_>, resv: &Resv) -> Result<(), DropReason> {
        let interface = self.outgoing_interface(received, &resv.hop)?;
        let next_hop = NextHopId::Hop(resv.hop.address, interface);
        if self.state.is_own(resv.hop.address) {
            return Err(DropReason::OwnMessage);
        }
        self.state.neighbors.speaks(interface, resv.hop.address, received.udp);
        let key = resv.session.key;
        if resv.hop.address.is_ipv4() != key.destination().is_ipv4() {
            return Err(DropReason::Inconsistent);
        }
        let filters = || resv.flows.iter().flat_map(|flow| &flow.filters);
        if key.flow().port == 0 && filters().any(|filter| port_of(filter) != 0) {
            return Err(DropReason::ConflictingPort);
        }
        let session = self.state.session(&key).filter(|id| !self.state.sessions[*id].psbs.is_empty());
        let Some(session) = session else {
            if self.state.has_port_conflict(&key) {
                self.refuse_resv(next_hop, resv, (ErrorCode::CONFLICTING_DEST_PORTS, 0));
                return Err(DropReason::ConflictingPort);
            }
            self.refuse_resv(next_hop, resv, (ErrorCode::NO_PATH_INFORMATION, 0));
            return Err(DropReason::NoState);
        };
        if let Some(style) = self.style_of(session).filter(|style| *style != resv.style) {
            // The error value tells the style that is there (RFC 2205 Appendix B).
            let value = u16::try_from(style.option_vector()).unwrap_or(0);
            self.refuse_resv(next_hop, resv, (ErrorCode::CONFLICTING_RESERVATION_STYLE, value));
            return Err(DropReason::Inconsistent);
        }
        if self.is_late_for_rsbs(session, &next_hop, resv.style, &resv.flows, received.message_id) {
            return Err(DropReason::OutOfOrder);
        }
        let expires = self.expiry(resv.refresh_ms, interface);
        let confirm =
            resv.confirm.filter(|to| is_unicast(*to) && to.is_ipv4() == key.destination().is_ipv4());
        let mut named = Vec::new();
        let mut is_clean = true;
        for flow in &resv.flows {
            let Some(flowspec) = flow.flowspec.clone() else { return Err(DropReason::MissingObject) };
            let mut filters = flow.filters.clone();
            filters.sort_unstable();
            filters.dedup();
            let policy = PolicyData::default();
            let request =
                Request { session, next_hop, interface, resv, confirm, flowspec, filters, policy, expires };
            match self.reserve_flow(request) {
                Ok(rsb) => named.push(rsb),
                Err(refusal) => {
                    is_clean = false;
                    self.refuse_flow(next_hop, resv, flow, refusal);
                }
            }
        }
        self.heard(received, (interface, resv.hop.address));
        for rsb in &named {
            self.state.rsbs[*rsb].message_id = received.message_id;
        }
        if is_clean {
            self.remember_resv(received, resv, named);
        }
        Ok(())
    }

    /// Whether a message is older than the latest about one of the reservations that it names (RFC 2961 section 4.5).
    pub(super) fn is_late_for_rsbs(
        &self,
        session: SessionId,
        next_hop: &NextHopId,
        style: Style,
        flows: &[FlowDescriptor],
        id: Option<MessageId>,
    ) -> bool {
        let Some(generator) = next_hop.interface().zip(next_hop.address()) else { return false };
        id.is_some()
            && flows.iter().any(|flow| {
                let distinct = if style == Style::Ff { flow.filters.first() } else { None };
                let rsb = self.find_rsb(session, next_hop, distinct);
                rsb.is_some_and(|rsb| self.is_late(generator, id, self.state.rsbs[rsb].message_id))
            })
    }

    /// The outgoing interface that a Resv is for: the LIH tells. One that is not known (from before a restart, or of a
    /// neighbour that does not echo it) falls back to the interface with the destination address.
    pub(crate) fn outgoing_interface(
        &self,
        received: &Received<'_>,
        hop: &RsvpHop,
    ) -> Result<InterfaceId, DropReason> {
        let by_lih = InterfaceId(hop.lih);
        let interface = if self.state.interfaces.contains_key(&by_lih) {
            by_lih
        } else {
            self.state.interface_with(received.datagram.destination).ok_or(DropReason::UnknownInterface)?
        };
        if self.interface_config(interface).enabled {
            Ok(interface)
        } else {
            Err(DropReason::InterfaceDisabled)
        }
    }

    /// The style of a session's reservations.
    pub(crate) fn style_of(&self, session: SessionId) -> Option<Style> {
        self.state.sessions[session].rsbs.first().map(|rsb| self.state.rsbs[*rsb].style)
    }

    /// Makes or changes the reservation of one flow descriptor.
    fn reserve_flow(&mut self, mut request: Request<'_>) -> Result<RsbId, Refusal> {
        self.admission.check_flowspec(&request.flowspec).map_err(|bad| (bad.code, bad.value))?;
        let is_explicit = request.resv.style != Style::Wf;
        request.filters.retain(|filter| self.routes_to(request.session, Some(filter), request.interface));
        if is_explicit && request.filters.is_empty()
            || !is_explicit && !self.routes_to(request.session, None, request.interface)
        {
            return Err((ErrorCode::NO_SENDER_INFORMATION, 0));
        }
        let distinct = (request.resv.style == Style::Ff).then(|| request.filters[0]);
        let existing = self.find_rsb(request.session, &request.next_hop, distinct.as_ref());
        match self.judge_resv(existing, &request) {
            Ok(policy) => request.policy = policy,
            Err(refusal) => {
                if let Some(rsb) = existing {
                    self.keep_refused(rsb, &request.filters, refusal);
                }
                return Err(refusal);
            }
        }
        let rsb = match existing {
            Some(rsb) => self.change_rsb(rsb, &request, distinct)?,
            None => self.create_rsb(&request, distinct)?,
        };
        if let Some(receiver) = request.confirm {
            self.note_confirm(rsb, receiver, request.interface, distinct.as_ref());
        }
        Ok(rsb)
    }

    /// Whether a sender's (or any sender's) data leaves by this interface.
    pub(super) fn routes_to(
        &self,
        session: SessionId,
        sender: Option<&FilterSpec>,
        interface: InterfaceId,
    ) -> bool {
        self.state.sessions[session].psbs.iter().any(|psb| {
            let psb = &self.state.psbs[*psb];
            sender.is_none_or(|sender| psb.sender == *sender)
                && psb.ads.iter().any(|ad| self.state.path_ads[*ad].interface == interface)
        })
    }

    /// Finds the RSB of a next hop; for FF, that of one sender.
    pub(super) fn find_rsb(
        &self,
        session: SessionId,
        next_hop: &NextHopId,
        distinct: Option<&FilterSpec>,
    ) -> Option<RsbId> {
        self.state.sessions[session].rsbs.iter().copied().find(|rsb| {
            let rsb = &self.state.rsbs[*rsb];
            rsb.next_hop == *next_hop && distinct.is_none_or(|filter| rsb.matches(filter))
        })
    }

    fn create_rsb(&mut self, request: &Request<'_>, distinct: Option<FilterSpec>) -> Result<RsbId, Refusal> {
        let session = &self.state.sessions[request.session];
        if session.rsbs.len() >= self.config.limits.reservations_per_session {
            self.drop_message(DropReason::LimitReached);
            return Err((ErrorCode::RSVP_SYSTEM_ERROR, 0));
        }
        let filters: Vec<_> = request
            .filters
            .iter()
            .map(|filter| RsbFilter { filter: *filter, expires: Some(request.expires) })
            .collect();
        let rsb = Rsb {
            session: request.session,
            next_hop: request.next_hop,
            style: request.resv.style,
            contents: RsbContents {
                flowspec: request.flowspec.clone(),
                filters,
                scope: request.resv.scope.clone(),
            },
            pending: Pending::New,
            policy: request.policy.clone(),
            denied: false,
            forward: request.resv.forward.clone(),
            asked: None,
            receiver: None,
            confirm: None,
            is_confirmed: false,
            refresh_ms: request.resv.refresh_ms,
            expires: Some(request.expires),
            timer: None,
            refused: None,
            message_id: None,
            fingerprint: None,
            summary: None,
            history: self.new_history(Cause::Resv),
        };
        let id = self.insert_rsb(rsb);
        if let Err(refusal) =
            self.update_traffic_control(request.session, request.interface, distinct, &Cause::Resv)
        {
            self.remove_from_lists(id);
            return Err(refusal);
        }
        if !self.is_tried_again(&self.state.rsbs[id]) {
            self.report_rsb(id, Change::Created, Cause::Resv);
        }
        if !self.is_in_flight(request.session, request.interface, distinct.as_ref()) {
            self.state.rsbs[id].pending = Pending::Settled;
            self.forget_refusal(id);
        }
        self.state.rsbs[id].timer = Some(self.timers.insert(request.expires, TimerKey::Rsb(id)));
        Ok(id)
    }

    /// Links a new RSB.
    pub(super) fn insert_rsb(&mut self, rsb: Rsb) -> RsbId {
        let session = rsb.session;
        if let NextHopId::Hop(address, interface) = rsb.next_hop {
            self.state.neighbors.add_reservation(interface, address);
        }
        let id = self.state.rsbs.insert(rsb);
        self.state.sessions[session].rsbs.push(id);
        id
    }

    /// Tells of a change of an RSB.
    pub(super) fn report_rsb(&mut self, id: RsbId, change: Change, cause: Cause) {
        let rsb = &self.state.rsbs[id];
        let key = self.state.sessions[rsb.session].key;
        self.report(Some(key), rsb_subject(rsb), change, cause);
    }

    /// A change is refused. What its next hop reserved before stays in place, and alive: the next hop is there.
    fn keep_refused(&mut self, id: RsbId, filters: &[FilterSpec], refusal: Refusal) {
        self.forget_rsb_fingerprint(id);
        self.state.rsbs[id].refused = Some(refusal_cause(refusal));
        self.refresh_rsb(id, Some(filters));
    }

    fn change_rsb(
        &mut self,
        id: RsbId,
        request: &Request<'_>,
        distinct: Option<FilterSpec>,
    ) -> Result<RsbId, Refusal> {
        self.forget_rsb_fingerprint(id);
        let rsb = &mut self.state.rsbs[id];
        let before = rsb.contents.clone();
        let had = rsb.filters();
        for filter in &request.filters {
            match rsb.contents.filters.iter_mut().find(|f| f.filter == *filter) {
                Some(known) => known.expires = Some(request.expires),
                None => {
                    rsb.contents.filters.push(RsbFilter { filter: *filter, expires: Some(request.expires) });
                }
            }
        }
        sort_filters(&mut rsb.contents.filters);
        rsb.contents.flowspec = request.flowspec.clone();
        rsb.contents.scope = request.resv.scope.clone();
        let is_modified = rsb.filters() != had
            || rsb.contents.flowspec != before.flowspec
            || rsb.contents.scope != before.scope
            || rsb.policy != request.policy
            || rsb.forward != request.resv.forward;
        let policy = core::mem::replace(&mut rsb.policy, request.policy.clone());
        let forward = core::mem::replace(&mut rsb.forward, request.resv.forward.clone());
        rsb.refresh_ms = request.resv.refresh_ms;
        if !is_modified {
            self.refresh_rsb(id, Some(&request.filters));
            return Ok(id);
        }
        if let Err(refusal) =
            self.update_traffic_control(request.session, request.interface, distinct, &Cause::Resv)
        {
            let rsb = &mut self.state.rsbs[id];
            (rsb.contents, rsb.policy, rsb.forward) = (before, policy, forward);
            self.keep_refused(id, &request.filters, refusal);
            return Err(refusal);
        }
        let is_in_flight = self.is_in_flight(request.session, request.interface, distinct.as_ref());
        let rsb = &mut self.state.rsbs[id];
        if is_in_flight && rsb.pending == Pending::Settled {
            rsb.pending = Pending::Changed(Box::new(before));
        }
        rsb.refused = None;
        touch(&mut rsb.history, self.now, Cause::Resv);
        if !is_in_flight {
            self.forget_refusal(id);
        }
        self.report_rsb(id, Change::Modified, Cause::Resv);
        self.refresh_rsb(id, Some(&request.filters));
        self.mark_upstream(request.session, distinct.as_ref());
        Ok(id)
    }

    /// Extends an RSB's lifetime: for SE only of these filters, or of all.
    pub(super) fn refresh_rsb(&mut self, id: RsbId, filters: Option<&[FilterSpec]>) {
        let Some(rsb) = self.state.rsbs.get(id) else { return };
        let Some(interface) = rsb.next_hop.interface() else { return };
        let expires = self.expiry(rsb.refresh_ms, interface);
        let rsb = &mut self.state.rsbs[id];
        rsb.history.refreshed = self.now;
        rsb.expires = Some(expires);
        for filter in &mut rsb.contents.filters {
            if filters.is_none_or(|named| named.contains(&filter.filter)) {
                filter.expires = Some(expires);
            }
        }
        self.timers.advance(&mut rsb.timer, expires, TimerKey::Rsb(id));
    }

    /// The receiver wants to know when the reservation stands.
    fn note_confirm(
        &mut self,
        id: RsbId,
        receiver: IpAddr,
        interface: InterfaceId,
        distinct: Option<&FilterSpec>,
    ) {
        let session = self.state.rsbs[id].session;
        let Some(tcsb) = self.find_tcsb(session, interface, distinct) else { return };
        let confirms = &mut self.state.tcsbs[tcsb].confirms;
        confirms.retain(|confirm| confirm.rsb != id);
        confirms.push(Confirm { rsb: id, receiver });
        self.pass_confirms(tcsb);
    }

    /// From now on, this very Resv is a mere refresh, and its identifier refreshes in its place, provided that it names
    /// all that its RSBs hold and nothing else: a filter that matches no sender yet may match one the next time. One that
    /// asks for a confirmation wants to be answered, though.
    fn remember_resv(&mut self, received: &Received<'_>, resv: &Resv, named: Vec<RsbId>) {
        let is_exact = resv.style != Style::Se
            || named.iter().zip(&resv.flows).all(|(rsb, flow)| {
                let held = self.state.rsbs[*rsb].filters();
                held.iter().all(|filter| flow.filters.contains(filter))
                    && flow.filters.iter().all(|filter| held.contains(filter))
            });
        let Some(first) = named.first().filter(|_| is_exact) else { return };
        let next_hop = self.state.rsbs[*first].next_hop;
        let generator = next_hop.interface().zip(next_hop.address());
        let fingerprint = resv.confirm.is_none().then_some(received.fingerprint);
        let summary = generator.zip(received.message_id);
        for rsb in &named {
            self.forget_rsb_fingerprint(*rsb);
        }
        let summary = summary
            .map(|(generator, id)| self.remember_id(generator, id, RefreshTarget::Resv(named.clone())));
        for rsb in &named {
            let rsb = &mut self.state.rsbs[*rsb];
            (rsb.fingerprint, rsb.summary) = (fingerprint, summary);
        }
        if let Some(fingerprint) = fingerprint {
            self.remember_refresh(fingerprint, RefreshTarget::Resv(named));
        }
    }

    /// Forgets which message was a mere refresh of this RSB.
    pub(super) fn forget_rsb_fingerprint(&mut self, id: RsbId) {
        let Some(rsb) = self.state.rsbs.get_mut(id) else { return };
        for fingerprint in [rsb.fingerprint.take(), rsb.summary.take()].into_iter().flatten() {
            self.state.refreshes.remove(&fingerprint);
        }
    }

    fn refuse_resv(&mut self, next_hop: NextHopId, resv: &Resv, refusal: Refusal) {
        let empty = FlowDescriptor { flowspec: None, filters: Vec::new() };
        let flow = resv.flows.first().unwrap_or(&empty);
        self.refuse_flow(next_hop, resv, flow, refusal);
    }

    /// ResvErr for one flow descriptor. InPlace is set where a reservation stands that was not to grow, be it another
    /// next hop's (RFC 2209, UPDATE TRAFFIC CONTROL).
    fn refuse_flow(&mut self, next_hop: NextHopId, resv: &Resv, flow: &FlowDescriptor, refusal: Refusal) {
        let NextHopId::Hop(address, interface) = next_hop else { return };
        let (code, value) = refusal;
        self.note_refused_flow(next_hop, resv, flow, refusal);
        let key = resv.session.key;
        let mut error = self.own_error(interface, address, code, value);
        let distinct = if resv.style == Style::Ff { flow.filters.first() } else { None };
        let is_in_place = self
            .state
            .session(&key)
            .is_some_and(|session| self.find_tcsb(session, interface, distinct).is_some());
        if is_in_place && code == ErrorCode::ADMISSION_CONTROL_FAILURE {
            error.flags |= ErrorSpec::IN_PLACE;
        }
        self.send_resv_err(ResvErr {
            session: resv.session,
            hop: RsvpHop { address, lih: interface.0 },
            error,
            scope: resv.scope.clone(),
            policy: resv.policy.clone(),
            style: resv.style,
            flows: alloc::vec![flow.clone()],
            forward: Vec::new(),
        });
    }

    /// Removes an RSB and lets traffic control and the previous hops follow.
    pub(super) fn remove_rsb(&mut self, id: RsbId, cause: &Cause) {
        self.release_within(id, cause);
        let rsb = &self.state.rsbs[id];
        let (session, interface, style) = (rsb.session, rsb.next_hop.interface(), rsb.style);
        let distinct = rsb.contents.filters.first().map(|f| f.filter).filter(|_| style == Style::Ff);
        self.unlink_rsb(id, cause);
        self.reservations_shrank(session, interface, distinct, cause);
    }

    /// Something is no longer asked for: a smaller reservation is never refused.
    pub(super) fn reservations_shrank(
        &mut self,
        session: SessionId,
        interface: Option<InterfaceId>,
        distinct: Option<FilterSpec>,
        cause: &Cause,
    ) {
        if let Some(interface) = interface
            && let Err((code, value)) = self.update_traffic_control(session, interface, distinct, cause)
        {
            tracing::debug!(?code, value, "a smaller reservation was refused; the larger one stays");
        }
        self.mark_upstream(session, distinct.as_ref());
    }

    /// Takes an RSB out of all lists, and tells of it.
    pub(super) fn unlink_rsb(&mut self, id: RsbId, cause: &Cause) {
        if self.state.rsbs.contains_key(id) {
            self.report_rsb(id, Change::Removed, cause.clone());
            self.remove_from_lists(id);
        }
    }

    /// Takes an RSB out of all lists.
    pub(super) fn remove_from_lists(&mut self, id: RsbId) {
        self.forget_rsb_fingerprint(id);
        let Some(rsb) = self.state.rsbs.remove(id) else { return };
        if let Some(timer) = rsb.timer {
            self.timers.cancel(timer);
        }
        if let NextHopId::Hop(address, interface) = rsb.next_hop {
            self.state.neighbors.remove_reservation(interface, address);
        }
        remove_from(&mut self.state.sessions[rsb.session].rsbs, &id);
    }

    /// A sender's path state is gone: what was reserved for it on interfaces that it no longer leaves by goes too.
    /// Local receivers keep waiting for it.
    pub(super) fn release_sender(&mut self, session: SessionId, sender: &FilterSpec, cause: &Cause) {
        let cause = if matches!(cause, Cause::Shutdown | Cause::Cleared) { cause } else { &Cause::PathGone };
        let Some(style) = self.style_of(session) else { return };
        // WF goes with the last sender, the others with the one that they name (RFC 2205 section 3.1.5).
        let still_routed = self.routed_interfaces(session, Some(sender).filter(|_| style != Style::Wf));
        let mut shrunk = BTreeSet::new();
        for id in self.state.sessions[session].rsbs.clone() {
            let rsb = &self.state.rsbs[id];
            let Some(interface) = rsb.next_hop.interface().filter(|_| rsb.matches(sender)) else { continue };
            let is_routed = still_routed.contains(&interface);
            if !is_routed {
                self.take_filters(id, &[*sender], cause);
            }
            if !is_routed || style == Style::Wf {
                shrunk.insert(interface);
            }
        }
        let distinct = Some(*sender).filter(|_| style == Style::Ff);
        for interface in shrunk {
            self.reservations_shrank(session, Some(interface), distinct, cause);
        }
    }

    /// The interfaces that a sender's (or any sender's) data leaves by.
    pub(super) fn routed_interfaces(
        &self,
        session: SessionId,
        sender: Option<&FilterSpec>,
    ) -> BTreeSet<InterfaceId> {
        let psbs = self.state.sessions[session].psbs.iter().map(|psb| &self.state.psbs[*psb]);
        let meant = psbs.filter(|psb| sender.is_none_or(|sender| psb.sender == *sender));
        meant.flat_map(|psb| &psb.ads).map(|ad| self.state.path_ads[*ad].interface).collect()
    }

    /// Removes filters from an RSB, and the RSB with its last one; traffic control and the previous hops follow.
    pub(super) fn remove_filters(&mut self, id: RsbId, filters: &[FilterSpec], cause: &Cause) {
        let rsb = &self.state.rsbs[id];
        let (session, interface, style) = (rsb.session, rsb.next_hop.interface(), rsb.style);
        let distinct = rsb.contents.filters.first().map(|f| f.filter).filter(|_| style == Style::Ff);
        if self.take_filters(id, filters, cause) {
            self.reservations_shrank(session, interface, distinct, cause);
        }
    }

    /// Takes filters out of an RSB, and the RSB out of all lists with its last one; tells whether there was one.
    fn take_filters(&mut self, id: RsbId, filters: &[FilterSpec], cause: &Cause) -> bool {
        let rsb = &mut self.state.rsbs[id];
        let had = rsb.contents.filters.len();
        let session = rsb.session;
        if rsb.contents.filters.iter().all(|f| filters.contains(&f.filter)) {
            self.unlink_rsb(id, cause);
            return true;
        }
        rsb.contents.filters.retain(|f| !filters.contains(&f.filter));
        if rsb.contents.filters.len() == had {
            return false;
        }
        // A refusal must not bring them back.
        if let Pending::Changed(before) = &mut rsb.pending {
            before.filters.retain(|f| !filters.contains(&f.filter));
            if before.filters.is_empty() {
                rsb.pending = Pending::New;
            }
        }
        touch(&mut rsb.history, self.now, cause.clone());
        let subject = rsb_subject(rsb);
        self.forget_rsb_fingerprint(id);
        self.report(Some(self.state.sessions[session].key), subject, Change::Modified, cause.clone());
        true
    }
}

/// How an event names an RSB.
pub(super) fn rsb_subject(rsb: &Rsb) -> Subject {
    Subject::Reservation {
        next_hop: rsb.next_hop.address(),
        interface: rsb.next_hop.interface(),
        style: rsb.style,
        filters: rsb.filters(),
    }
}

/// The cause that an event names for a refusal.
pub(super) fn refusal_cause((code, value): Refusal) -> Cause {
    super::datagram::error_cause(code.0, value)
}

fn sort_filters(filters: &mut [RsbFilter]) {
    filters.sort_unstable_by_key(|f| f.filter);
}
