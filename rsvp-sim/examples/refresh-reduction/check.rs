//! What must hold at 5 % loss, with ten seeds.

use std::process::ExitCode;
use std::time::Duration;

use crate::measure::{Case, REFRESH, SOON, soon, stood};
use crate::table::seconds;

const SESSIONS: usize = 10_000;
const SEEDS: u64 = 10;

/// By how much the share that stands soon may fall short of what lost copies alone explain.
const TOLERANCE: f64 = 0.002;

/// Measures, and says whether it holds.
pub(crate) fn check(from: u64) -> ExitCode {
    let holds = [
        holds(from, 3, 0.995, "the rest after the next refreshes", REFRESH * 15 / 2),
        holds(from, 7, 0.999, "the last in time", Duration::from_secs(20)),
    ];
    if holds == [true; 2] { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether at least `least` of the sessions stand soon, in the mean, and the last one of each run within `within`.
fn holds(from: u64, rl: u32, least: f64, rest: &str, within: Duration) -> bool {
    let case = Case {
        sessions: SESSIONS,
        hops: 10,
        loss: 5,
        rl: Some(rl),
        over: Duration::ZERO,
        steady: Duration::ZERO,
    };
    let (mut share, mut last) = (0.0, Some(Duration::ZERO));
    for seed in from..from.saturating_add(SEEDS) {
        let stood = stood(&case.set_up(seed));
        let soon = soon(&stood) as f64 / SESSIONS as f64;
        share += soon / SEEDS as f64;
        let latest = stood.get(SESSIONS - 1).copied();
        last = last.zip(latest).map(|(last, latest)| last.max(latest));
        let latest = latest.map_or("never".to_owned(), seconds);
        println!("Rl {rl}, seed {seed}: {:.3} % within {SOON:?}, the last after {latest}", 100.0 * soon);
    }
    let (arithmetic, latest) = (case.arithmetic(), last.map_or("never".to_owned(), seconds));
    let is_close = (share - arithmetic).abs() <= TOLERANCE;
    let is_timely = last.is_some_and(|last| last <= within);
    let holds = share >= least && is_close && is_timely;
    println!(
        "Rl {rl}: {:.3} % within {SOON:?} (at least {:.1} %, arithmetic {:.3} %); {rest}: {latest} (at most {}): {}",
        100.0 * share,
        100.0 * least,
        100.0 * arithmetic,
        seconds(within),
        if holds { "holds" } else { "DOES NOT HOLD" },
    );
    holds
}
