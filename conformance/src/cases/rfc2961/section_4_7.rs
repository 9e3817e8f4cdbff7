//! RFC 2961 section 4.7: multicast.

use std::net::IpAddr;
use std::time::Duration;

use crate::bench::{Dut, Lab, Port, Station, ack, group_route, mid, wanted};
use crate::shows;
use rsvp_core::input::{NextHop, Route};
use rsvp_core::wire::{MessageId, Path};

use super::dialogue::{at_port, copies, path};

/// Longer than it takes until the third copy of a message.
const WHILE: Duration = Duration::from_secs(3);

/// How long the acknowledgements of a neighbour's messages about these sessions take, in milliseconds.
fn delays(dut: &mut Dut, rounds: u32, group: bool) -> Vec<u128> {
    let session = if group { dut.g() } else { dut.h() };
    (1..=rounds)
        .map(|number| {
            let start = dut.now();
            let path = path(dut, session, 20.0);
            dut.send_id(Station::U1, path, wanted(number));
            dut.advance(Duration::from_millis(250));
            dut.wait_for_acks(Station::U1, 1);
            let acks = dut.timed_acks(Station::U1);
            let [(at, said)] = &acks[..] else { panic!("{acks:?} of message {number}") };
            assert_eq!(*said, ack(number));
            at.since(start).as_millis()
        })
        .collect()
}

/// Acknowledgements of messages to a group are spread over the delay that is configured.
pub(crate) fn messages_to_a_group_are_acknowledged_after_a_random_wait(lab: &Lab) {
    shows(&["rfc2961-4.7-01", "rfc2961-4.7-02"]);
    let mut dut = lab.reducing_with(|reduction| {
        reduction.group_ack_delay = Duration::from_millis(200);
    });
    let delays = delays(&mut dut, 24, true);
    let longest = 210 + dut.timing.slack.as_millis();
    assert!(delays.iter().all(|delay| *delay <= longest), "{delays:?}");
    let (long, short): (Vec<u128>, Vec<u128>) = delays.iter().partition(|delay| **delay > 100);
    assert!(long.len() > 2 && short.len() > 2, "{delays:?}");
}

/// By default the wait before the acknowledgement of a message to a group is shorter than half of Rf.
pub(crate) fn the_wait_causes_no_retransmission(lab: &Lab) {
    shows(&["rfc2961-4.7-03"]);
    let delays = delays(&mut lab.router(), 30, true);
    assert!(delays.iter().all(|delay| *delay < 500), "that is Rf: {delays:?}");
}

/// Unicast messages and Resvs in a group are acknowledged without a random wait.
pub(crate) fn other_messages_are_acknowledged_at_once(lab: &Lab) {
    shows(&["rfc2961-4.7-05"]);
    let mut dut = lab.reducing_with(|reduction| {
        reduction.group_ack_delay = Duration::from_millis(400);
    });
    let unicast = delays(&mut dut, 12, false);
    let longest = 20 + dut.timing.slack.as_millis();
    assert!(unicast.iter().all(|delay| *delay <= longest), "{unicast:?}");
    let path = path(&dut, dut.g(), 20.0);
    dut.send(Station::U1, path);
    dut.forget();
    for number in 0..10 {
        let start = dut.now();
        let resv = super::dialogue::resv(&dut, dut.g(), 1.0);
        dut.send_id(Station::D1, resv, wanted(number));
        dut.wait_for_acks(Station::D1, 1);
        let acks = dut.timed_acks(Station::D1);
        let are_soon = acks.iter().all(|(at, _)| at.since(start).as_millis() <= longest);
        assert!(are_soon && acks.len() == 1, "{acks:?}");
    }
}

/// What waits to be acknowledged does not hold up what is acknowledged to the same neighbour at once, and is not lost when
/// that has left.
pub(crate) fn a_neighbour_is_acknowledged_at_once_and_after_the_wait(lab: &Lab) {
    shows(&["rfc2961-4.7-02", "rfc2961-4.7-05"]);
    let wait = Duration::from_millis(400);
    let mut dut = lab.reducing_with(|reduction| reduction.group_ack_delay = wait);
    let soon = Duration::from_millis(20) + dut.timing.slack;
    for (of_group, of_host) in (1..=6).map(|round| (2 * round, 2 * round + 1)) {
        let pack = |session, id| dut.pack_id(Station::U1, path(&dut, session, 20.0), wanted(id));
        let packets = [pack(dut.g(), of_group), pack(dut.h(), of_host)];
        let start = dut.now();
        dut.send_burst(Station::U1, &packets);
        dut.wait_for_acks(Station::U1, 2);
        dut.advance((start + wait + soon).since(dut.now()));
        let mut acks = dut.timed_acks(Station::U1);
        acks.sort_by_key(|(_, said)| said.id());
        let [(waited, of_first), (at_once, of_second)] = acks[..] else { panic!("{acks:?} in {start:?}") };
        assert_eq!((of_first, of_second), (ack(of_group), ack(of_host)));
        assert!(at_once.since(start) <= soon, "expected it at once, not after {:?}", at_once.since(start));
        assert!(waited.since(start) <= wait + soon, "not after {:?}", waited.since(start));
    }
}

/// A message to a group is acknowledged although somebody else has done so.
pub(crate) fn acknowledgements_of_others_suppress_none(lab: &Lab) {
    shows(&["rfc2961-4.7-04"]);
    let mut dut = lab.router();
    let g = dut.g();
    dut.set_route(g.flow().destination, Some(dut.s1().source()), group_route(Port::D, &[Port::C]));
    let path = dut.path(Station::D2, g, dut.s1());
    dut.send_id(Station::D2, path, wanted(5));
    dut.send_ack(Station::D3, mid(5));
    dut.advance(WHILE);
    dut.expect_acks(Station::D2, &[ack(5)]);
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

/// A Path to a group on a LAN is sent again until each next hop has acknowledged it; one that does so twice counts
/// once.
pub(crate) fn as_many_acknowledgements_are_expected_as_there_are_next_hops(lab: &Lab) {
    shows(&["rfc2961-4.7-06"]);
    let both = [Station::D2, Station::D3];
    for (acknowledging, expected) in [
        (&both[..0], vec![vec![0, 1000]]),
        (&both[..1], vec![vec![0, 1000]]),
        (&both[1..], vec![vec![0, 1000]]),
        (&both[..], vec![]),
    ] {
        let mut dut = lab.reducing();
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

/// Where the next hops of a group are not known one acknowledgement ends retransmission, and refreshes go to the
/// group.
pub(crate) fn one_acknowledgement_is_expected_when_the_next_hops_are_not_known(lab: &Lab) {
    shows(&["rfc2961-4.7-07", "rfc2961-4.7-08"]);
    let mut dut = lab.brisk().reducing();
    route_over_lan(&mut dut, &[None]);
    let id = announce(&mut dut, 20.0);
    dut.send_ack(Station::D2, id);
    dut.advance(WHILE);
    assert!(copies(&mut dut, Port::D).is_empty(), "D3 has said nothing");
    dut.advance(2 * dut.r());
    let refreshes = dut.all::<Path>(Port::D);
    let group = dut.g().flow().destination;
    assert!(!refreshes.is_empty() && refreshes.iter().all(|it| it.sent.packet.destination == group));
}

/// When a next hop of a group goes or comes, the next trigger waits for those that are there.
pub(crate) fn the_number_of_next_hops_may_change(lab: &Lab) {
    shows(&["rfc2961-4.7.1-01", "rfc2961-4.7-06"]);
    let mut dut = lab.reducing();
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

/// A Path to a group that leaves by two interfaces is sent again where it was not acknowledged.
pub(crate) fn each_interface_counts_for_itself(lab: &Lab) {
    shows(&["rfc2961-4.7-07"]);
    let mut dut = lab.reducing();
    let other = at_port(&dut, dut.g(), 6000);
    let path = path(&dut, other, 20.0);
    dut.send(Station::U1, path);
    let id = dut.expect::<Path>(Port::C).id().id;
    dut.send_ack(Station::D1, id);
    dut.advance(WHILE);
    assert!(copies(&mut dut, Port::C).is_empty());
    assert_eq!(copies(&mut dut, Port::D), [[0, 500, 1500]]);
}
