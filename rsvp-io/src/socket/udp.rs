//! RSVP in UDP (RFC 2205 Appendix C).

use std::io::{self, IoSlice};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::socket::{ControlMessage, SockaddrIn, SockaddrIn6};
use rsvp_core::Transmit;
use socket2::{Domain, Socket, Type};

use super::{Packet, Received, ipv4, ipv6, prepare, send_message, set_option};

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

    /// Sends one RSVP message to a port. The routing table chooses the next hop, and the kernel makes fragments.
    pub(crate) fn send(
        &self,
        transmit: &Transmit,
        device: Option<u32>,
        port: u16,
        payload: &[u8],
    ) -> io::Result<()> {
        let ttl = libc::c_int::from(transmit.ttl);
        let parts = [IoSlice::new(payload)];
        match (transmit.source, transmit.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => send_message(
                self.fd(),
                &parts,
                &[
                    ControlMessage::Ipv4PacketInfo(&ipv4::packet_information(device, source)),
                    ControlMessage::Ipv4Ttl(&ttl),
                    ControlMessage::Ipv4Tos(&transmit.traffic_class),
                ],
                &SockaddrIn::from(SocketAddrV4::new(destination, port)),
            ),
            (IpAddr::V6(source), IpAddr::V6(destination)) => send_message(
                self.fd(),
                &parts,
                &[
                    ControlMessage::Ipv6PacketInfo(&ipv6::packet_information(device, source)),
                    ControlMessage::Ipv6HopLimit(&ttl),
                    ControlMessage::Ipv6TClass(&transmit.traffic_class.into()),
                ],
                &SockaddrIn6::from(SocketAddrV6::new(destination, port, 0, ipv6::scope(destination, device))),
            ),
            _ => Err(io::ErrorKind::InvalidInput.into()),
        }
    }
}

/// What a datagram is; `None` if something was cut off.
pub(crate) fn parse<'a>(packet: &Packet<'a>) -> Option<Received<'a>> {
    ipv6::parse_local(packet)
}
