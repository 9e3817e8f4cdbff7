//! What a trial consists of, spelt out: a network, sessions, and what happens step by step.

use std::fmt;
use std::time::Duration;

use rsvp_core::config::ReductionConfig;
use rsvp_core::wire::Style;

/// A trial, as an explicit list of everything that is built and happens. It runs without its generator, so that parts of
/// it can be left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Feeds the links' chance and the nodes.
    pub seed: u64,
    /// The devices.
    pub devices: Vec<Kind>,
    /// The links; the devices on each, by position.
    pub links: Vec<Vec<usize>>,
    /// The sessions.
    pub sessions: Vec<SessionPlan>,
    /// What happens, with the time that passes afterwards.
    pub steps: Vec<(Step, Duration)>,
    /// How long routing takes to see a change.
    pub convergence: Duration,
    /// Whether nodes are polled in random order.
    pub shuffle: bool,
    /// What each device uses of RFC 2961: on its first interface, and on the others.
    pub reductions: Vec<[ReductionConfig; 2]>,
    /// How many inputs of one instant a node takes before it is polled.
    pub batch: usize,
    /// Whether routing knows all next hops of a group.
    pub lists_next_hops: bool,
    /// Whether nodes know that a link with two ends is a point-to-point link.
    pub point_to_point: bool,
    /// What may be reserved on each interface, in bytes per second.
    pub bandwidth: u64,
    /// Whether what is reserved in the end is compared with the model, which knows of no scarcity.
    pub compare: bool,
}

/// What a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A host with RSVP.
    Host,
    /// A router with RSVP.
    Router,
    /// A router without.
    Plain,
}

/// A session and who may take part in it.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionPlan {
    /// Whether it is of IPv6.
    pub v6: bool,
    /// Its port, which nothing else has.
    pub port: u16,
    /// A unicast destination; `None` for a group.
    pub destination: Option<usize>,
    /// For a group: the router that a tree for all senders grows from.
    pub core: Option<usize>,
    /// The style of all its reservations.
    pub style: Style,
    /// Whether guaranteed service is asked for; otherwise controlled load.
    pub guaranteed: bool,
    /// The devices that may send, and the position of the interface that each binds to.
    pub senders: Vec<Place>,
    /// The devices that may receive, and where each receives a group.
    pub receivers: Vec<Place>,
}

/// An interface of a device, by the link that it is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The device.
    pub device: usize,
    /// The link.
    pub link: usize,
}

/// One thing that happens. What cannot happen (a sender that is withdrawn, but was never announced) is passed over.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    missing_docs,
    reason = "the variants say what their fields are: positions in the plan, unless they say otherwise"
)]
pub enum Step {
    /// A sender is announced.
    Announce { session: usize, sender: usize },
    /// A sender goes.
    Withdraw { session: usize, sender: usize },
    /// A receiver comes, and reserves nothing yet.
    Join { session: usize, receiver: usize },
    /// A receiver reserves.
    Reserve {
        session: usize,
        receiver: usize,
        /// Bytes per second.
        rate: u32,
        /// For which senders (FF and SE), by position.
        wanted: Vec<usize>,
        confirm: bool,
    },
    /// A receiver reserves no more.
    Unreserve { session: usize, receiver: usize },
    /// A receiver goes.
    Leave { session: usize, receiver: usize },
    /// A link gets bad, or good. Milliseconds and percent.
    Conditions { link: usize, delay: u64, jitter: u64, loss: u32, duplication: u32 },
    /// A link goes down or up.
    Link { link: usize, up: bool },
    /// Routing counts a link for more or less.
    Cost { link: usize, cost: u32 },
    /// A device on a link is cut off, silently; `None` mends it.
    Partition { link: usize, device: Option<usize> },
    /// RSVP dies on a device.
    Kill(usize),
    /// RSVP stops in its tracks on a device.
    Freeze(usize),
    /// A device loses its power.
    PowerOff(usize),
    /// A device is brought back from whatever was done to it.
    Restore(usize),
    /// Traffic control gets slow, or fails. Milliseconds.
    TrafficControl { device: usize, delay: u64, fails: bool },
    /// A device's socket takes no more, or does again.
    Socket { device: usize, blocked: bool },
    /// The operator clears all sessions of a device.
    Clear(usize),
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on_links = |device: &usize| self.links.iter().any(|link| link.contains(device));
        let name = |device: usize| format!("{}{device}", self.devices[device].letter());
        write!(f, "seed {}, convergence {:?}, devices", self.seed, self.convergence)?;
        for device in (0..self.devices.len()).filter(on_links) {
            write!(f, " {}", name(device))?;
        }
        writeln!(f)?;
        let (batch, listed, known) = (self.batch, self.lists_next_hops, self.point_to_point);
        writeln!(f, "batches of {batch}, next hops listed: {listed}, point-to-point links known: {known}")?;
        for (device, reductions) in self.reductions.iter().enumerate().filter(|(device, _)| on_links(device))
        {
            for (on, reduction) in ["eth0", "others"].into_iter().zip(reductions) {
                if *reduction != ReductionConfig::default() {
                    writeln!(f, "{} {on}: {reduction:?}", name(device))?;
                }
            }
        }
        for (number, link) in self.links.iter().enumerate().filter(|(_, link)| !link.is_empty()) {
            let ends: Vec<String> = link.iter().map(|device| name(*device)).collect();
            writeln!(f, "link {number}: {}", ends.join(" "))?;
        }
        for (number, session) in self.sessions.iter().enumerate() {
            if self.steps.iter().any(|(step, _)| step.session() == Some(number)) {
                writeln!(f, "session {number}: {session:?}")?;
            }
        }
        for (step, pause) in &self.steps {
            writeln!(f, "{step:?}, then {pause:?}")?;
        }
        Ok(())
    }
}

impl Kind {
    /// What the names of such devices begin with.
    pub(crate) fn letter(self) -> char {
        match self {
            Self::Host => 'h',
            Self::Router => 'r',
            Self::Plain => 'p',
        }
    }
}

impl Step {
    /// The session that it concerns.
    fn session(&self) -> Option<usize> {
        match self {
            Self::Announce { session, .. }
            | Self::Withdraw { session, .. }
            | Self::Join { session, .. }
            | Self::Reserve { session, .. }
            | Self::Unreserve { session, .. }
            | Self::Leave { session, .. } => Some(*session),
            _ => None,
        }
    }
}
