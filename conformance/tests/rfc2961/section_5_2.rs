//! RFC 2961 section 5.2: Srefresh messages.
