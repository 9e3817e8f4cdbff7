//! RSVP over whole IP packets, past the kernel's IP stack.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;
use std::os::fd::OwnedFd;

use rsvp_core::input::{Datagram, Encapsulation};
use rsvp_core::{InterfaceId, Transmit};
use rsvp_driver::{Diagnostic, Interfaces, Message, ReadOutcome, SendOutcome, Severity, Source, Transport};

use crate::diagnostics;
use crate::guard::Guard;
use crate::membership::Memberships;
use crate::netlink::{Change, Neighbor, Neighbors};
use crate::options::OpenError;
use crate::raw_sockets::SocketCounters;
use crate::receive::{Discard, hand_on, receive_all};
use crate::socket::{
    Batch, LinkAddress, Outgoing, Packet, PacketSocket, Transit, Whole, classify_ipv4, classify_transit,
    has_router_alert, send_one,
};
use crate::sockets::RawHeader;

/// Messages that wait for one neighbour to be found; the first Path of each of some sessions.
const WAITING: usize = 64;
/// Neighbours that may be looked for at once.
const SOUGHT: usize = 256;
const NEIGHBORS: usize = 2;

/// The [`Transport`] of packet sockets (AF_PACKET), for machines that do not allow raw IP sockets, or whose data plane
/// hands packets up past the kernel's IP stack.
///
/// It takes whole IP packets of protocol 46 from every device and sends such. Next hops that are not told come from the
/// kernel's routing table, their addresses on the link from its neighbour table; what goes to a neighbour that is not found
/// yet waits for it, 64 messages at most. An nftables table `inet rsvp-packets` keeps the kernel from answering and from
/// forwarding what comes here.
///
/// It makes no fragments and puts none together: messages larger than the interface's MTU are not sent
/// ([`PacketCounters::too_large`]), and fragments are dropped ([`SocketCounters::transit_fragments`]). There is no UDP.
/// Links are Ethernet, or have no addresses at all. A router takes a message in transit whose Router Alert is the first
/// option; of messages to groups it hears those that its devices let in: of groups that somebody here has joined, and
/// all where multicast routing is switched on. Everything belongs to the network namespace in which it was opened.
///
/// ```no_run
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use rsvp_driver::Parts;
/// use rsvp_io::{InterfaceSelection, KernelRouting, KernelTrafficControl, PacketSockets};
///
/// let outside = Parts::new(
///     PacketSockets::open(true)?,
///     KernelRouting::open(true, InterfaceSelection::All)?,
///     KernelTrafficControl::open([("eth0".to_owned(), 125_000_000)].into())?,
/// )?;
/// # Ok(()) }
/// ```
pub struct PacketSockets {
    router: bool,
    /// For IPv4 and for IPv6; these are the sources 0 and 1.
    sockets: [PacketSocket; 2],
    neighbors: Neighbors,
    /// Complete packets, by who is looked for.
    waiting: BTreeMap<Neighbor, Vec<Vec<u8>>>,
    memberships: Memberships,
    batch: Batch,
    identification: u16,
    _guard: Option<Guard>,
    problems: Vec<Diagnostic>,
    counters: PacketCounters,
    /// What the kernel last said of each socket's drops.
    overflowed: [u32; 2],
}

/// What packet sockets count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PacketCounters {
    /// What all sockets do.
    pub sockets: SocketCounters,
    /// Of `send_failed`: messages larger than the MTU.
    pub too_large: u64,
    /// Of `send_failed`: messages to neighbours that were not found, or for which too many were waiting.
    pub not_found: u64,
}

impl PacketSockets {
    /// Opens the sockets. A router's take messages in transit.
    ///
    /// # Errors
    ///
    /// If a socket cannot be had; lacking nftables is a [`Diagnostic`] only.
    pub fn open(router: bool) -> Result<Self, OpenError> {
        let socket = |ipv6| PacketSocket::open_all(ipv6).map_err(OpenError::packet_socket);
        let (guard, problems) = match Guard::of_packets(router) {
            Ok(guard) => (Some(guard), Vec::new()),
            Err(error) => (None, vec![without_guard(&error.to_string())]),
        };
        Ok(Self {
            router,
            sockets: [socket(false)?, socket(true)?],
            neighbors: Neighbors::open().map_err(OpenError::neighbors)?,
            waiting: BTreeMap::new(),
            memberships: Memberships::open().map_err(OpenError::membership)?,
            batch: Batch::new(),
            identification: 0,
            _guard: guard,
            problems,
            counters: PacketCounters::default(),
            overflowed: [0; 2],
        })
    }

    /// The counters.
    #[must_use]
    pub fn counters(&self) -> &PacketCounters {
        &self.counters
    }

    /// Sends a message, or keeps it until its neighbour is found.
    fn send_message(&mut self, message: &Message, interfaces: &Interfaces) -> io::Result<()> {
        let Message { transmit, payload } = message;
        if transmit.encapsulation != Encapsulation::Raw {
            return Err(io::Error::from_raw_os_error(libc::EAFNOSUPPORT));
        }
        let (device, hop) = self.way(transmit, interfaces)?;
        let mtu = interfaces.of_device(device).and_then(|id| interfaces.link(id)).map(|link| link.info.mtu);
        self.identification = self.identification.wrapping_add(1);
        let packet = match RawHeader::of(transmit, Some(device))? {
            RawHeader::V4(header) => header.complete(payload, self.identification),
            RawHeader::V6(header) => header.complete(payload),
        };
        let packet = packet.map(|header| [&header, &payload[..]].concat());
        let Some(packet) = packet.filter(|packet| mtu.is_none_or(|mtu| packet.len() <= mtu as usize)) else {
            self.counters.too_large += 1;
            return Err(io::Error::from_raw_os_error(libc::EMSGSIZE));
        };
        if transmit.destination.is_multicast() {
            return self.send_packet(device, LinkAddress::of_group(transmit.destination), &packet);
        }
        // Those that wait already go first.
        let is_sought = self.waiting.contains_key(&(device, hop));
        let found =
            if is_sought { None } else { self.neighbors.find((device, hop)).map_err(io::Error::from)? };
        match found {
            Some(address) => self.send_packet(device, address, &packet),
            None => self.keep((device, hop), packet),
        }
    }

    /// The device to leave by, and the next hop.
    fn way(&mut self, transmit: &Transmit, interfaces: &Interfaces) -> io::Result<Neighbor> {
        let device = match transmit.interface {
            Some(id) => Some(interfaces.device(id).ok_or(io::ErrorKind::NetworkDown)?),
            None => None,
        };
        match (device, transmit.next_hop) {
            (Some(device), Some(hop)) => Ok((device, hop)),
            (Some(device), None) if transmit.destination.is_multicast() => Ok((device, transmit.destination)),
            (device, hop) => self.neighbors.next_hop(hop.unwrap_or(transmit.destination), device),
        }
    }

    fn send_packet(&mut self, device: u32, to: LinkAddress, packet: &[u8]) -> io::Result<()> {
        let ipv6 = is_ipv6(packet);
        let datagram = Outgoing::by_link(device, to, packet, ipv6);
        send_one(self.sockets[usize::from(ipv6)].fd(), &datagram)?;
        self.counters.sockets.sent += 1;
        Ok(())
    }

    fn keep(&mut self, neighbor: Neighbor, packet: Vec<u8>) -> io::Result<()> {
        let is_room = self.waiting.len() < SOUGHT || self.waiting.contains_key(&neighbor);
        let packets = self.waiting.get(&neighbor).map_or(0, Vec::len);
        if !is_room || packets >= WAITING {
            self.counters.not_found += 1;
            return Err(io::ErrorKind::HostUnreachable.into());
        }
        self.waiting.entry(neighbor).or_default().push(packet);
        Ok(())
    }

    fn on_change(&mut self, change: Change) {
        match change {
            Change::Found(neighbor, address) => {
                for packet in self.waiting.remove(&neighbor).unwrap_or_default() {
                    // A socket that is full now loses the rest: these are few, and are sent again.
                    if let Err(error) = self.send_packet(neighbor.0, address, &packet) {
                        self.counters.sockets.send_failed += 1;
                        tracing::debug!(?neighbor, %error, "a message could not be sent");
                    }
                }
            }
            Change::Failed(neighbor)
                if self.waiting.contains_key(&neighbor) && self.neighbors.is_sought(neighbor) => {}
            Change::Failed(neighbor) => {
                let lost = self.waiting.remove(&neighbor).unwrap_or_default().len() as u64;
                self.counters.not_found += lost;
                self.counters.sockets.send_failed += lost;
            }
            Change::Lost => {
                let neighbors: Vec<_> = self.waiting.keys().copied().collect();
                for neighbor in neighbors {
                    match self.neighbors.find(neighbor) {
                        Ok(Some(address)) => self.on_change(Change::Found(neighbor, address)),
                        Ok(None) => {}
                        Err(_) => self.on_change(Change::Failed(neighbor)),
                    }
                }
            }
        }
    }

    fn read_neighbors(&mut self, budget: usize) -> io::Result<ReadOutcome> {
        let mut changes = Vec::new();
        let more = self.neighbors.read(budget, &mut |change| changes.push(change))?;
        changes.into_iter().for_each(|change| self.on_change(change));
        Ok(if more { ReadOutcome::More } else { ReadOutcome::Drained })
    }
}

impl Transport for PacketSockets {
    fn sources(&self) -> io::Result<Vec<OwnedFd>> {
        let sockets = self.sockets.iter().map(PacketSocket::fd);
        sockets.chain([self.neighbors.fd()]).map(|fd| fd.try_clone_to_owned()).collect()
    }

    fn read(
        &mut self,
        source: Source,
        budget: usize,
        interfaces: &Interfaces,
        sink: &mut dyn FnMut(Datagram<'_>),
    ) -> io::Result<ReadOutcome> {
        if source.0 == NEIGHBORS {
            return self.read_neighbors(budget);
        }
        let Self { sockets, batch, counters: PacketCounters { sockets: counters, .. }, router, .. } = self;
        let (fd, last) = (sockets[source.0].fd(), &mut self.overflowed[source.0]);
        receive_all(
            (batch, fd),
            budget,
            (counters, last),
            |packet| receive(source.0 == 1, packet, interfaces, *router),
            sink,
        )
    }

    fn send(&mut self, messages: &[Message], interfaces: &Interfaces) -> SendOutcome {
        for (number, message) in messages.iter().enumerate() {
            match self.send_message(message, interfaces) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.counters.sockets.send_blocked += 1;
                    let ipv6 = message.transmit.destination.is_ipv6();
                    return SendOutcome::Blocked(number, Source(usize::from(ipv6)));
                }
                Err(error) => {
                    tracing::debug!(transmit = ?message.transmit, %error, "a message could not be sent");
                    self.counters.sockets.send_failed += 1;
                }
            }
        }
        SendOutcome::Sent
    }

    fn receive_groups(&mut self, groups: &BTreeSet<(IpAddr, InterfaceId)>, interfaces: &Interfaces) {
        let device = |(group, id): &(IpAddr, InterfaceId)| Some((*group, interfaces.device(*id)?, *id));
        self.memberships.settle(groups.iter().filter_map(device));
    }

    fn groups(&self) -> Vec<(IpAddr, InterfaceId)> {
        self.memberships.joined().collect()
    }

    fn diagnostics(&self, _: &Interfaces) -> Vec<Diagnostic> {
        let mut found = self.problems.clone();
        found.extend(diagnostics::overflowed(self.counters.sockets.overflowed));
        found
    }
}

/// Makes an input of a packet that is for this node: sent to it, to a group, or, if it is a router, in transit with a Router
/// Alert.
fn receive<'a>(
    ipv6: bool,
    packet: &Packet<'a>,
    interfaces: &Interfaces,
    router: bool,
) -> Result<Datagram<'a>, Discard> {
    let (received, router_alert) = match if ipv6 { whole6(packet) } else { classify_ipv4(packet) } {
        Whole::Message { received, router_alert } => (received, router_alert),
        Whole::Fragment => return Err(Discard::TransitFragment),
        Whole::Other => return Err(Discard::NotRsvp),
        Whole::Damaged => return Err(Discard::Malformed),
    };
    let destination = received.destination;
    let interface = interfaces.of_device(packet.device).ok_or(Discard::UnknownInterface)?;
    let is_intercepted = router && router_alert;
    if !destination.is_multicast() && !is_intercepted && !interfaces.is_own(destination, interface) {
        return Err(Discard::NotRsvp);
    }
    // The guard keeps the kernel from forwarding just these.
    let is_listening = is_intercepted || router && ipv6;
    hand_on(&received, Encapsulation::Raw, packet.device, interfaces, is_listening)
}

fn whole6<'a>(packet: &Packet<'a>) -> Whole<'a> {
    match classify_transit(packet) {
        Transit::Message(received) => Whole::Message { received, router_alert: has_router_alert(packet) },
        Transit::Fragment => Whole::Fragment,
        Transit::Other => Whole::Other,
        Transit::Damaged => Whole::Damaged,
    }
}

fn is_ipv6(packet: &[u8]) -> bool {
    packet.first().is_some_and(|octet| octet >> 4 == 6)
}

fn without_guard(error: &str) -> Diagnostic {
    Diagnostic {
        severity: Severity::Warning,
        interface: None,
        message: format!(
            "the kernel answers RSVP messages as if this node knew none, and forwards Path messages a second time: nftables \
             is not to be had here ({error}); it needs CAP_NET_ADMIN and no second daemon"
        ),
    }
}
