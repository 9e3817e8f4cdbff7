//! RFC 2205 section 1: what RSVP is for.

use crate::bench::{Family, Lab, Port, Station, cl, ff};
use crate::cases::rfc2205::capacity::{announce, assert_room};
use crate::shows;
use rsvp_core::policy::{PolicyAction, PolicyRule};
use rsvp_core::wire::{Path, Resv, ResvErr, Style};

/// Path and Resv run over IPv4 and over IPv6, and all addresses in them are of the family of the session.
pub(crate) fn both_families_carry_the_same_exchange(lab: &Lab) {
    shows(&["rfc2205-1-02"]);
    for family in [Family::V4, Family::V6] {
        let mut dut = lab.with(family, |_| ());
        let (h, s1) = (dut.h(), dut.s1());
        let path = dut.path(Station::U1, h, s1);
        dut.send(Station::U1, path);
        let path = dut.expect::<Path>(Port::C);
        assert_eq!((path.message.session.key, path.message.sender_template), (h, s1));
        let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
        dut.send(Station::D1, resv);
        let resv = dut.expect::<Resv>(Port::A);
        assert_eq!(resv.shares(), [(1.0, vec![s1])]);
        let ctype = if family == Family::V4 { 1 } else { 2 };
        for placed in path.raw.objects.iter().chain(&resv.raw.objects) {
            let object = &placed.object;
            let has_address = [1, 3, 10, 11].contains(&object.class);
            assert!(!has_address || object.ctype == ctype, "{object:?}");
        }
    }
}

/// What admission control or policy control refuses is answered with an error and takes no bandwidth; what both accept is
/// reserved. The policy is against reservations for S2 that D1 asks for.
pub(crate) fn both_controls_must_agree(lab: &Lab) {
    shows(&["rfc2205-1-03"]);
    let plan = lab.plan(Family::V4);
    let mut dut = lab.with(Family::V4, |config| {
        let (sender, receiver) = (plan.sender(2).source(), plan.station(Station::D1));
        let (sender, receiver) = (Some(sender.into()), Some(receiver.into()));
        config.policy = vec![PolicyRule { sender, receiver, action: PolicyAction::Deny }];
    });
    let (h, s1, s2) = (dut.h(), dut.s1(), dut.s2());
    for number in [1, 2] {
        announce(&mut dut, h, number, 200.0);
    }
    for (n, sender, code) in [(60.0, s1, 1), (40.0, s2, 2)] {
        let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(n), sender)]);
        dut.send(Station::D1, resv);
        assert_eq!(dut.expect_to::<ResvErr>(Station::D1).message.error.code, code);
        dut.expect_silence();
    }
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(20.0), s1)]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(20.0, vec![s1])]);
    dut.expect_silence();
    assert_room(&mut dut, Station::D1, 25.0, 35.0);
}
