//! What was sent when, from where to where, in a form that people can read.

use std::fmt::Write;
use std::time::Duration;

use rsvp_core::input::Encapsulation;
use rsvp_core::{Instant, Transmit};

use crate::describe::describe;
use crate::network::Network;
use crate::topology::NodeId;

/// One message on one link.
#[derive(Clone, Debug)]
pub struct Entry {
    /// When it was sent.
    pub at: Instant,
    /// The device that sent it, or passed it on.
    pub from: NodeId,
    /// Whether the device passed it on without RSVP having seen it.
    pub transit: bool,
    /// What became of it.
    pub fate: Fate,
    /// The IP header.
    pub header: Transmit,
    /// The RSVP message.
    pub message: Vec<u8>,
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is on its way.
    Sent {
        /// The device at the other end.
        to: NodeId,
        /// How often it will arrive.
        copies: u8,
    },
    /// The link lost it.
    Lost(NodeId),
    /// There is no route.
    NoRoute,
    /// No device on the link has the next hop's address.
    NoNeighbor,
    /// The interface that it should leave by is down.
    InterfaceDown,
}

/// All messages of a simulation, in the order they were sent.
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    entries: Vec<Entry>,
}

impl Transcript {
    pub(crate) fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }

    /// The messages.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// All messages as text, one a line: time in seconds, who to whom, and what.
    #[must_use]
    pub fn text(&self, network: &Network) -> String {
        render(&self.entries, network)
    }

    /// The last `count` messages as text.
    #[must_use]
    pub fn tail(&self, network: &Network, count: usize) -> String {
        render(&self.entries[self.entries.len().saturating_sub(count)..], network)
    }
}

fn render(entries: &[Entry], network: &Network) -> String {
    let mut text = String::new();
    for entry in entries {
        line(&mut text, entry, network).expect("writing to a string succeeds");
    }
    text
}

fn line(text: &mut String, entry: &Entry, network: &Network) -> std::fmt::Result {
    let time = entry.at.since(Instant::ZERO);
    let (to, mark) = match entry.fate {
        Fate::Sent { to, copies: 1 } => (network.name(to), ""),
        Fate::Sent { to, .. } => (network.name(to), " (twice)"),
        Fate::Lost(to) => (network.name(to), " (lost)"),
        Fate::NoRoute => ("-", " (no route)"),
        Fate::NoNeighbor => ("-", " (no neighbor)"),
        Fate::InterfaceDown => ("-", " (interface down)"),
    };
    let transit = if entry.transit { " (in transit)" } else { "" };
    let from = network.name(entry.from);
    write!(text, "{:>10} {from} > {to}{transit}{mark}", seconds(time))?;
    if let Encapsulation::Udp { destination_port, .. } = entry.header.encapsulation {
        write!(text, " (UDP port {destination_port})")?;
    }
    write!(text, ": ")?;
    writeln!(text, "{}", describe(&entry.message))
}

/// Seconds with milliseconds.
fn seconds(time: Duration) -> String {
    format!("{}.{:03}", time.as_secs(), time.subsec_millis())
}
