//! State that is refreshed together towards one neighbour (RFC 2961 section 5).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::net::IpAddr;

use slotmap::SlotMap;

use super::{OutboxItem, RefreshGroupId};
use crate::input::InterfaceId;
use crate::time::Instant;
use crate::timer::TimerId;

/// What the members of a group have in common: all that the addresses of an Srefresh depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct GroupKey {
    pub(crate) interface: InterfaceId,
    /// The neighbour's address, or the destination of the sessions.
    pub(crate) destination: IpAddr,
    /// This node's address in the members' RSVP_HOP.
    pub(crate) source: IpAddr,
    /// Whether `destination` is that of the sessions.
    pub(crate) to_session: bool,
}

/// Members in an order that only matters while a walk is under way. Identifiers stand by themselves: a summary refresh
/// is one pass over them.
#[derive(Debug, Default)]
pub(crate) struct Members {
    ids: Vec<u32>,
    items: Vec<OutboxItem>,
    /// How many of them the walk under way has passed.
    walked: usize,
}

impl Members {
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    #[cfg(test)]
    pub(crate) fn get(&self, index: usize) -> Option<(u32, OutboxItem)> {
        self.ids.get(index).copied().zip(self.items.get(index).copied())
    }

    /// Adds a member; tells its index. A walk under way comes to it, too.
    pub(crate) fn push(&mut self, id: u32, item: OutboxItem) -> usize {
        self.ids.push(id);
        self.items.push(item);
        self.ids.len() - 1
    }

    /// Removes a member, and tells which others have another index now. None that the walk has not passed moves to
    /// where it has.
    pub(crate) fn remove(&mut self, index: usize) -> [Option<(OutboxItem, usize)>; 2] {
        let mut moved = [None; 2];
        let mut hole = index;
        if index < self.walked {
            self.walked -= 1;
            self.ids[index] = self.ids[self.walked];
            self.items[index] = self.items[self.walked];
            if index != self.walked {
                moved[0] = Some((self.items[index], index));
            }
            hole = self.walked;
        }
        self.ids.swap_remove(hole);
        self.items.swap_remove(hole);
        if let Some(item) = self.items.get(hole) {
            moved[1] = Some((*item, hole));
        }
        moved
    }

    /// The last member.
    pub(crate) fn last(&self) -> Option<OutboxItem> {
        self.items.last().copied()
    }

    /// The next member of the walk.
    pub(crate) fn peek(&self) -> Option<(u32, OutboxItem)> {
        Some((*self.ids.get(self.walked)?, *self.items.get(self.walked)?))
    }

    /// The walk has passed a member.
    pub(crate) fn step(&mut self) {
        self.walked += 1;
    }

    fn begin(&mut self) {
        self.walked = 0;
    }
}

/// State that is refreshed together.
#[derive(Debug)]
pub(crate) struct RefreshGroup {
    pub(crate) key: GroupKey,
    /// Resv state and Path state of unicast sessions: LIST.
    pub(crate) plain: Members,
    /// Path state of multicast sessions: SRC_LIST or MCAST_LIST.
    pub(crate) multicast: Members,
    pub(crate) timer: Option<TimerId>,
    /// When the latest walk began.
    pub(crate) began: Instant,
    /// When the next one begins; `None` while none is under way: then the timer says it.
    pub(crate) next: Option<Instant>,
    /// When it was last made to hurry because the neighbour had restarted.
    pub(crate) hurried: Option<Instant>,
    /// How many datagrams may leave before a pause.
    pub(crate) budget: u32,
    /// Whether it waits in the outbox.
    pub(crate) queued: bool,
    /// Whether its members are to be sorted anew.
    pub(crate) is_ending: bool,
    /// Whether the walk begins with a request for an acknowledgement.
    pub(crate) is_probing: bool,
    /// The identifier of the latest such request.
    pub(crate) probe: Option<u32>,
    /// How many walks there were.
    pub(crate) round: u32,
}

impl RefreshGroup {
    pub(crate) fn is_empty(&self) -> bool {
        self.plain.len() + self.multicast.len() == 0
    }

    /// One of its members.
    pub(crate) fn last(&self) -> Option<OutboxItem> {
        self.plain.last().or_else(|| self.multicast.last())
    }

    /// Begins a walk over all members.
    pub(crate) fn begin(&mut self, now: Instant, next: Instant) {
        self.plain.begin();
        self.multicast.begin();
        self.began = now;
        self.next = Some(next);
        self.round = self.round.wrapping_add(1);
    }

    /// Whether the walk has passed all members.
    pub(crate) fn is_through(&self) -> bool {
        self.plain.peek().is_none() && self.multicast.peek().is_none()
    }
}

/// All groups of a node.
#[derive(Debug, Default)]
pub(crate) struct RefreshGroups {
    slots: SlotMap<RefreshGroupId, RefreshGroup>,
    index: BTreeMap<GroupKey, RefreshGroupId>,
}

impl RefreshGroups {
    pub(crate) fn find(&self, key: &GroupKey) -> Option<RefreshGroupId> {
        self.index.get(key).copied()
    }

    pub(crate) fn get(&self, id: RefreshGroupId) -> Option<&RefreshGroup> {
        self.slots.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: RefreshGroupId) -> Option<&mut RefreshGroup> {
        self.slots.get_mut(id)
    }

    /// All groups.
    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &RefreshGroup> {
        self.slots.values()
    }

    /// Adds a group without members.
    pub(crate) fn insert(&mut self, key: GroupKey, now: Instant) -> RefreshGroupId {
        let id = self.slots.insert(RefreshGroup {
            key,
            plain: Members::default(),
            multicast: Members::default(),
            timer: None,
            began: now,
            next: None,
            hurried: None,
            budget: 0,
            queued: false,
            is_ending: false,
            is_probing: false,
            probe: None,
            round: 0,
        });
        self.index.insert(key, id);
        id
    }

    pub(crate) fn remove(&mut self, id: RefreshGroupId) -> Option<RefreshGroup> {
        let group = self.slots.remove(id)?;
        self.index.remove(&group.key);
        Some(group)
    }

    /// The groups on an interface.
    pub(crate) fn on(&self, interface: InterfaceId) -> Vec<RefreshGroupId> {
        self.index.iter().filter(|(key, _)| key.interface == interface).map(|(_, id)| *id).collect()
    }
}
