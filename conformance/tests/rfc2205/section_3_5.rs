//! RFC 2205 section 3.5: blockade state.

use conformance::bench::{Dut, Family, Lab, Port, R, Station, bucket, cl, ff, se, wf};
use conformance::shows;
use rsvp_core::wire::{ErrorSpec, Flowspec, Resv, ResvErr, Style, Tspec};

/// WF: 4B from D1 on c, 2B from D2 on d.
fn four_and_two() -> Dut {
    let mut dut = Lab::in_process().group(2);
    let g = dut.g();
    dut.reserve(Station::D1, g, Style::Wf, &[wf(cl(4.0))]);
    dut.reserve(Station::D2, g, Style::Wf, &[wf(cl(2.0))]);
    dut
}

/// U1 says that 4B failed.
fn fail(dut: &mut Dut, flags: u8) {
    let g = dut.g();
    let error = dut.resv_err(Station::U1, g, Style::Wf, wf(cl(4.0)), (1, 2, flags));
    dut.send(Station::U1, error);
}

/// Keeps path and reservation state of the group alive for so many periods.
fn keep_alive(dut: &mut Dut, periods: u32) {
    let g = dut.g();
    for _ in 0..periods {
        dut.advance(R);
        for (station, number) in [(Station::U1, 1), (Station::U2, 2)] {
            let path = dut.path(station, g, dut.plan.sender(number));
            dut.send(station, path);
        }
        for (station, n) in [(Station::D1, 4.0), (Station::D2, 2.0)] {
            let resv = dut.resv(station, g, Style::Wf, &[wf(cl(n))]);
            dut.send(station, resv);
        }
    }
}

/// The rates that the DUT asked of a previous hop, in units of B.
fn asked(dut: &mut Dut, port: Port) -> Vec<f32> {
    dut.all::<Resv>(port).iter().map(|resv| resv.shares()[0].0).collect()
}

#[test]
fn only_admission_failures_blockade() {
    shows(&["rfc2205-3.5-01"]);
    let mut dut = four_and_two();
    let g = dut.g();
    let error = dut.resv_err(Station::U1, g, Style::Wf, wf(cl(4.0)), (2, 0, 0));
    dut.send(Station::U1, error);
    dut.expect_no::<Resv>(Port::A);
    fail(&mut dut, 0);
    assert_eq!(asked(&mut dut, Port::A), [2.0]);
    let error = dut.resv_err(Station::U1, g, Style::Wf, wf(cl(1.5)), (1, 2, 0));
    dut.send(Station::U1, error);
    dut.forget();
    keep_alive(&mut dut, 3);
    assert!(asked(&mut dut, Port::A).iter().all(|rate| *rate == 2.0), "Qb = 1.5B blockades all: the GLB");
}

#[test]
fn a_blockade_concerns_its_previous_hop_alone() {
    shows(&["rfc2205-3.5-02", "rfc2209-1-05"]);
    let mut dut = four_and_two();
    fail(&mut dut, 0);
    keep_alive(&mut dut, 2);
    assert!(asked(&mut dut, Port::B).iter().all(|rate| *rate == 4.0));
    assert!(asked(&mut dut, Port::A).iter().all(|rate| *rate == 2.0));
}

#[test]
fn a_blockade_of_one_sender_leaves_the_others_alone() {
    shows(&["rfc2205-3.5-07"]);
    let mut dut = Lab::in_process().group(2);
    let (g, s1, s2) = (dut.g(), dut.s1(), dut.s2());
    dut.reserve(Station::D1, g, Style::Se, &[se(cl(4.0), &[s1, s2])]);
    dut.reserve(Station::D2, g, Style::Se, &[se(cl(2.0), &[s1, s2])]);
    let error = dut.resv_err(Station::U1, g, Style::Se, se(cl(4.0), &[s1]), (1, 2, 0));
    dut.send(Station::U1, error);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(2.0, vec![s1])]);
    dut.expect_no::<Resv>(Port::B);
    dut.advance(R + R / 2);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(2.0, vec![s1])]);
    assert_eq!(dut.expect::<Resv>(Port::B).shares(), [(4.0, vec![s2])]);
}

#[test]
fn what_a_blockade_holds_back() {
    shows(&["rfc2205-3.5-03"]);
    let flowspec = |rate: f32, depth: f32| {
        Flowspec::ControlledLoad(Tspec {
            rate: rate * 1e4,
            bucket: depth * 1e4,
            peak: rate * 1e4,
            ..bucket(1.0)
        })
    };
    for (request, held_back) in [
        (flowspec(10.0, 10.0), true),
        (flowspec(12.0, 12.0), true),
        (flowspec(12.0, 5.0), true),
        (flowspec(5.0, 5.0), false),
    ] {
        let mut dut = Lab::in_process().group(2);
        let (g, s1) = (dut.g(), dut.s1());
        dut.reserve(Station::D1, g, Style::Ff, &[ff(flowspec(10.0, 10.0), s1)]);
        let error = dut.resv_err(Station::U1, g, Style::Ff, ff(flowspec(10.0, 10.0), s1), (1, 2, 0));
        dut.send(Station::U1, error);
        dut.forget();
        let resv = dut.resv(Station::D2, g, Style::Ff, &[ff(request.clone(), s1)]);
        dut.send(Station::D2, resv);
        let up: Vec<_> =
            dut.all::<Resv>(Port::A).into_iter().map(|resv| resv.message.flows[0].flowspec.clone()).collect();
        let expected = if held_back { vec![] } else { vec![Some(request)] };
        assert_eq!(up, expected);
    }
}

#[test]
fn a_smaller_request_is_tried_at_once() {
    shows(&["rfc2205-3.5-04", "rfc2205-2.5-03", "rfc2209-2.rerr-02"]);
    let mut dut = four_and_two();
    fail(&mut dut, 0);
    assert_eq!(asked(&mut dut, Port::A), [2.0]);
    dut.expect_no::<Resv>(Port::B);

    let mut dut = Lab::in_process().group(2);
    let g = dut.g();
    dut.reserve(Station::D1, g, Style::Wf, &[wf(cl(4.0))]);
    fail(&mut dut, 0);
    dut.forget();
    let resv = dut.resv(Station::D2, g, Style::Wf, &[wf(cl(2.0))]);
    dut.send(Station::D2, resv);
    assert_eq!(asked(&mut dut, Port::A), [2.0]);
}

#[test]
fn the_in_place_flag_limits_who_is_told() {
    shows(&["rfc2205-3.5-05", "rfc2209-2.rerr-05", "rfc2205-A.5-02"]);
    for (flags, d2_too) in [(0, true), (ErrorSpec::IN_PLACE, false)] {
        let mut dut = four_and_two();
        fail(&mut dut, flags);
        assert_eq!(dut.expect_to::<ResvErr>(Station::D1).message.error.flags, flags);
        if d2_too {
            assert_eq!(dut.expect_to::<ResvErr>(Station::D2).message.error.flags, flags);
        }
        dut.expect_no::<ResvErr>(Port::D);
        dut.expect_no::<ResvErr>(Port::C);
    }
}

#[test]
fn the_merge_leaves_blockaded_requests_out() {
    shows(&["rfc2205-3.5-06", "rfc2209-2.rrefresh-05", "rfc2205-2.5-04", "rfc2205-3.5-11"]);
    let mut dut = Lab::in_process().group(2);
    let g = dut.g();
    dut.reserve(Station::D1, g, Style::Wf, &[wf(cl(4.0))]);
    dut.reserve(Station::D2, g, Style::Wf, &[wf(cl(6.0))]);
    fail(&mut dut, 0);
    dut.expect_no::<Resv>(Port::A);
    dut.advance(R + R / 2);
    assert_eq!(asked(&mut dut, Port::A)[0], 4.0, "all are blockaded: the greatest lower bound");
    assert_eq!(dut.reserved(Port::C), [(4.0, vec![])]);
    assert_eq!(dut.reserved(Port::D), [(6.0, vec![])]);
    let resv = dut.resv(Station::D3, g, Style::Wf, &[wf(cl(2.0))]);
    dut.send(Station::D3, resv);
    assert_eq!(dut.reserved(Port::D), [(6.0, vec![])]);
}

#[test]
fn figure_12_and_what_follows() {
    shows(&["rfc2205-3.5-08", "rfc2205-3.5-09"]);
    let mut dut = four_and_two();
    fail(&mut dut, ErrorSpec::IN_PLACE);
    assert_eq!(dut.reserved(Port::C), [(4.0, vec![])]);
    assert_eq!(dut.reserved(Port::D), [(2.0, vec![])]);
    dut.forget();
    keep_alive(&mut dut, 3);
    assert!(asked(&mut dut, Port::A).iter().all(|rate| *rate == 2.0), "blockaded for Kb * R");
    keep_alive(&mut dut, 3);
    assert_eq!(asked(&mut dut, Port::A).last(), Some(&4.0), "tried again after Kb * R");
    dut.forget();
    fail(&mut dut, ErrorSpec::IN_PLACE);
    assert_eq!(asked(&mut dut, Port::A), [2.0]);
    let _ = dut.expect_to::<ResvErr>(Station::D1);
    dut.expect_no::<ResvErr>(Port::D);
}

#[test]
fn the_blockade_multiple_is_configurable() {
    shows(&["rfc2205-3.5-10"]);
    for (multiple, blockaded) in [(1, false), (8, true)] {
        let mut dut = Lab::in_process()
            .with(Family::V4, |config| config.default_interface.blockade_multiple = multiple);
        let g = dut.g();
        for (station, number) in [(Station::U1, 1), (Station::U2, 2)] {
            let sender = dut.plan.sender(number);
            dut.learn(station, g, sender);
        }
        dut.reserve(Station::D1, g, Style::Wf, &[wf(cl(4.0))]);
        dut.reserve(Station::D2, g, Style::Wf, &[wf(cl(2.0))]);
        fail(&mut dut, 0);
        keep_alive(&mut dut, 4);
        let last = asked(&mut dut, Port::A).last().copied();
        assert_eq!(last, Some(if blockaded { 2.0 } else { 4.0 }), "Kb = {multiple}");
    }
}
