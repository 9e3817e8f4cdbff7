//! See `node::node`.

#![no_main]

#[path = "../node.rs"]
mod node;

libfuzzer_sys::fuzz_target!(|data: &[u8]| node::node(data));
