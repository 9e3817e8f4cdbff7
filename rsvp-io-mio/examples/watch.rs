//! Runs an RSVP node on this machine and prints what happens. Needs CAP_NET_RAW and CAP_NET_ADMIN.
//!
//! ```sh
//! cargo run -p rsvp-io-mio --example watch
//! ```

use std::error::Error;
use std::fs::File;
use std::io::Read;
use std::ops::ControlFlow;

use rsvp_core::NodeConfig;
use rsvp_io::{System, SystemOptions};
use rsvp_io_mio::Driver;

fn main() -> Result<(), Box<dyn Error>> {
    let mut seed = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut seed)?;
    let system = System::open(SystemOptions { router: true, ..SystemOptions::default() })?;
    for diagnostic in system.diagnostics() {
        eprintln!("{diagnostic}");
    }
    let mut driver = Driver::new(NodeConfig::default(), seed, system)?;
    driver.run(|_, event| {
        println!("{:>12} us  {:?}", event.at.as_micros(), event.kind);
        ControlFlow::Continue(())
    })?;
    Ok(())
}
