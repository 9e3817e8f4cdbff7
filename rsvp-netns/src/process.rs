//! A program that runs inside a namespace.

use std::io;
use std::process::{Child, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::time::clock_getcpuclockid;
use nix::unistd::Pid;

/// How often a wait with a time limit looks.
const LOOK: Duration = Duration::from_millis(5);

/// A child process; killed and reaped when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
}

impl Process {
    pub(crate) fn new(child: Child) -> Self {
        Self { child }
    }

    /// The child, for its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The processor time that it has used so far, in user mode and in the kernel, all its threads together.
    ///
    /// # Errors
    ///
    /// It is gone.
    pub fn cpu_time(&self) -> io::Result<Duration> {
        Ok(clock_getcpuclockid(self.pid()?)?.now()?.into())
    }

    /// Sends it a signal.
    ///
    /// # Errors
    ///
    /// It is gone.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        Ok(kill(self.pid()?, signal)?)
    }

    fn pid(&self) -> io::Result<Pid> {
        let id = i32::try_from(self.child.id()).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
        Ok(Pid::from_raw(id))
    }

    /// Its exit status, if it has ended.
    ///
    /// # Errors
    ///
    /// The system does not tell.
    pub fn status(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Waits for its end, at most so long; `None` if it still runs then.
    ///
    /// # Errors
    ///
    /// The system does not tell.
    pub fn wait(&mut self, limit: Duration) -> io::Result<Option<ExitStatus>> {
        let end = Instant::now() + limit;
        loop {
            let status = self.child.try_wait()?;
            if status.is_some() || Instant::now() >= end {
                return Ok(status);
            }
            thread::sleep(LOOK);
        }
    }

    /// Asks it to end (SIGTERM) and waits, at most so long; `None` if it had to be killed.
    ///
    /// # Errors
    ///
    /// The system does not tell.
    pub fn terminate(&mut self, limit: Duration) -> io::Result<Option<ExitStatus>> {
        if self.child.try_wait()?.is_none() {
            self.signal(Signal::SIGTERM)?;
            // One that was stopped would not hear it.
            self.signal(Signal::SIGCONT)?;
        }
        let status = self.wait(limit)?;
        if status.is_none() {
            self.kill()?;
        }
        Ok(status)
    }

    /// Kills it (SIGKILL) and waits.
    ///
    /// # Errors
    ///
    /// The system does not tell.
    pub fn kill(&mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already; there is nobody to tell here.
        let _ = self.kill();
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn processor_time_is_that_of_the_process() {
        let mut shell = Command::new("sh");
        shell.args(["-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo done; read line"]);
        let child = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("sh runs");
        let mut process = Process::new(child);
        let mut output = process.child().stdout.take().expect("a pipe");
        io::Read::read_exact(&mut output, &mut [0; 4]).expect("it counts to the end");
        let used = process.cpu_time().expect("it is there");
        assert!(used > Duration::from_micros(100), "{used:?}");
        process.kill().expect("it is there");
        assert!(process.cpu_time().is_err(), "it is gone");
    }

    #[test]
    fn a_stopped_process_ends_when_it_is_asked_to() {
        let child = Command::new("cat").stdin(Stdio::piped()).spawn().expect("cat runs");
        let mut process = Process::new(child);
        process.signal(Signal::SIGSTOP).expect("it is there");
        let status = process.terminate(Duration::from_secs(10)).expect("the system tells");
        assert!(status.is_some(), "it did not have to be killed");
    }
}
