//! `conformance`: what the RFCs require, and how much of it the tests show.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use conformance::cases::CASES;
use conformance::catalogue::{Level, Requirement};
use conformance::coverage::{Coverage, FileCoverage, Standing};

/// Requirements of the RSVP RFCs, and the tests that show them.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Count the requirements that tests show, that are waived, and that are open.
    Coverage {
        /// As JSON: a list of {"file", "total", "covered", "waived", "open", "visible", "by-cases"}.
        #[arg(long)]
        json: bool,
    },
    /// List requirements, one a line: id, level, standing, text.
    List {
        /// Only those of this file, as in `rfc2205` or `rfc2205.toml`.
        #[arg(long)]
        file: Option<String>,
        /// Only those that stand so.
        #[arg(long)]
        standing: Option<StandingName>,
    },
    /// Say all about one requirement: what it asks for, how it is tested, and which tests show it.
    Explain {
        /// The requirement's id, as in rfc2205-3.1.3-01.
        id: String,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StandingName {
    Covered,
    Waived,
    Open,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(Failure::Output(error)) => fail(&format!("cannot write the output: {error}")),
        Err(Failure::Text(text)) => fail(&text),
    }
}

fn fail(text: &str) -> ExitCode {
    eprintln!("conformance: {text}");
    ExitCode::FAILURE
}

enum Failure {
    Output(io::Error),
    Text(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

fn run(command: Command) -> Result<(), Failure> {
    let coverage = Coverage::load().map_err(|error| Failure::Text(error.to_string()))?;
    let mut out = io::stdout().lock();
    match command {
        Command::Coverage { json: true } => {
            let text = serde_json::to_string_pretty(&coverage.files()).map_err(io::Error::from)?;
            writeln!(out, "{text}")?;
        }
        Command::Coverage { json: false } => table(&mut out, &coverage)?,
        Command::List { file, standing } => list(&mut out, &coverage, file.as_deref(), standing)?,
        Command::Explain { id } => {
            let requirement = coverage.catalogue().find(&id).ok_or_else(|| {
                Failure::Text(format!("{id} is not in the catalogue; `conformance list` shows what is"))
            })?;
            explain(&mut out, &coverage, requirement)?;
        }
    }
    Ok(())
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

fn list(
    out: &mut impl Write,
    coverage: &Coverage,
    file: Option<&str>,
    standing: Option<StandingName>,
) -> Result<(), Failure> {
    let wanted =
        |name: &str| file.is_none_or(|file| name == file || name.strip_suffix(".toml") == Some(file));
    let mut files = coverage.catalogue().files.iter().filter(|file| wanted(&file.name)).peekable();
    if files.peek().is_none() {
        let known: Vec<&str> = coverage.catalogue().files.iter().map(|file| file.name.as_str()).collect();
        return Err(Failure::Text(format!("no such file; there are {}", known.join(", "))));
    }
    for requirement in files.flat_map(|file| &file.requirements) {
        let name = standing_name(&coverage.standing(requirement));
        if standing.is_none_or(|standing| standing == name) {
            let Requirement { id, level, text, .. } = requirement;
            let name = name.to_possible_value().expect("no variant is skipped");
            writeln!(out, "{id:<20} {level:<10} {:<8} {text}", name.get_name())?;
        }
    }
    Ok(())
}

fn standing_name(standing: &Standing<'_>) -> StandingName {
    match standing {
        Standing::Covered(_) => StandingName::Covered,
        Standing::Waived(_) => StandingName::Waived,
        Standing::Open => StandingName::Open,
    }
}

fn explain(out: &mut impl Write, coverage: &Coverage, requirement: &Requirement) -> io::Result<()> {
    let Requirement { id, section, level, role, plane, text, test, .. } = requirement;
    writeln!(out, "{id}: section {section}, {level}, {role}, {plane}\n\n{text}\n\nTest: {test}")?;
    if let Some(errata) = &requirement.errata {
        writeln!(out, "\nErrata: {errata}")?;
    }
    if let Some(same_as) = &requirement.same_as {
        writeln!(out, "\nSame as {same_as}.")?;
    }
    match coverage.standing(requirement) {
        Standing::Covered(tests) => {
            writeln!(out, "\nShown by:")?;
            for shown in tests {
                let how = if shown.is_case { "case" } else { "test of this engine" };
                writeln!(out, "  {} in {}, {how}", shown.test, shown.file)?;
            }
        }
        Standing::Waived(reason) => writeln!(out, "\nWaived: {reason}")?,
        Standing::Open => writeln!(out, "\nOpen: no test shows it yet.")?,
    }
    Ok(())
}
