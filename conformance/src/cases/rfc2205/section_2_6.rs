//! RFC 2205 section 2.6: confirmation.

use crate::bench::{Lab, Port, Station, cl, ff};
use crate::cases::rfc2205::capacity::announce;
use crate::shows;
use rsvp_core::wire::{Resv, ResvConf, Style};

/// Of two requests only the larger goes upstream, with the confirmation that its receiver asked for; the other receiver is
/// answered from here.
pub(crate) fn only_the_largest_request_and_its_confirmation_go_on(lab: &Lab) {
    shows(&["rfc2205-2.6-01"]);
    let mut dut = lab.group(3);
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
    let confirmation = dut.expect::<ResvConf>(Port::D);
    assert_eq!((confirmation.message.confirm, confirmation.sent.packet.destination), (r2, r2));
    dut.expect_silence();
}

/// Nobody gets a confirmation who has not asked for it, as often as the requests are refreshed.
pub(crate) fn nothing_is_confirmed_unasked(lab: &Lab) {
    shows(&["rfc2205-3.1.9-04"]);
    let mut dut = lab.brisk().router();
    let (g, s1, r) = (dut.g(), dut.s1(), dut.r());
    announce(&mut dut, g, 1, 20.0);
    let larger = dut.resv(Station::D1, g, Style::Ff, &[ff(cl(4.0), s1)]);
    let mut smaller = dut.resv(Station::D2, g, Style::Ff, &[ff(cl(2.0), s1)]);
    for _ in 0..3 {
        dut.send(Station::D1, larger.clone());
        dut.send(Station::D2, smaller.clone());
        dut.advance(r);
    }
    for port in Port::ALL {
        dut.expect_no::<ResvConf>(port);
    }
    smaller.confirm = Some(dut.plan.address(8, 8));
    dut.send(Station::D2, smaller);
    assert_eq!(dut.expect::<ResvConf>(Port::D).message.confirm, dut.plan.address(8, 8));
}

/// The request for a confirmation goes upstream once, with the Resv that it came with, and not with its refreshes.
pub(crate) fn a_confirmation_request_is_passed_on_once(lab: &Lab) {
    shows(&["rfc2205-2.6-03"]);
    let mut dut = lab.brisk().router();
    let (h, s1, r, r1) = (dut.h(), dut.s1(), dut.r(), dut.plan.address(7, 7));
    announce(&mut dut, h, 1, 20.0);
    let mut resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    resv.confirm = Some(r1);
    dut.send(Station::D1, resv.clone());
    assert_eq!(dut.expect::<Resv>(Port::A).message.confirm, Some(r1));
    resv.confirm = None;
    for _ in 0..5 {
        dut.advance(r);
        dut.send(Station::D1, resv.clone());
    }
    let asked: Vec<_> = dut.all::<Resv>(Port::A).into_iter().map(|resv| resv.message.confirm).collect();
    assert!(asked.len() >= 3, "{} Resvs in five periods", asked.len());
    assert!(asked.iter().all(Option::is_none), "{asked:?}");
}
