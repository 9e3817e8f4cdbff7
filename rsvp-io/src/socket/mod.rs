//! Sockets for RSVP: raw ones (IP protocol 46), one file per address family, one below IP, and UDP.

mod batch;
mod ipv4;
mod ipv6;
mod outgoing;
mod packet;
mod udp;

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use libc::c_int;
use socket2::{SockFilter, Socket};

pub(crate) use batch::{Batch, Packet};
pub(crate) use ipv4::{Ipv4Header, Ipv4Sockets, classify as classify_ipv4, parse as parse_ipv4};
pub(crate) use ipv6::{
    Ipv6Header, Ipv6Sockets, Transit, classify as classify_transit, has_router_alert,
    parse_local as parse_ipv6,
};
pub(crate) use outgoing::{LinkAddress, Outgoing, send, send_one};
pub(crate) use packet::PacketSocket;
pub(crate) use udp::{UdpSocket, compose as compose_udp, parse as parse_udp};

/// RSVP's IP protocol number.
pub(crate) const IPPROTO_RSVP: c_int = 46;

/// Room for bursts: a neighbour may refresh thousands of states at once.
const SOCKET_BUFFER: usize = 4 << 20;

/// `TC_PRIO_INTERACTIVE`: the band that default queueing disciplines serve first.
const PRIORITY_INTERACTIVE: c_int = 6;

/// An RSVP message and what its IP header says.
#[derive(Debug)]
pub(crate) struct Received<'a> {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) ttl: Option<u8>,
    pub(crate) payload: &'a [u8],
}

/// An IP packet as the link brought it.
#[derive(Debug)]
pub(crate) enum Whole<'a> {
    /// An RSVP message, and whether it asks routers to look at it.
    Message { received: Received<'a>, router_alert: bool },
    /// A fragment of one.
    Fragment,
    /// Something else.
    Other,
    /// Not a sound packet.
    Damaged,
}

/// Sets a socket option that the libraries have no name for.
#[expect(unsafe_code, reason = "there is no other way to set an option by its number")]
fn set_option_bytes(socket: impl AsFd, level: c_int, name: c_int, value: &[u8]) -> io::Result<()> {
    // SAFETY: the pointer and the length describe `value`, which lives until the call returns.
    let result = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            level,
            name,
            value.as_ptr().cast(),
            value.len() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Sets an integer socket option.
fn set_option(socket: impl AsFd, level: c_int, name: c_int, value: c_int) -> io::Result<()> {
    set_option_bytes(socket, level, name, &value.to_ne_bytes())
}

/// Makes a socket's buffers so large: beyond the system's limit where that is allowed, else up to it.
pub(crate) fn enlarge_buffers(socket: BorrowedFd<'_>, octets: usize) -> io::Result<()> {
    for (force, ordinary) in
        [(libc::SO_RCVBUFFORCE, libc::SO_RCVBUF), (libc::SO_SNDBUFFORCE, libc::SO_SNDBUF)]
    {
        let octets = c_int::try_from(octets).unwrap_or(c_int::MAX);
        if set_option(socket, libc::SOL_SOCKET, force, octets).is_err() {
            set_option(socket, libc::SOL_SOCKET, ordinary, octets)?;
        }
    }
    Ok(())
}

/// A non-blocking raw socket with generous buffers whose packets are served early.
fn raw_socket(domain: socket2::Domain, protocol: c_int) -> io::Result<Socket> {
    let socket = Socket::new(domain, socket2::Type::RAW.nonblocking(), Some(protocol.into()))?;
    prepare(&socket)?;
    Ok(socket)
}

/// Gives a socket generous buffers, has its packets served early, and has it tell of drops.
fn prepare(socket: &Socket) -> io::Result<()> {
    enlarge_buffers(socket.as_fd(), SOCKET_BUFFER)?;
    set_option(socket, libc::SOL_SOCKET, libc::SO_PRIORITY, PRIORITY_INTERACTIVE)?;
    set_option(socket, libc::SOL_SOCKET, libc::SO_RXQ_OVFL, 1)
}

/// Makes a socket for sending only: nothing that arrives is queued on it.
fn refuse_input(socket: &Socket) -> io::Result<()> {
    let accept_nothing = [SockFilter::new((libc::BPF_RET | libc::BPF_K) as u16, 0, 0, 0)];
    socket.attach_filter(&accept_nothing)
}
