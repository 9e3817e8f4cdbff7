//! What is told downstream: PATH REFRESH (RFC 2209 section 2) and PathTear.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::IpAddr;

use crate::config::InterfaceConfig;
use crate::input::{Encapsulation, InterfaceId};
use crate::intserv::{Hop, ServiceValues};
use crate::node::Node;
use crate::reduction::unspecified;
use crate::state::{
    Delivery, Interface, Lane, OneShot, OutboxItem, PathAd, PathAdId, Payload, Peer, Psb, PsbId,
};
use crate::time::Duration;
use crate::wire::{Adspec, Message, Path, PathTear, RsvpHop, Session};

impl Node {
    /// Adds an advertisement of a PSB on an outgoing interface.
    pub(super) fn add_path_ad(
        &mut self,
        psb: PsbId,
        interface: InterfaceId,
        next_hop: Option<IpAddr>,
    ) -> PathAdId {
        let ad = PathAd {
            psb,
            interface,
            next_hop,
            neighbor: None,
            delivery: Delivery::default(),
            adspec: None,
            next_hops: Vec::new(),
            told: None,
            told_in_udp: false,
            queued: false,
            period: Duration::ZERO,
            timer: None,
        };
        let id = self.state.path_ads.insert(ad);
        self.state.psbs[psb].ads.push(id);
        self.keep_in_mind(id);
        id
    }

    /// The next hop of an advertisement is a neighbour that is not forgotten.
    pub(super) fn keep_in_mind(&mut self, id: PathAdId) {
        let neighbor = match self.path_peer(id) {
            Peer::One(_, address) if !self.destination_of(id).is_multicast() => Some(address),
            _ => None,
        };
        let ad = &mut self.state.path_ads[id];
        let former = core::mem::replace(&mut ad.neighbor, neighbor);
        let interface = ad.interface;
        if let Some(address) = neighbor {
            self.state.neighbors.add_advertised(interface, address);
        }
        if let Some(address) = former {
            self.state.neighbors.remove_advertised(interface, address);
        }
    }

    /// Where the data goes that an advertisement is about.
    pub(crate) fn destination_of(&self, id: PathAdId) -> IpAddr {
        self.state.psbs[self.state.path_ads[id].psb].route.destination
    }

    /// Forgets an advertisement; its PSB's list is the caller's business.
    pub(super) fn remove_path_ad(&mut self, id: PathAdId) {
        self.disown(OutboxItem::Path(id));
        let Some(ad) = self.state.path_ads.remove(id) else { return };
        if let Some(timer) = ad.timer {
            self.timers.cancel(timer);
        }
        if let Some(address) = ad.neighbor {
            self.state.neighbors.remove_advertised(ad.interface, address);
        }
    }

    /// The Path of an advertisement, with R as `period`, and its ADSPEC where that is composed already. `None`: it is not to be sent (RSVP is disabled on the
    /// interface, which has no address, or no TTL is left).
    pub(super) fn path_message(
        &self,
        ad: &PathAd,
        period: Duration,
        adspec: Option<Option<Adspec>>,
    ) -> Option<Path> {
        let psb = &self.state.psbs[ad.psb];
        if psb.ttl == 0 || psb.denied {
            return None;
        }
        let interface = self.state.interfaces.get(&ad.interface)?;
        let key = self.state.sessions[psb.session].key;
        let address = interface.address_like(key.flow().destination)?;
        let config = self.interface_config(ad.interface);
        if !config.enabled {
            return None;
        }
        let polices_elsewhere = psb.e_police && config.bandwidth.is_none();
        Some(Path {
            session: Session { key, flags: if polices_elsewhere { Session::E_POLICE } else { 0 } },
            hop: RsvpHop { address, lih: ad.interface.0 },
            refresh_ms: u32::try_from(period.as_millis()).unwrap_or(u32::MAX),
            policy: psb.policy.onward().to_vec(),
            sender_template: psb.sender,
            sender_tspec: psb.tspec.clone(),
            adspec: adspec.unwrap_or_else(|| self.advertised(ad, psb, interface, config)),
            forward: psb.forward.clone(),
        })
    }

    /// TC_Advertise (RFC 2205 section 3.11.2).
    fn advertised(
        &self,
        ad: &PathAd,
        psb: &Psb,
        interface: &Interface,
        config: &InterfaceConfig,
    ) -> Option<Adspec> {
        let hop = hop(interface, config, psb.non_rsvp);
        psb.adspec.as_ref().map(|adspec| self.admission.advertise(ad.interface, adspec, &hop))
    }

    /// Queues a Path if the next hop was last told otherwise.
    pub(super) fn settle_path(&mut self, id: PathAdId) {
        let Some(ad) = self.state.path_ads.get_mut(id) else { return };
        ad.adspec = None;
        if ad.queued {
            return;
        }
        let ad = &self.state.path_ads[id];
        let period = if ad.period.is_zero() { self.refresh_period(ad.interface) } else { ad.period };
        let Some(path) = self.path_message(ad, period, None) else { return };
        let adspec = path.adspec.clone();
        let fingerprint = self.path_fingerprint(ad.psb, path);
        let ad = &self.state.path_ads[id];
        let lacks_udp = self.needs_udp(ad.interface) && !ad.told_in_udp;
        if ad.told != Some(fingerprint) || lacks_udp {
            self.state.path_ads[id].adspec = Some(adspec);
            // The identifier of what was told no longer stands for it.
            self.leave_seat(OutboxItem::Path(id));
            self.queue_path(id);
        }
    }

    pub(crate) fn queue_path(&mut self, id: PathAdId) {
        let ad = &mut self.state.path_ads[id];
        if ad.queued {
            return;
        }
        ad.queued = true;
        let lane = self.path_lane(&self.state.path_ads[id]);
        self.enqueue(lane, OutboxItem::Path(id));
    }

    /// The lane of a Path, and of its PathTear.
    pub(crate) fn path_lane(&self, ad: &PathAd) -> Lane {
        self.downstream_lane(ad.interface, ad.next_hop, self.state.psbs[ad.psb].route.destination)
    }

    fn downstream_lane(&self, interface: InterfaceId, next_hop: Option<IpAddr>, destination: IpAddr) -> Lane {
        let peer = if destination.is_multicast() && self.is_point_to_point(interface) {
            unspecified(destination)
        } else {
            next_hop.unwrap_or(destination)
        };
        Lane { interface: Some(interface), peer }
    }

    /// What a next hop is told, in one number.
    fn path_fingerprint(&mut self, psb: PsbId, path: Path) -> u128 {
        let ttl = self.state.psbs[psb].ttl;
        let mut scratch = core::mem::take(&mut self.scratch);
        scratch.clear();
        let fingerprint = match Message::Path(path).encode_body(&mut scratch) {
            Ok(()) => self.content_of(ttl, &scratch),
            Err(_) => 0,
        };
        self.scratch = scratch;
        fingerprint
    }

    /// PathTear to everybody who was told of this sender.
    pub(super) fn tear_paths(&mut self, id: PsbId) {
        let Some(psb) = self.state.psbs.get(id) else { return };
        for ad in psb.ads.clone() {
            if self.state.path_ads[ad].told.is_some() {
                self.tear_path(id, ad);
            }
        }
    }

    /// RSVP is disabled on the interface: who was told of the sender there is told that it is gone.
    pub(super) fn withdraw_path(&mut self, id: PathAdId) {
        let ad = &mut self.state.path_ads[id];
        if ad.told.take().is_some() {
            let psb = ad.psb;
            self.tear_path(psb, id);
            self.disown(OutboxItem::Path(id));
        }
    }

    fn tear_path(&mut self, id: PsbId, ad: PathAdId) {
        let peer = self.path_peer(ad);
        let PathAd { interface, next_hop, ref delivery, .. } = self.state.path_ads[ad];
        // A group is told as it was told last.
        let without_id = delivery.id.is_none();
        let psb: &Psb = &self.state.psbs[id];
        let key = self.state.sessions[psb.session].key;
        let destination = key.flow().destination;
        let Some(address) = self.address_towards(interface, destination) else { return };
        let tear = PathTear {
            session: Session { key, flags: 0 },
            hop: RsvpHop { address, lih: interface.0 },
            sender_template: psb.sender,
            sender_tspec: Some(psb.tspec.clone()),
            adspec: None,
            forward: psb.forward.clone(),
        };
        let one_shot = OneShot {
            lane: self.downstream_lane(interface, next_hop, destination),
            peer: Some(peer),
            next_hop,
            source: psb.sender.source(),
            destination,
            ttl: psb.ttl,
            router_alert: true,
            encapsulation: Encapsulation::Raw,
            payload: Payload::Message(Box::new(Message::PathTear(tear))),
            delivery: Delivery { without_id, ..Delivery::default() },
        };
        self.queue_one_shot(one_shot);
    }
}

/// What this node adds to an ADSPEC on the way out of an interface (RFC 2210 section 3.3).
fn hop(interface: &Interface, config: &InterfaceConfig, non_rsvp: bool) -> Hop {
    let guaranteed = config.guaranteed.filter(|_| config.bandwidth.is_some());
    Hop {
        #[expect(clippy::cast_precision_loss, reason = "the ADSPEC carries a single precision estimate")]
        bandwidth: config.bandwidth.map_or(0.0, |bandwidth| bandwidth.link as f32),
        latency: config.latency.map(|latency| u32::try_from(latency.as_micros()).unwrap_or(u32::MAX)),
        mtu: interface.info.mtu,
        guaranteed: guaranteed.map(|service| (service.c, service.d)),
        controlled_load: config.bandwidth.is_some(),
        non_rsvp: non_rsvp || config.non_rsvp,
        reshapes: guaranteed.is_some_and(|service| service.reshapes),
        guaranteed_values: ServiceValues {
            mtu: guaranteed.and_then(|service| service.mtu),
            ..ServiceValues::default()
        },
        controlled_load_values: ServiceValues::default(),
    }
}
