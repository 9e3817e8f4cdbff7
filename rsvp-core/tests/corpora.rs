//! Replays the corpora of the fuzz targets.

#[path = "../../fuzz/checks.rs"]
mod checks;
#[path = "../../fuzz/node.rs"]
mod node;

use std::fs;
use std::path::Path;

/// Runs `check` on every file of a corpus.
fn replay(target: &str, check: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let mut count = 0;
    for entry in fs::read_dir(&corpus).unwrap_or_else(|error| panic!("{}: {error}", corpus.display())) {
        let path = entry.unwrap().path();
        println!("{}", path.display());
        check(&fs::read(&path).unwrap());
        count += 1;
    }
    assert!(count > 0, "{} is empty", corpus.display());
}

#[test]
fn decode() {
    replay("decode", checks::decode);
}

#[test]
fn round_trip() {
    replay("round_trip", checks::round_trip);
}

#[test]
fn node() {
    replay("node", node::node);
}
