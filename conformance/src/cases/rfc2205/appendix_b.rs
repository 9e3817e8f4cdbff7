//! RFC 2205 Appendix B: error codes, and what is no error but a fault.

use crate::bench::{
    Dut, Lab, Port, Station, bucket, cl, faults_of_form, ff, hex, object, se, seal, tspec, wf,
};
use crate::shows;
use rsvp_core::wire::{
    ClassNum, ErrorSpec, FilterSpec, FlowDescriptor, Flowspec, MessageType, Path, PathErr, Resv, ResvErr,
    RsvpHop, SenderTspec, Style, Tspec,
};

/// A token bucket for packets that are larger than any interface of the device takes.
const HUGE: u32 = 9000;

/// A token bucket that makes no sense.
fn nan() -> Tspec {
    Tspec { rate: f32::NAN, ..bucket(1.0) }
}

/// The ResvErr that a Resv of D1 for H gets, with nothing else happening.
fn refused(dut: &mut Dut, style: Style, flow: FlowDescriptor) -> ResvErr {
    let resv = dut.resv(Station::D1, dut.h(), style, &[flow]);
    dut.send(Station::D1, resv);
    let error = dut.expect_to::<ResvErr>(Station::D1);
    dut.expect_silence();
    error.message
}

/// Asserts that S1 can be reserved for: nothing of what was refused is in the way.
fn assert_can_reserve(dut: &mut Dut) {
    let (h, s1) = (dut.h(), dut.s1());
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, resv);
    assert_eq!(dut.expect::<Resv>(Port::A).shares(), [(1.0, vec![s1])]);
    dut.expect_silence();
}

/// A request for more than there is fails with code 1, value 2; one for larger packets than the link takes with value 3.
pub(crate) fn admission_control_failures(lab: &Lab) {
    shows(&["rfc2205-B-03", "rfc2205-B-04", "rfc2212-inv-03", "rfc2211-5-03", "rfc2210-2.3.2-06"]);
    let mut dut = lab.greedy();
    let (h, s1) = (dut.h(), dut.s1());
    let error = refused(&mut dut, Style::Ff, ff(cl(100.0), s1)).error;
    assert_eq!((error.code, error.value), (1, 2), "requested bandwidth unavailable");
    let huge = Tspec { max_packet: HUGE, ..bucket(1.0) };
    let error = refused(&mut dut, Style::Ff, ff(Flowspec::ControlledLoad(huge), s1)).error;
    assert_eq!((error.code, error.value), (1, 3), "the MTU, whatever the sender sends");
    let mut path = dut.path(Station::U1, h, s1);
    path.sender_tspec = SenderTspec::TokenBucket(huge);
    dut.send(Station::U1, path);
    dut.expect::<Path>(Port::C);
    let error = refused(&mut dut, Style::Ff, ff(Flowspec::ControlledLoad(huge), s1)).error;
    assert_eq!((error.code, error.value), (1, 3), "the MTU, though the sender sends such packets");
    assert_can_reserve(&mut dut);
}

/// A Resv for a sender that is not known, or whose data do not leave there, gets code 4.
pub(crate) fn no_sender_information(lab: &Lab) {
    shows(&["rfc2205-B-07", "rfc2209-2.resv-07"]);
    let mut dut = lab.unicast(1);
    let (h, k, s1, unknown) = (dut.h(), dut.k(), dut.s1(), dut.plan.sender(9));
    let error = refused(&mut dut, Style::Ff, ff(cl(1.0), unknown));
    assert_eq!((error.error.code, &error.flows[0].filters[..]), (4, &[unknown][..]));
    // What leaves by d is another session; it makes the LIH of d known.
    dut.learn(Station::U1, k, s1);
    for (style, flow) in [(Style::Ff, ff(cl(1.0), s1)), (Style::Wf, wf(cl(1.0)))] {
        let resv = dut.resv(Station::D2, h, style, &[flow]);
        dut.send(Station::D2, resv);
        assert_eq!(dut.expect_to::<ResvErr>(Station::D2).message.error.code, 4, "{style}");
        dut.expect_silence();
    }
    assert_can_reserve(&mut dut);
}

/// A Resv in a style that is none of the three gets code 6, and goes no further.
pub(crate) fn unknown_styles(lab: &Lab) {
    shows(&["rfc2205-A.7-02", "rfc2205-B-09"]);
    let mut dut = lab.unicast(1);
    let (h, s1) = (dut.h(), dut.s1());
    for vector in [[0, 0, 0x09], [0, 0, 0], [0, 0, 0x1a]] {
        let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
        dut.send_changed(Station::D1, resv, |objects| {
            let style = objects.iter_mut().find(|object| object.class == 8).expect("it is there");
            style.contents[1..].copy_from_slice(&vector);
        });
        let raw = dut.expect_raw(Port::C, MessageType::RESV_ERR);
        let error = raw.object(ClassNum::ERROR_SPEC).expect("ERROR_SPEC is there");
        assert_eq!(error.object.contents[5], 6, "{vector:?}");
        dut.expect_silence();
    }
    assert_can_reserve(&mut dut);
}

/// Codes 22 and 23 of other nodes go on with their values, which are nobody's business.
pub(crate) fn system_errors_are_passed_on_untouched(lab: &Lab) {
    shows(&["rfc2205-B-18"]);
    let mut dut = lab.unicast(1);
    let (h, s1) = (dut.h(), dut.s1());
    assert_can_reserve(&mut dut);
    for code in [22, 23] {
        let error = dut.resv_err(Station::U1, h, Style::Ff, ff(cl(1.0), s1), (code, 0xbeef, 0));
        dut.send(Station::U1, error.clone());
        assert_eq!(dut.expect_to::<ResvErr>(Station::D1).message.error, error.error);
        let error = dut.path_err(h, s1, code, 0xbeef);
        dut.send(Station::D1, error.clone());
        assert_eq!(dut.expect_to::<PathErr>(Station::U1).message.error, error.error);
    }
}

/// In a ResvErr of its own the device names itself by the address of the interface of the reservation, in a PathErr by
/// one of its own; with no flags, since nothing is in place.
pub(crate) fn the_node_that_found_an_error_says_so(lab: &Lab) {
    shows(&["rfc2205-B-19", "rfc2209-2.resv-17"]);
    let mut dut = lab.greedy();
    let (h, s1, on_c) = (dut.h(), dut.s1(), dut.plan.dut(Port::C));
    let unknown = dut.plan.sender(9);
    let bad = Flowspec::ControlledLoad(nan());
    for (flow, code) in [(ff(cl(100.0), s1), 1), (ff(cl(1.0), unknown), 4), (ff(bad, s1), 21)] {
        let ResvErr { error, hop, .. } = refused(&mut dut, Style::Ff, flow);
        assert_eq!((error.code, error.node, error.flags, hop.address), (code, on_c, 0, on_c));
    }
    let resv = dut.resv(Station::D1, dut.h_at(5001), Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send(Station::D1, resv);
    let ErrorSpec { node, flags, code, .. } = dut.expect_to::<ResvErr>(Station::D1).message.error;
    assert_eq!((code, node, flags), (3, on_c, 0));
    assert_can_reserve(&mut dut);
    let ResvErr { error, hop: RsvpHop { address, .. }, .. } =
        refused(&mut dut, Style::Se, se(cl(1.0), &[s1]));
    assert_eq!((error.code, error.node, error.flags, address), (5, on_c, 0, on_c));

    let no_port = FilterSpec::Ip { source: s1.source(), port: 0 };
    let sessions = [dut.h_at(0), h];
    let path_to = |dut: &Dut, session| dut.path(Station::U1, session, no_port);
    let [no_ports, ambiguous] = sessions.map(|session| path_to(&dut, session));
    let mut senseless = dut.path(Station::U1, dut.h_at(5002), s1);
    senseless.sender_tspec = SenderTspec::TokenBucket(nan());
    for (path, code) in [(no_ports, 7), (ambiguous, 8), (senseless, 21)] {
        dut.send(Station::U1, path);
        let error = dut.expect_to::<PathErr>(Station::U1).message.error;
        let is_own = Port::ALL.iter().any(|port| dut.plan.dut(*port) == error.node);
        assert_eq!((error.code, error.flags, is_own), (code, 0, true), "{error:?}");
        dut.expect_silence();
    }
}

/// A Path that is malformed in any of the headers of its objects is not sent on as it is, and answered, if at all, by
/// codes 13, 14 or 21.
pub(crate) fn spoiled_object_headers_are_not_sent_on(lab: &Lab) {
    shows(&["rfc2205-B-20", "rfc2205-B-22"]);
    let mut dut = lab.router();
    let (h, s1) = (dut.h(), dut.s1());
    let good = dut.pack(Station::U1, dut.path(Station::U1, h, s1));
    // The SESSION stays, so that each has to do with H.
    let mut start = 20;
    let mut answered = 0;
    while start < good.message.len() {
        let length = usize::from(good.message[start + 1]);
        for position in start..start + 4 {
            for value in [0x00, 0x01, 0x7f, 0xff] {
                if good.message[position] == value {
                    continue;
                }
                let mut packet = good.clone();
                packet.message[position] = value;
                seal(&mut packet.message);
                dut.send_packet(Station::U1, &packet);
            }
        }
        start += length;
    }
    dut.advance(dut.timing.patience);
    for sent in dut.take_sent() {
        let message =
            rsvp_core::wire::RawMessage::decode(&sent.packet.message).expect("the monitor has seen it");
        if message.header.message_type == MessageType::PATH_ERR {
            let error = message.object(ClassNum::ERROR_SPEC).expect("ERROR_SPEC is there");
            let code = error.object.contents[5];
            assert!(
                [13, 14, 21].contains(&code),
                "expected an error of class, C-Type or contents, not {code}"
            );
            answered += 1;
        }
    }
    assert!(answered > 0, "expected unknown classes and C-Types to be answered, not one was");
    let path = Path { sender_tspec: tspec(5.0), ..dut.path(Station::U1, h, s1) };
    dut.send(Station::U1, path);
    assert_eq!(dut.expect::<Path>(Port::C).message.sender_tspec, tspec(5.0));
}

/// A message that is wrong in form is answered by nothing, and leaves nothing behind.
pub(crate) fn each_fault_of_form_is_answered_by_nothing(lab: &Lab) {
    shows(&["rfc2205-B-21"]);
    let mut dut = lab.unicast(1);
    let (h, s2) = (dut.h(), dut.s2());
    for fault in faults_of_form(&dut) {
        dut.send_packet(fault.from, &fault.packet);
        let sent = dut.take_sent();
        assert!(sent.is_empty(), "expected nothing in answer to a fault of {}, not {sent:?}", fault.what);
    }
    assert_eq!(refused(&mut dut, Style::Ff, ff(cl(1.0), s2)).error.code, 4, "S2 is not known");
    assert_can_reserve(&mut dut);
    let path = dut.path(Station::U2, h, s2);
    dut.send(Station::U2, path);
    assert_eq!(dut.expect::<Path>(Port::C).message.sender_template, s2, "now it is");
}

/// Parameters that make no sense get code 21: of a FLOWSPEC a rate that is no number (3) and a service that there is not
/// (2), a SENDER_TSPEC (4), an ADSPEC (5).
pub(crate) fn parameters_that_traffic_control_cannot_use(lab: &Lab) {
    shows(&["rfc2205-B-17"]);
    let mut dut = lab.unicast(1);
    let (h, s1) = (dut.h(), dut.s1());
    let error = refused(&mut dut, Style::Ff, ff(Flowspec::ControlledLoad(nan()), s1)).error;
    assert_eq!((error.code, error.value), (21, 3), "bad Flowspec value");
    let resv = dut.resv(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    dut.send_changed(Station::D1, resv, |objects| {
        let flowspec = objects.iter_mut().find(|object| object.class == 9).expect("it is there");
        flowspec.contents[4] = 77;
    });
    let error = dut.expect_to::<ResvErr>(Station::D1).message.error;
    assert_eq!((error.code, error.value), (21, 2), "service unsupported");
    dut.expect_silence();
    let mut path = dut.path(Station::U1, h, s1);
    path.sender_tspec = SenderTspec::TokenBucket(nan());
    dut.send(Station::U1, path);
    let error = dut.expect_to::<PathErr>(Station::U1).message.error;
    assert_eq!((error.code, error.value), (21, 4), "bad Tspec value");
    let path = dut.path(Station::U1, h, s1);
    let adspec = object(13, 2, &hex("00000009 01000008 04000001"));
    dut.send_changed(Station::U1, path, |objects| objects.push(adspec));
    let error = dut.expect_to::<PathErr>(Station::U1).message.error;
    assert_eq!((error.code, error.value), (21, 5), "bad Adspec value");
    dut.expect_silence();
    assert_can_reserve(&mut dut);
}
