//! The engine's time, from the system's monotonic clock.

use std::time::{self, Duration};

use rsvp_core::Instant;

/// Counts from when it was started; copies count alike.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: time::Instant,
}

impl Clock {
    /// A clock that starts now.
    #[must_use]
    pub fn start() -> Self {
        Self { start: time::Instant::now() }
    }

    /// The engine's `now`, in microseconds since the start.
    #[must_use]
    pub fn now(&self) -> Instant {
        Instant::ZERO + self.start.elapsed()
    }

    /// When the system's clock shows what the engine calls `instant`; `None` beyond the end of its time.
    #[must_use]
    pub fn at(&self, instant: Instant) -> Option<time::Instant> {
        self.start.checked_add(Duration::from_micros(instant.as_micros()))
    }
}
