//! Networks of [`rsvp_core::Node`]s in one process and in virtual time.
//!
//! A [`Network`] holds hosts and routers, with RSVP and without, and the links between them. It plays the part of the
//! operating system for every node: it routes, intercepts messages with Router Alert in transit, forwards others hop by
//! hop, and answers for traffic control. Links delay, lose, duplicate and reorder; links, interfaces and devices fail
//! and come back. Time is virtual, so an hour takes a moment, and the simulation sleeps exactly until the next deadline
//! that a node gives. Everything random comes from one seed.
//!
//! Every node is driven as its contract says ([`Driver`]), and a node that would make a real driver spin, or that
//! forgets to report work, ends the simulation. [`Network::check`] adds checks that run after every step; some ready
//! ones are in [`invariants`].

mod describe;
mod driver;
mod network;
mod random;
mod routing;
mod row;
mod run;
mod topology;
mod transcript;

pub mod invariants;
pub mod trial;

pub use describe::describe;
pub use driver::{Driver, Output};
pub use network::Network;
pub use random::{Draw, Random, SEED_VARIABLE, seeded};
pub use row::{Row, RowPlan, Totals};
pub use topology::{Conditions, InstallAnswer, Installer, Intake, LinkId, NodeId, Role, Traffic};
pub use transcript::{Entry, Fate, Transcript};
