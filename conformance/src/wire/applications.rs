//! What is to be done about a session on the device, by an application or the operator, as hooks of the profile are told it.

use rsvp_core::command::{AdspecRequest, ReserveRequest, SenderRequest};
use rsvp_core::wire::{FilterSpec, Flowspec, SenderTspec, SessionKey, Style, Tspec};

use super::hooks::Hooks;
use super::profile::Role;
use crate::bench::{Action, Unsupported};

/// What stands for what in the hooks that concern a session, beside what stands in all.
pub(super) type Values = Vec<(&'static str, String)>;

/// The names of those values that say which session.
pub(super) const SESSION: [&str; 3] = ["destination", "port", "protocol"];

/// The names of all those values.
pub(super) const NAMES: [&str; 15] = [
    "destination",
    "port",
    "protocol",
    "source",
    "ttl",
    "adspec",
    "rate",
    "bucket",
    "peak",
    "min-unit",
    "max-packet",
    "style",
    "senders",
    "receiver",
    "confirm",
];

/// The hook for an action that concerns a session, and its values; `None` for other actions.
///
/// # Errors
///
/// There is no such hook, or what is asked for cannot be told to one.
pub(super) fn hook<'a>(hooks: &'a Hooks, action: &Action) -> Option<Result<(&'a str, Values), Unsupported>> {
    let (hook, values) = match action {
        Action::Send(session, request) => (&hooks.send, sender(session, request)),
        Action::Withdraw(session, template) => (&hooks.withdraw, withdrawn(session, template)),
        Action::Receive(session) => (&hooks.receive, Ok(of_session(session))),
        Action::Reserve(session, request) => (&hooks.reserve, reservation(session, request)),
        Action::Unreserve(session) => (&hooks.unreserve, Ok(of_session(session))),
        Action::Release(session) => (&hooks.release, Ok(of_session(session))),
        Action::Clear(session) => (&hooks.clear, Ok(of_session(session))),
        _ => return None,
    };
    let Some(hook) = hook else {
        return Some(Err(Unsupported(format!("no hook of the profile makes that {action}"))));
    };
    let why = |why| Unsupported(format!("no hook can be told {why}"));
    Some(values.map(|values| (hook.as_str(), values)).map_err(why))
}

/// What a device has to be, one or the other, for an application on it to do that; `None` for what no application does.
pub(super) const fn roles(action: &Action) -> Option<&'static [Role]> {
    match action {
        Action::Send(..) | Action::Withdraw(..) => Some(&[Role::SenderHost]),
        Action::Receive(_) | Action::Reserve(..) | Action::Unreserve(_) => Some(&[Role::ReceiverHost]),
        Action::Release(_) => Some(&[Role::SenderHost, Role::ReceiverHost]),
        Action::Clear(_) | Action::Configure(_) | Action::Link(..) | Action::Shutdown | Action::Restart => {
            None
        }
    }
}

fn of_session(session: &SessionKey) -> Values {
    let flow = session.flow();
    vec![
        ("destination", flow.destination.to_string()),
        ("port", flow.port.to_string()),
        ("protocol", flow.protocol.to_string()),
    ]
}

fn sender(session: &SessionKey, request: &SenderRequest) -> Result<Values, &'static str> {
    let SenderTspec::TokenBucket(tspec) = &request.tspec else { return Err("of such a SENDER_TSPEC") };
    if !request.policy.is_empty() {
        return Err("POLICY_DATA");
    }
    let adspec = match request.adspec {
        AdspecRequest::None => "no",
        AdspecRequest::Default => "yes",
        AdspecRequest::Given(_) => return Err("an ADSPEC"),
    };
    let mut values = withdrawn(session, &request.template)?;
    values.extend(bucket(tspec));
    values.extend([("ttl", request.ttl.to_string()), ("adspec", adspec.to_owned())]);
    Ok(values)
}

fn withdrawn(session: &SessionKey, template: &FilterSpec) -> Result<Values, &'static str> {
    let mut values = of_session(session);
    values.push(("source", endpoint(template)?));
    Ok(values)
}

fn reservation(session: &SessionKey, request: &ReserveRequest) -> Result<Values, &'static str> {
    if !request.policy.is_empty() {
        return Err("POLICY_DATA");
    }
    let Some(Some(Flowspec::ControlledLoad(tspec))) = request.flows.first().map(|flow| &flow.flowspec) else {
        return Err("of a service that is not controlled load");
    };
    if request.flows.iter().any(|flow| flow.flowspec != request.flows[0].flowspec) {
        return Err("of different FLOWSPECs in one request");
    }
    let filters = request.flows.iter().flat_map(|flow| &flow.filters);
    let senders = filters.map(endpoint).collect::<Result<Vec<_>, _>>()?.join(" ");
    let style = match request.style {
        Style::Ff => "ff",
        Style::Se => "se",
        Style::Wf => "wf",
    };
    let mut values = of_session(session);
    values.extend(bucket(tspec));
    values.extend([
        ("style", style.to_owned()),
        ("senders", senders),
        ("receiver", request.receiver.to_string()),
        ("confirm", if request.confirm { "yes" } else { "no" }.to_owned()),
    ]);
    Ok(values)
}

/// Rates in bits per second, sizes in octets.
fn bucket(tspec: &Tspec) -> Values {
    let bits = |rate: f32| format!("{:.0}", f64::from(rate) * 8.0);
    vec![
        ("rate", bits(tspec.rate)),
        ("bucket", format!("{:.0}", tspec.bucket)),
        ("peak", bits(tspec.peak)),
        ("min-unit", tspec.min_unit.to_string()),
        ("max-packet", tspec.max_packet.to_string()),
    ]
}

/// `address:port`, or `[address]:port`.
fn endpoint(filter: &FilterSpec) -> Result<String, &'static str> {
    match filter {
        FilterSpec::Ip { source, port } => Ok(std::net::SocketAddr::new(*source, *port).to_string()),
        _ => Err("of a sender without a port"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{Family, Plan, Port, cl, ff, tspec};

    fn hooks() -> Hooks {
        let (send, reserve) = (Some("send".to_owned()), Some("reserve".to_owned()));
        Hooks { send, reserve, ..Hooks::default() }
    }

    #[test]
    fn a_hook_is_told_what_an_application_wants() {
        let plan = Plan::new(Family::V4);
        let template = FilterSpec::Ip { source: plan.dut(Port::C), port: 4000 };
        let request =
            SenderRequest { template, tspec: tspec(2.0), adspec: false.into(), policy: vec![], ttl: 7 };
        let (hooks, action) = (hooks(), Action::Send(plan.h(), request));
        let (command, values) = hook(&hooks, &action).expect("an application's").expect("it can be told");
        assert_eq!(command, "send");
        for (name, value) in [("destination", "10.0.7.7"), ("source", "10.0.3.254:4000"), ("rate", "160000")]
        {
            assert!(values.contains(&(name, value.to_owned())), "{values:?}");
        }
        assert!(values.iter().all(|(name, _)| NAMES.contains(name)));
    }

    #[test]
    fn what_cannot_be_told_is_unsupported() {
        let plan = Plan::new(Family::V4);
        let flows = vec![ff(cl(1.0), plan.sender(1)), ff(cl(2.0), plan.sender(2))];
        let (style, receiver) = (Style::Ff, plan.dut(Port::A));
        let request = ReserveRequest { receiver, style, flows, policy: vec![], confirm: false };
        let hooks = hooks();
        for action in [Action::Reserve(plan.h(), request), Action::Release(plan.h())] {
            assert!(matches!(hook(&hooks, &action), Some(Err(_))), "{action}");
        }
        assert!(hook(&hooks, &Action::Restart).is_none());
    }

    #[test]
    fn an_operator_is_told_which_session() {
        let hooks = Hooks { clear: Some("clear".to_owned()), ..Hooks::default() };
        let action = Action::Clear(Plan::new(Family::V6).h());
        let (command, values) = hook(&hooks, &action).expect("there is a hook").expect("it can be told");
        let expected = ["2001:db8:0:7::7", "5000", "17"].map(str::to_owned);
        let expected: Values = SESSION.into_iter().zip(expected).collect();
        assert_eq!((command, values), ("clear", expected));
    }
}
