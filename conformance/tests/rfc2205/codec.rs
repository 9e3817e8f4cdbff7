//! RFC 2205 section 3.1: the formats of messages, as octets.

use conformance::bench::{
    Dut, InProcess, Kind, Lab, Packet, Port, R, Station, Tester, bucket, ff, hex, object,
};
use conformance::shows;
use rsvp_core::NodeConfig;
use rsvp_core::wire::{
    ClassNum, DecodeErrorKind, ErrorSpec, FlowDescriptor, FlowKey, Flowspec, Header, Message, Path, PathErr,
    RawMessage, RawObject, ResvConf, ResvTear, SenderTspec, SessionKey, Style, Tspec,
};

const PATH: &str = "10011dde 40000058 000c0101 e0010203 11001388 000c0301 0a000101 0000004d 00080501 00007530
    000c0b01 0a000001 00000fa0 00240c02 00000007 01000006 7f000005 461c4000 44fa0000 7f800000 00000040 000005dc";
const FF_RESV: &str =
    "10020ea6 40000060 000c0101 e0010203 11001388 000c0301 0a000101 0000004d 00080501 00007530
    00080801 0000000a 00240902 00000007 05000006 7f000005 461c4000 44fa0000 469c4000 00000040 000005dc
    000c0a01 0a000001 00000fa0";
const PATH_TEAR: &str = "1005752b 4000002c 000c0101 e0010203 11001388 000c0301 0a000101 0000004d
    000c0b01 0a000001 00000fa0";
const RESV_TEAR: &str = "10066e0f 40000034 000c0101 e0010203 11001388 000c0301 0a000101 0000004d
    00080801 0000000a 000c0a01 0a000001 00000fa0";
const PATH_ERR: &str = "10038d60 40000050 000c0101 e0010203 11001388 000c0601 0a000909 00020000
    000c0b01 0a000001 00000fa0 00240c02 00000007 01000006 7f000005 461c4000 44fa0000 7f800000 00000040 000005dc";
const RESV_ERR: &str = "10046ec0 40000064 000c0101 e0010203 11001388 000c0301 0a000101 0000004d
    000c0601 0a000909 01010002 00080801 0000000a 00240902 00000007 05000006 7f000005 461c4000 44fa0000 469c4000
    00000040 000005dc 000c0a01 0a000001 00000fa0";
const RESV_CONF: &str = "10075e0f 40000060 000c0101 e0010203 11001388 000c0601 0a000909 00000000
    00080f01 0a000707 00080801 0000000a 00240902 00000007 05000006 7f000005 461c4000 44fa0000 469c4000 00000040
    000005dc 000c0a01 0a000001 00000fa0";

fn group() -> SessionKey {
    SessionKey::Ip(FlowKey { destination: [224, 1, 2, 3].into(), protocol: 17, port: 5000 })
}

/// The token bucket of the golden messages.
fn golden_bucket(peak: f32) -> Tspec {
    Tspec { bucket: 2000.0, peak, ..bucket(1.0) }
}

fn golden_flow(dut: &Dut) -> FlowDescriptor {
    ff(Flowspec::ControlledLoad(golden_bucket(20_000.0)), dut.s1())
}

fn parse(octets: &[u8]) -> Result<Message, DecodeErrorKind> {
    let raw = RawMessage::decode(octets).map_err(|error| error.kind)?;
    Message::parse(&raw, 1024).map_err(|error| error.kind)
}

/// Asserts that the octets and the message stand for each other, both ways.
fn golden(text: &str, message: impl Kind) {
    let message = message.into_message();
    let octets = hex(text);
    assert_eq!(parse(&octets), Ok(message.clone()));
    let mut encoded = Vec::new();
    message.encode(Header { flags: 0, send_ttl: 64 }, &mut encoded).expect("it is encodable");
    assert_eq!(encoded, octets);
    let raw = RawMessage::decode(&octets).expect("it was parsed just now");
    let mut again = Vec::new();
    raw.encode(&mut again).expect("it is encodable");
    assert_eq!(again, octets, "decoding loses nothing");
}

/// The message of these octets with its objects changed.
fn changed(text: &str, change: impl FnOnce(&mut Vec<RawObject>)) -> Result<Message, DecodeErrorKind> {
    let raw = RawMessage::decode(&hex(text)).expect("the golden message is valid");
    let mut objects: Vec<RawObject> = raw.objects.into_iter().map(|placed| placed.object).collect();
    change(&mut objects);
    let header = Header { flags: 0, send_ttl: 64 };
    let raw = RawMessage::new(raw.header.message_type, header, objects).expect("it is encodable");
    Message::parse(&raw, 1024).map_err(|error| error.kind)
}

#[test]
fn path() {
    shows(&["rfc2205-3.1.3-03", "rfc2205-A.11-01"]);
    let dut = Lab::in_process().router();
    let path = Path {
        sender_tspec: SenderTspec::TokenBucket(golden_bucket(f32::INFINITY)),
        ..dut.path(Station::U1, group(), dut.s1())
    };
    golden(PATH, path);
}

#[test]
fn resv() {
    shows(&["rfc2205-3.1.4-02"]);
    let dut = Lab::in_process().router();
    let mut resv = dut.resv(Station::U1, group(), Style::Ff, &[golden_flow(&dut)]);
    resv.hop.lih = 77;
    golden(FF_RESV, resv);
    let late = changed(FF_RESV, |objects| {
        let time_values = objects.remove(2);
        objects.push(time_values);
    });
    assert_eq!(late, Err(DecodeErrorKind::MisplacedObject(ClassNum::TIME_VALUES)));
}

#[test]
fn path_tear() {
    shows(&["rfc2205-3.1.5-05"]);
    let dut = Lab::in_process().router();
    let mut tear = dut.path_tear(Station::U1, group(), dut.s1());
    tear.sender_tspec = None;
    golden(PATH_TEAR, tear.clone());
    tear.sender_tspec = Some(SenderTspec::TokenBucket(bucket(3.0)));
    let packet = dut.pack(Station::U1, tear.clone());
    assert_eq!(parse(&packet.message), Ok(Message::PathTear(tear)));
    let adspec = changed(PATH_TEAR, |objects| {
        objects.push(object(13, 2, &hex("00000001 01000000")));
    });
    assert!(matches!(adspec, Ok(Message::PathTear(_))), "an ADSPEC is ignored: {adspec:?}");
}

#[test]
fn resv_tear() {
    shows(&["rfc2205-3.1.6-06"]);
    let dut = Lab::in_process().router();
    let flow = FlowDescriptor { flowspec: None, filters: vec![dut.s1()] };
    let mut tear = dut.resv_tear(Station::U1, group(), Style::Ff, &[flow]);
    tear.hop.lih = 77;
    golden(RESV_TEAR, tear);
    let bare = changed(RESV_TEAR, |objects| {
        objects.truncate(2);
        objects.push(object(8, 1, &[0, 0, 0, 0x11]));
    });
    assert!(matches!(bare, Ok(Message::ResvTear(ResvTear { style: Style::Wf, .. }))), "{bare:?}");
    let scoped = changed(RESV_TEAR, |objects| objects.insert(2, object(7, 1, &[10, 0, 5, 5])));
    assert!(matches!(scoped, Ok(Message::ResvTear(_))), "{scoped:?}");
}

#[test]
fn path_err() {
    shows(&["rfc2205-3.1.7-03"]);
    let dut = Lab::in_process().router();
    let mut error = dut.path_err(group(), dut.s1(), 2, 0);
    error.sender_tspec = Some(SenderTspec::TokenBucket(golden_bucket(f32::INFINITY)));
    golden(PATH_ERR, error);
}

#[test]
fn resv_err() {
    shows(&["rfc2205-3.1.8-02"]);
    let dut = Lab::in_process().router();
    let how = (1, 2, ErrorSpec::IN_PLACE);
    golden(RESV_ERR, dut.resv_err(Station::U1, group(), Style::Ff, golden_flow(&dut), how));
    let two = changed(RESV_ERR, |objects| {
        let descriptor = objects[objects.len() - 2..].to_vec();
        objects.extend(descriptor);
    });
    assert!(matches!(two, Err(DecodeErrorKind::BadFlowDescriptors(_))), "exactly one descriptor: {two:?}");
}

#[test]
fn resv_conf() {
    shows(&["rfc2205-3.1.9-02"]);
    let dut = Lab::in_process().router();
    let receiver = [10, 0, 7, 7].into();
    let confirmation: ResvConf = dut.resv_conf(group(), receiver, Style::Ff, &[golden_flow(&dut)]);
    golden(RESV_CONF, confirmation);
}

#[test]
fn any_single_changed_bit_is_found() {
    shows(&["rfc2205-3.1.1-05"]);
    let octets = hex(PATH);
    assert!(parse(&octets).is_ok());
    for bit in 0..octets.len() * 8 {
        let mut damaged = octets.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(parse(&damaged).is_err(), "bit {bit}");
    }
}

#[test]
fn a_checksum_of_zero_is_none() {
    let mut octets = hex(PATH);
    octets[2..4].fill(0);
    assert_eq!(parse(&octets), parse(&hex(PATH)));
}

#[test]
fn integrity_comes_first_or_not_at_all() {
    shows(&["rfc2205-3.1.3-04"]);
    let integrity = object(4, 1, &[0; 32]);
    for text in [PATH, FF_RESV, PATH_TEAR, RESV_TEAR, PATH_ERR, RESV_ERR, RESV_CONF] {
        let first = changed(text, |objects| objects.insert(0, integrity.clone()));
        assert_eq!(first, parse(&hex(text)), "directly after the common header");
        let count = RawMessage::decode(&hex(text)).expect("it is valid").objects.len();
        for position in 1..=count {
            let later = changed(text, |objects| objects.insert(position, integrity.clone()));
            assert_eq!(
                later,
                Err(DecodeErrorKind::MisplacedObject(ClassNum::INTEGRITY)),
                "{text} {position}"
            );
        }
    }
    // What the DUT sends: another node's message keeps it first, a message of its own carries none of a neighbour's.
    let mut dut = Lab::in_process().unicast(1);
    let error = dut.pack(Station::D1, dut.path_err(dut.h(), dut.s1(), 2, 0));
    let raw = RawMessage::decode(&error.message).expect("it is valid");
    let mut objects: Vec<RawObject> = raw.objects.into_iter().map(|placed| placed.object).collect();
    objects.insert(0, integrity);
    let raw = RawMessage::new(raw.header.message_type, Header { flags: 0, send_ttl: error.ttl }, objects);
    let mut message = Vec::new();
    raw.and_then(|raw| raw.encode(&mut message)).expect("it is encodable");
    let to_u1 = Packet { message, ..error };
    dut.send_packet(Station::D1, &to_u1);
    assert_eq!(dut.expect::<PathErr>(Port::A).classes(), [1, 6, 11, 12]);
    let in_transit = Packet { destination: dut.plan.station(Station::U2), ..to_u1 };
    let mut tester = InProcess::new(dut.plan, NodeConfig::default());
    tester.send(Station::D1, &in_transit);
    assert_eq!(tester.advance(R)[0].packet.message, in_transit.message);
}
