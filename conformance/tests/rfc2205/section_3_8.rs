//! RFC 2205 sections 3.4, 3.8 and 3.10: scope, policing, and objects that a node does not know.

use std::net::IpAddr;

use conformance::bench::{Dut, Lab, Port, R, Station, cl, ff, group_route, object, se, wf};
use conformance::shows;
use rsvp_core::counters::DropReason;
use rsvp_core::output::PoliceFlags;
use rsvp_core::wire::{
    ClassNum, MessageType, Object, Path, PathErr, PathTear, RawMessage, RawObject, Resv, ResvConf, ResvErr,
    ResvTear, Session, Style,
};

fn scope(dut: &Dut, senders: &[u8]) -> Vec<IpAddr> {
    senders.iter().map(|number| dut.plan.sender(*number).source()).collect()
}

#[test]
fn explicit_styles_need_no_scope() {
    shows(&["rfc2205-3.4-01"]);
    for style in [Style::Ff, Style::Se] {
        let mut dut = Lab::in_process().group(2);
        let (g, s1, s2) = (dut.g(), dut.s1(), dut.s2());
        let flows = match style {
            Style::Ff => vec![ff(cl(1.0), s1), ff(cl(1.0), s2)],
            _ => vec![se(cl(1.0), &[s1, s2])],
        };
        let resv = dut.resv(Station::D1, g, style, &flows);
        dut.send(Station::D1, resv);
        for port in [Port::A, Port::B] {
            assert!(dut.expect::<Resv>(port).message.scope.is_none());
        }
        let error = dut.resv_err(Station::U1, g, style, ff(cl(1.0), s1), (2, 0, 0));
        dut.send(Station::U1, error);
        assert!(dut.expect::<ResvErr>(Port::C).message.scope.is_none());
        let tear = dut.resv_tear(Station::D1, g, style, &flows);
        dut.send(Station::D1, tear);
        for port in [Port::A, Port::B] {
            assert!(dut.expect::<ResvTear>(port).message.scope.is_none());
        }
    }
}

#[test]
fn a_refused_wildcard_request_is_answered_with_its_scope() {
    shows(&["rfc2205-3.4-08"]);
    let mut dut = Lab::in_process().group(0);
    let g = dut.g();
    for (station, number) in [(Station::U1, 1), (Station::U2, 2)] {
        let mut path = dut.path(station, g, dut.plan.sender(number));
        path.sender_tspec = conformance::bench::tspec(200.0);
        dut.send(station, path);
    }
    dut.forget();
    let mut resv = dut.resv(Station::D1, g, Style::Wf, &[wf(cl(100.0))]);
    resv.scope = Some(scope(&dut, &[1, 2]));
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<ResvErr>(Port::C).message.scope, Some(scope(&dut, &[1, 2])));
}

#[test]
fn entry_police() {
    shows(&["rfc2205-3.8-02", "rfc2209-2.prefresh-02", "rfc2209-2.utc-03", "rfc2209-2.path-09"]);
    for (flags, police) in [(Session::E_POLICE, true), (0, false)] {
        let mut dut = Lab::in_process().router();
        let (h, s1) = (dut.h(), dut.s1());
        let mut path = dut.path(Station::U1, h, s1);
        path.session.flags = flags;
        dut.send(Station::U1, path);
        assert_eq!(dut.expect::<Path>(Port::C).message.session.flags, 0, "this node polices");
        dut.reserve(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
        assert_eq!(dut.kernel(Port::C)[0].police.contains(PoliceFlags::ENTRY), police);
    }
}

#[test]
fn merge_police() {
    shows(&["rfc2205-3.8-03"]);
    let mut dut = Lab::in_process().group(1);
    let (g, s2) = (dut.g(), dut.s2());
    dut.reserve(Station::D1, g, Style::Wf, &[wf(cl(1.0))]);
    assert!(!dut.kernel(Port::C)[0].police.contains(PoliceFlags::MERGE), "one sender");
    dut.learn(Station::U2, g, s2);
    assert!(dut.kernel(Port::C)[0].police.contains(PoliceFlags::MERGE), "two senders share");
    let mut dut = Lab::in_process().group(2);
    let s1 = dut.s1();
    dut.reserve(Station::D1, g, Style::Ff, &[ff(cl(1.0), s1), ff(cl(1.0), s2)]);
    assert!(
        dut.kernel(Port::C).iter().all(|flow| !flow.police.contains(PoliceFlags::MERGE)),
        "FF is distinct"
    );
}

#[test]
fn branch_police() {
    shows(&["rfc2205-3.8-04", "rfc2209-2.utc-02", "rfc2205-3.8-01"]);
    let mut dut = Lab::in_process().group(1);
    let g = dut.g();
    dut.reserve(Station::D1, g, Style::Wf, &[wf(cl(4.0))]);
    dut.reserve(Station::D2, g, Style::Wf, &[wf(cl(2.0))]);
    let branches = |dut: &mut Dut| {
        [Port::C, Port::D].map(|port| dut.kernel(port)[0].police.contains(PoliceFlags::BRANCH))
    };
    assert_eq!(branches(&mut dut), [false, true]);
    dut.reserve(Station::D2, g, Style::Wf, &[wf(cl(4.0))]);
    assert_eq!(branches(&mut dut), [false, false]);
}

#[test]
fn an_unknown_class_that_must_be_known_is_refused() {
    shows(&["rfc2205-3.10-01", "rfc2205-B-14"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    let path = dut.path(Station::U1, h, s1);
    dut.send_changed(Station::U1, path, |objects| objects.push(object(99, 5, &[1, 2, 3, 4])));
    let error = dut.expect_to::<PathErr>(Station::U1).message.error;
    assert_eq!((error.code, error.value), (13, 0x6305));
    dut.expect_silence();
    assert!(dut.senders(h).is_empty());
    dut.learn(Station::U1, h, s1);
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send_changed(Station::D1, resv, |objects| objects.insert(2, object(99, 5, &[1, 2, 3, 4])));
    let error = dut.expect_to::<ResvErr>(Station::D1).message.error;
    assert_eq!((error.code, error.value), (13, 0x6305));
    dut.expect_silence();
    assert!(dut.reservations(h).is_empty());
}

#[test]
fn an_unknown_class_in_other_messages_is_answered_by_nothing() {
    shows(&["rfc2205-3.10-02"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.learn(Station::U1, h, s1);
    dut.reserve(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    let unknown = |objects: &mut Vec<RawObject>| objects.insert(1, object(99, 5, &[1, 2, 3, 4]));
    let flow = ff(cl(1.0), s1);
    let message = dut.path_err(h, s1, 2, 0);
    dut.send_changed(Station::D1, message, unknown);
    let message = dut.resv_err(Station::U1, h, Style::Ff, flow.clone(), (2, 0, 0));
    dut.send_changed(Station::U1, message, unknown);
    let message = dut.resv_tear(Station::D1, h, Style::Ff, std::slice::from_ref(&flow));
    dut.send_changed(Station::D1, message, unknown);
    let message = dut.path_tear(Station::U1, h, s1);
    dut.send_changed(Station::U1, message, unknown);
    let message = dut.resv_conf(h, h.flow().destination, Style::Ff, &[flow]);
    dut.send_changed(Station::U1, message, unknown);
    dut.expect_silence();
    assert_eq!((dut.senders(h).len(), dut.reservations(h).len()), (1, 1));
    assert_eq!(dut.drops(rsvp_core::counters::DropReason::UnknownObjectClass), 5);
}

#[test]
fn an_unknown_class_that_may_be_ignored_is() {
    shows(&["rfc2205-3.10-03", "rfc2205-3.10-13"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    let unknown = object(153, 5, &[1, 2, 3, 4]);
    let path = dut.path(Station::U1, h, s1);
    dut.send_changed(Station::U1, path, |objects| {
        objects.insert(0, unknown.clone());
        objects.insert(3, unknown.clone());
    });
    let sent = dut.expect::<Path>(Port::C);
    assert!(sent.objects(ClassNum(153)).is_empty());
    assert_eq!(sent.message.sender_template, s1);
    dut.expect_silence();
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send_changed(Station::D1, resv, |objects| objects.insert(2, unknown.clone()));
    let sent = dut.expect::<Resv>(Port::A);
    assert!(sent.objects(ClassNum(153)).is_empty());
    assert_eq!(sent.shares(), [(1.0, vec![s1])]);
}

#[test]
fn an_unknown_class_that_travels_stays_with_the_state() {
    shows(&["rfc2205-3.10-04", "rfc2205-3.10-06", "rfc2205-3.10-08"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    let [one, other] = [1, 2].map(|n| object(201, 5, &[n; 8]));
    let mut path = dut.path(Station::U1, h, s1);
    path.forward = vec![one.clone()];
    dut.send(Station::U1, path.clone());
    assert_eq!(dut.expect::<Path>(Port::C).message.forward, std::slice::from_ref(&one));
    dut.advance(R + R / 2);
    assert_eq!(dut.expect::<Path>(Port::C).message.forward, std::slice::from_ref(&one), "in refreshes too");
    path.forward = vec![other.clone()];
    dut.send(Station::U1, path);
    assert_eq!(dut.all::<Path>(Port::C).pop().expect("a Path").message.forward, [other]);
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send_changed(Station::D1, resv, |objects| objects.insert(0, one.clone()));
    let sent = dut.expect::<Resv>(Port::A);
    assert_eq!(sent.message.forward, [one]);
    let style = sent.classes().iter().position(|class| *class == 8).expect("STYLE is there");
    assert_eq!(sent.classes()[style..], [8, 9, 10], "STYLE and the list close the message");
}

#[test]
fn merged_reservations_carry_every_unknown_object_once() {
    shows(&["rfc2205-3.10-07"]);
    let mut dut = Lab::in_process().group(1);
    let (g, s1) = (dut.g(), dut.s1());
    let [x, y, z] = [1, 2, 3].map(|n| object(201, 5, &[n; 4]));
    for (station, forward) in
        [(Station::D1, vec![x.clone(), y.clone()]), (Station::D2, vec![y.clone(), z.clone()])]
    {
        let mut resv = dut.resv(station, g, Style::Ff, &[ff(cl(1.0), s1)]);
        resv.forward = forward;
        dut.send(station, resv);
    }
    let mut carried = dut.all::<Resv>(Port::A).pop().expect("a Resv").message.forward;
    carried.sort_by(|one, other| one.contents.cmp(&other.contents));
    assert_eq!(carried, [x, y, z]);
}

#[test]
fn an_unknown_c_type_is_refused() {
    shows(&["rfc2205-3.10-09", "rfc2205-3.10-10", "rfc2205-B-15"]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    let path = dut.path(Station::U1, h, s1);
    dut.send_changed(Station::U1, path, |objects| {
        let template = objects.iter_mut().find(|object| object.class == 11).expect("it is there");
        template.ctype = 99;
    });
    let error = error_of(&dut.expect_raw(Port::A, MessageType::PATH_ERR));
    assert_eq!(error, (14, 0x0b63));
    assert!(dut.senders(h).is_empty());
    dut.learn(Station::U1, h, s1);
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send_changed(Station::D1, resv, |objects| {
        objects.last_mut().expect("FILTER_SPEC is last").ctype = 99;
    });
    let error = error_of(&dut.expect_raw(Port::C, MessageType::RESV_ERR));
    assert_eq!(error, (14, 0x0a63));
    assert!(dut.reservations(h).is_empty());
    dut.expect_silence();
    assert_eq!((dut.drops(DropReason::UnknownObjectCType), dut.all_drops()), (2, 2));
}

#[test]
fn traffic_control_judges_the_c_types_of_its_objects() {
    shows(&["rfc2205-3.10-11", "rfc2205-A.8-01"]);
    for ctype in [1, 99] {
        let mut dut = Lab::in_process().router();
        let (h, s1) = (dut.h(), dut.s1());
        dut.learn(Station::U1, h, s1);
        let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
        dut.send_changed(Station::D1, resv, |objects| {
            let flowspec = objects.iter_mut().find(|object| object.class == 9).expect("it is there");
            flowspec.ctype = ctype;
        });
        let error = error_of(&dut.expect_raw(Port::C, MessageType::RESV_ERR));
        assert_eq!(error, (14, 0x0900 | u16::from(ctype)));
        dut.expect_silence();
        assert!(dut.reservations(h).is_empty());
    }
}

#[test]
fn a_confirmation_of_an_unknown_session_passes_too() {
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    let confirmation = dut.resv_conf(h, h.flow().destination, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::U1, confirmation.clone());
    assert_eq!(dut.expect::<ResvConf>(Port::C).message, confirmation);
}

/// Error code and value of an error message.
fn error_of(raw: &RawMessage) -> (u8, u16) {
    let placed = raw.object(ClassNum::ERROR_SPEC).expect("ERROR_SPEC is there");
    match placed.decode() {
        Ok(Object::ErrorSpec(error)) => (error.code, error.value),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_empty_scope_is_not_sent() {
    shows(&["rfc2205-3.4-03", "rfc2205-3.4-07"]);
    let mut dut = Lab::in_process().group(1);
    let g = dut.g();
    let mut resv = dut.resv(Station::D1, g, Style::Wf, &[wf(cl(1.0))]);
    resv.scope = Some(scope(&dut, &[1]));
    dut.send(Station::D1, resv.clone());
    let _ = dut.expect::<Resv>(Port::A);
    let path = dut.path(Station::U2, g, dut.s2());
    dut.send(Station::U2, path);
    dut.advance(R + R / 2);
    dut.expect_no::<Resv>(Port::B);
    resv.scope = Some(scope(&dut, &[1, 2]));
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::B).message.scope, Some(scope(&dut, &[2])));
}

#[test]
fn a_wildcard_resv_to_several_previous_hops_has_a_scope() {
    shows(&["rfc2205-3.1.4-08", "rfc2205-3.4-06", "rfc2209-2.rrefresh-02"]);
    let mut dut = Lab::in_process().group(1);
    let g = dut.g();
    let resv = dut.resv(Station::D1, g, Style::Wf, &[wf(cl(1.0))]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).message.scope, None, "one previous hop");
    for number in [2, 3] {
        let path = dut.path(Station::U2, g, dut.plan.sender(number));
        dut.send(Station::U2, path);
    }
    assert_eq!(dut.all::<Resv>(Port::A).pop().expect("a Resv").message.scope, Some(scope(&dut, &[1])));
    assert_eq!(dut.all::<Resv>(Port::B).pop().expect("a Resv").message.scope, Some(scope(&dut, &[2, 3])));
}

#[test]
fn an_unknown_class_that_travels_passes_with_tears_and_errors() {
    shows(&["rfc2205-3.10-05"]);
    let unknown = object(201, 5, &[1; 8]);
    let mut dut = Lab::in_process().router();
    let (h, s1) = (dut.h(), dut.s1());
    dut.learn(Station::U1, h, s1);
    dut.reserve(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    let mut error = dut.path_err(h, s1, 2, 0);
    error.forward = vec![unknown.clone()];
    dut.send(Station::D1, error);
    assert_eq!(dut.expect::<PathErr>(Port::A).message.forward, std::slice::from_ref(&unknown));
    let mut error = dut.resv_err(Station::U1, h, Style::Ff, ff(cl(1.0), s1), (2, 0, 0));
    error.forward = vec![unknown.clone()];
    dut.send(Station::U1, error);
    assert_eq!(dut.expect::<ResvErr>(Port::C).message.forward, std::slice::from_ref(&unknown));
    let mut tear = dut.resv_tear(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    tear.forward = vec![unknown.clone()];
    dut.send(Station::D1, tear);
    assert_eq!(dut.expect::<ResvTear>(Port::A).message.forward, std::slice::from_ref(&unknown));
    let mut tear = dut.path_tear(Station::U1, h, s1);
    tear.forward = vec![unknown.clone()];
    dut.send(Station::U1, tear);
    assert_eq!(dut.expect::<PathTear>(Port::C).message.forward, [unknown]);
}

#[test]
fn the_scope_is_the_union_of_what_was_received() {
    shows(&["rfc2205-3.4-02", "rfc2209-2.rrefresh-09"]);
    let mut dut = Lab::in_process().group(3);
    let g = dut.g();
    for (station, senders) in [(Station::D1, Some([1, 2])), (Station::D2, Some([1, 3]))] {
        let mut resv = dut.resv(station, g, Style::Wf, &[wf(cl(1.0))]);
        resv.scope = senders.map(|senders| scope(&dut, &senders));
        dut.send(station, resv);
    }
    assert_eq!(dut.all::<Resv>(Port::A).pop().expect("a Resv").message.scope, Some(scope(&dut, &[1])));
    assert_eq!(dut.all::<Resv>(Port::B).pop().expect("a Resv").message.scope, Some(scope(&dut, &[2, 3])));
}

#[test]
fn figure_11_scopes() {
    shows(&["rfc2205-3.4-04", "rfc2209-2.rrefresh-02"]);
    // S4 is on a, S1 on b, S2 and S3 on c, and so are the receivers R4, R1 and R2.
    let mut dut = Lab::in_process().router();
    let g = dut.g();
    let sides = [
        (Station::U1, Port::A, vec![4]),
        (Station::U2, Port::B, vec![1]),
        (Station::D1, Port::C, vec![2, 3]),
    ];
    for (_, port, senders) in &sides {
        let others: Vec<Port> = sides.iter().map(|side| side.1).filter(|other| other != port).collect();
        for number in senders {
            let source = Some(dut.plan.sender(*number).source());
            dut.set_route(g.flow().destination, source, group_route(*port, &others));
        }
    }
    for (station, _, senders) in &sides {
        for number in senders {
            let sender = dut.plan.sender(*number);
            dut.learn(*station, g, sender);
        }
    }
    for (station, senders) in
        [(Station::D1, vec![1, 4]), (Station::U1, vec![1, 2, 3]), (Station::U2, vec![2, 3, 4])]
    {
        let mut resv = dut.resv(station, g, Style::Wf, &[wf(cl(1.0))]);
        resv.scope = Some(scope(&dut, &senders));
        dut.send(station, resv);
    }
    for (_, port, senders) in sides {
        let sent = dut.all::<Resv>(port).pop().expect("a Resv");
        assert_eq!(sent.message.scope, Some(scope(&dut, &senders)), "{port:?}");
    }
}

#[test]
fn a_wildcard_error_goes_where_the_senders_of_its_scope_go() {
    shows(&["rfc2205-3.4-09", "rfc2209-2.rerr-08"]);
    let mut dut = Lab::in_process().router();
    let g = dut.g();
    for (number, ports) in [(1, vec![Port::C, Port::D]), (2, vec![Port::C]), (3, vec![Port::D])] {
        let incoming = if number == 1 { Port::A } else { Port::B };
        let source = Some(dut.plan.sender(number).source());
        dut.set_route(g.flow().destination, source, group_route(incoming, &ports));
    }
    for (station, number) in [(Station::U1, 1), (Station::U2, 2), (Station::U2, 3)] {
        let sender = dut.plan.sender(number);
        dut.learn(station, g, sender);
    }
    for station in [Station::D1, Station::D2] {
        dut.reserve(station, g, Style::Wf, &[wf(cl(1.0))]);
    }
    let mut error = dut.resv_err(Station::U2, g, Style::Wf, wf(cl(1.0)), (2, 0, 0));
    error.scope = Some(scope(&dut, &[2, 3]));
    dut.send(Station::U2, error.clone());
    assert_eq!(dut.expect::<ResvErr>(Port::C).message.scope, Some(scope(&dut, &[2])));
    assert_eq!(dut.expect::<ResvErr>(Port::D).message.scope, Some(scope(&dut, &[3])));
    error.scope = Some(scope(&dut, &[4]));
    dut.send(Station::U2, error);
    dut.expect_silence();
}

#[test]
fn the_scope_is_in_order_and_names_nobody_twice() {
    shows(&["rfc2205-A.6-01"]);
    let mut dut = Lab::in_process().unicast(1);
    let h = dut.h();
    let sender = |source: [u8; 4], port| rsvp_core::wire::FilterSpec::Ip { source: source.into(), port };
    for sender in [sender([192, 168, 0, 1], 1), sender([10, 0, 0, 2], 1), sender([10, 0, 0, 2], 2)] {
        dut.learn(Station::U2, h, sender);
    }
    let resv = dut.resv(Station::D1, h, Style::Wf, &[wf(cl(1.0))]);
    dut.send(Station::D1, resv);
    let sent = dut.expect::<Resv>(Port::B);
    assert_eq!(sent.objects(ClassNum::SCOPE)[0].contents, [10, 0, 0, 2, 192, 168, 0, 1]);
}
