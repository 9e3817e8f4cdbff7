//! RFC 2205 Appendix B: error codes, and what is no error but a fault.

use conformance::bench::{Dut, Lab, Packet, Port, Station, bucket, cl, ff, hex, object, se, tspec, wf};
use conformance::shows;
use rsvp_core::counters::DropReason;
use rsvp_core::wire::{
    ClassNum, ErrorSpec, FlowDescriptor, Flowspec, Header, MessageType, Path, PathErr, RawMessage, RawObject,
    ResvErr, Style, Tspec,
};

/// The ResvErr that a Resv for H gets, with nothing else happening.
fn refused(dut: &mut Dut, style: Style, flow: rsvp_core::wire::FlowDescriptor) -> ErrorSpec {
    let h = dut.h();
    let before = dut.reservations(h);
    let resv = dut.resv(Station::D1, h, style, &[flow]);
    dut.send(Station::D1, resv);
    let error = dut.expect_to::<ResvErr>(Station::D1);
    dut.expect_silence();
    assert_eq!(dut.reservations(h), before);
    error.message.error
}

#[test]
fn admission_control_failures() {
    shows(&["rfc2205-B-03", "rfc2205-B-04", "rfc2212-inv-03", "rfc2211-5-03"]);
    let mut dut = Lab::in_process().greedy();
    let s1 = dut.s1();
    let error = refused(&mut dut, Style::Ff, ff(cl(100.0), s1));
    assert_eq!((error.code, error.value), (1, 2), "requested bandwidth unavailable");
    let huge = Tspec { max_packet: 9000, ..bucket(1.0) };
    let mut path = dut.path(Station::U1, dut.h(), s1);
    path.sender_tspec = rsvp_core::wire::SenderTspec::TokenBucket(huge);
    dut.send(Station::U1, path);
    dut.forget();
    let error = refused(&mut dut, Style::Ff, ff(Flowspec::ControlledLoad(huge), s1));
    assert_eq!((error.code, error.value), (1, 3), "MTU in flowspec larger than interface MTU");
}

#[test]
fn no_sender_information() {
    shows(&["rfc2205-B-07", "rfc2209-2.resv-07"]);
    let mut dut = Lab::in_process().greedy();
    let unknown = dut.plan.sender(9);
    assert_eq!(refused(&mut dut, Style::Ff, ff(cl(1.0), unknown)).code, 4);
    // S1 is known, but its data does not leave by d.
    let (h, s1) = (dut.h(), dut.s1());
    for (style, flow) in [(Style::Ff, ff(cl(1.0), s1)), (Style::Wf, wf(cl(1.0)))] {
        let mut resv = dut.resv(Station::D2, h, style, &[flow]);
        resv.hop.lih = Port::D.interface().0;
        dut.send(Station::D2, resv);
        assert_eq!(dut.expect_to::<ResvErr>(Station::D2).message.error.code, 4, "{style}");
        dut.expect_silence();
    }
}

#[test]
fn unknown_styles() {
    shows(&["rfc2205-A.7-02", "rfc2205-B-09"]);
    for vector in [[0, 0, 0x09], [0, 0, 0], [0, 0, 0x1a]] {
        let mut dut = Lab::in_process().greedy();
        let (h, s1) = (dut.h(), dut.s1());
        let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
        dut.send_changed(Station::D1, resv, |objects| {
            let style = objects.iter_mut().find(|object| object.class == 8).expect("it is there");
            style.contents[1..].copy_from_slice(&vector);
        });
        let raw = dut.expect_raw(Port::C, MessageType::RESV_ERR);
        let error = raw.object(ClassNum::ERROR_SPEC).expect("ERROR_SPEC is there");
        assert_eq!(error.object.contents[5], 6, "{vector:?}");
        dut.expect_silence();
        assert!(dut.reservations(h).is_empty());
    }
}

#[test]
fn system_errors_are_passed_on_untouched() {
    shows(&["rfc2205-B-18"]);
    let mut dut = Lab::in_process().greedy();
    let (h, s1) = (dut.h(), dut.s1());
    dut.reserve(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    for code in [22, 23] {
        let error = dut.resv_err(Station::U1, h, Style::Ff, ff(cl(1.0), s1), (code, 0xbeef, 0));
        dut.send(Station::U1, error.clone());
        assert_eq!(dut.expect::<ResvErr>(Port::C).message.error, error.error);
        let error = dut.path_err(h, s1, code, 0xbeef);
        dut.send(Station::D1, error.clone());
        assert_eq!(dut.expect::<PathErr>(Port::A).message.error, error.error);
    }
}

#[test]
fn the_node_that_found_an_error_says_so() {
    shows(&["rfc2205-B-19", "rfc2209-2.resv-17"]);
    let mut dut = Lab::in_process().greedy();
    let (h, s1) = (dut.h(), dut.s1());
    let unknown = dut.plan.sender(9);
    let (on_a, on_c) = (dut.plan.dut(Port::A), dut.plan.dut(Port::C));
    for flow in [ff(cl(100.0), s1), ff(cl(1.0), unknown)] {
        let error = refused(&mut dut, Style::Ff, flow);
        assert_eq!((error.node, error.flags), (on_c, 0));
    }
    dut.reserve(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    let error = refused(&mut dut, Style::Se, se(cl(1.0), &[s1]));
    assert_eq!((error.node, error.flags, error.code), (on_c, 0, 5));
    let other = dut.plan.session(h.flow().destination, 0);
    let no_port = rsvp_core::wire::FilterSpec::Ip { source: s1.source(), port: 0 };
    let path = dut.path(Station::U1, other, no_port);
    dut.send(Station::U1, path);
    let error = dut.expect_to::<PathErr>(Station::U1).message.error;
    assert_eq!((error.node, error.flags, error.code), (on_a, 0, 7));
}

#[test]
fn faults_of_form_are_counted_and_answered_by_nothing() {
    shows(&["rfc2205-B-20", "rfc2205-B-22"]);
    let octets = {
        let dut = Lab::in_process().router();
        dut.pack(Station::U1, dut.path(Station::U1, dut.h(), dut.s1()))
    };
    let mut answered = 0;
    for position in 8..octets.message.len() {
        for value in [0x00, 0x01, 0x7f, 0xff] {
            let mut dut = Lab::in_process().router();
            let mut packet = octets.clone();
            packet.message[2..4].fill(0);
            packet.message[position] = value;
            dut.send_packet(Station::U1, &packet);
            if let [error] = &dut.all::<PathErr>(Port::A)[..] {
                assert!([13, 14, 21].contains(&error.message.error.code), "octet {position}: {error:?}");
                answered += 1;
            }
            for path in dut.all::<Path>(Port::C) {
                assert_eq!(path.raw.header.message_type, MessageType::PATH);
            }
        }
    }
    assert!(answered > 0, "classes, C-Types and TSpecs were among them");
}

#[test]
fn parameters_that_traffic_control_cannot_use() {
    shows(&["rfc2205-B-17"]);
    let mut dut = Lab::in_process().greedy();
    let (h, s1) = (dut.h(), dut.s1());
    let nan = Tspec { rate: f32::NAN, ..bucket(1.0) };
    let error = refused(&mut dut, Style::Ff, ff(Flowspec::ControlledLoad(nan), s1));
    assert_eq!((error.code, error.value), (21, 3), "bad Flowspec value");
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send_changed(Station::D1, resv, |objects| {
        let flowspec = objects.iter_mut().find(|object| object.class == 9).expect("it is there");
        flowspec.contents[4] = 77;
    });
    let error = dut.expect_to::<ResvErr>(Station::D1).message.error;
    assert_eq!((error.code, error.value), (21, 2), "service unsupported");
    let mut path = dut.path(Station::U1, h, s1);
    path.sender_tspec = rsvp_core::wire::SenderTspec::TokenBucket(nan);
    dut.send(Station::U1, path);
    let error = dut.expect_to::<PathErr>(Station::U1).message.error;
    assert_eq!((error.code, error.value), (21, 4), "bad Tspec value");
    let path = dut.path(Station::U1, h, s1);
    dut.send_changed(Station::U1, path, |objects| {
        objects.push(RawObject { class: 13, ctype: 2, contents: hex("00000009 01000008 04000001") });
    });
    let error = dut.expect_to::<PathErr>(Station::U1).message.error;
    assert_eq!((error.code, error.value), (21, 5), "bad Adspec value");
    assert_eq!(dut.senders(h)[0].tspec, tspec(200.0), "the old state stands");
}

#[test]
fn a_request_for_larger_packets_than_the_link_carries() {
    shows(&["rfc2210-2.3.2-06"]);
    let mut dut = Lab::in_process().greedy();
    let s1 = dut.s1();
    let huge = Flowspec::ControlledLoad(Tspec { max_packet: 9000, ..bucket(1.0) });
    let error = refused(&mut dut, Style::Ff, ff(huge, s1));
    assert_eq!((error.code, error.value), (1, 3), "what is requested counts, whatever the sender sends");
}

/// A packet whose octets were changed; no checksum is in it then, so that nothing but the change is wrong.
fn changed(packet: &Packet, change: impl FnOnce(&mut Vec<u8>)) -> Packet {
    let mut packet = packet.clone();
    packet.message[2..4].fill(0);
    change(&mut packet.message);
    packet
}

/// One stimulus for each fault of form: what it is, the packet, from where, and how it is counted.
fn faults_of_form(dut: &Dut) -> Vec<(&'static str, Packet, Station, DropReason)> {
    let (h, s1) = (dut.h(), dut.s1());
    let (u1, d1) = (Station::U1, Station::D1);
    let path = dut.pack(u1, dut.path(u1, h, dut.s2()));
    let to_dut = Packet { destination: dut.plan.dut(Port::A), ..path.clone() };
    let resv = |style, flows: &[FlowDescriptor]| dut.pack(d1, dut.resv(d1, h, style, flows));
    let mut bad_hop = dut.path(u1, h, dut.s2());
    bad_hop.hop.address = dut.g().flow().destination;
    let no_port = dut.plan.session(dut.plan.far(), 0);
    let astray = dut.pack(u1, dut.resv_conf(h, h.flow().destination, Style::Ff, &[ff(cl(1.0), s1)]));
    let mut faults = vec![
        ("length", changed(&path, |octets| octets[7] -= 4), u1, DropReason::BadLength),
        ("version", changed(&path, |octets| octets[0] = 0x20), u1, DropReason::BadVersion),
        ("checksum", changed(&path, |octets| octets[2] = 1), u1, DropReason::BadChecksum),
        ("message type", changed(&to_dut, |octets| octets[1] = 99), u1, DropReason::UnknownMessageType),
        ("object length", changed(&path, |octets| octets[9] = 2), u1, DropReason::BadLength),
        ("object length", changed(&path, |octets| octets[9] = 11), u1, DropReason::BadLength),
        ("hop address", dut.pack(u1, bad_hop), u1, DropReason::MalformedObject),
        ("source port", dut.pack(u1, dut.path(u1, no_port, s1)), u1, DropReason::ConflictingPort),
        ("flow descriptors", resv(Style::Wf, &[wf(cl(1.0)), wf(cl(2.0))]), d1, DropReason::Inconsistent),
        ("destination", Packet { destination: dut.plan.far(), ..astray }, u1, DropReason::Inconsistent),
    ];
    let mut objects = |what, packet: &Packet, from, reason, change: &dyn Fn(&mut Vec<RawObject>)| {
        faults.push((what, with_objects(packet, change), from, reason));
    };
    let scope = object(7, 1, &[10, 0, 0, 1]);
    let illegal = |objects: &mut Vec<RawObject>| objects.push(scope.clone());
    objects("class", &path, u1, DropReason::MalformedObject, &illegal);
    objects("missing", &path, u1, DropReason::MissingObject, &|objects| objects.retain(|it| it.class != 5));
    let resv = resv(Style::Ff, &[ff(cl(1.0), s1)]);
    objects("order", &resv, d1, DropReason::MalformedObject, &|objects| objects[1..].rotate_left(1));
    faults
}

/// A packet whose objects were changed, with length and checksum made to fit.
fn with_objects(packet: &Packet, change: &dyn Fn(&mut Vec<RawObject>)) -> Packet {
    let raw = RawMessage::decode(&packet.message).expect("the message is valid");
    let header = Header { flags: 0, send_ttl: packet.ttl };
    let mut objects: Vec<RawObject> = raw.objects.into_iter().map(|placed| placed.object).collect();
    change(&mut objects);
    let raw = RawMessage::new(raw.header.message_type, header, objects).expect("it is encodable");
    let mut message = Vec::new();
    raw.encode(&mut message).expect("it is encodable");
    Packet { message, ..packet.clone() }
}

#[test]
fn each_fault_of_form_is_counted_and_answered_by_nothing() {
    shows(&["rfc2205-B-21"]);
    for (what, packet, from, reason) in faults_of_form(&Lab::in_process().router()) {
        let mut dut = Lab::in_process().unicast(1);
        let h = dut.h();
        dut.send_packet(from, &packet);
        dut.expect_silence();
        assert_eq!(
            (dut.drops(reason), dut.all_drops()),
            (1, 1),
            "{what}: {:?}",
            dut.node().counters().dropped
        );
        assert_eq!((dut.node().sessions().len(), dut.senders(h).len()), (1, 1), "{what}");
        assert!(dut.reservations(h).is_empty(), "{what}");
    }
}
