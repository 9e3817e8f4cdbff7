//! `-d`: the daemon goes on in the background, once it serves.

use std::fs::File;
use std::io::{self, Read, Write};
use std::process::{Command, ExitCode, Stdio};

/// The option by which the background process knows what it is.
pub(crate) const DETACHED: &str = "--detached";

/// What the background process says when it serves.
const READY: &[u8] = b"ready\n";

/// Starts this program again in the background with the same arguments, and waits until it serves or fails. What is
/// wrong with it is on standard error then.
///
/// # Errors
///
/// If it cannot be started.
pub(crate) fn detach() -> io::Result<ExitCode> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .arg(DETACHED)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut said = Vec::new();
    if let Some(stdout) = &mut child.stdout {
        // Ends when the background process says that it serves and lets go of its standard output, or ends.
        stdout.read_to_end(&mut said)?;
    }
    if said == READY {
        writeln!(io::stdout(), "rsvp-cli: the daemon runs as process {}", child.id())?;
        return Ok(ExitCode::SUCCESS);
    }
    let code = child.wait()?.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(ExitCode::from(code))
}

/// In the background process: leaves the terminal's session.
///
/// # Errors
///
/// If the system does not let it.
pub(super) fn leave_session() -> io::Result<()> {
    nix::unistd::setsid()?;
    Ok(())
}

/// In the background process: tells that it serves, and lets go of standard output and error.
///
/// # Errors
///
/// If the process in the foreground is gone.
pub(super) fn tell_ready() -> io::Result<()> {
    io::stdout().write_all(READY)?;
    io::stdout().flush()?;
    let nothing = File::options().write(true).open("/dev/null")?;
    nix::unistd::dup2_stdout(&nothing)?;
    nix::unistd::dup2_stderr(&nothing)?;
    Ok(())
}
