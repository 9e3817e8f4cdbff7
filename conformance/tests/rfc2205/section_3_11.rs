//! RFC 2205 section 3.11: the interfaces to applications, traffic control and routing.

use conformance::bench::{Dut, Lab, Port, R, Station, Timing, cl, ff, se, tspec};
use conformance::shows;
use rsvp_core::command::{Reply, ReserveRequest, SenderRequest};
use rsvp_core::event::Upcall;
use rsvp_core::input::{InstallFailure, InterfaceInfo, Route};
use rsvp_core::wire::{
    ErrorSpec, FilterSpec, FlowDescriptor, Path, PathErr, Resv, ResvConf, ResvErr, SessionKey, Style,
};
use rsvp_core::{ApiId, Command, Input, InterfaceId, Request};

/// A host's own sender.
fn own(dut: &Dut) -> FilterSpec {
    FilterSpec::Ip { source: dut.plan.dut(Port::C), port: 4000 }
}

/// A session that ends here.
fn here(dut: &Dut) -> SessionKey {
    dut.plan.session(dut.plan.dut(Port::A), 5000)
}

fn announce(dut: &mut Dut, api: ApiId, n: f32, ttl: u8) {
    let request =
        SenderRequest { template: own(dut), tspec: tspec(n), adspec: false.into(), policy: Vec::new(), ttl };
    assert_eq!(dut.command(Command::AddSender(api, request)), Ok(Reply::Done));
}

fn reserve(dut: &mut Dut, api: ApiId, style: Style, flows: &[FlowDescriptor], confirm: bool) {
    let request = ReserveRequest {
        receiver: dut.plan.dut(Port::A),
        style,
        flows: flows.to_vec(),
        policy: Vec::new(),
        confirm,
    };
    assert_eq!(dut.command(Command::Reserve(api, request)), Ok(Reply::Done));
}

/// A host that has a receiver of S1 here, and so many applications.
fn receivers<const N: usize>() -> (Dut, [ApiId; N]) {
    let mut dut = Lab::in_process().host();
    let (session, s1) = (here(&dut), dut.s1());
    let apis = [(); N].map(|()| dut.open(session));
    dut.learn(Station::U1, session, s1);
    dut.upcalls();
    (dut, apis)
}

#[test]
fn a_session_alone_sends_nothing() {
    shows(&["rfc2205-3.11.1-01"]);
    let mut dut = Lab::in_process().host();
    let h = dut.h();
    let [one, two] = [(); 2].map(|()| dut.open(h));
    assert_ne!(one, two, "each call has its own id");
    dut.advance(2 * R);
    dut.expect_silence();
}

#[test]
fn a_path_is_told_when_it_is_news() {
    shows(&["rfc2205-3.11.1-07", "rfc2205-3.11.1-13", "rfc2209-2.path-14"]);
    let mut dut = Lab::in_process().host();
    let (session, s1) = (here(&dut), dut.s1());
    let api = dut.open(session);
    let mut path = dut.path(Station::U1, session, s1);
    for told in [1, 0, 0] {
        dut.send(Station::U1, path.clone());
        let upcalls = dut.upcalls();
        assert_eq!(upcalls.len(), told, "{upcalls:?}");
        assert!(upcalls.iter().all(|(id, upcall)| *id == api && matches!(upcall, Upcall::Path { .. })));
    }
    path.sender_tspec = tspec(3.0);
    dut.send(Station::U1, path);
    let expected = Upcall::Path { sender: s1, tspec: tspec(3.0), adspec: None, policy: vec![] };
    assert_eq!(dut.upcalls(), [(api, expected)]);
}

#[test]
fn a_reservation_is_told_to_the_sender_when_it_is_news() {
    shows(&["rfc2205-3.11.1-08", "rfc2209-2.utc-12", "rfc2205-2.1-01", "rfc2210-2.1-02"]);
    let mut dut = Lab::in_process().host();
    let (h, sender) = (dut.h(), own(&dut));
    let api = dut.open(h);
    announce(&mut dut, api, 20.0, 64);
    dut.forget();
    for (n, told) in [(1.0, 1), (1.0, 0), (3.0, 1)] {
        let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(n), sender)]);
        dut.send(Station::D1, resv);
        let upcalls = dut.upcalls();
        assert_eq!(upcalls.len(), told, "{upcalls:?}");
        let expected =
            Upcall::Resv { style: Style::Ff, flowspec: cl(n), filters: vec![sender], policy: vec![] };
        assert!(upcalls.into_iter().all(|upcall| upcall == (api, expected.clone())));
        assert_eq!(dut.reserved(Port::C), [(n, vec![sender])], "on the host's own interface");
    }
    dut.expect_silence();
}

#[test]
fn every_error_is_told() {
    shows(&["rfc2205-3.11.1-09", "rfc2209-2.perr-02"]);
    let mut dut = Lab::in_process().host();
    let (h, sender) = (dut.h(), own(&dut));
    let api = dut.open(h);
    announce(&mut dut, api, 1.0, 64);
    dut.forget();
    let error = dut.path_err(h, sender, 2, 9);
    for _ in 0..3 {
        dut.send(Station::D1, error.clone());
        assert_eq!(dut.upcalls(), [(api, Upcall::PathError { error: error.error, sender, policy: vec![] })]);
    }
    dut.expect_silence();
}

#[test]
fn who_asked_for_less_is_not_guilty() {
    shows(&["rfc2205-3.11.1-11", "rfc2205-A.5-03"]);
    let (mut dut, [small, large]) = receivers();
    let (session, s1) = (here(&dut), dut.s1());
    reserve(&mut dut, small, Style::Ff, &[ff(cl(2.0), s1)], false);
    reserve(&mut dut, large, Style::Ff, &[ff(cl(4.0), s1)], false);
    dut.upcalls();
    let error = dut.resv_err(Station::U1, session, Style::Ff, ff(cl(4.0), s1), (1, 2, 0));
    dut.send(Station::U1, error);
    let mut flags: Vec<(ApiId, u8)> = dut
        .upcalls()
        .into_iter()
        .filter_map(|(api, upcall)| match upcall {
            Upcall::ResvError { error, .. } => Some((api, error.flags & ErrorSpec::NOT_GUILTY)),
            _ => None,
        })
        .collect();
    flags.sort_unstable();
    assert_eq!(flags, [(small, ErrorSpec::NOT_GUILTY), (large, 0)]);
}

#[test]
fn a_confirmation_is_told() {
    shows(&["rfc2205-3.11.1-12"]);
    let (mut dut, [api]) = receivers();
    let (session, s1) = (here(&dut), dut.s1());
    reserve(&mut dut, api, Style::Ff, &[ff(cl(1.0), s1)], true);
    dut.forget();
    dut.upcalls();
    let confirmation = dut.resv_conf(session, dut.plan.dut(Port::A), Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::U1, confirmation);
    let node = dut.plan.far();
    let expected = Upcall::Confirmed { node, style: Style::Ff, flows: vec![ff(cl(1.0), s1)] };
    assert_eq!(dut.upcalls(), [(api, expected)]);
    dut.expect_silence();
}

#[test]
fn next_hops_on_a_lan_share_one_installation() {
    shows(&["rfc2209-1-03", "rfc2209-2.resv-10", "rfc2209-1-04"]);
    let mut dut = Lab::in_process().router();
    let (k, s1, s2) = (dut.k(), dut.s1(), dut.s2());
    dut.learn(Station::U1, k, s1);
    dut.learn(Station::U2, k, s2);
    dut.reserve(Station::D2, k, Style::Ff, &[ff(cl(1.0), s1), ff(cl(1.0), s2)]);
    dut.reserve(Station::D3, k, Style::Ff, &[ff(cl(3.0), s1)]);
    assert_eq!(dut.reservations(k).len(), 3);
    assert_eq!(dut.reserved(Port::D), [(3.0, vec![s1]), (1.0, vec![s2])]);
}

#[test]
fn traffic_control_is_told_everything() {
    shows(&["rfc2205-3.11.2-02"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    let mut path = dut.path(Station::U1, h, s1);
    path.sender_tspec = tspec(2.0);
    path.session.flags = rsvp_core::wire::Session::E_POLICE;
    dut.send(Station::U1, path);
    dut.forget();
    dut.inside().take_requests();
    dut.inside().set_installer(Box::new(|_| Some(Err(InstallFailure { reason: "no".to_owned() }))));
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(4.0), s1)]);
    dut.send(Station::D1, resv);
    let requests = dut.inside().take_requests();
    let installs: Vec<_> = requests
        .into_iter()
        .filter_map(|request| match request {
            Request::Install(installation) => Some(installation),
            _ => None,
        })
        .collect();
    let [installation] = &installs[..] else { panic!("{installs:?}") };
    assert_eq!(installation.interface, Port::C.interface());
    assert_eq!((&installation.flowspec, &installation.filters), (&cl(4.0), &vec![s1]));
    assert_eq!(installation.sender_tspec, Some(tspec(2.0)));
    assert_eq!(installation.police, rsvp_core::output::PoliceFlags::ENTRY);
    let error = dut.expect_to::<ResvErr>(Station::D1).message.error;
    assert_eq!((error.code, error.flags), (22, 0), "it failed: Traffic Control System error");
    dut.expect_silence();
    assert!(dut.reservations(h).is_empty());
}

#[test]
fn a_refused_change_leaves_what_is_in_place() {
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.learn(Station::U1, h, s1);
    dut.reserve(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.inside().set_installer(Box::new(|_| Some(Err(InstallFailure { reason: "no".to_owned() }))));
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(4.0), s1)]);
    dut.send(Station::D1, resv);
    let error = dut.expect_to::<ResvErr>(Station::D1).message.error;
    assert_eq!((error.code, error.flags), (22, ErrorSpec::IN_PLACE));
    assert_eq!(dut.reserved(Port::C), [(1.0, vec![s1])]);
    dut.forget();
    dut.advance(R + R / 2);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![s1])]);
}

#[test]
fn a_resv_goes_on_when_traffic_control_has_answered() {
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.learn(Station::U1, h, s1);
    dut.inside().set_installer(Box::new(|_| None));
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(4.0), s1)]);
    dut.send(Station::D1, resv);
    dut.expect_silence();
    let id = dut.node().installed()[0].id;
    dut.inside().input(Input::Installed(id, Ok(())));
    dut.advance(Timing::VIRTUAL.at_once);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(4.0, vec![s1])]);
}

#[test]
fn filters_come_and_go_without_touching_the_flowspec() {
    shows(&["rfc2205-3.11.2-04"]);
    let mut dut = Lab::in_process().router();
    let (h, s1, s2) = (dut.h(), dut.s1(), dut.s2());
    dut.learn(Station::U1, h, s1);
    dut.learn(Station::U2, h, s2);
    dut.reserve(Station::D1, h, Style::Se, &[se(cl(2.0), &[s1])]);
    let id = dut.kernel(Port::C)[0].id;
    dut.reserve(Station::D1, h, Style::Se, &[se(cl(2.0), &[s1, s2])]);
    let installed = dut.kernel(Port::C);
    assert_eq!((installed.len(), installed[0].id), (1, id), "the same reservation");
    assert_eq!(dut.reserved(Port::C), [(2.0, vec![s1, s2])]);
}

#[test]
fn routing_is_asked_once_and_followed() {
    shows(&["rfc2205-3.11.4-01", "rfc2209-2.path-10"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    for _ in 0..3 {
        let path = dut.path(Station::U1, h, s1);
        dut.send(Station::U1, path);
    }
    let watches: Vec<_> = dut
        .inside()
        .take_requests()
        .into_iter()
        .filter_map(|request| match request {
            Request::WatchRoute(key) => Some((key.destination, key.source)),
            _ => None,
        })
        .collect();
    assert_eq!(watches, [(h.flow().destination, None)], "unicast: by destination, once");
}

#[test]
fn without_a_route_a_path_makes_state_and_goes_no_further() {
    shows(&["rfc2205-3.11.4-02"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.set_route(h.flow().destination, None, Route::default());
    let path = dut.path(Station::U1, h, s1);
    dut.send(Station::U1, path);
    dut.expect_silence();
    assert_eq!(dut.senders(h).len(), 1);
    let tear = dut.path_tear(Station::U1, h, s1);
    dut.send(Station::U1, tear);
    dut.expect_silence();
    assert!(dut.senders(h).is_empty());
}

#[test]
fn interfaces_may_appear_later() {
    shows(&["rfc2205-3.11.4-04"]);
    let mut dut = Lab::in_process().router();
    let (g, s1) = (dut.g(), dut.s1());
    let address = dut.plan.address(5, 254);
    dut.inside().input(Input::Interface(InterfaceInfo {
        id: InterfaceId(9),
        name: "e".to_owned(),
        addresses: vec![address],
        mtu: 1500,
        up: true,
        point_to_point: false,
    }));
    dut.learn(Station::U1, g, s1);
    assert!(
        dut.node().interfaces().iter().any(|view| view.id == InterfaceId(9) && view.addresses == [address])
    );
}

#[test]
fn a_message_for_a_host_that_is_not_it_is_left_alone() {
    let mut dut = Lab::in_process().host();
    let (h, s1) = (dut.h(), dut.s1());
    let path = dut.path(Station::U1, h, s1);
    dut.send(Station::U1, path);
    let confirmation = dut.resv_conf(h, h.flow().destination, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::U1, confirmation);
    dut.expect_no::<Path>(Port::C);
    dut.expect_no::<ResvConf>(Port::C);
    dut.expect_no::<PathErr>(Port::A);
    assert!(dut.node().sessions().is_empty());
    assert_eq!(dut.drops(rsvp_core::counters::DropReason::NotForUs), 2);
}

#[test]
fn how_a_diverted_message_came_is_known() {
    shows(&["rfc2205-3.11.5-02"]);
    let mut dut = Lab::in_process().router();
    let (g, h, s1) = (dut.g(), dut.h(), dut.s1());
    for (session, station) in [(g, Station::U1), (h, Station::U2)] {
        let mut packet = dut.pack(station, dut.path(station, session, s1));
        packet.ttl -= 3;
        dut.send_packet(station, &packet);
        let state = dut.senders(session);
        assert_eq!(state[0].incoming_interface, Some(station.port().interface()), "the arrival interface");
        assert!(state[0].non_rsvp, "the received TTL is not what was sent");
        assert_eq!(state[0].ttl, packet.ttl - 1, "and counts on from what was received");
    }
    dut.forget();
    let mut packet =
        dut.pack(Station::U1, dut.resv_conf(h, h.flow().destination, Style::Ff, &[ff(cl(1.0), s1)]));
    packet.source = dut.plan.far();
    dut.send_packet(Station::U1, &packet);
    assert_eq!(dut.expect::<ResvConf>(Port::C).sent.packet.source, packet.source, "the IP source");
}

#[test]
fn what_is_merged_where_data_are_replicated() {
    shows(&["rfc2205-3.11.2-01"]);
    let mut dut = Lab::in_process().group(1);
    let (g, s1) = (dut.g(), dut.s1());
    for (station, n) in [(Station::D2, 1.0), (Station::D3, 3.0), (Station::D1, 2.0)] {
        dut.reserve(station, g, Style::Ff, &[ff(cl(n), s1)]);
    }
    assert_eq!(dut.reservations(g).len(), 3);
    assert_eq!(
        dut.reserved(Port::D),
        [(3.0, vec![s1])],
        "in the network: one reservation for both next hops"
    );
    assert_eq!(dut.reserved(Port::C), [(2.0, vec![s1])], "in the IP layer: one for each interface");
    dut.advance(2 * R);
    assert_eq!(
        dut.all::<Resv>(Port::A).pop().expect("a Resv").shares(),
        [(3.0, vec![s1])],
        "and one upstream"
    );
    let larger = dut.resv(Station::D1, g, Style::Ff, &[ff(cl(4.0), s1)]);
    dut.send(Station::D1, larger);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(4.0, vec![s1])]);
    assert_eq!(dut.reserved(Port::D), [(3.0, vec![s1])], "what is asked for on c is not reserved on d");
}
