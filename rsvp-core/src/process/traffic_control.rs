//! UPDATE TRAFFIC CONTROL (RFC 2209 section 2), and the answers of traffic control.

use alloc::vec::Vec;

use super::resv::Refusal;
use super::{remove_from, touch};
use crate::admission::{AdmissionRequest, Claim, Decision};
use crate::config::GuaranteedConfig;
use crate::event::{Cause, Change, Subject, Upcall};
use crate::input::{InstallFailure, InterfaceId, PreemptReason};
use crate::intserv::{self, Relation};
use crate::node::Node;
use crate::output::{Installation, InstallationId, PoliceFlags, Request};
use crate::state::{
    Desired, Install, PathOrigin, Pending, Psb, Rsb, RsbId, SessionId, Tcsb, TcsbId, TimerKey,
};
use crate::wire::{
    Adspec, ErrorCode, ErrorSpec, FilterSpec, FlowDescriptor, Flowspec, RawObject, Style,
    traffic_control_error,
};

impl Node {
    /// Computes what traffic control is to hold on an interface (for FF: for one sender) and brings it about.
    ///
    /// # Errors
    ///
    /// The refusal, if admission control does not agree; then nothing has changed.
    pub(super) fn update_traffic_control(
        &mut self,
        session: SessionId,
        interface: InterfaceId,
        distinct: Option<FilterSpec>,
        cause: &Cause,
    ) -> Result<(), Refusal> {
        let rsbs: Vec<RsbId> = self.state.sessions[session]
            .rsbs
            .iter()
            .copied()
            .filter(|rsb| {
                let rsb = &self.state.rsbs[*rsb];
                rsb.next_hop.interface() == Some(interface)
                    && distinct.is_none_or(|filter| rsb.matches(&filter))
            })
            .collect();
        let existing = self.find_tcsb(session, interface, distinct.as_ref());
        let Some(first) = rsbs.first() else {
            if let Some(tcsb) = existing {
                self.remove_tcsb(tcsb, cause);
            }
            return Ok(());
        };
        let style = self.state.rsbs[*first].style;
        let mut desired = self.merged_request(session, interface, &rsbs)?;
        let old = existing.map(|tcsb| &self.state.tcsbs[tcsb].desired);
        if let Some(old) = old {
            desired.fwd = old.fwd.clone();
            desired.claim = old.claim;
            if *old == desired {
                return Ok(());
            }
        }
        if old.is_none_or(|old| old.flowspec != desired.flowspec || old.path_te != desired.path_te) {
            self.admit(session, interface, existing, &mut desired)?;
        }
        match existing {
            None => self.create_tcsb(session, interface, style, desired, cause),
            Some(tcsb) => self.change_tcsb(tcsb, desired, cause),
        }
        Ok(())
    }

    /// As [`update_traffic_control`](Self::update_traffic_control), for whatever is reserved for this sender.
    pub(super) fn update_traffic_control_for(
        &mut self,
        session: SessionId,
        interface: InterfaceId,
        sender: &FilterSpec,
        cause: &Cause,
    ) {
        let distinct = (self.style_of(session) == Some(Style::Ff)).then_some(*sender);
        if let Err((code, value)) = self.update_traffic_control(session, interface, distinct, cause) {
            // The senders changed, not the request: what stands goes on standing.
            tracing::debug!(?code, value, "reservation not adapted to its senders");
        }
    }

    /// TC_Flowspec, TC_Filter_Spec*, Path_Te and the police flags of these RSBs.
    fn merged_request(
        &self,
        session: SessionId,
        interface: InterfaceId,
        rsbs: &[RsbId],
    ) -> Result<Desired, Refusal> {
        let conflict = (ErrorCode::TRAFFIC_CONTROL_ERROR, traffic_control_error::SERVICE_CONFLICT);
        let mut merged: Option<Flowspec> = None;
        let mut filters = Vec::new();
        for rsb in rsbs {
            let rsb = &self.state.rsbs[*rsb];
            filters.extend(rsb.filters());
            merged = Some(match merged {
                None => rsb.contents.flowspec.clone(),
                Some(merged) => self.admission.lub(&merged, &rsb.contents.flowspec).ok_or(conflict)?,
            });
        }
        let flowspec = merged.ok_or(conflict)?;
        filters.sort_unstable();
        filters.dedup();
        // With all others for the same senders, too: upstream they are one.
        let mut all = self.state.sessions[session].rsbs.iter().map(|rsb| &self.state.rsbs[*rsb]);
        if !all.all(|rsb| self.is_mergeable(rsb, &filters, &flowspec)) {
            return Err(conflict);
        }
        let senders: Vec<_> = self.state.sessions[session]
            .psbs
            .iter()
            .map(|psb| &self.state.psbs[*psb])
            .filter(|psb| {
                (filters.is_empty() || filters.contains(&psb.sender))
                    && psb.ads.iter().any(|ad| self.state.path_ads[*ad].interface == interface)
            })
            .collect();
        let is_shared = self.state.rsbs[rsbs[0]].style != Style::Ff;
        let mut police = PoliceFlags::default();
        police.set(PoliceFlags::ENTRY, senders.iter().any(|psb| psb.e_police));
        police.set(PoliceFlags::MERGE, is_shared && senders.len() > 1);
        police.set(PoliceFlags::BRANCH, self.is_branch(session, interface, &filters, &flowspec));
        let tspecs: Vec<_> = senders.iter().map(|psb| &psb.tspec).collect();
        let path_te = self.admission.sum(&tspecs);
        let mut desired =
            Desired { flowspec, fwd: None, filters, path_te, police, buffer: None, claim: Claim::default() };
        desired.buffer = self.buffer(interface, &senders, &self.effective_flowspec(&desired));
        Ok(desired)
    }

    /// What guaranteed service may have to queue on an interface, in bytes: as much as the traffic of these senders can be
    /// distorted since it was last shaped, here included.
    fn buffer(&self, interface: InterfaceId, senders: &[&Psb], flowspec: &Flowspec) -> Option<u32> {
        let Flowspec::Guaranteed(tspec, _) = flowspec else { return None };
        let own = self.interface_config(interface).guaranteed.unwrap_or(GuaranteedConfig::new(0, 0));
        let fragments = senders.iter().filter_map(|psb| match &psb.adspec {
            Some(Adspec::IntServ(adspec)) => adspec.guaranteed.as_ref(),
            _ => None,
        });
        let (c_sum, d_sum) =
            fragments.fold((0, 0), |(c, d), fragment| (c.max(fragment.c_sum), d.max(fragment.d_sum)));
        let bytes =
            intserv::reshaping_buffer(tspec, c_sum.saturating_add(own.c), d_sum.saturating_add(own.d));
        Some(u32::try_from(intserv::round_up(bytes)).unwrap_or(u32::MAX))
    }

    /// Whether what an RSB reserves can be merged with a flowspec for these senders (none: all), if they are the same:
    /// upstream they are one.
    pub(super) fn is_mergeable(&self, rsb: &Rsb, filters: &[FilterSpec], flowspec: &Flowspec) -> bool {
        let overlaps = filters.is_empty() || filters.iter().any(|filter| rsb.matches(filter));
        !overlaps || self.admission.lub(flowspec, &rsb.contents.flowspec).is_some()
    }

    /// Whether what is in place for the same senders on another interface is not covered by this
    /// (B_Police_Flag, RFC 2205 section 3.8).
    fn is_branch(
        &self,
        session: SessionId,
        interface: InterfaceId,
        filters: &[FilterSpec],
        flowspec: &Flowspec,
    ) -> bool {
        self.state.sessions[session].tcsbs.iter().any(|tcsb| {
            let tcsb = &self.state.tcsbs[*tcsb];
            tcsb.interface != interface
                && overlap(filters, &tcsb.desired.filters)
                && matches!(
                    self.admission.compare(flowspec, &tcsb.desired.flowspec),
                    Relation::Smaller | Relation::Incomparable
                )
        })
    }

    /// What is in place on one interface for these senders has changed: the others' flag follows.
    fn adjust_branches(&mut self, session: SessionId, changed: InterfaceId, filters: &[FilterSpec]) {
        for id in self.state.sessions[session].tcsbs.clone() {
            let tcsb = &self.state.tcsbs[id];
            if tcsb.interface == changed || !overlap(filters, &tcsb.desired.filters) {
                continue;
            }
            let old = &tcsb.desired;
            let is_branch = self.is_branch(session, tcsb.interface, &old.filters, &old.flowspec);
            if is_branch != old.police.contains(PoliceFlags::BRANCH) {
                let mut desired = old.clone();
                desired.police.set(PoliceFlags::BRANCH, is_branch);
                self.replace_desired(id, desired, &Cause::Resv);
            }
        }
    }

    /// Asks admission control.
    fn admit(
        &self,
        session: SessionId,
        interface: InterfaceId,
        existing: Option<TcsbId>,
        desired: &mut Desired,
    ) -> Result<(), Refusal> {
        let system = (ErrorCode::TRAFFIC_CONTROL_SYSTEM_ERROR, 0);
        let on = self.state.interfaces.get(&interface).ok_or(system)?;
        let old = existing.map(|tcsb| &self.state.tcsbs[tcsb].desired);
        let mut ledger = on.ledger;
        let held = existing.map_or(Claim::default(), |tcsb| self.state.tcsbs[tcsb].booked);
        if existing.is_some() {
            ledger.release(held);
        }
        let session = &self.state.sessions[session];
        let adspec = session
            .psbs
            .iter()
            .map(|psb| &self.state.psbs[*psb])
            .find(|psb| desired.filters.is_empty() || desired.filters.contains(&psb.sender))
            .and_then(|psb| psb.adspec.as_ref());
        let request = AdmissionRequest {
            session: &session.key.of_packets(),
            interface,
            old: old.map(|old| &old.flowspec),
            held: held.bandwidth,
            held_on_link: held.on_link,
            new: &desired.flowspec,
            sender_tspec: desired.path_te.as_ref(),
            adspec,
            police: desired.police,
            ledger: &ledger,
            config: self.interface_config(interface),
            mtu: on.info.mtu,
        };
        match self.admission.admit(&request) {
            Decision::Admit { fwd } => {
                let effective = self.effective_flowspec(desired);
                let bandwidth = self.admission.bandwidth(&effective);
                desired.claim = Claim::new(bandwidth, &effective, request.config.link_header);
                desired.fwd = fwd;
                Ok(())
            }
            Decision::Reject { code, value } => Err((code, value)),
        }
    }

    /// What traffic control gives: the lesser of Resv_Te and Path_Te (RFC 2205 section 2.2).
    pub(crate) fn effective_flowspec(&self, desired: &Desired) -> Flowspec {
        match &desired.path_te {
            Some(path_te) => self.admission.effective(&desired.flowspec, path_te),
            None => desired.flowspec.clone(),
        }
    }

    fn create_tcsb(
        &mut self,
        session: SessionId,
        interface: InterfaceId,
        style: Style,
        desired: Desired,
        cause: &Cause,
    ) {
        self.last_installation += 1;
        let id = InstallationId(self.last_installation);
        let booked = desired.claim;
        if let Some(on) = self.state.interfaces.get_mut(&interface) {
            on.ledger.take(booked);
        }
        let history = self.new_history(cause.clone());
        let tcsb = Tcsb {
            id,
            session,
            interface,
            style,
            desired,
            confirmed: None,
            requested: None,
            install: Install::InFlight,
            booked,
            retry: None,
            confirms: Vec::new(),
            history,
        };
        let subject = tcsb_subject(&tcsb);
        let filters = tcsb.desired.filters.clone();
        let tcsb = self.state.tcsbs.insert(tcsb);
        self.state.installations.insert(id, tcsb);
        self.state.sessions[session].tcsbs.push(tcsb);
        self.report(Some(self.state.sessions[session].key), subject, Change::Created, cause.clone());
        self.request_installation(tcsb);
        self.adjust_branches(session, interface, &filters);
        self.mark_upstream(session, self.state.tcsbs[tcsb].distinct().as_ref());
    }

    fn change_tcsb(&mut self, id: TcsbId, desired: Desired, cause: &Cause) {
        let filters = desired.filters.clone();
        self.replace_desired(id, desired, cause);
        let tcsb = &self.state.tcsbs[id];
        self.adjust_branches(tcsb.session, tcsb.interface, &filters);
    }

    fn replace_desired(&mut self, id: TcsbId, desired: Desired, cause: &Cause) {
        let tcsb = &mut self.state.tcsbs[id];
        tcsb.desired = desired;
        touch(&mut tcsb.history, self.now, cause.clone());
        let (session, subject) = (tcsb.session, tcsb_subject(tcsb));
        match tcsb.install {
            Install::Done => self.request_installation(id),
            Install::InFlight | Install::Outdated => tcsb.install = Install::Outdated,
        }
        self.book(id);
        self.report(Some(self.state.sessions[session].key), subject, Change::Modified, cause.clone());
        self.mark_upstream(session, self.state.tcsbs[id].distinct().as_ref());
    }

    fn request_installation(&mut self, id: TcsbId) {
        let guaranteed = self.interface_config(self.state.tcsbs[id].interface).guaranteed;
        let tcsb = &mut self.state.tcsbs[id];
        let discards = guaranteed.is_some_and(|service| service.discards)
            && matches!(tcsb.desired.flowspec, Flowspec::Guaranteed(..));
        tcsb.install = Install::InFlight;
        tcsb.requested = Some(tcsb.desired.clone());
        let desired = &tcsb.desired;
        self.requests.push(Request::Install(Installation {
            id: tcsb.id,
            interface: tcsb.interface,
            session: self.state.sessions[tcsb.session].key.of_packets(),
            filters: desired.filters.clone(),
            flowspec: desired.flowspec.clone(),
            sender_tspec: desired.path_te.clone(),
            police: desired.police,
            buffer: desired.buffer,
            discards,
        }));
    }

    /// Takes from the pool what a TCSB may hold now: while a request is under way, the most of what stood, what was
    /// requested and what is wanted. So nobody is given what traffic control has not given back.
    fn book(&mut self, id: TcsbId) {
        let tcsb = &mut self.state.tcsbs[id];
        let open = tcsb.confirmed.iter().chain(&tcsb.requested).filter(|_| tcsb.install != Install::Done);
        let most = open.map(|held| held.claim).fold(tcsb.desired.claim, Claim::max);
        let before = core::mem::replace(&mut tcsb.booked, most);
        if let Some(on) = self.state.interfaces.get_mut(&tcsb.interface) {
            on.ledger.release(before);
            on.ledger.take(most);
        }
    }

    /// Finds the TCSB of an interface; for FF, that of one sender.
    pub(super) fn find_tcsb(
        &self,
        session: SessionId,
        interface: InterfaceId,
        distinct: Option<&FilterSpec>,
    ) -> Option<TcsbId> {
        self.state.sessions[session].tcsbs.iter().copied().find(|tcsb| {
            let tcsb = &self.state.tcsbs[*tcsb];
            tcsb.interface == interface && distinct.is_none_or(|filter| tcsb.desired.filters.contains(filter))
        })
    }

    /// Whether a change of the reservation has not been answered yet.
    pub(super) fn is_in_flight(
        &self,
        session: SessionId,
        interface: InterfaceId,
        distinct: Option<&FilterSpec>,
    ) -> bool {
        self.find_tcsb(session, interface, distinct)
            .is_some_and(|tcsb| self.state.tcsbs[tcsb].install != Install::Done)
    }

    pub(super) fn remove_tcsb(&mut self, id: TcsbId, cause: &Cause) {
        let Some(tcsb) = self.state.tcsbs.remove(id) else { return };
        self.state.installations.remove(&tcsb.id);
        if let Some(on) = self.state.interfaces.get_mut(&tcsb.interface) {
            on.ledger.release(tcsb.booked);
        }
        if let Some(timer) = tcsb.retry {
            self.timers.cancel(timer);
        }
        self.requests.push(Request::Remove(tcsb.id));
        let session = &mut self.state.sessions[tcsb.session];
        remove_from(&mut session.tcsbs, &id);
        let key = session.key;
        self.report(Some(key), tcsb_subject(&tcsb), Change::Removed, cause.clone());
        if tcsb.confirmed.is_some() {
            let gone = Upcall::ResvGone { filters: tcsb.desired.filters.clone(), cause: cause.clone() };
            self.tell_senders(tcsb.session, &tcsb.desired.filters, &gone);
        }
        self.adjust_branches(tcsb.session, tcsb.interface, &tcsb.desired.filters);
        self.mark_upstream(tcsb.session, tcsb.distinct().as_ref());
    }

    /// RESV_EVENT upcalls to the applications whose senders are meant.
    pub(super) fn tell_senders(&mut self, session: SessionId, filters: &[FilterSpec], upcall: &Upcall) {
        let session = &self.state.sessions[session];
        let key = session.key;
        let mut apis: Vec<_> = session
            .psbs
            .iter()
            .map(|psb| &self.state.psbs[*psb])
            .filter(|psb| filters.is_empty() || filters.contains(&psb.sender))
            .filter_map(|psb| match psb.origin {
                PathOrigin::Local(api) => Some(api),
                PathOrigin::Hop(..) => None,
            })
            .collect();
        apis.sort_unstable();
        apis.dedup();
        for api in apis {
            self.upcall(api, key, upcall.clone());
        }
    }

    pub(crate) fn on_installed(&mut self, id: InstallationId, result: Result<(), InstallFailure>) {
        let Some(tcsb) = self.state.installations.get(&id).copied() else { return };
        let block = &mut self.state.tcsbs[tcsb];
        let requested = block.requested.take();
        match (block.install, result) {
            (Install::Done, _) => {}
            (Install::Outdated, result) => {
                if result.is_ok() {
                    block.confirmed = requested;
                }
                self.request_installation(tcsb);
                self.book(tcsb);
            }
            (Install::InFlight, Ok(())) => {
                let before = core::mem::replace(&mut block.confirmed, requested);
                block.install = Install::Done;
                self.book(tcsb);
                self.on_standing(tcsb, before);
            }
            (Install::InFlight, Err(failure)) => self.on_install_failure(tcsb, failure),
        }
    }

    /// The reservation stands as desired, in the place of what stood before.
    fn on_standing(&mut self, id: TcsbId, before: Option<Desired>) {
        for rsb in self.rsbs_of(id) {
            self.state.rsbs[rsb].pending = Pending::Settled;
            self.forget_refusal(rsb);
        }
        let tcsb = &self.state.tcsbs[id];
        let (session, tcsb_cause) = (tcsb.session, tcsb.history.cause.clone());
        let filters = tcsb.desired.filters.clone();
        let mut lost = before.map_or_else(Vec::new, |before| before.filters);
        lost.retain(|filter| !filters.contains(filter));
        let stands = Upcall::Resv {
            style: tcsb.style,
            flowspec: tcsb.desired.flowspec.clone(),
            filters: filters.clone(),
            policy: self.policy_data_of(id),
        };
        self.tell_senders(session, &filters, &stands);
        if !lost.is_empty() {
            let gone = Upcall::ResvGone { filters: lost.clone(), cause: tcsb_cause };
            self.tell_senders(session, &lost, &gone);
        }
        self.mark_upstream(session, self.state.tcsbs[id].distinct().as_ref());
        self.pass_confirms(id);
    }

    /// The POLICY_DATA of the RSBs that a TCSB merges.
    fn policy_data_of(&self, id: TcsbId) -> Vec<RawObject> {
        let mut all = Vec::new();
        for rsb in self.rsbs_of(id) {
            for object in self.state.rsbs[rsb].policy.onward() {
                if !all.contains(object) {
                    all.push(object.clone());
                }
            }
        }
        all
    }

    /// The RSBs that a TCSB merges.
    fn rsbs_of(&self, id: TcsbId) -> Vec<RsbId> {
        let tcsb = &self.state.tcsbs[id];
        self.state.sessions[tcsb.session]
            .rsbs
            .iter()
            .copied()
            .filter(|rsb| {
                let rsb = &self.state.rsbs[*rsb];
                rsb.next_hop.interface() == Some(tcsb.interface)
                    && (tcsb.style != Style::Ff || tcsb.desired.filters.iter().any(|f| rsb.matches(f)))
            })
            .collect()
    }

    /// A failed first installation removes the TCSB; a failed change keeps the old values. Those whose request failed
    /// get a ResvErr.
    fn on_install_failure(&mut self, id: TcsbId, failure: InstallFailure) {
        let cause = Cause::TrafficControl(failure.reason);
        let tcsb = &mut self.state.tcsbs[id];
        let (session, interface, distinct) = (tcsb.session, tcsb.interface, tcsb.distinct());
        let confirmed = tcsb.confirmed.clone();
        let mut gave_way = Vec::new();
        for rsb in self.rsbs_of(id) {
            let code = ErrorCode::TRAFFIC_CONTROL_SYSTEM_ERROR;
            let block = &mut self.state.rsbs[rsb];
            match core::mem::replace(&mut block.pending, Pending::Settled) {
                Pending::Changed(before) => {
                    self.refuse_rsb(rsb, code, 0, ErrorSpec::IN_PLACE);
                    self.note_refused_rsb(rsb, &cause);
                    let block = &mut self.state.rsbs[rsb];
                    block.contents = *before;
                    block.refused = Some(cause.clone());
                    self.forget_rsb_fingerprint(rsb);
                }
                Pending::Settled if confirmed.is_some() => continue,
                Pending::New | Pending::Settled => {
                    self.refuse_rsb(rsb, code, 0, 0);
                    self.note_refused_rsb(rsb, &cause);
                    self.remove_from_lists(rsb);
                }
            }
            gave_way.push(rsb);
        }
        self.state.tcsbs[id].confirms.retain(|confirm| !gave_way.contains(&confirm.rsb));
        match confirmed {
            None => self.remove_tcsb(id, &cause),
            Some(confirmed) => {
                // What traffic control holds is what it confirmed. What else is still wanted is asked for anew; the very
                // thing that just failed, a refresh period later.
                let tcsb = &mut self.state.tcsbs[id];
                tcsb.install = Install::Done;
                tcsb.desired = confirmed;
                self.book(id);
                if gave_way.is_empty() {
                    let due = self.now + self.refresh_period(interface);
                    let tcsb = &mut self.state.tcsbs[id];
                    self.timers.arm(&mut tcsb.retry, due, TimerKey::Tcsb(id));
                } else if let Err((code, value)) =
                    self.update_traffic_control(session, interface, distinct, &cause)
                {
                    tracing::debug!(?code, value, "the former reservation stays as it is");
                }
                self.mark_upstream(session, distinct.as_ref());
            }
        }
        self.state.drop_if_empty(session);
    }

    /// Traffic control could not do less, or otherwise, than before; by now it may.
    pub(super) fn on_retry(&mut self, id: TcsbId) {
        let Some(tcsb) = self.state.tcsbs.get_mut(id) else { return };
        tcsb.retry = None;
        let (session, interface, distinct) = (tcsb.session, tcsb.interface, tcsb.distinct());
        let cause = tcsb.history.cause.clone();
        if let Err((code, value)) = self.update_traffic_control(session, interface, distinct, &cause) {
            tracing::debug!(?code, value, "the reservation stays as it is");
        }
    }

    /// Traffic control withdrew a reservation: its receivers hear of it (error code 12).
    pub(crate) fn on_preempted(&mut self, id: InstallationId, reason: PreemptReason) {
        let Some(tcsb) = self.state.installations.get(&id).copied() else { return };
        tracing::debug!(?reason, "preempted");
        let session = self.state.tcsbs[tcsb].session;
        for rsb in self.rsbs_of(tcsb) {
            self.refuse_rsb(rsb, ErrorCode::SERVICE_PREEMPTED, 0, 0);
            self.unlink_rsb(rsb, &Cause::Preempted);
        }
        self.remove_tcsb(tcsb, &Cause::Preempted);
        self.state.drop_if_empty(session);
    }

    /// Whether an RSB asks for more than all others that its TCSB merges (Is_Biggest).
    fn is_biggest(&self, id: RsbId, tcsb: TcsbId) -> bool {
        let mine = &self.state.rsbs[id].contents.flowspec;
        self.rsbs_of(tcsb).into_iter().filter(|other| *other != id).all(|other| {
            self.admission.compare(mine, &self.state.rsbs[other].contents.flowspec) == Relation::Larger
        })
    }

    /// Passes requests for confirmation on to where the reservation now ends: upstream with the merged request if they
    /// were the largest here, back to the receiver otherwise (RFC 2209, RESV REFRESH step 4).
    pub(super) fn pass_confirms(&mut self, id: TcsbId) {
        let waits = self.config.wait_for_installation && self.state.tcsbs[id].install != Install::Done;
        if waits {
            return;
        }
        let confirms = core::mem::take(&mut self.state.tcsbs[id].confirms);
        for confirm in confirms {
            if !self.state.rsbs.contains_key(confirm.rsb) {
                continue;
            }
            let tcsb = &self.state.tcsbs[id];
            let (session, interface, style) = (tcsb.session, tcsb.interface, tcsb.style);
            let flow = FlowDescriptor {
                flowspec: Some(tcsb.desired.flowspec.clone()),
                filters: tcsb.desired.filters.clone(),
            };
            let is_biggest = self.is_biggest(confirm.rsb, id);
            let Some(upstream) = (if is_biggest { self.asked_for_by(id) } else { Some(Vec::new()) }) else {
                continue;
            };
            for ad in &upstream {
                self.ask_confirmation(*ad, confirm.receiver);
            }
            if upstream.is_empty() {
                let key = self.state.sessions[session].key;
                let node = self.address_towards(interface, confirm.receiver).unwrap_or(confirm.receiver);
                let next_hop = self.state.rsbs[confirm.rsb].next_hop;
                self.confirm(confirm.receiver, node, next_hop, key, style, alloc::vec![flow]);
            }
        }
    }
}

/// Whether two lists of senders have one in common; an empty one means all.
fn overlap(some: &[FilterSpec], others: &[FilterSpec]) -> bool {
    some.is_empty() || others.is_empty() || some.iter().any(|filter| others.contains(filter))
}

/// How an event names a TCSB.
fn tcsb_subject(tcsb: &Tcsb) -> Subject {
    Subject::Installation {
        interface: tcsb.interface,
        flowspec: tcsb.desired.flowspec.clone(),
        filters: tcsb.desired.filters.clone(),
    }
}
