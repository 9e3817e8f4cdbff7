//! A driver for rsvp-core on async-io, the reactor of async-std and of smol: readiness and a clock, nothing else.
//!
//! It runs on any executor, since async-io has a thread of its own where none polls it. With async-std:
//!
//! ```no_run
//! # async fn example(config: rsvp_core::NodeConfig, seed: [u8; 32]) -> Result<(), Box<dyn std::error::Error>> {
//! use rsvp_core::Node;
//! use rsvp_driver::Clock;
//! use rsvp_io::SystemOptions;
//! use rsvp_io_async_std::Driver;
//!
//! let clock = Clock::start();
//! let node = Node::new(config, seed, clock.now());
//! let system = rsvp_io::open(SystemOptions::default())?;
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
