//! Senders and reservations that the configuration asks for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rsvp_client::api::{Origin, Session};
use rsvp_core::ApiId;
use tokio::sync::Mutex;

use crate::config::Config;
use crate::control::{Asked, Registry};

/// How often what failed is tried again: an interface may have come up meanwhile.
const RETRY: Duration = Duration::from_secs(5);

/// Keeps what the configuration asks for; cheap to clone.
#[derive(Clone)]
pub(crate) struct Standing {
    registry: Registry,
    entries: Arc<Mutex<Vec<Entry>>>,
}

struct Entry {
    asked: Asked,
    /// `None`: the last attempt failed.
    id: Option<ApiId>,
}

/// What a change of the configuration did.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// New entries.
    pub(crate) added: usize,
    /// Entries that are gone.
    pub(crate) removed: usize,
    /// Entries that stayed.
    pub(crate) unchanged: usize,
    /// What failed, in words; it will be tried again.
    pub(crate) failures: Vec<String>,
}

impl Standing {
    /// Nothing is asked for yet.
    pub(crate) fn new(registry: Registry) -> Self {
        Self { registry, entries: Arc::default() }
    }

    /// Asks for what the configuration says, and withdraws what it says no more. What stays is not touched.
    pub(crate) async fn apply(&self, config: &Config) -> Changes {
        let senders = config.senders.iter().cloned().map(Asked::Sender);
        let reservations = config.reservations.iter().cloned().map(Asked::Reservation);
        // By session, since there may be many, but only a few of one session; with their places in the file.
        let mut wanted: BTreeMap<Session, Vec<(usize, Asked)>> = BTreeMap::new();
        for (place, asked) in senders.chain(reservations).enumerate() {
            let of_session = wanted.entry(asked.session()).or_default();
            if !of_session.iter().any(|(_, known)| *known == asked) {
                of_session.push((place, asked));
            }
        }
        let mut changes = Changes::default();
        let mut entries = self.entries.lock().await;
        let mut kept = Vec::new();
        for entry in entries.drain(..) {
            let of_session = wanted.get_mut(&entry.asked.session());
            let position =
                of_session.as_ref().and_then(|all| all.iter().position(|(_, asked)| *asked == entry.asked));
            if let Some((of_session, position)) = of_session.zip(position) {
                of_session.remove(position);
                kept.push(entry);
                continue;
            }
            changes.removed += 1;
            if let Some(id) = entry.id
                && let Err(error) = self.registry.release(id, &[Origin::Standing]).await
            {
                changes.failures.push(error.to_string());
            }
        }
        changes.unchanged = kept.len();
        let mut added: Vec<_> = wanted.into_values().flatten().collect();
        added.sort_by_key(|(place, _)| *place);
        kept.extend(added.into_iter().map(|(_, asked)| Entry { asked, id: None }));
        changes.added = kept.len() - changes.unchanged;
        *entries = kept;
        changes.failures.extend(self.open(&mut entries).await);
        changes
    }

    /// Tries again what failed, from time to time.
    pub(crate) async fn keep_trying(self) {
        loop {
            tokio::time::sleep(RETRY).await;
            for failure in self.open(&mut self.entries.lock().await).await {
                tracing::debug!("{failure}");
            }
        }
    }

    async fn open(&self, entries: &mut [Entry]) -> Vec<String> {
        let mut failures = Vec::new();
        for entry in entries.iter_mut().filter(|entry| entry.id.is_none()) {
            match self.registry.open(entry.asked.clone(), Origin::Standing).await {
                Ok(application) => entry.id = Some(ApiId(application.id)),
                Err(error) => {
                    failures.push(format!("standing {}: {error}; will be tried again", entry.asked));
                }
            }
        }
        failures
    }
}
