//! Typed client of the RSVP daemon's control API.
//!
//! An application that wants quality of service for a flow announces it ([`Client::send`]) or reserves for it
//! ([`Client::reserve`]). What comes back is a [`Held`] guard: the daemon keeps the state for exactly as long as the
//! guard lives, and tears it down when the application drops it, exits or crashes.
//!
//! ```no_run
//! # async fn example() -> Result<(), rsvp_client::Error> {
//! use std::time::Duration;
//! use rsvp_client::api::{Flowspec, ReservationRequest, Session, Style, Tspec};
//! use rsvp_client::{Client, Outcome};
//!
//! let client = Client::connect(rsvp_client::default_socket()).await?;
//! let session = Session::udp("192.0.2.7".parse().expect("an address"), 5004);
//! let flowspec = Flowspec::ControlledLoad(Tspec::of_rate(1_000_000));
//! let mut held = client.reserve(&ReservationRequest::new(session, Style::Wf, flowspec).confirmed()).await?;
//! match held.outcome(Duration::from_secs(60)).await? {
//!     Outcome::Admitted { .. } => println!("the path keeps 1 Mbit/s for this flow"),
//!     Outcome::Refused(error) => println!("refused by {}: {}", error.node, error.text),
//!     Outcome::TimedOut(state) => println!("no answer yet; {state}"),
//! }
//! # Ok(()) }
//! ```
//!
//! [`api`] holds the JSON documents that client and daemon exchange.

pub mod api;

mod client;
mod error;
mod stream;

pub use client::{Client, DEFAULT_SOCKET, SOCKET_VARIABLE, default_socket};
pub use error::Error;
pub use stream::{EventStream, Held, Outcome};
