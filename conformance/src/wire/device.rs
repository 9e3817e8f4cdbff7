//! The tester of a device that is reached over packets.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::panic::panic_any;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant as Clock, SystemTime};

use rsvp_core::Instant;
use rsvp_core::input::Route;

use super::applications::{self, Values};
use super::bench::{Bench, Findings};
use super::hooks::fill;
use super::leftovers::Leftovers;
use super::medium::check_next_hop;
use super::network::Network;
use super::operations;
use super::profile::LinkKind;
use super::program::Program;
use crate::bench::{
    Action, BURST, InProcess, Pace, Packet, Plan, Port, Sent, Setup, Station, Tester, Unsupported, routes,
};
use crate::case::Inconclusive;

/// What a case has changed by hooks.
#[derive(Default)]
struct Changed {
    routes: BTreeSet<IpAddr>,
    down: BTreeSet<Port>,
}

/// A device, with the network that it is in. When it is dropped the network is free for the next.
pub(super) struct Device {
    bench: Arc<Bench>,
    findings: Rc<Findings>,
    plan: Plan,
    setup: Setup,
    /// In the order in which they have to go.
    program: Program,
    network: Option<Network>,
    /// What was changed of a device that is there anyway, and has to be put back.
    changed: Changed,
    /// What stations have made in a device that cannot be told to forget it.
    left: Option<Leftovers>,
    started: Clock,
    /// The same, since the Unix epoch.
    epoch: Duration,
}

impl Device {
    /// Starts a device in a network.
    ///
    /// # Errors
    ///
    /// It cannot be had like that.
    pub(super) fn start(
        bench: &Arc<Bench>,
        findings: &Rc<Findings>,
        mut network: Network,
        setup: &Setup,
    ) -> Result<Self, Unsupported> {
        let program = match Self::prepare(bench, &mut network, setup) {
            Ok(program) => program,
            Err(unsupported) => {
                bench.give_back(network);
                return Err(unsupported);
            }
        };
        let epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Ok(Self {
            bench: Arc::clone(bench),
            findings: Rc::clone(findings),
            plan: bench.profile().networks().plan(setup.family),
            setup: setup.clone(),
            program,
            network: Some(network),
            changed: Changed::default(),
            left: bench.profile().remembers().then(Leftovers::default),
            started: Clock::now(),
            epoch,
        })
    }

    /// Puts the network in order, and a device into it.
    fn prepare(bench: &Arc<Bench>, network: &mut Network, setup: &Setup) -> Result<Program, Unsupported> {
        let plan = bench.profile().networks().plan(setup.family);
        let failed = |error: rsvp_netns::Error| Unsupported(error.to_string());
        network.restore().and_then(|()| network.set_role(setup.config.router)).map_err(failed)?;
        let directory = bench.directory(network);
        let program = Program::start(bench.profile(), &directory, &network.device, setup)?;
        let unreadable = |error| Unsupported(format!("cannot listen: {error}"));
        network.links.reset().map_err(unreadable)?;
        network.links.find(plan).map_err(|(port, error)| {
            let address = plan.dut(port);
            Unsupported(format!("the device does not answer for {address} on {}: {error}", port.name()))
        })?;
        // What the device before had left with the kernel until somebody would answer for a station has come now.
        network.links.drain().map_err(unreadable)?;
        Ok(program)
    }

    fn network(&mut self) -> &mut Network {
        self.network.as_mut().expect("it is given back only when this is dropped")
    }

    fn act_by_hand(&mut self, action: &Action) -> Result<(), Unsupported> {
        if let Some(either) = applications::roles(action) {
            self.bench.profile().works_as(either)?;
        }
        let hooks = &self.bench.profile().hooks;
        if self.bench.profile().interfaces.is_some() {
            match action {
                Action::Link(port, up) => {
                    self.operate(&hooks.link, "link", &operations::link(*port, *up))?;
                    if *up {
                        self.changed.down.remove(port)
                    } else {
                        self.changed.down.insert(*port)
                    };
                    return Ok(());
                }
                Action::Restart if hooks.start.is_none() => {
                    return self.operate(&hooks.restart, "restart", &Vec::new());
                }
                Action::Shutdown if hooks.start.is_none() => {
                    return Err(Unsupported(format!("the device is there anyway: {action} cannot be done")));
                }
                _ => {}
            }
        }
        let Self { bench, program, network, setup, .. } = self;
        let network = network.as_mut().expect("it is given back only when this is dropped");
        match action {
            Action::Link(port, up) => network.set_link(*port, *up),
            Action::Restart => {
                program.kill();
                program.run(bench.profile(), &network.device)
            }
            Action::Shutdown => program.terminate(),
            Action::Configure(config) => {
                let setup = Setup { config: (**config).clone(), family: setup.family };
                bench.check(&setup)?;
                program.configure(bench.profile(), &network.device, &setup)
            }
            _ => match applications::hook(&bench.profile().hooks, action) {
                Some(hook) => {
                    let (command, values) = hook?;
                    program.hook(&network.device, &fill(command, &values)).map(|_| ()).map_err(Unsupported)
                }
                None => Err(Unsupported(format!("nothing makes that {action}"))),
            },
        }
    }
}

/// What the operator of a device that is there anyway does.
impl Device {
    /// Runs a hook.
    fn operate(&self, hook: &Option<String>, name: &str, values: &Values) -> Result<(), Unsupported> {
        let Some(command) = hook else {
            return Err(Unsupported(format!(
                "the device is there anyway, and the profile has no hooks.{name}"
            )));
        };
        let network = self.network.as_ref().expect("it is given back only when this is dropped");
        self.program.hook(&network.device, &fill(command, values)).map(|_| ()).map_err(Unsupported)
    }

    fn route_by_hook(
        &self,
        destination: IpAddr,
        source: Option<IpAddr>,
        route: &Route,
    ) -> Result<(), Unsupported> {
        let values = operations::route(destination, source, route)
            .map_err(|what| Unsupported(format!("no hook can be told {what}")))?;
        self.operate(&self.bench.profile().hooks.route, "route", &values)
    }

    /// Puts back what a case has changed. A hook that fails now is no fault of the case; the next one finds the device as it
    /// is.
    fn put_back(&mut self) {
        let Changed { routes: changed, down } = std::mem::take(&mut self.changed);
        for port in down {
            let _ = self.operate(&self.bench.profile().hooks.link, "link", &operations::link(port, true));
        }
        let planned = routes(self.plan);
        for destination in changed {
            let route = planned.get(&(destination, None)).cloned().unwrap_or_default();
            let _ = self.route_by_hook(destination, None, &route);
        }
    }

    /// Has the stations tear down what they have left at a device that would remember it. What goes wrong now is no fault
    /// of the case.
    fn tear_down(&mut self) {
        let tears = self.left.as_mut().map(Leftovers::take).unwrap_or_default();
        let (plan, at_once) = (self.plan, self.bench.profile().timing.at(Pace::Steady).at_once);
        for some in tears.chunks(BURST) {
            let links = &mut self.network().links;
            for (from, packet) in some {
                let _ = links.send(plan, *from, packet);
            }
            // What the device sends upon it is nothing that a case asks for.
            let _ = links.listen(plan, Clock::now() + at_once);
        }
    }
}

impl Tester for Device {
    fn now(&self) -> Instant {
        Instant::ZERO + self.started.elapsed()
    }

    /// # Panics
    ///
    /// With [`Unsupported`], when there is no way to send that, and with [`Inconclusive`], when it cannot be sent now.
    fn send(&mut self, from: Station, packet: &Packet) {
        let plan = self.plan;
        if let Some(left) = &mut self.left {
            left.note(from, packet);
        }
        if let Err(error) = self.network().links.send(plan, from, packet) {
            if error.kind() == std::io::ErrorKind::Unsupported {
                panic_any(Unsupported(error.to_string()));
            }
            panic_any(Inconclusive(format!("cannot send from {from:?}: {error}")));
        }
    }

    /// # Panics
    ///
    /// When the device has ended by itself; with [`Inconclusive`], when nothing can be heard.
    fn advance(&mut self, time: Duration) -> Vec<Sent> {
        let (plan, epoch) = (self.plan, self.epoch);
        let end = Clock::now() + time;
        let (arrived, late) = match self.network().links.listen(plan, end) {
            Ok(heard) => heard,
            Err(error) => panic_any(Inconclusive(format!("cannot listen: {error}"))),
        };
        self.findings.was_late(late);
        if let Some(words) = self.program.death() {
            panic!("expected a device that goes on, not one that ends: {words}");
        }
        let sent = |arrived: super::links::Arrived| Sent {
            at: Instant::ZERO + arrived.time.saturating_sub(epoch),
            port: arrived.port,
            next_hop: arrived.next_hop,
            packet: arrived.packet,
            bundle: None,
        };
        arrived.into_iter().map(sent).collect()
    }

    fn set_route(
        &mut self,
        destination: IpAddr,
        source: Option<IpAddr>,
        route: Route,
    ) -> Result<(), Unsupported> {
        if self.bench.profile().link == LinkKind::Raw {
            route.outgoing.iter().try_for_each(|hop| check_next_hop(self.plan, hop.gateway))?;
            if destination.is_multicast() && destination != self.plan.g().destination() {
                return Err(Unsupported("link = \"raw\" hears one group".to_owned()));
            }
        }
        if self.bench.profile().interfaces.is_some() {
            self.route_by_hook(destination, source, &route)?;
            self.changed.routes.insert(destination);
            return Ok(());
        }
        self.network().set_route(destination, source, &route)
    }

    fn act(&mut self, action: &Action) -> Result<(), Unsupported> {
        self.act_by_hand(action)
    }

    fn inside(&mut self) -> Option<&mut InProcess> {
        None
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(network) = &self.network
        {
            self.findings.dump(&self.bench, &self.program, &network.device);
        }
        self.put_back();
        self.tear_down();
        self.program.kill();
        if let Some(network) = self.network.take() {
            self.bench.give_back(network);
        }
    }
}
