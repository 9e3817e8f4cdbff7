//! Messages that are wrong in form (RFC 2205 Appendix B, at its end), each in one way.

use rsvp_core::wire::{FlowDescriptor, Header, RawMessage, RawObject, Style};

use crate::bench::dut::Dut;
use crate::bench::messages::{cl, ff, object, wf};
use crate::bench::plan::Station;
use crate::bench::tester::Packet;

/// A message that is wrong in form.
#[derive(Clone, Debug)]
pub struct Fault {
    /// What is wrong.
    pub what: &'static str,
    /// Who sends it.
    pub from: Station,
    /// It.
    pub packet: Packet,
}

/// A packet whose octets were changed; no checksum is in it then, so that nothing but the change is wrong.
fn changed(packet: &Packet, change: impl FnOnce(&mut Vec<u8>)) -> Packet {
    let mut packet = packet.clone();
    packet.message[2..4].fill(0);
    change(&mut packet.message);
    packet
}

/// A packet whose objects were changed, with length and checksum made to fit.
fn with_objects(packet: &Packet, change: impl FnOnce(&mut Vec<RawObject>)) -> Packet {
    let raw = RawMessage::decode(&packet.message).expect("the message is valid");
    let header = Header { flags: 0, send_ttl: packet.ttl };
    let mut objects: Vec<RawObject> = raw.objects.into_iter().map(|placed| placed.object).collect();
    change(&mut objects);
    let raw = RawMessage::new(raw.header.message_type, header, objects).expect("it is encodable");
    let mut message = Vec::new();
    raw.encode(&mut message).expect("it is encodable");
    Packet { message, ..packet.clone() }
}

/// One message for each fault of form that a node can find without the keys of INTEGRITY. They are Paths of S2 for H, a
/// Path for another session, a ResvConf, and Resvs of D1 for S1 in H.
#[must_use]
pub fn faults_of_form(dut: &Dut) -> Vec<Fault> {
    let (h, s1) = (dut.h(), dut.s1());
    let (u1, d1) = (Station::U1, Station::D1);
    let path = dut.pack(u1, dut.path(u1, h, dut.s2()));
    let to_dut = Packet { destination: dut.plan.dut(u1.port()), ..path.clone() };
    let resv = |style, flows: &[FlowDescriptor]| dut.pack(d1, dut.resv(d1, h, style, flows));
    let list = resv(Style::Ff, &[ff(cl(1.0), s1)]);
    let mut bad_hop = dut.path(u1, h, dut.s2());
    bad_hop.hop.address = dut.g().flow().destination;
    let no_port = dut.plan.session(h.flow().destination, 0);
    let elsewhere = dut.pack(u1, dut.resv_conf(h, h.flow().destination, Style::Ff, &[ff(cl(1.0), s1)]));
    let elsewhere = Packet { destination: dut.k().flow().destination, ..elsewhere };
    [
        ("length", u1, changed(&path, |octets| octets[7] -= 4)),
        ("version", u1, changed(&path, |octets| octets[0] = 0x20)),
        ("checksum", u1, changed(&path, |octets| octets[2] = 1)),
        ("message type", u1, changed(&to_dut, |octets| octets[1] = 99)),
        ("object of 2 octets", u1, changed(&path, |octets| octets[9] = 2)),
        ("object of 11 octets", u1, changed(&path, |octets| octets[9] = 11)),
        ("hop address", u1, dut.pack(u1, bad_hop)),
        ("source port without a destination port", u1, dut.pack(u1, dut.path(u1, no_port, s1))),
        ("flow descriptors", d1, resv(Style::Wf, &[wf(cl(1.0)), wf(cl(2.0))])),
        ("destination of a ResvConf", u1, elsewhere),
        ("class", u1, with_objects(&path, |objects| objects.push(object(7, 1, &[10, 0, 0, 1])))),
        ("missing object", u1, with_objects(&path, |objects| objects.retain(|object| object.class != 5))),
        ("order", d1, with_objects(&list, |objects| objects[1..].rotate_left(1))),
    ]
    .map(|(what, from, packet)| Fault { what, from, packet })
    .to_vec()
}
