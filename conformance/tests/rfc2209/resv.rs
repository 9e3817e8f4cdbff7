//! RFC 2209 section 2: RESV, RTEAR, RERR and RACK MESSAGE ARRIVES, UPDATE TRAFFIC CONTROL and RESV REFRESH.

use std::time::Duration;

use conformance::bench::{Dut, Lab, Port, R, Received, Station, cl, ff, se, tspec, wf};
use conformance::shows;
use rsvp_core::InterfaceId;
use rsvp_core::admission::{Admission, AdmissionRequest, BandwidthPools, Decision};
use rsvp_core::event::Upcall;
use rsvp_core::intserv::Hop;
use rsvp_core::output::{PoliceFlags, Request};
use rsvp_core::policy::LocalPolicy;
use rsvp_core::wire::{Adspec, ErrorSpec, Flowspec, Resv, ResvConf, ResvErr, ResvTear, Style};

#[test]
fn without_an_lih_the_destination_address_says_the_interface() {
    shows(&["rfc2209-2.resv-01"]);
    let mut dut = Lab::in_process().unicast(3);
    let (h, s1) = (dut.h(), dut.s1());
    let mut resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    resv.hop.lih = 0;
    dut.send(Station::D1, resv);
    assert_eq!(dut.reserved(Port::C), [(1.0, vec![s1])]);
}

#[test]
fn styles_conflict_across_interfaces() {
    let mut dut = Lab::in_process().group(3);
    let (g, s1) = (dut.g(), dut.s1());
    dut.reserve(Station::D1, g, Style::Ff, &[ff(cl(1.0), s1)]);
    let resv = dut.resv(Station::D2, g, Style::Se, &[se(cl(1.0), &[s1])]);
    dut.send(Station::D2, resv);
    let error = dut.expect_to::<ResvErr>(Station::D2).message.error;
    assert_eq!((error.code, error.value), (5, 0x0a));
}

#[test]
fn a_change_of_style_needs_a_tear_first() {
    shows(&["rfc2209-2.resv-05"]);
    let mut dut = Lab::in_process().unicast(3);
    let (h, s1) = (dut.h(), dut.s1());
    dut.reserve(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    let shared = dut.resv(Station::D1, h, Style::Se, &[se(cl(1.0), &[s1])]);
    dut.send(Station::D1, shared.clone());
    let error = dut.expect_to::<ResvErr>(Station::D1).message.error;
    assert_eq!((error.code, error.value), (5, 0x0a));
    let tear = dut.resv_tear(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, tear);
    dut.forget();
    dut.send(Station::D1, shared);
    assert_eq!(dut.expect::<Resv>(Port::A).message.style, Style::Se);
    dut.expect_silence();
}

#[test]
fn several_paths_of_one_sender_are_one_sender() {
    shows(&["rfc2209-2.resv-08"]);
    let mut dut = Lab::in_process().unicast(3);
    let (h, s1) = (dut.h(), dut.s1());
    dut.learn(Station::U2, h, s1);
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, resv);
    dut.expect_no::<ResvErr>(Port::C);
    assert_eq!(dut.reserved(Port::C), [(1.0, vec![s1])]);
}

#[test]
fn se_filters_that_match_nobody_are_left_out() {
    shows(&["rfc2209-2.resv-09"]);
    let mut dut = Lab::in_process().unicast(3);
    let (h, s1, unknown) = (dut.h(), dut.s1(), dut.plan.sender(9));
    let resv = dut.resv(Station::D1, h, Style::Se, &[se(cl(1.0), &[s1, unknown])]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![s1])]);
    dut.expect_silence();
    assert_eq!(dut.reserved(Port::C), [(1.0, vec![s1])]);
    let mut dut = Lab::in_process().unicast(3);
    let resv = dut.resv(Station::D1, h, Style::Se, &[se(cl(1.0), &[unknown])]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect_to::<ResvErr>(Station::D1).message.error.code, 4);
}

#[test]
fn each_se_filter_has_its_own_lifetime() {
    shows(&["rfc2209-2.resv-11"]);
    let mut dut = Lab::in_process().router();
    let (h, s1, s2) = (dut.h(), dut.s1(), dut.s2());
    for (station, sender) in [(Station::U1, s1), (Station::U2, s2)] {
        let mut path = dut.path(station, h, sender);
        path.refresh_ms = 600_000;
        dut.send(station, path);
    }
    let mut both = dut.resv(Station::D1, h, Style::Se, &[se(cl(1.0), &[s1, s2])]);
    both.refresh_ms = 4000;
    dut.send(Station::D1, both);
    let mut one = dut.resv(Station::D1, h, Style::Se, &[se(cl(1.0), &[s1])]);
    one.refresh_ms = 4000;
    for _ in 0..5 {
        dut.advance(Duration::from_secs(4));
        dut.send(Station::D1, one.clone());
    }
    assert_eq!(dut.reserved(Port::C), [(1.0, vec![s1, s2])], "L is 21 s");
    dut.forget();
    dut.advance(Duration::from_secs(2));
    assert_eq!(dut.reserved(Port::C), [(1.0, vec![s1])]);
    assert_eq!(dut.expect::<ResvTear>(Port::B).message.flows[0].filters, [s2]);
}

#[test]
fn an_identical_resv_is_quiet_and_a_changed_one_is_not() {
    shows(&["rfc2209-2.resv-13"]);
    let mut dut = Lab::in_process().unicast(3);
    let (h, s1) = (dut.h(), dut.s1());
    dut.reserve(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    for _ in 0..3 {
        let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
        dut.send(Station::D1, resv);
    }
    dut.expect_silence();
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(2.0), s1)]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(2.0, vec![s1])]);
    assert_eq!(dut.reserved(Port::C), [(2.0, vec![s1])]);
}

#[test]
fn a_refresh_that_asks_for_a_confirmation_is_no_mere_refresh() {
    shows(&["rfc2209-2.resv-14"]);
    let mut dut = Lab::in_process().unicast(3);
    let (h, s1, receiver) = (dut.h(), dut.s1(), dut.plan.address(7, 7));
    dut.reserve(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    let mut resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    resv.confirm = Some(receiver);
    for _ in 0..2 {
        dut.send(Station::D1, resv.clone());
        let passed: Vec<_> =
            dut.all::<Resv>(Port::A).into_iter().filter_map(|resv| resv.message.confirm).collect();
        let answered: Vec<_> =
            dut.all::<ResvConf>(Port::C).into_iter().map(|conf| conf.message.confirm).collect();
        assert_eq!([passed, answered].concat(), [receiver], "passed on or answered, once");
    }
}

#[test]
fn a_refused_change_restores_what_was_there() {
    shows(&["rfc2209-2.resv-15"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    let mut path = dut.path(Station::U1, h, s1);
    path.sender_tspec = tspec(200.0);
    dut.send(Station::U1, path);
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(100.0), s1)]);
    dut.send(Station::D1, resv.clone());
    assert!(dut.reservations(h).is_empty(), "the first request is forgotten");
    dut.reserve(Station::D1, h, Style::Ff, &[ff(cl(2.0), s1)]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.reservations(h)[0].flowspec, cl(2.0));
    assert!(dut.reservations(h)[0].refused.is_some());
}

#[test]
fn a_resv_goes_to_the_previous_hops_that_it_concerns() {
    shows(&["rfc2209-2.resv-16", "rfc2209-2.rrefresh-01"]);
    let mut dut = Lab::in_process().unicast(3);
    let (h, s2, s3) = (dut.h(), dut.s2(), dut.s3());
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s2), ff(cl(2.0), s3)]);
    dut.send(Station::D1, resv);
    let last = dut.all::<Resv>(Port::B).pop().expect("a Resv");
    assert_eq!(last.shares(), [(1.0, vec![s2]), (2.0, vec![s3])], "both descriptors in one message");
    dut.expect_silence();
}

#[test]
fn a_wildcard_tear_removes_the_reservation_of_its_next_hop() {
    shows(&["rfc2209-2.rtear-02", "rfc2209-2.rtear-01"]);
    let mut dut = Lab::in_process().router();
    let (k, s1) = (dut.k(), dut.s1());
    dut.learn(Station::U1, k, s1);
    dut.reserve(Station::D2, k, Style::Wf, &[wf(cl(3.0))]);
    dut.reserve(Station::D3, k, Style::Wf, &[wf(cl(1.0))]);
    let tear = dut.resv_tear(Station::D2, k, Style::Wf, &[wf(cl(3.0))]);
    dut.send(Station::D2, tear);
    let left = dut.reservations(k);
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].next_hop, Some(dut.plan.station(Station::D3)));
    assert_eq!(dut.reserved(Port::D), [(1.0, vec![])]);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![])]);
}

#[test]
fn a_tear_is_made_anew_for_each_previous_hop() {
    shows(&["rfc2209-2.rtear-03"]);
    let mut dut = Lab::in_process().group(3);
    let (g, s2, s3) = (dut.g(), dut.s2(), dut.s3());
    dut.reserve(Station::D1, g, Style::Ff, &[ff(cl(1.0), s2), ff(cl(4.0), s3)]);
    dut.reserve(Station::D2, g, Style::Ff, &[ff(cl(2.0), s3)]);
    let tear = dut.resv_tear(Station::D1, g, Style::Ff, &[ff(cl(1.0), s2), ff(cl(4.0), s3)]);
    dut.send(Station::D1, tear);
    let torn = dut.all::<ResvTear>(Port::B);
    let torn: Vec<_> =
        torn.iter().flat_map(|tear| &tear.message.flows).flat_map(|flow| flow.filters.clone()).collect();
    assert_eq!(torn, [s2]);
    assert_eq!(dut.all::<Resv>(Port::B).pop().expect("a Resv").shares(), [(2.0, vec![s3])]);
    dut.expect_silence();
}

#[test]
fn a_reservation_error_without_path_state_is_dropped() {
    shows(&["rfc2209-2.rerr-01"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    let error = dut.resv_err(Station::U1, h, Style::Ff, ff(cl(1.0), s1), (1, 2, 0));
    dut.send(Station::U1, error);
    dut.expect_silence();
    assert!(dut.node().sessions().is_empty());
    assert_eq!(dut.all_drops(), 1);
}

#[test]
fn a_failure_of_all_there_is_starts_no_loop() {
    shows(&["rfc2209-2.rerr-03"]);
    let mut dut = Lab::in_process().unicast(3);
    let (h, s1) = (dut.h(), dut.s1());
    dut.reserve(Station::D1, h, Style::Ff, &[ff(cl(4.0), s1)]);
    let mut answers = 0;
    for _ in 0..20 {
        let error = dut.resv_err(Station::U1, h, Style::Ff, ff(cl(4.0), s1), (1, 2, 0));
        dut.send(Station::U1, error);
        answers += dut.all::<Resv>(Port::A).len();
    }
    assert_eq!(answers, 0, "no Resv in answer to a ResvErr");
}

#[test]
fn an_error_concerns_those_who_share_a_filter_with_it() {
    shows(&["rfc2209-2.rerr-04"]);
    let mut dut = Lab::in_process().group(3);
    let (g, s1, s2) = (dut.g(), dut.s1(), dut.s2());
    dut.reserve(Station::D1, g, Style::Se, &[se(cl(1.0), &[s1])]);
    dut.reserve(Station::D2, g, Style::Se, &[se(cl(1.0), &[s2])]);
    let error = dut.resv_err(Station::U1, g, Style::Se, se(cl(1.0), &[s1]), (2, 0, 0));
    dut.send(Station::U1, error);
    let _ = dut.expect_to::<ResvErr>(Station::D1);
    dut.expect_silence();
}

#[test]
fn the_in_place_flag_counts_for_admission_failures_only() {
    shows(&["rfc2209-2.rerr-06"]);
    let mut dut = Lab::in_process().group(3);
    let g = dut.g();
    dut.reserve(Station::D1, g, Style::Wf, &[wf(cl(4.0))]);
    dut.reserve(Station::D2, g, Style::Wf, &[wf(cl(2.0))]);
    let error = dut.resv_err(Station::U1, g, Style::Wf, wf(cl(4.0)), (2, 0, ErrorSpec::IN_PLACE));
    dut.send(Station::U1, error);
    let _ = (dut.expect_to::<ResvErr>(Station::D1), dut.expect_to::<ResvErr>(Station::D2));
    dut.expect_silence();
}

#[test]
fn an_error_ends_at_its_receiver() {
    shows(&["rfc2209-2.rerr-07"]);
    let mut dut = Lab::in_process().host();
    let (session, s1) = (dut.plan.session(dut.plan.dut(Port::A), 5000), dut.s1());
    let api = dut.open(session);
    dut.learn(Station::U1, session, s1);
    let request = rsvp_core::command::ReserveRequest {
        receiver: dut.plan.dut(Port::A),
        style: Style::Ff,
        flows: vec![ff(cl(2.0), s1)],
        policy: Vec::new(),
        confirm: false,
    };
    dut.command(rsvp_core::Command::Reserve(api, request)).expect("it is a good request");
    dut.forget();
    for (n, flags) in [(4.0, ErrorSpec::NOT_GUILTY), (2.0, 0)] {
        dut.upcalls();
        let error = dut.resv_err(Station::U1, session, Style::Ff, ff(cl(n), s1), (1, 2, 0));
        dut.send(Station::U1, error);
        let upcalls = dut.upcalls();
        let [(_, Upcall::ResvError { error, .. })] = &upcalls[..] else { panic!("{upcalls:?}") };
        assert_eq!(error.flags, flags, "{n} B failed, this receiver asked for 2 B");
        dut.expect_no::<ResvErr>(Port::A);
        dut.expect_no::<ResvErr>(Port::C);
        dut.forget();
    }
}

#[test]
fn a_confirmation_needs_no_state_to_pass() {
    shows(&["rfc2209-2.rack-01"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    let confirmation = dut.resv_conf(h, h.flow().destination, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::U1, confirmation.clone());
    assert_eq!(dut.expect::<ResvConf>(Port::C).message, confirmation);
    let here = dut.plan.dut(Port::A);
    let confirmation = dut.resv_conf(h, here, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::U1, confirmation);
    dut.expect_silence();
}

#[test]
fn the_end_of_a_reservation_ends_its_installation() {
    shows(&["rfc2209-2.utc-08"]);
    let mut dut = Lab::in_process().unicast(3);
    let (h, s1) = (dut.h(), dut.s1());
    dut.reserve(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    let id = dut.kernel(Port::C)[0].id;
    dut.inside().take_requests();
    let tear = dut.resv_tear(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, tear);
    assert_eq!(dut.inside().take_requests(), [Request::Remove(id)]);
    assert_eq!(dut.expect::<ResvTear>(Port::A).message.flows[0].filters, [s1]);
    assert!(dut.node().installed().is_empty());
}

#[test]
fn a_change_of_police_flags_alone_is_no_news_upstream() {
    shows(&["rfc2209-2.utc-09"]);
    let mut dut = Lab::in_process().group(3);
    let (g, s1) = (dut.g(), dut.s1());
    dut.reserve(Station::D1, g, Style::Ff, &[ff(cl(4.0), s1)]);
    let resv = dut.resv(Station::D2, g, Style::Ff, &[ff(cl(2.0), s1)]);
    dut.send(Station::D2, resv);
    dut.expect_silence();
    assert!(dut.kernel(Port::D)[0].police.contains(PoliceFlags::BRANCH));
    let mut path = dut.path(Station::U1, g, s1);
    path.session.flags = rsvp_core::wire::Session::E_POLICE;
    dut.send(Station::U1, path);
    assert!(dut.kernel(Port::C)[0].police.contains(PoliceFlags::ENTRY));
    dut.expect_no::<Resv>(Port::A);
}

#[test]
fn a_changed_filter_set_keeps_the_reservation() {
    shows(&["rfc2209-2.utc-10"]);
    let mut dut = Lab::in_process().unicast(3);
    let (h, s1, s2) = (dut.h(), dut.s1(), dut.s2());
    dut.reserve(Station::D1, h, Style::Se, &[se(cl(1.0), &[s1, s2])]);
    let id = dut.kernel(Port::C)[0].id;
    let tear = dut.resv_tear(Station::D1, h, Style::Se, &[se(cl(1.0), &[s1])]);
    dut.inside().take_requests();
    dut.send(Station::D1, tear);
    let requests = dut.inside().take_requests();
    let [Request::Install(changed)] = &requests[..] else { panic!("{requests:?}") };
    assert_eq!((changed.id, &changed.filters), (id, &vec![s2]));
}

#[test]
fn the_previous_hop_of_a_local_sender_is_here() {
    shows(&["rfc2209-2.rrefresh-04"]);
    let mut dut = Lab::in_process().host();
    let h = dut.h();
    let sender = rsvp_core::wire::FilterSpec::Ip { source: dut.plan.dut(Port::C), port: 4000 };
    let api = dut.open(h);
    let request = rsvp_core::command::SenderRequest {
        template: sender,
        tspec: tspec(20.0),
        adspec: false.into(),
        policy: Vec::new(),
        ttl: 64,
    };
    dut.command(rsvp_core::Command::AddSender(api, request)).expect("it is a good sender");
    dut.forget();
    let receiver = h.flow().destination;
    let mut resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), sender)]);
    resv.confirm = Some(receiver);
    dut.send(Station::D1, resv);
    let confirmation = dut.expect::<ResvConf>(Port::C);
    assert_eq!((confirmation.message.confirm, confirmation.sent.packet.destination), (receiver, receiver));
    dut.expect_silence();
}

#[test]
fn what_a_resv_says_in_each_style() {
    shows(&["rfc2209-2.rrefresh-08"]);
    let filters = |resv: &Received<Resv>| -> Vec<Vec<u8>> {
        resv.objects(rsvp_core::wire::ClassNum::FILTER_SPEC)
            .iter()
            .map(|object| object.contents.clone())
            .collect()
    };
    for (style, count) in [(Style::Ff, 2), (Style::Se, 2), (Style::Wf, 0)] {
        let mut dut = Lab::in_process().unicast(3);
        let (h, s2, s3) = (dut.h(), dut.s2(), dut.s3());
        let flows = match style {
            Style::Ff => vec![ff(cl(1.0), s2), ff(cl(2.0), s3)],
            Style::Se => vec![se(cl(2.0), &[s2, s3])],
            Style::Wf => vec![wf(cl(2.0))],
        };
        let resv = dut.resv(Station::D1, h, style, &flows);
        dut.send(Station::D1, resv);
        let sent = dut.all::<Resv>(Port::B).pop().expect("a Resv");
        let expected = [[10, 0, 0, 2, 0, 0, 0x0f, 0xa0], [10, 0, 0, 3, 0, 0, 0x0f, 0xa0]];
        assert_eq!(filters(&sent), expected[..count], "{style}");
        assert_eq!(sent.message.flows.len(), if style == Style::Ff { 2 } else { 1 });
        dut.advance(R + R / 2);
        let refreshed = dut.expect::<Resv>(Port::B);
        assert_eq!(filters(&refreshed), expected[..count], "{style}");
    }
}

#[test]
fn the_error_code_says_what_failed() {
    shows(&["rfc2209-2.utc-07"]);
    let mut dut = Lab::in_process().greedy();
    let (h, s1) = (dut.h(), dut.s1());
    let bad = rsvp_core::wire::Tspec { rate: f32::NAN, ..conformance::bench::bucket(1.0) };
    let failing = rsvp_core::input::InstallFailure { reason: "no more classes".to_owned() };
    dut.inside().set_installer(Box::new(move |_| Some(Err(failing.clone()))));
    for (flowspec, code) in
        [(cl(100.0), 1), (rsvp_core::wire::Flowspec::ControlledLoad(bad), 21), (cl(1.0), 22)]
    {
        let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(flowspec, s1)]);
        dut.send(Station::D1, resv);
        assert_eq!(dut.expect_to::<ResvErr>(Station::D1).message.error.code, code);
        dut.expect_silence();
    }
}

/// Traffic control that gives 3 B back for 4 B, and takes the rest as it comes.
struct GivesBack;

impl Admission for GivesBack {
    fn admit(&self, request: &AdmissionRequest<'_>) -> Decision {
        Decision::Admit { fwd: (*request.new == cl(4.0)).then(|| cl(3.0)) }
    }

    fn bandwidth(&self, flowspec: &Flowspec) -> u64 {
        BandwidthPools.bandwidth(flowspec)
    }

    fn advertise(&self, interface: InterfaceId, adspec: &Adspec, hop: &Hop) -> Adspec {
        BandwidthPools.advertise(interface, adspec, hop)
    }
}

#[test]
fn what_traffic_control_gave_back_is_merged() {
    shows(&["rfc2209-2.rrefresh-06"]);
    let mut dut = Dut::controlled(true, GivesBack, LocalPolicy);
    let (g, s1) = (dut.g(), dut.s1());
    dut.learn(Station::U1, g, s1);
    for (station, n) in [(Station::D1, 4.0), (Station::D2, 2.0)] {
        let resv = dut.resv(station, g, Style::Ff, &[ff(cl(n), s1)]);
        dut.send(station, resv);
        dut.advance(Duration::from_secs(60));
        let refreshes = dut.all::<Resv>(Port::A);
        assert!(!refreshes.is_empty());
        assert!(refreshes.iter().all(|resv| resv.shares() == [(3.0, vec![s1])]), "{n} B: {refreshes:?}");
    }
    assert_eq!(
        (dut.reserved(Port::C), dut.reserved(Port::D)),
        (vec![(4.0, vec![s1])], vec![(2.0, vec![s1])])
    );
}
