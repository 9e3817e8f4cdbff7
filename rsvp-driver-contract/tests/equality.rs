//! One script for a sender's host, a router and a receiver's host: with every driver they tell each other the same, and end
//! in the same state.

#[path = "../../rsvp-io/tests/common/mod.rs"]
mod common;

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use common::{TestResult, ip, is_permitted, network};
use rsvp_core::command::SenderRequest;
use rsvp_core::event::Upcall;
use rsvp_core::snapshot::Snapshot;
use rsvp_core::wire::{FilterSpec, Message, RawMessage, SenderTspec, Style, Tspec, messages};
use rsvp_core::{ApiId, Command, InterfaceId, Node, NodeConfig, SessionKey};
use rsvp_driver::Outside;
use rsvp_driver_contract::{
    Host, Memory, Runtime, TSPEC, config, eventually, flow, memory_link, reservation, sender, session, within,
};
use rsvp_io::SystemOptions;
use rsvp_netns::Namespace;
use serde_json::Value;

const SENDER: &str = "10.1.1.2";
const RECEIVER: &str = "10.1.2.2";

/// Beyond what a flow may have.
const TOO_MUCH: f32 = 2e6;

/// Of what a node's views say, what depends on when things happened, and on the random numbers of an earlier run.
const TIMES: [&str; 16] = [
    "at",
    "created",
    "changed",
    "refreshed",
    "expires",
    "refresh",
    "first",
    "last",
    "count",
    "last_heard",
    "last_sent",
    "next_refresh",
    "counters",
    "outstanding",
    "paced",
    "summarized",
];

/// What is to be equal.
#[derive(Debug, Default, PartialEq)]
struct Record {
    /// In the order of the script.
    states: Vec<(&'static str, Value)>,
    /// What was sent, by node, interface and session; what was only repeated once.
    messages: BTreeMap<(&'static str, Option<String>, SessionKey), Vec<String>>,
}

/// The interfaces of a node, whose handles are others in each run on Linux.
type Interfaces = Vec<(InterfaceId, String)>;

struct Network {
    sender: Host,
    router: Host,
    receiver: Host,
}

impl Network {
    fn start<O: Outside>(runtime: Runtime, outsides: [O; 3]) -> Self {
        let [sender, router, receiver] = outsides;
        let host = || NodeConfig { router: false, ..config() };
        Self {
            router: Host::start(runtime, NodeConfig { router: true, ..config() }, router),
            sender: Host::start(runtime, host(), sender),
            receiver: Host::start(runtime, host(), receiver),
        }
    }

    /// Sends, reserves, changes, is refused, releases and ends.
    fn play(mut self) -> io::Result<Record> {
        let mut record = Record::default();
        let [one, two, three] = [5004, 5005, 5006].map(|port| session(ip(RECEIVER), port));
        let receiving = [one, two, three].map(|session| self.receiver.open(session));
        let sending = self.announce(one, 4001, TSPEC.rate);
        self.announce(two, 4002, TSPEC.rate);
        self.announce(three, 4003, TOO_MUCH);
        self.sender.command(Command::AddSender(sending, sender(ip(SENDER), 4004)));
        self.path(4004);

        self.reserve(receiving[0], Style::Se, TSPEC.rate, &[4001, 4004]);
        self.reserve(receiving[1], Style::Ff, TSPEC.rate, &[4002]);
        self.reserve(receiving[0], Style::Se, 3.0 * TSPEC.rate, &[4001, 4004]);
        let too_much = reservation(ip(RECEIVER), Style::Wf, vec![flow(TOO_MUCH, vec![])]);
        self.receiver.command(Command::Reserve(receiving[2], too_much));
        self.receiver.upcall("the refusal", |upcall| matches!(upcall, Upcall::ResvError { .. }));
        self.note_states(&mut record);

        // Before one of its senders goes: else both ends would change the reservation, in whatever order.
        self.receiver.command(Command::Unreserve(receiving[0]));
        wait_for_end(&self.sender, one);
        self.sender.command(Command::RemoveSender(sending, template(4004)));
        self.receiver.upcall("the end of a sender", |upcall| matches!(upcall, Upcall::PathGone { .. }));
        self.note_states(&mut record);

        let Self { sender, router, receiver } = self;
        let nodes = [("sender", &sender), ("router", &router), ("receiver", &receiver)];
        let traces = nodes.map(|(name, host)| (name, Arc::clone(&host.trace), interfaces(host)));
        receiver.shut_down()?;
        wait_for_end(&sender, two);
        record.note_state("sender", &sender);
        sender.shut_down()?;
        eventually("the router has nothing left", || router.look(|node| node.sessions().is_empty()));
        record.note_state("router", &router);
        router.shut_down()?;
        for (name, trace, interfaces) in &traces {
            record.note_messages(name, &trace.sent(), interfaces);
        }
        let ids: Vec<InterfaceId> = traces.iter().flat_map(|(.., list)| list).map(|(id, _)| *id).collect();
        record.forget_handles(&ids);
        Ok(record)
    }

    fn announce(&mut self, session: SessionKey, port: u16, rate: f32) -> ApiId {
        let tspec = SenderTspec::TokenBucket(Tspec { rate, ..TSPEC });
        let id = self.sender.announce(session, SenderRequest { tspec, ..sender(ip(SENDER), port) });
        self.path(port);
        id
    }

    fn path(&mut self, port: u16) {
        let wanted = template(port);
        self.receiver
            .upcall("a Path", |upcall| matches!(upcall, Upcall::Path { sender, .. } if *sender == wanted));
    }

    fn reserve(&mut self, id: ApiId, style: Style, rate: f32, ports: &[u16]) {
        let flow = flow(rate, ports.iter().map(|port| template(*port)).collect());
        self.receiver.command(Command::Reserve(id, reservation(ip(RECEIVER), style, vec![flow])));
        self.sender.upcall("a reservation", |upcall| matches!(upcall, Upcall::Resv { .. }));
        self.receiver.upcall("its confirmation", |upcall| matches!(upcall, Upcall::Confirmed { .. }));
    }

    fn note_states(&self, record: &mut Record) {
        let Self { sender, router, receiver } = self;
        for (name, host) in [("sender", sender), ("router", router), ("receiver", receiver)] {
            record.note_state(name, host);
        }
    }
}

impl Record {
    fn note_state(&mut self, name: &'static str, host: &Host) {
        let snapshot = within("a snapshot", host.handle.snapshot()).expect("the node runs");
        let mut state = serde_json::to_value::<&Snapshot>(&snapshot).expect("it is plain data");
        forget_times(&mut state);
        self.states.push((name, state));
    }

    fn note_messages(&mut self, name: &'static str, sent: &[rsvp_driver::Message], interfaces: &Interfaces) {
        for sent in sent {
            let known = interfaces.iter().find(|(id, _)| Some(*id) == sent.transmit.interface);
            for bytes in messages(&sent.payload) {
                let raw = RawMessage::decode(bytes.expect("a message")).expect("a message");
                // What has no session is how the neighbours keep up their state: it depends on when what leaves.
                let Some(session) = raw.session() else { continue };
                let text = format!("{:?}", Message::parse(&raw, 100).expect("a good message"));
                let interface = known.map(|(_, name)| name.clone());
                let told = self.messages.entry((name, interface, session.key)).or_default();
                if told.last() != Some(&text) {
                    told.push(text);
                }
            }
        }
    }

    fn forget_handles(&mut self, ids: &[InterfaceId]) {
        let forget = |text: String| ids.iter().fold(text, |text, id| text.replace(&id.0.to_string(), "0"));
        for (_, state) in &mut self.states {
            *state = forget(state.to_string()).parse().expect("still a value");
        }
        for text in self.messages.values_mut().flatten() {
            *text = forget(std::mem::take(text));
        }
    }
}

fn wait_for_end(host: &Host, session: SessionKey) {
    let is_over =
        move |node: &Node| node.reservations().iter().all(|reservation| reservation.session != session);
    eventually("the reservation ends", || host.look(is_over));
}

fn interfaces(host: &Host) -> Interfaces {
    host.look(|node| node.interfaces().into_iter().map(|view| (view.id, view.name)).collect())
}

/// The addresses that the kernel made up for a link are others in each network.
fn is_made_up(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.starts_with("fe80:"))
}

fn forget_times(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !TIMES.contains(&name.as_str()));
            fields.values_mut().for_each(forget_times);
        }
        Value::Array(values) => {
            values.retain(|value| !is_made_up(value));
            values.iter_mut().for_each(forget_times);
        }
        _ => {}
    }
}

fn template(port: u16) -> FilterSpec {
    FilterSpec::Ip { source: ip(SENDER), port }
}

/// Plays on all drivers; what they did has to be equal.
fn compare(mut play: impl FnMut(Runtime) -> io::Result<Record>) -> io::Result<()> {
    let [first, others @ ..] = Runtime::ALL;
    let expected = play(first)?;
    assert!(expected.messages.len() >= 12, "every node sends something to each neighbour, for every session");
    for runtime in others {
        let played = play(runtime)?;
        for ((name, state), (_, expected)) in played.states.iter().zip(&expected.states) {
            assert_eq!(difference(state, expected), None, "{name} with {runtime:?}, and with {first:?}");
        }
        for (key, told) in &expected.messages {
            assert_eq!(played.messages.get(key), Some(told), "{key:?} with {runtime:?}, and with {first:?}");
        }
        assert_eq!(played, expected, "{runtime:?}, and {first:?}");
    }
    Ok(())
}

/// Where two values differ first, and how.
fn difference(one: &Value, other: &Value) -> Option<String> {
    let within =
        |name: String, one: &Value, other: &Value| Some(format!("{name}/{}", difference(one, other)?));
    match (one, other) {
        (Value::Object(fields), Value::Object(others)) if fields.keys().eq(others.keys()) => {
            fields.iter().find_map(|(name, value)| within(name.clone(), value, &others[name]))
        }
        (Value::Array(values), Value::Array(others)) if values.len() == others.len() => values
            .iter()
            .zip(others)
            .enumerate()
            .find_map(|(number, (one, other))| within(number.to_string(), one, other)),
        _ => (one != other).then(|| format!(": {one:#}, {other:#}")),
    }
}

#[test]
fn all_drivers_do_the_same_in_memory() -> TestResult {
    let address = |text: &str| -> IpAddr { ip(text) };
    compare(|runtime| {
        let (a, west) = memory_link(SENDER, "10.1.1.1");
        let (b, east) = memory_link(RECEIVER, "10.1.2.1");
        let (a, b) = (a.via(address("10.1.1.1")), b.via(address("10.1.2.1")));
        Network::start(runtime, [vec![a], vec![west, east], vec![b]].map(Memory::new)).play()
    })?;
    Ok(())
}

#[test]
fn all_drivers_do_the_same_on_linux() -> TestResult {
    if !is_permitted() {
        return Ok(());
    }
    let open = |namespace: &Namespace, options: SystemOptions| {
        namespace.run(|| rsvp_io::open(options).map_err(io::Error::other))
    };
    compare(|runtime| {
        let network = network().map_err(io::Error::other)?;
        let link_rates = [("east".to_owned(), 1_250_000_000)].into();
        let router = SystemOptions { router: true, link_rates, ..SystemOptions::default() };
        let systems = [
            open(&network.a, SystemOptions::default())?,
            open(&network.r, router)?,
            open(&network.b, SystemOptions::default())?,
        ];
        Network::start(runtime, systems).play()
    })?;
    Ok(())
}
