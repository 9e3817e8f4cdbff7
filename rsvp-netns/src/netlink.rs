//! Links, addresses and routes of the namespace that the calling thread is in.

use std::fs::File;
use std::io;
use std::net::{IpAddr, SocketAddrV6, UdpSocket};
use std::os::fd::AsRawFd;

use netlink_bindings::traits::{NetlinkRequest, Pusher};
use netlink_bindings::{rt_addr, rt_link, rt_route, utils};
use netlink_socket2::NetlinkSocket;
use nix::net::if_::InterfaceFlags;

/// VETH_INFO_PEER of `linux/veth.h`; the bindings know no veth.
const VETH_INFO_PEER: u16 = 1;
/// IFLA_INFO_DATA of `linux/if_link.h`.
const IFLA_INFO_DATA: u16 = 2;

/// Longest interface name, without the terminating zero (IFNAMSIZ - 1).
const NAME_MAX: usize = 15;

/// Makes a veth pair, one end in `peer`.
pub(crate) fn add_veth(interface: &str, peer: &File, peer_interface: &str) -> io::Result<()> {
    for name in [interface, peer_interface] {
        if name.is_empty() || name.len() > NAME_MAX {
            let message = format!("an interface name has 1 to {NAME_MAX} characters, not \"{name}\"");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
    }
    let mut request =
        rt_link::Request::new().set_create().set_excl().op_newlink_do(&rt_link::Ifinfomsg::new());
    let mut info =
        request.encode().push_ifname_bytes(interface.as_bytes()).nested_linkinfo().push_kind(c"veth");
    let buffer = info.as_vec_mut();
    let data = utils::push_nested_header(buffer, IFLA_INFO_DATA);
    let end = utils::push_nested_header(buffer, VETH_INFO_PEER);
    buffer.extend(rt_link::Ifinfomsg::new().as_slice());
    let descriptor = u32::try_from(peer.as_raw_fd()).expect("an open descriptor is not negative");
    let _ = rt_link::PushLinkAttrs::new(&mut *buffer)
        .push_ifname_bytes(peer_interface.as_bytes())
        .push_net_ns_fd(descriptor)
        .end_nested();
    utils::finalize_nested_header(buffer, end);
    utils::finalize_nested_header(buffer, data);
    drop(info);
    acknowledged(&request)
}

/// Makes a bridge that passes every packet to a group on to everyone.
pub(crate) fn add_bridge(interface: &str) -> io::Result<()> {
    /// IFLA_BR_MCAST_SNOOPING of `linux/if_link.h`.
    const MULTICAST_SNOOPING: u16 = 23;
    let mut request =
        rt_link::Request::new().set_create().set_excl().op_newlink_do(&rt_link::Ifinfomsg::new());
    let mut info =
        request.encode().push_ifname_bytes(interface.as_bytes()).nested_linkinfo().push_kind(c"bridge");
    let buffer = info.as_vec_mut();
    let data = utils::push_nested_header(buffer, IFLA_INFO_DATA);
    utils::push_header(buffer, MULTICAST_SNOOPING, 1);
    // The octet, and what fills it up to a word.
    buffer.extend([0; 4]);
    utils::finalize_nested_header(buffer, data);
    drop(info);
    acknowledged(&request)
}

/// Makes an interface a port of a bridge.
pub(crate) fn add_port(bridge: &str, interface: &str) -> io::Result<()> {
    let header = rt_link::Ifinfomsg { ifi_index: index(interface)?, ..Default::default() };
    let mut request = rt_link::Request::new().op_setlink_do(&header);
    let _ = request.encode().push_master(index(bridge)?.cast_unsigned());
    acknowledged(&request)
}

/// Sets an interface up or down.
pub(crate) fn set_up(interface: &str, up: bool) -> io::Result<()> {
    let flag = rt_link::IfinfoFlags::Up as u32;
    let header = rt_link::Ifinfomsg {
        ifi_index: index(interface)?,
        ifi_flags: if up { flag } else { 0 },
        ifi_change: flag,
        ..Default::default()
    };
    acknowledged(&rt_link::Request::new().op_setlink_do(&header))
}

/// Removes an interface.
pub(crate) fn remove_link(interface: &str) -> io::Result<()> {
    let header = rt_link::Ifinfomsg { ifi_index: index(interface)?, ..Default::default() };
    acknowledged(&rt_link::Request::new().op_dellink_do(&header))
}

/// Gives an interface an address.
pub(crate) fn add_address(interface: &str, address: IpAddr, prefix_length: u8) -> io::Result<()> {
    let header = rt_addr::Ifaddrmsg {
        ifa_index: index(interface)?.cast_unsigned(),
        ifa_family: family(address),
        ifa_prefixlen: prefix_length,
        ..Default::default()
    };
    let mut request = rt_addr::Request::new().set_create().set_excl().op_newaddr_do(&header);
    let _ = request.encode().push_local(address).push_address(address);
    acknowledged(&request)
}

/// Whether an interface has an address.
pub(crate) fn has_address(interface: &str, address: IpAddr) -> io::Result<bool> {
    let mut entries = nix::ifaddrs::getifaddrs()?.filter(|entry| entry.interface_name == interface);
    Ok(entries.any(|entry| {
        let storage = entry.address.as_ref();
        let v4 = storage.and_then(|storage| storage.as_sockaddr_in()).map(|known| known.ip().into());
        let v6 = storage.and_then(|storage| storage.as_sockaddr_in6()).map(|known| known.ip().into());
        v4.or(v6) == Some(address)
    }))
}

/// Where a route leads.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Hop<'a> {
    /// To the next router.
    Gateway(IpAddr),
    /// To the link of this interface.
    OnLink(&'a str),
    /// To the namespace itself.
    Here,
}

/// Adds or replaces a route.
pub(crate) fn replace_route(destination: IpAddr, prefix_length: u8, hop: Hop<'_>) -> io::Result<()> {
    let mut header = route_header(destination, prefix_length);
    if matches!(hop, Hop::OnLink(_)) && destination.is_ipv4() {
        header.rtm_scope = libc::RT_SCOPE_LINK;
    }
    if matches!(hop, Hop::Here) {
        header.rtm_scope = libc::RT_SCOPE_HOST;
        header.rtm_type = rt_route::RtmType::Local as u8;
    }
    let mut request = rt_route::Request::new().set_change().op_newroute_do(&header);
    let attributes = request.encode().push_dst(destination);
    let _ = match hop {
        Hop::Gateway(gateway) => attributes.push_gateway(gateway),
        Hop::OnLink(interface) => attributes.push_oif(index(interface)?.cast_unsigned()),
        Hop::Here => attributes.push_oif(index("lo")?.cast_unsigned()),
    };
    acknowledged(&request)
}

/// Removes a route.
pub(crate) fn remove_route(destination: IpAddr, prefix_length: u8) -> io::Result<()> {
    let header =
        rt_route::Rtmsg { rtm_protocol: 0, rtm_scope: 255, ..route_header(destination, prefix_length) };
    let mut request = rt_route::Request::new().op_delroute_do(&header);
    let _ = request.encode().push_dst(destination);
    acknowledged(&request)
}

fn route_header(destination: IpAddr, prefix_length: u8) -> rt_route::Rtmsg {
    rt_route::Rtmsg {
        rtm_family: family(destination),
        rtm_dst_len: prefix_length,
        rtm_table: libc::RT_TABLE_MAIN,
        rtm_protocol: libc::RTPROT_STATIC,
        rtm_scope: libc::RT_SCOPE_UNIVERSE,
        rtm_type: rt_route::RtmType::Unicast as u8,
        ..Default::default()
    }
}

/// The number of an interface.
pub(crate) fn index(interface: &str) -> io::Result<i32> {
    let index = nix::net::if_::if_nametoindex(interface)?;
    i32::try_from(index).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))
}

/// Whether an interface is up, has a carrier that the kernel has taken note of, and IPv6 addresses, if any, that may be
/// used.
pub(crate) fn is_usable(interface: &str) -> io::Result<bool> {
    let entries = nix::ifaddrs::getifaddrs()?.filter(|entry| entry.interface_name == interface);
    let mut running = false;
    for entry in entries {
        running |= entry.flags.contains(InterfaceFlags::IFF_RUNNING);
        let address = entry.address.as_ref().and_then(|address| address.as_sockaddr_in6());
        if address.is_some_and(|address| UdpSocket::bind(SocketAddrV6::from(*address)).is_err()) {
            return Ok(false);
        }
    }
    Ok(running)
}

fn family(address: IpAddr) -> u8 {
    let family = if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    u8::try_from(family).expect("address families are small numbers")
}

/// Sends a request and waits for its acknowledgement.
pub(crate) fn acknowledged<R: NetlinkRequest>(request: &R) -> io::Result<()> {
    let mut socket = NetlinkSocket::new();
    let mut reply = socket.request(request)?;
    reply.recv_ack().map_err(|error| {
        let (code, text) = (error.as_io_error(), error.to_string());
        // A route that does not exist is no process to the kernel.
        let is_no_route = code.raw_os_error() == Some(libc::ESRCH);
        io::Error::new(if is_no_route { io::ErrorKind::NotFound } else { code.kind() }, text)
    })
}
