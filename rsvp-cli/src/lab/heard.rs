//! Reading RSVP messages for what they refresh.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use rsvp_core::wire::{
    FilterSpec, Head, IdList, Message, MessageId, RawMessage, RsvpHop, SessionKey, messages,
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
                let named = srefresh.lists.iter().flat_map(IdList::message_ids);
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

#[cfg(test)]
mod tests {
    use rsvp_core::wire::{
        Bundle, FilterSpec, FlaggedId, FlowKey, Header, IdEntries, SenderTspec, Session, Srefresh, Tspec,
    };

    use super::*;

    #[test]
    fn an_srefresh_refreshes_what_its_sender_has_named_before() {
        let scenario = crate::lab::resolve::parse(
            r#"
            title = "two hosts"
            duration = "2s"
            hosts = ["a", "b"]
            links = [{ ends = ["a", "b"], rate = "10Mbit" }]
            flows = [{ name = "f", from = "a", to = "b", port = 5000, rate = "1Mbit" }]
            "#,
        )
        .expect("a scenario");
        let (flow, header) = (&scenario.flows[0], Header { flags: 1, send_ttl: 63 });
        let key = FlowKey { destination: flow.destination, protocol: 17, port: flow.port };
        let tspec = Tspec { rate: 1e5, bucket: 1e4, peak: f32::INFINITY, min_unit: 64, max_packet: 1500 };
        let path = Message::Path(rsvp_core::wire::Path {
            session: Session { key: SessionKey::Ip(key), flags: 0 },
            hop: RsvpHop { address: flow.source, lih: 1 },
            refresh_ms: 30_000,
            sender_template: FilterSpec::Ip { source: flow.source, port: flow.port },
            sender_tspec: SenderTspec::TokenBucket(tspec),
            adspec: None,
            policy: Vec::new(),
            forward: Vec::new(),
        });
        let id = MessageId { epoch: 7, id: 3 };
        let mut bytes = Vec::new();
        let head = Head { message_id: Some(FlaggedId::plain(id)), ..Head::default() };
        path.encode_with(header, &head, &mut bytes).expect("a short message");
        let mut bundle = Vec::new();
        Bundle::encode(header, &[&bytes], &mut bundle).expect("a short Bundle");
        let mut srefresh = Vec::new();
        let lists = vec![IdList::new(7, IdEntries::Plain(vec![2, 3]))];
        let message = Message::Srefresh(Srefresh { lists });
        message.encode(header, &mut srefresh).expect("a short message");

        let mut listener = Listener::default();
        assert_eq!(listener.hear(&srefresh, flow.source, &scenario), [], "nothing has a name yet");
        let heard = listener.hear(&bundle, flow.source, &scenario);
        assert_eq!((heard.len(), heard[0].whole, &heard[0].flows[..]), (1, true, &[0][..]));
        let named = Refresh { whole: false, ..heard[0].clone() };
        assert_eq!(listener.hear(&srefresh, flow.source, &scenario), [named]);
        assert_eq!(listener.hear(&srefresh, flow.destination, &scenario), [], "names are its sender's");
    }
}
