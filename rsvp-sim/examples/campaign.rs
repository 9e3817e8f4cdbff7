//! Tries random networks by the million:
//!
//! ```text
//! cargo run --release -p rsvp-sim --example campaign -- --seeds 1000000 --jobs 8 --from 0
//! ```
//!
//! Prints how far it is, then the seeds that failed, the first of them made small; exits with 1 if there are any.

use std::process::ExitCode;
use std::time::Instant;

use rsvp_sim::trial::{Plan, campaign, minimise};

/// After so many failures there is enough to look at.
const MOST_FAILURES: usize = 10;

fn main() -> ExitCode {
    let (mut seeds, mut jobs, mut from) =
        (10_000, std::thread::available_parallelism().map_or(1, usize::from), 0);
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let Some(value) = arguments.next().and_then(|value| value.parse::<u64>().ok()) else {
            eprintln!("campaign: {name} takes a whole number");
            return ExitCode::from(2);
        };
        match name.as_str() {
            "--seeds" => seeds = value,
            "--jobs" => jobs = usize::try_from(value).unwrap_or(1),
            "--from" => from = value,
            _ => {
                eprintln!("campaign: {name} is not known; there are --seeds, --jobs and --from");
                return ExitCode::from(2);
            }
        }
    }
    let start = Instant::now();
    let summary = campaign(from..from.saturating_add(seeds), jobs, MOST_FAILURES, |ended, failed| {
        if ended.is_multiple_of(100) {
            eprintln!("{ended} of {seeds} trials, {failed} failed, {:.0} s", start.elapsed().as_secs_f32());
        }
    });
    for (seed, failure) in &summary.failures {
        println!("seed {seed}: {}", failure.text);
    }
    println!(
        "{} trials, {} reservations compared, {} failed",
        summary.trials,
        summary.compared,
        summary.failures.len()
    );
    let Some((seed, _)) = summary.failures.first() else { return ExitCode::SUCCESS };
    let smallest = minimise(&Plan::random(*seed), |plan| plan.run().is_err());
    if let Err(failure) = smallest.run() {
        println!(
            "\nseed {seed}, made small:\n{smallest}\n{}\n\nlast messages:\n{}",
            failure.text, failure.messages
        );
    }
    ExitCode::FAILURE
}
