//! Requirements of RFC 3936: who assigns which values, and what marks a vendor's own.

use std::collections::BTreeSet;

use conformance::bench::{Lab, Port, Station, cl, ff, object};
use conformance::shows;
use rsvp_core::Command;
use rsvp_core::command::ReserveRequest;
use rsvp_core::event::Upcall;
use rsvp_core::wire::{Adspec, DecodeErrorKind, Flowspec, Object, ResvErr, SenderTspec, Style};

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
