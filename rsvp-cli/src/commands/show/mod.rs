//! `show`: the daemon's state, as tables or as JSON.

mod counters;
mod neighbors;

use std::io::{self, IsTerminal};
use std::net::IpAddr;
use std::time::Duration;

use rsvp_client::Client;
use rsvp_client::api::{
    Application, EventRecord, Filter, FlowDescriptor, Flowspec, InstalledView, InterfaceView, Next,
    RefusalView, RequestView, ReservationView, SenderTspec, SenderView, SessionView, Since, StateHistory,
    Status, Style,
};
use tokio::time::MissedTickBehavior;

pub(crate) use self::counters::counters;
use self::neighbors::Neighbors;
pub(crate) use self::neighbors::table as neighbors;
use super::hold::interrupted;
use super::table::{Table, span};
use super::{Failure, SocketArgs, WRONG_COMMAND, block_on, print};
use crate::request::bits;
use crate::units::{format_rate, parse_duration};

/// What can be shown.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum What {
    /// Sessions, with the counts of their state.
    Sessions,
    /// Path state (PSBs): who sends what, from where to where.
    Senders,
    /// Reservations that next hops and local receivers asked for (RSBs).
    Reservations,
    /// What this node asks of previous hops.
    Requests,
    /// What was refused here lately, and why.
    Refusals,
    /// Reservations in traffic control (TCSBs).
    Installed,
    /// Interfaces with their bandwidth pools and settings.
    Interfaces,
    /// Neighbours, and how refresh reduction is used with each.
    #[value(alias = "neighbours")]
    Neighbors,
    /// Messages, packets, refresh reduction, drops by reason, timeouts.
    Counters,
    /// The last events that the daemon remembers.
    Events,
    /// What applications and the configuration have asked of the daemon.
    Applications,
    /// The daemon itself, and what does not work as wished.
    Status,
}

/// Arguments of `show`.
#[derive(clap::Args)]
#[command(after_help = "\
Every state shows what happened to it last and why, and what comes next: LAST is the last event and how long ago it \
was, CAUSE is why the state is as it is, NEXT is what happens when, if nothing else does. With --json the same is \
printed as a document whose form is stable (docs/json.md); rates are then in bits per second.

Examples:
  rsvp-cli show sessions
  rsvp-cli show neighbors 192.0.2.1
  rsvp-cli show reservations --json | jq '.[] | select(.admitted | not)'
  rsvp-cli show interfaces --watch=1")]
pub(crate) struct Args {
    /// What to show.
    #[arg(value_enum)]
    what: What,
    /// Of neighbors: only the one with this address, with all that is known of it.
    address: Option<IpAddr>,
    /// Of neighbors: all that is known of each.
    #[arg(long)]
    detail: bool,
    /// Print JSON; with --watch one document a line.
    #[arg(long)]
    json: bool,
    /// Show it again every so often, in its place on a terminal, until Ctrl-C [default: every 2 seconds].
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "2",
        value_parser = parse_period)]
    watch: Option<Duration>,
    #[command(flatten)]
    socket: SocketArgs,
}

/// A time span that leaves the daemon time for other things.
fn parse_period(text: &str) -> Result<Duration, String> {
    let period = parse_duration(text)?;
    if period < Duration::from_millis(100) {
        return Err("it must be at least 0.1 seconds".to_owned());
    }
    Ok(period)
}

/// Runs `show`.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    if args.what != What::Neighbors && (args.detail || args.address.is_some()) {
        return Err(Failure::new(WRONG_COMMAND, "an address and --detail go with `show neighbors` only"));
    }
    block_on(async {
        let client = args.socket.connect().await?;
        match args.watch {
            Some(period) => watch(&client, args, period).await,
            None => {
                let form = if args.json { Form::Json } else { Form::Table };
                print(&render(&client, args, form).await?)?;
                Ok(())
            }
        }
    })
}

/// Shows it again and again, until the command is asked to end or the daemon goes away.
async fn watch(client: &Client, args: &Args, period: Duration) -> Result<(), Failure> {
    let json = args.json;
    let is_terminal = !json && io::stdout().is_terminal();
    let mut times = tokio::time::interval(period);
    times.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let end = interrupted();
    tokio::pin!(end);
    loop {
        tokio::select! {
            result = &mut end => return Ok(result?),
            _ = times.tick() => {}
        }
        let text = render(client, args, if json { Form::JsonLine } else { Form::Table }).await?;
        if is_terminal {
            print(&redraw(&text))?;
        } else if json {
            print(&text)?;
        } else {
            print(&format!("{text}\n"))?;
        }
    }
}

/// Puts a text in the place of what the terminal shows: from the top, each line to its end, and nothing below. Nothing is
/// cleared first, so nothing flickers.
fn redraw(text: &str) -> String {
    const HOME: &str = "\x1b[H";
    const CLEAR_LINE: &str = "\x1b[K";
    const CLEAR_BELOW: &str = "\x1b[J";
    let lines: String = text.lines().map(|line| format!("{line}{CLEAR_LINE}\n")).collect();
    format!("{HOME}{lines}{CLEAR_BELOW}")
}

/// How a state is printed.
#[derive(Clone, Copy)]
enum Form {
    /// For people.
    Table,
    /// A document for people who read JSON.
    Json,
    /// A document on one line.
    JsonLine,
}

async fn render(client: &Client, args: &Args, form: Form) -> Result<String, Failure> {
    match args.what {
        What::Sessions => form.print(&client.sessions().await?, |v| sessions(v)),
        What::Senders => form.print(&client.senders().await?, |v| senders(v)),
        What::Reservations => form.print(&client.reservations().await?, |v| reservations(v)),
        What::Requests => form.print(&client.requests().await?, |v| requests(v)),
        What::Refusals => form.print(&client.refusals().await?, |v| refusals(v)),
        What::Installed => form.print(&client.installed().await?, |v| installed(v)),
        What::Interfaces => form.print(&client.interfaces().await?, |v| interfaces(v)),
        What::Neighbors => {
            let wanted = Neighbors { address: args.address, detail: args.detail };
            form.print(&wanted.pick(client.neighbors().await?)?, |v| wanted.text(v))
        }
        What::Counters => form.print(&client.counters().await?, counters),
        What::Events => form.print(&client.events().await?, |v| events(v)),
        What::Applications => form.print(&client.applications().await?, |v| applications(v)),
        What::Status => form.print(&client.status().await?, status),
    }
}

impl Form {
    fn print<T: serde::Serialize>(self, state: &T, table: impl Fn(&T) -> String) -> Result<String, Failure> {
        let document = match self {
            Self::Table => return Ok(table(state)),
            Self::Json => serde_json::to_string_pretty(state),
            Self::JsonLine => serde_json::to_string(state),
        };
        Ok(document.map_err(io::Error::other)? + "\n")
    }
}

/// A table of sessions.
pub(crate) fn sessions(views: &[SessionView]) -> String {
    let mut table = Table::new(&[
        "SESSION", "STATUS", "STYLE", "PSBS", "RSBS", "TCSBS", "LOCAL", "APPS", "LAST", "CAUSE", "NEXT",
    ]);
    for view in views {
        let history = view.history.as_ref();
        table.row([
            view.session.to_string(),
            view.session_status.clone(),
            view.style.as_ref().map(Style::to_string).unwrap_or_default(),
            view.psbs.to_string(),
            view.rsbs.to_string(),
            view.tcsbs.to_string(),
            yes_no(view.local),
            join(view.applications.iter()),
            history.map(last).unwrap_or_default(),
            history.map(|history| history.cause.text.clone()).unwrap_or_default(),
            next(view.next.as_ref()),
        ]);
    }
    table.render("no sessions")
}

/// A table of senders.
pub(crate) fn senders(views: &[SenderView]) -> String {
    let mut table = Table::new(&[
        "SESSION",
        "SENDER",
        "RATE",
        "BUCKET",
        "PREVIOUS HOP",
        "IN",
        "OUT",
        "HOPS",
        "LAST",
        "CAUSE",
        "NEXT",
    ]);
    for view in views {
        let (rate, bucket) = match &view.tspec {
            SenderTspec::TokenBucket(tspec) | SenderTspec::TokenBucketOrNull { tspec, .. } => {
                (format_rate(tspec.average_rate), format!("{} B", tspec.size))
            }
            SenderTspec::Null { .. } => ("null service".to_owned(), String::new()),
            _ => ("opaque".to_owned(), String::new()),
        };
        let hop = view.previous_hop.map(|hop| hop.address.to_string());
        let non_rsvp = if view.non_rsvp { " (non-RSVP hop)" } else { "" };
        table.row([
            view.session.to_string(),
            view.sender.to_string(),
            rate,
            bucket,
            hop.map_or_else(|| "local".to_owned(), |hop| format!("{hop}{non_rsvp}")),
            view.incoming_interface.clone().unwrap_or_default(),
            if view.local { "local".to_owned() } else { join(view.outgoing_interfaces.iter()) },
            view.adspec.as_ref().map(hops).unwrap_or_default(),
            last(&view.history),
            view.history.cause.text.clone(),
            next(view.next.as_ref()),
        ]);
    }
    table.render("no senders")
}

fn hops(adspec: &rsvp_client::api::Adspec) -> String {
    let broken = if adspec.broken { " (broken)" } else { "" };
    format!("{}{broken}", adspec.is_hops)
}

/// A table of reservations.
pub(crate) fn reservations(views: &[ReservationView]) -> String {
    let mut table = Table::new(&[
        "SESSION", "STYLE", "SENDERS", "SERVICE", "RATE", "NEXT HOP", "OUT", "STATE", "LAST", "CAUSE", "NEXT",
    ]);
    for view in views {
        let state = match &view.refused {
            _ if view.admitted && view.refused.is_none() => "admitted".to_owned(),
            Some(cause) => format!("refused: {}", cause.text),
            None => "pending".to_owned(),
        };
        table.row([
            view.session.to_string(),
            view.style.to_string(),
            filters(&view.senders),
            service(&view.flowspec).to_owned(),
            rate(&view.flowspec),
            view.next_hop.map_or_else(|| "local".to_owned(), |hop| hop.to_string()),
            view.interface.clone().unwrap_or_default(),
            state,
            last(&view.history),
            view.history.cause.text.clone(),
            next(view.next.as_ref()),
        ]);
    }
    table.render("no reservations")
}

/// A table of what is asked of previous hops.
pub(crate) fn requests(views: &[RequestView]) -> String {
    let mut table = Table::new(&[
        "SESSION",
        "PREVIOUS HOP",
        "IN",
        "STYLE",
        "FLOWS",
        "BLOCKADED",
        "LAST",
        "CAUSE",
        "NEXT",
    ]);
    for view in views {
        table.row([
            view.session.to_string(),
            view.previous_hop.to_string(),
            view.interface.clone(),
            view.style.to_string(),
            view.flows.iter().map(flow).collect::<Vec<_>>().join("; "),
            yes_no(view.blockaded),
            last(&view.history),
            view.history.cause.text.clone(),
            next(view.next.as_ref()),
        ]);
    }
    table.render("no requests")
}

/// A table of what was refused.
pub(crate) fn refusals(views: &[RefusalView]) -> String {
    let mut table = Table::new(&[
        "SESSION",
        "WHAT",
        "SENDERS",
        "STYLE",
        "NEIGHBOR",
        "INTERFACE",
        "TIMES",
        "LAST",
        "CAUSE",
        "NEXT",
    ]);
    for view in views {
        table.row([
            view.session.to_string(),
            view.subject.clone(),
            filters(&view.senders),
            view.style.as_ref().map(Style::to_string).unwrap_or_default(),
            view.neighbor.map(|neighbor| neighbor.to_string()).unwrap_or_default(),
            view.interface.clone().unwrap_or_default(),
            view.count.to_string(),
            format!("{} ago", span(view.last.ago)),
            view.cause.text.clone(),
            next(Some(&view.next)),
        ]);
    }
    table.render("nothing was refused lately")
}

/// A table of reservations in traffic control.
pub(crate) fn installed(views: &[InstalledView]) -> String {
    let mut table = Table::new(&[
        "ID", "SESSION", "OUT", "STYLE", "SENDERS", "SERVICE", "RATE", "POOL", "POLICE", "STATE", "LAST",
        "CAUSE", "NEXT",
    ]);
    for view in views {
        table.row([
            view.id.to_string(),
            view.session.to_string(),
            view.interface.clone(),
            view.style.to_string(),
            filters(&view.senders),
            service(&view.flowspec).to_owned(),
            rate(&view.flowspec),
            format_rate(bits(view.bandwidth)),
            view.police.join("+"),
            if view.installed { "installed" } else { "pending" }.to_owned(),
            last(&view.history),
            view.history.cause.text.clone(),
            next(view.next.as_ref()),
        ]);
    }
    table.render("nothing is installed")
}

/// A table of interfaces.
pub(crate) fn interfaces(views: &[InterfaceView]) -> String {
    let mut table = Table::new(&[
        "INTERFACE",
        "LINK",
        "RSVP",
        "TC",
        "RATE",
        "POOL",
        "PER FLOW",
        "RESERVED",
        "FREE",
        "FLOWS",
        "R",
        "K",
        "UDP",
        "ADDRESSES",
        "GROUPS",
    ]);
    for view in views {
        let pool = view.bandwidth;
        let of = |pick: fn(&rsvp_client::api::Bandwidth) -> u64| {
            pool.as_ref().map(|pool| format_rate(bits(pick(pool)))).unwrap_or_default()
        };
        table.row([
            view.name.clone(),
            if view.up { "up" } else { "down" }.to_owned(),
            if view.enabled { "on" } else { "off" }.to_owned(),
            if view.traffic_control { "on" } else { "off" }.to_owned(),
            of(|pool| pool.link),
            of(|pool| pool.total),
            of(|pool| pool.per_flow),
            of(|pool| pool.reserved),
            of(|pool| pool.available),
            view.reservations.to_string(),
            span(view.refresh_interval),
            view.refresh_misses.to_string(),
            if view.udp { "on" } else { "off" }.to_owned(),
            join(view.addresses.iter()),
            join(view.groups.iter()),
        ]);
    }
    table.render("no interfaces")
}

fn events(records: &[EventRecord]) -> String {
    if records.is_empty() {
        return "no events\n".to_owned();
    }
    records.iter().map(|record| format!("{} {}\n", record.time, record.text)).collect()
}

fn applications(applications: &[Application]) -> String {
    let mut table =
        Table::new(&["ID", "ROLE", "ORIGIN", "SESSION", "STYLE", "SENDERS", "STATE", "SINCE", "LAST ERROR"]);
    for application in applications {
        table.row([
            application.id.to_string(),
            format!("{:?}", application.role).to_lowercase(),
            format!("{:?}", application.origin).to_lowercase(),
            application.session.to_string(),
            application.style.as_ref().map(Style::to_string).unwrap_or_default(),
            filters(&application.senders),
            application.state.to_string(),
            format!("{} ago", span(application.since.ago)),
            application.error.as_ref().map(|e| format!("{} (by {})", e.text, e.node)).unwrap_or_default(),
        ]);
    }
    table.render("no applications")
}

fn status(status: &Status) -> String {
    let mut text = format!(
        "rsvp-cli {} running as process {} for {} as a {}; configuration: {}\n",
        status.version,
        status.pid,
        span(status.started.ago),
        if status.router { "router" } else { "host" },
        status.config.as_deref().unwrap_or("built-in defaults"),
    );
    for warning in &status.warnings {
        text.push_str(&format!("warning: {warning}\n"));
    }
    text
}

fn last(history: &StateHistory) -> String {
    let when = match history.last_event.as_str() {
        "created" => &history.created,
        "changed" => &history.changed,
        _ => &history.refreshed,
    };
    format!("{} {} ago", history.last_event, span(when.ago))
}

fn next(next: Option<&Next>) -> String {
    next.map(|next| format!("{} in {}", next.what, span(next.in_seconds))).unwrap_or_default()
}

fn ago(since: Option<&Since>) -> String {
    since.map_or_else(|| "never".to_owned(), |since| format!("{} ago", span(since.ago)))
}

fn filters(senders: &[Filter]) -> String {
    if senders.is_empty() { "*".to_owned() } else { join(senders.iter()) }
}

fn flow(flow: &FlowDescriptor) -> String {
    let what = flow.flowspec.as_ref().map(|flowspec| format!(" {} {}", service(flowspec), rate(flowspec)));
    format!("{}{}", filters(&flow.filters), what.unwrap_or_default())
}

fn service(flowspec: &Flowspec) -> &'static str {
    match flowspec {
        Flowspec::ControlledLoad(_) => "CL",
        Flowspec::Guaranteed { .. } => "GS",
        Flowspec::Null { .. } => "null",
        _ => "opaque",
    }
}

fn rate(flowspec: &Flowspec) -> String {
    flowspec.rate().map(format_rate).unwrap_or_default()
}

fn yes_no(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

fn join<T: ToString>(items: impl Iterator<Item = T>) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redraw_leaves_nothing_of_what_was_there() {
        assert_eq!(redraw("A\nlonger\n"), "\x1b[HA\x1b[K\nlonger\x1b[K\n\x1b[J");
    }

    #[test]
    fn a_period_is_no_shorter_than_the_daemon_can_bear() {
        assert_eq!(parse_period("0.1"), Ok(Duration::from_millis(100)));
        assert!(parse_period("0").is_err() && parse_period("50ms").is_err());
    }
}
