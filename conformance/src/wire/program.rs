//! The device as a program in a namespace.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use rsvp_netns::{Namespace, Process};

use super::daemon_config;
use super::hooks::{LIMIT, fill};
use super::profile::{ConfigForm, Profile};
use crate::bench::{Setup, Unsupported};

/// How long a device may take to be ready.
const READY: Duration = Duration::from_secs(20);
/// How often to look.
const LOOK: Duration = Duration::from_millis(2);

/// A program that is the device, with its files. It is killed when dropped.
#[derive(Debug)]
pub(super) struct Program {
    directory: PathBuf,
    values: Vec<(&'static str, String)>,
    process: Option<Process>,
    /// Whether it has been asked to end.
    is_ending: bool,
}

impl Program {
    /// Writes its configuration, and starts it; it is ready when this returns.
    ///
    /// # Errors
    ///
    /// What it cannot be told, or why it did not start.
    pub(super) fn start(
        profile: &Profile,
        directory: &Path,
        namespace: &Namespace,
        setup: &Setup,
    ) -> Result<Self, Unsupported> {
        let failed = |error| Unsupported(format!("cannot use {}: {error}", directory.display()));
        fs::create_dir_all(directory).map_err(failed)?;
        let path = |name: &str| directory.join(name).display().to_string();
        let program = std::env::current_exe().unwrap_or_default();
        let bin = program.parent().unwrap_or(Path::new("."));
        let values = vec![
            ("bin", bin.display().to_string()),
            ("config", path("config")),
            ("socket", path("socket")),
            ("dir", directory.display().to_string()),
            ("refresh", setup.config.default_interface.refresh.as_secs().to_string()),
        ];
        let mut program = Self { directory: directory.to_owned(), values, process: None, is_ending: false };
        program.write(profile, setup)?;
        program.run(profile, namespace)?;
        Ok(program)
    }

    fn write(&self, profile: &Profile, setup: &Setup) -> Result<(), Unsupported> {
        let (config, socket) = (self.directory.join("config"), self.directory.join("socket"));
        let text = match profile.config {
            Some(ConfigForm::RsvpCli) => daemon_config::file(&setup.config, &socket)?,
            None => return Ok(()),
        };
        fs::write(&config, text)
            .map_err(|error| Unsupported(format!("cannot write {}: {error}", config.display())))
    }

    /// Starts it with the configuration that was written last.
    pub(super) fn run(&mut self, profile: &Profile, namespace: &Namespace) -> Result<(), Unsupported> {
        let Some(start) = &profile.hooks.start else { return self.reset(profile, namespace) };
        // One that a killed device left behind would look like an answer to come.
        let _ = fs::remove_file(self.directory.join("socket"));
        let log = self.directory.join("log");
        let failed = |error| Unsupported(format!("cannot write {}: {error}", log.display()));
        let output = File::create(&log).map_err(failed)?;
        let errors = output.try_clone().map_err(failed)?;
        let mut command = self.shell(start);
        command.stdout(output).stderr(errors);
        let process = namespace.spawn(&mut command).map_err(|error| Unsupported(error.to_string()))?;
        self.process = Some(process);
        self.is_ending = false;
        let end = Instant::now() + READY;
        while !self.is_ready(profile, namespace)? {
            if let Some(words) = self.death() {
                return Err(Unsupported(format!("the device does not start: {words}")));
            }
            if Instant::now() > end {
                return Err(Unsupported(format!("the device is not ready: {}", self.last_words())));
            }
            thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Has a device that is there anyway forget its state.
    fn reset(&self, profile: &Profile, namespace: &Namespace) -> Result<(), Unsupported> {
        let Some(command) = &profile.hooks.reset else { return Ok(()) };
        self.hook(namespace, command).map(|_| ()).map_err(Unsupported)
    }

    fn is_ready(&self, profile: &Profile, namespace: &Namespace) -> Result<bool, Unsupported> {
        match &profile.hooks.ready {
            Some(command) => Ok(self.hook(namespace, command).is_ok()),
            None => Ok(answers(&self.directory.join("socket")).is_ok()),
        }
    }

    /// A shell that runs a command, in a process group of its own.
    fn shell(&self, command: &str) -> Command {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(fill(command, &self.values)).stdin(Stdio::null()).process_group(0);
        shell
    }

    /// Runs a command where the device is, and returns what it prints.
    ///
    /// # Errors
    ///
    /// In one line, why it failed.
    pub(super) fn hook(&self, namespace: &Namespace, command: &str) -> Result<String, String> {
        let mut shell = self.shell(command);
        shell.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = namespace.spawn(&mut shell).map_err(|error| error.to_string())?;
        let pipes = (process.child().stdout.take(), process.child().stderr.take());
        let read = |pipe: Option<Box<dyn Read + Send>>| {
            thread::spawn(move || {
                let mut octets = Vec::new();
                // What came before an error is good enough.
                let _ = pipe.map(|mut pipe| pipe.read_to_end(&mut octets));
                String::from_utf8_lossy(&octets).into_owned()
            })
        };
        let output = read(pipes.0.map(|pipe| Box::new(pipe) as _));
        let errors = read(pipes.1.map(|pipe| Box::new(pipe) as _));
        let status = process.wait(LIMIT).map_err(|error| error.to_string())?;
        if status.is_none() {
            kill(&mut process);
        }
        let (output, errors) = (output.join().unwrap_or_default(), errors.join().unwrap_or_default());
        match status {
            Some(status) if status.success() => Ok(output),
            Some(status) => {
                let words = errors.lines().last().unwrap_or("it said nothing").to_owned();
                Err(format!("`{command}` ended with {status}: {words}"))
            }
            None => Err(format!("`{command}` did not end within {} s", LIMIT.as_secs())),
        }
    }

    /// Why it has ended, if it has although nobody asked it to.
    pub(super) fn death(&mut self) -> Option<String> {
        let status = self.process.as_mut()?.status().ok()??;
        (!self.is_ending).then(|| format!("it ended with {status}: {}", self.last_words()))
    }

    /// The last line that it has printed.
    pub(super) fn last_words(&self) -> String {
        let text = self.log();
        text.lines().last().unwrap_or("it said nothing").to_owned()
    }

    /// What it has printed.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }

    /// Asks it to end in order.
    pub(super) fn terminate(&mut self) -> Result<(), Unsupported> {
        self.is_ending = true;
        let Some(process) = &self.process else { return Ok(()) };
        process.signal(Signal::SIGTERM).map_err(|error| Unsupported(error.to_string()))
    }

    /// Ends it at once.
    pub(super) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            kill(&mut process);
        }
    }

    /// Has it take up another configuration.
    ///
    /// # Errors
    ///
    /// It cannot be told that, or does not take it.
    pub(super) fn configure(
        &mut self,
        profile: &Profile,
        namespace: &Namespace,
        setup: &Setup,
    ) -> Result<(), Unsupported> {
        let Some(command) = &profile.hooks.configure else {
            return Err(Unsupported("the profile has no hooks.configure".to_owned()));
        };
        self.write(profile, setup)?;
        self.hook(namespace, command).map(|_| ()).map_err(Unsupported)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Asks something over HTTP and waits for an answer, whatever it be: the socket is there before the device serves it.
fn answers(socket: &Path) -> io::Result<()> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(READY))?;
    stream.write_all(b"HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    stream.read_exact(&mut [0])
}

/// Kills a process, and all that it started.
fn kill(process: &mut Process) {
    if let Ok(id) = i32::try_from(process.id()) {
        // It may have ended by itself.
        let _ = killpg(Pid::from_raw(id), Signal::SIGKILL);
    }
    let _ = process.kill();
}
