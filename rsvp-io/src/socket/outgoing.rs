//! Sending several datagrams with one system call (`sendmmsg`), each with its own control messages.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsRawFd, BorrowedFd};

use libc::c_int;
use socket2::{SockAddr, SockAddrStorage};

/// Datagrams per system call: as many as the loop hands over at once.
const DATAGRAMS: usize = 32;
/// The largest header of our making: IPv6 with a Router Alert.
const HEADER: usize = 48;
/// Packet information, hop limit and traffic class of IPv6, the largest that there is.
const CONTROL: usize = 40 + 24 + 24;
const CONTROL_HEADER: usize = size_of::<libc::cmsghdr>();

/// A datagram, as `sendmmsg` takes it.
#[derive(Debug)]
pub(crate) struct Outgoing<'a> {
    header: [u8; HEADER],
    header_length: usize,
    payload: &'a [u8],
    control: Control,
    control_length: usize,
    to: SockAddr,
}

/// Control messages start on a boundary of their header.
#[repr(C, align(8))]
#[derive(Debug)]
struct Control([u8; CONTROL]);

/// The address of a device on a link, as hardware has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LinkAddress {
    octets: [u8; 8],
    length: u8,
}

impl LinkAddress {
    /// `None` if it is longer than those of Ethernet and the like.
    pub(crate) fn new(address: &[u8]) -> Option<Self> {
        let mut octets = [0; 8];
        octets.get_mut(..address.len())?.copy_from_slice(address);
        Some(Self { octets, length: address.len() as u8 })
    }

    /// The address of a group on Ethernet (RFC 1112 section 6.4, RFC 2464 section 7).
    pub(crate) fn of_group(group: IpAddr) -> Self {
        let octets = match group {
            IpAddr::V4(group) => {
                let [_, a, b, c] = group.octets();
                [0x01, 0, 0x5e, a & 0x7f, b, c, 0, 0]
            }
            IpAddr::V6(group) => {
                let [.., a, b, c, d] = group.octets();
                [0x33, 0x33, a, b, c, d, 0, 0]
            }
        };
        Self { octets, length: 6 }
    }
}

impl<'a> Outgoing<'a> {
    pub(crate) fn new(to: impl Into<SocketAddr>, payload: &'a [u8]) -> Self {
        Self::sent_to(SockAddr::from(to.into()), payload)
    }

    /// A packet for a packet socket.
    pub(crate) fn by_link(device: u32, to: LinkAddress, payload: &'a [u8], ipv6: bool) -> Self {
        let protocol = if ipv6 { libc::ETH_P_IPV6 } else { libc::ETH_P_IP };
        Self::sent_to(link_name(device, to, protocol as u16), payload)
    }

    fn sent_to(to: SockAddr, payload: &'a [u8]) -> Self {
        let control = Control([0; CONTROL]);
        Self { header: [0; HEADER], header_length: 0, payload, control, control_length: 0, to }
    }

    /// Puts something before the payload: an IP header of our making.
    pub(crate) fn header(mut self, header: &[u8]) -> Self {
        self.header[..header.len()].copy_from_slice(header);
        self.header_length = header.len();
        self
    }

    /// Chooses the device to leave by, and the source address if it is not unspecified.
    pub(crate) fn ipv4_packet_information(self, device: Option<u32>, source: Ipv4Addr) -> Self {
        let mut information = [0; size_of::<libc::in_pktinfo>()];
        information[..4].copy_from_slice(&device.unwrap_or(0).to_ne_bytes());
        information[4..8].copy_from_slice(&source.octets());
        self.control(libc::IPPROTO_IP, libc::IP_PKTINFO, &information)
    }

    /// The same of IPv6.
    pub(crate) fn ipv6_packet_information(self, device: Option<u32>, source: Ipv6Addr) -> Self {
        let mut information = [0; size_of::<libc::in6_pktinfo>()];
        information[..16].copy_from_slice(&source.octets());
        information[16..].copy_from_slice(&device.unwrap_or(0).to_ne_bytes());
        self.control(libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, &information)
    }

    /// Chooses what the kernel puts into the IPv4 header that it makes.
    pub(crate) fn ipv4_fields(self, ttl: u8, traffic_class: u8) -> Self {
        self.control(libc::IPPROTO_IP, libc::IP_TTL, &c_int::from(ttl).to_ne_bytes()).control(
            libc::IPPROTO_IP,
            libc::IP_TOS,
            &[traffic_class],
        )
    }

    /// The same of IPv6.
    pub(crate) fn ipv6_fields(self, hop_limit: u8, traffic_class: u8) -> Self {
        let [limit, class] = [hop_limit, traffic_class].map(|value| c_int::from(value).to_ne_bytes());
        self.control(libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT, &limit).control(
            libc::IPPROTO_IPV6,
            libc::IPV6_TCLASS,
            &class,
        )
    }

    fn control(mut self, level: c_int, kind: c_int, data: &[u8]) -> Self {
        let length = CONTROL_HEADER + data.len();
        let place = &mut self.control.0[self.control_length..];
        place[..size_of::<usize>()].copy_from_slice(&length.to_ne_bytes());
        place[CONTROL_HEADER - 8..CONTROL_HEADER - 4].copy_from_slice(&level.to_ne_bytes());
        place[CONTROL_HEADER - 4..CONTROL_HEADER].copy_from_slice(&kind.to_ne_bytes());
        place[CONTROL_HEADER..length].copy_from_slice(data);
        self.control_length += length.next_multiple_of(align_of::<libc::cmsghdr>());
        self
    }
}

/// The name of a device on a link, for a packet socket.
#[expect(unsafe_code, reason = "no library makes a generic socket address of a link's")]
fn link_name(device: u32, to: LinkAddress, protocol: u16) -> SockAddr {
    let mut storage = SockAddrStorage::zeroed();
    // SAFETY: the storage is large and aligned enough for every socket address, and zero is a valid value of this one.
    let name = unsafe { storage.view_as::<libc::sockaddr_ll>() };
    name.sll_family = libc::AF_PACKET as libc::sa_family_t;
    name.sll_protocol = protocol.to_be();
    name.sll_ifindex = device.cast_signed();
    name.sll_halen = to.length;
    name.sll_addr = to.octets;
    // SAFETY: the storage holds an address of this length.
    unsafe { SockAddr::new(storage, size_of::<libc::sockaddr_ll>() as libc::socklen_t) }
}

/// Sends datagrams in their order without blocking; tells how many are gone. There is an error only if the first cannot
/// be sent: of a later one it is told when that one is the first.
pub(crate) fn send(fd: BorrowedFd<'_>, datagrams: &[Outgoing<'_>]) -> io::Result<usize> {
    match datagrams {
        // Most often: not to prepare for many costs less.
        [_] => send_up_to::<1>(fd, datagrams),
        _ => send_up_to::<DATAGRAMS>(fd, datagrams),
    }
}

#[expect(unsafe_code, reason = "no library gives each message of sendmmsg control messages of its own")]
fn send_up_to<const LIMIT: usize>(fd: BorrowedFd<'_>, datagrams: &[Outgoing<'_>]) -> io::Result<usize> {
    // SAFETY: all-zero bytes are a valid value of these plain C structures.
    let mut vectors: [[libc::iovec; 2]; LIMIT] = unsafe { std::mem::zeroed() };
    // SAFETY: as above.
    let mut headers: [libc::mmsghdr; LIMIT] = unsafe { std::mem::zeroed() };
    for ((header, vectors), datagram) in headers.iter_mut().zip(&mut vectors).zip(datagrams) {
        let parts = [&datagram.header[..datagram.header_length], datagram.payload];
        for (vector, part) in vectors.iter_mut().zip(parts) {
            vector.iov_base = part.as_ptr().cast_mut().cast();
            vector.iov_len = part.len();
        }
        let message = &mut header.msg_hdr;
        message.msg_name = datagram.to.as_ptr().cast_mut().cast();
        message.msg_namelen = datagram.to.len();
        message.msg_iov = vectors.as_mut_ptr();
        message.msg_iovlen = vectors.len();
        if datagram.control_length > 0 {
            message.msg_control = datagram.control.0.as_ptr().cast_mut().cast();
            message.msg_controllen = datagram.control_length as _;
        }
    }
    let count = datagrams.len().min(LIMIT);
    // SAFETY: the first `count` headers point to data of the stated lengths, which outlives the call and which the
    // kernel only reads.
    let sent = unsafe {
        libc::sendmmsg(fd.as_raw_fd(), headers.as_mut_ptr(), count as libc::c_uint, libc::MSG_DONTWAIT as _)
    };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// Sends one.
pub(crate) fn send_one(fd: BorrowedFd<'_>, datagram: &Outgoing<'_>) -> io::Result<()> {
    send(fd, std::slice::from_ref(datagram)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel is told, word by word.
    #[test]
    fn control_messages_are_laid_out_as_the_kernel_reads_them() {
        let to = SocketAddr::from((Ipv6Addr::LOCALHOST, 0));
        let datagram =
            Outgoing::new(to, b"").ipv6_packet_information(Some(7), Ipv6Addr::LOCALHOST).ipv6_fields(9, 0xc0);
        assert_eq!(datagram.control_length, CONTROL);
        let mut rest = &datagram.control.0[..datagram.control_length];
        let mut told = Vec::new();
        while let Some(length) = rest.first_chunk().map(|octets| usize::from_ne_bytes(*octets)) {
            let word = |at: usize| rest[at..].first_chunk().map(|octets| c_int::from_ne_bytes(*octets));
            told.push((word(8), word(12), rest[16..length].to_vec()));
            rest = &rest[length.next_multiple_of(8)..];
        }
        let ipv6 = Some(libc::IPPROTO_IPV6);
        let mut information = Ipv6Addr::LOCALHOST.octets().to_vec();
        information.extend(7_u32.to_ne_bytes());
        let expected = [
            (ipv6, Some(libc::IPV6_PKTINFO), information),
            (ipv6, Some(libc::IPV6_HOPLIMIT), 9_i32.to_ne_bytes().to_vec()),
            (ipv6, Some(libc::IPV6_TCLASS), 0xc0_i32.to_ne_bytes().to_vec()),
        ];
        assert_eq!(told, expected);
    }
}
