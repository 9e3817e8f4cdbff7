//! RFC 2961 section 6: retransmission.
