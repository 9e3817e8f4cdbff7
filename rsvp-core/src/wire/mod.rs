//! Bytes to and from typed messages and objects (RFC 2205 section 3.1 and Appendix A). No state.

mod types;

pub use types::*;
