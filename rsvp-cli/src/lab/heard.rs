//! Reading RSVP messages for what they refresh.

use std::net::IpAddr;
use std::time::Duration;

use rsvp_core::wire::{FilterSpec, Message, RawMessage, RsvpHop, SessionKey};

use super::model::{FlowIndex, Scenario};
use super::scenario::StateKind;

/// The most objects that a message of the lab has.
const MAX_OBJECTS: usize = 64;

/// A Path or Resv, as far as the lab cares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refresh {
    pub(crate) kind: StateKind,
    pub(crate) flows: Vec<FlowIndex>,
    pub(crate) hop: RsvpHop,
    pub(crate) period: Duration,
}

/// What a message refreshes, if it is a Path or Resv of flows of the scenario.
pub(crate) fn read(message: &[u8], scenario: &Scenario) -> Option<Refresh> {
    let raw = RawMessage::decode(message).ok()?;
    let (kind, session, filters, hop, refresh_ms) = match Message::parse(&raw, MAX_OBJECTS).ok()? {
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
    (!flows.is_empty()).then_some(Refresh { kind, flows, hop, period })
}

/// The flows of a session that come from these senders; from all, if there are none.
pub(crate) fn flows_of(session: &SessionKey, senders: &[FilterSpec], scenario: &Scenario) -> Vec<FlowIndex> {
    let key = session.flow();
    let sources: Vec<IpAddr> = senders.iter().map(FilterSpec::source).collect();
    scenario.flows_to(key.destination, key.port, &sources)
}
