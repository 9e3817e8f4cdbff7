//! Neighbours that speak RFC 2961: what they put in front of their messages, what they bundle and list, and how they
//! acknowledge.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use rsvp_core::Instant;
use rsvp_core::config::{MessageIds, NodeConfig, ReductionConfig};
use rsvp_core::wire::{
    Acknowledgement, Bundle, FilterSpec, FlaggedId, Head, Header, IdEntries, IdList, Message, MessageId,
    MessageType, Path, Srefresh,
};

use crate::bench::dut::{Dut, Received, TTL};
use crate::bench::lab::Lab;
use crate::bench::messages::{Ack, Kind};
use crate::bench::plan::{Family, Plan, Port, Station};
use crate::bench::tester::{Packet, Sent};

/// How long a neighbour takes to acknowledge, at most.
const ACK_TIME: Duration = Duration::from_millis(20);

/// The Epoch of the neighbours' message ids.
pub const EPOCH: u32 = 0x12_3456;

/// A neighbour's message id.
#[must_use]
pub const fn mid(id: u32) -> MessageId {
    MessageId { epoch: EPOCH, id }
}

/// A neighbour's MESSAGE_ID that is not to be acknowledged.
#[must_use]
pub const fn plain(id: u32) -> FlaggedId {
    FlaggedId::plain(mid(id))
}

/// A neighbour's MESSAGE_ID that is to be acknowledged.
#[must_use]
pub const fn wanted(id: u32) -> FlaggedId {
    FlaggedId::wanting_ack(mid(id))
}

/// The DUT's acknowledgement of a neighbour's message.
#[must_use]
pub const fn ack(id: u32) -> Acknowledgement {
    Acknowledgement::Ack(plain(id))
}

/// The DUT's answer to what a neighbour lists and it does not know.
#[must_use]
pub const fn nack(id: u32) -> Acknowledgement {
    Acknowledgement::Nack(plain(id))
}

/// A MESSAGE_ID LIST.
#[must_use]
pub fn list(ids: &[u32]) -> IdList {
    IdList::new(EPOCH, IdEntries::Plain(ids.to_vec()))
}

/// A MESSAGE_ID SRC_LIST.
#[must_use]
pub fn src_list(entries: &[(u32, IpAddr)]) -> IdList {
    IdList::new(EPOCH, IdEntries::Sources(entries.to_vec()))
}

/// A MESSAGE_ID MCAST_LIST.
#[must_use]
pub fn mcast_list(entries: &[(u32, IpAddr, IpAddr)]) -> IdList {
    IdList::new(EPOCH, IdEntries::Groups(entries.to_vec()))
}

/// How many acknowledgements a neighbour puts into one message.
const ACKS_TOGETHER: usize = 100;

/// What the neighbours do by themselves, and what they were told of messages of theirs.
#[derive(Default)]
pub(super) struct Manners {
    /// The flags of what they send, if not 0.
    flags: BTreeMap<Station, u8>,
    /// Those who acknowledge whatever wants it.
    acknowledging: BTreeSet<Station>,
    /// What they have still to acknowledge.
    owed: Vec<(Station, MessageId)>,
    /// What the DUT said of their messages: when, where, to whom and what.
    acks: Vec<(Instant, Port, IpAddr, Acknowledgement)>,
}

impl Manners {
    pub(super) fn flags(&self, station: Station) -> u8 {
        self.flags.get(&station).copied().unwrap_or(0)
    }

    /// How long time may run before somebody has to look at what has come.
    pub(super) fn patience(&self) -> Option<Duration> {
        (!self.acknowledging.is_empty()).then_some(ACK_TIME)
    }

    pub(super) fn forget(&mut self) {
        self.acks.clear();
    }

    /// Looks at the head of what the DUT has sent.
    pub(super) fn note(&mut self, plan: Plan, sent: &Sent) {
        let (head, _) = Head::split(&sent.packet.message).expect("the monitor has seen it");
        let to = sent.packet.destination;
        self.acks.extend(head.acknowledgements.iter().map(|it| (sent.at, sent.port, to, *it)));
        if let Some(wanted) = head.message_id.filter(|id| id.wants_ack()) {
            let hearing = self.acknowledging.iter().filter(|station| hears(plan, **station, sent));
            self.owed.extend(hearing.map(|station| (*station, wanted.id)));
        }
    }
}

/// Whether what the DUT sent comes to a neighbour.
fn hears(plan: Plan, station: Station, sent: &Sent) -> bool {
    let (address, destination) = (plan.station(station), sent.packet.destination);
    let is_alone = station.port() != Port::D;
    let is_for_it = sent.next_hop.map_or(is_alone || destination.is_multicast(), |hop| hop == address);
    station.port() == sent.port && (destination == address || is_for_it)
}

/// Devices that use RFC 2961 from the start.
impl Lab {
    /// A router that uses message ids with everyone (RFC 2961 section 4.8), and the rest of RFC 2961 as by default.
    #[must_use]
    pub fn reducing(&self) -> Dut {
        self.reducing_with(|_| ())
    }

    /// The same with other settings of refresh reduction, for all interfaces.
    #[must_use]
    pub fn reducing_with(&self, change: impl FnOnce(&mut ReductionConfig)) -> Dut {
        self.with(Family::V4, |config| reduce(config, change))
    }

    /// A router that uses message ids with everyone, and whose interfaces lead to one neighbour each.
    #[must_use]
    pub fn point_to_point(&self, family: Family) -> Dut {
        self.with(family, |config| {
            reduce(config, |_| ());
            config.default_interface.point_to_point = Some(true);
        })
    }
}

/// Neighbours that speak RFC 2961.
impl Dut {
    /// What flags a neighbour's messages have from now on; 0 before.
    pub fn set_flags(&mut self, station: Station, flags: u8) {
        self.manners.flags.insert(station, flags);
    }

    /// From now on a neighbour says that it is capable of refresh reduction. It does so at once, in a Path that ends at the
    /// DUT: a node need not remember those with whom it has no state.
    pub fn introduce(&mut self, station: Station) {
        self.set_flags(station, Header::REFRESH_REDUCTION);
        let session = self.plan.session(self.plan.dut(station.port()), 6000);
        let sender = FilterSpec::Ip { source: self.plan.station(station), port: 6000 };
        let path = Path { refresh_ms: 3_600_000, ..self.path(station, session, sender) };
        self.send(station, path);
    }

    /// From now on a neighbour says in no message that it is capable of refresh reduction. It sends one at once.
    pub fn withdraw(&mut self, station: Station) {
        self.set_flags(station, 0);
        self.send_ack(station, MessageId { epoch: 0, id: 0 });
    }

    /// From now on a neighbour acknowledges whatever comes to it and wants it, within 20 ms.
    pub fn acknowledging(&mut self, station: Station) {
        self.manners.acknowledging.insert(station);
    }

    /// From now on a neighbour acknowledges nothing by itself, as in the beginning.
    pub fn withholding(&mut self, station: Station) {
        self.manners.acknowledging.remove(&station);
    }

    /// Neighbours that are capable of refresh reduction and acknowledge; what they cause is forgotten.
    pub fn befriend(&mut self, stations: &[Station]) {
        for station in stations {
            self.introduce(*station);
            self.acknowledging(*station);
        }
        self.forget();
    }

    /// Sends what the neighbours owe; whether there was anything.
    pub(super) fn acknowledge(&mut self) -> bool {
        let owed = std::mem::take(&mut self.manners.owed);
        for station in Station::ALL {
            let of_station = owed.iter().filter(|(by, _)| *by == station);
            let acks: Vec<Acknowledgement> =
                of_station.map(|(_, id)| Acknowledgement::Ack(FlaggedId::plain(*id))).collect();
            for some in acks.chunks(ACKS_TOGETHER) {
                let head = Head { acknowledgements: some.to_vec(), message_id: None };
                let packet = self.pack_with(station, Ack, &head);
                self.tester.send(station, &packet);
            }
        }
        !owed.is_empty()
    }

    /// Sends a message with objects of RFC 2961 in front.
    pub fn send_with(&mut self, from: Station, message: impl Kind, head: &Head) {
        let packet = self.pack_with(from, message, head);
        self.send_packet(from, &packet);
    }

    /// Sends a message with a MESSAGE_ID.
    pub fn send_id(&mut self, from: Station, message: impl Kind, id: FlaggedId) {
        let packet = self.pack_id(from, message, id);
        self.send_packet(from, &packet);
    }

    /// A message with objects of RFC 2961 in front, in the packet that a neighbour would send it in.
    ///
    /// # Panics
    ///
    /// When the message cannot be encoded.
    #[must_use]
    pub fn pack_with(&self, from: Station, message: impl Kind, head: &Head) -> Packet {
        let message = message.into_message();
        let mut bytes = Vec::new();
        let header = Header { flags: self.manners.flags(from), send_ttl: TTL };
        message.encode_with(header, head, &mut bytes).expect("the case's message is encodable");
        self.wrap(from, &message, bytes)
    }

    /// A message with a MESSAGE_ID, in the packet that a neighbour would send it in.
    #[must_use]
    pub fn pack_id(&self, from: Station, message: impl Kind, id: FlaggedId) -> Packet {
        self.pack_with(from, message, &Head { acknowledgements: Vec::new(), message_id: Some(id) })
    }

    /// The messages of these packets in one Bundle from a neighbour to the DUT.
    ///
    /// # Panics
    ///
    /// When it is too long.
    #[must_use]
    pub fn bundle(&self, from: Station, packets: &[Packet]) -> Packet {
        let messages: Vec<&[u8]> = packets.iter().map(|packet| &packet.message[..]).collect();
        let header = Header { flags: self.manners.flags(from), send_ttl: TTL };
        let mut bytes = Vec::new();
        Bundle::encode(header, &messages, &mut bytes).expect("the case's Bundle is encodable");
        self.wrap(from, &Message::Ack, bytes)
    }

    /// Sends the messages of these packets in one Bundle.
    pub fn send_bundle(&mut self, from: Station, packets: &[Packet]) {
        let packet = self.bundle(from, packets);
        self.send_packet(from, &packet);
    }

    /// Sends an Srefresh to the DUT's address.
    pub fn send_srefresh(&mut self, from: Station, lists: &[IdList]) {
        self.send(from, Srefresh { lists: lists.to_vec() });
    }

    /// Sends an Srefresh to a session's destination, with Router Alert.
    pub fn send_srefresh_to(&mut self, from: Station, destination: IpAddr, lists: &[IdList]) {
        let packet = self.pack(from, Srefresh { lists: lists.to_vec() });
        self.send_packet(from, &Packet { destination, router_alert: true, ..packet });
    }

    /// Sends an Ack message with one MESSAGE_ID_ACK.
    pub fn send_ack(&mut self, from: Station, id: MessageId) {
        self.send_acknowledgement(from, Acknowledgement::Ack(FlaggedId::plain(id)));
    }

    /// Sends an Ack message with one MESSAGE_ID_NACK.
    pub fn send_nack(&mut self, from: Station, id: MessageId) {
        self.send_acknowledgement(from, Acknowledgement::Nack(FlaggedId::plain(id)));
    }

    fn send_acknowledgement(&mut self, from: Station, acknowledgement: Acknowledgement) {
        self.send_with(from, Ack, &Head { acknowledgements: vec![acknowledgement], message_id: None });
    }

    /// Takes what the DUT said of a neighbour's messages, in whatever message to the neighbour's address; those that say
    /// nothing else are taken too.
    pub fn acks(&mut self, station: Station) -> Vec<Acknowledgement> {
        self.timed_acks(station).into_iter().map(|(_, acknowledgement)| acknowledgement).collect()
    }

    /// Asserts that the DUT said this of a neighbour's messages, in any order, and nothing else; takes it.
    ///
    /// # Panics
    ///
    /// When it said something else.
    pub fn expect_acks(&mut self, station: Station, expected: &[Acknowledgement]) {
        self.wait_for_acks(station, expected.len());
        let in_order = |mut some: Vec<Acknowledgement>| {
            some.sort_by_key(|it| it.id());
            some
        };
        let said = in_order(self.acks(station));
        assert_eq!(said, in_order(expected.to_vec()), "acknowledgements to {station:?}");
    }

    /// Gives the DUT the time to say so much of a neighbour's messages, if it has not done so.
    pub fn wait_for_acks(&mut self, station: Station, count: usize) {
        let (port, address) = (station.port(), self.plan.station(station));
        let is_its =
            |(_, by, to, _): &&(Instant, Port, IpAddr, Acknowledgement)| *by == port && *to == address;
        self.patiently(|dut| (dut.manners.acks.iter().filter(is_its).count() >= count).then_some(()));
    }

    /// What the DUT said of a neighbour's messages, with the time; takes it like [`Dut::acks`].
    pub fn timed_acks(&mut self, station: Station) -> Vec<(Instant, Acknowledgement)> {
        let (port, address) = (station.port(), self.plan.station(station));
        self.sent.retain(|sent| {
            let is_ack = sent.packet.message.get(1) == Some(&MessageType::ACK.0);
            !(is_ack && sent.port == port && sent.packet.destination == address)
        });
        let is_its =
            |(_, by, to, _): &(Instant, Port, IpAddr, Acknowledgement)| *by == port && *to == address;
        let (its, others) = std::mem::take(&mut self.manners.acks).into_iter().partition(is_its);
        self.manners.acks = others;
        let its: Vec<(Instant, Port, IpAddr, Acknowledgement)> = its;
        its.into_iter().map(|(at, _, _, acknowledgement)| (at, acknowledgement)).collect()
    }

    /// Takes the messages that came out of a port in Bundles, Bundle by Bundle.
    ///
    /// # Panics
    ///
    /// Never: the monitor has seen them.
    pub fn bundles(&mut self, port: Port) -> Vec<(Rc<Packet>, Vec<Received<Message>>)> {
        let mut bundles: Vec<(Rc<Packet>, Vec<Received<Message>>)> = Vec::new();
        let mut rest = Vec::new();
        for message in self.all::<Message>(port) {
            match (message.sent.bundle.clone(), bundles.last_mut()) {
                (None, _) => rest.push(message.sent),
                (Some(bundle), Some((last, messages))) if Rc::ptr_eq(last, &bundle) => messages.push(message),
                (Some(bundle), _) => bundles.push((bundle, vec![message])),
            }
        }
        self.sent.extend(rest);
        self.sent.sort_by_key(|sent| sent.at);
        bundles
    }
}

fn reduce(config: &mut NodeConfig, change: impl FnOnce(&mut ReductionConfig)) {
    let reduction = &mut config.default_interface.reduction;
    reduction.message_ids = MessageIds::Always;
    change(reduction);
}

impl<M> Received<M> {
    /// Its MESSAGE_ID.
    ///
    /// # Panics
    ///
    /// When it has none.
    #[must_use]
    pub fn id(&self) -> FlaggedId {
        self.head.message_id.unwrap_or_else(|| panic!("expected a MESSAGE_ID in {:?}", self.raw))
    }

    /// Whether it says that the DUT is capable of refresh reduction.
    #[must_use]
    pub fn is_capable(&self) -> bool {
        self.raw.header.flags & Header::REFRESH_REDUCTION != 0
    }
}

impl Received<Srefresh> {
    /// What it lists.
    #[must_use]
    pub fn ids(&self) -> Vec<MessageId> {
        self.message.lists.iter().flat_map(IdList::message_ids).collect()
    }
}
