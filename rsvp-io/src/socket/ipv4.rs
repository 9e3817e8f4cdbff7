//! RSVP over IPv4.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsFd, BorrowedFd};

use socket2::{Domain, Socket};

use super::outgoing::{Outgoing, send_one};
use super::{IPPROTO_RSVP, Packet, Received, Whole, raw_socket, refuse_input, set_option, set_option_bytes};

/// The Router Alert option with value 0: "examine packet" (RFC 2113).
const ROUTER_ALERT: [u8; 4] = [0x94, 0x04, 0, 0];
const HEADER: usize = 20;

/// The sockets for RSVP over IPv4.
///
/// The kernel hands a packet for this host to every raw socket of its protocol, and a packet in transit with
/// a Router Alert to the socket that asked for those; of those to a group, it gets one or the other. So one
/// socket receives both, and it sends as well, with an IP header of our making: that allows a foreign source
/// and chooses the next hop. Only packets larger than the MTU, which the kernel does not fragment when the
/// header is ours, take the other socket.
pub(crate) struct Ipv4Sockets {
    main: Socket,
    fragmenting: Socket,
}

/// Where and how to send an IPv4 datagram.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ipv4Header {
    pub(crate) source: Ipv4Addr,
    pub(crate) destination: Ipv4Addr,
    pub(crate) next_hop: Option<Ipv4Addr>,
    pub(crate) device: Option<u32>,
    pub(crate) ttl: u8,
    pub(crate) router_alert: bool,
    pub(crate) traffic_class: u8,
}

impl Ipv4Sockets {
    pub(crate) fn open(router: bool) -> io::Result<Self> {
        let main = raw_socket(Domain::IPV4, IPPROTO_RSVP)?;
        set_option(&main, libc::IPPROTO_IP, libc::IP_PKTINFO, 1)?;
        set_option(&main, libc::IPPROTO_IP, libc::IP_HDRINCL, 1)?;
        set_option(&main, libc::IPPROTO_IP, libc::IP_MULTICAST_LOOP, 0)?;
        if router {
            set_option(&main, libc::IPPROTO_IP, libc::IP_ROUTER_ALERT, 1)?;
        }
        let fragmenting = raw_socket(Domain::IPV4, IPPROTO_RSVP)?;
        refuse_input(&fragmenting)?;
        set_option(&fragmenting, libc::IPPROTO_IP, libc::IP_TRANSPARENT, 1)?;
        set_option(&fragmenting, libc::IPPROTO_IP, libc::IP_MULTICAST_LOOP, 0)?;
        Ok(Self { main, fragmenting })
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.main.as_fd()
    }

    /// Sends one RSVP message that is larger than the MTU. The kernel makes the header, and so the fragments. The routing
    /// table chooses the next hop.
    pub(crate) fn send_in_fragments(&self, header: &Ipv4Header, payload: &[u8]) -> io::Result<()> {
        let options: &[u8] = if header.router_alert { &ROUTER_ALERT } else { &[] };
        // The options are the socket's, not the message's: `IP_RETOPTS` is not to be had as a control message.
        set_option_bytes(&self.fragmenting, libc::IPPROTO_IP, libc::IP_OPTIONS, options)?;
        let datagram = Outgoing::new(SocketAddrV4::new(header.destination, 0), payload)
            .ipv4_packet_information(header.device, header.source)
            .ipv4_fields(header.ttl, header.traffic_class);
        send_one(self.fragmenting.as_fd(), &datagram)
    }
}

impl Ipv4Header {
    /// The message, to be sent by [`Ipv4Sockets::fd`].
    pub(crate) fn before<'a>(&self, payload: &'a [u8]) -> Outgoing<'a> {
        // Identification, checksum and total length are the kernel's to fill in.
        let (octets, length) = self.octets();
        Outgoing::new(SocketAddrV4::new(self.next_hop.unwrap_or(self.destination), 0), payload)
            .header(&octets[..length])
            .ipv4_packet_information(self.device, Ipv4Addr::UNSPECIFIED)
    }

    /// The header of a packet that the kernel takes as it is; `None` if the packet is too large.
    pub(crate) fn complete(&self, payload: &[u8], identification: u16) -> Option<Vec<u8>> {
        let (mut octets, length) = self.octets();
        let total = u16::try_from(length + payload.len()).ok()?;
        octets[2..4].copy_from_slice(&total.to_be_bytes());
        octets[4..6].copy_from_slice(&identification.to_be_bytes());
        let checksum = !sum(&octets[..length]);
        octets[10..12].copy_from_slice(&checksum.to_be_bytes());
        Some(octets[..length].to_vec())
    }

    fn octets(&self) -> ([u8; HEADER + ROUTER_ALERT.len()], usize) {
        let mut octets = [0; HEADER + ROUTER_ALERT.len()];
        let length = if self.router_alert { octets.len() } else { HEADER };
        octets[0] = 0x40 | (length / 4) as u8;
        octets[1] = self.traffic_class;
        octets[8] = self.ttl;
        octets[9] = IPPROTO_RSVP as u8;
        octets[12..16].copy_from_slice(&self.source.octets());
        octets[16..20].copy_from_slice(&self.destination.octets());
        if self.router_alert {
            octets[HEADER..].copy_from_slice(&ROUTER_ALERT);
        }
        (octets, length)
    }
}

/// What a packet is that the kernel has not looked at. In transit only a packet counts whose Router Alert is its first option.
pub(crate) fn classify<'a>(packet: &Packet<'a>) -> Whole<'a> {
    whole(packet).unwrap_or(Whole::Damaged)
}

fn whole<'a>(packet: &Packet<'a>) -> Option<Whole<'a>> {
    let received = parse(packet)?;
    let header = packet.data.get(..usize::from(packet.data[0] & 0x0f) * 4)?;
    if sum(header) != 0xffff {
        return None;
    }
    // An offset, or more fragments to come.
    if u16::from_be_bytes([header[6], header[7]]) & 0x3fff != 0 {
        return Some(Whole::Fragment);
    }
    let router_alert = header.get(HEADER) == Some(&ROUTER_ALERT[0]);
    Some(Whole::Message { received, router_alert })
}

/// The sum in one's complement of a header (RFC 1071).
fn sum(header: &[u8]) -> u16 {
    let sum: u32 = header.chunks_exact(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    let sum = (sum & 0xffff) + (sum >> 16);
    ((sum & 0xffff) + (sum >> 16)) as u16
}

/// Takes the IP header off; `None` if the packet is damaged.
pub(crate) fn parse<'a>(packet: &Packet<'a>) -> Option<Received<'a>> {
    let header = packet.data.first_chunk::<HEADER>()?;
    let header_length = usize::from(header[0] & 0x0f) * 4;
    let total_length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    if packet.truncated || header[0] >> 4 != 4 || header_length < HEADER {
        return None;
    }
    let octets = |at: usize| Ipv4Addr::new(header[at], header[at + 1], header[at + 2], header[at + 3]);
    Some(Received {
        source: octets(12).into(),
        destination: octets(16).into(),
        ttl: Some(header[8]),
        payload: packet.data.get(header_length..total_length)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(data: &[u8]) -> Packet<'_> {
        Packet {
            data,
            truncated: false,
            source: None,
            source_port: 0,
            destination: None,
            device: 0,
            hop_limit: None,
            overflowed: None,
        }
    }

    /// As a link brings it: padded.
    fn message(router_alert: bool) -> Vec<u8> {
        let header = Ipv4Header {
            source: Ipv4Addr::new(10, 0, 0, 1),
            destination: Ipv4Addr::new(10, 0, 0, 2),
            next_hop: None,
            device: None,
            ttl: 63,
            router_alert,
            traffic_class: 0xc0,
        };
        let mut data = header.complete(b"RSVP", 0xfffe).expect("it is small");
        data.extend(b"RSVP and padding");
        data
    }

    #[test]
    fn what_is_made_complete_is_understood() {
        for alert in [false, true] {
            let data = message(alert);
            let Whole::Message { received, router_alert } = classify(&packet(&data)) else {
                panic!("{data:?}")
            };
            assert_eq!((received.payload, received.ttl, router_alert), (&b"RSVP"[..], Some(63), alert));
        }
    }

    #[test]
    fn no_octet_of_a_header_can_be_wrong() {
        let data = message(true);
        for place in 0..HEADER + ROUTER_ALERT.len() {
            let mut data = data.clone();
            data[place] ^= 0x04;
            assert!(matches!(classify(&packet(&data)), Whole::Damaged), "octet {place}");
        }
    }

    #[test]
    fn the_first_fragment_and_later_ones_are_told_from_messages() {
        for (place, octet) in [(6, 0x20), (7, 0x01)] {
            let mut data = message(false);
            data[place] = octet;
            data[10..12].fill(0);
            let checksum = !sum(&data[..HEADER]);
            data[10..12].copy_from_slice(&checksum.to_be_bytes());
            assert!(matches!(classify(&packet(&data)), Whole::Fragment));
        }
    }
}
