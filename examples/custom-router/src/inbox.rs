//! What other threads say to the one that the node runs on.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::Waker;

use rsvp_driver::ReadOutcome;
use rsvp_io::Wake;

/// A queue that ends in a file descriptor: it is readable when something has come.
pub(crate) struct Inbox<T> {
    items: Receiver<T>,
    wake: Wake,
}

/// The way into an [`Inbox`].
pub(crate) struct Outbox<T> {
    items: Sender<T>,
    waker: Waker,
}

impl<T> Inbox<T> {
    pub(crate) fn new() -> io::Result<(Outbox<T>, Self)> {
        let (sender, items) = channel();
        let wake = Wake::new()?;
        Ok((Outbox { items: sender, waker: wake.waker() }, Self { items, wake }))
    }

    /// What the driver is to wait for.
    pub(crate) fn source(&self) -> io::Result<OwnedFd> {
        self.wake.as_fd().try_clone_to_owned()
    }

    /// Takes at most `budget` items out.
    pub(crate) fn drain(&self, budget: usize, mut take: impl FnMut(T)) -> ReadOutcome {
        // First: what comes after the last look makes it readable again.
        self.wake.clear();
        for _ in 0..budget {
            let Ok(item) = self.items.try_recv() else { return ReadOutcome::Drained };
            take(item);
        }
        ReadOutcome::More
    }
}

impl<T> Outbox<T> {
    /// Puts an item in; nobody waits for it once the node is gone.
    pub(crate) fn put(&self, item: T) {
        if self.items.send(item).is_ok() {
            self.waker.wake_by_ref();
        }
    }
}
