//! Local repair (RFC 2205 section 3.6).

use super::consistency::check_empty;
use super::{Bench, DOWN, DOWN2, SECOND, UP, flow, path, resv, sender};
use crate::output::Request;
use crate::wire::{Message, Style};

fn resv_from(interface: crate::InterfaceId) -> Message {
    Message::Resv(resv(interface, Style::Ff, [flow(1000.0, &[sender(1)])].into()))
}

#[test]
fn upstream_is_not_torn_while_a_route_is_repaired() {
    let mut bench = Bench::with_paths(&[1]);
    bench.receive(DOWN, resv_from(DOWN));
    bench.sent.clear();
    bench.reroute(&[DOWN2]);
    bench.run(SECOND * 3);
    let sent = bench.take_sent();
    assert!(
        matches!(sent[..], [Message::Path(_)]),
        "after W, along the new route, and nothing else: {sent:?}"
    );
    bench.receive(DOWN2, resv_from(DOWN2));
    let sent = bench.take_sent();
    assert!(sent.is_empty(), "the previous hop has what it needs: {sent:?}");
    assert_eq!(bench.node.requests().len(), 1);
}

#[test]
fn the_abandoned_branch_dies_although_its_next_hop_goes_on_refreshing() {
    let mut bench = Bench::with_paths(&[1]);
    bench.receive(DOWN, resv_from(DOWN));
    bench.receive(DOWN, resv_from(DOWN));
    bench.reroute(&[DOWN2]);
    bench.run(SECOND * 3);
    for _ in 0..6 {
        bench.receive(UP, Message::Path(path(1)));
        bench.receive(DOWN, resv_from(DOWN));
        bench.receive(DOWN2, resv_from(DOWN2));
        bench.run(SECOND * 30);
    }
    let on: alloc::vec::Vec<_> = bench.node.installed().iter().map(|view| view.interface).collect();
    assert_eq!(on, [DOWN2]);
    bench.run(SECOND * 400);
    check_empty(&bench.node);
}

#[test]
fn the_previous_hop_is_told_once_the_abandoned_branch_is_all_that_there_was() {
    let mut bench = Bench::with_paths(&[1]);
    bench.receive(DOWN, resv_from(DOWN));
    bench.reroute(&[]);
    bench.sent.clear();
    for _ in 0..6 {
        bench.receive(UP, Message::Path(path(1)));
        bench.run(SECOND * 30);
    }
    let sent = bench.take_sent();
    assert!(matches!(sent[..], [Message::ResvTear(_)]), "{sent:?}");
    assert!(bench.requests.iter().any(|request| matches!(request, Request::Remove(_))));
}
