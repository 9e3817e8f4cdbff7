//! Ethernet frames that the tester sends.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::bench::{Packet, Port, ip_packet};

/// An Ethernet address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mac(pub(super) [u8; 6]);

/// EtherType of IPv4.
pub(super) const IPV4: u16 = 0x0800;
/// EtherType of ARP.
pub(super) const ARP: u16 = 0x0806;
/// EtherType of IPv6.
pub(super) const IPV6: u16 = 0x86dd;

/// RSVP's IP protocol number.
pub(super) const RSVP: u8 = 46;
/// IP protocol number of UDP.
pub(super) const UDP: u8 = 17;
/// IP protocol number of ICMPv6.
pub(super) const ICMPV6: u8 = 58;
/// Next Header value of the hop-by-hop options.
pub(super) const HOP_BY_HOP: u8 = 0;
/// Next Header value of the fragment header.
pub(super) const FRAGMENT: u8 = 44;

/// The largest IP packet that Ethernet carries.
pub(super) const MTU: usize = 1500;
/// Traffic class of network control (CS6), as routers send RSVP with.
const NETWORK_CONTROL: u8 = 0xc0;

impl Mac {
    /// That of everyone.
    pub(super) const BROADCAST: Self = Self([0xff; 6]);

    /// The address of a station: locally administered, with its port and its number on that network.
    pub(super) fn station(port: Port, host: u8) -> Self {
        Self([2, 0, 0, 0, port.number(), host])
    }

    /// The number of a station of this port, if this is the address of one.
    pub(super) fn host(self, port: Port) -> Option<u8> {
        let Self([2, 0, 0, 0, number, host]) = self else { return None };
        (number == port.number()).then_some(host)
    }

    /// Where packets to a group go (RFC 1112 section 6.4, RFC 2464 section 7); `None` for other addresses.
    pub(super) fn group(address: IpAddr) -> Option<Self> {
        match address {
            IpAddr::V4(address) if address.is_multicast() => {
                let [_, second, third, fourth] = address.octets();
                Some(Self([0x01, 0x00, 0x5e, second & 0x7f, third, fourth]))
            }
            IpAddr::V6(address) if address.is_multicast() => {
                let [.., a, b, c, d] = address.octets();
                Some(Self([0x33, 0x33, a, b, c, d]))
            }
            _ => None,
        }
    }
}

/// A frame.
pub(super) fn ethernet(to: Mac, from: Mac, kind: u16, contents: &[u8]) -> Vec<u8> {
    [&to.0[..], &from.0, &kind.to_be_bytes(), contents].concat()
}

/// The frames that carry a packet: several if it is longer than Ethernet's packets may be, none if there is no such packet.
/// `id` tells its fragments from those of others.
pub(super) fn frames(to: Mac, from: Mac, packet: &Packet, id: u16) -> Vec<Vec<u8>> {
    let kind = if packet.destination.is_ipv4() { IPV4 } else { IPV6 };
    packets(packet, id).iter().map(|packet| ethernet(to, from, kind, packet)).collect()
}

/// The same without what is of Ethernet: the packet, or its fragments.
pub(super) fn packets(packet: &Packet, id: u16) -> Vec<Vec<u8>> {
    match ip_packet(packet, NETWORK_CONTROL) {
        None => Vec::new(),
        Some(octets) if octets.len() <= MTU => vec![octets],
        Some(octets) if packet.destination.is_ipv4() => fragments4(&octets, id),
        Some(octets) => fragments6(&octets, id),
    }
}

/// Splits what fragments carry into parts that fit into some room, of lengths that are multiples of 8 but for the last:
/// offset, contents, and whether more follow.
fn parts(body: &[u8], room: usize) -> impl Iterator<Item = (usize, &[u8], bool)> {
    let size = room / 8 * 8;
    let count = body.len().div_ceil(size);
    body.chunks(size).enumerate().map(move |(number, part)| (number * size, part, number + 1 < count))
}

/// The fragments of an IPv4 packet (RFC 791 section 3.2). Router Alert is in every one: it is an option to be copied.
fn fragments4(packet: &[u8], id: u16) -> Vec<Vec<u8>> {
    let (header, body) = packet.split_at(usize::from(packet[0] & 0x0f) * 4);
    let around = |(offset, part, more): (usize, &[u8], bool)| {
        let mut octets = header.to_vec();
        let place = (offset / 8) as u16 | if more { 0x2000 } else { 0 };
        octets[2..4].copy_from_slice(&((header.len() + part.len()) as u16).to_be_bytes());
        octets[4..6].copy_from_slice(&id.to_be_bytes());
        octets[6..8].copy_from_slice(&place.to_be_bytes());
        octets[10..12].copy_from_slice(&[0, 0]);
        let sum = checksum(&[&octets]);
        octets[10..12].copy_from_slice(&sum.to_be_bytes());
        octets.extend(part);
        octets
    };
    parts(body, MTU - header.len()).map(around).collect()
}

/// The fragments of an IPv6 packet (RFC 8200 section 4.5). The hop-by-hop options are in every one.
fn fragments6(packet: &[u8], id: u16) -> Vec<Vec<u8>> {
    const HEADER: usize = 40;
    const NEXT: usize = 6;
    let (length, next) = match packet[NEXT] {
        HOP_BY_HOP => (HEADER + (usize::from(packet[HEADER + 1]) + 1) * 8, HEADER),
        _ => (HEADER, NEXT),
    };
    let (headers, body) = packet.split_at(length);
    let around = |(offset, part, more): (usize, &[u8], bool)| {
        let mut octets = headers.to_vec();
        octets[next] = FRAGMENT;
        let behind = length - HEADER + 8 + part.len();
        octets[4..6].copy_from_slice(&(behind as u16).to_be_bytes());
        octets.extend([headers[next], 0]);
        octets.extend((offset as u16 | u16::from(more)).to_be_bytes());
        octets.extend(u32::from(id).to_be_bytes());
        octets.extend(part);
        octets
    };
    parts(body, MTU - length - 8).map(around).collect()
}

/// An IPv6 header alone.
pub(super) fn header6(
    source: Ipv6Addr,
    destination: Ipv6Addr,
    next: u8,
    hop_limit: u8,
    length: usize,
) -> Vec<u8> {
    let mut octets = vec![0x60 | NETWORK_CONTROL >> 4, NETWORK_CONTROL << 4, 0, 0];
    octets.extend((length as u16).to_be_bytes());
    octets.extend([next, hop_limit]);
    octets.extend(source.octets());
    octets.extend(destination.octets());
    octets
}

/// The checksum of what is in an IP packet, with its pseudo-header.
pub(super) fn upper_checksum(source: IpAddr, destination: IpAddr, protocol: u8, body: &[u8]) -> u16 {
    let octets = |address| match address {
        IpAddr::V4(address) => Ipv4Addr::octets(&address).to_vec(),
        IpAddr::V6(address) => Ipv6Addr::octets(&address).to_vec(),
    };
    let length = (body.len() as u32).to_be_bytes();
    checksum(&[&octets(source), &octets(destination), &length, &[0, 0, 0, protocol], body])
}

/// The Internet checksum (RFC 1071) of some parts, all but the last of even length.
pub(super) fn checksum(parts: &[&[u8]]) -> u16 {
    let words = parts.iter().flat_map(|part| part.chunks(2));
    let sum: u64 =
        words.map(|word| u64::from(word[0]) << 8 | u64::from(word.get(1).copied().unwrap_or(0))).sum();
    let mut folded = sum;
    while folded > 0xffff {
        folded = (folded & 0xffff) + (folded >> 16);
    }
    !(folded as u16)
}

#[cfg(test)]
mod tests {
    use rsvp_core::input::Encapsulation;

    use super::super::heard::{Frame, IpPacket, Reassembly};
    use super::*;
    use crate::bench::{Family, Plan, Station};

    const TO: Mac = Mac([2, 0, 0, 0, 0, 9]);

    fn sample(family: Family, router_alert: bool, encapsulation: Encapsulation, length: usize) -> Packet {
        let plan = Plan::new(family);
        Packet {
            source: plan.sender(1).source(),
            destination: plan.h().flow().destination,
            ttl: 61,
            router_alert,
            encapsulation,
            message: (0..length).map(|number| (number % 251) as u8).collect(),
        }
    }

    fn samples() -> impl Iterator<Item = Packet> {
        let udp = Encapsulation::Udp { source_port: 1698, destination_port: 1699 };
        [Family::V4, Family::V6].into_iter().flat_map(move |family| {
            [Encapsulation::Raw, udp].into_iter().flat_map(move |encapsulation| {
                [false, true].into_iter().flat_map(move |alert| {
                    [8, 1452, 1453, 1480, 1481, 4000]
                        .map(|length| sample(family, alert, encapsulation, length))
                })
            })
        })
    }

    #[test]
    fn what_is_sent_is_heard_whatever_its_size() {
        let from = Mac::station(Station::U1.port(), 1);
        for packet in samples() {
            let frames = frames(TO, from, &packet, 7);
            let mut heard = Vec::new();
            let mut reassembly = Reassembly::default();
            // Fragments may overtake each other.
            for octets in frames.iter().rev() {
                assert!(octets.len() <= MTU + 14, "{} octets", octets.len());
                let frame = Frame::read(octets).expect("a frame");
                assert_eq!((frame.to, frame.from), (TO, from));
                let part = IpPacket::read(&frame).expect("an IP packet");
                heard.extend(reassembly.take(part).and_then(IpPacket::into_message));
            }
            assert_eq!(heard, [packet], "{} frames", frames.len());
        }
    }

    #[test]
    fn groups_have_addresses_of_their_own() {
        let group = Mac::group("224.129.2.3".parse().expect("an address"));
        assert_eq!(group, Some(Mac([0x01, 0, 0x5e, 1, 2, 3])));
        let group = Mac::group("ff1e::123".parse().expect("an address"));
        assert_eq!(group, Some(Mac([0x33, 0x33, 0, 0, 1, 0x23])));
        assert_eq!(Mac::group("10.0.1.1".parse().expect("an address")), None);
    }
}
