//! `conformance`: judges RSVP speakers by what the RFCs require, and tells how much of that it can show.

mod commands;

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::main()
}
