//! The catalogue of requirements: what the RFCs ask for, in our own words.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use thiserror::Error;

/// The files of `requirements/`, by name.
const FILES: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));

/// How binding a requirement is (RFC 2119).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// MUST, SHALL, REQUIRED.
    Must,
    /// MUST NOT, SHALL NOT.
    MustNot,
    /// SHOULD, RECOMMENDED.
    Should,
    /// SHOULD NOT, NOT RECOMMENDED.
    ShouldNot,
    /// MAY, OPTIONAL.
    May,
    /// Normative prose without a keyword.
    Behaviour,
}

impl Level {
    /// All levels, the most binding first.
    pub const ALL: [Self; 6] =
        [Self::Must, Self::MustNot, Self::Should, Self::ShouldNot, Self::May, Self::Behaviour];
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Must => "must",
            Self::MustNot => "must-not",
            Self::Should => "should",
            Self::ShouldNot => "should-not",
            Self::May => "may",
            Self::Behaviour => "behaviour",
        })
    }
}

/// Where a requirement can be seen to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Observable {
    /// In the messages.
    Wire,
    /// In the state of the node.
    State,
    /// In both.
    Both,
}

/// One requirement.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// Its name, for ever.
    pub id: String,
    /// The section of the RFC.
    pub section: String,
    /// How binding it is.
    pub level: Level,
    /// Whom it binds: a router, a sending host, any node …
    pub role: String,
    /// What part of the protocol it is about.
    pub plane: String,
    /// What it asks for.
    pub text: String,
    /// A stimulus and what must be observed.
    pub test: String,
    /// Where it can be observed.
    pub observable: Observable,
    /// Another requirement that says the same.
    pub same_as: Option<String>,
    /// What is contradictory in the RFC's text, and how it is read here.
    pub errata: Option<String>,
}

/// One file of the catalogue.
#[derive(Clone, Debug)]
pub struct File {
    /// Its name, like `rfc2205.toml`.
    pub name: String,
    /// Its requirements, in their order.
    pub requirements: Vec<Requirement>,
}

/// The whole catalogue.
#[derive(Clone, Debug)]
pub struct Catalogue {
    /// Its files, in the order of their names.
    pub files: Vec<File>,
}

/// What is wrong with the catalogue.
#[derive(Debug, Error)]
pub enum CatalogueError {
    /// A file is not TOML of the right form.
    #[error("{file}: {error}")]
    Syntax {
        /// Which.
        file: String,
        /// Where, and what is expected.
        error: toml::de::Error,
    },
    /// Two requirements have the same id.
    #[error("{file}: {id} is there twice")]
    Duplicate {
        /// Where the second one is.
        file: String,
        /// The id.
        id: String,
    },
    /// A text is empty.
    #[error("{file}: {id}: an empty field")]
    Empty {
        /// Where.
        file: String,
        /// The id.
        id: String,
    },
    /// `same_as` names no requirement.
    #[error("{id}: same_as names {same_as}, which is not there")]
    Dangling {
        /// Where.
        id: String,
        /// What is not there.
        same_as: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    requirement: Vec<Requirement>,
}

impl Catalogue {
    /// The catalogue that this crate carries.
    ///
    /// # Errors
    ///
    /// When it is not what it should be.
    pub fn load() -> Result<Self, CatalogueError> {
        Self::parse(FILES)
    }

    /// Reads files, given by name and text.
    ///
    /// # Errors
    ///
    /// When a file has the wrong form, an id is there twice, or a reference leads nowhere.
    pub fn parse(files: &[(&str, &str)]) -> Result<Self, CatalogueError> {
        let parse = |(name, text): &(&str, &str)| match toml::from_str::<Table>(text) {
            Ok(table) => Ok(File { name: (*name).to_owned(), requirements: table.requirement }),
            Err(error) => Err(CatalogueError::Syntax { file: (*name).to_owned(), error }),
        };
        let catalogue = Self { files: files.iter().map(parse).collect::<Result<_, _>>()? };
        catalogue.validate()?;
        Ok(catalogue)
    }

    /// All requirements.
    pub fn requirements(&self) -> impl Iterator<Item = &Requirement> {
        self.files.iter().flat_map(|file| &file.requirements)
    }

    /// The requirement with this id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&Requirement> {
        self.requirements().find(|requirement| requirement.id == id)
    }

    fn validate(&self) -> Result<(), CatalogueError> {
        let mut ids = BTreeSet::new();
        for file in &self.files {
            for requirement in &file.requirements {
                let Requirement { id, section, role, plane, text, test, .. } = requirement;
                let (file, id) = (file.name.clone(), id.clone());
                if [&id, section, role, plane, text, test].into_iter().any(String::is_empty) {
                    return Err(CatalogueError::Empty { file, id });
                }
                if !ids.insert(id.clone()) {
                    return Err(CatalogueError::Duplicate { file, id });
                }
            }
        }
        let dangling = self.requirements().find_map(|requirement| {
            let same_as = requirement.same_as.as_ref().filter(|same_as| !ids.contains(*same_as))?;
            Some(CatalogueError::Dangling { id: requirement.id.clone(), same_as: same_as.clone() })
        });
        dangling.map_or(Ok(()), Err)
    }
}
