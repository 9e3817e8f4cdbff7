//! What must hold for any bytes. Shared by the fuzz targets and by the test that replays their corpora.

use rsvp_core::intserv::{validate_adspec, validate_flowspec, validate_tspec};
use rsvp_core::wire::{Head, Header, Message, Object, RawMessage, messages};

const MAX_OBJECTS: usize = 1024;

/// Nothing that arrives makes the codec panic, and every fault has a place and a description.
pub(crate) fn decode(data: &[u8]) {
    let (partial, error) = RawMessage::decode_partial(data);
    if let Some(error) = error {
        assert!(error.offset <= data.len());
        assert!(!error.to_string().is_empty());
    }
    for placed in &partial.objects {
        match placed.decode() {
            Ok(Object::Flowspec(flowspec)) => drop(validate_flowspec(&flowspec)),
            Ok(Object::SenderTspec(tspec)) => drop(validate_tspec(&tspec)),
            Ok(Object::Adspec(adspec)) => drop(validate_adspec(&adspec)),
            Ok(_) => {}
            Err(error) => assert!(error.offset <= data.len()),
        }
    }
    for message in messages(&without_checksum(data)) {
        match message {
            Ok(message) => interpret(&without_checksum(message)),
            Err(error) => assert!(error.offset <= data.len()),
        }
    }
}

fn interpret(message: &[u8]) {
    let parsed = RawMessage::decode(message).and_then(|raw| Message::parse(&raw, MAX_OBJECTS));
    match (parsed, Head::split(message)) {
        (Ok(_), Err(error)) => panic!("{error} in the head of a sound message"),
        (Ok(_), Ok((_, offset))) => assert!(offset <= message.len()),
        (Err(error), _) => assert!(error.offset <= message.len()),
    }
}

/// A raw message becomes the bytes it came from; a typed one becomes bytes that mean the same. A Bundle is several.
pub(crate) fn round_trip(data: &[u8]) {
    raw_round_trip(data);
    for message in messages(&without_checksum(data)).flatten() {
        typed_round_trip(&without_checksum(message));
    }
}

fn typed_round_trip(bytes: &[u8]) {
    let Some(first) = again(bytes) else { return };
    // Bytes, since a NaN does not equal itself.
    assert_eq!(again(&first).expect("what was encoded is interpreted"), first);
}

/// The message as this code writes it, if it can be interpreted.
fn again(bytes: &[u8]) -> Option<Vec<u8>> {
    let message = Message::parse(&raw_round_trip(bytes)?, MAX_OBJECTS).ok()?;
    let (head, _) = Head::split(bytes).expect("what can be interpreted has a sound head");
    let mut encoded = Vec::new();
    let header = Header { flags: 0, send_ttl: 64 };
    message.encode_with(header, &head, &mut encoded).expect("what was interpreted fits");
    Some(encoded)
}

fn raw_round_trip(data: &[u8]) -> Option<RawMessage> {
    let raw = RawMessage::decode(data).ok()?;
    let mut bytes = Vec::new();
    raw.encode(&mut bytes).expect("what was decoded fits");
    assert_eq!(bytes, data);
    Some(raw)
}

/// The same message as if its sender had computed no checksum: a fuzzer does not find a right one.
fn without_checksum(data: &[u8]) -> Vec<u8> {
    let mut data = data.to_vec();
    if let Some(checksum) = data.get_mut(2..4) {
        checksum.fill(0);
    }
    data
}
