//! RESV CONFIRM ARRIVES (RFC 2209 section 2).

use super::datagram::Received;
use crate::counters::DropReason;
use crate::event::Upcall;
use crate::node::Node;
use crate::state::{NextHopId, RsbId};
use crate::wire::ResvConf;

impl Node {
    /// A ResvConf for a receiver here is an upcall; any other goes on towards its receiver.
    pub(super) fn on_resv_conf(
        &mut self,
        received: &Received<'_>,
        confirmation: ResvConf,
    ) -> Result<(), DropReason> {
        // In UDP or a Bundle it comes to this node, to be passed on (RFC 2205 Appendix C, RFC 2961 section 3.3).
        if !received.udp && !received.is_bundled && received.datagram.destination != confirmation.confirm {
            return Err(DropReason::Inconsistent);
        }
        if !self.state.is_own(confirmation.confirm) {
            if !self.config.router {
                return Err(DropReason::NotForUs);
            }
            let ttl = received.ttl.saturating_sub(1);
            if ttl == 0 {
                return Err(DropReason::TtlExpired);
            }
            self.send_resv_conf(confirmation, received.datagram.source, ttl);
            return Ok(());
        }
        let session = self.state.session(&confirmation.session.key).ok_or(DropReason::NoState)?;
        let waiting: alloc::vec::Vec<RsbId> = self.state.sessions[session]
            .rsbs
            .iter()
            .copied()
            .filter(|rsb| {
                let rsb = &self.state.rsbs[*rsb];
                rsb.confirm == Some(confirmation.confirm)
                    && (confirmation.flows.iter().any(|flow| {
                        flow.filters.is_empty() || flow.filters.iter().any(|filter| rsb.matches(filter))
                    }))
            })
            .collect();
        if waiting.is_empty() {
            return Err(DropReason::NoState);
        }
        for rsb in waiting {
            let confirmed = Upcall::Confirmed {
                node: confirmation.error.node,
                style: confirmation.style,
                flows: confirmation.flows.clone(),
            };
            self.confirmed(rsb, confirmed);
        }
        Ok(())
    }

    /// Tells a local receiver that its reservation stands, as often as somebody says so; this node asks no more.
    pub(super) fn confirmed(&mut self, id: RsbId, upcall: Upcall) {
        let rsb = &mut self.state.rsbs[id];
        let NextHopId::Local(api) = rsb.next_hop else { return };
        rsb.is_confirmed = true;
        rsb.refused = None;
        let key = self.state.sessions[rsb.session].key;
        self.upcall(api, key, upcall);
    }
}
