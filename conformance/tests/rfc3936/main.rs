//! Requirements of RFC 3936: who assigns which values, and what marks a vendor's own.

use std::collections::BTreeSet;

use conformance::bench::{Dut, Family, Lab, Port, Station, cl, ff, object};
use conformance::shows;
use rsvp_core::Command;
use rsvp_core::command::ReserveRequest;
use rsvp_core::counters::DropReason;
use rsvp_core::event::Upcall;
use rsvp_core::wire::{
    Adspec, DecodeErrorKind, ErrorSpec, Flowspec, MessageType, Object, Path, PathErr, RawObject, ResvErr,
    SenderTspec, Style,
};

/// An enterprise code, and a word of whatever the vendor likes.
const VENDORS: [u8; 8] = [0, 0, 0x7f, 0x51, 1, 2, 3, 4];

/// Sends a Path of S1 to H with one more object, to a fresh router.
fn path_with(extra: RawObject) -> Dut {
    let mut dut = Lab::in_process().router();
    let path = dut.path(Station::U1, dut.h(), dut.s1());
    dut.send_changed(Station::U1, path, |objects| objects.push(extra));
    dut
}

/// What became of such a Path: refused with this error, or passed on, with or without the object.
#[derive(Debug, PartialEq)]
enum Outcome {
    Refused(u8, u16),
    Without,
    With(RawObject),
}

fn outcome(extra: &RawObject) -> Outcome {
    let mut dut = path_with(extra.clone());
    let (h, class) = (dut.h(), extra.class);
    if let Some(error) = dut.all::<PathErr>(Port::A).pop() {
        assert!(dut.senders(h).is_empty());
        dut.expect_silence();
        return Outcome::Refused(error.message.error.code, error.message.error.value);
    }
    let path = dut.expect::<Path>(Port::C);
    dut.expect_silence();
    let found = path.raw.objects.into_iter().find(|placed| placed.object.class == class);
    found.map_or(Outcome::Without, |placed| Outcome::With(placed.object))
}

#[test]
fn unknown_values_of_every_range_follow_the_common_rules() {
    shows(&["rfc3936-2-01"]);
    for class in [119, 120, 123, 124, 127] {
        let refused = Outcome::Refused(13, u16::from(class) << 8 | 9);
        assert_eq!(outcome(&object(class, 9, &VENDORS)), refused, "class {class}");
    }
    for class in [183, 184, 187, 188, 191] {
        assert_eq!(outcome(&object(class, 9, &VENDORS)), Outcome::Without, "class {class}");
    }
    for class in [247, 248, 251, 252, 255] {
        let extra = object(class, 9, &VENDORS);
        assert_eq!(outcome(&extra), Outcome::With(extra.clone()), "class {class}");
    }
    for kind in [239, 240, 255] {
        let mut dut = Lab::in_process().router();
        let path = dut.path(Station::U1, dut.h(), dut.s1());
        let mut packet = dut.pack(Station::U1, path);
        packet.destination = dut.plan.dut(Port::A);
        packet.message[1] = MessageType(kind).0;
        // Any checksum will do for a message without one.
        packet.message[2..4].fill(0);
        dut.send_packet(Station::U1, &packet);
        dut.expect_silence();
        assert_eq!(dut.drops(DropReason::UnknownMessageType), 1, "message type {kind}");
    }
    for code in [24, 239, 240, 251, 252, 255] {
        let mut dut = Lab::in_process().unicast(1);
        let error = dut.path_err(dut.h(), dut.s1(), code, 7);
        dut.send(Station::D1, error.clone());
        assert_eq!(dut.expect::<PathErr>(Port::A).message, error);
    }
}

#[test]
fn an_object_of_a_vendor_begins_with_its_enterprise_code() {
    shows(&["rfc3936-2.2-01"]);
    for class in [124, 127, 188, 191, 252, 255] {
        let mut dut = path_with(object(class, 1, &[]));
        let h = dut.h();
        dut.expect_silence();
        assert!(dut.senders(h).is_empty(), "class {class}");
        assert_eq!(dut.drops(DropReason::MalformedObject), 1, "class {class}");
        let mut dut = path_with(object(class, 1, &VENDORS[..4]));
        assert_eq!(dut.drops(DropReason::MalformedObject), 0, "class {class}: the code alone will do");
    }
    let without_code = object(251, 1, &[]);
    assert_eq!(outcome(&without_code), Outcome::With(without_code.clone()), "others need none");
}

#[test]
fn objects_of_unknown_vendors_follow_the_rules_of_their_class() {
    shows(&["rfc3936-2.2-02"]);
    assert_eq!(outcome(&object(124, 1, &VENDORS)), Outcome::Refused(13, 124 << 8 | 1));
    assert_eq!(outcome(&object(188, 1, &VENDORS)), Outcome::Without);
    let passed_on = object(252, 1, &VENDORS);
    assert_eq!(outcome(&passed_on), Outcome::With(passed_on.clone()));
}

/// Whether the DUT gives a meaning to the contents of an object of this class and C-Type.
fn is_understood(class: u8, ctype: u8) -> bool {
    (0..=64).step_by(4).any(|length| {
        // Addresses, ports and lengths of services must be possible ones.
        let decoded = Object::decode(&object(class, ctype, &vec![1; length]));
        match decoded {
            Err(error) => !matches!(error.kind, DecodeErrorKind::UnknownCType { .. }),
            Ok(
                Object::Flowspec(Flowspec::Opaque(_))
                | Object::SenderTspec(SenderTspec::Opaque(_))
                | Object::Adspec(Adspec::Opaque(_))
                | Object::PolicyData(_)
                | Object::Integrity(_)
                | Object::Unknown(_)
                | Object::Null,
            ) => false,
            Ok(_) => true,
        }
    })
}

#[test]
fn no_c_type_is_our_own() {
    shows(&["rfc3936-2.3-01"]);
    let classes = [0, 1].into_iter().chain(3..=25).chain(30..=37).chain(42..=45).chain([64, 65]);
    let classes = classes.chain(128..=131).chain(161..=165).chain(192..=196).chain([207]);
    let understood: BTreeSet<(u8, u8)> = classes
        .flat_map(|class| (0..=255).map(move |ctype| (class, ctype)))
        .filter(|(class, ctype)| is_understood(*class, *ctype))
        .collect();
    // RFC 2205 Appendix A, RFC 2207 section 3, RFC 2961 sections 4 and 5. Those of FLOWSPEC, SENDER_TSPEC and ADSPEC
    // (C-Type 2) show in their contents only.
    let assigned = [
        (1, 1..=4),
        (3, 1..=2),
        (5, 1..=1),
        (6, 1..=2),
        (7, 1..=2),
        (8, 1..=1),
        (10, 1..=5),
        (11, 1..=5),
        (15, 1..=2),
        (23, 1..=1),
        (24, 1..=2),
        (25, 1..=5),
    ];
    let assigned: BTreeSet<(u8, u8)> =
        assigned.into_iter().flat_map(|(class, ctypes)| ctypes.map(move |ctype| (class, ctype))).collect();
    assert_eq!(understood, assigned);
}

#[test]
fn an_error_of_a_vendor_has_its_enterprise_code() {
    shows(&["rfc3936-2.5-01"]);
    for (family, octets) in [(Family::V4, 16), (Family::V6, 28)] {
        for code in 252..=255 {
            let mut dut = Lab::in_process().with(family, |_| ());
            let (h, s1) = (dut.h(), dut.s1());
            dut.learn(Station::U1, h, s1);
            dut.reserve(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
            let mut error = dut.resv_err(Station::U1, h, Style::Ff, ff(cl(1.0), s1), (code, 5, 0));
            error.error.enterprise = Some(0x7f51);
            dut.send(Station::U1, error.clone());
            let passed_on = dut.expect_to::<ResvErr>(Station::D1);
            let [object] = passed_on.objects(rsvp_core::wire::ClassNum::ERROR_SPEC)[..] else {
                panic!("one ERROR_SPEC")
            };
            assert_eq!(object.encoded_len(), octets, "with its header");
            assert_eq!(object.contents[octets - 12..], [0, code, 0, 5, 0, 0, 0x7f, 0x51][..]);
            assert_eq!(passed_on.message.error, error.error);
            let ErrorSpec { enterprise, .. } = passed_on.message.error;
            assert_eq!(enterprise, Some(0x7f51));
        }
    }
}

#[test]
fn unknown_error_codes_are_passed_on_and_reported() {
    shows(&["rfc3936-2.5-02"]);
    let mut dut = Lab::in_process().unicast(1);
    let (h, s1) = (dut.h(), dut.s1());
    dut.reserve(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    let error = dut.resv_err(Station::U1, h, Style::Ff, ff(cl(1.0), s1), (200, 0xbeef, 0));
    dut.send(Station::U1, error.clone());
    assert_eq!(dut.expect_to::<ResvErr>(Station::D1).message.error, error.error);
    let mut dut = Lab::in_process().host();
    let session = dut.plan.session(dut.plan.dut(Port::A), 5000);
    let api = dut.open(session);
    dut.learn(Station::U1, session, s1);
    let request = ReserveRequest {
        receiver: dut.plan.dut(Port::A),
        style: Style::Ff,
        flows: vec![ff(cl(1.0), s1)],
        policy: vec![],
        confirm: false,
    };
    dut.command(Command::Reserve(api, request)).expect("it is a good request");
    dut.upcalls();
    let error = dut.resv_err(Station::U1, session, Style::Ff, ff(cl(1.0), s1), (200, 0xbeef, 0));
    dut.send(Station::U1, error.clone());
    let upcalls = dut.upcalls();
    assert!(
        matches!(&upcalls[..], [(id, Upcall::ResvError { error: told, .. })] if *id == api && *told == error.error),
        "{upcalls:?}"
    );
}
