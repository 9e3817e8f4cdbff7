//! The JSON in `docs/c-api.md` is what the engine takes.

use std::path::Path;

use rsvp_core::{Command, Event, Input, NodeConfig};
use serde::de::DeserializeOwned;

/// The blocks of JSON below a heading.
fn blocks(heading: &str) -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/c-api.md");
    let page = std::fs::read_to_string(page).expect("there is a page");
    let (_, section) = page.split_once(&format!("### {heading}\n")).expect("it has the heading");
    let section = section.split("\n## ").next().and_then(|section| section.split("\n### ").next());
    let blocks = section.into_iter().flat_map(|section| section.split("```json\n").skip(1));
    let blocks = blocks.map(|block| block.split("```").next().unwrap_or_default().to_owned());
    let blocks = Vec::from_iter(blocks);
    assert!(!blocks.is_empty(), "there is JSON below {heading}");
    blocks
}

fn can_be_read<T: DeserializeOwned>(heading: &str) {
    for block in blocks(heading) {
        if let Err(error) = serde_json::from_str::<T>(&block) {
            panic!("{heading}: {error}:\n{block}");
        }
    }
}

#[test]
fn configurations_can_be_read() {
    can_be_read::<NodeConfig>("Configuration");
}

#[test]
fn commands_can_be_read() {
    can_be_read::<Command>("Commands");
}

#[test]
fn events_can_be_read() {
    can_be_read::<Event>("Events");
}

#[test]
fn inputs_can_be_read() {
    can_be_read::<Input<'static>>("Inputs");
}
