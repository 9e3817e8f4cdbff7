//! The daemon's configuration: a TOML file, checked in full before any of it takes effect.

mod file;
mod promise;
mod reduction;
mod udp;
mod values;

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use rsvp_client::api::{ReservationRequest, SenderRequest};
use rsvp_core::NodeConfig;

/// How many events the daemon remembers unless it is told otherwise.
const DEFAULT_EVENTS: usize = 1000;

/// Everything that a configuration file says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Config {
    /// The file that it came from; `None` for the built-in defaults.
    pub(crate) file: Option<PathBuf>,
    /// The control socket.
    pub(crate) control: Control,
    /// Logging.
    pub(crate) log: Log,
    /// The engine's part.
    pub(crate) node: NodeConfig,
    /// What the engine does not know of each interface that is named.
    pub(crate) interfaces: BTreeMap<String, InterfaceExtras>,
    /// The same for those that are not named.
    pub(crate) default_interface: InterfaceExtras,
    /// Standing senders.
    pub(crate) senders: Vec<SenderRequest>,
    /// Standing reservations.
    pub(crate) reservations: Vec<ReservationRequest>,
}

/// The control socket and what it serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Control {
    /// Where; `None`: the default.
    pub(crate) socket: Option<PathBuf>,
    /// Which group may use it beside the daemon's own user.
    pub(crate) group: Option<String>,
    /// How many events are remembered.
    pub(crate) events: usize,
}

/// Logging.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Log {
    /// A tracing filter: `info`, `debug`, `rsvp_core=trace,info`.
    pub(crate) level: Option<String>,
    /// The form of the lines.
    pub(crate) format: Option<LogFormat>,
    /// Where they go; `None`: standard error.
    pub(crate) file: Option<PathBuf>,
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Human,
    /// One JSON document a line.
    Json,
}

/// What the daemon knows of an interface beside the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InterfaceExtras {
    /// Whether the daemon may program the kernel's traffic control.
    pub(crate) traffic_control: bool,
    /// Neighbours that are known to be there.
    pub(crate) neighbors: Vec<IpAddr>,
}

impl Default for InterfaceExtras {
    fn default() -> Self {
        Self { traffic_control: true, neighbors: Vec::new() }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            file: None,
            control: Control { socket: None, group: None, events: DEFAULT_EVENTS },
            log: Log::default(),
            node: NodeConfig { default_interface: file::default_interface(), ..NodeConfig::default() },
            interfaces: BTreeMap::new(),
            default_interface: InterfaceExtras::default(),
            senders: Vec::new(),
            reservations: Vec::new(),
        }
    }
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    ///
    /// One line: the file, the line in it, what is wrong and what is allowed.
    pub(crate) fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|e| ConfigError {
            file: path.to_path_buf(),
            line: None,
            message: format!("cannot be read: {}", crate::words(&e)),
        })?;
        Self::parse(&text, path)
    }

    /// Checks the contents of a file.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub(crate) fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let fail = |line, message| ConfigError { file: path.to_path_buf(), line, message };
        let file: file::File = toml::from_str(text).map_err(|e| {
            let line = e.span().map(|span| line_of(text, span.start));
            fail(line, e.message().split_whitespace().collect::<Vec<_>>().join(" "))
        })?;
        let mut config =
            file.into_config().map_err(|(at, message)| fail(Some(line_of(text, at)), message))?;
        config.file = Some(path.to_path_buf());
        Ok(config)
    }

    /// What the daemon knows of the interface called `name` beside the engine.
    pub(crate) fn extras(&self, name: &str) -> &InterfaceExtras {
        self.interfaces.get(name).unwrap_or(&self.default_interface)
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|&&byte| byte == b'\n').count() + 1
}

/// What is wrong with a configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConfigError {
    file: PathBuf,
    line: Option<usize>,
    message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        write!(f, " {}", self.message)
    }
}

impl std::error::Error for ConfigError {}

#[cfg(test)]
mod tests;
