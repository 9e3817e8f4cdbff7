//! How a node reacts: one file per message type and per event (RFC 2209 section 2).
//!
//! Each file adds methods to [`Node`]. Reactions change state and mark advertisements whose content may have changed;
//! [`Node::settle`] then queues those that really differ from what the neighbour was last told.

mod clear;
pub(crate) mod datagram;
mod downstream;
mod errors;
mod group;
mod interface;
mod local;
mod merge;
mod multihomed;
mod path;
mod path_err;
mod path_tear;
mod policy;
mod refusal;
mod resv;
mod resv_conf;
mod resv_err;
mod resv_tear;
mod route;
mod timers;
mod traffic_control;
pub(crate) mod transmit;
mod udp;
mod upstream;
mod within;

#[cfg(test)]
mod tests;

use alloc::vec::Vec;

use rand_core::Rng;

use crate::event::{Cause, Change, Event, EventKind, StateEvent, Subject, Upcall};
use crate::input::InterfaceId;
use crate::node::Node;
use crate::output::RouteKey;
use crate::state::{PsbId, SessionId};
use crate::time::{Duration, Instant};
use crate::view::History;
use crate::wire::RawObject;
use crate::{ApiId, SessionKey};

/// How many pieces of state one call works off before it leaves the rest to the next.
const SLICE: usize = 256;

/// Work that one call leaves to later ones, with where it stands.
#[derive(Debug)]
pub(crate) enum Work {
    /// A route changed: the path state that uses it.
    Route(RouteKey, Vec<PsbId>),
    /// Sessions are cleared.
    Clear(Vec<SessionId>, Cause),
    /// An interface is gone: the sessions that may have state on it.
    InterfaceGone(InterfaceId, Vec<SessionId>),
    /// An interface (`None`: any) has changed: the sessions that may be told otherwise on it.
    Reannounce(Option<InterfaceId>, Vec<SessionId>),
    /// Policy control has changed its mind: the sessions to ask about.
    Review(Vec<SessionId>),
}

impl Node {
    /// Works off a slice of the backlog.
    pub(crate) fn run_backlog(&mut self) {
        for _ in 0..SLICE {
            if !self.has_work() {
                return;
            }
            let Some(work) = self.backlog.front_mut() else { return };
            let done = match work {
                Work::Route(key, psbs) => psbs.pop().map(|psb| (*key, psb)).map(|(key, psb)| {
                    self.on_route_for(&key, psb);
                }),
                Work::Clear(sessions, cause) => {
                    sessions.pop().map(|session| (session, cause.clone())).map(|(session, cause)| {
                        self.clear_session(session, &cause);
                    })
                }
                Work::InterfaceGone(interface, sessions) => {
                    sessions.pop().map(|session| (*interface, session)).map(|(interface, session)| {
                        self.on_interface_gone_for(interface, session);
                    })
                }
                Work::Reannounce(interface, sessions) => {
                    sessions.pop().map(|session| (*interface, session)).map(|(interface, session)| {
                        self.reannounce(interface, session);
                    })
                }
                Work::Review(sessions) => sessions.pop().map(|session| self.review(session)),
            };
            if done.is_none() {
                self.backlog.pop_front();
            }
        }
    }

    /// Whether there is work that can be done now. It rests while many one-shots wait to be sent: it makes more of them,
    /// and none of its tears is to be lost.
    pub(crate) fn has_work(&self) -> bool {
        !self.backlog.is_empty() && self.outbox.one_shots() <= self.config.limits.queued_one_shots / 2
    }

    /// Queues every marked advertisement whose content differs from what was last told, in the order of marking:
    /// neighbours see changes in the order in which they happened. Then forgets the sessions that are empty.
    pub(crate) fn settle(&mut self) {
        for ad in core::mem::take(&mut self.dirty_paths) {
            self.settle_path(ad);
        }
        self.settle_upstream(&[]);
        self.state.sweep_sessions();
        self.state.neighbors.end_call();
    }

    /// As far as previous hops are concerned. `forward`: the objects that pass from a ResvTear to the ResvTears that
    /// it brings about.
    pub(crate) fn settle_upstream(&mut self, forward: &[RawObject]) {
        for ad in core::mem::take(&mut self.dirty_resvs) {
            self.settle_resv(ad, forward);
        }
    }

    /// Tells of a change of state.
    pub(crate) fn report(
        &mut self,
        session: Option<SessionKey>,
        subject: Subject,
        change: Change,
        cause: Cause,
    ) {
        tracing::debug!(?session, ?subject, ?change, ?cause, "state");
        self.emit(EventKind::State(StateEvent { session, subject, change, cause }));
    }

    /// Makes an upcall to an application.
    pub(crate) fn upcall(&mut self, api: ApiId, session: SessionKey, upcall: Upcall) {
        self.emit(EventKind::Upcall(api, session, upcall));
    }

    fn emit(&mut self, kind: EventKind) {
        if !self.events.push(Event { at: self.now, kind }) {
            self.counters.events_lost += 1;
        }
    }

    /// The history of state that is new.
    pub(crate) fn new_history(&self, cause: Cause) -> History {
        History { created: self.now, changed: self.now, refreshed: self.now, cause }
    }

    /// A random time in [0.5, 1.5] times `period` (RFC 2205 section 3.7).
    pub(crate) fn jitter(&mut self, period: Duration) -> Duration {
        let micros = u64::try_from(period.as_micros()).unwrap_or(u64::MAX / 2);
        let spread = self.rng.next_u64() % (micros + 1);
        Duration::from_micros(micros / 2 + spread)
    }

    /// When state dies that a neighbour refreshes every `refresh_ms` (RFC 2205 section 3.7): after
    /// L = (K + 0.5) * 1.5 * R.
    pub(crate) fn expiry(&self, refresh_ms: u32, interface: InterfaceId) -> Instant {
        let k = u64::from(self.interface_config(interface).refresh_multiple);
        let r = u64::from(refresh_ms.max(1)) * 1000;
        self.now + Duration::from_micros(r.saturating_mul(2 * k + 1).saturating_mul(3) / 4)
    }
}

/// Marks a history as changed.
pub(crate) fn touch(history: &mut History, now: Instant, cause: Cause) {
    history.changed = now;
    history.refreshed = now;
    history.cause = cause;
}

/// `period` as the next refresh announces it: R may shrink at once, and grow by Slew.Max a refresh
/// (RFC 2205 section 3.7). Zero means that nothing was announced yet.
pub(crate) fn slewed(period: Duration, target: Duration, slew_max: f32) -> Duration {
    if period.is_zero() || target <= period {
        return target;
    }
    let grown = period.as_secs_f32() * (1.0 + slew_max.max(0.0));
    Duration::try_from_secs_f32(grown).map_or(target, |grown| target.min(grown))
}

/// Removes one element from an unordered list.
pub(crate) fn remove_from<T: PartialEq>(list: &mut Vec<T>, element: &T) {
    if let Some(index) = list.iter().position(|other| other == element) {
        list.swap_remove(index);
    }
}
