//! RFC 2210: the contents of QoS objects.

pub(crate) mod section_3;
pub(crate) mod section_3_3;
