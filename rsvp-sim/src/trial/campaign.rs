//! Many trials at once.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;

use super::{Failure, Plan};

/// What came of a campaign.
#[derive(Debug, Default)]
pub struct Summary {
    /// How many trials ended.
    pub trials: u64,
    /// How many reservations were compared with the model.
    pub compared: usize,
    /// The trials that failed, by seed.
    pub failures: Vec<(u64, Failure)>,
}

/// Runs the trials of these seeds on so many threads, until `most` have failed. `progress` is told of every trial that
/// ends: how many have, and how many of them failed.
///
/// # Panics
///
/// When a thread does, which is no trial's failure.
pub fn campaign(
    seeds: Range<u64>,
    jobs: usize,
    most: usize,
    progress: impl Fn(u64, usize) + Sync,
) -> Summary {
    let next = AtomicU64::new(seeds.start);
    let (trials, failed, compared) = (AtomicU64::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let is_over = AtomicBool::new(false);
    let work = || {
        let mut failures = Vec::new();
        while !is_over.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                break;
            }
            match Plan::random(seed).run() {
                Ok(count) => drop(compared.fetch_add(count, Ordering::Relaxed)),
                Err(failure) => {
                    failures.push((seed, failure));
                    let failed = failed.fetch_add(1, Ordering::Relaxed) + 1;
                    is_over.fetch_or(failed >= most, Ordering::Relaxed);
                }
            }
            progress(trials.fetch_add(1, Ordering::Relaxed) + 1, failed.load(Ordering::Relaxed));
        }
        failures
    };
    let mut failures: Vec<(u64, Failure)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..jobs.max(1)).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a trial's panic is a result")).collect()
    });
    failures.sort_by_key(|(seed, _)| *seed);
    Summary { trials: trials.into_inner(), compared: compared.into_inner(), failures }
}
