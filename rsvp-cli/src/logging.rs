//! Logs: what is written, in which form, and where to.

use std::fs::OpenOptions;
use std::path::Path;
use std::sync::Mutex;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use crate::config::{Log, LogFormat};

/// What is logged unless it is told otherwise.
const DEFAULT_LEVEL: &str = "info";

/// Whether a filter is one.
///
/// # Errors
///
/// In words.
pub(crate) fn check_filter(filter: &str) -> Result<(), String> {
    parse_filter(filter).map(drop)
}

fn parse_filter(filter: &str) -> Result<EnvFilter, String> {
    EnvFilter::builder().parse(filter).map_err(|_| {
        format!("`{filter}` is no log level: write error, warn, info, debug, trace, or rsvp_core=trace,info")
    })
}

/// Starts logging.
///
/// # Errors
///
/// In words, if the filter is none or the file cannot be written.
pub(crate) fn start(log: &Log) -> Result<(), String> {
    let filter = parse_filter(log.level.as_deref().unwrap_or(DEFAULT_LEVEL))?;
    let writer = match &log.file {
        None => BoxMakeWriter::new(std::io::stderr),
        Some(path) => BoxMakeWriter::new(Mutex::new(open(path)?)),
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    match log.format.unwrap_or_default() {
        LogFormat::Human => builder.with_ansi(false).init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
    Ok(())
}

fn open(path: &Path) -> Result<std::fs::File, String> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .map_err(|e| format!("the log file {} cannot be written: {}", path.display(), crate::words(&e)))
}
