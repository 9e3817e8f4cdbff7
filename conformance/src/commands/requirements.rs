//! `requirements`: the catalogue, and how each of it stands.

use std::io::Write;

use clap::ValueEnum;
use conformance::catalogue::Requirement;
use conformance::coverage::{Coverage, Standing};

use crate::commands::{Failure, Outcome};

/// List requirements, one a line: id, level, standing, text.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only those of this file, as in `rfc2205` or `rfc2205.toml`.
    #[arg(long)]
    file: Option<String>,
    /// Only those that stand so.
    #[arg(long)]
    standing: Option<StandingName>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StandingName {
    Covered,
    Waived,
    Open,
}

pub(crate) fn run(args: &Args, out: &mut impl Write) -> Result<Outcome, Failure> {
    let coverage = Coverage::load().map_err(|error| Failure::text(&error))?;
    let wanted = |name: &str| {
        args.file.as_deref().is_none_or(|file| name == file || name.strip_suffix(".toml") == Some(file))
    };
    let mut files = coverage.catalogue().files.iter().filter(|file| wanted(&file.name)).peekable();
    if files.peek().is_none() {
        let known: Vec<&str> = coverage.catalogue().files.iter().map(|file| file.name.as_str()).collect();
        return Err(Failure::Text(format!("no such file; there are {}", known.join(", "))));
    }
    for requirement in files.flat_map(|file| &file.requirements) {
        let name = standing_name(&coverage.standing(requirement));
        if args.standing.is_none_or(|standing| standing == name) {
            let Requirement { id, level, text, .. } = requirement;
            let name = name.to_possible_value().expect("no variant is skipped");
            writeln!(out, "{id:<20} {level:<10} {:<8} {text}", name.get_name())?;
        }
    }
    Ok(Outcome::Done)
}

fn standing_name(standing: &Standing<'_>) -> StandingName {
    match standing {
        Standing::Covered(_) => StandingName::Covered,
        Standing::Waived(_) => StandingName::Waived,
        Standing::Open => StandingName::Open,
    }
}
