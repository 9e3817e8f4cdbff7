//! RSVP over IPv4.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsFd, BorrowedFd};

use socket2::{Domain, Socket};

use super::outgoing::{Outgoing, send_one};
use super::{IPPROTO_RSVP, Packet, Received, raw_socket, refuse_input, set_option, set_option_bytes};

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
        let mut octets = [0; HEADER + ROUTER_ALERT.len()];
        let length = if self.router_alert { octets.len() } else { HEADER };
        // Identification, checksum and total length are the kernel's to fill in.
        octets[0] = 0x40 | (length / 4) as u8;
        octets[1] = self.traffic_class;
        octets[8] = self.ttl;
        octets[9] = IPPROTO_RSVP as u8;
        octets[12..16].copy_from_slice(&self.source.octets());
        octets[16..20].copy_from_slice(&self.destination.octets());
        octets[HEADER..].copy_from_slice(&ROUTER_ALERT);
        Outgoing::new(SocketAddrV4::new(self.next_hop.unwrap_or(self.destination), 0), payload)
            .header(&octets[..length])
            .ipv4_packet_information(self.device, Ipv4Addr::UNSPECIFIED)
    }
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
