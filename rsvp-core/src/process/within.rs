//! Sender and receiver on the same node: no message passes between them and no interface is reserved, but the
//! applications hear of each other as they would over a network.

use alloc::vec::Vec;

use crate::event::{Cause, Upcall};
use crate::node::Node;
use crate::state::{PathOrigin, Psb, PsbId, Rsb, RsbId, SessionId};
use crate::wire::FlowDescriptor;

impl Psb {
    /// Whether it is of an application here, for receivers here; for a group, there may be others elsewhere.
    pub(crate) fn stays_within(&self) -> bool {
        self.local && !self.denied && matches!(self.origin, PathOrigin::Local(_))
    }

    /// Whether its data reaches applications here: it comes from the network, or stays within this node.
    pub(super) fn reaches_here(&self) -> bool {
        self.previous_hop().is_some() || self.stays_within()
    }
}

impl Node {
    /// Whether receivers here get a sender's data: its destination is this node, or a group that is received here.
    pub(super) fn set_local(&mut self, id: PsbId, is_destination: bool) {
        let psb = &self.state.psbs[id];
        let session = psb.session;
        let was_within = psb.stays_within();
        let is_local = is_destination || self.is_received(session);
        let psb = &mut self.state.psbs[id];
        psb.local = is_local;
        if psb.stays_within() && !was_within {
            self.tell_receivers(id);
            self.reserve_within(session);
        }
    }

    /// Whether an application here has joined the session's group.
    pub(super) fn is_received(&self, session: SessionId) -> bool {
        let apis = &self.state.sessions[session].apis;
        apis.iter().any(|api| self.state.apis.get(api).is_some_and(|app| app.group.is_some()))
    }

    /// Applications have joined a session's group or left it: its senders here hear of it, and each Resv may belong to
    /// another previous hop.
    pub(super) fn receivers_changed(&mut self, session: SessionId) {
        for id in self.state.sessions[session].psbs.clone() {
            let route = self.state.routes.get(&self.state.psbs[id].route);
            let answer = route.and_then(|entry| entry.answer.as_ref());
            let is_destination = answer.is_some_and(|route| route.local);
            self.set_local(id, is_destination);
        }
        self.mark_upstream(session, None);
    }

    /// Whether a reservation is for a sender on this node.
    pub(crate) fn is_within(&self, rsb: &Rsb) -> bool {
        rsb.next_hop.interface().is_none() && !rsb.denied && self.senders_of(rsb).any(Psb::stays_within)
    }

    /// The path state that a reservation is for.
    fn senders_of<'a>(&'a self, rsb: &'a Rsb) -> impl Iterator<Item = &'a Psb> {
        let psbs = &self.state.sessions[rsb.session].psbs;
        psbs.iter().map(|psb| &self.state.psbs[*psb]).filter(|psb| rsb.matches(&psb.sender))
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
            // Of senders elsewhere, others have to say that it stands.
            let is_only_within = self.senders_of(rsb).all(Psb::stays_within);
            let confirm = rsb.confirm.filter(|_| !rsb.is_confirmed && is_only_within);
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
