//! The bench: networks and devices for as many cases at once as run.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rsvp_netns::{Directory, Namespace};

use super::device::Device;
use super::medium::check_raw;
use super::network::Network;
use super::profile::{LinkKind, Profile, Role, Settings};
use super::program::Program;
use crate::bench::{Devices, Engines, Lab, Networks, Pace, Setup, Tester, Timing, Unsupported};
use crate::case::Case;

/// What the directories of all benches are called, in the beginning.
const DIRECTORIES: &str = "rsvp-conformance-";

/// Where the devices of a profile are made and reached. Cases may run at it at the same time.
#[derive(Debug)]
pub struct Bench {
    profile: Profile,
    directory: Directory,
    /// Networks that no device is in.
    free: Mutex<Vec<Network>>,
    networks: AtomicUsize,
}

impl Bench {
    /// A bench for the devices of a profile.
    ///
    /// # Errors
    ///
    /// In words, what it cannot be made for.
    pub fn new(profile: Profile) -> Result<Arc<Self>, String> {
        let directory = Directory::new(DIRECTORIES)
            .map_err(|error| format!("cannot make a directory for temporary files: {error}"))?;
        let bench = Self { profile, directory, free: Mutex::default(), networks: AtomicUsize::new(0) };
        let first = bench.network()?;
        bench.give_back(first);
        Ok(Arc::new(bench))
    }

    /// A laboratory at this bench, for one case.
    #[must_use]
    pub fn lab(self: &Arc<Self>) -> Lab {
        Lab::new(Reached { bench: Arc::clone(self), findings: Rc::default() })
    }

    /// The profile of its devices.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// A network that no device is in.
    fn network(&self) -> Result<Network, String> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(network) = free {
            return Ok(network);
        }
        let number = self.networks.fetch_add(1, Ordering::Relaxed);
        let (networks, link) = (self.profile.networks(), self.profile.link);
        match &self.profile.interfaces {
            Some(_) if number > 0 => Err("there is one such device only".to_owned()),
            Some(interfaces) => Network::given(interfaces, networks, link),
            None => Network::new(number, networks, link).map_err(|error| error.to_string()),
        }
    }

    /// Takes a network whose device is gone.
    pub(super) fn give_back(&self, network: Network) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(network);
    }

    /// Where the files of the device in a network are.
    pub(super) fn directory(&self, network: &Network) -> PathBuf {
        self.directory.path().join(network.number.to_string())
    }

    /// Whether a device can be set up so.
    ///
    /// # Errors
    ///
    /// What is not possible with this device.
    pub(super) fn check(&self, setup: &Setup) -> Result<(), Unsupported> {
        let either: &[Role] =
            if setup.config.router { &[Role::Router] } else { &[Role::SenderHost, Role::ReceiverHost] };
        self.profile.works_as(either)?;
        if !setup.config.router
            && self.profile.interfaces.is_some()
            && self.profile.works_as(&[Role::Router]).is_ok()
        {
            return Err(Unsupported("the device is there anyway, and is a router: it forwards".to_owned()));
        }
        if self.profile.link == LinkKind::Raw {
            check_raw(setup)?;
        }
        let Settings::Named(known) = &self.profile.settings else { return Ok(()) };
        match changed_settings(setup).into_iter().find(|name| !known.contains(name)) {
            Some(name) => Err(Unsupported(format!("the device cannot be given the setting {name}"))),
            None => Ok(()),
        }
    }
}

/// The names of the settings in which a device differs from the stock device with the same refresh period, as profiles
/// write them. What is said of one interface counts as what is said of all.
fn changed_settings(setup: &Setup) -> BTreeSet<String> {
    let differences = setup.differences();
    let names = differences.iter().filter_map(|(name, _)| match name.split('.').collect::<Vec<_>>()[..] {
        // Checked as a role.
        ["router"] => None,
        ["default_interface", name, ..] | ["interfaces", _, name, ..] | [name, ..] => Some(name),
        [] => None,
    });
    names.map(|name| name.replace('_', "-")).collect()
}

/// What a case's devices leave behind.
#[derive(Debug, Default)]
pub(super) struct Findings {
    late: Cell<Duration>,
    dump: RefCell<Option<String>>,
}

impl Findings {
    /// The tester was late by so much.
    pub(super) fn was_late(&self, by: Duration) {
        self.late.set(self.late.get().max(by));
    }

    /// Has a device say what state it holds.
    pub(super) fn dump(&self, bench: &Bench, program: &Program, namespace: &Namespace) {
        let said = bench
            .profile
            .hooks
            .dump
            .as_ref()
            .map(|command| program.hook(namespace, command).unwrap_or_else(|error| format!("{error}\n")));
        let log = program.log();
        let text = format!("{}\nIts log:\n{log}", said.unwrap_or_default());
        *self.dump.borrow_mut() = Some(text.trim().to_owned());
    }
}

/// The devices of a case.
struct Reached {
    bench: Arc<Bench>,
    findings: Rc<Findings>,
}

impl Devices for Reached {
    fn timing(&self, pace: Pace) -> Timing {
        self.bench.profile.timing.at(pace)
    }

    fn networks(&self) -> Networks {
        self.bench.profile.networks()
    }

    fn device(&self, setup: &Setup) -> Result<Box<dyn Tester>, Unsupported> {
        self.bench.check(setup)?;
        let network = self.bench.network().map_err(Unsupported)?;
        Ok(Box::new(Device::start(&self.bench, &self.findings, network, setup)?))
    }

    fn speaks(&self, chapter: &str) -> bool {
        match &self.bench.profile.speaks {
            Some(spoken) => spoken.iter().any(|spoken| spoken == chapter),
            None => Engines::default().speaks(chapter),
        }
    }

    fn skips(&self, case: &Case) -> Option<String> {
        self.bench.profile.selects(case).err()
    }

    fn disturbance(&self) -> Option<String> {
        let late = self.findings.late.get();
        let slack = self.bench.profile.timing.at(Pace::Steady).slack;
        (late > slack).then(|| format!("the tester was late by {} ms", late.as_millis()))
    }

    fn take_dump(&self) -> Option<String> {
        self.findings.dump.take()
    }
}
