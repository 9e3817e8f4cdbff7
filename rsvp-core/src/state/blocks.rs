//! The state blocks of RFC 2209 section 1.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::{BsbId, PathAdId, PsbId, ResvAdId, RsbId, SessionId, TcsbId};
use crate::admission::Claim;
use crate::command::ApiId;
use crate::event::Cause;
use crate::input::InterfaceId;
use crate::output::{InstallationId, PoliceFlags, RouteKey};
use crate::time::Instant;
use crate::timer::TimerId;
use crate::view::History;
use crate::wire::{
    Adspec, FilterSpec, Flowspec, MessageId, RawObject, RsvpHop, SenderTemplate, SenderTspec, SessionKey,
    Style,
};

/// A session and what hangs on it.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) key: SessionKey,
    pub(crate) psbs: Vec<PsbId>,
    pub(crate) rsbs: Vec<RsbId>,
    pub(crate) tcsbs: Vec<TcsbId>,
    pub(crate) bsbs: Vec<BsbId>,
    pub(crate) resv_ads: Vec<ResvAdId>,
    pub(crate) apis: Vec<ApiId>,
}

impl Session {
    pub(super) fn new(key: SessionKey) -> Self {
        Self {
            key,
            psbs: Vec::new(),
            rsbs: Vec::new(),
            tcsbs: Vec::new(),
            bsbs: Vec::new(),
            resv_ads: Vec::new(),
            apis: Vec::new(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.psbs.is_empty()
            && self.rsbs.is_empty()
            && self.tcsbs.is_empty()
            && self.bsbs.is_empty()
            && self.resv_ads.is_empty()
            && self.apis.is_empty()
    }
}

/// Where path state comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PathOrigin {
    /// A local application.
    Local(ApiId),
    /// A previous hop, on this interface.
    Hop(RsvpHop, InterfaceId),
}

/// POLICY_DATA of a Path or Resv.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PolicyData {
    /// As it came.
    pub(crate) received: Vec<RawObject>,
    /// What policy control sends on instead, if it does.
    pub(crate) replaced: Option<Vec<RawObject>>,
}

impl PolicyData {
    /// What goes on.
    pub(crate) fn onward(&self) -> &[RawObject] {
        self.replaced.as_ref().unwrap_or(&self.received)
    }
}

/// Path state block: one sender, through one incoming interface.
#[derive(Debug)]
pub(crate) struct Psb {
    pub(crate) session: SessionId,
    pub(crate) sender: SenderTemplate,
    pub(crate) tspec: SenderTspec,
    pub(crate) adspec: Option<Adspec>,
    pub(crate) policy: PolicyData,
    /// Whether policy control is against it: then it is silent. Only a local sender is kept nevertheless.
    pub(crate) denied: bool,
    /// For a local sender: the last error that was reported of its Path.
    pub(crate) refused: Option<Cause>,
    pub(crate) forward: Vec<RawObject>,
    pub(crate) origin: PathOrigin,
    /// TTL that the Path goes on with; 0 means it does not go on.
    pub(crate) ttl: u8,
    pub(crate) non_rsvp: bool,
    pub(crate) e_police: bool,
    pub(crate) refresh_ms: u32,
    pub(crate) expires: Option<Instant>,
    pub(crate) timer: Option<TimerId>,
    pub(crate) repair: Option<TimerId>,
    pub(crate) route: RouteKey,
    /// Whether the route has been answered.
    pub(crate) routed: bool,
    /// Whether the destination is this node.
    pub(crate) local: bool,
    /// One advertisement per outgoing interface.
    pub(crate) ads: Vec<PathAdId>,
    /// The MESSAGE_ID of the latest message about it: an older one is out of order (RFC 2961 section 4.5).
    pub(crate) message_id: Option<MessageId>,
    /// Fingerprint of the latest Path, for recognising refreshes.
    pub(crate) fingerprint: Option<u128>,
    /// Fingerprint of its MESSAGE_ID, for summary refreshes.
    pub(crate) summary: Option<u128>,
    pub(crate) history: History,
}

impl Psb {
    /// The previous hop and the interface towards it; `None` for a local sender.
    pub(crate) fn previous_hop(&self) -> Option<(RsvpHop, InterfaceId)> {
        match self.origin {
            PathOrigin::Local(_) => None,
            PathOrigin::Hop(hop, interface) => Some((hop, interface)),
        }
    }
}

/// Who asked for a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NextHopId {
    /// A local application.
    Local(ApiId),
    /// A next hop's address, through this outgoing interface.
    Hop(IpAddr, InterfaceId),
}

impl NextHopId {
    /// The outgoing interface; `None` for a local receiver.
    pub(crate) fn interface(&self) -> Option<InterfaceId> {
        match self {
            Self::Local(_) => None,
            Self::Hop(_, interface) => Some(*interface),
        }
    }

    /// The next hop's address; `None` for a local receiver.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Local(_) => None,
            Self::Hop(address, _) => Some(*address),
        }
    }
}

/// A filter of an RSB; for SE each has its own lifetime (RFC 2209 section 2).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RsbFilter {
    pub(crate) filter: FilterSpec,
    /// `None` for a local receiver.
    pub(crate) expires: Option<Instant>,
}

/// The part of an RSB that a Resv replaces, and that a refusal restores.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RsbContents {
    pub(crate) flowspec: Flowspec,
    /// Sorted; empty for WF.
    pub(crate) filters: Vec<RsbFilter>,
    pub(crate) scope: Option<Vec<IpAddr>>,
}

/// Whether traffic control has confirmed what an RSB asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Pending {
    /// It has, or has nothing to do with it.
    Settled,
    /// The RSB is new.
    New,
    /// The RSB was changed; this is what held before.
    Changed(Box<RsbContents>),
}

/// Reservation state block: what one next hop asked for.
#[derive(Debug)]
pub(crate) struct Rsb {
    pub(crate) session: SessionId,
    pub(crate) next_hop: NextHopId,
    pub(crate) style: Style,
    pub(crate) contents: RsbContents,
    pub(crate) pending: Pending,
    pub(crate) policy: PolicyData,
    /// Whether policy control is against it: then it is silent. Only a local receiver's is kept nevertheless.
    pub(crate) denied: bool,
    pub(crate) forward: Vec<RawObject>,
    /// What a local receiver asked for, before it was fitted to the paths of its senders.
    pub(crate) asked: Option<Flowspec>,
    /// A local receiver's own address.
    pub(crate) receiver: Option<IpAddr>,
    /// For a local receiver: the address at which it wants to be confirmed.
    pub(crate) confirm: Option<IpAddr>,
    /// Whether it has been.
    pub(crate) is_confirmed: bool,
    pub(crate) refresh_ms: u32,
    /// `None` for a local receiver.
    pub(crate) expires: Option<Instant>,
    pub(crate) timer: Option<TimerId>,
    pub(crate) refused: Option<Cause>,
    /// The MESSAGE_ID of the latest message about it.
    pub(crate) message_id: Option<MessageId>,
    pub(crate) fingerprint: Option<u128>,
    /// Fingerprint of the MESSAGE_ID of the Resv that asked for all that it holds, for summary refreshes.
    pub(crate) summary: Option<u128>,
    pub(crate) history: History,
}

impl Rsb {
    /// Whether it reserves for this sender.
    pub(crate) fn matches(&self, sender: &SenderTemplate) -> bool {
        self.style == Style::Wf
            || self.contents.filters.binary_search_by_key(sender, |filter| filter.filter).is_ok()
    }

    /// Its filters; none for WF.
    pub(crate) fn filters(&self) -> Vec<FilterSpec> {
        self.contents.filters.iter().map(|f| f.filter).collect()
    }
}

/// What traffic control is to hold.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Desired {
    /// TC_Flowspec.
    pub(crate) flowspec: Flowspec,
    /// Fwd_Flowspec, if admission control changed it.
    pub(crate) fwd: Option<Flowspec>,
    /// TC_Filter_Spec*, sorted; empty for WF.
    pub(crate) filters: Vec<FilterSpec>,
    /// Path_Te.
    pub(crate) path_te: Option<SenderTspec>,
    pub(crate) police: PoliceFlags,
    /// Bytes that guaranteed service may have to queue here.
    pub(crate) buffer: Option<u32>,
    /// What it takes of the interface.
    pub(crate) claim: Claim,
}

impl Desired {
    /// The flowspec that goes upstream.
    pub(crate) fn forwarded(&self) -> &Flowspec {
        self.fwd.as_ref().unwrap_or(&self.flowspec)
    }
}

/// How far traffic control is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Install {
    /// A request is under way.
    InFlight,
    /// A request is under way and no longer what is wanted.
    Outdated,
    /// The latest desire is in place.
    Done,
}

/// A receiver that wants a confirmation once a reservation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Confirm {
    /// The request that it came with.
    pub(crate) rsb: RsbId,
    pub(crate) receiver: IpAddr,
}

/// Traffic control state block: one reservation on one outgoing interface.
#[derive(Debug)]
pub(crate) struct Tcsb {
    pub(crate) id: InstallationId,
    pub(crate) session: SessionId,
    pub(crate) interface: InterfaceId,
    pub(crate) style: Style,
    pub(crate) desired: Desired,
    /// What traffic control confirmed last.
    pub(crate) confirmed: Option<Desired>,
    /// What the request under way asks for.
    pub(crate) requested: Option<Desired>,
    pub(crate) install: Install,
    /// What it takes of the interface, until traffic control has answered: of all that it may hold, the most.
    pub(crate) booked: Claim,
    /// When what failed is tried again.
    pub(crate) retry: Option<TimerId>,
    pub(crate) confirms: Vec<Confirm>,
    pub(crate) history: History,
}

impl Tcsb {
    /// The one sender that it is for, if its style is FF.
    pub(crate) fn distinct(&self) -> Option<FilterSpec> {
        self.desired.filters.first().copied().filter(|_| self.style == Style::Ff)
    }
}

/// Blockade state block (RFC 2205 section 3.5).
#[derive(Debug)]
pub(crate) struct Bsb {
    pub(crate) session: SessionId,
    pub(crate) previous_hop: IpAddr,
    pub(crate) interface: InterfaceId,
    /// The sender it is for; `None` for WF.
    pub(crate) sender: Option<FilterSpec>,
    /// Qb.
    pub(crate) flowspec: Flowspec,
    /// Tb.
    pub(crate) timer: Option<TimerId>,
}
