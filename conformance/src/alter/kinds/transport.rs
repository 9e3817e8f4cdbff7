//! The common header, and how messages travel.

use std::net::IpAddr;

use rsvp_core::wire::MessageType;

use crate::alter::Alteration;
use crate::alter::fault::{Deaf, Hears, Loses, Repeats, Sends, change_bytes};
use crate::alter::kinds::{kind, raw};
use crate::bench::{Packet, Port, Sent, seal};

pub(super) const KINDS: &[Alteration] = &[
    kind("version", "rfc2205-3.1.1-02", "messages are of version 2", || {
        Box::new(Sends(|_, sent| change_bytes(&mut sent.packet, |bytes| bytes[0] = 0x20 | bytes[0] & 0x0f)))
    }),
    kind("header-flags", "rfc2205-3.1.1-03", "a header flag is set that nobody has defined", || {
        Box::new(Sends(|_, sent| change_bytes(&mut sent.packet, |bytes| bytes[0] |= 0x08)))
    }),
    kind("header-reserved", "rfc2205-3.1.1-03", "the reserved octet of the header is not zero", || {
        Box::new(Sends(|_, sent| change_bytes(&mut sent.packet, |bytes| bytes[5] = 1)))
    }),
    kind("checksum", "rfc2205-3.1.1-05", "checksums are wrong", || {
        Box::new(Sends(|_, sent| sent.packet.message[3] ^= 0x55))
    }),
    kind("checksum-unchecked", "rfc2205-3.1.1-05", "messages with a wrong checksum are taken", || {
        Box::new(Hears(mend_checksum))
    }),
    kind("version-unchecked", "rfc2205-3.1.1-02", "messages of another version are taken", || {
        Box::new(Hears(|packet| {
            if packet.message.first().is_some_and(|first| first >> 4 != 1) {
                change_bytes(packet, |bytes| bytes[0] = 0x10 | bytes[0] & 0x0f);
            }
        }))
    }),
    kind("length-unchecked", "rfc2205-3.1.1-08", "messages whose length is wrong are taken", || {
        Box::new(Hears(|packet| {
            let length = u16::try_from(packet.message.len()).unwrap_or(u16::MAX).to_be_bytes();
            change_bytes(packet, |bytes| bytes[6..8].copy_from_slice(&length));
        }))
    }),
    kind("send-ttl", "rfc2205-3.1.1-07", "Send_TTL is another than the TTL of the packet", || {
        Box::new(Sends(|_, sent| change_bytes(&mut sent.packet, |bytes| bytes[4] = bytes[4].wrapping_sub(1))))
    }),
    kind("ttl-kept", "rfc2205-3.8-05", "the TTL of a Path is not lowered when it is passed on", || {
        Box::new(Sends(|kind, sent| {
            if is_downstream(kind) {
                sent.packet.ttl = sent.packet.ttl.wrapping_add(1);
                change_bytes(&mut sent.packet, |bytes| bytes[4] = bytes[4].wrapping_add(1));
            }
        }))
    }),
    kind(
        "router-alert-missing",
        "rfc2205-3.3-02",
        "Path, PathTear and ResvConf leave without Router Alert",
        || Box::new(Sends(|_, sent| sent.packet.router_alert = false)),
    ),
    kind("router-alert-always", "rfc2205-3.3-02", "messages to a neighbour carry Router Alert too", || {
        Box::new(Sends(|_, sent| sent.packet.router_alert = true))
    }),
    kind(
        "path-source",
        "rfc2205-3.1.3-02",
        "the IP source of a Path is the router instead of the sender",
        || {
            Box::new(Sends(|kind, sent| {
                if kind == MessageType::PATH {
                    from_router(sent);
                }
            }))
        },
    ),
    kind(
        "path-tear-source",
        "rfc2205-3.1.5-04",
        "the IP source of a PathTear is the router instead of the sender",
        || {
            Box::new(Sends(|kind, sent| {
                if kind == MessageType::PATH_TEAR {
                    from_router(sent);
                }
            }))
        },
    ),
    kind(
        "path-destination",
        "rfc2205-3.1.3-02",
        "a Path is addressed to the next hop instead of the session",
        || {
            Box::new(Sends(|kind, sent| {
                if kind == MessageType::PATH {
                    to_neighbor(sent);
                }
            }))
        },
    ),
    kind("path-interface", "rfc2205-3.1.3-10", "a Path leaves by another interface than the data", || {
        Box::new(Sends(|kind, sent| {
            if kind == MessageType::PATH {
                sent.port = match sent.port {
                    Port::A => Port::B,
                    Port::B => Port::A,
                    Port::C => Port::D,
                    Port::D => Port::C,
                };
            }
        }))
    }),
    kind(
        "resv-destination",
        "rfc2205-3.1.4-01",
        "a Resv is addressed to the session instead of the previous hop",
        || {
            Box::new(Sends(|kind, sent| {
                if kind == MessageType::RESV
                    && let Some(session) = raw(&sent.packet).and_then(|raw| raw.session())
                {
                    sent.packet.destination = session.key.flow().destination;
                }
            }))
        },
    ),
    kind("duplicates", "rfc2205-3.3-03", "every message leaves twice", || Box::new(Repeats)),
    kind("path-lost", "rfc2205-3.1.3-10", "no Path is passed on", || {
        Box::new(Loses(|raw| raw.header.message_type == MessageType::PATH))
    }),
    kind("path-tear-lost", "rfc2205-2.4-04", "no PathTear is passed on", || {
        Box::new(Loses(|raw| raw.header.message_type == MessageType::PATH_TEAR))
    }),
    kind("resv-tear-lost", "rfc2205-3.1.6-07", "no ResvTear is passed on", || {
        Box::new(Loses(|raw| raw.header.message_type == MessageType::RESV_TEAR))
    }),
    kind("path-err-lost", "rfc2205-3.1.7-01", "no PathErr is sent", || {
        Box::new(Loses(|raw| raw.header.message_type == MessageType::PATH_ERR))
    }),
    kind("resv-err-lost", "rfc2205-3.1.8-06", "no ResvErr is sent", || {
        Box::new(Loses(|raw| raw.header.message_type == MessageType::RESV_ERR))
    }),
    kind("resv-conf-lost", "rfc2205-2.6-02", "no ResvConf is sent", || {
        Box::new(Loses(|raw| raw.header.message_type == MessageType::RESV_CONF))
    }),
    kind("path-tear-unheeded", "rfc2205-3.1.5-01", "a PathTear removes no state", || {
        Box::new(Deaf(|raw| raw.header.message_type == MessageType::PATH_TEAR))
    }),
    kind("resv-tear-unheeded", "rfc2205-3.1.6-01", "a ResvTear removes no state", || {
        Box::new(Deaf(|raw| raw.header.message_type == MessageType::RESV_TEAR))
    }),
    kind("resv-err-unheeded", "rfc2205-3.5-01", "a ResvErr makes no blockade state", || {
        Box::new(Deaf(|raw| raw.header.message_type == MessageType::RESV_ERR))
    }),
];

fn is_downstream(kind: MessageType) -> bool {
    matches!(kind, MessageType::PATH | MessageType::PATH_TEAR)
}

/// Sends a message of a type from the address of the interface instead of the sender's.
fn from_router(sent: &mut Sent) {
    if let Some(hop) = raw(&sent.packet).and_then(|raw| raw.hop()) {
        sent.packet.source = hop.address;
    }
}

/// Sends a message to an address of the network that it leaves to.
fn to_neighbor(sent: &mut Sent) {
    let Some(hop) = raw(&sent.packet).and_then(|raw| raw.hop()) else { return };
    sent.packet.destination = match hop.address {
        IpAddr::V4(address) => IpAddr::from((u32::from(address) & !0xff | 1).to_be_bytes()),
        IpAddr::V6(address) => IpAddr::from((u128::from(address) & !0xff | 1).to_be_bytes()),
    };
}

/// A message whose checksum is wrong gets the right one.
fn mend_checksum(packet: &mut Packet) {
    if packet.message.len() >= 8 {
        seal(&mut packet.message);
    }
}
