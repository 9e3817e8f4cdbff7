//! Refusals are told once: whoever was refused repeats its request with every refresh.

use super::path::path_subject;
use super::resv::{Refusal, refusal_cause, rsb_subject};
use crate::event::{Cause, Change, Subject};
use crate::input::InterfaceId;
use crate::node::Node;
use crate::state::{Asked, Asker, NextHopId, PsbId, Refusal as Noted, Rsb, RsbId};
use crate::time::{Duration, Instant};
use crate::wire::{ErrorCode, FilterSpec, FlowDescriptor, Path, Resv, SessionKey, Style};

/// A neighbour that announces a refresh period of weeks does not fill the memory for so long.
const LONGEST_MEMORY: Duration = Duration::from_secs(3600);

impl Node {
    /// A Path is refused.
    pub(super) fn note_refused_path(&mut self, interface: InterfaceId, path: &Path, refusal: Refusal) {
        let expires = self.expiry(path.refresh_ms, interface);
        let subject = Subject::Path {
            sender: path.sender_template,
            previous_hop: Some(path.hop.address),
            interface: Some(interface),
        };
        let asked = Asked::Path(path.sender_tspec.clone(), path.policy.clone());
        let asker = Asker::Sender(path.sender_template, interface);
        self.count_refusal(refusal.0);
        self.note(path.session.key, asker, asked, subject, refusal_cause(refusal), expires);
    }

    /// A sender that was accepted before is refused.
    pub(super) fn note_refused_psb(&mut self, id: PsbId, refusal: Refusal) {
        let psb = &self.state.psbs[id];
        let Some((_, interface)) = psb.previous_hop() else { return };
        let (key, expires) = (self.state.sessions[psb.session].key, self.expiry(psb.refresh_ms, interface));
        let asked = Asked::Path(psb.tspec.clone(), psb.policy.received.clone());
        let (asker, subject) = (Asker::Sender(psb.sender, interface), path_subject(psb));
        self.count_refusal(refusal.0);
        self.note(key, asker, asked, subject, refusal_cause(refusal), expires);
    }

    /// A flow descriptor of a Resv is refused.
    pub(super) fn note_refused_flow(
        &mut self,
        next_hop: NextHopId,
        resv: &Resv,
        flow: &FlowDescriptor,
        refusal: Refusal,
    ) {
        let Some(interface) = next_hop.interface() else { return };
        let expires = self.expiry(resv.refresh_ms, interface);
        let subject = Subject::Reservation {
            next_hop: next_hop.address(),
            interface: Some(interface),
            style: resv.style,
            filters: flow.filters.clone(),
        };
        let asked = Asked::Resv(flow.clone(), resv.policy.clone());
        let asker = receiver(next_hop, resv.style, flow.filters.first());
        self.count_refusal(refusal.0);
        self.note(resv.session.key, asker, asked, subject, refusal_cause(refusal), expires);
    }

    /// What an RSB asks for is refused.
    pub(super) fn note_refused_rsb(&mut self, id: RsbId, cause: &Cause) {
        let rsb = &self.state.rsbs[id];
        let Some(interface) = rsb.next_hop.interface() else { return };
        let (key, expires) = (self.state.sessions[rsb.session].key, self.expiry(rsb.refresh_ms, interface));
        let (asker, asked) = request_of(rsb);
        self.note(key, asker, asked, rsb_subject(rsb), cause.clone(), expires);
    }

    fn note(
        &mut self,
        session: SessionKey,
        asker: Asker,
        asked: Asked,
        subject: Subject,
        cause: Cause,
        expires: Instant,
    ) {
        let (first, last) = (self.now, self.now);
        let expires = expires.min(self.now + LONGEST_MEMORY);
        let refusal =
            Noted { subject: subject.clone(), asked, cause: cause.clone(), first, last, count: 1, expires };
        if self.state.refusals.note(session, asker, refusal, self.config.limits.refusals) {
            self.report(Some(session), subject, Change::Refused, cause);
        }
    }

    fn count_refusal(&mut self, code: ErrorCode) {
        match code {
            ErrorCode::ADMISSION_CONTROL_FAILURE => self.counters.admission_failures += 1,
            ErrorCode::POLICY_CONTROL_FAILURE => self.counters.policy_failures += 1,
            _ => {}
        }
    }

    /// Whether what an RSB asks for has just been refused: it is tried again, which is no news.
    pub(super) fn is_tried_again(&self, rsb: &Rsb) -> bool {
        let (asker, asked) = request_of(rsb);
        self.state.refusals.is_known(self.state.sessions[rsb.session].key, asker, &asked, self.now)
    }

    /// A Path is not refused this time.
    pub(super) fn forget_refused_path(&mut self, id: PsbId) {
        let psb = &self.state.psbs[id];
        let Some((_, interface)) = psb.previous_hop() else { return };
        let key = self.state.sessions[psb.session].key;
        self.state.refusals.forget(key, Asker::Sender(psb.sender, interface));
    }

    /// What an RSB asks for stands.
    pub(super) fn forget_refusal(&mut self, id: RsbId) {
        let rsb = &self.state.rsbs[id];
        let (asker, _) = request_of(rsb);
        self.state.refusals.forget(self.state.sessions[rsb.session].key, asker);
    }
}

fn request_of(rsb: &Rsb) -> (Asker, Asked) {
    let flow = FlowDescriptor { flowspec: Some(rsb.contents.flowspec.clone()), filters: rsb.filters() };
    let asker = receiver(rsb.next_hop, rsb.style, flow.filters.first());
    (asker, Asked::Resv(flow, rsb.policy.received.clone()))
}

fn receiver(next_hop: NextHopId, style: Style, first: Option<&FilterSpec>) -> Asker {
    Asker::Receiver(next_hop, first.copied().filter(|_| style == Style::Ff))
}
