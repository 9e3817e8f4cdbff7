//! Frames that the device sends: what is in them, and packets put together from fragments.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rsvp_core::input::Encapsulation;
use rsvp_core::udp::{PU, PU_PRIME};

use super::frames::{FRAGMENT, HOP_BY_HOP, IPV4, IPV6, Mac, RSVP, UDP, checksum};
use crate::bench::Packet;

/// Next Header values of further extension headers.
const ROUTING: u8 = 43;
const DESTINATION: u8 = 60;
/// How many packets may be incomplete at once.
const INCOMPLETE: usize = 64;

/// An Ethernet frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    pub(super) to: Mac,
    pub(super) from: Mac,
    pub(super) kind: u16,
    pub(super) contents: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Reads one; `None` if it is too short to be any.
    pub(super) fn read(octets: &'a [u8]) -> Option<Self> {
        let (to, rest) = octets.split_first_chunk()?;
        let (from, rest) = rest.split_first_chunk()?;
        let (kind, contents) = rest.split_first_chunk()?;
        Some(Self { to: Mac(*to), from: Mac(*from), kind: u16::from_be_bytes(*kind), contents })
    }
}

/// An IP packet, or a fragment of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IpPacket {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) ttl: u8,
    pub(super) router_alert: bool,
    pub(super) protocol: u8,
    pub(super) body: Vec<u8>,
    pub(super) fragment: Option<Fragment>,
}

/// Which part of a packet a fragment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fragment {
    id: u32,
    offset: usize,
    more: bool,
}

impl IpPacket {
    /// Reads one; `None` if the frame carries something else, or something that no host would take.
    pub(super) fn read(frame: &Frame<'_>) -> Option<Self> {
        match frame.kind {
            IPV4 => Self::read_v4(frame.contents),
            IPV6 => Self::read_v6(frame.contents),
            _ => None,
        }
    }

    /// Reads one of IPv4, from its header on.
    pub(super) fn read_v4(octets: &[u8]) -> Option<Self> {
        let length = usize::from(octets.first()? & 0x0f) * 4;
        let header = octets.get(..length.max(20))?;
        let total = usize::from(u16::from_be_bytes([header[2], header[3]]));
        if header[0] >> 4 != 4 || checksum(&[header]) != 0 {
            return None;
        }
        let place = u16::from_be_bytes([header[6], header[7]]);
        let (offset, more) = (usize::from(place & 0x1fff) * 8, place & 0x2000 != 0);
        let id = u32::from(u16::from_be_bytes([header[4], header[5]]));
        let address =
            |at: usize| Ipv4Addr::from([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        Some(Self {
            source: address(12).into(),
            destination: address(16).into(),
            ttl: header[8],
            router_alert: options4(&header[20..]).any(|option| matches!(option, [0x94, 4, 0, 0])),
            protocol: header[9],
            body: octets.get(length..total)?.to_vec(),
            fragment: (offset > 0 || more).then_some(Fragment { id, offset, more }),
        })
    }

    fn read_v6(octets: &[u8]) -> Option<Self> {
        let (header, rest) = octets.split_first_chunk::<40>()?;
        let length = usize::from(u16::from_be_bytes([header[4], header[5]]));
        let mut rest = rest.get(..length)?;
        let address = |at: usize| <[u8; 16]>::try_from(&header[at..at + 16]).map(Ipv6Addr::from).ok();
        let mut packet = Self {
            source: address(8)?.into(),
            destination: address(24)?.into(),
            ttl: header[7],
            router_alert: false,
            protocol: header[6],
            body: Vec::new(),
            fragment: None,
        };
        while [HOP_BY_HOP, ROUTING, DESTINATION, FRAGMENT].contains(&packet.protocol) {
            let length = if packet.protocol == FRAGMENT { 8 } else { (usize::from(*rest.get(1)?) + 1) * 8 };
            let (extension, behind) = rest.split_at_checked(length)?;
            match packet.protocol {
                HOP_BY_HOP => {
                    packet.router_alert =
                        options6(&extension[2..]).any(|option| matches!(option, [5, 2, 0, 1]));
                }
                FRAGMENT => {
                    let place = u16::from_be_bytes([extension[2], extension[3]]);
                    packet.fragment = Some(Fragment {
                        id: u32::from_be_bytes(extension[4..8].try_into().ok()?),
                        offset: usize::from(place & !7),
                        more: place & 1 != 0,
                    });
                }
                _ => {}
            }
            (packet.protocol, rest) = (extension[0], behind);
        }
        packet.body = rest.to_vec();
        Some(packet)
    }

    /// The RSVP message in it, raw or in UDP; `None` if there is none.
    pub(super) fn into_message(self) -> Option<Packet> {
        let Self { source, destination, ttl, router_alert, protocol, mut body, .. } = self;
        let encapsulation = match protocol {
            RSVP => Encapsulation::Raw,
            UDP => {
                let port = |at: usize| Some(u16::from_be_bytes([*body.get(at)?, *body.get(at + 1)?]));
                let (source_port, destination_port) = (port(0)?, port(2)?);
                if ![PU, PU_PRIME].contains(&destination_port) {
                    return None;
                }
                let length = usize::from(port(4)?);
                body = body.get(8..length)?.to_vec();
                Encapsulation::Udp { source_port, destination_port }
            }
            _ => return None,
        };
        Some(Packet { source, destination, ttl, router_alert, encapsulation, message: body })
    }
}

/// The options of an IPv4 header, up to one that is malformed.
fn options4(mut octets: &[u8]) -> impl Iterator<Item = &[u8]> {
    const END: u8 = 0;
    const NOTHING: u8 = 1;
    std::iter::from_fn(move || {
        let length = match *octets.first()? {
            END => return None,
            NOTHING => 1,
            _ => usize::from(*octets.get(1)?).max(2),
        };
        let (option, rest) = octets.split_at_checked(length)?;
        octets = rest;
        Some(option)
    })
}

/// The options of an IPv6 extension header, up to one that is malformed.
fn options6(mut octets: &[u8]) -> impl Iterator<Item = &[u8]> {
    const PAD1: u8 = 0;
    std::iter::from_fn(move || {
        let length = if *octets.first()? == PAD1 { 1 } else { usize::from(*octets.get(1)?) + 2 };
        let (option, rest) = octets.split_at_checked(length)?;
        octets = rest;
        Some(option)
    })
}

/// Puts packets together from their fragments.
#[derive(Debug, Default)]
pub(super) struct Reassembly {
    /// The fragments of packets that are incomplete, the latest last.
    incomplete: Vec<Vec<IpPacket>>,
}

impl Reassembly {
    /// Takes what has come; returns a whole packet, if it is one or completes one.
    pub(super) fn take(&mut self, packet: IpPacket) -> Option<IpPacket> {
        let Some(fragment) = packet.fragment else { return Some(packet) };
        let key = |packet: &IpPacket, id| (packet.source, packet.destination, packet.protocol, id);
        let wanted = key(&packet, Some(fragment.id));
        let is_same = |known: &Vec<IpPacket>| {
            known.first().is_some_and(|first| key(first, first.fragment.map(|part| part.id)) == wanted)
        };
        let mut parts = match self.incomplete.iter().position(is_same) {
            Some(position) => self.incomplete.remove(position),
            None => Vec::new(),
        };
        parts.push(packet);
        parts.sort_by_key(|part| part.fragment.map(|fragment| fragment.offset));
        let mut end = 0;
        let mut is_whole = false;
        for part in &parts {
            let Some(fragment) = part.fragment.filter(|fragment| fragment.offset == end) else { break };
            end += part.body.len();
            is_whole = !fragment.more;
        }
        if is_whole {
            let body = parts.iter().flat_map(|part| part.body.iter().copied()).collect();
            return parts.into_iter().next().map(|first| IpPacket { body, fragment: None, ..first });
        }
        if self.incomplete.len() >= INCOMPLETE {
            self.incomplete.remove(0);
        }
        self.incomplete.push(parts);
        None
    }
}
