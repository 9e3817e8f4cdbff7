//! RFC 2205, Resource ReSerVation Protocol.

pub(crate) mod section_3_3;
