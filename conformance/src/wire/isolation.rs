//! The process around a bench of namespaces: privileges, and an orderly end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use nix::sys::signal::{SigSet, Signal};
use rsvp_netns::isolate;

/// Whether the run is to end.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// What [`enter`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolated {
    /// This process is inside: it may make namespaces, and with it all that it has started ends.
    Inside,
    /// The program has run inside, and ended with this exit code.
    Done(u8),
}

/// Runs this program again where it may make namespaces; in that second run it returns [`Isolated::Inside`], and signals
/// that end a program interrupt the cases that run. To be called before there is a second thread.
///
/// # Errors
///
/// In words: the system does not allow it.
pub fn enter() -> Result<Isolated, String> {
    match isolate::enter().map_err(|error| error.to_string())? {
        isolate::Entered::Done(status) => Ok(Isolated::Done(isolate::exit_code(status))),
        isolate::Entered::Inside(_) => watch().map(|()| Isolated::Inside),
    }
}

/// Stays where it is, for a bench on interfaces that are there: signals that end a program interrupt the cases that run.
///
/// # Errors
///
/// In words: the system does not allow it.
pub fn stay() -> Result<(), String> {
    watch_signals()
}

/// Whether somebody wants the run to end.
#[must_use]
pub fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

fn watch() -> Result<(), String> {
    watch_signals()?;
    let parent = || {
        isolate::outlives();
        INTERRUPTED.store(true, Ordering::Relaxed);
    };
    let started = thread::Builder::new().name("parent".to_owned()).spawn(parent);
    started.map(|_| ()).map_err(|error| format!("cannot watch for the end of this program: {error}"))
}

fn watch_signals() -> Result<(), String> {
    let signals: SigSet = [Signal::SIGINT, Signal::SIGTERM].into_iter().collect();
    let failed = |error: &dyn std::fmt::Display| format!("cannot watch for signals: {error}");
    signals.thread_block().map_err(|error| failed(&error))?;
    let wait = move || {
        // An error would come at once and always; then the run cannot be interrupted, which is no reason to end it.
        if signals.wait().is_ok() {
            INTERRUPTED.store(true, Ordering::Relaxed);
        }
    };
    thread::Builder::new().name("signals".to_owned()).spawn(wait).map_err(|error| failed(&error))?;
    Ok(())
}
