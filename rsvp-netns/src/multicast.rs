//! Static multicast forwarding: the process plays the multicast routing daemon of a namespace.
//!
//! The kernel forgets every entry when the socket closes that asked to be the multicast router (`MRT_INIT`), so the
//! handle of the namespace holds it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::SetStruct;
use nix::{setsockopt_impl, sockopt_impl};
use socket2::{Domain, Protocol, SockFilter, Socket, Type};

// Of `linux/mroute.h`; `linux/mroute6.h` has the same numbers.
const MRT_INIT: libc::c_int = 200;
const MRT_ADD_VIF: libc::c_int = 202;
const MRT_ADD_MFC: libc::c_int = 204;
const MRT_DEL_MFC: libc::c_int = 205;
/// The interface is given by its number, not by its address.
const VIFF_USE_IFINDEX: u8 = 8;
/// The most virtual interfaces that either family has.
const VIFS: usize = 32;
/// A packet leaves by an interface if its TTL is greater than this.
const THRESHOLD: u8 = 1;

/// struct vifctl.
type Vif4 = [u8; 16];
/// struct mfcctl.
type Entry4 = [u8; 60];
/// struct mif6ctl.
type Vif6 = [u8; 12];
/// struct mf6cctl.
type Entry6 = [u8; 92];

sockopt_impl!(Init4, SetOnly, libc::IPPROTO_IP, MRT_INIT, u32, SetStruct<u32>);
sockopt_impl!(AddVif4, SetOnly, libc::IPPROTO_IP, MRT_ADD_VIF, Vif4, SetStruct<Vif4>);
sockopt_impl!(AddEntry4, SetOnly, libc::IPPROTO_IP, MRT_ADD_MFC, Entry4, SetStruct<Entry4>);
sockopt_impl!(RemoveEntry4, SetOnly, libc::IPPROTO_IP, MRT_DEL_MFC, Entry4, SetStruct<Entry4>);
sockopt_impl!(Init6, SetOnly, libc::IPPROTO_IPV6, MRT_INIT, u32, SetStruct<u32>);
sockopt_impl!(AddVif6, SetOnly, libc::IPPROTO_IPV6, MRT_ADD_VIF, Vif6, SetStruct<Vif6>);
sockopt_impl!(AddEntry6, SetOnly, libc::IPPROTO_IPV6, MRT_ADD_MFC, Entry6, SetStruct<Entry6>);
sockopt_impl!(RemoveEntry6, SetOnly, libc::IPPROTO_IPV6, MRT_DEL_MFC, Entry6, SetStruct<Entry6>);

/// Multicast forwarding of one namespace, both families; each begins with its first entry.
#[derive(Debug, Default)]
pub(crate) struct Multicast {
    ipv4: Option<Router>,
    ipv6: Option<Router>,
}

/// The multicast router of one family.
#[derive(Debug)]
struct Router {
    socket: Socket,
    /// The devices of the virtual interfaces; a position is a virtual interface's number.
    devices: Vec<u32>,
}

/// Whose packets to which group.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Flow {
    Ipv4(Ipv4Addr, Ipv4Addr),
    Ipv6(Ipv6Addr, Ipv6Addr),
}

impl Flow {
    /// `None` stands for every source.
    pub(crate) fn new(source: Option<IpAddr>, group: IpAddr) -> io::Result<Self> {
        match (source, group) {
            (None, IpAddr::V4(group)) => Ok(Self::Ipv4(Ipv4Addr::UNSPECIFIED, group)),
            (None, IpAddr::V6(group)) => Ok(Self::Ipv6(Ipv6Addr::UNSPECIFIED, group)),
            (Some(IpAddr::V4(source)), IpAddr::V4(group)) => Ok(Self::Ipv4(source, group)),
            (Some(IpAddr::V6(source)), IpAddr::V6(group)) => Ok(Self::Ipv6(source, group)),
            _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "source and group are of two families")),
        }
    }

    fn is_of_any_source(self) -> bool {
        match self {
            Self::Ipv4(source, _) => source.is_unspecified(),
            Self::Ipv6(source, _) => source.is_unspecified(),
        }
    }
}

impl Multicast {
    /// Adds an entry, or replaces the one of the same flow. To be called inside the namespace.
    pub(crate) fn add(&mut self, flow: Flow, incoming: u32, outgoing: &[u32]) -> io::Result<()> {
        let router = self.router(flow)?;
        let parent = router.vif(flow, incoming)?;
        let mut vifs =
            outgoing.iter().map(|device| router.vif(flow, *device)).collect::<Result<Vec<_>, _>>()?;
        if flow.is_of_any_source() {
            // The kernel finds an entry for every source only if it has the incoming interface among the outgoing ones.
            vifs.push(parent);
        }
        match flow {
            Flow::Ipv4(source, group) => {
                setsockopt(&router.socket, AddEntry4, &entry4(source, group, parent, &vifs))?;
            }
            Flow::Ipv6(source, group) => {
                setsockopt(&router.socket, AddEntry6, &entry6(source, group, parent, &vifs))?;
            }
        }
        Ok(())
    }

    /// Removes an entry. To be called inside the namespace.
    pub(crate) fn remove(&mut self, flow: Flow) -> io::Result<()> {
        let router = self.router(flow)?;
        match flow {
            Flow::Ipv4(source, group) => {
                setsockopt(&router.socket, RemoveEntry4, &entry4(source, group, 0, &[]))?;
            }
            Flow::Ipv6(source, group) => {
                setsockopt(&router.socket, RemoveEntry6, &entry6(source, group, 0, &[]))?;
            }
        }
        Ok(())
    }

    fn router(&mut self, flow: Flow) -> io::Result<&mut Router> {
        let router = match flow {
            Flow::Ipv4(..) => &mut self.ipv4,
            Flow::Ipv6(..) => &mut self.ipv6,
        };
        match router {
            Some(router) => Ok(router),
            None => Ok(router.insert(Router::open(flow)?)),
        }
    }
}

impl Router {
    fn open(flow: Flow) -> io::Result<Self> {
        let (domain, protocol) = match flow {
            Flow::Ipv4(..) => (Domain::IPV4, Protocol::from(libc::IPPROTO_IGMP)),
            Flow::Ipv6(..) => (Domain::IPV6, Protocol::ICMPV6),
        };
        let socket = Socket::new(domain, Type::RAW, Some(protocol))?;
        // Nobody reads what the kernel asks, namely where to send what has no entry: so it drops that at once.
        socket.attach_filter(&[SockFilter::new((libc::BPF_RET | libc::BPF_K) as u16, 0, 0, 0)])?;
        match flow {
            Flow::Ipv4(..) => setsockopt(&socket, Init4, &1)?,
            Flow::Ipv6(..) => setsockopt(&socket, Init6, &1)?,
        }
        Ok(Self { socket, devices: Vec::new() })
    }

    /// The number of a device's virtual interface, which is made if need be.
    fn vif(&mut self, flow: Flow, device: u32) -> io::Result<u8> {
        let position = self.devices.iter().position(|known| *known == device);
        let number = position.unwrap_or(self.devices.len());
        if number >= VIFS {
            let message = format!("a multicast router has at most {VIFS} interfaces");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let vif = number as u8;
        if position.is_none() {
            match flow {
                Flow::Ipv4(..) => setsockopt(&self.socket, AddVif4, &vif4(vif, device))?,
                Flow::Ipv6(..) => setsockopt(&self.socket, AddVif6, &vif6(vif, device)?)?,
            }
            self.devices.push(device);
        }
        Ok(vif)
    }
}

/// struct vifctl: number, flags, threshold, rate limit (unused), device, remote address (of tunnels).
fn vif4(vif: u8, device: u32) -> Vif4 {
    let mut octets = [0; 16];
    octets[0..2].copy_from_slice(&u16::from(vif).to_ne_bytes());
    octets[2] = VIFF_USE_IFINDEX;
    octets[3] = THRESHOLD;
    octets[8..12].copy_from_slice(&device.to_ne_bytes());
    octets
}

/// struct mif6ctl: number, flags, threshold, device, rate limit (unused).
fn vif6(vif: u8, device: u32) -> io::Result<Vif6> {
    let device = u16::try_from(device).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    let mut octets = [0; 12];
    octets[0..2].copy_from_slice(&u16::from(vif).to_ne_bytes());
    octets[3] = THRESHOLD;
    octets[4..6].copy_from_slice(&device.to_ne_bytes());
    Ok(octets)
}

/// struct mfcctl: source, group, incoming interface, a threshold for each interface (0: not by it), counters.
fn entry4(source: Ipv4Addr, group: Ipv4Addr, parent: u8, vifs: &[u8]) -> Entry4 {
    let mut octets = [0; 60];
    octets[0..4].copy_from_slice(&source.octets());
    octets[4..8].copy_from_slice(&group.octets());
    octets[8..10].copy_from_slice(&u16::from(parent).to_ne_bytes());
    for vif in vifs {
        octets[10 + usize::from(*vif)] = THRESHOLD;
    }
    octets
}

/// struct mf6cctl: source and group as socket addresses, incoming interface, a bit for each interface.
fn entry6(source: Ipv6Addr, group: Ipv6Addr, parent: u8, vifs: &[u8]) -> Entry6 {
    let mut octets = [0; 92];
    for (at, address) in [(0, source), (28, group)] {
        octets[at..at + 2].copy_from_slice(&(libc::AF_INET6 as u16).to_ne_bytes());
        octets[at + 8..at + 24].copy_from_slice(&address.octets());
    }
    octets[56..58].copy_from_slice(&u16::from(parent).to_ne_bytes());
    // Words of 32 bits; there are no interfaces beyond the first word.
    let bits = vifs.iter().fold(0_u32, |bits, vif| bits | 1 << vif);
    octets[60..64].copy_from_slice(&bits.to_ne_bytes());
    octets
}
