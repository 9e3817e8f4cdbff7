//! The messages, whole; those of RFC 2961 are in `reduction`.

use rsvp_core::wire::{
    ErrorSpec, FilterSpec, FlowDescriptor, FlowKey, Flowspec, Message, Path, PathErr, PathTear, RawMessage,
    Resv, ResvConf, ResvErr, ResvTear, RsvpHop, SenderTspec, Session, SessionKey, Style, Tspec,
};

use super::{encode, hex, ip, parse};

fn session() -> Session {
    let flow = FlowKey { destination: ip("224.1.2.3"), protocol: 17, port: 5000 };
    Session { key: SessionKey::Ip(flow), flags: 0 }
}

fn hop() -> RsvpHop {
    RsvpHop { address: ip("10.0.1.1"), lih: 77 }
}

fn sender() -> FilterSpec {
    FilterSpec::Ip { source: ip("10.0.0.1"), port: 4000 }
}

fn tspec(peak: f32) -> Tspec {
    Tspec { rate: 10_000.0, bucket: 2000.0, peak, min_unit: 64, max_packet: 1500 }
}

fn flows() -> Vec<FlowDescriptor> {
    let flowspec = Flowspec::ControlledLoad(tspec(20_000.0));
    vec![FlowDescriptor { flowspec: Some(flowspec), filters: vec![sender()] }]
}

fn error(flags: u8, code: u8, value: u16) -> ErrorSpec {
    ErrorSpec { node: ip("10.0.9.9"), flags, code, value, enterprise: None }
}

/// Both directions, at the typed and at the raw level.
fn check(message: &Message, bytes: &str) {
    let bytes = hex(bytes);
    assert_eq!(&parse(&bytes).unwrap(), message);
    assert_eq!(encode(message), bytes);
    let mut again = Vec::new();
    RawMessage::decode(&bytes).unwrap().encode(&mut again).unwrap();
    assert_eq!(again, bytes);
}

#[test]
fn path() {
    let path = Path {
        session: session(),
        hop: hop(),
        refresh_ms: 30_000,
        policy: vec![],
        sender_template: sender(),
        sender_tspec: SenderTspec::TokenBucket(tspec(f32::INFINITY)),
        adspec: None,
        forward: vec![],
    };
    check(
        &Message::Path(path),
        "10011dde 40000058 000c0101 e0010203 11001388 000c0301 0a000101 0000004d 00080501 00007530
         000c0b01 0a000001 00000fa0 00240c02 00000007 01000006 7f000005 461c4000 44fa0000 7f800000 00000040
         000005dc",
    );
}

#[test]
fn resv() {
    let resv = Resv {
        session: session(),
        hop: hop(),
        refresh_ms: 30_000,
        confirm: None,
        scope: None,
        policy: vec![],
        style: Style::Ff,
        flows: flows(),
        forward: vec![],
    };
    check(
        &Message::Resv(resv),
        "10020ea6 40000060 000c0101 e0010203 11001388 000c0301 0a000101 0000004d 00080501 00007530
         00080801 0000000a 00240902 00000007 05000006 7f000005 461c4000 44fa0000 469c4000 00000040 000005dc
         000c0a01 0a000001 00000fa0",
    );
}

#[test]
fn path_tear() {
    let tear = PathTear {
        session: session(),
        hop: hop(),
        sender_template: sender(),
        sender_tspec: None,
        adspec: None,
        forward: vec![],
    };
    check(
        &Message::PathTear(tear),
        "1005752b 4000002c 000c0101 e0010203 11001388 000c0301 0a000101 0000004d 000c0b01 0a000001 00000fa0",
    );
}

#[test]
fn resv_tear() {
    let tear = ResvTear {
        session: session(),
        hop: hop(),
        scope: None,
        style: Style::Ff,
        flows: vec![FlowDescriptor { flowspec: None, filters: vec![sender()] }],
        forward: vec![],
    };
    check(
        &Message::ResvTear(tear),
        "10066e0f 40000034 000c0101 e0010203 11001388 000c0301 0a000101 0000004d 00080801 0000000a
         000c0a01 0a000001 00000fa0",
    );
}

#[test]
fn path_err() {
    let err = PathErr {
        session: session(),
        error: error(0, 2, 0),
        policy: vec![],
        sender_template: sender(),
        sender_tspec: Some(SenderTspec::TokenBucket(tspec(f32::INFINITY))),
        adspec: None,
        forward: vec![],
    };
    check(
        &Message::PathErr(err),
        "10038d60 40000050 000c0101 e0010203 11001388 000c0601 0a000909 00020000 000c0b01 0a000001 00000fa0
         00240c02 00000007 01000006 7f000005 461c4000 44fa0000 7f800000 00000040 000005dc",
    );
}

#[test]
fn resv_err() {
    let err = ResvErr {
        session: session(),
        hop: hop(),
        error: error(ErrorSpec::IN_PLACE, 1, 2),
        scope: None,
        policy: vec![],
        style: Style::Ff,
        flows: flows(),
        forward: vec![],
    };
    check(
        &Message::ResvErr(err),
        "10046ec0 40000064 000c0101 e0010203 11001388 000c0301 0a000101 0000004d 000c0601 0a000909 01010002
         00080801 0000000a 00240902 00000007 05000006 7f000005 461c4000 44fa0000 469c4000 00000040 000005dc
         000c0a01 0a000001 00000fa0",
    );
}

#[test]
fn resv_conf() {
    let conf = ResvConf {
        session: session(),
        error: error(0, 0, 0),
        confirm: ip("10.0.7.7"),
        style: Style::Ff,
        flows: flows(),
        forward: vec![],
    };
    check(
        &Message::ResvConf(conf),
        "10075e0f 40000060 000c0101 e0010203 11001388 000c0601 0a000909 00000000 00080f01 0a000707
         00080801 0000000a 00240902 00000007 05000006 7f000005 461c4000 44fa0000 469c4000 00000040 000005dc
         000c0a01 0a000001 00000fa0",
    );
}
