//! Policy control is asked before state is made or changed, and again when its mind has changed (RFC 2205 section 2.7).

use alloc::vec::Vec;
use core::net::IpAddr;

use super::resv::{Refusal, Request, refusal_cause, rsb_subject};
use crate::event::{Change, Upcall};
use crate::input::InterfaceId;
use crate::node::Node;
use crate::policy::{PolicyRequest, PolicySubject, Verdict};
use crate::state::{NextHopId, PathOrigin, PolicyData, PsbId, RsbId, SessionId};
use crate::wire::{
    ErrorSpec, FilterSpec, FlowDescriptor, Flowspec, Path, RawObject, SenderTemplate, SenderTspec,
    SessionKey, Style,
};

/// A reservation as policy control sees it.
pub(super) struct Reservation<'a> {
    pub(super) style: Style,
    pub(super) flowspec: &'a Flowspec,
    /// For whom; for WF the senders that are known.
    pub(super) senders: &'a [FilterSpec],
    pub(super) receiver: IpAddr,
    pub(super) interface: Option<InterfaceId>,
}

impl Node {
    fn judge(
        &self,
        session: &SessionKey,
        subject: PolicySubject<'_>,
        data: &[RawObject],
    ) -> Result<PolicyData, Refusal> {
        let request = PolicyRequest { session, subject, data, rules: &self.config.policy };
        match self.policy.decide(&request) {
            Verdict::Accept { data: replaced } => Ok(PolicyData { received: data.to_vec(), replaced }),
            Verdict::Reject { code, value } => Err((code, value)),
        }
    }

    /// What policy control says of a sender.
    pub(super) fn judge_sender(
        &self,
        session: &SessionKey,
        sender: &SenderTemplate,
        tspec: &SenderTspec,
        previous_hop: Option<(IpAddr, InterfaceId)>,
        data: &[RawObject],
    ) -> Result<PolicyData, Refusal> {
        self.judge(session, PolicySubject::Sender { sender, tspec, previous_hop }, data)
    }

    /// What policy control says of a Path: what it said before, if nothing that it looks at has changed.
    pub(super) fn judge_path(
        &self,
        existing: Option<PsbId>,
        interface: InterfaceId,
        path: &Path,
    ) -> Result<PolicyData, Refusal> {
        if let Some(psb) = existing.map(|psb| &self.state.psbs[psb])
            && psb.tspec == path.sender_tspec
            && psb.policy.received == path.policy
            && psb.previous_hop().is_some_and(|(hop, _)| hop.address == path.hop.address)
        {
            return Ok(psb.policy.clone());
        }
        let previous_hop = Some((path.hop.address, interface));
        let (sender, tspec) = (&path.sender_template, &path.sender_tspec);
        self.judge_sender(&path.session.key, sender, tspec, previous_hop, &path.policy)
    }

    /// What policy control says of a reservation.
    pub(super) fn judge_reservation(
        &self,
        session: &SessionKey,
        reservation: &Reservation<'_>,
        data: &[RawObject],
    ) -> Result<PolicyData, Refusal> {
        let Reservation { style, flowspec, senders, receiver, interface } = *reservation;
        let bandwidth = self.admission.bandwidth(flowspec);
        let subject = PolicySubject::Reservation { style, flowspec, bandwidth, senders, receiver, interface };
        self.judge(session, subject, data)
    }

    /// What policy control says of a flow descriptor of a Resv: what it said before, if nothing that it looks at has
    /// changed.
    pub(super) fn judge_resv(
        &self,
        existing: Option<RsbId>,
        request: &Request<'_>,
    ) -> Result<PolicyData, Refusal> {
        if let Some(rsb) = existing.map(|rsb| &self.state.rsbs[rsb])
            && rsb.contents.flowspec == request.flowspec
            && rsb.policy.received == request.resv.policy
            && request.filters.iter().all(|filter| rsb.matches(filter))
        {
            return Ok(rsb.policy.clone());
        }
        let style = request.resv.style;
        let senders = match style {
            Style::Wf => self.senders_by(request.session, Some(request.interface)),
            Style::Ff | Style::Se => request.filters.clone(),
        };
        let reservation = Reservation {
            style,
            flowspec: &request.flowspec,
            senders: &senders,
            receiver: request.resv.hop.address,
            interface: Some(request.interface),
        };
        self.judge_reservation(&request.resv.session.key, &reservation, &request.resv.policy)
    }

    /// The known senders of a session whose data leaves by an interface; `None`: all.
    pub(super) fn senders_by(&self, session: SessionId, interface: Option<InterfaceId>) -> Vec<FilterSpec> {
        let psbs = self.state.sessions[session].psbs.iter().map(|psb| &self.state.psbs[*psb]);
        let leaves = |ads: &[_]| {
            interface.is_none_or(|i| ads.iter().any(|ad| self.state.path_ads[*ad].interface == i))
        };
        let mut senders: Vec<_> = psbs.filter(|psb| leaves(&psb.ads)).map(|psb| psb.sender).collect();
        senders.sort_unstable();
        senders.dedup();
        senders
    }

    /// A sender is new or changed: the wildcard reservations that take it in were not judged with it.
    pub(super) fn review_wildcards(&mut self, id: PsbId) {
        let psb = &self.state.psbs[id];
        let (session, sender) = (psb.session, psb.sender);
        if self.style_of(session) != Some(Style::Wf) {
            return;
        }
        let leaves_by = self.routed_interfaces(session, Some(&sender));
        for rsb in self.state.sessions[session].rsbs.clone() {
            let interface = self.state.rsbs[rsb].next_hop.interface();
            if interface.is_none_or(|interface| leaves_by.contains(&interface)) {
                self.review_rsb(rsb, &[sender]);
            }
        }
    }

    /// Policy control has changed its mind, perhaps: asks about all state of a session.
    pub(super) fn review(&mut self, id: SessionId) {
        let Some(session) = self.state.sessions.get(id) else { return };
        let (psbs, rsbs) = (session.psbs.clone(), session.rsbs.clone());
        for psb in psbs {
            self.review_psb(psb);
        }
        for rsb in rsbs {
            // Those that are gone went with their sender.
            let Some(block) = self.state.rsbs.get(rsb) else { continue };
            let senders = match block.style {
                Style::Wf => self.senders_by(id, block.next_hop.interface()),
                Style::Ff | Style::Se => block.filters(),
            };
            self.review_rsb(rsb, &senders);
        }
        self.state.drop_if_empty(id);
    }

    fn review_psb(&mut self, id: PsbId) {
        let psb = &self.state.psbs[id];
        let key = self.state.sessions[psb.session].key;
        let previous_hop = psb.previous_hop().map(|(hop, interface)| (hop.address, interface));
        let verdict = self.judge_sender(&key, &psb.sender, &psb.tspec, previous_hop, &psb.policy.received);
        match (verdict, psb.origin) {
            (Ok(policy), _) => {
                let psb = &mut self.state.psbs[id];
                let was_denied = core::mem::take(&mut psb.denied);
                if psb.policy != policy || was_denied {
                    psb.policy = policy;
                    psb.refused = psb.refused.take().filter(|_| !was_denied);
                    let ads = psb.ads.clone();
                    self.dirty_paths.extend(ads);
                }
                if was_denied {
                    self.tell_receivers(id);
                }
            }
            (Err(refusal), PathOrigin::Hop(..)) => {
                self.refuse_psb(id, refusal);
                self.note_refused_psb(id, refusal);
                self.remove_psb(id, &refusal_cause(refusal));
            }
            (Err(_), PathOrigin::Local(_)) if psb.denied => {}
            (Err((code, value)), PathOrigin::Local(_)) => self.silence_sender(id, (code, value)),
        }
    }

    /// A local sender announces nothing for as long as policy control is against it.
    fn silence_sender(&mut self, id: PsbId, (code, value): Refusal) {
        let psb = &self.state.psbs[id];
        if psb.stays_within() {
            let (session, sender, origin) = (psb.session, psb.sender, psb.origin);
            self.tell_path_gone(session, &sender, origin, &refusal_cause((code, value)));
        }
        let psb = &mut self.state.psbs[id];
        psb.denied = true;
        let policy = psb.policy.received.clone();
        for ad in psb.ads.clone() {
            self.withdraw_path(ad);
        }
        let node = self.state.psbs[id].sender.source();
        self.deliver_path_error(id, ErrorSpec::new(node, code, value), policy);
    }

    /// Asks about a reservation, for these senders.
    fn review_rsb(&mut self, id: RsbId, senders: &[FilterSpec]) {
        let rsb = &self.state.rsbs[id];
        let session = rsb.session;
        let Some(receiver) = rsb.next_hop.address().or(rsb.receiver) else { return };
        let reservation = Reservation {
            style: rsb.style,
            flowspec: &rsb.contents.flowspec,
            senders,
            receiver,
            interface: rsb.next_hop.interface(),
        };
        let key = self.state.sessions[session].key;
        let verdict = self.judge_reservation(&key, &reservation, &rsb.policy.received);
        match (verdict, rsb.next_hop) {
            (Ok(policy), _) => {
                let rsb = &mut self.state.rsbs[id];
                let was_denied = core::mem::take(&mut rsb.denied);
                if rsb.policy != policy || was_denied {
                    rsb.policy = policy;
                    rsb.refused = rsb.refused.take().filter(|_| !was_denied);
                    self.mark_upstream(session, None);
                    self.reserve_within(session);
                }
            }
            (Err((code, value)), NextHopId::Hop(..)) => {
                self.refuse_rsb(id, code, value, 0);
                self.note_refused_rsb(id, &refusal_cause((code, value)));
                self.remove_rsb(id, &refusal_cause((code, value)));
            }
            (Err(_), NextHopId::Local(_)) if rsb.denied => {}
            (Err(refusal), NextHopId::Local(_)) => self.silence_receiver(id, receiver, refusal),
        }
    }

    /// A local receiver reserves nothing for as long as policy control is against it.
    fn silence_receiver(&mut self, id: RsbId, receiver: IpAddr, (code, value): Refusal) {
        let cause = refusal_cause((code, value));
        self.release_within(id, &cause);
        let rsb = &mut self.state.rsbs[id];
        let NextHopId::Local(api) = rsb.next_hop else { return };
        rsb.denied = true;
        rsb.is_confirmed = false;
        rsb.refused = Some(cause.clone());
        let (session, style, subject) = (rsb.session, rsb.style, rsb_subject(rsb));
        let upcall = Upcall::ResvError {
            error: ErrorSpec::new(receiver, code, value),
            style,
            flows: alloc::vec![FlowDescriptor {
                flowspec: Some(rsb.contents.flowspec.clone()),
                filters: rsb.filters(),
            }],
            policy: rsb.policy.received.clone(),
        };
        let key = self.state.sessions[session].key;
        self.report(Some(key), subject, Change::Refused, cause);
        self.upcall(api, key, upcall);
        self.mark_upstream(session, None);
    }
}
