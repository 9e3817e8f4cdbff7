//! This node's own Message_Identifiers (RFC 2961 section 4.5), where packets alone cannot show it.

use alloc::vec::Vec;

use super::{Bench, UP, path};
use crate::config::MessageIds;
use crate::time::Duration;
use crate::wire::{Head, Message};

fn always() -> Bench {
    let mut bench = Bench::new();
    bench.node.config.default_interface.reduction.message_ids = MessageIds::Always;
    bench
}

/// The identifiers of the Paths sent, in order, each once.
fn identifiers(bench: &mut Bench) -> Vec<u32> {
    let mut ids: Vec<u32> =
        bench.heads.drain(..).filter_map(|head: Head| Some(head.message_id?.id.id)).collect();
    ids.dedup();
    ids
}

#[test]
fn the_counter_wraps_around_within_its_epoch() {
    let mut bench = always();
    bench.node.message_ids.skip_to(u32::MAX - 2);
    let epoch = bench.node.message_ids.epoch;
    for sender in 1..=4 {
        bench.receive(UP, Message::Path(path(sender)));
    }
    assert_eq!(identifiers(&mut bench), [u32::MAX - 1, u32::MAX, 0, 1]);
    assert_eq!(bench.node.message_ids.epoch, epoch);
}

#[test]
fn an_identifier_in_use_is_not_given_again() {
    let mut bench = always();
    bench.receive(UP, Message::Path(path(1)));
    bench.receive(UP, Message::Path(path(2)));
    assert_eq!(identifiers(&mut bench), [1, 2]);
    bench.node.message_ids.skip_to(0);
    bench.receive(UP, Message::Path(path(3)));
    assert_eq!(identifiers(&mut bench), [3]);
}

#[test]
fn state_gets_a_new_identifier_before_its_old_one_looks_newer_than_the_counter() {
    let mut bench = always();
    bench.receive(UP, Message::Path(path(1)));
    assert_eq!(identifiers(&mut bench), [1]);
    bench.node.message_ids.skip_to(1 << 30);
    bench.sleep(Duration::from_secs(50));
    assert_eq!(identifiers(&mut bench), [1], "there is time");
    bench.node.message_ids.skip_to((1 << 30) + 2);
    bench.sleep(Duration::from_secs(50));
    assert_eq!(identifiers(&mut bench), [(1 << 30) + 3]);
}

#[test]
fn what_is_never_acknowledged_is_given_up_and_remembered_no_more() {
    let mut bench = always();
    bench.receive(UP, Message::Path(path(1)));
    let tear = super::path_tear(1);
    bench.receive(UP, Message::PathTear(tear));
    bench.run(Duration::from_secs(60));
    assert_eq!(bench.node.counters.reduction.given_up, 1, "the tear; the Path was superseded by it");
    assert_eq!(bench.node.message_ids.len(), 0);
    super::consistency::check_empty(&bench.node);
}
