//! What has happened: the last events, for those who ask later, and a stream for those who watch.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use rsvp_client::api::{EventRecord, Happening};
use rsvp_core::event::{Change, EventKind, StateEvent, Subject};
use rsvp_core::{Event, Node};
use rsvp_driver::{Events, Handle};
use tokio::sync::broadcast;

use super::Registry;
use crate::convert::{self, Scene};

/// How far a watcher may fall behind.
const WATCH_QUEUE: usize = 1024;

/// Remembers the last events; cheap to clone.
#[derive(Clone)]
pub(crate) struct Recorder {
    ring: Arc<Mutex<Ring>>,
    watchers: broadcast::Sender<EventRecord>,
}

struct Ring {
    records: VecDeque<EventRecord>,
    limit: usize,
    sequence: u64,
}

impl Recorder {
    /// Remembers at most `limit` events.
    pub(crate) fn new(limit: usize) -> Self {
        let ring = Ring { records: VecDeque::new(), limit, sequence: 0 };
        Self { ring: Arc::new(Mutex::new(ring)), watchers: broadcast::channel(WATCH_QUEUE).0 }
    }

    /// The events that are remembered, oldest first.
    pub(crate) fn records(&self) -> Vec<EventRecord> {
        self.lock().records.iter().cloned().collect()
    }

    /// Events from now on.
    pub(crate) fn watch(&self) -> broadcast::Receiver<EventRecord> {
        self.watchers.subscribe()
    }

    fn push(&self, mut record: EventRecord) {
        let mut ring = self.lock();
        ring.sequence += 1;
        record.sequence = ring.sequence;
        if ring.limit > 0 {
            if ring.records.len() == ring.limit {
                ring.records.pop_front();
            }
            ring.records.push_back(record.clone());
        }
        // Sent under the lock, so that watchers see them in order. Nobody need be watching.
        let _ = self.watchers.send(record);
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the node's events until it ends: into the recorder, the log, and the registry of applications. All that have
/// come are taken together, so that a burst of them waits for the registry and for the node only once.
pub(crate) async fn record(mut events: Events, handle: Handle, recorder: Recorder, registry: Registry) {
    let clock = handle.clock();
    let look = move |node: &Node| Scene::new(&node.interfaces(), clock.now());
    let Ok(mut scene) = handle.query(look).await else { return };
    let mut batch = Vec::new();
    while let Some(event) = events.next().await {
        batch.push(event);
        batch.extend(std::iter::from_fn(|| events.try_next()));
        if batch.iter().any(concerns_interfaces) {
            // At the very end there is nobody left to ask; the names known so far must do.
            if let Ok(newer) = handle.query(look).await {
                scene = newer;
            }
        }
        for event in &batch {
            recorder.push(to_record(event, &scene));
        }
        let upcalls = batch.drain(..).filter_map(|event| match event.kind {
            EventKind::Upcall(id, _, upcall) => Some((id, upcall)),
            _ => None,
        });
        registry.on_upcalls(upcalls).await;
    }
}

/// Whether an event may name an interface that was not there before.
fn concerns_interfaces(event: &Event) -> bool {
    matches!(
        &event.kind,
        EventKind::State(StateEvent { subject: Subject::Interface { .. }, .. }) | EventKind::Lost(_)
    )
}

fn to_record(event: &Event, scene: &Scene) -> EventRecord {
    let (session, text, happening) = match &event.kind {
        EventKind::State(state) => {
            let text = convert::describe_state(state, scene);
            log(state, &text);
            (state.session, text, convert::happening(state, scene))
        }
        EventKind::Upcall(id, key, upcall) => {
            let (upcall, text) = convert::upcall(upcall);
            let text = format!("application {} of {}: {text}", id.0, convert::session(key));
            tracing::debug!("{text}");
            (Some(*key), text, Happening::Upcall { application: id.0, upcall })
        }
        EventKind::Lost(count) => {
            tracing::warn!(count, "events were lost");
            (None, format!("{count} events were lost"), Happening::Lost { count: *count })
        }
    };
    EventRecord {
        sequence: 0,
        time: convert::timestamp(SystemTime::now()),
        session: session.as_ref().map(convert::session),
        text,
        happening,
    }
}

/// Operators see what comes, goes or is refused; what merely changes is for the curious.
fn log(event: &StateEvent, text: &str) {
    match (&event.subject, event.change) {
        (_, Change::Refused) => tracing::warn!("{text}"),
        (Subject::Installation { .. } | Subject::Interface { .. }, Change::Created | Change::Removed) => {
            tracing::info!("{text}");
        }
        _ => tracing::debug!("{text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(text: &str) -> EventRecord {
        EventRecord {
            sequence: 0,
            time: String::new(),
            session: None,
            text: text.to_owned(),
            happening: Happening::Lost { count: 1 },
        }
    }

    #[test]
    fn the_last_events_are_remembered_and_all_are_counted() {
        let recorder = Recorder::new(2);
        for text in ["a", "b", "c"] {
            recorder.push(record(text));
        }
        let seen: Vec<_> = recorder.records().into_iter().map(|r| (r.sequence, r.text)).collect();
        assert_eq!(seen, [(2, "b".to_owned()), (3, "c".to_owned())]);
    }

    #[test]
    fn watchers_see_events_even_if_none_is_remembered() {
        let recorder = Recorder::new(0);
        let mut watcher = recorder.watch();
        recorder.push(record("a"));
        assert!(recorder.records().is_empty());
        assert_eq!(watcher.try_recv().expect("an event").text, "a");
    }
}
