//! RFC 2207: IPsec data flows, named by a generalised port identifier (GPI) in place of ports.

pub(crate) mod section_3;
pub(crate) mod section_4;

use crate::bench::Dut;
use rsvp_core::wire::{FilterSpec, FlowKey, SessionKey};

const AH: u8 = 51;

/// A session of H's host.
fn session(dut: &Dut, port: u16) -> SessionKey {
    SessionKey::Gpi(FlowKey { destination: dut.h().flow().destination, protocol: AH, port })
}

/// S1 with a security association.
fn s1(dut: &Dut, spi: u32) -> FilterSpec {
    FilterSpec::Gpi { source: dut.s1().source(), spi }
}
