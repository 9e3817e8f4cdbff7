//! A recording and how far it has come.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rsvp_core::{Instant, Node};
use rsvp_record::{End, Header, ReadError, Replay, ReplayError, Step};

use crate::convert::{LAST_DAY, Scene, timestamp};

/// A replay, and the time that it has come to.
pub(super) struct Tape {
    replay: Replay<File>,
    at: Instant,
}

impl Tape {
    /// At the beginning of a recording.
    ///
    /// # Errors
    ///
    /// When it is none, or cannot be read.
    pub(super) fn open(path: &Path) -> Result<Self, ReadError> {
        let replay = Replay::open(File::open(path)?)?;
        let at = replay.header().start;
        Ok(Self { replay, at })
    }

    /// What it says of the node.
    pub(super) fn header(&self) -> &Header {
        self.replay.header()
    }

    /// The node as it is now.
    pub(super) fn node(&self) -> &Node {
        self.replay.node()
    }

    /// The latest step.
    pub(super) fn number(&self) -> u64 {
        self.replay.number()
    }

    /// Why the recording ends, when it has.
    pub(super) fn end(&self) -> Option<End> {
        self.replay.end()
    }

    /// Takes the next step.
    ///
    /// # Errors
    ///
    /// When something else comes out than came out then.
    pub(super) fn step(&mut self) -> Result<Option<Step>, ReplayError> {
        let step = self.replay.step()?;
        if let Some(step) = &step {
            self.at = step.at;
        }
        Ok(step)
    }

    /// Whether the next step is later than so long after the start.
    pub(super) fn next_is_after(&mut self, time: Duration) -> bool {
        let limit = self.header().start + time;
        self.replay.next_at().is_some_and(|at| at > limit)
    }

    /// Seconds between the start and a time.
    pub(super) fn seconds_at(&self, at: Instant) -> f64 {
        at.since(self.header().start).as_secs_f64()
    }

    /// Seconds between the start and the latest step.
    pub(super) fn seconds(&self) -> f64 {
        self.seconds_at(self.at)
    }

    /// The time of day then.
    fn wall(&self) -> SystemTime {
        let header = self.header();
        let start = UNIX_EPOCH.checked_add(Duration::from_micros(header.wall_clock));
        start.and_then(|start| start.checked_add(self.at.since(header.start))).unwrap_or(UNIX_EPOCH)
    }

    /// When the recording began.
    pub(super) fn started(&self) -> String {
        let micros = self.header().wall_clock;
        let start = UNIX_EPOCH
            .checked_add(Duration::from_micros(micros))
            .filter(|_| u128::from(micros) <= LAST_DAY.as_micros());
        timestamp(start.unwrap_or(UNIX_EPOCH))
    }

    /// When the latest step was.
    pub(super) fn when(&self) -> String {
        format!("{:.6} s after the start", self.seconds())
    }

    /// What is needed to show the state.
    pub(super) fn scene(&self) -> Scene {
        let wall = self.wall();
        let is_sane = wall.duration_since(UNIX_EPOCH).is_ok_and(|since| since <= LAST_DAY);
        Scene::then(&self.node().interfaces(), self.at, if is_sane { wall } else { UNIX_EPOCH })
    }
}
