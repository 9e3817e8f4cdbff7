//! RFC 2205 section 2.1: the two fundamental messages.

use crate::bench::{Lab, Port, Station, adspec, cl, ff};
use crate::shows;
use rsvp_core::wire::{ClassNum, Path, Resv, Style};

/// A Resv goes to the previous hop that the Path named, not to where the Path came from by its IP header, and brings back
/// the LIH of the Path.
pub(crate) fn a_resv_goes_to_the_previous_hop_in_the_path(lab: &Lab) {
    shows(&[
        "rfc2205-2.1-02",
        "rfc2205-3.1.4-01",
        "rfc2205-3.1.4-03",
        "rfc2209-2.rrefresh-10",
        "rfc2205-2.9-05",
    ]);
    let mut dut = lab.router();
    let (h, s1) = (dut.h(), dut.s1());
    let mut path = dut.path(Station::U1, h, s1);
    path.hop.lih = 0xdead_beef;
    dut.send(Station::U1, path);
    dut.expect::<Path>(Port::C);
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, resv);
    let resv = dut.expect::<Resv>(Port::A);
    assert_eq!(resv.sent.packet.destination, dut.plan.station(Station::U1));
    assert_eq!(resv.sent.packet.source, dut.plan.dut(Port::A));
    assert_eq!(resv.message.hop.address, dut.plan.dut(Port::A));
    assert_eq!(resv.message.hop.lih, 0xdead_beef);
}

/// A Path without ADSPEC is passed on without one; of one that comes with it, traffic control makes another.
pub(crate) fn a_path_without_adspec_gets_none(lab: &Lab) {
    shows(&["rfc2205-2.1-04"]);
    let mut dut = lab.router();
    let (h, s1) = (dut.h(), dut.s1());
    let path = dut.path(Station::U1, h, s1);
    dut.send(Station::U1, path.clone());
    assert!(dut.expect::<Path>(Port::C).message.adspec.is_none());
    dut.send_changed(Station::U1, path, |objects| objects.push(adspec()));
    let sent = dut.expect::<Path>(Port::C);
    let composed = sent.objects(ClassNum::ADSPEC);
    assert_eq!(composed.len(), 1);
    assert_eq!(composed[0].contents[..12], adspec().contents[..12]);
    assert_eq!(composed[0].contents[12..16], [0, 0, 0, 4], "one hop more");
}
