//! RFC 2961 section 4.7: groups.
