//! RFC 2205 section 3.8: traffic policing and non-integrated service hops.

use crate::bench::{Family, Lab, Port, Station};
use crate::shows;
use rsvp_core::wire::{Path, Session};

/// E_Police says that nobody has policed yet. A node that polices leaves it out of the Paths that it sends; by an
/// interface without traffic control it goes on, and a Path without it does not get it.
pub(crate) fn entry_police(lab: &Lab) {
    shows(&["rfc2205-3.8-02", "rfc2209-2.prefresh-02"]);
    let mut dut = lab.with(Family::V4, |config| {
        let mut d = config.default_interface.clone();
        d.bandwidth = None;
        d.guaranteed = None;
        config.interfaces.insert("d".to_owned(), d);
    });
    let (g, s1) = (dut.g(), dut.s1());
    for flags in [Session::E_POLICE, 0, Session::E_POLICE] {
        let mut path = dut.path(Station::U1, g, s1);
        path.session.flags = flags;
        dut.send(Station::U1, path);
        assert_eq!(dut.expect::<Path>(Port::D).message.session.flags, flags, "d does not police");
    }
    assert_eq!(dut.expect::<Path>(Port::C).message.session.flags, 0, "c polices");
    for path in dut.all::<Path>(Port::C) {
        assert_eq!(path.message.session.flags, 0, "c polices");
    }
}
