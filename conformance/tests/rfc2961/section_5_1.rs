//! RFC 2961 sections 5 and 5.1: the lists of a summary refresh.
