//! `explain`: all about a case or a requirement.

use std::io::{self, Write};

use conformance::bench::{Family, Lab, PICTURE, Plan, Port, Station};
use conformance::case::{Case, Outcome as CaseOutcome};
use conformance::cases::CASES;
use conformance::catalogue::{Catalogue, Requirement};
use conformance::coverage::{Coverage, Standing};
use conformance::report::{lines, plain};

use crate::commands::near::suggestion;
use crate::commands::{Failure, Outcome};

/// Say all about a case or a requirement: what is asked for, and how it is shown.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The id of a case, as in rfc2205/3.3/every-message-is-a-raw-ip-datagram, or of a requirement, as in rfc2205-3.3-01.
    id: String,
}

pub(crate) fn run(args: &Args, out: &mut impl Write) -> Result<Outcome, Failure> {
    let coverage = Coverage::load().map_err(|error| Failure::text(&error))?;
    let catalogue = coverage.catalogue();
    if let Some(case) = CASES.iter().find(|case| case.id == args.id) {
        explain_case(out, case, catalogue)?;
    } else if let Some(requirement) = catalogue.find(&args.id) {
        explain_requirement(out, &coverage, requirement)?;
    } else {
        let requirements = catalogue.requirements().map(|requirement| requirement.id.as_str());
        let known = CASES.iter().map(|case| case.id).chain(requirements);
        let otherwise = "`conformance list` shows the cases, `conformance requirements` the requirements";
        let hint = suggestion(&args.id, known, otherwise);
        return Err(Failure::Text(format!("{} is neither a case nor a requirement; {hint}", args.id)));
    }
    Ok(Outcome::Done)
}

fn explain_requirement(
    out: &mut impl Write,
    coverage: &Coverage,
    requirement: &Requirement,
) -> io::Result<()> {
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
                match shown.case() {
                    Some(case) => writeln!(out, "  the case {}", case.id)?,
                    None => writeln!(out, "  {} in {}, a test of this engine", shown.test, shown.file)?,
                }
            }
        }
        Standing::Waived(reason) => writeln!(out, "\nWaived: {reason}")?,
        Standing::Open => writeln!(out, "\nOpen: no test shows it yet.")?,
    }
    Ok(())
}

fn explain_case(out: &mut impl Write, case: &Case, catalogue: &Catalogue) -> io::Result<()> {
    writeln!(out, "{}\n\n{}\n\nWritten in conformance/{}.\n\nIt shows:", case.id, case.text, case.file)?;
    for Requirement { id, section, level, role, text, .. } in case.clauses(catalogue) {
        writeln!(out, "  {id}: section {section}, {level}, {role}\n      {text}")?;
    }
    let CaseOutcome { verdict, reason, transcript, .. } = case.run(&Lab::in_process(), catalogue);
    writeln!(out, "\nThe bench:\n\n{PICTURE}")?;
    addresses(out, Plan::new(Family::V4))?;
    writeln!(out, "\nThe script, run against the engine in this process, in virtual time:")?;
    let mut device = 0;
    for line in lines(&transcript) {
        if transcript.devices > 1 && line.device != device {
            device = line.device;
            writeln!(out, "\n  device {device}:")?;
        }
        writeln!(out, "{}", plain(&line.to_string()))?;
        if let Some(headers) = line.headers() {
            writeln!(out, "{:33}{headers}", "")?;
        }
    }
    let because = reason.map_or_else(String::new, |reason| format!(": {}", plain(&reason)));
    writeln!(out, "\nIt ends with: {verdict}{because}")
}

/// Who has which address in the picture.
fn addresses(out: &mut impl Write, plan: Plan) -> io::Result<()> {
    for port in Port::ALL {
        let there: Vec<String> = Station::ALL
            .into_iter()
            .filter(|station| station.port() == port)
            .map(|station| format!("{} {}", station.name(), plan.station(station)))
            .collect();
        writeln!(out, "  {} {:<12}  {}", port.name(), plan.dut(port), there.join(", "))?;
    }
    let senders: Vec<String> =
        (1..=3).map(|number| format!("S{number} {}", plan.sender(number).source())).collect();
    writeln!(out, "  senders         {}", senders.join(", "))?;
    let destinations = [("H", plan.h()), ("K", plan.k()), ("G", plan.g())];
    let destinations: Vec<String> =
        destinations.iter().map(|(name, session)| format!("{name} {session}")).collect();
    writeln!(out, "  sessions        {}", destinations.join(", "))
}
