//! PTEAR MESSAGE ARRIVES (RFC 2209 section 2).

use super::datagram::Received;
use crate::counters::DropReason;
use crate::event::Cause;
use crate::node::Node;
use crate::wire::PathTear;

impl Node {
    /// A PathTear counts only from the previous hop that the path state came from: another path to the same sender
    /// is other state. For multicast the interface has to match, too (RFC 2205 section 3.1.5).
    pub(super) fn on_path_tear(
        &mut self,
        received: &Received<'_>,
        tear: &PathTear,
    ) -> Result<(), DropReason> {
        let key = tear.session.key;
        let session = self.state.session(&key).ok_or(DropReason::NoState)?;
        let is_multicast = key.destination().is_multicast();
        let psb = self
            .find_psb(session, &tear.sender_template, |psb| {
                psb.previous_hop().is_some_and(|(hop, interface)| {
                    hop.address == tear.hop.address && (!is_multicast || interface == received.interface)
                })
            })
            .ok_or(DropReason::NoState)?;
        if self.is_late_for_psb(psb, tear.hop.address, received.message_id) {
            return Err(DropReason::OutOfOrder);
        }
        // Unknown objects go on in the same message (RFC 2205 section 3.10).
        self.state.psbs[psb].forward.clone_from(&tear.forward);
        self.remove_psb(psb, &Cause::PathTear);
        Ok(())
    }
}
