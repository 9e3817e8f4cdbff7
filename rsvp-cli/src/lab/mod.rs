//! The `lab` command.

use std::process::ExitCode;

/// Arguments of `lab`.
#[derive(clap::Args)]
pub(crate) struct Args {}

/// Runs `lab`.
pub(crate) fn run(_args: &Args) -> ExitCode {
    ExitCode::SUCCESS
}
