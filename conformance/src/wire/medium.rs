//! What the tester's end of a link is made of.

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd};

use rsvp_core::config::UdpEncapsulation;
use rsvp_core::input::Encapsulation;
use rsvp_core::wire::{self, RawMessage};
use rsvp_netns::{PacketSocket, RawSocket};

use super::frames::packets;
use crate::bench::Family;
use crate::bench::{Packet, Plan, Port, Setup, Station, Unsupported};

/// A link to the device.
#[derive(Debug)]
pub(super) enum Medium {
    /// Whole Ethernet frames: any station may be there.
    Frames(PacketSocket),
    /// IPv4 packets past the kernel, which has the address of the only station there.
    Packets(RawSocket),
}

impl AsFd for Medium {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Frames(socket) => socket.as_fd(),
            Self::Packets(socket) => socket.as_fd(),
        }
    }
}

/// The station whose address the kernel has where packets are raw.
pub(super) const fn only_station(port: Port) -> Station {
    match port {
        Port::A => Station::U1,
        Port::B => Station::U2,
        Port::C => Station::D1,
        Port::D => Station::D2,
    }
}

/// Sends a packet from a station by a raw socket.
///
/// # Errors
///
/// [`io::ErrorKind::Unsupported`] where raw sockets cannot do that, else what the system says.
pub(super) fn send_raw(
    socket: &RawSocket,
    plan: Plan,
    from: Station,
    packet: &Packet,
    id: u16,
) -> io::Result<()> {
    let unsupported = |what: &str| Err(io::Error::new(io::ErrorKind::Unsupported, what.to_owned()));
    if from != only_station(from.port()) || names_another(plan, from, packet) {
        return unsupported(ONE_STATION);
    }
    if packet.encapsulation != Encapsulation::Raw {
        return unsupported(NO_UDP);
    }
    let (IpAddr::V4(device), IpAddr::V4(destination)) = (plan.dut(from.port()), packet.destination) else {
        return unsupported(NO_IPV6);
    };
    let to = if destination.is_multicast() { destination } else { device };
    packets(packet, id).iter().try_for_each(|packet| socket.send(packet, to))
}

/// Whether a packet of a station says that it comes from another neighbour on its link: that one would get the answer.
fn names_another(plan: Plan, from: Station, packet: &Packet) -> bool {
    let is_another = |address: IpAddr| {
        let is_on_link = (0..=u8::MAX).any(|host| plan.address(from.port().number(), host) == address);
        is_on_link && address != plan.station(from)
    };
    let messages = wire::messages(&packet.message).map_while(Result::ok);
    let mut hops = messages.filter_map(|message| RawMessage::decode(message).ok()?.hop());
    is_another(packet.source) || hops.any(|hop| is_another(hop.address))
}

const ONE_STATION: &str = "link = \"raw\" has one station on each link: U1, U2, D1 and D2";
const NO_UDP: &str = "link = \"raw\" carries no RSVP in UDP";
const NO_IPV6: &str = "link = \"raw\" is for IPv4: raw sockets do not show headers of IPv6";

/// Whether a device can be tested by raw sockets if it is set up so.
///
/// # Errors
///
/// What raw sockets cannot do.
pub(super) fn check_raw(setup: &Setup) -> Result<(), Unsupported> {
    let config = &setup.config;
    let mut interfaces = config.interfaces.values().chain([&config.default_interface]);
    if setup.family == Family::V6 {
        return Err(Unsupported(NO_IPV6.to_owned()));
    }
    if config.udp_only.is_some()
        || interfaces.any(|interface| interface.udp_encapsulation == UdpEncapsulation::Always)
    {
        return Err(Unsupported(NO_UDP.to_owned()));
    }
    Ok(())
}

/// Whether a route can be followed where packets are raw: its next hop has to be there.
///
/// # Errors
///
/// It is not there.
pub(super) fn check_next_hop(plan: Plan, gateway: Option<IpAddr>) -> Result<(), Unsupported> {
    let is_there =
        |gateway: IpAddr| Port::ALL.iter().any(|port| plan.station(only_station(*port)) == gateway);
    match gateway.filter(|gateway| !is_there(*gateway)) {
        Some(_) => Err(Unsupported(ONE_STATION.to_owned())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{Lab, Networks};

    #[test]
    fn there_is_one_station_on_a_link() {
        let dut = Lab::in_process().router();
        let (plan, h, s1) = (dut.plan, dut.h(), dut.s1());
        let mut path = dut.path(Station::U1, h, s1);
        assert!(!names_another(plan, Station::U1, &dut.pack(Station::U1, path.clone())));
        path.hop.address = plan.far();
        assert!(
            !names_another(plan, Station::U1, &dut.pack(Station::U1, path.clone())),
            "it is not on the link"
        );
        path.hop.address = plan.address(1, 7);
        let packet = dut.pack(Station::U1, path);
        assert!(names_another(plan, Station::U1, &packet));
        let other = Networks { v4: [172, 20], ..Networks::STOCK }.plan(Family::V4);
        assert!(!names_another(other, Station::U1, &packet));
        assert_eq!(check_next_hop(plan, Some(plan.station(Station::D2))), Ok(()));
        assert_eq!(check_next_hop(plan, None), Ok(()));
        for absent in [plan.station(Station::D3), plan.address(3, 9)] {
            assert!(check_next_hop(plan, Some(absent)).is_err());
        }
    }

    #[test]
    fn what_raw_sockets_do_not_show_is_not_tested_by_them() {
        let setup = |family| Setup::stock(family, crate::bench::R);
        assert_eq!(check_raw(&setup(Family::V4)), Ok(()));
        assert!(check_raw(&setup(Family::V6)).is_err_and(|Unsupported(why)| why.contains("IPv6")));
        let mut encapsulated = setup(Family::V4);
        encapsulated.config.default_interface.udp_encapsulation = UdpEncapsulation::Always;
        assert!(check_raw(&encapsulated).is_err_and(|Unsupported(why)| why.contains("UDP")));
    }
}
