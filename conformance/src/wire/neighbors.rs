//! Finding neighbours on a link: ARP (RFC 826) and IPv6 neighbour discovery (RFC 4861), as far as the stations need them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::frames::{ARP, ICMPV6, IPV6, Mac, ethernet, header6, upper_checksum};
use super::heard::{Frame, IpPacket};

const REQUEST: u8 = 1;
const REPLY: u8 = 2;
const SOLICITATION: u8 = 135;
const ADVERTISEMENT: u8 = 136;
/// Solicited, and it overrides what was known.
const FLAGS: u8 = 0x60;
/// The hop limit that says that a message has crossed no router.
const HOP_LIMIT: u8 = 255;

/// What a neighbour says or asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Talk {
    /// Somebody has an address.
    Has(IpAddr, Mac),
    /// Somebody, who has an address, asks who has another.
    Asks(IpAddr, Mac, IpAddr),
}

impl Talk {
    /// Reads what is said; `None` if the frame is about something else.
    pub(super) fn read(frame: &Frame<'_>) -> Option<Self> {
        match frame.kind {
            ARP => Self::read_arp(frame.contents),
            IPV6 => Self::read_discovery(frame),
            _ => None,
        }
    }

    fn read_arp(octets: &[u8]) -> Option<Self> {
        let [0, 1, 8, 0, 6, 4, 0, operation, body @ ..] = octets else { return None };
        let (mac, rest) = body.split_first_chunk()?;
        let (address, rest) = rest.split_first_chunk::<4>()?;
        let target = rest.get(6..)?.first_chunk::<4>()?;
        let (mac, address) = (Mac(*mac), IpAddr::from(Ipv4Addr::from(*address)));
        match *operation {
            REQUEST => Some(Self::Asks(address, mac, Ipv4Addr::from(*target).into())),
            REPLY => Some(Self::Has(address, mac)),
            _ => None,
        }
    }

    fn read_discovery(frame: &Frame<'_>) -> Option<Self> {
        let packet = IpPacket::read(frame)?;
        if packet.protocol != ICMPV6 || packet.ttl != HOP_LIMIT {
            return None;
        }
        let target = packet.body.get(8..24)?.first_chunk::<16>()?;
        let target = IpAddr::from(Ipv6Addr::from(*target));
        match packet.body[0] {
            SOLICITATION => Some(Self::Asks(packet.source, frame.from, target)),
            ADVERTISEMENT => Some(Self::Has(target, frame.from)),
            _ => None,
        }
    }
}

/// Asks who has an address.
pub(super) fn question(mac: Mac, address: IpAddr, wanted: IpAddr) -> Option<Vec<u8>> {
    match (address, wanted) {
        (IpAddr::V4(address), IpAddr::V4(wanted)) => {
            let body = arp(REQUEST, (mac, address), (Mac([0; 6]), wanted));
            Some(ethernet(Mac::BROADCAST, mac, ARP, &body))
        }
        (IpAddr::V6(address), IpAddr::V6(wanted)) => {
            let [.., a, b, c] = wanted.octets();
            let low = [u16::from_be_bytes([0xff, a]), u16::from_be_bytes([b, c])];
            let group = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, low[0], low[1]);
            let body = discovery(SOLICITATION, 0, wanted, mac);
            Some(ethernet(Mac::group(group.into())?, mac, IPV6, &icmp(address, group, body)))
        }
        _ => None,
    }
}

/// Tells somebody who asked that an address is at `mac`.
pub(super) fn answer(mac: Mac, address: IpAddr, (to, at): (IpAddr, Mac)) -> Option<Vec<u8>> {
    match (address, to) {
        (IpAddr::V4(address), IpAddr::V4(to)) => {
            Some(ethernet(at, mac, ARP, &arp(REPLY, (mac, address), (at, to))))
        }
        (IpAddr::V6(address), IpAddr::V6(to)) => {
            let body = discovery(ADVERTISEMENT, FLAGS, address, mac);
            Some(ethernet(at, mac, IPV6, &icmp(address, to, body)))
        }
        _ => None,
    }
}

fn arp(operation: u8, sender: (Mac, Ipv4Addr), target: (Mac, Ipv4Addr)) -> Vec<u8> {
    let head = [0, 1, 8, 0, 6, 4, 0, operation];
    [&head[..], &sender.0.0, &sender.1.octets(), &target.0.0, &target.1.octets()].concat()
}

/// A solicitation or an advertisement, with the link-layer address of its sender or target.
fn discovery(kind: u8, flags: u8, target: Ipv6Addr, mac: Mac) -> Vec<u8> {
    let option = if kind == SOLICITATION { 1 } else { 2 };
    [&[kind, 0, 0, 0, flags, 0, 0, 0][..], &target.octets(), &[option, 1], &mac.0].concat()
}

fn icmp(source: Ipv6Addr, destination: Ipv6Addr, mut body: Vec<u8>) -> Vec<u8> {
    let sum = upper_checksum(source.into(), destination.into(), ICMPV6, &body);
    body[2..4].copy_from_slice(&sum.to_be_bytes());
    let mut packet = header6(source, destination, ICMPV6, HOP_LIMIT, body.len());
    packet.extend(body);
    packet
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{Family, Plan, Port, Station};

    #[test]
    fn who_asks_gets_an_answer() {
        for family in [Family::V4, Family::V6] {
            let plan = Plan::new(family);
            let (own, other) = (plan.station(Station::D3), plan.dut(Port::D));
            let (mac, device) = (Mac::station(Port::D, 2), Mac([2, 9, 9, 9, 9, 9]));
            let asked = question(mac, own, other).expect("a question");
            let frame = Frame::read(&asked).expect("a frame");
            assert_eq!(Talk::read(&frame), Some(Talk::Asks(own, mac, other)), "{family:?}");
            let answered = answer(device, other, (own, mac)).expect("an answer");
            let frame = Frame::read(&answered).expect("a frame");
            assert_eq!((frame.to, frame.from), (mac, device));
            assert_eq!(Talk::read(&frame), Some(Talk::Has(other, device)), "{family:?}");
        }
    }

    #[test]
    fn other_frames_are_no_talk() {
        for octets in [&[][..], &[0; 14], &[8; 40]] {
            let talk = Frame::read(octets).and_then(|frame| Talk::read(&frame));
            assert_eq!(talk, None, "{octets:?}");
        }
    }
}
