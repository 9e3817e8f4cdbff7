//! RFC 2210 section 2.2 and RFC 2205 section 3.11.1: QoS objects through the API.

use conformance::bench::{Lab, Port, Station, tspec};
use conformance::shows;
use rsvp_core::Command;
use rsvp_core::command::{AdspecRequest, Reply, SenderRequest};
use rsvp_core::event::Upcall;
use rsvp_core::intserv::initial_adspec;
use rsvp_core::wire::{Adspec, ClassNum, FilterSpec, IntServAdspec, Object, Path, RawFragment};

/// An ADSPEC of three services, or of four: 84 or 120 octets, with its header.
fn adspec(octets: usize) -> IntServAdspec {
    let mut adspec = initial_adspec(&tspec(20.0));
    adspec.general.bandwidth = 1e6;
    if octets > 84 {
        let contents = [[200, 0, 0, 1], [1, 2, 3, 4]].concat().repeat(4);
        adspec.other.push(RawFragment { service: 99, broken: false, contents });
    }
    adspec
}

/// What a host sends for an application that gives this ADSPEC.
fn sent(given: AdspecRequest) -> (usize, Option<Adspec>) {
    let mut dut = Lab::in_process().host();
    let h = dut.h();
    let api = dut.open(h);
    let template = FilterSpec::Ip { source: dut.plan.dut(Port::C), port: 4000 };
    let request = SenderRequest { template, tspec: tspec(1.0), adspec: given, policy: vec![], ttl: 64 };
    assert_eq!(dut.command(Command::AddSender(api, request)), Ok(Reply::Done));
    let path = dut.expect::<Path>(Port::C);
    let octets = path.objects(ClassNum::ADSPEC).first().map_or(0, |object| object.encoded_len());
    (octets, path.message.adspec)
}

#[test]
fn adspecs_of_any_size_pass_through_the_api() {
    shows(&["rfc2210-2.2-04"]);
    for octets in [84, 120] {
        let given = Adspec::IntServ(adspec(octets));
        let (length, _) = sent(AdspecRequest::Given(given.clone()));
        assert_eq!(length, octets, "on the way down");
        let mut dut = Lab::in_process().host();
        let here = dut.plan.session(dut.plan.dut(Port::A), 5000);
        let api = dut.open(here);
        let mut path = dut.path(Station::U1, here, dut.s1());
        path.adspec = Some(given.clone());
        dut.send(Station::U1, path);
        let upcalls = dut.upcalls();
        let [(told, Upcall::Path { adspec: Some(upcall), .. })] = &upcalls[..] else { panic!("{upcalls:?}") };
        assert_eq!((told, upcall), (&api, &given));
        let object = Object::Adspec(upcall.clone()).encode().expect("it was decoded just now");
        assert_eq!(object.encoded_len(), octets, "on the way up");
    }
}

#[test]
fn an_application_may_start_the_adspec_itself() {
    shows(&["rfc2205-3.11.1-14"]);
    let own = IntServAdspec { guaranteed: None, ..adspec(84) };
    let (_, path) = sent(AdspecRequest::Given(Adspec::IntServ(own)));
    let Some(Adspec::IntServ(path)) = path else { panic!("{path:?}") };
    assert!(path.guaranteed.is_none() && path.controlled_load.is_some(), "services 1 and 5: {path:?}");
    assert_eq!((path.general.is_hops, path.general.path_mtu), (1, 1500), "with this hop in it");
    let Some(Adspec::IntServ(default)) = sent(AdspecRequest::Default).1 else { panic!("no ADSPEC") };
    assert!(default.guaranteed.is_some() && default.controlled_load.is_some());
    assert_eq!(sent(AdspecRequest::None).1, None);
}
