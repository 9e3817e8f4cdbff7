//! What neighbours say of RFC 2961, true or not, for the test of arbitrary events; and what a node counts of it.

use alloc::vec::Vec;
use core::net::IpAddr;

use super::arbitrary::Chaos;
use super::{DOWN, ip, sender};
use crate::command::Command;
use crate::config::{MessageIds, ReductionConfig, SummaryRefresh};
use crate::time::Duration;
use crate::wire::{
    Acknowledgement, Bundle, FlaggedId, Head, Header, IdEntries, IdList, Message, MessageId, Srefresh,
};

impl Chaos {
    pub(super) fn flags(&mut self) -> u8 {
        self.pick(&[0, 1, 1, 1])
    }

    fn epoch(&mut self) -> u32 {
        self.pick(&[1, 1, 1, 1, 1, 1, 1, 2])
    }

    /// A Message_Identifier of a neighbour: mostly one that was used not long ago.
    fn named(&mut self) -> u32 {
        let back = u32::try_from(self.below(12)).unwrap();
        if self.one_in(20) { self.pick(&[0, 1 << 31, u32::MAX]) } else { self.number.wrapping_sub(back) }
    }

    pub(super) fn head(&mut self) -> Head {
        let count = self.below(3);
        let acknowledgements = self.acknowledgements(count);
        let message_id = self.one_in(2).then(|| {
            self.number = self.number.wrapping_add(u32::from(!self.one_in(4)));
            let id = if self.one_in(6) { self.named() } else { self.number };
            FlaggedId { flags: self.flags(), id: MessageId { epoch: self.epoch(), id } }
        });
        Head { acknowledgements, message_id }
    }

    /// Acknowledgements of what the node has sent, and of what it has not.
    fn acknowledgements(&mut self, count: u64) -> Vec<Acknowledgement> {
        (0..count)
            .map(|_| {
                let mut flagged = FlaggedId::plain(MessageId { epoch: 1, id: self.named() });
                let said: Vec<_> = self.bench.heads.iter().filter_map(|head| head.message_id).collect();
                if !said.is_empty() && !self.one_in(6) {
                    flagged = self.pick(&said);
                }
                if self.one_in(3) { Acknowledgement::Nack(flagged) } else { Acknowledgement::Ack(flagged) }
            })
            .collect()
    }

    fn lists(&mut self) -> Vec<IdList> {
        let count = self.below(8) + 1;
        let ids: Vec<u32> = (0..count).map(|_| self.named()).collect();
        let source = sender(1).source();
        let group = ip("224.1.1.1");
        let entries = match self.below(4) {
            0 => IdEntries::Sources(ids.iter().map(|id| (*id, source)).collect()),
            1 => IdEntries::Groups(ids.iter().map(|id| (*id, source, group)).collect()),
            _ => IdEntries::Plain(ids),
        };
        alloc::vec![IdList::new(self.epoch(), entries)]
    }

    /// An Ack, an Srefresh, or a Bundle of all sorts.
    pub(super) fn speak_of_messages(&mut self) {
        let interface = self.interface();
        let n = u8::try_from(interface.0).unwrap();
        let last = self.pick(&[2, 2, 3]);
        let source = IpAddr::V4([10, 0, n, last].into());
        self.bench.flags = self.flags();
        self.bench.encapsulation = crate::input::Encapsulation::Raw;
        let to = match self.below(6) {
            0 => Some(self.key().destination()),
            _ => None,
        };
        let ttl = self.pick(&[63, 63, 63, 62]);
        let payload = match self.below(3) {
            0 => {
                let count = self.below(6) + 1;
                self.bench.head = Head { acknowledgements: self.acknowledgements(count), message_id: None };
                self.bench.encode(&Message::Ack, 63)
            }
            1 => {
                self.bench.head = self.head();
                let lists = self.lists();
                self.bench.encode(&Message::Srefresh(Srefresh { lists }), 63)
            }
            _ => self.bundle(),
        };
        self.bench.deliver(interface, source, to, ttl, payload);
    }

    fn bundle(&mut self) -> Vec<u8> {
        let count = self.below(5) + 1;
        let parts: Vec<Vec<u8>> = (0..count)
            .map(|_| {
                self.bench.head = self.head();
                let (_, message) = self.message();
                self.bench.encode(&message, 63)
            })
            .collect();
        let parts: Vec<&[u8]> = parts.iter().map(|part| &part[..]).collect();
        let mut payload = Vec::new();
        Bundle::encode(Header { flags: self.bench.flags, send_ttl: 63 }, &parts, &mut payload).unwrap();
        payload
    }

    /// Other settings for all interfaces, and perhaps for one neighbour.
    pub(super) fn reconfigure_reduction(&mut self) {
        let mut config = self.bench.node.config().clone();
        config.default_interface.reduction = self.settings();
        config.default_interface.point_to_point = self.pick(&[None, None, Some(true)]);
        config.neighbors.clear();
        if self.one_in(3) {
            config
                .neighbors
                .insert(IpAddr::V4([10, 0, u8::try_from(DOWN.0).unwrap(), 2].into()), self.settings());
        }
        config.limits.queued_acks = self.pick(&[65_536, 65_536, 3]);
        let _ = self.bench.node.command(self.bench.now, Command::Configure(config));
    }

    fn settings(&mut self) -> ReductionConfig {
        let summaries = [
            SummaryRefresh::Neighbor,
            SummaryRefresh::Neighbor,
            SummaryRefresh::Neighbor,
            SummaryRefresh::Session,
            SummaryRefresh::Off,
        ];
        let ids =
            [MessageIds::Learn, MessageIds::Learn, MessageIds::Always, MessageIds::Always, MessageIds::Never];
        ReductionConfig {
            message_ids: self.pick(&ids),
            reliable: !self.one_in(6),
            bundle: !self.one_in(4),
            summary_refresh: self.pick(&summaries),
            assume_capable: self.one_in(6),
            max_outstanding: self.pick(&[512, 512, 1, 2]),
            bundle_delay: Duration::from_millis(self.pick(&[0, 0, 100])),
            full_refresh: self.pick(&[0, 0, 3]),
            ..ReductionConfig::default()
        }
    }
}
