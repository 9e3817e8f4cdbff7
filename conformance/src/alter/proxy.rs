//! What stands between the testers and the device, and opens what passes.

use std::net::IpAddr;
use std::time::Duration;

use rsvp_core::Instant;
use rsvp_core::input::Route;
use rsvp_core::wire::{Bundle, Header, MessageType};

use crate::alter::fault::Fault;
use crate::bench::{Action, InProcess, Packet, Sent, Station, Tester, Unsupported};

/// A device with a fault: what it sends, or hears, is altered message by message.
pub(super) struct Altered {
    inner: Box<dyn Tester>,
    fault: Box<dyn Fault>,
}

impl Altered {
    pub(super) fn new(inner: Box<dyn Tester>, fault: Box<dyn Fault>) -> Self {
        Self { inner, fault }
    }
}

impl Tester for Altered {
    fn now(&self) -> Instant {
        self.inner.now()
    }

    fn send(&mut self, from: Station, packet: &Packet) {
        let now = self.inner.now();
        let heard = open(packet).into_iter().filter_map(|one| self.fault.hears(now, from, one)).collect();
        for packet in close(packet, heard) {
            self.inner.send(from, &packet);
        }
    }

    fn advance(&mut self, time: Duration) -> Vec<Sent> {
        let end = self.now() + time;
        let mut sent = Vec::new();
        loop {
            let now = self.now();
            let wake = self.fault.wakes().map_or(end, |at| at.clamp(now, end));
            sent.extend(self.inner.advance(wake.since(now)));
            for (from, packet) in self.fault.recalls(self.inner.now()) {
                self.inner.send(from, &packet);
            }
            if wake == end {
                break;
            }
        }
        sent.into_iter().flat_map(|sent| self.sends(&sent)).collect()
    }

    fn set_route(
        &mut self,
        destination: IpAddr,
        source: Option<IpAddr>,
        route: Route,
    ) -> Result<(), Unsupported> {
        self.inner.set_route(destination, source, route)
    }

    fn act(&mut self, action: &Action) -> Result<(), Unsupported> {
        self.inner.act(action)
    }

    fn inside(&mut self) -> Option<&mut InProcess> {
        self.inner.inside()
    }
}

impl Altered {
    /// What the testers get in place of a packet of the device.
    fn sends(&mut self, sent: &Sent) -> Vec<Sent> {
        let mut here = Vec::new();
        let mut elsewhere = Vec::new();
        for packet in open(&sent.packet) {
            for one in self.fault.sends(Sent { packet, ..sent.clone() }) {
                if (one.port, one.next_hop) == (sent.port, sent.next_hop) {
                    here.push(one.packet);
                } else {
                    elsewhere.push(one);
                }
            }
        }
        let here = close(&sent.packet, here).into_iter().map(|packet| Sent { packet, ..sent.clone() });
        here.chain(elsewhere).collect()
    }
}

/// The messages of a packet, each in a packet like it: several if it is a Bundle that is in order.
fn open(packet: &Packet) -> Vec<Packet> {
    let alone = || vec![packet.clone()];
    if !is_bundle(packet) {
        return alone();
    }
    let Ok(bundle) = Bundle::decode(&packet.message) else { return alone() };
    let parts: Result<Vec<_>, _> = bundle.messages().collect();
    let Ok(parts) = parts else { return alone() };
    let part = |(_, bytes): &(usize, &[u8])| Packet { message: bytes.to_vec(), ..packet.clone() };
    parts.iter().map(part).collect()
}

/// Messages that came out of a packet, back in one like it if it was a Bundle. Those that travel otherwise by now travel
/// alone.
fn close(original: &Packet, messages: Vec<Packet>) -> Vec<Packet> {
    if !is_bundle(original) {
        return messages;
    }
    let is_like = |one: &Packet| Packet { message: original.message.clone(), ..one.clone() } == *original;
    let (together, alone): (Vec<Packet>, Vec<Packet>) = messages.into_iter().partition(is_like);
    let header = Header { flags: original.message[0] & 0x0f, send_ttl: original.message[4] };
    let parts: Vec<&[u8]> = together.iter().map(|packet| &packet.message[..]).collect();
    let mut message = Vec::new();
    let is_closed = match together.as_slice() {
        [] => false,
        [one] if is_bundle(one) => return vec![one.clone()],
        _ => Bundle::encode(header, &parts, &mut message).is_ok(),
    };
    let bundle = is_closed.then(|| Packet { message, ..original.clone() });
    bundle.into_iter().chain(alone).collect()
}

fn is_bundle(packet: &Packet) -> bool {
    packet.message.get(1) == Some(&MessageType::BUNDLE.0)
}
