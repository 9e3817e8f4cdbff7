//! RFC 2205 section 1: sessions, the reservation model, styles, and the worked examples of merging.

use std::time::Duration;

use conformance::bench::{Dut, Family, Lab, Packet, Plan, Port, Station, cl, ff, group_route, se, wf};
use conformance::shows;
use rsvp_core::wire::{
    FilterSpec, FlowDescriptor, FlowKey, Path, Resv, ResvConf, ResvErr, SessionKey, Style,
};

#[test]
fn both_families_carry_the_same_exchange() {
    shows(&["rfc2205-1-02"]);
    for family in [Family::V4, Family::V6] {
        let mut dut = Lab::in_process().with(family, |_| ());
        let (h, s1) = (dut.h(), dut.s1());
        let path = dut.path(Station::U1, h, s1);
        dut.send(Station::U1, path);
        let path = dut.expect::<Path>(Port::C);
        assert_eq!((path.message.session.key, path.message.sender_template), (h, s1));
        let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
        dut.send(Station::D1, resv);
        let resv = dut.expect::<Resv>(Port::A);
        assert_eq!(resv.shares(), [(1.0, vec![s1])]);
        let ctype = if family == Family::V4 { 1 } else { 2 };
        for placed in path.raw.objects.iter().chain(&resv.raw.objects) {
            let object = &placed.object;
            let has_address = [1, 3, 10, 11].contains(&object.class);
            assert!(!has_address || object.ctype == ctype, "{object:?}");
        }
    }
}

#[test]
fn a_session_is_named_by_all_three_of_its_parts() {
    shows(&["rfc2205-1.1-01"]);
    let mut dut = Lab::in_process().router();
    let s1 = dut.s1();
    let destination = dut.h().flow().destination;
    let key = |protocol, port| SessionKey::Ip(FlowKey { destination, protocol, port });
    let sessions = [key(17, 5000), key(17, 5001), key(6, 5000)];
    for session in sessions {
        dut.learn(Station::U1, session, s1);
        dut.reserve(Station::D1, session, Style::Ff, &[ff(cl(1.0), s1)]);
    }
    assert_eq!(dut.reserved(Port::C).len(), 3);
    let tear = dut.path_tear(Station::U1, sessions[0], s1);
    dut.send(Station::U1, tear);
    assert_eq!(dut.reserved(Port::C).len(), 2);
    let torn = dut.expect::<rsvp_core::wire::PathTear>(Port::C);
    assert_eq!(torn.message.session.key, sessions[0]);
    dut.expect_silence();
    for session in &sessions[1..] {
        assert_eq!((dut.senders(*session).len(), dut.reservations(*session).len()), (1, 1));
    }
    assert!(dut.senders(sessions[0]).is_empty());
}

#[test]
fn several_senders_may_reserve_towards_one_unicast_receiver() {
    shows(&["rfc2205-1.1-02", "rfc2205-3.1.4-07"]);
    let mut dut = Lab::in_process().router();
    let (h, s1, s2, s3) = (dut.h(), dut.s1(), dut.s2(), dut.s3());
    dut.learn(Station::U1, h, s1);
    dut.learn(Station::U2, h, s2);
    dut.learn(Station::U2, h, s3);
    let resv = dut.resv(Station::D1, h, Style::Se, &[se(cl(2.0), &[s1, s2])]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(2.0, vec![s1])]);
    assert_eq!(dut.expect::<Resv>(Port::B).shares(), [(2.0, vec![s2])]);
    dut.expect_silence();
}

#[test]
fn a_session_may_do_without_ports() {
    shows(&["rfc2205-1.1-03"]);
    let mut dut = Lab::in_process().router();
    let key = SessionKey::Ip(FlowKey { destination: dut.h().flow().destination, protocol: 89, port: 0 });
    let sender = FilterSpec::Ip { source: dut.s1().source(), port: 0 };
    let path = dut.path(Station::U1, key, sender);
    dut.send(Station::U1, path);
    assert_eq!(dut.expect::<Path>(Port::C).message.sender_template, sender);
    let resv = dut.resv(Station::D1, key, Style::Ff, &[ff(cl(1.0), sender)]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![sender])]);
    assert_eq!(dut.reserved(Port::C), [(1.0, vec![sender])]);
}

#[test]
fn the_reservation_is_where_the_data_leaves() {
    shows(&["rfc2205-1.2-01"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.learn(Station::U1, h, s1);
    dut.reserve(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    assert_eq!(dut.reserved(Port::C), [(1.0, vec![s1])]);
    for port in [Port::A, Port::B, Port::D] {
        assert!(dut.reserved(port).is_empty(), "{port:?}");
    }
}

#[test]
fn a_request_goes_no_further_than_an_equal_or_larger_one() {
    shows(&["rfc2205-1.2-03", "rfc2205-2.6-02"]);
    for smaller in [3.0, 4.0] {
        let mut dut = Lab::in_process().group(3);
        let (g, r2) = (dut.g(), dut.plan.address(8, 8));
        dut.reserve(Station::D1, g, Style::Wf, &[wf(cl(4.0))]);
        let mut resv = dut.resv(Station::D2, g, Style::Wf, &[wf(cl(smaller))]);
        resv.confirm = Some(r2);
        dut.send(Station::D2, resv);
        dut.expect_no::<Resv>(Port::A);
        dut.expect_no::<Resv>(Port::B);
        let confirmation = dut.expect::<ResvConf>(Port::D);
        assert_eq!((confirmation.sent.packet.destination, confirmation.message.confirm), (r2, r2));
    }
}

#[test]
fn an_explicit_filter_takes_one_sender() {
    shows(&["rfc2205-1.3-01", "rfc2205-2.1-03"]);
    let mut dut = Lab::in_process().group(3);
    let (g, s2) = (dut.g(), dut.s2());
    let resv = dut.resv(Station::D1, g, Style::Ff, &[ff(cl(1.0), s2)]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.reserved(Port::C), [(1.0, vec![s2])]);
    assert_eq!(dut.expect::<Resv>(Port::B).shares(), [(1.0, vec![s2])]);
    dut.expect_silence();
}

#[test]
fn wf_is_one_pipe_for_all_senders() {
    shows(&["rfc2205-1.3-02"]);
    let mut dut = Lab::in_process().group(3);
    let g = dut.g();
    dut.reserve(Station::D2, g, Style::Wf, &[wf(cl(3.0))]);
    assert_eq!(dut.reserved(Port::D), [(3.0, vec![])], "one reservation, for any sender");
}

#[test]
fn wf_reaches_new_senders_by_itself() {
    shows(&["rfc2205-1.3-03", "rfc2209-2.path-16"]);
    let mut dut = Lab::in_process().router();
    let (g, s1, s2) = (dut.g(), dut.s1(), dut.s2());
    dut.learn(Station::U1, g, s1);
    dut.reserve(Station::D1, g, Style::Wf, &[wf(cl(4.0))]);
    let path = dut.path(Station::U2, g, s2);
    dut.send(Station::U2, path);
    assert_eq!(dut.expect::<Resv>(Port::B).shares(), [(4.0, vec![])]);
    assert_eq!(dut.reserved(Port::C), [(4.0, vec![])]);
}

#[test]
fn ff_is_one_pipe_for_each_sender() {
    shows(&["rfc2205-1.3-04"]);
    let mut dut = Lab::in_process().group(3);
    let (g, s1, s2) = (dut.g(), dut.s1(), dut.s2());
    dut.reserve(Station::D1, g, Style::Ff, &[ff(cl(4.0), s1), ff(cl(5.0), s2)]);
    assert_eq!(dut.reserved(Port::C), [(4.0, vec![s1]), (5.0, vec![s2])]);
    let c = dut.node().interfaces().into_iter().find(|view| view.id == Port::C.interface());
    assert_eq!(c.expect("c is there").reserved, 90_000);
}

#[test]
fn se_is_one_pipe_for_the_listed_senders() {
    shows(&["rfc2205-1.3-05"]);
    let mut dut = Lab::in_process().group(3);
    let (g, s1, s2) = (dut.g(), dut.s1(), dut.s2());
    dut.reserve(Station::D1, g, Style::Se, &[se(cl(1.0), &[s1, s2])]);
    assert_eq!(dut.reserved(Port::C), [(1.0, vec![s1, s2])]);
}

/// A request of 1B in each style.
fn in_style(style: Style, sender: FilterSpec) -> FlowDescriptor {
    match style {
        Style::Wf => wf(cl(1.0)),
        Style::Ff | Style::Se => ff(cl(1.0), sender),
    }
}

#[test]
fn styles_do_not_mix() {
    shows(&["rfc2205-1.3-06", "rfc2205-B-08", "rfc2209-2.resv-04"]);
    let styles = [(Style::Wf, 0x11), (Style::Ff, 0x0a), (Style::Se, 0x12)];
    for (first, value) in styles {
        for (second, _) in styles.into_iter().filter(|(style, _)| *style != first) {
            let mut dut = Lab::in_process().group(3);
            let (g, s1) = (dut.g(), dut.s1());
            dut.reserve(Station::D1, g, first, &[in_style(first, s1)]);
            let before = dut.reserved(Port::C);
            let resv = dut.resv(Station::D2, g, second, &[in_style(second, s1)]);
            dut.send(Station::D2, resv);
            let error = dut.expect_to::<ResvErr>(Station::D2).message.error;
            assert_eq!((error.code, error.value), (5, value), "{second} after {first}");
            dut.expect_silence();
            assert_eq!(dut.reserved(Port::C), before);
            assert!(dut.reserved(Port::D).is_empty());
        }
    }
}

/// WF of figures 5 and 8: 4B on c, 3B and 2B on the LAN d.
fn wildcard_example(dut: &mut Dut) {
    let g = dut.g();
    for (station, n) in [(Station::D1, 4.0), (Station::D2, 3.0), (Station::D3, 2.0)] {
        let resv = dut.resv(station, g, Style::Wf, &[wf(cl(n))]);
        dut.send(station, resv);
    }
    assert_eq!(dut.reserved(Port::C), [(4.0, vec![])]);
    assert_eq!(dut.reserved(Port::D), [(3.0, vec![])]);
}

#[test]
fn figure_5_wildcard_filter() {
    shows(&["rfc2205-1.4-01", "rfc2205-2.2-02"]);
    let mut dut = Lab::in_process().group(3);
    wildcard_example(&mut dut);
    for port in [Port::A, Port::B] {
        let last = dut.all::<Resv>(port).pop().expect("a Resv");
        assert_eq!(last.shares(), [(4.0, vec![])], "{port:?}");
    }
}

#[test]
fn figure_6_fixed_filter() {
    shows(&["rfc2205-1.4-02"]);
    let mut dut = Lab::in_process().group(3);
    let (g, s1, s2, s3) = (dut.g(), dut.s1(), dut.s2(), dut.s3());
    dut.reserve(Station::D1, g, Style::Ff, &[ff(cl(4.0), s1), ff(cl(5.0), s2)]);
    dut.reserve(Station::D2, g, Style::Ff, &[ff(cl(3.0), s1), ff(cl(1.0), s3)]);
    dut.reserve(Station::D3, g, Style::Ff, &[ff(cl(1.0), s1)]);
    assert_eq!(dut.reserved(Port::C), [(4.0, vec![s1]), (5.0, vec![s2])]);
    assert_eq!(dut.reserved(Port::D), [(3.0, vec![s1]), (1.0, vec![s3])]);
    dut.advance(Duration::from_secs(46));
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(4.0, vec![s1])]);
    let to_u2 = dut.all::<Resv>(Port::B);
    let mut asked: Vec<_> = to_u2.iter().flat_map(conformance::bench::Received::shares).collect();
    asked.dedup();
    assert_eq!(asked[..2], [(5.0, vec![s2]), (1.0, vec![s3])]);
}

#[test]
fn figure_7_shared_explicit() {
    shows(&["rfc2205-1.4-03", "rfc2209-2.utc-01"]);
    let mut dut = Lab::in_process().group(3);
    let (g, s1, s2, s3) = (dut.g(), dut.s1(), dut.s2(), dut.s3());
    for (station, n, senders) in
        [(Station::D1, 1.0, vec![s1, s2]), (Station::D2, 3.0, vec![s1, s3]), (Station::D3, 2.0, vec![s2])]
    {
        let resv = dut.resv(station, g, Style::Se, &[se(cl(n), &senders)]);
        dut.send(station, resv);
    }
    assert_eq!(dut.reserved(Port::C), [(1.0, vec![s1, s2])]);
    assert_eq!(dut.reserved(Port::D), [(3.0, vec![s1, s2, s3])]);
    let to_u1 = dut.all::<Resv>(Port::A);
    assert_eq!(to_u1.last().expect("a Resv").shares(), [(3.0, vec![s1])]);
    assert!(to_u1.iter().all(|resv| resv.shares()[0].1 == [s1]), "only S1 is behind U1");
    assert_eq!(dut.all::<Resv>(Port::B).pop().expect("a Resv").shares(), [(3.0, vec![s2, s3])]);
}

#[test]
fn figure_8_partial_routing() {
    shows(&["rfc2205-1.4-04", "rfc2209-2.rrefresh-03", "rfc2205-2.3-10"]);
    let mut dut = Lab::in_process().router();
    let group = dut.g().flow().destination;
    for number in [2, 3] {
        let source = Some(dut.plan.sender(number).source());
        dut.set_route(group, source, group_route(Port::B, &[Port::D]));
    }
    let g = dut.g();
    for (station, number) in [(Station::U1, 1), (Station::U2, 2), (Station::U2, 3)] {
        let sender = dut.plan.sender(number);
        dut.learn(station, g, sender);
    }
    wildcard_example(&mut dut);
    assert_eq!(dut.all::<Resv>(Port::A).pop().expect("a Resv").shares(), [(4.0, vec![])]);
    assert_eq!(dut.all::<Resv>(Port::B).pop().expect("a Resv").shares(), [(3.0, vec![])]);
}

/// The plan and packets of a case are what the catalogue says.
#[test]
fn the_bench_speaks_the_golden_messages() {
    let plan = Plan(Family::V4);
    assert_eq!(plan.sender(1).to_string(), "10.0.0.1 port 4000");
    let dut = Lab::in_process().router();
    let Packet { source, destination, router_alert, .. } =
        dut.pack(Station::U1, dut.path(Station::U1, dut.h(), dut.s1()));
    assert_eq!((source, destination), (dut.s1().source(), dut.h().flow().destination));
    assert!(router_alert);
    let error = dut.pack(Station::D1, dut.path_err(dut.h(), dut.s1(), 2, 0));
    assert_eq!(error.destination, dut.plan.dut(Port::C));
}
