//! A directory for what the programs of a network need and leave: sockets, configurations, logs, captures.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The file in it that its run keeps locked while it lives.
const OWNER: &str = "owner";

/// A directory that is removed with this value; if that does not happen, by the next run.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    /// Locked while this value lives.
    _owner: File,
}

impl Directory {
    /// Removes what dead runs left, then makes a directory. Those of all runs have names that begin with `prefix`.
    ///
    /// # Errors
    ///
    /// There is no place for temporary files, or none that may be written.
    pub fn new(prefix: &str) -> io::Result<Self> {
        let parent = std::env::temp_dir();
        sweep(&parent, prefix);
        let path = nix::unistd::mkdtemp(&parent.join(format!("{prefix}XXXXXX")))?;
        let owner = File::create(path.join(OWNER))?;
        owner.lock()?;
        Ok(Self { path, _owner: owner })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // What cannot be removed now is left to the next run.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Removes the directories of runs that are dead. One without an owner's file may be that of a run that is starting.
fn sweep(parent: &Path, prefix: &str) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(prefix);
        if is_ours && is_dead(&entry.path()) {
            // Another user's stays.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn is_dead(directory: &Path) -> bool {
    match File::open(directory.join(OWNER)).map(|owner| owner.try_lock()) {
        Ok(Ok(())) => true,
        Ok(Err(TryLockError::WouldBlock | TryLockError::Error(_))) | Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREFIX: &str = "rsvp-netns-test-";

    #[test]
    fn a_directory_lives_as_long_as_its_run() -> io::Result<()> {
        let living = Directory::new(PREFIX)?;
        let dead = Directory::new(PREFIX)?;
        let path = dead.path().to_owned();
        // As after SIGKILL: the lock is gone, the directory is not.
        dead._owner.unlock()?;
        sweep(&std::env::temp_dir(), PREFIX);
        assert!(!path.exists(), "a dead run's directory is removed");
        assert!(living.path().exists(), "a living run's is not");
        let path = living.path().to_owned();
        drop(living);
        assert!(!path.exists());
        Ok(())
    }
}
