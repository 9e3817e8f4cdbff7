//! RFC 2209, RSVP Message Processing Rules, by event.

pub(crate) mod path;
pub(crate) mod resv;
pub(crate) mod resv_err;
pub(crate) mod resv_refresh;

use std::time::Duration;

use crate::bench::Received;
use rsvp_core::wire::{FilterSpec, Resv};

/// Whether a Resv asks for something for a sender.
fn names(resv: &Received<Resv>, sender: FilterSpec) -> bool {
    resv.message.flows.iter().any(|flow| flow.filters.contains(&sender))
}

/// The times between the messages that name a sender, in order.
fn gaps(resvs: &[Received<Resv>], sender: FilterSpec) -> Vec<Duration> {
    let times: Vec<_> = resvs.iter().filter(|resv| names(resv, sender)).map(|resv| resv.sent.at).collect();
    times.windows(2).map(|pair| pair[1].since(pair[0])).collect()
}
