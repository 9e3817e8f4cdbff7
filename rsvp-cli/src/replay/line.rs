//! A call of the node in one line, or as JSON.

use std::fmt::{self, Display, Formatter};

use rsvp_core::event::{EventKind, Upcall};
use rsvp_core::input::Encapsulation;
use rsvp_core::{Event, Input, InterfaceId, Transmit};
use rsvp_record::{Call, Divergence, Poll, ReadError, ReplayError, Step};
use rsvp_sim::describe;
use serde_json::{Value, json};

use super::tape::Tape;
use crate::convert::{self, Scene};

/// A step in one line.
pub(super) struct Line<'a> {
    step: &'a Step,
    seconds: f64,
    scene: Scene,
}

impl<'a> Line<'a> {
    /// A step that was just taken.
    pub(super) fn new(step: &'a Step, tape: &Tape) -> Self {
        Self { step, seconds: tape.seconds_at(step.at), scene: tape.scene() }
    }

    /// The same as a document.
    pub(super) fn json(&self) -> serde_json::Result<Value> {
        let (kind, value) = match &self.step.call {
            Call::Handle(input) => ("input", serde_json::to_value(input)?),
            Call::Command(command) => ("command", serde_json::to_value(command)?),
            Call::Answer(answer) => ("answer", serde_json::to_value(answer)?),
            Call::Transmit(transmit, message) => {
                ("transmit", json!({ "transmit": transmit, "message": rsvp_decode::hex(message) }))
            }
            Call::Event(event) => ("event", serde_json::to_value(event)?),
            Call::Request(request) => ("request", serde_json::to_value(request)?),
            Call::Nothing(polls) => ("nothing", serde_json::to_value(polls)?),
            Call::End(end) => ("end", serde_json::to_value(end)?),
        };
        let text = words(&self.step.call, &self.scene);
        Ok(
            json!({ "step": self.step.number, "at": self.seconds, "call": kind, "text": text, "value": value }),
        )
    }
}

impl Display for Line<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:>7} {:>14.6}  {}", self.step.number, self.seconds, words(&self.step.call, &self.scene))
    }
}

/// A call in words.
fn words(call: &Call, scene: &Scene) -> String {
    match call {
        Call::Handle(input) => self::input(input, scene),
        Call::Command(command) => format!("command  {command:?}"),
        Call::Answer(Ok(reply)) => format!("answer   {reply:?}"),
        Call::Answer(Err(error)) => format!("answer   refused: {error}"),
        Call::Transmit(transmit, message) => self::transmit(transmit, message, scene),
        Call::Event(event) => self::event(event, scene),
        Call::Request(request) => format!("request  {request:?}"),
        Call::Nothing(polls) => {
            let names: Vec<&str> = polls.iter().map(|poll| name(*poll)).collect();
            format!("nothing  to {}", names.join(", to "))
        }
        Call::End(end) => format!("end      {end:?}"),
    }
}

fn name(poll: Poll) -> &'static str {
    match poll {
        Poll::Transmit => "send",
        Poll::Event => "tell",
        Poll::Request => "ask",
    }
}

fn input(input: &Input<'_>, scene: &Scene) -> String {
    match input {
        Input::Timeout => "timeout".to_owned(),
        Input::Datagram(datagram) => format!(
            "receive  {} > {} on {}{}{}: {}",
            datagram.source,
            datagram.destination,
            scene.name(datagram.interface),
            datagram.ttl.map(|ttl| format!(", TTL {ttl}")).unwrap_or_default(),
            carried(datagram.encapsulation),
            describe(&datagram.payload),
        ),
        other => format!("input    {other:?}"),
    }
}

fn transmit(transmit: &Transmit, message: &[u8], scene: &Scene) -> String {
    let name = |interface: InterfaceId| format!(" on {}", scene.name(interface));
    format!(
        "send     {} > {}{}{}, TTL {}{}: {}",
        transmit.source,
        transmit.destination,
        transmit.next_hop.map(|hop| format!(" by {hop}")).unwrap_or_default(),
        transmit.interface.map(name).unwrap_or_default(),
        transmit.ttl,
        carried(transmit.encapsulation),
        describe(message),
    )
}

fn carried(encapsulation: Encapsulation) -> &'static str {
    match encapsulation {
        Encapsulation::Raw => "",
        Encapsulation::Udp { .. } => ", in UDP",
    }
}

fn event(event: &Event, scene: &Scene) -> String {
    match &event.kind {
        EventKind::State(state) => format!("event    {}", convert::describe_state(state, scene)),
        EventKind::Upcall(api, session, upcall) => {
            format!("event    for application {}, {session}: {}", api.0, upcall_words(upcall))
        }
        EventKind::Lost(count) => format!("event    {count} events were lost"),
    }
}

fn upcall_words(upcall: &Upcall) -> String {
    convert::upcall(upcall).1
}

/// Why a replay goes no further, in one line.
pub(super) fn failure(error: &ReplayError, tape: &Tape) -> String {
    let divergence = match error {
        ReplayError::Diverged(divergence) => divergence,
        ReplayError::Read(error) => return unreadable(error),
        ReplayError::Panicked(_) => return error.to_string(),
    };
    let Divergence { step, at, expected, got } = divergence.as_ref();
    let scene = tape.scene();
    let now = got.as_ref().map_or_else(|| "nothing".to_owned(), |got| squeeze(&words(got, &scene)));
    let then = squeeze(&words(expected, &scene));
    // What reads the same is told with all its octets.
    let (then, now) = if then == now { (format!("{expected:?}"), format!("{got:?}")) } else { (then, now) };
    let seconds = tape.seconds_at(*at);
    format!("step {step}, {seconds:.6} s after the start, came out differently: expected {then}; got {now}")
}

/// Why a recording cannot be read, in one line.
pub(super) fn unreadable(error: &ReadError) -> String {
    match error {
        ReadError::Io(error) => crate::words(error),
        _ => error.to_string(),
    }
}

/// Without the space that aligns lists.
fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
