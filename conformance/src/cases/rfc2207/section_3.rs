//! RFC 2207 section 3: the objects.

use std::net::IpAddr;

use crate::bench::{Family, Lab, Port, Received, Station, cl, ff};
use crate::shows;
use rsvp_core::wire::{ClassNum, Path, Resv, Style};

use super::{AH, s1, session};

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// The C-Type and the contents of the only object of a class.
fn object<M>(received: &Received<M>, class: ClassNum) -> (u8, Vec<u8>) {
    let [object] = received.objects(class)[..] else { panic!("expected one object of class {}", class.0) };
    (object.ctype, object.contents.clone())
}

/// SESSION, SENDER_TEMPLATE and FILTER_SPEC with a GPI go on as they came, for IPv4 and IPv6: the address, protocol and
/// virtual port, and the address and GPI.
pub(crate) fn objects_with_a_gpi(lab: &Lab) {
    shows(&["rfc2207-3.1-01", "rfc2207-3.2-01", "rfc2207-3.3-01"]);
    for (family, session_type, sender_type) in [(Family::V4, 3, 4), (Family::V6, 4, 5)] {
        let mut dut = lab.with(family, |_| ());
        let (session, sender) = (session(&dut, 9000), s1(&dut, 0x1122_3344));
        let session_octets =
            [octets(session.flow().destination), vec![AH, 0], 9000_u16.to_be_bytes().to_vec()].concat();
        let sender_octets = [octets(sender.source()), vec![0x11, 0x22, 0x33, 0x44]].concat();
        let path = dut.path(Station::U1, session, sender);
        dut.send(Station::U1, path);
        let sent = dut.expect::<Path>(Port::C);
        assert_eq!(object(&sent, ClassNum::SESSION), (session_type, session_octets.clone()));
        assert_eq!(object(&sent, ClassNum::SENDER_TEMPLATE), (sender_type, sender_octets.clone()));
        let resv = dut.resv(Station::D1, session, Style::Ff, &[ff(cl(1.0), sender)]);
        dut.send(Station::D1, resv);
        let sent = dut.expect::<Resv>(Port::A);
        assert_eq!(object(&sent, ClassNum::SESSION), (session_type, session_octets));
        assert_eq!(object(&sent, ClassNum::FILTER_SPEC), (sender_type, sender_octets));
    }
}
