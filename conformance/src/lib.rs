//! Requirements of the RSVP RFCs and the tests that show them.
//!
//! [`catalogue`] holds what the RFCs ask for, [`coverage`] which of it is shown by tests. A test shows requirements by
//! naming them in its first statement, a call of [`shows`]; `build.rs` finds those calls.

pub mod bench;
pub mod catalogue;
pub mod coverage;

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
