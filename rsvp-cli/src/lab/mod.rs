//! The `lab` command: builds a network from a file, runs a scenario in it and checks what happens.

mod backend;
mod checks;
mod heard;
#[cfg(target_os = "linux")]
mod interrupt;
mod model;
#[cfg(target_os = "linux")]
mod netns;
mod placement;
mod recovery;
mod report;
mod resolve;
mod routing;
mod run;
mod scenario;
mod sim;
mod timeline;
#[cfg(target_os = "linux")]
mod traffic;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

use model::Scenario;
use run::Finished;
use timeline::Timeline;

const RUN_HELP: &str = "\
Nothing is left behind at the end, nor after Ctrl-C: namespaces and daemons live in this command.

Examples:
  rsvp-cli lab run examples/video-conference.toml
  rsvp-cli lab run examples/failure-killed.toml --pcap /tmp/captures
  rsvp-cli lab run examples/video-conference.toml --backend sim --json | jq .passed

Exit codes:
  0  every check that could be made holds
  1  a check does not hold, or the run was interrupted
  2  the scenario could not be run";

const SCALE_HELP: &str = "\
Two daemons run in network namespaces of this machine, with a sender at one and a reservation at the other for every
session; once without refresh reduction (RFC 2961), once with it. The steady state is that after all reservations stand.

Examples:
  rsvp-cli lab scale
  rsvp-cli lab scale --sessions 1000 --refresh 2s --periods 10 --json

Exit codes:
  0  every reservation stood, to the end
  1  one did not, or the run was interrupted
  2  it could not be measured";

/// Arguments of `lab`.
#[derive(ClapArgs)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a scenario and check what happens.
    #[command(after_help = RUN_HELP)]
    Run(RunArgs),
    /// Measure what many sessions cost two daemons, without refresh reduction and with it.
    #[command(after_help = SCALE_HELP)]
    Scale(ScaleArgs),
    /// Say whether a scenario file is right, and what is in it.
    #[command(after_help = "Exit codes:\n  0  the file is right\n  2  it is not")]
    Check {
        /// The scenario file.
        file: PathBuf,
    },
}

#[derive(ClapArgs)]
struct RunArgs {
    /// The scenario file; see docs/lab.md.
    file: PathBuf,
    /// What to run it on; without this, netns where it is permitted, else sim.
    #[arg(long, value_enum)]
    backend: Option<BackendName>,
    /// Keep the captured packets of every interface in this directory (netns).
    #[arg(long, value_name = "DIR")]
    pcap: Option<PathBuf>,
    /// Leave the network running after the scenario until Ctrl-C, to look around (netns).
    #[arg(long)]
    keep: bool,
    /// Print the outcome as one JSON document; the timeline goes to standard error.
    #[arg(long)]
    json: bool,
}

#[derive(ClapArgs)]
struct ScaleArgs {
    /// How many sessions.
    #[arg(long, value_name = "N", default_value = "50000", value_parser = clap::value_parser!(u16).range(1..=64_511))]
    sessions: u16,
    /// R, the refresh period.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = crate::units::parse_duration)]
    refresh: Duration,
    /// For how many refresh periods to measure the steady state.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    periods: u32,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum BackendName {
    /// Real daemons in real network namespaces of this machine.
    Netns,
    /// The protocol engine in virtual time, in this process; no data is sent.
    Sim,
}

/// Exit code when the scenario cannot be run at all.
const NOT_RUN: u8 = 2;

/// Runs `lab`.
pub(crate) fn run(args: &Args) -> ExitCode {
    let result = match &args.command {
        Command::Check { file } => load(file).map(|scenario| {
            println!("{}", summary(&scenario));
            ExitCode::SUCCESS
        }),
        Command::Run(args) => load(&args.file).and_then(|scenario| run_scenario(args, &scenario)),
        Command::Scale(args) => measure_scale(args),
    };
    result.unwrap_or_else(|message| {
        eprintln!("rsvp-cli: {message}");
        ExitCode::from(NOT_RUN)
    })
}

fn load(file: &Path) -> Result<Scenario, String> {
    let name = file.display();
    let text =
        std::fs::read_to_string(file).map_err(|e| format!("{name}: cannot be read: {}", crate::words(&e)))?;
    resolve::parse(&text).map_err(|mistake| format!("{name}:{mistake}"))
}

fn summary(scenario: &Scenario) -> String {
    let (nodes, links) = (scenario.nodes.len(), scenario.links.len());
    let (flows, checks) = (scenario.flows.len(), scenario.checks.len());
    let seconds = scenario.duration.as_secs_f64();
    format!("{}: {nodes} nodes, {links} links, {flows} flows, {checks} checks, {seconds} s", scenario.title)
}

fn run_scenario(args: &RunArgs, scenario: &Scenario) -> Result<ExitCode, String> {
    match args.backend {
        Some(BackendName::Sim) => run_in_simulator(args, scenario, "asked for by --backend sim"),
        wanted => run_on_linux(args, scenario, wanted.is_some()),
    }
}

fn timeline<'a>(args: &RunArgs, scenario: &'a Scenario) -> Timeline<'a> {
    let out: Box<dyn Write> = if args.json { Box::new(io::stderr()) } else { Box::new(io::stdout()) };
    Timeline::new(scenario, out)
}

#[cfg(not(target_os = "linux"))]
fn run_on_linux(args: &RunArgs, scenario: &Scenario, insist: bool) -> Result<ExitCode, String> {
    let why = "network namespaces are of Linux";
    if insist { Err(why.to_owned()) } else { run_in_simulator(args, scenario, why) }
}

/// Runs in namespaces: this program again, in namespaces of its own, so that all ends with it.
#[cfg(target_os = "linux")]
fn run_on_linux(args: &RunArgs, scenario: &Scenario, insist: bool) -> Result<ExitCode, String> {
    use std::sync::Arc;

    use interrupt::Interrupt;
    use rsvp_netns::isolate::{self, Entered, Privilege};

    let why = match isolate::enter() {
        Ok(Entered::Done(status)) => return Ok(ExitCode::from(isolate::exit_code(status))),
        Ok(Entered::Inside(Privilege::Own)) => "as this user may",
        Ok(Entered::Inside(Privilege::UserNamespace)) => "in a user namespace",
        Err(error) if insist => return Err(format!("{error}; --backend sim needs no privilege")),
        Err(error) => {
            return run_in_simulator(args, scenario, &format!("netns is not permitted here: {error}"));
        }
    };
    let interrupt = Arc::new(Interrupt::default());
    interrupt.watch_signals().map_err(|error| format!("cannot watch for signals: {error}"))?;
    let mut timeline = timeline(args, scenario);
    timeline.say(&summary(scenario));
    timeline.say(&format!("backend: netns, real daemons in network namespaces ({why})"));
    let mut backend = netns::Netns::new(scenario, &interrupt, args.pcap.as_deref())?;
    if args.keep {
        timeline.say(&backend.hint());
    }
    let finished = run::run(scenario, &mut backend, &mut timeline, args.keep)?;
    Ok(conclude(args, scenario, "netns", &finished))
}

#[cfg(not(target_os = "linux"))]
fn measure_scale(_: &ScaleArgs) -> Result<ExitCode, String> {
    Err("network namespaces are of Linux".to_owned())
}

/// Measures in namespaces, as [`run_on_linux`] runs a scenario.
#[cfg(target_os = "linux")]
fn measure_scale(args: &ScaleArgs) -> Result<ExitCode, String> {
    use std::sync::Arc;

    use interrupt::Interrupt;
    use netns::scale::{self, Load};
    use rsvp_netns::isolate::{self, Entered};

    if let Entered::Done(status) = isolate::enter().map_err(|error| error.to_string())? {
        return Ok(ExitCode::from(isolate::exit_code(status)));
    }
    let interrupt = Arc::new(Interrupt::default());
    interrupt.watch_signals().map_err(|error| format!("cannot watch for signals: {error}"))?;
    let load = Load { sessions: args.sessions, refresh: args.refresh, periods: args.periods };
    let mut runs = Vec::new();
    for refresh_reduction in [false, true] {
        match scale::measure(load, refresh_reduction, &interrupt)? {
            Some(run) => runs.push(run),
            None => return Ok(ExitCode::FAILURE),
        }
    }
    let text = if args.json { scale::json(load, &runs) } else { scale::table(load, &runs) };
    // A reader that went away has seen enough; the exit code still tells.
    let _ = io::stdout().write_all(text.as_bytes());
    let is_sound = runs.iter().all(|run| run.is_sound(load));
    Ok(if is_sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run_in_simulator(args: &RunArgs, scenario: &Scenario, why: &str) -> Result<ExitCode, String> {
    if args.keep || args.pcap.is_some() {
        return Err(format!("--keep and --pcap need a real network, but the backend is sim ({why})"));
    }
    let mut timeline = timeline(args, scenario);
    timeline.say(&summary(scenario));
    timeline.say(&format!("backend: sim, the engine in virtual time ({why})"));
    let mut backend = sim::Sim::new(scenario);
    let finished = run::run(scenario, &mut backend, &mut timeline, false)?;
    Ok(conclude(args, scenario, "sim", &finished))
}

fn conclude(args: &RunArgs, scenario: &Scenario, backend: &str, finished: &Finished) -> ExitCode {
    let text = if args.json {
        report::json(scenario, backend, finished) + "\n"
    } else {
        format!("\n{}", report::table(finished))
    };
    // A reader that went away has seen enough; the exit code still tells.
    let _ = io::stdout().write_all(text.as_bytes());
    if report::is_passed(finished) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
