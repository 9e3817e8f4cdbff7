//! A recording that somebody made up: whatever is in it, reading and replaying it does no harm.

use rsvp_core::{Instant, NodeConfig};
use rsvp_record::{RecordedNode, Recorder, Replay};

/// The length of a frame's check.
const CHECK: usize = 2;

/// Replays `data` as a file, and then as the records of one: each an octet that says how long it is, and its contents.
pub(crate) fn replay(data: &[u8]) {
    relive(data);
    let mut file = beginning();
    let mut rest = data;
    while let Some((length, after)) = rest.split_first() {
        let (contents, after) = after.split_at(usize::from(*length & 0x7f).min(after.len()));
        rest = after;
        file.push(contents.len() as u8);
        file.extend(&crc32fast::hash(contents).to_be_bytes()[4 - CHECK..]);
        file.extend(contents);
    }
    relive(&file);
}

fn relive(file: &[u8]) {
    let Ok(mut replay) = Replay::open(file) else { return };
    while let Ok(Some(_)) = replay.step() {}
}

/// A recording with a header and nothing more.
fn beginning() -> Vec<u8> {
    let (mut reader, writer) = std::io::pipe().expect("a pipe");
    let recorder = Recorder::new(writer);
    drop(RecordedNode::recorded(NodeConfig::default(), [7; 32], Instant::ZERO, recorder));
    let mut file = Vec::new();
    std::io::Read::read_to_end(&mut reader, &mut file).expect("what was written");
    // Its last frame says that it ends: a length, the check, no time, no place, the kind, the reason.
    file.truncate(file.len() - (1 + CHECK + 4));
    file
}
