//! The `decode` command: every RSVP packet of a capture file, as text or as JSON.

pub(crate) mod capture;
#[cfg(test)]
mod testdata;
#[cfg(test)]
mod tests;

use std::fmt::{self, Display, Formatter};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::PathBuf;

use rsvp_decode::{Outcome, Record, Tree, line};
use thiserror::Error;

use crate::commands::Failure;
use capture::{Capture, CaptureError};

const HELP: &str = "\
A packet that is damaged, or is not RSVP, never ends the command; a summary on standard error counts them.

Examples:
  rsvp-cli decode examples/captures/mixture.pcap
  rsvp-cli decode --json capture.pcapng | jq 'select(.error)'
  tcpdump -i any -U -w - ip proto 46 | rsvp-cli decode -

Exit codes:
  0  the file was read to its end
  1  it could not be read, or is no capture";

/// Arguments of `decode`.
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// A pcap or pcapng file; `-` reads standard input.
    file: PathBuf,
    /// Print one line of JSON per message, as docs/decode.md describes it.
    #[arg(long)]
    json: bool,
}

/// Runs `decode`.
///
/// Succeeds when the file was read to its end, whatever is wrong with the packets in it: a summary on
/// standard error tells.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let name = args.file.display();
    let output = BufWriter::new(io::stdout().lock());
    let result = if args.file.as_os_str() == "-" {
        decode(io::stdin().lock(), output, args.json)
    } else {
        File::open(&args.file)
            .map_err(|error| Error::Capture(error.into()))
            .and_then(|file| decode(BufReader::new(file), output, args.json))
    };
    let summary = match result {
        Ok(summary) if summary.is_unsupported() => return Err(Failure::from(format!("{name}: {summary}"))),
        Ok(summary) => summary,
        Err(Error::Output(error)) => return Err(error.into()),
        Err(Error::Capture(error)) => return Err(Failure::from(format!("{name} {error}"))),
    };
    // A summary that nobody can see is not worth failing for.
    let _ = writeln!(io::stderr(), "{name}: {summary}");
    Ok(())
}

#[derive(Debug, Error)]
enum Error {
    #[error(transparent)]
    Capture(#[from] CaptureError),
    #[error(transparent)]
    Output(#[from] io::Error),
}

/// What was in a capture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Summary {
    packets: u64,
    /// Packets that carry RSVP.
    rsvp: u64,
    /// Those of them with an error.
    faulty: u64,
    /// Packets too short or damaged to tell.
    unclear: u64,
    /// Packets of a link type that is not supported.
    unknown_link: u64,
}

impl Summary {
    /// Whether not one packet could be looked at.
    const fn is_unsupported(&self) -> bool {
        self.unknown_link > 0 && self.unknown_link == self.packets
    }
}

impl Display for Summary {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { packets, rsvp, faulty, unclear, unknown_link } = *self;
        write!(f, "packets: {packets}, with RSVP: {rsvp}, of them with errors: {faulty}")?;
        if unclear > 0 {
            write!(f, ", too short to tell: {unclear}")?;
        }
        if unknown_link > 0 {
            write!(f, ", of a link type that is not supported: {unknown_link}")?;
        }
        Ok(())
    }
}

/// Prints the RSVP packets of a capture.
fn decode(input: impl Read, mut output: impl Write, as_json: bool) -> Result<Summary, Error> {
    let mut capture = Capture::open(input)?;
    let mut summary = Summary::default();
    // What was read before the damage is printed too.
    let end = loop {
        let frame = match capture.next_frame() {
            Ok(Some(frame)) => frame,
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        };
        summary.packets += 1;
        match Record::of(&frame) {
            Outcome::Record(record) => {
                summary.rsvp += 1;
                summary.faulty += u64::from(record.error.is_some());
                if as_json {
                    writeln!(output, "{}", line(&record).map_err(io::Error::from)?)?;
                } else {
                    writeln!(output, "{}", Tree(&record))?;
                }
            }
            Outcome::Other => {}
            Outcome::Unclear => summary.unclear += 1,
            Outcome::UnknownLink => summary.unknown_link += 1,
        }
    };
    output.flush()?;
    end?;
    Ok(summary)
}
