//! The one source of chance in a simulation.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// A seeded generator: the same seed gives the same simulation.
pub type Random = ChaCha8Rng;

/// The environment variable that overrides a simulation's seed.
pub const SEED_VARIABLE: &str = "RSVP_SIM_SEED";

/// The seed that [`SEED_VARIABLE`] names, if it is set to a number.
///
/// # Panics
///
/// When it is set to something else.
#[must_use]
pub(crate) fn seed_from_environment() -> Option<u64> {
    let text = std::env::var(SEED_VARIABLE).ok()?;
    match text.parse() {
        Ok(seed) => Some(seed),
        Err(_) => panic!("{SEED_VARIABLE}={text}: expected a whole number"),
    }
}

/// A generator for `seed`.
#[must_use]
pub fn seeded(seed: u64) -> Random {
    Random::seed_from_u64(seed)
}

/// Draws from a generator.
pub trait Draw {
    /// True with the given probability (0.0 to 1.0).
    fn chance(&mut self, probability: f64) -> bool;
    /// A number below `bound`, which must not be zero.
    fn below(&mut self, bound: usize) -> usize;
    /// A time between nothing and `most`, in microseconds.
    fn duration(&mut self, most: Duration) -> Duration;
}

impl<R: Rng> Draw for R {
    fn chance(&mut self, probability: f64) -> bool {
        probability > 0.0 && f64::from(self.next_u32()) < probability * 4_294_967_296.0
    }

    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).expect("usize fits in u64");
        usize::try_from(self.next_u64() % bound).expect("smaller than a usize")
    }

    fn duration(&mut self, most: Duration) -> Duration {
        let most = u64::try_from(most.as_micros()).unwrap_or(u64::MAX - 1);
        Duration::from_micros(self.next_u64() % (most + 1))
    }
}
