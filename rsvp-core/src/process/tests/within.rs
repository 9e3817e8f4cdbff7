//! Sender and receiver on the same node.

use super::{Bench, RouteKey, bucket, flow, ip, session};
use crate::command::{ApiId, Command, ReserveRequest, SenderRequest};
use crate::event::Upcall;
use crate::input::Route;
use crate::wire::{FilterSpec, SenderTspec, Style};

/// A node that is the destination itself.
fn bench() -> Bench {
    let mut bench = Bench::new();
    let key = RouteKey { table: 0, destination: session().destination(), source: None };
    bench.routes.insert(key, Route { local: true, ..Route::default() });
    bench
}

fn announce(bench: &mut Bench) -> ApiId {
    let api = bench.open(session());
    let request = SenderRequest {
        template: FilterSpec::Ip { source: ip("10.0.9.9"), port: 4000 },
        tspec: SenderTspec::TokenBucket(bucket(1000.0)),
        adspec: true.into(),
        policy: alloc::vec![],
        ttl: 255,
    };
    bench.command(Command::AddSender(api, request)).unwrap();
    api
}

fn reserve(bench: &mut Bench) -> ApiId {
    let api = bench.open(session());
    let flows = [flow(1000.0, &[])].into();
    let request = ReserveRequest {
        receiver: ip("10.0.9.9"),
        style: Style::Wf,
        flows,
        policy: alloc::vec![],
        confirm: true,
    };
    bench.command(Command::Reserve(api, request)).unwrap();
    api
}

fn assert_both_know(bench: &mut Bench) {
    let upcalls = bench.upcalls();
    assert!(upcalls.iter().any(|u| matches!(u, Upcall::Path { .. })), "{upcalls:?}");
    assert!(upcalls.iter().any(|u| matches!(u, Upcall::Resv { .. })), "{upcalls:?}");
    assert!(upcalls.iter().any(|u| matches!(u, Upcall::Confirmed { .. })), "{upcalls:?}");
    assert!(bench.node.reservations()[0].admitted);
    assert!(bench.take_sent().is_empty(), "no message passes");
}

#[test]
fn they_hear_of_each_other_whoever_comes_first() {
    let mut bench = bench();
    announce(&mut bench);
    reserve(&mut bench);
    assert_both_know(&mut bench);

    let mut bench = self::bench();
    reserve(&mut bench);
    announce(&mut bench);
    assert_both_know(&mut bench);
}

#[test]
fn they_hear_that_the_other_is_gone() {
    let mut bench = bench();
    let sender = announce(&mut bench);
    let receiver = reserve(&mut bench);
    bench.upcalls();
    bench.command(Command::Release(receiver)).unwrap();
    assert!(bench.upcalls().iter().any(|u| matches!(u, Upcall::ResvGone { .. })));

    reserve(&mut bench);
    bench.upcalls();
    bench.command(Command::Release(sender)).unwrap();
    assert!(bench.upcalls().iter().any(|u| matches!(u, Upcall::PathGone { .. })));
}

#[test]
fn receivers_hear_that_policy_silences_the_sender_and_that_it_is_back() {
    let mut bench = bench();
    let sending = announce(&mut bench);
    reserve(&mut bench);
    bench.upcalls();
    let config = bench.node.config().clone();
    let rules = |policy| Command::Configure(crate::NodeConfig { policy, ..config.clone() });
    let deny = crate::policy::PolicyRule {
        sender: Some("10.0.9.9/32".parse().unwrap()),
        receiver: None,
        action: crate::policy::PolicyAction::Deny,
    };
    bench.command(rules(alloc::vec![deny])).unwrap();
    let gone = |upcalls: &[Upcall]| upcalls.iter().filter(|u| matches!(u, Upcall::PathGone { .. })).count();
    let upcalls = bench.upcalls();
    assert_eq!(gone(&upcalls), 1, "the receiver, not the sender itself: {upcalls:?}");
    bench.command(rules(alloc::vec![])).unwrap();
    let upcalls = bench.upcalls();
    assert!(upcalls.iter().any(|u| matches!(u, Upcall::Path { .. })), "{upcalls:?}");
    bench.command(Command::Release(sending)).unwrap();
    assert_eq!(gone(&bench.upcalls()), 1);
}
