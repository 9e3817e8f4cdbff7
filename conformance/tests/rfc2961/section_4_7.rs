//! RFC 2961 section 4.7: multicast.

use std::net::IpAddr;
use std::time::Duration;

use conformance::bench::{Dut, Lab, Port, R, Station, ack, group_route, mid, wanted};
use conformance::shows;
use rsvp_core::input::{NextHop, Route};
use rsvp_core::wire::{MessageId, Path};

use crate::dialogue::{at_port, copies, path};

const WHILE: Duration = Duration::from_secs(10);

/// How long the acknowledgements of a neighbour's messages about these sessions take, in milliseconds.
fn delays(dut: &mut Dut, rounds: u32, group: bool) -> Vec<u128> {
    let session = if group { dut.g() } else { dut.h() };
    (1..=rounds)
        .map(|number| {
            let start = dut.now();
            let path = path(dut, session, 20.0);
            dut.send_id(Station::U1, path, wanted(number));
            dut.advance(Duration::from_millis(400));
            let acks = dut.timed_acks(Station::U1);
            let [(at, said)] = &acks[..] else { panic!("{acks:?} of message {number}") };
            assert_eq!(*said, ack(number));
            at.since(start).as_millis()
        })
        .collect()
}

#[test]
fn messages_to_a_group_are_acknowledged_after_a_random_wait() {
    shows(&["rfc2961-4.7-01", "rfc2961-4.7-02"]);
    let mut dut = Lab::in_process().reducing_with(|reduction| {
        reduction.group_ack_delay = Duration::from_millis(200);
    });
    let delays = delays(&mut dut, 50, true);
    assert!(delays.iter().all(|delay| *delay <= 210), "{delays:?}");
    for part in 0..4 {
        let within = delays.iter().filter(|delay| **delay / 50 == part).count();
        assert!((3..=30).contains(&within), "{within} in part {part} of {delays:?}");
    }
}

#[test]
fn the_wait_causes_no_retransmission() {
    shows(&["rfc2961-4.7-03"]);
    let delays = delays(&mut Lab::in_process().router(), 100, true);
    assert!(delays.iter().all(|delay| *delay < 250), "half of the Rf of 500 ms: {delays:?}");
}

#[test]
fn other_messages_are_acknowledged_at_once() {
    shows(&["rfc2961-4.7-05"]);
    let mut dut = Lab::in_process().reducing_with(|reduction| {
        reduction.group_ack_delay = Duration::from_millis(300);
    });
    let unicast = delays(&mut dut, 30, false);
    assert!(unicast.iter().all(|delay| *delay <= 20), "{unicast:?}");
    let path = path(&dut, dut.g(), 20.0);
    dut.send(Station::U1, path);
    dut.forget();
    for number in 0..10 {
        let start = dut.now();
        let resv = crate::dialogue::resv(&dut, dut.g(), 1.0);
        dut.send_id(Station::D1, resv, wanted(number));
        let acks = dut.timed_acks(Station::D1);
        assert!(acks.iter().all(|(at, _)| at.since(start).as_millis() <= 20) && acks.len() == 1, "{acks:?}");
    }
}

#[test]
fn acknowledgements_of_others_suppress_none() {
    shows(&["rfc2961-4.7-04"]);
    let mut dut = Lab::in_process().router();
    let g = dut.g();
    dut.set_route(g.flow().destination, Some(dut.s1().source()), group_route(Port::D, &[Port::C]));
    let path = dut.path(Station::D2, g, dut.s1());
    dut.send_id(Station::D2, path, wanted(5));
    dut.send_ack(Station::D3, mid(5));
    dut.advance(WHILE);
    assert_eq!(dut.acks(Station::D2), [ack(5)]);
}

/// The route of S1's packets to G: to these neighbours on the LAN, or to nobody knows whom (`None`).
fn lan_route(dut: &Dut, next_hops: &[Option<Station>]) -> Route {
    let hop = |station: &Option<Station>| NextHop {
        interface: Port::D.interface(),
        gateway: station.map(|station| dut.plan.station(station)),
    };
    Route { outgoing: next_hops.iter().map(hop).collect(), ..group_route(Port::A, &[]) }
}

fn route_over_lan(dut: &mut Dut, next_hops: &[Option<Station>]) {
    let route = lan_route(dut, next_hops);
    let source: IpAddr = dut.s1().source();
    dut.set_route(dut.g().flow().destination, Some(source), route);
}

/// U1 announces S1 in G, and the DUT sends a Path to the LAN: its identifier.
fn announce(dut: &mut Dut, rate: f32) -> MessageId {
    let path = path(dut, dut.g(), rate);
    dut.send(Station::U1, path);
    dut.expect::<Path>(Port::D).id().id
}

#[test]
fn as_many_acknowledgements_are_expected_as_there_are_next_hops() {
    shows(&["rfc2961-4.7-06"]);
    let both = [Station::D2, Station::D3];
    for (acknowledging, expected) in [
        (&both[..0], vec![vec![0, 1000]]),
        (&both[..1], vec![vec![0, 1000]]),
        (&both[1..], vec![vec![0, 1000]]),
        (&both[..], vec![]),
    ] {
        let mut dut = Lab::in_process().reducing();
        route_over_lan(&mut dut, &both.map(Some));
        let id = announce(&mut dut, 20.0);
        for station in acknowledging {
            // Twice: it counts once.
            dut.send_ack(*station, id);
            dut.send_ack(*station, id);
        }
        dut.advance(WHILE);
        assert_eq!(copies(&mut dut, Port::D), expected, "{acknowledging:?}");
    }
}

#[test]
fn one_acknowledgement_is_expected_when_the_next_hops_are_not_known() {
    shows(&["rfc2961-4.7-07", "rfc2961-4.7-08"]);
    let mut dut = Lab::in_process().reducing();
    route_over_lan(&mut dut, &[None]);
    let id = announce(&mut dut, 20.0);
    dut.send_ack(Station::D2, id);
    dut.advance(WHILE);
    assert!(dut.all::<Path>(Port::D).is_empty(), "D3 has said nothing");
    dut.advance(2 * R);
    let refreshes = dut.all::<Path>(Port::D);
    let group = dut.g().flow().destination;
    assert!(!refreshes.is_empty() && refreshes.iter().all(|it| it.sent.packet.destination == group));
}

#[test]
fn the_number_of_next_hops_may_change() {
    shows(&["rfc2961-4.7.1-01", "rfc2961-4.7-06"]);
    let mut dut = Lab::in_process().reducing();
    route_over_lan(&mut dut, &[Some(Station::D2), Some(Station::D3)]);
    let first = announce(&mut dut, 20.0);
    for station in [Station::D2, Station::D3] {
        dut.send_ack(station, first);
    }
    route_over_lan(&mut dut, &[Some(Station::D2)]);
    dut.advance(WHILE);
    dut.forget();
    let second = announce(&mut dut, 10.0);
    dut.send_ack(Station::D2, second);
    dut.advance(WHILE);
    assert!(copies(&mut dut, Port::D).is_empty(), "D3 is not waited for");
    route_over_lan(&mut dut, &[Some(Station::D2), Some(Station::D3)]);
    dut.advance(WHILE);
    dut.forget();
    let third = announce(&mut dut, 20.0);
    dut.send_ack(Station::D2, third);
    dut.advance(WHILE);
    assert_eq!(copies(&mut dut, Port::D), [[0, 1000]], "D3 is waited for again");
}

#[test]
fn each_interface_counts_for_itself() {
    shows(&["rfc2961-4.7-07"]);
    let mut dut = Lab::in_process().reducing();
    let other = at_port(&dut, dut.g(), 6000);
    let path = path(&dut, other, 20.0);
    dut.send(Station::U1, path);
    let id = dut.expect::<Path>(Port::C).id().id;
    dut.send_ack(Station::D1, id);
    dut.advance(WHILE);
    assert!(copies(&mut dut, Port::C).is_empty());
    assert_eq!(copies(&mut dut, Port::D), [[0, 500, 1500]]);
}
