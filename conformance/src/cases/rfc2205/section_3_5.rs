//! RFC 2205 section 3.5: blockade state.

use std::time::Duration;

use crate::bench::{B, Dut, Family, LASTING, Lab, Port, Station, bucket, cl, ff, se, wf};
use crate::cases::rfc2205::capacity::assert_room;
use crate::shows;
use rsvp_core::config::NodeConfig;
use rsvp_core::wire::{ErrorSpec, Flowspec, Resv, ResvErr, Style, Tspec};

/// Kb, unless it is configured otherwise.
const KB: u32 = 4;

/// Senders S1 and S2 of G, whose path state lasts.
fn announced(lab: &Lab, change: impl FnOnce(&mut NodeConfig)) -> Dut {
    let mut dut = lab.with(Family::V4, change);
    let g = dut.g();
    for (station, sender) in [(Station::U1, dut.s1()), (Station::U2, dut.s2())] {
        let mut path = dut.path(station, g, sender);
        path.refresh_ms = LASTING;
        dut.learn_from(station, path);
    }
    dut
}

/// Next hops reserve by WF for G, which is settled before the case goes on.
fn install(dut: &mut Dut, requests: &[(Station, f32)]) {
    let g = dut.g();
    for (station, n) in requests {
        dut.reserve(*station, g, Style::Wf, &[wf(cl(*n))]);
    }
}

/// Next hops reserve by WF for G, or refresh it.
fn reserve(dut: &mut Dut, requests: &[(Station, f32)]) {
    for (station, n) in requests {
        let resv = dut.resv(*station, dut.g(), Style::Wf, &[wf(cl(*n))]);
        dut.send(*station, resv);
    }
}

/// Keeps the next hops' reservations alive for a time.
fn keep_alive(dut: &mut Dut, requests: &[(Station, f32)], time: Duration) {
    let end = dut.now() + time;
    while dut.now() < end {
        reserve(dut, requests);
        let left = end.since(dut.now());
        dut.advance(left.min(dut.r()));
    }
}

/// WF: 4B from D1 on c, 2B from D2 on d.
const FOUR_AND_TWO: [(Station, f32); 2] = [(Station::D1, 4.0), (Station::D2, 2.0)];

/// The device with these requests.
fn four_and_two(lab: &Lab) -> Dut {
    let mut dut = announced(lab, |_| ());
    install(&mut dut, &FOUR_AND_TWO);
    dut
}

/// U1 says that so much failed: admission control had no bandwidth for it.
fn fail(dut: &mut Dut, n: f32, flags: u8) {
    let error = dut.resv_err(Station::U1, dut.g(), Style::Wf, wf(cl(n)), (1, 2, flags));
    dut.send(Station::U1, error);
}

/// The rates that the DUT asked of a previous hop, in units of [`B`].
fn asked(dut: &mut Dut, port: Port) -> Vec<f32> {
    dut.all::<Resv>(port).iter().map(|resv| resv.shares()[0].0).collect()
}

/// Asserts that a previous hop was refreshed, and always asked for the same.
fn assert_asked(dut: &mut Dut, port: Port, rate: f32, about: &str) {
    let rates = asked(dut, port);
    assert!(!rates.is_empty(), "expected refreshes from {port:?}, not silence");
    assert_eq!(rates, vec![rate; rates.len()], "{about}");
}

/// A ResvErr blockades what it names only if admission control failed; a further one replaces the flowspec, and starts
/// the time again.
pub(crate) fn only_admission_failures_blockade(lab: &Lab) {
    shows(&["rfc2205-3.5-01", "rfc2209-2.rerr-02"]);
    let mut dut = four_and_two(&lab.brisk());
    let (g, r) = (dut.g(), dut.r());
    let error = dut.resv_err(Station::U1, g, Style::Wf, wf(cl(4.0)), (2, 0, 0));
    dut.send(Station::U1, error);
    dut.forget();
    keep_alive(&mut dut, &FOUR_AND_TWO, 2 * r);
    assert_asked(&mut dut, Port::A, 4.0, "a policy failure blockades nothing");
    fail(&mut dut, 4.0, 0);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(2.0, vec![])]);
    keep_alive(&mut dut, &FOUR_AND_TWO, 5 * r / 2);
    fail(&mut dut, 1.0, 0);
    dut.forget();
    let requests = [(Station::D1, 0.5), (Station::D2, 2.0)];
    reserve(&mut dut, &requests);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(0.5, vec![])], "Qb = 1B: 2B is blockaded now");
    dut.forget();
    keep_alive(&mut dut, &requests, 5 * r / 2);
    assert_asked(&mut dut, Port::A, 0.5, "the time has begun anew");
}

/// A WF error from one previous hop changes nothing of what another is asked for.
pub(crate) fn a_blockade_concerns_its_previous_hop_alone(lab: &Lab) {
    shows(&["rfc2205-3.5-02", "rfc2209-1-05"]);
    let mut dut = four_and_two(&lab.brisk());
    let r = dut.r();
    fail(&mut dut, 4.0, 0);
    dut.forget();
    keep_alive(&mut dut, &FOUR_AND_TWO, 2 * r);
    assert_asked(&mut dut, Port::A, 2.0, "blockaded");
    assert_asked(&mut dut, Port::B, 4.0, "not blockaded");
}

/// An SE error about one sender leaves the requests for the other alone: behind another previous hop, and behind the
/// same.
pub(crate) fn a_blockade_of_one_sender_leaves_the_others_alone(lab: &Lab) {
    shows(&["rfc2205-3.5-07", "rfc2205-3.5-02"]);
    let mut dut = announced(&lab.brisk(), |_| ());
    let (g, s1, s2) = (dut.g(), dut.s1(), dut.s2());
    dut.reserve(Station::D1, g, Style::Se, &[se(cl(4.0), &[s1, s2])]);
    dut.reserve(Station::D2, g, Style::Se, &[se(cl(2.0), &[s1, s2])]);
    let error = dut.resv_err(Station::U1, g, Style::Se, se(cl(4.0), &[s1]), (1, 2, 0));
    dut.send(Station::U1, error);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(2.0, vec![s1])]);
    dut.settle();
    dut.advance(dut.timing.next_refresh());
    for (port, rate, sender) in [(Port::A, 2.0, s1), (Port::B, 4.0, s2)] {
        assert_eq!(dut.expect::<Resv>(port).shares(), [(rate, vec![sender])], "in the refresh");
    }
}

/// A request is blockaded unless it is strictly smaller than the one that failed: an equal, a larger and an incomparable
/// one are.
pub(crate) fn what_a_blockade_holds_back(lab: &Lab) {
    shows(&["rfc2205-3.5-03"]);
    let flowspec = |rate: f32, depth: f32, peak: f32| {
        let (rate, bucket_depth, peak) = (rate * B, depth * B, peak * B);
        Flowspec::ControlledLoad(Tspec { rate, bucket: bucket_depth, peak, ..bucket(1.0) })
    };
    let failed = flowspec(10.0, 9.0, 11.0);
    let mut dut = lab.router();
    let (group, s1) = (dut.g().flow().destination, dut.s1());
    for (port, (what, request, held_back)) in (5001..).zip([
        ("equal", failed.clone(), true),
        ("larger", flowspec(12.0, 11.0, 13.0), true),
        ("incomparable", flowspec(12.0, 5.0, 12.5), true),
        ("smaller", flowspec(5.0, 4.0, 6.0), false),
    ]) {
        let session = dut.plan.session(group, port);
        dut.learn(Station::U1, session, s1);
        dut.reserve(Station::D1, session, Style::Ff, &[ff(failed.clone(), s1)]);
        let error = dut.resv_err(Station::U1, session, Style::Ff, ff(failed.clone(), s1), (1, 2, 0));
        dut.send(Station::U1, error);
        dut.settle();
        let resv = dut.resv(Station::D2, session, Style::Ff, &[ff(request.clone(), s1)]);
        dut.send(Station::D2, resv);
        if !held_back {
            let flow = dut.expect::<Resv>(Port::A).message.flows.remove(0);
            assert_eq!(flow.flowspec, Some(request), "{what}");
        }
        assert_eq!(dut.all::<Resv>(Port::A).len(), 0, "{what}");
        let tear = dut.resv_tear(Station::D1, session, Style::Ff, &[ff(failed.clone(), s1)]);
        dut.send(Station::D1, tear);
        dut.settle();
    }
}

/// After 4B failed, the 2B that another next hop asks for, now or later, is asked of the previous hop at once.
pub(crate) fn a_smaller_request_is_tried_at_once(lab: &Lab) {
    shows(&["rfc2205-3.5-04", "rfc2205-2.5-03"]);
    let mut dut = four_and_two(lab);
    fail(&mut dut, 4.0, 0);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(2.0, vec![])], "2B was there before");
    dut.expect_no::<Resv>(Port::A);
    dut.expect_no::<Resv>(Port::B);

    let mut dut = announced(lab, |_| ());
    install(&mut dut, &FOUR_AND_TWO[..1]);
    fail(&mut dut, 4.0, 0);
    dut.settle();
    reserve(&mut dut, &FOUR_AND_TWO[1..]);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(2.0, vec![])], "2B came after");
}

/// A ResvErr of admission control goes to all next hops that reserve if nothing is in place where it was found, else to
/// those alone whose request is blockaded. The flag stays as it is.
pub(crate) fn the_in_place_flag_limits_who_is_told(lab: &Lab) {
    shows(&["rfc2205-3.5-05", "rfc2209-2.rerr-05", "rfc2205-A.5-02"]);
    for (flags, d2_too) in [(0, true), (ErrorSpec::IN_PLACE, false)] {
        let mut dut = four_and_two(lab);
        fail(&mut dut, 4.0, flags);
        assert_eq!(dut.expect_to::<ResvErr>(Station::D1).message.error.flags, flags, "to D1");
        if d2_too {
            assert_eq!(dut.expect_to::<ResvErr>(Station::D2).message.error.flags, flags, "to D2");
        }
        let _ = dut.expect::<Resv>(Port::A);
        dut.expect_silence();
    }
}

/// When all requests are blockaded, the least of them is asked for: their greatest lower bound. When one is not, that one.
pub(crate) fn the_merge_leaves_blockaded_requests_out(lab: &Lab) {
    shows(&["rfc2205-3.5-06", "rfc2209-2.rrefresh-05"]);
    let mut dut = announced(&lab.brisk(), |_| ());
    let next_refresh = dut.timing.next_refresh();
    let requests = [(Station::D1, 4.0), (Station::D2, 6.0)];
    install(&mut dut, &requests);
    fail(&mut dut, 4.0, 0);
    dut.settle();
    keep_alive(&mut dut, &requests, next_refresh);
    assert_asked(&mut dut, Port::A, 4.0, "all are blockaded");
    reserve(&mut dut, &[(Station::D1, 2.0)]);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(2.0, vec![])], "6B is blockaded, 2B is not");
}

/// What is blockaded upstream stays reserved here.
pub(crate) fn a_blockade_leaves_the_reservation_in_place(lab: &Lab) {
    shows(&["rfc2205-3.5-11", "rfc2205-2.5-04"]);
    let mut dut = four_and_two(lab);
    fail(&mut dut, 4.0, 0);
    dut.settle();
    assert_room(&mut dut, Station::D1, 46.0, 47.0);
    assert_room(&mut dut, Station::D2, 48.0, 49.0);
}

/// Figure 12: 4B failed by way of U1, not by way of U2. U1 is asked for 2B while the blockade lasts, U2 for 4B; c and d
/// keep what they have. After Kb times R, U1 is asked for 4B again, and a renewed error brings 2B back and goes to D1.
pub(crate) fn figure_12_and_what_follows(lab: &Lab) {
    shows(&["rfc2205-3.5-08", "rfc2205-3.5-09", "rfc2205-2.5-04"]);
    let mut dut = four_and_two(&lab.brisk());
    let r = dut.r();
    fail(&mut dut, 4.0, ErrorSpec::IN_PLACE);
    let begin = dut.now();
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(2.0, vec![])], "at once");
    dut.forget();
    assert_room(&mut dut, Station::D1, 46.0, 47.0);
    assert_room(&mut dut, Station::D2, 48.0, 49.0);
    dut.settle();
    let blockaded = (begin + KB * r).since(dut.now()) - r / 2;
    keep_alive(&mut dut, &FOUR_AND_TWO, blockaded);
    let (a, b) = (of_g(&mut dut, Port::A), of_g(&mut dut, Port::B));
    assert_eq!(a, vec![2.0; a.len()], "blockaded for Kb * R");
    assert_eq!(b, vec![4.0; b.len()], "not blockaded");
    assert!(a.len() > 1 && b.len() > 1, "expected refreshes, not {a:?} from a and {b:?} from b");
    keep_alive(&mut dut, &FOUR_AND_TWO, 5 * r / 2);
    assert_eq!(of_g(&mut dut, Port::A).last(), Some(&4.0), "tried again after Kb * R");
    dut.forget();
    fail(&mut dut, 4.0, ErrorSpec::IN_PLACE);
    let _ = dut.expect_to::<ResvErr>(Station::D1);
    dut.expect_no::<ResvErr>(Port::D);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(2.0, vec![])], "blockaded again");
}

/// The rates that the DUT asked of a previous hop for the session G itself.
fn of_g(dut: &mut Dut, port: Port) -> Vec<f32> {
    let g = dut.g();
    let mut all = dut.all::<Resv>(port);
    all.retain(|resv| resv.message.session.key == g);
    all.iter().map(|resv| resv.shares()[0].0).collect()
}

/// With a Kb of 1 the blockade ends soon, with one of 8 it lasts.
pub(crate) fn the_blockade_multiple_is_configurable(lab: &Lab) {
    shows(&["rfc2205-3.5-10"]);
    for (multiple, rate) in [(1, 4.0), (8, 2.0)] {
        let mut dut = announced(&lab.brisk(), |config| config.default_interface.blockade_multiple = multiple);
        let r = dut.r();
        install(&mut dut, &FOUR_AND_TWO);
        fail(&mut dut, 4.0, 0);
        keep_alive(&mut dut, &FOUR_AND_TWO, 5 * r);
        assert_eq!(asked(&mut dut, Port::A).last(), Some(&rate), "Kb = {multiple}");
    }
}
