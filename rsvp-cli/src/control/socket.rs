//! The socket itself: who may use it, and what is left of an earlier daemon.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use nix::unistd::{Group, chown};

/// Readable and writable for user and group.
const MODE: u32 = 0o660;

/// A bound control socket; its file goes when it is dropped.
#[derive(Debug)]
pub(crate) struct Socket {
    path: PathBuf,
    listener: Option<UnixListener>,
}

/// Why there is no control socket; one line.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SocketError {
    /// Another daemon is there.
    #[error("another daemon already answers on {}; stop it, or give this one a --socket of its own", .0.display())]
    InUse(PathBuf),
    /// Something else is there.
    #[error("{} exists and is not a socket; remove it, or give another --socket", .0.display())]
    NotASocket(PathBuf),
    /// The group is unknown.
    #[error("there is no group `{0}` to give the control socket to")]
    NoGroup(String),
    /// The operating system refuses.
    #[error("the control socket {} cannot be set up: {}", .0.display(), crate::words(.1))]
    System(PathBuf, io::Error),
}

impl Socket {
    /// Binds the socket with mode 0660, for the group if one is given. To be called before other threads create files.
    ///
    /// # Errors
    ///
    /// If another daemon answers there, or the socket cannot be had.
    pub(crate) fn bind(path: &Path, group: Option<&str>) -> Result<Self, SocketError> {
        let fail = |error: io::Error| SocketError::System(path.to_path_buf(), error);
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory).map_err(fail)?;
        }
        remove_stale(path)?;
        let group = group.map(find_group).transpose()?;
        // Nobody gets in before the mode is right.
        let umask = nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o177));
        let listener = UnixListener::bind(path);
        nix::sys::stat::umask(umask);
        let socket = Self { path: path.to_path_buf(), listener: Some(listener.map_err(fail)?) };
        if let Some(group) = group {
            chown(path, None, Some(group.gid)).map_err(|errno| fail(errno.into()))?;
        }
        fs::set_permissions(path, fs::Permissions::from_mode(MODE)).map_err(fail)?;
        Ok(socket)
    }

    /// The socket to serve on. To be called within a tokio runtime, once.
    ///
    /// # Errors
    ///
    /// If the runtime does not take it.
    pub(crate) fn listen(&mut self) -> io::Result<tokio::net::UnixListener> {
        let listener = self.listener.take().ok_or(io::ErrorKind::NotConnected)?;
        listener.set_nonblocking(true)?;
        tokio::net::UnixListener::from_std(listener)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "the control socket is left behind");
        }
    }
}

fn find_group(name: &str) -> Result<Group, SocketError> {
    Group::from_name(name).ok().flatten().ok_or_else(|| SocketError::NoGroup(name.to_owned()))
}

/// Removes the socket of a daemon that is gone.
fn remove_stale(path: &Path) -> Result<(), SocketError> {
    let Ok(metadata) = fs::symlink_metadata(path) else { return Ok(()) };
    if !metadata.file_type().is_socket() {
        return Err(SocketError::NotASocket(path.to_path_buf()));
    }
    match UnixStream::connect(path) {
        Ok(_) => Err(SocketError::InUse(path.to_path_buf())),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(|error| SocketError::System(path.to_path_buf(), error))
        }
        Err(error) => Err(SocketError::System(path.to_path_buf(), error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("rsvp-socket-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).expect("a scratch directory");
            Self(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn the_socket_is_for_user_and_group_and_goes_with_the_daemon() {
        let scratch = Scratch::new("mode");
        let path = scratch.0.join("deeper/rsvp.sock");
        let socket = Socket::bind(&path, None).expect("a socket");
        let mode = fs::metadata(&path).expect("the socket").permissions().mode();
        assert_eq!(mode & 0o777, MODE);
        drop(socket);
        assert!(!path.exists());
    }

    #[test]
    fn a_stale_socket_is_replaced_and_a_live_one_is_not() {
        let scratch = Scratch::new("stale");
        let path = scratch.0.join("rsvp.sock");
        drop(UnixListener::bind(&path).expect("a socket that is left behind"));
        let live = Socket::bind(&path, None).expect("the stale socket is replaced");
        let error = Socket::bind(&path, None).expect_err("the live one is not");
        assert!(matches!(error, SocketError::InUse(_)), "{error}");
        assert!(path.exists(), "and stays");
        drop(live);
    }

    #[test]
    fn what_is_no_socket_is_left_alone() {
        let scratch = Scratch::new("file");
        let path = scratch.0.join("rsvp.sock");
        fs::write(&path, "precious").expect("a file");
        assert!(matches!(Socket::bind(&path, None), Err(SocketError::NotASocket(_))));
        assert_eq!(fs::read_to_string(&path).expect("the file"), "precious");
        assert!(matches!(
            Socket::bind(&scratch.0.join("other"), Some("no-such-group-here")),
            Err(SocketError::NoGroup(_))
        ));
    }
}
