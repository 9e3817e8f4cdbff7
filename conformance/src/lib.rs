//! Requirements of the RSVP RFCs and the tests that show them.
//!
//! [`catalogue`] holds what the RFCs ask for, [`cases`] the suite that shows it: each [`case::Case`] runs against an engine
//! in this process and in virtual time, or over the wire against any device. [`coverage`] says which requirements are shown.
//! A case, or a test that looks inside the engine, shows requirements by naming them in its first statement, a call of
//! [`shows`]; `build.rs` finds those calls.

pub mod alter;
pub mod bench;
pub mod case;
pub mod cases;
pub mod catalogue;
pub mod coverage;
pub mod report;
pub mod run;
pub mod verdict;
#[cfg(target_os = "linux")]
pub mod wire;

use std::sync::LazyLock;

use crate::catalogue::Catalogue;

/// Says which requirements a test shows. It must be the test's first statement, and take its ids literally, as
/// `shows(&["rfc2205-3.1.3-01"]);`, since the coverage is counted from the sources.
///
/// # Panics
///
/// When one of the ids is not in the catalogue.
pub fn shows(ids: &[&str]) {
    static CATALOGUE: LazyLock<Catalogue> =
        LazyLock::new(|| Catalogue::load().unwrap_or_else(|error| panic!("{error}")));
    for id in ids {
        assert!(CATALOGUE.find(id).is_some(), "{id} is not in the catalogue");
    }
}
