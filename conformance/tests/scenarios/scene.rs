//! Writes down what happens at a router, in the notation of RFC 2205's figures.

use std::fmt::Write;
use std::net::IpAddr;
use std::time::Duration;

use conformance::bench::{Dut, Kind, Packet, Port, Share, Station, shares};
use rsvp_core::Instant;
use rsvp_core::wire::{
    ErrorSpec, FlowDescriptor, Head, Message, MessageId, RawMessage, ResvErr, SessionKey, Style, messages,
};

use crate::notation;

/// A router, its neighbours, and what was said so far.
pub(crate) struct Scene {
    pub(crate) dut: Dut,
    text: String,
    session: SessionKey,
    names: Names,
    /// The MESSAGE_ID of the latest message of the router that had one.
    pub(crate) last_id: Option<MessageId>,
}

/// What the neighbours are called: those before (a) and (b), the one behind (c), and the two on the LAN (d).
pub(crate) type Names = [&'static str; 5];

/// The bench's neighbours, in the order of their [`Names`].
const STATIONS: [Station; 5] = [Station::U1, Station::U2, Station::D1, Station::D2, Station::D3];

impl Scene {
    /// Begins with a title and the lines that say who is where. The session is the group G.
    pub(crate) fn new(title: &str, topology: &str, names: Names, dut: Dut) -> Self {
        let session = dut.g();
        Self { dut, text: format!("{title}\n\n{topology}\n\n"), session, names, last_id: None }
    }

    /// Path state of these senders; the Paths themselves are not written down.
    pub(crate) fn senders(&mut self, senders: &[(Station, u8)]) {
        for (from, number) in senders {
            self.dut.learn(*from, self.session, self.dut.plan.sender(*number));
        }
        for view in self.dut.senders(self.session) {
            let name = |id| Port::of(id).map_or("?", Port::name);
            let out: Vec<_> = view.outgoing_interfaces.iter().map(|id| format!("({})", name(*id))).collect();
            let incoming = view.incoming_interface.map_or("?", name);
            let sender = self.sender(view.sender.source());
            self.line(format_args!("data of {sender} goes from ({incoming}) to {}", out.join(" and ")));
        }
        self.text.push('\n');
    }

    /// A reservation from a neighbour, and what it brings about.
    pub(crate) fn reserve(&mut self, from: Station, style: Style, flows: &[FlowDescriptor]) {
        let resv = self.dut.resv(from, self.session, style, flows);
        self.say(from, resv);
    }

    /// Any message from a neighbour, and what it brings about.
    pub(crate) fn say(&mut self, from: Station, message: impl Kind) {
        self.say_with(from, message, &Head::default());
    }

    /// The same with objects of RFC 2961 in front.
    pub(crate) fn say_with(&mut self, from: Station, message: impl Kind, head: &Head) {
        let packet = self.dut.pack_with(from, message, head);
        self.say_packet(from, &packet);
    }

    /// Any packet from a neighbour, and what it brings about. What stands in a Bundle has a bar in front.
    pub(crate) fn say_packet(&mut self, from: Station, packet: &Packet) {
        let at = seconds(self.dut.now());
        let way = format!("{} > ({})", self.name(from), from.port().name());
        let all: Vec<_> = messages(&packet.message).map(|it| it.expect("a good message")).collect();
        let bar = if all.len() > 1 { "| " } else { "" };
        for message in all {
            let what = self.words_of(message);
            self.line(format_args!("{at:>7}  {way:<15} {bar}{what}"));
        }
        self.dut.send_packet(from, packet);
        self.write_sent();
    }

    /// Lets time pass, and writes down what was sent meanwhile.
    pub(crate) fn wait(&mut self, time: Duration) {
        self.dut.advance(time);
        self.write_sent();
    }

    /// Lets time pass without writing down what was sent.
    pub(crate) fn wait_silently(&mut self, time: Duration) {
        self.dut.advance(time);
        self.dut.forget();
    }

    fn write_sent(&mut self) {
        for sent in self.dut.take_sent() {
            let (head, _) = Head::split(&sent.packet.message).expect("the bench has checked it");
            self.last_id = head.message_id.map(|it| it.id).or(self.last_id);
            let destination = sent.packet.destination;
            let to = self.called(destination).unwrap_or(if destination.is_multicast() { "all" } else { "H" });
            let (at, what) = (seconds(sent.at), self.words_of(&sent.packet.message));
            let way = format!("({}) > {to}", sent.port.name());
            let bar = if sent.bundle.is_some() { "| " } else { "" };
            self.line(format_args!("{at:>7}  {way:<15} {bar}{what}"));
        }
    }

    fn words_of(&self, message: &[u8]) -> String {
        let raw = RawMessage::decode(message).expect("a good message");
        let parsed = Message::parse(&raw, usize::MAX).expect("a good message");
        let (head, _) = Head::split(message).expect("a good message");
        self.words(&parsed) + &notation::head(&head)
    }

    /// A remark.
    pub(crate) fn remark(&mut self, text: &str) {
        self.line(format_args!("{text}"));
    }

    /// The columns of the figures: what each next hop asked for, what is reserved, and what each previous hop is asked.
    pub(crate) fn figure(&mut self) {
        let mut receives: Vec<(Port, &str, Style, Vec<FlowDescriptor>)> = Vec::new();
        for view in self.dut.reservations(self.session) {
            let port = view.interface.and_then(Port::of).expect("a next hop's");
            let from = view.next_hop.and_then(|hop| self.called(hop)).expect("a neighbour's");
            let flow = FlowDescriptor { flowspec: Some(view.flowspec), filters: view.filters };
            match receives.iter_mut().find(|(_, known, ..)| *known == from) {
                Some((.., flows)) => flows.push(flow),
                None => receives.push((port, from, view.style, vec![flow])),
            }
        }
        receives.sort_by_key(|(port, from, ..)| (*port, *from));
        self.text.push('\n');
        let is_empty = receives.is_empty();
        for (port, from, style, flows) in receives {
            let what = self.flows(style, &flows, None);
            self.line(format_args!("Receives  ({}) <- {from}: {what}", port.name()));
        }
        for port in Port::ALL {
            for (rate, senders) in self.dut.reserved(port) {
                let what = notation::filters(&senders, &|source| self.sender(source));
                self.line(format_args!("Reserves  ({}) {what}{{{}}}", port.name(), notation::amount(rate)));
            }
        }
        let mut sends = self.dut.node().requests();
        sends.sort_by_key(|view| view.interface);
        if is_empty && sends.is_empty() {
            self.remark("Nothing is reserved, and nothing is asked for.");
        }
        for view in sends {
            let port = Port::of(view.interface).expect("one of the bench's");
            let what = self.flows(view.style, &view.flows, None);
            let mark = if view.blockaded { ", the rest is blockaded" } else { "" };
            self.line(format_args!("Sends     {what} <- ({}){mark}", port.name()));
        }
    }

    /// The text so far.
    pub(crate) fn text(self) -> String {
        self.text
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.text, "{line}").expect("writing to a string succeeds");
    }

    fn words(&self, message: &Message) -> String {
        let flows = |style: Style, flows: &[FlowDescriptor]| self.flows(style, flows, None);
        match message {
            Message::Path(path) => format!("Path     {}", self.sender(path.sender_template.source())),
            Message::PathTear(tear) => format!("PathTear {}", self.sender(tear.sender_template.source())),
            Message::Resv(it) => {
                let confirm = if it.confirm.is_some() { ", to be confirmed" } else { "" };
                format!("Resv     {}{confirm}", self.flows(it.style, &it.flows, it.scope.as_deref()))
            }
            Message::ResvTear(it) => format!("ResvTear {}", flows(it.style, &it.flows)),
            Message::ResvConf(it) => format!("ResvConf {}", flows(it.style, &it.flows)),
            Message::ResvErr(ResvErr { error, scope, style, flows, .. }) => {
                let in_place = if error.flags & ErrorSpec::IN_PLACE != 0 { ", InPlace" } else { "" };
                let what = self.flows(*style, flows, scope.as_deref());
                format!("ResvErr  {what} {}{in_place}", error.error_code())
            }
            Message::PathErr(it) => {
                format!("PathErr  {} {}", self.sender(it.sender_template.source()), it.error.error_code())
            }
            Message::Ack => "Ack     ".to_owned(),
            Message::Srefresh(it) => {
                format!("Srefresh {}", notation::lists(&it.lists, &|source| self.sender(source)))
            }
            other => panic!("no scene has {other:?}"),
        }
    }

    fn flows(&self, style: Style, flows: &[FlowDescriptor], scope: Option<&[IpAddr]>) -> String {
        notation::flows(style, flows, scope, &|source| self.sender(source))
    }

    fn name(&self, station: Station) -> &'static str {
        STATIONS.iter().zip(self.names).find(|(it, _)| **it == station).map_or("?", |(_, name)| name)
    }

    fn called(&self, address: IpAddr) -> Option<&'static str> {
        let station = STATIONS.into_iter().find(|station| self.dut.plan.station(*station) == address)?;
        Some(self.name(station))
    }

    fn sender(&self, source: IpAddr) -> String {
        let number = (1..=9).find(|number| self.dut.plan.sender(*number).source() == source);
        number.map_or_else(|| source.to_string(), |number| format!("S{number}"))
    }
}

/// The rates that a Resv asks for, and for whom.
pub(crate) fn last_asked(scene: &mut Scene, port: Port) -> Vec<Share> {
    let view = scene.dut.node().requests().into_iter().find(|view| Port::of(view.interface) == Some(port));
    shares(&view.expect("a previous hop is asked").flows)
}

fn seconds(at: Instant) -> String {
    let millis = at.as_micros() / 1000;
    format!("{}.{:03}", millis / 1000, millis % 1000)
}
