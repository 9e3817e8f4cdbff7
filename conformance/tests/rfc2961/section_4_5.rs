//! RFC 2961 section 4.5: what MESSAGE_ID is good for.
