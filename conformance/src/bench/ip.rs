//! Packets of the bench as IP packets.

use std::net::IpAddr;

use etherparse::{
    IpDscp, IpHeaders, IpNumber, Ipv4Extensions, Ipv4Header, Ipv6Extensions, Ipv6Header, Ipv6RawExtHeader,
    PacketBuilder,
};
use rsvp_core::input::Encapsulation;

use crate::bench::tester::Packet;

const RSVP: IpNumber = IpNumber(46);
/// The options that are Router Alert in IPv4 (RFC 2113), and in a hop-by-hop header with its padding (RFC 2711), where it
/// says RSVP.
const ROUTER_ALERT_V4: [u8; 4] = [148, 4, 0, 0];
const ROUTER_ALERT_V6: [u8; 6] = [5, 2, 0, 1, 1, 0];

/// The octets of a packet: the IP header, with Router Alert if it carries that, a UDP header if it is encapsulated, and the
/// message. `None` when there is no such packet: it is too long, or the addresses are of two families.
#[must_use]
pub fn ip_packet(packet: &Packet, traffic_class: u8) -> Option<Vec<u8>> {
    let mut octets = Vec::new();
    let builder = PacketBuilder::ip(headers(packet, traffic_class)?);
    let written = match packet.encapsulation {
        Encapsulation::Raw => builder.write_to_vec(&mut octets, RSVP, &packet.message),
        Encapsulation::Udp { source_port, destination_port } => {
            builder.udp(source_port, destination_port).write_to_vec(&mut octets, &packet.message)
        }
    };
    written.is_ok().then_some(octets)
}

/// The headers of IP; lengths, checksum and the protocol are filled in later.
fn headers(packet: &Packet, traffic_class: u8) -> Option<IpHeaders> {
    match (packet.source, packet.destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let mut header =
                Ipv4Header::new(0, packet.ttl, RSVP, source.octets(), destination.octets()).ok()?;
            header.dscp = IpDscp::try_new(traffic_class >> 2).ok()?;
            if packet.router_alert {
                header.options = ROUTER_ALERT_V4.into();
            }
            Some(IpHeaders::Ipv4(header, Ipv4Extensions::default()))
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let header = Ipv6Header {
                traffic_class,
                hop_limit: packet.ttl,
                source: source.octets(),
                destination: destination.octets(),
                ..Ipv6Header::default()
            };
            let alert = Ipv6RawExtHeader::new_raw(RSVP, &ROUTER_ALERT_V6).ok()?;
            let hop_by_hop_options = packet.router_alert.then_some(alert);
            Some(IpHeaders::Ipv6(header, Ipv6Extensions { hop_by_hop_options, ..Ipv6Extensions::default() }))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rsvp_decode::{Content, LinkType, dissect};

    use super::*;
    use crate::bench::{Family, Plan, Station};

    fn sample(family: Family, router_alert: bool, encapsulation: Encapsulation) -> Packet {
        let plan = Plan::new(family);
        let (source, destination) = (plan.station(Station::U1), plan.h().flow().destination);
        Packet {
            source,
            destination,
            ttl: 62,
            router_alert,
            encapsulation,
            message: vec![0x10, 1, 0, 0, 62, 0, 0, 8],
        }
    }

    #[test]
    fn what_is_written_can_be_read() {
        let udp = Encapsulation::Udp { source_port: 1699, destination_port: 1699 };
        for family in [Family::V4, Family::V6] {
            for encapsulation in [Encapsulation::Raw, udp] {
                for router_alert in [false, true] {
                    let packet = sample(family, router_alert, encapsulation);
                    let octets = ip_packet(&packet, 0xb8).expect("there is such a packet");
                    let Content::Rsvp(read) = dissect(LinkType::RAW, &octets) else { panic!("{packet:?}") };
                    let ports = matches!(encapsulation, Encapsulation::Udp { .. }).then_some(1699);
                    let headers = (read.source, read.destination, read.ttl, read.router_alert, read.udp_port);
                    assert_eq!(headers, (packet.source, packet.destination, 62, router_alert, ports));
                    assert_eq!(read.payload, packet.message);
                }
            }
        }
    }

    #[test]
    fn addresses_of_two_families_or_too_much_make_no_packet() {
        let destination = Plan::new(Family::V6).far();
        let sample = sample(Family::V4, true, Encapsulation::Raw);
        assert_eq!(ip_packet(&Packet { destination, ..sample.clone() }, 0), None);
        assert_eq!(ip_packet(&Packet { message: vec![0; 65_530], ..sample }, 0), None);
    }
}
