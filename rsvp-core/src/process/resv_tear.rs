//! RTEAR MESSAGE ARRIVES (RFC 2209 section 2).

use super::datagram::Received;
use crate::counters::DropReason;
use crate::event::Cause;
use crate::node::Node;
use crate::state::NextHopId;
use crate::wire::{ResvTear, Style};

impl Node {
    /// Removes what the next hop no longer asks for. What that means for the previous hops (a ResvTear, or a smaller
    /// Resv, or nothing) follows from the merged state.
    pub(super) fn on_resv_tear(
        &mut self,
        received: &Received<'_>,
        tear: &ResvTear,
    ) -> Result<(), DropReason> {
        let interface = self.outgoing_interface(received, &tear.hop)?;
        let next_hop = NextHopId::Hop(tear.hop.address, interface);
        let session = self.state.session(&tear.session.key).ok_or(DropReason::NoState)?;
        if self.style_of(session).is_some_and(|style| style != tear.style) {
            return Err(DropReason::Inconsistent);
        }
        if self.is_late_for_rsbs(session, &next_hop, tear.style, &tear.flows, received.message_id) {
            return Err(DropReason::OutOfOrder);
        }
        let mut found = false;
        if tear.style == Style::Wf {
            if let Some(rsb) = self.find_rsb(session, &next_hop, None) {
                self.remove_rsb(rsb, &Cause::ResvTear);
                found = true;
            }
        } else {
            for flow in &tear.flows {
                let distinct = if tear.style == Style::Ff { flow.filters.first() } else { None };
                if let Some(rsb) = self.find_rsb(session, &next_hop, distinct) {
                    self.remove_filters(rsb, &flow.filters, &Cause::ResvTear);
                    if let Some(rsb) = self.state.rsbs.get_mut(rsb) {
                        rsb.message_id = received.message_id;
                    }
                    found = true;
                }
            }
        }
        self.settle_upstream(&tear.forward);
        self.state.drop_if_empty(session);
        if found { Ok(()) } else { Err(DropReason::NoState) }
    }
}
