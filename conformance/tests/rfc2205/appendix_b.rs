//! RFC 2205 Appendix B: error codes, and what is no error but a fault.

use conformance::bench::{Dut, Port, Station, bucket, cl, ff, hex, se, tspec, wf};
use conformance::shows;
use rsvp_core::wire::{
    ClassNum, ErrorSpec, Flowspec, MessageType, Path, PathErr, RawObject, ResvErr, Style, Tspec,
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
    let mut dut = Dut::greedy();
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
    let mut dut = Dut::greedy();
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
        let mut dut = Dut::greedy();
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
    let mut dut = Dut::greedy();
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
    let mut dut = Dut::greedy();
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
        let dut = Dut::router();
        dut.pack(Station::U1, dut.path(Station::U1, dut.h(), dut.s1()))
    };
    let mut answered = 0;
    for position in 8..octets.message.len() {
        for value in [0x00, 0x01, 0x7f, 0xff] {
            let mut dut = Dut::router();
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
    let mut dut = Dut::greedy();
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
    let mut dut = Dut::greedy();
    let s1 = dut.s1();
    let huge = Flowspec::ControlledLoad(Tspec { max_packet: 9000, ..bucket(1.0) });
    let error = refused(&mut dut, Style::Ff, ff(huge, s1));
    assert_eq!((error.code, error.value), (1, 3), "what is requested counts, whatever the sender sends");
}
