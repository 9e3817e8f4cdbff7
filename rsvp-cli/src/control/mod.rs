//! The control API: HTTP, JSON and server-sent events on a Unix socket.

mod api;
mod metrics;
mod recorder;
mod registry;
mod socket;

use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use rsvp_core::Instant;
use rsvp_driver::{Handle, Stopped};

use crate::config::Config;

pub(crate) use api::router;
pub(crate) use recorder::{Recorder, record};
pub(crate) use registry::{Asked, Registry};
pub(crate) use socket::Socket;

/// Reservations need bandwidth, and there is none unless it is configured.
const NO_BANDWIDTH: &str = "no bandwidth is configured, so reservations are refused on every interface; see bandwidth in the configuration";

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

    /// What does not work as an operator may wish, in words.
    ///
    /// # Errors
    ///
    /// If the node has stopped.
    pub(crate) async fn warnings(&self) -> Result<Vec<String>, Stopped> {
        let config = self.config();
        let mut interfaces = config.node.interfaces.values().chain([&config.node.default_interface]);
        let mut warnings = Vec::new();
        if interfaces.all(|interface| interface.bandwidth.is_none()) {
            warnings.push(NO_BANDWIDTH.to_owned());
        }
        warnings.extend(self.handle.diagnostics().await?.iter().map(ToString::to_string));
        Ok(warnings)
    }

    /// Puts another configuration in force.
    pub(crate) fn set_config(&self, config: Config) {
        *self.config.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = config;
    }
}

/// Shared by all requests.
pub(crate) type Shared = Arc<Context>;
