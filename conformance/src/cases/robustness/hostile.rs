//! Messages that are put together well, and that no neighbour would send.

use std::time::Duration;

use crate::bench::{Ack, Dut, Lab, Packet, Port, Station, ack, cl, ff, mid, nack};
use crate::cases::robustness::malformed::expect_no_storm;
use crate::cases::robustness::{Bystander, gather};
use crate::shows;
use rsvp_core::wire::{
    Acknowledgement, FilterSpec, FlaggedId, Head, Path, PathErr, PathTear, Resv, ResvErr, ResvTear, RsvpHop,
    SessionKey, Style,
};

/// Tears from those who have made no state: a PathTear with another PHOP, a ResvTear from another next hop or for other
/// senders. The state stays, and nobody is told anything; the right tears work.
pub(crate) fn tears_by_strangers(lab: &Lab) {
    shows(&["rfc2205-3.1.5-01", "rfc2205-3.1.5-02", "rfc2205-3.1.6-01", "rfc2205-3.1.6-02"]);
    let mut dut = lab.router();
    let (h, s1, s2) = (dut.h(), dut.s1(), dut.s2());
    let flows = [ff(cl(1.0), s1)];
    dut.learn(Station::U1, h, s1);
    dut.reserve(Station::D1, h, Style::Ff, &flows);
    let path_tear = dut.path_tear(Station::U1, h, s1);
    for address in [dut.plan.far(), dut.plan.station(Station::U2), dut.plan.dut(Port::A)] {
        let hop = RsvpHop { address, ..path_tear.hop };
        dut.send(Station::U1, PathTear { hop, ..path_tear.clone() });
    }
    let other_session = dut.plan.session(h.flow().destination, 5001);
    dut.send(Station::U1, dut.path_tear(Station::U1, other_session, s1));
    dut.send(Station::U1, dut.path_tear(Station::U1, h, s2));
    for (station, filter) in [(Station::D2, s1), (Station::D3, s1), (Station::D1, s2)] {
        let tear = dut.resv_tear(station, h, Style::Ff, &[ff(cl(1.0), filter)]);
        dut.send(station, tear);
    }
    dut.expect_silence();
    dut.send(Station::D1, dut.resv_tear(Station::D1, h, Style::Ff, &flows));
    dut.expect::<ResvTear>(Port::A);
    dut.send(Station::U1, path_tear);
    dut.expect::<PathTear>(Port::C);
}

/// Errors and requests about what the device has never heard of: errors are dropped, requests answered once each, and
/// nothing is passed on.
pub(crate) fn words_about_nothing(lab: &Lab) {
    shows(&["rfc2205-B-06", "rfc2205-3.1.6-02", "rfc2205-3.1.5-02", "rfc2205-2.10-01"]);
    let mut dut = lab.router();
    let mut bystander = Bystander::establish(&mut dut);
    let s1 = dut.s1();
    let sessions: Vec<SessionKey> =
        (6000..6020).map(|port| dut.plan.session(dut.h().flow().destination, port)).collect();
    dut.forget();
    for session in &sessions {
        let flow = ff(cl(1.0), s1);
        dut.send(Station::D1, dut.path_err(*session, s1, 2, 0));
        dut.send(Station::U1, dut.resv_err(Station::U1, *session, Style::Ff, flow.clone(), (1, 2, 0)));
        dut.send(Station::U1, dut.path_tear(Station::U1, *session, s1));
        dut.send(Station::D1, dut.resv_tear(Station::D1, *session, Style::Ff, &[flow]));
    }
    dut.expect_silence();
    for session in &sessions {
        let resv = dut.resv(Station::D1, *session, Style::Ff, &[ff(cl(1.0), s1)]);
        dut.send(Station::D1, resv);
        let error = dut.expect::<ResvErr>(Port::C).message;
        assert_eq!((error.session.key, error.error.code), (*session, 3), "No path information");
    }
    dut.expect_silence();
    bystander.is_served(&mut dut);
}

/// Paths and Resvs with the device's own address as previous or next hop, or as their IP source: they come from nobody
/// else, or from a loop. They bring no storm, and nothing suffers.
pub(crate) fn messages_of_its_own(lab: &Lab) {
    shows(&["rfc2205-2.3-08", "rfc2205-B-20"]);
    let mut dut = lab.brisk().router();
    let mut bystander = Bystander::establish(&mut dut);
    let (g, s1) = (dut.g(), dut.s1());
    dut.learn(Station::U1, g, s1);
    let mut count = 0;
    for port in Port::ALL {
        let own = RsvpHop { address: dut.plan.dut(port), lih: port.interface().0 };
        let path = Path { hop: own, ..dut.path(Station::U1, g, s1) };
        let resv = Resv { hop: own, ..dut.resv(Station::D1, g, Style::Ff, &[ff(cl(1.0), s1)]) };
        for station in Station::ALL {
            let packet = dut.pack(station, path.clone());
            let looped = Packet { source: own.address, ..dut.pack(station, resv.clone()) };
            let from_own = Packet { source: own.address, ..packet.clone() };
            dut.send_burst(station, &[packet, from_own, looped]);
            count += 3;
        }
    }
    // Each may be new path state, of a group that leads two ways.
    expect_no_storm(&mut dut, 2 * count);
    bystander.is_refreshed(&mut dut);
}

/// The refresh period 0, and the longest that there is: the device neither runs hot nor forgets at once.
pub(crate) fn extreme_refresh_periods(lab: &Lab) {
    shows(&["rfc2205-A.4-02"]);
    let mut dut = lab.router();
    let mut bystander = Bystander::establish(&mut dut);
    let s1 = dut.s1();
    let longest = dut.plan.session(dut.h().flow().destination, 5001);
    for (session, refresh_ms) in [(dut.h(), 0), (longest, u32::MAX)] {
        let path = Path { refresh_ms, ..dut.path(Station::U1, session, s1) };
        dut.send(Station::U1, path);
        dut.expect::<Path>(Port::C);
    }
    let resv = Resv { refresh_ms: u32::MAX, ..dut.resv(Station::D1, longest, Style::Ff, &[ff(cl(1.0), s1)]) };
    dut.send(Station::D1, resv.clone());
    dut.expect::<Resv>(Port::A);
    dut.advance(Duration::from_secs(2));
    let others = dut.take_sent().len();
    assert!(others <= 20, "expected no more than some messages in two seconds, not {others}");
    // What stays for 49 days is there: the same again is no news.
    dut.send(Station::D1, resv);
    dut.expect_no::<Resv>(Port::A);
    bystander.is_served(&mut dut);
}

/// One sender, two thousand Resvs that are refused: each is answered at most once, and what others have reserved stays.
pub(crate) fn requests_that_are_always_refused(lab: &Lab) {
    shows(&["rfc2205-2.5-02", "rfc2205-1-03"]);
    let mut dut = lab.brisk().router();
    let mut bystander = Bystander::establish(&mut dut);
    let (h, s1) = (dut.h(), dut.s1());
    let mut path = dut.path(Station::U1, h, s1);
    path.sender_tspec = crate::bench::tspec(5000.0);
    dut.send(Station::U1, path);
    let packets: Vec<Packet> = (0..2000_u16)
        .map(|number| {
            let rate = 100.0 + f32::from(number);
            dut.pack(Station::D1, dut.resv(Station::D1, h, Style::Ff, &[ff(cl(rate), s1)]))
        })
        .collect();
    dut.forget();
    dut.send_burst(Station::D1, &packets);
    dut.expect::<ResvErr>(Port::C);
    expect_no_storm(&mut dut, packets.len());
    bystander.is_refreshed(&mut dut);
}

/// Five thousand acknowledgements of messages that the device has never sent, good ones and bad ones: it says nothing.
pub(crate) fn acknowledgements_of_nothing(lab: &Lab) {
    shows(&["rfc2961-4.3-06", "rfc2961-5.4-06"]);
    let mut dut = lab.reducing();
    dut.befriend(&[Station::U1]);
    let mut bystander = Bystander::establish(&mut dut);
    let unknown = |dut: &Dut, first: u32| {
        let answers = (first..first + 100).flat_map(|id| [ack(id), nack(id)]);
        let foreign = Acknowledgement::Nack(FlaggedId::plain(mid(first)));
        let head = Head { acknowledgements: answers.chain([foreign]).collect(), message_id: None };
        dut.pack_with(Station::U1, Ack, &head)
    };
    let packets: Vec<Packet> = (0..25).map(|number| unknown(&dut, 0x4000_0000 + 100 * number)).collect();
    dut.forget();
    dut.send_burst(Station::U1, &packets);
    dut.expect_silence();
    bystander.is_served(&mut dut);
}

/// Two hundred senders of one session, and an error about each of them: as many are passed on as there are senders.
pub(crate) fn an_error_for_each_of_many(lab: &Lab) {
    shows(&["rfc2205-3.1.7-01", "rfc2205-3.1.7-02"]);
    let mut dut = lab.router();
    let mut bystander = Bystander::establish(&mut dut);
    let h = dut.h();
    let senders: Vec<FilterSpec> =
        (1..=200).map(|port| FilterSpec::Ip { source: dut.s1().source(), port }).collect();
    let paths: Vec<Packet> =
        senders.iter().map(|sender| dut.pack(Station::U1, dut.path(Station::U1, h, *sender))).collect();
    dut.send_burst(Station::U1, &paths);
    gather(&mut dut, paths.len(), |dut| dut.all::<Path>(Port::C));
    dut.forget();
    let errors: Vec<Packet> =
        senders.iter().map(|sender| dut.pack(Station::D1, dut.path_err(h, *sender, 2, 0))).collect();
    dut.send_burst(Station::D1, &errors);
    let passed = gather(&mut dut, senders.len(), |dut| dut.all::<PathErr>(Port::A));
    let mut passed: Vec<FilterSpec> = passed.into_iter().map(|error| error.message.sender_template).collect();
    passed.sort_unstable();
    let mut expected = senders;
    expected.sort_unstable();
    assert_eq!(passed, expected, "the senders that are told");
    bystander.is_served(&mut dut);
}
