//! Turns what waits in the outbox into datagrams. Bytes are built here, from the state as it is now.

use alloc::vec::Vec;

use super::datagram::counter_of;
use super::merge::Content;
use super::{slewed, touch};
use crate::counters::DropReason;
use crate::event::Cause;
use crate::input::{Encapsulation, InterfaceId};
use crate::node::Node;
use crate::output::Transmit;
use crate::state::{Lane, OneShot, OutboxItem, PathAdId, Payload, ResvAdId, TimerKey};
use crate::time::Duration;
use crate::wire::{Header, Message, MessageType, Resv, RsvpHop, Session};

/// DS field of RSVP's own messages: CS6, network control (RFC 4594 section 3.1).
const NETWORK_CONTROL: u8 = 48 << 2;

/// The common header of a message sent with this TTL.
pub(super) fn header(send_ttl: u8) -> Header {
    Header { flags: 0, send_ttl }
}

impl Node {
    /// Builds one datagram; `None` if the item has become void.
    pub(crate) fn transmit(&mut self, lane: Lane, item: OutboxItem, buf: &mut Vec<u8>) -> Option<Transmit> {
        buf.clear();
        let (transmit, kind) = match item {
            OutboxItem::Path(id) => (self.transmit_path(lane, id, buf)?, MessageType::PATH),
            OutboxItem::Resv(id) => (self.transmit_resv(lane, id, buf)?, MessageType::RESV),
            OutboxItem::OneShot(id) => {
                let one_shot = self.outbox.take(id)?;
                self.transmit_one_shot(lane, one_shot, buf)?
            }
        };
        if let Some(counter) = counter_of(&mut self.counters.sent, kind) {
            *counter += 1;
        }
        if let Some(interface) = lane.interface {
            let neighbor = transmit.next_hop.unwrap_or(transmit.destination);
            self.state.neighbors.sent(interface, neighbor, self.now);
        }
        Some(transmit)
    }

    fn transmit_path(&mut self, lane: Lane, id: PathAdId, buf: &mut Vec<u8>) -> Option<Transmit> {
        let ad = self.state.path_ads.get(id)?;
        let period = self.next_period(ad.interface, ad.period);
        let due = self.now + self.jitter(period);
        // The next refresh comes even if this one cannot be sent: what hinders it may be over then.
        let ad = &mut self.state.path_ads[id];
        ad.queued = false;
        self.timers.arm(&mut ad.timer, due, TimerKey::PathAd(id));
        let adspec = ad.adspec.take();
        let ad = &self.state.path_ads[id];
        let path = self.path_message(ad, period, adspec)?;
        let psb = &self.state.psbs[ad.psb];
        let raw = Transmit {
            interface: lane.interface,
            next_hop: ad.next_hop,
            source: psb.sender.source(),
            destination: lane.destination,
            ttl: psb.ttl,
            router_alert: true,
            encapsulation: Encapsulation::Raw,
            traffic_class: NETWORK_CONTROL,
        };
        self.encode(&Message::Path(path), raw.ttl, buf)?;
        let fingerprint = self.state.hash.fingerprint(&[buf]);
        let transmit = self.downstream(lane, raw, MessageType::PATH, buf);
        let told_in_udp = lane.interface.is_some_and(|interface| self.needs_udp(interface));
        let ad = &mut self.state.path_ads[id];
        if ad.told == Some(fingerprint) {
            self.counters.refreshes_sent += 1;
        }
        ad.told = Some(fingerprint);
        ad.told_in_udp = told_in_udp;
        ad.period = period;
        Some(transmit)
    }

    fn transmit_resv(&mut self, lane: Lane, id: ResvAdId, buf: &mut Vec<u8>) -> Option<Transmit> {
        let ad = self.state.resv_ads.get(id)?;
        let period = self.next_period(ad.interface, ad.period);
        let due = self.now + self.jitter(period);
        let ad = &mut self.state.resv_ads[id];
        ad.queued = false;
        ad.next_refresh = Some(due);
        self.timers.arm(&mut ad.timer, due, TimerKey::ResvAd(id));
        let ad = &self.state.resv_ads[id];
        if !self.interface_config(ad.interface).enabled {
            return None;
        }
        let Content::Flows(told, is_blockaded) = self.resv_content(ad, true) else { return None };
        let source = self.address_towards(ad.interface, lane.destination)?;
        let confirm = ad.confirms.front().copied().or_else(|| self.waiting_receiver(ad));
        let resv = Resv {
            session: Session { key: self.state.sessions[ad.session].key, flags: 0 },
            hop: RsvpHop { address: source, lih: ad.hop.lih },
            refresh_ms: u32::try_from(period.as_millis()).unwrap_or(u32::MAX),
            confirm,
            scope: told.scope.clone(),
            policy: told.policy.clone(),
            style: told.style,
            flows: told.flows.clone(),
            forward: told.forward.clone(),
        };
        let transmit = Transmit {
            interface: lane.interface,
            next_hop: None,
            source,
            destination: lane.destination,
            ttl: super::errors::HOP_TTL,
            router_alert: false,
            encapsulation: self.encapsulation_to(ad.interface, lane.destination),
            traffic_class: NETWORK_CONTROL,
        };
        self.encode(&Message::Resv(resv), transmit.ttl, buf)?;
        let ad = &mut self.state.resv_ads[id];
        ad.confirms.pop_front();
        ad.blockaded = is_blockaded;
        if ad.told.as_ref() == Some(&told) {
            ad.history.refreshed = self.now;
            self.counters.refreshes_sent += 1;
        } else {
            touch(&mut ad.history, self.now, Cause::Resv);
        }
        ad.told = Some(told);
        ad.told_from = Some(source);
        ad.period = period;
        if !ad.confirms.is_empty() {
            self.queue_resv(id);
        }
        Some(transmit)
    }

    /// R for the next message of an advertisement that last announced `announced`.
    fn next_period(&self, interface: InterfaceId, announced: Duration) -> Duration {
        let config = self.interface_config(interface);
        slewed(announced, self.refresh_period(interface), config.slew_max)
    }

    fn transmit_one_shot(
        &mut self,
        lane: Lane,
        one_shot: OneShot,
        buf: &mut Vec<u8>,
    ) -> Option<(Transmit, MessageType)> {
        let kind = match one_shot.payload {
            Payload::Encoded(kind, bytes) => {
                *buf = bytes;
                kind
            }
            Payload::Message(message) => {
                self.encode(&message, one_shot.ttl, buf)?;
                message.message_type()
            }
        };
        let transmit = Transmit {
            interface: lane.interface,
            next_hop: one_shot.next_hop,
            source: one_shot.source,
            destination: lane.destination,
            ttl: one_shot.ttl,
            router_alert: one_shot.router_alert,
            encapsulation: one_shot.encapsulation,
            traffic_class: NETWORK_CONTROL,
        };
        if kind == MessageType::PATH_TEAR && one_shot.encapsulation == Encapsulation::Raw {
            return Some((self.downstream(lane, transmit, kind, buf), kind));
        }
        Some((transmit, kind))
    }

    /// Encodes a message; one that has no encoding is counted and not sent.
    fn encode(&mut self, message: &Message, ttl: u8, buf: &mut Vec<u8>) -> Option<()> {
        if let Err(error) = message.encode(header(ttl), buf) {
            tracing::debug!(%error, "message not sent");
            self.drop_message(DropReason::Unencodable);
            return None;
        }
        Some(())
    }
}
