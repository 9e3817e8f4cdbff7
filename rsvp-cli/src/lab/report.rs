//! The outcome of a run: a table for people, a document for programs.

use serde::Serialize;

use super::backend::Verdict;
use super::checks::Outcome;
use super::model::Scenario;
use super::run::Finished;
use super::scenario::Family;

/// The document that `--json` prints.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Report<'a> {
    title: &'a str,
    backend: &'a str,
    family: Family,
    passed: bool,
    interrupted: bool,
    checks: Vec<Line<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Line<'a> {
    check: &'a str,
    result: &'static str,
    seen: &'a str,
}

/// Whether all that was checked held, to the end.
pub(crate) fn is_passed(finished: &Finished) -> bool {
    let failed = |outcome: &Outcome| matches!(outcome.verdict, Verdict::Failed(_));
    !finished.interrupted && !finished.outcomes.iter().any(failed)
}

/// The outcome as one JSON document.
pub(crate) fn json(scenario: &Scenario, backend: &str, finished: &Finished) -> String {
    let checks = finished.outcomes.iter().map(|outcome| {
        let (result, seen) = words(&outcome.verdict);
        Line { check: outcome.what.trim_start(), result, seen }
    });
    let report = Report {
        title: &scenario.title,
        backend,
        family: scenario.family,
        passed: is_passed(finished),
        interrupted: finished.interrupted,
        checks: checks.collect(),
    };
    serde_json::to_string_pretty(&report).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"))
}

/// The outcome as a table.
pub(crate) fn table(finished: &Finished) -> String {
    let mut text = String::new();
    for outcome in &finished.outcomes {
        let (result, seen) = words(&outcome.verdict);
        text.push_str(&format!("{:<13} {}\n", result.to_uppercase(), outcome.what));
        if !seen.is_empty() {
            text.push_str(&format!("{:<13}   {seen}\n", ""));
        }
    }
    let count = |wanted: &str| finished.outcomes.iter().filter(|one| words(&one.verdict).0 == wanted).count();
    let [passed, failed, open] = ["passed", "failed", "not measured"].map(count);
    text.push_str(&format!("{passed} passed, {failed} failed, {open} not measured"));
    if finished.interrupted {
        text.push_str("; the run was interrupted");
    }
    text.push('\n');
    text
}

fn words(verdict: &Verdict) -> (&'static str, &str) {
    match verdict {
        Verdict::Passed(seen) => ("passed", seen),
        Verdict::Failed(seen) => ("failed", seen),
        Verdict::NotMeasured(seen) => ("not measured", seen),
    }
}
