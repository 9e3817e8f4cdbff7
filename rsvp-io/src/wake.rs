//! A file descriptor that wakes whoever waits for file descriptors.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::task::Waker;

use nix::sys::eventfd::{EfdFlags, EventFd};

/// Readable from when its waker was woken until it is [cleared](Self::clear).
pub struct Wake(Arc<Event>);

struct Event(EventFd);

impl std::task::Wake for Event {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // It only fails where the count is at its end: then it is readable anyway.
        let _ = self.0.write(1);
    }
}

impl Wake {
    /// One that nobody has woken yet.
    ///
    /// # Errors
    ///
    /// If there can be no more file descriptors.
    pub fn new() -> io::Result<Self> {
        let flags = EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC;
        Ok(Self(Arc::new(Event(EventFd::from_value_and_flags(0, flags)?))))
    }

    /// What makes it readable, from any thread.
    #[must_use]
    pub fn waker(&self) -> Waker {
        Waker::from(Arc::clone(&self.0))
    }

    /// Makes it unreadable again.
    pub fn clear(&self) {
        // An error says that it is so already.
        let _ = self.0.0.read();
    }
}

impl AsFd for Wake {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.0.as_fd()
    }
}
