//! `junit.xml`, for tools that collect the results of tests.

use std::io::{self, Write};
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report as Document, TestCase, TestCaseStatus, TestSuite};

use crate::report::{Case, Report};
use crate::verdict::{Failure, Verdict};

/// Writes a report as JUnit XML: a suite for each RFC; the class of a case is its RFC and section.
///
/// What has not passed and is no failure either (unsupported, inconclusive, and what is only recommended in a run that is not
/// strict) is skipped, with the verdict in its message.
///
/// # Errors
///
/// When it cannot be written.
pub fn write(out: impl Write, report: &Report<'_>) -> io::Result<()> {
    let mut document = Document::new(format!("conformance of {}", report.device));
    document.set_time(Duration::from_millis(report.duration_ms));
    for rfc in &report.rfcs {
        let mut suite = TestSuite::new(rfc.rfc);
        for case in report.cases.iter().filter(|case| case.rfc == rfc.rfc) {
            suite.add_test_case(test_case(case, report.strict));
        }
        document.add_test_suite(suite);
    }
    document.serialize(out).map_err(io::Error::other)
}

fn test_case(case: &Case<'_>, strict: bool) -> TestCase {
    let mut status = match case.verdict {
        Verdict::Pass => TestCaseStatus::success(),
        verdict if !verdict.is_good(strict) => TestCaseStatus::non_success(NonSuccessKind::Failure),
        _ => TestCaseStatus::skipped(),
    };
    if case.verdict != Verdict::Pass {
        status.set_message(format!("{}: {}", case.verdict, case.reason.unwrap_or("no reason is known")));
        status.set_type(case.verdict.to_string());
    }
    if let Some(failure) = case.failure {
        status.set_description(description(case, failure));
    }
    let mut test_case = TestCase::new(case.id, status);
    test_case.set_classname(format!("{}.{}", case.rfc, case.section.replace('.', "_")));
    test_case.set_time(Duration::from_millis(case.duration_ms));
    for clause in &case.requirements {
        test_case.add_property(("requirement", clause.id));
    }
    test_case
}

fn description(case: &Case<'_>, Failure { about, expected, came, place, .. }: &Failure) -> String {
    let clauses =
        case.requirements.iter().map(|clause| format!("{} ({}): {}\n", clause.id, clause.level, clause.text));
    let line =
        |name: &str, text: Option<&String>| text.map_or_else(String::new, |text| format!("{name}: {text}\n"));
    let about = line("about", about.as_ref());
    let place = line("at", place.as_ref());
    format!("{}{about}expected: {expected}\ncame: {came}\n{place}", clauses.collect::<String>())
}
