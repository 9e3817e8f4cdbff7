//! The command line: one file per command.

mod coverage;
mod explain;
mod faults;
mod list;
mod near;
mod requirements;
mod run;
mod serve;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

const HELP: &str = "\
Exit codes:
  0  done; of `run`: the device passed
  1  of `run`: the device failed a case, or shows less than --require-shown asks for
  2  it could not be done
  3  of `run`: the system does not let one make the network that the device is to be in";

/// Judges an RSVP speaker by what the RFCs require, case by case.
#[derive(Parser)]
#[command(version, after_help = HELP)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List(list::Args),
    Run(run::Args),
    Serve(serve::Args),
    Explain(explain::Args),
    Coverage(coverage::Args),
    Requirements(requirements::Args),
}

/// Why a command could not do what it was asked for.
pub(crate) enum Failure {
    /// What it prints cannot be written.
    Output(io::Error),
    /// All else, in words.
    Text(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl Failure {
    pub(crate) fn text(text: &impl ToString) -> Self {
        Self::Text(text.to_string())
    }
}

/// What a command ends with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    /// A device did not pass.
    Failed,
    /// What another run of this program, on behalf of this one, ended with.
    #[cfg(target_os = "linux")]
    Same(u8),
    /// The system does not let one make the network that a device is to be in.
    #[cfg(target_os = "linux")]
    NoNetwork,
}

/// The exit code without a network.
#[cfg(target_os = "linux")]
const NO_NETWORK: u8 = 3;
/// What could not be done; clap uses the same code for what it does not understand.
const IMPOSSIBLE: u8 = 2;

pub(crate) fn main() -> ExitCode {
    let mut out = io::stdout();
    let outcome = match Arguments::parse().command {
        Command::List(args) => list::run(&args, &mut out),
        Command::Run(args) => run::run(&args, &mut out),
        Command::Serve(args) => serve::run(&args, &mut out),
        Command::Explain(args) => explain::run(&args, &mut out),
        Command::Coverage(args) => coverage::run(&args, &mut out),
        Command::Requirements(args) => requirements::run(&args, &mut out),
    };
    let outcome = outcome.and_then(|outcome| out.flush().map_err(Failure::from).map(|()| outcome));
    match outcome {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Failed) => ExitCode::FAILURE,
        #[cfg(target_os = "linux")]
        Ok(Outcome::Same(code)) => ExitCode::from(code),
        #[cfg(target_os = "linux")]
        Ok(Outcome::NoNetwork) => ExitCode::from(NO_NETWORK),
        // Whoever reads has seen enough.
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(Failure::Output(error)) => impossible(&format!("cannot write the output: {error}")),
        Err(Failure::Text(text)) => impossible(&text),
    }
}

fn impossible(text: &str) -> ExitCode {
    eprintln!("conformance: {text}");
    ExitCode::from(IMPOSSIBLE)
}
