//! Sockets below IP: for all RSVP, or for what a router hears over IPv6 on its way to groups.
//!
//! As to the latter: the kernel does not hand a packet to a group to the socket that has asked for Router Alerts; it
//! forwards it, and delivers it only where the group was joined. A router does not know beforehand to which groups Path
//! messages will be sent. So it listens below IP, to all groups alike; what the kernel forwards meanwhile is dropped (see
//! [`Guard`](crate::guard::Guard)). IPv4 needs none of this.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use libc::c_int;
use socket2::{Domain, Protocol, SockFilter, Socket, Type};

use super::{IPPROTO_RSVP, PRIORITY_INTERACTIVE, SOCKET_BUFFER, enlarge_buffers, set_option};

/// A packet socket of one family.
pub(crate) struct PacketSocket {
    socket: Socket,
}

/// Where an IPv4 header has the protocol.
const PROTOCOL: u32 = 9;
/// An IPv6 header, counted in octets.
const HEADER: u32 = 40;
const NEXT_HEADER: u32 = 6;
const DESTINATION: u32 = 24;
/// Headers that RSVP may follow.
const EXTENSIONS: [c_int; 3] = [libc::IPPROTO_ROUTING, libc::IPPROTO_FRAGMENT, libc::IPPROTO_DSTOPTS];

impl PacketSocket {
    /// One for RSVP over IPv6 to groups.
    pub(crate) fn open_groups() -> io::Result<Self> {
        Self::open(libc::ETH_P_IPV6, &filter6(Some(0xff)))
    }

    /// One for all RSVP of a family that comes in, on every device. It hears nothing that this host sends.
    pub(crate) fn open_all(ipv6: bool) -> io::Result<Self> {
        let socket = match ipv6 {
            false => Self::open(libc::ETH_P_IP, &filter4())?,
            true => Self::open(libc::ETH_P_IPV6, &filter6(None))?,
        };
        set_option(&socket.socket, libc::SOL_SOCKET, libc::SO_PRIORITY, PRIORITY_INTERACTIVE)?;
        Ok(socket)
    }

    fn open(protocol: c_int, filter: &[SockFilter]) -> io::Result<Self> {
        // "Datagram" takes the link's header off. The protocol is in network order.
        let protocol = Protocol::from(c_int::from((protocol as u16).to_be()));
        let socket = Socket::new(Domain::PACKET, Type::DGRAM.nonblocking(), Some(protocol))?;
        // What came before the filter was there is told apart later, like everything that the filter lets pass.
        socket.attach_filter(filter)?;
        enlarge_buffers(socket.as_fd(), SOCKET_BUFFER)?;
        set_option(&socket, libc::SOL_SOCKET, libc::SO_RXQ_OVFL, 1)?;
        Ok(Self { socket })
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Lets pass RSVP over IPv4.
fn filter4() -> Vec<SockFilter> {
    let mut program = Program::default();
    program.drop_other_hosts();
    program.load(libc::BPF_B, PROTOCOL);
    program.drop_unless(IPPROTO_RSVP.cast_unsigned());
    program.finish(u32::MAX);
    program.0
}

/// Lets pass what may be RSVP over IPv6, to destinations that begin with this octet: behind a hop-by-hop header, or not, and
/// perhaps behind other headers.
fn filter6(destination: Option<u32>) -> Vec<SockFilter> {
    let mut program = Program::default();
    if let Some(octet) = destination {
        program.load(libc::BPF_B, DESTINATION);
        program.drop_unless(octet);
    }
    program.drop_other_hosts();
    program.load(libc::BPF_B, NEXT_HEADER);
    program.accept_rsvp_or_extension();
    program.drop_unless(libc::IPPROTO_HOPOPTS.cast_unsigned());
    program.load(libc::BPF_B, HEADER);
    program.accept_rsvp_or_extension();
    program.finish(0);
    program.0
}

/// Drops what goes to a group: for a socket that receives RSVP which is addressed to this host.
pub(super) fn drop_groups() -> Vec<SockFilter> {
    let mut program = Program::default();
    program.load(libc::BPF_B, libc::SKF_NET_OFF.cast_unsigned().wrapping_add(DESTINATION));
    program.drop_if(0xff);
    program.finish(u32::MAX);
    program.0
}

/// A program for the kernel's classic packet filter.
#[derive(Default)]
struct Program(Vec<SockFilter>);

impl Program {
    fn load(&mut self, size: u32, offset: u32) {
        self.0.push(SockFilter::new((libc::BPF_LD | size | libc::BPF_ABS) as u16, 0, 0, offset));
    }

    fn equal(&mut self, value: u32, skip_if: u8, skip_unless: u8) {
        let code = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
        self.0.push(SockFilter::new(code, skip_if, skip_unless, value));
    }

    /// Ends: so many octets of the packet pass.
    fn finish(&mut self, octets: u32) {
        self.0.push(SockFilter::new((libc::BPF_RET | libc::BPF_K) as u16, 0, 0, octets));
    }

    fn drop_unless(&mut self, value: u32) {
        self.equal(value, 1, 0);
        self.finish(0);
    }

    fn drop_if(&mut self, value: u32) {
        self.equal(value, 0, 1);
        self.finish(0);
    }

    /// Drops what the link carried to another host.
    fn drop_other_hosts(&mut self) {
        self.load(libc::BPF_W, (libc::SKF_AD_OFF + libc::SKF_AD_PKTTYPE).cast_unsigned());
        self.drop_if(u32::from(libc::PACKET_OTHERHOST));
    }

    fn accept_rsvp_or_extension(&mut self) {
        for header in [IPPROTO_RSVP].into_iter().chain(EXTENSIONS) {
            self.equal(header.cast_unsigned(), 0, 1);
            self.finish(u32::MAX);
        }
    }
}
