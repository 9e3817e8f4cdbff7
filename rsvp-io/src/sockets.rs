//! The sockets that a node needs in its role, by the sources that they are.

use std::io;
use std::net::IpAddr;
use std::os::fd::BorrowedFd;

use rsvp_core::Transmit;
use rsvp_core::input::Encapsulation;
use rsvp_core::udp::{PU, PU_PRIME};

use crate::options::{Carrier, OpenError};
use crate::raw_sockets::Channel;
use crate::receive::Discard;
use crate::socket::{
    Ipv4Header, Ipv4Sockets, Ipv6Header, Ipv6Sockets, Outgoing, Packet, PacketSocket, Received, Transit,
    UdpSocket, classify_transit, compose_udp, parse_ipv4, parse_ipv6, parse_udp, send,
};

/// All sockets for RSVP.
pub(crate) struct Sockets {
    ipv4: Option<Ipv4Sockets>,
    ipv6: Option<Ipv6Sockets>,
    /// Of a router.
    groups: Option<PacketSocket>,
    udp: Vec<UdpSocket>,
}

impl Sockets {
    /// Opens them. A kernel may lack IPv6.
    pub(crate) fn open(router: bool, carrier: Carrier) -> Result<Self, OpenError> {
        let mut sockets = Self { ipv4: None, ipv6: None, groups: None, udp: Vec::new() };
        if carrier != Carrier::UdpOnly {
            sockets.ipv4 = Some(Ipv4Sockets::open(router).map_err(OpenError::raw_socket)?);
            sockets.ipv6 = if_ipv6(Ipv6Sockets::open(router)).map_err(OpenError::raw_socket)?;
            if router && sockets.ipv6.is_some() {
                sockets.groups = Some(PacketSocket::open_groups().map_err(OpenError::packet_socket)?);
            }
        }
        let ports: &[u16] = match carrier {
            Carrier::Raw => &[],
            Carrier::RawAndUdp => &[PU],
            Carrier::UdpOnly => &[PU, PU_PRIME],
        };
        for &port in ports {
            let failed = |error| OpenError::udp_socket(port, error);
            sockets.udp.push(UdpSocket::open(false, port).map_err(failed)?);
            sockets.udp.extend(if_ipv6(UdpSocket::open(true, port)).map_err(failed)?);
        }
        Ok(sockets)
    }

    /// Whether there is RSVP over IPv6.
    pub(crate) fn has_ipv6(&self) -> bool {
        self.ipv6.is_some() || self.udp.iter().any(|udp| udp.ipv6)
    }

    pub(crate) fn channels(&self) -> impl Iterator<Item = (Channel, BorrowedFd<'_>)> {
        let ipv4 = self.ipv4.iter().map(|ipv4| (Channel::Ipv4, ipv4.fd()));
        let ipv6 = self.ipv6.iter();
        let ipv6 =
            ipv6.flat_map(|ipv6| [(Channel::Ipv6, ipv6.local_fd()), (Channel::Ipv6Alert, ipv6.alert_fd())]);
        let groups = self.groups.iter().map(|groups| (Channel::Ipv6Groups, groups.fd()));
        let udp = self.udp.iter().map(|udp| (Channel::Udp { ipv6: udp.ipv6, port: udp.port }, udp.fd()));
        ipv4.chain(ipv6).chain(groups).chain(udp)
    }

    /// What a packet is that a channel brought.
    pub(crate) fn interpret<'a>(
        &self,
        channel: Channel,
        packet: &Packet<'a>,
    ) -> Result<(Received<'a>, Encapsulation), Discard> {
        let received = match channel {
            Channel::Udp { port, .. } => {
                let encapsulation =
                    Encapsulation::Udp { source_port: packet.source_port, destination_port: port };
                return parse_udp(packet).map(|it| (it, encapsulation)).ok_or(Discard::Malformed);
            }
            Channel::Ipv6Alert | Channel::Ipv6Groups => self.in_transit(channel, packet)?,
            Channel::Ipv6 => parse_ipv6(packet).ok_or(Discard::Malformed)?,
            _ => parse_ipv4(packet).ok_or(Discard::Malformed)?,
        };
        Ok((received, Encapsulation::Raw))
    }

    fn in_transit<'a>(&self, channel: Channel, packet: &Packet<'a>) -> Result<Received<'a>, Discard> {
        match (classify_transit(packet), &self.ipv6) {
            (Transit::Message(received), _) => Ok(received),
            (Transit::Fragment, _) => Err(Discard::TransitFragment),
            (Transit::Damaged, _) => Err(Discard::Malformed),
            // The alert socket has taken it away from the kernel.
            (Transit::Other, Some(ipv6)) if channel == Channel::Ipv6Alert => {
                match ipv6.forward(packet.data) {
                    Ok(()) => Err(Discard::Forwarded),
                    Err(error) => {
                        tracing::trace!(%error, "not sent on");
                        Err(Discard::NotForwarded)
                    }
                }
            }
            (Transit::Other, _) => Err(Discard::NotRsvp),
        }
    }

    /// Sends a run of datagrams that belong to a channel, as [`send`](crate::socket::send).
    pub(crate) fn send(&self, channel: Channel, run: &[Outgoing<'_>]) -> io::Result<usize> {
        let (_, fd) = self.channels().find(|(known, _)| *known == channel).ok_or_else(missing)?;
        send(fd, run)
    }

    /// A message larger than the MTU, whose header is not ours then.
    pub(crate) fn send_in_fragments(
        &self,
        transmit: &Transmit,
        device: Option<u32>,
        payload: &[u8],
    ) -> io::Result<()> {
        match RawHeader::of(transmit, device)? {
            RawHeader::V4(header) => {
                self.ipv4.as_ref().ok_or_else(missing)?.send_in_fragments(&header, payload)
            }
            RawHeader::V6(header) => {
                self.ipv6.as_ref().ok_or_else(missing)?.send_in_fragments(&header, payload)
            }
        }
    }
}

/// The channel that carries a message; it has to be writable for that.
pub(crate) fn channel(transmit: &Transmit) -> Channel {
    let ipv6 = transmit.destination.is_ipv6();
    match transmit.encapsulation {
        Encapsulation::Udp { source_port, .. } => Channel::Udp { ipv6, port: source_port },
        Encapsulation::Raw if ipv6 => Channel::Ipv6Alert,
        Encapsulation::Raw => Channel::Ipv4,
    }
}

/// A datagram that leaves by `device`, or by the one that the routing table says.
pub(crate) fn compose<'a>(
    transmit: &Transmit,
    device: Option<u32>,
    payload: &'a [u8],
) -> io::Result<Outgoing<'a>> {
    match transmit.encapsulation {
        Encapsulation::Udp { destination_port, .. } => {
            compose_udp(transmit, device, destination_port, payload)
        }
        Encapsulation::Raw => match RawHeader::of(transmit, device)? {
            RawHeader::V4(header) => Ok(header.before(payload)),
            RawHeader::V6(header) => header.before(payload),
        },
    }
}

/// The header of a message in IP itself.
pub(crate) enum RawHeader {
    V4(Ipv4Header),
    V6(Ipv6Header),
}

impl RawHeader {
    pub(crate) fn of(transmit: &Transmit, device: Option<u32>) -> io::Result<Self> {
        match (transmit.source, transmit.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => Ok(Self::V4(Ipv4Header {
                source,
                destination,
                next_hop: match transmit.next_hop {
                    Some(IpAddr::V4(address)) => Some(address),
                    // A route by way of an IPv6 neighbour: the kernel knows how.
                    Some(IpAddr::V6(_)) | None => None,
                },
                device,
                ttl: transmit.ttl,
                router_alert: transmit.router_alert,
                traffic_class: transmit.traffic_class,
            })),
            (IpAddr::V6(source), IpAddr::V6(destination)) => Ok(Self::V6(Ipv6Header {
                source,
                destination,
                next_hop: match transmit.next_hop {
                    Some(IpAddr::V6(address)) => Some(address),
                    Some(IpAddr::V4(_)) | None => None,
                },
                device,
                hop_limit: transmit.ttl,
                router_alert: transmit.router_alert,
                traffic_class: transmit.traffic_class,
            })),
            _ => Err(io::ErrorKind::InvalidInput.into()),
        }
    }
}

/// `None` where the kernel has no IPv6.
fn if_ipv6<T>(opened: io::Result<T>) -> io::Result<Option<T>> {
    match opened {
        Ok(sockets) => Ok(Some(sockets)),
        Err(error) if error.raw_os_error() == Some(libc::EAFNOSUPPORT) => Ok(None),
        Err(error) => Err(error),
    }
}

/// There is no socket for this family or encapsulation.
fn missing() -> io::Error {
    io::Error::from_raw_os_error(libc::EAFNOSUPPORT)
}
