//! Requirements of RFC 2209, by event.

mod path;
mod resv;
