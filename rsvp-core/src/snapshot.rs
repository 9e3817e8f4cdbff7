//! A copy of a node's whole state, made in slices so that the node can go on meanwhile.
//!
//! ```
//! use rsvp_core::snapshot::Survey;
//! use rsvp_core::{Instant, Node, NodeConfig};
//!
//! let node = Node::new(NodeConfig::default(), [7; 32], Instant::ZERO);
//! let mut survey = Survey::begin(&node);
//! while !survey.visit(&node, 100) {
//!     // Inputs, commands and polls may come here.
//! }
//! let snapshot = survey.finish(&node);
//! assert!(snapshot.sessions.is_empty());
//! ```

use alloc::collections::BinaryHeap;
use alloc::vec::Vec;
use core::cmp::Reverse;

use crate::counters::Counters;
use crate::node::Node;
use crate::state::SessionId;
use crate::time::Instant;
use crate::view::{
    InstalledView, InterfaceView, NeighborView, RefusalView, RequestView, ReservationView, SenderView,
    SessionView,
};
use crate::wire::SessionKey;

/// The state of a node. What belongs to sessions is in the order of their keys.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Snapshot {
    /// When it was finished.
    pub at: Instant,
    /// All sessions.
    pub sessions: Vec<SessionView>,
    /// All senders (PSBs).
    pub senders: Vec<SenderView>,
    /// All reservations that next hops asked for (RSBs).
    pub reservations: Vec<ReservationView>,
    /// All that the node asks of previous hops.
    pub requests: Vec<RequestView>,
    /// All reservations in traffic control (TCSBs).
    pub installed: Vec<InstalledView>,
    /// Requests that were refused lately.
    pub refusals: Vec<RefusalView>,
    /// All interfaces, in the order of their handles.
    pub interfaces: Vec<InterfaceView>,
    /// All neighbours that were heard, in the order of interface and address.
    pub neighbors: Vec<NeighborView>,
    /// The counters.
    pub counters: Counters,
}

impl Snapshot {
    /// Everything, at once.
    #[must_use]
    pub fn whole(node: &Node) -> Self {
        let mut survey = Survey::begin(node);
        survey.visit(node, usize::MAX);
        survey.finish(node)
    }

    /// Everything but what belongs to sessions: the interfaces, neighbours and counters of a node, without a survey.
    #[must_use]
    pub fn outline(node: &Node) -> Self {
        Self::default().outlined(node)
    }

    fn outlined(self, node: &Node) -> Self {
        Self {
            at: node.now,
            refusals: node.refusals(),
            interfaces: node.interfaces(),
            neighbors: node.neighbors(),
            counters: node.counters.clone(),
            ..self
        }
    }
}

/// A [`Snapshot`] in the making. Each session is copied whole, at one moment; sessions that are new since the beginning are
/// not in it, nor are those that went before they were visited.
pub struct Survey {
    /// Those to be visited. A heap gives them in order without sorting all at once.
    sessions: BinaryHeap<Reverse<(SessionKey, SessionId)>>,
    snapshot: Snapshot,
}

impl Survey {
    /// Takes note of all sessions. That takes time in proportion to their number, but little: their states are not looked
    /// at yet.
    #[must_use]
    pub fn begin(node: &Node) -> Self {
        let sessions = node.state.sessions.iter().map(|(id, session)| Reverse((session.key, id)));
        Self { sessions: sessions.collect::<Vec<_>>().into(), snapshot: Snapshot::default() }
    }

    /// Copies at most `budget` sessions; tells whether all are done.
    pub fn visit(&mut self, node: &Node, budget: usize) -> bool {
        for _ in 0..budget {
            let Some(Reverse((_, id))) = self.sessions.pop() else { break };
            self.copy(node, id);
        }
        self.sessions.is_empty()
    }

    fn copy(&mut self, node: &Node, id: SessionId) {
        let state = &node.state;
        let Some(session) = state.sessions.get(id) else { return };
        let Snapshot { sessions, senders, reservations, requests, installed, .. } = &mut self.snapshot;
        sessions.push(node.session_view(id));
        senders.extend(session.psbs.iter().map(|psb| node.sender_view(&state.psbs[*psb])));
        reservations.extend(session.rsbs.iter().map(|rsb| node.reservation_view(&state.rsbs[*rsb])));
        requests.extend(session.resv_ads.iter().filter_map(|ad| node.request_view(&state.resv_ads[*ad])));
        installed.extend(session.tcsbs.iter().map(|tcsb| node.installed_view(&state.tcsbs[*tcsb])));
    }

    /// The snapshot, with everything that belongs to no session as it is now.
    #[must_use]
    pub fn finish(self, node: &Node) -> Snapshot {
        self.snapshot.outlined(node)
    }
}
