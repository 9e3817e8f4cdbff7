//! A tokio driver for rsvp-core: readiness and a clock, nothing else. The rest is that of all drivers
//! (`rsvp_driver`); the guide (`docs/embedding.md`, "Drivers") tells how a program uses one. [`Driver`] drives a node on Linux,
//! on `rsvp_io::System`, or on any other `Outside`.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use std::io::Read;
//!
//! use rsvp_core::{Node, NodeConfig};
//! use rsvp_driver::Clock;
//! use rsvp_io::{System, SystemOptions};
//! use rsvp_io_tokio::Driver;
//!
//! let config = NodeConfig { router: true, ..NodeConfig::default() };
//! let mut seed = [0; 32];
//! std::fs::File::open("/dev/urandom")?.read_exact(&mut seed)?;
//!
//! let clock = Clock::start();
//! let node = Node::new(config, seed, clock.now());
//! let system = rsvp_io::open(SystemOptions { router: true, ..SystemOptions::default() })?;
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
