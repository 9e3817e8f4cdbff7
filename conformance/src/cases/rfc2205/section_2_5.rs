//! RFC 2205 section 2.5: errors.

use crate::bench::{Lab, Port, Station, cl, ff};
use crate::cases::rfc2205::capacity::{announce, assert_room};
use crate::shows;
use rsvp_core::wire::{ErrorSpec, Resv, ResvConf, ResvErr, Style};

/// An increase that admission control refuses leaves the old reservation in place, says so in the error, and is not
/// confirmed. Where nothing was in place, the error does not say so.
pub(crate) fn a_refused_increase_leaves_the_old_reservation_in_place(lab: &Lab) {
    shows(&["rfc2205-2.5-02", "rfc2205-3.1.8-07", "rfc2209-2.utc-06", "rfc2209-2.utc-05"]);
    let mut dut = lab.router();
    let (h, k, s1, r1) = (dut.h(), dut.k(), dut.s1(), dut.plan.far());
    for session in [h, k] {
        announce(&mut dut, session, 1, 200.0);
    }
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(20.0), s1)]);
    dut.send(Station::D1, resv.clone());
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(20.0, vec![s1])]);
    for (station, session, flags, fits) in
        [(Station::D1, h, ErrorSpec::IN_PLACE, 25.0), (Station::D2, k, 0, 45.0)]
    {
        let mut resv = dut.resv(station, session, Style::Ff, &[ff(cl(100.0), s1)]);
        resv.confirm = Some(r1);
        dut.send(station, resv);
        let error = dut.expect_to::<ResvErr>(station).message.error;
        assert_eq!((error.code, error.flags), (1, flags), "{station:?}");
        dut.expect_silence();
        assert_room(&mut dut, station, fits, fits + 10.0);
    }
    dut.send(Station::D1, resv);
    dut.expect_silence();
}

/// After an increase was refused, the old reservation is refreshed upstream, and the one that was refused is never
/// confirmed.
pub(crate) fn the_old_reservation_is_refreshed_after_a_refused_increase(lab: &Lab) {
    shows(&["rfc2205-2.5-02", "rfc2205-3.1.8-07", "rfc2209-2.utc-06"]);
    let mut dut = lab.brisk().router();
    let (h, s1, r) = (dut.h(), dut.s1(), dut.r());
    announce(&mut dut, h, 1, 200.0);
    dut.reserve(Station::D1, h, Style::Ff, &[ff(cl(2.0), s1)]);
    let mut resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(100.0), s1)]);
    resv.confirm = Some(dut.plan.far());
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect_to::<ResvErr>(Station::D1).message.error.flags, ErrorSpec::IN_PLACE);
    dut.advance(3 * r);
    let refreshed = dut.all::<Resv>(Port::A);
    assert!(!refreshed.is_empty(), "it is refreshed");
    for resv in refreshed {
        assert_eq!(resv.shares(), [(2.0, vec![s1])]);
    }
    for port in Port::ALL {
        dut.expect_no::<ResvConf>(port);
    }
}

/// The error of a merged request goes to each next hop that asked for it, from this node.
pub(crate) fn a_merged_error_goes_to_all_who_are_responsible(lab: &Lab) {
    shows(&["rfc2205-2.5-05", "rfc2205-3.1.8-01", "rfc2209-2.rerr-09", "rfc2205-3.1.8-03"]);
    let mut dut = lab.group(3);
    let (g, s1) = (dut.g(), dut.s1());
    let stations = [Station::D1, Station::D2, Station::D3];
    for station in stations {
        let resv = dut.resv(station, g, Style::Ff, &[ff(cl(4.0), s1)]);
        dut.send(station, resv);
    }
    dut.expect::<Resv>(Port::A);
    dut.expect_silence();
    let error = dut.resv_err(Station::U1, g, Style::Ff, ff(cl(4.0), s1), (1, 2, 0));
    dut.send(Station::U1, error.clone());
    for station in stations {
        let passed = dut.expect_to::<ResvErr>(station);
        assert_eq!(passed.message.error, error.error);
        assert_eq!((passed.message.style, &passed.message.flows), (Style::Ff, &error.flows));
        assert_eq!(passed.message.hop.address, dut.plan.dut(station.port()));
    }
    dut.expect_silence();
}
