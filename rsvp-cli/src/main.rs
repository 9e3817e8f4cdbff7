//! `rsvp-cli`: the RSVP daemon and the commands of its operator.

mod decode;
mod lab;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// RSVP (RFC 2205) on Linux: the daemon, and what its operator needs.
#[derive(Parser)]
#[command(name = "rsvp-cli", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Print every RSVP packet of a capture file.
    Decode(decode::Args),
    /// Build a network from a file, run a scenario in it, and check what happens.
    Lab(lab::Args),
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Decode(args) => decode::run(&args),
        Command::Lab(args) => lab::run(&args),
    }
}
