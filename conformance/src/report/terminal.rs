//! What is said at the terminal.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::catalogue::Catalogue;
use crate::report::{Counts, Report, Share};
use crate::run::{CaseResult, Conclusion};
use crate::verdict::{Failure, Verdict};

/// Tells of a run while it goes on: what failed at once and in full; of the rest, how far it is.
pub struct Terminal<'a, W> {
    out: W,
    catalogue: &'a Catalogue,
    /// Where somebody looks on; elsewhere there is a line for each case.
    bar: Option<ProgressBar>,
    failed: usize,
}

impl<'a, W: Write> Terminal<'a, W> {
    /// For a run of so many cases.
    #[must_use]
    pub fn new(out: W, catalogue: &'a Catalogue, cases: usize) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let template = "[{bar:30}] {pos} of {len} cases, {elapsed}{msg}  {prefix}";
            let style = ProgressStyle::with_template(template).expect("it is a template");
            let bar = ProgressBar::new(cases as u64).with_style(style.progress_chars("=> "));
            bar.enable_steady_tick(Duration::from_millis(250));
            bar
        });
        Self { out, catalogue, bar, failed: 0 }
    }

    /// Tells of a case that has ended.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn tell(&mut self, result: &CaseResult) -> io::Result<()> {
        let (out, catalogue) = (&mut self.out, self.catalogue);
        let verdict = result.outcome.verdict;
        let Some(bar) = &self.bar else { return tell(out, catalogue, result) };
        bar.inc(1);
        bar.set_prefix(result.case.id);
        if matches!(verdict, Verdict::Fail | Verdict::NotStrict) {
            self.failed += 1;
            bar.set_message(format!(", {} failed", self.failed));
        }
        match verdict {
            Verdict::Pass | Verdict::Unsupported | Verdict::Skipped => Ok(()),
            _ => bar.suspend(|| tell(out, catalogue, result)),
        }
    }

    /// Tells how it all ended.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn sum_up(&mut self, report: &Report<'_>) -> io::Result<()> {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        sum_up(&mut self.out, report)
    }
}

/// Text without control characters, which a terminal would obey; lines stay.
#[must_use]
pub fn plain(text: &str) -> String {
    let one =
        |c: char| if c.is_control() && c != '\n' { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(one).collect()
}

fn tell(out: &mut impl Write, catalogue: &Catalogue, result: &CaseResult) -> io::Result<()> {
    let CaseResult { case, outcome, .. } = result;
    writeln!(out, "{:<12}  {}  ({} ms)", outcome.verdict, case.id, outcome.duration.as_millis())?;
    let Some(failure) = &outcome.failure else {
        return outcome.reason.iter().try_for_each(|reason| field(out, "because", reason));
    };
    field(out, "case", case.text)?;
    for clause in case.clauses(catalogue) {
        field(out, &clause.level.to_string(), &format!("{}: {}", clause.id, clause.text))?;
    }
    self::failure(out, failure)
}

fn failure(out: &mut impl Write, failure: &Failure) -> io::Result<()> {
    let Failure { about, expected, came, difference, place } = failure;
    about.iter().try_for_each(|about| field(out, "about", about))?;
    field(out, "expected", expected)?;
    field(out, "came", came)?;
    if let Some(difference) = difference {
        field(out, "difference", &format!("expected {}\nbut came {}", difference.expected, difference.came))?;
    }
    place.iter().try_for_each(|place| field(out, "at", place))
}

/// A name, and a text whose lines stand below each other.
fn field(out: &mut impl Write, name: &str, text: &str) -> io::Result<()> {
    const INDENT: &str = "                ";
    writeln!(out, "    {name:<10}  {}", plain(text.trim_end()).replace('\n', &format!("\n{INDENT}")))
}

/// The table of the RFCs, what is shown of the catalogue, and the end.
fn sum_up(out: &mut impl Write, report: &Report<'_>) -> io::Result<()> {
    let columns: Vec<Verdict> = Verdict::ALL
        .into_iter()
        .filter(|verdict| matches!(verdict, Verdict::Pass | Verdict::Fail) || report.counts.of(*verdict) > 0)
        .collect();
    write!(out, "\n{:<14}{:>7}", "", "cases")?;
    columns.iter().try_for_each(|verdict| write!(out, "{verdict:>14}"))?;
    writeln!(out)?;
    for rfc in &report.rfcs {
        row(out, rfc.rfc, &rfc.counts, &columns)?;
    }
    row(out, "all", &report.counts, &columns)?;
    writeln!(out, "\nRequirements that can be seen over the wire, and are shown by cases that passed:")?;
    let touched: Vec<&Share> = report.shares.iter().filter(|share| share.shown + share.broken > 0).collect();
    let all = Share::sum("all", touched.iter().copied());
    for share in touched.into_iter().chain([&all]) {
        let broken = if share.broken == 0 { String::new() } else { format!(", {} broken", share.broken) };
        writeln!(out, "{:<14}{share}{broken}", share.file)?;
    }
    let verdict = match report.conclusion {
        Conclusion::Passed => "passed",
        Conclusion::Failed => "FAILED",
        Conclusion::Open => "WAS NOT JUDGED",
    };
    let seconds = report.duration_ms as f64 / 1000.0;
    let (cases, s) = (report.counts.total(), if report.counts.total() == 1 { "" } else { "s" });
    writeln!(out, "\n{} {verdict}: {cases} case{s} in {seconds:.1} s", plain(report.device))
}

fn row(out: &mut impl Write, name: &str, counts: &Counts, columns: &[Verdict]) -> io::Result<()> {
    write!(out, "{name:<14}{:>7}", counts.total())?;
    columns.iter().try_for_each(|verdict| write!(out, "{:>14}", counts.of(*verdict)))?;
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_text_does_not_reach_the_terminal() {
        assert_eq!(plain("a\x1b[2Jb\r\u{9b}c\nd"), "a\\u{1b}[2Jb\\r\\u{9b}c\nd");
    }
}
