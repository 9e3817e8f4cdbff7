//! Where a case gets its devices from, and how time runs there.

use std::cell::RefCell;
use std::fmt::{self, Write};
use std::rc::Rc;
use std::time::Duration;

use rsvp_core::config::{Bandwidth, GuaranteedConfig, InterfaceConfig, NodeConfig};
use rsvp_core::wire::{FilterSpec, SessionKey};

use serde_json::Value;

use crate::bench::dut::Dut;
use crate::bench::impairment::{Impaired, Impairment};
use crate::bench::messages::tspec;
use crate::bench::plan::{B, Family, Networks, Plan, R, Station};
use crate::bench::tester::{InProcess, Tester};
use crate::bench::transcript::{Recording, Transcript};
use crate::case::Case;

/// How time runs at a bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// R: the refresh period of the DUT, and that of the testers' messages.
    pub refresh: Duration,
    /// How long the DUT may take over what it does at once. So much time follows every stimulus.
    pub at_once: Duration,
    /// How much longer an expectation waits for what has not come yet.
    pub patience: Duration,
    /// By how much a time that was measured may be off.
    pub slack: Duration,
}

impl Timing {
    /// Virtual time: exact, and free of charge.
    pub const VIRTUAL: Self = Self {
        refresh: R,
        at_once: Duration::from_millis(100),
        patience: Duration::ZERO,
        slack: Duration::ZERO,
    };

    /// The time within which every state is refreshed once (RFC 2205 section 3.7).
    #[must_use]
    pub fn next_refresh(&self) -> Duration {
        self.refresh * 3 / 2 + self.slack
    }
}

/// What a case asks of its device, before anything is sent to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Setup {
    /// IPv4 or IPv6.
    pub family: Family,
    /// Its configuration. The interfaces are called `a`, `b`, `c` and `d`.
    pub config: NodeConfig,
}

impl Setup {
    /// What the device is, unless a case says otherwise: a router with the defaults of the RFCs, this refresh period, and
    /// 50 [`B`] to reserve on each interface, whose scheduler has a C of 1500 bytes and a D of 1 ms.
    #[must_use]
    pub fn stock(family: Family, refresh: Duration) -> Self {
        let total = (50.0 * B) as u64;
        let bandwidth = Some(Bandwidth { total, per_flow: total, link: 2 * total });
        let guaranteed = Some(GuaranteedConfig::new(1500, 1000));
        let default_interface =
            InterfaceConfig { bandwidth, guaranteed, refresh, ..InterfaceConfig::default() };
        Self { family, config: NodeConfig { default_interface, ..NodeConfig::default() } }
    }
}

impl Setup {
    /// What it is, and what of its configuration differs from the stock.
    fn describe(&self) -> String {
        let kind = if self.config.router { "router" } else { "host" };
        let mut text =
            format!("a {kind} over {}, R {:?}", self.family, self.config.default_interface.refresh);
        let differences = self.differences();
        differences.iter().filter(|(name, _)| name != "router").for_each(|(name, value)| {
            let _ = write!(text, ", {name} {value}");
        });
        text
    }

    /// The settings that are not what they are in the stock with the same refresh period, by name; those of one interface
    /// begin with `interfaces.` and its name.
    pub(crate) fn differences(&self) -> Vec<(String, Value)> {
        let stock = Self::stock(self.family, self.config.default_interface.refresh);
        let config = |setup: &Self| serde_json::to_value(&setup.config).unwrap_or_default();
        let (mut stock, wanted) = (config(&stock), config(self));
        for interface in self.config.interfaces.keys() {
            let default = stock["default_interface"].clone();
            stock["interfaces"][interface] = default;
        }
        let mut differences = Vec::new();
        compare("", &stock, &wanted, &mut differences);
        differences
    }
}

/// The settings that are not what they are in the stock, by name.
fn compare(name: &str, stock: &Value, setting: &Value, differences: &mut Vec<(String, Value)>) {
    match (stock, setting) {
        (Value::Object(stock), Value::Object(settings)) => {
            for (key, setting) in settings {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                compare(&name, stock.get(key).unwrap_or(&Value::Null), setting, differences);
            }
        }
        _ if stock != setting => differences.push((name.to_owned(), setting.clone())),
        _ => {}
    }
}

/// The device, or its bench, cannot do what a case needs: the reason. A case that meets it ends with this as its panic's
/// payload, and is neither passed nor failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported(pub String);

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How fast a device is to refresh its state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// So slowly that a case can send and look for a while without any refresh in between: 30 s, the RFC's default.
    #[default]
    Steady,
    /// As fast as the bench allows, for cases that wait for refreshes and timeouts.
    Brisk,
}

/// The chapters of the suite whose protocol the engine of this project does not speak. Their cases are for other devices,
/// and show nothing of this one.
pub const NOT_SPOKEN_HERE: [&str; 1] = ["rfc3209"];

/// Where devices come from.
pub trait Devices {
    /// How time runs with them.
    fn timing(&self, pace: Pace) -> Timing;

    /// Whether they claim to speak the protocol of a chapter of the suite, such as `rfc3209`. Unless they say otherwise,
    /// they speak what the engine of this project does.
    fn speaks(&self, chapter: &str) -> bool {
        !NOT_SPOKEN_HERE.contains(&chapter)
    }

    /// How their networks are numbered.
    fn networks(&self) -> Networks {
        Networks::STOCK
    }

    /// A device that has no state, set up as asked.
    ///
    /// # Errors
    ///
    /// When there is no such device.
    fn device(&self, setup: &Setup) -> Result<Box<dyn Tester>, Unsupported>;

    /// Why a case is not to be run with them, if that is so.
    fn skips(&self, _: &Case) -> Option<String> {
        None
    }

    /// What has disturbed the testers so much that a case that fails says nothing about its devices.
    fn disturbance(&self) -> Option<String> {
        None
    }

    /// What the last device whose case failed said of its own state then.
    fn take_dump(&self) -> Option<String> {
        None
    }
}

/// Engines in this process and in virtual time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Engines {
    /// How their networks are numbered.
    pub networks: Networks,
}

impl Devices for Engines {
    fn timing(&self, _: Pace) -> Timing {
        Timing::VIRTUAL
    }

    fn networks(&self) -> Networks {
        self.networks
    }

    fn device(&self, setup: &Setup) -> Result<Box<dyn Tester>, Unsupported> {
        Ok(Box::new(InProcess::new(self.networks.plan(setup.family), setup.config.clone())))
    }
}

/// Changes what comes between a device and its testers.
pub type Interposition = Rc<dyn Fn(Box<dyn Tester>) -> Box<dyn Tester>>;

/// The laboratory that a case runs in: it hands out devices, and keeps the transcript.
#[derive(Clone)]
pub struct Lab {
    devices: Rc<dyn Devices>,
    pace: Pace,
    interposition: Option<Interposition>,
    impairment: Impairment,
    /// Whether the impairment is in force.
    is_lossy: bool,
    transcript: Rc<RefCell<Transcript>>,
}

impl Lab {
    /// A laboratory with devices of some kind.
    #[must_use]
    pub fn new(devices: impl Devices + 'static) -> Self {
        Self {
            devices: Rc::new(devices),
            pace: Pace::Steady,
            interposition: None,
            impairment: Impairment::default(),
            is_lossy: false,
            transcript: Rc::default(),
        }
    }

    /// A laboratory in this process and in virtual time.
    #[must_use]
    pub fn in_process() -> Self {
        Self::new(Engines::default())
    }

    /// Puts something between every device and its testers, such as a proxy that loses packets.
    #[must_use]
    pub fn interposing(mut self, interposition: Interposition) -> Self {
        self.interposition = Some(interposition);
        self
    }

    /// What becomes of the testers' messages in those cases that are about that.
    #[must_use]
    pub fn impairing(mut self, impairment: Impairment) -> Self {
        self.impairment = impairment;
        self
    }

    /// The same laboratory for a case that is about loss, doubling and reordering of the testers' messages: its devices
    /// are reached on a way that does this.
    #[must_use]
    pub fn lossy(&self) -> Self {
        Self { is_lossy: true, ..self.clone() }
    }

    /// The same laboratory for a case that waits for refreshes or timeouts: its devices refresh as fast as they can.
    #[must_use]
    pub fn brisk(&self) -> Self {
        Self { pace: Pace::Brisk, ..self.clone() }
    }

    /// Whether the devices claim to speak the protocol of a chapter of the suite, such as `rfc3209`.
    #[must_use]
    pub fn speaks(&self, chapter: &str) -> bool {
        self.devices.speaks(chapter)
    }

    /// How time runs here.
    #[must_use]
    pub fn timing(&self) -> Timing {
        self.devices.timing(self.pace)
    }

    /// Who has which address here.
    #[must_use]
    pub fn plan(&self, family: Family) -> Plan {
        self.devices.networks().plan(family)
    }

    /// R here.
    #[must_use]
    pub fn r(&self) -> Duration {
        self.timing().refresh
    }

    /// Why a case is not to be run here, if that is so.
    #[must_use]
    pub fn skips(&self, case: &Case) -> Option<String> {
        self.devices.skips(case)
    }

    /// What has disturbed the testers so much that a case that fails says nothing about its devices.
    #[must_use]
    pub fn disturbance(&self) -> Option<String> {
        self.devices.disturbance()
    }

    /// What the last device whose case failed said of its own state then.
    #[must_use]
    pub fn take_dump(&self) -> Option<String> {
        self.devices.take_dump()
    }

    /// Takes what has been said so far.
    #[must_use]
    pub fn take_transcript(&self) -> Transcript {
        self.transcript.take()
    }

    /// The device of [`Setup::stock`] over IPv4.
    #[must_use]
    pub fn router(&self) -> Dut {
        self.with(Family::V4, |_| ())
    }

    /// The same over IPv6.
    #[must_use]
    pub fn router_v6(&self) -> Dut {
        self.with(Family::V6, |_| ())
    }

    /// A host over IPv4.
    #[must_use]
    pub fn host(&self) -> Dut {
        self.with(Family::V4, |config| config.router = false)
    }

    /// A router that has path state of the first `senders` senders of the group G.
    #[must_use]
    pub fn group(&self, senders: u8) -> Dut {
        let dut = self.router();
        let g = dut.g();
        knowing(dut, g, senders)
    }

    /// A router that has path state of the first `senders` senders of the unicast session H.
    #[must_use]
    pub fn unicast(&self, senders: u8) -> Dut {
        let dut = self.router();
        let h = dut.h();
        knowing(dut, h, senders)
    }

    /// A router that has path state of S1 for H, whose SENDER_TSPEC is more than any interface has: 200 [`B`].
    #[must_use]
    pub fn greedy(&self) -> Dut {
        let mut dut = self.router();
        let mut path = dut.path(Station::U1, dut.h(), dut.s1());
        path.sender_tspec = tspec(200.0);
        dut.learn_from(Station::U1, path);
        dut
    }

    /// A device whose configuration is changed first.
    ///
    /// # Panics
    ///
    /// With [`Unsupported`], when there is no such device.
    #[must_use]
    pub fn with(&self, family: Family, change: impl FnOnce(&mut NodeConfig)) -> Dut {
        let mut setup = Setup::stock(family, self.r());
        change(&mut setup.config);
        match self.devices.device(&setup) {
            Ok(tester) => self.reached_by(self.plan(family), tester, Some(&setup)),
            Err(unsupported) => std::panic::panic_any(unsupported),
        }
    }

    /// A device that is reached in some other way.
    #[must_use]
    pub fn around(&self, plan: Plan, tester: Box<dyn Tester>) -> Dut {
        self.reached_by(plan, tester, None)
    }

    fn reached_by(&self, plan: Plan, tester: Box<dyn Tester>, setup: Option<&Setup>) -> Dut {
        let tester = match &self.interposition {
            Some(interpose) => interpose(tester),
            None => tester,
        };
        let recording = Recording::new(tester, plan.networks, Rc::clone(&self.transcript));
        if let Some(setup) = setup {
            recording.note(setup.describe());
        }
        let recording = Box::new(recording);
        let way: Box<dyn Tester> =
            if self.is_lossy { Box::new(Impaired::new(recording, self.impairment)) } else { recording };
        Dut::reached_by(plan, self.timing(), way)
    }
}

fn knowing(mut dut: Dut, session: SessionKey, senders: u8) -> Dut {
    let its: Vec<(Station, FilterSpec)> = (1..=senders)
        .map(|number| (if number == 1 { Station::U1 } else { Station::U2 }, dut.plan.sender(number)))
        .collect();
    for (station, sender) in its {
        dut.learn(station, session, sender);
    }
    dut
}
