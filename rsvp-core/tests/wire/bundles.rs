//! Bundles (RFC 2961 section 3).

use rsvp_core::wire::{
    Bundle, DecodeError, DecodeErrorKind, EncodeError, Header, MessageType, RawMessage, messages,
};

use super::hex;

const ACK: &str = "110d0530 ff000014 000c1801 00abcdef 01020304";
const TEAR: &str =
    "1105b52a ff00002c 000c0101 e0010203 11001388 000c0301 0a000101 0000004d 000c0b01 0a000001 00000fa0";
const HEADER: Header = Header { flags: Header::REFRESH_REDUCTION, send_ttl: 255 };

/// A Bundle with a right length and no checksum.
fn bundle(parts: &[&str]) -> Vec<u8> {
    let parts = hex(&parts.concat());
    let length = u16::try_from(8 + parts.len()).unwrap();
    [&[0x11, 12, 0, 0, 255, 0][..], &length.to_be_bytes(), &parts].concat()
}

/// Where its messages are and which, or what is wrong with them.
fn contents(datagram: &[u8]) -> Vec<Result<(usize, MessageType), (usize, DecodeErrorKind)>> {
    let bundle = Bundle::decode(datagram).unwrap();
    let one =
        |(offset, bytes): (usize, &[u8])| (offset, RawMessage::decode(bytes).unwrap().header.message_type);
    let error = |error: DecodeError| (error.offset, error.kind);
    bundle.messages().map(|message| message.map(one).map_err(error)).collect()
}

#[test]
fn bytes_of_a_bundle() {
    let bytes = hex(&["110cefaa ff000048", ACK, TEAR].concat());
    let mut encoded = vec![0xaa];
    Bundle::encode(HEADER, &[&hex(ACK), &hex(TEAR)], &mut encoded).unwrap();
    assert_eq!(encoded[1..], bytes);
    let bundle = Bundle::decode(&bytes).unwrap();
    assert_eq!((bundle.header.flags, bundle.header.send_ttl, bundle.header.length), (1, 255, 72));
    assert_eq!(contents(&bytes), [Ok((8, MessageType::ACK)), Ok((28, MessageType::PATH_TEAR))]);
    let parts: Vec<_> = bundle.messages().map(|message| message.unwrap().1.to_vec()).collect();
    assert_eq!(parts, [hex(ACK), hex(TEAR)]);
}

#[test]
fn every_single_bit_error_is_found() {
    let sound = hex(&["110cefaa ff000048", ACK, TEAR].concat());
    for bit in 0..sound.len() * 8 {
        let mut bytes = sound.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(Bundle::decode(&bytes).is_err(), "bit {bit}");
    }
}

#[test]
fn the_header_is_checked() {
    let fails = |bytes: &[u8]| Bundle::decode(bytes).map_err(|error| (error.offset, error.kind)).unwrap_err();
    let sound = bundle(&[ACK]);
    assert!(Bundle::decode(&sound).is_ok(), "no checksum");
    for length in 0..8 {
        let truncated = DecodeErrorKind::Truncated { needed: 8, available: length };
        assert_eq!(fails(&sound[..length]), (0, truncated));
    }
    for length in 8..sound.len() {
        let bad = DecodeErrorKind::BadLength { stated: 28, available: length };
        assert_eq!(fails(&sound[..length]), (6, bad));
    }
    let mut other_version = sound.clone();
    other_version[0] = 0x21;
    assert_eq!(fails(&other_version), (0, DecodeErrorKind::BadVersion(2)));
    assert_eq!(fails(&hex(ACK)), (1, DecodeErrorKind::UnknownMessageType(MessageType::ACK)));
    let mut flags = sound;
    (flags[0], flags[5]) = (0x1f, 0xff);
    assert!(Bundle::decode(&flags).is_ok(), "other flags and the reserved octet are ignored");
}

#[test]
fn a_bundle_has_a_message() {
    let error = Bundle::decode(&bundle(&[])).unwrap_err();
    assert_eq!((error.offset, error.kind), (8, DecodeErrorKind::Truncated { needed: 16, available: 8 }));
}

#[test]
fn a_damaged_message_does_not_hide_the_others() {
    let bad_checksum = TEAR.replacen("b52a", "b52b", 1);
    let bytes = bundle(&[ACK, &bad_checksum, ACK]);
    let parts: Vec<_> =
        messages(&bytes).map(|message| RawMessage::decode(message.unwrap()).is_ok()).collect();
    assert_eq!(parts, [true, false, true]);
}

#[test]
fn no_bundle_within_a_bundle() {
    let nested = ["110c0000 ff00001c", ACK].concat();
    assert_eq!(
        contents(&bundle(&[ACK, &nested, TEAR])),
        [
            Ok((8, MessageType::ACK)),
            Err((28, DecodeErrorKind::NestedBundle)),
            Ok((56, MessageType::PATH_TEAR))
        ]
    );
    let error = RawMessage::decode(&bundle(&[ACK])).unwrap_err();
    assert_eq!((error.offset, error.kind), (1, DecodeErrorKind::NestedBundle));
    let (partial, _) = RawMessage::decode_partial(&bundle(&[ACK]));
    assert_eq!(partial.header.unwrap().message_type, MessageType::BUNDLE);
    assert!(partial.objects.is_empty(), "messages are no objects");
}

#[test]
fn behind_an_impossible_length_nothing_is_read() {
    for stated in [0_u16, 4, 7, 18, 22, 24, 0xffff] {
        let mut bytes = bundle(&[ACK, ACK]);
        bytes[34..36].copy_from_slice(&stated.to_be_bytes());
        let bad = DecodeErrorKind::BadLength { stated: stated.into(), available: 20 };
        assert_eq!(contents(&bytes), [Ok((8, MessageType::ACK)), Err((34, bad))], "{stated}");
    }
    // What follows is too short for a header.
    let truncated = DecodeErrorKind::Truncated { needed: 8, available: 4 };
    assert_eq!(contents(&bundle(&[ACK, "110d0000"])), [Ok((8, MessageType::ACK)), Err((28, truncated))]);
}

#[test]
fn the_messages_of_any_datagram() {
    let all =
        |bytes: &[u8]| -> Vec<Vec<u8>> { messages(bytes).map(|message| message.unwrap().to_vec()).collect() };
    assert_eq!(all(&hex(ACK)), [hex(ACK)]);
    assert_eq!(all(&bundle(&[ACK, TEAR])), [hex(ACK), hex(TEAR)]);
    assert_eq!(all(&[]), [Vec::<u8>::new()], "it is not looked into");
    let mut damaged = bundle(&[ACK, TEAR]);
    damaged[2] = 1;
    let found: Vec<_> = messages(&damaged).collect();
    assert!(matches!(found[..], [Err(DecodeError { offset: 2, .. })]), "{found:?}");
}

#[test]
fn too_long_for_a_bundle() {
    let long = vec![0; 65_528];
    let mut out = vec![1, 2, 3];
    let error = Bundle::encode(HEADER, &[&long], &mut out).unwrap_err();
    assert_eq!((error, out), (EncodeError::TooLong { length: 65_536 }, vec![1, 2, 3]));
}
