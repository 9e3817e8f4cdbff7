//! RFC 3209: RSVP-TE, LSP tunnels. The device is an LSR between the neighbours, or the egress of a tunnel.

pub(crate) mod section_2;
pub(crate) mod section_3;
pub(crate) mod section_4_1;
pub(crate) mod section_4_2;
pub(crate) mod section_4_3;
pub(crate) mod section_4_4;
pub(crate) mod section_4_6;
pub(crate) mod section_4_7;
