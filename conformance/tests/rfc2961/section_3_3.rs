//! RFC 2961 section 3.3: Bundle messages that are sent.
