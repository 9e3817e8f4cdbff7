//! `daemon`: run the daemon.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::{FAILED, Failure};
use crate::config::{Config, LogFormat};
use crate::daemon::{self, Options, Record};
use crate::units::parse_size;

/// Arguments of `daemon`.
#[derive(clap::Args)]
#[command(after_help = "\
Without --config the daemon runs RSVP on all interfaces and forwards Path and Resv, but has no bandwidth to reserve: \
reservations out of its interfaces are refused. examples/rsvp.toml is a commented configuration; `rsvp-cli check FILE` \
checks one.

It needs the capabilities CAP_NET_RAW and CAP_NET_ADMIN (root has them), and drops all others. SIGTERM and SIGINT tear \
down what it holds, towards the neighbours and in the kernel, and end it. SIGHUP makes it read its configuration \
again, as `rsvp-cli reload` does; reservations that did not change survive.

Examples:
  rsvp-cli daemon --config /etc/rsvp/rsvp.toml
  rsvp-cli daemon --config rsvp.toml -d --log-file /var/log/rsvp.log
  rsvp-cli daemon --log-level rsvp_core=debug,info --log-format json
  rsvp-cli daemon --config rsvp.toml --record bug.rsvp --record-limit 100MB

Exit codes:
  0  ended on request
  1  it could not start, or failed
  2  the command line is wrong")]
pub(crate) struct Args {
    /// The configuration.
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Go on in the background as soon as the daemon serves; logs then need --log-file.
    #[arg(short, long)]
    detach: bool,
    /// The control socket [default: /run/rsvp/rsvp.sock, or rsvp.sock in the user's runtime directory].
    #[arg(long, value_name = "PATH", env = "RSVP_SOCKET", hide_env_values = true)]
    socket: Option<PathBuf>,
    /// The group that may use the control socket.
    #[arg(long, value_name = "NAME")]
    socket_group: Option<String>,
    /// What is logged: error, warn, info, debug, trace, or a filter such as rsvp_core=trace,info.
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
    /// The form of the log.
    #[arg(long, value_enum, value_name = "FORM")]
    log_format: Option<LogFormat>,
    /// Where the log goes [default: standard error].
    #[arg(long, value_name = "FILE")]
    log_file: Option<PathBuf>,
    /// Record all that happens to the node in this new file, for `rsvp-cli replay`. It tells addresses and the node's
    /// seed: only its owner can read it. A file that is there already is not touched.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Stop recording before the file is larger than this; the daemon goes on.
    #[arg(long, value_name = "SIZE", value_parser = parse_limit, default_value = "1GiB", requires = "record")]
    record_limit: u64,
    /// This is the background process.
    #[arg(long, hide = true)]
    detached: bool,
}

impl Args {
    /// The configuration file, and what the command line says over it.
    fn options(&self) -> Result<Options, String> {
        let config = match &self.config {
            Some(path) => Config::load(&absolute(path)?).map_err(|e| e.to_string())?,
            None => Config::default(),
        };
        let (mut control, mut log) = (config.control.clone(), config.log.clone());
        if let Some(socket) = &self.socket {
            control.socket = Some(absolute(socket)?);
        }
        if let Some(file) = &self.log_file {
            log.file = Some(absolute(file)?);
        }
        control.group = self.socket_group.clone().or(control.group);
        log.level = self.log_level.clone().or(log.level);
        log.format = self.log_format.or(log.format);
        let record = match &self.record {
            Some(file) => Some(Record { file: absolute(file)?, limit: self.record_limit }),
            None => None,
        };
        Ok(Options { config, control, log, record, detached: self.detached })
    }
}

/// A limit that leaves room for a configuration.
fn parse_limit(text: &str) -> Result<u64, String> {
    const LEAST: u64 = 64 << 10;
    let limit = parse_size(text)?;
    if limit < LEAST {
        return Err("it must be at least 64KiB".to_owned());
    }
    Ok(limit)
}

fn absolute(path: &Path) -> Result<PathBuf, String> {
    std::path::absolute(path).map_err(|e| format!("{}: {}", path.display(), crate::words(&e)))
}

/// Runs `daemon`.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let options = args.options().map_err(|e| Failure::new(FAILED, e))?;
    if args.detach && !args.detached {
        return Ok(daemon::detach()?);
    }
    daemon::run(options)?;
    Ok(ExitCode::SUCCESS)
}
