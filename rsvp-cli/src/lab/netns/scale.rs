//! Two hosts with many sessions between them: how soon all reservations stand, and what it costs to keep them, without
//! refresh reduction (RFC 2961) and with it.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::{Duration, Instant};

use rsvp_client::Client;
use rsvp_client::api::Counters;
use rsvp_netns::{Directory, InterfaceTraffic, Namespace};
use serde::Serialize;
use tokio::runtime::Runtime;

use super::DIRECTORIES;
use super::daemon::{ANSWER, Daemon};
use crate::lab::backend::Fault;
use crate::lab::interrupt::Interrupt;

const SENDER: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 1);
const RECEIVER: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 2);
const PREFIX_LENGTH: u8 = 24;
const INTERFACE: &str = "eth0";
/// The port of the first session; below are those that RSVP gives a meaning to.
const FIRST_PORT: u16 = 1024;
/// How often to look how many reservations stand.
const LOOK: Duration = Duration::from_millis(20);
/// How long all of them may take, beside the refreshes that mend what was lost.
const INSTALLATION: Duration = Duration::from_secs(120);

/// What to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    /// Sessions, each with one sender and one reservation.
    pub(crate) sessions: u16,
    /// R.
    pub(crate) refresh: Duration,
    /// How many refresh periods the steady state is measured for.
    pub(crate) periods: u32,
}

/// What was measured.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Measured {
    /// Whether refresh reduction was on.
    refresh_reduction: bool,
    /// Seconds from the start of the sender's daemon until half, 99 % and all of the reservations stood.
    installed_after: [f64; 3],
    /// The steady state.
    steady: Steady,
    /// Messages about states that were lost: states that timed out at either end.
    timeouts: u64,
    /// Reservations that stood at the end.
    standing: usize,
    /// What the daemons warned of at the end.
    warnings: Vec<String>,
}

/// What the steady state took in a second.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Steady {
    /// Seconds that it was measured for.
    seconds: f64,
    downstream_packets: f64,
    /// Link headers included.
    downstream_octets: f64,
    upstream_packets: f64,
    upstream_octets: f64,
    /// Milliseconds of one processor.
    sender_cpu: f64,
    receiver_cpu: f64,
}

/// A daemon on one of the two hosts.
struct Host {
    // Ends before its namespace.
    daemon: Daemon,
    namespace: Namespace,
}

/// What has been used up to a moment.
struct Reading {
    at: Instant,
    traffic: InterfaceTraffic,
    cpu: [Duration; 2],
}

/// Measures with refresh reduction or without it. `None` if it was interrupted.
///
/// # Errors
///
/// In words, why it cannot be measured.
pub(crate) fn measure(
    load: Load,
    refresh_reduction: bool,
    interrupt: &Interrupt,
) -> Result<Option<Measured>, Fault> {
    let directory =
        Directory::new(DIRECTORIES).map_err(|error| format!("cannot make a directory: {error}"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot start the event loop: {error}"))?;
    let [mut sender, mut receiver] = hosts(load, refresh_reduction, directory.path())?;
    receiver.daemon.start(&receiver.namespace, runtime.handle())?;
    let start = Instant::now();
    sender.daemon.start(&sender.namespace, runtime.handle())?;
    let Some(installed_after) = wait_for_all(load, &sender, &runtime, start, interrupt)? else {
        return Ok(None);
    };
    // A period more, so that what follows the installation is over.
    let before = Instant::now() + load.refresh;
    if interrupt.sleep_until(Some(before)) {
        return Ok(None);
    }
    let first = read(&sender, &receiver)?;
    if interrupt.sleep_until(Some(before + load.refresh * load.periods)) {
        return Ok(None);
    }
    let last = read(&sender, &receiver)?;
    let mut timeouts = 0;
    let mut warnings = Vec::new();
    for (host, name) in [(&sender, "sender"), (&receiver, "receiver")] {
        let (counters, status) =
            ask(host, &runtime, async |client| Ok((client.counters().await?, client.status().await?)))?;
        let Counters { path_timeouts, resv_timeouts, .. } = counters;
        timeouts += path_timeouts + resv_timeouts;
        warnings.extend(status.warnings.iter().map(|warning| format!("{name}: {warning}")));
    }
    let standing = standing(&sender, &runtime)?;
    for host in [&mut sender, &mut receiver] {
        host.daemon.stop()?;
    }
    Ok(Some(Measured {
        refresh_reduction,
        installed_after,
        steady: Steady::between(&first, &last),
        timeouts,
        standing,
        warnings,
    }))
}

/// Two hosts on one link, with daemons that are not running yet.
fn hosts(load: Load, refresh_reduction: bool, directory: &Path) -> Result<[Host; 2], Fault> {
    let in_words = |error: rsvp_netns::Error| error.to_string();
    let host = |name: &str, requests: String| -> Result<Host, Fault> {
        let configuration = |socket: &Path| common_configuration(load, refresh_reduction, socket) + &requests;
        let daemon = Daemon::configured(name, configuration, directory)?;
        Ok(Host { daemon, namespace: Namespace::new(name).map_err(in_words)? })
    };
    let sender = host("sender", senders(load.sessions))?;
    let receiver = host("receiver", reservations(load.sessions))?;
    sender.namespace.link(INTERFACE, &receiver.namespace, INTERFACE).map_err(in_words)?;
    for (host, address) in [(&sender, SENDER), (&receiver, RECEIVER)] {
        host.namespace.address(INTERFACE, IpAddr::V4(address), PREFIX_LENGTH).map_err(in_words)?;
    }
    Ok([sender, receiver])
}

fn common_configuration(load: Load, refresh_reduction: bool, socket: &Path) -> String {
    format!(
        "role = \"host\"\n\n[control]\nsocket = {socket:?}\n\n[defaults]\nrefresh-interval = \"{}ms\"\n\
         refresh-reduction = {refresh_reduction}\ntraffic-control = false\nbandwidth = {{ link = \"100Gbit\" }}\n",
        load.refresh.as_millis()
    )
}

fn ports(sessions: u16) -> impl Iterator<Item = u16> {
    (FIRST_PORT..=u16::MAX).take(sessions.into())
}

/// One for each session.
fn senders(sessions: u16) -> String {
    ports(sessions).fold(String::new(), |mut text, port| {
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "\n[[sender]]\ndestination = \"{RECEIVER}\"\nport = {port}\nsource = \"{SENDER}:{port}\"\nrate = \"64kbit\"\n"
        );
        text
    })
}

/// One for each session.
fn reservations(sessions: u16) -> String {
    ports(sessions).fold(String::new(), |mut text, port| {
        let _ = write!(
            text,
            "\n[[reservation]]\ndestination = \"{RECEIVER}\"\nport = {port}\nstyle = \"ff\"\n\
             senders = [\"{SENDER}:{port}\"]\nrate = \"64kbit\"\n"
        );
        text
    })
}

/// When half, 99 % and all of the reservations stood at the sender's; `None` if it was interrupted.
fn wait_for_all(
    load: Load,
    sender: &Host,
    runtime: &Runtime,
    start: Instant,
    interrupt: &Interrupt,
) -> Result<Option<[f64; 3]>, Fault> {
    let all = usize::from(load.sessions);
    let marks = [all.div_ceil(2), (all * 99).div_ceil(100), all];
    let mut reached = [None; 3];
    let limit = start + INSTALLATION + 2 * load.refresh;
    loop {
        let standing = standing(sender, runtime)?;
        let now = Instant::now();
        for (mark, reached) in marks.iter().zip(&mut reached) {
            if standing >= *mark && reached.is_none() {
                *reached = Some(now.duration_since(start).as_secs_f64());
            }
        }
        if let [Some(half), Some(most), Some(all)] = reached {
            return Ok(Some([half, most, all]));
        }
        if now > limit {
            return Err(format!("only {standing} of {all} reservations stand after {:.0?}", now - start));
        }
        if interrupt.sleep_until(Some(now + LOOK)) {
            return Ok(None);
        }
    }
}

/// How many reservations stand on the sender's interface.
fn standing(sender: &Host, runtime: &Runtime) -> Result<usize, Fault> {
    let interfaces = ask(sender, runtime, async |client| client.interfaces().await)?;
    Ok(interfaces.iter().map(|interface| interface.reservations).sum())
}

fn ask<T>(
    host: &Host,
    runtime: &Runtime,
    question: impl AsyncFnOnce(Client) -> Result<T, rsvp_client::Error>,
) -> Result<T, Fault> {
    let socket = host.daemon.socket();
    let answer = async { question(Client::connect(socket).await?).await };
    match runtime.block_on(async { tokio::time::timeout(ANSWER, answer).await }) {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err("a daemon does not answer".to_owned()),
    }
}

fn read(sender: &Host, receiver: &Host) -> Result<Reading, Fault> {
    Ok(Reading {
        at: Instant::now(),
        traffic: sender.namespace.traffic(INTERFACE).map_err(|error| error.to_string())?,
        cpu: [sender.daemon.cpu_time()?, receiver.daemon.cpu_time()?],
    })
}

impl Steady {
    fn between(first: &Reading, last: &Reading) -> Self {
        let seconds = last.at.duration_since(first.at).as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "for display")]
        let rate = |of: fn(&InterfaceTraffic) -> u64| {
            of(&last.traffic).saturating_sub(of(&first.traffic)) as f64 / seconds
        };
        let cpu =
            |host: usize| last.cpu[host].saturating_sub(first.cpu[host]).as_secs_f64() * 1000.0 / seconds;
        Self {
            seconds,
            downstream_packets: rate(|traffic| traffic.sent_packets),
            downstream_octets: rate(|traffic| traffic.sent_octets),
            upstream_packets: rate(|traffic| traffic.received_packets),
            upstream_octets: rate(|traffic| traffic.received_octets),
            sender_cpu: cpu(0),
            receiver_cpu: cpu(1),
        }
    }
}

/// A line of the table: what it is, and where it is found.
type Row = (&'static str, fn(&Measured) -> f64);

const ROWS: [Row; 9] = [
    ("half of the reservations stand after, s", |it| it.installed_after[0]),
    ("99 % of them", |it| it.installed_after[1]),
    ("all of them", |it| it.installed_after[2]),
    ("then in a second: packets downstream", |it| it.steady.downstream_packets),
    ("octets downstream", |it| it.steady.downstream_octets),
    ("packets upstream", |it| it.steady.upstream_packets),
    ("octets upstream", |it| it.steady.upstream_octets),
    ("processor time of the sender's daemon, ms", |it| it.steady.sender_cpu),
    ("processor time of the receiver's daemon, ms", |it| it.steady.receiver_cpu),
];

/// What `--json` prints.
pub(crate) fn json(load: Load, runs: &[Measured]) -> String {
    let document = serde_json::json!({
        "sessions": load.sessions,
        "refresh-interval": load.refresh.as_secs_f64(),
        "runs": runs,
    });
    format!("{document:#}\n")
}

/// The runs side by side.
pub(crate) fn table(load: Load, runs: &[Measured]) -> String {
    let Load { sessions, refresh, periods } = load;
    let mut text =
        format!("{sessions} sessions, R = {refresh:?}, steady state measured for {periods} periods\n");
    let heads = runs.iter().map(|run| if run.refresh_reduction { "RFC 2961" } else { "RFC 2205" });
    text.push_str(&line("", heads.map(str::to_owned)));
    for (what, figure) in ROWS {
        text.push_str(&line(what, runs.iter().map(|run| format!("{:.2}", figure(run)))));
    }
    text.push_str(&line("states that timed out", runs.iter().map(|run| run.timeouts.to_string())));
    text.push_str(&line("reservations at the end", runs.iter().map(|run| run.standing.to_string())));
    for warning in runs.iter().flat_map(|run| &run.warnings) {
        let _ = writeln!(text, "{warning}");
    }
    text
}

fn line(what: &str, cells: impl Iterator<Item = String>) -> String {
    let cells: String = cells.map(|cell| format!("{cell:>14}")).collect();
    format!("{what:<44}{cells}\n")
}

impl Measured {
    /// Whether all reservations stood to the end.
    pub(crate) fn is_sound(&self, load: Load) -> bool {
        self.timeouts == 0 && self.standing == usize::from(load.sessions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn the_daemons_understand_their_configurations() {
        let load = Load { sessions: 3, refresh: Duration::from_secs(7), periods: 1 };
        for refresh_reduction in [false, true] {
            let common = common_configuration(load, refresh_reduction, Path::new("/tmp/x.sock"));
            for (requests, counts) in [(senders(3), (3, 0)), (reservations(3), (0, 3))] {
                let config = Config::parse(&(common.clone() + &requests), Path::new("x.toml"))
                    .unwrap_or_else(|error| panic!("{error}"));
                assert_eq!((config.senders.len(), config.reservations.len()), counts);
                let interface = config.node.interface(INTERFACE);
                assert_eq!(interface.refresh, load.refresh);
                assert_eq!(interface.reduction.is_capable(), refresh_reduction);
            }
        }
    }
}
