//! A router between two neighbours, for measurements: the neighbours' messages, and a driver that answers everything at
//! once.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use rsvp_core::config::{Bandwidth, InterfaceConfig};
use rsvp_core::input::{Datagram, Encapsulation, InterfaceInfo, NextHop, Route};
use rsvp_core::wire::{
    Acknowledgement, FilterSpec, FlaggedId, FlowDescriptor, FlowKey, Flowspec, Head, Header, Message,
    MessageId, Path, RawMessage, Resv, RsvpHop, SenderTspec, Session, Style, Tspec,
};
use rsvp_core::{Input, Instant, InterfaceId, Node, NodeConfig, Ready, Request, SessionKey};

pub(crate) const UPSTREAM: InterfaceId = InterfaceId(1);
pub(crate) const DOWNSTREAM: InterfaceId = InterfaceId(2);
pub(crate) const PHOP: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 1, 1));
pub(crate) const NHOP: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 2, 2));
pub(crate) const SENDER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 9, 9, 9));

pub(crate) fn tspec() -> Tspec {
    Tspec { rate: 1000.0, bucket: 2000.0, peak: 2000.0, min_unit: 64, max_packet: 1500 }
}

pub(crate) fn session(n: u32) -> Session {
    let destination = Ipv4Addr::from_bits(0x0b00_0000 + n / 100).into();
    let port = u16::try_from(5000 + n % 100).unwrap();
    Session { key: SessionKey::Ip(FlowKey { destination, protocol: 17, port }), flags: 0 }
}

pub(crate) fn encode(message: &Message) -> Vec<u8> {
    let mut bytes = Vec::new();
    message.encode(Header { flags: 0, send_ttl: 60 }, &mut bytes).unwrap();
    bytes
}

pub(crate) fn path(n: u32) -> Vec<u8> {
    path_from(n, PHOP)
}

pub(crate) fn path_from(n: u32, previous_hop: IpAddr) -> Vec<u8> {
    encode(&Message::Path(Path {
        session: session(n),
        hop: RsvpHop { address: previous_hop, lih: 7 },
        refresh_ms: 30_000,
        policy: Vec::new(),
        sender_template: FilterSpec::Ip { source: SENDER, port: 4000 },
        sender_tspec: SenderTspec::TokenBucket(tspec()),
        adspec: None,
        forward: Vec::new(),
    }))
}

pub(crate) fn resv(n: u32) -> Vec<u8> {
    encode(&Message::Resv(Resv {
        session: session(n),
        hop: RsvpHop { address: NHOP, lih: DOWNSTREAM.0 },
        refresh_ms: 30_000,
        confirm: None,
        scope: None,
        policy: Vec::new(),
        style: Style::Ff,
        flows: vec![FlowDescriptor {
            flowspec: Some(Flowspec::ControlledLoad(tspec())),
            filters: vec![FilterSpec::Ip { source: SENDER, port: 4000 }],
        }],
        forward: Vec::new(),
    }))
}

/// A router between two neighbours, with a driver that answers everything at once.
pub(crate) struct Router {
    pub(crate) node: Node,
    pub(crate) now: Instant,
    pub(crate) datagram: Vec<u8>,
}

impl Router {
    pub(crate) fn new() -> Self {
        let pool = u64::MAX / 2;
        let default_interface = InterfaceConfig {
            bandwidth: Some(Bandwidth { total: pool, per_flow: pool, link: pool }),
            ..InterfaceConfig::default()
        };
        let config = NodeConfig { default_interface, ..NodeConfig::default() };
        let mut router = Self {
            node: Node::new(config, [1; 32], Instant::ZERO),
            now: Instant::ZERO,
            datagram: Vec::new(),
        };
        for (id, name, address) in
            [(UPSTREAM, "up", Ipv4Addr::new(10, 0, 1, 2)), (DOWNSTREAM, "down", Ipv4Addr::new(10, 0, 2, 1))]
        {
            let info = InterfaceInfo {
                id,
                name: name.into(),
                addresses: vec![address.into()],
                mtu: 1500,
                up: true,
                point_to_point: false,
            };
            router.node.handle(router.now, Input::Interface(info));
        }
        router
    }

    pub(crate) fn receive(
        &mut self,
        interface: InterfaceId,
        source: IpAddr,
        destination: IpAddr,
        payload: &[u8],
    ) {
        let datagram = Datagram {
            interface,
            source,
            destination,
            ttl: Some(60),
            encapsulation: Encapsulation::Raw,
            payload: Cow::Borrowed(payload),
        };
        self.node.handle(self.now, Input::Datagram(datagram));
    }

    pub(crate) fn path(&mut self, n: u32, payload: &[u8]) {
        self.receive(UPSTREAM, SENDER, session(n).key.flow().destination, payload);
    }

    pub(crate) fn resv(&mut self, payload: &[u8]) {
        self.receive(DOWNSTREAM, NHOP, Ipv4Addr::new(10, 0, 2, 1).into(), payload);
    }

    pub(crate) fn drain(&mut self) {
        self.answer_requests();
        while self.node.poll_transmit(self.now, &mut self.datagram).is_some() {}
        while self.node.poll_event().is_some() {}
    }

    pub(crate) fn answer_requests(&mut self) {
        while let Some(request) = self.node.poll_request() {
            match request {
                Request::WatchRoute(key) => {
                    let outgoing = vec![NextHop { interface: DOWNSTREAM, gateway: Some(NHOP) }];
                    let route = Route { outgoing, ..Route::default() };
                    self.node.handle(self.now, Input::Route(key, route));
                }
                Request::Install(installation) => {
                    self.node.handle(self.now, Input::Installed(installation.id, Ok(())));
                }
                Request::UnwatchRoute(_)
                | Request::Remove(_)
                | Request::Join { .. }
                | Request::Leave { .. } => {}
            }
        }
    }

    pub(crate) fn set_up(&mut self, n: u32) {
        self.path(n, &path(n));
        self.drain();
        self.resv(&resv(n));
        self.drain();
    }

    /// A router with so many sessions, each with a sender and a reservation.
    pub(crate) fn full(sessions: u32) -> Self {
        let mut router = Self::new();
        for n in 0..sessions {
            router.set_up(n);
        }
        assert_eq!(router.node.installed().len(), sessions as usize);
        router
    }
}

/// The Epoch of the neighbours.
pub(crate) const EPOCH: u32 = 0xab_cdef;

/// A message of a neighbour that is capable of refresh reduction, with a MESSAGE_ID.
pub(crate) fn with_id(message: &Message, id: FlaggedId) -> Vec<u8> {
    let head = Head { message_id: Some(id), ..Head::default() };
    let header = Header { flags: Header::REFRESH_REDUCTION, send_ttl: 60 };
    let mut bytes = Vec::new();
    message.encode_with(header, &head, &mut bytes).unwrap();
    bytes
}

pub(crate) fn id(n: u32) -> MessageId {
    MessageId { epoch: EPOCH, id: n }
}

/// The same Path or Resv, of state that is refreshed every `refresh_ms`.
pub(crate) fn every(refresh_ms: u32, bytes: &[u8]) -> Message {
    let mut message = Message::parse(&RawMessage::decode(bytes).unwrap(), usize::MAX).unwrap();
    match &mut message {
        Message::Path(path) => path.refresh_ms = refresh_ms,
        Message::Resv(resv) => resv.refresh_ms = refresh_ms,
        _ => {}
    }
    message
}

/// What a neighbour acknowledges, or just that it is there.
pub(crate) fn ack(id: MessageId) -> Vec<u8> {
    let acknowledgements = vec![Acknowledgement::Ack(FlaggedId::plain(id))];
    let mut bytes = Vec::new();
    let header = Header { flags: Header::REFRESH_REDUCTION, send_ttl: 255 };
    Message::Ack.encode_with(header, &Head { acknowledgements, message_id: None }, &mut bytes).unwrap();
    bytes
}

impl Router {
    /// A router between two neighbours that are capable, send everything with a MESSAGE_ID, and refresh it every
    /// `refresh_ms`.
    pub(crate) fn reducing(sessions: u32, refresh_ms: u32) -> Self {
        let mut router = Self::new();
        for n in 0..sessions {
            router.path(n, &with_id(&every(refresh_ms, &path(n)), FlaggedId::plain(id(n))));
            router.drain();
            router.resv(&with_id(&every(refresh_ms, &resv(n)), FlaggedId::plain(id(n))));
            router.drain();
        }
        assert_eq!(router.node.installed().len(), sessions as usize);
        // What is never acknowledged is given up, and all joins those that are refreshed together.
        for _ in 0..4 {
            router.refresh_all();
        }
        router
    }

    /// Lets a refresh period pass, in which both neighbours are heard.
    pub(crate) fn refresh_all(&mut self) {
        self.receive(UPSTREAM, PHOP, Ipv4Addr::new(10, 0, 1, 2).into(), &ack(id(0)));
        self.receive(DOWNSTREAM, NHOP, Ipv4Addr::new(10, 0, 2, 1).into(), &ack(id(0)));
        self.run_for(Duration::from_secs(30));
    }

    pub(crate) fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        self.drain();
        while let Some((at, _)) = self.node.poll_timeout(Ready::ALL).filter(|(at, _)| *at <= end) {
            self.now = at;
            self.node.handle(at, Input::Timeout);
            self.drain();
        }
        self.now = end;
    }
}
