//! Between the engine's types and the documents of the control API.

mod event;
mod flow;
mod view;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use rsvp_client::api::{Next, Since};
use rsvp_core::view::InterfaceView;
use rsvp_core::{Instant, InterfaceId};

pub(crate) use event::{cause, describe_state, error_info, happening, upcall};
pub(crate) use flow::{
    core_adspec, core_filter, core_flowspec, core_policy_data, core_sender_tspec, core_session, core_style,
    core_tspec, filter, session, tspec,
};
pub(crate) use view::{
    counters, installed, interfaces, neighbors, refusals, requests, reservations, senders, sessions,
};

/// What a conversion needs to know beside the engine's state: interface names, and what the time is.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    now: Instant,
    wall: SystemTime,
    names: BTreeMap<InterfaceId, String>,
}

impl Scene {
    /// The scene at the engine's `now`.
    pub(crate) fn new(interfaces: &[InterfaceView], now: Instant) -> Self {
        let names = interfaces.iter().map(|view| (view.id, view.name.clone())).collect();
        Self { now, wall: SystemTime::now(), names }
    }

    /// The scene at the engine's `now`, when the time of day was `wall`.
    pub(crate) fn then(interfaces: &[InterfaceView], now: Instant, wall: SystemTime) -> Self {
        Self { wall, ..Self::new(interfaces, now) }
    }

    /// For times only.
    pub(crate) fn at(now: Instant) -> Self {
        Self { now, wall: SystemTime::now(), names: BTreeMap::new() }
    }

    /// An interface's name, or its handle if it has gone.
    pub(crate) fn name(&self, id: InterfaceId) -> String {
        self.names.get(&id).cloned().unwrap_or_else(|| format!("#{}", id.0))
    }

    /// A point in the past.
    pub(crate) fn since(&self, at: Instant) -> Since {
        let ago = self.now.since(at);
        let time = self.wall.checked_sub(ago).unwrap_or(SystemTime::UNIX_EPOCH);
        Since { ago: ago.as_secs_f64(), time: timestamp(time) }
    }

    /// A point in the future.
    pub(crate) fn next(&self, at: Instant, what: String) -> Next {
        let left = at.since(self.now);
        let time = self.wall.checked_add(left).unwrap_or(self.wall);
        Next { in_seconds: left.as_secs_f64(), time: timestamp(time), what }
    }
}

/// The year 9000, since the beginning of Unix time: RFC 3339 has four digits for a year, and no clock that is right shows it.
pub(crate) const LAST_DAY: Duration = Duration::from_secs(221_845_392_000);

/// Wall-clock time as RFC 3339 has it; what is beyond it, as its end.
pub(crate) fn timestamp(time: SystemTime) -> String {
    humantime::format_rfc3339_millis(time.min(SystemTime::UNIX_EPOCH + LAST_DAY)).to_string()
}

/// The name that serde gives to a plain variant.
fn variant_name<T: serde::Serialize>(variant: &T) -> String {
    match serde_json::to_value(variant) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}
