//! RFC 2205 section 3.1.1: the common header.

use crate::bench::{Dut, Family, Lab, Packet, Port, Station, cl, ff, seal};
use crate::shows;
use rsvp_core::config::ReductionConfig;
use rsvp_core::wire::{Header, Path, Resv, SessionKey, Style};

/// The Path of S1 for a session, packed.
fn path_of(dut: &Dut, session: SessionKey) -> Packet {
    dut.pack(Station::U1, dut.path(Station::U1, session, dut.s1()))
}

/// Sends a Path whose octets were changed, for a session of its own, and asserts that nothing comes of it: no message,
/// no state. The same Path unchanged is taken.
fn discards(dut: &mut Dut, port: u16, change: impl FnOnce(&mut Packet)) {
    let session = dut.plan.session(dut.h().flow().destination, port);
    let sound = path_of(dut, session);
    let mut damaged = sound.clone();
    change(&mut damaged);
    dut.send_packet(Station::U1, &damaged);
    dut.expect_unknown(Station::D1, session);
    dut.expect_silence();
    dut.send_packet(Station::U1, &sound);
    assert_eq!(dut.expect::<Path>(Port::C).message.session.key, session, "it is sound without the change");
    dut.expect_silence();
}

/// A Path of version 0, 2 or 15 is discarded without a word, whether its checksum is right or wrong.
pub(crate) fn another_version_is_discarded(lab: &Lab) {
    shows(&["rfc2205-3.1.1-02", "rfc2209-2.arrive-01"]);
    let mut dut = lab.router();
    for (port, version) in [(5001, 0), (5002, 2), (5003, 15)] {
        discards(&mut dut, port, |packet| {
            packet.message[0] = version << 4;
            seal(&mut packet.message);
        });
    }
    discards(&mut dut, 5004, |packet| {
        packet.message[0] = 2 << 4;
        seal(&mut packet.message);
        packet.message[3] ^= 1;
    });
}

/// The octets of the header of a Path: version 1 without flags, type, Send_TTL, a reserved octet, and the length.
pub(crate) fn the_header_octet_by_octet(lab: &Lab) {
    shows(&["rfc2205-3.1.1-01"]);
    let mut dut = lab.with(Family::V4, |config| config.default_interface.reduction = ReductionConfig::off());
    let path = path_of(&dut, dut.h());
    dut.send_packet(Station::U1, &path);
    let Packet { message: octets, ttl, .. } = dut.expect::<Path>(Port::C).sent.packet;
    let length = u8::try_from(octets.len()).expect("a short message");
    assert_eq!((octets[0], octets[1]), (0x10, 1), "version 1, no flags, Path");
    assert_eq!(octets[4..8], [ttl, 0, 0, length], "Send_TTL, reserved, length");
}

/// A Path with unassigned flags and a reserved octet that is not zero is taken, and leaves without them.
pub(crate) fn flags_and_the_reserved_octet_do_not_count(lab: &Lab) {
    shows(&["rfc2205-3.1.1-03"]);
    let mut dut = lab.router();
    let mut packet = path_of(&dut, dut.h());
    packet.message[0] = 0x1e;
    packet.message[5] = 0xff;
    seal(&mut packet.message);
    dut.send_packet(Station::U1, &packet);
    let sent = dut.expect::<Path>(Port::C);
    assert_eq!(sent.raw.header.flags & !Header::REFRESH_REDUCTION, 0, "the flags that nothing defines");
    assert_eq!(sent.raw.header.reserved, 0, "the reserved octet");
}

/// Messages of types that do not exist, addressed to the device, are dropped without a word.
pub(crate) fn unknown_types_are_discarded(lab: &Lab) {
    shows(&["rfc2205-3.1.1-04"]);
    let mut dut = lab.router();
    for (port, kind) in [(5001, 0), (5002, 10), (5003, 255)] {
        let destination = dut.plan.dut(Port::A);
        discards(&mut dut, port, |packet| {
            packet.destination = destination;
            packet.message[1] = kind;
            seal(&mut packet.message);
        });
    }
}

/// A Path without a checksum is taken; one with a wrong checksum is not.
pub(crate) fn a_message_without_checksum_is_taken(lab: &Lab) {
    shows(&["rfc2205-3.1.1-06"]);
    let mut dut = lab.router();
    let mut packet = path_of(&dut, dut.h());
    packet.message[2..4].fill(0);
    dut.send_packet(Station::U1, &packet);
    assert_eq!(dut.expect::<Path>(Port::C).message.sender_template, dut.s1());
    discards(&mut dut, 5001, |packet| packet.message[2] ^= 0xff);
}

/// Send_TTL is the TTL of the packet, in what is forwarded and in what the device makes itself.
pub(crate) fn send_ttl_is_the_ip_ttl(lab: &Lab) {
    shows(&["rfc2205-3.1.1-07"]);
    let mut dut = lab.router();
    let (h, s1) = (dut.h(), dut.s1());
    for ttl in [64, 9] {
        let session = dut.plan.session(h.flow().destination, u16::from(ttl));
        let mut packet = path_of(&dut, session);
        packet.ttl = ttl;
        packet.message[4] = ttl;
        seal(&mut packet.message);
        dut.send_packet(Station::U1, &packet);
        let path = dut.expect::<Path>(Port::C);
        assert_eq!(path.raw.header.send_ttl, path.sent.packet.ttl, "Path");
        let resv = dut.resv(Station::D1, session, Style::Ff, &[ff(cl(1.0), s1)]);
        dut.send(Station::D1, resv);
        let resv = dut.expect::<Resv>(Port::A);
        assert_eq!(resv.raw.header.send_ttl, resv.sent.packet.ttl, "Resv");
    }
}

/// A length that is not that of the message, or an object beyond it, has the message discarded.
pub(crate) fn a_length_that_does_not_fit_is_discarded(lab: &Lab) {
    shows(&["rfc2205-3.1.1-08", "rfc2209-2.arrive-03"]);
    let mut dut = lab.router();
    discards(&mut dut, 5001, |packet| {
        packet.message[7] -= 4;
        packet.message[2..4].fill(0);
    });
    discards(&mut dut, 5002, |packet| {
        packet.message[7] += 4;
        packet.message[2..4].fill(0);
    });
    discards(&mut dut, 5003, |Packet { message: octets, .. }| {
        let last = octets.len() - 36;
        assert_eq!(octets[last + 2], 12, "SENDER_TSPEC is last");
        octets[last + 1] += 4;
        seal(octets);
    });
}
