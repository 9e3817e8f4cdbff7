//! Reading RSVP messages for what they refresh.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use rsvp_core::wire::{
    FilterSpec, Head, IdEntries, IdList, Message, MessageId, RawMessage, RsvpHop, SessionKey, messages,
};

use super::model::{FlowIndex, Scenario};
use super::scenario::StateKind;

/// The most objects that a message of the lab has.
const MAX_OBJECTS: usize = 64;

/// A Path or Resv, or its name in an Srefresh, as far as the lab cares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refresh {
    pub(crate) kind: StateKind,
    pub(crate) flows: Vec<FlowIndex>,
    pub(crate) hop: RsvpHop,
    pub(crate) period: Duration,
    /// Whether it is the message itself.
    pub(crate) whole: bool,
}

/// One who hears all messages of a link, and so knows what an Srefresh names.
#[derive(Debug, Default)]
pub(crate) struct Listener {
    named: BTreeMap<(IpAddr, MessageId), Refresh>,
}

impl Listener {
    /// What the messages of a datagram refresh of the scenario's flows. `source` is that of its IP header.
    pub(crate) fn hear(&mut self, datagram: &[u8], source: IpAddr, scenario: &Scenario) -> Vec<Refresh> {
        let mut refreshes = Vec::new();
        for message in messages(datagram).flatten() {
            let Some(parsed) = parse(message) else { continue };
            if let Message::Srefresh(srefresh) = &parsed {
                let named = srefresh.lists.iter().flat_map(ids);
                refreshes.extend(named.filter_map(|id| self.named.get(&(source, id)).cloned()));
            }
            let Some(refresh) = read(parsed, scenario) else { continue };
            if let Ok((Head { message_id: Some(id), .. }, _)) = Head::split(message) {
                let named = Refresh { whole: false, ..refresh.clone() };
                self.named.insert((refresh.hop.address, id.id), named);
            }
            refreshes.push(refresh);
        }
        refreshes
    }
}

fn parse(message: &[u8]) -> Option<Message> {
    Message::parse(&RawMessage::decode(message).ok()?, MAX_OBJECTS).ok()
}

fn ids(list: &IdList) -> Vec<MessageId> {
    let ids: Vec<u32> = match &list.entries {
        IdEntries::Plain(ids) => ids.clone(),
        IdEntries::Sources(entries) => entries.iter().map(|(id, _)| *id).collect(),
        IdEntries::Groups(entries) => entries.iter().map(|(id, ..)| *id).collect(),
    };
    ids.into_iter().map(|id| MessageId { epoch: list.epoch, id }).collect()
}

/// What a message refreshes, if it is a Path or Resv of flows of the scenario.
fn read(message: Message, scenario: &Scenario) -> Option<Refresh> {
    let (kind, session, filters, hop, refresh_ms) = match message {
        Message::Path(path) => {
            (StateKind::Path, path.session, vec![path.sender_template], path.hop, path.refresh_ms)
        }
        Message::Resv(resv) => {
            let filters = resv.flows.into_iter().flat_map(|flow| flow.filters).collect();
            (StateKind::Reservation, resv.session, filters, resv.hop, resv.refresh_ms)
        }
        _ => return None,
    };
    let flows = flows_of(&session.key, &filters, scenario);
    let period = Duration::from_millis(refresh_ms.into());
    (!flows.is_empty()).then_some(Refresh { kind, flows, hop, period, whole: true })
}

/// The flows of a session that come from these senders; from all, if there are none.
pub(crate) fn flows_of(session: &SessionKey, senders: &[FilterSpec], scenario: &Scenario) -> Vec<FlowIndex> {
    let key = session.flow();
    let sources: Vec<IpAddr> = senders.iter().map(FilterSpec::source).collect();
    scenario.flows_to(key.destination, key.port, &sources)
}
