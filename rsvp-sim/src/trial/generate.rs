//! Random plans.

use std::time::Duration;

use rsvp_core::config::{MessageIds, ReductionConfig, SummaryRefresh};
use rsvp_core::wire::Style;

use super::plan::{Kind, Place, Plan, SessionPlan, Step};
use crate::random::{Draw, Random, seeded};

impl Plan {
    /// The plan that a seed stands for. Most are small; one in fifty has up to 60 devices.
    #[must_use]
    pub fn random(seed: u64) -> Self {
        let mut random = seeded(seed ^ 0x5eed);
        let is_large = random.below(50) == 0;
        let is_scarce = random.below(8) == 0;
        let mut plan = Self {
            seed,
            devices: Vec::new(),
            links: Vec::new(),
            sessions: Vec::new(),
            steps: Vec::new(),
            convergence: random.duration(Duration::from_secs(2)),
            shuffle: random.chance(0.5),
            reductions: Vec::new(),
            batch: 1,
            lists_next_hops: false,
            point_to_point: true,
            bandwidth: if is_scarce { 60_000 } else { 10_000_000 },
            compare: !is_scarce,
        };
        plan.lay_links(&mut random, is_large);
        for number in 0..1 + random.below(if is_large { 8 } else { 4 }) {
            let session = plan.session(&mut random, 5000 + u16::try_from(number).expect("a few"));
            plan.sessions.push(session);
        }
        plan.begin(&mut random);
        let steps = 15 + random.below(if is_large { 60 } else { 30 });
        for _ in 0..steps {
            let step = plan.step(&mut random);
            plan.steps.push((step, random.duration(Duration::from_secs(4))));
        }
        plan.reduce_refreshes(&mut seeded(seed ^ 0x2961));
        plan
    }

    /// Decides who uses what of RFC 2961, from a generator of its own: all else is the same as without.
    fn reduce_refreshes(&mut self, random: &mut Random) {
        self.batch = [1, 64][random.below(2)];
        self.lists_next_hops = random.chance(0.5);
        self.point_to_point = random.chance(0.7);
        let are_all_capable = random.chance(0.1) && !self.devices.contains(&Kind::Plain);
        for _ in 0..self.devices.len() {
            let first = reduction(random, are_all_capable);
            let others = if random.chance(0.8) { first.clone() } else { reduction(random, are_all_capable) };
            self.reductions.push([first, others]);
        }
    }

    /// A tree of routers with some links more, hosts on it, and a few LANs.
    fn lay_links(&mut self, random: &mut Random, is_large: bool) {
        let routers = if is_large { 10 + random.below(20) } else { 1 + random.below(6) };
        let hosts = if is_large { 5 + random.below(25) } else { 2 + random.below(4) };
        for number in 0..routers {
            let is_plain = number > 0 && random.chance(0.1);
            self.devices.push(if is_plain { Kind::Plain } else { Kind::Router });
            if number > 0 {
                self.join(random, number, number);
            }
        }
        for _ in 0..random.below(1 + routers / 2) {
            let [one, other] = [0; 2].map(|_| random.below(routers));
            if one != other {
                self.links.push(vec![one, other]);
            }
        }
        for host in routers..routers + hosts {
            self.devices.push(Kind::Host);
            self.join(random, host, routers);
            // Some have two interfaces.
            if random.chance(0.2) {
                self.join(random, host, routers);
            }
        }
    }

    /// Joins a device to one of the first `routers`: by a link of its own, or on the router's LAN.
    fn join(&mut self, random: &mut Random, device: usize, routers: usize) {
        let router = random.below(routers);
        let lan = self.links.iter().position(|link| link.contains(&router) && !link.contains(&device));
        match lan {
            Some(lan) if random.chance(0.3) && self.links[lan].len() < 8 => self.links[lan].push(device),
            _ => self.links.push(vec![router, device]),
        }
    }

    fn of_kind(&self, is_meant: impl Fn(Kind) -> bool) -> Vec<usize> {
        (0..self.devices.len()).filter(|device| is_meant(self.devices[*device])).collect()
    }

    fn place(&self, random: &mut Random, device: usize) -> Place {
        let links: Vec<usize> =
            (0..self.links.len()).filter(|link| self.links[*link].contains(&device)).collect();
        Place { device, link: links[random.below(links.len())] }
    }

    fn session(&self, random: &mut Random, port: u16) -> SessionPlan {
        let hosts = self.of_kind(|kind| kind == Kind::Host);
        let routers = self.of_kind(|kind| kind == Kind::Router);
        let mut is_one_of = |devices: &[usize]| devices[random.below(devices.len())];
        let destination = is_one_of(&hosts);
        let core = is_one_of(&routers);
        let is_group = random.chance(0.6);
        let mut senders: Vec<Place> = Vec::new();
        for _ in 0..1 + random.below(4) {
            let device = hosts[random.below(hosts.len())];
            let is_new = senders.iter().all(|sender| sender.device != device);
            if is_new && (is_group || device != destination) {
                senders.push(self.place(random, device));
            }
        }
        let mut receivers = Vec::new();
        for _ in 0..1 + random.below(if is_group { 5 } else { 2 }) {
            let device = match is_group {
                false => destination,
                true if random.chance(0.15) => routers[random.below(routers.len())],
                true => hosts[random.below(hosts.len())],
            };
            // What it sends itself must not come back to it by another interface: it ignores that Path, and WF without
            // a SCOPE reserves for all that leaves by an interface nevertheless.
            let as_sender = senders.iter().find(|sender| sender.device == device).copied();
            receivers.push(as_sender.unwrap_or_else(|| self.place(random, device)));
        }
        SessionPlan {
            v6: random.chance(0.5),
            port,
            destination: (!is_group).then_some(destination),
            core: (is_group && random.chance(0.25)).then_some(core),
            style: [Style::Ff, Style::Se, Style::Wf][random.below(3)],
            guaranteed: random.chance(0.3),
            senders,
            receivers,
        }
    }

    /// Most applications are there from the beginning.
    fn begin(&mut self, random: &mut Random) {
        for session in 0..self.sessions.len() {
            let SessionPlan { senders, receivers, .. } = self.sessions[session].clone();
            let announced = (0..senders.len()).map(|sender| Step::Announce { session, sender });
            let reserved =
                (0..receivers.len()).map(|receiver| reserve(random, session, receiver, senders.len()));
            let steps: Vec<Step> = announced.chain(reserved).collect();
            for step in steps {
                if random.chance(0.8) {
                    self.steps.push((step, random.duration(Duration::from_millis(500))));
                }
            }
        }
    }

    fn step(&self, random: &mut Random) -> Step {
        let session = random.below(self.sessions.len());
        let link = random.below(self.links.len());
        let device = random.below(self.devices.len());
        match random.below(24) {
            0..=5 => self.sender_step(random, session),
            6..=13 => self.receiver_step(random, session),
            14..=15 => Step::Conditions {
                link,
                delay: 1 + random.below(20) as u64,
                jitter: random.below(50) as u64,
                loss: [0, 10, 30][random.below(3)],
                duplication: [0, 10][random.below(2)],
            },
            16 => Step::Link { link, up: random.chance(0.6) },
            17 => Step::Cost { link, cost: 1 + random.below(4) as u32 },
            18 => {
                let ends = &self.links[link];
                let one = ends[random.below(ends.len())];
                Step::Partition { link, device: random.chance(0.5).then_some(one) }
            }
            19 => {
                Step::TrafficControl { device, delay: random.below(3000) as u64, fails: random.chance(0.3) }
            }
            20 => Step::Socket { device, blocked: random.chance(0.5) },
            21 if random.chance(0.3) => Step::Clear(device),
            _ => match random.below(4) {
                0 => Step::Kill(device),
                1 => Step::Freeze(device),
                2 => Step::PowerOff(device),
                _ => Step::Restore(device),
            },
        }
    }

    fn sender_step(&self, random: &mut Random, session: usize) -> Step {
        let senders = self.sessions[session].senders.len();
        if senders == 0 {
            return Step::Join { session, receiver: 0 };
        }
        let sender = random.below(senders);
        if random.chance(0.7) {
            Step::Announce { session, sender }
        } else {
            Step::Withdraw { session, sender }
        }
    }

    fn receiver_step(&self, random: &mut Random, session: usize) -> Step {
        let SessionPlan { receivers, senders, .. } = &self.sessions[session];
        let receiver = random.below(receivers.len());
        match random.below(10) {
            0 => Step::Join { session, receiver },
            1 => Step::Unreserve { session, receiver },
            2 => Step::Leave { session, receiver },
            _ => reserve(random, session, receiver, senders.len()),
        }
    }
}

fn reduction(random: &mut Random, assume_capable: bool) -> ReductionConfig {
    let default = ReductionConfig { assume_capable, ..ReductionConfig::default() };
    match random.below(6) {
        0..=1 => return default,
        2 if !assume_capable => return ReductionConfig::off(),
        _ => {}
    }
    let millis =
        |choice: &[u64], random: &mut Random| Duration::from_millis(choice[random.below(choice.len())]);
    let drawn = ReductionConfig {
        reliable: random.chance(0.8),
        retransmit_limit: 1 + random.below(7) as u32,
        ack_delay: millis(&[0, 10, 10, 200], random),
        bundle_delay: millis(&[0, 0, 20], random),
        max_packet: [u16::MAX, 1000, 300][random.below(3)],
        max_outstanding: [512, 3, 1][random.below(3)],
        full_refresh: [0, 0, 2][random.below(3)],
        ..default
    };
    if assume_capable {
        return drawn;
    }
    ReductionConfig {
        message_ids: [MessageIds::Learn, MessageIds::Learn, MessageIds::Always, MessageIds::Never]
            [random.below(4)],
        bundle: random.chance(0.7),
        summary_refresh: [SummaryRefresh::Neighbor, SummaryRefresh::Session, SummaryRefresh::Off]
            [random.below(3)],
        ..drawn
    }
}

fn reserve(random: &mut Random, session: usize, receiver: usize, senders: usize) -> Step {
    Step::Reserve {
        session,
        receiver,
        rate: [10_000, 20_000, 40_000][random.below(3)],
        wanted: (0..senders).filter(|_| random.chance(0.7)).collect(),
        confirm: random.chance(0.5),
    }
}
