//! Namespaces for the whole process: the privileges to make a network without being root, and a process tree of its
//! own that ends as one.

use std::ffi::OsStr;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus, Stdio};

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::{Pid, getegid, geteuid};

use crate::Error;

/// Tells the second run of the program that it is inside, and how it got its privileges.
const MARK: &str = "RSVP_NETNS_INSIDE";

/// How a process came to be allowed to make namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privilege {
    /// It had the capabilities.
    Own,
    /// It got them inside a user namespace.
    UserNamespace,
}

/// What [`enter`] did.
#[derive(Debug)]
pub enum Entered {
    /// This process is inside; it is the first process of its own PID namespace, and all its descendants end with it.
    Inside(Privilege),
    /// The program ran a second time, inside, and has ended.
    Done(ExitStatus),
}

/// Runs this program again, with the same arguments, in namespaces of its own where it may make network namespaces;
/// in that second run it returns [`Entered::Inside`].
///
/// Without CAP_SYS_ADMIN it makes a user namespace, which needs the process to have one thread only: call it first
/// thing in `main`. The inner process must watch its standard input with [`outlives`]: its end means that the outer
/// process is gone.
///
/// # Errors
///
/// The system does not allow it.
pub fn enter() -> Result<Entered, Error> {
    match std::env::var_os(MARK).as_deref().map(OsStr::as_encoded_bytes) {
        Some(b"own") => return Ok(Entered::Inside(Privilege::Own)),
        Some(_) => return Ok(Entered::Inside(Privilege::UserNamespace)),
        None => {}
    }
    let namespaces = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWPID;
    let mark = if unshare(namespaces).is_ok() {
        "own"
    } else {
        enter_user_namespace(namespaces).map_err(|source| {
            Error::new("cannot make namespaces, neither as this user nor in a user namespace", source)
        })?;
        "user"
    };
    run_again(mark).map(Entered::Done).map_err(|source| {
        let what = "cannot start this program in its own namespaces";
        Error::new(what, source)
    })
}

/// Runs the program again as a child, passes signals on to it, and waits for its end.
fn run_again(mark: &str) -> io::Result<ExitStatus> {
    // Other signals end this process or not, as they are set; with it the child ends.
    const PASSED_ON: [Signal; 2] = [Signal::SIGINT, Signal::SIGTERM];
    // Blocked before the child exists, so that none is missed. The child starts with none blocked.
    let signals: SigSet = PASSED_ON.into_iter().chain([Signal::SIGCHLD]).collect();
    signals.thread_block()?;
    let mut arguments = std::env::args_os();
    let name = arguments.next().unwrap_or_default();
    let mut child = Command::new("/proc/self/exe")
        .arg0(name)
        .args(arguments)
        .env(MARK, mark)
        .stdin(Stdio::piped())
        .spawn()?;
    // The pipe to its standard input stays open until this process ends, in whatever way.
    let _pipe = child.stdin.take();
    let id = Pid::from_raw(i32::try_from(child.id()).map_err(io::Error::other)?);
    // There can be no second thread here: a process that has left its PID namespace may not make one.
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        let signal = signals.wait()?;
        if signal != Signal::SIGCHLD {
            // It may just have ended; then the next look tells.
            let _ = kill(id, signal);
        }
    }
}

fn enter_user_namespace(namespaces: CloneFlags) -> io::Result<()> {
    let (user, group) = (geteuid(), getegid());
    unshare(CloneFlags::CLONE_NEWUSER).map_err(|error| match error {
        // What the kernel says of a limit reached would send people to look at their disks.
        Errno::ENOSPC => io::Error::other("the limit user.max_user_namespaces is reached"),
        error => error.into(),
    })?;
    std::fs::write("/proc/self/setgroups", "deny")?;
    std::fs::write("/proc/self/uid_map", format!("0 {user} 1"))?;
    std::fs::write("/proc/self/gid_map", format!("0 {group} 1"))?;
    unshare(namespaces)?;
    Ok(())
}

/// Blocks until the process that [`enter`] ran this one from is gone. Call it on a thread of its own and end the
/// process when it returns.
pub fn outlives() {
    let mut stdin = io::stdin().lock();
    // Whatever comes, even an error, the end has come when nothing more does.
    let _ = io::copy(&mut stdin, &mut io::sink());
}

/// The exit code to pass on for the inner run: its own, or 128 and the signal as shells have it.
#[must_use]
pub fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(code).unwrap_or(1)
}
