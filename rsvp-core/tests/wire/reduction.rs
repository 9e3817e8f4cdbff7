//! What RFC 2961 adds to a message: its head, Ack and Srefresh.

use rsvp_core::wire::{
    Acknowledgement, ClassNum, DecodeErrorKind, ErrorCode, FlaggedId, Head, Header, IdEntries, IdList,
    Message, MessageId, MessageType, RawMessage, Srefresh,
};

use super::rules::{ADSPEC, CONFIRM, ERROR, HOP, INTEGRITY, PATH, RESV, SESSION, TEMPLATE, WF};
use super::rules::{datagram, message};
use super::{encode_with, hex, ip, parse};

const ID: &str = "000c1701 01123456 00000007";
const ACK: &str = "000c1801 00abcdef 01020304";
const NACK: &str = "000c1802 00abcdef 00000003";
const LIST: &str = "00101901 00123456 00000007 ffffffff";
const SRC_LIST: &str = "00181902 00123456 00000008 0a000001 00000009 0a000002";
const SRC_LIST6: &str = "001c1903 00123456 00000007 20010db8 00000000 00000000 00000001";
const MCAST_LIST: &str = "00141904 00123456 00000008 0a000001 e0010203";
const MCAST_LIST6: &str =
    "002c1905 00123456 00000008 20010db8 00000000 00000000 00000001 ff0e0000 00000000 00000000 00000009";
const NULL: &str = "00080000 01020304";

fn id(epoch: u32, id: u32) -> FlaggedId {
    FlaggedId::plain(MessageId { epoch, id })
}

fn ack() -> Acknowledgement {
    Acknowledgement::Ack(id(0xab_cdef, 0x0102_0304))
}

fn nack() -> Acknowledgement {
    Acknowledgement::Nack(id(0xab_cdef, 3))
}

fn wanting_ack() -> FlaggedId {
    FlaggedId::wanting_ack(MessageId { epoch: 0x12_3456, id: 7 })
}

/// Both directions, the head apart.
fn check(message: &Message, head: &Head, bytes: &str) {
    let bytes = hex(bytes);
    assert_eq!(&parse(&bytes).unwrap(), message);
    assert_eq!(&Head::split(&bytes).unwrap().0, head);
    assert_eq!(encode_with(message, head), bytes);
    let mut again = Vec::new();
    RawMessage::decode(&bytes).unwrap().encode(&mut again).unwrap();
    assert_eq!(again, bytes);
}

#[test]
fn ack_message() {
    let head = Head { acknowledgements: vec![ack(), Acknowledgement::Nack(id(0, 0))], message_id: None };
    check(&Message::Ack, &head, "100dad16 40000020 000c1801 00abcdef 01020304 000c1802 00000000 00000000");
}

#[test]
fn srefresh_message() {
    let plain = IdList::new(0x12_3456, IdEntries::Plain(vec![7, u32::MAX]));
    let groups = IdEntries::Groups(vec![(8, ip("10.0.0.1"), ip("224.1.2.3"))]);
    let lists = vec![plain, IdList::new(0x12_3456, groups)];
    let message_id = FlaggedId::wanting_ack(MessageId { epoch: 0x12_3456, id: 9 });
    check(
        &Message::Srefresh(Srefresh { lists }),
        &Head { acknowledgements: vec![ack()], message_id: Some(message_id) },
        "100ff171 40000044 000c1801 00abcdef 01020304 000c1701 01123456 00000009
         00101901 00123456 00000007 ffffffff 00141904 00123456 00000008 0a000001 e0010203",
    );
    let sources = IdEntries::Sources(vec![(7, ip("2001:db8::1"))]);
    check(
        &Message::Srefresh(Srefresh { lists: vec![IdList::new(0x12_3456, sources)] }),
        &Head::default(),
        "100f3484 40000024 001c1903 00123456 00000007 20010db8 00000000 00000000 00000001",
    );
}

#[test]
fn path_with_a_head() {
    let bytes = hex("1101e99d 40000070 000c1802 00abcdef 00000003 000c1701 01123456 00000007
         000c0101 e0010203 11001388 000c0301 0a000101 0000004d 00080501 00007530
         000c0b01 0a000001 00000fa0 00240c02 00000007 01000006 7f000005 461c4000 44fa0000 7f800000 00000040
         000005dc");
    let head = Head { acknowledgements: vec![nack()], message_id: Some(wanting_ack()) };
    assert_eq!(Head::split(&bytes), Ok((head.clone(), 32)));
    let path = parse(&bytes).unwrap();
    let header = Header { flags: Header::REFRESH_REDUCTION, send_ttl: 64 };
    let mut again = Vec::new();
    path.encode_with(header, &head, &mut again).unwrap();
    assert_eq!(again, bytes);
    assert_eq!(RawMessage::decode(&bytes).unwrap().header.flags, Header::REFRESH_REDUCTION);
}

/// Messages that may have a head, each sound without one.
fn hosts() -> Vec<(MessageType, Vec<&'static str>)> {
    vec![
        (MessageType::PATH, [&PATH[..], &[ADSPEC]].concat()),
        (MessageType::RESV, [&RESV[..], &["00140902 00000003 06000002 80000001 000005dc"]].concat()),
        (MessageType::PATH_ERR, vec![SESSION, ERROR, TEMPLATE]),
        (MessageType::RESV_ERR, vec![SESSION, HOP, ERROR, WF]),
        (MessageType::PATH_TEAR, vec![SESSION, HOP, TEMPLATE]),
        (MessageType::RESV_TEAR, vec![SESSION, HOP, WF]),
        (MessageType::RESV_CONF, vec![SESSION, ERROR, CONFIRM, WF]),
        (MessageType::SREFRESH, vec![LIST]),
    ]
}

#[test]
fn every_message_may_have_a_head() {
    for (message_type, objects) in hosts() {
        let plain = message(message_type, &objects).unwrap();
        let fronts: [(&[&str], Vec<Acknowledgement>, bool); 7] = [
            (&[], vec![], false),
            (&[ID], vec![], true),
            (&[ACK], vec![ack()], false),
            (&[NACK, ACK, ACK, NACK, ID], vec![nack(), ack(), ack(), nack()], true),
            (&[INTEGRITY, ID], vec![], true),
            (&[INTEGRITY, ACK, ID], vec![ack()], true),
            (&[NULL, ACK, NULL, ID], vec![ack()], true),
        ];
        for (front, acknowledgements, has_id) in fronts {
            let bytes = datagram(message_type, &[front, &objects].concat());
            assert_eq!(parse(&bytes).unwrap(), plain, "{message_type} with {front:?}");
            let (head, offset) = Head::split(&bytes).unwrap();
            let expected = Head { acknowledgements, message_id: has_id.then(wanting_ack) };
            assert_eq!(head, expected, "{message_type} with {front:?}");
            assert_eq!(head.is_empty(), !has_id && head.acknowledgements.is_empty());
            assert_eq!(bytes[offset..], hex(&objects.concat()), "{message_type} with {front:?}");
        }
    }
}

#[test]
fn the_head_has_its_order() {
    let misplaced = DecodeErrorKind::MisplacedObject;
    for (message_type, objects) in hosts() {
        let (first, rest) = objects.split_first().unwrap();
        let table: [(&[&str], DecodeErrorKind); 7] = [
            (&[ID, ID, first], DecodeErrorKind::DuplicateObject(ClassNum::MESSAGE_ID)),
            (&[ID, ACK, first], misplaced(ClassNum::MESSAGE_ID_ACK)),
            (&[first, ID], misplaced(ClassNum::MESSAGE_ID)),
            (&[ID, first, ID], misplaced(ClassNum::MESSAGE_ID)),
            (&[first, ACK], misplaced(ClassNum::MESSAGE_ID_ACK)),
            (&["00089901 05060708", ID, first], misplaced(ClassNum::MESSAGE_ID)),
            (&[ID, INTEGRITY, first], misplaced(ClassNum::INTEGRITY)),
        ];
        for (front, kind) in table {
            let error = message(message_type, &[front, rest].concat()).unwrap_err();
            assert_eq!(error, kind, "{message_type} with {front:?}");
        }
    }
}

#[test]
fn what_is_no_head_is_left_alone() {
    let split = |objects: &[&str]| Head::split(&datagram(MessageType::PATH, objects));
    assert_eq!(split(&[]), Ok((Head::default(), 8)));
    assert_eq!(split(&[SESSION, ID]), Ok((Head::default(), 8)));
    let only_id = Head { acknowledgements: vec![], message_id: Some(wanting_ack()) };
    assert_eq!(split(&[ID, ACK]), Ok((only_id.clone(), 20)));
    assert_eq!(split(&[ID, "0003"]), Ok((only_id, 20)));
    assert_eq!(split(&[ACK, INTEGRITY]).unwrap().1, 20);
    assert_eq!(Head::split(&[]), Ok((Head::default(), 8)));
}

#[test]
fn a_damaged_head() {
    let table = [
        ("00081701 01123456", 12, "too short"),
        ("00101701 01123456 00000007 00000000", 20, "too long"),
        ("00101801 01123456 00000007 00000000", 20, "too long"),
        ("000c1700 01123456 00000007", 8, "C-Type 0"),
        ("000c1803 01123456 00000007", 8, "C-Type 3"),
        ("00041709", 8, "C-Type 9, and empty"),
        ("000d1701 01123456 00000007", 8, "an odd length"),
        ("00141701 01123456 00000007", 8, "more than there is"),
    ];
    for (object, offset, what) in table {
        let bytes = datagram(MessageType::PATH, &[object]);
        let split = Head::split(&bytes).unwrap_err();
        assert_eq!(split.offset, if what == "too short" { 16 } else { offset }, "{what}: {split}");
        assert_eq!(parse(&bytes).unwrap_err(), split, "{what}");
    }
}

#[test]
fn unknown_ctypes_of_a_head_are_answered() {
    for (object, value) in [("000c1709 01123456 00000007", 0x1709), ("00041803", 0x1803)] {
        let error = parse(&datagram(MessageType::PATH, &[&[object], &PATH[..]].concat())).unwrap_err();
        assert_eq!(error.reply(), Some((ErrorCode::UNKNOWN_OBJECT_CTYPE, value)));
    }
    let error = parse(&datagram(MessageType::SREFRESH, &["000c1906 00123456 00000007"])).unwrap_err();
    assert_eq!(error.reply(), Some((ErrorCode::UNKNOWN_OBJECT_CTYPE, 0x1906)));
}

#[test]
fn lists_belong_into_an_srefresh() {
    let error = message(MessageType::PATH, &[&PATH[..], &[LIST]].concat());
    assert_eq!(error, Err(DecodeErrorKind::UnexpectedObject(ClassNum::MESSAGE_ID_LIST)));
}

#[test]
fn what_an_ack_consists_of() {
    let ack = |objects: &[&str]| message(MessageType::ACK, objects);
    assert_eq!(ack(&[ACK]), Ok(Message::Ack));
    assert_eq!(ack(&[NACK, ACK, NULL]), Ok(Message::Ack));
    assert_eq!(ack(&[INTEGRITY, NACK]), Ok(Message::Ack));
    let (ignored, forwarded, rejected) = ("00089901 05060708", "0008c902 090a0b0c", "00081001 00010003");
    assert_eq!(ack(&[ACK, ignored, forwarded]), Ok(Message::Ack));
    let missing = Err(DecodeErrorKind::MissingObject(ClassNum::MESSAGE_ID_ACK));
    assert_eq!(ack(&[]), missing);
    assert_eq!(ack(&[NULL]), missing);
    assert_eq!(ack(&[ignored]), missing);
    let unexpected = |class| Err(DecodeErrorKind::UnexpectedObject(class));
    assert_eq!(ack(&[ID]), unexpected(ClassNum::MESSAGE_ID));
    assert_eq!(ack(&[ACK, ID]), unexpected(ClassNum::MESSAGE_ID));
    assert_eq!(ack(&[ACK, LIST]), unexpected(ClassNum::MESSAGE_ID_LIST));
    assert_eq!(ack(&[ACK, SESSION]), unexpected(ClassNum::SESSION));
    assert_eq!(ack(&[ACK, WF]), unexpected(ClassNum::STYLE));
    assert_eq!(
        ack(&[ACK, rejected]),
        Err(DecodeErrorKind::UnknownClass { class: ClassNum::LABEL, ctype: 1 })
    );
}

#[test]
fn what_an_srefresh_consists_of() {
    let srefresh = |objects: &[&str]| match message(MessageType::SREFRESH, objects)? {
        Message::Srefresh(srefresh) => Ok(srefresh.lists.iter().map(IdList::len).collect::<Vec<usize>>()),
        other => panic!("{other:?}"),
    };
    assert_eq!(srefresh(&[LIST]), Ok(vec![2]));
    assert_eq!(srefresh(&[LIST, MCAST_LIST, LIST, MCAST_LIST6]), Ok(vec![2, 1, 2, 1]));
    assert_eq!(srefresh(&[SRC_LIST6, SRC_LIST]), Ok(vec![1, 2]));
    assert_eq!(srefresh(&[NULL, LIST, "0008c902 090a0b0c"]), Ok(vec![2]));
    assert_eq!(srefresh(&[]), Err(DecodeErrorKind::MissingObject(ClassNum::MESSAGE_ID_LIST)));
    assert_eq!(srefresh(&[ACK, ID]), Err(DecodeErrorKind::MissingObject(ClassNum::MESSAGE_ID_LIST)));
    for mixed in [[SRC_LIST6, LIST], [LIST, SRC_LIST6], [SRC_LIST6, MCAST_LIST6], [MCAST_LIST, SRC_LIST6]] {
        assert_eq!(srefresh(&mixed), Err(DecodeErrorKind::MixedLists));
    }
    let mixed = parse(&datagram(MessageType::SREFRESH, &[LIST, LIST, SRC_LIST6])).unwrap_err();
    assert_eq!(mixed.offset, 8 + 16 + 16, "the list that does not fit");
    // Not a whole number of entries, and none.
    for object in ["00141902 00123456 00000008 0a000001 00000009", "00081901 00123456"] {
        let error = srefresh(&[object]).unwrap_err();
        assert!(matches!(error, DecodeErrorKind::ObjectTooShort { .. }), "{object}: {error}");
    }
    for (object, class) in [(SESSION, ClassNum::SESSION), (HOP, ClassNum::RSVP_HOP)] {
        assert_eq!(srefresh(&[LIST, object]), Err(DecodeErrorKind::UnexpectedObject(class)));
    }
}

#[test]
fn odd_addresses_in_lists_are_the_nodes_business() {
    let odd = "00201904 00000000 00000000 00000000 00000000 00000000 ffffffff e0000001";
    let Ok(Message::Srefresh(srefresh)) = message(MessageType::SREFRESH, &[odd]) else {
        panic!("an Srefresh")
    };
    let any = ip("0.0.0.0");
    let entries = vec![(0, any, any), (0, ip("255.255.255.255"), ip("224.0.0.1"))];
    assert_eq!(srefresh.lists, [IdList::new(0, IdEntries::Groups(entries))]);
}
