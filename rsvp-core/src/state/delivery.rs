//! Which messages were sent with which MESSAGE_ID, and which of them are acknowledged (RFC 2961 sections 4 and 6).

use alloc::vec::Vec;
use core::net::IpAddr;

use super::{OutboxItem, Peer, RefreshGroupId};
use crate::map::{HashKey, Map};
use crate::timer::TimerId;

/// How far the latest message about some state, or a one-shot, has got.
#[derive(Debug, Default)]
pub(crate) struct Delivery {
    /// Its Message_Identifier; `None`: it had none.
    pub(crate) id: Option<u32>,
    /// While it awaits acknowledgements: from whom, and what was done about it.
    pub(crate) awaited: Option<Awaited>,
    /// Whether it was acknowledged.
    pub(crate) is_acked: bool,
    /// Whether somebody acknowledged it who is not capable of refresh reduction.
    pub(crate) acked_by_incapable: bool,
    /// A summary refresh was answered by a NACK: the whole message is to be sent, and to be acknowledged.
    pub(crate) is_asked_for: bool,
    /// An error message said that MESSAGE_ID is not known: it is to go without.
    pub(crate) without_id: bool,
    /// Its place among what is refreshed together.
    pub(crate) seat: Option<Seat>,
}

/// A message that awaits its acknowledgement.
#[derive(Debug)]
pub(crate) struct Awaited {
    pub(crate) peer: Peer,
    /// How many neighbours are to acknowledge it.
    pub(crate) acks: usize,
    /// Who has, if it is more than one.
    pub(crate) acked_by: Vec<IpAddr>,
    /// How often it was sent.
    pub(crate) copies: u32,
    pub(crate) timer: Option<TimerId>,
}

/// A place in a refresh group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seat {
    pub(crate) group: RefreshGroupId,
    pub(crate) index: u32,
    /// Whether it is among the multicast members.
    pub(crate) multicast: bool,
}

/// How far ahead of an identifier in use the counter may get: half of what a receiver can tell apart.
const MAX_AGE: u32 = 1 << 30;

/// This node's Message_Identifiers. One counter serves all its addresses: so they are unique for each of them
/// (RFC 2961 section 4.5).
pub(crate) struct MessageIds {
    /// This node's Epoch.
    pub(crate) epoch: u32,
    last: u32,
    used: Map<u32, OutboxItem>,
}

impl MessageIds {
    /// Identifiers of an Epoch.
    pub(crate) fn new(epoch: u32, hash: HashKey) -> Self {
        Self { epoch, last: 0, used: Map::with_hasher(hash) }
    }

    /// A new identifier, greater than all before it as far as they can be told apart.
    pub(crate) fn assign(&mut self, item: OutboxItem) -> u32 {
        loop {
            self.last = self.last.wrapping_add(1);
            if !self.used.contains_key(&self.last) {
                self.used.insert(self.last, item);
                return self.last;
            }
        }
    }

    /// An identifier is of no use any more.
    pub(crate) fn retire(&mut self, id: u32) {
        self.used.remove(&id);
    }

    /// The message that has an identifier.
    pub(crate) fn message(&self, id: u32) -> Option<OutboxItem> {
        self.used.get(&id).copied()
    }

    /// Whether an identifier has been in use for so long that new ones would soon look older to a receiver.
    pub(crate) fn is_aged(&self, id: u32) -> bool {
        self.last.wrapping_sub(id) > MAX_AGE
    }

    /// How many are in use.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.used.len()
    }

    /// Goes on behind `last`.
    #[cfg(test)]
    pub(crate) fn skip_to(&mut self, last: u32) {
        self.last = last;
    }
}
