//! Groups are joined for the receivers among the local applications, and for nobody else.

use alloc::vec::Vec;

use super::{
    Bench, DOWN, DOWN2, SECOND, UP, bucket, flow, interface_info, ip, nhop, path, sender, session, session_to,
};
use crate::SessionKey;
use crate::command::{ApiId, Command, CommandError, ReserveRequest, SenderRequest};
use crate::input::{Input, InterfaceId, InterfaceInfo, Route};
use crate::output::{Request, RouteKey};
use crate::wire::{Message, Path, RsvpHop, SenderTspec, Session, Style};

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

/// A Path for the group that comes in on an interface, and goes out of none.
fn path_on(interface: InterfaceId, refresh_ms: u32) -> Message {
    let hop = RsvpHop { lih: 77, ..nhop(interface) };
    Message::Path(Path { session: Session { key: group(), flags: 0 }, hop, refresh_ms, ..path(1) })
}

/// The interfaces that Resvs have left by since the last call.
fn asked_upstream(bench: &mut Bench) -> Vec<Option<InterfaceId>> {
    let sent = core::mem::take(&mut bench.sent).into_iter();
    sent.filter(|(_, message)| matches!(message, Message::Resv(_)))
        .map(|(transmit, _)| transmit.interface)
        .collect()
}

/// Found by simulation: with the path state of the receiver's own interface gone, nobody was asked any more.
#[test]
fn a_receiver_turns_to_the_expected_interface_when_its_own_brings_nothing_any_more() {
    let mut bench = Bench::new();
    let key = RouteKey { table: 0, destination: group().destination(), source: Some(sender(1).source()) };
    bench.routes.insert(key, Route { incoming: Some(UP), ..Route::default() });
    let api = bench.open(group());
    reserve(&mut bench, api, "10.0.2.1");
    bench.receive(UP, path_on(UP, 600_000));
    assert_eq!(asked_upstream(&mut bench), [Some(UP)], "the only path state that there is");
    bench.receive(DOWN, path_on(DOWN, 1000));
    assert_eq!(asked_upstream(&mut bench), [Some(DOWN)]);
    bench.receive(DOWN2, path_on(DOWN2, 600_000));
    assert_eq!(asked_upstream(&mut bench), [], "another Local_Only path state is of no use");
    bench.sleep(SECOND * 10);
    assert_eq!(asked_upstream(&mut bench), [Some(UP)]);
}

/// Found by simulation: a Resv that left by the interface of the Path was lost where the way back is another one.
#[test]
fn a_previous_hop_beyond_a_cloud_is_reached_by_the_routing_table() {
    let mut bench = Bench::new();
    let api = bench.open(group());
    reserve(&mut bench, api, "10.0.1.1");
    let message = path_on(UP, 30_000);
    let destination = Some(group().destination());
    bench.receive_with(UP, sender(1).source(), destination, 63, 61, &message);
    assert_eq!(asked_upstream(&mut bench), [None]);
    bench.receive_with(UP, sender(1).source(), destination, 63, 63, &message);
    bench.run(SECOND * 60);
    let asked = asked_upstream(&mut bench);
    assert!(!asked.is_empty() && asked.iter().all(|by| *by == Some(UP)), "the cloud is gone: {asked:?}");
}

#[test]
fn an_interface_that_comes_back_is_joined_again() {
    for reserves in [true, false] {
        let mut bench = Bench::new();
        let api = bench.open(group());
        if reserves {
            reserve(&mut bench, api, "10.0.1.1");
        } else {
            bench.command(Command::Join(api, Some(ip("10.0.1.1")))).unwrap();
        }
        bench.input(Input::InterfaceRemoved(UP));
        assert_eq!(asked(&mut bench), [(true, Some(UP))]);
        let again = InterfaceId(7);
        bench.input(Input::Interface(InterfaceInfo { id: again, ..interface_info(1) }));
        assert_eq!(asked(&mut bench), [(false, Some(UP)), (true, Some(again))]);
        bench.interface(2);
        assert_eq!(asked(&mut bench), [], "somebody else's address");
        bench.command(Command::Release(api)).unwrap();
        assert_eq!(asked(&mut bench), [(false, Some(again))]);
    }
}

#[test]
fn an_address_that_comes_late_is_joined_then() {
    let mut bench = Bench::new();
    let api = bench.open(group());
    reserve(&mut bench, api, "10.0.4.1");
    assert_eq!(asked(&mut bench), [(true, None)], "nobody has it yet");
    bench.interface(4);
    assert_eq!(asked(&mut bench), [(false, None), (true, Some(InterfaceId(4)))]);
}
