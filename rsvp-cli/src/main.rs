//! `rsvp-cli`: the RSVP daemon and the commands of its operator.

mod commands;
mod config;
#[cfg(target_os = "linux")]
mod control;
#[cfg(target_os = "linux")]
mod convert;
#[cfg(target_os = "linux")]
mod daemon;
mod decode;
mod endpoint;
mod lab;
mod logging;
#[cfg(target_os = "linux")]
mod replay;
mod request;
mod units;

use std::io;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// RSVP (RFC 2205) on Linux: the daemon, and what its operator needs.
#[derive(Parser)]
#[command(name = "rsvp-cli", version, max_term_width = 100, after_help = commands::OVERVIEW)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the daemon.
    #[cfg(target_os = "linux")]
    Daemon(commands::daemon::Args),
    /// Check a configuration file.
    Check(commands::check::Args),
    /// Make the daemon read its configuration file again.
    Reload(commands::reload::Args),
    /// Remove protocol state, with tears to the neighbours.
    Clear(commands::clear::Args),
    /// Announce a sender, and keep it announced.
    Send(commands::send::Args),
    /// Reserve for a flow, and keep the reservation.
    Reserve(commands::reserve::Args),
    /// Withdraw what a detached `send` or `reserve` left with the daemon.
    Release(commands::release::Args),
    /// Print the daemon's state.
    Show(commands::show::Args),
    /// Print counters and gauges for Prometheus.
    Metrics(commands::metrics::Args),
    /// Print events as they happen.
    Monitor(commands::monitor::Args),
    /// Print every RSVP packet of a capture file.
    Decode(decode::Args),
    /// Replay what `daemon --record` recorded, and look at the node on the way.
    #[cfg(target_os = "linux")]
    Replay(replay::Args),
    /// Build a network from a file, run a scenario in it, and check what happens.
    Lab(lab::Args),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        #[cfg(target_os = "linux")]
        Command::Daemon(args) => match commands::daemon::run(&args) {
            Ok(code) => return code,
            Err(failure) => Err(failure),
        },
        Command::Check(args) => commands::check::run(&args),
        Command::Reload(args) => commands::reload::run(&args),
        Command::Clear(args) => commands::clear::run(&args),
        Command::Send(args) => commands::send::run(&args),
        Command::Reserve(args) => commands::reserve::run(&args),
        Command::Release(args) => commands::release::run(&args),
        Command::Show(args) => commands::show::run(&args),
        Command::Metrics(args) => commands::metrics::run(&args),
        Command::Monitor(args) => commands::monitor::run(&args),
        Command::Decode(args) => decode::run(&args),
        #[cfg(target_os = "linux")]
        Command::Replay(args) => replay::run(&args),
        Command::Lab(args) => return lab::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// An operating system error in lower-case words, without its number.
fn words(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
