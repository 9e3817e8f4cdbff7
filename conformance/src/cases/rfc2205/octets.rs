//! Objects of messages as octets.

use crate::bench::{Plan, Received, hex};
use rsvp_core::wire::RawObject;

/// An object from its octets, whose addresses are written as those of the stock networks.
pub(super) fn raw(plan: Plan, text: &str) -> RawObject {
    let octets = hex(&plan.renumber(text));
    assert_eq!(usize::from(octets[0]) << 8 | usize::from(octets[1]), octets.len(), "the case's own length");
    RawObject { class: octets[2], ctype: octets[3], contents: octets[4..].to_vec() }
}

/// The octets of an object, in groups of four.
fn text(object: &RawObject) -> String {
    let length = object.contents.len() + 4;
    let words =
        object.contents.chunks(4).map(|word| word.iter().map(|octet| format!("{octet:02x}")).collect());
    let header = format!("{length:04x}{:02x}{:02x}", object.class, object.ctype);
    std::iter::once(header).chain(words).collect::<Vec<String>>().join(" ")
}

/// Asserts that a message has one object of a class, with these octets, whose addresses are written as those of the stock
/// networks.
pub(super) fn assert_octets<M>(plan: Plan, received: &Received<M>, expected: &str) {
    let class = raw(plan, expected).class;
    let objects = received.raw.objects.iter().map(|placed| &placed.object);
    let came: Vec<String> = objects.filter(|object| object.class == class).map(text).collect();
    assert_eq!(came, [plan.renumber(expected)], "the objects of class {class}");
}
