//! RFC 2205 section 2.9: non-RSVP clouds.

use crate::bench::{Lab, Port, Station, adspec, cl, ff};
use crate::cases::rfc2205::capacity::{announce, assert_room};
use crate::shows;
use rsvp_core::wire::{Adspec, ClassNum, Path, Resv, Style};

/// A Path that crossed routers without RSVP, which its TTL tells, has the global break bit of its ADSPEC set.
pub(crate) fn a_path_that_crossed_other_routers_breaks_the_adspec(lab: &Lab) {
    shows(&["rfc2205-2.9-02", "rfc2205-3.8-05"]);
    let mut dut = lab.router();
    let s1 = dut.s1();
    for (port, crossed, broken) in [(5000, 0, 0), (5001, 1, 0x80), (5002, 3, 0x80)] {
        let session = dut.plan.session(dut.h().destination(), port);
        let mut path = dut.path(Station::U1, session, s1);
        path.adspec = Some(Adspec::decode(&adspec()));
        let mut packet = dut.pack(Station::U1, path);
        packet.ttl -= crossed;
        dut.send_packet(Station::U1, &packet);
        let sent = dut.expect::<Path>(Port::C);
        assert_eq!(sent.message.session.key, session);
        let adspec = &sent.objects(ClassNum::ADSPEC)[0].contents;
        assert_eq!(adspec[5] & 0x80, broken, "{crossed} routers crossed: {adspec:02x?}");
    }
}

/// A Resv that arrives on d with the LIH of the Paths that leave by c reserves on c, and nothing on d.
pub(crate) fn the_lih_says_which_interface_a_resv_is_for(lab: &Lab) {
    shows(&["rfc2205-2.9-04", "rfc2209-2.resv-01", "rfc2205-3.3-05"]);
    let mut dut = lab.router();
    let (h, s1) = (dut.h(), dut.s1());
    announce(&mut dut, h, 1, 200.0);
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(30.0), s1)]);
    let packet = dut.pack(Station::D1, resv);
    dut.send_packet(Station::D2, &packet);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(30.0, vec![s1])]);
    assert_room(&mut dut, Station::D1, 15.0, 25.0);
    assert_room(&mut dut, Station::D2, 45.0, 55.0);
}
