//! MESSAGE ARRIVES (RFC 2209 section 2): checks that hold for every message, then dispatch.

use core::net::IpAddr;

use crate::counters::{DropReason, MessageCounters};
use crate::event::Cause;
use crate::input::{Datagram, Encapsulation, InterfaceId};
use crate::node::Node;
use crate::state::{Delivery, Lane, OneShot, Payload, Psb, RefreshTarget, RsbId};
use crate::wire::{
    CommonHeader, DecodeError, DecodeErrorKind, FlaggedId, Head, Header, Message, MessageId, MessageType,
    RawMessage,
};

/// A datagram that is to be acted upon, and what is known of it.
pub(crate) struct Received<'a> {
    pub(crate) datagram: &'a Datagram<'a>,
    pub(crate) interface: InterfaceId,
    /// The TTL that it counts as received with.
    pub(crate) ttl: u8,
    /// Whether it came in UDP.
    pub(crate) udp: bool,
    /// Whether it came in a Bundle, which goes to the node that is to handle it.
    pub(crate) is_bundled: bool,
    /// Whether a hop without RSVP lies behind it.
    pub(crate) non_rsvp: bool,
    /// Its MESSAGE_ID, if it has one.
    pub(crate) message_id: Option<MessageId>,
    /// Whether its sender says that it is capable of refresh reduction.
    pub(crate) is_capable: bool,
    /// Its fingerprint.
    pub(crate) fingerprint: u128,
}

impl Node {
    pub(crate) fn on_datagram(&mut self, datagram: &Datagram<'_>) {
        if let Err(reason) = self.receive(datagram) {
            self.drop_message(reason);
        }
    }

    fn receive(&mut self, datagram: &Datagram<'_>) -> Result<(), DropReason> {
        let interface = datagram.interface;
        if !self.state.interfaces.contains_key(&interface) {
            return Err(DropReason::UnknownInterface);
        }
        if !self.interface_config(interface).enabled {
            return Err(DropReason::InterfaceDisabled);
        }
        let header = CommonHeader::peek(&datagram.payload).map_err(|error| drop_reason(&error))?;
        if !self.listens_to(datagram) {
            return Err(DropReason::NotListening);
        }
        self.counters.packets_received += 1;
        self.counters.octets_received += u64::try_from(datagram.payload.len()).unwrap_or(0);
        if header.message_type == MessageType::BUNDLE {
            return self.on_bundle(datagram);
        }
        self.receive_message(datagram, None)
    }

    /// Handles one message, which came alone or in a Bundle with this header.
    pub(crate) fn receive_message(
        &mut self,
        datagram: &Datagram<'_>,
        bundle: Option<&CommonHeader>,
    ) -> Result<(), DropReason> {
        let payload = &*datagram.payload;
        let header = CommonHeader::peek(payload).map_err(|error| drop_reason(&error))?;
        header.check(payload).map_err(|error| drop_reason(&error))?;
        let (head, body) = Head::split(payload).unwrap_or_default();
        let send_ttl = bundle.map_or(header.send_ttl, |bundle| bundle.send_ttl);
        let flags = header.flags | bundle.map_or(0, |bundle| bundle.flags);
        let ttl = self.received_ttl(datagram, send_ttl);
        let received = Received {
            datagram,
            interface: datagram.interface,
            ttl,
            udp: datagram.encapsulation != Encapsulation::Raw,
            is_bundled: bundle.is_some(),
            non_rsvp: ttl != send_ttl,
            message_id: head.message_id.map(|id| id.id),
            is_capable: flags & Header::REFRESH_REDUCTION != 0,
            fingerprint: self.fingerprint(datagram, &header, send_ttl, &head, body),
        };
        if !self.stopping
            && let Some(neighbor) = self.refresh_known(&received, header.message_type)
        {
            let from = (received.interface, neighbor.1);
            self.on_acknowledgements(from, received.is_capable, &head.acknowledgements);
            self.has_heard(neighbor, &received, &head, Ok(()));
            return Ok(());
        }
        let raw = RawMessage::decode(payload).map_err(|error| drop_reason(&error))?;
        if !self.stopping && !self.is_for_us(datagram, raw.header.message_type)? {
            return Ok(());
        }
        let extension = if self.takes_ids_of(&raw, datagram) { None } else { raw.extension() };
        let parsed = match extension {
            Some(unknown) => Err(unknown),
            None => Message::parse(&raw, self.config.limits.objects_per_message),
        };
        let message = match parsed {
            Ok(message) => message,
            Err(error) => {
                if let Some((code, value)) = error.reply().filter(|_| !self.stopping) {
                    self.reply_to_broken(&received, &raw, code, value);
                }
                return Err(drop_reason(&error));
            }
        };
        self.count_received(&message);
        let generator = self.generator(&received, &message);
        let from = (received.interface, generator.1);
        self.on_acknowledgements(from, received.is_capable, &head.acknowledgements);
        if self.stopping {
            return Err(DropReason::ShuttingDown);
        }
        let result = self.dispatch(&received, message);
        self.has_heard(generator, &received, &head, result);
        result
    }

    fn dispatch(&mut self, received: &Received<'_>, message: Message) -> Result<(), DropReason> {
        match message {
            Message::Path(path) => self.on_path(received, path),
            Message::Resv(resv) => self.on_resv(received, &resv),
            Message::PathErr(error) => self.on_path_err(received, &error),
            Message::ResvErr(error) => self.on_resv_err(received, &error),
            Message::PathTear(tear) => self.on_path_tear(received, &tear),
            Message::ResvTear(tear) => self.on_resv_tear(received, &tear),
            Message::ResvConf(confirmation) => self.on_resv_conf(received, confirmation),
            Message::Ack => Ok(()),
            Message::Srefresh(srefresh) => self.on_srefresh(received, &srefresh),
        }
    }

    /// Whether the node itself acts on the message. Those that are neither Path, PathTear, ResvConf nor a summary refresh of
    /// Paths and go to another node are passed on (RFC 2209 section 2).
    fn is_for_us(&mut self, datagram: &Datagram<'_>, kind: MessageType) -> Result<bool, DropReason> {
        let travels = matches!(
            kind,
            MessageType::PATH | MessageType::PATH_TEAR | MessageType::RESV_CONF | MessageType::SREFRESH
        );
        if datagram.destination.is_multicast() || self.state.is_own(datagram.destination) {
            return Ok(true);
        }
        if !self.config.router {
            return Err(DropReason::NotForUs);
        }
        if travels {
            return Ok(true);
        }
        let ttl = datagram.ttl.unwrap_or(1).saturating_sub(1);
        if ttl == 0 {
            return Err(DropReason::TtlExpired);
        }
        let relay = OneShot {
            lane: Lane { interface: None, peer: datagram.destination },
            peer: None,
            next_hop: None,
            source: datagram.source,
            destination: datagram.destination,
            ttl,
            router_alert: true,
            encapsulation: Encapsulation::Raw,
            payload: Payload::Encoded(kind, datagram.payload.to_vec()),
            delivery: Delivery::default(),
        };
        self.queue_one_shot(relay);
        Ok(false)
    }

    /// What makes two received messages the same: what they say, apart from checksum and flags, their MESSAGE_ID, where
    /// they came from and went to, their TTL, and whether and where they came in UDP.
    fn fingerprint(
        &self,
        datagram: &Datagram<'_>,
        header: &CommonHeader,
        send_ttl: u8,
        head: &Head,
        body: usize,
    ) -> u128 {
        let interface = datagram.interface.0.to_be_bytes();
        let (source, destination) = (octets(datagram.source), octets(datagram.destination));
        let kind =
            [header.message_type.0, send_ttl, datagram.ttl.unwrap_or(0), u8::from(datagram.ttl.is_some())];
        let port = match datagram.encapsulation {
            Encapsulation::Raw => [0; 2],
            Encapsulation::Udp { destination_port, .. } => destination_port.to_be_bytes(),
        };
        let id = head.message_id.map_or([0; FlaggedId::OBJECT_LEN], |id| FlaggedId::plain(id.id).to_object());
        let contents = &datagram.payload[body..];
        self.state.hash.fingerprint(&[&interface, &source, &destination, &kind, &port, &id, contents])
    }

    /// Refreshes the state that this very message refreshed before, and tells of which neighbour it is; `None` if there
    /// is none.
    fn refresh_known(&mut self, received: &Received<'_>, kind: MessageType) -> Option<(InterfaceId, IpAddr)> {
        let neighbor = self.refresh_target(received.fingerprint)?;
        self.heard(received, neighbor);
        self.counters.refreshes_received += 1;
        if let Some(counter) = counter_of(&mut self.counters.received, kind) {
            *counter += 1;
        }
        Some(neighbor)
    }

    /// Refreshes the state that has this fingerprint, and tells of which neighbour it is.
    pub(crate) fn refresh_target(&mut self, fingerprint: u128) -> Option<(InterfaceId, IpAddr)> {
        match self.state.refreshes.get(&fingerprint)? {
            RefreshTarget::Path(psb) => {
                let psb = *psb;
                self.refresh_psb(psb);
                let (hop, interface) = self.state.psbs.get(psb).and_then(Psb::previous_hop)?;
                Some((interface, hop.address))
            }
            RefreshTarget::Resv(rsbs) => {
                let rsbs: alloc::vec::Vec<RsbId> = rsbs.clone();
                for rsb in &rsbs {
                    self.refresh_rsb(*rsb, None);
                }
                let next = rsbs.first().and_then(|rsb| self.state.rsbs.get(*rsb)).map(|rsb| rsb.next_hop)?;
                Some((next.interface()?, next.address()?))
            }
        }
    }

    /// A message of this neighbour has been acted upon.
    pub(super) fn heard(&mut self, received: &Received<'_>, neighbor: (InterfaceId, IpAddr)) {
        self.state.neighbors.heard(neighbor, self.now, received.udp, received.non_rsvp);
    }

    /// From now on, this very message is a mere refresh of `target`.
    pub(crate) fn remember_refresh(&mut self, fingerprint: u128, target: RefreshTarget) {
        self.state.refreshes.insert(fingerprint, target);
    }

    fn count_received(&mut self, message: &Message) {
        if let Some(counter) = counter_of(&mut self.counters.received, message.message_type()) {
            *counter += 1;
        }
    }
}

/// The octets of an address; those of an IPv4 address as IPv6 embeds them.
pub(crate) fn octets(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

/// The counter of a message type.
pub(crate) fn counter_of(counters: &mut MessageCounters, kind: MessageType) -> Option<&mut u64> {
    Some(match kind {
        MessageType::PATH => &mut counters.path,
        MessageType::RESV => &mut counters.resv,
        MessageType::PATH_ERR => &mut counters.path_err,
        MessageType::RESV_ERR => &mut counters.resv_err,
        MessageType::PATH_TEAR => &mut counters.path_tear,
        MessageType::RESV_TEAR => &mut counters.resv_tear,
        MessageType::RESV_CONF => &mut counters.resv_confirm,
        MessageType::ACK => &mut counters.ack,
        MessageType::SREFRESH => &mut counters.srefresh,
        _ => return None,
    })
}

pub(crate) fn drop_reason(error: &DecodeError) -> DropReason {
    match error.kind {
        DecodeErrorKind::Truncated { .. } => DropReason::Truncated,
        DecodeErrorKind::BadVersion(_) => DropReason::BadVersion,
        DecodeErrorKind::BadLength { .. } | DecodeErrorKind::BadObjectLength { .. } => DropReason::BadLength,
        DecodeErrorKind::BadChecksum { .. } => DropReason::BadChecksum,
        DecodeErrorKind::UnknownMessageType(_) => DropReason::UnknownMessageType,
        DecodeErrorKind::UnknownClass { .. } => DropReason::UnknownObjectClass,
        DecodeErrorKind::UnknownCType { .. } => DropReason::UnknownObjectCType,
        DecodeErrorKind::MissingObject(_) => DropReason::MissingObject,
        DecodeErrorKind::TooManyObjects { .. } => DropReason::TooManyObjects,
        DecodeErrorKind::NestedBundle => DropReason::NestedBundle,
        DecodeErrorKind::UnknownStyle { .. }
        | DecodeErrorKind::BadFlowDescriptors(_)
        | DecodeErrorKind::ConflictingCType(_) => DropReason::Inconsistent,
        _ => DropReason::MalformedObject,
    }
}

/// The cause that an event names for a message that carried an error.
pub(crate) fn error_cause(code: u8, value: u16) -> Cause {
    Cause::Error { code, value }
}
