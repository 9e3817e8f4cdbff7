//! Neighbours that mean no good, or do not know what they do, and speak RFC 2961.

use alloc::vec::Vec;
use core::net::IpAddr;

use super::{Bench, DOWN, SECOND, UP, flow, ip, path, path_tear, phop, resv, sender, session_to};
use crate::config::{MessageIds, SummaryRefresh};
use crate::time::Duration;
use crate::wire::{
    Acknowledgement, ErrorSpec, FlaggedId, Head, IdEntries, IdList, Message, MessageId, PathErr, RsvpHop,
    Srefresh, Style,
};

fn wanting(epoch: u32, id: u32) -> Head {
    let message_id = Some(FlaggedId::wanting_ack(MessageId { epoch, id }));
    Head { acknowledgements: Vec::new(), message_id }
}

/// A router that uses message ids with everyone.
fn bench() -> Bench {
    let mut bench = Bench::new();
    bench.node.config.default_interface.reduction.message_ids = MessageIds::Always;
    bench
}

/// How many messages of a type were sent; all are forgotten.
fn count(bench: &mut Bench, is_it: impl Fn(&Message) -> bool) -> usize {
    bench.take_sent().iter().filter(|message| is_it(message)).count()
}

#[test]
fn a_flood_of_listed_ids_is_answered_together() {
    let mut bench = bench();
    let entries = (0..8000).map(|id| (id, sender(1).source())).collect();
    let lists = alloc::vec![IdList::new(1, IdEntries::Sources(entries))];
    let payload = bench.encode(&Message::Srefresh(Srefresh { lists }), 63);
    bench.deliver(UP, phop().address, Some(ip("224.1.1.1")), 63, payload);
    let mut wakes = 0;
    while let Some((at, _)) =
        bench.node.poll_timeout(crate::Ready::ALL).filter(|(at, _)| at.as_micros() < 1_000_000)
    {
        bench.now = at;
        bench.input(crate::input::Input::Timeout);
        wakes += 1;
    }
    let nacks: usize = bench.heads.iter().map(|head| head.acknowledgements.len()).sum();
    assert_eq!(nacks, 8000, "each is answered");
    assert!(bench.sent.len() < 100 && wakes < 10, "{} Acks, woken {wakes} times", bench.sent.len());
}

#[test]
fn a_message_of_before_a_restart_is_not_out_of_order() {
    let mut bench = bench();
    bench.head = wanting(1, 5000);
    bench.receive(UP, Message::Path(path(1)));
    // The neighbour speaks with another Epoch, of other state.
    bench.head = wanting(2, 1);
    bench.receive(UP, Message::Path(path(2)));
    bench.head = wanting(1, 4000);
    bench.receive(UP, Message::PathTear(path_tear(1)));
    assert_eq!(
        bench.node.senders().len(),
        1,
        "the Epoch is not the one last received (RFC 2961 section 4.5)"
    );
}

#[test]
fn a_neighbour_that_acknowledges_nothing_holds_up_no_others() {
    let mut bench = bench();
    bench.node.config.limits.queued_one_shots = 8;
    bench.flags = 1;
    for n in 1..=60 {
        let key = session_to(&alloc::format!("10.0.8.{n}"));
        let mut unknown = resv(DOWN, Style::Ff, alloc::vec![flow(1000.0, &[sender(1)])]);
        unknown.session.key = key;
        bench.receive(DOWN, Message::Resv(unknown));
    }
    assert_eq!(bench.node.counters().one_shots_dropped, 0, "each gets its ResvErr");
    assert_eq!(count(&mut bench, |it| matches!(it, Message::ResvErr(_))), 60);
    bench.receive(UP, Message::Path(path(1)));
    bench.receive(UP, Message::PathTear(path_tear(1)));
    assert_eq!(count(&mut bench, |it| matches!(it, Message::PathTear(_))), 1, "and others their tears");
    bench.run(60 * SECOND);
    super::consistency::check_empty(&bench.node);
}

/// The next hop acknowledges all that was sent, and says whether it is capable of refresh reduction.
fn acknowledge(bench: &mut Bench, flags: u8) {
    let ids = bench.heads.drain(..).filter_map(|head| head.message_id);
    let acks = ids.map(|id| Acknowledgement::Ack(FlaggedId::plain(id.id))).collect();
    bench.flags = flags;
    bench.head = Head { acknowledgements: acks, message_id: None };
    if bench.head.acknowledgements.is_empty() {
        bench
            .head
            .acknowledgements
            .push(Acknowledgement::Ack(FlaggedId::plain(MessageId { epoch: 0, id: 0 })));
    }
    let payload = bench.encode(&Message::Ack, 63);
    bench.deliver(DOWN, ip("10.0.2.2"), None, 63, payload);
    bench.head = Head::default();
}

/// A router whose next hop 10.0.2.2 is capable, and knows of these senders.
fn summarizing(how: SummaryRefresh, senders: u8) -> Bench {
    let mut bench = bench();
    bench.node.config.default_interface.reduction.summary_refresh = how;
    let mut route = super::route(&[DOWN]);
    route.outgoing[0].gateway = Some(ip("10.0.2.2"));
    let key = crate::output::RouteKey { table: 0, destination: super::session().destination(), source: None };
    bench.routes.insert(key, route);
    for n in 1..=senders {
        bench.receive(UP, Message::Path(path(n)));
        acknowledge(&mut bench, 1);
        bench.flags = 0;
    }
    // What was sent before it was known to be capable is refreshed in full once.
    bench.run(46 * SECOND);
    acknowledge(&mut bench, 1);
    bench.sent.clear();
    bench
}

/// The previous hop refreshes its state, so that it does not die.
fn keep_alive(bench: &mut Bench, senders: u8) {
    bench.flags = 0;
    for n in 1..=senders {
        bench.receive(UP, Message::Path(path(n)));
    }
}

const IS_SUMMARY: fn(&Message) -> bool = |message| matches!(message, Message::Srefresh(_));
const IS_PATH: fn(&Message) -> bool = |message| matches!(message, Message::Path(_));

#[test]
fn sessions_are_not_summarized_towards_a_neighbour_that_withdraws() {
    for how in [SummaryRefresh::Neighbor, SummaryRefresh::Session] {
        let mut bench = summarizing(how, 3);
        bench.run(46 * SECOND);
        keep_alive(&mut bench, 3);
        assert!(count(&mut bench, IS_SUMMARY) > 0, "{how:?}");
        acknowledge(&mut bench, 0);
        bench.sent.clear();
        bench.run(46 * SECOND);
        let sent = bench.take_sent();
        assert!(!sent.iter().any(IS_SUMMARY), "{how:?}: RFC 2961 section 2");
        assert!(
            sent.iter().filter(|message| IS_PATH(message)).count() >= 3,
            "{how:?}: whole messages instead"
        );
    }
}

#[test]
fn a_neighbour_that_cannot_make_up_its_mind_is_not_told_all_each_time() {
    let mut bench = summarizing(SummaryRefresh::Neighbor, 3);
    for n in 0..200 {
        acknowledge(&mut bench, n % 2);
        if n % 20 == 19 {
            bench.run(SECOND);
        }
    }
    let summaries = count(&mut bench, IS_SUMMARY);
    assert!(summaries <= 2, "{summaries} in 10 s");
}

#[test]
fn a_neighbour_that_keeps_restarting_is_not_told_all_each_time() {
    let mut bench = summarizing(SummaryRefresh::Neighbor, 3);
    for n in 0..200 {
        let mut other = path(1);
        other.session.key = session_to("10.0.8.8");
        other.hop = RsvpHop { address: ip("10.0.2.2"), lih: 1 };
        bench.head = wanting(n, 1);
        bench.flags = 1;
        bench.receive(DOWN, Message::Path(other));
        bench.run(SECOND / 10);
    }
    let summaries = count(&mut bench, IS_SUMMARY);
    assert!(summaries <= 6, "{summaries} in 20 s");
}

#[test]
fn a_rejection_in_somebody_elses_name_does_not_last() {
    let mut bench = summarizing(SummaryRefresh::Neighbor, 1);
    let error = Message::PathErr(PathErr {
        session: path(1).session,
        error: ErrorSpec { node: ip("10.8.8.8"), flags: 0, code: 13, value: 0x1701, enterprise: None },
        policy: Vec::new(),
        sender_template: sender(1),
        sender_tspec: None,
        adspec: None,
        forward: Vec::new(),
    });
    bench.head = Head::default();
    let payload = bench.encode(&error, 63);
    let anyone: IpAddr = ip("10.0.2.9");
    bench.deliver(DOWN, anyone, None, 63, payload);
    keep_alive(&mut bench, 1);
    acknowledge(&mut bench, 1);
    bench.run(100 * SECOND);
    acknowledge(&mut bench, 1);
    bench.sent.clear();
    bench.heads.clear();
    bench.run(Duration::from_secs(46));
    let sent = bench.take_sent();
    assert!(sent.iter().any(IS_SUMMARY) && !sent.iter().any(IS_PATH), "the neighbour has spoken: {sent:?}");
}
