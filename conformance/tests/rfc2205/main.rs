//! Requirements of RFC 2205, by section.

mod appendix_a;
mod codec;
