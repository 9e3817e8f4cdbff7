//! RFC 2961 section 4.2: the Epoch, over many starts.

use std::collections::BTreeSet;

use conformance::bench::{Dut, Family, InProcess, Lab, Plan};
use conformance::shows;
use rsvp_core::config::{MessageIds, NodeConfig};
use rsvp_core::{Instant, Node};

use crate::trigger;

/// A router that has just started, with this seed.
fn started(seed: u64) -> Dut {
    let mut config = NodeConfig::default();
    config.default_interface.reduction.message_ids = MessageIds::Always;
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_be_bytes());
    let plan = Plan::new(Family::V4);
    let node = Node::new(config, bytes, Instant::ZERO);
    Lab::in_process().around(plan, Box::new(InProcess::around(plan, node)))
}

#[test]
fn the_epoch_is_random() {
    shows(&["rfc2961-4.2-03", "rfc2961-4.2-04"]);
    let epochs: Vec<u32> = (0..100)
        .map(|seed| {
            let mut dut = started(seed);
            trigger(&mut dut, 20.0).id().id.epoch
        })
        .collect();
    assert!(epochs.windows(2).all(|pair| pair[0] != pair[1]));
    assert!(epochs.iter().all(|epoch| *epoch < 1 << 24));
    let distinct: BTreeSet<u32> = epochs.iter().copied().collect();
    assert!(distinct.len() > 95, "{}", distinct.len());
    let parts: BTreeSet<u32> = epochs.iter().map(|epoch| epoch >> 20).collect();
    assert!(parts.len() > 12, "all over the range: {parts:?}");
    let steps: BTreeSet<u32> = epochs.windows(2).map(|pair| pair[1].wrapping_sub(pair[0])).collect();
    assert!(steps.len() > 95, "no sequence");
}
