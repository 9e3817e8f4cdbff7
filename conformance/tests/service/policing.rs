//! Where flows are policed and where they are reshaped, what that takes of a node, and what links add to packets
//! (RFC 2212, "Policing" and "Guidelines for Implementors").

use conformance::bench::{Dut, Family, Lab, Port, Station, bucket, cl, ff, gs, hex, wf};
use conformance::shows;
use rsvp_core::Instant;
use rsvp_core::config::{Bandwidth, GuaranteedConfig};
use rsvp_core::intserv::Meter;
use rsvp_core::output::{Conditioning, PoliceFlags};
use rsvp_core::wire::{Adspec, Flowspec, RawObject, ResvErr, SenderTspec, Session, SessionKey, Style, Tspec};

/// A router that knows S1 and S2 of a session; the Path of S1 has the E_Police_Flag or not.
fn router(session: fn(&Dut) -> SessionKey, e_police: bool) -> Dut {
    let mut dut = Lab::in_process().router();
    let session = session(&dut);
    for (station, sender) in [(Station::U1, dut.s1()), (Station::U2, dut.s2())] {
        let mut path = dut.path(station, session, sender);
        path.session.flags = if e_police { Session::E_POLICE } else { 0 };
        dut.send(station, path);
    }
    dut.forget();
    dut
}

#[test]
fn guaranteed_service_is_policed_at_the_edge_and_reshaped_inside() {
    shows(&["rfc2212-pol-01"]);
    for (e_police, expected) in [(true, Conditioning::Police), (false, Conditioning::Reshape)] {
        let mut dut = router(Dut::h, e_police);
        let (h, s1) = (dut.h(), dut.s1());
        dut.reserve(Station::D1, h, Style::Ff, &[ff(gs(1.0), s1)]);
        let [installed] = &dut.kernel(Port::C)[..] else { panic!("one installation") };
        assert_eq!(installed.police.contains(PoliceFlags::ENTRY), e_police);
        assert_eq!(installed.conditioning(), Some(expected));
    }
    let mut dut = router(Dut::g, false);
    let g = dut.g();
    dut.reserve(Station::D1, g, Style::Wf, &[wf(gs(4.0))]);
    dut.reserve(Station::D2, g, Style::Wf, &[wf(gs(2.0))]);
    for (port, flags) in [(Port::C, PoliceFlags::MERGE), (Port::D, PoliceFlags::MERGE | PoliceFlags::BRANCH)]
    {
        let [installed] = &dut.kernel(port)[..] else { panic!("one installation") };
        assert_eq!((installed.police, installed.conditioning()), (flags, Some(Conditioning::Reshape)));
    }
    // Controlled load relies on nobody (RFC 2211 section 7).
    let mut dut = router(Dut::h, false);
    let (h, s1) = (dut.h(), dut.s1());
    dut.reserve(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    assert_eq!(dut.kernel(Port::C)[0].conditioning(), Some(Conditioning::Police));
}

#[test]
fn a_reshaper_loses_nothing_that_conforms() {
    shows(&["rfc2212-pol-03"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    let contents =
        hex("00000012 01000008 04000001 00000003 06000001 49742400 08000001 000001f4 0a000001 000005dc
        02000008 85000001 00002710 86000001 00004e20 87000001 000003e8 88000001 00002710");
    let adspec = Adspec::decode(&RawObject { class: 13, ctype: 2, contents });
    let mut path = dut.path(Station::U1, h, s1);
    path.adspec = Some(adspec);
    dut.send(Station::U1, path.clone());
    dut.forget();
    dut.reserve(Station::D1, h, Style::Ff, &[ff(gs(1.0), s1)]);
    // b = 10000, r = 10000; Csum = 1000, Dsum = 10 ms; and what this node adds itself: 1500 and 1 ms.
    let buffer = |dut: &mut Dut| dut.kernel(Port::C)[0].buffer;
    assert_eq!(buffer(&mut dut), Some(10_000 + 1000 + 100 + 1500 + 10));
    let Some(Adspec::IntServ(adspec)) = &mut path.adspec else { panic!("an ADSPEC") };
    adspec.guaranteed.as_mut().expect("guaranteed service").c_sum = 5000;
    dut.send(Station::U1, path);
    assert_eq!(buffer(&mut dut), Some(10_000 + 5000 + 100 + 1500 + 10), "it follows the path");
    let Flowspec::Guaranteed(tspec, _) = gs(1.0) else { panic!("guaranteed service") };
    let mut meter = Meter::new(Tspec { peak: f32::INFINITY, ..tspec }, 1500, Instant::ZERO);
    let first: u32 = (0..20).filter(|_| meter.conforms(1000, Instant::ZERO)).count() as u32;
    assert_eq!(first, 10, "the bucket is full at the start");
}

#[test]
fn link_headers_are_part_of_what_a_reservation_takes() {
    shows(&["rfc2212-guide-02"]);
    for (link, admitted) in [(11_399, false), (11_400, true)] {
        let mut dut = Lab::in_process().with(Family::V4, |config| {
            let pool = Bandwidth { total: 11_000, per_flow: 11_000, link };
            config.default_interface.bandwidth = Some(pool);
            config.default_interface.link_header = 14;
        });
        let (h, s1) = (dut.h(), dut.s1());
        let mut path = dut.path(Station::U1, h, s1);
        path.sender_tspec = SenderTspec::TokenBucket(Tspec { min_unit: 100, ..bucket(20.0) });
        dut.send(Station::U1, path);
        let asked = Flowspec::ControlledLoad(Tspec { min_unit: 100, ..bucket(1.0) });
        let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(asked, s1)]);
        dut.send(Station::D1, resv);
        let error = dut.all::<ResvErr>(Port::C).pop().map(|error| error.message.error);
        let refused = error.map(|error| (error.code, error.value));
        assert_eq!(refused, (!admitted).then_some((1, 2)), "r + r*H/m on a link of {link} B/s");
        let views = dut.node().interfaces();
        let c = views.into_iter().find(|view| view.id == Port::C.interface()).expect("c is there");
        assert_eq!(c.reserved, if admitted { 10_000 } else { 0 }, "the pool counts IP packets");
    }
}

#[test]
fn no_more_flows_than_the_delay_bound_holds_for() {
    let mut dut = Lab::in_process().with(Family::V4, |config| {
        let service = GuaranteedConfig { flows: Some(1), ..GuaranteedConfig::new(1500, 1000) };
        config.default_interface.guaranteed = Some(service);
    });
    let h = dut.h();
    let (s1, s2) = (dut.s1(), dut.s2());
    dut.learn(Station::U1, h, s1);
    dut.learn(Station::U2, h, s2);
    dut.reserve(Station::D1, h, Style::Ff, &[ff(gs(1.0), s1)]);
    let mut ask = |flowspec: Flowspec, sender| {
        let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(flowspec, sender)]);
        dut.send(Station::D1, resv);
        let error = dut.all::<ResvErr>(Port::C).pop().map(|error| error.message.error);
        dut.forget();
        error.map(|error| (error.code, error.value))
    };
    assert_eq!(ask(gs(1.0), s2), Some((1, 1)), "the delay bound cannot be met");
    assert_eq!(ask(gs(2.0), s1), None, "the first may change");
}
