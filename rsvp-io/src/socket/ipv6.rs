//! RSVP over IPv6.

use std::io;
use std::net::{Ipv6Addr, SocketAddrV6};
use std::os::fd::{AsFd, BorrowedFd};

use socket2::{Domain, Socket};

use super::outgoing::{Outgoing, send_one};
use super::packet::drop_groups;
use super::{IPPROTO_RSVP, Packet, Received, raw_socket, set_option, set_option_bytes};

const HEADER: usize = 40;
/// A hop-by-hop options header that RSVP follows: Router Alert with value 1, "datagram contains RSVP message"
/// (RFC 2711), and two octets of padding.
const ROUTER_ALERT: [u8; 8] = [IPPROTO_RSVP as u8, 0, 5, 2, 0, 1, 1, 0];
/// The alert value for RSVP (RFC 2711 section 2.1).
const ALERT_RSVP: libc::c_int = 1;

// Not named by the C library's crate; from linux/in6.h.
const IPV6_ROUTER_ALERT: libc::c_int = 22;
const IPV6_ROUTER_ALERT_ISOLATE: libc::c_int = 30;

/// The sockets for RSVP over IPv6.
///
/// One receives what is addressed to this host. The other is given everything in transit that carries the
/// Router Alert for RSVP, whatever it is, and has to send on what is not RSVP. It also sends, with an IP
/// header of our making, except for what is larger than the MTU.
pub(crate) struct Ipv6Sockets {
    local: Socket,
    alert: Socket,
}

/// Where and how to send an IPv6 datagram.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ipv6Header {
    pub(crate) source: Ipv6Addr,
    pub(crate) destination: Ipv6Addr,
    pub(crate) next_hop: Option<Ipv6Addr>,
    pub(crate) device: Option<u32>,
    pub(crate) hop_limit: u8,
    pub(crate) router_alert: bool,
    pub(crate) traffic_class: u8,
}

impl Ipv6Sockets {
    pub(crate) fn open(router: bool) -> io::Result<Self> {
        let local = raw_socket(Domain::IPV6, IPPROTO_RSVP)?;
        set_option(&local, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 1)?;
        set_option(&local, libc::IPPROTO_IPV6, libc::IPV6_RECVHOPLIMIT, 1)?;
        set_option(&local, libc::IPPROTO_IPV6, libc::IPV6_TRANSPARENT, 1)?;
        set_option(&local, libc::IPPROTO_IPV6, libc::IPV6_MULTICAST_LOOP, 0)?;
        if router {
            // The packet socket gets those already, whether their groups are joined here or not.
            local.attach_filter(&drop_groups())?;
        }
        // A raw socket of protocol 255 sends packets whose header is part of the data.
        let alert = raw_socket(Domain::IPV6, libc::IPPROTO_RAW)?;
        set_option(&alert, libc::IPPROTO_IPV6, libc::IPV6_MULTICAST_LOOP, 0)?;
        if router {
            set_option(&alert, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 1)?;
            // Without this one, packets of other network namespaces would come here too.
            set_option(&alert, libc::IPPROTO_IPV6, IPV6_ROUTER_ALERT_ISOLATE, 1)?;
            set_option(&alert, libc::IPPROTO_IPV6, IPV6_ROUTER_ALERT, ALERT_RSVP)?;
        }
        Ok(Self { local, alert })
    }

    pub(crate) fn local_fd(&self) -> BorrowedFd<'_> {
        self.local.as_fd()
    }

    pub(crate) fn alert_fd(&self) -> BorrowedFd<'_> {
        self.alert.as_fd()
    }

    /// Sends one RSVP message that is larger than the MTU. The kernel makes the header, and so the fragments. The routing
    /// table chooses the next hop.
    pub(crate) fn send_in_fragments(&self, header: &Ipv6Header, payload: &[u8]) -> io::Result<()> {
        let options: &[u8] = if header.router_alert { &ROUTER_ALERT } else { &[] };
        // The option is the socket's, not the message's; the kernel fills in which header follows.
        set_option_bytes(&self.local, libc::IPPROTO_IPV6, libc::IPV6_HOPOPTS, options)?;
        let datagram = Outgoing::new(socket_address(header.destination, header.device), payload)
            .ipv6_packet_information(header.device, header.source)
            .ipv6_fields(header.hop_limit, header.traffic_class);
        let result = send_one(self.local.as_fd(), &datagram);
        tracing::trace!(destination = %header.destination, ?result, "sent in fragments");
        result
    }

    /// Sends a packet in transit on its way, as a router does.
    pub(crate) fn forward(&self, packet: &[u8]) -> io::Result<()> {
        let Some((header, rest)) = packet.split_first_chunk::<HEADER>() else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        let mut header = *header;
        if header[7] <= 1 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "hop limit exceeded"));
        }
        // Neither did it pass the kernel's checks for what is forwarded.
        let source = address(&header, 8);
        let is_of_this_link = source.is_unicast_link_local() || source.is_loopback();
        if source.is_unspecified() || source.is_multicast() || is_of_this_link {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "no source that may be sent on"));
        }
        header[7] -= 1;
        let destination = address(&header, 24);
        let datagram = Outgoing::new(socket_address(destination, None), rest).header(&header);
        send_one(self.alert.as_fd(), &datagram)
    }
}

impl Ipv6Header {
    /// The message, to be sent by [`Ipv6Sockets::alert_fd`]; an error if it is larger than an IPv6 packet can be.
    pub(crate) fn before<'a>(&self, payload: &'a [u8]) -> io::Result<Outgoing<'a>> {
        let too_large = || io::Error::from_raw_os_error(libc::EMSGSIZE);
        let (octets, length) = self.octets(payload).ok_or_else(too_large)?;
        let to = socket_address(self.next_hop.unwrap_or(self.destination), self.device);
        Ok(Outgoing::new(to, payload)
            .header(&octets[..length])
            .ipv6_packet_information(self.device, Ipv6Addr::UNSPECIFIED))
    }

    /// The headers before the message; `None` if the packet is too large.
    pub(crate) fn complete(&self, payload: &[u8]) -> Option<Vec<u8>> {
        self.octets(payload).map(|(octets, length)| octets[..length].to_vec())
    }

    fn octets(&self, payload: &[u8]) -> Option<([u8; HEADER + ROUTER_ALERT.len()], usize)> {
        let mut octets = [0; HEADER + ROUTER_ALERT.len()];
        let length = if self.router_alert { octets.len() } else { HEADER };
        let payload_length = u16::try_from(length - HEADER + payload.len()).ok()?;
        octets[0] = 0x60 | self.traffic_class >> 4;
        octets[1] = self.traffic_class << 4;
        octets[4..6].copy_from_slice(&payload_length.to_be_bytes());
        octets[6] = if self.router_alert { libc::IPPROTO_HOPOPTS as u8 } else { IPPROTO_RSVP as u8 };
        octets[7] = self.hop_limit;
        octets[8..24].copy_from_slice(&self.source.octets());
        octets[24..40].copy_from_slice(&self.destination.octets());
        octets[HEADER..].copy_from_slice(&ROUTER_ALERT);
        Some((octets, length))
    }
}

/// Whether the first header behind the fixed one begins with the Router Alert for RSVP.
pub(crate) fn has_router_alert(packet: &Packet<'_>) -> bool {
    packet.data.get(6) == Some(&(libc::IPPROTO_HOPOPTS as u8))
        && packet.data.get(HEADER + 2..HEADER + 6) == Some(&ROUTER_ALERT[2..6])
}

/// What the packet is that the socket for this host received: the kernel has taken its headers off.
pub(crate) fn parse_local<'a>(packet: &Packet<'a>) -> Option<Received<'a>> {
    if packet.truncated {
        return None;
    }
    Some(Received {
        source: packet.source?,
        destination: packet.destination?,
        ttl: packet.hop_limit,
        payload: packet.data,
    })
}

/// A packet in transit that carried the Router Alert for RSVP.
#[derive(Debug)]
pub(crate) enum Transit<'a> {
    /// An RSVP message.
    Message(Received<'a>),
    /// A fragment of an RSVP message: the kernel does not put it together on the way.
    Fragment,
    /// Something else; it has to be sent on.
    Other,
    /// Not a sound IPv6 packet.
    Damaged,
}

/// What the packet is that the alert socket received.
pub(crate) fn classify<'a>(packet: &Packet<'a>) -> Transit<'a> {
    walk(packet.data, packet.truncated).unwrap_or(Transit::Damaged)
}

fn walk(data: &[u8], truncated: bool) -> Option<Transit<'_>> {
    let header = data.first_chunk::<HEADER>()?;
    if truncated || header[0] >> 4 != 6 {
        return None;
    }
    let length = usize::from(u16::from_be_bytes([header[4], header[5]]));
    let mut rest = data.get(HEADER..HEADER + length)?;
    let mut next = libc::c_int::from(header[6]);
    loop {
        match next {
            IPPROTO_RSVP => {
                return Some(Transit::Message(Received {
                    source: address(header, 8).into(),
                    destination: address(header, 24).into(),
                    ttl: Some(header[7]),
                    payload: rest,
                }));
            }
            libc::IPPROTO_FRAGMENT if rest.first() == Some(&(IPPROTO_RSVP as u8)) => {
                return Some(Transit::Fragment);
            }
            libc::IPPROTO_HOPOPTS | libc::IPPROTO_ROUTING | libc::IPPROTO_DSTOPTS => {
                let [following, units, ..] = rest else { return None };
                next = libc::c_int::from(*following);
                rest = rest.get((usize::from(*units) + 1) * 8..)?;
            }
            _ => return Some(Transit::Other),
        }
    }
}

fn address(header: &[u8; HEADER], at: usize) -> Ipv6Addr {
    let mut octets = [0; 16];
    octets.copy_from_slice(&header[at..at + 16]);
    octets.into()
}

fn socket_address(address: Ipv6Addr, device: Option<u32>) -> SocketAddrV6 {
    SocketAddrV6::new(address, 0, 0, scope(address, device))
}

/// The scope of an address that is valid on one link only.
pub(super) fn scope(address: Ipv6Addr, device: Option<u32>) -> u32 {
    if address.is_unicast_link_local() || address.is_multicast() { device.unwrap_or(0) } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An IPv6 packet with these octets after the fixed header.
    fn packet(next: libc::c_int, rest: &[u8]) -> Vec<u8> {
        let mut data = vec![0; HEADER];
        data[0] = 0x60;
        data[5] = rest.len() as u8;
        data[6] = next as u8;
        data[7] = 9;
        data.extend(rest);
        data
    }

    #[test]
    fn rsvp_behind_extension_headers_is_found() {
        let data = packet(libc::IPPROTO_HOPOPTS, &[60, 0, 5, 2, 0, 1, 1, 0, 46, 0, 1, 4, 0, 0, 0, 0, 7, 8]);
        let Some(Transit::Message(received)) = walk(&data, false) else { panic!("not found") };
        assert_eq!((received.payload, received.ttl), (&[7, 8][..], Some(9)));
    }

    #[test]
    fn other_protocols_are_to_be_sent_on() {
        let data = packet(libc::IPPROTO_HOPOPTS, &[17, 0, 5, 2, 0, 1, 1, 0, 1, 2]);
        assert!(matches!(walk(&data, false), Some(Transit::Other)));
    }

    #[test]
    fn fragments_of_rsvp_are_told_apart() {
        let data = packet(libc::IPPROTO_HOPOPTS, &[44, 0, 5, 2, 0, 1, 1, 0, 46, 0, 0, 1, 0, 0, 0, 0]);
        assert!(matches!(walk(&data, false), Some(Transit::Fragment)));
    }

    #[test]
    fn damaged_packets_are_no_message() {
        let data = packet(libc::IPPROTO_HOPOPTS, &[46, 9, 5, 2, 0, 1, 1, 0]);
        assert!(walk(&data, false).is_none());
        assert!(walk(&data[..30], false).is_none());
        assert!(walk(&[], false).is_none());
    }
}
