//! RFC 2961 sections 3.1, 3.2 and 3.4: the form of Bundle messages, and those that come.
