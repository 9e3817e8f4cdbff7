//! RFC 2961 section 4.8: neighbours without message ids.
