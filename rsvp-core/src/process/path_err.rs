//! PERR MESSAGE ARRIVES (RFC 2209 section 2).

use super::datagram::Received;
use super::errors::rejects_id;
use crate::counters::DropReason;
use crate::node::Node;
use crate::state::OutboxItem;
use crate::wire::{Message, PathErr};

impl Node {
    /// A PathErr changes no state: it goes on towards the sender, or up to its application.
    pub(super) fn on_path_err(&mut self, received: &Received<'_>, error: &PathErr) -> Result<(), DropReason> {
        let session = self.state.session(&error.session.key).ok_or(DropReason::NoState)?;
        let psb = self
            .forwarder(session, &error.sender_template)
            .or_else(|| self.find_psb(session, &error.sender_template, |_| true))
            .ok_or(DropReason::NoState)?;
        let is_rejected_id = rejects_id(&error.error);
        for ad in self.state.psbs[psb].ads.clone() {
            if self.state.path_ads[ad].interface != received.interface {
                continue;
            }
            let from = (received.interface, received.datagram.source);
            self.is_answered_by_error(from, OutboxItem::Path(ad), is_rejected_id);
        }
        // It is between this node and the next hop: nobody else could do anything about it.
        if is_rejected_id {
            return Ok(());
        }
        match self.state.psbs[psb].previous_hop() {
            None => self.deliver_path_error(psb, error.error, error.policy.clone()),
            Some((hop, interface)) => {
                self.send_hop_by_hop(interface, hop.address, Message::PathErr(error.clone()));
            }
        }
        Ok(())
    }
}
