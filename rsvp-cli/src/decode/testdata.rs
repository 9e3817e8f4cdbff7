//! Captures for the tests, built layer by layer.

use std::net::{Ipv4Addr, Ipv6Addr};

use rsvp_core::wire::{Bundle, Header, MessageType, RawMessage, RawObject};

pub(super) const SOURCE: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 10);
pub(super) const DESTINATION: Ipv4Addr = Ipv4Addr::new(10, 0, 4, 2);
pub(super) const SOURCE6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 10);
pub(super) const DESTINATION6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 4, 0, 0, 0, 0, 2);

/// 2026-01-02 03:04:05.678901234 UTC.
pub(super) const TIME: (u32, u32) = (1_767_323_045, 678_901_234);

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const RSVP: u8 = 46;
const UDP: u8 = 17;
const ROUTER_ALERT: [u8; 4] = [148, 4, 0, 0];

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

fn object(class: u8, ctype: u8, contents: &[u32]) -> RawObject {
    RawObject { class, ctype, contents: words(contents) }
}

fn tspec() -> [u32; 6] {
    [0x7f00_0005, 250_000_f32.to_bits(), 10_000_f32.to_bits(), f32::INFINITY.to_bits(), 64, 1500]
}

fn session() -> RawObject {
    object(1, 1, &[DESTINATION.to_bits(), 17 << 24 | 1 << 16 | 5004])
}

fn hop() -> RawObject {
    object(3, 1, &[0x0a00_0101, 7])
}

fn message(message_type: MessageType, objects: Vec<RawObject>) -> Vec<u8> {
    let message = RawMessage::new(message_type, Header { flags: 0, send_ttl: 63 }, objects);
    let mut bytes = Vec::new();
    message.and_then(|message| message.encode(&mut bytes)).expect("a short message");
    bytes
}

/// A Path with everything that RFC 2210 puts into it.
pub(super) fn path() -> Vec<u8> {
    let tspec = [&[7, 0x0100_0006][..], &tspec()].concat();
    let general = [0x0100_0008, 0x0400_0001, 2, 0x0600_0001, 1_250_000_f32.to_bits()];
    let general = [&general[..], &[0x0800_0001, 1500, 0x0a00_0001, 1480]].concat();
    let guaranteed =
        [0x0200_0008, 0x8500_0001, 100, 0x8600_0001, 200, 0x8700_0001, 300, 0x8800_0001, u32::MAX];
    let controlled_load = [0x0580_0002, 0x0400_0001, 1];
    let adspec = [&[21][..], &general, &guaranteed, &controlled_load].concat();
    let objects = vec![
        session(),
        hop(),
        object(5, 1, &[30_000]),
        object(11, 1, &[SOURCE.to_bits(), 40_000]),
        object(12, 2, &tspec),
        object(13, 2, &adspec),
    ];
    message(MessageType::PATH, objects)
}

/// A Resv for guaranteed service, with the optional objects.
pub(super) fn resv() -> Vec<u8> {
    let rspec = [0x8200_0002, 300_000_f32.to_bits(), 0];
    let flowspec = [&[10, 0x0200_0009][..], &tspec(), &rspec].concat();
    let objects = vec![
        session(),
        hop(),
        object(5, 1, &[30_000]),
        object(15, 1, &[DESTINATION.to_bits()]),
        object(7, 1, &[0x0a00_0109, 0x0a00_010a]),
        object(8, 1, &[0x12]),
        object(9, 2, &flowspec),
        object(10, 1, &[SOURCE.to_bits(), 40_000]),
        object(10, 1, &[SOURCE.to_bits(), 40_002]),
    ];
    message(MessageType::RESV, objects)
}

/// A Path whose receivers may choose the null service, and one whose receivers must (RFC 2997).
pub(super) fn null_service_paths() -> [Vec<u8>; 2] {
    let null = [0x0600_0002, 0x8000_0001, 1200];
    let either = [&[10, 0x0100_0006][..], &tspec(), &null].concat();
    [either, [&[3][..], &null].concat()].map(|tspec| {
        let sender_template = object(11, 1, &[SOURCE.to_bits(), 40_000]);
        let objects = vec![session(), hop(), object(5, 1, &[30_000]), sender_template, object(12, 2, &tspec)];
        message(MessageType::PATH, objects)
    })
}

/// A ResvErr for controlled load.
pub(super) fn resv_err() -> Vec<u8> {
    let flowspec = [&[7, 0x0500_0006][..], &tspec()].concat();
    let objects = vec![
        session(),
        hop(),
        object(6, 1, &[0x0a00_0102, 0x0101_0002]),
        object(8, 1, &[0x0a]),
        object(9, 2, &flowspec),
        object(10, 1, &[SOURCE.to_bits(), 40_000]),
    ];
    message(MessageType::RESV_ERR, objects)
}

/// A Path of an LSP tunnel: known classes with C-Types that are not of RFC 2205, and unknown classes.
pub(super) fn tunnel_path() -> Vec<u8> {
    let objects = vec![
        object(1, 7, &[DESTINATION.to_bits(), 1, 0x0a00_010a]),
        hop(),
        object(5, 1, &[30_000]),
        object(19, 1, &[0x0800]),
        object(0xfd, 3, &[1, 2, 3, 4, 5, 6, 7, 8, 9]),
        object(11, 7, &[SOURCE.to_bits(), 1]),
    ];
    message(MessageType::PATH, objects)
}

/// A message of a node that is capable of refresh reduction.
fn capable(message_type: MessageType, objects: Vec<RawObject>) -> Vec<u8> {
    let header = Header { flags: Header::REFRESH_REDUCTION, send_ttl: 255 };
    let message = RawMessage::new(message_type, header, objects);
    let mut bytes = Vec::new();
    message.and_then(|message| message.encode(&mut bytes)).expect("a short message");
    bytes
}

/// An Ack that acknowledges one message and does not know another (RFC 2961 section 4.4).
pub(super) fn ack() -> Vec<u8> {
    let objects = vec![object(24, 1, &[0x00ab_cdef, 7]), object(24, 2, &[0x00ab_cdef, 9])];
    capable(MessageType::ACK, objects)
}

/// A PathTear that is to be acknowledged.
pub(super) fn path_tear() -> Vec<u8> {
    let sender_template = object(11, 1, &[SOURCE.to_bits(), 40_000]);
    let objects = vec![object(23, 1, &[0x0112_3456, 10]), session(), hop(), sender_template];
    capable(MessageType::PATH_TEAR, objects)
}

/// An Srefresh to a neighbour: state of unicast sessions and of groups (RFC 2961 section 5).
pub(super) fn srefresh() -> Vec<u8> {
    let ids: Vec<u32> = std::iter::once(0x0012_3456).chain(1..=10).collect();
    let (v6, group) = ([0x2001_0db8, 0, 0, 1], [0xff0e_0000, 0, 0, 9]);
    let objects = vec![
        object(25, 1, &ids),
        object(25, 4, &[0x0012_3456, 11, SOURCE.to_bits(), 0xe001_0203]),
        object(25, 5, &[&[0x0012_3456, 12][..], &v6, &group].concat()),
    ];
    capable(MessageType::SREFRESH, objects)
}

/// Srefreshes to groups.
pub(super) fn group_srefreshes() -> [Vec<u8>; 2] {
    let ipv4 = object(25, 2, &[0x0012_3456, 11, SOURCE.to_bits(), 13, SOURCE.to_bits() + 1]);
    let ipv6 = object(25, 3, &[0x0012_3456, 12, 0x2001_0db8, 0, 0, 1]);
    [ipv4, ipv6].map(|list| capable(MessageType::SREFRESH, vec![list]))
}

/// A Bundle (RFC 2961 section 3).
pub(super) fn bundle(messages: &[&[u8]]) -> Vec<u8> {
    let header = Header { flags: Header::REFRESH_REDUCTION, send_ttl: 255 };
    let mut bytes = Vec::new();
    Bundle::encode(header, messages, &mut bytes).expect("a short Bundle");
    bytes
}

/// One's complement of the one's complement sum of `bytes`.
fn internet_checksum(bytes: &[u8]) -> [u8; 2] {
    let words = bytes.chunks(2).map(|word| u32::from_be_bytes([0, 0, word[0], *word.get(1).unwrap_or(&0)]));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    (!(sum as u16)).to_be_bytes()
}

/// An IPv4 packet; `fragment` is the word with flags and offset.
fn ipv4_packet(protocol: u8, options: &[u8], fragment: u16, payload: &[u8]) -> Vec<u8> {
    let header_len = 20 + options.len();
    let [length_high, length_low] = u16::try_from(header_len + payload.len()).expect("short").to_be_bytes();
    let [fragment_high, fragment_low] = fragment.to_be_bytes();
    let mut packet = vec![0x40 | (header_len / 4) as u8, 0xc0, length_high, length_low, 0x12, 0x34];
    packet.extend([fragment_high, fragment_low, 62, protocol, 0, 0]);
    packet.extend(SOURCE.octets());
    packet.extend(DESTINATION.octets());
    packet.extend(options);
    let checksum = internet_checksum(&packet);
    packet[10..12].copy_from_slice(&checksum);
    packet.extend(payload);
    packet
}

/// A message as it leaves a router: protocol 46 with Router Alert.
pub(super) fn ipv4(message: &[u8]) -> Vec<u8> {
    ipv4_packet(RSVP, &ROUTER_ALERT, 0, message)
}

/// Without Router Alert.
pub(super) fn ipv4_plain(message: &[u8]) -> Vec<u8> {
    ipv4_packet(RSVP, &[], 0, message)
}

/// A fragment; `offset` in bytes.
pub(super) fn ipv4_fragment(part: &[u8], offset: u16, more: bool) -> Vec<u8> {
    ipv4_packet(RSVP, &[], (offset / 8) | (u16::from(more) << 13), part)
}

/// A message in UDP to `port`.
pub(super) fn ipv4_udp(message: &[u8], port: u16) -> Vec<u8> {
    let length = u16::try_from(8 + message.len()).expect("short");
    let header: Vec<u8> = [40_000, port, length, 0].into_iter().flat_map(u16::to_be_bytes).collect();
    ipv4_packet(UDP, &[], 0, &[&header[..], message].concat())
}

/// An IPv6 packet with these extension headers, the first of which is `next`.
fn ipv6_packet(next: u8, extensions: &[u8], payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(extensions.len() + payload.len()).expect("short").to_be_bytes();
    let mut packet = vec![0x6c, 0, 0, 0, length[0], length[1], next, 62];
    packet.extend(SOURCE6.octets());
    packet.extend(DESTINATION6.octets());
    packet.extend(extensions);
    packet.extend(payload);
    packet
}

/// A message behind hop-by-hop options with Router Alert (RFC 2711).
pub(super) fn ipv6(message: &[u8]) -> Vec<u8> {
    ipv6_packet(0, &[RSVP, 0, 1, 0, 5, 2, 0, 0], message)
}

/// A fragment of a message, behind hop-by-hop options.
pub(super) fn ipv6_fragment(part: &[u8], offset: u16, more: bool) -> Vec<u8> {
    let [high, low] = (offset | u16::from(more)).to_be_bytes();
    let extensions = [44, 0, 5, 2, 0, 0, 1, 0, RSVP, 0, high, low, 0xab, 0xcd, 0, 1];
    ipv6_packet(0, &extensions, part)
}

fn ether_type(packet: &[u8]) -> u16 {
    if packet[0] >> 4 == 4 { IPV4 } else { IPV6 }
}

fn typed(ether_type: u16, packet: &[u8]) -> Vec<u8> {
    [&ether_type.to_be_bytes()[..], packet].concat()
}

/// Link types, each with a frame that holds `packet`.
pub(super) fn frames(packet: &[u8]) -> Vec<(&'static str, u16, Vec<u8>)> {
    let plain = typed(ether_type(packet), packet);
    let vlan = [&[0x81, 0, 0x20, 5][..], &plain].concat();
    let qinq = [&[0x88, 0xa8, 0, 7][..], &vlan].concat();
    let mpls = typed(0x8847, &[&[0x00, 0x3e, 0x80, 64, 0x00, 0x3e, 0x91, 64][..], packet].concat());
    let vlan_mpls = [&[0x81, 0, 0x20, 5][..], &mpls].concat();
    let addresses = [2; 12];
    let ethernet = |rest: &[u8]| [&addresses[..], rest].concat();
    let padded = [&ethernet(&plain)[..], &[0xee; 9]].concat();
    let cooked = |rest: &[u8]| [&[0, 0, 0, 1, 0, 6, 2, 2, 2, 2, 2, 2, 0, 0][..], rest].concat();
    let cooked2_header = [0, 0, 0, 0, 0, 3, 0, 1, 0, 6, 2, 2, 2, 2, 2, 2, 0, 0];
    let cooked2 = [&typed(ether_type(packet), &cooked2_header)[..], packet].concat();
    let is_ipv4 = ether_type(packet) == IPV4;
    let family = if is_ipv4 { 2 } else { 30 };
    vec![
        ("ethernet", 1, ethernet(&plain)),
        ("ethernet with a trailer", 1, padded),
        ("VLAN", 1, ethernet(&vlan)),
        ("QinQ", 1, ethernet(&qinq)),
        ("MPLS", 1, ethernet(&mpls)),
        ("MPLS in VLAN", 1, ethernet(&vlan_mpls)),
        ("Linux cooked", 113, cooked(&plain)),
        ("Linux cooked, VLAN", 113, cooked(&vlan)),
        ("Linux cooked 2", 276, cooked2),
        ("raw IP", 101, packet.to_vec()),
        ("raw IP of one version", if is_ipv4 { 228 } else { 229 }, packet.to_vec()),
        ("loopback, little endian", 0, [&[family, 0, 0, 0][..], packet].concat()),
        ("loopback, big endian", 0, [&[0, 0, 0, family][..], packet].concat()),
        ("loopback of OpenBSD", 108, [&[0, 0, 0, family][..], packet].concat()),
    ]
}

/// How to write a capture file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Writer {
    pub(super) big_endian: bool,
    pub(super) nanoseconds: bool,
    pub(super) link: u16,
}

impl Writer {
    pub(super) const ETHERNET: Self = Self { big_endian: false, nanoseconds: false, link: 1 };

    pub(super) fn u32s(self, words: &[u32]) -> Vec<u8> {
        let bytes = |word: &u32| if self.big_endian { word.to_be_bytes() } else { word.to_le_bytes() };
        words.iter().flat_map(bytes).collect()
    }

    fn u16(self, word: u16) -> [u8; 2] {
        if self.big_endian { word.to_be_bytes() } else { word.to_le_bytes() }
    }

    /// A pcap file.
    pub(super) fn pcap(self, frames: &[Vec<u8>]) -> Vec<u8> {
        let magic = if self.nanoseconds { 0xa1b2_3c4d } else { 0xa1b2_c3d4 };
        let mut file = self.u32s(&[magic]);
        file.extend([self.u16(2), self.u16(4)].concat());
        file.extend(self.u32s(&[0, 0, 65_535, self.link.into()]));
        for frame in frames {
            let fraction = if self.nanoseconds { TIME.1 } else { TIME.1 / 1000 };
            let length = frame.len() as u32;
            file.extend(self.u32s(&[TIME.0, fraction, length, length]));
            file.extend(frame);
        }
        file
    }

    fn block(self, kind: u32, body: &[u8]) -> Vec<u8> {
        let padding = body.len().next_multiple_of(4) - body.len();
        let length = (12 + body.len() + padding) as u32;
        [&self.u32s(&[kind, length])[..], body, &[0; 3][..padding], &self.u32s(&[length])].concat()
    }

    /// A pcapng file: one section, one interface, and names (none), which are no packet.
    pub(super) fn pcapng(self, frames: &[Vec<u8>]) -> Vec<u8> {
        let version = [self.u16(1), self.u16(0)].concat();
        let section = [&self.u32s(&[0x1a2b_3c4d])[..], &version, &[0xff; 8]].concat();
        let mut file = self.block(0x0a0d_0d0a, &section);
        let mut interface = [&self.u16(self.link)[..], &[0, 0], &self.u32s(&[65_535])].concat();
        if self.nanoseconds {
            interface.extend([&self.u16(9)[..], &self.u16(1), &[9, 0, 0, 0], &[0; 4]].concat());
        }
        file.extend(self.block(1, &interface));
        file.extend(self.block(4, &[0; 4]));
        let per_second = if self.nanoseconds { 1_000_000_000 } else { 1_000_000 };
        let units = u64::from(TIME.0) * per_second + u64::from(TIME.1) * per_second / 1_000_000_000;
        for frame in frames {
            let length = frame.len() as u32;
            let head = self.u32s(&[0, (units >> 32) as u32, units as u32, length, length]);
            file.extend(self.block(6, &[&head[..], frame].concat()));
        }
        file
    }

    /// A simple packet block, which has no time.
    pub(super) fn simple_packet(self, frame: &[u8]) -> Vec<u8> {
        self.block(3, &[&self.u32s(&[frame.len() as u32])[..], frame].concat())
    }
}
