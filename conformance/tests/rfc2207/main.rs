//! Requirements of RFC 2207: IPsec data flows, named by a generalised port identifier (GPI) in place of ports.

use conformance::bench::{Dut, Lab, Port, Station, cl, ff, se, tspec};
use conformance::shows;
use rsvp_core::command::{ReserveRequest, SenderRequest};
use rsvp_core::counters::DropReason;
use rsvp_core::event::Upcall;
use rsvp_core::output::Request;
use rsvp_core::wire::{FilterSpec, FlowKey, Path, ResvErr, SessionKey, Style};
use rsvp_core::{ApiId, Command, CommandError, Reply};

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
    let mut dut = Lab::in_process().router();
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

#[test]
fn sessions_with_ports_and_with_gpis_are_apart() {
    shows(&["rfc2207-4.2-02"]);
    let mut dut = Lab::in_process().router();
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
    let mut dut = Lab::in_process().router();
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

/// A host, and a session for IPsec of its own.
fn host(protocol: u8, port: u16) -> (Dut, SessionKey) {
    let dut = Lab::in_process().host();
    let key = SessionKey::Gpi(FlowKey { destination: dut.h().flow().destination, protocol, port });
    (dut, key)
}

fn announce(dut: &mut Dut, api: ApiId, template: FilterSpec) -> Result<Reply, CommandError> {
    let request =
        SenderRequest { template, tspec: tspec(1.0), adspec: false.into(), policy: vec![], ttl: 64 };
    dut.command(Command::AddSender(api, request))
}

#[test]
fn a_session_with_a_virtual_port_has_senders_with_a_gpi_only() {
    shows(&["rfc2207-4.1-01"]);
    let (mut dut, key) = host(AH, 9000);
    let source = dut.plan.dut(Port::C);
    let plain = FilterSpec::Ip { source, port: 4000 };
    let gpi = FilterSpec::Gpi { source, spi: 1 };
    let api = dut.open(key);
    assert_eq!(announce(&mut dut, api, plain), Err(CommandError::ConflictingCType(plain)));
    dut.expect_silence();
    assert_eq!(announce(&mut dut, api, gpi), Ok(Reply::Done));
    assert_eq!(dut.expect::<Path>(Port::C).message.sender_template, gpi);
    let other = SessionKey::Ip(FlowKey { destination: dut.k().flow().destination, ..*key.flow() });
    let api = dut.open(other);
    assert_eq!(announce(&mut dut, api, gpi), Err(CommandError::ConflictingCType(gpi)));
    // On the wire.
    let mut dut = Lab::in_process().router();
    for (key, sender) in [(key, dut.s1()), (dut.h(), s1(&dut, 1))] {
        let path = dut.path(Station::U1, key, sender);
        dut.send(Station::U1, path);
        dut.expect_silence();
    }
    assert!(dut.node().sessions().is_empty());
    assert_eq!(dut.drops(DropReason::Inconsistent), 2);
}

#[test]
fn a_virtual_port_is_for_ipsec() {
    shows(&["rfc2207-4.1-02"]);
    for protocol in [50, 51] {
        let (mut dut, key) = host(protocol, 9000);
        let api = dut.open(key);
        let gpi = FilterSpec::Gpi { source: dut.plan.dut(Port::C), spi: 1 };
        assert_eq!(announce(&mut dut, api, gpi), Ok(Reply::Done));
        assert_eq!(dut.expect::<Path>(Port::C).message.session.key, key);
    }
    for protocol in [6, 17, 0, 49, 52] {
        let (mut dut, key) = host(protocol, 9000);
        let refused = Err(CommandError::NotGpiProtocol(protocol));
        assert_eq!(dut.command(Command::OpenSession(key)), refused);
        dut.expect_silence();
        assert!(dut.node().sessions().is_empty());
    }
}

#[test]
fn a_virtual_port_is_state_but_in_no_packet() {
    shows(&["rfc2207-4.1-03"]);
    let mut dut = Lab::in_process().router();
    let (one, other) = (session(&dut, 9000), session(&dut, 9001));
    let sender = s1(&dut, 1);
    dut.learn(Station::U1, one, sender);
    assert_eq!(dut.senders(one).len(), 1);
    let resv = dut.resv(Station::D1, other, Style::Ff, &[ff(cl(1.0), sender)]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect_to::<ResvErr>(Station::D1).message.error.code, 3, "another session");
    dut.reserve(Station::D1, one, Style::Ff, &[ff(cl(1.0), sender)]);
    let [installed] = &dut.kernel(Port::C)[..] else { panic!("one reservation") };
    assert_eq!(installed.session, SessionKey::Gpi(FlowKey { port: 0, ..*one.flow() }));
    let none = session(&dut, 0);
    let path = dut.path(Station::U1, none, sender);
    dut.send(Station::U1, path);
    dut.expect_silence();
    assert!(dut.senders(none).is_empty());
    assert_eq!(dut.drops(DropReason::MalformedObject), 1);
}

#[test]
fn a_filter_with_a_gpi_needs_such_a_session() {
    shows(&["rfc2207-4.1-04"]);
    let mut dut = Lab::in_process().unicast(1);
    let h = dut.h();
    let gpi = s1(&dut, 1);
    for (style, flow) in [(Style::Ff, ff(cl(1.0), gpi)), (Style::Se, se(cl(1.0), &[gpi]))] {
        let resv = dut.resv(Station::D1, h, style, &[flow]);
        dut.send(Station::D1, resv);
        dut.expect_silence();
    }
    assert!(dut.reservations(h).is_empty());
    assert_eq!(dut.drops(DropReason::Inconsistent), 2);
    let api = dut.open(h);
    let request = ReserveRequest {
        receiver: dut.plan.dut(Port::C),
        style: Style::Ff,
        flows: vec![ff(cl(1.0), gpi)],
        policy: vec![],
        confirm: false,
    };
    let refused = Err(CommandError::ConflictingCType(gpi));
    assert_eq!(dut.command(Command::Reserve(api, request)), refused);
}

#[test]
fn virtual_ports_have_ranges() {
    shows(&["rfc2207-5-01"]);
    for port in 0..=10 {
        let (mut dut, key) = host(AH, port);
        let refused = Err(CommandError::InvalidDestinationPort(port));
        assert_eq!(dut.command(Command::OpenSession(key)), refused);
    }
    for port in [11, 8191, 8192, 65535] {
        let (mut dut, key) = host(AH, port);
        dut.open(key);
    }
}

#[test]
fn an_application_hears_that_its_object_is_not_understood() {
    shows(&["rfc2205-3.10-12"]);
    let (mut dut, key) = host(AH, 9000);
    let api = dut.open(key);
    let gpi = FilterSpec::Gpi { source: dut.plan.dut(Port::C), spi: 1 };
    assert_eq!(announce(&mut dut, api, gpi), Ok(Reply::Done));
    let error = dut.path_err(key, gpi, 14, 0x0103);
    dut.send(Station::D1, error.clone());
    let told = Upcall::PathError { error: error.error, sender: gpi, policy: vec![] };
    assert_eq!(dut.upcalls(), [(api, told)]);
    // It may then fall back to addresses alone.
    dut.forget();
    assert_eq!(dut.command(Command::Release(api)), Ok(Reply::Done));
    let plain = SessionKey::Ip(FlowKey { port: 0, ..*key.flow() });
    let api = dut.open(plain);
    let fallback = FilterSpec::Ip { source: gpi.source(), port: 0 };
    assert_eq!(announce(&mut dut, api, fallback), Ok(Reply::Done));
    assert_eq!(dut.expect::<Path>(Port::C).message.session.key, plain);
}
