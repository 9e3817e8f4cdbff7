//! Runs cases, several at a time, and collects what became of them.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use serde::Serialize;

use crate::bench::Lab;
use crate::case::{Case, Outcome};
use crate::catalogue::Catalogue;
use crate::verdict::Verdict;

/// A run of the suite against a device.
#[derive(Clone, Debug)]
pub struct Run {
    /// The device, as its profile calls it.
    pub device: String,
    /// When it began.
    pub began: SystemTime,
    /// How long it took.
    pub duration: Duration,
    /// How many cases were to be run.
    pub planned: usize,
    /// What became of the cases, in the order of the suite.
    pub results: Vec<CaseResult>,
}

/// What became of one case of a run.
#[derive(Clone, Debug)]
pub struct CaseResult {
    /// The case.
    pub case: &'static Case,
    /// What became of it.
    pub outcome: Outcome,
    /// What the device said of its own state after a case that did not pass, where the profile has a hook for that.
    pub dump: Option<String>,
}

impl Run {
    /// How many cases ended with a verdict.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.results.iter().filter(|result| result.outcome.verdict == verdict).count()
    }

    /// What the run says of the device, which may be held to what is recommended, too.
    #[must_use]
    pub fn conclusion(&self, strict: bool) -> Conclusion {
        if !self.results.iter().all(|result| result.outcome.verdict.is_good(strict)) {
            Conclusion::Failed
        } else if self.results.len() < self.planned || self.count(Verdict::Pass) == 0 {
            Conclusion::Open
        } else {
            Conclusion::Passed
        }
    }
}

/// What a run says of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conclusion {
    /// All cases were run, some passed, and none failed.
    Passed,
    /// A case failed.
    Failed,
    /// None failed, but the run was ended early, or no case could be judged at all.
    Open,
}

/// Runs cases in as many laboratories as there are workers.
///
/// A worker makes its laboratory by `lab`, which gets the number of the worker, for each case anew. A case that ends
/// inconclusively runs once more. `done` hears of each result at once, and says whether to go on: after a `false` no
/// further case begins, and those are left out of the run.
pub fn run(
    device: &str,
    cases: &[&'static Case],
    workers: usize,
    catalogue: &Catalogue,
    lab: impl Fn(usize) -> Lab + Sync,
    done: impl FnMut(&CaseResult) -> bool + Send,
) -> Run {
    let (began, clock) = (SystemTime::now(), Instant::now());
    let next = AtomicUsize::new(0);
    let results = Mutex::new((Vec::new(), done));
    thread::scope(|scope| {
        for worker in 0..workers.clamp(1, cases.len().max(1)) {
            let (next, results, lab) = (&next, &results, &lab);
            scope.spawn(move || {
                while let Some((place, case)) = take(next, cases) {
                    let attempt = || {
                        let lab = lab(worker);
                        (case.run(&lab, catalogue), lab.take_dump())
                    };
                    let (mut outcome, mut dump) = attempt();
                    if outcome.verdict == Verdict::Inconclusive {
                        (outcome, dump) = attempt();
                    }
                    let dump = dump.filter(|_| outcome.verdict != Verdict::Pass);
                    let result = CaseResult { case, outcome, dump };
                    let mut results = results.lock().expect("no worker panics while it reports");
                    let (all, done) = &mut *results;
                    if !done(&result) {
                        next.store(cases.len(), Ordering::Relaxed);
                    }
                    all.push((place, result));
                }
            });
        }
    });
    let (mut results, _) = results.into_inner().expect("no worker panics while it reports");
    results.sort_by_key(|(place, _)| *place);
    let results = results.into_iter().map(|(_, result)| result).collect();
    Run { device: device.to_owned(), began, duration: clock.elapsed(), planned: cases.len(), results }
}

/// The next case that nobody has begun.
fn take(next: &AtomicUsize, cases: &[&'static Case]) -> Option<(usize, &'static Case)> {
    let place = next.fetch_add(1, Ordering::Relaxed);
    cases.get(place).map(|case| (place, *case))
}
