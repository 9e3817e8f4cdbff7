//! RFC 2205 Appendix A: the formats of objects, as octets.

use std::net::IpAddr;

use conformance::bench::{Kind, Lab, Station, bucket, cl, ff, hex, se, wf};
use conformance::shows;
use rsvp_core::wire::{
    DecodeErrorKind, ErrorSpec, FilterSpec, FlowKey, Object, RawMessage, RawObject, RsvpHop, Session,
    SessionKey, Style,
};

/// An object from its octets.
fn raw(text: &str) -> RawObject {
    let octets = hex(text);
    assert_eq!(usize::from(octets[0]) << 8 | usize::from(octets[1]), octets.len(), "the case's own length");
    RawObject { class: octets[2], ctype: octets[3], contents: octets[4..].to_vec() }
}

/// Asserts that the octets stand for the object, and that `message`, which holds that object, is sent with them.
fn golden(text: &str, object: &Object, message: impl Kind) {
    assert_eq!(Object::decode(&raw(text)).as_ref(), Ok(object));
    assert!(has_octets(message, text), "{text} is not in the encoded message");
}

fn has_octets(message: impl Kind, text: &str) -> bool {
    let packet = Lab::in_process().router().pack(Station::U1, message);
    let raw_message = RawMessage::decode(&packet.message).expect("it was encoded just now");
    raw_message.objects.iter().any(|placed| placed.object == raw(text))
}

/// What is wrong with an object.
fn fault(text: &str) -> DecodeErrorKind {
    Object::decode(&raw(text)).expect_err("it is malformed").kind
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn key(destination: &str, port: u16) -> SessionKey {
    SessionKey::Ip(FlowKey { destination: ip(destination), protocol: 17, port })
}

fn sender(source: &str) -> FilterSpec {
    FilterSpec::Ip { source: ip(source), port: 4000 }
}

const HOP_V6: &str = "00180302 20010db8 00000000 00000000 00000001 0000004d";

#[test]
fn session() {
    shows(&["rfc2205-A.1-01"]);
    let dut = Lab::in_process().router();
    for (text, destination) in [
        ("000c0101 e0010203 11001388", "224.1.2.3"),
        ("00180102 ff1e0000 00000000 00000000 00000123 11001388", "ff1e::123"),
    ] {
        let key = key(destination, 5000);
        let path = dut.path(Station::U1, key, dut.s1());
        golden(text, &Object::Session(Session { key, flags: 0 }), path);
    }
    for short in ["00080101 e0010203", "00140102 ff1e0000 00000000 00000000 00000123"] {
        assert!(matches!(fault(short), DecodeErrorKind::ObjectTooShort { .. }), "{short}");
    }
}

#[test]
fn session_without_a_port() {
    shows(&["rfc2205-A.1-04"]);
    let dut = Lab::in_process().router();
    let flow = FlowKey { destination: ip("10.0.7.7"), protocol: 89, port: 0 };
    let key = SessionKey::Ip(flow);
    let no_port = FilterSpec::Ip { source: ip("10.0.0.1"), port: 0 };
    let text = "000c0101 0a000707 59000000";
    golden(text, &Object::Session(Session { key, flags: 0 }), dut.path(Station::U1, key, no_port));
    let flows = [ff(cl(1.0), no_port)];
    assert!(has_octets(dut.resv(Station::D1, key, Style::Ff, &flows), text));
    assert!(has_octets(dut.path_tear(Station::U1, key, no_port), text));
    assert!(has_octets(dut.resv_tear(Station::D1, key, Style::Ff, &flows), text));
}

#[test]
fn rsvp_hop() {
    shows(&["rfc2205-A.2-01"]);
    let dut = Lab::in_process().router();
    for (text, address) in [("000c0301 0a000101 0000004d", "10.0.1.1"), (HOP_V6, "2001:db8::1")] {
        let hop = RsvpHop { address: ip(address), lih: 77 };
        let mut path = dut.path(Station::U1, dut.h(), dut.s1());
        path.hop = hop;
        golden(text, &Object::RsvpHop(hop), path);
    }
}

#[test]
fn error_spec() {
    shows(&["rfc2205-A.5-01"]);
    let dut = Lab::in_process().router();
    for (text, node) in [
        ("000c0601 0a000909 01010002", "10.0.9.9"),
        ("00180602 20010db8 00000000 00000000 00000009 01010002", "2001:db8::9"),
    ] {
        let error =
            ErrorSpec { node: ip(node), flags: ErrorSpec::IN_PLACE, code: 1, value: 2, enterprise: None };
        let flow = ff(cl(1.0), dut.s1());
        let mut resv_err = dut.resv_err(Station::U1, dut.h(), Style::Ff, flow, (1, 2, 1));
        resv_err.error = error;
        golden(text, &Object::ErrorSpec(error), resv_err);
    }
}

#[test]
fn style() {
    shows(&["rfc2205-A.7-01"]);
    let dut = Lab::in_process().router();
    for (text, style, flow) in [
        ("00080801 00000011", Style::Wf, wf(cl(1.0))),
        ("00080801 0000000a", Style::Ff, ff(cl(1.0), dut.s1())),
        ("00080801 00000012", Style::Se, se(cl(1.0), &[dut.s1(), dut.s2()])),
    ] {
        golden(text, &Object::Style(style), dut.resv(Station::D1, dut.h(), style, &[flow]));
    }
}

#[test]
fn filter_spec_and_sender_template() {
    shows(&["rfc2205-A.9-01"]);
    let dut = Lab::in_process().router();
    let label = FilterSpec::FlowLabel { source: "2001:db8::5".parse().expect("an address"), label: 0x12345 };
    for (text, filter) in [
        ("000c0a01 0a000001 00000fa0", sender("10.0.0.1")),
        ("00180a02 20010db8 00000000 00000000 00000005 00000fa0", sender("2001:db8::5")),
        ("00180a03 20010db8 00000000 00000000 00000005 00012345", label),
    ] {
        let resv = dut.resv(Station::D1, dut.h(), Style::Ff, &[ff(cl(1.0), filter)]);
        golden(text, &Object::FilterSpec(filter), resv);
        let template = text.replacen("0a0", "0b0", 1);
        golden(&template, &Object::SenderTemplate(filter), dut.path(Station::U1, dut.h(), filter));
    }
    let padded = Object::decode(&raw("000c0a01 0a000001 ffff0fa0"));
    assert_eq!(padded, Ok(Object::FilterSpec(sender("10.0.0.1"))), "unused octets do not count");
}

#[test]
fn resv_confirm() {
    shows(&["rfc2205-A.14-01"]);
    let dut = Lab::in_process().router();
    for (text, receiver) in
        [("00080f01 0a000707", "10.0.7.7"), ("00140f02 20010db8 00000000 00000000 00000007", "2001:db8::7")]
    {
        let mut resv = dut.resv(Station::D1, dut.h(), Style::Wf, &[wf(cl(1.0))]);
        resv.confirm = Some(ip(receiver));
        golden(text, &Object::ResvConfirm(ip(receiver)), resv);
    }
}

#[test]
fn scope_as_octets() {
    let dut = Lab::in_process().router();
    let scope = vec![ip("10.0.0.1"), ip("192.168.0.1")];
    let mut resv = dut.resv(Station::D1, dut.h(), Style::Wf, &[wf(cl(1.0))]);
    resv.scope = Some(scope.clone());
    golden("000c0701 0a000001 c0a80001", &Object::Scope(scope), resv);
}

#[test]
fn reserved_fields_are_ignored() {
    shows(&["rfc2205-A-01"]);
    let flags = Object::decode(&raw("00080801 ff00000a"));
    assert_eq!(flags, Ok(Object::Style(Style::Ff)), "no flag of STYLE is defined");
    let template = Object::decode(&raw("000c0b01 0a000001 ffff0fa0"));
    assert_eq!(template, Ok(Object::SenderTemplate(sender("10.0.0.1"))));
    let dut = Lab::in_process().router();
    assert!(
        has_octets(dut.path(Station::U1, dut.h(), dut.s1()), "000c0b01 0a000001 00000fa0"),
        "sent as zero"
    );
    assert!(has_octets(dut.resv(Station::D1, dut.h(), Style::Wf, &[wf(cl(1.0))]), "00080801 00000011"));
}

#[test]
fn token_bucket_as_octets() {
    let dut = Lab::in_process().router();
    let tspec = rsvp_core::wire::Tspec { peak: f32::INFINITY, bucket: 2000.0, ..bucket(1.0) };
    let mut path = dut.path(Station::U1, dut.h(), dut.s1());
    path.sender_tspec = rsvp_core::wire::SenderTspec::TokenBucket(tspec);
    let text = "00240c02 00000007 01000006 7f000005 461c4000 44fa0000 7f800000 00000040 000005dc";
    golden(text, &Object::SenderTspec(path.sender_tspec.clone()), path);
}
