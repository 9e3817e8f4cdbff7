//! From what a socket received to an input of the node.

use std::borrow::Cow;

use rsvp_core::input::{Datagram, Encapsulation};

use crate::netlink::Links;
use crate::socket::{Ipv6Sockets, Packet, Received, Transit, classify_transit, parse_ipv4, parse_ipv6};
use crate::system::Source;

/// Why a packet is not handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Discard {
    /// Its IP header is damaged.
    Malformed,
    /// It came in on a device that is no interface of the node.
    UnknownInterface,
    /// This host had sent it.
    Own,
    /// It is a fragment, and in transit.
    TransitFragment,
    /// It is not RSVP, and was sent on.
    Forwarded,
    /// It is not RSVP, and could not be sent on.
    NotForwarded,
}

/// Makes an input of a packet.
pub(crate) fn receive<'a>(
    source: Source,
    packet: &Packet<'a>,
    ipv6: Option<&Ipv6Sockets>,
    links: &Links,
) -> Result<Datagram<'a>, Discard> {
    let received = match (source, ipv6) {
        (Source::Ipv6Alert, Some(ipv6)) => in_transit(packet, ipv6)?,
        (Source::Ipv6, _) => parse_ipv6(packet).ok_or(Discard::Malformed)?,
        _ => parse_ipv4(packet).ok_or(Discard::Malformed)?,
    };
    if links.is_own(received.source, packet.device) {
        return Err(Discard::Own);
    }
    let interface = links.id(packet.device).ok_or(Discard::UnknownInterface)?;
    Ok(Datagram {
        interface,
        source: received.source,
        destination: received.destination,
        ttl: received.ttl,
        encapsulation: Encapsulation::Raw,
        payload: Cow::Borrowed(received.payload),
    })
}

fn in_transit<'a>(packet: &Packet<'a>, ipv6: &Ipv6Sockets) -> Result<Received<'a>, Discard> {
    match classify_transit(packet) {
        Transit::Message(received) => Ok(received),
        Transit::Fragment => Err(Discard::TransitFragment),
        Transit::Damaged => Err(Discard::Malformed),
        Transit::Other => match ipv6.forward(packet.data) {
            Ok(()) => Err(Discard::Forwarded),
            Err(error) => {
                tracing::trace!(%error, "not sent on");
                Err(Discard::NotForwarded)
            }
        },
    }
}
