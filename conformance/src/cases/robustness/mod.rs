//! What a device does with messages that nobody should send, and when there is too much of everything: it goes on serving
//! those who behave.

pub(crate) mod exhaustion;
pub(crate) mod hostile;
pub(crate) mod loss;
pub(crate) mod malformed;
pub(crate) mod mutations;

use std::time::Duration;

use crate::bench::{Dut, Packet, Port, Station, cl, ff, seal};
use rsvp_core::wire::{FlowDescriptor, MessageType, Path, RawMessage, RawObject, Resv, SessionKey, Style};

/// So long do the messages of a bystander last, in milliseconds.
const LONG: u32 = 3_600_000;

/// A reservation that has nothing to do with what a case does to its device, and is to be served all the while.
pub(super) struct Bystander {
    session: SessionKey,
    /// What is reserved.
    rate: f32,
    /// The UDP port of the next session.
    next: u16,
}

impl Bystander {
    /// Makes the reservation.
    pub(super) fn establish(dut: &mut Dut) -> Self {
        let next = 5900;
        let mut bystander =
            Self { session: dut.plan.session(dut.h().flow().destination, next), rate: 1.0, next };
        bystander.begin(dut);
        bystander
    }

    fn path(&self, dut: &Dut) -> Path {
        Path { refresh_ms: LONG, ..dut.path(Station::U1, self.session, dut.s1()) }
    }

    fn resv(&self, dut: &Dut) -> Resv {
        let flows = [ff(cl(self.rate), dut.s1())];
        Resv { refresh_ms: LONG, ..dut.resv(Station::D1, self.session, Style::Ff, &flows) }
    }

    /// Sends the Path and the Resv of its session, and sees them pass.
    fn begin(&mut self, dut: &mut Dut) {
        self.rate = 1.0;
        let path = self.path(dut);
        dut.send(Station::U1, path);
        self.expect_path(dut);
        let resv = self.resv(dut);
        dut.send(Station::D1, resv);
        self.expect_resv(dut);
        self.next += 1;
    }

    fn expect_path(&self, dut: &mut Dut) {
        let of_session = |dut: &mut Dut| dut.expect::<Path>(Port::C).message.session.key == self.session;
        while !of_session(dut) {}
    }

    fn expect_resv(&self, dut: &mut Dut) {
        let wanted = (self.session, vec![ff(cl(self.rate), dut.s1())]);
        let next = |dut: &mut Dut| {
            let resv = dut.expect::<Resv>(Port::A).message;
            (resv.session.key, resv.flows)
        };
        while next(dut) != wanted {}
    }

    /// Nothing was said of it to others, its state is still there, and can be changed. Another one can be made.
    pub(super) fn is_served(&mut self, dut: &mut Dut) {
        dut.forget();
        let (path, resv) = (self.path(dut), self.resv(dut));
        dut.send(Station::U1, path);
        dut.send(Station::D1, resv);
        self.rate += 1.0;
        let resv = self.resv(dut);
        dut.send(Station::D1, resv);
        self.expect_resv(dut);
        self.session = dut.plan.session(self.session.flow().destination, self.next);
        self.begin(dut);
        dut.forget();
    }

    /// A device that refreshes briskly goes on refreshing it, both ways; besides it is served.
    pub(super) fn is_refreshed(&mut self, dut: &mut Dut) {
        dut.forget();
        dut.advance(dut.r() * 5 / 2);
        let paths =
            dut.all::<Path>(Port::C).into_iter().filter(|path| path.message.session.key == self.session);
        let resvs =
            dut.all::<Resv>(Port::A).into_iter().filter(|resv| resv.message.session.key == self.session);
        let flows: Vec<FlowDescriptor> = resvs.flat_map(|resv| resv.message.flows).collect();
        assert!(paths.count() >= 1, "a Path refresh within 2.5 R");
        assert!(!flows.is_empty(), "a Resv refresh within 2.5 R");
        assert_eq!(flows, vec![ff(cl(self.rate), dut.s1()); flows.len()], "what the refreshes ask for");
        self.is_served(dut);
    }
}

/// A good message of each of the seven types, all of which have an effect that can be seen: who sends it, and where the
/// device sends one of the same type on.
pub(super) fn good_messages(dut: &mut Dut) -> Vec<(Station, Packet, Port)> {
    let destination = dut.h().flow().destination;
    let s1 = dut.s1();
    let flows = [ff(cl(1.0), s1)];
    let sessions: Vec<SessionKey> =
        (0..7).map(|number| dut.plan.session(destination, 5001 + number)).collect();
    for session in &sessions[1..] {
        dut.learn(Station::U1, *session, s1);
    }
    for number in [3, 5, 6] {
        dut.reserve(Station::D1, sessions[number], Style::Ff, &flows);
    }
    let (up, down) = (Station::U1, Station::D1);
    let mut path_err = dut.path_err(sessions[2], s1, 2, 0);
    path_err.sender_tspec = None;
    let mut path_tear = dut.path_tear(up, sessions[4], s1);
    path_tear.sender_tspec = None;
    let resv_err = dut.resv_err(up, sessions[3], Style::Ff, ff(cl(1.0), s1), (1, 2, 0));
    vec![
        (up, dut.pack(up, dut.path(up, sessions[0], s1)), Port::C),
        (down, dut.pack(down, dut.resv(down, sessions[1], Style::Ff, &flows)), Port::A),
        (down, dut.pack(down, path_err), Port::A),
        (up, dut.pack(up, resv_err), Port::C),
        (up, dut.pack(up, path_tear), Port::C),
        (down, dut.pack(down, dut.resv_tear(down, sessions[5], Style::Ff, &flows)), Port::A),
        (up, dut.pack(up, dut.resv_conf(sessions[6], destination, Style::Ff, &flows)), Port::C),
    ]
}

/// Waits for what many packets bring, until it is enough, but no longer than a slow device may take.
pub(super) fn gather<T>(dut: &mut Dut, enough: usize, take: impl Fn(&mut Dut) -> Vec<T>) -> Vec<T> {
    let end = dut.now() + Duration::from_millis(500) + 5 * dut.timing.patience;
    let mut all = take(dut);
    while all.len() < enough && dut.now() < end {
        dut.advance(dut.timing.at_once);
        all.extend(take(dut));
    }
    all
}

/// Sends messages that are made of good ones and must have no effect; then the good ones, which have it.
pub(super) fn only_good_ones_pass(dut: &mut Dut, spoil: impl Fn(&Packet) -> Vec<Packet>) {
    let mut bystander = Bystander::establish(dut);
    let good = good_messages(dut);
    dut.advance(Duration::from_millis(200));
    dut.forget();
    for (from, packet, _) in &good {
        let spoilt = spoil(packet).into_iter().map(|packet| to_device(dut, *from, packet));
        dut.send_burst(*from, &spoilt.collect::<Vec<_>>());
    }
    dut.expect_silence();
    for (from, packet, port) in &good {
        dut.send_packet(*from, packet);
        dut.expect_raw(*port, MessageType(packet.message[1]));
    }
    bystander.is_served(dut);
}

/// The packet, addressed to the device itself where its message type is none that a device looks for in what it passes on.
/// Anything else it would pass on like any datagram.
pub(super) fn to_device(dut: &Dut, from: Station, packet: Packet) -> Packet {
    let is_looked_for = matches!(packet.message.get(1), Some(1 | 5 | 7));
    if is_looked_for || packet.message.len() < 2 {
        return packet;
    }
    Packet { destination: dut.plan.dut(from.port()), router_alert: false, ..packet }
}

/// The packet with other octets of RSVP, whose checksum is made to fit.
pub(super) fn sealed(packet: &Packet, mut message: Vec<u8>) -> Packet {
    if message.len() >= 8 {
        seal(&mut message);
    }
    Packet { message, ..packet.clone() }
}

/// The same, whose length is made to fit, too.
pub(super) fn sized(packet: &Packet, mut message: Vec<u8>) -> Packet {
    if let Ok(length) = u16::try_from(message.len())
        && message.len() >= 8
    {
        message[6..8].copy_from_slice(&length.to_be_bytes());
    }
    sealed(packet, message)
}

/// The objects of a good message.
pub(super) fn objects(packet: &Packet) -> Vec<RawObject> {
    let raw = RawMessage::decode(&packet.message).expect("the case's message is in order");
    raw.objects.into_iter().map(|placed| placed.object).collect()
}

/// The packet with other objects.
pub(super) fn with_objects(packet: &Packet, objects: &[RawObject]) -> Packet {
    let mut message = packet.message[..8].to_vec();
    for RawObject { class, ctype, contents } in objects {
        let length = u16::try_from(contents.len() + 4).expect("the case's object is encodable");
        message.extend(length.to_be_bytes());
        message.extend([*class, *ctype]);
        message.extend(contents);
    }
    sized(packet, message)
}
