//! What is told of a run: at the terminal while it goes on, and in files afterwards.
//!
//! A [`Report`] is all that there is to tell; `report.json` is a Report as it stands, and documented in `docs/verdicts.md`.
//! What a device sends, says of itself, or makes a case say, may be hostile: nothing of it is printed or written as it is.

pub mod captures;
mod dialogue;
mod folder;
pub mod html;
pub mod junit;
mod share;
mod terminal;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde::Serialize;

use crate::catalogue::{Catalogue, Requirement};
use crate::run::{CaseResult, Conclusion, Run};
use crate::verdict::{Failure, Verdict};

pub use dialogue::{Line, What, lines};
pub use folder::{PAGE, prepare, write};
pub use share::Share;
pub use terminal::{Terminal, plain};

/// The version of the form of `report.json`. It grows when something is taken away, or means something else than before.
pub const FORMAT: u32 = 1;

/// All that is told of a run.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Report<'a> {
    /// [`FORMAT`].
    pub format: u32,
    /// The version of this suite.
    pub suite: &'static str,
    /// The device, as its profile calls it.
    pub device: &'a str,
    /// When the run began, in RFC 3339.
    pub began: String,
    /// How long it took.
    pub duration_ms: u64,
    /// Whether the device was held to what is only recommended, too.
    pub strict: bool,
    /// Whether it passed.
    pub passed: bool,
    /// Whether it passed or failed, or neither.
    pub conclusion: Conclusion,
    /// How many cases were to be run.
    pub planned: usize,
    /// How many cases ended with each verdict.
    pub counts: Counts,
    /// The same by RFC and section, in the order of the suite.
    pub rfcs: Vec<Rfc<'a>>,
    /// What the passed cases show of the catalogue.
    pub shares: Vec<Share>,
    /// The cases.
    pub cases: Vec<Case<'a>>,
}

/// How many cases ended with each verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Counts(BTreeMap<Verdict, usize>);

impl Default for Counts {
    fn default() -> Self {
        Self(Verdict::ALL.into_iter().map(|verdict| (verdict, 0)).collect())
    }
}

/// The cases of one RFC.
#[derive(Clone, Debug, Serialize)]
pub struct Rfc<'a> {
    /// Its name, as in `rfc2205`.
    pub rfc: &'a str,
    /// All of them.
    pub counts: Counts,
    /// By section.
    pub sections: Vec<Section<'a>>,
}

/// The cases of one section.
#[derive(Clone, Debug, Serialize)]
pub struct Section<'a> {
    /// Its number or name.
    pub section: &'a str,
    /// All of them.
    pub counts: Counts,
}

/// What is told of one case.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Case<'a> {
    /// Its id.
    pub id: &'a str,
    /// What is shown.
    pub text: &'a str,
    /// The first part of its id.
    pub rfc: &'a str,
    /// The second part.
    pub section: &'a str,
    /// Where it is written.
    pub file: &'a str,
    /// The verdict.
    pub verdict: Verdict,
    /// Why, where it did not pass; in one line.
    pub reason: Option<&'a str>,
    /// How long it took.
    pub duration_ms: u64,
    /// What it shows.
    pub requirements: Vec<Clause<'a>>,
    /// What was wrong.
    pub failure: Option<&'a Failure>,
    /// What the device said of its own state.
    pub dump: Option<&'a str>,
    /// How many devices it took.
    pub devices: usize,
    /// What was said.
    pub transcript: Vec<Line<'a>>,
}

/// A requirement, as far as it is told of.
#[derive(Clone, Debug, Serialize)]
pub struct Clause<'a> {
    /// Its id.
    pub id: &'a str,
    /// The section of the RFC.
    pub section: &'a str,
    /// How binding it is.
    pub level: String,
    /// Whom it binds.
    pub role: &'a str,
    /// What it asks for.
    pub text: &'a str,
}

impl<'a> Report<'a> {
    /// All that there is to tell of a run.
    #[must_use]
    pub fn of(run: &'a Run, catalogue: &'a Catalogue, strict: bool) -> Self {
        let mut counts = Counts::default();
        let mut rfcs: Vec<Rfc<'a>> = Vec::new();
        for CaseResult { case, outcome, .. } in &run.results {
            let rfc = find_or_add(
                &mut rfcs,
                |rfc| rfc.rfc == case.rfc(),
                || Rfc { rfc: case.rfc(), counts: Counts::default(), sections: Vec::new() },
            );
            let section = case.section();
            let of_section = |known: &Section<'_>| known.section == section;
            let new = || Section { section, counts: Counts::default() };
            let section = find_or_add(&mut rfc.sections, of_section, new);
            for counts in [&mut counts, &mut rfc.counts, &mut section.counts] {
                counts.add(outcome.verdict);
            }
        }
        let conclusion = run.conclusion(strict);
        Self {
            format: FORMAT,
            suite: env!("CARGO_PKG_VERSION"),
            device: &run.device,
            began: time(run.began),
            duration_ms: millis(run.duration),
            strict,
            passed: conclusion == Conclusion::Passed,
            conclusion,
            planned: run.planned,
            counts,
            rfcs,
            shares: share::shares(run, catalogue),
            cases: run.results.iter().map(|result| Case::of(result, catalogue)).collect(),
        }
    }

    /// The cases of a section, in their order.
    pub fn of_section<'s>(&'s self, rfc: &'s str, section: &'s str) -> impl Iterator<Item = &'s Case<'a>> {
        self.cases.iter().filter(move |case| case.rfc == rfc && case.section == section)
    }
}

impl Counts {
    fn add(&mut self, verdict: Verdict) {
        *self.0.entry(verdict).or_default() += 1;
    }

    /// How many there are with a verdict.
    #[must_use]
    pub fn of(&self, verdict: Verdict) -> usize {
        self.0.get(&verdict).copied().unwrap_or_default()
    }

    /// How many there are.
    #[must_use]
    pub fn total(&self) -> usize {
        self.0.values().sum()
    }
}

impl<'a> Case<'a> {
    fn of(CaseResult { case, outcome, dump }: &'a CaseResult, catalogue: &'a Catalogue) -> Self {
        Self {
            id: case.id,
            text: case.text,
            rfc: case.rfc(),
            section: case.section(),
            file: case.file,
            verdict: outcome.verdict,
            reason: outcome.reason.as_deref(),
            duration_ms: millis(outcome.duration),
            requirements: case.clauses(catalogue).into_iter().map(Clause::of).collect(),
            failure: outcome.failure.as_ref(),
            dump: dump.as_deref(),
            devices: outcome.transcript.devices,
            transcript: lines(&outcome.transcript),
        }
    }
}

impl<'a> Clause<'a> {
    fn of(Requirement { id, section, level, role, text, .. }: &'a Requirement) -> Self {
        Self { id, section, level: level.to_string(), role, text }
    }
}

fn find_or_add<T>(all: &mut Vec<T>, is_it: impl Fn(&T) -> bool, new: impl FnOnce() -> T) -> &mut T {
    let place = all.iter().position(is_it).unwrap_or_else(|| {
        all.push(new());
        all.len() - 1
    });
    &mut all[place]
}

fn time(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
