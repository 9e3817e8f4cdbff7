//! RFC 2961 section 4.6: acknowledgements.
