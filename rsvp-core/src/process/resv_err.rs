//! RERR MESSAGE ARRIVES (RFC 2209 section 2).

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::net::IpAddr;

use super::datagram::{Received, error_cause};
use super::errors::rejects_id;
use super::resv::rsb_subject;
use crate::counters::DropReason;
use crate::event::{Cause, Change, Subject, Upcall};
use crate::input::InterfaceId;
use crate::intserv::Relation;
use crate::node::Node;
use crate::state::{Bsb, Dirty, NextHopId, OutboxItem, PsbId, RsbId, SessionId, TimerKey};
use crate::wire::{ErrorCode, ErrorSpec, FilterSpec, FlowDescriptor, Flowspec, ResvErr, RsvpHop, Style};

impl Node {
    /// A ResvErr counts only from a previous hop, and in the style that is in use: it answers a Resv of this node.
    pub(super) fn on_resv_err(&mut self, received: &Received<'_>, error: &ResvErr) -> Result<(), DropReason> {
        let session = self.state.session(&error.session.key).ok_or(DropReason::NoState)?;
        let comes_from = |psb: &PsbId| {
            self.state.psbs[*psb].previous_hop().is_some_and(|(hop, _)| hop.address == error.hop.address)
        };
        if !self.state.sessions[session].psbs.iter().any(comes_from)
            || self.style_of(session) != Some(error.style)
        {
            return Err(DropReason::NoState);
        }
        let is_rejected_id = rejects_id(&error.error);
        for ad in self.state.sessions[session].resv_ads.clone() {
            if self.state.resv_ads[ad].hop.address != error.hop.address {
                continue;
            }
            let from = (received.interface, error.hop.address);
            self.is_answered_by_error(from, OutboxItem::Resv(ad), is_rejected_id);
        }
        // It is between this node and the previous hop: nobody else could do anything about it.
        if is_rejected_id {
            return Ok(());
        }
        let flow = error.flows.first().ok_or(DropReason::MissingObject)?;
        if self.is_of_a_former_hop(session, error, flow) {
            return Ok(());
        }
        if error.error.error_code() == ErrorCode::ADMISSION_CONTROL_FAILURE
            && let Some(flowspec) = &flow.flowspec
        {
            self.blockade(session, error, flow, flowspec);
        }
        let scopes = self.narrowed_scopes(session, error);
        let reached = self.reached_from(session, error.hop.address);
        for rsb in self.state.sessions[session].rsbs.clone() {
            if !self.is_reached(&reached, rsb) {
                continue;
            }
            self.pass_resv_err(rsb, received.interface, error, flow, &scopes);
        }
        Ok(())
    }

    /// After a change of route a unicast sender is known from its former previous hop and from its new one, and both are
    /// asked. From the former comes the answer that no path leads here any more, and receivers need not know: they have
    /// their reservation by the new one. Where the former previous hop itself says so, its path state goes; where a node
    /// beyond it does, it is still refreshed, and dies with that. Tells whether the error was about nothing else.
    fn is_of_a_former_hop(&mut self, session: SessionId, error: &ResvErr, flow: &FlowDescriptor) -> bool {
        let is_lost = matches!(
            error.error.error_code(),
            ErrorCode::NO_PATH_INFORMATION | ErrorCode::NO_SENDER_INFORMATION
        );
        if !is_lost || error.session.key.destination().is_multicast() {
            return false;
        }
        let says_so_itself = error.error.node == error.hop.address;
        let psbs = &self.state.sessions[session].psbs;
        let concerned = psbs.iter().copied().filter(|psb| {
            let psb = &self.state.psbs[*psb];
            psb.previous_hop().is_some_and(|(hop, _)| hop.address == error.hop.address)
                && (error.style == Style::Wf || flow.filters.contains(&psb.sender))
        });
        let (mut is_former, mut is_other) = (false, false);
        for psb in concerned.collect::<Vec<_>>() {
            // One after the other: of several that came from this hop, the last one stays.
            if says_so_itself && self.heir(psb).is_some() {
                self.remove_psb(psb, &error_cause(error.error.code, error.error.value));
                is_former = true;
            } else if self.is_silent(psb) {
                is_former = true;
            } else {
                is_other = true;
            }
        }
        is_former && !is_other
    }

    /// Creates or renews the blockade states that the error calls for: for WF one for the previous hop, else one for
    /// each of its senders that the error names.
    fn blockade(&mut self, session: SessionId, error: &ResvErr, flow: &FlowDescriptor, flowspec: &Flowspec) {
        let hop = error.hop.address;
        let mut blockades: Vec<(InterfaceId, Option<FilterSpec>)> = Vec::new();
        for psb in &self.state.sessions[session].psbs {
            let psb = &self.state.psbs[*psb];
            let Some((_, interface)) = psb.previous_hop().filter(|(previous, _)| previous.address == hop)
            else {
                continue;
            };
            if error.style == Style::Wf {
                blockades.push((interface, None));
            } else if flow.filters.contains(&psb.sender) {
                blockades.push((interface, Some(psb.sender)));
            }
        }
        blockades.sort_unstable();
        blockades.dedup();
        for (interface, sender) in blockades {
            let multiple = self.interface_config(interface).blockade_multiple;
            let end = self.now + self.refresh_period(interface).saturating_mul(multiple);
            self.blockade_one(session, hop, interface, sender, flowspec, end);
        }
        self.report(
            Some(error.session.key),
            Subject::Blockade { previous_hop: hop },
            Change::Created,
            error_cause(error.error.code, error.error.value),
        );
        let ads: Vec<_> = self.state.sessions[session].resv_ads.clone();
        for ad in ads {
            let of = &self.state.resv_ads[ad];
            if of.hop.address == hop {
                self.mark_resv_ad(ad, Dirty::ByError);
            }
        }
    }

    fn blockade_one(
        &mut self,
        session: SessionId,
        previous_hop: IpAddr,
        interface: InterfaceId,
        sender: Option<FilterSpec>,
        flowspec: &Flowspec,
        end: crate::Instant,
    ) {
        let known = self.state.sessions[session].bsbs.iter().copied().find(|bsb| {
            let bsb = &self.state.bsbs[*bsb];
            bsb.previous_hop == previous_hop && bsb.interface == interface && bsb.sender == sender
        });
        let id = known.unwrap_or_else(|| {
            let bsb =
                Bsb { session, previous_hop, interface, sender, flowspec: flowspec.clone(), timer: None };
            let id = self.state.bsbs.insert(bsb);
            self.state.sessions[session].bsbs.push(id);
            id
        });
        let bsb = &mut self.state.bsbs[id];
        bsb.flowspec = flowspec.clone();
        self.timers.arm(&mut bsb.timer, end, TimerKey::Bsb(id));
    }

    /// The path state from a previous hop, and the interfaces that its senders leave by.
    fn reached_from(&self, session: SessionId, hop: IpAddr) -> (Vec<PsbId>, BTreeSet<InterfaceId>) {
        let psbs = self.state.sessions[session].psbs.iter().copied();
        let comes_from = |psb: &PsbId| {
            self.state.psbs[*psb].previous_hop().is_some_and(|(previous, _)| previous.address == hop)
        };
        let psbs: Vec<_> = psbs.filter(comes_from).collect();
        let ads = psbs.iter().flat_map(|psb| &self.state.psbs[*psb].ads);
        let interfaces = ads.map(|ad| self.state.path_ads[*ad].interface).collect();
        (psbs, interfaces)
    }

    /// Whether a reservation in a group can have been asked for of a previous hop: Local_Only path state is for receivers
    /// here alone (RFC 2205 section 3.9).
    fn is_reached(&self, (psbs, interfaces): &(Vec<PsbId>, BTreeSet<InterfaceId>), id: RsbId) -> bool {
        let rsb = &self.state.rsbs[id];
        if !self.state.sessions[rsb.session].key.destination().is_multicast() {
            return true;
        }
        match rsb.next_hop.interface() {
            Some(interface) => interfaces.contains(&interface),
            None => psbs.iter().any(|psb| self.brings(&self.state.psbs[*psb], self.place_of(rsb))),
        }
    }

    /// Passes the error on to one RSB that has a part in it.
    fn pass_resv_err(
        &mut self,
        id: RsbId,
        incoming: InterfaceId,
        error: &ResvErr,
        flow: &FlowDescriptor,
        scopes: &BTreeMap<InterfaceId, Vec<IpAddr>>,
    ) {
        let rsb = &self.state.rsbs[id];
        let concerns = error.style == Style::Wf
            || rsb.style == Style::Wf
            || flow.filters.iter().any(|filter| rsb.matches(filter));
        // Data of a group does not leave by the interface that it came in on; other data may (one-armed routing), but
        // not back to the previous hop.
        let goes_back = if error.session.key.destination().is_multicast() {
            rsb.next_hop.interface() == Some(incoming)
        } else {
            rsb.next_hop.address() == Some(error.hop.address)
        };
        if !concerns || goes_back {
            return;
        }
        let relation = flow.flowspec.as_ref().map(|qe| self.admission.compare(qe, &rsb.contents.flowspec));
        let is_larger = relation == Some(Relation::Larger);
        let is_admission = error.error.error_code() == ErrorCode::ADMISSION_CONTROL_FAILURE;
        // A smaller reservation than the one in error is in place upstream: its receiver has no part in it.
        if is_admission && error.error.flags & ErrorSpec::IN_PLACE != 0 && is_larger {
            return;
        }
        // NotGuilty is for the receiver's own node to say.
        let mut spec = ErrorSpec { flags: error.error.flags & !ErrorSpec::NOT_GUILTY, ..error.error };
        match rsb.next_hop {
            NextHopId::Local(api) => {
                if is_larger {
                    spec.flags |= ErrorSpec::NOT_GUILTY;
                }
                let (key, subject) = (error.session.key, rsb_subject(rsb));
                let cause = error_cause(spec.code, spec.value);
                let rsb = &mut self.state.rsbs[id];
                let is_news = rsb.refused.replace(cause.clone()).as_ref() != Some(&cause);
                // Whoever wanted to know that it stands wants to know when it stands again.
                rsb.is_confirmed = false;
                if is_news {
                    self.report(Some(key), subject, Change::Refused, cause);
                }
                let upcall = Upcall::ResvError {
                    error: spec,
                    style: error.style,
                    flows: error.flows.clone(),
                    policy: error.policy.clone(),
                };
                self.upcall(api, key, upcall);
            }
            NextHopId::Hop(address, interface) => {
                let scope = scopes.get(&interface).cloned();
                if error.scope.is_some() && scope.is_none() {
                    return;
                }
                // The filters are those of the reservation here (RFC 2205 section 3.1.8).
                let filters = flow.filters.iter().copied().filter(|filter| rsb.matches(filter)).collect();
                let flow = FlowDescriptor { flowspec: flow.flowspec.clone(), filters };
                let hop = RsvpHop { address, lih: interface.0 };
                let flows = alloc::vec![flow];
                self.send_resv_err(ResvErr { hop, error: spec, scope, flows, ..error.clone() });
            }
        }
    }

    /// For WF: the senders of the error's SCOPE that leave by each interface. The SCOPE may be as long as a datagram,
    /// so it is gone through once for the session, not once for each reservation and sender.
    fn narrowed_scopes(&self, session: SessionId, error: &ResvErr) -> BTreeMap<InterfaceId, Vec<IpAddr>> {
        let mut scopes: BTreeMap<InterfaceId, Vec<IpAddr>> = BTreeMap::new();
        let Some(scope) = &error.scope else { return scopes };
        let wanted: BTreeSet<IpAddr> = scope.iter().copied().collect();
        let mut taken = BTreeSet::new();
        for psb in &self.state.sessions[session].psbs {
            let psb = &self.state.psbs[*psb];
            let source = psb.sender.source();
            let outgoing = psb.ads.iter().map(|ad| self.state.path_ads[*ad].interface);
            for interface in outgoing.filter(|_| wanted.contains(&source)) {
                if taken.insert((interface, source)) {
                    scopes.entry(interface).or_default().push(source);
                }
            }
        }
        for scope in scopes.values_mut() {
            scope.sort_unstable();
        }
        scopes
    }

    /// A blockade has ended: the previous hop is asked again.
    pub(super) fn on_blockade_end(&mut self, id: crate::state::BsbId) {
        let Some(bsb) = self.state.bsbs.remove(id) else { return };
        super::remove_from(&mut self.state.sessions[bsb.session].bsbs, &id);
        let key = self.state.sessions[bsb.session].key;
        let subject = Subject::Blockade { previous_hop: bsb.previous_hop };
        self.report(Some(key), subject, Change::Removed, Cause::Expired);
        self.mark_upstream(bsb.session, bsb.sender.as_ref());
        self.state.drop_if_empty(bsb.session);
    }
}
