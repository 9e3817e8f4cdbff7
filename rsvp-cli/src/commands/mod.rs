//! One file for each command, and what they share.

pub(crate) mod check;
pub(crate) mod clear;
#[cfg(target_os = "linux")]
pub(crate) mod daemon;
mod delay;
mod hold;
pub(crate) mod metrics;
pub(crate) mod monitor;
pub(crate) mod release;
pub(crate) mod reload;
pub(crate) mod reserve;
pub(crate) mod send;
pub(crate) mod show;
mod table;
mod traffic;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use rsvp_client::{Client, Error};

/// Ends the help of `rsvp-cli` itself.
pub(crate) const OVERVIEW: &str = "\
Examples:
  rsvp-cli daemon --config /etc/rsvp/rsvp.toml      run the daemon
  rsvp-cli send -d 192.0.2.7 -p 5004 -b 1Mbit       announce a flow
  rsvp-cli reserve -d 192.0.2.7 -p 5004 -b 1Mbit    reserve for it, on the receiving host
  rsvp-cli show reservations                        see what is reserved

Exit codes of every command:
  0  success
  1  the command failed
  2  the command line is wrong
  3  the reservation was refused
  4  it was neither admitted nor refused in time
  5  the daemon is not reachable";

/// The command failed.
pub(crate) const FAILED: u8 = 1;
/// The command line is wrong in a way that its parser does not see.
pub(crate) const WRONG_COMMAND: u8 = 2;
/// A node refused the reservation.
pub(crate) const REFUSED: u8 = 3;
/// Nothing was heard in time.
pub(crate) const TIMED_OUT: u8 = 4;
/// The daemon does not answer.
pub(crate) const UNREACHABLE: u8 = 5;

/// Why a command ends without success: one line for the user, and the exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    message: Option<String>,
}

impl Failure {
    /// A failure with an exit code of its own.
    pub(crate) fn new(code: u8, message: impl Into<String>) -> Self {
        Self { code, message: Some(message.into()) }
    }

    /// An exit code for what was already said.
    pub(crate) fn silent(code: u8) -> Self {
        Self { code, message: None }
    }

    /// Says it on standard error; if even that is gone, only the exit code is left.
    pub(crate) fn report(&self) -> ExitCode {
        if let Some(message) = &self.message {
            let _ = writeln!(io::stderr(), "rsvp-cli: {message}");
        }
        ExitCode::from(self.code)
    }
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self::new(FAILED, message)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let code = match error {
            // 503: the daemon is about to stop.
            Error::Unreachable { .. } | Error::ConnectionLost | Error::Refused { status: 503, .. } => {
                UNREACHABLE
            }
            _ => FAILED,
        };
        Self::new(code, error.to_string())
    }
}

impl From<io::Error> for Failure {
    /// Whoever read our output has had enough: that is no error.
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::silent(0);
        }
        Self::new(FAILED, crate::words(&error))
    }
}

/// Where the daemon's control socket is.
#[derive(clap::Args)]
pub(crate) struct SocketArgs {
    /// The daemon's control socket [default: /run/rsvp/rsvp.sock].
    #[arg(long, value_name = "PATH", env = "RSVP_SOCKET", hide_env_values = true)]
    pub(crate) socket: Option<PathBuf>,
}

impl SocketArgs {
    /// Connects to the daemon.
    async fn connect(&self) -> Result<Client, Error> {
        Client::connect(self.socket.clone().unwrap_or_else(rsvp_client::default_socket)).await
    }
}

/// Runs a command that talks to the daemon.
fn block_on<T>(command: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(command)
}

/// Prints text and flushes it: what is printed is seen at once, also through a pipe.
fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Prints one line.
fn print_line(text: &str) -> io::Result<()> {
    print(&format!("{text}\n"))
}

/// Prints a document on one line.
fn print_json_line<T: serde::Serialize>(document: &T) -> io::Result<()> {
    print_line(&serde_json::to_string(document).map_err(io::Error::other)?)
}
