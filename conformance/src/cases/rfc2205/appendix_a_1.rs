//! RFC 2205 sections A.1 and A.9: the addresses in SESSION, SENDER_TEMPLATE and FILTER_SPEC.

use std::net::IpAddr;

use crate::bench::{Lab, Packet, Port, Station, cl, ff};
use crate::shows;
use rsvp_core::wire::{FilterSpec, FlowKey, Path, PathTear, Resv, SessionKey, Style};

/// The flags of a SESSION are no part of its name, and those that mean nothing are not looked at.
pub(crate) fn the_session_flags_are_no_part_of_its_name(lab: &Lab) {
    shows(&["rfc2205-A.1-03"]);
    let mut dut = lab.router();
    let (h, s1) = (dut.h(), dut.s1());
    let mut path = dut.path(Station::U1, h, s1);
    path.session.flags = 0x81;
    dut.send(Station::U1, path);
    dut.expect::<Path>(Port::C);
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![s1])]);
    let tear = dut.path_tear(Station::U1, h, s1);
    dut.send(Station::U1, tear);
    assert_eq!(dut.expect::<PathTear>(Port::C).message.session.key, h);
}

/// A session has a destination and a protocol, a sender and a filter spec have an address: a message with a zero in place of
/// one is neither answered nor acted on.
pub(crate) fn sessions_and_senders_have_real_addresses(lab: &Lab) {
    shows(&["rfc2205-A.1-02", "rfc2205-A.9-02"]);
    let zero = IpAddr::from([0, 0, 0, 0]);
    let mut dut = lab.router();
    let (h, s1) = (dut.h(), dut.s1());
    let good = dut.path(Station::U1, h, s1);
    let nowhere = dut.plan.session(zero, 5000);
    let no_protocol = SessionKey::Ip(FlowKey { protocol: 0, ..*h.flow() });
    let nobody = FilterSpec::Ip { source: zero, port: 4000 };
    for (session, sender) in [(nowhere, s1), (no_protocol, s1), (h, nobody)] {
        // The packet is addressed as that of a good Path.
        let packet = dut.pack(Station::U1, good.clone());
        let bad = dut.path(Station::U1, session, sender);
        let packet = Packet { message: dut.pack(Station::U1, bad).message, ..packet };
        dut.send_packet(Station::U1, &packet);
        dut.expect_silence();
    }
    dut.send(Station::U1, good);
    assert_eq!(dut.expect::<Path>(Port::C).message.sender_template, s1);
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), nobody)]);
    dut.send(Station::D1, resv);
    dut.expect_silence();
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![s1])]);
    dut.expect_silence();
}
