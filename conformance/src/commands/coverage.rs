//! `coverage`: how much of the catalogue is shown.

use std::io::{self, Write};

use conformance::cases::CASES;
use conformance::catalogue::Level;
use conformance::coverage::{Coverage, FileCoverage};

use crate::commands::{Failure, Outcome};

/// Count the requirements that tests show, that are waived, and that are open.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// As JSON: a list of {"file", "total", "covered", "waived", "open", "visible", "by-cases"}.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, out: &mut impl Write) -> Result<Outcome, Failure> {
    let coverage = Coverage::load().map_err(|error| Failure::text(&error))?;
    if args.json {
        let text = serde_json::to_string_pretty(&coverage.files()).map_err(io::Error::from)?;
        writeln!(out, "{text}")?;
    } else {
        table(out, &coverage)?;
    }
    Ok(Outcome::Done)
}

fn table(out: &mut impl Write, coverage: &Coverage) -> io::Result<()> {
    writeln!(
        out,
        "{:<22}{:>7}{:>9}{:>8}{:>7}{:>9}{:>10}",
        "file", "total", "covered", "waived", "open", "visible", "by cases"
    )?;
    let files = coverage.files();
    for file in &files {
        row(out, &file.file, file)?;
    }
    row(out, "all", &sum(&files))?;
    writeln!(out)?;
    for level in Level::ALL {
        row(out, &level.to_string(), &sum(&coverage.of_level(level)))?;
    }
    writeln!(out, "\n{} cases", CASES.len())
}

fn row(out: &mut impl Write, name: &str, numbers: &FileCoverage) -> io::Result<()> {
    let FileCoverage { total, covered, waived, open, visible, by_cases, .. } = numbers;
    writeln!(out, "{name:<22}{total:>7}{covered:>9}{waived:>8}{open:>7}{visible:>9}{by_cases:>10}")
}

fn sum(files: &[FileCoverage]) -> FileCoverage {
    files.iter().fold(FileCoverage::default(), |sum, file| FileCoverage {
        file: sum.file,
        total: sum.total + file.total,
        covered: sum.covered + file.covered,
        waived: sum.waived + file.waived,
        open: sum.open + file.open,
        visible: sum.visible + file.visible,
        by_cases: sum.by_cases + file.by_cases,
    })
}
