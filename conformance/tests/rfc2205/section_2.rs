//! RFC 2205 section 2: paths, merging, soft state, teardown, errors, confirmation.

use std::time::Duration;

use conformance::bench::{
    Dut, Family, Lab, Port, R, Station, Timing, cl, ff, group_route, hex, se, tspec, wf,
};
use conformance::shows;
use rsvp_core::wire::{
    ClassNum, ErrorSpec, Path, PathErr, PathTear, RawObject, Resv, ResvConf, ResvErr, ResvTear, Style,
};

/// The same with n times B reserved.
fn reserved(n: f32) -> Dut {
    let mut dut = Lab::in_process().greedy();
    let (h, s1) = (dut.h(), dut.s1());
    dut.reserve(Station::D1, h, Style::Ff, &[ff(cl(n), s1)]);
    dut
}

#[test]
fn a_resv_goes_to_the_previous_hop_in_the_path() {
    shows(&[
        "rfc2205-2.1-02",
        "rfc2205-3.1.4-01",
        "rfc2205-3.1.4-03",
        "rfc2209-2.rrefresh-10",
        "rfc2205-2.9-05",
    ]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    let mut path = dut.path(Station::U1, h, s1);
    path.hop.lih = 0xdead_beef;
    dut.send(Station::U1, path);
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, resv);
    let resv = dut.expect::<Resv>(Port::A);
    assert_eq!(resv.sent.packet.destination, dut.plan.station(Station::U1));
    assert_eq!(resv.sent.packet.source, dut.plan.dut(Port::A));
    assert_eq!(resv.message.hop.address, dut.plan.dut(Port::A));
    assert_eq!(resv.message.hop.lih, 0xdead_beef);
}

#[test]
fn a_path_without_adspec_gets_none() {
    shows(&["rfc2205-2.1-04"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    let path = dut.path(Station::U1, h, s1);
    dut.send(Station::U1, path.clone());
    assert!(dut.expect::<Path>(Port::C).message.adspec.is_none());
    let adspec =
        hex("00000009 01000008 04000001 00000003 06000001 49742400 08000001 000001f4 0a000001 000005dc");
    dut.send_changed(Station::U1, path, |objects| {
        objects.push(RawObject { class: 13, ctype: 2, contents: adspec.clone() });
    });
    let sent = dut.expect::<Path>(Port::C);
    let composed = sent.objects(ClassNum::ADSPEC);
    assert_eq!(composed.len(), 1);
    assert_ne!(composed[0].contents, adspec, "the hop count at least is another");
    assert_eq!(composed[0].contents[..12], [&adspec[..8], &[4, 0, 0, 1]].concat());
    assert_eq!(composed[0].contents[12..16], [0, 0, 0, 4], "one hop more");
}

#[test]
fn what_goes_upstream_is_the_least_upper_bound() {
    shows(&["rfc2205-2.2-01"]);
    let mut dut = Lab::in_process().group(3);
    let (g, s1) = (dut.g(), dut.s1());
    let bucket = |rate, bucket| {
        let tspec = rsvp_core::wire::Tspec { rate, bucket, ..conformance::bench::bucket(1.0) };
        rsvp_core::wire::Flowspec::ControlledLoad(tspec)
    };
    dut.reserve(Station::D1, g, Style::Ff, &[ff(bucket(10_000.0, 1000.0), s1)]);
    let resv = dut.resv(Station::D2, g, Style::Ff, &[ff(bucket(5000.0, 4000.0), s1)]);
    dut.send(Station::D2, resv);
    let resv = dut.expect::<Resv>(Port::A);
    assert_eq!(resv.message.flows[0].flowspec, Some(bucket(10_000.0, 4000.0)));
}

#[test]
fn state_that_is_not_refreshed_dies() {
    shows(&["rfc2205-2.3-01", "rfc2205-2.4-03", "rfc2205-3.7-02"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    let mut path = dut.path(Station::U1, h, s1);
    path.refresh_ms = 2000;
    dut.send(Station::U1, path);
    // L = (K + 0.5) * 1.5 * R = 10.5 s; twice R has passed without a refresh long before.
    dut.advance(Duration::from_millis(10_400) - Timing::VIRTUAL.at_once);
    assert_eq!(dut.senders(h).len(), 1, "before L");
    dut.expect_no::<PathTear>(Port::C);
    dut.advance(Duration::from_secs(5));
    assert!(dut.senders(h).is_empty(), "after L");
    let tear = dut.expect::<PathTear>(Port::C);
    assert_eq!(tear.message.sender_template, s1);
    assert!(tear.sent.at.as_micros() >= 10_500_000, "not before L: {:?}", tear.sent.at);
}

#[test]
fn a_reservation_that_is_not_refreshed_dies_and_is_torn_upstream() {
    shows(&["rfc2205-3.1.6-04", "rfc2205-3.1.6-05"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    let mut path = dut.path(Station::U1, h, s1);
    path.refresh_ms = 600_000;
    dut.send(Station::U1, path);
    let mut resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    resv.refresh_ms = 2000;
    dut.send(Station::D1, resv);
    dut.forget();
    dut.advance(Duration::from_millis(10_300));
    assert_eq!(dut.reserved(Port::C).len(), 1, "before L");
    dut.advance(Duration::from_secs(5));
    assert!(dut.reserved(Port::C).is_empty(), "after L");
    let tear = dut.expect::<ResvTear>(Port::A);
    assert_eq!(tear.message.flows[0].filters, [s1]);
    assert_eq!(tear.sent.packet.destination, dut.plan.station(Station::U1));
    assert_eq!((tear.message.hop.address, tear.message.hop.lih), (dut.plan.dut(Port::A), 77));
    assert_eq!(dut.senders(h).len(), 1, "path state stays");
}

#[test]
fn a_node_refreshes_from_its_own_state_at_its_own_rate() {
    shows(&["rfc2205-2.3-02", "rfc2205-3.1.3-08"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.learn(Station::U1, h, s1);
    dut.advance(Duration::from_secs(120));
    let paths = dut.all::<Path>(Port::C);
    assert!((2..=8).contains(&paths.len()), "{} Paths in 120 s", paths.len());
    assert!(paths.iter().all(|path| path.sent.packet.source == s1.source()));
    for _ in 0..20 {
        let path = dut.path(Station::U1, h, s1);
        dut.send(Station::U1, path);
    }
    assert!(dut.all::<Path>(Port::C).len() <= 1, "Paths are not passed on one for one");
}

#[test]
fn a_repeated_path_is_no_news() {
    shows(&["rfc2205-2.3-03"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    let path = dut.path(Station::U1, h, s1);
    dut.send(Station::U1, path.clone());
    assert_eq!(dut.all::<Path>(Port::C).len(), 1);
    for _ in 0..4 {
        dut.send(Station::U1, path.clone());
    }
    dut.expect_silence();
}

#[test]
fn a_lost_message_is_not_repeated_before_the_next_refresh() {
    shows(&["rfc2205-2.3-04"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.learn(Station::U1, h, s1);
    dut.advance(R / 2 - 2 * Timing::VIRTUAL.at_once);
    dut.expect_silence();
    dut.advance(R + 2 * Timing::VIRTUAL.at_once);
    let _ = dut.expect::<Path>(Port::C);
}

#[test]
fn a_changed_path_is_passed_on_at_once() {
    shows(&["rfc2205-2.3-05", "rfc2205-3.3-03"]);
    let mut dut = Lab::in_process().group(3);
    let (g, s1) = (dut.g(), dut.s1());
    let mut path = dut.path(Station::U1, g, s1);
    path.sender_tspec = tspec(3.0);
    dut.send(Station::U1, path);
    for port in [Port::C, Port::D] {
        assert_eq!(dut.expect::<Path>(port).message.sender_tspec, tspec(3.0));
    }
    dut.expect_silence();
    assert_eq!(dut.senders(g)[0].tspec, tspec(3.0));
}

#[test]
fn a_changed_reservation_is_passed_on_at_once() {
    shows(&["rfc2205-2.3-06"]);
    let mut dut = reserved(1.0);
    let (h, s1) = (dut.h(), dut.s1());
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(3.0), s1)]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(3.0, vec![s1])]);
    dut.expect_silence();
}

#[test]
fn a_change_ends_where_merging_hides_it() {
    shows(&["rfc2205-2.3-07"]);
    let mut dut = Lab::in_process().group(3);
    let g = dut.g();
    dut.reserve(Station::D1, g, Style::Wf, &[wf(cl(4.0))]);
    dut.reserve(Station::D2, g, Style::Wf, &[wf(cl(2.0))]);
    let resv = dut.resv(Station::D2, g, Style::Wf, &[wf(cl(3.0))]);
    dut.send(Station::D2, resv);
    dut.expect_silence();
    assert_eq!(dut.reserved(Port::D), [(3.0, vec![])]);
}

#[test]
fn a_path_tear_takes_the_reservation_along() {
    shows(&["rfc2205-2.4-02", "rfc2205-2.4-04"]);
    let mut dut = reserved(1.0);
    let (h, s1) = (dut.h(), dut.s1());
    let tear = dut.path_tear(Station::U1, h, s1);
    dut.send(Station::U1, tear);
    let _ = dut.expect::<PathTear>(Port::C);
    assert!(dut.senders(h).is_empty() && dut.reservations(h).is_empty());
    assert!(dut.kernel(Port::C).is_empty());

    let mut dut = reserved(1.0);
    let tear = dut.resv_tear(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, tear);
    let _ = dut.expect::<ResvTear>(Port::A);
    assert!(dut.reservations(h).is_empty() && dut.kernel(Port::C).is_empty());
    assert_eq!(dut.senders(h).len(), 1);
    dut.advance(R + R / 2);
    let _ = dut.expect::<Path>(Port::C);
}

#[test]
fn a_lost_tear_is_made_up_for_by_the_timeout() {
    shows(&["rfc2205-2.4-06", "rfc2205-3.1.5-04", "rfc2205-3.1.5-09"]);
    let mut dut = Lab::in_process().group(3);
    let (g, s1) = (dut.g(), dut.s1());
    for _ in 0..6 {
        dut.advance(R);
        for number in [2, 3] {
            let path = dut.path(Station::U2, g, dut.plan.sender(number));
            dut.send(Station::U2, path);
        }
    }
    for port in [Port::C, Port::D] {
        let tears = dut.all::<PathTear>(port);
        assert_eq!(tears.len(), 1, "{port:?}");
        assert_eq!(tears[0].message.sender_template, s1);
        let packet = &tears[0].sent.packet;
        assert_eq!((packet.source, packet.destination), (s1.source(), g.flow().destination));
    }
    dut.expect_no::<PathTear>(Port::A);
    dut.expect_no::<PathTear>(Port::B);
}

#[test]
fn any_subset_of_filters_can_be_torn() {
    shows(&["rfc2205-2.4-07"]);
    let mut dut = Lab::in_process().group(3);
    let (g, s1, s2) = (dut.g(), dut.s1(), dut.s2());
    dut.reserve(Station::D1, g, Style::Se, &[se(cl(1.0), &[s1, s2])]);
    let tear = dut.resv_tear(Station::D1, g, Style::Se, &[se(cl(1.0), &[s2])]);
    dut.send(Station::D1, tear);
    assert_eq!(dut.reserved(Port::C), [(1.0, vec![s1])]);
    assert_eq!(dut.expect::<ResvTear>(Port::B).message.flows[0].filters, [s2]);
    dut.expect_no::<ResvTear>(Port::A);
    dut.advance(R + R / 2);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![s1])]);
}

#[test]
fn the_flowspec_of_a_tear_does_not_count() {
    shows(&["rfc2205-2.4-08"]);
    let mut dut = reserved(1.0);
    let (h, s1) = (dut.h(), dut.s1());
    let tear = dut.resv_tear(Station::D1, h, Style::Ff, &[ff(cl(9.0), s1)]);
    dut.send(Station::D1, tear);
    assert!(dut.kernel(Port::C).is_empty());

    let mut dut = Lab::in_process().group(3);
    let (g, s2) = (dut.g(), dut.s2());
    dut.reserve(Station::D1, g, Style::Se, &[se(cl(2.0), &[s1, s2])]);
    let tear = dut.resv_tear(Station::D1, g, Style::Se, &[se(cl(9.0), &[s2])]);
    dut.send(Station::D1, tear);
    assert_eq!(dut.reserved(Port::C), [(2.0, vec![s1])]);
}

#[test]
fn a_path_error_changes_nothing_on_its_way() {
    shows(&["rfc2205-2.5-01", "rfc2205-3.1.7-01", "rfc2205-3.1.7-02", "rfc2205-3.1.7-04"]);
    let mut dut = reserved(1.0);
    let (h, s1) = (dut.h(), dut.s1());
    let before = (dut.node().senders(), dut.node().reservations(), dut.node().installed());
    let error = dut.path_err(h, s1, 2, 0);
    dut.send(Station::D1, error.clone());
    let passed = dut.expect::<PathErr>(Port::A);
    assert_eq!(passed.sent.packet.destination, dut.plan.station(Station::U1));
    assert_eq!(passed.sent.packet.source, dut.plan.dut(Port::A));
    assert_eq!(passed.message.error, error.error);
    assert_eq!(passed.message.sender_template, s1);
    assert_eq!(passed.message.sender_tspec, error.sender_tspec);
    dut.expect_silence();
    assert_eq!((dut.node().senders(), dut.node().reservations(), dut.node().installed()), before);
}

#[test]
fn a_refused_increase_leaves_the_old_reservation_in_place() {
    shows(&[
        "rfc2205-2.5-02",
        "rfc2205-3.1.8-07",
        "rfc2209-2.utc-06",
        "rfc2209-2.utc-05",
        "rfc2205-3.11.2-03",
    ]);
    let mut dut = reserved(2.0);
    let (h, s1) = (dut.h(), dut.s1());
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(100.0), s1)]);
    dut.send(Station::D1, resv);
    let error = dut.expect_to::<ResvErr>(Station::D1).message.error;
    assert_eq!((error.code, error.value, error.flags), (1, 2, ErrorSpec::IN_PLACE));
    assert_eq!(dut.reserved(Port::C), [(2.0, vec![s1])]);
    dut.forget();
    dut.advance(R + R / 2);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(2.0, vec![s1])]);

    let mut dut = Lab::in_process().greedy();
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(100.0), s1)]);
    dut.send(Station::D1, resv);
    let error = dut.expect_to::<ResvErr>(Station::D1).message.error;
    assert_eq!((error.code, error.value, error.flags), (1, 2, 0), "nothing was in place");
    assert!(dut.kernel(Port::C).is_empty() && dut.reservations(h).is_empty());
}

#[test]
fn a_merged_error_goes_to_all_who_are_responsible() {
    shows(&["rfc2205-2.5-05", "rfc2205-3.1.8-01", "rfc2209-2.rerr-09", "rfc2205-3.1.8-03"]);
    let mut dut = Lab::in_process().group(3);
    let (g, s1) = (dut.g(), dut.s1());
    for station in [Station::D1, Station::D2] {
        dut.reserve(station, g, Style::Ff, &[ff(cl(4.0), s1)]);
    }
    let error = dut.resv_err(Station::U1, g, Style::Ff, ff(cl(4.0), s1), (1, 2, 0));
    dut.send(Station::U1, error.clone());
    for station in [Station::D1, Station::D2] {
        let passed = dut.expect_to::<ResvErr>(station);
        assert_eq!(passed.message.error, error.error);
        assert_eq!(passed.message.style, Style::Ff);
        assert_eq!(passed.message.hop.address, dut.plan.dut(station.port()));
    }
}

#[test]
fn only_the_largest_request_and_its_confirmation_go_on() {
    shows(&["rfc2205-2.6-01", "rfc2205-3.1.9-04"]);
    let mut dut = Lab::in_process().group(3);
    let (g, s1) = (dut.g(), dut.s1());
    let (r1, r2) = (dut.plan.address(7, 7), dut.plan.address(8, 8));
    let mut resv = dut.resv(Station::D1, g, Style::Ff, &[ff(cl(4.0), s1)]);
    resv.confirm = Some(r1);
    dut.send(Station::D1, resv);
    let up = dut.expect::<Resv>(Port::A);
    assert_eq!((up.message.confirm, up.shares()), (Some(r1), vec![(4.0, vec![s1])]));
    dut.expect_silence();
    let mut resv = dut.resv(Station::D2, g, Style::Ff, &[ff(cl(2.0), s1)]);
    resv.confirm = Some(r2);
    dut.send(Station::D2, resv);
    assert_eq!(dut.expect::<ResvConf>(Port::D).message.confirm, r2);
    dut.expect_silence();
    dut.reserve(Station::D3, g, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.advance(3 * R);
    for port in Port::ALL {
        dut.expect_no::<ResvConf>(port);
    }
}

#[test]
fn a_confirmation_request_is_passed_on_once() {
    shows(&["rfc2205-2.6-03"]);
    let mut dut = Lab::in_process().router();
    let (h, s1, r1) = (dut.h(), dut.s1(), dut.plan.address(7, 7));
    dut.learn(Station::U1, h, s1);
    let mut resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    resv.confirm = Some(r1);
    dut.send(Station::D1, resv.clone());
    resv.confirm = None;
    for _ in 0..5 {
        dut.advance(R);
        let path = dut.path(Station::U1, h, s1);
        dut.send(Station::U1, path);
        dut.send(Station::D1, resv.clone());
    }
    let asked: Vec<_> = dut.all::<Resv>(Port::A).into_iter().map(|resv| resv.message.confirm).collect();
    assert!(asked.len() >= 4, "{} Resvs in five periods", asked.len());
    assert_eq!(asked[0], Some(r1));
    assert!(asked[1..].iter().all(Option::is_none), "{asked:?}");
}

#[test]
fn a_path_that_crossed_other_routers_breaks_the_adspec() {
    shows(&["rfc2205-2.9-02", "rfc2205-3.8-05"]);
    for (ttl, broken) in [(64, 0), (63, 0x80)] {
        let mut dut = Lab::in_process().router();
        let (h, s1) = (dut.h(), dut.s1());
        let mut path = dut.path(Station::U1, h, s1);
        let adspec =
            hex("00000009 01000008 04000001 00000003 06000001 49742400 08000001 000001f4 0a000001 000005dc");
        let object = RawObject { class: 13, ctype: 2, contents: adspec };
        path.adspec = Some(rsvp_core::wire::Adspec::decode(&object));
        let mut packet = dut.pack(Station::U1, path);
        packet.ttl = ttl;
        dut.send_packet(Station::U1, &packet);
        let sent = dut.expect::<Path>(Port::C);
        assert_eq!(sent.objects(ClassNum::ADSPEC)[0].contents[5] & 0x80, broken, "TTL {ttl}");
        assert_eq!(dut.senders(h)[0].non_rsvp, broken != 0);
    }
}

#[test]
fn the_lih_says_which_interface_a_resv_is_for() {
    shows(&["rfc2205-2.9-04", "rfc2209-2.resv-01"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.learn(Station::U1, h, s1);
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    let packet = dut.pack(Station::D1, resv);
    dut.send_packet(Station::D2, &packet);
    assert_eq!(dut.reserved(Port::C), [(1.0, vec![s1])]);
    assert!(dut.reserved(Port::D).is_empty());
}

#[test]
fn a_resv_before_any_path_is_refused() {
    shows(&["rfc2205-2.10-01", "rfc2205-B-06", "rfc2209-2.resv-02"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, resv);
    let error = dut.expect_to::<ResvErr>(Station::D1);
    assert_eq!((error.message.error.code, error.sent.port), (3, Port::C));
    dut.expect_silence();
    assert!(dut.reservations(h).is_empty() && dut.node().sessions().is_empty());
}

#[test]
fn path_state_is_kept_for_receivers_to_come() {
    shows(&["rfc2205-2.10-02"]);
    let mut dut = Lab::in_process().with(Family::V4, |_| ());
    let (g, s1) = (dut.g(), dut.s1());
    let (group, source) = (g.flow().destination, Some(s1.source()));
    dut.set_route(group, source, group_route(Port::A, &[]));
    let path = dut.path(Station::U1, g, s1);
    dut.send(Station::U1, path);
    dut.expect_silence();
    assert_eq!(dut.senders(g).len(), 1);
    dut.set_route(group, source, group_route(Port::A, &[Port::C]));
    dut.advance(Duration::from_millis(2500));
    let path = dut.expect::<Path>(Port::C);
    assert!(path.sent.at.as_micros() >= 2_000_000, "after W: {:?}", path.sent.at);
}

#[test]
fn installed_is_no_more_than_the_senders_send() {
    shows(&["rfc2205-2.2-03"]);
    let mut dut = Lab::in_process().router();
    let g = dut.g();
    for (station, number) in [(Station::U1, 1), (Station::U2, 2)] {
        let mut path = dut.path(station, g, dut.plan.sender(number));
        path.sender_tspec = tspec(2.0);
        dut.send(station, path);
    }
    dut.forget();
    let resv = dut.resv(Station::D1, g, Style::Wf, &[wf(cl(10.0))]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(10.0, vec![])]);
    let installed = dut.kernel(Port::C);
    assert_eq!(installed[0].sender_tspec, Some(tspec(4.0)), "Path_Te is the sum");
    let c = dut.node().interfaces().into_iter().find(|view| view.id == Port::C.interface());
    assert_eq!(c.expect("c is there").reserved, 40_000, "traffic control takes the lesser of both");
}
