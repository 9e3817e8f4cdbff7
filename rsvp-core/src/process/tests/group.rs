//! Groups are joined for the receivers among the local applications, and for nobody else.

use alloc::vec::Vec;

use super::{Bench, DOWN, UP, bucket, flow, ip, sender, session, session_to};
use crate::SessionKey;
use crate::command::{ApiId, Command, CommandError, ReserveRequest, SenderRequest};
use crate::input::InterfaceId;
use crate::output::Request;
use crate::wire::{SenderTspec, Style};

fn group() -> SessionKey {
    session_to("239.1.1.1")
}

/// What was asked of the outside for groups since the last call: true for joined.
fn asked(bench: &mut Bench) -> Vec<(bool, Option<InterfaceId>)> {
    let requests = core::mem::take(&mut bench.requests).into_iter();
    requests
        .filter_map(|request| match request {
            Request::Join { group: address, interface } if address == group().destination() => {
                Some((true, interface))
            }
            Request::Leave { group: address, interface } if address == group().destination() => {
                Some((false, interface))
            }
            _ => None,
        })
        .collect()
}

fn reserve(bench: &mut Bench, api: ApiId, receiver: &str) {
    let flows = [flow(1000.0, &[])].into();
    let request = ReserveRequest {
        receiver: ip(receiver),
        style: Style::Wf,
        flows,
        policy: alloc::vec![],
        confirm: false,
    };
    bench.command(Command::Reserve(api, request)).unwrap();
}

#[test]
fn the_first_receiver_joins_and_the_last_one_leaves() {
    let mut bench = Bench::new();
    let [one, other] = [0; 2].map(|_| bench.open(group()));
    assert_eq!(asked(&mut bench), [], "an open session receives nothing yet");
    bench.command(Command::Join(one, None)).unwrap();
    assert_eq!(asked(&mut bench), [(true, None)]);
    bench.command(Command::Join(one, None)).unwrap();
    bench.command(Command::Join(other, None)).unwrap();
    bench.command(Command::Release(one)).unwrap();
    assert_eq!(asked(&mut bench), [], "the other still receives");
    bench.command(Command::Release(other)).unwrap();
    assert_eq!(asked(&mut bench), [(false, None)]);
}

#[test]
fn a_reservation_joins_where_the_receivers_address_is() {
    let mut bench = Bench::new();
    let api = bench.open(group());
    reserve(&mut bench, api, "10.0.1.1");
    assert_eq!(asked(&mut bench), [(true, Some(UP))]);
    reserve(&mut bench, api, "10.0.2.1");
    assert_eq!(asked(&mut bench), [(false, Some(UP)), (true, Some(DOWN))]);
    reserve(&mut bench, api, "192.0.2.1");
    bench.command(Command::Unreserve(api)).unwrap();
    assert_eq!(asked(&mut bench), [], "the application still receives where it did");
    bench.command(Command::Shutdown).unwrap();
    assert_eq!(asked(&mut bench), [(false, Some(DOWN))]);
}

#[test]
fn senders_and_unicast_receivers_join_nothing() {
    let mut bench = Bench::new();
    let api = bench.open(group());
    let tspec = SenderTspec::TokenBucket(bucket(1000.0));
    let request =
        SenderRequest { template: sender(1), tspec, adspec: false.into(), policy: alloc::vec![], ttl: 63 };
    bench.command(Command::AddSender(api, request)).unwrap();
    let api = bench.open(session());
    bench.command(Command::Join(api, None)).unwrap();
    reserve(&mut bench, api, "10.0.2.1");
    let joined = bench.requests.iter().any(|request| matches!(request, Request::Join { .. }));
    assert!(!joined, "{:?}", bench.requests);
}

#[test]
fn an_address_that_is_not_the_nodes_own_names_no_interface() {
    let mut bench = Bench::new();
    let api = bench.open(group());
    let refused = bench.command(Command::Join(api, Some(ip("192.0.2.1"))));
    assert_eq!(refused.unwrap_err(), CommandError::ForeignAddress(ip("192.0.2.1")));
    let refused = bench.command(Command::Join(api, Some("2001:db8::1".parse().unwrap())));
    assert_eq!(refused.unwrap_err(), CommandError::FamilyMismatch);
}
