//! RFC 2205 section 3.1: the formats of messages, as a device sends and takes them.

use super::octets::{assert_octets, raw};
use crate::bench::{
    Dut, Kind, Lab, Packet, Port, Received, Station, cl, ff, hex, object, se, seal, tspec, wf,
};
use crate::shows;
use rsvp_core::wire::{
    ClassNum, FilterSpec, FlowDescriptor, MessageType, Path, PathErr, PathTear, Resv, ResvConf, ResvErr,
    ResvTear, Style,
};

/// A Path of S1 for G: rate 10000, bucket 2000, peak infinite.
const PATH: &str = "10011dde 40000058 000c0101 e0010203 11001388 000c0301 0a000101 0000004d 00080501 00007530
    000c0b01 0a000001 00000fa0 00240c02 00000007 01000006 7f000005 461c4000 44fa0000 7f800000 00000040 000005dc";

/// The SENDER_TSPEC in it.
const TSPEC: &str = "00240c02 00000007 01000006 7f000005 461c4000 44fa0000 7f800000 00000040 000005dc";

/// The octets of [`PATH`] in the plan of a device.
pub(super) fn path_octets(dut: &Dut) -> Vec<u8> {
    let mut octets = hex(&dut.plan.renumber(PATH));
    seal(&mut octets);
    octets
}

/// The packet of [`PATH`], with these octets.
pub(super) fn path_packet(dut: &Dut, message: Vec<u8>) -> Packet {
    let path = dut.path(Station::U1, dut.g(), dut.s1());
    dut.wrap(Station::U1, &path.into_message(), message)
}

/// The classes of a message's objects, sorted.
fn classes<M>(received: &Received<M>) -> Vec<u8> {
    let mut classes = received.classes();
    classes.sort_unstable();
    classes
}

/// Asserts that a message has objects of these classes and no others, and that it ends with some of them in order.
fn assert_classes<M>(received: &Received<M>, expected: &[u8], end: &[u8]) {
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    assert_eq!(classes(received), expected, "the classes of its objects");
    let classes = received.classes();
    assert_eq!(&classes[classes.len() - end.len()..], end, "what it ends with");
}

/// A Path as octets is taken, and what leaves has its contents; each Path is of one sender.
pub(crate) fn path(lab: &Lab) {
    shows(&["rfc2205-3.1.3-03"]);
    let mut dut = lab.router();
    let (g, s2) = (dut.g(), dut.s2());
    let packet = path_packet(&dut, path_octets(&dut));
    dut.send_packet(Station::U1, &packet);
    let other = dut.path(Station::U2, g, s2);
    dut.send(Station::U2, other);
    for template in ["000c0b01 0a000001 00000fa0", "000c0b01 0a000002 00000fa0"] {
        let path = dut.expect::<Path>(Port::C);
        assert_classes(&path, &[1, 3, 5, 11, 12], &[]);
        assert_octets(dut.plan, &path, "000c0101 e0010203 11001388");
        assert_octets(dut.plan, &path, template);
        if template.starts_with("000c0b01 0a000001") {
            assert_octets(dut.plan, &path, TSPEC);
        }
    }
}

/// SENDER_TSPEC is of C-Type 2; a Path with one of C-Type 1 is answered by an error that says so, and goes no further.
pub(crate) fn sender_tspec_is_of_c_type_2(lab: &Lab) {
    shows(&["rfc2205-A.11-01"]);
    let mut dut = lab.router();
    let (h, s1) = (dut.h(), dut.s1());
    let path = dut.path(Station::U1, h, s1);
    dut.send_changed(Station::U1, path.clone(), |objects| {
        objects.iter_mut().filter(|object| object.class == 12).for_each(|object| object.ctype = 1);
    });
    let error = dut.expect_raw(Port::A, MessageType::PATH_ERR);
    let error = error.object(ClassNum::ERROR_SPEC).expect("ERROR_SPEC is there").object.contents.clone();
    assert_eq!(error[5..], [14, 12, 1], "unknown object C-Type: class 12, C-Type 1");
    dut.expect_silence();
    dut.send(Station::U1, path);
    let path = dut.expect::<Path>(Port::C);
    let ctypes: Vec<u8> = path.objects(ClassNum::SENDER_TSPEC).iter().map(|object| object.ctype).collect();
    assert_eq!(ctypes, [2]);
}

/// A Resv ends with STYLE and the flow descriptors; one with TIME_VALUES behind them is discarded.
pub(crate) fn resv(lab: &Lab) {
    shows(&["rfc2205-3.1.4-02"]);
    let mut dut = lab.unicast(1);
    let (h, s1) = (dut.h(), dut.s1());
    let mut resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send_changed(Station::D1, resv.clone(), |objects| {
        let position = objects.iter().position(|object| object.class == 5).expect("it is there");
        let time_values = objects.remove(position);
        objects.push(time_values);
    });
    dut.expect_silence();
    dut.send(Station::D1, resv.clone());
    assert_classes(&dut.expect::<Resv>(Port::A), &[1, 3, 5, 8, 9, 10], &[8, 9, 10]);
    resv.flows = vec![ff(cl(2.0), s1)];
    resv.confirm = Some(h.flow().destination);
    dut.send(Station::D1, resv);
    assert_classes(&dut.expect::<Resv>(Port::A), &[1, 3, 5, 15, 8, 9, 10], &[8, 9, 10]);
}

/// A PathTear is taken without a SENDER_TSPEC, with another one than the Path had, and with an ADSPEC; none that leaves
/// has TIME_VALUES.
pub(crate) fn path_tear(lab: &Lab) {
    shows(&["rfc2205-3.1.5-05"]);
    let mut dut = lab.router();
    let s1 = dut.s1();
    let adspec = object(13, 2, &hex("00000001 01000000"));
    for (port, tspec, adspec) in
        [(5000, None, None), (5001, Some(tspec(3.0)), None), (5002, Some(tspec(3.0)), Some(adspec))]
    {
        let session = dut.h_at(port);
        let path = dut.path(Station::U1, session, s1);
        dut.send(Station::U1, path);
        let _ = dut.expect::<Path>(Port::C);
        let mut tear = dut.path_tear(Station::U1, session, s1);
        tear.sender_tspec = tspec;
        dut.send_changed(Station::U1, tear, |objects| objects.extend(adspec));
        let tear = dut.expect::<PathTear>(Port::C);
        assert_eq!((tear.message.session.key, tear.message.sender_template), (session, s1));
        let classes = classes(&tear);
        assert!(classes.starts_with(&[1, 3, 11]), "expected SESSION, RSVP_HOP and a sender, not {classes:?}");
        assert!(classes.iter().all(|class| [1, 3, 11, 12, 13].contains(class)), "and no more: {classes:?}");
    }
}

/// A ResvTear is taken without FLOWSPECs, with STYLE at its end if it is WF, and whatever SCOPE it has; none that leaves
/// has TIME_VALUES.
pub(crate) fn resv_tear(lab: &Lab) {
    shows(&["rfc2205-3.1.6-06"]);
    let mut dut = lab.router();
    let s1 = dut.s1();
    let bare = FlowDescriptor { flowspec: None, filters: vec![s1] };
    let foreign = object(7, 1, &[10, 0, 5, 5]);
    for (port, style, flow, torn, scope) in [
        (5000, Style::Ff, ff(cl(1.0), s1), vec![bare], None),
        (5001, Style::Wf, wf(cl(1.0)), vec![], None),
        (5002, Style::Wf, wf(cl(1.0)), vec![], Some(foreign)),
    ] {
        let session = dut.h_at(port);
        dut.learn(Station::U1, session, s1);
        let resv = dut.resv(Station::D1, session, style, &[flow]);
        dut.send(Station::D1, resv);
        let _ = dut.expect::<Resv>(Port::A);
        let tear = dut.resv_tear(Station::D1, session, style, &torn);
        dut.send_changed(Station::D1, tear, |objects| {
            if let Some(scope) = scope {
                objects.insert(2, scope);
            }
        });
        let tear = dut.expect::<ResvTear>(Port::A);
        assert_eq!((tear.message.session.key, tear.message.style), (session, style));
        let classes = classes(&tear);
        assert!(!classes.contains(&5), "expected no TIME_VALUES, not {classes:?}");
        dut.expect_silence();
    }
}

/// A PathErr that a device makes has a SESSION, an ERROR_SPEC and a sender descriptor; so has one that it sends on.
pub(crate) fn path_err(lab: &Lab) {
    shows(&["rfc2205-3.1.7-03"]);
    let mut dut = lab.unicast(1);
    let (h, s1) = (dut.h(), dut.s1());
    let no_port = FilterSpec::Ip { source: s1.source(), port: 0 };
    let path = dut.path(Station::U1, dut.h_at(0), no_port);
    dut.send(Station::U1, path);
    let error = dut.expect_to::<PathErr>(Station::U1);
    assert_eq!(error.message.error.code, 7, "conflicting destination ports");
    assert_classes(&error, &[1, 6, 11, 12], &[]);
    let error = dut.path_err(h, s1, 2, 0);
    dut.send(Station::D1, error);
    assert_classes(&dut.expect_to::<PathErr>(Station::U1), &[1, 6, 11, 12], &[]);
}

/// A ResvErr, its own or another node's, has one flow descriptor at its end; what is wrong with two makes two.
pub(crate) fn resv_err(lab: &Lab) {
    shows(&["rfc2205-3.1.8-02"]);
    let mut dut = lab.unicast(1);
    let (h, s1) = (dut.h(), dut.s1());
    let flows = [8, 9].map(|number| ff(cl(1.0), dut.plan.sender(number)));
    let resv = dut.resv(Station::D1, h, Style::Ff, &flows);
    dut.send(Station::D1, resv);
    for _ in 0..2 {
        let error = dut.expect_to::<ResvErr>(Station::D1);
        assert_eq!(error.message.error.code, 4, "no sender information");
        assert_classes(&error, &[1, 3, 6, 8, 9, 10], &[8, 9, 10]);
    }
    dut.expect_silence();
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, resv);
    let _ = dut.expect::<Resv>(Port::A);
    let error = dut.resv_err(Station::U1, h, Style::Ff, ff(cl(1.0), s1), (1, 2, 1));
    dut.send(Station::U1, error);
    assert_classes(&dut.expect_to::<ResvErr>(Station::D1), &[1, 3, 6, 8, 9, 10], &[8, 9, 10]);
}

/// A ResvConf has a SESSION, an ERROR_SPEC, a RESV_CONFIRM, and at its end STYLE and the flow descriptors; no RSVP_HOP.
pub(crate) fn resv_conf(lab: &Lab) {
    shows(&["rfc2205-3.1.9-02"]);
    let mut dut = lab.router();
    let (k, s1) = (dut.k(), dut.s1());
    dut.learn(Station::U1, k, s1);
    let resv = dut.resv(Station::D2, k, Style::Ff, &[ff(cl(2.0), s1)]);
    dut.send(Station::D2, resv);
    let _ = dut.expect::<Resv>(Port::A);
    let mut resv = dut.resv(Station::D3, k, Style::Ff, &[ff(cl(1.0), s1)]);
    resv.confirm = Some(k.flow().destination);
    dut.send(Station::D3, resv);
    assert_classes(&dut.expect::<ResvConf>(Port::D), &[1, 6, 15, 8, 9, 10], &[8, 9, 10]);
}

/// The objects of a Path come in any order; RESV_CONFIRM may stand in front of all others.
pub(crate) fn the_order_of_objects_is_free(lab: &Lab) {
    shows(&["rfc2205-3.1-02"]);
    let mut dut = lab.router();
    let (h, s1) = (dut.h(), dut.s1());
    let path = dut.path(Station::U1, h, s1);
    dut.send_changed(Station::U1, path.clone(), |objects| {
        let order = [5, 12, 3, 11, 1];
        objects.sort_by_key(|object| order.iter().position(|class| *class == object.class));
        assert_eq!(objects.iter().map(|object| object.class).collect::<Vec<_>>(), order);
    });
    let sent = dut.expect::<Path>(Port::C).message;
    assert_eq!((sent.session, sent.sender_template), (path.session, path.sender_template));
    assert_eq!(sent.sender_tspec, path.sender_tspec);
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    let confirm = raw(dut.plan, "00080f01 0a000707");
    dut.send_changed(Station::D1, resv, |objects| objects.insert(0, confirm));
    let resv = dut.expect::<Resv>(Port::A);
    assert_eq!((resv.shares(), resv.message.confirm), (vec![(1.0, vec![s1])], Some(h.flow().destination)));
}

/// In an FF list a pair without a FLOWSPEC has that of the pair before it; one that begins without is malformed.
pub(crate) fn ff_lists(lab: &Lab) {
    shows(&["rfc2205-3.1.4-05"]);
    let mut dut = lab.unicast(3);
    let (h, s1, s2, s3) = (dut.h(), dut.s1(), dut.s2(), dut.s3());
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1), ff(cl(3.0), s2), ff(cl(2.0), s3)]);
    dut.send_changed(Station::D1, resv.clone(), |objects| {
        let first = objects.iter().position(|object| object.class == 9).expect("it is there");
        objects.remove(first);
    });
    dut.expect_silence();
    dut.send_changed(Station::D1, resv, |objects| {
        let flowspecs = objects.iter().enumerate().filter(|(_, object)| object.class == 9);
        let second = flowspecs.map(|(position, _)| position).nth(1).expect("there are three");
        objects.remove(second);
    });
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![s1])]);
    let mut shares = Vec::new();
    while shares.len() < 2 {
        shares.extend(dut.expect::<Resv>(Port::B).shares());
    }
    assert_eq!(shares, [(1.0, vec![s2]), (2.0, vec![s3])]);
    dut.expect_silence();
}

/// A WF list is one FLOWSPEC, an SE list one and filters behind it. Resvs with other lists are discarded.
pub(crate) fn se_and_wf_lists(lab: &Lab) {
    shows(&["rfc2205-3.1.4-04", "rfc2205-3.1.4-06"]);
    let mut dut = lab.router();
    let (s1, s2) = (dut.s1(), dut.s2());
    for (port, style, good, bad) in [
        (5000, Style::Wf, wf(cl(1.0)), vec![vec![], vec![wf(cl(1.0)), wf(cl(2.0))], vec![ff(cl(1.0), s1)]]),
        (
            5001,
            Style::Se,
            se(cl(1.0), &[s1, s2]),
            vec![vec![se(cl(1.0), &[])], vec![se(cl(1.0), &[s1]), se(cl(2.0), &[s2])]],
        ),
    ] {
        let session = dut.h_at(port);
        for sender in [s1, s2] {
            dut.learn(Station::U1, session, sender);
        }
        for flows in bad {
            let resv = dut.resv(Station::D1, session, style, &flows);
            dut.send(Station::D1, resv);
            dut.expect_silence();
        }
        let resv = dut.resv(Station::D1, session, style, &[good]);
        dut.send(Station::D1, resv);
        let resv = dut.expect::<Resv>(Port::A);
        let (flowspecs, filters) =
            (resv.objects(ClassNum::FLOWSPEC).len(), resv.objects(ClassNum::FILTER_SPEC).len());
        assert_eq!((flowspecs, filters), (1, if style == Style::Se { 2 } else { 0 }));
        dut.expect_silence();
    }
}
