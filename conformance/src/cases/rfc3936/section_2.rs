//! RFC 3936 section 2: the ranges of classes, message types and error codes.

use crate::bench::{Dut, Family, Lab, Port, Station, cl, ff, object, seal};
use crate::shows;
use rsvp_core::wire::{ClassNum, Path, PathErr, RawObject, ResvErr, Style};

/// An enterprise code, and a word of whatever the vendor likes.
const VENDORS: [u8; 8] = [0, 0, 0x7f, 0x51, 1, 2, 3, 4];

/// What became of a Path: refused with this error, or passed on, with or without an object.
#[derive(Debug, PartialEq)]
enum Fate {
    Refused(u8, u16),
    Dropped,
    Without,
    With(RawObject),
}

/// What becomes of a Path of S1 with one more object. The session is that of a port that depends on the object's class.
fn fate(dut: &mut Dut, extra: &RawObject) -> Fate {
    let session = dut.plan.session(dut.h().flow().destination, 7000 + u16::from(extra.class));
    let path = dut.path(Station::U1, session, dut.s1());
    dut.send_changed(Station::U1, path, |objects| objects.push(extra.clone()));
    let sent = dut.all_of::<Path>(Port::C, 1).pop();
    let error = dut.all::<PathErr>(Port::A).pop().map(|error| error.message.error);
    dut.expect_silence();
    match (sent, error) {
        (None, None) => Fate::Dropped,
        (None, Some(error)) => Fate::Refused(error.code, error.value),
        (Some(path), None) => {
            let found = path.raw.objects.into_iter().find(|placed| placed.object.class == extra.class);
            found.map_or(Fate::Without, |placed| Fate::With(placed.object))
        }
        (Some(_), Some(error)) => panic!("passed on and refused: {error:?}"),
    }
}

/// Objects of unknown classes, from each block of numbers, are refused, left out or passed on by the class's first bits.
pub(crate) fn unknown_classes_of_every_range_follow_the_common_rules(lab: &Lab) {
    shows(&["rfc3936-2-01", "rfc3936-2.2-02"]);
    let mut dut = lab.router();
    for class in [119, 120, 123, 124, 127] {
        let refused = Fate::Refused(13, u16::from(class) << 8 | 9);
        assert_eq!(fate(&mut dut, &object(class, 9, &VENDORS)), refused, "class {class}");
    }
    for class in [183, 184, 187, 188, 191] {
        assert_eq!(fate(&mut dut, &object(class, 9, &VENDORS)), Fate::Without, "class {class}");
    }
    for class in [247, 248, 251, 252, 255] {
        let extra = object(class, 9, &VENDORS);
        assert_eq!(fate(&mut dut, &extra), Fate::With(extra.clone()), "class {class}");
    }
}

/// Messages of unknown types are dropped, and unknown error codes passed on, from whatever block of numbers.
pub(crate) fn unknown_types_and_codes_of_every_range_follow_the_common_rules(lab: &Lab) {
    shows(&["rfc3936-2-01"]);
    let mut dut = lab.router();
    let path = dut.pack(Station::U1, dut.path(Station::U1, dut.h(), dut.s1()));
    for kind in [239, 240, 255] {
        let mut packet = path.clone();
        packet.destination = dut.plan.dut(Port::A);
        packet.message[1] = kind;
        seal(&mut packet.message);
        dut.send_packet(Station::U1, &packet);
        dut.expect_silence();
    }
    dut.send_packet(Station::U1, &path);
    dut.expect::<Path>(Port::C);
    for code in [24, 239, 240, 251, 252, 255] {
        let error = dut.path_err(dut.h(), dut.s1(), code, 7);
        dut.send(Station::D1, error.clone());
        assert_eq!(dut.expect::<PathErr>(Port::A).message, error, "code {code}");
    }
}

/// A Path with a vendor's object that is too short for an enterprise code is dropped; the code alone will do.
pub(crate) fn an_object_of_a_vendor_begins_with_its_enterprise_code(lab: &Lab) {
    shows(&["rfc3936-2.2-01"]);
    let mut dut = lab.router();
    for class in [124, 127, 188, 191, 252, 255] {
        assert_eq!(fate(&mut dut, &object(class, 1, &[])), Fate::Dropped, "class {class}");
    }
    for class in [188, 191, 252, 255] {
        let with_code = fate(&mut dut, &object(class, 1, &VENDORS[..4]));
        assert_ne!(with_code, Fate::Dropped, "class {class}: the code alone will do");
    }
    let without_code = object(251, 1, &[]);
    assert_eq!(fate(&mut dut, &without_code), Fate::With(without_code.clone()), "others need none");
}

/// The ERROR_SPEC of a vendor's error, four octets longer for its enterprise code, is passed on as it is.
pub(crate) fn an_error_of_a_vendor_has_its_enterprise_code(lab: &Lab) {
    shows(&["rfc3936-2.5-01"]);
    for (family, octets) in [(Family::V4, 16), (Family::V6, 28)] {
        let mut dut = lab.with(family, |_| ());
        let (h, s1) = (dut.h(), dut.s1());
        dut.learn(Station::U1, h, s1);
        dut.reserve(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
        for code in 252..=255 {
            let mut error = dut.resv_err(Station::U1, h, Style::Ff, ff(cl(1.0), s1), (code, 5, 0));
            error.error.enterprise = Some(0x7f51);
            dut.send(Station::U1, error.clone());
            let passed_on = dut.expect_to::<ResvErr>(Station::D1);
            let [object] = passed_on.objects(ClassNum::ERROR_SPEC)[..] else { panic!("one ERROR_SPEC") };
            assert_eq!(object.encoded_len(), octets, "with its header");
            assert_eq!(object.contents[octets - 12..], [0, code, 0, 5, 0, 0, 0x7f, 0x51][..]);
            assert_eq!(passed_on.message.error, error.error);
        }
    }
}

/// An error code that is not known is passed on to the receiver as it is.
pub(crate) fn unknown_error_codes_are_passed_on(lab: &Lab) {
    shows(&["rfc3936-2.5-02"]);
    let mut dut = lab.unicast(1);
    let (h, s1) = (dut.h(), dut.s1());
    dut.reserve(Station::D1, h, Style::Ff, &[ff(cl(1.0), s1)]);
    let error = dut.resv_err(Station::U1, h, Style::Ff, ff(cl(1.0), s1), (200, 0xbeef, 0));
    dut.send(Station::U1, error.clone());
    assert_eq!(dut.expect_to::<ResvErr>(Station::D1).message.error, error.error);
}
