//! Checks that must hold in every network at any time; hand them to [`Network::check`]. They look at the nodes that
//! something has happened to.

use std::collections::BTreeMap;
use std::time::Duration;

use rsvp_core::view::Deadline;
use rsvp_core::wire::{Head, IdList, Message, MessageId, MessageType, RawMessage, Srefresh, messages};

use crate::network::Network;
use crate::topology::NodeId;
use crate::transcript::Entry;

/// No pool of bandwidth is overrun, and the books agree with what is installed.
///
/// # Errors
///
/// The first interface where that is not so.
pub fn pools_hold(network: &Network) -> Result<(), String> {
    for id in network.touched() {
        let Some(node) = network.node(id) else { continue };
        let installed = node.installed();
        for interface in node.interfaces() {
            let total = interface.bandwidth.map_or(0, |bandwidth| bandwidth.total);
            let here = installed.iter().filter(|installed| installed.interface == interface.id);
            let sum: u64 = here.map(|installed| installed.bandwidth).sum();
            let reserved = interface.reserved;
            if reserved > total || sum != reserved {
                let (node, name) = (network.name(id), interface.name);
                return Err(format!("{node} {name}: {reserved} of {total} reserved, {sum} installed"));
            }
        }
    }
    Ok(())
}

/// Traffic control of every running node holds what the node thinks it holds, and nothing else.
///
/// # Errors
///
/// The first thing that only one of the two knows, or that they know differently.
pub fn traffic_control_agrees(network: &Network) -> Result<(), String> {
    for id in network.touched().filter(|id| !network.is_frozen(*id)) {
        let Some(node) = network.node(id) else { continue };
        let (name, kernel, views) = (network.name(id), network.kernel(id), node.installed());
        if let Some(unknown) = kernel.keys().find(|held| views.iter().all(|view| view.id != **held)) {
            return Err(format!("{name}: traffic control holds {unknown:?}, which the node does not know"));
        }
        for view in views.into_iter().filter(|view| view.installed) {
            let held = kernel.get(&view.id).map(|held| (&held.interface, &held.flowspec, &held.filters));
            if held != Some((&view.interface, &view.flowspec, &view.filters)) {
                return Err(format!("{name}: traffic control holds {held:?} for {view:?}"));
            }
        }
    }
    Ok(())
}

/// No state outlives its lifetime.
///
/// # Errors
///
/// The first state that does.
pub fn nothing_outlives_its_lifetime(network: &Network) -> Result<(), String> {
    let is_late = |expires: Option<Deadline>| expires.is_some_and(|deadline| deadline.at < network.now());
    for id in network.touched().filter(|id| !network.is_frozen(*id)) {
        let Some(node) = network.node(id) else { continue };
        let sender = node.senders().into_iter().find(|view| is_late(view.expires));
        let reservation = node.reservations().into_iter().find(|view| is_late(view.expires));
        if sender.is_some() || reservation.is_some() {
            let name = network.name(id);
            return Err(format!("{name}: should have expired: {sender:?} {reservation:?}"));
        }
    }
    Ok(())
}

/// Nothing is left of any session: no state in any node, nothing in any traffic control, and no node wants to be woken.
///
/// # Errors
///
/// The first thing that is left.
pub fn nothing_is_left(network: &Network) -> Result<(), String> {
    for id in network.nodes() {
        let name = network.name(id);
        if let Some(left) = network.kernel(id).values().next() {
            return Err(format!("{name}: traffic control still holds {left:?}"));
        }
        let Some(node) = network.node(id) else { continue };
        if let Some(session) = node.sessions().first() {
            return Err(format!("{name}: still knows {session:?}"));
        }
        if let Some((at, reason)) = network.driver(id).and_then(crate::Driver::deadline) {
            return Err(format!("{name}: idle, but wants to be woken at {at:?} for {reason:?}"));
        }
    }
    Ok(())
}

/// No node waits for an acknowledgement, or has a message that waits for that (RFC 2961). Holds once everything is
/// acknowledged or given up.
///
/// # Errors
///
/// The first neighbour with which that is not so.
pub fn nothing_is_outstanding(network: &Network) -> Result<(), String> {
    for id in network.nodes() {
        for neighbor in network.node(id).into_iter().flat_map(rsvp_core::Node::neighbors) {
            if neighbor.reduction.outstanding + neighbor.reduction.paced > 0 {
                return Err(format!("{}: acknowledgements are outstanding: {neighbor:?}", network.name(id)));
            }
        }
    }
    Ok(())
}

/// Lets so much time pass at most until [`nothing_is_outstanding`].
///
/// # Errors
///
/// The first neighbour with which that is still not so.
pub fn await_acknowledgements(network: &mut Network, most: Duration) -> Result<(), String> {
    let end = network.now() + most;
    while network.now() < end && nothing_is_outstanding(network).is_err() {
        network.run_for(Duration::from_millis(100));
    }
    nothing_is_outstanding(network)
}

/// Message ids are used as RFC 2961 wants it: no node uses one for two different messages, and none lists one in a
/// Srefresh that it has not sent in a Path or Resv. Looks at what is sent, so the messages must be kept.
pub fn message_ids_are_sound() -> impl FnMut(&Network) -> Result<(), String> {
    let mut ids = MessageIds::default();
    move |network| ids.check(network)
}

/// The message ids that were sent.
#[derive(Default)]
struct MessageIds {
    /// How many messages of the transcript have been looked at.
    seen: usize,
    sent: BTreeMap<(NodeId, MessageId), Sent>,
}

/// What an id was used for: the message without what is in front of its objects.
#[derive(PartialEq)]
struct Sent {
    kind: MessageType,
    objects: Vec<u8>,
}

impl MessageIds {
    fn check(&mut self, network: &Network) -> Result<(), String> {
        let entries = network.transcript().entries();
        let new = entries.get(self.seen..).unwrap_or(entries);
        self.seen = entries.len();
        for entry in new.iter().filter(|entry| !entry.transit) {
            for message in messages(&entry.message).flatten() {
                self.check_message(network, entry, message)
                    .map_err(|text| format!("{}: {text}", network.name(entry.from)))?;
            }
        }
        Ok(())
    }

    fn check_message(&mut self, network: &Network, entry: &Entry, message: &[u8]) -> Result<(), String> {
        let (Ok(raw), Ok((head, offset))) = (RawMessage::decode(message), Head::split(message)) else {
            return Ok(());
        };
        let kind = raw.header.message_type;
        // A message to somebody else is passed on as it is; a Path has the sender's address.
        let is_path = matches!(kind, MessageType::PATH | MessageType::PATH_TEAR);
        let generator = raw.hop().filter(|_| is_path).map_or(entry.header.source, |hop| hop.address);
        if network.addresses(entry.from).all(|own| own != generator) {
            return Ok(());
        }
        if let Some(flagged) = head.message_id {
            let sent = Sent { kind, objects: message[offset..].to_vec() };
            let known = self
                .sent
                .entry((entry.from, flagged.id))
                .or_insert_with(|| Sent { kind, objects: sent.objects.clone() });
            if *known != sent {
                return Err(format!("{:?} is used for a second message", flagged.id));
            }
        }
        if let Ok(Message::Srefresh(Srefresh { lists })) = Message::parse(&raw, usize::MAX) {
            let mut listed = lists.iter().flat_map(IdList::message_ids);
            let unknown = listed.find(|id| {
                let sent = self.sent.get(&(entry.from, *id)).map(|sent| sent.kind);
                !matches!(sent, Some(MessageType::PATH | MessageType::RESV))
            });
            if let Some(id) = unknown {
                return Err(format!("Srefresh lists {id:?}, which was not sent in a Path or Resv"));
            }
        }
        Ok(())
    }
}
