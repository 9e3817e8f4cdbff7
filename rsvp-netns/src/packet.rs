//! Whole Ethernet frames, in and out.

use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::sockopt::SetStruct;
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, LinkAddr, MsgFlags, SockFlag, SockProtocol, SockType, bind, recvmsg,
    send, setsockopt, socket, sockopt,
};
use nix::sys::time::TimeSpec;
use nix::{setsockopt_impl, sockopt_impl};

/// A socket that hears every frame on one interface, whoever it is for, and sends any.
#[derive(Debug)]
pub struct PacketSocket {
    socket: OwnedFd,
    index: usize,
}

/// A frame that was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeardFrame {
    /// Its length, which may be more than there was room for.
    pub length: usize,
    /// When the kernel had it, since the Unix epoch.
    pub time: Duration,
    /// Whether this host sent it.
    pub is_own: bool,
}

sockopt_impl!(
    /// Takes part in something of an interface; here, in all that passes it.
    AddMembership,
    SetOnly,
    libc::SOL_PACKET,
    libc::PACKET_ADD_MEMBERSHIP,
    libc::packet_mreq,
    SetStruct<libc::packet_mreq>
);

impl PacketSocket {
    /// Opens one on an interface of the calling thread's namespace.
    ///
    /// # Errors
    ///
    /// There is no such interface, or the process has no CAP_NET_RAW.
    pub fn open(interface: &str) -> io::Result<Self> {
        let address = link_address(interface)?;
        let socket =
            socket(AddressFamily::Packet, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::EthAll)?;
        bind(socket.as_raw_fd(), &address)?;
        crate::socket::enlarge(&socket)?;
        setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
        let membership = libc::packet_mreq {
            mr_ifindex: i32::try_from(address.ifindex()).map_err(io::Error::other)?,
            mr_type: libc::PACKET_MR_PROMISC as u16,
            mr_alen: 0,
            mr_address: [0; 8],
        };
        setsockopt(&socket, AddMembership, &membership)?;
        Ok(Self { socket, index: address.ifindex() })
    }

    /// Takes a frame that has come, as much of it as there is room for; `None` if there is none, at once or, where the
    /// socket has a receive timeout and `waits` is set, after it.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn receive(&self, buffer: &mut [u8], waits: bool) -> io::Result<Option<HeardFrame>> {
        let flags = if waits { MsgFlags::MSG_TRUNC } else { MsgFlags::MSG_TRUNC | MsgFlags::MSG_DONTWAIT };
        let mut control = nix::cmsg_space!(TimeSpec);
        loop {
            let mut parts = [IoSliceMut::new(buffer)];
            match recvmsg::<LinkAddr>(self.socket.as_raw_fd(), &mut parts, Some(&mut control), flags) {
                Ok(message) => {
                    // Before it was bound, the socket heard every interface.
                    let Some(from) = message.address.filter(|from| from.ifindex() == self.index) else {
                        continue;
                    };
                    let is_own = from.pkttype() == libc::PACKET_OUTGOING;
                    let time = timestamp(message.cmsgs()?);
                    return Ok(Some(HeardFrame { length: message.bytes, time, is_own }));
                }
                Err(Errno::EAGAIN) => return Ok(None),
                // A link that goes down is said once; it may come up again.
                Err(Errno::EINTR | Errno::ENETDOWN) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Sends a frame.
    ///
    /// # Errors
    ///
    /// The interface is down, or the frame is too long for it.
    pub fn send(&self, frame: &[u8]) -> io::Result<()> {
        send(self.socket.as_raw_fd(), frame, MsgFlags::empty())?;
        Ok(())
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn link_address(interface: &str) -> io::Result<LinkAddr> {
    nix::ifaddrs::getifaddrs()?
        .filter(|entry| entry.interface_name == interface)
        .find_map(|entry| entry.address?.as_link_addr().copied())
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no such interface"))
}

pub(crate) fn timestamp(mut messages: impl Iterator<Item = ControlMessageOwned>) -> Duration {
    messages
        .find_map(|message| match message {
            ControlMessageOwned::ScmTimestampns(time) => Some(time.into()),
            _ => None,
        })
        .unwrap_or_default()
}
