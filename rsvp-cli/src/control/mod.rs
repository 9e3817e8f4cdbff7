//! The control API: HTTP, JSON and server-sent events on a Unix socket.

mod api;
mod recorder;
mod registry;
mod socket;

use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use rsvp_core::Instant;
use rsvp_io_tokio::Handle;

use crate::config::Config;

pub(crate) use api::router;
pub(crate) use recorder::{Recorder, record};
pub(crate) use registry::{Asked, Registry};
pub(crate) use socket::Socket;

/// What every request may need.
pub(crate) struct Context {
    /// The node.
    pub(crate) handle: Handle,
    /// Who has asked for what.
    pub(crate) registry: Registry,
    /// What has happened.
    pub(crate) recorder: Recorder,
    /// What is configured.
    pub(crate) config: Mutex<Config>,
    /// What the configuration asks for.
    pub(crate) standing: crate::daemon::Standing,
    /// When the daemon started.
    pub(crate) started: (Instant, SystemTime),
}

impl Context {
    /// The configuration in force.
    pub(crate) fn config(&self) -> Config {
        self.config.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Puts another configuration in force.
    pub(crate) fn set_config(&self, config: Config) {
        *self.config.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = config;
    }
}

/// Shared by all requests.
pub(crate) type Shared = Arc<Context>;
