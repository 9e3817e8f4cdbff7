//! Runs an RSVP node on this machine and prints what happens. Needs CAP_NET_RAW and CAP_NET_ADMIN.
//!
//! ```sh
//! cargo run -p rsvp-io-mio --example watch
//! ```

use std::error::Error;
use std::fs::File;
use std::io::Read;
use std::thread;

use rsvp_core::{Node, NodeConfig};
use rsvp_driver::{Clock, block_on};
use rsvp_io::SystemOptions;
use rsvp_io_mio::Driver;

fn main() -> Result<(), Box<dyn Error>> {
    let mut seed = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut seed)?;
    let system = rsvp_io::open(SystemOptions { router: true, ..SystemOptions::default() })?;
    let clock = Clock::start();
    let node = Node::new(NodeConfig::default(), seed, clock.now());
    let (driver, handle) = Driver::new(node, system, clock)?;
    let mut events = handle.subscribe();
    let running = thread::spawn(|| driver.run());
    for diagnostic in block_on(handle.diagnostics())? {
        eprintln!("{diagnostic}");
    }
    while let Some(event) = block_on(events.next()) {
        println!("{:>12} us  {:?}", event.at.as_micros(), event.kind);
    }
    running.join().expect("the driver does not panic")?;
    Ok(())
}
