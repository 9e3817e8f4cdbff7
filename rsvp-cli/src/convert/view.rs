//! The engine's state as documents.

use std::collections::{BTreeMap, BTreeSet};

use rsvp_client::api;
use rsvp_core::counters::{Counters, ReductionCounters};
use rsvp_core::event::Subject;
use rsvp_core::output::{PoliceFlags, WakeReason};
use rsvp_core::snapshot::Snapshot;
use rsvp_core::view::{
    Deadline, History, InstalledView, InterfaceView, NeighborView, ReductionView, RefusalView, RequestView,
    ReservationView, SenderView, SessionView,
};
use rsvp_core::{InterfaceId, SessionKey};
use rsvp_driver::OutsideView;

use super::flow::{adspec, filter, filters, flows, flowspec, sender_tspec, session, style};
use super::{Scene, cause, variant_name};
use crate::config::Config;

fn history(history: &History, scene: &Scene) -> api::StateHistory {
    let last_event = if history.refreshed > history.changed {
        "refreshed"
    } else if history.changed > history.created {
        "changed"
    } else {
        "created"
    };
    api::StateHistory {
        last_event: last_event.to_owned(),
        cause: cause(&history.cause),
        created: scene.since(history.created),
        changed: scene.since(history.changed),
        refreshed: scene.since(history.refreshed),
    }
}

fn next(deadline: Option<&Deadline>, scene: &Scene) -> Option<api::Next> {
    deadline.map(|deadline| scene.next(deadline.at, variant_name(&deadline.reason)))
}

fn seconds_left(deadline: Option<&Deadline>, scene: &Scene) -> Option<f64> {
    next(deadline, scene).map(|next| next.in_seconds)
}

fn seconds(millis: u32) -> f64 {
    f64::from(millis) / 1000.0
}

/// All sessions. Each takes history and deadline from its path and reservation state.
pub(crate) fn sessions(state: &Snapshot, scene: &Scene) -> Vec<api::SessionView> {
    let Snapshot { senders, reservations, .. } = state;
    let histories: Vec<(&SessionKey, &History)> = senders
        .iter()
        .map(|view| (&view.session, &view.history))
        .chain(reservations.iter().map(|view| (&view.session, &view.history)))
        .collect();
    let deadlines: Vec<(&SessionKey, &Deadline)> = senders
        .iter()
        .filter_map(|view| Some((&view.session, view.expires.as_ref()?)))
        .chain(reservations.iter().filter_map(|view| Some((&view.session, view.expires.as_ref()?))))
        .collect();
    let latest = index(&histories, |a, b| a.changed > b.changed);
    let earliest = index(&deadlines, |a, b| a.at < b.at);
    let up: BTreeSet<&SessionKey> =
        reservations.iter().filter(|view| view.admitted).map(|view| &view.session).collect();
    let view = |view: &SessionView| api::SessionView {
        session: session(&view.session),
        session_status: if up.contains(&view.session) { "up" } else { "down" }.to_owned(),
        style: view.style.map(style),
        psbs: view.senders,
        rsbs: view.reservations,
        tcsbs: view.installed,
        applications: view.applications.iter().map(|id| id.0).collect(),
        local: view.local,
        history: latest.get(&view.session).map(|found| history(found, scene)),
        next: next(earliest.get(&view.session).copied(), scene),
    };
    state.sessions.iter().map(view).collect()
}

/// For each key the item that beats all others.
fn index<'a, K: Ord, T>(items: &[(&'a K, &'a T)], beats: impl Fn(&T, &T) -> bool) -> BTreeMap<&'a K, &'a T> {
    let mut best = BTreeMap::new();
    for (key, item) in items {
        let entry = best.entry(*key).or_insert(*item);
        if beats(item, entry) {
            *entry = item;
        }
    }
    best
}

/// All path state.
pub(crate) fn senders(state: &Snapshot, scene: &Scene) -> Vec<api::SenderView> {
    let view = |view: &SenderView| api::SenderView {
        session: session(&view.session),
        sender: filter(&view.sender),
        tspec: sender_tspec(&view.tspec),
        adspec: view.adspec.as_ref().and_then(adspec),
        previous_hop: view.previous_hop.map(|hop| api::Hop { address: hop.address, lih: hop.lih }),
        incoming_interface: view.incoming_interface.map(|id| scene.name(id)),
        outgoing_interfaces: view.outgoing_interfaces.iter().map(|id| scene.name(*id)).collect(),
        local: view.local,
        non_rsvp: view.non_rsvp,
        refresh_interval: seconds(view.refresh_ms),
        ttl: view.ttl,
        history: history(&view.history, scene),
        expires_in: seconds_left(view.expires.as_ref(), scene),
        next: next(view.expires.as_ref().or(view.refresh.as_ref()), scene),
    };
    state.senders.iter().map(view).collect()
}

/// All reservation state. What a local receiver asked for does not expire; next it is asked of a previous hop again.
pub(crate) fn reservations(state: &Snapshot, scene: &Scene) -> Vec<api::ReservationView> {
    let refreshes: Vec<(&SessionKey, &Deadline)> =
        state.requests.iter().filter_map(|view| Some((&view.session, view.refresh.as_ref()?))).collect();
    let earliest = index(&refreshes, |a, b| a.at < b.at);
    let view = |view: &ReservationView| api::ReservationView {
        session: session(&view.session),
        style: style(view.style),
        senders: filters(&view.filters),
        flowspec: flowspec(&view.flowspec),
        next_hop: view.next_hop,
        interface: view.interface.map(|id| scene.name(id)),
        admitted: view.admitted,
        refused: view.refused.as_ref().map(cause),
        refresh_interval: seconds(view.refresh_ms),
        history: history(&view.history, scene),
        expires_in: seconds_left(view.expires.as_ref(), scene),
        next: next(view.expires.as_ref().or_else(|| earliest.get(&view.session).copied()), scene),
    };
    state.reservations.iter().map(view).collect()
}

/// All that is asked of previous hops.
pub(crate) fn requests(state: &Snapshot, scene: &Scene) -> Vec<api::RequestView> {
    let view = |view: &RequestView| api::RequestView {
        session: session(&view.session),
        previous_hop: view.previous_hop,
        interface: scene.name(view.interface),
        style: style(view.style),
        flows: flows(&view.flows),
        blockaded: view.blockaded,
        history: history(&view.history, scene),
        next: next(view.refresh.as_ref(), scene),
    };
    state.requests.iter().map(view).collect()
}

/// All traffic control state. It lasts as long as the reservations that it was made from.
pub(crate) fn installed(state: &Snapshot, scene: &Scene) -> Vec<api::InstalledView> {
    let expiries: Vec<((SessionKey, InterfaceId), &Deadline)> = state
        .reservations
        .iter()
        .filter_map(|view| Some(((view.session, view.interface?), view.expires.as_ref()?)))
        .collect();
    let keyed: Vec<_> = expiries.iter().map(|(key, deadline)| (key, *deadline)).collect();
    let earliest = index(&keyed, |a, b| a.at < b.at);
    let view = |view: &InstalledView| api::InstalledView {
        id: view.id.0,
        session: session(&view.session),
        interface: scene.name(view.interface),
        style: style(view.style),
        senders: filters(&view.filters),
        flowspec: flowspec(&view.flowspec),
        police: police(view.police),
        bandwidth: view.bandwidth.saturating_mul(8),
        installed: view.installed,
        history: history(&view.history, scene),
        next: next(earliest.get(&(view.session, view.interface)).copied(), scene),
    };
    state.installed.iter().map(view).collect()
}

/// Requests that were refused lately.
pub(crate) fn refusals(state: &Snapshot, scene: &Scene) -> Vec<api::RefusalView> {
    let view = |view: &RefusalView| {
        let (subject, senders, its_style, neighbor, interface) = match &view.subject {
            Subject::Path { sender, previous_hop, interface } => {
                ("path", vec![filter(sender)], None, *previous_hop, *interface)
            }
            Subject::Reservation { next_hop, interface, style: asked, filters: senders } => {
                ("reservation", filters(senders), Some(style(*asked)), *next_hop, *interface)
            }
            // No other request can be refused.
            _ => return None,
        };
        Some(api::RefusalView {
            session: session(&view.session),
            subject: subject.to_owned(),
            senders,
            style: its_style,
            neighbor,
            interface: interface.map(|id| scene.name(id)),
            cause: cause(&view.cause),
            first: scene.since(view.first),
            last: scene.since(view.last),
            count: view.count,
            next: scene.next(view.expires.at, "is forgotten".to_owned()),
        })
    };
    state.refusals.iter().filter_map(view).collect()
}

fn police(flags: PoliceFlags) -> Vec<String> {
    [(PoliceFlags::ENTRY, "entry"), (PoliceFlags::MERGE, "merge"), (PoliceFlags::BRANCH, "branch")]
        .into_iter()
        .filter(|(flag, _)| flags.contains(*flag))
        .map(|(_, name)| name.to_owned())
        .collect()
}

/// All interfaces.
pub(crate) fn interfaces(state: &Snapshot, system: &OutsideView) -> Vec<api::InterfaceView> {
    let view = |view: &InterfaceView| api::InterfaceView {
        lih: view.id.0,
        addresses: view.addresses.clone(),
        mtu: view.mtu,
        up: view.up,
        enabled: view.config.enabled,
        bandwidth: view.bandwidth.map(|pool| api::Bandwidth {
            total: pool.total.saturating_mul(8),
            per_flow: pool.per_flow.saturating_mul(8),
            link: pool.link.saturating_mul(8),
            reserved: view.reserved.saturating_mul(8),
            available: pool.total.saturating_sub(view.reserved).saturating_mul(8),
        }),
        reservations: view.reservations,
        traffic_control: system.enforced.contains(&view.name),
        udp: view.udp,
        groups: system.groups.get(&view.name).cloned().unwrap_or_default(),
        refresh_interval: view.config.refresh.as_secs_f64(),
        refresh_misses: view.config.refresh_multiple,
        blockade_multiple: view.config.blockade_multiple,
        repair_delay: view.config.repair_delay.as_secs_f64(),
        slew_max: rounded(view.config.slew_max),
        name: view.name.clone(),
    };
    state.interfaces.iter().map(view).collect()
}

/// As it was written: 0.3 and not 0.30000001192092896.
fn rounded(value: f32) -> f64 {
    (f64::from(value) * 1e6).round() / 1e6
}

/// All neighbours, those of the configuration included whether they were heard or not.
pub(crate) fn neighbors(state: &Snapshot, config: &Config, scene: &Scene) -> Vec<api::NeighborView> {
    let view = |view: &NeighborView| {
        let interface = scene.name(view.interface);
        api::NeighborView {
            address: view.address,
            configured: config.extras(&interface).neighbors.contains(&view.address),
            interface,
            psbs: view.senders,
            rsbs: view.reservations,
            udp: view.udp,
            last_heard: view.last_heard.map(|at| scene.since(at)),
            last_sent: view.last_sent.map(|at| scene.since(at)),
            advertised: view.advertised,
            refresh_reduction: Some(reduction(&view.reduction, scene)),
        }
    };
    let mut views: Vec<_> = state.neighbors.iter().map(view).collect();
    for (name, extras) in &config.interfaces {
        for address in &extras.neighbors {
            if !views.iter().any(|view| view.interface == *name && view.address == *address) {
                views.push(api::NeighborView {
                    address: *address,
                    interface: name.clone(),
                    configured: true,
                    psbs: 0,
                    rsbs: 0,
                    udp: false,
                    last_heard: None,
                    last_sent: None,
                    advertised: 0,
                    refresh_reduction: None,
                });
            }
        }
    }
    views
}

fn reduction(view: &ReductionView, scene: &Scene) -> api::Reduction {
    api::Reduction {
        local_refresh_reduction: view.local_capable,
        remote_refresh_reduction: view.remote_capable,
        remote_message_id: view.remote_message_id,
        rejects_message_id: view.rejects_message_id,
        message_ids: view.message_ids,
        bundles: view.bundles,
        summary_refresh: view.summary_refresh,
        local_epoch: view.local_epoch,
        remote_epoch: view.remote_epoch,
        outstanding: view.outstanding,
        paced: view.paced,
        summarized: view.summarized,
        next: view.next_refresh.map(|at| scene.next(at, variant_name(&WakeReason::Refresh))),
        counters: reduction_counts(&view.counters),
    }
}

fn reduction_counts(counters: &ReductionCounters) -> api::ReductionCounts {
    api::ReductionCounts {
        retransmitted: counters.retransmitted,
        given_up: counters.given_up,
        sent_ack: counters.sent_ack,
        sent_nack: counters.sent_nack,
        received_ack: counters.received_ack,
        received_nack: counters.received_nack,
        unknown_ack: counters.unknown_ack,
        unknown_nack: counters.unknown_nack,
        out_of_order: counters.out_of_order,
        summary_refreshed: counters.summary_refreshed,
        summary_refreshes_received: counters.summary_refreshes_received,
        restarts: counters.restarts,
    }
}

/// All counters.
pub(crate) fn counters(counters: &Counters) -> api::Counters {
    let (received, sent) = (&counters.received, &counters.sent);
    api::Counters {
        messages: api::MessageCounts {
            path_received: received.path,
            path_sent: sent.path,
            resv_received: received.resv,
            resv_sent: sent.resv,
            path_err_received: received.path_err,
            path_err_sent: sent.path_err,
            resv_err_received: received.resv_err,
            resv_err_sent: sent.resv_err,
            path_tear_received: received.path_tear,
            path_tear_sent: sent.path_tear,
            resv_tear_received: received.resv_tear,
            resv_tear_sent: sent.resv_tear,
            resv_confirm_received: received.resv_confirm,
            resv_confirm_sent: sent.resv_confirm,
            bundle_received: received.bundle,
            bundle_sent: sent.bundle,
            ack_received: received.ack,
            ack_sent: sent.ack,
            srefresh_received: received.srefresh,
            srefresh_sent: sent.srefresh,
        },
        refreshes_received: counters.refreshes_received,
        refreshes_sent: counters.refreshes_sent,
        packets: api::PacketCounts {
            received: counters.packets_received,
            sent: counters.packets_sent,
            octets_received: counters.octets_received,
            octets_sent: counters.octets_sent,
        },
        refresh_reduction: reduction_counts(&counters.reduction),
        acks_dropped: counters.acks_dropped,
        dropped: counters.dropped.iter().map(|(reason, count)| (variant_name(reason), *count)).collect(),
        path_timeouts: counters.path_timeouts,
        resv_timeouts: counters.resv_timeouts,
        admission_failures: counters.admission_failures,
        policy_failures: counters.policy_failures,
        events_lost: counters.events_lost,
        one_shots_dropped: counters.one_shots_dropped,
        clock_backwards: counters.clock_backwards,
        early_wakeups: counters.early_wakeups,
    }
}
