//! RFC 2961: refresh overhead reduction.

mod dialogue;
pub(crate) mod section_1;
pub(crate) mod section_2;
pub(crate) mod section_3;
pub(crate) mod section_3_3;
pub(crate) mod section_4;
pub(crate) mod section_4_1;
pub(crate) mod section_4_2;
pub(crate) mod section_4_3;
pub(crate) mod section_4_4;
pub(crate) mod section_4_5;
pub(crate) mod section_4_6;
pub(crate) mod section_4_7;
pub(crate) mod section_4_8;
pub(crate) mod section_5_1;
pub(crate) mod section_5_2;
pub(crate) mod section_5_3;
pub(crate) mod section_5_4;
pub(crate) mod section_6;

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use crate::bench::{Dut, Packet, Port, Received, Station, cl, ff};
use crate::case::Inconclusive;
use rsvp_core::Instant;
use rsvp_core::input::{NextHop, Route};
use rsvp_core::wire::{FilterSpec, Message, MessageId, Path, Resv, SessionKey, Srefresh, Style};

/// How many octets of RSVP fit into a packet of any link, with room to spare.
const LINK: usize = 1400;

/// A Path that needs no refresh for most of an hour.
fn lasting_path(dut: &Dut, from: Station, session: SessionKey, sender: FilterSpec) -> Path {
    Path { refresh_ms: 600_000, ..dut.path(from, session, sender) }
}

/// An FF reservation of 1B that needs no refresh for most of an hour.
fn lasting_resv(dut: &Dut, from: Station, session: SessionKey, sender: FilterSpec) -> Resv {
    Resv { refresh_ms: 600_000, ..dut.resv(from, session, Style::Ff, &[ff(cl(1.0), sender)]) }
}

/// Sessions of the same destination: its UDP ports from 5000 on.
fn sessions(dut: &Dut, destination: SessionKey, count: u16) -> Vec<SessionKey> {
    let port = |number| dut.plan.session(destination.flow().destination, 5000 + number);
    (0..count).map(port).collect()
}

/// Sends these messages in as few Bundles as fit into packets of a link.
fn send_bundles(dut: &mut Dut, from: Station, packets: &[Packet]) {
    let longest = packets.iter().map(|packet| packet.message.len()).max().unwrap_or(1);
    for some in packets.chunks(LINK / longest) {
        dut.send_bundle(from, some);
    }
}

/// Path state of all these sessions, made by as few packets as can be.
fn announce(dut: &mut Dut, from: Station, sessions: &[SessionKey], sender: FilterSpec) {
    let path = |session: &SessionKey| dut.pack(from, lasting_path(dut, from, *session, sender));
    let packets: Vec<Packet> = sessions.iter().map(path).collect();
    send_bundles(dut, from, &packets);
}

/// Reservations in all these sessions, made by as few packets as can be.
fn reserve(dut: &mut Dut, from: Station, sessions: &[SessionKey], sender: FilterSpec) {
    let resv = |session: &SessionKey| dut.pack(from, lasting_resv(dut, from, *session, sender));
    let packets: Vec<Packet> = sessions.iter().map(resv).collect();
    send_bundles(dut, from, &packets);
}

/// A route that leads to a neighbour.
fn via(dut: &Dut, station: Station) -> Route {
    let hop = NextHop { interface: station.port().interface(), gateway: Some(dut.plan.station(station)) };
    Route { outgoing: vec![hop], ..Route::default() }
}

/// When a session was told or refreshed: by a whole Path, or by an Srefresh that lists the id of one.
fn refresh_times(
    paths: &[Received<Path>],
    summaries: &[Received<Srefresh>],
    session: SessionKey,
) -> Vec<Instant> {
    let its: Vec<&Received<Path>> = paths.iter().filter(|it| it.message.session.key == session).collect();
    let ids: BTreeSet<MessageId> =
        its.iter().filter_map(|path| path.head.message_id).map(|id| id.id).collect();
    let names = |summary: &&Received<Srefresh>| summary.ids().iter().any(|id| ids.contains(id));
    let summarized = summaries.iter().filter(names).map(|summary| summary.sent.at);
    let mut times: Vec<Instant> = its.iter().map(|path| path.sent.at).chain(summarized).collect();
    times.sort_unstable();
    times
}

/// The device need not do what this case looks at, and does not.
fn inconclusive(reason: &str) -> ! {
    std::panic::panic_any(Inconclusive(reason.to_owned()))
}

/// Takes the Bundles from a port, once the device has sent so many messages there. It was configured to use Bundles.
fn expect_bundles(dut: &mut Dut, port: Port, messages: usize) -> Vec<(Rc<Packet>, Vec<Received<Message>>)> {
    dut.wait_for::<Message>(port, messages);
    let bundles = dut.bundles(port);
    if bundles.is_empty() {
        inconclusive("the device sends no Bundles");
    }
    bundles
}

/// Asserts that the device refreshes state by Srefresh messages, as it was configured to: takes those from a port.
fn expect_summaries(dut: &mut Dut, port: Port) -> Vec<Received<Srefresh>> {
    let summaries = dut.all::<Srefresh>(port);
    if summaries.is_empty() {
        inconclusive("the device sends no Srefresh messages");
    }
    summaries
}

/// The longest time without a refresh.
fn longest_gap(times: &[Instant]) -> Duration {
    times.windows(2).map(|pair| pair[1].since(pair[0])).max().expect("several refreshes")
}

/// Path state of S1 for a group, which all next hops on one interface are known to have: they can be summed up.
fn group_on(dut: &mut Dut, stations: &[Station]) -> Received<Path> {
    let (group, s1) = (dut.g(), dut.s1());
    let hop = |station: &Station| NextHop {
        interface: station.port().interface(),
        gateway: Some(dut.plan.station(*station)),
    };
    let incoming = Some(Station::U1.port().interface());
    let route = Route { incoming, outgoing: stations.iter().map(hop).collect(), ..Route::default() };
    dut.set_route(group.flow().destination, Some(s1.source()), route);
    dut.befriend(stations);
    dut.send(Station::U1, lasting_path(dut, Station::U1, group, s1));
    dut.expect::<Path>(stations[0].port())
}
