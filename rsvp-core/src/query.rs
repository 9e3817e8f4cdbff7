//! The state of a node as operators see it.

use alloc::vec::Vec;

use crate::config::NodeConfig;
use crate::counters::Counters;
use crate::node::Node;
use crate::output::WakeReason;
use crate::state::{Install, NextHopId, Pending, Psb, ResvAd, Rsb, SessionId, Tcsb};
use crate::time::Instant;
use crate::view::{
    Deadline, InstalledView, InterfaceView, NeighborView, RefusalView, RequestView, ReservationView,
    SenderView, SessionView,
};
use crate::wire::SessionKey;

/// Views of states and of the state in their sessions, in the order of the session keys.
fn by_session<V>(views: impl Iterator<Item = V>, key: impl Fn(&V) -> SessionKey) -> Vec<V> {
    let mut views: Vec<V> = views.collect();
    views.sort_by_key(key);
    views
}

impl Node {
    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> &NodeConfig {
        &self.config
    }

    /// The counters.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// All sessions, in the order of their keys.
    #[must_use]
    pub fn sessions(&self) -> Vec<SessionView> {
        by_session(self.state.sessions.keys().map(|id| self.session_view(id)), |view| view.session)
    }

    pub(crate) fn session_view(&self, id: SessionId) -> SessionView {
        let session = &self.state.sessions[id];
        SessionView {
            session: session.key,
            style: self.style_of(id),
            senders: session.psbs.len(),
            reservations: session.rsbs.len(),
            installed: session.tcsbs.len(),
            applications: session.apis.clone(),
            local: session.psbs.iter().any(|psb| self.state.psbs[*psb].local),
        }
    }

    /// All senders (PSBs), in the order of their sessions.
    #[must_use]
    pub fn senders(&self) -> Vec<SenderView> {
        by_session(self.state.psbs.values().map(|psb| self.sender_view(psb)), |view| view.session)
    }

    pub(crate) fn sender_view(&self, psb: &Psb) -> SenderView {
        let previous = psb.previous_hop();
        SenderView {
            session: self.state.sessions[psb.session].key,
            sender: psb.sender,
            tspec: psb.tspec.clone(),
            adspec: psb.adspec.clone(),
            previous_hop: previous.map(|(hop, _)| hop),
            incoming_interface: previous.map(|(_, interface)| interface),
            outgoing_interfaces: psb.ads.iter().map(|ad| self.state.path_ads[*ad].interface).collect(),
            local: psb.local,
            non_rsvp: psb.non_rsvp,
            refresh_ms: psb.refresh_ms,
            ttl: psb.ttl,
            history: psb.history.clone(),
            expires: psb.expires.map(|at| Deadline { at, reason: WakeReason::Cleanup }),
            refresh: self.next_refresh(psb).map(|at| Deadline { at, reason: WakeReason::Refresh }),
        }
    }

    fn next_refresh(&self, psb: &Psb) -> Option<Instant> {
        let timers = psb.ads.iter().filter_map(|ad| self.state.path_ads[*ad].timer);
        timers.filter_map(|timer| self.timers.deadline(timer)).min()
    }

    /// All reservations that next hops asked for (RSBs), in the order of their sessions.
    #[must_use]
    pub fn reservations(&self) -> Vec<ReservationView> {
        by_session(self.state.rsbs.values().map(|rsb| self.reservation_view(rsb)), |view| view.session)
    }

    pub(crate) fn reservation_view(&self, rsb: &Rsb) -> ReservationView {
        ReservationView {
            session: self.state.sessions[rsb.session].key,
            next_hop: rsb.next_hop.address(),
            interface: rsb.next_hop.interface(),
            style: rsb.style,
            flowspec: rsb.contents.flowspec.clone(),
            filters: rsb.filters(),
            admitted: self.is_admitted(rsb),
            refused: rsb.refused.clone(),
            refresh_ms: rsb.refresh_ms,
            history: rsb.history.clone(),
            expires: rsb.expires.map(|at| Deadline { at, reason: WakeReason::Cleanup }),
        }
    }

    /// Requests that were refused lately, in the order of their sessions.
    #[must_use]
    pub fn refusals(&self) -> Vec<RefusalView> {
        let views = self.state.refusals.iter(self.now).map(|(session, refusal)| RefusalView {
            session: *session,
            subject: refusal.subject.clone(),
            cause: refusal.cause.clone(),
            first: refusal.first,
            last: refusal.last,
            count: refusal.count,
            expires: Deadline { at: refusal.expires, reason: WakeReason::Cleanup },
        });
        views.collect()
    }

    fn is_admitted(&self, rsb: &Rsb) -> bool {
        let session = &self.state.sessions[rsb.session];
        match rsb.next_hop {
            NextHopId::Hop(_, interface) => {
                rsb.pending == Pending::Settled
                    && session.tcsbs.iter().any(|tcsb| {
                        let tcsb = &self.state.tcsbs[*tcsb];
                        tcsb.interface == interface && tcsb.confirmed.is_some()
                    })
            }
            NextHopId::Local(_) if self.is_within(rsb) => true,
            NextHopId::Local(_) => session.resv_ads.iter().any(|ad| {
                let told = self.state.resv_ads[*ad].told.as_ref();
                told.is_some_and(|told| {
                    told.flows.iter().any(|flow| {
                        flow.filters.is_empty() || flow.filters.iter().any(|filter| rsb.matches(filter))
                    })
                })
            }),
        }
    }

    /// All that this node asks of previous hops, in the order of their sessions.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestView> {
        by_session(self.state.resv_ads.values().filter_map(|ad| self.request_view(ad)), |view| view.session)
    }

    pub(crate) fn request_view(&self, ad: &ResvAd) -> Option<RequestView> {
        let told = ad.told.as_ref()?;
        Some(RequestView {
            session: self.state.sessions[ad.session].key,
            previous_hop: ad.hop.address,
            interface: ad.interface,
            style: told.style,
            flows: told.flows.clone(),
            blockaded: ad.blockaded,
            history: ad.history.clone(),
            refresh: ad.next_refresh.map(|at| Deadline { at, reason: WakeReason::Refresh }),
        })
    }

    /// All reservations in traffic control (TCSBs), in the order of their sessions.
    #[must_use]
    pub fn installed(&self) -> Vec<InstalledView> {
        by_session(self.state.tcsbs.values().map(|tcsb| self.installed_view(tcsb)), |view| view.session)
    }

    pub(crate) fn installed_view(&self, tcsb: &Tcsb) -> InstalledView {
        InstalledView {
            id: tcsb.id,
            session: self.state.sessions[tcsb.session].key,
            interface: tcsb.interface,
            style: tcsb.style,
            flowspec: self.effective_flowspec(&tcsb.desired),
            filters: tcsb.desired.filters.clone(),
            police: tcsb.desired.police,
            bandwidth: tcsb.booked.bandwidth,
            installed: tcsb.install == Install::Done,
            history: tcsb.history.clone(),
        }
    }

    /// All interfaces, in the order of their handles.
    #[must_use]
    pub fn interfaces(&self) -> Vec<InterfaceView> {
        let views = self.state.interfaces.values().map(|interface| {
            let config = self.config.interface(&interface.info.name);
            InterfaceView {
                id: interface.info.id,
                name: interface.info.name.clone(),
                addresses: interface.info.addresses.clone(),
                mtu: interface.info.mtu,
                up: interface.info.up,
                udp: self.needs_udp(interface.info.id),
                config: config.clone(),
                bandwidth: config.bandwidth,
                reserved: interface.ledger.reserved,
                reservations: interface.ledger.reservations,
            }
        });
        views.collect()
    }

    /// All neighbours that were heard, in the order of interface and address.
    #[must_use]
    pub fn neighbors(&self) -> Vec<NeighborView> {
        let heard = self.state.neighbors.iter().filter(|(_, neighbor)| neighbor.last_heard.is_some());
        let views = heard.map(|((interface, address), neighbor)| NeighborView {
            address: *address,
            interface: *interface,
            senders: neighbor.senders,
            reservations: neighbor.reservations,
            udp: neighbor.udp,
            last_heard: neighbor.last_heard,
            last_sent: neighbor.last_sent,
            advertised: neighbor.advertised,
            reduction: self.reduction_view(*interface, *address, neighbor),
        });
        views.collect()
    }
}
