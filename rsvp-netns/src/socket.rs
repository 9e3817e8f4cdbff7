//! Sockets that must not lose what reaches them.

use std::io;
use std::net::{IpAddr, UdpSocket};
use std::os::fd::AsFd;

use nix::sys::socket::sockopt::GetStruct;
use nix::sys::socket::{getsockopt, setsockopt, sockopt};
use nix::{getsockopt_impl, sockopt_impl};
use socket2::SockRef;

/// Asked for as a socket's buffer.
const BUFFER: usize = 32 << 20;
/// TTL of packets to groups.
const GROUP_TTL: u32 = 64;
/// How many numbers `SO_MEMINFO` gives, and which of them counts drops (`SK_MEMINFO_DROPS` of `linux/sock_diag.h`).
const NUMBERS: usize = 9;
const DROPS: usize = 8;

sockopt_impl!(
    /// The memory of a socket, in numbers.
    MemoryInformation,
    GetOnly,
    libc::SOL_SOCKET,
    libc::SO_MEMINFO,
    [u32; NUMBERS],
    GetStruct<[u32; NUMBERS]>
);

/// Gives a socket as much room for what it receives as the system lets it have: 32 MB with CAP_NET_ADMIN in the initial
/// namespace, else what `net.core.rmem_max` says.
///
/// # Errors
///
/// It is no socket.
pub fn enlarge(socket: &impl AsFd) -> io::Result<()> {
    if setsockopt(socket, sockopt::RcvBufForce, &BUFFER).is_err() {
        setsockopt(socket, sockopt::RcvBuf, &BUFFER)?;
    }
    Ok(())
}

/// Lets a UDP socket send to groups by the interface that has this address and number, beyond the first router, and not
/// to its own host.
///
/// # Errors
///
/// There is no such interface where the socket is.
pub fn send_to_groups(socket: &UdpSocket, address: IpAddr, interface: u32) -> io::Result<()> {
    let socket = SockRef::from(socket);
    match address {
        IpAddr::V4(address) => {
            socket.set_multicast_if_v4(&address)?;
            socket.set_multicast_ttl_v4(GROUP_TTL)?;
            socket.set_multicast_loop_v4(false)
        }
        IpAddr::V6(_) => {
            socket.set_multicast_if_v6(interface)?;
            socket.set_multicast_hops_v6(GROUP_TTL)?;
            socket.set_multicast_loop_v6(false)
        }
    }
}

/// How many packets did not find room in a socket's buffer.
///
/// # Errors
///
/// It is no socket.
pub fn drops(socket: &impl AsFd) -> io::Result<u64> {
    Ok(getsockopt(socket, MemoryInformation)?[DROPS].into())
}
