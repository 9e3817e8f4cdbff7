//! The codec against bytes written by hand from the RFCs' diagrams, and against bytes that nobody wrote.

mod bundles;
mod damage;
mod hostile;
mod messages;
mod objects;
mod properties;
mod reduction;
mod rules;

use core::net::IpAddr;

use rsvp_core::wire::{DecodeError, Head, Header, Message, RawMessage};

const MAX_OBJECTS: usize = 100;

/// Octets from hexadecimal digits; blanks do not count.
fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<char> = digits.chars().filter(|c| !c.is_whitespace()).collect();
    let octet = |pair: &[char]| u8::from_str_radix(&String::from_iter(pair), 16).unwrap();
    digits.chunks(2).map(octet).collect()
}

fn ip(address: &str) -> IpAddr {
    address.parse().unwrap()
}

fn parse(bytes: &[u8]) -> Result<Message, DecodeError> {
    Message::parse(&RawMessage::decode(bytes)?, MAX_OBJECTS)
}

fn encode(message: &Message) -> Vec<u8> {
    encode_with(message, &Head::default())
}

fn encode_with(message: &Message, head: &Head) -> Vec<u8> {
    let mut bytes = Vec::new();
    message.encode_with(Header { flags: 0, send_ttl: 64 }, head, &mut bytes).unwrap();
    bytes
}
