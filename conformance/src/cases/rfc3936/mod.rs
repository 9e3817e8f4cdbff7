//! RFC 3936: who assigns which values, and what marks a vendor's own.

pub(crate) mod section_2;
