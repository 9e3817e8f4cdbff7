//! Recordings in memory.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use rsvp_record::{Replay, ReplayError, Step};

/// A file in memory; cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<Vec<u8>>>);

impl Memory {
    pub(crate) fn octets(&self) -> Vec<u8> {
        self.0.lock().expect("nobody panics with it").clone()
    }
}

impl Write for Memory {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics with it").write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Replays as far as it goes.
pub(crate) fn steps(octets: &[u8]) -> (Vec<Step>, Result<Replay<&[u8]>, ReplayError>) {
    let mut steps = Vec::new();
    let mut replay = match Replay::open(octets) {
        Ok(replay) => replay,
        Err(error) => return (steps, Err(error.into())),
    };
    loop {
        match replay.step() {
            Ok(Some(step)) => steps.push(step),
            Ok(None) => return (steps, Ok(replay)),
            Err(error) => return (steps, Err(error)),
        }
    }
}
