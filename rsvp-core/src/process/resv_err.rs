//! RERR MESSAGE ARRIVES (RFC 2209 section 2).

use alloc::vec::Vec;
use core::net::IpAddr;

use super::datagram::{Received, error_cause};
use super::resv::rsb_subject;
use crate::counters::DropReason;
use crate::event::{Cause, Change, Subject, Upcall};
use crate::input::InterfaceId;
use crate::intserv::{self, Relation};
use crate::node::{DirtyResv, Node};
use crate::state::{Bsb, NextHopId, RsbId, SessionId, TimerKey};
use crate::wire::{ErrorCode, ErrorSpec, FilterSpec, FlowDescriptor, Flowspec, ResvErr, Style};

impl Node {
    pub(super) fn on_resv_err(&mut self, received: &Received<'_>, error: &ResvErr) -> Result<(), DropReason> {
        let session = self.state.session(&error.session.key).ok_or(DropReason::NoState)?;
        if self.state.sessions[session].psbs.is_empty() {
            return Err(DropReason::NoState);
        }
        let flow = error.flows.first().ok_or(DropReason::MissingObject)?;
        if error.error.error_code() == ErrorCode::ADMISSION_CONTROL_FAILURE
            && let Some(flowspec) = &flow.flowspec
        {
            self.blockade(session, received.interface, error, flow, flowspec);
        }
        for rsb in self.state.sessions[session].rsbs.clone() {
            self.pass_resv_err(rsb, received.interface, error, flow);
        }
        Ok(())
    }

    /// Creates or renews the blockade states that the error calls for.
    fn blockade(
        &mut self,
        session: SessionId,
        interface: InterfaceId,
        error: &ResvErr,
        flow: &FlowDescriptor,
        flowspec: &Flowspec,
    ) {
        let hop = error.hop.address;
        let is_neighbor = self.state.sessions[session].psbs.iter().any(|psb| {
            self.state.psbs[*psb]
                .previous_hop()
                .is_some_and(|(previous, incoming)| previous.address == hop && incoming == interface)
        });
        if !is_neighbor {
            return;
        }
        let config = self.interface_config(interface);
        let end = self.now + config.refresh * config.blockade_multiple;
        let senders: Vec<Option<FilterSpec>> = match error.style {
            Style::Wf => alloc::vec![None],
            _ => flow.filters.iter().copied().map(Some).collect(),
        };
        for sender in senders {
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
            if of.hop.address == hop && of.interface == interface {
                self.dirty_resvs.push(DirtyResv { ad, from_error: true });
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
        match bsb.timer {
            Some(timer) => {
                self.timers.reschedule(timer, end);
            }
            None => bsb.timer = Some(self.timers.insert(end, TimerKey::Bsb(id))),
        }
    }

    /// Passes the error on to one RSB that has a part in it.
    fn pass_resv_err(&mut self, id: RsbId, incoming: InterfaceId, error: &ResvErr, flow: &FlowDescriptor) {
        let rsb = &self.state.rsbs[id];
        let concerns = error.style == Style::Wf
            || rsb.style == Style::Wf
            || flow.filters.iter().any(|filter| rsb.matches(filter));
        if !concerns || rsb.next_hop.interface() == Some(incoming) {
            return;
        }
        let relation = flow.flowspec.as_ref().map(|qe| intserv::compare(qe, &rsb.contents.flowspec));
        let is_larger = relation == Some(Relation::Larger);
        let is_admission = error.error.error_code() == ErrorCode::ADMISSION_CONTROL_FAILURE;
        // A smaller reservation than the one in error is in place upstream: its receiver has no part in it.
        if is_admission && error.error.flags & ErrorSpec::IN_PLACE != 0 && is_larger {
            return;
        }
        let mut spec = error.error;
        match rsb.next_hop {
            NextHopId::Local(api) => {
                if is_larger {
                    spec.flags |= ErrorSpec::NOT_GUILTY;
                }
                let (key, subject) = (error.session.key, rsb_subject(rsb));
                let cause = error_cause(spec.code, spec.value);
                self.state.rsbs[id].refused = Some(cause.clone());
                self.report(Some(key), subject, Change::Refused, cause);
                let upcall =
                    Upcall::ResvError { error: spec, style: error.style, flows: error.flows.clone() };
                self.upcall(api, key, upcall);
            }
            NextHopId::Hop(_, interface) => {
                let Ok(scope) = self.narrowed_scope(rsb.session, interface, error) else { return };
                let next_hop = rsb.next_hop;
                self.resv_err(next_hop, error.session.key, spec, error.style, flow.clone(), scope);
            }
        }
    }

    /// For WF: the senders of the error's SCOPE that leave by this interface. `Err`: there are none.
    fn narrowed_scope(
        &self,
        session: SessionId,
        interface: InterfaceId,
        error: &ResvErr,
    ) -> Result<Option<Vec<IpAddr>>, ()> {
        let Some(scope) = &error.scope else { return Ok(None) };
        let narrowed: Vec<IpAddr> = scope
            .iter()
            .copied()
            .filter(|address| {
                self.state.sessions[session].psbs.iter().any(|psb| {
                    let psb = &self.state.psbs[*psb];
                    psb.sender.source() == *address && self.routes_to(session, Some(&psb.sender), interface)
                })
            })
            .collect();
        if narrowed.is_empty() { Err(()) } else { Ok(Some(narrowed)) }
    }

    /// A blockade has ended: the previous hop is asked again.
    pub(super) fn on_blockade_end(&mut self, id: crate::state::BsbId) {
        let Some(bsb) = self.state.bsbs.remove(id) else { return };
        super::remove_from(&mut self.state.sessions[bsb.session].bsbs, &id);
        let key = self.state.sessions[bsb.session].key;
        let subject = Subject::Blockade { previous_hop: bsb.previous_hop };
        self.report(Some(key), subject, Change::Removed, Cause::Expired);
        self.mark_upstream(bsb.session);
        self.state.drop_if_empty(bsb.session);
    }
}
