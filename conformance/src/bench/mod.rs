//! The test bench: a device under test (DUT) between testers that play its neighbours.
//!
#![doc = concat!("```text\n", include_str!("topology.txt"), "```")]
//!
//! U1 and U2 play previous hops, D1, D2 and D3 next hops; D2 and D3 share the LAN at d. Sender S1 is behind U1, S2 and S3
//! behind U2. The unicast sessions H and K end behind D1 and D2, the multicast session G behind all three. A case drives a
//! [`Dut`]; how the DUT is reached is the business of a [`Tester`]: here an engine in this process and in virtual time
//! ([`InProcess`]).

pub(crate) mod bytes;
mod dut;
mod faults;
mod impairment;
mod ip;
mod lab;
mod messages;
mod monitor;
mod plan;
mod reduction;
mod te;
mod tester;
mod transcript;

pub use bytes::seal;
#[cfg(target_os = "linux")]
pub(crate) use dut::BURST;
pub use dut::{Dut, Received, millis};
pub use faults::{Fault, faults_of_form};
pub use impairment::Impairment;
pub use ip::ip_packet;
pub use lab::{Devices, Engines, Interposition, Lab, NOT_SPOKEN_HERE, Pace, Setup, Timing, Unsupported};
pub use messages::{Ack, Kind, Share, adspec, bucket, cl, ff, gs, hex, object, se, shares, tspec, wf};
pub use plan::{B, Family, LASTING, Networks, Plan, Port, R, Station};
pub use reduction::{EPOCH, ack, list, mcast_list, mid, nack, plain, src_list, wanted};
pub use te::{
    LABEL_OF_D1, Lsp, Objects, Tunneled, explicit_route, label, label_request, loose, passed, record_route,
    session_attribute, strict,
};
#[cfg(target_os = "linux")]
pub(crate) use tester::routes;
pub use tester::{Action, InProcess, Installer, Packet, Sent, Tester, group_route};
pub use transcript::{Entry, Happening, Transcript};

/// The bench, drawn.
pub const PICTURE: &str = include_str!("topology.txt");
