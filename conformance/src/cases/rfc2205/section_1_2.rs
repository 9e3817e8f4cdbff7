//! RFC 2205 section 1.2: the reservation model.

use crate::bench::{Lab, Port, Station, cl, ff, wf};
use crate::cases::rfc2205::capacity::{announce, assert_room};
use crate::shows;
use rsvp_core::wire::{Resv, ResvConf, Style};

/// What a next hop reserves takes bandwidth of the interface that the data leaves by, and of no other.
pub(crate) fn the_reservation_is_where_the_data_leaves(lab: &Lab) {
    shows(&["rfc2205-1.2-01"]);
    let mut dut = lab.router();
    let (h, s1) = (dut.h(), dut.s1());
    announce(&mut dut, h, 1, 200.0);
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(30.0), s1)]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(30.0, vec![s1])]);
    assert_room(&mut dut, Station::D1, 15.0, 25.0);
    for elsewhere in [Station::U1, Station::U2, Station::D2] {
        assert_room(&mut dut, elsewhere, 45.0, 55.0);
    }
}

/// A request that is no larger than what was asked for upstream already ends here, and its receiver gets its confirmation
/// from here.
pub(crate) fn a_request_goes_no_further_than_an_equal_or_larger_one(lab: &Lab) {
    shows(&["rfc2205-1.2-03", "rfc2205-2.6-02"]);
    for smaller in [3.0, 4.0] {
        let mut dut = lab.group(3);
        let (g, r2) = (dut.g(), dut.plan.address(8, 8));
        let resv = dut.resv(Station::D1, g, Style::Wf, &[wf(cl(4.0))]);
        dut.send(Station::D1, resv);
        for port in [Port::A, Port::B] {
            assert_eq!(dut.expect::<Resv>(port).shares(), [(4.0, vec![])]);
        }
        let mut resv = dut.resv(Station::D2, g, Style::Wf, &[wf(cl(smaller))]);
        resv.confirm = Some(r2);
        dut.send(Station::D2, resv);
        let confirmation = dut.expect::<ResvConf>(Port::D);
        assert_eq!((confirmation.sent.packet.destination, confirmation.message.confirm), (r2, r2));
        dut.expect_silence();
    }
}
