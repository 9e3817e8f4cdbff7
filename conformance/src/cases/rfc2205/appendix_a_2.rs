//! RFC 2205 section A.2: RSVP_HOP.

use crate::bench::{Lab, Port, Station, cl, ff};
use crate::shows;
use rsvp_core::wire::{Path, Resv, ResvErr, ResvTear, Style};

/// A Path from a hop whose address is that of no node is not passed on and leaves no state.
pub(crate) fn hops_have_real_addresses(lab: &Lab) {
    shows(&["rfc2205-A.2-03"]);
    let mut dut = lab.router();
    let (h, s1) = (dut.h(), dut.s1());
    for address in [[0, 0, 0, 0], [255, 255, 255, 255], [224, 0, 0, 1]] {
        let mut path = dut.path(Station::U1, h, s1);
        path.hop.address = address.into();
        dut.send(Station::U1, path);
        dut.expect_silence();
        let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
        dut.send(Station::D1, resv);
        assert_eq!(dut.expect_to::<ResvErr>(Station::D1).message.error.code, 3, "no path state");
    }
    let path = dut.path(Station::U1, h, s1);
    dut.send(Station::U1, path);
    dut.expect::<Path>(Port::C);
    dut.expect_silence();
}

/// The LIH of a previous hop comes back to it in Resv and ResvTear as it was, whatever its value.
pub(crate) fn the_lih_is_opaque_to_the_neighbour(lab: &Lab) {
    shows(&["rfc2205-A.2-02"]);
    let mut dut = lab.router();
    for (port, lih) in [(5000, 0), (5001, 1), (5002, 0xffff_ffff)] {
        let (session, s1) = (dut.plan.session(dut.h().destination(), port), dut.s1());
        let mut path = dut.path(Station::U1, session, s1);
        path.hop.lih = lih;
        dut.send(Station::U1, path);
        dut.expect::<Path>(Port::C);
        let resv = dut.resv(Station::D1, session, Style::Ff, &[ff(cl(1.0), s1)]);
        dut.send(Station::D1, resv);
        assert_eq!(dut.expect::<Resv>(Port::A).message.hop.lih, lih);
        let tear = dut.resv_tear(Station::D1, session, Style::Ff, &[ff(cl(1.0), s1)]);
        dut.send(Station::D1, tear);
        assert_eq!(dut.expect::<ResvTear>(Port::A).message.hop.lih, lih);
    }
}
