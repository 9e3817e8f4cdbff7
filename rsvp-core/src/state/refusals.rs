//! What was refused lately: so that it is told once, however often it is asked for again.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::NextHopId;
use crate::event::{Cause, Subject};
use crate::input::InterfaceId;
use crate::time::Instant;
use crate::wire::{FilterSpec, FlowDescriptor, RawObject, SenderTemplate, SenderTspec, SessionKey};

/// Whose request it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Asker {
    /// A sender, by the interface that its Path came in on.
    Sender(SenderTemplate, InterfaceId),
    /// A next hop; for FF also the sender that it is for.
    Receiver(NextHopId, Option<FilterSpec>),
}

/// What it asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Asked {
    /// To announce this TSpec, with this POLICY_DATA.
    Path(SenderTspec, Vec<RawObject>),
    /// To reserve this, with this POLICY_DATA.
    Resv(FlowDescriptor, Vec<RawObject>),
}

/// A request that was refused.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) subject: Subject,
    pub(crate) asked: Asked,
    pub(crate) cause: Cause,
    pub(crate) first: Instant,
    pub(crate) last: Instant,
    /// How often it was asked for.
    pub(crate) count: u64,
    /// When it is forgotten, unless it comes again.
    pub(crate) expires: Instant,
}

/// The requests that were refused lately.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    known: BTreeMap<(SessionKey, Asker), Refusal>,
}

impl Refusals {
    /// Takes note of a refusal; tells whether it is news. Beyond `limit` nothing is.
    pub(crate) fn note(&mut self, session: SessionKey, asker: Asker, refusal: Refusal, limit: usize) -> bool {
        let now = refusal.last;
        let known = self.known.get_mut(&(session, asker)).filter(|known| known.expires > now);
        if let Some(known) = known
            && known.asked == refusal.asked
            && known.cause == refusal.cause
        {
            known.last = now;
            known.expires = refusal.expires;
            known.count += 1;
            return false;
        }
        if self.known.len() >= limit {
            self.known.retain(|_, known| known.expires > now);
        }
        let has_room = self.known.len() < limit || self.known.contains_key(&(session, asker));
        if has_room {
            self.known.insert((session, asker), refusal);
        }
        has_room
    }

    /// Whether this very request was refused before.
    pub(crate) fn is_known(&self, session: SessionKey, asker: Asker, asked: &Asked, now: Instant) -> bool {
        let known = self.known.get(&(session, asker));
        known.is_some_and(|known| known.expires > now && known.asked == *asked)
    }

    /// A request was not refused this time.
    pub(crate) fn forget(&mut self, session: SessionKey, asker: Asker) {
        self.known.remove(&(session, asker));
    }

    /// Those that are not forgotten yet, in the order of their sessions.
    pub(crate) fn iter(&self, now: Instant) -> impl Iterator<Item = (&SessionKey, &Refusal)> {
        let alive = self.known.iter().filter(move |(_, refusal)| refusal.expires > now);
        alive.map(|((session, _), refusal)| (session, refusal))
    }
}
