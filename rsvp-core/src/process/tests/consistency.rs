//! What holds of a node's state between any two calls.

use alloc::collections::BTreeMap;
use core::net::IpAddr;

use crate::InterfaceId;
use crate::admission::Ledger;
use crate::node::Node;
use crate::state::{Delivery, NextHopId, OutboxItem, Peer, RefreshTarget};
use crate::timer::TimerId;

/// Panics if the node's state contradicts itself.
pub(super) fn check(node: &Node) {
    check_links(node);
    check_indexes(node);
    check_books(node);
    check_deliveries(node);
    check_timers(node);
}

fn check_links(node: &Node) {
    let state = &node.state;
    let (mut psbs, mut rsbs, mut tcsbs, mut bsbs, mut ads) = (0, 0, 0, 0, 0);
    for (id, session) in &state.sessions {
        assert!(!session.is_empty(), "{} has nothing", session.key);
        assert_eq!(state.session(&session.key), Some(id));
        assert!(session.psbs.iter().all(|psb| state.psbs[*psb].session == id));
        assert!(session.rsbs.iter().all(|rsb| state.rsbs[*rsb].session == id));
        assert!(session.tcsbs.iter().all(|tcsb| state.tcsbs[*tcsb].session == id));
        assert!(session.bsbs.iter().all(|bsb| state.bsbs[*bsb].session == id));
        assert!(session.resv_ads.iter().all(|ad| state.resv_ads[*ad].session == id));
        assert!(session.apis.iter().all(|api| state.apis[api].session == id));
        psbs += session.psbs.len();
        rsbs += session.rsbs.len();
        tcsbs += session.tcsbs.len();
        bsbs += session.bsbs.len();
        ads += session.resv_ads.len();
        for tcsb in &session.tcsbs {
            let tcsb = &state.tcsbs[*tcsb];
            assert!(
                session.rsbs.iter().any(|rsb| state.rsbs[*rsb].next_hop.interface() == Some(tcsb.interface)),
                "a TCSB without an RSB"
            );
        }
    }
    assert_eq!(
        (psbs, rsbs, tcsbs, bsbs, ads),
        (state.psbs.len(), state.rsbs.len(), state.tcsbs.len(), state.bsbs.len(), state.resv_ads.len())
    );
    let path_ads: usize = state.psbs.values().map(|psb| psb.ads.len()).sum();
    assert_eq!(path_ads, state.path_ads.len());
    for (id, psb) in &state.psbs {
        assert!(psb.ads.iter().all(|ad| state.path_ads[*ad].psb == id));
    }
}

fn check_indexes(node: &Node) {
    let state = &node.state;
    assert_eq!(state.session_index.len(), state.sessions.len());
    assert_eq!(state.installations.len(), state.tcsbs.len());
    for (id, tcsb) in &state.tcsbs {
        assert_eq!(state.installations.get(&tcsb.id), Some(&id));
    }
    let apis: usize = state.sessions.values().map(|session| session.apis.len()).sum();
    assert_eq!(apis, state.apis.len());
    for (fingerprint, target) in &state.refreshes {
        let is_known = match target {
            RefreshTarget::Path(psb) => {
                [state.psbs[*psb].fingerprint, state.psbs[*psb].summary].contains(&Some(*fingerprint))
            }
            RefreshTarget::Resv(rsbs) => rsbs.iter().all(|rsb| {
                [state.rsbs[*rsb].fingerprint, state.rsbs[*rsb].summary].contains(&Some(*fingerprint))
            }),
        };
        assert!(is_known, "a stale fingerprint");
    }
    let mut users = BTreeMap::new();
    for psb in state.psbs.values() {
        *users.entry(psb.route).or_insert(0_usize) += 1;
    }
    assert_eq!(users.len(), state.routes.len());
    for (key, count) in users {
        let entry = &state.routes[&key];
        assert!(entry.users().iter().filter(|psb| state.psbs.contains_key(**psb)).count() == count);
    }
}

fn check_books(node: &Node) {
    let state = &node.state;
    let mut books: BTreeMap<InterfaceId, Ledger> = BTreeMap::new();
    for tcsb in state.tcsbs.values() {
        let book = books.entry(tcsb.interface).or_default();
        book.reserved += tcsb.booked.bandwidth;
        book.on_link += tcsb.booked.on_link;
        book.reservations += 1;
        book.guaranteed += usize::from(tcsb.booked.is_guaranteed);
    }
    for (id, interface) in &state.interfaces {
        assert_eq!(interface.ledger, books.get(id).copied().unwrap_or_default(), "the ledger of {id:?}");
    }
    let mut neighbors: BTreeMap<_, [usize; 5]> = BTreeMap::new();
    let mut count =
        |neighbor: (InterfaceId, IpAddr), what: usize| neighbors.entry(neighbor).or_default()[what] += 1;
    for psb in state.psbs.values() {
        if let Some((hop, interface)) = psb.previous_hop() {
            count((interface, hop.address), 0);
        }
    }
    for rsb in state.rsbs.values() {
        if let NextHopId::Hop(address, interface) = rsb.next_hop {
            count((interface, address), 1);
        }
    }
    for ad in state.path_ads.values() {
        if let Some(address) = ad.neighbor {
            count((ad.interface, address), 2);
        }
    }
    for ad in state.resv_ads.values() {
        count((ad.interface, ad.hop.address), 2);
    }
    for (_, delivery) in deliveries(node) {
        if let Some(Peer::One(interface, address)) = delivery.awaited.as_ref().map(|awaited| awaited.peer) {
            count((interface, address), 3);
        }
    }
    for (_, one_shot) in node.outbox.all_one_shots() {
        if let Some(Peer::One(interface, address)) = one_shot.peer {
            count((interface, address), 4);
        }
    }
    let kept: BTreeMap<_, _> = state
        .neighbors
        .iter()
        .map(|(key, n)| (*key, [n.senders, n.reservations, n.advertised, n.outstanding, n.one_shots]))
        .filter(|(_, counts)| *counts != [0; 5])
        .collect();
    assert_eq!(kept, neighbors);
}

/// How far every message has got.
fn deliveries(node: &Node) -> impl Iterator<Item = (OutboxItem, &Delivery)> {
    let paths = node.state.path_ads.iter().map(|(id, ad)| (OutboxItem::Path(id), &ad.delivery));
    let resvs = node.state.resv_ads.iter().map(|(id, ad)| (OutboxItem::Resv(id), &ad.delivery));
    let one_shots =
        node.outbox.all_one_shots().map(|(id, one_shot)| (OutboxItem::OneShot(id), &one_shot.delivery));
    paths.chain(resvs).chain(one_shots)
}

/// Identifiers, and the places of what is refreshed together.
fn check_deliveries(node: &Node) {
    let (mut identified, mut seated) = (0, 0);
    for (item, delivery) in deliveries(node) {
        if let Some(id) = delivery.id {
            identified += 1;
            assert_eq!(node.message_ids.message(id), Some(item), "an identifier leads elsewhere");
        }
        assert!(delivery.awaited.is_none() || delivery.id.is_some());
        if let Some(seat) = delivery.seat {
            seated += 1;
            let group = node.state.refresh_groups.get(seat.group).expect("the group of a seat");
            let index = seat.index as usize;
            let found = [&group.plain, &group.multicast].map(|members| members.get(index));
            assert!(found.contains(&Some((delivery.id.unwrap_or(0), item))), "somebody else has the seat");
        }
    }
    identified += node.state.refresh_groups.iter().filter(|group| group.probe.is_some()).count();
    assert_eq!(identified, node.message_ids.len(), "an identifier of nothing");
    let groups = || node.state.refresh_groups.iter();
    assert_eq!(seated, groups().map(|group| group.plain.len() + group.multicast.len()).sum::<usize>());
    assert!(groups().all(|group| group.timer.is_some() && !group.is_empty()));
}

fn check_timers(node: &Node) {
    let state = &node.state;
    let mut timers: alloc::vec::Vec<TimerId> = alloc::vec::Vec::new();
    for psb in state.psbs.values() {
        assert_eq!(psb.timer.is_some(), psb.previous_hop().is_some(), "a PSB's cleanup");
        timers.extend(psb.timer.into_iter().chain(psb.repair));
    }
    for rsb in state.rsbs.values() {
        assert_eq!(rsb.timer.is_some(), rsb.next_hop.interface().is_some(), "an RSB's cleanup");
        timers.extend(rsb.timer);
    }
    timers.extend(state.tcsbs.values().filter_map(|tcsb| tcsb.retry));
    for bsb in state.bsbs.values() {
        assert!(bsb.timer.is_some());
        timers.extend(bsb.timer);
    }
    for ad in state.path_ads.values() {
        let is_refreshed = ad.queued || ad.timer.is_some() || ad.delivery.seat.is_some();
        assert!(ad.told.is_none() || is_refreshed, "a Path is never refreshed");
        timers.extend(ad.timer);
    }
    for ad in state.resv_ads.values() {
        let is_refreshed = ad.queued || ad.timer.is_some() || ad.delivery.seat.is_some();
        assert!(ad.told.is_none() || is_refreshed, "a Resv is never refreshed");
        timers.extend(ad.timer);
    }
    let awaited = deliveries(node).filter_map(|(_, delivery)| delivery.awaited.as_ref());
    timers.extend(awaited.filter_map(|awaited| awaited.timer));
    timers.extend(state.refresh_groups.iter().filter_map(|group| group.timer));
    timers.extend(state.acks.iter().filter_map(|account| account.timer));
    timers.extend(node.outbox.held());
    assert!(timers.iter().all(|timer| node.timers.deadline(*timer).is_some()), "a timer that is gone");
    assert_eq!(timers.len(), node.timers.len(), "a timer of nothing");
}

/// Panics if the node holds anything.
pub(super) fn check_empty(node: &Node) {
    let state = &node.state;
    assert!(node.sessions().is_empty(), "{:?}", node.sessions());
    assert!(state.psbs.is_empty() && state.rsbs.is_empty() && state.tcsbs.is_empty());
    assert!(state.bsbs.is_empty() && state.path_ads.is_empty() && state.resv_ads.is_empty());
    assert!(state.session_index.is_empty() && state.installations.is_empty() && state.refreshes.is_empty());
    assert!(state.routes.is_empty() && state.apis.is_empty());
    assert_eq!(state.neighbors.iter().count(), 0);
    assert_eq!((node.message_ids.len(), state.acks.total()), (0, 0));
    assert_eq!((state.refresh_groups.iter().count(), state.acks.iter().count()), (0, 0));
    assert_eq!(node.timers.len(), 0);
    assert!(node.outbox.is_done(), "{:?}", node.outbox);
    assert!(node.backlog.is_empty() && node.requests.is_empty());
    assert!(node.dirty_paths.is_empty() && node.dirty_resvs.is_empty());
    assert!(state.has_no_ports());
}
