//! What neighbours send of RFC 2961, and what their messages tell about them.

use core::net::IpAddr;

use crate::counters::DropReason;
use crate::input::{Datagram, Encapsulation, InterfaceId, Route};
use crate::node::Node;
use crate::output::{Request, RouteKey};
use crate::process::datagram::{Received, drop_reason, octets};
use crate::state::{PsbId, RefreshTarget, UnmatchedId};
use crate::wire::{
    Acknowledgement, Bundle, FlaggedId, Head, IdEntries, Message, MessageId, RawMessage, Srefresh,
};

impl Node {
    /// Takes a Bundle apart. Its messages are handled as if each had come alone; one that is faulty is counted and does
    /// not harm the others.
    pub(crate) fn on_bundle(&mut self, datagram: &Datagram<'_>) -> Result<(), DropReason> {
        if !self.reduction(datagram.interface, datagram.source).bundle {
            return Err(DropReason::ExtensionDisabled);
        }
        let is_for_us = datagram.destination.is_multicast() || self.state.is_own(datagram.destination);
        if !is_for_us {
            return Err(DropReason::NotForUs);
        }
        let bundle = Bundle::decode(&datagram.payload).map_err(|error| drop_reason(&error))?;
        self.counters.received.bundle += 1;
        for message in bundle.messages() {
            let result = match message {
                Ok((_, message)) => {
                    let part = Datagram { payload: message.into(), ..*datagram };
                    self.receive_message(&part, Some(&bundle.header))
                }
                Err(error) => Err(drop_reason(&error)),
            };
            if let Err(reason) = result {
                self.drop_message(reason);
            }
        }
        Ok(())
    }

    /// What RFC 2961 calls the generator of a message: the hop that it names, or else where it came from (section 4.5).
    pub(crate) fn generator(&self, received: &Received<'_>, message: &Message) -> (InterfaceId, IpAddr) {
        let interface = received.interface;
        match message {
            Message::Path(path) => (interface, path.hop.address),
            Message::PathTear(tear) => (interface, tear.hop.address),
            Message::ResvErr(error) => (interface, error.hop.address),
            Message::Resv(resv) => {
                (self.outgoing_interface(received, &resv.hop).unwrap_or(interface), resv.hop.address)
            }
            Message::ResvTear(tear) => {
                (self.outgoing_interface(received, &tear.hop).unwrap_or(interface), tear.hop.address)
            }
            Message::PathErr(_) | Message::ResvConf(_) | Message::Ack | Message::Srefresh(_) => {
                (interface, received.datagram.source)
            }
        }
    }

    /// Whether the sender of a message may use MESSAGE_ID here.
    pub(crate) fn takes_ids_of(&self, raw: &RawMessage, datagram: &Datagram<'_>) -> bool {
        let generator = raw.hop().map_or(datagram.source, |hop| hop.address);
        self.config.hu().is_none() && self.reduction(datagram.interface, generator).takes_ids()
    }

    /// Takes note of what a message tells about its generator, and acknowledges it if that is wanted and it was not
    /// faulty or too late.
    pub(crate) fn has_heard(
        &mut self,
        generator: (InterfaceId, IpAddr),
        received: &Received<'_>,
        head: &Head,
        result: Result<(), DropReason>,
    ) {
        let is_void = matches!(
            result,
            Err(DropReason::OwnMessage
                | DropReason::UnknownInterface
                | DropReason::InterfaceDisabled
                | DropReason::ExtensionDisabled
                | DropReason::NotForUs
                | DropReason::OutOfOrder)
        );
        if result == Err(DropReason::OutOfOrder) {
            self.count(Some(generator), |counters| counters.out_of_order += 1);
        }
        if result == Err(DropReason::OwnMessage) {
            return;
        }
        self.learn(generator, received, head.message_id);
        if let Some(id) = head.message_id.filter(|id| id.wants_ack() && !is_void) {
            let destination = received.datagram.destination;
            self.owe(generator, destination, Acknowledgement::Ack(FlaggedId::plain(id.id)));
        }
    }

    fn learn(
        &mut self,
        (interface, address): (InterfaceId, IpAddr),
        received: &Received<'_>,
        id: Option<FlaggedId>,
    ) {
        let is_near = received.datagram.encapsulation == Encapsulation::Raw && !received.non_rsvp;
        if is_near && self.is_point_to_point(interface) {
            self.state.neighbors.is_at_other_end(interface, address);
        }
        let is_capable = received.is_capable;
        let assumed = self.reduction(interface, address).assume_capable;
        let Some(neighbor) = self.state.neighbors.get_mut(interface, address) else { return };
        neighbor.last_heard = Some(self.now);
        let was_capable = neighbor.capable.replace(is_capable) == Some(true);
        let mut has_restarted = false;
        if let Some(id) = id {
            neighbor.sends_ids = true;
            has_restarted = neighbor.epoch.replace(id.id.epoch).is_some_and(|epoch| epoch != id.id.epoch);
        }
        if id.is_some() || is_capable {
            neighbor.rejects_ids = false;
        }
        if was_capable && !is_capable && !assumed {
            self.hurry(interface, address);
            self.resume(interface, address);
        }
        if has_restarted {
            self.count(Some((interface, address)), |counters| counters.restarts += 1);
            self.recover(interface, address);
        }
    }

    /// What the MESSAGE_ID of a generator is remembered by.
    pub(crate) fn id_fingerprint(
        &self,
        (interface, generator): (InterfaceId, IpAddr),
        id: MessageId,
    ) -> u128 {
        // A link-local address may be another node's on another interface.
        let scope = match generator {
            IpAddr::V6(address) if address.is_unicast_link_local() => interface.0,
            _ => 0,
        };
        let numbers = [scope, id.epoch, id.id].map(u32::to_be_bytes);
        self.state.hash.fingerprint(&[b"id", &octets(generator), numbers.as_flattened()])
    }

    /// From now on, this identifier in a summary refresh refreshes `target`.
    pub(crate) fn remember_id(
        &mut self,
        generator: (InterfaceId, IpAddr),
        id: MessageId,
        target: RefreshTarget,
    ) -> u128 {
        let fingerprint = self.id_fingerprint(generator, id);
        self.remember_refresh(fingerprint, target);
        fingerprint
    }

    /// SREFRESH MESSAGE ARRIVES (RFC 2961 section 5.3): state is refreshed that the listed messages advertised. Of what
    /// is not there, the sender is told.
    pub(crate) fn on_srefresh(
        &mut self,
        received: &Received<'_>,
        srefresh: &Srefresh,
    ) -> Result<(), DropReason> {
        let (source, to) = (received.datagram.source, received.datagram.destination);
        if !self.reduction(received.interface, source).summarizes() {
            return Err(DropReason::ExtensionDisabled);
        }
        for list in &srefresh.lists {
            let epoch = list.epoch;
            let ids = |id: u32| MessageId { epoch, id };
            match &list.entries {
                IdEntries::Plain(entries) => {
                    for id in entries {
                        if !self.is_refreshed(received, ids(*id), None) {
                            self.refuse_id(unmatched(received, ids(*id)));
                        }
                    }
                }
                // It is about the group that it was sent to.
                IdEntries::Sources(entries) if to.is_multicast() => {
                    for (id, sender) in entries {
                        self.refresh_of_group(received, ids(*id), *sender, to);
                    }
                }
                IdEntries::Sources(_) => {}
                IdEntries::Groups(entries) => {
                    for (id, sender, group) in entries {
                        self.refresh_of_group(received, ids(*id), *sender, *group);
                    }
                }
            }
        }
        Ok(())
    }

    /// Path state of a group is asked for only if its data would go on from here (RFC 2961 section 5.3).
    fn refresh_of_group(&mut self, received: &Received<'_>, id: MessageId, sender: IpAddr, group: IpAddr) {
        if self.is_refreshed(received, id, Some((sender, group))) {
            return;
        }
        let key = RouteKey { table: 0, destination: group, source: Some(sender) };
        let unmatched = unmatched(received, id);
        match self.state.routes.get(&key).and_then(|entry| entry.answer.as_ref()) {
            Some(route) if would_forward(self.config.router, received.interface, route) => {
                self.refuse_id(unmatched);
            }
            Some(_) => {}
            None => self.ask_routing(key, unmatched),
        }
    }

    /// Nothing is known of this route yet. A summary refresh that nobody answers now comes again.
    fn ask_routing(&mut self, key: RouteKey, unmatched: UnmatchedId) {
        if self.state.unmatched_ids.total() >= self.config.limits.queued_acks {
            self.counters.acks_dropped += 1;
            return;
        }
        if !self.state.routes.contains_key(&key) && !self.state.unmatched_ids.contains(&key) {
            self.requests.push(Request::WatchRoute(key));
        }
        self.state.unmatched_ids.push(key, unmatched);
    }

    /// Routing has answered.
    pub(crate) fn decide_unmatched_ids(&mut self, key: &RouteKey, route: &Route) {
        let Some(all) = self.state.unmatched_ids.take(key) else { return };
        for unmatched in all {
            if would_forward(self.config.router, unmatched.from.0, route) {
                self.refuse_id(unmatched);
            }
        }
        if !self.state.routes.contains_key(key) {
            self.requests.push(Request::UnwatchRoute(*key));
        }
    }

    fn refuse_id(&mut self, UnmatchedId { from, destination, id }: UnmatchedId) {
        self.owe(from, destination, Acknowledgement::Nack(FlaggedId::plain(id)));
    }

    /// Refreshes the state that a message advertised; false if there is none, or not of the kind that the list is for:
    /// Path state of this sender and group, or else all but Path state of groups.
    fn is_refreshed(
        &mut self,
        received: &Received<'_>,
        id: MessageId,
        of_group: Option<(IpAddr, IpAddr)>,
    ) -> bool {
        let from = (received.interface, received.datagram.source);
        let fingerprint = self.id_fingerprint(from, id);
        let fits = match self.state.refreshes.get(&fingerprint) {
            None => false,
            Some(RefreshTarget::Resv(_)) => of_group.is_none(),
            Some(RefreshTarget::Path(psb)) => self.state.psbs.get(*psb).is_some_and(|psb| {
                let destination = psb.route.destination;
                match of_group {
                    None => !destination.is_multicast(),
                    Some((sender, group)) => psb.sender.source() == sender && destination == group,
                }
            }),
        };
        fits && self.refresh_target(fingerprint).is_some() && {
            self.count(Some(from), |counters| counters.summary_refreshes_received += 1);
            true
        }
    }

    /// Whether a message about this path state is older than the latest (RFC 2961 section 4.5).
    pub(crate) fn is_late_for_psb(&self, psb: PsbId, hop: IpAddr, id: Option<MessageId>) -> bool {
        let psb = &self.state.psbs[psb];
        let known = psb.previous_hop().filter(|(known, _)| known.address == hop);
        known.is_some_and(|(_, interface)| self.is_late((interface, hop), id, psb.message_id))
    }

    /// Whether a message is older than the latest of its generator about the same state. One of another Epoch than the
    /// generator's last message never is.
    pub(crate) fn is_late(
        &self,
        (interface, generator): (InterfaceId, IpAddr),
        id: Option<MessageId>,
        latest: Option<MessageId>,
    ) -> bool {
        let epoch = self.state.neighbors.get(interface, generator).and_then(|neighbor| neighbor.epoch);
        id.zip(latest).is_some_and(|(id, latest)| Some(id.epoch) == epoch && id.is_older_than(latest))
    }
}

fn unmatched(received: &Received<'_>, id: MessageId) -> UnmatchedId {
    let Datagram { source, destination, .. } = *received.datagram;
    UnmatchedId { from: (received.interface, source), destination, id }
}

/// Whether this route sends on, or delivers, what comes in there.
fn would_forward(is_router: bool, interface: InterfaceId, route: &Route) -> bool {
    let is_expected = route.incoming.is_none_or(|incoming| incoming == interface);
    let goes_on = || route.outgoing.iter().any(|hop| hop.interface != interface);
    is_expected && (route.local || is_router && goes_on())
}
