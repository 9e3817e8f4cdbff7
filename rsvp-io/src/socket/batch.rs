//! Receiving several datagrams with one system call (`recvmmsg`), with their packet information.

#![expect(unsafe_code, reason = "no library resets the lengths of recvmmsg's headers between calls")]

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd, BorrowedFd};

/// Datagrams per system call.
const DATAGRAMS: usize = 32;
/// No IP packet is larger.
const LARGEST: usize = 65_536;
/// Room for the control messages of one datagram: packet information, hop limit and the count of drops.
const CONTROL: usize = 128;

/// Buffers for one `recvmmsg` call, and what the last one brought.
pub(crate) struct Batch {
    buffers: Box<[u8]>,
    controls: Box<[Control]>,
    received: Vec<Received>,
}

/// Control messages start on a boundary of their header.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Control([u8; CONTROL]);

/// What the kernel said of one datagram.
struct Received {
    length: usize,
    control_length: usize,
    truncated: bool,
    source: Name,
}

/// What the socket's address says of the sender.
#[derive(Default)]
struct Name {
    address: Option<IpAddr>,
    port: u16,
    device: u32,
}

/// One received datagram.
#[derive(Debug)]
pub(crate) struct Packet<'a> {
    /// Its bytes, as the socket gives them.
    pub(crate) data: &'a [u8],
    /// Whether something was cut off.
    pub(crate) truncated: bool,
    /// The sender, as the socket's address says.
    pub(crate) source: Option<IpAddr>,
    /// Its port (UDP).
    pub(crate) source_port: u16,
    /// The destination, as the packet information says.
    pub(crate) destination: Option<IpAddr>,
    /// The index of the device that it came in on; 0 if the kernel did not say.
    pub(crate) device: u32,
    /// TTL or hop limit, where the socket does not give the IP header.
    pub(crate) hop_limit: Option<u8>,
    /// Packets that the kernel has dropped so far because the socket's queue was full.
    pub(crate) overflowed: Option<u32>,
}

impl Batch {
    pub(crate) fn new() -> Self {
        Self {
            buffers: vec![0; DATAGRAMS * LARGEST].into(),
            controls: vec![Control([0; CONTROL]); DATAGRAMS].into(),
            received: Vec::with_capacity(DATAGRAMS),
        }
    }

    /// Receives at most `limit` datagrams without blocking; the number is 0 if there is none.
    pub(crate) fn receive(&mut self, fd: BorrowedFd<'_>, limit: usize) -> io::Result<usize> {
        self.received.clear();
        // SAFETY: all-zero bytes are a valid value of these plain C structures.
        let mut names: [libc::sockaddr_storage; DATAGRAMS] = unsafe { std::mem::zeroed() };
        // SAFETY: as above.
        let mut vectors: [libc::iovec; DATAGRAMS] = unsafe { std::mem::zeroed() };
        // SAFETY: as above.
        let mut headers: [libc::mmsghdr; DATAGRAMS] = unsafe { std::mem::zeroed() };
        let parts = self.buffers.chunks_exact_mut(LARGEST).zip(&mut self.controls);
        for (((header, vector), name), (buffer, control)) in
            headers.iter_mut().zip(&mut vectors).zip(&mut names).zip(parts)
        {
            vector.iov_base = buffer.as_mut_ptr().cast();
            vector.iov_len = buffer.len();
            header.msg_hdr.msg_name = (&raw mut *name).cast();
            header.msg_hdr.msg_namelen = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
            header.msg_hdr.msg_iov = vector;
            header.msg_hdr.msg_iovlen = 1;
            header.msg_hdr.msg_control = control.0.as_mut_ptr().cast();
            header.msg_hdr.msg_controllen = CONTROL as _;
        }
        // SAFETY: every header points to buffers of the stated lengths, which outlive the call, and at most
        // `DATAGRAMS` headers are used.
        let count = unsafe {
            libc::recvmmsg(
                fd.as_raw_fd(),
                headers.as_mut_ptr(),
                limit.min(DATAGRAMS) as libc::c_uint,
                libc::MSG_DONTWAIT as _,
                std::ptr::null_mut(),
            )
        };
        let Ok(count) = usize::try_from(count) else {
            let error = io::Error::last_os_error();
            return match error.kind() {
                io::ErrorKind::WouldBlock => Ok(0),
                _ => Err(error),
            };
        };
        for (header, name) in headers.iter().zip(&names).take(count) {
            self.received.push(Received {
                length: (header.msg_len as usize).min(LARGEST),
                control_length: header.msg_hdr.msg_controllen.min(CONTROL),
                truncated: header.msg_hdr.msg_flags & (libc::MSG_TRUNC | libc::MSG_CTRUNC) != 0,
                source: read_name(name),
            });
        }
        Ok(count)
    }

    /// What the last call received.
    pub(crate) fn packets(&self) -> impl Iterator<Item = Packet<'_>> {
        self.received.iter().enumerate().map(|(index, received)| {
            let mut packet = Packet {
                data: &self.buffers[index * LARGEST..][..received.length],
                truncated: received.truncated,
                source: received.source.address,
                source_port: received.source.port,
                destination: None,
                device: received.source.device,
                hop_limit: None,
                overflowed: None,
            };
            read_control(&self.controls[index].0[..received.control_length], &mut packet);
            packet
        })
    }
}

/// What is in a socket address.
fn read_name(name: &libc::sockaddr_storage) -> Name {
    match i32::from(name.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says that the storage, which is large and aligned enough for every family, holds this type.
            let name = unsafe { &*(&raw const *name).cast::<libc::sockaddr_in>() };
            let address = Ipv4Addr::from_bits(u32::from_be(name.sin_addr.s_addr)).into();
            Name { address: Some(address), port: u16::from_be(name.sin_port), device: 0 }
        }
        libc::AF_INET6 => {
            // SAFETY: as above.
            let name = unsafe { &*(&raw const *name).cast::<libc::sockaddr_in6>() };
            let address = Ipv6Addr::from(name.sin6_addr.s6_addr).into();
            Name { address: Some(address), port: u16::from_be(name.sin6_port), device: 0 }
        }
        libc::AF_PACKET => {
            // SAFETY: as above.
            let name = unsafe { &*(&raw const *name).cast::<libc::sockaddr_ll>() };
            Name { address: None, port: 0, device: name.sll_ifindex.cast_unsigned() }
        }
        _ => Name::default(),
    }
}

/// Takes device, destination, hop limit and the count of drops out of the control messages.
fn read_control(mut control: &[u8], packet: &mut Packet<'_>) {
    const HEADER: usize = size_of::<libc::cmsghdr>();
    while let Some((length, rest)) = control.split_first_chunk::<{ size_of::<usize>() }>() {
        let length = usize::from_ne_bytes(*length);
        let Some((level, kind)) = number(rest).zip(rest.get(4..).and_then(number)) else { return };
        let Some(data) = control.get(HEADER..length) else { return };
        match (level, kind) {
            // struct in_pktinfo: device, local address, destination in the header.
            (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                packet.device = number(data).unwrap_or(0).cast_unsigned();
                let header_destination = data.get(8..).and_then(|d| d.first_chunk::<4>());
                packet.destination = header_destination.map(|octets| Ipv4Addr::from(*octets).into());
            }
            // struct in6_pktinfo: destination, device.
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                let destination = data.first_chunk::<16>();
                packet.destination = destination.map(|octets| Ipv6Addr::from(*octets).into());
                packet.device = data.get(16..).and_then(number).unwrap_or(0).cast_unsigned();
            }
            (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT) | (libc::IPPROTO_IP, libc::IP_TTL) => {
                packet.hop_limit = number(data).and_then(|limit| u8::try_from(limit).ok());
            }
            (libc::SOL_SOCKET, libc::SO_RXQ_OVFL) => {
                packet.overflowed = number(data).map(i32::cast_unsigned);
            }
            _ => {}
        }
        control = control.get(length.next_multiple_of(align_of::<libc::cmsghdr>())..).unwrap_or_default();
    }
}

/// A C `int` at the start of `data`.
fn number(data: &[u8]) -> Option<i32> {
    data.first_chunk::<4>().map(|octets| i32::from_ne_bytes(*octets))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::socket::{Whole, classify_ipv4, classify_transit, has_router_alert, parse_ipv4, parse_ipv6};

    proptest! {
        /// Whatever the network (or, for the control messages, the kernel) comes up with.
        #[test]
        fn no_packet_makes_us_panic(data: Vec<u8>, control: Vec<u8>, truncated: bool) {
            let mut packet = Packet {
                data: &data,
                truncated,
                source: None,
                source_port: 0,
                destination: None,
                device: 0,
                hop_limit: None,
                overflowed: None,
            };
            read_control(&control, &mut packet);
            parse_ipv4(&packet);
            parse_ipv6(&packet);
            classify_ipv4(&packet);
            classify_transit(&packet);
            has_router_alert(&packet);
        }

        /// The same, with a beginning that leads further in.
        #[test]
        fn no_sound_header_makes_us_panic(
            version in prop::sample::select(&[0x45, 0x46, 0x4f, 0x60][..]),
            next in prop::sample::select(&[0, 43, 44, 46, 60][..]),
            rest in prop::collection::vec(0_u8..64, 0..200),
        ) {
            let mut data = vec![version, 0, 0, rest.len() as u8, 0, rest.len() as u8, next, 64];
            data.extend(&rest);
            let packet = Packet {
                data: &data,
                truncated: false,
                source: None,
                source_port: 0,
                destination: None,
                device: 0,
                hop_limit: None,
                overflowed: None,
            };
            if let Some(received) = parse_ipv4(&packet) {
                prop_assert!(received.payload.len() < data.len());
            } else {
                prop_assert!(matches!(classify_ipv4(&packet), Whole::Damaged));
            }
            classify_ipv4(&packet);
            classify_transit(&packet);
            has_router_alert(&packet);
        }
    }
}
