//! The folder of a report.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::report::{Report, captures, html, junit};
use crate::run::Run;

/// The page of a report.
pub const PAGE: &str = "index.html";
const JSON: &str = "report.json";
const JUNIT: &str = "junit.xml";
/// Where the captures are.
pub(super) const CAPTURES: &str = "captures";

/// Makes the folder ready for a report: it may be missing, empty, or hold the report of an earlier run, whose captures are
/// removed.
///
/// # Errors
///
/// When it holds something else, or cannot be made.
pub fn prepare(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let is_empty = fs::read_dir(folder)?.next().is_none();
    if !is_empty && !folder.join(JSON).is_file() {
        return Err(io::Error::other("it is neither empty nor a report"));
    }
    let captures = folder.join(CAPTURES);
    fs::create_dir_all(&captures)?;
    for entry in fs::read_dir(captures)? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "pcapng") {
            fs::remove_file(path)?;
        }
    }
    // Until the run has ended there is no report of it, but the folder is known for one.
    fs::write(folder.join(JSON), "{}\n")
}

/// Writes a report into a folder that was made ready.
///
/// # Errors
///
/// When it cannot be written.
pub fn write(folder: &Path, report: &Report<'_>, run: &Run) -> io::Result<()> {
    let file = |name: &str| File::create(folder.join(name)).map(BufWriter::new);
    let mut json = file(JSON)?;
    serde_json::to_writer(&mut json, report)?;
    writeln!(json)?;
    json.flush()?;
    let mut xml = file(JUNIT)?;
    junit::write(&mut xml, report)?;
    xml.flush()?;
    fs::write(folder.join(PAGE), html::page(report))?;
    for result in &run.results {
        let name = captures::file_name(result.case.id);
        captures::write(file(&format!("{CAPTURES}/{name}"))?, &result.outcome.transcript, run.began)?;
    }
    Ok(())
}
