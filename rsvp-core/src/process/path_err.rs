//! PERR MESSAGE ARRIVES (RFC 2209 section 2).

use crate::counters::DropReason;
use crate::node::Node;
use crate::wire::{Message, PathErr};

impl Node {
    /// A PathErr changes no state: it goes on towards the sender, or up to its application.
    pub(super) fn on_path_err(&mut self, error: &PathErr) -> Result<(), DropReason> {
        let session = self.state.session(&error.session.key).ok_or(DropReason::NoState)?;
        let psb = self
            .forwarder(session, &error.sender_template)
            .or_else(|| self.find_psb(session, &error.sender_template, |_| true))
            .ok_or(DropReason::NoState)?;
        match self.state.psbs[psb].previous_hop() {
            None => self.deliver_path_error(psb, error.error, error.policy.clone()),
            Some((hop, interface)) => {
                self.send_hop_by_hop(interface, hop.address, Message::PathErr(error.clone()));
            }
        }
        Ok(())
    }
}
