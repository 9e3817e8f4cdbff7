//! Logs: what is written, in which form, and where to.

use std::fs::OpenOptions;
use std::path::Path;
use std::sync::Mutex;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
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
    // A word that is no level would be a module to log all of, and nothing of the others: `inof` would log nothing.
    let is_level = |word: &str| match word {
        "" => false,
        _ => word.parse::<LevelFilter>().is_ok() || word.contains(['=', '[', ':', '_']),
    };
    if let Some(word) = filter.split(',').map(str::trim).find(|word| !is_level(word)) {
        return Err(format!(
            "`{word}` is no log level: write error, warn, info, debug, trace, or rsvp_core=trace,info"
        ));
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_level_is_not_taken_for_a_module() {
        for filter in ["info", "DEBUG", "off", "rsvp_core=trace,info", "rsvp_core::process=debug", "rsvp_io"]
        {
            assert_eq!(check_filter(filter), Ok(()), "{filter}");
        }
        for filter in ["inof", "loud", "", "rsvp_core=trace,inof", "rsvp_core=inof"] {
            assert!(check_filter(filter).is_err(), "{filter}");
        }
    }
}
