//! `list`: the cases.

use std::collections::BTreeSet;
use std::io::Write;

use conformance::case::Case;
use conformance::cases::CASES;
use conformance::catalogue::Catalogue;
use serde::Serialize;

use crate::commands::{Failure, Outcome};

/// List the cases, one a line: id, what is shown.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only those of this RFC, as in rfc2205: the first part of the ids.
    #[arg(long)]
    rfc: Option<String>,
    /// Only those that show what binds this role, as in router; any node has to do what binds `any`.
    #[arg(long)]
    role: Option<String>,
    /// As JSON: a list of {"id", "text", "rfc", "section", "roles", "requirements", "file"}.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    text: &'a str,
    rfc: &'a str,
    section: &'a str,
    roles: BTreeSet<&'a str>,
    requirements: &'a [&'a str],
    file: &'a str,
}

impl<'a> Line<'a> {
    fn of(case: &'a Case, catalogue: &'a Catalogue) -> Self {
        let roles = case.clauses(catalogue).into_iter().map(|clause| clause.role.as_str()).collect();
        let Case { id, text, requirements, file, .. } = case;
        Self { id, text, rfc: case.rfc(), section: case.section(), roles, requirements, file }
    }
}

pub(crate) fn run(args: &Args, out: &mut impl Write) -> Result<Outcome, Failure> {
    let catalogue = Catalogue::load().map_err(|error| Failure::text(&error))?;
    let mut lines: Vec<Line<'_>> = CASES.iter().map(|case| Line::of(case, &catalogue)).collect();
    if let Some(rfc) = &args.rfc {
        let known: BTreeSet<&str> = lines.iter().map(|line| line.rfc).collect();
        expect_known("RFC", rfc, &known)?;
        lines.retain(|line| line.rfc == rfc);
    }
    if let Some(role) = &args.role {
        let known: BTreeSet<&str> = lines.iter().flat_map(|line| line.roles.iter().copied()).collect();
        expect_known("role", role, &known)?;
        lines.retain(|line| line.roles.contains(role.as_str()));
    }
    if args.json {
        let text = serde_json::to_string_pretty(&lines).map_err(std::io::Error::from)?;
        writeln!(out, "{text}")?;
        return Ok(Outcome::Done);
    }
    let width = lines.iter().map(|line| line.id.len()).max().unwrap_or_default();
    for Line { id, text, .. } in lines {
        writeln!(out, "{id:<width$}  {text}")?;
    }
    Ok(Outcome::Done)
}

fn expect_known(what: &str, asked: &str, known: &BTreeSet<&str>) -> Result<(), Failure> {
    if known.contains(asked) {
        return Ok(());
    }
    let known: Vec<&str> = known.iter().copied().collect();
    Err(Failure::Text(format!("no case is of the {what} {asked}; there are {}", known.join(", "))))
}
