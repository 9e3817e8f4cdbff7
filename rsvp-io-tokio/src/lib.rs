//! A tokio driver for rsvp-core: readiness and a clock, nothing else.
//!
//! ```no_run
//! # async fn example(config: rsvp_core::NodeConfig, seed: [u8; 32]) -> Result<(), Box<dyn std::error::Error>> {
//! use rsvp_core::Node;
//! use rsvp_io::{System, SystemOptions};
//! use rsvp_io_tokio::{Clock, Driver};
//!
//! let clock = Clock::start();
//! let node = Node::new(config, seed, clock.now());
//! let system = System::open(SystemOptions::default())?;
//! let (driver, handle) = Driver::new(node, system, clock)?;
//! let running = tokio::spawn(driver.run());
//!
//! let sessions = handle.query(|node| node.sessions()).await?;
//! println!("{} sessions", sessions.len());
//!
//! handle.shutdown().await;
//! running.await??;
//! # Ok(()) }
//! ```

mod clock;
mod driver;
mod handle;
mod outside;

pub use clock::Clock;
pub use driver::Driver;
pub use handle::{Events, Handle, Stopped};
pub use outside::Outside;
