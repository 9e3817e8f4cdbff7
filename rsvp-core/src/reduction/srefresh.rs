//! Srefresh messages (RFC 2961 section 5.2).

use alloc::vec::Vec;

use super::refresh::Manner;
use crate::input::Encapsulation;
use crate::node::Node;
use crate::output::Transmit;
use crate::process::transmit::{HOP_TTL, Parcel};
use crate::state::{GroupKey, Lane, OutboxItem, Peer, RefreshGroup, RefreshGroupId};
use crate::wire::{Bundle, FlaggedId, ListWriter, MessageId, MessageType, ctype, seal};

impl Node {
    pub(super) fn queue_srefresh(&mut self, id: RefreshGroupId) {
        let Some(lane) = self.lane_of_group(id) else { return };
        if let Some(group) = self.state.refresh_groups.get_mut(id)
            && !core::mem::replace(&mut group.queued, true)
        {
            self.outbox.push_urgent(lane, OutboxItem::Srefresh(id));
        }
    }

    /// A summary refresh goes the way that its members went.
    pub(super) fn lane_of_group(&self, id: RefreshGroupId) -> Option<Lane> {
        let group = self.state.refresh_groups.get(id)?;
        if !group.key.to_session {
            return Some(Lane { interface: Some(group.key.interface), peer: group.key.destination });
        }
        match group.last()? {
            OutboxItem::Path(ad) => Some(self.path_lane(self.state.path_ads.get(ad)?)),
            _ => None,
        }
    }

    /// Appends an Srefresh message with as many members of a group as fit into `room` octets.
    pub(crate) fn build_srefresh(
        &mut self,
        lane: Lane,
        id: RefreshGroupId,
        room: usize,
        buf: &mut Vec<u8>,
    ) -> Option<Parcel> {
        let group = self.state.refresh_groups.get_mut(id)?;
        group.queued = false;
        let (key, is_probing) = (group.key, group.is_probing);
        if self.manner_of(id, &key) != Manner::Summary {
            self.hurry_group(id, self.now);
            return None;
        }
        let start = buf.len();
        let acks = self.ready_acks(lane).filter(|_| !key.to_session);
        let left = room.saturating_sub(Bundle::HEADER_LEN + FlaggedId::OBJECT_LEN * usize::from(is_probing));
        // Half of the room is for what was asked for, of which nothing is taken before it is sure that there is a message.
        let mut lists = core::mem::take(&mut self.scratch);
        lists.clear();
        let count = self.append_members(id, if acks.is_some() { left / 2 } else { left }, &mut lists);
        if count > 0 {
            buf.resize(start + Bundle::HEADER_LEN, 0);
            if let Some(acks) = acks {
                self.append_acks(acks, left.saturating_sub(lists.len()), buf);
            }
            self.append_probe(id, buf);
            buf.extend_from_slice(&lists);
        }
        self.scratch = lists;
        let is_through = self.state.refresh_groups.get(id).is_none_or(RefreshGroup::is_through);
        if is_through {
            self.rest(id);
        } else if let Some(group) = self.state.refresh_groups.get_mut(id) {
            group.budget = group.budget.saturating_sub(1);
            if group.budget > 0 {
                self.queue_srefresh(id);
            }
        }
        if count == 0 {
            return None;
        }
        let peer = if key.destination.is_multicast() {
            Peer::All(key.interface, key.destination)
        } else {
            Peer::One(key.interface, lane.peer)
        };
        let transmit = self.srefresh_transmit(id, lane, &key);
        let header = self.header(transmit.ttl, Some(peer));
        if seal(MessageType::SREFRESH, header, &mut buf[start..]).is_err() {
            buf.truncate(start);
            return None;
        }
        let sent = u64::try_from(count).unwrap_or(0);
        self.count(self.neighbor_of(lane), |counters| counters.summary_refreshed += sent);
        Some(Parcel { transmit, kind: MessageType::SREFRESH, may_be_bundled: false })
    }

    /// A neighbour that has been silent is asked for an acknowledgement, to see whether it is there.
    fn append_probe(&mut self, id: RefreshGroupId, buf: &mut Vec<u8>) {
        let Some(group) = self.state.refresh_groups.get_mut(id) else { return };
        if !core::mem::take(&mut group.is_probing) {
            return;
        }
        if let Some(old) = group.probe.take() {
            self.message_ids.retire(old);
        }
        let probe = self.message_ids.assign(OutboxItem::Srefresh(id));
        group.probe = Some(probe);
        let probe = MessageId { epoch: self.message_ids.epoch, id: probe };
        buf.extend_from_slice(&FlaggedId::wanting_ack(probe).to_object());
    }

    fn srefresh_transmit(&self, id: RefreshGroupId, lane: Lane, key: &GroupKey) -> Transmit {
        let to_neighbor = self.to_neighbor(lane, key.source, key.destination, Encapsulation::Raw);
        if !key.to_session {
            return to_neighbor;
        }
        let ttl = match self.state.refresh_groups.get(id).and_then(RefreshGroup::last) {
            Some(OutboxItem::Path(ad)) => self.state.psbs[self.state.path_ads[ad].psb].ttl,
            _ => HOP_TTL,
        };
        let next_hop = Some(lane.peer).filter(|peer| *peer != key.destination && !peer.is_unspecified());
        Transmit { next_hop, ttl, router_alert: true, ..to_neighbor }
    }

    /// Appends the lists, and tells how many members are in them. Those whose turn it is to be refreshed by a whole message
    /// are not (RFC 2961 section 5.5).
    fn append_members(&mut self, id: RefreshGroupId, room: usize, buf: &mut Vec<u8>) -> usize {
        let end = buf.len() + room;
        let Some(group) = self.state.refresh_groups.get(id) else { return 0 };
        let key = group.key;
        let full = self.reduction(key.interface, key.destination).full_refresh;
        let mut whole = Vec::new();
        let plain = self.append_list(id, ctype::MESSAGE_ID_LIST, end, full, &mut whole, buf);
        let form = match (key.to_session, key.destination.is_ipv4()) {
            (true, true) => ctype::SRC_LIST_IPV4,
            (true, false) => ctype::SRC_LIST_IPV6,
            (false, true) => ctype::MCAST_LIST_IPV4,
            (false, false) => ctype::MCAST_LIST_IPV6,
        };
        let multicast = self.append_list(id, form, end, full, &mut whole, buf);
        for item in whole {
            self.queue_whole(item);
        }
        plain + multicast
    }

    fn append_list(
        &mut self,
        id: RefreshGroupId,
        form: u8,
        end: usize,
        full: u32,
        whole: &mut Vec<OutboxItem>,
        buf: &mut Vec<u8>,
    ) -> usize {
        let is_plain = form == ctype::MESSAGE_ID_LIST;
        let Some(group) = self.state.refresh_groups.get_mut(id) else { return 0 };
        let (key, round) = (group.key, group.round);
        let address = if key.source.is_ipv4() { 4 } else { 16 };
        let entry = match form {
            ctype::MESSAGE_ID_LIST => 4,
            ctype::SRC_LIST_IPV4 | ctype::SRC_LIST_IPV6 => 4 + address,
            _ => 4 + 2 * address,
        };
        let list = ListWriter::begin(form, self.message_ids.epoch, buf);
        let mut count = 0;
        let members = if is_plain { &mut group.plain } else { &mut group.multicast };
        while let Some((message_id, item)) = members.peek() {
            if full != 0 && message_id % full == round % full {
                whole.push(item);
                members.step();
                continue;
            }
            if buf.len() + entry > end {
                break;
            }
            let mut addresses = [key.destination; 2];
            if !is_plain && let OutboxItem::Path(ad) = item {
                let psb = &self.state.psbs[self.state.path_ads[ad].psb];
                addresses = [psb.sender.source(), psb.route.destination];
            }
            let named = match (is_plain, key.to_session) {
                (true, _) => 0,
                (false, true) => 1,
                (false, false) => 2,
            };
            ListWriter::add(message_id, &addresses[..named], buf);
            members.step();
            count += 1;
        }
        list.end(buf);
        count
    }
}
