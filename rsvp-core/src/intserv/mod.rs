//! Integrated services arithmetic: pure functions of TSpecs, flowspecs and ADSPECs.
//!
//! RSVP calls on these when it must compare and merge reservations (RFC 2205 section 3.11.6); the rules are those of
//! controlled load (RFC 2211 section 8), guaranteed service (RFC 2212), null service (RFC 2997), and of the general
//! parameters (RFC 2215).

mod advertise;
mod delay;
mod merge;
mod meter;
mod promise;
mod validate;

pub use advertise::{Hop, ServiceValues, advertise, initial_adspec, path_mtu};
pub use delay::{buffer_size, queueing_delay, reshaping_buffer, rspec_for_delay};
pub(crate) use merge::round_up;
pub use merge::{
    Relation, compare, compare_tspecs, effective, fitted, glb, least_common, lub, minimum, rate_on_link, sum,
};
pub use meter::Meter;
pub use promise::{NoPromise, Promise, promise};
pub use validate::{BadSpec, validate_adspec, validate_flowspec, validate_tspec};
