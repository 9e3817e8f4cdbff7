//! Sender and receiver on the same node: no message passes between them and no interface is reserved, but the
//! applications hear of each other as they would over a network.

use alloc::vec::Vec;

use crate::event::{Cause, Upcall};
use crate::node::Node;
use crate::state::{PathOrigin, Psb, Rsb, RsbId, SessionId};
use crate::wire::FlowDescriptor;

impl Psb {
    /// Whether it is of an application here, for receivers here.
    pub(crate) fn stays_within(&self) -> bool {
        self.local && !self.denied && matches!(self.origin, PathOrigin::Local(_))
    }

    /// Whether its data reaches applications here: it comes from the network, or stays within this node.
    pub(super) fn reaches_here(&self) -> bool {
        self.previous_hop().is_some() || self.stays_within()
    }
}

impl Node {
    /// Whether a reservation is for a sender on this node.
    pub(crate) fn is_within(&self, rsb: &Rsb) -> bool {
        rsb.next_hop.interface().is_none()
            && !rsb.denied
            && self.state.sessions[rsb.session].psbs.iter().any(|psb| {
                let psb = &self.state.psbs[*psb];
                psb.stays_within() && rsb.matches(&psb.sender)
            })
    }

    /// Tells senders here what receivers here reserve, and those who asked for it that it stands.
    pub(super) fn reserve_within(&mut self, session: SessionId) {
        let within: Vec<RsbId> = self.state.sessions[session]
            .rsbs
            .iter()
            .copied()
            .filter(|rsb| self.is_within(&self.state.rsbs[*rsb]))
            .collect();
        for id in within {
            let rsb = &self.state.rsbs[id];
            let (style, filters, flowspec) = (rsb.style, rsb.filters(), rsb.contents.flowspec.clone());
            let confirm = rsb.confirm.filter(|_| !rsb.is_confirmed);
            let policy = rsb.policy.onward().to_vec();
            let stands = Upcall::Resv { style, flowspec: flowspec.clone(), filters: filters.clone(), policy };
            self.tell_senders(session, &filters, &stands);
            if let Some(node) = confirm {
                let flows = alloc::vec![FlowDescriptor { flowspec: Some(flowspec), filters }];
                self.confirmed(id, Upcall::Confirmed { node, style, flows });
            }
        }
    }

    /// Tells senders here that a receiver here no longer reserves.
    pub(super) fn release_within(&mut self, id: RsbId, cause: &Cause) {
        let rsb = &self.state.rsbs[id];
        if self.is_within(rsb) {
            let (session, filters) = (rsb.session, rsb.filters());
            let gone = Upcall::ResvGone { filters: filters.clone(), cause: cause.clone() };
            self.tell_senders(session, &filters, &gone);
        }
    }
}
