//! What a recording holds, call by call: `cargo run -p rsvp-record --example inspect -- FILE`.
//!
//! For more than that there is `rsvp-cli replay`. A tool of your own begins like this, and looks at `replay.node()` where
//! something is wrong.

use std::error::Error;
use std::fs::File;

use rsvp_record::Replay;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("which file?")?;
    let mut replay = Replay::open(File::open(path)?)?;
    println!("recorded by version {}", replay.header().version);
    let start = replay.header().start;
    while let Some(step) = replay.step()? {
        println!("{:>6} {:>12?} {:?}", step.number, step.at.since(start), step.call);
    }
    println!("{} sessions in the end", replay.node().sessions().len());
    Ok(())
}
