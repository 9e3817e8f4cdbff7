//! Datagrams: what waits for one neighbour leaves together (RFC 2961 section 3).

use alloc::vec::Vec;
use core::net::IpAddr;

use crate::input::{Encapsulation, InterfaceId};
use crate::node::Node;
use crate::output::Transmit;
use crate::process::transmit::{HOP_TTL, Parcel};
use crate::state::{Lane, OutboxItem, Peer, TimerKey};
use crate::wire::Bundle;

/// Octets of an IPv4 header with Router Alert, and of an IPv6 one with its extension header.
const IPV4_HEADER: usize = 24;
const IPV6_HEADER: usize = 48;

/// No link carries less (RFC 791); what an interface says below that is not believed.
const MIN_MTU: usize = 576;

/// The least room in a Bundle for which an Srefresh is made.
const LEAST_ROOM: usize = 128;

/// A message that was built and did not fit into its datagram any more: the next one begins with it.
#[derive(Debug)]
pub(crate) struct Overflow {
    lane: Lane,
    parcel: Parcel,
}

/// A datagram in the making.
struct Packing {
    /// Where Bundles of this lane go; `None`: its messages leave one by one.
    bundle_to: Option<(InterfaceId, IpAddr)>,
    /// The most octets, IP header apart.
    limit: usize,
    /// The TTL, if one of its messages is particular about it.
    ttl: Option<u8>,
    /// The first message.
    first: Option<Parcel>,
    /// How many messages there are.
    count: usize,
}

impl Node {
    /// The most octets of a Bundle, Srefresh or Ack to a neighbour, IP header apart.
    pub(super) fn packet_limit(&self, interface: InterfaceId, address: IpAddr) -> usize {
        let mtu = self.state.interfaces.get(&interface).map_or(MIN_MTU, |i| i.info.mtu as usize);
        let most = usize::from(self.reduction(interface, address).max_packet);
        let header = if address.is_ipv4() { IPV4_HEADER } else { IPV6_HEADER };
        mtu.min(most).max(MIN_MTU) - header
    }

    /// Queues a Path or Resv. It may have to wait for others to be bundled with.
    pub(crate) fn enqueue(&mut self, lane: Lane, item: OutboxItem) {
        let Some(id) = self.outbox.push(lane, item) else { return };
        let Some((interface, address)) = self.bundle_to(lane) else { return };
        let delay = self.reduction(interface, address).bundle_delay;
        if !delay.is_zero() {
            let timer = self.timers.insert(self.now + delay, TimerKey::Lane(id));
            self.outbox.hold(id, timer);
        }
    }

    /// The neighbour that the messages of a lane are bundled for.
    fn bundle_to(&self, lane: Lane) -> Option<(InterfaceId, IpAddr)> {
        let (interface, address) = self.neighbor_of(lane)?;
        let may = self.reduction(interface, address).bundle
            && !self.needs_udp(interface)
            && self.is_capable(interface, address);
        may.then_some((interface, address))
    }

    /// Builds the next datagram. `None`: nothing may leave now.
    pub(crate) fn next_datagram(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        loop {
            let lane = self.overflow.as_ref().map(|overflow| overflow.lane).or_else(|| self.outbox.turn())?;
            let transmit = self.pack(lane, buf);
            if let Some(timer) = self.outbox.end_turn(lane) {
                self.timers.cancel(timer);
            }
            if transmit.is_some() {
                return transmit;
            }
        }
    }

    fn pack(&mut self, lane: Lane, buf: &mut Vec<u8>) -> Option<Transmit> {
        buf.clear();
        let bundle_to = self.bundle_to(lane);
        let limit = match self.neighbor_of(lane) {
            Some((interface, address)) => self.packet_limit(interface, address),
            None => self.packet_limit(lane.interface.unwrap_or(InterfaceId(0)), lane.peer),
        };
        let mut packing = Packing { bundle_to, limit, ttl: None, first: None, count: 0 };
        buf.resize(Bundle::HEADER_LEN, 0);
        if let Some(overflow) = self.overflow.take() {
            buf.extend_from_slice(&self.overflow_bytes);
            packing.add(overflow.parcel);
        }
        while packing.takes_more() {
            let is_full = self.is_window_full(lane);
            self.outbox.pace(lane, is_full);
            let Some(item) = self.next_item(lane, &packing, buf.len()) else { break };
            let start = buf.len();
            let Some(parcel) = self.build(lane, item, limit.saturating_sub(start), buf) else {
                buf.truncate(start);
                continue;
            };
            self.count_sent(lane, &parcel);
            if packing.count > 0 && buf.len() > limit {
                self.overflow_bytes.clear();
                self.overflow_bytes.extend_from_slice(&buf[start..]);
                buf.truncate(start);
                self.overflow = Some(Overflow { lane, parcel });
                break;
            }
            packing.add(parcel);
        }
        self.close(lane, packing, buf)
    }

    /// What comes next in a lane and fits beside what is there. Acknowledgements go first if no other message takes them
    /// along.
    fn next_item(&mut self, lane: Lane, packing: &Packing, length: usize) -> Option<OutboxItem> {
        let item = self.outbox.peek(lane)?;
        if packing.count == 0
            && packing.bundle_to.is_some()
            && matches!(item, OutboxItem::Path(_))
            && let Some(acks) = self.ready_acks(lane)
        {
            return Some(OutboxItem::Acks(acks));
        }
        if packing.count > 0 {
            let ttl = self.travelling_ttl(item);
            let is_apart = ttl.is_some() && packing.ttl.is_some() && ttl != packing.ttl
                || matches!(item, OutboxItem::Srefresh(_) | OutboxItem::Acks(_))
                    && length + LEAST_ROOM > packing.limit
                || !self.is_bundleable(item);
            if is_apart {
                return None;
            }
        }
        self.outbox.pop(lane);
        Some(item)
    }

    /// The TTL of a message that is particular about it: a Path's goes on from hop to hop.
    fn travelling_ttl(&self, item: OutboxItem) -> Option<u8> {
        match item {
            OutboxItem::Path(id) => self.state.path_ads.get(id).map(|ad| self.state.psbs[ad.psb].ttl),
            OutboxItem::OneShot(id) => {
                self.outbox.one_shot(id).filter(|one_shot| one_shot.router_alert).map(|one_shot| one_shot.ttl)
            }
            _ => None,
        }
    }

    /// Whether a message may go into a Bundle.
    fn is_bundleable(&self, item: OutboxItem) -> bool {
        match item {
            OutboxItem::OneShot(id) => {
                self.outbox.one_shot(id).is_none_or(|one_shot| one_shot.encapsulation == Encapsulation::Raw)
            }
            OutboxItem::Srefresh(id) => {
                self.state.refresh_groups.get(id).is_none_or(|group| !group.key.to_session)
            }
            _ => true,
        }
    }

    /// The datagram of the messages in `buf`.
    fn close(&mut self, lane: Lane, packing: Packing, buf: &mut Vec<u8>) -> Option<Transmit> {
        let first = packing.first?;
        let transmit = match packing.bundle_to {
            Some((interface, address)) if packing.count > 1 => {
                let source = self.address_towards(interface, address).unwrap_or(first.transmit.source);
                let ttl = packing.ttl.unwrap_or(HOP_TTL);
                let header = self.header(ttl, Some(Peer::One(interface, address)));
                // Each of its messages was small enough, and so is the whole.
                Bundle::seal(header, buf).ok()?;
                self.counters.sent.bundle += 1;
                Transmit { ttl, ..self.to_neighbor(lane, source, address, Encapsulation::Raw) }
            }
            _ => {
                buf.drain(..Bundle::HEADER_LEN);
                first.transmit
            }
        };
        self.counters.packets_sent += 1;
        self.counters.octets_sent += u64::try_from(buf.len()).unwrap_or(0);
        Some(transmit)
    }
}

impl Packing {
    /// Whether there may be another message.
    fn takes_more(&self) -> bool {
        self.first.as_ref().is_none_or(|first| self.bundle_to.is_some() && first.may_be_bundled)
    }

    fn add(&mut self, parcel: Parcel) {
        self.count += 1;
        if parcel.transmit.router_alert {
            self.ttl = Some(parcel.transmit.ttl);
        }
        self.first.get_or_insert(parcel);
    }
}
