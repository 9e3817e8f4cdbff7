//! Requirements of RFC 2207: IPsec data flows, named by a generalised port identifier (GPI) in place of ports.

use std::net::IpAddr;

use conformance::bench::{Dut, Port, Station, cl, ff, hex, se};
use conformance::shows;
use rsvp_core::output::Request;
use rsvp_core::wire::{ClassNum, FilterSpec, FlowKey, Path, Resv, ResvErr, SessionKey, Style};

const AH: u8 = 51;

/// A session of H's host.
fn session(dut: &Dut, port: u16) -> SessionKey {
    SessionKey::Gpi(FlowKey { destination: dut.h().flow().destination, protocol: AH, port })
}

/// S1 with a security association.
fn s1(dut: &Dut, spi: u32) -> FilterSpec {
    FilterSpec::Gpi { source: dut.s1().source(), spi }
}

#[test]
fn sessions_and_senders_are_named_by_all_their_parts() {
    shows(&["rfc2207-2-01"]);
    let mut dut = Dut::router();
    let [one, other] = [9000, 9001].map(|port| session(&dut, port));
    let [first, second] = [0x1122_3344, 0x1122_3345].map(|spi| s1(&dut, spi));
    for (session, sender) in [(one, first), (one, second), (other, first)] {
        dut.learn(Station::U1, session, sender);
    }
    assert_eq!((dut.senders(one).len(), dut.senders(other).len()), (2, 1));
    dut.reserve(Station::D1, one, Style::Ff, &[ff(cl(1.0), first)]);
    assert_eq!(dut.reserved(Port::C), [(1.0, vec![first])]);
    let tear = dut.path_tear(Station::U1, other, first);
    dut.send(Station::U1, tear);
    assert_eq!((dut.senders(one).len(), dut.reserved(Port::C).len()), (2, 1));
}

/// The octets of a Path's objects of a class, with their headers.
fn octets_of(dut: &Dut, session: SessionKey, sender: FilterSpec, class: ClassNum) -> Vec<u8> {
    let packet = dut.pack(Station::U1, dut.path(Station::U1, session, sender));
    let raw = rsvp_core::wire::RawMessage::decode(&packet.message).expect("it was encoded just now");
    let object = &raw.object(class).expect("it is there").object;
    let length = u16::try_from(object.encoded_len()).expect("a short object").to_be_bytes();
    [&length, &[object.class, object.ctype][..], &object.contents].concat()
}

#[test]
fn sessions_as_octets() {
    shows(&["rfc2207-3.1-01"]);
    let dut = Dut::router();
    for (destination, protocol, text) in [
        ("224.1.2.3", 51, "000c0103 e0010203 33002328"),
        ("2001:db8::9", 50, "00180104 20010db8 00000000 00000000 00000009 32002328"),
    ] {
        let destination: IpAddr = destination.parse().expect("an address");
        let key = SessionKey::Gpi(FlowKey { destination, protocol, port: 9000 });
        assert_eq!(octets_of(&dut, key, s1(&dut, 1), ClassNum::SESSION), hex(text));
    }
}

#[test]
fn senders_and_filters_as_octets() {
    shows(&["rfc2207-3.2-01", "rfc2207-3.3-01"]);
    let dut = Dut::router();
    for (source, template, filter) in [
        ("10.0.0.1", "000c0b04 0a000001 11223344", "0a000001 11223344"),
        (
            "2001:db8::5",
            "00180b05 20010db8 00000000 00000000 00000005 11223344",
            "20010db8 00000000 00000000 00000005 11223344",
        ),
    ] {
        let source: IpAddr = source.parse().expect("an address");
        let sender = FilterSpec::Gpi { source, spi: 0x1122_3344 };
        assert_eq!(octets_of(&dut, session(&dut, 9000), sender, ClassNum::SENDER_TEMPLATE), hex(template));
        let packet = dut
            .pack(Station::D1, dut.resv(Station::D1, session(&dut, 9000), Style::Ff, &[ff(cl(1.0), sender)]));
        let raw = rsvp_core::wire::RawMessage::decode(&packet.message).expect("it was encoded just now");
        let object = &raw.object(ClassNum::FILTER_SPEC).expect("it is there").object;
        assert_eq!((object.ctype, &object.contents), (if source.is_ipv4() { 4 } else { 5 }, &hex(filter)));
    }
}

#[test]
fn an_spi_matches_as_a_whole() {
    shows(&["rfc2207-4.1-05"]);
    for other in [0x1122_3345, 0x1122_3444, 0x1123_3344, 0x1222_3344] {
        let mut dut = Dut::router();
        let (session, sender) = (session(&dut, 9000), s1(&dut, 0x1122_3344));
        dut.learn(Station::U1, session, sender);
        let flow = ff(cl(1.0), s1(&dut, other));
        let resv = dut.resv(Station::D1, session, Style::Ff, std::slice::from_ref(&flow));
        dut.send(Station::D1, resv);
        let error = dut.expect_to::<ResvErr>(Station::D1).message;
        assert_eq!((error.error.code, error.flows), (4, vec![flow]));
        dut.expect_silence();
        assert!(dut.reservations(session).is_empty());
    }
}

#[test]
fn two_associations_of_one_host_are_two_senders() {
    shows(&["rfc2207-4.2-01"]);
    let mut dut = Dut::router();
    let session = session(&dut, 9000);
    let senders = [1, 2].map(|spi| s1(&dut, spi));
    for sender in senders {
        dut.learn(Station::U1, session, sender);
    }
    let resv = dut.resv(Station::D1, session, Style::Se, &[se(cl(1.0), &senders)]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, senders.to_vec())]);
}

#[test]
fn sessions_with_ports_and_with_gpis_are_apart() {
    shows(&["rfc2207-4.2-02"]);
    let mut dut = Dut::router();
    let (gpi, sender) = (session(&dut, 9000), s1(&dut, 1));
    let plain = SessionKey::Ip(FlowKey { port: 0, ..*gpi.flow() });
    let no_port = FilterSpec::Ip { source: sender.source(), port: 0 };
    for (session, sender) in [(plain, no_port), (gpi, sender)] {
        let path = dut.path(Station::U1, session, sender);
        dut.send(Station::U1, path);
        assert_eq!(dut.expect::<Path>(Port::C).message.session.key, session);
        dut.expect_silence();
    }
    assert_eq!(dut.node().sessions().len(), 2);
}

#[test]
fn a_new_association_joins_the_shared_reservation() {
    shows(&["rfc2207-6-01"]);
    let mut dut = Dut::router();
    let session = session(&dut, 9000);
    let [old, new] = [1, 2].map(|spi| s1(&dut, spi));
    dut.learn(Station::U1, session, old);
    dut.reserve(Station::D1, session, Style::Se, &[se(cl(1.0), &[old])]);
    let id = dut.kernel(Port::C)[0].id;
    dut.learn(Station::U1, session, new);
    dut.inside().take_requests();
    dut.reserve(Station::D1, session, Style::Se, &[se(cl(1.0), &[old, new])]);
    let requests = dut.inside().take_requests();
    let [Request::Install(changed)] = &requests[..] else { panic!("{requests:?}") };
    assert_eq!((changed.id, &changed.flowspec, &changed.filters), (id, &cl(1.0), &vec![old, new]));
}
