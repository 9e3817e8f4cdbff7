//! The state of the node, as the `show` commands print it.

use clap::ValueEnum;
use rsvp_client::api::{
    Counters, InstalledView, InterfaceView, NeighborView, RefusalView, RequestView, ReservationView,
    SenderView, SessionView,
};
use rsvp_core::Node;
use rsvp_core::snapshot::Snapshot;
use rsvp_driver::OutsideView;
use serde_json::{Map, Value, to_value};

use crate::commands::show;
use crate::config::Config;
use crate::convert::{self, Scene};

/// What can be shown.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum What {
    /// Sessions, with the counts of their state.
    Sessions,
    /// Path state (PSBs).
    Senders,
    /// Reservations that next hops and local receivers asked for (RSBs).
    Reservations,
    /// What the node asks of previous hops.
    Requests,
    /// What was refused lately, and why.
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
    /// All of these.
    All,
}

/// A part of the state.
enum Part {
    Sessions(Vec<SessionView>),
    Senders(Vec<SenderView>),
    Reservations(Vec<ReservationView>),
    Requests(Vec<RequestView>),
    Refusals(Vec<RefusalView>),
    Installed(Vec<InstalledView>),
    Interfaces(Vec<InterfaceView>),
    Neighbors(Vec<NeighborView>),
    Counters(Box<Counters>),
}

/// The parts that are wanted, each once.
fn parts(whats: &[What], node: &Node, scene: &Scene) -> Vec<Part> {
    let is_wanted = |what: &What| whats.contains(&What::All) || whats.contains(what);
    let wanted = What::value_variants().iter().copied().filter(is_wanted);
    let state = Snapshot::whole(node);
    wanted.filter_map(|what| Part::of(what, &state, scene)).collect()
}

impl Part {
    fn of(what: What, state: &Snapshot, scene: &Scene) -> Option<Self> {
        Some(match what {
            What::Sessions => Self::Sessions(convert::sessions(state, scene)),
            What::Senders => Self::Senders(convert::senders(state, scene)),
            What::Reservations => Self::Reservations(convert::reservations(state, scene)),
            What::Requests => Self::Requests(convert::requests(state, scene)),
            What::Refusals => Self::Refusals(convert::refusals(state, scene)),
            What::Installed => Self::Installed(convert::installed(state, scene)),
            // What the system did for the interfaces is not in a recording.
            What::Interfaces => Self::Interfaces(convert::interfaces(state, &OutsideView::default())),
            What::Neighbors => Self::Neighbors(convert::neighbors(state, &Config::default(), scene)),
            What::Counters => Self::Counters(Box::new(convert::counters(&state.counters))),
            What::All => return None,
        })
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Sessions(_) => "sessions",
            Self::Senders(_) => "senders",
            Self::Reservations(_) => "reservations",
            Self::Requests(_) => "requests",
            Self::Refusals(_) => "refusals",
            Self::Installed(_) => "installed",
            Self::Interfaces(_) => "interfaces",
            Self::Neighbors(_) => "neighbors",
            Self::Counters(_) => "counters",
        }
    }

    fn table(&self) -> String {
        match self {
            Self::Sessions(views) => show::sessions(views),
            Self::Senders(views) => show::senders(views),
            Self::Reservations(views) => show::reservations(views),
            Self::Requests(views) => show::requests(views),
            Self::Refusals(views) => show::refusals(views),
            Self::Installed(views) => show::installed(views),
            Self::Interfaces(views) => show::interfaces(views),
            Self::Neighbors(views) => show::neighbors(views),
            Self::Counters(counters) => show::counters(counters),
        }
    }

    fn document(&self) -> serde_json::Result<Value> {
        match self {
            Self::Sessions(views) => to_value(views),
            Self::Senders(views) => to_value(views),
            Self::Reservations(views) => to_value(views),
            Self::Requests(views) => to_value(views),
            Self::Refusals(views) => to_value(views),
            Self::Installed(views) => to_value(views),
            Self::Interfaces(views) => to_value(views),
            Self::Neighbors(views) => to_value(views),
            Self::Counters(counters) => to_value(counters),
        }
    }
}

/// The state as tables, each under its name.
pub(super) fn tables(whats: &[What], node: &Node, scene: &Scene) -> String {
    let parts = parts(whats, node, scene);
    parts.iter().map(|part| format!("{}:\n{}\n", part.name(), part.table())).collect()
}

/// The state as a document: each part, as docs/json.md describes it, under its name.
pub(super) fn document(whats: &[What], node: &Node, scene: &Scene) -> serde_json::Result<Map<String, Value>> {
    let parts = parts(whats, node, scene);
    parts.iter().map(|part| Ok((part.name().to_owned(), part.document()?))).collect()
}
