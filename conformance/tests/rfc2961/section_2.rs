//! RFC 2961 section 2: the Refresh-Reduction-Capable bit.
