//! What previous hops are told: which Resv advertisements exist, and which have changed.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::merge::Content;
use super::remove_from;
use crate::event::Cause;
use crate::input::InterfaceId;
use crate::intserv::Relation;
use crate::node::Node;
use crate::state::{
    Delivery, Dirty, NextHopId, OutboxItem, Psb, PsbId, ResvAd, ResvAdId, SessionId, TcsbId, Told,
};
use crate::time::Duration;
use crate::wire::{
    FilterSpec, FlowDescriptor, Flowspec, Message, RawObject, ResvTear, RsvpHop, SenderTemplate, Session,
    Style,
};

impl Node {
    /// The Resv to a PSB's previous hop may have changed.
    pub(super) fn mark_upstream_of(&mut self, id: PsbId) {
        let psb = &self.state.psbs[id];
        let session = psb.session;
        let Some((hop, interface)) = psb.previous_hop() else { return };
        if self.state.sessions[session].rsbs.is_empty() && self.state.sessions[session].resv_ads.is_empty() {
            return;
        }
        let ad = self.find_resv_ad(session, hop, interface).unwrap_or_else(|| {
            let ad = ResvAd {
                session,
                hop,
                interface,
                told: None,
                fingerprint: None,
                delivery: Delivery::default(),
                confirming: None,
                told_from: None,
                queued: false,
                dirty: Dirty::No,
                confirms: VecDeque::new(),
                blockaded: false,
                period: Duration::ZERO,
                timer: None,
                next_refresh: None,
                history: self.new_history(Cause::Resv),
            };
            let ad = self.state.resv_ads.insert(ad);
            self.state.sessions[session].resv_ads.push(ad);
            self.state.neighbors.add_advertised(interface, hop.address);
            ad
        });
        self.mark_resv_ad(ad, Dirty::Yes);
    }

    /// A Resv may have changed, for this reason.
    pub(super) fn mark_resv_ad(&mut self, id: ResvAdId, reason: Dirty) {
        let ad = &mut self.state.resv_ads[id];
        match ad.dirty {
            Dirty::No => {
                ad.dirty = reason;
                self.dirty_resvs.push(id);
            }
            Dirty::ByError => ad.dirty = reason,
            Dirty::Yes => {}
        }
    }

    /// The Resvs to the previous hops of a session, or of one of its senders, may have changed.
    pub(super) fn mark_upstream(&mut self, session: SessionId, distinct: Option<&FilterSpec>) {
        for psb in self.state.sessions[session].psbs.clone() {
            if distinct.is_none_or(|sender| *sender == self.state.psbs[psb].sender) {
                self.mark_upstream_of(psb);
            }
        }
    }

    fn find_resv_ad(&self, session: SessionId, hop: RsvpHop, interface: InterfaceId) -> Option<ResvAdId> {
        self.state.sessions[session].resv_ads.iter().copied().find(|ad| {
            let ad = &self.state.resv_ads[*ad];
            ad.hop == hop && ad.interface == interface
        })
    }

    /// Queues a Resv, or a ResvTear, if the previous hop was last told otherwise.
    pub(super) fn settle_resv(&mut self, id: ResvAdId, forward: &[RawObject]) {
        let Some(ad) = self.state.resv_ads.get_mut(id) else { return };
        let merge_blockaded = core::mem::replace(&mut ad.dirty, Dirty::No) != Dirty::ByError;
        let ad = &self.state.resv_ads[id];
        match self.resv_content(ad, merge_blockaded) {
            Content::Blockaded => {
                self.state.resv_ads[id].blockaded = true;
                self.look_again(id);
            }
            // The route may be under repair: what the previous hop was told stands until it is known better.
            Content::Unrouted if ad.told.is_some() => self.look_again(id),
            Content::Unrouted | Content::Nothing => {
                self.tear_dropped(id, None, forward);
                self.forget_resv_ad(id);
            }
            Content::Flows(told, is_blockaded) => {
                self.tear_dropped(id, Some(&told), forward);
                let ad = &mut self.state.resv_ads[id];
                ad.blockaded = is_blockaded;
                let is_news = ad.told.as_ref() != Some(&told);
                // A request for confirmation waits until the one before it has arrived.
                let asks = !ad.confirms.is_empty() && ad.confirming.is_none();
                if is_news {
                    self.leave_seat(OutboxItem::Resv(id));
                }
                if is_news || asks {
                    self.queue_resv(id);
                }
            }
        }
    }

    pub(crate) fn queue_resv(&mut self, id: ResvAdId) {
        let ad = &self.state.resv_ads[id];
        if !ad.queued {
            let lane = self.lane_to(ad.interface, ad.hop.address);
            self.state.resv_ads[id].queued = true;
            self.enqueue(lane, OutboxItem::Resv(id));
        }
    }

    /// When this Resv is due it has to be looked at: it must not be refreshed together with others as it stands.
    fn look_again(&mut self, id: ResvAdId) {
        let item = OutboxItem::Resv(id);
        self.leave_seat(item);
        let ad = &self.state.resv_ads[id];
        if ad.told.is_some() && ad.timer.is_none() {
            let wait = self.jitter(self.refresh_period(ad.interface));
            self.refresh_alone(item, wait);
        }
    }

    /// What a previous hop was told has shrunk without a Resv: the identifier of the last one must not refresh what is
    /// gone. The next refresh is a whole Resv.
    fn has_shrunk(&mut self, id: ResvAdId) {
        self.look_again(id);
        self.disown(OutboxItem::Resv(id));
        self.state.resv_ads[id].fingerprint = None;
    }

    /// Tears what the previous hop was told and what `new` no longer has.
    fn tear_dropped(&mut self, id: ResvAdId, new: Option<&Told>, forward: &[RawObject]) {
        let ad = &mut self.state.resv_ads[id];
        let Some(told) = &mut ad.told else { return };
        let same_style = new.filter(|new| new.style == told.style);
        let keeps = |filter: &FilterSpec| {
            same_style.is_some_and(|new| new.flows.iter().any(|flow| flow.filters.contains(filter)))
        };
        let style = told.style;
        let flows: Vec<FlowDescriptor> = match style {
            Style::Wf if same_style.is_some() => return,
            Style::Wf => alloc::vec![FlowDescriptor { flowspec: None, filters: Vec::new() }],
            Style::Ff | Style::Se => told
                .flows
                .iter()
                .map(|flow| FlowDescriptor {
                    flowspec: None,
                    filters: flow.filters.iter().copied().filter(|filter| !keeps(filter)).collect(),
                })
                .filter(|flow| !flow.filters.is_empty())
                .collect(),
        };
        if flows.is_empty() {
            return;
        }
        let scope = told.scope.clone();
        for flow in &mut told.flows {
            flow.filters.retain(&keeps);
        }
        told.flows.retain(|flow| !flow.filters.is_empty());
        if told.flows.is_empty() {
            ad.told = None;
        }
        let (session, interface, destination) = (ad.session, ad.interface, ad.hop.address);
        let Some(own) = self.address_towards(interface, destination) else { return };
        let tear = ResvTear {
            session: Session { key: self.state.sessions[session].key, flags: 0 },
            hop: RsvpHop { address: own, lih: self.state.resv_ads[id].hop.lih },
            scope,
            style,
            flows,
            forward: forward.to_vec(),
        };
        self.has_shrunk(id);
        self.send_hop_by_hop(interface, destination, Message::ResvTear(tear));
    }

    /// Ends an advertisement: tears what was told, and forgets it.
    pub(super) fn end_resv_ad(&mut self, id: ResvAdId) {
        let Some(session) = self.state.resv_ads.get(id).map(|ad| ad.session) else { return };
        self.tear_dropped(id, None, &[]);
        self.forget_resv_ad(id);
        self.state.drop_if_empty(session);
    }

    /// Keeps the session, even if this was the last of it.
    fn forget_resv_ad(&mut self, id: ResvAdId) {
        self.disown(OutboxItem::Resv(id));
        let Some(ad) = self.state.resv_ads.remove(id) else { return };
        if let Some(timer) = ad.timer {
            self.timers.cancel(timer);
        }
        self.state.neighbors.remove_advertised(ad.interface, ad.hop.address);
        remove_from(&mut self.state.sessions[ad.session].resv_ads, &id);
    }

    /// A previous hop has another address or LIH now, or none: what it was told is void, without a tear, unless
    /// other senders still come from it.
    pub(super) fn forget_told(&mut self, session: SessionId, hop: RsvpHop, interface: InterfaceId) {
        let is_used = self.state.sessions[session]
            .psbs
            .iter()
            .any(|psb| self.state.psbs[*psb].previous_hop() == Some((hop, interface)));
        if !is_used && let Some(ad) = self.find_resv_ad(session, hop, interface) {
            self.forget_resv_ad(ad);
        }
    }

    /// A sender is gone from a previous hop, which knows: no tear for it.
    pub(super) fn forget_told_sender(
        &mut self,
        session: SessionId,
        sender: &SenderTemplate,
        hop: RsvpHop,
        interface: InterfaceId,
    ) {
        self.forget_told(session, hop, interface);
        let Some(ad) = self.find_resv_ad(session, hop, interface) else { return };
        if let Some(told) = &mut self.state.resv_ads[ad].told
            && told.style != Style::Wf
        {
            for flow in &mut told.flows {
                flow.filters.retain(|filter| filter != sender);
            }
            told.flows.retain(|flow| !flow.filters.is_empty());
            self.has_shrunk(ad);
        }
    }

    /// Where the confirmation of a TCSB has to come from: from beyond the advertisements in which its request is larger
    /// than all others that are not blockaded there, or from here where it is not, or where the senders are here. `None`:
    /// from nowhere, since it is blockaded (RFC 2205 section 3.1.4).
    pub(super) fn asked_for_by(&self, id: TcsbId) -> Option<Vec<ResvAdId>> {
        let tcsb = &self.state.tcsbs[id];
        let session = &self.state.sessions[tcsb.session];
        let mut is_blockaded = false;
        let mut ends_here = false;
        let mut ads = Vec::new();
        for psb in &session.psbs {
            let psb = &self.state.psbs[*psb];
            if tcsb.style != Style::Wf && !tcsb.desired.filters.contains(&psb.sender) {
                continue;
            }
            let Some((hop, interface)) = psb.previous_hop() else { continue };
            let Some(ad) = self.find_resv_ad(tcsb.session, hop, interface) else { continue };
            if self.is_blockaded(psb, &self.state.resv_ads[ad], &tcsb.desired.flowspec) {
                is_blockaded = true;
            } else if !self.is_largest(id, psb, &self.state.resv_ads[ad]) {
                ends_here = true;
            } else if !ads.contains(&ad) {
                ads.push(ad);
            }
        }
        (ends_here || !ads.is_empty() || !is_blockaded).then_some(ads)
    }

    /// Whether a TCSB asks for more than all others, and than what is reserved here, of what a previous hop is asked for:
    /// that leaves out what is blockaded.
    fn is_largest(&self, id: TcsbId, psb: &Psb, ad: &ResvAd) -> bool {
        let tcsb = &self.state.tcsbs[id];
        let session = &self.state.sessions[tcsb.session];
        let is_larger = |other: &Flowspec| {
            self.admission.compare(tcsb.desired.forwarded(), other) == Relation::Larger
                || self.is_blockaded(psb, ad, other)
        };
        let is_larger_than_others = session.tcsbs.iter().filter(|other| **other != id).all(|other| {
            let other = &self.state.tcsbs[*other];
            let overlaps = tcsb.style == Style::Wf
                || other.desired.filters.iter().any(|filter| tcsb.desired.filters.contains(filter));
            !overlaps || is_larger(other.desired.forwarded())
        });
        is_larger_than_others
            && session.rsbs.iter().all(|rsb| {
                let rsb = &self.state.rsbs[*rsb];
                rsb.next_hop.interface().is_some()
                    || rsb.denied
                    || !(tcsb.style == Style::Wf || tcsb.desired.filters.iter().any(|f| rsb.matches(f)))
                    || is_larger(&rsb.contents.flowspec)
            })
    }

    /// Asks a previous hop for a confirmation to `receiver`.
    pub(super) fn ask_confirmation(&mut self, id: ResvAdId, receiver: IpAddr) {
        let confirms = &mut self.state.resv_ads[id].confirms;
        if !confirms.contains(&receiver) && confirms.len() < self.config.limits.reservations_per_session {
            confirms.push_back(receiver);
        }
        self.mark_resv_ad(id, Dirty::Yes);
    }

    /// A local receiver of the advertised senders that still waits for its confirmation.
    pub(crate) fn waiting_receiver(&self, ad: &ResvAd) -> Option<IpAddr> {
        let session = &self.state.sessions[ad.session];
        session.rsbs.iter().map(|rsb| &self.state.rsbs[*rsb]).find_map(|rsb| {
            let is_ours = matches!(rsb.next_hop, NextHopId::Local(_));
            let concerns = || {
                session.psbs.iter().map(|psb| &self.state.psbs[*psb]).any(|psb| {
                    psb.previous_hop() == Some((ad.hop, ad.interface))
                        && rsb.matches(&psb.sender)
                        && self.brings(psb, self.place_of(rsb))
                })
            };
            rsb.confirm.filter(|_| is_ours && !rsb.denied && !rsb.is_confirmed && concerns())
        })
    }
}
