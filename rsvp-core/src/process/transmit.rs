//! Builds the messages that wait in the outbox, from the state as it is now.

use alloc::vec::Vec;
use core::net::IpAddr;

use super::datagram::counter_of;
use super::merge::Content;
use super::{slewed, touch};
use crate::counters::DropReason;
use crate::event::Cause;
use crate::input::{Encapsulation, InterfaceId};
use crate::node::Node;
use crate::output::Transmit;
use crate::state::{
    AckId, Lane, OneShot, OneShotId, OutboxItem, PathAdId, Payload, Peer, ResvAd, ResvAdId, TimerKey, Told,
};
use crate::time::Duration;
use crate::wire::{Bundle, FlaggedId, Header, Message, MessageType, Resv, RsvpHop, Session};

/// DS field of RSVP's own messages: CS6, network control (RFC 4594 section 3.1).
pub(crate) const NETWORK_CONTROL: u8 = 48 << 2;

/// TTL of messages that go to a neighbour.
pub(crate) const HOP_TTL: u8 = 255;

/// A message, and how it would leave alone.
#[derive(Debug)]
pub(crate) struct Parcel {
    pub(crate) transmit: Transmit,
    pub(crate) kind: MessageType,
    /// Whether others may share its datagram.
    pub(crate) may_be_bundled: bool,
}

/// A message whose objects are being written.
struct Draft {
    start: usize,
    /// Where MESSAGE_ID stands, if there is one.
    id: Option<usize>,
    /// Where the other objects begin.
    body: usize,
}

impl Draft {
    /// Leaves room for what is known only when the other objects are there.
    fn begin(carries_id: bool, buf: &mut Vec<u8>, start: usize) -> Self {
        let id = carries_id.then_some(buf.len());
        if carries_id {
            buf.resize(buf.len() + FlaggedId::OBJECT_LEN, 0);
        }
        Self { start, id, body: buf.len() }
    }

    fn set_id(&self, id: Option<FlaggedId>, buf: &mut [u8]) {
        if let (Some(at), Some(id)) = (self.id, id) {
            buf[at..at + FlaggedId::OBJECT_LEN].copy_from_slice(&id.to_object());
        }
    }
}

impl Node {
    /// Appends a message to `buf`; `None` if the item has become void, or has no encoding. Then `buf` may be longer than
    /// it was. `room`: how many octets are left in the datagram.
    pub(crate) fn build(
        &mut self,
        lane: Lane,
        item: OutboxItem,
        room: usize,
        buf: &mut Vec<u8>,
    ) -> Option<Parcel> {
        match item {
            OutboxItem::Path(id) => self.build_path(lane, id, buf),
            OutboxItem::Resv(id) => self.build_resv(lane, id, room, buf),
            OutboxItem::OneShot(id) => self.build_one_shot(lane, id, room, buf),
            OutboxItem::Acks(id) => self.build_acks(lane, id, room, buf),
            OutboxItem::Srefresh(id) => self.build_srefresh(lane, id, room, buf),
        }
    }

    /// Counts a message that leaves.
    pub(crate) fn count_sent(&mut self, lane: Lane, parcel: &Parcel) {
        if let Some(counter) = counter_of(&mut self.counters.sent, parcel.kind) {
            *counter += 1;
        }
        if let Some(interface) = lane.interface {
            let neighbor = parcel.transmit.next_hop.unwrap_or(parcel.transmit.destination);
            self.state.neighbors.sent(interface, neighbor, self.now);
        }
    }

    /// The common header of a message sent with this TTL.
    pub(crate) fn header(&self, send_ttl: u8, peer: Option<Peer>) -> Header {
        Header { flags: self.flags(peer), send_ttl }
    }

    /// How a message goes to a neighbour.
    pub(crate) fn to_neighbor(
        &self,
        lane: Lane,
        source: IpAddr,
        destination: IpAddr,
        encapsulation: Encapsulation,
    ) -> Transmit {
        Transmit {
            interface: lane.interface,
            next_hop: None,
            source,
            destination,
            ttl: HOP_TTL,
            router_alert: false,
            encapsulation,
            traffic_class: NETWORK_CONTROL,
        }
    }

    /// Begins a message: its common header, and the acknowledgements that it takes along.
    fn begin(&mut self, acks: Option<AckId>, room: usize, carries_id: bool, buf: &mut Vec<u8>) -> Draft {
        let start = buf.len();
        buf.resize(start + Bundle::HEADER_LEN, 0);
        if let Some(acks) = acks {
            // A message that is not small itself must not become too large by what it takes along.
            self.append_acks(acks, (room / 4).min(MAX_ACKS), buf);
        }
        Draft::begin(carries_id, buf, start)
    }

    /// What a message says, in one number: two with the same are the same message, though not the same datagram
    /// (RFC 2961 section 1.1).
    pub(super) fn content_of(&self, ttl: u8, body: &[u8]) -> u128 {
        self.state.hash.fingerprint(&[&[ttl], body])
    }

    fn build_path(&mut self, lane: Lane, id: PathAdId, buf: &mut Vec<u8>) -> Option<Parcel> {
        let item = OutboxItem::Path(id);
        let ad = self.state.path_ads.get(id).filter(|ad| ad.queued)?;
        let period = self.next_period(ad.interface, ad.period);
        let due = self.now + self.jitter(period);
        // The next refresh comes even if this one cannot be sent: what hinders it may be over then.
        let ad = &mut self.state.path_ads[id];
        ad.queued = false;
        self.timers.arm(&mut ad.timer, due, TimerKey::PathAd(id));
        let adspec = ad.adspec.take();
        let ad = &self.state.path_ads[id];
        let without_id = ad.delivery.without_id;
        let Some(path) = self.path_message(ad, period, adspec) else {
            self.disown(item);
            return None;
        };
        let psb = &self.state.psbs[ad.psb];
        let raw = Transmit {
            next_hop: ad.next_hop,
            ttl: psb.ttl,
            router_alert: true,
            ..self.to_neighbor(lane, psb.sender.source(), psb.route.destination, Encapsulation::Raw)
        };
        let peer = self.path_peer(id);
        let carries_id = !without_id && self.carries_ids(peer);
        let message = Message::Path(path);
        let draft = self.begin(None, 0, carries_id, buf);
        self.encode_body(&message, &draft, buf)?;
        let content = self.content_of(raw.ttl, &buf[draft.body..]);
        let is_news = self.state.path_ads[id].told != Some(content);
        let sent = self.identify_if(carries_id, item, peer, is_news);
        draft.set_id(sent, buf);
        self.seal(&message, self.header(raw.ttl, Some(peer)), &draft, buf)?;
        if !is_news && !sent.is_some_and(FlaggedId::wants_ack) {
            self.counters.refreshes_sent += 1;
        }
        let told_in_udp = lane.interface.is_some_and(|interface| self.needs_udp(interface));
        let transmit = self.downstream(lane, raw, MessageType::PATH, &buf[draft.start..]);
        let ad = &mut self.state.path_ads[id];
        ad.told = Some(content);
        ad.told_in_udp = told_in_udp;
        ad.period = period;
        if let Some(sent) = sent {
            let acks = if matches!(peer, Peer::All(..)) { self.acks_awaited(id) } else { 1 };
            self.has_sent(item, peer, sent, acks);
        }
        self.take_seat(item);
        let may_be_bundled = transmit.encapsulation == Encapsulation::Raw && !told_in_udp;
        Some(Parcel { transmit, kind: MessageType::PATH, may_be_bundled })
    }

    fn build_resv(&mut self, lane: Lane, id: ResvAdId, room: usize, buf: &mut Vec<u8>) -> Option<Parcel> {
        let item = OutboxItem::Resv(id);
        let ad = self.state.resv_ads.get(id).filter(|ad| ad.queued)?;
        let period = self.next_period(ad.interface, ad.period);
        let due = self.now + self.jitter(period);
        let ad = &mut self.state.resv_ads[id];
        ad.queued = false;
        ad.next_refresh = Some(due);
        self.timers.arm(&mut ad.timer, due, TimerKey::ResvAd(id));
        let ad = &self.state.resv_ads[id];
        let (interface, destination) = (ad.interface, ad.hop.address);
        let is_enabled = self.interface_config(interface).enabled;
        let content = if is_enabled { self.resv_content(ad, true) } else { Content::Nothing };
        let (Content::Flows(told, is_blockaded), Some(source)) =
            (content, self.address_towards(interface, destination))
        else {
            self.disown(item);
            return None;
        };
        let peer = Peer::One(interface, destination);
        let (confirm, is_asked) = self.next_confirm(ad);
        let carries_id = !ad.delivery.without_id && self.carries_ids(peer);
        let message = Message::Resv(self.resv_message(ad, source, period, confirm, &told));
        let encapsulation = self.encapsulation_to(interface, destination);
        let acks = self.ready_acks(lane).filter(|_| encapsulation == Encapsulation::Raw);
        let draft = self.begin(acks, room, carries_id, buf);
        self.encode_body(&message, &draft, buf)?;
        let content = self.content_of(HOP_TTL, &buf[draft.body..]);
        let is_other = self.state.resv_ads[id].fingerprint != Some(content);
        let sent = self.identify_if(carries_id, item, peer, is_other);
        draft.set_id(sent, buf);
        self.seal(&message, self.header(HOP_TTL, Some(peer)), &draft, buf)?;
        self.has_told(id, told, source, period, is_blockaded, sent.is_some_and(FlaggedId::wants_ack));
        let ad = &mut self.state.resv_ads[id];
        ad.fingerprint = Some(content);
        if is_asked {
            ad.confirms.pop_front();
        }
        let is_awaited = sent.is_some_and(FlaggedId::wants_ack);
        ad.confirming = confirm.filter(|_| is_awaited);
        // Where the Resv is acknowledged, the next request for confirmation waits for that.
        if !ad.confirms.is_empty() && !is_awaited {
            self.queue_resv(id);
        }
        if let Some(sent) = sent {
            self.has_sent(item, peer, sent, 1);
        }
        self.take_seat(item);
        let transmit = self.to_neighbor(lane, source, destination, encapsulation);
        let may_be_bundled = encapsulation == Encapsulation::Raw;
        Some(Parcel { transmit, kind: MessageType::RESV, may_be_bundled })
    }

    /// The receiver whose request for confirmation goes along with a Resv, and whether it is the next in the queue.
    fn next_confirm(&self, ad: &ResvAd) -> (Option<IpAddr>, bool) {
        if ad.delivery.awaited.is_some() && ad.confirming.is_some() {
            return (ad.confirming, false);
        }
        match ad.confirms.front() {
            Some(receiver) => (Some(*receiver), true),
            None => (self.waiting_receiver(ad), false),
        }
    }

    fn resv_message(
        &self,
        ad: &ResvAd,
        source: IpAddr,
        period: Duration,
        confirm: Option<IpAddr>,
        told: &Told,
    ) -> Resv {
        Resv {
            session: Session { key: self.state.sessions[ad.session].key, flags: 0 },
            hop: RsvpHop { address: source, lih: ad.hop.lih },
            refresh_ms: u32::try_from(period.as_millis()).unwrap_or(u32::MAX),
            confirm,
            scope: told.scope.clone(),
            policy: told.policy.clone(),
            style: told.style,
            flows: told.flows.clone(),
            forward: told.forward.clone(),
        }
    }

    /// Notes what a previous hop has been told.
    fn has_told(
        &mut self,
        id: ResvAdId,
        told: Told,
        source: IpAddr,
        period: Duration,
        is_blockaded: bool,
        is_trigger: bool,
    ) {
        let ad = &mut self.state.resv_ads[id];
        ad.blockaded = is_blockaded;
        if ad.told.as_ref() == Some(&told) {
            ad.history.refreshed = self.now;
            if !is_trigger {
                self.counters.refreshes_sent += 1;
            }
        } else {
            touch(&mut ad.history, self.now, Cause::Resv);
        }
        ad.told = Some(told);
        ad.told_from = Some(source);
        ad.period = period;
    }

    /// R for the next message of an advertisement that last announced `announced`.
    fn next_period(&self, interface: InterfaceId, announced: Duration) -> Duration {
        let config = self.interface_config(interface);
        slewed(announced, self.refresh_period(interface), config.slew_max)
    }

    fn build_one_shot(
        &mut self,
        lane: Lane,
        id: OneShotId,
        room: usize,
        buf: &mut Vec<u8>,
    ) -> Option<Parcel> {
        let item = OutboxItem::OneShot(id);
        let one_shot = self.outbox.one_shot(id)?;
        let (peer, transmit) = (one_shot.peer, how(one_shot));
        let kind = match &one_shot.payload {
            Payload::Encoded(kind, bytes) => {
                let (kind, start) = (*kind, buf.len());
                buf.extend_from_slice(bytes);
                self.take_one_shot(id);
                return Some(self.one_shot_parcel(lane, transmit, kind, start, buf));
            }
            Payload::Message(message) => message.message_type(),
        };
        let carries_id = transmit.encapsulation == Encapsulation::Raw
            && match peer {
                Some(peer @ Peer::One(..)) => self.carries_ids(peer),
                Some(Peer::All(..)) => !one_shot.delivery.without_id,
                None => false,
            };
        let acks = self
            .ready_acks(lane)
            .filter(|_| transmit.destination == lane.peer && transmit.encapsulation == Encapsulation::Raw);
        let draft = self.begin(acks, room, carries_id, buf);
        // The message is put aside while it is written: it stays what it is.
        let one_shot = self.outbox.one_shot_mut(id)?;
        let payload = core::mem::replace(&mut one_shot.payload, Payload::Encoded(kind, Vec::new()));
        let Payload::Message(message) = payload else { return None };
        let sent = peer.and_then(|peer| self.identify_if(carries_id, item, peer, false));
        let header = self.header(transmit.ttl, peer);
        let sealed = self.encode_body(&message, &draft, buf).and_then(|()| {
            draft.set_id(sent, buf);
            self.seal(&message, header, &draft, buf)
        });
        let is_awaited = sealed.is_some() && sent.is_some_and(FlaggedId::wants_ack);
        if let (true, Some(sent), Some(peer)) = (is_awaited, sent, peer) {
            if let Some(one_shot) = self.outbox.one_shot_mut(id) {
                one_shot.payload = Payload::Message(message);
            }
            self.has_sent(item, peer, sent, 1);
        } else {
            self.disown(item);
            self.take_one_shot(id);
        }
        sealed?;
        Some(self.one_shot_parcel(lane, transmit, kind, draft.start, buf))
    }

    fn one_shot_parcel(
        &mut self,
        lane: Lane,
        transmit: Transmit,
        kind: MessageType,
        start: usize,
        buf: &[u8],
    ) -> Parcel {
        let is_raw = transmit.encapsulation == Encapsulation::Raw;
        let needs_udp = lane.interface.is_some_and(|interface| self.needs_udp(interface));
        let is_tear = kind == MessageType::PATH_TEAR && is_raw;
        let transmit = if is_tear { self.downstream(lane, transmit, kind, &buf[start..]) } else { transmit };
        Parcel { transmit, kind, may_be_bundled: is_raw && !(is_tear && needs_udp) }
    }

    fn identify_if(
        &mut self,
        carries_id: bool,
        item: OutboxItem,
        peer: Peer,
        is_news: bool,
    ) -> Option<FlaggedId> {
        if carries_id {
            return self.identify(item, peer, is_news);
        }
        self.disown(item);
        None
    }

    /// Writes the objects of a message; one that has no encoding is counted and not sent.
    fn encode_body(&mut self, message: &Message, draft: &Draft, buf: &mut Vec<u8>) -> Option<()> {
        if let Err(error) = message.encode_body(buf) {
            buf.truncate(draft.start);
            return self.is_unencodable(&error);
        }
        Some(())
    }

    fn seal(&mut self, message: &Message, header: Header, draft: &Draft, buf: &mut Vec<u8>) -> Option<()> {
        if let Err(error) = message.seal(header, &mut buf[draft.start..]) {
            buf.truncate(draft.start);
            return self.is_unencodable(&error);
        }
        Some(())
    }

    fn is_unencodable(&mut self, error: &crate::wire::EncodeError) -> Option<()> {
        tracing::debug!(%error, "message not sent");
        self.drop_message(DropReason::Unencodable);
        None
    }
}

/// Octets of acknowledgements that a message takes along at most.
const MAX_ACKS: usize = 480;

/// How a one-shot leaves.
fn how(one_shot: &OneShot) -> Transmit {
    Transmit {
        interface: one_shot.lane.interface,
        next_hop: one_shot.next_hop,
        source: one_shot.source,
        destination: one_shot.destination,
        ttl: one_shot.ttl,
        router_alert: one_shot.router_alert,
        encapsulation: one_shot.encapsulation,
        traffic_class: NETWORK_CONTROL,
    }
}
