//! RSVP in UDP (RFC 2205 Appendix C).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsFd, BorrowedFd};

use rsvp_core::Transmit;
use socket2::{Domain, Socket, Type};

use super::outgoing::Outgoing;
use super::{Packet, Received, ipv6, prepare, set_option};

/// A UDP socket of one family and port, for all addresses of this host and for groups.
pub(crate) struct UdpSocket {
    socket: Socket,
    pub(crate) ipv6: bool,
    pub(crate) port: u16,
}

impl UdpSocket {
    pub(crate) fn open(ipv6: bool, port: u16) -> io::Result<Self> {
        let domain = if ipv6 { Domain::IPV6 } else { Domain::IPV4 };
        let socket = Socket::new(domain, Type::DGRAM.nonblocking(), None)?;
        prepare(&socket)?;
        let any: SocketAddr = if ipv6 {
            set_option(&socket, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 1)?;
            set_option(&socket, libc::IPPROTO_IPV6, libc::IPV6_RECVHOPLIMIT, 1)?;
            set_option(&socket, libc::IPPROTO_IPV6, libc::IPV6_MULTICAST_LOOP, 0)?;
            socket.set_only_v6(true)?;
            (Ipv6Addr::UNSPECIFIED, port).into()
        } else {
            set_option(&socket, libc::IPPROTO_IP, libc::IP_PKTINFO, 1)?;
            set_option(&socket, libc::IPPROTO_IP, libc::IP_RECVTTL, 1)?;
            set_option(&socket, libc::IPPROTO_IP, libc::IP_MULTICAST_LOOP, 0)?;
            (Ipv4Addr::UNSPECIFIED, port).into()
        };
        socket.bind(&any.into())?;
        Ok(Self { socket, ipv6, port })
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// An RSVP message to a port. The routing table chooses the next hop, and the kernel makes fragments.
pub(crate) fn compose<'a>(
    transmit: &Transmit,
    device: Option<u32>,
    port: u16,
    payload: &'a [u8],
) -> io::Result<Outgoing<'a>> {
    match (transmit.source, transmit.destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            Ok(Outgoing::new(SocketAddrV4::new(destination, port), payload)
                .ipv4_packet_information(device, source)
                .ipv4_fields(transmit.ttl, transmit.traffic_class))
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let to = SocketAddrV6::new(destination, port, 0, ipv6::scope(destination, device));
            Ok(Outgoing::new(to, payload)
                .ipv6_packet_information(device, source)
                .ipv6_fields(transmit.ttl, transmit.traffic_class))
        }
        _ => Err(io::ErrorKind::InvalidInput.into()),
    }
}

/// What a datagram is; `None` if something was cut off.
pub(crate) fn parse<'a>(packet: &Packet<'a>) -> Option<Received<'a>> {
    ipv6::parse_local(packet)
}
