//! Multi-homed hosts, and routers with applications of their own (RFC 2205 section 3.9): which interface a local sender
//! or receiver of a group has to do with.

use crate::input::{InterfaceId, NextHop};
use crate::node::Node;
use crate::state::{NextHopId, PathOrigin, Psb, PsbId, Rsb, SessionId};
use crate::wire::SenderTemplate;

/// Where a reservation holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// On an outgoing interface.
    Outgoing(InterfaceId),
    /// Here, for an application that receives the group on this interface (Iapp), or where the system chose.
    Here(Option<InterfaceId>),
}

impl Node {
    pub(super) fn place_of(&self, rsb: &Rsb) -> Place {
        match rsb.next_hop {
            NextHopId::Hop(_, interface) => Place::Outgoing(interface),
            NextHopId::Local(api) => {
                let group = self.state.apis.get(&api).and_then(|application| application.group);
                Place::Here(group.and_then(|group| group.interface))
            }
        }
    }

    /// Whether data that comes in as this PSB says gets to a place, so that what is reserved there is asked for of
    /// the PSB's previous hop.
    pub(super) fn brings(&self, psb: &Psb, place: Place) -> bool {
        match place {
            Place::Outgoing(interface) => self.leaves_by(psb, interface),
            Place::Here(on) => self.delivers(psb, on),
        }
    }

    /// Whether an application that receives on `on` gets its data as this PSB says: by the path state of its own
    /// interface, if there is any, be it Local_Only; else by that of the interface that routing expects the data on, which
    /// takes it to the application within the node.
    fn delivers(&self, psb: &Psb, on: Option<InterfaceId>) -> bool {
        let Some((_, incoming)) = psb.previous_hop() else { return true };
        if !psb.route.destination.is_multicast() || on == Some(incoming) {
            return true;
        }
        let expected = self.expected_interface(psb);
        on.into_iter()
            .chain(expected)
            .find(|interface| self.arrives_on(psb, *interface))
            .is_none_or(|interface| interface == incoming)
    }

    /// Whether the sender's Path comes in on this interface, too.
    fn arrives_on(&self, psb: &Psb, interface: InterfaceId) -> bool {
        let comes_in = |psb: &Psb| psb.previous_hop().is_some_and(|(_, incoming)| incoming == interface);
        comes_in(psb) || self.find_psb(psb.session, &psb.sender, comes_in).is_some()
    }

    /// The interface on which routing expects a sender's data to a group. A host has no such routing: there it is the one
    /// that the system would send to the group by.
    pub(super) fn expected_interface(&self, psb: &Psb) -> Option<InterfaceId> {
        let route = self.state.routes.get(&psb.route)?.answer.as_ref()?;
        let default = || route.outgoing.first().map(|hop| hop.interface).filter(|_| !self.config.router);
        route.incoming.or_else(default)
    }

    /// Path state of a sender has come or gone, or routing expects it elsewhere: receivers here may get its data by
    /// another of its PSBs than before.
    pub(super) fn deliveries_changed(&mut self, session: SessionId, sender: &SenderTemplate) {
        if self.is_received(session) {
            self.mark_upstream(session, Some(sender));
        }
    }

    /// The one interface that a local sender to a group is bound to by its address: its Path leaves by no other.
    pub(super) fn bound_to(&self, psb: &Psb) -> Option<NextHop> {
        let is_ours = matches!(psb.origin, PathOrigin::Local(_)) && psb.route.destination.is_multicast();
        let interface = self.state.interface_with(psb.sender.source()).filter(|_| is_ours)?;
        Some(NextHop { interface, gateway: None })
    }

    /// Routing expects a sender's data to a group on another interface: its path state there, if any, goes on from now
    /// on, in the place of this one (RFC 2209, PATH MESSAGE ARRIVES). What the next hops were told stays known.
    pub(super) fn make_way(&mut self, id: PsbId, expected: InterfaceId) {
        let psb = &self.state.psbs[id];
        let on_expected = |psb: &Psb| psb.previous_hop().is_some_and(|(_, interface)| interface == expected);
        if let Some(heir) = self.find_psb(psb.session, &psb.sender, on_expected) {
            self.take_over(heir);
        }
    }
}
