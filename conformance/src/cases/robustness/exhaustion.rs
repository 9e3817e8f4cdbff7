//! Much of everything. A device may refuse what is too much for it, but serves what it has, and serves again when it is
//! over.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::bench::{Dut, Lab, Packet, Port, Station, cl, ff, list, millis, se, wanted};
use crate::cases::robustness::malformed::expect_no_storm;
use crate::cases::robustness::{Bystander, gather};
use crate::shows;
use rsvp_core::wire::{FilterSpec, Path, PathTear, Resv, SessionKey, Srefresh, Style};

/// So long do the messages of a crowd last, in milliseconds: no part of it times out meanwhile.
const LONG: u32 = 3_600_000;

/// How many sessions, or senders, make a crowd.
const CROWD: u16 = 1000;

fn crowd(dut: &Dut, size: u16) -> Vec<SessionKey> {
    let destination = dut.h().flow().destination;
    (0..size).map(|number| dut.plan.session(destination, 10_000 + number)).collect()
}

fn path(dut: &Dut, session: SessionKey, sender: FilterSpec) -> Packet {
    let path = Path { refresh_ms: LONG, ..dut.path(Station::U1, session, sender) };
    dut.pack(Station::U1, path)
}

fn resv(dut: &Dut, session: SessionKey) -> Packet {
    let flows = [ff(cl(0.01), dut.s1())];
    let resv = Resv { refresh_ms: LONG, ..dut.resv(Station::D1, session, Style::Ff, &flows) };
    dut.pack(Station::D1, resv)
}

/// Brings a sender and a reservation for each of these sessions into the device.
fn come(dut: &mut Dut, sessions: &[SessionKey]) {
    let paths: Vec<Packet> = sessions.iter().map(|session| path(dut, *session, dut.s1())).collect();
    dut.send_burst(Station::U1, &paths);
    gather(dut, paths.len(), |dut| dut.all::<Path>(Port::C));
    let resvs: Vec<Packet> = sessions.iter().map(|session| resv(dut, *session)).collect();
    dut.send_burst(Station::D1, &resvs);
    gather(dut, resvs.len(), |dut| dut.all::<Resv>(Port::A));
}

/// A thousand sessions with a reservation each come at once, and go at once. Whoever was there before is served all the
/// while, and the tears are passed on.
pub(crate) fn a_thousand_sessions(lab: &Lab) {
    shows(&["rfc2205-1.1-01", "rfc2205-2.4-04"]);
    let mut dut = lab.router();
    let mut bystander = Bystander::establish(&mut dut);
    let sessions = crowd(&dut, CROWD);
    come(&mut dut, &sessions);
    bystander.is_served(&mut dut);
    let tears: Vec<Packet> = sessions
        .iter()
        .map(|session| dut.pack(Station::U1, dut.path_tear(Station::U1, *session, dut.s1())))
        .collect();
    dut.forget();
    dut.send_burst(Station::U1, &tears);
    let torn = gather(&mut dut, sessions.len(), |dut| dut.all::<PathTear>(Port::C)).len();
    assert!(torn >= sessions.len() * 9 / 10, "expected the tears of {} sessions, not {torn}", sessions.len());
    bystander.is_served(&mut dut);
}

/// Two hundred sessions, each of which the device refreshes within 2.5 R, both ways.
pub(crate) fn all_sessions_are_refreshed(lab: &Lab) {
    shows(&["rfc2205-2.3-02", "rfc2205-1.1-01"]);
    let mut dut = lab.brisk().router();
    let mut bystander = Bystander::establish(&mut dut);
    let sessions = crowd(&dut, 200);
    come(&mut dut, &sessions);
    dut.forget();
    dut.advance(dut.r() * 5 / 2);
    let paths: BTreeSet<SessionKey> =
        dut.all::<Path>(Port::C).into_iter().map(|path| path.message.session.key).collect();
    let resvs: BTreeSet<SessionKey> =
        dut.all::<Resv>(Port::A).into_iter().map(|resv| resv.message.session.key).collect();
    let forgotten = |seen: &BTreeSet<SessionKey>| sessions.iter().filter(|one| !seen.contains(one)).count();
    assert_eq!((forgotten(&paths), forgotten(&resvs)), (0, 0), "sessions without a Path or Resv refresh");
    bystander.is_refreshed(&mut dut);
}

/// A thousand senders of one session.
pub(crate) fn a_thousand_senders(lab: &Lab) {
    shows(&["rfc2205-3.1.3-06", "rfc2205-1.1-02"]);
    let mut dut = lab.router();
    let mut bystander = Bystander::establish(&mut dut);
    let h = dut.h();
    let source = dut.s1().source();
    let senders: Vec<FilterSpec> = (1..=CROWD).map(|port| FilterSpec::Ip { source, port }).collect();
    let paths: Vec<Packet> = senders.iter().map(|sender| path(&dut, h, *sender)).collect();
    dut.forget();
    dut.send_burst(Station::U1, &paths);
    let passed = gather(&mut dut, paths.len(), |dut| dut.all::<Path>(Port::C)).len();
    assert!(passed <= paths.len() + 10, "expected one Path for each, not {passed}");
    bystander.is_served(&mut dut);
}

/// A shared reservation with three hundred filters: its Resv is larger than an MTU, in one datagram, and comes out whole.
pub(crate) fn three_hundred_filters(lab: &Lab) {
    shows(&["rfc2205-3.3-04", "rfc2205-1.3-05"]);
    let mut dut = lab.router();
    let mut bystander = Bystander::establish(&mut dut);
    let h = dut.h();
    let source = dut.s1().source();
    let senders: Vec<FilterSpec> = (1..=300).map(|port| FilterSpec::Ip { source, port }).collect();
    let paths: Vec<Packet> = senders.iter().map(|sender| path(&dut, h, *sender)).collect();
    dut.send_burst(Station::U1, &paths);
    gather(&mut dut, paths.len(), |dut| dut.all::<Path>(Port::C));
    dut.forget();
    let resv = dut.resv(Station::D1, h, Style::Se, &[se(cl(1.0), &senders)]);
    dut.send(Station::D1, resv);
    let mut filters = dut.expect::<Resv>(Port::A).message.flows.remove(0).filters;
    filters.sort_unstable();
    let mut expected = senders;
    expected.sort_unstable();
    assert_eq!(filters, expected, "the senders asked for upstream");
    bystander.is_served(&mut dut);
}

/// Two thousand messages that all want to be acknowledged: there is an acknowledgement for each that is of the device's
/// state, in time, and no message for each of them.
pub(crate) fn a_flood_of_message_ids(lab: &Lab) {
    shows(&["rfc2961-4.5-30", "rfc2961-4.6-05", "rfc2961-4.5-06"]);
    let mut dut = lab.reducing();
    dut.befriend(&[Station::U1]);
    let mut bystander = Bystander::establish(&mut dut);
    let (h, s1) = (dut.h(), dut.s1());
    let first = 0x1000;
    let packets: Vec<Packet> = (0..2000)
        .map(|number| {
            let path = Path { refresh_ms: LONG + number, ..dut.path(Station::U1, h, s1) };
            dut.pack_id(Station::U1, path, wanted(first + number))
        })
        .collect();
    dut.forget();
    dut.send_burst(Station::U1, &packets);
    let acked = gather(&mut dut, packets.len(), |dut| dut.acks(Station::U1)).len();
    assert!(acked >= packets.len() * 9 / 10, "expected {} acknowledgements, not {acked}", packets.len());
    expect_no_storm(&mut dut, packets.len());
    bystander.is_served(&mut dut);
}

/// A hundred Srefreshes of a hundred ids that the device does not know, over and over: each is answered at most once, and
/// what it does know is refreshed.
pub(crate) fn a_flood_of_unknown_ids(lab: &Lab) {
    shows(&["rfc2961-5.3-21", "rfc2961-5.3-27"]);
    let mut dut = lab.reducing();
    dut.befriend(&[Station::U1]);
    let mut bystander = Bystander::establish(&mut dut);
    let packets: Vec<Packet> = (0..100_u32)
        .map(|number| {
            let first = 0x2000 + 10 * number;
            let ids: Vec<u32> = (first..first + 100).collect();
            dut.pack(Station::U1, Srefresh { lists: vec![list(&ids)] })
        })
        .collect();
    dut.forget();
    dut.send_burst(Station::U1, &packets);
    dut.advance(Duration::from_millis(500));
    let answers = dut.acks(Station::U1).len();
    assert!(answers <= 100 * packets.len(), "expected one answer to each id at most, not {answers}");
    expect_no_storm(&mut dut, packets.len());
    bystander.is_served(&mut dut);
}

/// One sender changes what it says five hundred times in a row. The device keeps up, and ends with the last word.
pub(crate) fn a_sender_that_cannot_decide(lab: &Lab) {
    shows(&["rfc2205-2.3-05", "rfc2205-2.3-06"]);
    let mut dut = lab.router();
    let mut bystander = Bystander::establish(&mut dut);
    let (h, s1) = (dut.h(), dut.s1());
    let changed = |dut: &Dut, number: u16| {
        let path = dut.path(Station::U1, h, s1);
        Path { sender_tspec: crate::bench::tspec(f32::from(number)), refresh_ms: millis(dut.r()), ..path }
    };
    let packets: Vec<Packet> = (1..=500).map(|number| dut.pack(Station::U1, changed(&dut, number))).collect();
    dut.forget();
    dut.send_burst(Station::U1, &packets);
    let last = crate::bench::tspec(500.0);
    while dut.expect::<Path>(Port::C).message.sender_tspec != last {}
    dut.expect_no::<Path>(Port::C);
    bystander.is_served(&mut dut);
}
