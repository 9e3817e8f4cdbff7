//! RFC 2205 section 3.1.6: ResvTear messages.

use crate::bench::{Dut, Lab, Port, Received, Station, cl, ff, se};
use crate::shows;
use rsvp_core::wire::{FilterSpec, Resv, ResvTear, Style};

/// The state of figure 6: FF reservations of D1 on c, of D2 and D3 on d.
fn figure_6(lab: &Lab) -> Dut {
    let mut dut = lab.group(3);
    let (g, s1, s2, s3) = (dut.g(), dut.s1(), dut.s2(), dut.s3());
    dut.reserve(Station::D1, g, Style::Ff, &[ff(cl(4.0), s1), ff(cl(5.0), s2)]);
    dut.reserve(Station::D2, g, Style::Ff, &[ff(cl(3.0), s1), ff(cl(1.0), s3)]);
    dut.reserve(Station::D3, g, Style::Ff, &[ff(cl(1.0), s1)]);
    dut
}

/// A next hop tears FF reservations of senders of G down.
fn tear(dut: &mut Dut, station: Station, senders: &[FilterSpec]) {
    let flows: Vec<_> = senders.iter().map(|sender| ff(cl(1.0), *sender)).collect();
    let tear = dut.resv_tear(station, dut.g(), Style::Ff, &flows);
    dut.send(station, tear);
}

/// The senders that a ResvTear names.
fn torn(tear: &Received<ResvTear>) -> Vec<FilterSpec> {
    tear.message.flows.iter().flat_map(|flow| flow.filters.clone()).collect()
}

/// A ResvTear that names another LIH, style or filter tears nothing down and goes no further; one that matches does.
pub(crate) fn a_resv_tear_must_match_in_everything(lab: &Lab) {
    shows(&["rfc2205-3.1.6-01", "rfc2205-3.1.6-02"]);
    let mut dut = lab.group(3);
    let (g, s1, s2) = (dut.g(), dut.s1(), dut.s2());
    dut.reserve(Station::D1, g, Style::Ff, &[ff(cl(1.0), s1)]);
    let mut other_lih = dut.resv_tear(Station::D1, g, Style::Ff, &[ff(cl(1.0), s1)]);
    other_lih.hop.lih = dut.next_hop(Station::D2).lih;
    dut.send(Station::D1, other_lih);
    let other_style = dut.resv_tear(Station::D1, g, Style::Se, &[se(cl(1.0), &[s1])]);
    dut.send(Station::D1, other_style);
    tear(&mut dut, Station::D1, &[s2]);
    dut.expect_silence();
    tear(&mut dut, Station::D1, &[s1]);
    assert_eq!(torn(&dut.expect::<ResvTear>(Port::A)), [s1], "the reservation was still there");
    dut.expect_silence();
}

/// On a LAN, the ResvTear of one next hop leaves the reservation of another as it is.
pub(crate) fn a_resv_tear_concerns_its_next_hop_alone(lab: &Lab) {
    shows(&["rfc2209-2.rtear-01"]);
    let mut dut = lab.group(1);
    let (g, s1) = (dut.g(), dut.s1());
    for station in [Station::D2, Station::D3] {
        dut.reserve(station, g, Style::Ff, &[ff(cl(1.0), s1)]);
    }
    tear(&mut dut, Station::D3, &[s1]);
    dut.expect_silence();
    tear(&mut dut, Station::D2, &[s1]);
    assert_eq!(torn(&dut.expect::<ResvTear>(Port::A)), [s1], "D2 had one of its own");
    dut.expect_silence();
}

/// A ResvTear may name some of the senders that are reserved: the others stay reserved.
pub(crate) fn a_resv_tear_may_name_some_of_the_filters(lab: &Lab) {
    shows(&["rfc2205-3.1.6-03"]);
    for style in [Style::Ff, Style::Se] {
        let mut dut = lab.group(3);
        let (g, s1, s2, s3) = (dut.g(), dut.s1(), dut.s2(), dut.s3());
        let flows = |senders: &[FilterSpec]| match style {
            Style::Se => vec![se(cl(1.0), senders)],
            _ => senders.iter().map(|sender| ff(cl(1.0), *sender)).collect(),
        };
        dut.reserve(Station::D1, g, style, &flows(&[s1, s2, s3]));
        let some = dut.resv_tear(Station::D1, g, style, &flows(&[s1, s3]));
        dut.send(Station::D1, some);
        assert_eq!(torn(&dut.expect::<ResvTear>(Port::A)), [s1]);
        assert_eq!(torn(&dut.expect::<ResvTear>(Port::B)), [s3], "S2 stays");
        dut.settle();
        let rest = dut.resv_tear(Station::D1, g, style, &flows(&[s2]));
        dut.send(Station::D1, rest);
        assert_eq!(torn(&dut.expect::<ResvTear>(Port::B)), [s2], "it was still reserved");
        dut.expect_silence();
    }
}

/// In figure 6, what D2 tears down is the last reservation of S3: a ResvTear goes on.
pub(crate) fn a_tear_that_leaves_nothing_goes_on(lab: &Lab) {
    shows(&["rfc2205-3.1.6-07", "rfc2205-2.4-05"]);
    let mut dut = figure_6(lab);
    let s3 = dut.s3();
    tear(&mut dut, Station::D2, &[s3]);
    assert_eq!(torn(&dut.expect::<ResvTear>(Port::B)), [s3]);
    dut.expect_silence();
}

/// In figure 6, what D1 tears down was the largest reservation of S1: a Resv asks for less.
pub(crate) fn a_tear_that_leaves_less_becomes_a_smaller_resv(lab: &Lab) {
    shows(&["rfc2205-3.1.6-08", "rfc2205-2.4-05"]);
    let mut dut = figure_6(lab);
    let s1 = dut.s1();
    tear(&mut dut, Station::D1, &[s1]);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(3.0, vec![s1])]);
    dut.expect_silence();
}

/// In figure 6, what D3 tears down is not the largest reservation of S1: nobody needs to know. What D2 holds stays.
pub(crate) fn a_tear_that_changes_nothing_ends_here(lab: &Lab) {
    shows(&["rfc2205-3.1.6-09", "rfc2205-2.4-05"]);
    let mut dut = figure_6(lab);
    let s1 = dut.s1();
    tear(&mut dut, Station::D3, &[s1]);
    dut.expect_silence();
    tear(&mut dut, Station::D1, &[s1]);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(3.0, vec![s1])], "d still holds 3B");
    dut.expect_silence();
}

/// Of two senders behind one previous hop that are torn down, one has no reservation left, and the other a smaller one:
/// the previous hop gets a ResvTear for the one and a Resv for the other.
pub(crate) fn a_tear_that_leaves_some_goes_on_for_the_others(lab: &Lab) {
    shows(&["rfc2209-2.rtear-03", "rfc2205-2.4-05"]);
    let mut dut = lab.group(3);
    let (g, s2, s3) = (dut.g(), dut.s2(), dut.s3());
    dut.reserve(Station::D1, g, Style::Ff, &[ff(cl(5.0), s2), ff(cl(2.0), s3)]);
    dut.reserve(Station::D2, g, Style::Ff, &[ff(cl(1.0), s3)]);
    tear(&mut dut, Station::D1, &[s2, s3]);
    assert_eq!(torn(&dut.expect::<ResvTear>(Port::B)), [s2]);
    assert_eq!(dut.expect::<Resv>(Port::B).shares(), [(1.0, vec![s3])]);
    dut.expect_silence();
}
