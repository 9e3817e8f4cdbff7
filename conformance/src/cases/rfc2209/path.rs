//! RFC 2209 section 2: PATH, PTEAR and PERR MESSAGE ARRIVES, and PATH REFRESH.

use std::time::Duration;

use crate::bench::{Dut, Lab, Port, Station, cl, ff, group_route, hex, millis, tspec};
use crate::shows;
use rsvp_core::wire::{
    Adspec, IntServAdspec, Path, PathErr, PathTear, RawObject, Resv, ResvErr, SenderTspec, Style,
};

/// W, the wait before a local repair (RFC 2205 section 3.6).
const W: Duration = Duration::from_secs(2);

/// An ADSPEC whose path has so many bytes per second.
fn adspec(bandwidth: f32) -> Adspec {
    let contents =
        hex("00000009 01000008 04000001 00000003 06000001 49742400 08000001 000001f4 0a000001 000005dc");
    match Adspec::decode(&RawObject { class: 13, ctype: 2, contents }) {
        Adspec::IntServ(mut adspec) => {
            adspec.general.bandwidth = bandwidth;
            Adspec::IntServ(adspec)
        }
        other => panic!("{other:?}"),
    }
}

/// The bandwidth in a Path's ADSPEC, if it has one.
fn bandwidth(path: &Path) -> Option<f32> {
    match &path.adspec {
        Some(Adspec::IntServ(IntServAdspec { general, .. })) => Some(general.bandwidth),
        None => None,
        Some(other) => panic!("expected an ADSPEC of integrated services, not {other:?}"),
    }
}

/// The bandwidths in the ADSPECs of the Paths that leave by c in one and a half periods.
fn bandwidths(dut: &mut Dut) -> Vec<Option<f32>> {
    let wait = dut.r() * 3 / 2 + dut.timing.slack;
    dut.advance(wait);
    dut.all::<Path>(Port::C).iter().map(|path| bandwidth(&path.message)).collect()
}

/// A changed SENDER_TSPEC goes on at once; another LIH, and another previous hop, are where the Resv goes from then on.
pub(crate) fn what_changes_in_a_path_and_what_that_triggers(lab: &Lab) {
    shows(&["rfc2209-2.path-05"]);
    let mut dut = lab.router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.learn(Station::U1, h, s1);
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, resv);
    let _ = dut.expect::<Resv>(Port::A);
    let mut path = dut.path(Station::U1, h, s1);
    path.sender_tspec = tspec(30.0);
    dut.send(Station::U1, path.clone());
    assert_eq!(dut.expect::<Path>(Port::C).message.sender_tspec, tspec(30.0));
    path.hop.lih = 99;
    dut.send(Station::U1, path.clone());
    assert_eq!(dut.expect::<Resv>(Port::A).message.hop.lih, 99);
    dut.forget();
    path.hop.address = dut.plan.address(1, 9);
    dut.send(Station::U1, path);
    let resv = dut.expect::<Resv>(Port::A);
    assert_eq!(resv.sent.packet.destination, dut.plan.address(1, 9));
    assert_eq!(resv.message.hop.lih, 99);
}

/// After a Path whose only news is another ADSPEC, the next Path has values that come from it.
pub(crate) fn another_adspec_is_used_in_the_next_path(lab: &Lab) {
    shows(&["rfc2209-2.path-06"]);
    let mut dut = lab.brisk().router();
    let (h, s1) = (dut.h(), dut.s1());
    let mut path = dut.path(Station::U1, h, s1);
    path.adspec = Some(adspec(2000.0));
    dut.send(Station::U1, path.clone());
    assert_eq!(bandwidth(&dut.expect::<Path>(Port::C).message), Some(2000.0));
    path.adspec = Some(adspec(1000.0));
    dut.send(Station::U1, path);
    let sent = bandwidths(&mut dut);
    // A refresh may have left while the Path was on its way.
    assert_eq!(sent.last(), Some(&Some(1000.0)), "in one and a half periods: {sent:?}");
    assert!(sent.is_sorted_by(|one, next| one >= next), "and it stays so: {sent:?}");
}

/// A Path without an ADSPEC leaves the stored one as it is, or removes it; there is nothing between.
pub(crate) fn a_path_without_adspec_after_one_with(lab: &Lab) {
    shows(&["rfc2209-2.path-07"]);
    let mut dut = lab.brisk().router();
    let (h, s1) = (dut.h(), dut.s1());
    let mut path = dut.path(Station::U1, h, s1);
    path.adspec = Some(adspec(2000.0));
    dut.send(Station::U1, path.clone());
    assert_eq!(bandwidth(&dut.expect::<Path>(Port::C).message), Some(2000.0));
    path.adspec = None;
    dut.send(Station::U1, path.clone());
    let mut sent = bandwidths(&mut dut);
    assert!(!sent.is_empty(), "expected Paths in one and a half periods, not none");
    sent.dedup();
    assert!(
        [&[None][..], &[Some(2000.0)], &[Some(2000.0), None]].contains(&&sent[..]),
        "it is kept, or dropped: {sent:?}"
    );
    path.adspec = Some(adspec(1000.0));
    dut.send(Station::U1, path);
    assert_eq!(bandwidths(&mut dut).last(), Some(&Some(1000.0)), "the next one counts again");
}

/// The first Path of a new sender goes on at once, without the wait W of a local repair, to a host and to a group.
pub(crate) fn a_new_sender_is_passed_on_without_the_wait_of_a_repair(lab: &Lab) {
    shows(&["rfc2209-2.path-12", "rfc2209-2.path-04"]);
    let mut dut = lab.router();
    let (h, g, s1) = (dut.h(), dut.g(), dut.s1());
    for (session, ports) in [(h, &[Port::C][..]), (g, &[Port::C, Port::D])] {
        let before = dut.now();
        let path = dut.path(Station::U1, session, s1);
        dut.send(Station::U1, path);
        for port in ports {
            let sent = dut.expect::<Path>(*port);
            assert_eq!((sent.message.session.key, sent.message.sender_template), (session, s1));
            let after = sent.sent.at.since(before);
            assert!(after < W / 4 + dut.timing.slack, "expected it at once, not after {after:?}");
        }
    }
    dut.expect_silence();
}

/// Ten Paths that are new in nothing cause no Path; one that is new in its SENDER_TSPEC causes one.
pub(crate) fn a_path_that_is_no_news_changes_no_rate(lab: &Lab) {
    shows(&["rfc2209-2.path-13"]);
    let mut dut = lab.router();
    let (h, s1) = (dut.h(), dut.s1());
    let mut path = dut.path(Station::U1, h, s1);
    dut.send(Station::U1, path.clone());
    let _ = dut.expect::<Path>(Port::C);
    for _ in 0..10 {
        dut.send(Station::U1, path.clone());
    }
    dut.expect_silence();
    path.sender_tspec = tspec(5.0);
    dut.send(Station::U1, path);
    assert_eq!(dut.expect::<Path>(Port::C).message.sender_tspec, tspec(5.0));
    dut.expect_silence();
}

/// A change of one of two senders of a session causes a Path of this sender alone.
pub(crate) fn a_change_of_one_sender_is_no_news_of_the_other(lab: &Lab) {
    shows(&["rfc2209-2.path-15"]);
    let mut dut = lab.unicast(2);
    let (h, s1) = (dut.h(), dut.s1());
    let mut path = dut.path(Station::U1, h, s1);
    path.sender_tspec = tspec(5.0);
    dut.send(Station::U1, path);
    let sent = dut.expect::<Path>(Port::C).message;
    assert_eq!((sent.sender_template, sent.sender_tspec), (s1, tspec(5.0)));
    dut.expect_silence();
}

/// A PathTear leaves by every interface that the Paths left by, with the device's own RSVP_HOP of that interface; then
/// there is no path state.
pub(crate) fn a_path_tear_is_made_anew_for_each_interface(lab: &Lab) {
    shows(&["rfc2209-2.ptear-02"]);
    let mut dut = lab.router();
    let (g, s1) = (dut.g(), dut.s1());
    let path = dut.path(Station::U1, g, s1);
    dut.send(Station::U1, path);
    let lih = [Port::C, Port::D].map(|port| dut.expect::<Path>(port).message.hop.lih);
    let tear = dut.path_tear(Station::U1, g, s1);
    dut.send(Station::U1, tear);
    for (port, lih) in [Port::C, Port::D].into_iter().zip(lih) {
        let hop = dut.expect::<PathTear>(port).message.hop;
        assert_eq!((hop.address, hop.lih), (dut.plan.dut(port), lih));
    }
    dut.expect_silence();
    let resv = dut.resv(Station::D1, g, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect_to::<ResvErr>(Station::D1).message.error.code, 3, "no path information");
    dut.expect_silence();
}

/// A PathErr of an unknown session, or of an unknown sender of a known one, goes nowhere; one of a known sender goes on.
pub(crate) fn a_path_error_for_nobody_is_dropped(lab: &Lab) {
    shows(&["rfc2209-2.perr-01"]);
    let mut dut = lab.router();
    let (h, k, s1, s2) = (dut.h(), dut.k(), dut.s1(), dut.s2());
    dut.learn(Station::U1, h, s1);
    for (session, sender) in [(h, s2), (k, s1)] {
        let error = dut.path_err(session, sender, 2, 0);
        dut.send(Station::D1, error);
    }
    dut.expect_silence();
    let error = dut.path_err(h, s1, 2, 0);
    dut.send(Station::D1, error);
    assert_eq!(dut.expect::<PathErr>(Port::A).message.sender_template, s1);
    dut.expect_silence();
}

/// The TTL of a Path is one less than the one that it came with, in refreshes as well; one that came with 1 makes path
/// state, and is not sent on.
pub(crate) fn the_ttl_counts_down(lab: &Lab) {
    shows(&["rfc2209-2.prefresh-01"]);
    let mut dut = lab.brisk().router();
    let (s1, [ten, two, one]) = (dut.s1(), [5010, 5002, 5001]);
    for (port, ttl) in [(one, 1), (two, 2), (ten, 10)] {
        let mut packet = dut.pack(Station::U1, dut.path(Station::U1, dut.h_at(port), s1));
        // No checksum is in it then.
        packet.message[2..4].fill(0);
        (packet.ttl, packet.message[4]) = (ttl, ttl);
        dut.send_packet(Station::U1, &packet);
    }
    let wait = dut.r() * 3;
    dut.advance(wait);
    let sent = dut.all::<Path>(Port::C);
    let ttls = |dut: &Dut, port| -> Vec<(u8, u8)> {
        let its = sent.iter().filter(|path| path.message.session.key == dut.h_at(port));
        its.map(|path| (path.sent.packet.ttl, path.raw.header.send_ttl)).collect()
    };
    for (port, ttl) in [(two, 1), (ten, 9)] {
        let ttls = ttls(&dut, port);
        assert!(ttls.len() >= 2, "the first and a refresh: {ttls:?}");
        assert_eq!(ttls, vec![(ttl, ttl); ttls.len()], "IP TTL and Send_TTL");
    }
    assert_eq!(ttls(&dut, one), [], "a TTL of zero is not sent");
    let resv = dut.resv(Station::D1, dut.h_at(one), Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).message.session.key, dut.h_at(one), "there is path state");
}

/// When routing expects the Paths of a sender to a group on another interface, the Path that came in there is the one
/// that goes on, and its previous hop the one that the Resv goes to.
pub(crate) fn the_path_state_that_routing_expects_takes_over(lab: &Lab) {
    shows(&["rfc2209-2.path-11"]);
    let mut dut = lab.brisk().router();
    let (g, s1) = (dut.g(), dut.s1());
    dut.learn(Station::U1, g, s1);
    let mut other = dut.path(Station::U2, g, s1);
    other.refresh_ms = 20 * millis(dut.r());
    other.sender_tspec = tspec(30.0);
    dut.send(Station::U2, other);
    let resv = dut.resv(Station::D1, g, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, resv);
    let _ = dut.expect::<Resv>(Port::A);
    dut.expect_no::<Resv>(Port::B);
    let tspecs = |dut: &mut Dut, port| -> Vec<SenderTspec> {
        dut.all::<Path>(port).into_iter().map(|path| path.message.sender_tspec).collect()
    };
    for port in [Port::C, Port::D] {
        assert!(tspecs(&mut dut, port).iter().all(|it| *it == tspec(20.0)), "not the Path on b");
    }

    dut.set_route(g.destination(), Some(s1.source()), group_route(Port::B, &[Port::C, Port::D]));
    dut.advance(W);
    let resv = dut.expect_to::<Resv>(Station::U2);
    assert_eq!(resv.shares(), [(1.0, vec![s1])]);
    for port in [Port::C, Port::D] {
        let last = tspecs(&mut dut, port).pop();
        assert_eq!(last, Some(tspec(30.0)), "that of the Path on b");
    }
    dut.forget();

    // From now on what comes in on a goes nowhere, and one stream of Paths leaves.
    let mut astray = dut.path(Station::U1, g, s1);
    astray.sender_tspec = tspec(5.0);
    dut.send(Station::U1, astray);
    let wait = dut.r() * 3;
    dut.advance(wait);
    for port in [Port::C, Port::D] {
        let sent = tspecs(&mut dut, port);
        assert_eq!(sent, vec![tspec(30.0); sent.len()]);
        assert!((2..=7).contains(&sent.len()), "expected one stream, not {} Paths in 3 R", sent.len());
    }
}
