//! Ways that lose, double and reorder what the testers send.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use rsvp_core::Instant;
use rsvp_core::input::Route;
use rsvp_sim::{Draw, Random, seeded};

use crate::bench::lab::Unsupported;
use crate::bench::plan::Station;
use crate::bench::tester::{Action, InProcess, Packet, Sent, Tester};

/// What becomes of the messages of the testers on their way to the device, for the cases that are about that. Chance
/// decides, but the same seed gives the same decisions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Impairment {
    /// The share that gets lost, 0.0 to 1.0. Of the messages of one type that a neighbour sends no more than two in a row
    /// do: state is to outlast that (RFC 2205 section 3.7).
    pub loss: f64,
    /// Whether one in ten comes after the one behind it.
    pub reorder: bool,
    /// Whether one in ten comes twice.
    pub duplicate: bool,
    /// What chance begins with.
    pub seed: u64,
}

impl Default for Impairment {
    fn default() -> Self {
        Self { loss: 0.1, reorder: true, duplicate: true, seed: 1 }
    }
}

/// How many messages of one kind may get lost in a row.
const IN_A_ROW: u32 = 2;

/// How often a message is doubled, or overtaken.
const SOMETIMES: f64 = 0.1;

/// How long a message that is to be overtaken waits for the next one.
const HELD: Duration = Duration::from_millis(200);

/// A tester whose messages take such a way.
pub(super) struct Impaired {
    inner: Box<dyn Tester>,
    impairment: Impairment,
    random: Random,
    /// How many messages of a type a neighbour has just lost.
    lost: BTreeMap<(Station, Option<u8>), u32>,
    /// What is to be overtaken, and until when it waits for that.
    held: Option<(Instant, Station, Packet)>,
}

impl Impaired {
    pub(super) fn new(inner: Box<dyn Tester>, impairment: Impairment) -> Self {
        let random = seeded(impairment.seed);
        Self { inner, impairment, random, lost: BTreeMap::new(), held: None }
    }

    /// Sends what was held.
    fn release(&mut self) {
        if let Some((_, from, packet)) = self.held.take() {
            self.inner.send(from, &packet);
        }
    }
}

impl Tester for Impaired {
    fn now(&self) -> Instant {
        self.inner.now()
    }

    fn send(&mut self, from: Station, packet: &Packet) {
        let Impairment { loss, reorder, duplicate, .. } = self.impairment;
        let lost = self.lost.entry((from, packet.message.get(1).copied())).or_default();
        if self.random.chance(loss) && *lost < IN_A_ROW {
            *lost += 1;
            return;
        }
        *lost = 0;
        if reorder && self.held.is_none() && self.random.chance(SOMETIMES) {
            self.held = Some((self.inner.now() + HELD, from, packet.clone()));
            return;
        }
        self.inner.send(from, packet);
        if duplicate && self.random.chance(SOMETIMES) {
            self.inner.send(from, packet);
        }
        self.release();
    }

    fn advance(&mut self, time: Duration) -> Vec<Sent> {
        let end = self.now() + time;
        let mut sent = Vec::new();
        if let Some(until) = self.held.as_ref().map(|(until, ..)| *until).filter(|until| *until <= end) {
            sent = self.inner.advance(until.since(self.now()));
            self.release();
        }
        sent.extend(self.inner.advance(end.since(self.now())));
        sent
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{Happening, Lab};

    /// When which of 30 Paths come to the device.
    fn arrivals(impairment: Impairment) -> Vec<(Duration, u16)> {
        let lab = Lab::in_process().impairing(impairment);
        let mut dut = lab.lossy().router();
        for port in 1..=30 {
            let session = dut.plan.session(dut.h().flow().destination, port);
            dut.send(Station::U1, dut.path(Station::U1, session, dut.s1()));
            dut.advance(Duration::from_millis(50));
        }
        dut.advance(Duration::from_secs(1));
        let entries = lab.take_transcript().entries.into_iter();
        let arrival = |entry: crate::bench::Entry| match entry.happening {
            // The port is at the end of SESSION, the first object.
            Happening::ToDevice(_, packet) => {
                let port = u16::from_be_bytes([packet.message[18], packet.message[19]]);
                Some((entry.at.since(Instant::ZERO), port))
            }
            _ => None,
        };
        entries.filter_map(arrival).collect()
    }

    fn ports(impairment: Impairment) -> Vec<u16> {
        arrivals(impairment).into_iter().map(|(_, port)| port).collect()
    }

    const NONE: Impairment = Impairment { loss: 0.0, reorder: false, duplicate: false, seed: 1 };

    #[test]
    fn the_seed_decides() {
        assert_eq!(arrivals(Impairment::default()), arrivals(Impairment::default()));
        assert_ne!(
            arrivals(Impairment::default()),
            arrivals(Impairment { seed: 2, ..Impairment::default() })
        );
    }

    #[test]
    fn no_more_than_two_in_a_row_get_lost() {
        let every_third: Vec<u16> = (1..=10).map(|number| 3 * number).collect();
        assert_eq!(ports(Impairment { loss: 1.0, ..NONE }), every_third);
    }

    #[test]
    fn what_is_overtaken_or_comes_twice_comes() {
        let all: Vec<u16> = (1..=30).collect();
        assert_eq!(ports(NONE), all);
        let mut reordered = ports(Impairment { reorder: true, ..NONE });
        assert_ne!(reordered, all);
        reordered.sort_unstable();
        assert_eq!(reordered, all);
        let mut doubled = ports(Impairment { duplicate: true, ..NONE });
        assert!(doubled.len() > all.len());
        doubled.dedup();
        assert_eq!(doubled, all);
    }
}
