//! Every kind of alteration is found by the suite: some case fails when the device shows that fault.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use conformance::alter::{Alteration, kinds};
use conformance::bench::Lab;
use conformance::case::Case;
use conformance::cases::CASES;
use conformance::catalogue::Catalogue;
use conformance::verdict::Verdict;

/// Set to anything, it makes the test run all cases with every kind, instead of ending at the first that fails.
const ALL: &str = "CONFORMANCE_ALTERATIONS_ALL";

/// What the cases say of a kind: how many were run, and those that failed.
struct Found {
    run: usize,
    failing: Vec<&'static str>,
}

#[test]
fn every_kind_of_alteration_is_found() {
    let catalogue = Catalogue::load().expect("the catalogue can be read");
    let kinds: Vec<&Alteration> = kinds().collect();
    let (next, found) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(kind) = kinds.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = look_for(kind, &catalogue);
                    found.lock().expect("nobody panics").insert(kind.name, result);
                }
            });
        }
    });
    let found = found.into_inner().expect("nobody panics");
    println!("{:<24}{:<22}{:>7}{:>7}  first case that fails", "alteration", "clause", "run", "fail");
    for kind in &kinds {
        let Found { run, failing } = &found[kind.name];
        let first = failing.first().unwrap_or(&"-");
        println!("{:<24}{:<22}{run:>7}{:>7}  {first}", kind.name, kind.clause, failing.len());
    }
    let is_missed = |name: &&str| found[name].failing.is_empty();
    let missed: Vec<&str> = kinds.iter().map(|kind| kind.name).filter(is_missed).collect();
    assert!(missed.is_empty(), "no case finds {}", missed.join(", "));
}

/// Runs cases against an engine with this fault; those first that show the clause, then those of its section, its RFC.
fn look_for(kind: &Alteration, catalogue: &Catalogue) -> Found {
    let is_all = std::env::var_os(ALL).is_some();
    let mut cases: Vec<&'static Case> = CASES.iter().collect();
    let (rfc, section) = kind.clause.split_once('-').map_or((kind.clause, ""), |(rfc, rest)| {
        (rfc, rest.rsplit_once('-').map_or(rest, |(section, _)| section))
    });
    cases.sort_by_key(|case| {
        (!case.requirements.contains(&kind.clause), case.rfc() != rfc, case.section() != section)
    });
    let mut found = Found { run: 0, failing: Vec::new() };
    for case in cases {
        let lab = Lab::in_process().interposing(kind.interposition());
        found.run += 1;
        if matches!(case.run(&lab, catalogue).verdict, Verdict::Fail | Verdict::NotStrict) {
            found.failing.push(case.id);
            if !is_all {
                break;
            }
        }
    }
    found
}
