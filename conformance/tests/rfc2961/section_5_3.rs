//! RFC 2961 section 5.3: summary refreshes, sent and received.
