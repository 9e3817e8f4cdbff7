//! The groups that this node is in.
//!
//! The kernel lets a socket join a few groups only (20 by default, `net.ipv4.igmp_max_memberships`), so sockets that
//! do nothing else hold the memberships. What then comes for a group is delivered to the sockets that receive
//! RSVP, and so is what comes for groups that other programs have joined.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;

use rsvp_core::InterfaceId;
use socket2::{Domain, InterfaceIndexOrAddress, Socket, Type};

/// Where groups are joined.
#[derive(Debug)]
pub(crate) struct Memberships {
    /// By group and device.
    joined: BTreeMap<(IpAddr, u32), Joined>,
    sockets: Vec<Holder>,
}

/// A socket that holds memberships. It has no port, so nothing is ever delivered to it.
#[derive(Debug)]
struct Holder {
    socket: Socket,
    ipv6: bool,
}

/// How many sockets each family has for it.
const HOLDERS: usize = 8;

/// A membership.
#[derive(Clone, Copy, Debug)]
struct Joined {
    /// The number of the socket that holds it.
    socket: usize,
    interface: InterfaceId,
}

impl Memberships {
    /// Opens the sockets, all at once: later the caller may be in another network namespace.
    pub(crate) fn open() -> io::Result<Self> {
        let mut sockets = Vec::new();
        for ipv6 in [false, true] {
            for _ in 0..HOLDERS {
                let domain = if ipv6 { Domain::IPV6 } else { Domain::IPV4 };
                match Socket::new(domain, Type::DGRAM, None) {
                    Ok(socket) => sockets.push(Holder { socket, ipv6 }),
                    Err(error) if ipv6 && error.raw_os_error() == Some(libc::EAFNOSUPPORT) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(Self { joined: BTreeMap::new(), sockets })
    }

    /// The groups that are joined, and on which interfaces.
    pub(crate) fn joined(&self) -> impl Iterator<Item = (IpAddr, InterfaceId)> {
        self.joined.iter().map(|((group, _), joined)| (*group, joined.interface))
    }

    /// Joins what is wanted and not joined, leaves what is joined and not wanted: groups, by devices and their interfaces.
    pub(crate) fn settle(&mut self, wanted: impl Iterator<Item = (IpAddr, u32, InterfaceId)>) {
        let wanted: BTreeMap<_, _> = wanted.map(|(group, device, id)| ((group, device), id)).collect();
        // A device that is another interface now may have lost its memberships.
        let stale = self.joined.iter().filter(|(key, joined)| wanted.get(*key) != Some(&joined.interface));
        let left: Vec<_> = stale.map(|(key, _)| *key).collect();
        for (group, device) in left {
            if let Some(joined) = self.joined.remove(&(group, device)) {
                // The device may be gone, and the membership with it.
                let left = change(&self.sockets[joined.socket].socket, group, device, false);
                tracing::debug!(%group, device, ?left, "left");
            }
        }
        for ((group, device), interface) in wanted {
            if self.joined.contains_key(&(group, device)) {
                continue;
            }
            match self.join(group, device, interface) {
                Ok(()) => tracing::debug!(%group, device, "joined"),
                // Tried again when an interface changes.
                Err(error) => tracing::warn!(%group, device, %error, "the group cannot be joined"),
            }
        }
    }

    fn join(&mut self, group: IpAddr, device: u32, interface: InterfaceId) -> io::Result<()> {
        let mut sockets = self.sockets.iter().enumerate().filter(|(_, it)| it.ipv6 == group.is_ipv6());
        loop {
            let Some((number, it)) = sockets.next() else {
                let words =
                    "as many groups are joined as net.ipv4.igmp_max_memberships lets a few sockets join";
                return Err(io::Error::other(words));
            };
            match change(&it.socket, group, device, true) {
                // This socket is in as many groups as it may.
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => {}
                result => {
                    if result.is_ok() {
                        self.joined.insert((group, device), Joined { socket: number, interface });
                    }
                    return result;
                }
            }
        }
    }
}

fn change(socket: &Socket, group: IpAddr, device: u32, join: bool) -> io::Result<()> {
    let place = InterfaceIndexOrAddress::Index(device);
    match (group, join) {
        (IpAddr::V4(group), true) => socket.join_multicast_v4_n(&group, &place),
        (IpAddr::V4(group), false) => socket.leave_multicast_v4_n(&group, &place),
        (IpAddr::V6(group), true) => socket.join_multicast_v6(&group, device),
        (IpAddr::V6(group), false) => socket.leave_multicast_v6(&group, device),
    }
}
