//! Which objects a message may consist of, in which order (RFC 2205 sections 3.1 and 3.10).

use rsvp_core::wire::{
    ClassNum, DecodeErrorKind, ErrorCode, ErrorSpec, FlowDescriptor, Flowspec, Header, Message, MessageType,
    RawMessage, RawObject, RsvpHop, Style,
};

use super::{encode, hex, ip, parse};

pub(super) const SESSION: &str = "000c0101 e0010203 11001388";
pub(super) const HOP: &str = "000c0301 0a000101 0000004d";
const TIME: &str = "00080501 00007530";
pub(super) const ERROR: &str = "000c0601 0a000909 00020000";
const SCOPE: &str = "00080701 0a000001";
pub(super) const WF: &str = "00080801 00000011";
const FF: &str = "00080801 0000000a";
const SE: &str = "00080801 00000012";
const FLOW1: &str = "00140902 00000003 06000002 80000001 000005dc";
const FLOW2: &str = "00140902 00000003 06000002 80000001 00000240";
const FILTER1: &str = "000c0a01 0a000001 00000fa0";
const FILTER2: &str = "000c0a01 0a000002 00000fa0";
const FILTER3: &str = "000c0a01 0a000003 00000fa0";
pub(super) const TEMPLATE: &str = "000c0b01 0a000001 00000fa0";
const TSPEC: &str = "00140c02 00000003 06000002 80000001 000005dc";
pub(super) const ADSPEC: &str =
    "002c0d02 00000009 01000008 04000001 00000003 06000001 49742400 08000001 000001f4 0a000001 000005dc";
const POLICY: &str = "00080e01 00000000";
pub(super) const CONFIRM: &str = "00080f01 0a000707";
pub(super) const INTEGRITY: &str = "00080401 00000000";

pub(super) const PATH: [&str; 5] = [SESSION, HOP, TIME, TEMPLATE, TSPEC];
pub(super) const RESV: [&str; 4] = [SESSION, HOP, TIME, WF];

/// A datagram of whole objects, with a right length and no checksum.
pub(super) fn datagram(message_type: MessageType, objects: &[&str]) -> Vec<u8> {
    let objects = hex(&objects.concat());
    let length = u16::try_from(8 + objects.len()).unwrap();
    let mut bytes = vec![0x10, message_type.0, 0, 0, 64, 0];
    bytes.extend(length.to_be_bytes());
    bytes.extend(objects);
    bytes
}

pub(super) fn message(message_type: MessageType, objects: &[&str]) -> Result<Message, DecodeErrorKind> {
    parse(&datagram(message_type, objects)).map_err(|error| error.kind)
}

/// A Resv with this style and flow descriptor list.
fn resv_flows(list: &[&str]) -> Result<Vec<FlowDescriptor>, DecodeErrorKind> {
    match message(MessageType::RESV, &[&RESV[..3], list].concat())? {
        Message::Resv(resv) => Ok(resv.flows),
        other => panic!("{other:?}"),
    }
}

fn tear_flows(list: &[&str]) -> Result<Vec<FlowDescriptor>, DecodeErrorKind> {
    match message(MessageType::RESV_TEAR, &[&[SESSION, HOP], list].concat())? {
        Message::ResvTear(tear) => Ok(tear.flows),
        other => panic!("{other:?}"),
    }
}

/// What is asked for, and for how many senders.
fn shape(flows: &[FlowDescriptor]) -> Vec<(Option<u32>, usize)> {
    let packet = |flow: &FlowDescriptor| match flow.flowspec {
        Some(Flowspec::Null { max_packet }) => Some(max_packet),
        _ => None,
    };
    flows.iter().map(|flow| (packet(flow), flow.filters.len())).collect()
}

fn is_bad_list(result: &Result<Vec<FlowDescriptor>, DecodeErrorKind>) {
    assert!(matches!(result, Err(DecodeErrorKind::BadFlowDescriptors(_))), "{result:?}");
}

#[test]
fn path_objects_come_in_any_order() {
    let canonical = message(MessageType::PATH, &[&PATH[..], &[ADSPEC]].concat()).unwrap();
    let shuffled = [TIME, ADSPEC, TSPEC, HOP, TEMPLATE, SESSION];
    assert_eq!(message(MessageType::PATH, &shuffled).unwrap(), canonical);
    let resv = message(MessageType::RESV, &[CONFIRM, SCOPE, TIME, POLICY, HOP, SESSION, WF, FLOW1]).unwrap();
    let canonical = message(MessageType::RESV, &[SESSION, HOP, TIME, CONFIRM, SCOPE, POLICY, WF, FLOW1]);
    assert_eq!(resv, canonical.unwrap());
}

#[test]
fn null_objects_are_ignored_everywhere() {
    let plain = [&RESV[..3], &[SE, FLOW1, FILTER1, FILTER2]].concat();
    for null in ["00040000", "000800ff 01020304", "00400000"] {
        let null = format!("{null}{}", "00".repeat(if null == "00400000" { 60 } else { 0 }));
        let mut padded = vec![null.as_str()];
        for object in &plain {
            padded.extend([*object, null.as_str()]);
        }
        assert_eq!(message(MessageType::RESV, &padded), message(MessageType::RESV, &plain));
    }
}

#[test]
fn integrity_comes_first() {
    assert!(message(MessageType::PATH, &[&[INTEGRITY], &PATH[..]].concat()).is_ok());
    let late = message(MessageType::PATH, &[&PATH[..], &[INTEGRITY]].concat());
    assert_eq!(late, Err(DecodeErrorKind::MisplacedObject(ClassNum::INTEGRITY)));
    let raw = RawMessage::decode(&datagram(MessageType::PATH, &[&[INTEGRITY], &PATH[..]].concat())).unwrap();
    assert_eq!(raw.object(ClassNum::INTEGRITY).unwrap().object.contents, [0; 4]);
}

#[test]
fn style_and_flow_descriptors_come_last() {
    let misplaced = |class| Err(DecodeErrorKind::MisplacedObject(class));
    let early = message(MessageType::RESV, &[SESSION, HOP, TIME, FLOW1, WF]);
    assert_eq!(early, misplaced(ClassNum::FLOWSPEC));
    let early = message(MessageType::RESV, &[SESSION, HOP, TIME, FILTER1, FF, FLOW1]);
    assert_eq!(early, misplaced(ClassNum::FILTER_SPEC));
    let late = message(MessageType::RESV, &[SESSION, HOP, WF, FLOW1, TIME]);
    assert_eq!(late, misplaced(ClassNum::TIME_VALUES));
}

#[test]
fn required_objects() {
    let table: [(MessageType, &[&str]); 7] = [
        (MessageType::PATH, &PATH),
        (MessageType::RESV, &[SESSION, HOP, TIME, WF]),
        (MessageType::PATH_ERR, &[SESSION, ERROR, TEMPLATE]),
        (MessageType::RESV_ERR, &[SESSION, HOP, ERROR, WF]),
        (MessageType::PATH_TEAR, &[SESSION, HOP, TEMPLATE]),
        (MessageType::RESV_TEAR, &[SESSION, HOP, WF]),
        (MessageType::RESV_CONF, &[SESSION, ERROR, CONFIRM, WF]),
    ];
    for (message_type, required) in table {
        let rest: &[&str] = if message_type == MessageType::RESV { &[FLOW1] } else { &[] };
        let whole = [required, rest].concat();
        assert!(message(message_type, &whole).is_ok(), "{message_type}");
        for missing in required {
            let class = ClassNum(hex(missing)[2]);
            let without: Vec<&str> = required.iter().copied().filter(|object| object != missing).collect();
            let error = message(message_type, &without);
            assert_eq!(error, Err(DecodeErrorKind::MissingObject(class)), "{message_type} without {class}");
            let twice = [&[*missing], &whole[..]].concat();
            let error = message(message_type, &twice).unwrap_err();
            let named = matches!(
                error,
                DecodeErrorKind::DuplicateObject(again) | DecodeErrorKind::MisplacedObject(again)
                    if again == class || *missing == WF
            );
            assert!(named, "{message_type} with two {class}: {error:?}");
        }
    }
}

#[test]
fn classes_that_a_message_type_has_no_place_for() {
    let table: [(MessageType, &[&str], &[&str]); 7] = [
        (MessageType::PATH, &PATH, &[ERROR, SCOPE, WF, CONFIRM, FLOW1, FILTER1]),
        (MessageType::RESV, &RESV[..3], &[ERROR, TEMPLATE, TSPEC, ADSPEC]),
        (MessageType::PATH_ERR, &[SESSION, ERROR, TEMPLATE], &[HOP, TIME, SCOPE, WF, CONFIRM]),
        (MessageType::RESV_ERR, &[SESSION, HOP, ERROR], &[TIME, TEMPLATE, TSPEC, ADSPEC, CONFIRM]),
        (MessageType::PATH_TEAR, &[SESSION, HOP, TEMPLATE], &[TIME, ERROR, SCOPE, POLICY, WF]),
        (MessageType::RESV_TEAR, &[SESSION, HOP], &[TIME, ERROR, POLICY, CONFIRM, TEMPLATE]),
        (MessageType::RESV_CONF, &[SESSION, ERROR, CONFIRM], &[HOP, TIME, SCOPE, POLICY, TSPEC]),
    ];
    for (message_type, sound, illegal) in table {
        for object in illegal {
            let class = ClassNum(hex(object)[2]);
            let error = message(message_type, &[sound, &[*object]].concat());
            assert_eq!(error, Err(DecodeErrorKind::UnexpectedObject(class)), "{message_type} with {class}");
        }
    }
}

#[test]
fn policy_data_may_be_repeated() {
    let Ok(Message::Path(path)) = message(MessageType::PATH, &[&PATH[..], &[POLICY; 3]].concat()) else {
        panic!("no Path")
    };
    assert_eq!(path.policy.len(), 3);
}

#[test]
fn wildcard_filter() {
    assert_eq!(shape(&resv_flows(&[WF, FLOW1]).unwrap()), [(Some(1500), 0)]);
    is_bad_list(&resv_flows(&[WF]));
    is_bad_list(&resv_flows(&[WF, FLOW1, FLOW2]));
    is_bad_list(&resv_flows(&[WF, FLOW1, FILTER1]));
    assert_eq!(shape(&tear_flows(&[WF]).unwrap()), [(None, 0)]);
    assert_eq!(shape(&tear_flows(&[WF, FLOW1]).unwrap()), [(Some(1500), 0)]);
}

#[test]
fn fixed_filter() {
    let flows = resv_flows(&[FF, FLOW1, FILTER1, FILTER2, FLOW2, FILTER3]).unwrap();
    assert_eq!(shape(&flows), [(Some(1500), 1), (Some(1500), 1), (Some(576), 1)]);
    assert_eq!(flows[1].filters[0].source(), ip("10.0.0.2"));
    is_bad_list(&resv_flows(&[FF]));
    is_bad_list(&resv_flows(&[FF, FILTER1]));
    is_bad_list(&resv_flows(&[FF, FLOW1]));
    is_bad_list(&resv_flows(&[FF, FLOW1, FLOW2, FILTER1]));
    is_bad_list(&resv_flows(&[FF, FLOW1, FILTER1, FLOW2]));
    assert_eq!(shape(&tear_flows(&[FF, FILTER1, FILTER2]).unwrap()), [(None, 1), (None, 1)]);
    is_bad_list(&tear_flows(&[FF]));
}

#[test]
fn shared_explicit() {
    assert_eq!(shape(&resv_flows(&[SE, FLOW1, FILTER1, FILTER2]).unwrap()), [(Some(1500), 2)]);
    is_bad_list(&resv_flows(&[SE]));
    is_bad_list(&resv_flows(&[SE, FLOW1]));
    is_bad_list(&resv_flows(&[SE, FILTER1]));
    is_bad_list(&resv_flows(&[SE, FLOW1, FILTER1, FLOW2, FILTER2]));
    is_bad_list(&resv_flows(&[SE, FILTER1, FLOW1]));
    assert_eq!(shape(&tear_flows(&[SE, FILTER1, FILTER2]).unwrap()), [(None, 2)]);
    is_bad_list(&tear_flows(&[SE]));
}

#[test]
fn an_error_concerns_one_flow_descriptor() {
    let flows =
        |list: &[&str]| match message(MessageType::RESV_ERR, &[&[SESSION, HOP, ERROR], list].concat())? {
            Message::ResvErr(error) => Ok(error.flows),
            other => panic!("{other:?}"),
        };
    assert_eq!(shape(&flows(&[FF, FLOW1, FILTER1]).unwrap()), [(Some(1500), 1)]);
    assert_eq!(shape(&flows(&[SE, FLOW1, FILTER1, FILTER2]).unwrap()), [(Some(1500), 2)]);
    for style in [FF, SE, WF] {
        assert_eq!(shape(&flows(&[style]).unwrap()), []);
    }
    is_bad_list(&flows(&[FF, FLOW1, FILTER1, FILTER2]));
}

#[test]
fn equal_flowspecs_are_sent_once() {
    let objects = [&RESV[..3], &[FF, FLOW1, FILTER1, FILTER2, FLOW2, FILTER3, FLOW1, FILTER1]].concat();
    let short = datagram(MessageType::RESV, &objects);
    let long = [&RESV[..3], &[FF, FLOW1, FILTER1, FLOW1, FILTER2, FLOW2, FILTER3, FLOW1, FILTER1]].concat();
    let encoded = encode(&message(MessageType::RESV, &long).unwrap());
    assert_eq!(encoded[8..], short[8..]);

    let no_number = "00240902 00000007 05000006 7f000005 7fc00000 44fa0000 469c4000 00000040 000005dc";
    let objects = [&RESV[..3], &[FF, no_number, FILTER1, FILTER2, FILTER3]].concat();
    let encoded = encode(&message(MessageType::RESV, &objects).unwrap());
    assert_eq!(encoded[8..], datagram(MessageType::RESV, &objects)[8..]);
}

#[test]
fn unknown_classes_obey_their_high_bits() {
    let (reject, ignore, forward) = ("00086301 01020304", "00089901 05060708", "0008c902 090a0b0c");
    let error =
        parse(&datagram(MessageType::PATH, &[&PATH[..], &[ignore, forward, reject]].concat())).unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::UnknownClass { class: ClassNum(0x63), ctype: 1 });
    assert_eq!(error.offset, 8 + 12 + 12 + 8 + 12 + 20 + 8 + 8);
    assert_eq!(error.reply(), Some((ErrorCode::UNKNOWN_OBJECT_CLASS, 0x6301)));

    let Ok(Message::Path(path)) = message(MessageType::PATH, &[&[forward, ignore], &PATH[..]].concat())
    else {
        panic!("no Path")
    };
    let object = RawObject { class: 0xc9, ctype: 2, contents: vec![9, 10, 11, 12] };
    assert_eq!(path.forward, [object]);
    let encoded = hex(forward);
    assert!(encode(&Message::Path(path)).windows(8).any(|window| window == encoded));
}

#[test]
fn forwarded_objects_keep_clear_of_the_flow_descriptors() {
    let forward = "0008c902 090a0b0c";
    let objects = [&RESV[..3], &[SE, FLOW1, forward, FILTER1, FILTER2]].concat();
    let resv = message(MessageType::RESV, &objects).unwrap();
    let again = parse(&encode(&resv)).unwrap();
    assert_eq!(again, resv);
    let raw = RawMessage::decode(&encode(&resv)).unwrap();
    let classes: Vec<u8> = raw.objects.iter().map(|placed| placed.object.class).collect();
    assert_eq!(classes, [1, 3, 5, 0xc9, 8, 9, 10, 10]);
}

#[test]
fn labels_are_an_unknown_class() {
    let label = "00081001 00010003";
    let error = parse(&datagram(MessageType::PATH, &[&[label], &PATH[..]].concat())).unwrap_err();
    assert_eq!(error.reply(), Some((ErrorCode::UNKNOWN_OBJECT_CLASS, 0x1001)));
}

#[test]
fn unknown_ctypes_are_answered() {
    let lsp_session = "00100107 0a000001 00000001 0a000002";
    let error = parse(&datagram(MessageType::PATH, &[&[lsp_session], &PATH[1..]].concat())).unwrap_err();
    assert_eq!(error.reply(), Some((ErrorCode::UNKNOWN_OBJECT_CTYPE, 0x0107)));
}

#[test]
fn impossible_addresses() {
    let table = [
        (MessageType::PATH, "000c0101 00000000 11001388"),
        (MessageType::PATH, "000c0101 e0010203 00001388"),
        (MessageType::PATH, "000c0301 00000000 0000004d"),
        (MessageType::PATH, "000c0301 e0000001 0000004d"),
        (MessageType::PATH, "000c0301 ffffffff 0000004d"),
        (MessageType::PATH, "00180302 ff020000 00000000 00000000 00000001 0000004d"),
        (MessageType::PATH, "000c0b01 00000000 00000fa0"),
    ];
    for (message_type, object) in table {
        let class = hex(object)[2];
        let objects: Vec<&str> =
            PATH.iter().copied().map(|sound| if hex(sound)[2] == class { object } else { sound }).collect();
        let error = message(message_type, &objects).unwrap_err();
        assert!(matches!(error, DecodeErrorKind::BadContents { .. }), "{object}: {error:?}");
    }
    let error = resv_flows(&[FF, FLOW1, "000c0a01 00000000 00000fa0"]).unwrap_err();
    assert!(matches!(error, DecodeErrorKind::BadContents { .. }), "{error:?}");
}

#[test]
fn scope_is_of_the_family_of_the_session() {
    let scope6 = "00140702 20010db8 00000000 00000000 00000001";
    for list in [[SESSION, scope6], [scope6, SESSION]] {
        let error = message(MessageType::RESV_TEAR, &[&list[..], &[HOP, WF]].concat()).unwrap_err();
        assert!(matches!(error, DecodeErrorKind::BadContents { .. }), "{error:?}");
    }
}

#[test]
fn unknown_message_types() {
    for message_type in [0, 8, 14, 20, 255] {
        let error = message(MessageType(message_type), &PATH).unwrap_err();
        assert_eq!(error, DecodeErrorKind::UnknownMessageType(MessageType(message_type)));
    }
    assert_eq!(message(MessageType::BUNDLE, &PATH), Err(DecodeErrorKind::NestedBundle));
}

#[test]
fn the_number_of_objects_has_a_limit() {
    let raw = RawMessage::decode(&datagram(MessageType::PATH, &PATH)).unwrap();
    assert!(Message::parse(&raw, PATH.len()).is_ok());
    let error = Message::parse(&raw, PATH.len() - 1).unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::TooManyObjects { limit: PATH.len() - 1 });
}

/// The error message for a message that cannot be interpreted, as the list of its objects.
fn reply(message_type: MessageType, objects: &[&str]) -> Option<(MessageType, String)> {
    let raw = RawMessage::decode(&datagram(message_type, objects)).unwrap();
    let hop = RsvpHop { address: ip("10.0.2.2"), lih: 5 };
    let error = ErrorSpec { node: ip("10.0.2.2"), flags: 0, code: 14, value: 0x0107, enterprise: None };
    let reply = raw.error_reply(Header { flags: 0, send_ttl: 255 }, &hop, &error)?;
    let mut bytes = Vec::new();
    reply.encode(&mut bytes).unwrap();
    assert_eq!(RawMessage::decode(&bytes).unwrap(), reply, "length and checksum are right");
    let digits = bytes[8..].iter().map(|byte| format!("{byte:02x}")).collect();
    Some((reply.header.message_type, digits))
}

#[test]
fn error_replies_copy_what_they_cannot_interpret() {
    let lsp_session = "00100107 0a000001 00000001 0a000002";
    let error = "000c0601 0a000202 000e0107";
    let hop = "000c0301 0a000202 00000005";
    let digits = |objects: &[&str]| objects.concat().replace(' ', "");
    assert_eq!(
        reply(MessageType::PATH, &[HOP, TIME, POLICY, ADSPEC, TSPEC, TEMPLATE, lsp_session]),
        Some((MessageType::PATH_ERR, digits(&[lsp_session, error, TEMPLATE, TSPEC, ADSPEC])))
    );
    let resv =
        |list: &[&str]| reply(MessageType::RESV, &[&[lsp_session, HOP, TIME, CONFIRM, SCOPE], list].concat());
    let resv_err = |list: &[&str]| {
        let objects = [&[lsp_session, hop, error, SCOPE], list].concat();
        Some((MessageType::RESV_ERR, digits(&objects)))
    };
    assert_eq!(resv(&[SE, FLOW1, FILTER1, FILTER2]), resv_err(&[SE, FLOW1, FILTER1, FILTER2]));
    assert_eq!(resv(&[FF, FLOW1, FILTER1, FLOW2, FILTER2]), resv_err(&[FF, FLOW1, FILTER1]));
    assert_eq!(resv(&[WF, FLOW1]), resv_err(&[WF, FLOW1]));
    let unknown_style = "00080801 00000009";
    assert_eq!(resv(&[unknown_style, FLOW1, FILTER1]), resv_err(&[unknown_style, FLOW1, FILTER1]));
    assert_eq!(reply(MessageType::PATH_TEAR, &PATH), None);
    assert_eq!(reply(MessageType::PATH, &[HOP, TIME]), None);
}

#[test]
fn error_replies_copy_nothing_that_is_out_of_order() {
    let (unknown, short_filter) = ("00086301 00000000", "00080a01 0a000001");
    assert!(reply(MessageType::RESV, &[&RESV[..3], &[unknown, SE, FLOW1, FILTER1]].concat()).is_some());
    assert_eq!(reply(MessageType::RESV, &[&RESV[..3], &[unknown, SE, FLOW1, short_filter]].concat()), None);
    assert_eq!(reply(MessageType::RESV, &[&RESV[..3], &[unknown, FF, FLOW1]].concat()), None);
}

#[test]
fn an_unknown_style_is_answered() {
    let unknown_style = "00080801 00000009";
    let error =
        parse(&datagram(MessageType::RESV, &[&RESV[..3], &[unknown_style, FLOW1]].concat())).unwrap_err();
    assert_eq!(error.reply(), Some((ErrorCode::UNKNOWN_RESERVATION_STYLE, 0)));
    let raw = RawMessage::decode(&datagram(MessageType::RESV, &[&RESV[..3], &[SE, FLOW1, FILTER1]].concat()));
    let raw = raw.unwrap();
    assert_eq!(raw.style(), Some(Style::Se));
    assert_eq!(raw.flowspec(), Some(Flowspec::Null { max_packet: 1500 }));
    assert_eq!(raw.filter_spec().map(|filter| filter.source()), Some(ip("10.0.0.1")));
    assert_eq!(raw.hop().map(|hop| hop.lih), Some(77));
    assert_eq!(raw.session().map(|session| session.key.flow().port), Some(5000));
    assert_eq!(raw.sender_template(), None);
}
