//! `run`: the cases against a device.

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::thread;

use conformance::bench::Lab;
use conformance::case::Case;
use conformance::cases::CASES;
use conformance::catalogue::Catalogue;
use conformance::report::{self, PAGE, Report, Share, Terminal};
#[cfg(target_os = "linux")]
use conformance::wire::{self, BenchKind, Isolated, Profile};

use crate::commands::faults::{Faults, LOSSY};
use crate::commands::near::suggestion;
use crate::commands::{Failure, Outcome};

/// Run the cases against a device, and judge it.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The device, as its profile describes it. Default: the engine of this program, in virtual time.
    #[cfg(target_os = "linux")]
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,
    /// Only cases with this in their id, or that show the requirement of this id; may be given several times, and a case
    /// that fits one of them is run.
    #[arg(long, value_name = "TEXT")]
    filter: Vec<String>,
    /// Hold the device to what is only recommended, too.
    #[arg(long)]
    strict: bool,
    /// How many cases run at a time. Default: as many as there are processors; over packets, where cases mostly wait, 8
    /// for each.
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Begin no further case once one has failed.
    #[arg(long)]
    fail_fast: bool,
    /// Write the report into this folder: index.html, report.json, junit.xml, and a capture for each case.
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
    /// Fail unless so many of the requirements that can be seen over the wire are shown, as in rfc2205,rfc2209=80: of
    /// these files of the catalogue together. May be given several times.
    #[arg(long, value_name = "FILES=PERCENT")]
    require_shown: Vec<Required>,
    #[command(flatten)]
    faults: Faults,
}

/// A share that a run has to reach.
#[derive(Clone)]
struct Required {
    files: Vec<String>,
    percent: f64,
}

impl FromStr for Required {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "not of the form rfc2205,rfc2209=80, with a percentage from 0 to 100";
        let (files, percent) = text.split_once('=').ok_or(FORM)?;
        let files: Vec<String> = files.split(',').map(str::to_owned).collect();
        let percent: f64 = percent.trim_end_matches('%').parse().map_err(|_| FORM)?;
        ((0.0..=100.0).contains(&percent)).then_some(Self { files, percent }).ok_or(FORM)
    }
}

/// The device, and the laboratories that it can be had in.
struct Bench {
    device: String,
    workers: usize,
    lab: Box<dyn Fn(usize) -> Lab + Sync>,
}

impl Args {
    /// Where the device is; or, if that is known by now, the end of the run.
    fn bench(&self) -> Result<Result<Bench, Outcome>, Failure> {
        let processors = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        #[cfg(target_os = "linux")]
        if let Some(path) = &self.profile {
            return self.packets(path, processors * 8);
        }
        Ok(Ok(Bench {
            device: "the engine in this process".to_owned(),
            workers: self.jobs.map_or(processors, NonZeroUsize::get),
            lab: Box::new(|_| Lab::in_process()),
        }))
    }

    /// A device that is reached over packets.
    #[cfg(target_os = "linux")]
    fn packets(&self, path: &Path, workers: usize) -> Result<Result<Bench, Outcome>, Failure> {
        let profile = Profile::load(path).map_err(|error| Failure::text(&error))?;
        // What is there anyway is seen from here alone, and can be used by one case at a time.
        let is_given = profile.bench == BenchKind::Interfaces;
        let workers = if is_given { 1 } else { workers };
        let entered = if is_given { wire::stay().map(|()| Isolated::Inside) } else { wire::enter() };
        match entered {
            Ok(Isolated::Inside) => {}
            Ok(Isolated::Done(code)) => return Ok(Err(Outcome::Same(code))),
            Err(error) => {
                eprintln!("conformance: {error}");
                return Ok(Err(Outcome::NoNetwork));
            }
        }
        let bench = wire::Bench::new(profile).map_err(Failure::Text)?;
        Ok(Ok(Bench {
            device: bench.profile().name.clone(),
            workers: if is_given { workers } else { self.jobs.map_or(workers, NonZeroUsize::get) },
            lab: Box::new(move |_| bench.lab()),
        }))
    }

    fn cases(&self) -> Result<Vec<&'static Case>, Failure> {
        let fits = |case: &&Case, filter: &String| {
            case.id.contains(filter.as_str()) || case.requirements.contains(&filter.as_str())
        };
        if let Some(filter) = self.filter.iter().find(|filter| !CASES.iter().any(|case| fits(&case, filter)))
        {
            let otherwise = "`conformance list` shows them";
            let hint = suggestion(filter, CASES.iter().map(|case| case.id), otherwise);
            return Err(Failure::Text(format!("no case fits --filter {filter}; {hint}")));
        }
        let is_wanted = |case: &&Case| match self.filter.as_slice() {
            [] => !self.faults.is_about_loss() || case.id.starts_with(LOSSY),
            some => some.iter().any(|filter| fits(case, filter)),
        };
        Ok(CASES.iter().filter(is_wanted).collect())
    }

    /// Whether as much is shown as is asked for; says so where it is not.
    fn is_enough(&self, report: &Report<'_>, out: &mut impl Write) -> io::Result<bool> {
        let mut is_enough = true;
        for Required { files, percent } in &self.require_shown {
            let name = files.join(", ");
            let share = Share::sum(&name, report.shares.iter().filter(|share| files.contains(&share.file)));
            let falls_short = share.percent() < *percent;
            is_enough &= !falls_short;
            let verdict = if falls_short { "TOO LITTLE: less than the" } else { "at least the" };
            writeln!(out, "{name}: {share} shown, {verdict} {percent} % asked for")?;
        }
        Ok(is_enough)
    }

    fn check(&self, catalogue: &Catalogue) -> Result<(), Failure> {
        let known: Vec<&str> =
            catalogue.files.iter().map(|file| file.name.trim_end_matches(".toml")).collect();
        let unknown = self.require_shown.iter().flat_map(|required| &required.files);
        match unknown.into_iter().find(|file| !known.contains(&file.as_str())) {
            Some(file) => Err(Failure::Text(format!(
                "--require-shown {file}: no such file; there are {}",
                known.join(", ")
            ))),
            None => Ok(()),
        }
    }
}

/// Whether somebody wants the run to end.
fn is_interrupted() -> bool {
    #[cfg(target_os = "linux")]
    return wire::is_interrupted();
    #[cfg(not(target_os = "linux"))]
    false
}

pub(crate) fn run(args: &Args, out: &mut (impl Write + Send)) -> Result<Outcome, Failure> {
    let catalogue = Catalogue::load().map_err(|error| Failure::text(&error))?;
    args.check(&catalogue)?;
    let cases = args.cases()?;
    let Bench { device, workers, lab } = match args.bench()? {
        Ok(bench) => bench,
        Err(outcome) => return Ok(outcome),
    };
    let of_folder = |folder: &Path, error: io::Error| Failure::Text(format!("{}: {error}", folder.display()));
    if let Some(folder) = &args.report {
        report::prepare(folder).map_err(|error| of_folder(folder, error))?;
    }
    let lab = |worker| args.faults.put(lab(worker));
    let device = match args.faults.describe() {
        // Nobody is to take what is said of it for what the device is by itself.
        Some(faults) => format!("{device} ({faults})"),
        None => device,
    };
    writeln!(out, "{device}")?;
    let mut terminal = Terminal::new(&mut *out, &catalogue, cases.len());
    let mut written = Ok(());
    let run = conformance::run::run(&device, &cases, workers, &catalogue, lab, |result| {
        written = terminal.tell(result);
        let stops = args.fail_fast && !result.outcome.verdict.is_good(args.strict);
        written.is_ok() && !stops && !is_interrupted()
    });
    written?;
    let report = Report::of(&run, &catalogue, args.strict);
    terminal.sum_up(&report)?;
    if run.results.len() < cases.len() {
        writeln!(out, "{} cases were not run", cases.len() - run.results.len())?;
    }
    if let Some(folder) = &args.report {
        report::write(folder, &report, &run).map_err(|error| of_folder(folder, error))?;
        writeln!(out, "{} tells all of it", folder.join(PAGE).display())?;
    }
    let is_enough = args.is_enough(&report, out)?;
    Ok(if report.passed && is_enough { Outcome::Done } else { Outcome::Failed })
}
