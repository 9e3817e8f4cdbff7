//! The cases: what is done to a device, and what it has to answer, clause by clause.
//!
//! A case is a function that takes the [`Lab`](crate::bench::Lab), and whose first statement names the requirements that
//! it shows:
//!
//! ```ignore
//! /// A Path leaves with the HOP of the device in place of the neighbour's.
//! pub(crate) fn a_path_gets_a_new_hop(lab: &Lab) {
//!     shows(&["rfc2205-3.1.3-05"]);
//!     let mut dut = lab.router();
//!     let path = dut.path(Station::U1, dut.h(), dut.s1());
//!     dut.send(Station::U1, path);
//!     assert_eq!(dut.expect::<Path>(Port::C).message.hop.address, dut.plan.dut(Port::C));
//! }
//! ```
//!
//! It speaks in packets alone, so that it runs against an engine in this process and in virtual time as well as against
//! any device over the wire. `build.rs` finds the cases, and makes the table [`CASES`] of them: the module is the RFC and
//! its section, the function's name and comment say what is shown.

pub(crate) mod rfc2205;
pub(crate) mod rfc2207;
pub(crate) mod rfc2209;
pub(crate) mod rfc2210;
pub(crate) mod rfc2961;
pub(crate) mod rfc3209;
pub(crate) mod rfc3936;
pub(crate) mod robustness;
pub(crate) mod service;

use crate::case::Case;

/// All cases, in the order of the RFCs and their sections.
pub const CASES: &[Case] = include!(concat!(env!("OUT_DIR"), "/cases.rs"));
