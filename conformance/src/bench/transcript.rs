//! What was said at the bench, word by word.

use std::cell::RefCell;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use rsvp_core::Instant;
use rsvp_core::input::Route;

use crate::bench::lab::Unsupported;
use crate::bench::plan::{Networks, Port, Station};
use crate::bench::tester::{Action, InProcess, Packet, Sent, Tester};

/// All that happened between the testers and the devices of one case.
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    /// In order; the times of each device begin anew.
    pub entries: Vec<Entry>,
    /// How many devices there have been.
    pub devices: usize,
    /// How the networks between them were numbered.
    pub networks: Networks,
}

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Which of the case's devices it concerns, from 1.
    pub device: usize,
    /// When, since that device was there.
    pub at: Instant,
    /// What.
    pub happening: Happening,
}

/// What can happen.
#[derive(Clone, Debug)]
pub enum Happening {
    /// A tester sent a packet to the device.
    ToDevice(Station, Packet),
    /// The device sent a packet out of a port.
    FromDevice(Port, Packet),
    /// Something else was done, in words.
    Note(String),
}

impl Happening {
    /// The packet, if it is one.
    #[must_use]
    pub const fn packet(&self) -> Option<&Packet> {
        match self {
            Self::ToDevice(_, packet) | Self::FromDevice(_, packet) => Some(packet),
            Self::Note(_) => None,
        }
    }
}

/// A tester that writes down what passes.
pub(crate) struct Recording {
    inner: Box<dyn Tester>,
    device: usize,
    transcript: Rc<RefCell<Transcript>>,
}

impl Recording {
    pub(crate) fn new(
        inner: Box<dyn Tester>,
        networks: Networks,
        transcript: Rc<RefCell<Transcript>>,
    ) -> Self {
        let device = transcript.borrow().devices + 1;
        *transcript.borrow_mut() = Transcript { devices: device, networks, ..transcript.take() };
        Self { inner, device, transcript }
    }

    /// Writes down what the device is.
    pub(crate) fn note(&self, text: String) {
        self.write(self.inner.now(), Happening::Note(text));
    }

    fn write(&self, at: Instant, happening: Happening) {
        self.transcript.borrow_mut().entries.push(Entry { device: self.device, at, happening });
    }
}

impl Tester for Recording {
    fn now(&self) -> Instant {
        self.inner.now()
    }

    fn send(&mut self, from: Station, packet: &Packet) {
        self.write(self.inner.now(), Happening::ToDevice(from, packet.clone()));
        self.inner.send(from, packet);
    }

    fn advance(&mut self, time: Duration) -> Vec<Sent> {
        let sent = self.inner.advance(time);
        for one in &sent {
            self.write(one.at, Happening::FromDevice(one.port, one.packet.clone()));
        }
        sent
    }

    fn set_route(
        &mut self,
        destination: IpAddr,
        source: Option<IpAddr>,
        route: Route,
    ) -> Result<(), Unsupported> {
        let of = source.map_or_else(String::new, |source| format!(" from {source}"));
        let to = |hop: &rsvp_core::input::NextHop| {
            let port = Port::of(hop.interface).map_or("nowhere", Port::name);
            hop.gateway.map_or_else(|| port.to_owned(), |gateway| format!("{gateway} on {port}"))
        };
        let hops: Vec<String> = route.outgoing.iter().map(to).collect();
        let hops = if hops.is_empty() { "nowhere".to_owned() } else { hops.join(", ") };
        self.note(format!("route to {destination}{of}: {hops}"));
        self.inner.set_route(destination, source, route)
    }

    fn act(&mut self, action: &Action) -> Result<(), Unsupported> {
        self.note(action.to_string());
        self.inner.act(action)
    }

    fn inside(&mut self) -> Option<&mut InProcess> {
        self.inner.inside()
    }
}
