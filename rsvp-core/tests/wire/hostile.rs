//! Messages that are legal octet by octet, and meant to harm.

use rsvp_core::wire::{
    Bundle, DecodeError, DecodeErrorKind, Flowspec, Head, Header, Message, MessageType, RawMessage,
    RawObject, messages,
};

/// As many objects as a node takes.
const MAX_OBJECTS: usize = 1024;

fn object(class: u8, ctype: u8, contents: &[u8]) -> RawObject {
    RawObject { class, ctype, contents: contents.to_vec() }
}

fn session() -> RawObject {
    object(1, 1, &[10, 0, 4, 2, 17, 0, 0x13, 0x8c])
}

fn hop() -> RawObject {
    object(3, 1, &[10, 0, 1, 1, 0, 0, 0, 7])
}

fn time_values() -> RawObject {
    object(5, 1, &[0, 0, 0x75, 0x30])
}

fn tspec() -> RawObject {
    let token_bucket = [0; 20];
    object(12, 2, &[&[0, 0, 0, 7, 1, 0, 0, 6, 127, 0, 0, 5][..], &token_bucket].concat())
}

fn parse(message_type: MessageType, objects: Vec<RawObject>) -> Result<Message, DecodeError> {
    let message = RawMessage::new(message_type, Header { flags: 0, send_ttl: 64 }, objects).unwrap();
    let mut datagram = Vec::new();
    message.encode(&mut datagram).unwrap();
    Message::parse(&RawMessage::decode(&datagram)?, MAX_OBJECTS)
}

/// A Resv of style FF: one FLOWSPEC of a service that nobody knows, which all filters behind it inherit.
fn inherited(flowspec_len: usize, filters: u16) -> Result<Message, DecodeError> {
    let style = object(8, 1, &[0, 0, 0, 0x0a]);
    let flowspec = object(9, 200, &vec![0xaa; flowspec_len]);
    let filter = |n: u16| object(10, 1, &[&[10, 0, 1, 1, 0, 0][..], &n.to_be_bytes()].concat());
    let mut objects = vec![session(), hop(), time_values(), style, flowspec];
    objects.extend((0..filters).map(filter));
    parse(MessageType::RESV, objects)
}

#[test]
fn a_large_flowspec_is_not_multiplied_by_the_filters_that_inherit_it() {
    let error = inherited(50_000, 1000).map(|_| "parsed").unwrap_err();
    assert!(matches!(error.kind, DecodeErrorKind::BadFlowDescriptors(_)), "{error}");
}

#[test]
fn an_inherited_flowspec_that_could_have_been_written_out_is_fine() {
    let Ok(Message::Resv(resv)) = inherited(40, 1000) else { panic!("a Resv") };
    assert_eq!(resv.flows.len(), 1000);
    assert!(resv.flows.iter().all(|flow| matches!(&flow.flowspec, Some(Flowspec::Opaque(_)))));
}

#[test]
fn a_sender_of_another_address_family_than_the_session_is_refused() {
    let ipv6 = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    let sender = |n: u8| object(n, 2, &[&ipv6[..], &[0, 0, 0, 80]].concat());
    let path = vec![session(), hop(), time_values(), sender(11), tspec()];
    let mut late_session = path.clone();
    late_session.rotate_left(1);
    let style = |style| object(8, 1, &[0, 0, 0, style]);
    let flowspec = || object(9, 2, &[&[0, 0, 0, 7, 5, 0, 0, 6, 127, 0, 0, 5][..], &[0; 20]].concat());
    let se = vec![session(), hop(), time_values(), style(0x12), flowspec(), sender(10)];
    let scope = object(7, 2, &ipv6);
    let wf = vec![session(), hop(), time_values(), scope, style(0x11), flowspec()];
    for (message_type, objects) in [
        (MessageType::PATH, path),
        (MessageType::PATH, late_session),
        (MessageType::RESV, se),
        (MessageType::RESV, wf),
    ] {
        let error = parse(message_type, objects).map(|_| "parsed").unwrap_err();
        assert!(matches!(error.kind, DecodeErrorKind::BadContents { .. }), "{error}");
    }
}

#[test]
fn a_head_has_no_more_objects_than_other_messages() {
    let ack = object(24, 1, &[0; 8]);
    let acks = |count: usize| parse(MessageType::ACK, vec![ack.clone(); count]);
    assert!(acks(MAX_OBJECTS).is_ok());
    let error = acks(MAX_OBJECTS + 1).map(|_| "parsed").unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::TooManyObjects { limit: MAX_OBJECTS });
}

#[test]
fn the_longest_list_is_read() {
    let Ok(Message::Srefresh(srefresh)) = parse(MessageType::SREFRESH, vec![object(25, 1, &vec![0; 65_520])])
    else {
        panic!("an Srefresh")
    };
    assert_eq!(srefresh.lists[0].len(), 16_379);
}

#[test]
fn a_bundle_of_headers_and_of_bundles() {
    let header = Header { flags: 0, send_ttl: 255 };
    let empty = [0x10, 13, 0, 0, 255, 0, 0, 8];
    let mut datagram = Vec::new();
    Bundle::encode(header, &vec![&empty[..]; 8190], &mut datagram).unwrap();
    assert_eq!(messages(&datagram).filter(Result::is_ok).count(), 8190);
    // One within the other: only the outermost is opened.
    let mut nested = Vec::new();
    Bundle::encode(header, &[&empty], &mut nested).unwrap();
    for _ in 0..1000 {
        let mut outer = Vec::new();
        Bundle::encode(header, &[&nested], &mut outer).unwrap();
        nested = outer;
    }
    let found: Vec<_> = messages(&nested).collect();
    assert!(
        matches!(found[..], [Err(DecodeError { offset: 8, kind: DecodeErrorKind::NestedBundle })]),
        "{found:?}"
    );
    assert_eq!(Head::split(&nested).map(|(head, _)| head.is_empty()), Ok(true));
}
