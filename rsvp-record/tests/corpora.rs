//! Replays the corpus of the fuzz target.

#[path = "../../fuzz/replay.rs"]
mod replay;

use std::path::Path;

#[test]
fn replay() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/replay");
    let mut files = 0;
    for entry in std::fs::read_dir(corpus).expect("the corpus") {
        replay::replay(&std::fs::read(entry.expect("an entry").path()).expect("a file"));
        files += 1;
    }
    assert!(files > 0, "the corpus is empty");
}
