//! RFC 2961 section 1.1: trigger and refresh messages.
