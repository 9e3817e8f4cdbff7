//! What must hold for any bytes. Shared by the fuzz targets and by the test that replays their corpora.

use rsvp_core::intserv::{validate_adspec, validate_flowspec, validate_tspec};
use rsvp_core::wire::{Header, Message, Object, RawMessage};

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
    if let Ok(raw) = RawMessage::decode(&without_checksum(data))
        && let Err(error) = Message::parse(&raw, MAX_OBJECTS)
    {
        assert!(error.offset <= data.len());
    }
}

/// A raw message becomes the bytes it came from; a typed one becomes bytes that mean the same.
pub(crate) fn round_trip(data: &[u8]) {
    raw_round_trip(data);
    let Some(raw) = raw_round_trip(&without_checksum(data)) else { return };
    let Ok(message) = Message::parse(&raw, MAX_OBJECTS) else { return };
    let first = encode(&message);
    let again = RawMessage::decode(&first).expect("what was encoded is decoded");
    let again = Message::parse(&again, MAX_OBJECTS).expect("what was encoded is interpreted");
    // Bytes, since a NaN does not equal itself.
    assert_eq!(encode(&again), first);
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

fn encode(message: &Message) -> Vec<u8> {
    let mut bytes = Vec::new();
    message.encode(Header { flags: 0, send_ttl: 64 }, &mut bytes).expect("what was interpreted fits");
    bytes
}
