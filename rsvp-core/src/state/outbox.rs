//! What waits to be sent, in one order per (logical interface, neighbour).

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::IpAddr;

use slotmap::SlotMap;

use super::delivery::Delivery;
use super::{AckId, LaneId, OneShotId, PathAdId, RefreshGroupId, ResvAdId};
use crate::input::{Encapsulation, InterfaceId};
use crate::map::{HashKey, Map};
use crate::timer::TimerId;
use crate::wire::{Message, MessageType};

/// Where a message goes: to a neighbour, to a group on an interface, or somewhere beyond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Lane {
    /// `None`: the routing table knows.
    pub(crate) interface: Option<InterfaceId>,
    /// The next hop or, where it is not known, the destination. Unspecified for what goes to any group by a
    /// point-to-point interface.
    pub(crate) peer: IpAddr,
}

/// Whom a message of RFC 2961 is exchanged with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// A neighbour.
    One(InterfaceId, IpAddr),
    /// All neighbours on an interface: what goes to this group.
    All(InterfaceId, IpAddr),
}

/// A message that is sent once: a tear, an error, a confirmation, or somebody else's in transit.
#[derive(Debug)]
pub(crate) struct OneShot {
    pub(crate) lane: Lane,
    /// Who may have to acknowledge it; `None`: nobody.
    pub(crate) peer: Option<Peer>,
    pub(crate) next_hop: Option<IpAddr>,
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) ttl: u8,
    pub(crate) router_alert: bool,
    pub(crate) encapsulation: Encapsulation,
    pub(crate) payload: Payload,
    pub(crate) delivery: Delivery,
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
    /// Acknowledgements that are due.
    Acks(AckId),
    /// A summary refresh.
    Srefresh(RefreshGroupId),
}

/// What waits in one lane.
#[derive(Debug)]
struct Queue {
    lane: Lane,
    /// Tears, errors, acknowledgements, and what is sent again: they wait for nobody.
    urgent: VecDeque<OutboxItem>,
    /// Path and Resv.
    setup: VecDeque<OutboxItem>,
    /// Whether it is in `turns`.
    in_turn: bool,
    /// Whether `setup` waits for acknowledgements.
    paced: bool,
    /// Until when `setup` waits for company.
    held: Option<TimerId>,
}

impl Queue {
    fn next(&self) -> Option<OutboxItem> {
        let may_set_up = !self.paced && self.held.is_none();
        self.urgent.front().or_else(|| self.setup.front().filter(|_| may_set_up)).copied()
    }
}

/// The queue of what waits to be sent. Lanes take turns.
#[derive(Debug)]
pub(crate) struct Outbox {
    queues: SlotMap<LaneId, Queue>,
    index: Map<Lane, LaneId>,
    turns: VecDeque<LaneId>,
    one_shots: SlotMap<OneShotId, OneShot>,
}

impl Outbox {
    pub(crate) fn new(hash: HashKey) -> Self {
        Self {
            queues: SlotMap::with_key(),
            index: Map::with_hasher(hash),
            turns: VecDeque::new(),
            one_shots: SlotMap::with_key(),
        }
    }

    /// Queues a Path or Resv; tells which lane it is if nothing else waits there.
    pub(crate) fn push(&mut self, lane: Lane, item: OutboxItem) -> Option<LaneId> {
        let id = self.lane(lane);
        let queue = &mut self.queues[id];
        let is_first = queue.setup.is_empty() && queue.urgent.is_empty();
        queue.setup.push_back(item);
        self.take_turn(id);
        is_first.then_some(id)
    }

    /// Queues what goes before all Paths and Resvs.
    pub(crate) fn push_urgent(&mut self, lane: Lane, item: OutboxItem) {
        let id = self.lane(lane);
        self.queues[id].urgent.push_back(item);
        self.take_turn(id);
    }

    /// Queues a one-shot message.
    pub(crate) fn push_one_shot(&mut self, one_shot: OneShot) {
        let lane = one_shot.lane;
        let id = self.one_shots.insert(one_shot);
        self.push_urgent(lane, OutboxItem::OneShot(id));
    }

    fn lane(&mut self, lane: Lane) -> LaneId {
        let queues = &mut self.queues;
        *self.index.entry(lane).or_insert_with(|| {
            queues.insert(Queue {
                lane,
                urgent: VecDeque::new(),
                setup: VecDeque::new(),
                in_turn: false,
                paced: false,
                held: None,
            })
        })
    }

    fn take_turn(&mut self, id: LaneId) {
        let queue = &mut self.queues[id];
        if !queue.in_turn && queue.next().is_some() {
            queue.in_turn = true;
            self.turns.push_back(id);
        }
    }

    /// Holds a lane back until a timer fires: its messages are to leave together.
    pub(crate) fn hold(&mut self, id: LaneId, timer: TimerId) {
        self.queues[id].held = Some(timer);
    }

    /// A lane has waited long enough.
    pub(crate) fn release(&mut self, id: LaneId) {
        if let Some(queue) = self.queues.get_mut(id) {
            queue.held = None;
            self.take_turn(id);
        }
    }

    /// The lane whose turn it is.
    pub(crate) fn turn(&mut self) -> Option<Lane> {
        while let Some(id) = self.turns.front().copied() {
            if let Some(queue) = self.queues.get_mut(id) {
                if queue.next().is_some() {
                    return Some(queue.lane);
                }
                queue.in_turn = false;
            }
            self.turns.pop_front();
        }
        None
    }

    /// What comes next in a lane.
    pub(crate) fn peek(&self, lane: Lane) -> Option<OutboxItem> {
        self.queues[*self.index.get(&lane)?].next()
    }

    /// Takes what [`peek`](Self::peek) showed.
    pub(crate) fn pop(&mut self, lane: Lane) {
        let Some(id) = self.index.get(&lane) else { return };
        let queue = &mut self.queues[*id];
        if queue.urgent.pop_front().is_none() {
            queue.setup.pop_front();
        }
    }

    /// A datagram of this lane has left: the other lanes come first now. A lane that is empty is forgotten; the timer
    /// that held it is to be cancelled.
    pub(crate) fn end_turn(&mut self, lane: Lane) -> Option<TimerId> {
        let id = *self.index.get(&lane)?;
        let queue = &mut self.queues[id];
        if self.turns.front() == Some(&id) {
            self.turns.pop_front();
            queue.in_turn = false;
        }
        if queue.urgent.is_empty() && queue.setup.is_empty() {
            self.index.remove(&lane);
            return self.queues.remove(id).and_then(|queue| queue.held);
        }
        self.take_turn(id);
        None
    }

    /// Whether the Paths and Resvs of a lane wait until messages are acknowledged.
    pub(crate) fn pace(&mut self, lane: Lane, paced: bool) {
        if let Some(id) = self.index.get(&lane).copied() {
            self.queues[id].paced = paced;
            self.take_turn(id);
        }
    }

    /// How many Paths and Resvs wait in a lane until messages are acknowledged.
    pub(crate) fn paced(&self, lane: Lane) -> usize {
        let queue = self.index.get(&lane).map(|id| &self.queues[*id]);
        queue.filter(|queue| queue.paced).map_or(0, |queue| queue.setup.len())
    }

    /// A one-shot.
    pub(crate) fn one_shot(&self, id: OneShotId) -> Option<&OneShot> {
        self.one_shots.get(id)
    }

    /// A one-shot, to be changed.
    pub(crate) fn one_shot_mut(&mut self, id: OneShotId) -> Option<&mut OneShot> {
        self.one_shots.get_mut(id)
    }

    /// Takes a one-shot's content.
    pub(crate) fn take(&mut self, id: OneShotId) -> Option<OneShot> {
        self.one_shots.remove(id)
    }

    /// All one-shots.
    #[cfg(test)]
    pub(crate) fn all_one_shots(&self) -> impl Iterator<Item = (OneShotId, &OneShot)> {
        self.one_shots.iter()
    }

    /// The timers of the lanes that wait for company.
    #[cfg(test)]
    pub(crate) fn held(&self) -> impl Iterator<Item = TimerId> {
        self.queues.values().filter_map(|queue| queue.held)
    }

    /// One-shots that wait to be sent or acknowledged.
    pub(crate) fn one_shots(&self) -> usize {
        self.one_shots.len()
    }

    /// Whether nothing may be sent now.
    pub(crate) fn is_idle(&self) -> bool {
        self.turns.iter().all(|id| self.queues.get(*id).and_then(Queue::next).is_none())
    }

    /// Whether nothing waits, be it to be sent or to be acknowledged.
    pub(crate) fn is_done(&self) -> bool {
        self.queues.is_empty() && self.one_shots.is_empty()
    }
}
