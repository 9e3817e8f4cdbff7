//! RFC 2205 section 3.10: objects of a class or C-Type that is not known.

use crate::bench::{Lab, Port, Station, cl, ff, object};
use crate::cases::rfc2205::section_3_1::adspec;
use crate::shows;
use rsvp_core::wire::{
    ClassNum, MessageType, Object, Path, PathErr, PathTear, RawMessage, RawObject, Resv, ResvConf, ResvErr,
    ResvTear, Style,
};

/// Error code and value of an error message, of which some object may be of a C-Type that is not known.
fn error_of(raw: &RawMessage) -> (u8, u16) {
    let placed = raw.object(ClassNum::ERROR_SPEC).expect("every error message has one");
    match placed.decode() {
        Ok(Object::ErrorSpec(error)) => (error.code, error.value),
        other => panic!("expected an ERROR_SPEC, not {other:?}"),
    }
}

/// A Path or Resv with an unknown object of class 99 is refused: it is answered by an error with code 13 that names class
/// and C-Type, and leaves no state. Unknown classes from 128 on never cause that.
pub(crate) fn an_unknown_class_that_must_be_known_is_refused(lab: &Lab) {
    shows(&["rfc2205-3.10-01", "rfc2205-B-14"]);
    let mut dut = lab.router();
    let (h, s1) = (dut.h(), dut.s1());
    let unknown = |class| object(class, 5, &[1, 2, 3, 4]);
    let path = dut.path(Station::U1, h, s1);
    dut.send_changed(Station::U1, path.clone(), |objects| objects.push(unknown(99)));
    let error = dut.expect_to::<PathErr>(Station::U1).message.error;
    assert_eq!((error.code, error.value), (13, 0x6305), "to the Path");
    dut.expect_unknown(Station::D1, h);
    dut.expect_silence();
    dut.send_changed(Station::U1, path, |objects| objects.extend([unknown(153), unknown(201)]));
    let _ = dut.expect::<Path>(Port::C);
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send_changed(Station::D1, resv.clone(), |objects| objects.insert(2, unknown(99)));
    let error = dut.expect_to::<ResvErr>(Station::D1).message.error;
    assert_eq!((error.code, error.value), (13, 0x6305), "to the Resv");
    dut.expect_silence();
    dut.send_changed(Station::D1, resv, |objects| {
        objects.insert(2, unknown(201));
        objects.insert(2, unknown(153));
    });
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![s1])], "only now");
    dut.expect_silence();
}

/// The other messages with such an object are discarded without a word: nothing is forwarded, nothing torn down. Without
/// it they are taken.
pub(crate) fn an_unknown_class_in_other_messages_is_answered_by_nothing(lab: &Lab) {
    shows(&["rfc2205-3.10-02"]);
    let mut dut = lab.unicast(1);
    let (h, s1) = (dut.h(), dut.s1());
    dut.reserve(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    let unknown = |objects: &mut Vec<RawObject>| objects.insert(1, object(99, 5, &[1, 2, 3, 4]));
    let flow = ff(cl(1.0), s1);
    let path_err = dut.path_err(h, s1, 2, 0);
    let resv_err = dut.resv_err(Station::U1, h, Style::Ff, flow.clone(), (2, 0, 0));
    let resv_conf = dut.resv_conf(h, h.flow().destination, Style::Ff, std::slice::from_ref(&flow));
    let resv_tear = dut.resv_tear(Station::D1, h, Style::Ff, &[flow]);
    let path_tear = dut.path_tear(Station::U1, h, s1);
    dut.send_changed(Station::D1, path_err.clone(), unknown);
    dut.send_changed(Station::U1, resv_err.clone(), unknown);
    dut.send_changed(Station::U1, resv_conf.clone(), unknown);
    dut.send_changed(Station::D1, resv_tear.clone(), unknown);
    dut.send_changed(Station::U1, path_tear.clone(), unknown);
    dut.expect_silence();
    dut.send(Station::D1, path_err);
    let _ = dut.expect::<PathErr>(Port::A);
    dut.send(Station::U1, resv_err);
    let _ = dut.expect::<ResvErr>(Port::C);
    dut.send(Station::U1, resv_conf);
    let _ = dut.expect::<ResvConf>(Port::C);
    dut.send(Station::D1, resv_tear);
    let _ = dut.expect::<ResvTear>(Port::A);
    dut.send(Station::U1, path_tear);
    let _ = dut.expect::<PathTear>(Port::C);
    dut.expect_silence();
}

/// An unknown object of class 153 is left out, wherever it stands, and the rest of the message counts.
pub(crate) fn an_unknown_class_that_may_be_ignored_is(lab: &Lab) {
    shows(&["rfc2205-3.10-03", "rfc2205-3.10-13"]);
    let mut dut = lab.router();
    let (h, s1) = (dut.h(), dut.s1());
    let unknown = object(153, 5, &[1, 2, 3, 4]);
    let path = dut.path(Station::U1, h, s1);
    dut.send_changed(Station::U1, path, |objects| {
        objects.insert(0, unknown.clone());
        objects.insert(3, unknown.clone());
    });
    let sent = dut.expect::<Path>(Port::C);
    assert_eq!(sent.objects(ClassNum(153)), Vec::<&RawObject>::new(), "in the Path");
    assert_eq!(sent.message.sender_template, s1);
    dut.expect_silence();
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send_changed(Station::D1, resv, |objects| {
        let style = objects.iter().position(|object| object.class == 8).expect("it is there");
        objects.insert(style, unknown.clone());
    });
    let sent = dut.expect::<Resv>(Port::A);
    assert_eq!(sent.objects(ClassNum(153)), Vec::<&RawObject>::new(), "in the Resv");
    assert_eq!(sent.shares(), [(1.0, vec![s1])]);
    dut.expect_silence();
}

/// An unknown object of class 201 travels on in Paths and Resvs, octet by octet, and in their refreshes, until the state
/// is refreshed with another one. In the Resv it stands before STYLE.
pub(crate) fn an_unknown_class_that_travels_stays_with_the_state(lab: &Lab) {
    shows(&["rfc2205-3.10-04", "rfc2205-3.10-06", "rfc2205-3.10-08"]);
    let mut dut = lab.brisk().router();
    let (h, s1, next_refresh) = (dut.h(), dut.s1(), dut.timing.next_refresh());
    let [one, other] = [1, 2].map(|n| object(201, 5, &[n; 8]));
    let mut path = dut.path(Station::U1, h, s1);
    path.forward = vec![one.clone()];
    dut.send(Station::U1, path.clone());
    assert_eq!(dut.expect::<Path>(Port::C).message.forward, std::slice::from_ref(&one));
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send_changed(Station::D1, resv.clone(), |objects| objects.insert(0, one.clone()));
    let sent = dut.expect::<Resv>(Port::A);
    assert_eq!(sent.message.forward, std::slice::from_ref(&one));
    let style = sent.classes().iter().position(|class| *class == 8).expect("the Resv has been decoded");
    assert_eq!(sent.classes()[style..], [8, 9, 10], "STYLE and the list close the message");
    for object in [&one, &other] {
        path.forward = vec![object.clone()];
        dut.send(Station::U1, path.clone());
        dut.send_changed(Station::D1, resv.clone(), |objects| objects.insert(0, object.clone()));
        dut.forget();
        dut.advance(next_refresh);
        let refresh = dut.expect::<Path>(Port::C).message;
        assert_eq!(refresh.forward, std::slice::from_ref(object), "in the refresh of the Path");
        let refresh = dut.expect::<Resv>(Port::A).message;
        assert_eq!(refresh.forward, std::slice::from_ref(object), "in the refresh of the Resv");
    }
}

/// A merged Resv has every unknown object of class 201 of those that are merged, and each one once.
pub(crate) fn merged_reservations_carry_every_unknown_object_once(lab: &Lab) {
    shows(&["rfc2205-3.10-07"]);
    let mut dut = lab.group(1);
    let (g, s1) = (dut.g(), dut.s1());
    let [x, y, z] = [1, 2, 3].map(|n| object(201, 5, &[n; 4]));
    let mut carried = Vec::new();
    for (station, forward) in
        [(Station::D1, vec![x.clone(), y.clone()]), (Station::D2, vec![y.clone(), z.clone()])]
    {
        let mut resv = dut.resv(station, g, Style::Ff, &[ff(cl(1.0), s1)]);
        resv.forward = forward;
        dut.send(station, resv);
        carried = dut.expect::<Resv>(Port::A).message.forward;
    }
    carried.sort_by(|one, other| one.contents.cmp(&other.contents));
    assert_eq!(carried, [x, y, z]);
}

/// An unknown object of class 201 travels on in PathErr, ResvErr, ResvTear and PathTear.
pub(crate) fn an_unknown_class_that_travels_passes_with_tears_and_errors(lab: &Lab) {
    shows(&["rfc2205-3.10-05"]);
    let unknown = object(201, 5, &[1; 8]);
    let mut dut = lab.group(1);
    let (g, s1) = (dut.g(), dut.s1());
    for station in [Station::D1, Station::D2] {
        dut.reserve(station, g, Style::Ff, &[ff(cl(1.0), s1)]);
    }
    let mut error = dut.path_err(g, s1, 2, 0);
    error.forward = vec![unknown.clone()];
    dut.send(Station::D1, error);
    assert_eq!(dut.expect::<PathErr>(Port::A).message.forward, std::slice::from_ref(&unknown), "PathErr");
    let mut error = dut.resv_err(Station::U1, g, Style::Ff, ff(cl(1.0), s1), (2, 0, 0));
    error.forward = vec![unknown.clone()];
    dut.send(Station::U1, error);
    for port in [Port::C, Port::D] {
        assert_eq!(dut.expect::<ResvErr>(port).message.forward, std::slice::from_ref(&unknown), "ResvErr");
    }
    for station in [Station::D1, Station::D2] {
        dut.expect_silence();
        let mut tear = dut.resv_tear(station, g, Style::Ff, &[ff(cl(1.0), s1)]);
        tear.forward = vec![unknown.clone()];
        dut.send(station, tear);
    }
    assert_eq!(dut.expect::<ResvTear>(Port::A).message.forward, std::slice::from_ref(&unknown), "ResvTear");
    let mut tear = dut.path_tear(Station::U1, g, s1);
    tear.forward = vec![unknown.clone()];
    dut.send(Station::U1, tear);
    for port in [Port::C, Port::D] {
        assert_eq!(dut.expect::<PathTear>(port).message.forward, std::slice::from_ref(&unknown), "PathTear");
    }
}

/// A SENDER_TEMPLATE or FILTER_SPEC of an unknown C-Type has the message refused, with code 14 that names class and
/// C-Type; it leaves no state.
pub(crate) fn an_unknown_c_type_is_refused(lab: &Lab) {
    shows(&["rfc2205-3.10-09", "rfc2205-3.10-10", "rfc2205-B-15"]);
    let mut dut = lab.router();
    let (h, s1) = (dut.h(), dut.s1());
    let of_class = |objects: &mut Vec<RawObject>, class: ClassNum| {
        let object = objects.iter_mut().find(|object| object.class == class.0);
        object.expect("it is there").ctype = 99;
    };
    let path = dut.path(Station::U1, h, s1);
    dut.send_changed(Station::U1, path, |objects| of_class(objects, ClassNum::SENDER_TEMPLATE));
    assert_eq!(error_of(&dut.expect_raw(Port::A, MessageType::PATH_ERR)), (14, 0x0b63), "SENDER_TEMPLATE");
    dut.expect_unknown(Station::D1, h);
    dut.expect_silence();
    dut.learn(Station::U1, h, s1);
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send_changed(Station::D1, resv.clone(), |objects| of_class(objects, ClassNum::FILTER_SPEC));
    assert_eq!(error_of(&dut.expect_raw(Port::C, MessageType::RESV_ERR)), (14, 0x0a63), "FILTER_SPEC");
    dut.expect_silence();
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![s1])], "only now");
}

/// A FLOWSPEC or ADSPEC of a C-Type that traffic control does not know, or that is obsolete, has the message refused in
/// the same way.
pub(crate) fn traffic_control_judges_the_c_types_of_its_objects(lab: &Lab) {
    shows(&["rfc2205-3.10-11", "rfc2205-A.8-01"]);
    let mut dut = lab.unicast(1);
    let (h, s1) = (dut.h(), dut.s1());
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    for ctype in [1, 99] {
        dut.send_changed(Station::D1, resv.clone(), |objects| {
            let flowspec = objects.iter_mut().find(|object| object.class == ClassNum::FLOWSPEC.0);
            flowspec.expect("it is there").ctype = ctype;
        });
        let error = error_of(&dut.expect_raw(Port::C, MessageType::RESV_ERR));
        assert_eq!(error, (14, 0x0900 | u16::from(ctype)), "FLOWSPEC");
        dut.expect_silence();
    }
    let path = dut.path(Station::U1, dut.plan.session(h.flow().destination, 5001), s1);
    dut.send_changed(Station::U1, path, |objects| {
        objects.push(RawObject { ctype: 99, ..adspec() });
    });
    assert_eq!(error_of(&dut.expect_raw(Port::A, MessageType::PATH_ERR)), (14, 0x0d63), "ADSPEC");
    dut.expect_silence();
    dut.send(Station::D1, resv);
    let sent = dut.expect::<Resv>(Port::A);
    let flowspec = sent.raw.object(ClassNum::FLOWSPEC).map(|placed| placed.object.ctype);
    assert_eq!(flowspec, Some(2), "the C-Type of integrated services");
}
