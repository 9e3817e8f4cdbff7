//! What can go wrong between a client and the daemon.

use std::io;
use std::path::PathBuf;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nobody answers on the control socket.
    #[error("the RSVP daemon is not reachable on {socket}: {}", reason(source), socket = socket.display())]
    Unreachable {
        /// The socket.
        socket: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The connection was lost before the answer was complete.
    #[error("the RSVP daemon closed the control connection")]
    ConnectionLost,
    /// The daemon refused the request.
    #[error("{message}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The daemon's words.
        message: String,
    },
    /// The answer is none that this client understands.
    #[error("the answer on the control socket is not understood: {0}")]
    Protocol(String),
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such socket; is the daemon running?".to_owned(),
        io::ErrorKind::ConnectionRefused => "nobody listens there; is the daemon running?".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied; are you in the socket's group?".to_owned(),
        _ => error.to_string(),
    }
}
