//! UDP encapsulation (RFC 2205 Appendix C): what is listened to, who needs it, and in which forms a message leaves.

use core::net::IpAddr;

use crate::config::UdpEncapsulation;
use crate::event::{Cause, Change, Subject};
use crate::input::{Datagram, Encapsulation, InterfaceId};
use crate::node::Node;
use crate::output::Transmit;
use crate::state::{Delivery, Lane, OneShot, Payload};
use crate::udp::{self, LINK_TTL, PU, PU_PRIME};
use crate::wire::MessageType;

impl Node {
    /// Whether this node listens where a datagram came in (Figures 13 and 14).
    pub(super) fn listens_to(&self, datagram: &Datagram<'_>) -> bool {
        let is_hu = self.config.hu().is_some();
        let Encapsulation::Udp { destination_port, .. } = datagram.encapsulation else { return !is_hu };
        let to = datagram.destination;
        let is_used =
            is_hu || self.interface_config(datagram.interface).udp_encapsulation != UdpEncapsulation::Never;
        match destination_port {
            PU => is_used && (to == udp::group(to) || self.state.is_own(to)),
            PU_PRIME => is_hu && (to.is_multicast() || self.state.is_own(to)),
            _ => false,
        }
    }

    /// The received TTL of a datagram whose header says `send_ttl`.
    pub(super) fn received_ttl(&self, datagram: &Datagram<'_>, send_ttl: u8) -> u8 {
        let is_raw = datagram.encapsulation == Encapsulation::Raw;
        let told = datagram.ttl.filter(|_| is_raw || !self.interface_config(datagram.interface).udp_send_ttl);
        told.unwrap_or(send_ttl)
    }

    /// A Path came in UDP: from now on, Paths go out there in UDP.
    pub(super) fn learn_udp(&mut self, id: InterfaceId) {
        let needed_udp = self.needs_udp(id);
        let Some(interface) = self.state.interfaces.get_mut(&id) else { return };
        interface.has_heard_udp = true;
        let subject = Subject::Interface { interface: id, name: interface.info.name.clone() };
        if self.needs_udp(id) && !needed_udp {
            self.report(None, subject, Change::Modified, Cause::Path);
            self.begin_reannouncing(Some(id));
        }
    }

    /// Whether Paths that leave by an interface go in UDP, be it besides raw or alone.
    pub(crate) fn needs_udp(&self, id: InterfaceId) -> bool {
        if self.config.hu().is_some() {
            return true;
        }
        match self.interface_config(id).udp_encapsulation {
            UdpEncapsulation::Always => true,
            UdpEncapsulation::Never => false,
            UdpEncapsulation::Learn => self.state.interfaces.get(&id).is_some_and(|i| i.has_heard_udp),
        }
    }

    /// How a message goes to a neighbour.
    pub(crate) fn encapsulation_to(&self, interface: InterfaceId, address: IpAddr) -> Encapsulation {
        if self.config.hu().is_some() {
            udp::to(PU)
        } else if self.state.neighbors.needs_udp(interface, address) {
            udp::to(PU_PRIME)
        } else {
            Encapsulation::Raw
        }
    }

    /// The interface with a neighbour that needs UDP and has this address.
    pub(super) fn udp_neighbor(&self, address: IpAddr) -> Option<InterfaceId> {
        self.state.interfaces.keys().copied().find(|id| self.state.neighbors.needs_udp(*id, address))
    }

    /// The form in which a Path or PathTear leaves, given as the raw datagram that it would be. A second form, in UDP,
    /// follows in the same lane, so that each form keeps its order.
    pub(super) fn downstream(
        &mut self,
        lane: Lane,
        raw: Transmit,
        kind: MessageType,
        bytes: &[u8],
    ) -> Transmit {
        let Some(interface) = lane.interface else { return raw };
        let Some(own) = self.address_towards(interface, raw.destination) else { return raw };
        if self.config.hu().is_some() {
            return self.hu_form(&raw, own);
        }
        if self.needs_udp(interface) {
            // A host without raw I/O is on this network. Beyond it, the next router speaks for itself.
            let copy = OneShot {
                lane,
                peer: None,
                next_hop: None,
                source: own,
                destination: raw.destination,
                ttl: LINK_TTL,
                router_alert: false,
                encapsulation: udp::to(PU_PRIME),
                payload: Payload::Encoded(kind, bytes.to_vec()),
                delivery: Delivery::default(),
            };
            self.outbox.push_one_shot(copy);
        }
        raw
    }

    /// The form in which a host without raw I/O sends a Path or PathTear.
    fn hu_form(&self, raw: &Transmit, source: IpAddr) -> Transmit {
        let to = raw.destination;
        let configured = self.config.hu().and_then(|hu| hu.first_hop);
        let first_hop = configured.filter(|hop| hop.address.is_ipv4() == to.is_ipv4());
        let far = first_hop.and_then(|hop| Some((hop.address, hop.ttl?)));
        let (destination, ttl) = match (to.is_multicast(), raw.next_hop) {
            (true, _) => far.unwrap_or((udp::group(to), LINK_TTL)),
            (false, None) => (to, raw.ttl),
            (false, Some(gateway)) => far.unwrap_or((first_hop.map_or(gateway, |hop| hop.address), raw.ttl)),
        };
        Transmit {
            interface: raw.interface,
            next_hop: None,
            source,
            destination,
            ttl,
            router_alert: false,
            encapsulation: udp::to(PU),
            traffic_class: raw.traffic_class,
        }
    }
}
