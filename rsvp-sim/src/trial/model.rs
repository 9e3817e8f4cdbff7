//! What the receivers' requests come to: an independent reckoning, from the topology, the routes and the requests alone.
//!
//! It follows the data of every sender over the links (so it knows who hears whose Path), and then the requests back.
//! Nothing here comes from the engine.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use rsvp_core::wire::{FilterSpec, Style};
use rsvp_core::{InterfaceId, SessionKey};

use crate::network::Network;
use crate::topology::{NodeId, Role};

/// A session as its applications left it.
#[derive(Clone, Debug)]
pub(super) struct Wishes {
    pub(super) key: SessionKey,
    pub(super) style: Style,
    /// Where each sender is, and the interface that it is bound to.
    pub(super) senders: Vec<(FilterSpec, Spot)>,
    pub(super) receivers: Vec<Receiver>,
    /// The most that anybody ever asked for.
    pub(super) highest: f32,
}

/// A receiver that reserves.
#[derive(Clone, Debug)]
pub(super) struct Receiver {
    pub(super) at: Spot,
    pub(super) rate: f32,
    /// For whom; all for WF.
    pub(super) wanted: BTreeSet<FilterSpec>,
}

/// An interface of a device.
pub(super) type Spot = (NodeId, InterfaceId);

/// A reservation: where data leaves, session and senders.
pub(super) type Reservation = (Spot, SessionKey, Vec<FilterSpec>);

/// What is reserved where: the least rate that it may have, and the most.
///
/// They differ where a shared reservation goes around a ring, by the trees of several senders: then what was once asked
/// for stays in the merged flowspec as long as anything is asked for (RFC 2205 knows no remedy).
pub(super) type Reserved = BTreeMap<Reservation, (f32, f32)>;

/// Path state: the device, the session, the sender, and where its Path came in (nowhere, for the sender's own device).
pub(super) type Paths = BTreeSet<(NodeId, SessionKey, FilterSpec, Option<InterfaceId>)>;

/// A Path on its way from one RSVP node to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Hop {
    from: Spot,
    to: Spot,
}

/// The way of one sender's data.
#[derive(Debug, Default)]
struct Flow {
    hops: BTreeSet<Hop>,
    /// Where there may be path state or not: at routers that do not take the data on, which hear of it by standard Paths
    /// to the group but not by what RFC 2961 sends in their place, and at hosts that do not receive it, with which it is
    /// the other way round on point-to-point links.
    idle: BTreeSet<Spot>,
    /// Where RSVP nodes pass it on.
    leaves: BTreeMap<NodeId, Vec<InterfaceId>>,
    /// Where routing expects it.
    expected: BTreeMap<NodeId, InterfaceId>,
}

/// What [`reckon`] finds.
#[derive(Default)]
pub(super) struct Reckoned {
    /// The path state that there is.
    pub(super) paths: Paths,
    /// That of it, and beside it, which need not be there.
    pub(super) idle: Paths,
    /// What is reserved.
    pub(super) reserved: Reserved,
}

/// Reckons what path state there must be, and what must be reserved.
pub(super) fn reckon(net: &mut Network, sessions: &[Wishes]) -> Reckoned {
    let Reckoned { mut paths, mut idle, mut reserved } = Reckoned::default();
    for wishes in sessions {
        let flows: BTreeMap<FilterSpec, Flow> = wishes
            .senders
            .iter()
            .map(|(filter, at)| (*filter, follow(net, wishes.key, *filter, *at)))
            .collect();
        for (filter, at) in &wishes.senders {
            paths.insert((at.0, wishes.key, *filter, None));
            for hop in &flows[filter].hops {
                paths.insert((hop.to.0, wishes.key, *filter, Some(hop.to.1)));
            }
            let spots = flows[filter].idle.iter();
            idle.extend(spots.map(|(node, on)| (*node, wishes.key, *filter, Some(*on))));
        }
        Reckoning { wishes, flows }.reserve(&mut reserved);
    }
    Reckoned { paths, idle, reserved }
}

fn follow(net: &mut Network, key: SessionKey, filter: FilterSpec, at: Spot) -> Flow {
    let mut flow = Flow::default();
    let destination = key.destination();
    if destination.is_multicast() {
        flow.leaves.insert(at.0, vec![at.1]);
        spread(net, (filter.source(), destination), at, at, &mut flow);
    } else {
        trace(net, destination, at.0, &mut flow);
    }
    flow
}

/// Unicast: from hop to hop.
fn trace(net: &mut Network, destination: IpAddr, from: NodeId, flow: &mut Flow) {
    let mut here = from;
    let mut last: Option<Spot> = None;
    loop {
        let Some(hop) = net.route(here, destination).outgoing.first().copied() else { return };
        if net.node(here).is_some() {
            last = Some((here, hop.interface));
            flow.leaves.insert(here, vec![hop.interface]);
        }
        let next = hop.gateway.unwrap_or(destination);
        let link = net.devices[here.0].port(hop.interface).expect("its own interface").link;
        let (device, position) = net.links[link.0]
            .ends
            .iter()
            .copied()
            .find(|(device, position)| net.devices[device.0].ports[*position].addresses.contains(&next))
            // The destination is an interface that this device does not reach by this link.
            .expect("the next hop is on the link");
        here = device;
        if let Some(from) = last
            && net.node(here).is_some()
        {
            let on = net.devices[here.0].ports[position].id;
            flow.hops.insert(Hop { from, to: (here, on) });
            flow.expected.insert(here, on);
        }
        if net.devices[here.0].owns(destination) {
            return;
        }
    }
}

/// Multicast: over a link, to everybody on it. `origin`: the RSVP node's interface that the Path comes from; `here`: the
/// interface by which it now gets onto a link.
fn spread(net: &mut Network, (source, group): (IpAddr, IpAddr), origin: Spot, here: Spot, flow: &mut Flow) {
    let link = net.devices[here.0.0].port(here.1).expect("its own interface").link;
    let is_point_to_point = net.links[link.0].point_to_point;
    for (device, position) in net.links[link.0].ends.clone() {
        // Nobody listens to itself, by whatever way it hears.
        if device == here.0 || net.devices[device.0].owns(source) {
            continue;
        }
        let on = net.devices[device.0].ports[position].id;
        let route = net.group_route(device, source, group);
        let is_router = net.devices[device.0].role == Role::Router;
        let has_rsvp = net.node(device).is_some();
        // A plain router may bring an RSVP node its own Path back.
        let is_own = device == origin.0;
        let is_member = net.devices[device.0].receives(group, on);
        let is_next_hop = is_member || is_router && route.incoming == Some(on) && !route.outgoing.is_empty();
        if has_rsvp && !is_own && !is_next_hop && (is_router || is_point_to_point) {
            flow.idle.insert((device, on));
        }
        if has_rsvp && !is_own && (is_router || is_member) {
            flow.hops.insert(Hop { from: origin, to: (device, on) });
            let default = route.outgoing.first().map(|hop| hop.interface).filter(|_| !is_router);
            flow.expected.extend(route.incoming.or(default).map(|expected| (device, expected)));
        }
        let is_seen = flow.leaves.contains_key(&device);
        if !is_router || route.incoming != Some(on) || is_seen && has_rsvp {
            continue;
        }
        let outgoing: Vec<InterfaceId> = route.outgoing.iter().map(|hop| hop.interface).collect();
        if has_rsvp {
            flow.leaves.insert(device, outgoing.clone());
        }
        for interface in outgoing {
            let next = (device, interface);
            spread(net, (source, group), if has_rsvp { next } else { origin }, next, flow);
        }
    }
}

struct Reckoning<'a> {
    wishes: &'a Wishes,
    flows: BTreeMap<FilterSpec, Flow>,
}

impl Reckoning<'_> {
    /// The receivers that get this sender's data as a hop brings it, and want it.
    fn receivers<'a>(&'a self, sender: &'a FilterSpec, hop: Hop) -> impl Iterator<Item = &'a Receiver> {
        self.wishes.receivers.iter().filter(move |receiver| {
            let is_wanted = self.wishes.style == Style::Wf || receiver.wanted.contains(sender);
            is_wanted && receiver.at.0 == hop.to.0 && self.delivers(&self.flows[sender], hop, receiver.at.1)
        })
    }

    /// Whether a hop is the one by which an application that receives on `on` gets the data: its own interface's, else
    /// that of the interface that routing expects it on.
    fn delivers(&self, flow: &Flow, hop: Hop, on: InterfaceId) -> bool {
        let device = hop.to.0;
        if !self.wishes.key.destination().is_multicast() {
            return true;
        }
        let arrives = |interface| flow.hops.iter().any(|other| other.to == (device, interface));
        let expected = flow.expected.get(&device).copied();
        let by = [Some(on), expected].into_iter().flatten().find(|interface| arrives(*interface));
        by.is_none_or(|interface| interface == hop.to.1)
    }

    /// Where a device passes on what a hop brings.
    fn onward(flow: &Flow, hop: Hop) -> Vec<Spot> {
        let device = hop.to.0;
        if flow.expected.get(&device).is_some_and(|expected| *expected != hop.to.1) {
            return Vec::new();
        }
        let leaves = flow.leaves.get(&device).into_iter().flatten();
        leaves.map(|interface| (device, *interface)).collect()
    }

    /// The outgoing interfaces behind which somebody wants this sender.
    fn wanted(&self, sender: &FilterSpec) -> BTreeSet<Spot> {
        let flow = &self.flows[sender];
        let mut wanted: BTreeSet<Spot> = BTreeSet::new();
        loop {
            let before = wanted.len();
            for hop in &flow.hops {
                let is_wanted = self.receivers(sender, *hop).next().is_some()
                    || Self::onward(flow, *hop).iter().any(|spot| wanted.contains(spot));
                if is_wanted {
                    wanted.insert(hop.from);
                }
            }
            if wanted.len() == before {
                return wanted;
            }
        }
    }

    fn reserve(&self, reserved: &mut Reserved) {
        let key = self.wishes.key;
        let wanted: BTreeMap<FilterSpec, BTreeSet<Spot>> =
            self.flows.keys().map(|sender| (*sender, self.wanted(sender))).collect();
        if self.wishes.style == Style::Ff {
            for sender in self.flows.keys() {
                for (spot, rates) in self.rates(&[*sender], &wanted) {
                    reserved.insert((spot, key, vec![*sender]), rates);
                }
            }
            return;
        }
        let senders: Vec<FilterSpec> = self.flows.keys().copied().collect();
        for (spot, rates) in self.rates(&senders, &wanted) {
            let here = senders.iter().copied().filter(|sender| wanted[sender].contains(&spot));
            let filters = if self.wishes.style == Style::Wf { Vec::new() } else { here.collect() };
            reserved.insert((spot, key, filters), rates);
        }
    }

    /// The merged rate on every outgoing interface, of reservations that these senders share.
    fn rates(
        &self,
        senders: &[FilterSpec],
        wanted: &BTreeMap<FilterSpec, BTreeSet<Spot>>,
    ) -> BTreeMap<Spot, (f32, f32)> {
        let spots: BTreeSet<Spot> = senders.iter().flat_map(|sender| &wanted[sender]).copied().collect();
        // What each of them hangs on: requests here, and outgoing interfaces further on.
        let mut requests: BTreeMap<Spot, f32> = spots.iter().map(|spot| (*spot, 0.0)).collect();
        let mut behind: BTreeMap<Spot, BTreeSet<Spot>> = BTreeMap::new();
        for sender in senders {
            let flow = &self.flows[sender];
            for hop in flow.hops.iter().filter(|hop| spots.contains(&hop.from)) {
                // WF: a previous hop is asked if anybody behind wants any of its senders, and then with all that is
                // reserved for any of them. SE: only the senders that are wanted count.
                let is_asked = match self.wishes.style {
                    Style::Wf => senders.iter().any(|other| self.is_asked(other, *hop, wanted)),
                    Style::Ff | Style::Se => self.is_asked(sender, *hop, wanted),
                };
                if !is_asked {
                    continue;
                }
                let rate = requests.entry(hop.from).or_default();
                *rate = self.receivers(sender, *hop).map(|receiver| receiver.rate).fold(*rate, f32::max);
                let onward = Self::onward(flow, *hop).into_iter();
                let counts = |spot: &Spot| match self.wishes.style {
                    Style::Wf => spots.contains(spot),
                    Style::Ff | Style::Se => wanted[sender].contains(spot),
                };
                behind.entry(hop.from).or_default().extend(onward.filter(counts));
            }
        }
        self.settle(&spots, &requests, &behind)
    }

    /// Whether the Resv of the hop's end to its beginning is for this sender.
    fn is_asked(&self, sender: &FilterSpec, hop: Hop, wanted: &BTreeMap<FilterSpec, BTreeSet<Spot>>) -> bool {
        let flow = &self.flows[sender];
        flow.hops.contains(&hop)
            && (self.receivers(sender, hop).next().is_some()
                || Self::onward(flow, hop).iter().any(|spot| wanted[sender].contains(spot)))
    }

    /// The least solution; and the most that may be where something hangs on itself.
    fn settle(
        &self,
        spots: &BTreeSet<Spot>,
        requests: &BTreeMap<Spot, f32>,
        behind: &BTreeMap<Spot, BTreeSet<Spot>>,
    ) -> BTreeMap<Spot, (f32, f32)> {
        let nothing = BTreeSet::new();
        let behind = |spot: &Spot| behind.get(spot).unwrap_or(&nothing);
        let mut rates = requests.clone();
        let mut changed = true;
        while std::mem::take(&mut changed) {
            for spot in spots {
                let rate = behind(spot).iter().map(|other| rates[other]).fold(rates[spot], f32::max);
                changed |= rates.insert(*spot, rate) != Some(rate);
            }
        }
        // Those that hang on nothing unsettled are settled; what is left hangs on a ring.
        let mut open = spots.clone();
        while let Some(free) = open.iter().copied().find(|spot| behind(spot).is_disjoint(&open)) {
            open.remove(&free);
        }
        let most = |spot: &Spot| if open.contains(spot) { self.wishes.highest } else { rates[spot] };
        spots.iter().map(|spot| (*spot, (rates[spot], most(spot)))).collect()
    }
}
