//! The device under test as a case sees it: stimuli in, expectations out.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use rsvp_core::admission::Admission;
use rsvp_core::config::NodeConfig;
use rsvp_core::counters::DropReason;
use rsvp_core::event::EventKind;
use rsvp_core::input::{Encapsulation, Route};
use rsvp_core::output::Installation;
use rsvp_core::policy::Policy;
use rsvp_core::view::{ReservationView, SenderView};
use rsvp_core::wire::{
    ClassNum, ErrorSpec, FilterSpec, FlowDescriptor, Head, Header, Message, MessageType, Path, PathErr,
    PathTear, RawMessage, RawObject, Resv, ResvConf, ResvErr, ResvTear, RsvpHop, Session, SessionKey, Style,
};
use rsvp_core::{ApiId, Command, CommandError, Event, Instant, Node, Reply};
use rsvp_sim::describe;

use crate::bench::lab::{Lab, Setup, Timing, Unsupported};
use crate::bench::messages::{Kind, Share, cl, shares, tspec, wf};
use crate::bench::monitor::{self, Ledger};
use crate::bench::plan::{Family, Plan, Port, Station};
use crate::bench::reduction::Manners;
use crate::bench::tester::{Action, InProcess, Packet, Sent, Tester};

/// How often one looks for what has not come yet.
const LOOK: Duration = Duration::from_millis(5);

/// How many packets a DUT must be able to take at once.
pub(crate) const BURST: usize = 50;

/// The TTL that the testers' messages leave with.
pub(super) const TTL: u8 = 64;

/// The LIH that U1 and U2 put into their Paths.
const UPSTREAM_LIH: u32 = 77;

/// The device under test, and what it has sent that no expectation has taken yet.
pub struct Dut {
    /// Who has which address.
    pub plan: Plan,
    /// How time runs.
    pub timing: Timing,
    pub(super) tester: Box<dyn Tester>,
    /// Messages; a Bundle has been opened.
    pub(super) sent: Vec<Sent>,
    /// The LIH of the DUT's own Paths, by port.
    lih: BTreeMap<Port, u32>,
    pub(super) manners: Manners,
    ledger: Ledger,
    /// The message that is to go through the DUT as it is, and what has become of it.
    transit: Option<(Vec<u8>, Option<Sent>)>,
}

/// A time as TIME_VALUES has it, in milliseconds.
///
/// # Panics
///
/// When it is longer than fits there: 49 days.
#[must_use]
pub fn millis(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).expect("less than 49 days")
}

fn or_unsupported(result: Result<(), Unsupported>) {
    if let Err(unsupported) = result {
        std::panic::panic_any(unsupported);
    }
}

/// A message that the DUT sent.
#[derive(Clone, Debug)]
pub struct Received<M> {
    /// When, where, and how it was packed.
    pub sent: Sent,
    /// Its objects, as they came.
    pub raw: RawMessage,
    /// The objects of RFC 2961 in front.
    pub head: Head,
    /// Its contents.
    pub message: M,
}

impl Dut {
    /// An engine in this process, a router or a host, whose admission and policy control are the case's own.
    #[must_use]
    pub fn controlled(
        router: bool,
        admission: impl Admission + 'static,
        policy: impl Policy + 'static,
    ) -> Self {
        let lab = Lab::in_process();
        let Setup { family, config } = Setup::stock(Family::V4, lab.r());
        let config = NodeConfig { router, ..config };
        let (plan, seed) = (Plan::new(family), [7; 32]);
        let node = Node::with_control(config, seed, Instant::ZERO, Box::new(admission), Box::new(policy));
        lab.around(plan, Box::new(InProcess::around(plan, node)))
    }

    pub(super) fn reached_by(plan: Plan, timing: Timing, tester: Box<dyn Tester>) -> Self {
        Self {
            plan,
            timing,
            tester,
            sent: Vec::new(),
            lih: BTreeMap::new(),
            manners: Manners::default(),
            ledger: Ledger::default(),
            transit: None,
        }
    }

    /// R: the refresh period of the DUT, and that of the testers' messages.
    #[must_use]
    pub fn r(&self) -> Duration {
        self.timing.refresh
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.tester.now()
    }

    /// Lets time pass; meanwhile neighbours acknowledge, if they do.
    pub fn advance(&mut self, time: Duration) {
        let end = self.now() + time;
        loop {
            let left = end.since(self.now());
            let step = self.manners.patience().map_or(left, |patience| left.min(patience));
            let (passed, own): (Vec<Sent>, Vec<Sent>) =
                self.tester.advance(step).into_iter().partition(|sent| self.is_in_transit(sent));
            if let Some((_, transit)) = &mut self.transit {
                *transit = transit.take().or(passed.into_iter().next());
            }
            for sent in own.into_iter().flat_map(monitor::open) {
                if let Some(Message::Path(path)) = monitor::check(self.plan, &sent) {
                    self.lih.insert(sent.port, path.hop.lih);
                }
                self.ledger.check(self.plan, &sent);
                self.manners.note(self.plan, &sent);
                self.sent.push(sent);
            }
            if !self.acknowledge() && step == left {
                return;
            }
        }
    }

    /// Changes how the DUT's network routes, for packets of all sources or of one.
    ///
    /// # Panics
    ///
    /// With [`Unsupported`], when that cannot be done with this DUT.
    pub fn set_route(&mut self, destination: IpAddr, source: Option<IpAddr>, route: Route) {
        or_unsupported(self.tester.set_route(destination, source, route));
    }

    /// Has the DUT do something of its own, and gives it the time.
    ///
    /// # Panics
    ///
    /// With [`Unsupported`], when that cannot be done with this DUT.
    pub fn act(&mut self, action: &Action) {
        or_unsupported(self.tester.act(action));
        if *action == Action::Restart {
            self.ledger = Ledger::default();
        }
        self.advance(self.timing.at_once);
    }

    /// Sends a message from a neighbour's place, packed as RFC 2205 says, and gives the DUT the time to react.
    pub fn send(&mut self, from: Station, message: impl Kind) {
        let packet = self.pack(from, message);
        self.send_packet(from, &packet);
    }

    /// Sends messages from a neighbour's place without waiting in between, and gives the DUT the time to react to all.
    pub fn send_all(&mut self, from: Station, messages: impl IntoIterator<Item = impl Kind>) {
        for message in messages {
            let packet = self.pack(from, message);
            self.tester.send(from, &packet);
        }
        self.advance(self.timing.at_once);
    }

    /// Sends any packet from a neighbour's place, and gives the DUT the time to react.
    pub fn send_packet(&mut self, from: Station, packet: &Packet) {
        self.tester.send(from, packet);
        self.advance(self.timing.at_once);
    }

    /// Sends many packets from a neighbour's place, faster than the DUT would react to each, but not so fast that they
    /// must be expected to get lost.
    pub fn send_burst(&mut self, from: Station, packets: &[Packet]) {
        for some in packets.chunks(BURST) {
            let Some((last, others)) = some.split_last() else { return };
            others.iter().for_each(|packet| self.tester.send(from, packet));
            self.send_packet(from, last);
        }
    }

    /// Sends a packet that is for another node, and returns what the DUT made of it; its message is to be the same, and is
    /// not checked.
    ///
    /// # Panics
    ///
    /// When the DUT did not pass it on.
    pub fn send_through(&mut self, from: Station, packet: &Packet) -> Sent {
        self.transit = Some((packet.message.clone(), None));
        self.send_packet(from, packet);
        let passed = self.patiently(|dut| dut.transit.as_mut().and_then(|(_, passed)| passed.take()));
        self.transit = None;
        passed.unwrap_or_else(|| panic!("expected the same message; the DUT sent:\n{}", self.log()))
    }

    fn is_in_transit(&self, sent: &Sent) -> bool {
        self.transit.as_ref().is_some_and(|(message, _)| *message == sent.packet.message)
    }

    /// A message in the packet that a neighbour would send it in.
    ///
    /// # Panics
    ///
    /// When the message cannot be encoded.
    #[must_use]
    pub fn pack(&self, from: Station, message: impl Kind) -> Packet {
        self.pack_with(from, message, &Head::default())
    }

    /// Bytes in the packet that a neighbour would send `message` in.
    #[must_use]
    pub fn wrap(&self, from: Station, message: &Message, bytes: Vec<u8>) -> Packet {
        let downstream =
            |session: &Session, sender: &FilterSpec| (sender.source(), session.key.flow().destination, true);
        let (source, destination, router_alert) = match message {
            Message::Path(path) => downstream(&path.session, &path.sender_template),
            Message::PathTear(tear) => downstream(&tear.session, &tear.sender_template),
            Message::ResvConf(confirmation) => (self.plan.station(from), confirmation.confirm, true),
            _ => (self.plan.station(from), self.plan.dut(from.port()), false),
        };
        Packet {
            source,
            destination,
            ttl: TTL,
            router_alert,
            encapsulation: Encapsulation::Raw,
            message: bytes,
        }
    }

    /// The objects of a message, changed and sent from a neighbour's place, with length and checksum made to fit.
    ///
    /// # Panics
    ///
    /// When the message cannot be encoded.
    pub fn send_changed(
        &mut self,
        from: Station,
        message: impl Kind,
        change: impl FnOnce(&mut Vec<RawObject>),
    ) {
        let message = message.into_message();
        let packet = match &message {
            Message::Path(path) => self.pack(from, path.clone()),
            Message::Resv(resv) => self.pack(from, resv.clone()),
            Message::PathErr(error) => self.pack(from, error.clone()),
            Message::ResvErr(error) => self.pack(from, error.clone()),
            Message::PathTear(tear) => self.pack(from, tear.clone()),
            Message::ResvTear(tear) => self.pack(from, tear.clone()),
            Message::ResvConf(confirmation) => self.pack(from, confirmation.clone()),
            other => panic!("no such case: {other:?}"),
        };
        let raw = RawMessage::decode(&packet.message).expect("it was encoded just now");
        let mut objects: Vec<RawObject> = raw.objects.into_iter().map(|placed| placed.object).collect();
        change(&mut objects);
        let header = Header { flags: self.manners.flags(from), send_ttl: TTL };
        let raw = RawMessage::new(raw.header.message_type, header, objects).expect("the change is encodable");
        let mut bytes = Vec::new();
        raw.encode(&mut bytes).expect("the change is encodable");
        self.send_packet(from, &Packet { message: bytes, ..packet });
    }

    /// Takes the first message of a kind that the DUT sent out of a port.
    ///
    /// # Panics
    ///
    /// When there is none.
    #[track_caller]
    pub fn expect<M: Kind>(&mut self, port: Port) -> Received<M> {
        let Some(received) = self.take_soon(|sent| sent.port == port) else {
            panic!("expected a {} from {}; the DUT sent:\n{}", M::NAME, port.name(), self.log());
        };
        received
    }

    /// Takes the first message of a type that the DUT sent out of a port.
    ///
    /// # Panics
    ///
    /// When there is none.
    #[track_caller]
    pub fn expect_type(&mut self, port: Port, message_type: MessageType) -> Received<Message> {
        let is_it = |sent: &Sent| sent.port == port && sent.packet.message.get(1) == Some(&message_type.0);
        let Some(received) = self.take_soon(is_it) else {
            panic!("expected a {message_type} from {}; the DUT sent:\n{}", port.name(), self.log());
        };
        received
    }

    /// Takes the first message of a kind that the DUT sent to a neighbour's address.
    ///
    /// # Panics
    ///
    /// When there is none.
    #[track_caller]
    pub fn expect_to<M: Kind>(&mut self, station: Station) -> Received<M> {
        let address = self.plan.station(station);
        let is_it = |sent: &Sent| sent.port == station.port() && sent.packet.destination == address;
        let Some(received) = self.take_soon(is_it) else {
            panic!("expected a {} to {}; the DUT sent:\n{}", M::NAME, station.name(), self.log());
        };
        received
    }

    /// Asserts that the DUT sent no message of a kind out of a port, beyond those taken.
    ///
    /// # Panics
    ///
    /// When it did.
    #[track_caller]
    pub fn expect_no<M: Kind>(&mut self, port: Port) {
        let found =
            self.take::<M>(|sent| sent.port == port).map(|found| describe(&found.sent.packet.message));
        assert!(
            found.is_none(),
            "expected no {} from {}, not {}",
            M::NAME,
            port.name(),
            found.unwrap_or_default()
        );
    }

    /// Asserts that the DUT sent nothing beyond what was taken.
    ///
    /// # Panics
    ///
    /// When it did.
    #[track_caller]
    pub fn expect_silence(&self) {
        assert!(self.sent.is_empty(), "expected silence; the DUT sent:\n{}", self.log());
    }

    /// Asserts that the DUT has no path state of a session: it answers a Resv with code 3, "No path information for this
    /// Resv" (RFC 2205 Appendix B).
    ///
    /// # Panics
    ///
    /// When it does not.
    #[track_caller]
    pub fn expect_unknown(&mut self, from: Station, session: SessionKey) {
        let resv = self.resv(from, session, Style::Wf, &[wf(cl(1.0))]);
        self.send(from, resv);
        let error = self.expect_to::<ResvErr>(from).message;
        assert_eq!((error.session.key, error.error.code), (session, 3), "there is no path state");
    }

    /// Takes all that the DUT sent, in order.
    pub fn take_sent(&mut self) -> Vec<Sent> {
        self.manners.forget();
        std::mem::take(&mut self.sent)
    }

    /// Forgets what the DUT has sent.
    pub fn forget(&mut self) {
        self.manners.forget();
        self.sent.clear();
    }

    /// All messages of a kind from a port that were sent and not taken; takes them.
    pub fn all<M: Kind>(&mut self, port: Port) -> Vec<Received<M>> {
        std::iter::from_fn(|| self.take(|sent| sent.port == port)).collect()
    }

    /// The same, once there are so many of them.
    pub fn all_of<M: Kind>(&mut self, port: Port, count: usize) -> Vec<Received<M>> {
        self.wait_for::<M>(port, count);
        self.all(port)
    }

    /// Gives the DUT the time to send so many messages of a kind out of a port, if it has not done so.
    pub fn wait_for<M: Kind>(&mut self, port: Port, count: usize) {
        let plan = self.plan;
        let is_one = |sent: &&Sent| {
            sent.port == port && monitor::check(plan, sent).is_some_and(|message| M::of(message).is_some())
        };
        self.patiently(|dut| (dut.sent.iter().filter(is_one).count() >= count).then_some(()));
    }

    /// Takes the first message of a kind that is wanted, as soon as it is there.
    fn take_soon<M: Kind>(&mut self, wanted: impl Fn(&Sent) -> bool) -> Option<Received<M>> {
        self.patiently(|dut| dut.take(&wanted))
    }

    /// What is found at once, or within the patience of this bench.
    pub fn patiently<T>(&mut self, find: impl FnMut(&mut Self) -> Option<T>) -> Option<T> {
        self.within(self.timing.patience, find)
    }

    /// What is found at once, or within some time.
    fn within<T>(&mut self, time: Duration, mut find: impl FnMut(&mut Self) -> Option<T>) -> Option<T> {
        let end = self.now() + time;
        loop {
            let found = find(self);
            let left = end.since(self.now());
            if found.is_some() || left.is_zero() {
                return found;
            }
            self.advance(left.min(LOOK));
        }
    }

    fn take<M: Kind>(&mut self, wanted: impl Fn(&Sent) -> bool) -> Option<Received<M>> {
        let found = self.sent.iter().enumerate().filter(|(_, sent)| wanted(sent));
        let (position, message) = found
            .filter_map(|(position, sent)| Some((position, M::of(monitor::check(self.plan, sent)?)?)))
            .next()?;
        let sent = self.sent.remove(position);
        let raw = RawMessage::decode(&sent.packet.message).expect("the monitor has seen it");
        let (head, _) = Head::split(&sent.packet.message).expect("the monitor has seen it");
        Some(Received { sent, raw, head, message })
    }

    /// Takes the first message of a type that the DUT sent out of a port, as objects, understood or not.
    ///
    /// # Panics
    ///
    /// When there is none.
    #[track_caller]
    pub fn expect_raw(&mut self, port: Port, message_type: MessageType) -> RawMessage {
        let sent = self.expect_sent(port, message_type);
        RawMessage::decode(&sent.packet.message).expect("the monitor has seen it")
    }

    /// The same in its packet.
    #[track_caller]
    pub(super) fn expect_sent(&mut self, port: Port, message_type: MessageType) -> Sent {
        match self.patiently(|dut| dut.place_of(port, message_type)) {
            Some(place) => self.sent.remove(place),
            None => panic!("expected a {message_type} from {}; the DUT sent:\n{}", port.name(), self.log()),
        }
    }

    /// Asserts that the DUT sent no message of a type out of a port, understood or not, beyond those taken.
    ///
    /// # Panics
    ///
    /// When it did.
    #[track_caller]
    pub fn expect_none(&self, port: Port, message_type: MessageType) {
        let found = self.place_of(port, message_type);
        assert!(
            found.is_none(),
            "expected no {message_type} from {}; the DUT sent:\n{}",
            port.name(),
            self.log()
        );
    }

    fn place_of(&self, port: Port, message_type: MessageType) -> Option<usize> {
        let is_wanted =
            |sent: &Sent| sent.port == port && sent.packet.message.get(1) == Some(&message_type.0);
        self.sent.iter().position(is_wanted)
    }

    /// What was sent and not taken, one message a line.
    fn log(&self) -> String {
        let line = |sent: &Sent| {
            let Packet { source, destination, message, .. } = &sent.packet;
            let (at, port) = (sent.at.as_micros() / 1000, sent.port.name());
            let bundled = if sent.bundle.is_some() { "in a Bundle " } else { "" };
            format!("  {at:>8} ms {port}: {source} > {destination}: {bundled}{}\n", describe(message))
        };
        if self.sent.is_empty() { "  nothing".to_owned() } else { self.sent.iter().map(line).collect() }
    }
}

/// Messages as the neighbours send them.
impl Dut {
    /// The session H, behind c.
    #[must_use]
    pub fn h(&self) -> SessionKey {
        self.plan.h()
    }

    /// The session of another UDP port at the host of H.
    #[must_use]
    pub fn h_at(&self, port: u16) -> SessionKey {
        self.plan.session(self.h().flow().destination, port)
    }

    /// The session K, behind the LAN d.
    #[must_use]
    pub fn k(&self) -> SessionKey {
        self.plan.k()
    }

    /// The multicast session G, behind c and d.
    #[must_use]
    pub fn g(&self) -> SessionKey {
        self.plan.g()
    }

    /// A unicast session that ends at U1 itself, on the network of a.
    #[must_use]
    pub fn session_towards_u1(&self) -> SessionKey {
        self.plan.session(self.plan.station(Station::U1), 5000)
    }

    /// Sender S1, behind U1.
    #[must_use]
    pub fn s1(&self) -> FilterSpec {
        self.plan.sender(1)
    }

    /// Sender S2, behind U2.
    #[must_use]
    pub fn s2(&self) -> FilterSpec {
        self.plan.sender(2)
    }

    /// Sender S3, behind U2 too.
    #[must_use]
    pub fn s3(&self) -> FilterSpec {
        self.plan.sender(3)
    }

    /// A Path from a neighbour: its R is that of the DUT, the SENDER_TSPEC 20 [`B`](crate::bench::B), the LIH 77.
    #[must_use]
    pub fn path(&self, from: Station, session: SessionKey, sender: FilterSpec) -> Path {
        Path {
            session: Session { key: session, flags: 0 },
            hop: RsvpHop { address: self.plan.station(from), lih: UPSTREAM_LIH },
            refresh_ms: millis(self.r()),
            policy: Vec::new(),
            sender_template: sender,
            sender_tspec: tspec(20.0),
            adspec: None,
            forward: Vec::new(),
        }
    }

    /// The PathTear that matches [`Dut::path`].
    #[must_use]
    pub fn path_tear(&self, from: Station, session: SessionKey, sender: FilterSpec) -> PathTear {
        let Path { session, hop, sender_template, sender_tspec, .. } = self.path(from, session, sender);
        PathTear {
            session,
            hop,
            sender_template,
            sender_tspec: Some(sender_tspec),
            adspec: None,
            forward: Vec::new(),
        }
    }

    /// A Resv from a neighbour, with the LIH of the DUT's Paths on its port; its R is that of the DUT.
    #[must_use]
    pub fn resv(&self, from: Station, session: SessionKey, style: Style, flows: &[FlowDescriptor]) -> Resv {
        Resv {
            session: Session { key: session, flags: 0 },
            hop: self.next_hop(from),
            refresh_ms: millis(self.r()),
            confirm: None,
            scope: None,
            policy: Vec::new(),
            style,
            flows: flows.to_vec(),
            forward: Vec::new(),
        }
    }

    /// The ResvTear that matches [`Dut::resv`].
    #[must_use]
    pub fn resv_tear(
        &self,
        from: Station,
        session: SessionKey,
        style: Style,
        flows: &[FlowDescriptor],
    ) -> ResvTear {
        let Resv { session, hop, style, flows, .. } = self.resv(from, session, style, flows);
        ResvTear { session, hop, scope: None, style, flows, forward: Vec::new() }
    }

    /// A PathErr from a neighbour, found by a node far away.
    #[must_use]
    pub fn path_err(&self, session: SessionKey, sender: FilterSpec, code: u8, value: u16) -> PathErr {
        PathErr {
            session: Session { key: session, flags: 0 },
            error: ErrorSpec { node: self.plan.far(), flags: 0, code, value, enterprise: None },
            policy: Vec::new(),
            sender_template: sender,
            sender_tspec: Some(tspec(20.0)),
            adspec: None,
            forward: Vec::new(),
        }
    }

    /// A ResvErr from a neighbour, found by a node far away.
    #[must_use]
    pub fn resv_err(
        &self,
        from: Station,
        session: SessionKey,
        style: Style,
        flow: FlowDescriptor,
        (code, value, flags): (u8, u16, u8),
    ) -> ResvErr {
        ResvErr {
            session: Session { key: session, flags: 0 },
            hop: RsvpHop { address: self.plan.station(from), lih: UPSTREAM_LIH },
            error: ErrorSpec { node: self.plan.far(), flags, code, value, enterprise: None },
            scope: None,
            policy: Vec::new(),
            style,
            flows: vec![flow],
            forward: Vec::new(),
        }
    }

    /// A ResvConf from a node far away, for `receiver`.
    #[must_use]
    pub fn resv_conf(
        &self,
        session: SessionKey,
        receiver: IpAddr,
        style: Style,
        flows: &[FlowDescriptor],
    ) -> ResvConf {
        ResvConf {
            session: Session { key: session, flags: 0 },
            error: ErrorSpec { node: self.plan.far(), flags: 0, code: 0, value: 0, enterprise: None },
            confirm: receiver,
            style,
            flows: flows.to_vec(),
            forward: Vec::new(),
        }
    }

    /// The RSVP_HOP of a next hop: its address, and the LIH that the DUT gave it.
    #[must_use]
    pub fn next_hop(&self, station: Station) -> RsvpHop {
        let port = station.port();
        let lih = self.lih.get(&port).copied().unwrap_or(port.interface().0);
        RsvpHop { address: self.plan.station(station), lih }
    }

    /// Brings path state into the DUT, waits until it passes the Path on, if it does, and forgets the Paths that this made
    /// it send.
    pub fn learn(&mut self, from: Station, session: SessionKey, sender: FilterSpec) {
        let path = self.path(from, session, sender);
        self.learn_from(from, path);
    }

    /// The same with any Path.
    pub fn learn_from(&mut self, from: Station, path: Path) {
        let key = path.session.key;
        self.send(from, path);
        let patience = self.timing.patience;
        self.wait_until_told(
            patience,
            |message| matches!(message, Message::Path(path) if path.session.key == key),
        );
        self.forget();
    }

    /// Brings a reservation into the DUT, gives it time to ask for it upstream, and forgets what this made it send.
    pub fn reserve(&mut self, from: Station, session: SessionKey, style: Style, flows: &[FlowDescriptor]) {
        let resv = self.resv(from, session, style, flows);
        self.send(from, resv);
        // It may well have nothing to say.
        let patience = self.timing.patience / 4;
        self.wait_until_told(
            patience,
            |message| matches!(message, Message::Resv(resv) if resv.session.key == session),
        );
        self.forget();
    }

    /// Waits for a message of the DUT that has not come at once, and for those that leave by other interfaces with it.
    fn wait_until_told(&mut self, patience: Duration, is_told: impl Fn(&Message) -> bool) {
        let told = |dut: &mut Self| {
            let found = dut
                .sent
                .iter()
                .any(|sent| monitor::check(dut.plan, sent).is_some_and(|message| is_told(&message)));
            found.then_some(())
        };
        self.within(patience, told);
        self.wait_for_quiet();
    }

    /// Forgets what the DUT has sent, and what it is about to send: all that comes in answer to what was said so far.
    pub fn settle(&mut self) {
        self.wait_for_quiet();
        self.forget();
    }

    /// Waits until nothing has come for as long as the DUT may take, but not for ever: it may be busy refreshing.
    fn wait_for_quiet(&mut self) {
        let end = self.now() + self.timing.patience;
        while let Some(latest) = self.sent.iter().map(|sent| sent.at).max() {
            let quiet_at = (latest + self.timing.at_once).min(end);
            let left = quiet_at.since(self.now());
            if left.is_zero() {
                return;
            }
            self.advance(left);
        }
    }
}

/// The inside of the DUT.
impl Dut {
    /// The inside, for cases that need it.
    ///
    /// # Panics
    ///
    /// When this DUT can be seen from outside only.
    pub fn inside(&mut self) -> &mut InProcess {
        self.tester.inside().expect("this case needs to see the inside of the DUT")
    }

    /// The engine, for queries.
    pub fn node(&mut self) -> &Node {
        self.inside().node()
    }

    /// What traffic control holds on a port.
    pub fn kernel(&mut self, port: Port) -> Vec<Installation> {
        let all = self.inside().kernel().values();
        all.filter(|installation| installation.interface == port.interface()).cloned().collect()
    }

    /// What traffic control holds on a port, in short.
    pub fn reserved(&mut self, port: Port) -> Vec<Share> {
        let flow = |installation: Installation| FlowDescriptor {
            flowspec: Some(installation.flowspec),
            filters: installation.filters,
        };
        let flows: Vec<FlowDescriptor> = self.kernel(port).into_iter().map(flow).collect();
        shares(&flows)
    }

    /// The path state of a session, in the order of its senders.
    pub fn senders(&mut self, session: SessionKey) -> Vec<SenderView> {
        let mut views = self.node().senders();
        views.retain(|view| view.session == session);
        views.sort_by_key(|view| view.sender);
        views
    }

    /// The reservations that next hops asked for in a session.
    pub fn reservations(&mut self, session: SessionKey) -> Vec<ReservationView> {
        let mut views = self.node().reservations();
        views.retain(|view| view.session == session);
        views
    }

    /// How many messages were dropped for a reason.
    pub fn drops(&mut self, reason: DropReason) -> u64 {
        self.node().counters().dropped.get(&reason).copied().unwrap_or(0)
    }

    /// How many messages were dropped for any reason.
    pub fn all_drops(&mut self) -> u64 {
        self.node().counters().dropped.values().sum()
    }

    /// Gives the DUT a command and the time to carry it out.
    ///
    /// # Errors
    ///
    /// What the DUT answers.
    pub fn command(&mut self, command: Command) -> Result<Reply, CommandError> {
        let reply = self.inside().command(command);
        self.advance(self.timing.at_once);
        reply
    }

    /// Registers an application for a session.
    ///
    /// # Panics
    ///
    /// When the DUT refuses.
    pub fn open(&mut self, session: SessionKey) -> ApiId {
        match self.command(Command::OpenSession(session)) {
            Ok(Reply::Session(id)) => id,
            other => panic!("expected a session, not {other:?}"),
        }
    }

    /// The upcalls since the last call.
    pub fn upcalls(&mut self) -> Vec<(ApiId, rsvp_core::event::Upcall)> {
        let upcall = |event: Event| match event.kind {
            EventKind::Upcall(id, _, upcall) => Some((id, upcall)),
            _ => None,
        };
        self.inside().take_events().into_iter().filter_map(upcall).collect()
    }
}

impl<M> Received<M> {
    /// The classes of its objects, in order.
    #[must_use]
    pub fn classes(&self) -> Vec<u8> {
        self.raw.objects.iter().map(|placed| placed.object.class).collect()
    }

    /// The contents of its objects of a class.
    #[must_use]
    pub fn objects(&self, class: ClassNum) -> Vec<&RawObject> {
        let objects = self.raw.objects.iter().map(|placed| &placed.object);
        objects.filter(|object| object.class == class.0).collect()
    }

    /// Its Msg Type.
    #[must_use]
    pub fn message_type(&self) -> MessageType {
        self.raw.header.message_type
    }
}

impl Received<Resv> {
    /// What it asks for, in short.
    #[must_use]
    pub fn shares(&self) -> Vec<Share> {
        shares(&self.message.flows)
    }
}
