//! The wish to end: Ctrl-C, SIGTERM, or a parent that is gone.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

/// Set once, never reset; whoever sleeps on it wakes.
#[derive(Debug, Default)]
pub(crate) struct Interrupt {
    is_set: Mutex<bool>,
    changed: Condvar,
}

impl Interrupt {
    /// Asks the run to end.
    pub(crate) fn set(&self) {
        *self.lock() = true;
        self.changed.notify_all();
    }

    /// Sets it on SIGINT, SIGTERM, and when the process that this one was started from is gone.
    ///
    /// Blocks the signals for the calling thread and all that it starts: call it before there are others.
    pub(crate) fn watch_signals(self: &Arc<Self>) -> io::Result<()> {
        use nix::sys::signal::{SigSet, Signal};

        let signals: SigSet = [Signal::SIGINT, Signal::SIGTERM].into_iter().collect();
        signals.thread_block()?;
        let this = Arc::clone(self);
        thread::Builder::new().name("signals".to_owned()).spawn(move || {
            // An error would come at once and always; then the run cannot be interrupted, which is no reason to end it.
            if signals.wait().is_ok() {
                this.set();
            }
        })?;
        let this = Arc::clone(self);
        thread::Builder::new().name("parent".to_owned()).spawn(move || {
            rsvp_netns::isolate::outlives();
            this.set();
        })?;
        Ok(())
    }

    /// Sleeps until then, or for ever without a time; whether it was interrupted.
    pub(crate) fn sleep_until(&self, end: Option<Instant>) -> bool {
        let mut is_set = self.lock();
        while !*is_set {
            let Some(end) = end else {
                is_set = self.changed.wait(is_set).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            is_set = self.changed.wait_timeout(is_set, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        *is_set
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.is_set.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
