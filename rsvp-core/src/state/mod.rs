//! What a node remembers: sessions, PSBs, RSBs, TCSBs, BSBs, neighbours, advertisements (RFC 2209 section 1).
//!
//! State decides nothing; `process` does.

mod acks;
mod advertisement;
mod application;
mod blocks;
mod delivery;
mod interface;
mod neighbor;
mod outbox;
mod refresh_group;
mod refusals;
mod requests;
mod route;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::net::IpAddr;

use slotmap::{SlotMap, new_key_type};

pub(crate) use acks::Acks;
pub(crate) use advertisement::{Dirty, PathAd, ResvAd, Told};
pub(crate) use application::{Application, Group};
pub(crate) use blocks::{
    Bsb, Confirm, Desired, Install, NextHopId, PathOrigin, Pending, PolicyData, Psb, Rsb, RsbContents,
    RsbFilter, Session, Tcsb,
};
pub(crate) use delivery::{Awaited, Delivery, MessageIds, Seat};
pub(crate) use interface::Interface;
pub(crate) use neighbor::{Neighbor, Neighbors};
pub(crate) use outbox::{Lane, OneShot, Outbox, OutboxItem, Payload, Peer};
pub(crate) use refresh_group::{GroupKey, RefreshGroup, RefreshGroups};
pub(crate) use refusals::{Asked, Asker, Refusal, Refusals};
pub(crate) use requests::Requests;
pub(crate) use route::{RouteEntry, UnmatchedId, UnmatchedIds};

use crate::command::ApiId;
use crate::input::InterfaceId;
use crate::map::{HashKey, Map};
use crate::output::{InstallationId, RouteKey};
use crate::time::Instant;
use crate::wire::{FlowKey, SessionKey};

new_key_type! {
    pub(crate) struct SessionId;
    pub(crate) struct PsbId;
    pub(crate) struct RsbId;
    pub(crate) struct TcsbId;
    pub(crate) struct BsbId;
    pub(crate) struct PathAdId;
    pub(crate) struct ResvAdId;
    pub(crate) struct OneShotId;
    pub(crate) struct LaneId;
    pub(crate) struct AckId;
    pub(crate) struct RefreshGroupId;
}

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimerKey {
    /// A PSB's cleanup.
    Psb(PsbId),
    /// An RSB's cleanup.
    Rsb(RsbId),
    /// A Path refresh.
    PathAd(PathAdId),
    /// A Resv refresh.
    ResvAd(ResvAdId),
    /// A blockade's end.
    Bsb(BsbId),
    /// A change of a reservation that traffic control refused is tried again.
    Tcsb(TcsbId),
    /// A local repair, after its wait.
    Repair(PsbId),
    /// A message with this identifier is not acknowledged.
    Retransmit(u32),
    /// Acknowledgements have waited long enough.
    Acks(AckId),
    /// What is refreshed together is due.
    RefreshGroup(RefreshGroupId),
    /// Messages have waited for others long enough.
    Lane(LaneId),
}

/// The state that a received message refreshes when it comes again unchanged.
#[derive(Clone, Debug)]
pub(crate) enum RefreshTarget {
    /// A Path.
    Path(PsbId),
    /// A Resv: the RSBs that it named.
    Resv(Vec<RsbId>),
}

/// All protocol state of a node, linked by slab index.
pub(crate) struct State {
    pub(crate) hash: HashKey,
    pub(crate) sessions: SlotMap<SessionId, Session>,
    pub(crate) session_index: Map<SessionKey, SessionId>,
    /// How many sessions with a non-zero port there are, by everything but the port (RFC 2205 section 3.2).
    ported: Map<SessionKey, u32>,
    pub(crate) psbs: SlotMap<PsbId, Psb>,
    pub(crate) rsbs: SlotMap<RsbId, Rsb>,
    pub(crate) tcsbs: SlotMap<TcsbId, Tcsb>,
    pub(crate) bsbs: SlotMap<BsbId, Bsb>,
    pub(crate) path_ads: SlotMap<PathAdId, PathAd>,
    pub(crate) resv_ads: SlotMap<ResvAdId, ResvAd>,
    pub(crate) installations: Map<InstallationId, TcsbId>,
    /// What refreshes state: messages by their fingerprints, and MESSAGE_IDs by theirs.
    pub(crate) refreshes: Map<u128, RefreshTarget>,
    pub(crate) refresh_groups: RefreshGroups,
    pub(crate) acks: Acks,
    pub(crate) refusals: Refusals,
    pub(crate) routes: Map<RouteKey, RouteEntry>,
    pub(crate) unmatched_ids: UnmatchedIds,
    pub(crate) interfaces: BTreeMap<InterfaceId, Interface>,
    pub(crate) neighbors: Neighbors,
    pub(crate) apis: BTreeMap<ApiId, Application>,
    /// The groups that local applications receive, with how many of them do.
    pub(crate) groups: BTreeMap<Group, usize>,
    /// When the next local repair may be due, if there are many.
    pub(crate) next_repair: Instant,
    /// Sessions that lost something, and perhaps everything.
    emptied: Vec<SessionId>,
}

impl State {
    pub(crate) fn new(hash: HashKey) -> Self {
        Self {
            hash,
            sessions: SlotMap::with_key(),
            session_index: Map::with_hasher(hash),
            ported: Map::with_hasher(hash),
            psbs: SlotMap::with_key(),
            rsbs: SlotMap::with_key(),
            tcsbs: SlotMap::with_key(),
            bsbs: SlotMap::with_key(),
            path_ads: SlotMap::with_key(),
            resv_ads: SlotMap::with_key(),
            installations: Map::with_hasher(hash),
            refreshes: Map::with_hasher(hash),
            refresh_groups: RefreshGroups::default(),
            acks: Acks::default(),
            refusals: Refusals::default(),
            routes: Map::with_hasher(hash),
            unmatched_ids: UnmatchedIds::default(),
            interfaces: BTreeMap::new(),
            neighbors: Neighbors::default(),
            apis: BTreeMap::new(),
            groups: BTreeMap::new(),
            next_repair: Instant::ZERO,
            emptied: Vec::new(),
        }
    }

    /// Finds a session.
    pub(crate) fn session(&self, key: &SessionKey) -> Option<SessionId> {
        self.session_index.get(key).copied()
    }

    /// Finds or creates a session.
    pub(crate) fn session_or_new(&mut self, key: SessionKey) -> SessionId {
        if let Some(id) = self.session(&key) {
            return id;
        }
        let id = self.sessions.insert(Session::new(key));
        self.session_index.insert(key, id);
        if key.flow().port != 0 {
            *self.ported.entry(without_port(key)).or_insert(0) += 1;
        }
        id
    }

    /// Has a session forgotten at the end of the call, if nothing hangs on it then. Not before: its id stays good as
    /// long as somebody may hold it.
    pub(crate) fn drop_if_empty(&mut self, id: SessionId) {
        if self.sessions.get(id).is_some_and(Session::is_empty) {
            self.emptied.push(id);
        }
    }

    /// Forgets the sessions that nothing hangs on.
    pub(crate) fn sweep_sessions(&mut self) {
        while let Some(id) = self.emptied.pop() {
            self.sweep_session(id);
        }
    }

    fn sweep_session(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get(id) else { return };
        if !session.is_empty() {
            return;
        }
        let key = session.key;
        self.sessions.remove(id);
        self.session_index.remove(&key);
        let portless = without_port(key);
        if key != portless
            && let Some(count) = self.ported.get_mut(&portless)
        {
            *count -= 1;
            if *count == 0 {
                self.ported.remove(&portless);
            }
        }
    }

    /// Whether a session exists that differs from `key` in the port only, where one of the two ports is zero.
    pub(crate) fn has_port_conflict(&self, key: &SessionKey) -> bool {
        let portless = without_port(*key);
        if *key == portless {
            self.ported.contains_key(&portless)
        } else {
            self.session_index.contains_key(&portless)
        }
    }

    /// Whether no session with a port is counted.
    #[cfg(test)]
    pub(crate) fn has_no_ports(&self) -> bool {
        self.ported.is_empty()
    }

    /// The interface that owns `address`.
    pub(crate) fn interface_with(&self, address: IpAddr) -> Option<InterfaceId> {
        self.interfaces.values().find(|i| i.info.addresses.contains(&address)).map(|i| i.info.id)
    }

    /// Whether `address` is one of the node's own.
    pub(crate) fn is_own(&self, address: IpAddr) -> bool {
        self.interface_with(address).is_some()
    }
}

fn without_port(key: SessionKey) -> SessionKey {
    let portless = |flow: FlowKey| FlowKey { port: 0, ..flow };
    match key {
        SessionKey::Ip(flow) => SessionKey::Ip(portless(flow)),
        SessionKey::Gpi(flow) => SessionKey::Gpi(portless(flow)),
    }
}
