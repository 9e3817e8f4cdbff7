//! The kernel's neighbour table: which address on the link a neighbour has.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::os::fd::BorrowedFd;

use netlink_bindings::traits::NetlinkRequest;
use netlink_bindings::{rt_neigh, rt_route};

use super::{Message, Netlink, NetlinkError};
use crate::socket::LinkAddress;

/// A neighbour on the link of a device.
pub(crate) type Neighbor = (u32, IpAddr);

/// The states in which the kernel itself would use an address.
const VALID: u16 = libc::NUD_PERMANENT
    | libc::NUD_NOARP
    | libc::NUD_REACHABLE
    | libc::NUD_PROBE
    | libc::NUD_STALE
    | libc::NUD_DELAY;

/// What is known of neighbours. The kernel finds them, keeps them up to date, and tells of changes.
pub(crate) struct Neighbors {
    notifications: Netlink,
    requests: Netlink,
    known: HashMap<Neighbor, Known>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    address: LinkAddress,
    /// The kernel has not heard of it for a while, and is to ask when it is used.
    is_stale: bool,
}

/// What the kernel tells of a neighbour.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    /// Its address on the link is this.
    Found(Neighbor, LinkAddress),
    /// It does not answer, or its link is gone.
    Failed(Neighbor),
    /// Something was not told: look for all that is wanted again.
    Lost,
}

impl Neighbors {
    pub(crate) fn open() -> io::Result<Self> {
        let notifications = Netlink::open(netlink_sys::protocols::NETLINK_ROUTE)?;
        notifications.subscribe(libc::RTNLGRP_NEIGH)?;
        let requests = Netlink::open(netlink_sys::protocols::NETLINK_ROUTE)?;
        Ok(Self { notifications, requests, known: HashMap::new() })
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.notifications.fd()
    }

    /// The address of a neighbour. `None`: the kernel was asked to find it, and tells later.
    pub(crate) fn find(&mut self, neighbor: Neighbor) -> Result<Option<LinkAddress>, NetlinkError> {
        if !self.known.contains_key(&neighbor) {
            self.look_up(neighbor);
        }
        let known = self.known.get_mut(&neighbor).map(|known| {
            let is_stale = std::mem::take(&mut known.is_stale);
            (known.address, is_stale)
        });
        match known {
            Some((address, false)) => return Ok(Some(address)),
            Some(_) => self.use_neighbor(neighbor)?,
            None => {
                self.use_neighbor(neighbor)?;
                // Where there is nothing to ask for (a link without addresses), it is known at once, and never told.
                self.look_up(neighbor);
            }
        }
        Ok(self.known.get(&neighbor).map(|known| known.address))
    }

    /// Has the kernel behave as if it had sent something to the neighbour: it asks who that is.
    fn use_neighbor(&mut self, neighbor: Neighbor) -> Result<(), NetlinkError> {
        let header = rt_neigh::Ndmsg { ndm_flags: libc::NTF_USE, ..header(neighbor) };
        let mut request = rt_neigh::Request::new().set_create().op_newneigh_do(&header);
        request.encode().push_dst(neighbor.1);
        self.requests.call(&request, |_| {})
    }

    /// Whether the kernel looks for a neighbour now, or has found it: then an end of which it told was that of an earlier search.
    pub(crate) fn is_sought(&mut self, neighbor: Neighbor) -> bool {
        self.look_up(neighbor) & (libc::NUD_INCOMPLETE | VALID) != 0
    }

    /// Tells the state, too; 0 is none.
    fn look_up(&mut self, neighbor: Neighbor) -> u16 {
        let Self { requests, known, .. } = self;
        let mut state = libc::NUD_NONE;
        let mut request = rt_neigh::Request::new().op_getneigh_do(&header(neighbor));
        request.encode().push_dst(neighbor.1);
        let looked_up = requests.call(&request, |(header, attributes)| {
            state = header.ndm_state;
            if let Some(found) = read(&header, &attributes) {
                known.insert(neighbor, found);
            }
        });
        if let Err(error) = looked_up {
            tracing::trace!(?neighbor, %error, "no such neighbour yet");
        }
        state
    }

    /// Takes in at most `budget` notifications; says whether there may be more.
    pub(crate) fn read(&mut self, budget: usize, tell: &mut dyn FnMut(Change)) -> io::Result<bool> {
        let Self { notifications, known, .. } = self;
        for _ in 0..budget {
            match notifications.receive() {
                Ok(Some(messages)) => {
                    messages.filter_map(|message| on_message(&message, known)).for_each(&mut *tell);
                }
                Ok(None) => return Ok(false),
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => {
                    known.clear();
                    tell(Change::Lost);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Asks the routing table for the neighbour that is next on the way to a destination, by this device if it is given.
    pub(crate) fn next_hop(&mut self, destination: IpAddr, device: Option<u32>) -> io::Result<Neighbor> {
        let (family, bits) = match destination {
            IpAddr::V4(_) => (libc::AF_INET, 32),
            IpAddr::V6(_) => (libc::AF_INET6, 128),
        };
        let header =
            rt_route::Rtmsg { rtm_family: family as u8, rtm_dst_len: bits, ..rt_route::Rtmsg::new() };
        let mut request = rt_route::Request::new().op_getroute_do(&header);
        request.encode().push_dst(destination);
        if let Some(device) = device {
            request.encode().push_oif(device);
        }
        let mut found = None;
        self.requests.call(&request, |(header, attributes)| {
            let device = attributes.get_oif().ok();
            let is_forwarded = matches!(header.rtm_type, libc::RTN_UNICAST | libc::RTN_MULTICAST);
            found = device.filter(|_| is_forwarded).map(|device| {
                let gateway = attributes.get_gateway().or_else(|_| attributes.get_via()).ok();
                (device, gateway.filter(|_| !destination.is_multicast()).unwrap_or(destination))
            });
        })?;
        found.ok_or_else(|| io::ErrorKind::HostUnreachable.into())
    }
}

fn on_message(message: &Message<'_>, known: &mut HashMap<Neighbor, Known>) -> Option<Change> {
    let (header, attributes) = rt_neigh::OpGetneighDo::decode_reply(message.payload);
    let neighbor = (header.ndm_ifindex.cast_unsigned(), attributes.get_dst().ok()?);
    let is_gone = message.kind == libc::RTM_DELNEIGH || header.ndm_state & libc::NUD_FAILED != 0;
    match read(&header, &attributes) {
        Some(found) if !is_gone => {
            // Only those that are used are kept; others may be many.
            known.entry(neighbor).and_modify(|known| *known = found);
            Some(Change::Found(neighbor, found.address))
        }
        _ => {
            known.remove(&neighbor);
            is_gone.then_some(Change::Failed(neighbor))
        }
    }
}

fn header((device, address): Neighbor) -> rt_neigh::Ndmsg {
    let family = if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    rt_neigh::Ndmsg { ndm_family: family as u8, ndm_ifindex: device.cast_signed(), ..rt_neigh::Ndmsg::new() }
}

fn read(header: &rt_neigh::Ndmsg, attributes: &rt_neigh::IterableNeighbourAttrs<'_>) -> Option<Known> {
    // A link without addresses has none to tell.
    let address = LinkAddress::new(attributes.get_lladdr().unwrap_or_default())?;
    let is_stale = header.ndm_state & libc::NUD_STALE != 0;
    (header.ndm_state & VALID != 0).then_some(Known { address, is_stale })
}
