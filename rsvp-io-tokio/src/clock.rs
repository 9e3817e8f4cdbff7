//! The engine's time, from tokio's monotonic clock.

use std::time::Duration;

use rsvp_core::Instant;

/// Counts from when it was started; copies count alike.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: tokio::time::Instant,
}

impl Clock {
    /// A clock that starts now.
    #[must_use]
    pub fn start() -> Self {
        Self { start: tokio::time::Instant::now() }
    }

    /// The engine's `now`.
    #[must_use]
    pub fn now(&self) -> Instant {
        let micros = self.start.elapsed().as_micros();
        Instant::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }

    /// When tokio's clock shows what the engine calls `instant`; `None` beyond the end of its time.
    pub(crate) fn at(&self, instant: Instant) -> Option<tokio::time::Instant> {
        self.start.checked_add(Duration::from_micros(instant.as_micros()))
    }
}
