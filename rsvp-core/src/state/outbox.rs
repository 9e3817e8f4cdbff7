//! What waits to be sent, in one order per (logical interface, destination).

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::IpAddr;

use slotmap::SlotMap;

use super::{OneShotId, PathAdId, ResvAdId};
use crate::input::{Encapsulation, InterfaceId};
use crate::map::{HashKey, Map};
use crate::wire::{Message, MessageType};

/// Where a message goes; messages of one lane are sent in the order in which they were queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Lane {
    pub(crate) interface: Option<InterfaceId>,
    pub(crate) destination: IpAddr,
}

/// A message that is sent once: a tear, an error, a confirmation, or somebody else's in transit.
#[derive(Debug)]
pub(crate) struct OneShot {
    pub(crate) next_hop: Option<IpAddr>,
    pub(crate) source: IpAddr,
    pub(crate) ttl: u8,
    pub(crate) router_alert: bool,
    pub(crate) encapsulation: Encapsulation,
    pub(crate) payload: Payload,
}

/// The content of a one-shot.
#[derive(Debug)]
pub(crate) enum Payload {
    /// Encoded when it is sent.
    Message(Box<Message>),
    /// Bytes that are not this node's to interpret: passed on, or repeated in an error message.
    Encoded(MessageType, Vec<u8>),
}

/// Something to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutboxItem {
    Path(PathAdId),
    Resv(ResvAdId),
    OneShot(OneShotId),
}

/// The queue of what waits to be sent. Lanes take turns.
#[derive(Debug)]
pub(crate) struct Outbox {
    lanes: Map<Lane, VecDeque<OutboxItem>>,
    turns: VecDeque<Lane>,
    one_shots: SlotMap<OneShotId, OneShot>,
}

impl Outbox {
    pub(crate) fn new(hash: HashKey) -> Self {
        Self { lanes: Map::with_hasher(hash), turns: VecDeque::new(), one_shots: SlotMap::with_key() }
    }

    /// Queues an item.
    pub(crate) fn push(&mut self, lane: Lane, item: OutboxItem) {
        let queue = self.lanes.entry(lane).or_default();
        if queue.is_empty() {
            self.turns.push_back(lane);
        }
        queue.push_back(item);
    }

    /// Queues a one-shot message.
    pub(crate) fn push_one_shot(&mut self, lane: Lane, one_shot: OneShot) {
        let id = self.one_shots.insert(one_shot);
        self.push(lane, OutboxItem::OneShot(id));
    }

    /// Takes the next item. Its lane comes last in turn if it holds more.
    pub(crate) fn pop(&mut self) -> Option<(Lane, OutboxItem)> {
        let lane = self.turns.pop_front()?;
        let queue = self.lanes.get_mut(&lane)?;
        let item = queue.pop_front()?;
        if queue.is_empty() {
            self.lanes.remove(&lane);
        } else {
            self.turns.push_back(lane);
        }
        Some((lane, item))
    }

    /// Takes a one-shot's content.
    pub(crate) fn take(&mut self, id: OneShotId) -> Option<OneShot> {
        self.one_shots.remove(id)
    }

    /// One-shots that wait.
    pub(crate) fn one_shots(&self) -> usize {
        self.one_shots.len()
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }
}
