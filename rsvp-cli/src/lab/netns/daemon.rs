//! The daemon of a node: its configuration, its process, and what it says.

use std::fmt::Write;
use std::fs::{self, File};
use std::net::IpAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use rsvp_client::Client;
use rsvp_client::api::{EventRecord, Happening};
use rsvp_netns::{Namespace, Process};
use tokio::runtime::Handle;

use crate::lab::backend::{Fault, StateChange, Subject};
use crate::lab::model::{NodeIndex, NodeKind, Scenario};
use crate::lab::scenario::{StateKind, UdpUse};

/// How long a daemon may take to answer on its control socket after its start.
const START: Duration = Duration::from_secs(10);
/// How long it may take to end after SIGTERM.
const STOP: Duration = Duration::from_secs(10);
/// How long it may take to answer a question.
pub(crate) const ANSWER: Duration = Duration::from_secs(3);

/// A daemon.
#[derive(Debug)]
pub(crate) struct Daemon {
    name: String,
    config: PathBuf,
    socket: PathBuf,
    log: PathBuf,
    process: Option<Process>,
}

/// Where the changes of all nodes go.
#[derive(Clone, Debug)]
pub(crate) struct Changes {
    pub(crate) start: Instant,
    pub(crate) sink: Sender<StateChange>,
}

impl Daemon {
    /// Writes its configuration.
    pub(crate) fn new(scenario: &Scenario, node: NodeIndex, directory: &Path) -> Result<Self, Fault> {
        let configuration = |socket: &Path| configuration(scenario, node, socket);
        Self::configured(&scenario.nodes[node].name, configuration, directory)
    }

    /// Writes the configuration that is made for its control socket.
    pub(crate) fn configured(
        name: &str,
        configuration: impl FnOnce(&Path) -> String,
        directory: &Path,
    ) -> Result<Self, Fault> {
        let [config, socket, log] =
            ["toml", "sock", "log"].map(|suffix| directory.join(format!("{name}.{suffix}")));
        let text = configuration(&socket);
        fs::write(&config, text).map_err(|error| format!("cannot write {}: {error}", config.display()))?;
        Ok(Self { name: name.to_owned(), config, socket, log, process: None })
    }

    /// Starts it; it answers when this returns.
    pub(crate) fn start(&mut self, namespace: &Namespace, runtime: &Handle) -> Result<(), Fault> {
        // A socket that a killed daemon left behind would look like an answer to come.
        let _ = fs::remove_file(&self.socket);
        let log = File::options().create(true).append(true).open(&self.log);
        let log = log.map_err(|error| format!("cannot write {}: {error}", self.log.display()))?;
        let errors =
            log.try_clone().map_err(|error| format!("cannot write {}: {error}", self.log.display()))?;
        let mut command = Command::new("/proc/self/exe");
        command.arg0("rsvp-cli").arg("daemon").arg("--config").arg(&self.config);
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        // Ctrl-C is for the lab, which ends its daemons in order.
        command.process_group(0);
        let mut process = namespace.spawn(&mut command).map_err(|error| error.to_string())?;
        let end = Instant::now() + START;
        while runtime.block_on(Client::connect(&self.socket)).is_err() {
            let ended = process.status().map_err(|error| error.to_string())?;
            if let Some(status) = ended {
                return Err(format!(
                    "the daemon of {} ended with {status}: {}",
                    self.name,
                    self.last_words()
                ));
            }
            if Instant::now() > end {
                return Err(format!("the daemon of {} does not answer: {}", self.name, self.last_words()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.process = Some(process);
        Ok(())
    }

    fn last_words(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        text.lines().last().unwrap_or("it said nothing").to_owned()
    }

    /// Its control socket.
    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// The processor time that it has used so far.
    pub(crate) fn cpu_time(&self) -> Result<Duration, Fault> {
        let used = self.process()?.cpu_time();
        used.map_err(|error| format!("cannot read the processor time of {}: {error}", self.name))
    }

    fn process(&self) -> Result<&Process, Fault> {
        self.process.as_ref().ok_or_else(|| format!("the daemon of {} does not run", self.name))
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: nix::sys::signal::Signal) -> Result<(), Fault> {
        self.process()?
            .signal(signal)
            .map_err(|error| format!("cannot send {signal} to {}: {error}", self.name))
    }

    /// Kills it (SIGKILL).
    pub(crate) fn kill(&mut self) -> Result<(), Fault> {
        let process = self.process.take();
        let mut process = process.ok_or_else(|| format!("the daemon of {} does not run", self.name))?;
        process.kill().map_err(|error| format!("cannot kill the daemon of {}: {error}", self.name))
    }

    /// Ends it (SIGTERM); whether there was one to end, or in words that it did not end well.
    pub(crate) fn stop(&mut self) -> Result<bool, String> {
        let Some(mut process) = self.process.take() else { return Ok(false) };
        match process.terminate(STOP) {
            Ok(Some(status)) if status.success() => Ok(true),
            Ok(Some(status)) => Err(format!("{}: ended with {status}: {}", self.name, self.last_words())),
            Ok(None) => Err(format!("{}: did not end within {} s of SIGTERM", self.name, STOP.as_secs())),
            Err(error) => Err(format!("{}: {error}", self.name)),
        }
    }

    /// Lets its events go to `changes` until it ends.
    pub(crate) fn watch(&self, scenario: &Scenario, node: NodeIndex, changes: &Changes, runtime: &Handle) {
        let (socket, changes) = (self.socket.clone(), changes.clone());
        let flows: Vec<_> =
            scenario.flows.iter().map(|flow| (flow.destination, flow.port, flow.source)).collect();
        let task = async move {
            let mut events = Client::connect(socket).await?.monitor().await?;
            while let Some(record) = events.next().await? {
                let change = state_change(record, &flows, node, changes.start.elapsed());
                if changes.sink.send(change).is_err() {
                    break;
                }
            }
            Ok::<(), rsvp_client::Error>(())
        };
        // A daemon that is killed ends its stream; that is the scenario's doing, and no news.
        runtime.spawn(async move { task.await.unwrap_or(()) });
    }
}

/// A flow's destination, port and source.
type FlowKey = (IpAddr, u16, IpAddr);

fn state_change(record: EventRecord, flows: &[FlowKey], node: NodeIndex, at: Duration) -> StateChange {
    let senders = match &record.happening {
        Happening::State { senders, .. } => &senders[..],
        _ => &[],
    };
    let concerns = |(destination, port, source): &FlowKey| {
        record
            .session
            .is_some_and(|session| (session.destination, session.destination_port) == (*destination, *port))
            && (senders.is_empty() || senders.iter().any(|sender| sender.source == *source))
    };
    let concerned = flows.iter().enumerate().filter(|(_, flow)| concerns(flow)).map(|(index, _)| index);
    let other = StateChange {
        at,
        node,
        subject: Subject::Other,
        flows: concerned.collect(),
        interface: None,
        neighbor: None,
        change: "",
        cause: String::new(),
        expired: false,
    };
    match record.happening {
        Happening::State { subject, change, cause, interface, neighbor, .. } => StateChange {
            subject: match subject.as_str() {
                "path" => Subject::State(StateKind::Path),
                "reservation" => Subject::State(StateKind::Reservation),
                "installation" => Subject::Installation,
                _ => Subject::Other,
            },
            interface,
            neighbor,
            change: ["created", "modified", "refused", "removed"]
                .into_iter()
                .find(|known| *known == change)
                .unwrap_or("changed"),
            expired: cause.kind == "expired" && change == "removed",
            cause: cause.text,
            ..other
        },
        Happening::Lost { count } => StateChange { subject: Subject::Lost(count), ..other },
        _ => other,
    }
}

/// The configuration file of a node's daemon.
fn configuration(scenario: &Scenario, node: NodeIndex, socket: &Path) -> String {
    let role = if scenario.nodes[node].kind.forwards() { "router" } else { "host" };
    let timers = &scenario.timers;
    let raw = if scenario.nodes[node].kind == NodeKind::UdpHost { "udp-only = {}\n" } else { "" };
    let mut text = format!(
        "role = \"{role}\"\n{raw}\n[control]\nsocket = {socket:?}\n\n[defaults]\nrefresh-interval = \"{}ms\"\n\
         refresh-misses = {}\nblockade-multiple = {}\nrepair-delay = \"{}ms\"\nrefresh-reduction = {}\n",
        timers.refresh.0.as_millis(),
        timers.refresh_multiple,
        timers.blockade_multiple,
        timers.repair_delay.0.as_millis(),
        scenario.nodes[node].refresh_reduction,
    );
    for interface in &scenario.nodes[node].interfaces {
        let link = &scenario.links[interface.link];
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "\n[interface.{:?}]\nbandwidth = {{ link = \"{}bit\", total = \"{}bit\", per-flow = \"{}bit\" }}\n\
             udp-encapsulation = \"{}\"\n",
            interface.name,
            link.rate,
            link.reservable,
            link.reservable_per_flow,
            match link.udp_encapsulation {
                UdpUse::Learn => "learn",
                UdpUse::Always => "always",
                UdpUse::Never => "never",
            }
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use rsvp_core::config::{ReductionConfig, UdpEncapsulation};

    use super::*;

    #[test]
    fn the_daemon_understands_its_configuration() {
        let scenario = crate::lab::resolve::parse(
            r#"
            title = "two nodes"
            duration = "2s"
            hosts = ["a"]
            routers = ["r"]
            udp-hosts = ["u"]
            without-refresh-reduction = ["u"]
            rsvp = { refresh = "1500ms", refresh-multiple = 2, blockade-multiple = 5, repair-delay = "250ms" }
            links = [{ ends = ["a", "r"], rate = "10Mbit", reservable = "6Mbit", reservable-per-flow = "5Mbit" },
                { ends = ["u", "r"], rate = "10Mbit", udp-encapsulation = "always" }]
            "#,
        )
        .expect("a scenario");
        let text = configuration(&scenario, 2, Path::new("/tmp/x/r.sock"));
        let config = crate::config::Config::parse(&text, Path::new("r.toml"))
            .unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert!(config.node.router);
        let interface = config.node.interface("to-a");
        assert_eq!(interface.refresh, Duration::from_millis(1500));
        assert_eq!((interface.refresh_multiple, interface.blockade_multiple), (2, 5));
        assert_eq!(interface.repair_delay, Duration::from_millis(250));
        let bandwidth = interface.bandwidth.expect("a pool");
        assert_eq!((bandwidth.link, bandwidth.total, bandwidth.per_flow), (1_250_000, 750_000, 625_000));
        assert_eq!(interface.udp_encapsulation, UdpEncapsulation::Learn);
        assert_eq!(config.node.interface("to-u").udp_encapsulation, UdpEncapsulation::Always);
        assert!(config.node.hu().is_none());
        assert_eq!(config.node.interface("to-u").reduction, ReductionConfig::default());
        let text = configuration(&scenario, 1, Path::new("/tmp/x/u.sock"));
        let config = crate::config::Config::parse(&text, Path::new("u.toml"));
        let config = config.unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert!(config.node.hu().is_some());
        assert_eq!(config.node.interface("to-r").reduction, ReductionConfig::off());
    }
}
