//! What can be asked for, and what is admitted (RFC 2211 and 2212).

use crate::bench::{Dut, Lab, Port, Station, bucket, cl, ff, gs};
use crate::shows;
use rsvp_core::wire::{ErrorSpec, Flowspec, Resv, ResvErr, ResvTear, Rspec, Style, Tspec};

/// What a request of D1 for S1 comes to: nothing, or code and value of the error. It is withdrawn then.
fn ask(dut: &mut Dut, flowspec: Flowspec) -> Result<(), (u8, u16)> {
    let (h, s1) = (dut.h(), dut.s1());
    let flows = [ff(flowspec, s1)];
    let resv = dut.resv(Station::D1, h, Style::Ff, &flows);
    dut.send(Station::D1, resv);
    let answer = dut.patiently(|dut| {
        let error = dut.all::<ResvErr>(Port::C).pop().map(|error| error.message.error);
        let passed_on = |dut: &mut Dut| dut.all::<Resv>(Port::A).pop().map(|_| Ok(()));
        error.map(|error| Err((error.code, error.value))).or_else(|| passed_on(dut))
    });
    answer.unwrap_or_else(|| panic!("expected a Resv or a ResvErr"))?;
    let tear = dut.resv_tear(Station::D1, h, Style::Ff, &flows);
    dut.send(Station::D1, tear);
    dut.expect::<ResvTear>(Port::A);
    Ok(())
}

/// The same with a rate of 1B or changed from that.
fn ask_with(dut: &mut Dut, change: impl Fn(&mut Tspec)) -> Result<(), (u8, u16)> {
    let mut tspec = bucket(1.0);
    change(&mut tspec);
    ask(dut, Flowspec::ControlledLoad(tspec))
}

/// What does not fit beside what is reserved is refused, what does is admitted.
pub(crate) fn capacity_is_not_oversubscribed(lab: &Lab) {
    shows(&["rfc2211-4-01"]);
    let mut dut = lab.greedy();
    let (h, s1, s2) = (dut.h(), dut.s1(), dut.s2());
    dut.learn(Station::U2, h, s2);
    dut.reserve(Station::D1, h, Style::Ff, &[ff(cl(35.0), s1)]);
    for (n, admitted) in [(20.0, false), (15.0, true)] {
        let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(n), s2)]);
        dut.send(Station::D1, resv);
        if admitted {
            assert_eq!(dut.expect::<Resv>(Port::B).shares(), [(n, vec![s2])]);
        } else {
            let error = dut.expect::<ResvErr>(Port::C).message.error;
            assert_eq!((error.code, error.value), (1, 2), "{n} B of the 15 B left");
        }
        dut.expect_silence();
    }
}

/// On a full interface a request may be reduced; one that grows beyond it is refused, and what was there stays.
pub(crate) fn a_reduction_is_never_refused(lab: &Lab) {
    shows(&["rfc2211-5-01", "rfc2212-inv-05"]);
    for service in [cl as fn(f32) -> Flowspec, gs] {
        let mut dut = lab.greedy();
        let (h, s1) = (dut.h(), dut.s1());
        for n in [50.0, 30.0] {
            let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(service(n), s1)]);
            dut.send(Station::D1, resv);
            assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(n, vec![s1])]);
        }
        let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(service(51.0), s1)]);
        dut.send(Station::D1, resv);
        assert_eq!(dut.expect::<ResvErr>(Port::C).message.error.flags, ErrorSpec::IN_PLACE);
        dut.expect_no::<Resv>(Port::A);
    }
}

/// Rates and bucket sizes out of range are refused as such, those beyond the link for want of bandwidth.
pub(crate) fn the_ranges_of_a_token_bucket(lab: &Lab) {
    shows(&["rfc2211-5-02"]);
    let mut dut = lab.greedy();
    for bad in [0.5, 1e14] {
        assert_eq!(
            ask_with(&mut dut, |tspec| (tspec.rate, tspec.peak) = (bad, bad)),
            Err((21, 3)),
            "r = {bad}"
        );
    }
    for bad in [0.0, 1e12] {
        assert_eq!(ask_with(&mut dut, |tspec| tspec.bucket = bad), Err((21, 3)), "b = {bad}");
    }
    assert_eq!(
        ask_with(&mut dut, |tspec| (tspec.rate, tspec.peak) = (1e12, 1e12)),
        Err((1, 2)),
        "possible, but not here"
    );
}

/// A least packet size of zero or above the greatest, and a greatest of zero, are refused.
pub(crate) fn packet_sizes(lab: &Lab) {
    shows(&["rfc2211-5-04"]);
    let mut dut = lab.greedy();
    for (min_unit, max_packet) in [(0, 1500), (64, 0), (1000, 999)] {
        let asked = ask_with(&mut dut, |tspec| (tspec.min_unit, tspec.max_packet) = (min_unit, max_packet));
        assert_eq!(asked, Err((21, 3)), "m = {min_unit}, M = {max_packet}");
    }
    assert_eq!(ask_with(&mut dut, |tspec| (tspec.min_unit, tspec.max_packet) = (1000, 1000)), Ok(()));
}

/// Minus zero, infinities, NaNs and negative numbers are refused as rate and bucket size; as peak rate infinity is not.
pub(crate) fn numbers_that_are_no_rates(lab: &Lab) {
    shows(&["rfc2211-5-05", "rfc2215-3.6-01"]);
    let mut dut = lab.greedy();
    for bits in [0x8000_0000, 0x7f80_0000, 0x7fc0_0000, 0xc61c_4000] {
        let bad = f32::from_bits(bits);
        assert_eq!(ask_with(&mut dut, |tspec| tspec.rate = bad), Err((21, 3)), "r = {bad}");
        assert_eq!(ask_with(&mut dut, |tspec| tspec.bucket = bad), Err((21, 3)), "b = {bad}");
    }
    for bits in [0xff80_0000, 0x7fc0_0000] {
        let bad = f32::from_bits(bits);
        assert_eq!(ask_with(&mut dut, |tspec| tspec.peak = bad), Err((21, 3)), "p = {bad}");
    }
    assert_eq!(ask_with(&mut dut, |tspec| tspec.peak = f32::INFINITY), Ok(()));
}

/// Whatever the peak rate, what has room is admitted and what has none is not.
pub(crate) fn the_peak_rate_makes_nothing_easier(lab: &Lab) {
    shows(&["rfc2211-5-06"]);
    let mut dut = lab.greedy();
    for peak in [1e4, 1e6, f32::INFINITY] {
        assert_eq!(ask_with(&mut dut, |tspec| tspec.peak = peak), Ok(()), "p = {peak}");
        let asked = ask_with(&mut dut, |tspec| (tspec.rate, tspec.peak) = (1e6, peak.max(1e6)));
        assert_eq!(asked, Err((1, 2)), "p = {peak}");
    }
}

/// Requests for guaranteed service whose rates contradict each other are refused; slack is unsigned.
pub(crate) fn what_guaranteed_service_cannot_be_asked_for(lab: &Lab) {
    shows(&["rfc2212-inv-01", "rfc2212-inv-02", "rfc2212-inv-04"]);
    let mut dut = lab.greedy();
    let mut guaranteed = |rate, peak, reserved, slack| {
        let tspec = Tspec { rate, peak, ..bucket(1.0) };
        ask(&mut dut, Flowspec::Guaranteed(tspec, Rspec { rate: reserved, slack }))
    };
    assert_eq!(guaranteed(10_000.0, 9000.0, 10_000.0, 0), Err((21, 3)), "p < r");
    assert_eq!(guaranteed(10_000.0, 10_000.0, 10_000.0, 0), Ok(()));
    assert_eq!(guaranteed(10_000.0, f32::INFINITY, 10_000.0, 0), Ok(()));
    assert_eq!(guaranteed(10_000.0, 20_000.0, 9000.0, 0), Err((21, 3)), "R < r");
    assert_eq!(guaranteed(10_000.0, 20_000.0, 12_000.0, u32::MAX), Ok(()));
    assert_eq!(guaranteed(0.5, 0.5, 1.0, 0), Err((21, 3)), "less than 1");
    assert_eq!(guaranteed(10_000.0, 20_000.0, f32::INFINITY, 0), Err((21, 3)));
    let slow_peak = Flowspec::ControlledLoad(Tspec { peak: 9000.0, ..bucket(1.0) });
    assert_eq!(ask(&mut dut, slow_peak), Ok(()), "controlled load has no such rule");
}
