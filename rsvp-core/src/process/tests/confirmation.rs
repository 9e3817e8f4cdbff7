//! Confirmations (RFC 2205 sections 2.6, 3.1.4 and 3.1.9).

use alloc::vec::Vec;
use core::net::IpAddr;

use super::{Bench, DOWN, DOWN2, Kernel, UP, flow, ip, path, resv, resv_err, sender, session};
use crate::command::{Command, CommandError, ReserveRequest};
use crate::event::Upcall;
use crate::input::Input;
use crate::wire::{ErrorSpec, Flowspec, Message, ResvConf, Rspec, Session, Style};

fn ff(interface: crate::InterfaceId, rate: f32, n: u8, confirm: &str) -> Message {
    let mut resv = resv(interface, Style::Ff, [flow(rate, &[sender(n)])].into());
    resv.confirm = Some(ip(confirm));
    Message::Resv(resv)
}

/// The receivers whose confirmation was asked for upstream, and those that were confirmed.
fn confirms(bench: &mut Bench) -> (Vec<IpAddr>, Vec<IpAddr>) {
    let (mut asked, mut confirmed) = (Vec::new(), Vec::new());
    for message in bench.take_sent() {
        match message {
            Message::Resv(resv) => asked.extend(resv.confirm),
            Message::ResvConf(confirmation) => confirmed.push(confirmation.confirm),
            _ => {}
        }
    }
    (asked, confirmed)
}

fn branching() -> Bench {
    let mut bench = Bench::new();
    let key = super::RouteKey { table: 0, destination: session().destination(), source: None };
    bench.routes.insert(key, super::route(&[DOWN, DOWN2]));
    bench.receive(UP, Message::Path(path(1)));
    bench.receive(UP, Message::Path(path(2)));
    bench.sent.clear();
    bench
}

#[test]
fn the_largest_goes_up_and_others_end_here() {
    let mut bench = branching();
    bench.receive(DOWN, ff(DOWN, 1000.0, 1, "10.9.0.1"));
    assert_eq!(confirms(&mut bench), ([ip("10.9.0.1")].into(), [].into()));
    bench.receive(DOWN2, ff(DOWN2, 1000.0, 1, "10.9.0.2"));
    assert_eq!(confirms(&mut bench), ([].into(), [ip("10.9.0.2")].into()));
    bench.receive(DOWN2, ff(DOWN2, 2000.0, 1, "10.9.0.2"));
    assert_eq!(confirms(&mut bench), ([ip("10.9.0.2")].into(), [].into()));
}

#[test]
fn every_request_goes_up_although_a_resv_carries_one() {
    let mut bench = branching();
    bench.input(Input::SocketBlocked);
    bench.receive(DOWN, ff(DOWN, 1000.0, 1, "10.9.0.1"));
    bench.receive(DOWN, ff(DOWN, 1000.0, 2, "10.9.0.2"));
    bench.input(Input::SocketWritable);
    assert_eq!(confirms(&mut bench), ([ip("10.9.0.1"), ip("10.9.0.2")].into(), [].into()));
}

#[test]
fn requests_that_wait_for_traffic_control_are_bounded() {
    let mut bench = branching();
    bench.kernel = Kernel::Waits;
    for n in 1..200_u8 {
        bench.receive(DOWN, ff(DOWN, 1000.0, 1, &alloc::format!("10.9.1.{n}")));
    }
    bench.answer(Ok(()));
    let (asked, confirmed) = confirms(&mut bench);
    assert_eq!((asked, confirmed), ([ip("10.9.1.199")].into(), [].into()), "the latest of each next hop");
}

/// Section 3.1.4: a request that is blockaded is neither forwarded nor confirmed, and does not count as larger than others.
#[test]
fn a_blockaded_request_is_not_confirmed() {
    let mut bench = branching();
    bench.receive(DOWN, Message::Resv(resv(DOWN, Style::Ff, [flow(1000.0, &[sender(1)])].into())));
    bench.receive(DOWN2, Message::Resv(resv(DOWN2, Style::Ff, [flow(2000.0, &[sender(1)])].into())));
    bench.receive(UP, Message::ResvErr(resv_err(Style::Ff, flow(2000.0, &[sender(1)]), ErrorSpec::IN_PLACE)));
    bench.sent.clear();
    bench.receive(DOWN2, ff(DOWN2, 2000.0, 1, "10.9.0.2"));
    assert_eq!(confirms(&mut bench), ([].into(), [].into()));
    bench.receive(DOWN, ff(DOWN, 1500.0, 1, "10.9.0.1"));
    assert_eq!(confirms(&mut bench), ([ip("10.9.0.1")].into(), [].into()));
}

#[test]
fn nobody_is_confirmed_at_a_group_or_nowhere() {
    for receiver in ["224.0.0.1", "0.0.0.0", "255.255.255.255"] {
        let mut bench = Bench::new();
        bench.open(session());
        let api = bench.open(session());
        let request = crate::command::SenderRequest {
            template: sender(1),
            tspec: path(1).sender_tspec,
            adspec: false.into(),
            policy: Vec::new(),
            ttl: 63,
        };
        bench.command(Command::AddSender(api, request)).unwrap();
        bench.receive(DOWN, ff(DOWN, 1000.0, 1, receiver));
        assert!(confirms(&mut bench).1.is_empty());
    }
}

#[test]
fn an_application_hears_of_every_confirmation() {
    let mut bench = Bench::with_paths(&[1, 2]);
    let api = bench.open(session());
    let request = ReserveRequest {
        receiver: ip("10.0.2.1"),
        style: Style::Se,
        flows: [flow(1000.0, &[sender(1), sender(2)])].into(),
        policy: Vec::new(),
        confirm: true,
    };
    bench.command(Command::Reserve(api, request)).unwrap();
    assert_eq!(confirms(&mut bench).0, [ip("10.0.2.1")]);
    bench.events.clear();
    for node in ["10.7.0.1", "10.7.0.2"] {
        let confirmation = ResvConf {
            session: Session { key: session(), flags: 0 },
            error: ErrorSpec { node: ip(node), flags: 0, code: 0, value: 0, enterprise: None },
            confirm: ip("10.0.2.1"),
            style: Style::Se,
            flows: [flow(1000.0, &[sender(1), sender(2)])].into(),
            forward: Vec::new(),
        };
        bench.receive(UP, Message::ResvConf(confirmation));
    }
    let confirmed = bench.upcalls().into_iter().filter(|upcall| matches!(upcall, Upcall::Confirmed { .. }));
    assert_eq!(confirmed.count(), 2);
}

#[test]
fn after_an_error_a_confirmation_is_asked_for_again() {
    let mut bench = Bench::with_paths(&[1]);
    let api = bench.open(session());
    let request = ReserveRequest {
        receiver: ip("10.0.2.1"),
        style: Style::Ff,
        flows: [flow(1000.0, &[sender(1)])].into(),
        policy: Vec::new(),
        confirm: true,
    };
    bench.command(Command::Reserve(api, request)).unwrap();
    let confirmation = ResvConf {
        session: Session { key: session(), flags: 0 },
        error: ErrorSpec { node: ip("10.7.0.1"), flags: 0, code: 0, value: 0, enterprise: None },
        confirm: ip("10.0.2.1"),
        style: Style::Ff,
        flows: [flow(1000.0, &[sender(1)])].into(),
        forward: Vec::new(),
    };
    bench.receive(UP, Message::ResvConf(confirmation.clone()));
    bench.sent.clear();
    // The previous hop was restarted and has no path state yet.
    let mut error = resv_err(Style::Ff, flow(1000.0, &[sender(1)]), 0);
    error.error.code = 3;
    bench.receive(UP, Message::ResvErr(error));
    assert!(bench.node.reservations()[0].refused.is_some());
    bench.run(super::SECOND * 45);
    assert!(confirms(&mut bench).0.contains(&ip("10.0.2.1")));
    bench.receive(UP, Message::ResvConf(confirmation));
    assert!(bench.node.reservations()[0].refused.is_none());
}

#[test]
fn a_local_service_that_cannot_be_merged_is_refused() {
    let mut bench = Bench::with_paths(&[1]);
    let reserve = |flow| ReserveRequest {
        receiver: ip("10.0.2.1"),
        style: Style::Ff,
        flows: [flow].into(),
        policy: Vec::new(),
        confirm: false,
    };
    let first = bench.open(session());
    bench.command(Command::Reserve(first, reserve(flow(1000.0, &[sender(1)])))).unwrap();
    let second = bench.open(session());
    let mut guaranteed = flow(1000.0, &[sender(1)]);
    guaranteed.flowspec = Some(Flowspec::Guaranteed(super::bucket(1000.0), Rspec { rate: 1000.0, slack: 0 }));
    let answer = bench.command(Command::Reserve(second, reserve(guaranteed)));
    assert_eq!(answer, Err(CommandError::ConflictingService));
    assert_eq!(bench.node.reservations().len(), 1, "the first stays as it is");
}
