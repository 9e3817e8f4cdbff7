//! What was refused lately: so that it is told once, however often it is asked for again.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::NextHopId;
use crate::event::{Cause, Subject};
use crate::input::InterfaceId;
use crate::time::Instant;
use crate::wire::{FilterSpec, FlowDescriptor, Flowspec, RawObject, SenderTemplate, SenderTspec, SessionKey};

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

/// How many octets of a request make it count as one more.
const UNIT: usize = 1024;

impl Refusal {
    /// How many it counts as: a neighbour must not make the node remember long requests without a bound.
    fn weight(&self) -> usize {
        let (filters, policy, spec) = match &self.asked {
            Asked::Path(SenderTspec::Opaque(tspec), policy) => (0, policy, tspec.contents.len()),
            Asked::Path(_, policy) => (0, policy, 0),
            Asked::Resv(FlowDescriptor { flowspec: Some(Flowspec::Opaque(spec)), filters }, policy) => {
                (filters.len(), policy, spec.contents.len())
            }
            Asked::Resv(flow, policy) => (flow.filters.len(), policy, 0),
        };
        let policy: usize = policy.iter().map(|object| size_of::<RawObject>() + object.contents.len()).sum();
        1 + (filters * size_of::<FilterSpec>() + policy + spec) / UNIT
    }
}

/// The requests that were refused lately.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    known: BTreeMap<(SessionKey, Asker), Refusal>,
    /// What they count as.
    weight: usize,
    /// When those that are over were last looked for.
    swept: Option<Instant>,
}

impl Refusals {
    /// Takes note of a refusal; tells whether it is news. Beyond `limit` nothing is; a long request counts as several.
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
        self.forget(session, asker);
        let weight = refusal.weight();
        // One message may be refused in a thousand parts: the list is gone through once for all of them.
        if self.weight + weight > limit && self.swept != Some(now) {
            self.known.retain(|_, known| known.expires > now);
            self.weight = self.known.values().map(Refusal::weight).sum();
            self.swept = Some(now);
        }
        let has_room = self.weight + weight <= limit;
        if has_room {
            self.weight += weight;
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
        if let Some(refusal) = self.known.remove(&(session, asker)) {
            self.weight -= refusal.weight();
        }
    }

    /// The operator clears a session, or all.
    pub(crate) fn clear(&mut self, session: Option<SessionKey>) {
        self.known.retain(|(key, _), _| session.is_some_and(|session| session != *key));
        self.weight = self.known.values().map(Refusal::weight).sum();
    }

    /// Those that are not forgotten yet, in the order of their sessions.
    pub(crate) fn iter(&self, now: Instant) -> impl Iterator<Item = (&SessionKey, &Refusal)> {
        let alive = self.known.iter().filter(move |(_, refusal)| refusal.expires > now);
        alive.map(|((session, _), refusal)| (session, refusal))
    }
}
