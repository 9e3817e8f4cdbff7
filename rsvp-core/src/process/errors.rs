//! Error messages and confirmations that this node makes, and how one-shots are queued.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::datagram::Received;
use super::resv::Refusal;
use super::transmit::HOP_TTL;
use crate::counters::DropReason;
use crate::input::{Encapsulation, InterfaceId};
use crate::node::Node;
use crate::reduction::neighbor_in;
use crate::state::{Delivery, Lane, NextHopId, OneShot, OneShotId, Payload, Peer, PsbId, RsbId};
use crate::wire::{
    ClassNum, ErrorCode, ErrorSpec, FlowDescriptor, Message, Path, PathErr, RawMessage, ResvConf, ResvErr,
    RsvpHop, Session, SessionKey, Style, ctype,
};

impl Node {
    /// Queues a message that is sent once, unless too many wait already.
    pub(super) fn queue_one_shot(&mut self, one_shot: OneShot) {
        if self.outbox.one_shots() >= self.config.limits.queued_one_shots {
            self.counters.one_shots_dropped += 1;
            return;
        }
        if let Some((interface, address)) = one_shot.peer.and_then(neighbor_in) {
            self.state.neighbors.add_one_shot(interface, address);
        }
        self.outbox.push_one_shot(one_shot);
    }

    /// Takes a one-shot from the outbox for good.
    pub(crate) fn take_one_shot(&mut self, id: OneShotId) -> Option<OneShot> {
        let one_shot = self.outbox.take(id)?;
        if let Some((interface, address)) = one_shot.peer.and_then(neighbor_in) {
            self.state.neighbors.remove_one_shot(interface, address);
        }
        Some(one_shot)
    }

    /// Sends a message to a neighbour.
    pub(super) fn send_hop_by_hop(&mut self, interface: InterfaceId, destination: IpAddr, message: Message) {
        let source = self.address_towards(interface, destination);
        let Some(source) = source.filter(|_| self.interface_config(interface).enabled) else {
            self.drop_message(DropReason::InterfaceDisabled);
            return;
        };
        self.queue_to_neighbor(interface, source, destination, Payload::Message(Box::new(message)));
    }

    fn queue_to_neighbor(
        &mut self,
        interface: InterfaceId,
        source: IpAddr,
        destination: IpAddr,
        payload: Payload,
    ) {
        self.queue_one_shot(OneShot {
            lane: self.lane_to(interface, destination),
            peer: Some(Peer::One(interface, destination)),
            next_hop: None,
            source,
            destination,
            ttl: HOP_TTL,
            router_alert: false,
            encapsulation: self.encapsulation_to(interface, destination),
            payload,
            delivery: Delivery::default(),
        });
    }

    /// The lane of messages to a neighbour. One beyond nodes without RSVP may be reached by another interface than its
    /// messages come in on: the routing table knows.
    pub(crate) fn lane_to(&self, interface: InterfaceId, destination: IpAddr) -> Lane {
        let is_remote = self.state.neighbors.is_remote(interface, destination);
        Lane { interface: Some(interface).filter(|_| !is_remote), peer: destination }
    }

    /// This node's address on an interface, of the family of `peer`.
    pub(crate) fn address_towards(&self, interface: InterfaceId, peer: IpAddr) -> Option<IpAddr> {
        self.state.interfaces.get(&interface)?.address_like(peer)
    }

    /// An error that this node found.
    pub(super) fn own_error(
        &self,
        interface: InterfaceId,
        peer: IpAddr,
        code: ErrorCode,
        value: u16,
    ) -> ErrorSpec {
        let node = self.address_towards(interface, peer).unwrap_or(peer);
        ErrorSpec::new(node, code, value)
    }

    /// PathErr to the previous hop of a Path that is refused.
    pub(super) fn path_err(&mut self, received: &Received<'_>, path: &Path, code: ErrorCode, value: u16) {
        self.note_refused_path(received.interface, path, (code, value));
        let error = self.own_error(received.interface, path.hop.address, code, value);
        let message = PathErr {
            session: path.session,
            error,
            policy: path.policy.clone(),
            sender_template: path.sender_template,
            sender_tspec: Some(path.sender_tspec.clone()),
            adspec: path.adspec.clone(),
            forward: Vec::new(),
        };
        self.send_hop_by_hop(received.interface, path.hop.address, Message::PathErr(message));
    }

    /// The error message for a Path or Resv that could not be understood in full, if what names it could.
    pub(super) fn reply_to_broken(
        &mut self,
        received: &Received<'_>,
        raw: &RawMessage,
        code: ErrorCode,
        value: u16,
    ) {
        let Some(peer) = raw.hop().map(|hop| hop.address).filter(|peer| !self.state.is_own(*peer)) else {
            return;
        };
        let Some(source) = self.address_towards(received.interface, peer) else { return };
        let hop = RsvpHop { address: source, lih: received.interface.0 };
        let error = ErrorSpec::new(source, code, value);
        let header = self.header(HOP_TTL, Some(Peer::One(received.interface, peer)));
        let Some(reply) = raw.error_reply(header, &hop, &error) else { return };
        let mut bytes = Vec::new();
        if reply.encode(&mut bytes).is_ok() {
            let payload = Payload::Encoded(reply.header.message_type, bytes);
            self.state.neighbors.speaks(received.interface, peer, received.udp);
            self.queue_to_neighbor(received.interface, source, peer, payload);
        }
    }

    /// Sends a ResvErr to a next hop. Its RSVP_HOP, which is to be this node's, names the next hop up to here.
    pub(super) fn send_resv_err(&mut self, mut error: ResvErr) {
        let (next_hop, interface) = (error.hop.address, InterfaceId(error.hop.lih));
        let Some(own) = self.address_towards(interface, next_hop) else { return };
        error.hop.address = own;
        self.send_hop_by_hop(interface, next_hop, Message::ResvErr(error));
    }

    /// ResvErr for an RSB that this node refuses, with what it asked for.
    pub(super) fn refuse_rsb(&mut self, id: RsbId, code: ErrorCode, value: u16, flags: u8) {
        let rsb = &self.state.rsbs[id];
        let NextHopId::Hop(address, interface) = rsb.next_hop else { return };
        let flow = FlowDescriptor { flowspec: Some(rsb.contents.flowspec.clone()), filters: rsb.filters() };
        let error = ErrorSpec { flags, ..self.own_error(interface, address, code, value) };
        self.send_resv_err(ResvErr {
            session: Session { key: self.state.sessions[rsb.session].key, flags: 0 },
            hop: RsvpHop { address, lih: interface.0 },
            error,
            scope: rsb.contents.scope.clone(),
            policy: rsb.policy.received.clone(),
            style: rsb.style,
            flows: alloc::vec![flow],
            forward: Vec::new(),
        });
    }

    /// PathErr for a PSB that this node refuses.
    pub(super) fn refuse_psb(&mut self, id: PsbId, (code, value): Refusal) {
        let psb = &self.state.psbs[id];
        let Some((hop, interface)) = psb.previous_hop() else { return };
        let message = PathErr {
            session: Session { key: self.state.sessions[psb.session].key, flags: 0 },
            error: self.own_error(interface, hop.address, code, value),
            policy: psb.policy.received.clone(),
            sender_template: psb.sender,
            sender_tspec: Some(psb.tspec.clone()),
            adspec: psb.adspec.clone(),
            forward: Vec::new(),
        };
        self.send_hop_by_hop(interface, hop.address, Message::PathErr(message));
    }

    /// ResvConf to a receiver, from the node where the reservation stands (RFC 2205 section 3.1.9). `next_hop`: who
    /// asked for it here.
    pub(super) fn confirm(
        &mut self,
        receiver: IpAddr,
        node: IpAddr,
        next_hop: NextHopId,
        session: SessionKey,
        style: Style,
        flows: Vec<FlowDescriptor>,
    ) {
        let message = ResvConf {
            session: Session { key: session, flags: 0 },
            error: ErrorSpec::new(node, ErrorCode::CONFIRMATION, 0),
            confirm: receiver,
            style,
            flows,
            forward: Vec::new(),
        };
        match next_hop {
            // A host without raw I/O has it forwarded by its next hop.
            NextHopId::Hop(address, interface) if self.config.hu().is_some() => {
                self.send_hop_by_hop(interface, address, Message::ResvConf(message));
            }
            _ => self.send_resv_conf(message, node, HOP_TTL),
        }
    }

    /// Sends a ResvConf on its way. The routing table chooses it, unless the receiver is a neighbour that needs UDP.
    pub(super) fn send_resv_conf(&mut self, message: ResvConf, source: IpAddr, ttl: u8) {
        let destination = message.confirm;
        if let Some(interface) = self.udp_neighbor(destination) {
            return self.send_hop_by_hop(interface, destination, Message::ResvConf(message));
        }
        let payload = Payload::Message(Box::new(Message::ResvConf(message)));
        self.queue_one_shot(OneShot {
            lane: Lane { interface: None, peer: destination },
            peer: None,
            next_hop: None,
            source,
            destination,
            ttl,
            router_alert: true,
            encapsulation: Encapsulation::Raw,
            payload,
            delivery: Delivery::default(),
        });
    }
}

/// Whether an error message says that its sender does not know MESSAGE_ID (RFC 2961 section 4.8).
pub(super) fn rejects_id(error: &ErrorSpec) -> bool {
    error.error_code() == ErrorCode::UNKNOWN_OBJECT_CLASS
        && error.value == u16::from_be_bytes([ClassNum::MESSAGE_ID.0, ctype::DEFAULT])
}
