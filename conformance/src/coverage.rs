//! Which requirements are shown by tests, which are waived, and which are open.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::bench::NOT_SPOKEN_HERE;
use crate::case::Case;
use crate::cases::CASES;
use crate::catalogue::{Catalogue, File, Level, Observable, Requirement};

/// One mention of a requirement by a test: found in the sources when this crate was built, see `build.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The requirement.
    pub id: &'static str,
    /// The file of the test.
    pub file: &'static str,
    /// The test's name.
    pub test: &'static str,
    /// Whether it is a case of the suite, which speaks to its DUT in packets alone; else it is a test of this engine.
    pub is_case: bool,
}

impl Shown {
    /// The case that shows it, if it is one.
    #[must_use]
    pub fn case(&self) -> Option<&'static Case> {
        let name = self.test.replace('_', "-");
        let is_it = |case: &&Case| case.file == self.file && case.id.rsplit('/').next() == Some(&name);
        CASES.iter().find(is_it).filter(|_| self.is_case)
    }

    /// Whether it shows something of the engine of this project: cases of an RFC that it does not speak are for others.
    #[must_use]
    pub fn is_of_engine(&self) -> bool {
        let chapter = self.file.strip_prefix("src/cases/").and_then(|path| path.split('/').next());
        !chapter.is_some_and(|chapter| NOT_SPOKEN_HERE.contains(&chapter))
    }
}

/// All mentions.
pub const SHOWN: &[Shown] = include!(concat!(env!("OUT_DIR"), "/shown.rs"));

const WAIVERS: &str = include_str!("../waivers.toml");
const FLOOR: &str = include_str!("../coverage.toml");

/// Requirements that are not shown, and why not.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// Which.
    pub ids: Vec<String>,
    /// Why.
    pub reason: String,
}

/// How a requirement stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing<'a> {
    /// These tests show it.
    Covered(Vec<Shown>),
    /// It is not to be shown, for this reason.
    Waived(&'a str),
    /// Neither.
    Open,
}

/// What the tests and waivers say.
#[derive(Clone, Debug)]
pub struct Coverage {
    catalogue: Catalogue,
    shown: BTreeMap<&'static str, Vec<Shown>>,
    waivers: Vec<Waiver>,
}

/// The numbers of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct FileCoverage {
    /// The catalogue's file, like `rfc2205.toml`.
    pub file: String,
    /// Its requirements.
    pub total: usize,
    /// Those that tests show.
    pub covered: usize,
    /// Those that are waived.
    pub waived: usize,
    /// The others.
    pub open: usize,
    /// Those that can be seen to hold in the messages.
    pub visible: usize,
    /// Those of them that cases of the suite show, on any device.
    pub by_cases: usize,
}

/// What is wrong with the tests' ids or with the waivers.
#[derive(Debug, Error)]
pub enum CoverageError {
    /// The catalogue itself is.
    #[error(transparent)]
    Catalogue(#[from] crate::catalogue::CatalogueError),
    /// A file of this crate is no TOML of the right form.
    #[error("{0}: {1}")]
    Syntax(&'static str, toml::de::Error),
    /// A test names a requirement that is not there.
    #[error("{}: {} shows {}, which is not in the catalogue", .0.file, .0.test, .0.id)]
    UnknownShown(Shown),
    /// A waiver names a requirement that is not there.
    #[error("waivers.toml: {0} is not in the catalogue")]
    UnknownWaived(String),
    /// A requirement is waived twice, or waived and shown.
    #[error("waivers.toml: {0} is waived twice, or is shown by a test")]
    Contradiction(String),
    /// A waiver without a reason.
    #[error("waivers.toml: {0:?} are waived without a reason")]
    NoReason(Vec<String>),
}

impl Coverage {
    /// Takes stock.
    ///
    /// # Errors
    ///
    /// When a test or a waiver names what is not in the catalogue, or they contradict each other.
    pub fn load() -> Result<Self, CoverageError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            #[serde(default)]
            waiver: Vec<Waiver>,
        }
        let table: Table =
            toml::from_str(WAIVERS).map_err(|error| CoverageError::Syntax("waivers.toml", error))?;
        Self::new(Catalogue::load()?, SHOWN, table.waiver)
    }

    /// Puts a catalogue, what tests show and what is waived together.
    ///
    /// # Errors
    ///
    /// As for [`Coverage::load`].
    pub fn new(
        catalogue: Catalogue,
        mentions: &[Shown],
        waivers: Vec<Waiver>,
    ) -> Result<Self, CoverageError> {
        let ids: BTreeSet<&str> =
            catalogue.requirements().map(|requirement| requirement.id.as_str()).collect();
        let mut shown: BTreeMap<&'static str, Vec<Shown>> = BTreeMap::new();
        for mention in mentions {
            if !ids.contains(mention.id) {
                return Err(CoverageError::UnknownShown(*mention));
            }
            shown.entry(mention.id).or_default().push(*mention);
        }
        let is_shown_here =
            |id: &String| shown.get(id.as_str()).is_some_and(|shown| shown.iter().any(Shown::is_of_engine));
        let mut waived = BTreeSet::new();
        for waiver in &waivers {
            if waiver.reason.trim().is_empty() {
                return Err(CoverageError::NoReason(waiver.ids.clone()));
            }
            for id in &waiver.ids {
                if !ids.contains(id.as_str()) {
                    return Err(CoverageError::UnknownWaived(id.clone()));
                }
                if is_shown_here(id) || !waived.insert(id) {
                    return Err(CoverageError::Contradiction(id.clone()));
                }
            }
        }
        Ok(Self { catalogue, shown, waivers })
    }

    /// The catalogue.
    #[must_use]
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// How a requirement stands.
    #[must_use]
    pub fn standing(&self, requirement: &Requirement) -> Standing<'_> {
        let shown = self.shown.get(requirement.id.as_str()).into_iter().flatten();
        let shown: Vec<Shown> = shown.copied().filter(Shown::is_of_engine).collect();
        if !shown.is_empty() {
            return Standing::Covered(shown);
        }
        let waiver = self.waivers.iter().find(|waiver| waiver.ids.contains(&requirement.id));
        waiver.map_or(Standing::Open, |waiver| Standing::Waived(&waiver.reason))
    }

    /// Whether a case of the suite shows it.
    #[must_use]
    pub fn has_case(&self, requirement: &Requirement) -> bool {
        self.shown.get(requirement.id.as_str()).is_some_and(|shown| shown.iter().any(|shown| shown.is_case))
    }

    /// The numbers of every file.
    #[must_use]
    pub fn files(&self) -> Vec<FileCoverage> {
        self.catalogue.files.iter().map(|file| self.count(file, |_| true)).collect()
    }

    /// The numbers of every file for the requirements of one level.
    #[must_use]
    pub fn of_level(&self, level: Level) -> Vec<FileCoverage> {
        self.catalogue
            .files
            .iter()
            .map(|file| self.count(file, |requirement| requirement.level == level))
            .collect()
    }

    fn count(&self, file: &File, counts: impl Fn(&Requirement) -> bool) -> FileCoverage {
        let mut numbers = FileCoverage { file: file.name.clone(), ..FileCoverage::default() };
        for requirement in file.requirements.iter().filter(|requirement| counts(requirement)) {
            numbers.total += 1;
            if requirement.observable != Observable::State {
                numbers.visible += 1;
                numbers.by_cases += usize::from(self.has_case(requirement));
            }
            match self.standing(requirement) {
                Standing::Covered(_) => numbers.covered += 1,
                Standing::Waived(_) => numbers.waived += 1,
                Standing::Open => numbers.open += 1,
            }
        }
        numbers
    }
}

/// What may not fall, from `coverage.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Floor {
    /// How many cases there are.
    pub cases: usize,
    /// How many requirements of each file are covered.
    pub covered: BTreeMap<String, usize>,
}

/// Reads `coverage.toml`.
///
/// # Errors
///
/// When that file has the wrong form.
pub fn floor() -> Result<Floor, CoverageError> {
    toml::from_str(FLOOR).map_err(|error| CoverageError::Syntax("coverage.toml", error))
}
