//! A driver for rsvp-core on async-io, the reactor of async-std and of smol: readiness and a clock, nothing else. The rest is that of all drivers
//! (`rsvp_driver`); the guide (`docs/embedding.md`, "Drivers") tells how a program uses one. [`Driver`] drives a node on Linux,
//! on `rsvp_io::System`, or on any other `Outside`.
//!
//! It runs on any executor, since async-io has a thread of its own where none polls it. With async-std:
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use std::io::Read;
//!
//! use rsvp_core::{Node, NodeConfig};
//! use rsvp_driver::Clock;
//! use rsvp_io::SystemOptions;
//! use rsvp_io_async_std::Driver;
//!
//! let config = NodeConfig { router: true, ..NodeConfig::default() };
//! let mut seed = [0; 32];
//! std::fs::File::open("/dev/urandom")?.read_exact(&mut seed)?;
//!
//! let clock = Clock::start();
//! let node = Node::new(config, seed, clock.now());
//! let system = rsvp_io::open(SystemOptions { router: true, ..SystemOptions::default() })?;
//! let (driver, handle) = Driver::new(node, system, clock)?;
//! let running = async_std::task::spawn(driver.run());
//!
//! println!("{} sessions", handle.snapshot().await?.sessions.len());
//!
//! handle.shutdown().await;
//! running.await?;
//! # Ok(()) }
//! ```
//!
//! With smol the driver is spawned by `smol::spawn(driver.run())`; the rest is the same.

mod driver;

pub use driver::Driver;
