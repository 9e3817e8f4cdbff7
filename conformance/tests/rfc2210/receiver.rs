//! RFC 2210 sections 2.2, 2.3.2, 3.1 and 3.2.1: what receivers ask for, by what the paths of their senders have.

use conformance::bench::{Dut, Lab, Port, Station, bucket, ff, hex, tspec};
use conformance::shows;
use rsvp_core::Command;
use rsvp_core::command::ReserveRequest;
use rsvp_core::intserv::{self, NoPromise};
use rsvp_core::wire::{
    Adspec, FilterSpec, FlowDescriptor, Flowspec, IntServAdspec, Path, RawObject, Resv, Rspec, SenderTspec,
    SessionKey, Style, Tspec,
};

/// An ADSPEC with all services, as it comes with a path MTU.
fn adspec(path_mtu: u32) -> IntServAdspec {
    let contents =
        hex("00000013 01000008 04000001 00000003 06000001 49742400 08000001 000001f4 0a000001 000005dc
        02000008 85000001 000003e8 86000001 000000c8 87000001 000003e8 88000001 000000c8 05000000");
    let Adspec::IntServ(mut adspec) = Adspec::decode(&RawObject { class: 13, ctype: 2, contents }) else {
        panic!("an ADSPEC")
    };
    adspec.general.path_mtu = path_mtu;
    adspec
}

/// A session of the host itself.
fn here(dut: &Dut) -> SessionKey {
    dut.plan.session(dut.plan.dut(Port::A), 5000)
}

/// A receiving host that knows two senders behind one router, whose paths have these ADSPECs, and whose m is 100 and 200.
fn host(adspecs: [&IntServAdspec; 2]) -> (Dut, [FilterSpec; 2]) {
    let mut dut = Lab::in_process().host();
    let session = here(&dut);
    let senders = [dut.s1(), dut.s2()];
    for (index, (sender, adspec)) in senders.into_iter().zip(adspecs).enumerate() {
        let mut path: Path = dut.path(Station::U1, session, sender);
        let min_unit = if index == 0 { 100 } else { 200 };
        path.sender_tspec = SenderTspec::TokenBucket(Tspec { min_unit, ..bucket(20.0) });
        path.adspec = Some(Adspec::IntServ(adspec.clone()));
        dut.send(Station::U1, path);
    }
    dut.forget();
    (dut, senders)
}

/// What an application's request comes to on the wire: sender, m and M of each flow.
fn asked(dut: &mut Dut, style: Style, flows: Vec<FlowDescriptor>) -> Vec<(Vec<FilterSpec>, u32, u32)> {
    let session = here(dut);
    let receiver = dut.plan.dut(Port::A);
    let api = dut.open(session);
    let request = ReserveRequest { receiver, style, flows, policy: vec![], confirm: false };
    dut.command(Command::Reserve(api, request)).expect("a good request");
    let resv = dut.expect::<Resv>(Port::A).message;
    let flow = |flow: FlowDescriptor| {
        let tspec = *flow.flowspec.as_ref().and_then(Flowspec::tspec).expect("a token bucket");
        (flow.filters, tspec.min_unit, tspec.max_packet)
    };
    dut.command(Command::Release(api)).expect("it is there");
    dut.forget();
    resv.flows.into_iter().map(flow).collect()
}

fn load(max_packet: u32) -> Flowspec {
    Flowspec::ControlledLoad(Tspec { max_packet, ..bucket(1.0) })
}

#[test]
fn m_is_the_least_path_mtu_of_the_senders_concerned() {
    shows(&["rfc2210-2.3.2-02"]);
    let (mut dut, [s1, s2]) = host([&adspec(1500), &adspec(1280)]);
    let wildcard = FlowDescriptor { flowspec: Some(load(9000)), filters: vec![] };
    let max_packets = |flows: &[(Vec<FilterSpec>, u32, u32)]| -> Vec<u32> {
        flows.iter().map(|(_, _, max_packet)| *max_packet).collect()
    };
    assert_eq!(max_packets(&asked(&mut dut, Style::Wf, vec![wildcard])), [1280]);
    let explicit = FlowDescriptor { flowspec: Some(load(9000)), filters: vec![s1, s2] };
    assert_eq!(max_packets(&asked(&mut dut, Style::Se, vec![explicit])), [1280]);
    let fixed = asked(&mut dut, Style::Ff, vec![ff(load(9000), s1), ff(load(9000), s2)]);
    let of = |sender| fixed.iter().find(|(filters, ..)| *filters == [sender]).expect("its flow").2;
    assert_eq!((of(s1), of(s2)), (1500, 1280), "a fixed filter has its own sender's");
    let mut own = adspec(1500);
    own.guaranteed.as_mut().expect("guaranteed service").overrides.path_mtu = Some(576);
    let (mut dut, [s1, _]) = host([&own, &own]);
    let guaranteed =
        Flowspec::Guaranteed(Tspec { max_packet: 9000, ..bucket(1.0) }, Rspec { rate: 1e4, slack: 0 });
    assert_eq!(max_packets(&asked(&mut dut, Style::Ff, vec![ff(guaranteed, s1)])), [576]);
    assert_eq!(max_packets(&asked(&mut dut, Style::Ff, vec![ff(load(9000), s1)])), [1500]);
}

#[test]
fn m_is_smaller_if_the_application_knows() {
    shows(&["rfc2210-3.2.1-02"]);
    let (mut dut, [s1, _]) = host([&adspec(1400), &adspec(1400)]);
    assert_eq!(asked(&mut dut, Style::Ff, vec![ff(load(1500), s1)])[0].2, 1400);
    assert_eq!(asked(&mut dut, Style::Ff, vec![ff(load(800), s1)])[0].2, 800);
}

#[test]
fn a_path_that_changes_changes_the_request() {
    let (mut dut, [s1, _]) = host([&adspec(1500), &adspec(1500)]);
    let session = here(&dut);
    let api = dut.open(session);
    let flows = vec![ff(load(9000), s1)];
    let receiver = dut.plan.dut(Port::A);
    let request = ReserveRequest { receiver, style: Style::Ff, flows, policy: vec![], confirm: false };
    dut.command(Command::Reserve(api, request)).expect("a good request");
    dut.forget();
    for path_mtu in [1300, 1400] {
        let mut path = dut.path(Station::U1, session, s1);
        path.adspec = Some(Adspec::IntServ(adspec(path_mtu)));
        dut.send(Station::U1, path);
        let resv = dut.expect::<Resv>(Port::A).message;
        assert_eq!(
            resv.flows[0].flowspec.as_ref().and_then(Flowspec::tspec).map(|t| t.max_packet),
            Some(path_mtu)
        );
    }
}

#[test]
fn the_minimum_policed_unit_is_the_senders() {
    shows(&["rfc2210-3.2.1-03"]);
    let (mut dut, [s1, s2]) = host([&adspec(1500), &adspec(1500)]);
    let flows = asked(&mut dut, Style::Ff, vec![ff(load(1500), s1), ff(load(1500), s2)]);
    let of = |sender| flows.iter().find(|(filters, ..)| *filters == [sender]).expect("its flow").1;
    assert_eq!((of(s1), of(s2)), (100, 200));
    let explicit = FlowDescriptor { flowspec: Some(load(1500)), filters: vec![s1, s2] };
    assert_eq!(asked(&mut dut, Style::Se, vec![explicit])[0].1, 100, "shared: the smallest sender's");
    let known = Flowspec::ControlledLoad(Tspec { min_unit: 500, ..bucket(1.0) });
    assert_eq!(asked(&mut dut, Style::Ff, vec![ff(known, s1)])[0].1, 500, "the application's own is larger");
}

#[test]
fn what_is_installed_is_no_larger_than_the_senders_packets() {
    shows(&["rfc2210-2.3.2-04"]);
    let mut dut = Lab::in_process().router();
    let (h, senders) = (dut.h(), [dut.s1(), dut.s2()]);
    for (station, sender, max_packet) in [(Station::U1, senders[0], 500), (Station::U2, senders[1], 1200)] {
        let mut path = dut.path(station, h, sender);
        path.sender_tspec = SenderTspec::TokenBucket(Tspec { max_packet, ..bucket(20.0) });
        dut.send(station, path);
    }
    dut.forget();
    let wildcard = FlowDescriptor { flowspec: Some(load(1500)), filters: vec![] };
    dut.reserve(Station::D1, h, Style::Wf, &[wildcard]);
    let [installed] = &dut.kernel(Port::C)[..] else { panic!("one installation") };
    let path_te = installed.sender_tspec.as_ref().expect("Path_Te");
    assert_eq!(path_te.max_packet(), Some(1200), "of the sum");
    let effective = intserv::effective(&installed.flowspec, path_te);
    assert_eq!(effective.tspec().map(|tspec| tspec.max_packet), Some(1200));
}

#[test]
fn a_service_that_the_sender_does_not_offer_is_not_chosen() {
    shows(&["rfc2210-2.2-01"]);
    let bare = IntServAdspec { guaranteed: None, ..adspec(1500) };
    let choose = |adspec: &IntServAdspec| intserv::promise(adspec, &bucket(1.0), 10_000_000);
    assert_eq!(choose(&bare), Err(NoPromise::NotOffered));
    assert!(choose(&adspec(1500)).is_ok());
    // The application hears of it: the ADSPEC is in its PATH_EVENT, and nothing is reserved of the node's own accord.
    let mut dut = Lab::in_process().host();
    let session = here(&dut);
    dut.open(session);
    let mut path = dut.path(Station::U1, session, dut.s1());
    path.sender_tspec = tspec(1.0);
    path.adspec = Some(Adspec::IntServ(bare.clone()));
    dut.send(Station::U1, path);
    let upcalls = dut.upcalls();
    let [(_, rsvp_core::event::Upcall::Path { adspec: Some(told), .. })] = &upcalls[..] else {
        panic!("{upcalls:?}")
    };
    assert_eq!(*told, Adspec::IntServ(bare));
    dut.expect_no::<Resv>(Port::A);
}
