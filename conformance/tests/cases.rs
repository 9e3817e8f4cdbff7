//! Every case of the suite against the engine in this process, in virtual time. Each is a test of its own, named by its id.
//! Those of RFCs that the engine does not speak are ignored.

use std::process::ExitCode;
use std::sync::Arc;

use conformance::bench::{Devices, Engines, Lab};
use conformance::case::{Case, Outcome};
use conformance::cases::CASES;
use conformance::catalogue::Catalogue;
use conformance::verdict::Verdict;
use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    let catalogue = Arc::new(Catalogue::load().unwrap_or_else(|error| panic!("{error}")));
    let trial = |case: &'static Case| {
        let catalogue = Arc::clone(&catalogue);
        let is_spoken = Engines::default().speaks(case.rfc());
        Trial::test(case.id, move || passes(case, &catalogue)).with_ignored_flag(!is_spoken)
    };
    libtest_mimic::run(&Arguments::from_args(), CASES.iter().map(trial).collect()).exit_code()
}

fn passes(case: &Case, catalogue: &Catalogue) -> Result<(), Failed> {
    let Outcome { verdict, reason, failure, .. } = case.run(&Lab::in_process(), catalogue);
    if verdict == Verdict::Pass {
        return Ok(());
    }
    let place = failure.and_then(|failure| failure.place).unwrap_or_default();
    Err(format!("{verdict}: {} ({place})", reason.unwrap_or_default()).into())
}
