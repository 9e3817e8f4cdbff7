//! RFC 2205 section 3.1.5: PathTear messages.

use crate::bench::{Dut, Lab, Port, Station, cl, ff, se, wf};
use crate::shows;
use rsvp_core::wire::{FilterSpec, Path, PathTear, Resv, ResvErr, ResvTear, Style};

/// A PathTear that names another previous hop, sender or session, or comes by another interface, tears nothing down and
/// goes no further; one that matches does.
pub(crate) fn a_path_tear_must_match_in_everything(lab: &Lab) {
    shows(&["rfc2205-3.1.5-01", "rfc2205-3.1.5-02", "rfc2209-2.ptear-01"]);
    let mut dut = lab.group(3);
    let (g, s1, s2, s3) = (dut.g(), dut.s1(), dut.s2(), dut.s3());
    let mut other_hop = dut.path_tear(Station::U1, g, s1);
    other_hop.hop.address = dut.plan.address(1, 9);
    dut.send(Station::U1, other_hop);
    let tear = dut.path_tear(Station::U1, g, s1);
    let elsewhere = dut.pack(Station::U1, tear);
    dut.send_packet(Station::U2, &elsewhere);
    let unknown = FilterSpec::Ip { source: s1.source(), port: 4001 };
    let tear = dut.path_tear(Station::U1, g, unknown);
    dut.send(Station::U1, tear);
    let tear = dut.path_tear(Station::U1, dut.h(), s1);
    dut.send(Station::U1, tear);
    dut.expect_silence();
    let flows = [s1, s2, s3].map(|sender| ff(cl(1.0), sender));
    let resv = dut.resv(Station::D1, g, Style::Ff, &flows);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![s1])], "the state of S1 is there");
    assert_eq!(dut.expect::<Resv>(Port::B).shares(), [(1.0, vec![s2]), (1.0, vec![s3])], "so are the others");
    dut.settle();
    let tear = dut.path_tear(Station::U1, g, s1);
    dut.send(Station::U1, tear);
    for port in [Port::C, Port::D] {
        assert_eq!(dut.expect::<PathTear>(port).message.sender_template, s1);
    }
    dut.expect_silence();
}

/// A PathTear of a previous hop that the sender no longer comes by, alone or at all, is not forwarded; that of the one
/// it comes by is.
pub(crate) fn a_path_tear_of_an_old_previous_hop_tears_nothing_downstream(lab: &Lab) {
    shows(&["rfc2205-3.1.5-03"]);
    let mut dut = lab.unicast(1);
    let (h, s1) = (dut.h(), dut.s1());
    dut.learn(Station::U2, h, s1);
    let tear = dut.path_tear(Station::U1, h, s1);
    dut.send(Station::U1, tear);
    dut.expect_no::<PathTear>(Port::C);
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::B).shares(), [(1.0, vec![s1])], "the state downstream lives");
    dut.settle();
    let tear = dut.path_tear(Station::U2, h, s1);
    dut.send(Station::U2, tear);
    assert_eq!(dut.expect::<PathTear>(Port::C).message.sender_template, s1);
}

/// Sends the PathTear of S1 for G, and asserts that it is passed on and causes nothing else: no Resv or ResvTear
/// upstream, no ResvErr downstream.
fn tear_s1(dut: &mut Dut) {
    let tear = dut.path_tear(Station::U1, dut.g(), dut.s1());
    dut.send(Station::U1, tear);
    for port in [Port::C, Port::D] {
        assert_eq!(dut.expect::<PathTear>(port).message.sender_template, dut.s1());
    }
    dut.advance(5 * dut.timing.at_once);
    for port in [Port::A, Port::B] {
        dut.expect_no::<Resv>(port);
        dut.expect_no::<ResvTear>(port);
    }
    dut.expect_no::<ResvErr>(Port::C);
    dut.expect_silence();
}

/// The Path of S1 comes again. Whatever is still reserved for it would be asked for at once.
fn revive_s1(dut: &mut Dut) {
    let path = dut.path(Station::U1, dut.g(), dut.s1());
    dut.send(Station::U1, path);
    for port in [Port::C, Port::D] {
        assert_eq!(dut.expect::<Path>(port).message.sender_template, dut.s1());
    }
}

/// When the path state of a sender goes, the filters that name it go from FF and SE reservations, those of the others
/// stay, and nobody is told.
pub(crate) fn a_removed_sender_leaves_shared_reservations_of_the_others(lab: &Lab) {
    shows(&["rfc2205-3.1.5-06", "rfc2209-2.ptear-03", "rfc2205-3.1.5-08"]);
    for style in [Style::Se, Style::Ff] {
        let mut dut = lab.group(3);
        let (g, s1, s2) = (dut.g(), dut.s1(), dut.s2());
        let flows = match style {
            Style::Se => vec![se(cl(1.0), &[s1, s2])],
            _ => vec![ff(cl(1.0), s1), ff(cl(1.0), s2)],
        };
        dut.reserve(Station::D1, g, style, &flows);
        tear_s1(&mut dut);
        revive_s1(&mut dut);
        dut.expect_no::<Resv>(Port::A);
        let left = if style == Style::Se { se(cl(1.0), &[s2]) } else { ff(cl(1.0), s2) };
        let tear = dut.resv_tear(Station::D1, g, style, &[left]);
        dut.send(Station::D1, tear);
        let torn = dut.expect::<ResvTear>(Port::B).message;
        assert_eq!(torn.flows[0].filters, [s2], "S2 was still reserved");
        dut.expect_silence();
    }
}

/// A WF reservation outlives a sender while there is another: it holds for the sender when it comes back. With the last
/// sender it goes.
pub(crate) fn a_wildcard_reservation_lives_with_its_last_sender(lab: &Lab) {
    shows(&["rfc2205-3.1.5-07", "rfc2209-2.ptear-03"]);
    let mut dut = lab.group(2);
    let (g, s1, s2) = (dut.g(), dut.s1(), dut.s2());
    dut.reserve(Station::D1, g, Style::Wf, &[wf(cl(1.0))]);
    let [tear_1, tear_2] =
        [(Station::U1, s1), (Station::U2, s2)].map(|(station, sender)| dut.path_tear(station, g, sender));
    dut.send(Station::U1, tear_1.clone());
    dut.settle();
    revive_s1(&mut dut);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![])], "it is there for S1, too");
    dut.send(Station::U1, tear_1);
    dut.send(Station::U2, tear_2);
    dut.settle();
    revive_s1(&mut dut);
    dut.expect_no::<Resv>(Port::A);
    dut.expect_silence();
}
