//! Trials: random networks and random trouble, compared with a reference model after peace has returned.
//!
//! [`Plan::random`] draws a plan from a seed, [`Plan::run`] carries it out, and [`minimise`] makes one that fails small.

mod campaign;
mod generate;
mod minimise;
mod model;
mod plan;
mod stage;

pub use campaign::{Summary, campaign};
pub use minimise::minimise;
pub use plan::{Kind, Place, Plan, SessionPlan, Step};
pub use stage::Failure;
