//! What each neighbour was last told.

use alloc::vec::Vec;
use core::net::IpAddr;

use super::{PsbId, SessionId};
use crate::input::InterfaceId;
use crate::time::{Duration, Instant};
use crate::timer::TimerId;
use crate::view::History;
use crate::wire::{FlowDescriptor, RawObject, RsvpHop, Style};

/// A Path to one outgoing interface.
#[derive(Debug)]
pub(crate) struct PathAd {
    pub(crate) psb: PsbId,
    pub(crate) interface: InterfaceId,
    pub(crate) next_hop: Option<IpAddr>,
    /// Fingerprint of the content last sent; `None` before the first Path.
    pub(crate) told: Option<u128>,
    pub(crate) queued: bool,
    /// R as last announced; zero before the first Path.
    pub(crate) period: Duration,
    pub(crate) timer: Option<TimerId>,
}

/// A Resv to one previous hop.
#[derive(Debug)]
pub(crate) struct ResvAd {
    pub(crate) session: SessionId,
    pub(crate) hop: RsvpHop,
    pub(crate) interface: InterfaceId,
    /// The content last sent; `None` before the first Resv.
    pub(crate) told: Option<Told>,
    pub(crate) queued: bool,
    /// The receiver whose request for confirmation goes along with the next Resv.
    pub(crate) confirm: Option<IpAddr>,
    /// Whether a blockade keeps something out of it.
    pub(crate) blockaded: bool,
    /// Whether there was nothing to ask for at the last refresh: once is forgiven, while a route is being repaired.
    pub(crate) starved: bool,
    /// R as last announced; zero before the first Resv.
    pub(crate) period: Duration,
    pub(crate) timer: Option<TimerId>,
    pub(crate) next_refresh: Option<Instant>,
    pub(crate) history: History,
}

/// The content of a Resv.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Told {
    pub(crate) style: Style,
    pub(crate) flows: Vec<FlowDescriptor>,
    pub(crate) scope: Option<Vec<IpAddr>>,
    pub(crate) policy: Vec<RawObject>,
    pub(crate) forward: Vec<RawObject>,
}
