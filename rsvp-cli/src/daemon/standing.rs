//! Senders and reservations that the configuration asks for.

use std::sync::Arc;
use std::time::Duration;

use rsvp_client::api::Origin;
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
        let wanted: Vec<Asked> = senders.chain(reservations).collect();
        let mut changes = Changes::default();
        let mut entries = self.entries.lock().await;
        let mut kept = Vec::new();
        for entry in entries.drain(..) {
            if wanted.contains(&entry.asked) {
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
        for asked in wanted {
            if !kept.iter().any(|entry| entry.asked == asked) {
                changes.added += 1;
                kept.push(Entry { asked, id: None });
            }
        }
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
