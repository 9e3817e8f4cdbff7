//! How much of the catalogue a run shows.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use crate::catalogue::{Catalogue, Observable, Requirement};
use crate::run::Run;
use crate::verdict::Verdict;

/// What the cases of a run show of one file of the catalogue, of those of its requirements that can be seen to hold in the
/// messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Share {
    /// The file, as in `rfc2205`.
    pub file: String,
    /// How many requirements can be seen to hold.
    pub visible: usize,
    /// How many of them cases show that have passed, and no case says otherwise.
    pub shown: usize,
    /// How many of them a case says the device does not fulfil.
    pub broken: usize,
}

impl Share {
    /// The part that is shown, in percent.
    #[must_use]
    pub fn percent(&self) -> f64 {
        if self.visible == 0 { 0.0 } else { 100.0 * self.shown as f64 / self.visible as f64 }
    }

    /// Several files together.
    #[must_use]
    pub fn sum<'a>(name: &str, shares: impl IntoIterator<Item = &'a Self>) -> Self {
        let empty = Self { file: name.to_owned(), ..Self::default() };
        shares.into_iter().fold(empty, |sum, share| Self {
            file: sum.file,
            visible: sum.visible + share.visible,
            shown: sum.shown + share.shown,
            broken: sum.broken + share.broken,
        })
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} of {} ({:.1} %)", self.shown, self.visible, self.percent()))
    }
}

/// The shares of all files that have something to be seen.
pub(super) fn shares(run: &Run, catalogue: &Catalogue) -> Vec<Share> {
    let by = |verdicts: &[Verdict]| -> BTreeSet<&str> {
        let results = run.results.iter().filter(|result| verdicts.contains(&result.outcome.verdict));
        results.flat_map(|result| result.case.requirements).copied().collect()
    };
    let (passed, broken) = (by(&[Verdict::Pass]), by(&[Verdict::Fail, Verdict::NotStrict]));
    let count = |visible: &[&Requirement], is_counted: &dyn Fn(&str) -> bool| {
        visible.iter().filter(|requirement| is_counted(&requirement.id)).count()
    };
    let share = |file: &crate::catalogue::File| {
        let is_visible = |requirement: &&Requirement| requirement.observable != Observable::State;
        let visible: Vec<&Requirement> = file.requirements.iter().filter(is_visible).collect();
        Share {
            file: file.name.trim_end_matches(".toml").to_owned(),
            visible: visible.len(),
            shown: count(&visible, &|id| passed.contains(id) && !broken.contains(id)),
            broken: count(&visible, &|id| broken.contains(id)),
        }
    };
    catalogue.files.iter().map(share).filter(|share| share.visible > 0).collect()
}
