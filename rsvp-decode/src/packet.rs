//! From a frame to the RSVP message in it: link layer, tags and labels, IP, and UDP encapsulation
//! (RFC 2205 Appendix C).

use std::net::IpAddr;

use etherparse::{
    IpAuthHeaderSlice, IpNumber, Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice,
    Ipv6RawExtHeaderSlice, UdpHeaderSlice,
};

const RSVP: IpNumber = IpNumber(46);
/// Pu and Pu' of RFC 2205 Appendix C.
const UDP_PORTS: [u16; 2] = [1698, 1699];

mod ether_type {
    pub(super) const IPV4: u16 = 0x0800;
    pub(super) const IPV6: u16 = 0x86dd;
    pub(super) const VLAN: [u16; 3] = [0x8100, 0x88a8, 0x9100];
    pub(super) const MPLS: [u16; 2] = [0x8847, 0x8848];
}

/// The link type of a frame, as the registry at tcpdump.org numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkType(pub u16);

impl LinkType {
    /// No link layer: an IPv4 or IPv6 packet, as its first bits say.
    pub const RAW: Self = Self(101);
}

/// What a frame holds.
#[derive(Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// An RSVP message, or a part of one.
    Rsvp(Packet<'a>),
    /// Something else.
    Other,
    /// It is cut or damaged before it tells what it is.
    Unclear,
    /// The link type is not one that is known here.
    UnknownLink,
}

/// An IP packet, and in the end one that carries RSVP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// IP source address.
    pub source: IpAddr,
    /// IP destination address.
    pub destination: IpAddr,
    /// TTL or hop limit.
    pub ttl: u8,
    /// Whether there is a Router Alert option (RFC 2113, RFC 2711).
    pub router_alert: bool,
    /// The destination port when the message is encapsulated in UDP.
    pub udp_port: Option<u16>,
    /// Set when it is not the whole datagram.
    pub fragment: Option<Fragment>,
    /// The RSVP message as far as it is there.
    pub payload: &'a [u8],
    /// The capture has less of the packet than its IP (or UDP) header says.
    pub is_cut: bool,
}

/// Which part of a datagram a fragment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// What tells datagrams apart.
    pub identification: u32,
    /// In bytes.
    pub offset: u32,
    /// Whether no more follow.
    pub is_last: bool,
}

/// Looks for RSVP in a frame.
pub fn dissect(link: LinkType, data: &[u8]) -> Content<'_> {
    match network_packet(link, data) {
        Link::Ip(data) => ip_packet(data),
        Link::Other => Content::Other,
        Link::Short => Content::Unclear,
        Link::Unknown => Content::UnknownLink,
    }
}

enum Link<'a> {
    Ip(&'a [u8]),
    Other,
    Short,
    Unknown,
}

fn network_packet(link: LinkType, data: &[u8]) -> Link<'_> {
    match link.0 {
        // BSD loopback: the address family, in the byte order of the capturing host or (108) in network order.
        0 | 108 => data.split_at_checked(4).map_or(Link::Short, |(family, rest)| loopback(family, rest)),
        1 => after_type(data, 12, 14),
        // Raw IP.
        12 | 14 | 101 | 228 | 229 => Link::Ip(data),
        // Linux cooked, versions 1 and 2.
        113 => after_type(data, 14, 16),
        276 => after_type(data, 0, 20),
        _ => Link::Unknown,
    }
}

fn loopback<'a>(family: &[u8], rest: &'a [u8]) -> Link<'a> {
    // AF_INET, and AF_INET6 as the various systems number it.
    let is_ip = matches!(family, [2 | 10 | 24 | 28 | 30, 0, 0, 0] | [0, 0, 0, 2 | 10 | 24 | 28 | 30]);
    if is_ip { Link::Ip(rest) } else { Link::Other }
}

/// Follows an EtherType at `at`, in a header of `length` bytes, to the IP packet.
fn after_type(data: &[u8], at: usize, length: usize) -> Link<'_> {
    let (Some(&[high, low]), Some(mut rest)) = (data.get(at..at + 2), data.get(length..)) else {
        return Link::Short;
    };
    let mut ether_type = u16::from_be_bytes([high, low]);
    while ether_type::VLAN.contains(&ether_type) {
        let Some((&[_, _, high, low], inner)) = rest.split_first_chunk() else { return Link::Short };
        (ether_type, rest) = (u16::from_be_bytes([high, low]), inner);
    }
    if ether_type::MPLS.contains(&ether_type) {
        return below_labels(rest);
    }
    if matches!(ether_type, ether_type::IPV4 | ether_type::IPV6) { Link::Ip(rest) } else { Link::Other }
}

/// Takes off a label stack (RFC 3032). What is below the last label tells by its first bits only.
fn below_labels(mut rest: &[u8]) -> Link<'_> {
    loop {
        let Some((&[_, _, bottom, _], below)) = rest.split_first_chunk() else { return Link::Short };
        rest = below;
        if bottom & 1 != 0 {
            return match rest.first() {
                None => Link::Short,
                Some(first) if matches!(first >> 4, 4 | 6) => Link::Ip(rest),
                Some(_) => Link::Other,
            };
        }
    }
}

fn ip_packet(data: &[u8]) -> Content<'_> {
    let packet = match data.first().map(|first| first >> 4) {
        Some(4) => ipv4_packet(data),
        Some(6) => ipv6_packet(data),
        _ => None,
    };
    match packet {
        None => Content::Unclear,
        Some((RSVP, packet)) => Content::Rsvp(packet),
        Some((IpNumber::UDP, packet)) if packet.fragment.is_none_or(|fragment| fragment.offset == 0) => {
            udp_datagram(packet)
        }
        Some(_) => Content::Other,
    }
}

/// As much of `rest` as belongs to the packet, and whether that is less than it should be. A length of 0 is
/// written by network cards that cut the packet up later; the capture then has it all.
fn payload(rest: &[u8], stated: Option<usize>) -> (&[u8], bool) {
    let stated = stated.unwrap_or(rest.len());
    (&rest[..stated.min(rest.len())], stated > rest.len())
}

fn ipv4_packet(data: &[u8]) -> Option<(IpNumber, Packet<'_>)> {
    let header = Ipv4HeaderSlice::from_slice(data).ok()?;
    let length = header.slice().len();
    let (payload, is_cut) = payload(&data[length..], usize::from(header.total_len()).checked_sub(length));
    let packet = Packet {
        source: header.source_addr().into(),
        destination: header.destination_addr().into(),
        ttl: header.ttl(),
        router_alert: has_ipv4_router_alert(header.options()),
        udp_port: None,
        fragment: header.is_fragmenting_payload().then(|| Fragment {
            identification: header.identification().into(),
            offset: u32::from(header.fragments_offset().value()) * 8,
            is_last: !header.more_fragments(),
        }),
        payload,
        is_cut,
    };
    Some((header.protocol(), packet))
}

fn ipv6_packet(data: &[u8]) -> Option<(IpNumber, Packet<'_>)> {
    let header = Ipv6HeaderSlice::from_slice(data).ok()?;
    let stated = usize::from(header.payload_length());
    let (payload, is_cut) = payload(&data[header.slice().len()..], Some(stated).filter(|stated| *stated > 0));
    let mut packet = Packet {
        source: header.source_addr().into(),
        destination: header.destination_addr().into(),
        ttl: header.hop_limit(),
        router_alert: false,
        udp_port: None,
        fragment: None,
        payload,
        is_cut,
    };
    let mut next = header.next_header();
    while packet.fragment.is_none_or(|fragment| fragment.offset == 0) {
        let rest = packet.payload;
        let length = match next {
            IpNumber::IPV6_HEADER_HOP_BY_HOP
            | IpNumber::IPV6_ROUTE_HEADER
            | IpNumber::IPV6_DESTINATION_OPTIONS => {
                let extension = Ipv6RawExtHeaderSlice::from_slice(rest).ok()?;
                packet.router_alert |=
                    next == IpNumber::IPV6_HEADER_HOP_BY_HOP && has_ipv6_router_alert(extension.payload());
                next = extension.next_header();
                extension.slice().len()
            }
            IpNumber::IPV6_FRAGMENTATION_HEADER => {
                let extension = Ipv6FragmentHeaderSlice::from_slice(rest).ok()?;
                packet.fragment = extension.is_fragmenting_payload().then(|| Fragment {
                    identification: extension.identification(),
                    offset: u32::from(extension.fragment_offset().value()) * 8,
                    is_last: !extension.more_fragments(),
                });
                next = extension.next_header();
                extension.slice().len()
            }
            IpNumber::AUTHENTICATION_HEADER => {
                let extension = IpAuthHeaderSlice::from_slice(rest).ok()?;
                next = extension.next_header();
                extension.slice().len()
            }
            _ => break,
        };
        packet.payload = &rest[length..];
    }
    Some((next, packet))
}

fn udp_datagram(packet: Packet<'_>) -> Content<'_> {
    let Ok(udp) = UdpHeaderSlice::from_slice(packet.payload) else { return Content::Unclear };
    let port = udp.destination_port();
    if !UDP_PORTS.contains(&port) {
        return Content::Other;
    }
    let length = udp.slice().len();
    let stated = usize::from(udp.length()).checked_sub(length);
    let (payload, is_cut) = payload(&packet.payload[length..], stated);
    Content::Rsvp(Packet { udp_port: Some(port), payload, is_cut: packet.is_cut || is_cut, ..packet })
}

fn has_ipv4_router_alert(mut options: &[u8]) -> bool {
    loop {
        match *options {
            [148, ..] => return true,
            [] | [0, ..] => return false,
            [1, ..] => options = &options[1..],
            [_, length, ..] if length >= 2 => options = options.get(length.into()..).unwrap_or_default(),
            _ => return false,
        }
    }
}

fn has_ipv6_router_alert(mut options: &[u8]) -> bool {
    loop {
        match *options {
            [5, ..] => return true,
            [0, ..] => options = &options[1..],
            [_, length, ..] => options = options.get(2 + usize::from(length)..).unwrap_or_default(),
            _ => return false,
        }
    }
}
