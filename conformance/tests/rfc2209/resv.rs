//! RFC 2209 section 2: what RESV, RTEAR and RERR MESSAGE ARRIVES and UPDATE TRAFFIC CONTROL do to the state.

use std::time::Duration;

use conformance::bench::{Dut, Lab, Port, Station, cl, ff, se, tspec};
use conformance::shows;
use rsvp_core::InterfaceId;
use rsvp_core::admission::{Admission, AdmissionRequest, BandwidthPools, Decision};
use rsvp_core::event::Upcall;
use rsvp_core::intserv::Hop;
use rsvp_core::output::Request;
use rsvp_core::policy::LocalPolicy;
use rsvp_core::wire::{Adspec, ErrorSpec, Flowspec, Resv, ResvErr, ResvTear, Style};

#[test]
fn a_refused_change_restores_what_was_there() {
    shows(&["rfc2209-2.resv-15"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    let mut path = dut.path(Station::U1, h, s1);
    path.sender_tspec = tspec(200.0);
    dut.send(Station::U1, path);
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(100.0), s1)]);
    dut.send(Station::D1, resv.clone());
    assert!(dut.reservations(h).is_empty(), "the first request is forgotten");
    dut.reserve(Station::D1, h, Style::Ff, &[ff(cl(2.0), s1)]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.reservations(h)[0].flowspec, cl(2.0));
    assert!(dut.reservations(h)[0].refused.is_some());
}

#[test]
fn an_error_ends_at_its_receiver() {
    shows(&["rfc2209-2.rerr-07"]);
    let mut dut = Lab::in_process().host();
    let (session, s1) = (dut.plan.session(dut.plan.dut(Port::A), 5000), dut.s1());
    let api = dut.open(session);
    dut.learn(Station::U1, session, s1);
    let request = rsvp_core::command::ReserveRequest {
        receiver: dut.plan.dut(Port::A),
        style: Style::Ff,
        flows: vec![ff(cl(2.0), s1)],
        policy: Vec::new(),
        confirm: false,
    };
    dut.command(rsvp_core::Command::Reserve(api, request)).expect("it is a good request");
    dut.forget();
    for (n, flags) in [(4.0, ErrorSpec::NOT_GUILTY), (2.0, 0)] {
        dut.upcalls();
        let error = dut.resv_err(Station::U1, session, Style::Ff, ff(cl(n), s1), (1, 2, 0));
        dut.send(Station::U1, error);
        let upcalls = dut.upcalls();
        let [(_, Upcall::ResvError { error, .. })] = &upcalls[..] else { panic!("{upcalls:?}") };
        assert_eq!(error.flags, flags, "{n} B failed, this receiver asked for 2 B");
        dut.expect_no::<ResvErr>(Port::A);
        dut.expect_no::<ResvErr>(Port::C);
        dut.forget();
    }
}

#[test]
fn the_end_of_a_reservation_ends_its_installation() {
    shows(&["rfc2209-2.utc-08"]);
    let mut dut = Lab::in_process().unicast(3);
    let (h, s1) = (dut.h(), dut.s1());
    dut.reserve(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    let id = dut.kernel(Port::C)[0].id;
    dut.inside().take_requests();
    let tear = dut.resv_tear(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, tear);
    assert_eq!(dut.inside().take_requests(), [Request::Remove(id)]);
    assert_eq!(dut.expect::<ResvTear>(Port::A).message.flows[0].filters, [s1]);
    assert!(dut.node().installed().is_empty());
}

#[test]
fn a_changed_filter_set_keeps_the_reservation() {
    shows(&["rfc2209-2.utc-10"]);
    let mut dut = Lab::in_process().unicast(3);
    let (h, s1, s2) = (dut.h(), dut.s1(), dut.s2());
    dut.reserve(Station::D1, h, Style::Se, &[se(cl(1.0), &[s1, s2])]);
    let id = dut.kernel(Port::C)[0].id;
    let tear = dut.resv_tear(Station::D1, h, Style::Se, &[se(cl(1.0), &[s1])]);
    dut.inside().take_requests();
    dut.send(Station::D1, tear);
    let requests = dut.inside().take_requests();
    let [Request::Install(changed)] = &requests[..] else { panic!("{requests:?}") };
    assert_eq!((changed.id, &changed.filters), (id, &vec![s2]));
}

#[test]
fn a_failed_installation_is_an_error_of_traffic_control() {
    shows(&["rfc2209-2.utc-07"]);
    let mut dut = Lab::in_process().unicast(1);
    let (h, s1) = (dut.h(), dut.s1());
    let failing = rsvp_core::input::InstallFailure { reason: "no more classes".to_owned() };
    dut.inside().set_installer(Box::new(move |_| Some(Err(failing.clone()))));
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect_to::<ResvErr>(Station::D1).message.error.code, 22);
    dut.expect_silence();
}

/// Traffic control that gives 3 B back for 4 B, and takes the rest as it comes.
struct GivesBack;

impl Admission for GivesBack {
    fn admit(&self, request: &AdmissionRequest<'_>) -> Decision {
        Decision::Admit { fwd: (*request.new == cl(4.0)).then(|| cl(3.0)) }
    }

    fn bandwidth(&self, flowspec: &Flowspec) -> u64 {
        BandwidthPools.bandwidth(flowspec)
    }

    fn advertise(&self, interface: InterfaceId, adspec: &Adspec, hop: &Hop) -> Adspec {
        BandwidthPools.advertise(interface, adspec, hop)
    }
}

#[test]
fn what_traffic_control_gave_back_is_merged() {
    shows(&["rfc2209-2.rrefresh-06"]);
    let mut dut = Dut::controlled(true, GivesBack, LocalPolicy);
    let (g, s1) = (dut.g(), dut.s1());
    dut.learn(Station::U1, g, s1);
    for (station, n) in [(Station::D1, 4.0), (Station::D2, 2.0)] {
        let resv = dut.resv(station, g, Style::Ff, &[ff(cl(n), s1)]);
        dut.send(station, resv);
        dut.advance(Duration::from_secs(60));
        let refreshes = dut.all::<Resv>(Port::A);
        assert!(!refreshes.is_empty());
        assert!(refreshes.iter().all(|resv| resv.shares() == [(3.0, vec![s1])]), "{n} B: {refreshes:?}");
    }
    assert_eq!(
        (dut.reserved(Port::C), dut.reserved(Port::D)),
        (vec![(4.0, vec![s1])], vec![(2.0, vec![s1])])
    );
}
