//! Reading RSVP messages for what they refresh.

use std::time::Duration;

use rsvp_core::wire::{Message, RawMessage, RsvpHop, SessionKey};

use super::model::{FlowIndex, Scenario};
use super::scenario::StateKind;

/// The most objects that a message of the lab has.
const MAX_OBJECTS: usize = 64;

/// A Path or Resv, as far as the lab cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refresh {
    pub(crate) kind: StateKind,
    pub(crate) flow: FlowIndex,
    pub(crate) hop: RsvpHop,
    pub(crate) period: Duration,
}

/// What a message refreshes, if it is a Path or Resv of a flow of the scenario.
pub(crate) fn read(message: &[u8], scenario: &Scenario) -> Option<Refresh> {
    let raw = RawMessage::decode(message).ok()?;
    let (kind, session, hop, refresh_ms) = match Message::parse(&raw, MAX_OBJECTS).ok()? {
        Message::Path(path) => (StateKind::Path, path.session, path.hop, path.refresh_ms),
        Message::Resv(resv) => (StateKind::Reservation, resv.session, resv.hop, resv.refresh_ms),
        _ => return None,
    };
    let flow = flow_of(&session.key, scenario)?;
    Some(Refresh { kind, flow, hop, period: Duration::from_millis(refresh_ms.into()) })
}

/// The flow that a session is for.
pub(crate) fn flow_of(session: &SessionKey, scenario: &Scenario) -> Option<FlowIndex> {
    let key = session.flow();
    scenario.flow_to(key.destination, key.port)
}
