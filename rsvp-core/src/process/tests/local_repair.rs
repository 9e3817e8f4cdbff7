//! Local repair (RFC 2205 section 3.6).

use super::consistency::check_empty;
use super::{Bench, DOWN, DOWN2, SECOND, UP, flow, nhop, path, phop, resv, resv_err, sender};
use crate::output::Request;
use crate::wire::{ErrorCode, ErrorSpec, Message, ResvErr, Style};

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

/// The sender's path comes by UP and then by DOWN2; the first previous hop answers a Resv with this error.
fn after_the_previous_hop_moved(code: ErrorCode, node: core::net::IpAddr) -> Bench {
    let mut bench = Bench::with_paths(&[1]);
    bench.receive(DOWN, resv_from(DOWN));
    bench.receive(DOWN2, Message::Path(crate::wire::Path { hop: nhop(DOWN2), ..path(1) }));
    bench.sent.clear();
    let error = resv_err(Style::Ff, flow(1000.0, &[sender(1)]), 0);
    let error = ResvErr { error: ErrorSpec { node, code: code.0, value: 0, ..error.error }, ..error };
    bench.receive(UP, Message::ResvErr(error));
    bench
}

#[test]
fn a_former_previous_hop_that_says_so_is_forgotten_and_no_receiver_hears_of_it() {
    let mut bench = after_the_previous_hop_moved(ErrorCode::NO_SENDER_INFORMATION, phop().address);
    let sent = bench.take_sent();
    assert!(sent.is_empty(), "{sent:?}");
    let hops: alloc::vec::Vec<_> = bench.node.senders().iter().map(|view| view.previous_hop).collect();
    assert_eq!(hops, [Some(nhop(DOWN2))]);
    assert_eq!(bench.node.installed().len(), 1);
}

#[test]
fn nor_of_what_a_node_beyond_the_former_previous_hop_says() {
    let mut bench = after_the_previous_hop_moved(ErrorCode::NO_SENDER_INFORMATION, super::ip("10.7.7.7"));
    let sent = bench.take_sent();
    assert!(sent.is_empty(), "{sent:?}");
    assert_eq!(bench.node.senders().len(), 2, "the former previous hop still refreshes it");
}

#[test]
fn any_other_error_of_a_former_previous_hop_goes_on() {
    let mut bench = after_the_previous_hop_moved(ErrorCode::POLICY_CONTROL_FAILURE, phop().address);
    let sent = bench.take_sent();
    assert!(matches!(sent[..], [Message::ResvErr(_)]), "{sent:?}");
    assert_eq!(bench.node.senders().len(), 2);
}

#[test]
fn what_comes_from_beyond_the_new_previous_hop_goes_on() {
    let mut bench = after_the_previous_hop_moved(ErrorCode::CONFIRMATION, phop().address);
    bench.sent.clear();
    let error = resv_err(Style::Ff, flow(1000.0, &[sender(1)]), 0);
    let spec = ErrorSpec { code: ErrorCode::NO_SENDER_INFORMATION.0, value: 0, ..error.error };
    bench.receive(DOWN2, Message::ResvErr(ResvErr { hop: nhop(DOWN2), error: spec, ..error }));
    let sent = bench.take_sent();
    assert!(matches!(sent[..], [Message::ResvErr(_)]), "{sent:?}");
    assert_eq!(bench.node.senders().len(), 2);
}

#[test]
fn senders_that_move_at_once_are_repaired_one_after_the_other() {
    let mut bench = Bench::with_paths(&[1, 2, 3]);
    let mut config = bench.node.config().clone();
    config.limits.repairs_per_second = 2;
    bench.command(crate::Command::Configure(config)).unwrap();
    bench.sent.clear();
    bench.reroute(&[DOWN2]);
    bench.run(SECOND * 2);
    assert_eq!(bench.take_sent().len(), 1, "W is over");
    bench.run(SECOND / 4);
    assert_eq!(bench.take_sent().len(), 0);
    bench.run(SECOND / 4);
    assert_eq!(bench.take_sent().len(), 1);
    bench.run(SECOND / 2);
    assert_eq!(bench.take_sent().len(), 1);
}

#[test]
fn of_two_ways_from_a_former_previous_hop_the_last_one_stays() {
    let mut bench = Bench::with_paths(&[1]);
    bench.receive(DOWN, resv_from(DOWN));
    bench.receive(DOWN2, Message::Path(path(1)));
    assert_eq!(bench.node.senders().len(), 2, "from one hop, by two interfaces");
    bench.sent.clear();
    let error = resv_err(Style::Ff, flow(1000.0, &[sender(1)]), 0);
    let code = ErrorCode::NO_SENDER_INFORMATION.0;
    let error = ResvErr { error: ErrorSpec { node: phop().address, code, value: 0, ..error.error }, ..error };
    bench.receive(UP, Message::ResvErr(error));
    let sent = bench.take_sent();
    assert!(matches!(sent[..], [Message::ResvErr(_)]), "nobody else can be asked: {sent:?}");
    assert_eq!(bench.node.senders().len(), 1);
}
