//! IPv4 packets of one protocol, in and out, past an interface of this host.

use std::io::{self, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recvmsg, setsockopt, sockopt};
use nix::sys::time::TimeSpec;
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Socket, Type};

/// A raw socket that hears the packets of a protocol that come for this host by one interface, whole again if they were
/// fragments, and sends any.
#[derive(Debug)]
pub struct RawSocket(Socket);

impl RawSocket {
    /// Opens one on an interface of the calling thread's namespace, where it joins groups: what is for them comes for this
    /// host then.
    ///
    /// # Errors
    ///
    /// There is no such interface, the process has no CAP_NET_RAW, or the system lets one join no more groups.
    pub fn open(interface: &str, protocol: u8, groups: &[Ipv4Addr]) -> io::Result<Self> {
        let index = nix::net::if_::if_nametoindex(interface)
            .map_err(|_| io::Error::new(io::ErrorKind::NotFound, "no such interface"))?;
        let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::from(i32::from(protocol))))?;
        socket.bind_device(Some(interface.as_bytes()))?;
        socket.set_header_included_v4(true)?;
        socket.set_multicast_loop_v4(false)?;
        crate::socket::enlarge(&socket)?;
        setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
        for group in groups {
            socket.join_multicast_v4_n(group, &InterfaceIndexOrAddress::Index(index))?;
        }
        Ok(Self(socket))
    }

    /// Takes a packet that has come, from its IP header on and as much of it as there is room for, with its length there and
    /// when the kernel had it, since the Unix epoch; `None` if there is none.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn receive(&self, buffer: &mut [u8]) -> io::Result<Option<(usize, Duration)>> {
        let mut control = nix::cmsg_space!(TimeSpec);
        loop {
            let mut parts = [IoSliceMut::new(buffer)];
            let (socket, flags) = (self.0.as_raw_fd(), MsgFlags::MSG_DONTWAIT);
            match recvmsg::<()>(socket, &mut parts, Some(&mut control), flags) {
                Ok(message) => {
                    return Ok(Some((message.bytes, crate::packet::timestamp(message.cmsgs()?))));
                }
                Err(Errno::EAGAIN) => return Ok(None),
                // What the network says of packets sent before is no news to who waits for packets.
                Err(Errno::EINTR | Errno::ENETDOWN | Errno::EHOSTUNREACH | Errno::ENETUNREACH) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Sends a packet, IP header and all, by way of a neighbour on the interface, or to the group that it is for. Its
    /// length, its checksum and a missing identification are the kernel's to fill in.
    ///
    /// # Errors
    ///
    /// The interface is down, or the packet is too long for it.
    pub fn send(&self, packet: &[u8], to: Ipv4Addr) -> io::Result<()> {
        self.0.send_to(packet, &SocketAddrV4::new(to, 0).into())?;
        Ok(())
    }
}

impl AsFd for RawSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
