//! The content of a Resv: reservations merged over outgoing interfaces (RFC 2209, RESV REFRESH).

use alloc::vec::Vec;

use crate::input::InterfaceId;
use crate::intserv::{self, Relation};
use crate::node::Node;
use crate::state::{Bsb, Desired, Psb, ResvAd, Tcsb, Told};
use crate::wire::{FlowDescriptor, Flowspec, RawObject, Style};

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
struct Contribution<'a> {
    /// What goes upstream (Fwd_Flowspec).
    forwarded: &'a Flowspec,
    /// What a blockade is compared with (TC_Flowspec).
    requested: &'a Flowspec,
}

impl Node {
    /// What this node asks of a previous hop now. Where all reservations for a sender are blockaded, `merge_blockaded`
    /// merges them nevertheless, by their greatest lower bound (B_Merge).
    pub(super) fn resv_content(&self, ad: &ResvAd, merge_blockaded: bool) -> Content {
        let session = &self.state.sessions[ad.session];
        let Some(style) = self.style_of(ad.session) else { return Content::Nothing };
        let mut flows: Vec<FlowDescriptor> = Vec::new();
        let (mut is_blockaded, mut is_all_blockaded, mut is_unrouted) = (false, true, false);
        for psb in &session.psbs {
            let psb = &self.state.psbs[*psb];
            if psb.previous_hop() != Some((ad.hop, ad.interface)) {
                continue;
            }
            let all = self.contributions(psb);
            if all.is_empty() {
                is_unrouted |= self.is_unrouted(psb);
                continue;
            }
            let free: Vec<_> = all.iter().filter(|c| !self.is_blockaded(psb, ad, c.requested)).collect();
            is_blockaded |= free.len() < all.len();
            let merged = if !free.is_empty() {
                bound(free.iter().map(|c| c.forwarded), intserv::lub)
            } else if merge_blockaded {
                bound(all.iter().map(|c| c.forwarded), intserv::glb)
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
            flows = alloc::vec![share(flows, style)];
        }
        flows.sort_unstable_by(|a, b| a.filters.cmp(&b.filters));
        let (policy, forward) = self.passed_on(ad, style);
        Content::Flows(Told { style, flows, scope: None, policy, forward }, is_blockaded)
    }

    /// The reservations for one sender: those in traffic control on its outgoing interfaces, and local receivers'.
    fn contributions(&self, psb: &Psb) -> Vec<Contribution<'_>> {
        let session = &self.state.sessions[psb.session];
        let installed = session.tcsbs.iter().filter_map(|tcsb| {
            let tcsb = &self.state.tcsbs[*tcsb];
            let goes_there = self.leaves_by(psb, tcsb.interface);
            let effective = self.effective(tcsb)?;
            let matches = tcsb.style == Style::Wf || effective.filters.contains(&psb.sender);
            (goes_there && matches)
                .then(|| Contribution { forwarded: effective.forwarded(), requested: &effective.flowspec })
        });
        let local = session.rsbs.iter().filter_map(|rsb| {
            let rsb = &self.state.rsbs[*rsb];
            let flowspec = &rsb.contents.flowspec;
            (rsb.next_hop.interface().is_none() && rsb.matches(&psb.sender))
                .then_some(Contribution { forwarded: flowspec, requested: flowspec })
        });
        installed.chain(local).collect()
    }

    /// Whether a PSB's data leaves by this interface. Of several PSBs of a unicast sender all do, though only one of
    /// them is advertised.
    fn leaves_by(&self, psb: &Psb, interface: InterfaceId) -> bool {
        let is_silent = psb.ads.is_empty() && !psb.route.destination.is_multicast();
        let speaker = if is_silent { self.forwarder(psb.session, &psb.sender) } else { None };
        let psb = speaker.map_or(psb, |speaker| &self.state.psbs[speaker]);
        psb.ads.iter().any(|ad| self.state.path_ads[*ad].interface == interface)
    }

    /// Whether something is reserved for a sender on an interface that it does not leave by.
    fn is_unrouted(&self, psb: &Psb) -> bool {
        self.state.sessions[psb.session].rsbs.iter().map(|rsb| &self.state.rsbs[*rsb]).any(|rsb| {
            rsb.matches(&psb.sender)
                && rsb.next_hop.interface().is_some_and(|interface| !self.leaves_by(psb, interface))
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
                && intserv::compare(qb, flowspec) != Relation::Larger
        })
    }

    /// POLICY_DATA and unknown objects of class 11bbbbbb that go on upstream: those of all RSBs for these senders.
    fn passed_on(&self, ad: &ResvAd, style: Style) -> (Vec<RawObject>, Vec<RawObject>) {
        let session = &self.state.sessions[ad.session];
        let (mut policy, mut forward) = (Vec::new(), Vec::new());
        for rsb in &session.rsbs {
            let rsb = &self.state.rsbs[*rsb];
            if rsb.policy.is_empty() && rsb.forward.is_empty() {
                continue;
            }
            let concerns = style == Style::Wf
                || session.psbs.iter().any(|psb| {
                    let psb = &self.state.psbs[*psb];
                    psb.previous_hop() == Some((ad.hop, ad.interface)) && rsb.matches(&psb.sender)
                });
            if concerns {
                policy
                    .extend(rsb.policy.iter().filter(|o| !policy.contains(*o)).cloned().collect::<Vec<_>>());
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

/// The one flow descriptor of a shared style.
fn share(flows: Vec<FlowDescriptor>, style: Style) -> FlowDescriptor {
    let flowspec = bound(flows.iter().filter_map(|flow| flow.flowspec.as_ref()), intserv::lub);
    let mut filters: Vec<_> = match style {
        Style::Wf => Vec::new(),
        Style::Ff | Style::Se => flows.into_iter().flat_map(|flow| flow.filters).collect(),
    };
    filters.sort_unstable();
    FlowDescriptor { flowspec, filters }
}
