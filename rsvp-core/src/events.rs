//! Events that wait to be fetched, bounded.

use alloc::collections::VecDeque;

use crate::event::{Event, EventKind};
use crate::time::Instant;

/// The queue of events.
#[derive(Debug)]
pub(crate) struct Events {
    queue: VecDeque<Event>,
    limit: usize,
    lost: u64,
    lost_at: Instant,
}

impl Events {
    pub(crate) fn new(limit: usize) -> Self {
        Self { queue: VecDeque::new(), limit, lost: 0, lost_at: Instant::ZERO }
    }

    /// Changes the bound; events that wait stay.
    pub(crate) fn limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Queues an event; tells whether there was room. Once one is lost, all are until the reader has caught up, so that
    /// `Lost` stands where the gap is.
    pub(crate) fn push(&mut self, event: Event) -> bool {
        if self.lost > 0 || self.queue.len() >= self.limit {
            self.lost += 1;
            self.lost_at = event.at;
            return false;
        }
        self.queue.push_back(event);
        true
    }

    /// The next event; after the last, how many were lost.
    pub(crate) fn pop(&mut self) -> Option<Event> {
        self.queue.pop_front().or_else(|| {
            let lost = core::mem::take(&mut self.lost);
            (lost > 0).then_some(Event { at: self.lost_at, kind: EventKind::Lost(lost) })
        })
    }

    /// Whether none waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.lost == 0
    }
}
