//! Recordings in memory.

use std::io::{self, Cursor, Write};
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

/// A replay that has come to its end, or what it came to instead.
pub(crate) type Replayed = Result<Replay<Cursor<Vec<u8>>>, ReplayError>;

/// Replays as far as it goes.
pub(crate) fn steps(octets: &[u8]) -> (Vec<Step>, Replayed) {
    let mut steps = Vec::new();
    let mut replay = match Replay::open(Cursor::new(octets.to_vec())) {
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
