//! Damaged datagrams: what is wrong is named, and what stands before it is still read.

use rsvp_core::wire::{DecodeErrorKind, Header, MessageType, RawMessage, RawObject};

use super::hex;

const PATH_TEAR: &str =
    "1005752b 4000002c 000c0101 e0010203 11001388 000c0301 0a000101 0000004d 000c0b01 0a000001 00000fa0";

fn decode(bytes: &[u8]) -> Result<RawMessage, (usize, DecodeErrorKind)> {
    RawMessage::decode(bytes).map_err(|error| (error.offset, error.kind))
}

/// The sound message without a checksum, with some octets changed.
fn changed(changes: &[(usize, u8)]) -> Vec<u8> {
    let mut bytes = hex(PATH_TEAR);
    bytes[2..4].fill(0);
    for (offset, octet) in changes {
        bytes[*offset] = *octet;
    }
    bytes
}

#[test]
fn too_short_for_a_header() {
    for length in 0..8 {
        let error = decode(&hex(PATH_TEAR)[..length]).unwrap_err();
        assert_eq!(error, (0, DecodeErrorKind::Truncated { needed: 8, available: length }));
    }
}

#[test]
fn truncated_anywhere() {
    for length in 8..0x2c {
        let bytes = &hex(PATH_TEAR)[..length];
        let error = decode(bytes).unwrap_err();
        assert_eq!(error, (6, DecodeErrorKind::BadLength { stated: 0x2c, available: length }));
        let (partial, error) = RawMessage::decode_partial(bytes);
        assert!(error.is_some());
        assert_eq!(partial.header.unwrap().length, 0x2c);
        assert_eq!(partial.objects.len(), (length - 8) / 12);
    }
}

#[test]
fn longer_than_its_length() {
    let mut bytes = hex(PATH_TEAR);
    bytes.extend([0; 4]);
    assert_eq!(decode(&bytes), Err((6, DecodeErrorKind::BadLength { stated: 0x2c, available: 0x30 })));
    let (partial, _) = RawMessage::decode_partial(&bytes);
    assert_eq!(partial.objects.len(), 3);
}

#[test]
fn other_versions() {
    for version in [0, 2, 15] {
        let bytes = changed(&[(0, version << 4)]);
        assert_eq!(decode(&bytes), Err((0, DecodeErrorKind::BadVersion(version))));
    }
}

#[test]
fn flags_and_reserved_octets_are_ignored_and_kept() {
    let bytes = changed(&[(0, 0x1f), (5, 0xff)]);
    let raw = decode(&bytes).unwrap();
    assert_eq!((raw.header.flags, raw.header.reserved), (0x0f, 0xff));
    let mut again = Vec::new();
    raw.encode(&mut again).unwrap();
    assert_eq!(again, bytes);
}

#[test]
fn a_zero_checksum_is_not_checked() {
    let raw = decode(&changed(&[])).unwrap();
    assert!(!raw.header.has_checksum());
    assert!(decode(&hex(PATH_TEAR)).unwrap().header.has_checksum());
}

#[test]
fn a_wrong_checksum_does_not_hide_the_objects() {
    let mut bytes = hex(PATH_TEAR);
    bytes[43] ^= 1;
    let error = decode(&bytes).unwrap_err();
    assert_eq!(error, (2, DecodeErrorKind::BadChecksum { found: 0x752b, computed: 0x752a }));
    let (partial, _) = RawMessage::decode_partial(&bytes);
    assert_eq!(partial.objects.len(), 3);
}

#[test]
fn every_single_bit_error_is_found() {
    let sound = hex(PATH_TEAR);
    for bit in 0..sound.len() * 8 {
        let mut bytes = sound.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(decode(&bytes).is_err(), "bit {bit}");
    }
}

#[test]
fn a_checksum_of_zero_is_sent_as_its_other_form() {
    // One's complement has two zeros. 0 would say that there is no checksum.
    let with = |word: u16| {
        let [high, low] = word.to_be_bytes();
        let object = RawObject { class: 0xc9, ctype: 1, contents: vec![0, 0, high, low] };
        RawMessage::new(MessageType::PATH_TEAR, Header { flags: 0, send_ttl: 64 }, [object]).unwrap()
    };
    let zeros: Vec<RawMessage> =
        (0..=u16::MAX).map(with).filter(|message| matches!(message.header.checksum, 0 | 0xffff)).collect();
    assert!(!zeros.is_empty());
    for message in zeros {
        assert_eq!(message.header.checksum, 0xffff);
        let mut bytes = Vec::new();
        message.encode(&mut bytes).unwrap();
        assert_eq!(decode(&bytes).unwrap(), message);
    }
}

#[test]
fn illegal_object_lengths() {
    for stated in [0, 1, 2, 3, 5, 6, 7, 10, 28, 64, 255] {
        let bytes = changed(&[(21, stated)]);
        let available = 24;
        let error = decode(&bytes).unwrap_err();
        assert_eq!(error, (20, DecodeErrorKind::BadObjectLength { stated: stated.into(), available }));
        let (partial, _) = RawMessage::decode_partial(&bytes);
        assert_eq!(partial.objects.len(), 1, "the object before it is still read");
        assert_eq!(partial.objects[0].offset, 8);
    }
}

#[test]
fn a_length_that_cuts_an_object_header() {
    let cut = |length: u8| decode(&changed(&[(7, length)])[..length.into()]).unwrap_err();
    assert_eq!(cut(9), (8, DecodeErrorKind::Truncated { needed: 2, available: 1 }));
    assert_eq!(cut(10), (8, DecodeErrorKind::BadObjectLength { stated: 12, available: 2 }));
}

#[test]
fn a_header_alone_is_no_error_yet() {
    let raw = decode(&hex("10010000 40000008")).unwrap();
    assert!(raw.objects.is_empty());
    let short = decode(&hex("10010000 40000007")).unwrap_err();
    assert_eq!(short, (6, DecodeErrorKind::BadLength { stated: 7, available: 8 }));
}
