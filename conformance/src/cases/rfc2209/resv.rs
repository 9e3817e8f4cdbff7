//! RFC 2209 section 2: RESV and RTEAR MESSAGE ARRIVES.

use super::names;
use crate::bench::{Lab, Port, Received, Station, cl, ff, millis, se, wf};
use crate::shows;
use rsvp_core::wire::{FilterSpec, Resv, ResvConf, ResvErr, ResvTear, Style};

/// The least lifetime of state that is not refreshed, in periods: (K + 0.5) * 1.5 with K = 3 (RFC 2205 section 3.7).
const LIFETIME: f64 = 5.25;

/// The senders that ResvTears name.
fn torn(tears: &[Received<ResvTear>]) -> Vec<FilterSpec> {
    let flows = tears.iter().flat_map(|tear| &tear.message.flows);
    let mut senders: Vec<FilterSpec> = flows.flat_map(|flow| flow.filters.clone()).collect();
    senders.sort_unstable();
    senders
}

/// With an LIH of 0, the address that a Resv was sent to says which interface it is for.
pub(crate) fn without_an_lih_the_destination_address_says_the_interface(lab: &Lab) {
    shows(&["rfc2209-2.resv-01"]);
    let mut dut = lab.greedy();
    let (h, s1) = (dut.h(), dut.s1());
    let mut resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(100.0), s1)]);
    resv.hop.lih = 0;
    dut.send(Station::D1, resv.clone());
    let error = dut.expect_to::<ResvErr>(Station::D1).message.error;
    assert_eq!((error.code, error.node), (1, dut.plan.dut(Port::C)), "there is not so much on c");
    resv.flows = vec![ff(cl(1.0), s1)];
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![s1])]);
    dut.expect_silence();
}

/// Next hops on different interfaces cannot ask for one session in different styles.
pub(crate) fn styles_conflict_across_interfaces(lab: &Lab) {
    shows(&["rfc2209-2.resv-04"]);
    let mut dut = lab.group(1);
    let (g, s1) = (dut.g(), dut.s1());
    let resv = dut.resv(Station::D1, g, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, resv);
    let _ = dut.expect::<Resv>(Port::A);
    let resv = dut.resv(Station::D2, g, Style::Se, &[se(cl(1.0), &[s1])]);
    dut.send(Station::D2, resv);
    let error = dut.expect_to::<ResvErr>(Station::D2).message.error;
    assert_eq!((error.code, error.value), (5, 0x0a), "conflicting style, with FF");
    dut.expect_silence();
}

/// A next hop that changes its style is refused, until it has torn down what it had.
pub(crate) fn a_change_of_style_needs_a_tear_first(lab: &Lab) {
    shows(&["rfc2209-2.resv-05"]);
    let mut dut = lab.unicast(1);
    let (h, s1) = (dut.h(), dut.s1());
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, resv);
    let _ = dut.expect::<Resv>(Port::A);
    let shared = dut.resv(Station::D1, h, Style::Se, &[se(cl(1.0), &[s1])]);
    dut.send(Station::D1, shared.clone());
    let error = dut.expect_to::<ResvErr>(Station::D1).message.error;
    assert_eq!((error.code, error.value), (5, 0x0a), "conflicting style, with FF");
    dut.expect_silence();
    let tear = dut.resv_tear(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, tear);
    let _ = dut.expect::<ResvTear>(Port::A);
    dut.send(Station::D1, shared);
    assert_eq!(dut.expect::<Resv>(Port::A).message.style, Style::Se);
    dut.expect_silence();
}

/// A sender whose Paths come in on two interfaces is one sender to a filter.
pub(crate) fn several_paths_of_one_sender_are_one_sender(lab: &Lab) {
    shows(&["rfc2209-2.resv-08"]);
    let mut dut = lab.group(1);
    let (g, s1) = (dut.g(), dut.s1());
    dut.learn(Station::U2, g, s1);
    let resv = dut.resv(Station::D1, g, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![s1])]);
    dut.expect_no::<ResvErr>(Port::C);
}

/// An SE reservation is made for those of its senders that are known; it is refused if none is.
pub(crate) fn se_filters_that_match_nobody_are_left_out(lab: &Lab) {
    shows(&["rfc2209-2.resv-09"]);
    let mut dut = lab.unicast(1);
    let (h, s1, unknown) = (dut.h(), dut.s1(), dut.plan.sender(9));
    let resv = dut.resv(Station::D1, h, Style::Se, &[se(cl(1.0), &[s1, unknown])]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![s1])]);
    dut.expect_silence();
    let other = dut.h_at(5001);
    dut.learn(Station::U1, other, s1);
    let resv = dut.resv(Station::D1, other, Style::Se, &[se(cl(1.0), &[unknown])]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect_to::<ResvErr>(Station::D1).message.error.code, 4, "no sender information");
    dut.expect_silence();
}

/// Resvs for one of two SE senders leave the other one in place until its lifetime is over, and no longer.
pub(crate) fn each_se_filter_has_its_own_lifetime(lab: &Lab) {
    shows(&["rfc2209-2.resv-11"]);
    let mut dut = lab.brisk().router();
    let (h, s1, s2, r) = (dut.h(), dut.s1(), dut.s2(), dut.r());
    for (station, sender) in [(Station::U1, s1), (Station::U2, s2)] {
        let mut path = dut.path(station, h, sender);
        path.refresh_ms = 20 * millis(r);
        dut.send(station, path);
    }
    let both = dut.resv(Station::D1, h, Style::Se, &[se(cl(1.0), &[s1, s2])]);
    let began = dut.now();
    dut.send(Station::D1, both);
    let one = dut.resv(Station::D1, h, Style::Se, &[se(cl(1.0), &[s1])]);
    for _ in 0..9 {
        dut.advance(r.saturating_sub(dut.timing.at_once));
        dut.send(Station::D1, one.clone());
    }
    let slack = dut.timing.slack;
    for tear in dut.all::<ResvTear>(Port::B) {
        assert_eq!(torn(std::slice::from_ref(&tear)), [s2]);
        let age = tear.sent.at.since(began);
        assert!(age + slack >= r.mul_f64(LIFETIME), "expected it to live for 5.25 R, not for {age:?}");
    }
    let last = |resvs: &[Received<Resv>], sender| {
        let its = resvs.iter().filter(|resv| names(resv, sender));
        its.map(|resv| resv.sent.at.since(began)).max().expect("Resvs for both senders")
    };
    let (upstream, other) = (dut.all::<Resv>(Port::A), dut.all::<Resv>(Port::B));
    let age = last(&other, s2);
    assert!(
        age + slack >= r.mul_f64(LIFETIME - 1.5),
        "S2 is refreshed as long as it lives, not until {age:?}"
    );
    assert!(age < r * 8, "S2 is refreshed no more, {age:?} after the only Resv that names it");
    let age = last(&upstream, s1);
    assert!(age >= r * 7, "S1 stays, and not until {age:?} only");
}

/// A Resv that is new in nothing causes none; another FLOWSPEC, and another SCOPE, count at once.
pub(crate) fn an_identical_resv_is_quiet_and_a_changed_one_is_not(lab: &Lab) {
    shows(&["rfc2209-2.resv-13"]);
    let mut dut = lab.group(2);
    let (g, s1, s2) = (dut.g(), dut.s1(), dut.s2());
    let mut resv = dut.resv(Station::D1, g, Style::Wf, &[wf(cl(1.0))]);
    resv.scope = Some(vec![s1.source()]);
    dut.send(Station::D1, resv.clone());
    let sent = dut.expect::<Resv>(Port::A);
    assert_eq!((sent.shares(), sent.message.scope), (vec![(1.0, vec![])], Some(vec![s1.source()])));
    for _ in 0..3 {
        dut.send(Station::D1, resv.clone());
    }
    dut.expect_silence();
    resv.flows = vec![wf(cl(2.0))];
    dut.send(Station::D1, resv.clone());
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(2.0, vec![])]);
    dut.expect_silence();
    resv.scope = Some(vec![s1.source(), s2.source()]);
    dut.send(Station::D1, resv);
    let sent = dut.expect::<Resv>(Port::B);
    assert_eq!((sent.shares(), sent.message.scope), (vec![(2.0, vec![])], Some(vec![s2.source()])));
}

/// A Resv that is new in nothing but asks for a confirmation is passed on, or answered.
pub(crate) fn a_refresh_that_asks_for_a_confirmation_is_no_mere_refresh(lab: &Lab) {
    shows(&["rfc2209-2.resv-14"]);
    let mut dut = lab.unicast(1);
    let (h, s1, receiver) = (dut.h(), dut.s1(), dut.plan.h().flow().destination);
    let mut resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, resv.clone());
    let _ = dut.expect::<Resv>(Port::A);
    resv.confirm = Some(receiver);
    for _ in 0..2 {
        dut.send(Station::D1, resv.clone());
        // Either may come; so all time is given to it.
        dut.advance(dut.timing.patience);
        let passed: Vec<_> =
            dut.all::<Resv>(Port::A).into_iter().filter_map(|resv| resv.message.confirm).collect();
        let answered: Vec<_> =
            dut.all::<ResvConf>(Port::C).into_iter().map(|conf| conf.message.confirm).collect();
        assert_eq!([passed, answered].concat(), [receiver], "passed on or answered, once");
    }
}

/// A Resv goes to the previous hops of the senders that it names, and to no others.
pub(crate) fn a_resv_goes_to_the_previous_hops_that_it_concerns(lab: &Lab) {
    shows(&["rfc2209-2.resv-16"]);
    let mut dut = lab.unicast(3);
    let (h, s2, s3) = (dut.h(), dut.s2(), dut.s3());
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s2), ff(cl(2.0), s3)]);
    dut.send(Station::D1, resv);
    let mut shares = Vec::new();
    while shares.len() < 2 {
        shares.extend(dut.expect_to::<Resv>(Station::U2).shares());
    }
    assert_eq!(shares, [(1.0, vec![s2]), (2.0, vec![s3])], "in one message or in two");
    dut.expect_silence();
}

/// The ResvTear of a WF reservation removes that of its next hop entirely, and leaves that of the other one on the LAN.
pub(crate) fn a_wildcard_tear_removes_the_reservation_of_its_next_hop(lab: &Lab) {
    shows(&["rfc2209-2.rtear-02", "rfc2209-2.rtear-01"]);
    let mut dut = lab.router();
    let (k, s1) = (dut.k(), dut.s1());
    dut.learn(Station::U1, k, s1);
    for (station, n) in [(Station::D3, 1.0), (Station::D2, 3.0)] {
        let resv = dut.resv(station, k, Style::Wf, &[wf(cl(n))]);
        dut.send(station, resv);
        assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(n, vec![])]);
    }
    let other = dut.resv_tear(Station::D2, k, Style::Ff, &[ff(cl(3.0), s1)]);
    dut.send(Station::D2, other);
    dut.expect_silence();
    let tear = dut.resv_tear(Station::D2, k, Style::Wf, &[wf(cl(3.0))]);
    dut.send(Station::D2, tear);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![])], "that of D3 is left");
    let tear = dut.resv_tear(Station::D3, k, Style::Wf, &[wf(cl(1.0))]);
    dut.send(Station::D3, tear);
    assert_eq!(dut.expect::<ResvTear>(Port::A).message.style, Style::Wf, "nothing is left");
    dut.expect_silence();
}

/// When a ResvTear names two senders, and one of them is still reserved for on another interface, the ResvTear that goes
/// on names the other one alone, and a Resv says what is left.
pub(crate) fn a_tear_is_made_anew_for_each_previous_hop(lab: &Lab) {
    shows(&["rfc2209-2.rtear-03"]);
    let mut dut = lab.group(3);
    let (g, s2, s3) = (dut.g(), dut.s2(), dut.s3());
    let flows = [ff(cl(1.0), s2), ff(cl(4.0), s3)];
    dut.reserve(Station::D1, g, Style::Ff, &flows);
    dut.reserve(Station::D2, g, Style::Ff, &[ff(cl(2.0), s3)]);
    let tear = dut.resv_tear(Station::D1, g, Style::Ff, &flows);
    dut.send(Station::D1, tear);
    let tear = dut.expect::<ResvTear>(Port::B);
    assert_eq!(torn(&[tear]), [s2]);
    let resv = dut.expect::<Resv>(Port::B);
    assert_eq!(resv.shares(), [(2.0, vec![s3])]);
    dut.expect_silence();
}
