//! Watched routes and the path state that hangs on them.

use alloc::vec::Vec;

use super::PsbId;
use crate::input::Route;

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
