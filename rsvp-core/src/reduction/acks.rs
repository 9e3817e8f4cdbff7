//! Acknowledgements of what neighbours sent (RFC 2961 sections 4.4, 4.6, 4.7).

use alloc::vec::Vec;
use core::net::IpAddr;

use rand_core::Rng;

use crate::input::InterfaceId;
use crate::node::Node;
use crate::process::transmit::{HOP_TTL, Parcel};
use crate::state::{AckId, Lane, OutboxItem, Peer, TimerKey};
use crate::time::Duration;
use crate::wire::{Acknowledgement, Bundle, Message, MessageType};

const HEADER_LEN: usize = Bundle::HEADER_LEN;

impl Node {
    /// Notes that a generator is owed an acknowledgement of what it sent to `destination`.
    pub(super) fn owe(
        &mut self,
        (interface, generator): (InterfaceId, IpAddr),
        destination: IpAddr,
        acknowledgement: Acknowledgement,
    ) {
        if self.state.acks.total() >= self.config.limits.queued_acks {
            self.counters.acks_dropped += 1;
            return;
        }
        let (key, config) = ((interface, generator), self.reduction(interface, generator));
        let (now, delay) = (self.now, config.ack_delay);
        let id = if destination.is_multicast() {
            let most = u64::try_from(config.group_ack_delay.as_micros()).unwrap_or(u64::MAX - 1);
            let rng = &mut self.rng;
            self.state
                .acks
                .owe_later(key, acknowledgement, || now + Duration::from_micros(rng.next_u64() % (most + 1)))
        } else {
            self.state.acks.owe(key, acknowledgement, now + delay)
        };
        let full = (self.packet_limit(interface, generator) / Acknowledgement::ENCODED_LEN).max(1);
        let Some(account) = self.state.acks.get_mut(id) else { return };
        let Some(latest) = account.latest().filter(|_| !account.queued) else { return };
        if latest <= now || account.ready(now) >= full {
            self.queue_acks(id);
        } else {
            self.timers.advance(&mut account.timer, latest, TimerKey::Acks(id));
        }
    }

    /// Acknowledgements have waited long enough for a message that takes them along.
    pub(crate) fn on_acks_due(&mut self, id: AckId) {
        if let Some(account) = self.state.acks.get_mut(id) {
            account.timer = None;
        }
        self.arrange_acks(id);
    }

    /// Sees to it that what is still owed leaves in time.
    fn arrange_acks(&mut self, id: AckId) {
        let Some(account) = self.state.acks.get_mut(id) else { return };
        match account.latest() {
            Some(latest) if latest > self.now => {
                self.timers.arm(&mut account.timer, latest, TimerKey::Acks(id));
            }
            Some(_) if !account.queued => self.queue_acks(id),
            _ => self.close_account(id),
        }
    }

    fn queue_acks(&mut self, id: AckId) {
        let Some(account) = self.state.acks.get_mut(id) else { return };
        account.queued = true;
        let (interface, generator) = (account.interface, account.generator);
        let lane = self.lane_to(interface, generator);
        self.outbox.push_urgent(lane, OutboxItem::Acks(id));
    }

    /// Appends as many of the acknowledgements that may leave now as fit into `room`, and tells how many they are.
    pub(crate) fn append_acks(&mut self, id: AckId, room: usize, buf: &mut Vec<u8>) -> usize {
        let Some(account) = self.state.acks.get(id) else { return 0 };
        let generator = (account.interface, account.generator);
        let (mut acks, mut nacks) = (0, 0);
        self.state.acks.take(id, self.now, room / Acknowledgement::ENCODED_LEN, |acknowledgement| {
            match acknowledgement {
                Acknowledgement::Ack(_) => acks += 1,
                Acknowledgement::Nack(_) => nacks += 1,
            }
            // An object of a fixed, small size.
            let _ = acknowledgement.encode(buf);
        });
        self.count(Some(generator), |counters| {
            counters.sent_ack += acks;
            counters.sent_nack += nacks;
        });
        self.close_account(id);
        usize::try_from(acks + nacks).unwrap_or(usize::MAX)
    }

    /// Forgets an account that is settled.
    fn close_account(&mut self, id: AckId) {
        if let Some(timer) = self.state.acks.close(id) {
            self.timers.cancel(timer);
        }
    }

    /// The account of a lane's neighbour, if some of it may leave now.
    pub(crate) fn ready_acks(&self, lane: Lane) -> Option<AckId> {
        let (interface, address) = self.neighbor_of(lane)?;
        let id = self.state.acks.find(interface, address)?;
        (self.state.acks.get(id)?.ready(self.now) > 0).then_some(id)
    }

    /// Appends an Ack message.
    pub(crate) fn build_acks(
        &mut self,
        lane: Lane,
        id: AckId,
        room: usize,
        buf: &mut Vec<u8>,
    ) -> Option<Parcel> {
        let account = self.state.acks.get_mut(id)?;
        account.queued = false;
        let (interface, generator) = (account.interface, account.generator);
        let peer = Peer::One(interface, generator);
        let Some(source) = self.address_towards(interface, generator) else {
            // Nobody could be answered from here.
            self.state.acks.take(id, self.now, usize::MAX, |_| ());
            self.arrange_acks(id);
            return None;
        };
        let start = buf.len();
        buf.resize(start + HEADER_LEN, 0);
        if self.append_acks(id, room.saturating_sub(HEADER_LEN), buf) == 0 {
            buf.truncate(start);
            self.arrange_acks(id);
            return None;
        }
        let header = self.header(HOP_TTL, Some(peer));
        if Message::Ack.seal(header, &mut buf[start..]).is_err() {
            buf.truncate(start);
            return None;
        }
        self.arrange_acks(id);
        let encapsulation = self.encapsulation_to(interface, generator);
        let transmit = self.to_neighbor(lane, source, generator, encapsulation);
        Some(Parcel { transmit, kind: MessageType::ACK, may_be_bundled: true })
    }
}
