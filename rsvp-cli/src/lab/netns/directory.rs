//! The directory of a run: sockets, configurations, logs, captures.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// What the directories of all runs are called.
const PREFIX: &str = "rsvp-lab-";
/// The file in it that its run keeps locked while it lives.
const OWNER: &str = "owner";

/// A directory that is removed with this value; if that does not happen, by the next run.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    /// Locked while this value lives.
    _owner: File,
}

impl Directory {
    /// Removes what dead runs left, then makes a directory.
    pub(crate) fn new() -> io::Result<Self> {
        let parent = std::env::temp_dir();
        sweep(&parent);
        let path = nix::unistd::mkdtemp(&parent.join(format!("{PREFIX}XXXXXX")))?;
        let owner = File::create(path.join(OWNER))?;
        owner.lock()?;
        Ok(Self { path, _owner: owner })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
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
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
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

    #[test]
    fn a_directory_lives_as_long_as_its_run() -> io::Result<()> {
        let living = Directory::new()?;
        let dead = Directory::new()?;
        let path = dead.path().to_owned();
        // As after SIGKILL: the lock is gone, the directory is not.
        dead._owner.unlock()?;
        sweep(&std::env::temp_dir());
        assert!(!path.exists(), "a dead run's directory is removed");
        assert!(living.path().exists(), "a living run's is not");
        let path = living.path().to_owned();
        drop(living);
        assert!(!path.exists());
        Ok(())
    }
}
