//! A tokio driver for rsvp-core: readiness and a clock, nothing else.
//!
//! ```no_run
//! # async fn example(config: rsvp_core::NodeConfig, seed: [u8; 32]) -> Result<(), Box<dyn std::error::Error>> {
//! use rsvp_core::Node;
//! use rsvp_driver::Clock;
//! use rsvp_io::{System, SystemOptions};
//! use rsvp_io_tokio::Driver;
//!
//! let clock = Clock::start();
//! let node = Node::new(config, seed, clock.now());
//! let system = rsvp_io::open(SystemOptions::default())?;
//! let (driver, handle) = Driver::new(node, system, clock)?;
//! let running = tokio::spawn(driver.run());
//!
//! println!("{} sessions", handle.snapshot().await?.sessions.len());
//!
//! handle.shutdown().await;
//! running.await??;
//! # Ok(()) }
//! ```

mod driver;

pub use driver::Driver;
