//! Policy control: when it is asked, what becomes of its answers, and that a refusal is told once.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::admission::BandwidthPools;
use crate::command::{CommandError, ReserveRequest, SenderRequest};
use crate::event::{Change, StateEvent, Subject, Upcall};
use crate::policy::{Policy, PolicyAction, PolicyRequest, PolicyRule, Verdict};
use crate::wire::{RawObject, Resv};

fn rule(sender: Option<&str>, receiver: Option<&str>, action: PolicyAction) -> PolicyRule {
    let prefix = |text: &str| text.parse().unwrap();
    PolicyRule { sender: sender.map(prefix), receiver: receiver.map(prefix), action }
}

fn configure(bench: &mut Bench, policy: Vec<PolicyRule>) {
    let config = NodeConfig { policy, ..bench.node.config().clone() };
    bench.command(Command::Configure(config)).unwrap();
}

fn ask(bench: &mut Bench, rate: f32) {
    bench.receive(DOWN, Message::Resv(resv(DOWN, Style::Ff, vec![flow(rate, &[sender(1)])])));
}

/// The changes of state of a kind since the last call.
fn changes(bench: &mut Bench, is_meant: impl Fn(&Subject) -> bool) -> Vec<Change> {
    let events = core::mem::take(&mut bench.events);
    let change = |event: Event| match event.kind {
        EventKind::State(StateEvent { subject, change, .. }) if is_meant(&subject) => Some(change),
        _ => None,
    };
    events.into_iter().filter_map(change).collect()
}

fn of_reservations(subject: &Subject) -> bool {
    matches!(subject, Subject::Reservation { .. })
}

fn error_codes(bench: &mut Bench) -> Vec<u8> {
    let code = |message| match message {
        Message::PathErr(error) => Some(error.error.code),
        Message::ResvErr(error) => Some(error.error.code),
        _ => None,
    };
    bench.take_sent().into_iter().filter_map(code).collect()
}

#[test]
fn a_refusal_is_told_once_and_answered_always() {
    let mut bench = Bench::with_paths(&[1]);
    bench.events.clear();
    for _ in 0..3 {
        ask(&mut bench, 9000.0);
        bench.now = bench.now + SECOND;
    }
    assert_eq!(error_codes(&mut bench), [1, 1, 1]);
    assert_eq!(changes(&mut bench, of_reservations), [Change::Refused]);
    let [refusal] = &bench.node.refusals()[..] else { panic!("{:?}", bench.node.refusals()) };
    assert_eq!((refusal.count, refusal.last), (3, refusal.first + 2 * SECOND));
    ask(&mut bench, 9500.0);
    assert_eq!(changes(&mut bench, of_reservations), [Change::Refused], "it asks for something else");
    ask(&mut bench, 1000.0);
    assert_eq!(changes(&mut bench, of_reservations), [Change::Created]);
    assert!(bench.node.refusals().is_empty());
    for _ in 0..3 {
        ask(&mut bench, 9000.0);
    }
    assert_eq!(changes(&mut bench, of_reservations), [Change::Refused], "a change");
    bench.run(158 * SECOND);
    assert!(bench.node.refusals().is_empty(), "it is no longer asked for");
}

#[test]
fn a_refusal_of_the_kernel_is_told_once() {
    let mut bench = Bench::with_paths(&[1]);
    bench.kernel = Kernel::Fails;
    bench.events.clear();
    for _ in 0..3 {
        ask(&mut bench, 1000.0);
    }
    assert_eq!(changes(&mut bench, of_reservations), [Change::Created, Change::Refused]);
    assert_eq!(error_codes(&mut bench), [22, 22, 22]);
    bench.kernel = Kernel::Works;
    ask(&mut bench, 1000.0);
    assert!(bench.node.refusals().is_empty());
}

#[test]
fn what_was_refused_beyond_the_limit_is_not_told() {
    let mut bench = Bench::with_paths(&[1, 2]);
    let mut config = bench.node.config().clone();
    config.limits.refusals = 1;
    bench.command(Command::Configure(config)).unwrap();
    bench.events.clear();
    for n in [1, 2, 1, 2] {
        bench.receive(DOWN, Message::Resv(resv(DOWN, Style::Ff, vec![flow(9000.0, &[sender(n)])])));
    }
    assert_eq!(changes(&mut bench, of_reservations), [Change::Refused]);
    assert_eq!(bench.node.refusals().len(), 1);
}

#[test]
fn a_refusal_is_not_remembered_for_as_long_as_a_neighbour_likes() {
    let mut bench = Bench::with_paths(&[1]);
    let mut request = resv(DOWN, Style::Ff, vec![flow(9000.0, &[sender(1)])]);
    request.refresh_ms = u32::MAX;
    bench.receive(DOWN, Message::Resv(request));
    let [refusal] = &bench.node.refusals()[..] else { panic!("{:?}", bench.node.refusals()) };
    assert_eq!(refusal.expires.at, bench.now + 3600 * SECOND);
}

#[test]
fn long_requests_count_as_several() {
    let mut bench = Bench::with_paths(&[1, 2]);
    let mut config = bench.node.config().clone();
    config.limits.refusals = 3;
    bench.command(Command::Configure(config)).unwrap();
    let long = |n, octets| {
        let policy = vec![RawObject { class: 14, ctype: 1, contents: vec![0; octets] }];
        Message::Resv(Resv { policy, ..resv(DOWN, Style::Ff, vec![flow(9000.0, &[sender(n)])]) })
    };
    bench.events.clear();
    bench.receive(DOWN, long(1, 3072));
    assert_eq!(changes(&mut bench, of_reservations), [], "it counts as four");
    bench.receive(DOWN, long(1, 1024));
    bench.receive(DOWN, long(2, 8));
    assert_eq!(bench.node.refusals().len(), 2, "as two and one");
    bench.receive(DOWN, long(2, 1024));
    assert_eq!(bench.node.refusals().len(), 1, "another request in the place of the one before");
    bench.run(158 * SECOND);
    bench.receive(UP, Message::Path(path(1)));
    bench.receive(UP, Message::Path(path(2)));
    bench.receive(DOWN, long(2, 2000));
    assert_eq!(bench.node.refusals().len(), 1, "what is over leaves room");
}

#[test]
fn a_clear_forgets_what_was_refused() {
    let other = session_to("10.0.9.8");
    for (cleared, left) in [(Some(session()), 1), (None, 0)] {
        let mut bench = Bench::with_paths(&[1]);
        ask(&mut bench, 9000.0);
        let mut elsewhere = resv(DOWN, Style::Ff, vec![flow(1000.0, &[sender(1)])]);
        elsewhere.session.key = other;
        elsewhere.refresh_ms = u32::MAX;
        bench.receive(DOWN, Message::Resv(elsewhere));
        assert_eq!(bench.node.refusals().len(), 2);
        bench.command(Command::Clear(cleared)).unwrap();
        assert_eq!(bench.node.refusals().len(), left);
    }
}

#[test]
fn rules_decide_on_senders_and_reservations() {
    let mut bench = Bench::new();
    let rules = vec![
        rule(Some("10.1.0.1/32"), Some("10.0.9.0/24"), PolicyAction::Limit(2000)),
        rule(Some("10.1.0.0/16"), None, PolicyAction::Deny),
    ];
    configure(&mut bench, rules);
    bench.receive(UP, Message::Path(path(2)));
    assert_eq!(error_codes(&mut bench), [2]);
    assert!(bench.node.senders().is_empty() && bench.node.sessions().is_empty());
    bench.receive(UP, Message::Path(path(1)));
    bench.take_sent();
    ask(&mut bench, 3000.0);
    assert_eq!(error_codes(&mut bench), [2]);
    ask(&mut bench, 2000.0);
    assert!(error_codes(&mut bench).is_empty());
    assert_eq!(bench.node.installed().len(), 1);
    // A larger change is refused, and what stands stays alive.
    bench.run(100 * SECOND);
    ask(&mut bench, 2500.0);
    bench.receive(UP, Message::Path(path(1)));
    bench.run(100 * SECOND);
    assert_eq!(bench.node.installed().len(), 1);
    assert_eq!(bench.node.counters().policy_failures, 3);
}

#[test]
fn new_rules_hold_for_what_is_there() {
    let mut bench = Bench::with_paths(&[1, 2]);
    ask(&mut bench, 2000.0);
    bench.receive(DOWN, Message::Resv(resv(DOWN, Style::Ff, vec![flow(1000.0, &[sender(2)])])));
    bench.take_sent();
    configure(&mut bench, vec![rule(None, None, PolicyAction::Limit(1500))]);
    let sent = bench.take_sent();
    assert!(
        matches!(&sent[..], [Message::ResvErr(error), Message::ResvTear(tear)]
        if error.error.code == 2 && tear.flows[0].filters == [sender(1)]),
        "{sent:?}"
    );
    assert_eq!(bench.node.installed().len(), 1);
    configure(&mut bench, vec![rule(Some("10.1.0.2/32"), None, PolicyAction::Deny)]);
    let sent = bench.take_sent();
    assert!(sent.iter().any(|message| matches!(message, Message::PathErr(error) if error.error.code == 2)));
    assert!(
        sent.iter()
            .any(|message| matches!(message, Message::PathTear(tear) if tear.sender_template == sender(2)))
    );
    assert_eq!((bench.node.senders().len(), bench.node.installed().len()), (1, 0));
    assert_eq!(bench.node.refusals().len(), 2);
    configure(&mut bench, vec![]);
    bench.receive(UP, Message::Path(path(2)));
    ask(&mut bench, 2000.0);
    assert_eq!(
        (bench.node.senders().len(), bench.node.installed().len()),
        (2, 1),
        "as soon as it is asked again"
    );
    assert!(bench.node.refusals().is_empty());
}

#[test]
fn a_sender_that_joins_a_wildcard_reservation_is_judged_with_it() {
    let mut bench = Bench::with_paths(&[1]);
    configure(&mut bench, vec![rule(Some("10.1.0.2/32"), Some("10.0.2.2/32"), PolicyAction::Deny)]);
    bench.receive(DOWN, Message::Resv(resv(DOWN, Style::Wf, vec![flow(1000.0, &[])])));
    assert_eq!(bench.node.installed().len(), 1);
    bench.take_sent();
    bench.receive(UP, Message::Path(path(2)));
    assert_eq!(error_codes(&mut bench), [2], "the rule is against this receiver of that sender");
    assert_eq!((bench.node.senders().len(), bench.node.installed().len()), (2, 0));
}

fn announce(bench: &mut Bench, api: ApiId) -> Result<Reply, CommandError> {
    let template = sender(1);
    let tspec = path(1).sender_tspec;
    let request = SenderRequest { template, tspec, adspec: false.into(), policy: vec![], ttl: 63 };
    bench.command(Command::AddSender(api, request))
}

#[test]
fn a_local_sender_falls_silent_and_speaks_again() {
    let mut bench = Bench::new();
    let api = bench.open(session());
    let deny = || vec![rule(Some("10.1.0.1/32"), None, PolicyAction::Deny)];
    configure(&mut bench, deny());
    assert!(matches!(announce(&mut bench, api), Err(CommandError::Refused(code, 3)) if code.0 == 2));
    assert!(bench.node.senders().is_empty());
    configure(&mut bench, vec![]);
    announce(&mut bench, api).unwrap();
    bench.take_sent();
    bench.events.clear();
    configure(&mut bench, deny());
    let sent = bench.take_sent();
    assert!(matches!(sent[..], [Message::PathTear(_)]), "{sent:?}");
    let upcalls = bench.upcalls();
    assert!(matches!(&upcalls[..], [Upcall::PathError { error, .. }] if error.code == 2), "{upcalls:?}");
    bench.run(90 * SECOND);
    assert!(bench.take_sent().is_empty(), "for as long as the rule stands");
    configure(&mut bench, vec![]);
    assert!(matches!(bench.take_sent()[..], [Message::Path(_)]));
}

#[test]
fn a_local_receiver_falls_silent_and_asks_again() {
    let mut bench = Bench::with_paths(&[1]);
    let api = bench.open(session());
    let request = ReserveRequest {
        receiver: ip("10.0.9.9"),
        style: Style::Ff,
        flows: vec![flow(2000.0, &[sender(1)])],
        policy: vec![],
        confirm: true,
    };
    configure(&mut bench, vec![rule(None, None, PolicyAction::Limit(1000))]);
    let refused = bench.command(Command::Reserve(api, request.clone()));
    assert!(matches!(refused, Err(CommandError::Refused(code, 4)) if code.0 == 2), "{refused:?}");
    configure(&mut bench, vec![]);
    bench.command(Command::Reserve(api, request)).unwrap();
    assert!(bench.take_sent().iter().any(|message| matches!(message, Message::Resv(_))));
    bench.events.clear();
    configure(&mut bench, vec![rule(None, None, PolicyAction::Limit(1000))]);
    let sent = bench.take_sent();
    assert!(matches!(sent[..], [Message::ResvTear(_)]), "{sent:?}");
    let upcalls = bench.upcalls();
    assert!(matches!(&upcalls[..], [Upcall::ResvError { error, .. }] if error.code == 2), "{upcalls:?}");
    let view = &bench.node.reservations()[0];
    assert!(!view.admitted && view.refused.is_some());
    configure(&mut bench, vec![]);
    let sent = bench.take_sent();
    assert!(matches!(&sent[..], [Message::Resv(resv)] if resv.confirm == Some(ip("10.0.9.9"))), "{sent:?}");
    assert_eq!(bench.node.reservations()[0].refused, None);
}

/// Counts how often it is asked, and puts its own POLICY_DATA in place of what comes.
struct Replaces(Arc<AtomicUsize>);

fn data(octet: u8) -> RawObject {
    RawObject { class: 14, ctype: 1, contents: vec![octet; 4] }
}

impl Policy for Replaces {
    fn decide(&self, request: &PolicyRequest<'_>) -> Verdict {
        self.0.fetch_add(1, Ordering::Relaxed);
        let data = (!request.data.is_empty()).then(|| vec![data(0xee)]);
        Verdict::Accept { data }
    }
}

#[test]
fn it_is_asked_about_changes_only_and_its_data_goes_on() {
    let count = Arc::new(AtomicUsize::new(0));
    let mut bench = Bench::new();
    let policy = Box::new(Replaces(Arc::clone(&count)));
    let config = bench.node.config().clone();
    bench.node = Node::with_control(config, [3; 32], Instant::ZERO, Box::new(BandwidthPools), policy);
    for n in 1..=3 {
        bench.interface(n);
    }
    let asked = || count.swap(0, Ordering::Relaxed);
    let mut path = path(1);
    for round in 0..3 {
        path.refresh_ms += round;
        bench.receive(UP, Message::Path(path.clone()));
        bench.receive(UP, Message::Path(path.clone()));
    }
    let mut request = resv(DOWN, Style::Se, vec![flow(1000.0, &[sender(1)])]);
    for round in 0..3 {
        request.refresh_ms += round;
        bench.receive(DOWN, Message::Resv(request.clone()));
        bench.receive(DOWN, Message::Resv(request.clone()));
    }
    assert_eq!(asked(), 2, "about one sender and one reservation");
    bench.take_sent();
    path.policy = vec![data(1)];
    bench.receive(UP, Message::Path(path.clone()));
    request.policy = vec![data(2), data(3)];
    bench.receive(DOWN, Message::Resv(request.clone()));
    assert_eq!(asked(), 2);
    let sent = bench.take_sent();
    let [Message::Path(onward), Message::Resv(upward)] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!((&onward.policy, &upward.policy), (&vec![data(0xee)], &vec![data(0xee)]));
    bench.command(Command::ReviewPolicy).unwrap();
    assert_eq!(asked(), 2, "all state is asked about");
    assert!(bench.take_sent().is_empty(), "with the same answer");
    request.flows = vec![flow(2000.0, &[sender(1)])];
    bench.receive(DOWN, Message::Resv(request));
    assert_eq!(asked(), 1, "a larger flowspec");
}
