//! What each neighbour was last told.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::{Delivery, PsbId, SessionId};
use crate::input::InterfaceId;
use crate::time::{Duration, Instant};
use crate::timer::TimerId;
use crate::view::History;
use crate::wire::{Adspec, FlowDescriptor, RawObject, RsvpHop, Style};

/// A Path to one outgoing interface.
#[derive(Debug)]
pub(crate) struct PathAd {
    pub(crate) psb: PsbId,
    pub(crate) interface: InterfaceId,
    pub(crate) next_hop: Option<IpAddr>,
    /// The neighbour that is kept in mind because of it; none for a group.
    pub(crate) neighbor: Option<IpAddr>,
    /// Of a group: the next hops, as far as routing knows them.
    pub(crate) next_hops: Vec<IpAddr>,
    pub(crate) delivery: Delivery,
    /// The ADSPEC for the Path that is queued, if it was composed since the last change (`Some(None)`: there is none).
    pub(crate) adspec: Option<Option<Adspec>>,
    /// Fingerprint of the content last sent; `None` before the first Path.
    pub(crate) told: Option<u128>,
    /// Whether it went in UDP, too (RFC 2205 Appendix C).
    pub(crate) told_in_udp: bool,
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
    /// Fingerprint of the Resv last sent, with all that is in it.
    pub(crate) fingerprint: Option<u128>,
    pub(crate) delivery: Delivery,
    /// The receiver whose request for confirmation is in the Resv that awaits its acknowledgement.
    pub(crate) confirming: Option<IpAddr>,
    /// This node's address in the Resv last sent.
    pub(crate) told_from: Option<IpAddr>,
    pub(crate) queued: bool,
    /// Whether the content may have changed since it was last looked at.
    pub(crate) dirty: Dirty,
    /// The receivers whose requests for confirmation go along with the next Resvs, one with each.
    pub(crate) confirms: VecDeque<IpAddr>,
    /// Whether a blockade keeps something out of it.
    pub(crate) blockaded: bool,
    /// R as last announced; zero before the first Resv.
    pub(crate) period: Duration,
    pub(crate) timer: Option<TimerId>,
    pub(crate) next_refresh: Option<Instant>,
    pub(crate) history: History,
}

/// Whether the content of a Resv may have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dirty {
    /// It has not.
    No,
    /// A ResvErr is the only reason: then nothing is sent if all of it is blockaded (RFC 2209, RERR).
    ByError,
    /// It may have.
    Yes,
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
