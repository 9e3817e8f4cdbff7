//! RFC 2205 section 3.3: sending RSVP messages.

use crate::bench::{Lab, Port, Station, cl, ff, tspec};
use crate::shows;
use rsvp_core::input::Encapsulation;
use rsvp_core::wire::{Path, PathErr, PathTear, Resv, ResvConf, ResvErr, ResvTear, Style};

/// Messages of all seven types leave as IP datagrams of protocol 46, not in UDP, while nobody has asked for UDP.
pub(crate) fn every_message_is_a_raw_ip_datagram(lab: &Lab) {
    shows(&["rfc2205-3.3-01"]);
    let mut dut = lab.router();
    let (h, s1, far) = (dut.h(), dut.s1(), dut.plan.far());
    let mut path = dut.path(Station::U1, h, s1);
    path.sender_tspec = tspec(200.0);
    dut.send(Station::U1, path);
    let mut raw = vec![dut.expect::<Path>(Port::C).sent];
    for rate in [1.0, 100.0] {
        let mut resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(rate), s1)]);
        resv.confirm = Some(far);
        dut.send(Station::D1, resv);
    }
    raw.push(dut.expect::<Resv>(Port::A).sent);
    raw.push(dut.expect::<ResvErr>(Port::C).sent);
    let messages = (
        dut.path_err(h, s1, 2, 0),
        dut.resv_conf(h, h.flow().destination, Style::Ff, &[ff(cl(1.0), s1)]),
        dut.resv_tear(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]),
        dut.path_tear(Station::U1, h, s1),
    );
    dut.send(Station::D1, messages.0);
    raw.push(dut.expect::<PathErr>(Port::A).sent);
    dut.send(Station::U1, messages.1);
    raw.push(dut.expect::<ResvConf>(Port::C).sent);
    dut.send(Station::D1, messages.2);
    raw.push(dut.expect::<ResvTear>(Port::A).sent);
    dut.send(Station::U1, messages.3);
    raw.push(dut.expect::<PathTear>(Port::C).sent);
    dut.expect_silence();
    for sent in raw {
        assert_eq!(sent.packet.encapsulation, Encapsulation::Raw, "{sent:?}");
    }
}
