//! `check`: is a configuration file right?

use std::path::PathBuf;

use super::{Failure, print_line};
use crate::config::Config;

/// Arguments of `check`.
#[derive(clap::Args)]
#[command(after_help = "\
The file is read and checked as the daemon would; nothing else happens. What is wrong is told as one line:
  rsvp.toml:7: unknown field `bandwith`, expected one of `enabled`, `bandwidth`, ...

Exit codes:
  0  the file is right
  1  it is not")]
pub(crate) struct Args {
    /// The file.
    file: PathBuf,
}

/// Runs `check`.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let config = Config::load(&args.file).map_err(|e| e.to_string())?;
    let pools = config.node.interfaces.values().filter(|interface| interface.bandwidth.is_some()).count();
    print_line(&format!(
        "{}: ok: {} interfaces named, {pools} with bandwidth to reserve; {} standing senders, {} standing \
         reservations, {} rules of policy, {} neighbors with settings of their own",
        args.file.display(),
        config.node.interfaces.len(),
        config.senders.len(),
        config.reservations.len(),
        config.node.policy.len(),
        config.node.neighbors.len(),
    ))?;
    Ok(())
}
