//! The `decode` command.

use std::process::ExitCode;

/// Arguments of `decode`.
#[derive(clap::Args)]
pub(crate) struct Args {}

/// Runs `decode`.
pub(crate) fn run(_args: &Args) -> ExitCode {
    ExitCode::SUCCESS
}
