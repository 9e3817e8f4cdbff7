//! Watched routes and the path state that hangs on them.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::PsbId;
use crate::input::{InterfaceId, Route};
use crate::output::RouteKey;
use crate::wire::MessageId;

/// A watched route.
#[derive(Debug, Default)]
pub(crate) struct RouteEntry {
    /// The latest answer; `None` before the first.
    pub(crate) answer: Option<Route>,
    /// Path state that uses it; may name state that is gone.
    users: Vec<PsbId>,
    live: usize,
}

impl RouteEntry {
    /// Path state begins to use it.
    pub(crate) fn add(&mut self, psb: PsbId) {
        self.users.push(psb);
        self.live += 1;
    }

    /// Path state uses it no more; tells whether it was the last. Gone users are swept when they are the majority, so
    /// that removal costs the same however many there are.
    pub(crate) fn remove(&mut self, is_alive: impl Fn(PsbId) -> bool) -> bool {
        self.live -= 1;
        if self.users.len() > 2 * self.live + 16 {
            self.users.retain(|user| is_alive(*user));
        }
        self.live == 0
    }

    /// Its users, some of which may be gone.
    pub(crate) fn users(&self) -> &[PsbId] {
        &self.users
    }
}

/// An identifier in a summary refresh of a group's Path state that names none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UnmatchedId {
    /// Who listed it, and where that came in.
    pub(crate) from: (InterfaceId, IpAddr),
    /// Where the summary refresh went.
    pub(crate) destination: IpAddr,
    pub(crate) id: MessageId,
}

/// Those that routing has still to decide about: whether the group's data would go on from here.
#[derive(Debug, Default)]
pub(crate) struct UnmatchedIds {
    by_route: BTreeMap<RouteKey, Vec<UnmatchedId>>,
    total: usize,
}

impl UnmatchedIds {
    pub(crate) const fn total(&self) -> usize {
        self.total
    }

    /// Whether an answer about this route is waited for.
    pub(crate) fn contains(&self, key: &RouteKey) -> bool {
        self.by_route.contains_key(key)
    }

    pub(crate) fn push(&mut self, key: RouteKey, unmatched: UnmatchedId) {
        self.by_route.entry(key).or_default().push(unmatched);
        self.total += 1;
    }

    pub(crate) fn take(&mut self, key: &RouteKey) -> Option<Vec<UnmatchedId>> {
        let taken = self.by_route.remove(key)?;
        self.total -= taken.len();
        Some(taken)
    }
}
