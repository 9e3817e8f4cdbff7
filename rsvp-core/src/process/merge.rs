//! The content of a Resv: reservations merged over outgoing interfaces (RFC 2209, RESV REFRESH).

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::net::IpAddr;

use super::multihomed::Place;
use crate::input::InterfaceId;
use crate::intserv::Relation;
use crate::node::Node;
use crate::state::{Bsb, Desired, Psb, ResvAd, SessionId, Tcsb, Told};
use crate::wire::{FilterSpec, FlowDescriptor, Flowspec, RawObject, Style};

/// What there is to ask of a previous hop.
#[derive(Debug)]
pub(super) enum Content {
    /// Nothing is reserved for its senders.
    Nothing,
    /// All that is reserved for its senders is behind interfaces that they no longer leave by.
    Unrouted,
    /// All that is reserved is blockaded.
    Blockaded,
    /// This; and whether a blockade keeps something out of it.
    Flows(Told, bool),
}

/// One of the reservations that are merged for a sender.
#[derive(Clone, Copy)]
struct Contribution<'a> {
    /// Where it holds.
    place: Place,
    /// What goes upstream (Fwd_Flowspec).
    forwarded: &'a Flowspec,
    /// What a blockade is compared with (TC_Flowspec).
    requested: &'a Flowspec,
}

/// What is reserved in a session, by sender: many senders and many reservations must not multiply.
#[derive(Default)]
struct Contributions<'a> {
    by_sender: BTreeMap<FilterSpec, Vec<Contribution<'a>>>,
    wildcard: Vec<Contribution<'a>>,
}

impl<'a> Contributions<'a> {
    fn add<'f>(
        &mut self,
        style: Style,
        filters: impl Iterator<Item = &'f FilterSpec>,
        contribution: Contribution<'a>,
    ) {
        if style == Style::Wf {
            self.wildcard.push(contribution);
            return;
        }
        for filter in filters {
            self.by_sender.entry(*filter).or_default().push(contribution);
        }
    }
}

impl Node {
    /// What this node asks of a previous hop now. Where all reservations for a sender are blockaded, `merge_blockaded`
    /// merges them nevertheless, by their greatest lower bound (B_Merge).
    pub(super) fn resv_content(&self, ad: &ResvAd, merge_blockaded: bool) -> Content {
        let session = &self.state.sessions[ad.session];
        let Some(style) = self.style_of(ad.session) else { return Content::Nothing };
        let mut flows: Vec<FlowDescriptor> = Vec::new();
        let (mut is_blockaded, mut is_all_blockaded, mut is_unrouted) = (false, true, false);
        let reserved = self.all_contributions(ad.session);
        for psb in &session.psbs {
            let psb = &self.state.psbs[*psb];
            if psb.previous_hop() != Some((ad.hop, ad.interface)) {
                continue;
            }
            let all = self.contributions(psb, &reserved);
            if all.is_empty() {
                is_unrouted |= self.is_unrouted(psb);
                continue;
            }
            let free: Vec<_> = all.iter().filter(|c| !self.is_blockaded(psb, ad, c.requested)).collect();
            is_blockaded |= free.len() < all.len();
            let merged = if !free.is_empty() {
                bound(free.iter().map(|c| c.forwarded), |a, b| self.admission.lub(a, b))
            } else if merge_blockaded {
                bound(all.iter().map(|c| c.forwarded), |a, b| self.admission.glb(a, b))
            } else {
                continue;
            };
            is_all_blockaded = false;
            flows.push(FlowDescriptor { flowspec: merged, filters: alloc::vec![psb.sender] });
        }
        if flows.is_empty() {
            return match (is_blockaded && is_all_blockaded, is_unrouted) {
                (true, _) => Content::Blockaded,
                (false, true) => Content::Unrouted,
                (false, false) => Content::Nothing,
            };
        }
        if style != Style::Ff {
            flows = alloc::vec![self.share(flows, style)];
        }
        flows.sort_unstable_by(|a, b| a.filters.cmp(&b.filters));
        let scope = (style == Style::Wf && self.needs_scope(ad.session)).then(|| self.scope(ad));
        if scope.as_ref().is_some_and(Vec::is_empty) {
            return Content::Nothing;
        }
        let (policy, forward) = self.passed_on(ad, style);
        Content::Flows(Told { style, flows, scope, policy, forward }, is_blockaded)
    }

    /// Whether a WF Resv carries a SCOPE: senders come from several previous hops, or a next hop already limits it;
    /// but not on a tree that all senders share (RFC 2205 section 3.4).
    fn needs_scope(&self, session: SessionId) -> bool {
        let session = &self.state.sessions[session];
        let mut hops = session.psbs.iter().filter_map(|psb| self.state.psbs[*psb].previous_hop());
        let first = hops.next();
        let is_shared_tree = |psb| {
            let route = self.state.routes.get(&self.state.psbs[psb].route);
            route.and_then(|route| route.answer.as_ref()).is_some_and(|route| route.shared_tree)
        };
        (hops.any(|hop| Some(hop) != first)
            || session.rsbs.iter().any(|rsb| self.state.rsbs[*rsb].contents.scope.is_some()))
            && !session.psbs.iter().any(|psb| is_shared_tree(*psb))
    }

    /// The SCOPE towards a previous hop: its senders, as far as they are in the scope of some reservation behind an
    /// interface that they leave by.
    fn scope(&self, ad: &ResvAd) -> Vec<IpAddr> {
        let session = &self.state.sessions[ad.session];
        let mut scope = BTreeSet::new();
        for psb in &session.psbs {
            let psb = &self.state.psbs[*psb];
            let source = psb.sender.source();
            if psb.previous_hop() == Some((ad.hop, ad.interface))
                && session.rsbs.iter().map(|rsb| &self.state.rsbs[*rsb]).filter(|rsb| !rsb.denied).any(
                    |rsb| {
                        self.brings(psb, self.place_of(rsb))
                            && rsb.contents.scope.as_ref().is_none_or(|scope| scope.contains(&source))
                    },
                )
            {
                scope.insert(source);
            }
        }
        scope.into_iter().collect()
    }

    /// All that is reserved in a session: in traffic control on its outgoing interfaces, and by local receivers.
    fn all_contributions(&self, session: SessionId) -> Contributions<'_> {
        let session = &self.state.sessions[session];
        let mut all = Contributions::default();
        for tcsb in &session.tcsbs {
            let tcsb = &self.state.tcsbs[*tcsb];
            let Some(effective) = self.effective(tcsb) else { continue };
            let contribution = Contribution {
                place: Place::Outgoing(tcsb.interface),
                forwarded: effective.forwarded(),
                requested: &effective.flowspec,
            };
            all.add(tcsb.style, effective.filters.iter(), contribution);
        }
        let local = session.rsbs.iter().map(|rsb| &self.state.rsbs[*rsb]);
        for rsb in local.filter(|rsb| rsb.next_hop.interface().is_none() && !rsb.denied) {
            let flowspec = &rsb.contents.flowspec;
            let contribution =
                Contribution { place: self.place_of(rsb), forwarded: flowspec, requested: flowspec };
            all.add(rsb.style, rsb.contents.filters.iter().map(|filter| &filter.filter), contribution);
        }
        all
    }

    /// The reservations for one sender, of those in its session.
    fn contributions<'a>(&self, psb: &Psb, all: &'a Contributions<'a>) -> Vec<Contribution<'a>> {
        let named = all.by_sender.get(&psb.sender).into_iter().flatten();
        named.chain(&all.wildcard).copied().filter(|c| self.brings(psb, c.place)).collect()
    }

    /// Whether a PSB's data leaves by this interface. Of several PSBs of a unicast sender all do, though only one of
    /// them is advertised.
    pub(super) fn leaves_by(&self, psb: &Psb, interface: InterfaceId) -> bool {
        let is_silent = psb.ads.is_empty() && !psb.route.destination.is_multicast();
        let speaker = if is_silent { self.forwarder(psb.session, &psb.sender) } else { None };
        let psb = speaker.map_or(psb, |speaker| &self.state.psbs[speaker]);
        psb.ads.iter().any(|ad| self.state.path_ads[*ad].interface == interface)
    }

    /// Whether something is reserved for a sender on an interface that it does not leave by, by any of its PSBs.
    fn is_unrouted(&self, psb: &Psb) -> bool {
        self.state.sessions[psb.session].rsbs.iter().map(|rsb| &self.state.rsbs[*rsb]).any(|rsb| {
            rsb.matches(&psb.sender)
                && rsb.next_hop.interface().is_some_and(|interface| {
                    !self.leaves_by(psb, interface)
                        && !self.routes_to(psb.session, Some(&psb.sender), interface)
                })
        })
    }

    /// What of a TCSB counts towards upstream: what traffic control confirmed, or what is desired.
    fn effective<'a>(&self, tcsb: &'a Tcsb) -> Option<&'a Desired> {
        if self.config.wait_for_installation { tcsb.confirmed.as_ref() } else { Some(&tcsb.desired) }
    }

    /// Whether a blockade keeps this reservation from going upstream (RFC 2205 section 3.5).
    pub(super) fn is_blockaded(&self, psb: &Psb, ad: &ResvAd, flowspec: &Flowspec) -> bool {
        self.state.sessions[ad.session].bsbs.iter().any(|bsb| {
            let Bsb { previous_hop, interface, sender, flowspec: qb, .. } = &self.state.bsbs[*bsb];
            *previous_hop == ad.hop.address
                && *interface == ad.interface
                && sender.is_none_or(|sender| sender == psb.sender)
                && self.admission.compare(qb, flowspec) != Relation::Larger
        })
    }

    /// The one flow descriptor of a shared style.
    fn share(&self, flows: Vec<FlowDescriptor>, style: Style) -> FlowDescriptor {
        let wanted = flows.iter().filter_map(|flow| flow.flowspec.as_ref());
        let flowspec = bound(wanted, |a, b| self.admission.lub(a, b));
        let mut filters: Vec<_> = match style {
            Style::Wf => Vec::new(),
            Style::Ff | Style::Se => flows.into_iter().flat_map(|flow| flow.filters).collect(),
        };
        filters.sort_unstable();
        FlowDescriptor { flowspec, filters }
    }

    /// POLICY_DATA and unknown objects of class 11bbbbbb that go on upstream: those of all RSBs for these senders.
    fn passed_on(&self, ad: &ResvAd, style: Style) -> (Vec<RawObject>, Vec<RawObject>) {
        let session = &self.state.sessions[ad.session];
        let (mut policy, mut forward) = (Vec::new(), Vec::new());
        for rsb in &session.rsbs {
            let rsb = &self.state.rsbs[*rsb];
            let data = rsb.policy.onward();
            if rsb.denied || data.is_empty() && rsb.forward.is_empty() {
                continue;
            }
            let concerns = style == Style::Wf
                || session.psbs.iter().any(|psb| {
                    let psb = &self.state.psbs[*psb];
                    psb.previous_hop() == Some((ad.hop, ad.interface)) && rsb.matches(&psb.sender)
                });
            if concerns {
                policy.extend(data.iter().filter(|o| !policy.contains(*o)).cloned().collect::<Vec<_>>());
                forward.extend(
                    rsb.forward.iter().filter(|o| !forward.contains(*o)).cloned().collect::<Vec<_>>(),
                );
            }
        }
        (policy, forward)
    }
}

/// Folds flowspecs with LUB or GLB. Services that cannot be merged do not meet here (they are refused on each interface,
/// error 21/01); if they do, over different interfaces, the first stands.
fn bound<'a>(
    flowspecs: impl Iterator<Item = &'a Flowspec>,
    merge: impl Fn(&Flowspec, &Flowspec) -> Option<Flowspec>,
) -> Option<Flowspec> {
    flowspecs.fold(None, |merged, flowspec| match merged {
        None => Some(flowspec.clone()),
        Some(merged) => merge(&merged, flowspec).or(Some(merged)),
    })
}
