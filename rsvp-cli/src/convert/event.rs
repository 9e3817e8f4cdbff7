//! Events and their causes, as documents and in words.

use rsvp_client::api;
use rsvp_core::event::{Cause, StateEvent, Subject, Upcall};
use rsvp_core::wire::{ErrorCode, ErrorSpec, FilterSpec};

use super::flow::{adspec, filter, filters, flows, flowspec, policy_data, sender_tspec, style};
use super::{Scene, variant_name};

/// Error code and value in the words of RFC 2205 Appendix B.
fn error_words(code: u8, value: u16) -> String {
    let code = ErrorCode(code);
    match code.value_name(value) {
        Some(name) => format!("{code}: {name}"),
        None if value == 0 => code.to_string(),
        None => format!("{code}, value {value}"),
    }
}

/// Why state is as it is.
pub(crate) fn cause(cause: &Cause) -> api::Cause {
    let mut numbers = (None, None);
    let (kind, text) = match cause {
        Cause::Local => ("local", "local request".to_owned()),
        Cause::Path => ("path", "Path".to_owned()),
        Cause::Resv => ("resv", "Resv".to_owned()),
        Cause::PathTear => ("path-tear", "PathTear".to_owned()),
        Cause::ResvTear => ("resv-tear", "ResvTear".to_owned()),
        Cause::Error { code, value } => {
            numbers = (Some(*code), Some(*value));
            ("error", error_words(*code, *value))
        }
        Cause::Expired => ("expired", "not refreshed in time".to_owned()),
        Cause::PathGone => ("path-gone", "path state is gone".to_owned()),
        Cause::RouteChange => ("route-change", "route change".to_owned()),
        Cause::Interface => ("interface", "interface change".to_owned()),
        Cause::TrafficControl(words) if words.is_empty() => ("traffic-control", "traffic control".to_owned()),
        Cause::TrafficControl(words) => ("traffic-control", format!("traffic control: {words}")),
        Cause::Preempted => ("preempted", "preempted".to_owned()),
        Cause::Cleared => ("cleared", "cleared by the operator".to_owned()),
        Cause::Shutdown => ("shutdown", "the node shuts down".to_owned()),
        Cause::Configuration => ("configuration", "configuration change".to_owned()),
        _ => ("other", "another cause".to_owned()),
    };
    api::Cause { kind: kind.to_owned(), text, error_code: numbers.0, error_value: numbers.1 }
}

/// An error that RSVP reports.
pub(crate) fn error_info(error: &ErrorSpec) -> api::ErrorInfo {
    api::ErrorInfo {
        node: error.node,
        error_code: error.code,
        error_value: error.value,
        text: error_words(error.code, error.value),
        in_place: error.flags & ErrorSpec::IN_PLACE != 0,
        not_guilty: error.flags & ErrorSpec::NOT_GUILTY != 0,
    }
}

/// A change of state as a document.
pub(crate) fn happening(event: &StateEvent, scene: &Scene) -> api::Happening {
    let mut senders = Vec::new();
    let (mut interface, mut neighbor, mut its_style, mut its_flowspec) = (None, None, None, None);
    let subject = match &event.subject {
        Subject::Path { sender, previous_hop, interface: incoming } => {
            senders.push(filter(sender));
            neighbor = *previous_hop;
            interface = incoming.map(|id| scene.name(id));
            "path"
        }
        Subject::Reservation { next_hop, interface: outgoing, style: reserved, filters: reserved_for } => {
            senders = filters(reserved_for);
            neighbor = *next_hop;
            interface = outgoing.map(|id| scene.name(id));
            its_style = Some(style(*reserved));
            "reservation"
        }
        Subject::Installation { interface: outgoing, flowspec: installed, filters: installed_for } => {
            senders = filters(installed_for);
            interface = Some(scene.name(*outgoing));
            its_flowspec = Some(flowspec(installed));
            "installation"
        }
        Subject::Blockade { previous_hop } => {
            neighbor = Some(*previous_hop);
            "blockade"
        }
        Subject::Interface { name, .. } => {
            interface = Some(name.clone());
            "interface"
        }
    };
    api::Happening::State {
        subject: subject.to_owned(),
        change: variant_name(&event.change),
        cause: cause(&event.cause),
        interface,
        neighbor,
        style: its_style,
        senders,
        flowspec: its_flowspec,
    }
}

/// A change of state in words, one line.
pub(crate) fn describe_state(event: &StateEvent, scene: &Scene) -> String {
    let session = event.session.as_ref().map(|key| super::session(key).to_string()).unwrap_or_default();
    let what = match &event.subject {
        Subject::Path { sender, previous_hop, interface } => {
            let from = place("from", *previous_hop, interface.map(|id| scene.name(id)));
            format!("path {} -> {session}{from}", filter(sender))
        }
        Subject::Reservation { next_hop, interface, style, filters } => {
            let from = place("from", *next_hop, interface.map(|id| scene.name(id)));
            format!("reservation {style} {} -> {session}{from}", sender_list(filters))
        }
        Subject::Installation { interface, flowspec: installed, filters } => {
            let rate = flowspec(installed).rate().map(crate::units::format_rate).unwrap_or_default();
            format!(
                "installation {} -> {session} on {}, {rate}",
                sender_list(filters),
                scene.name(*interface)
            )
        }
        Subject::Blockade { previous_hop } => format!("blockade of {session} towards {previous_hop}"),
        Subject::Interface { name, .. } => format!("interface {name}"),
    };
    format!("{what}: {} ({})", variant_name(&event.change), cause(&event.cause).text)
}

fn place(word: &str, neighbor: Option<std::net::IpAddr>, interface: Option<String>) -> String {
    let neighbor = neighbor.map_or_else(|| format!(" {word} here"), |address| format!(" {word} {address}"));
    format!("{neighbor}{}", interface.map(|name| format!(" on {name}")).unwrap_or_default())
}

fn sender_list(senders: &[FilterSpec]) -> String {
    if senders.is_empty() {
        return "*".to_owned();
    }
    filters(senders).iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// An upcall as a document, and in words.
pub(crate) fn upcall(upcall: &Upcall) -> (api::Upcall, String) {
    match upcall {
        Upcall::Path { sender, tspec, adspec: offered, policy } => {
            let document = api::Upcall::Path {
                sender: filter(sender),
                tspec: sender_tspec(tspec),
                adspec: offered.as_ref().and_then(adspec),
                policy_data: policy_data(policy),
            };
            (document, format!("path: {} sends", filter(sender)))
        }
        Upcall::PathGone { sender, cause: why } => {
            let why = cause(why);
            let text = format!("path gone: {} sends no more ({})", filter(sender), why.text);
            (api::Upcall::PathGone { sender: filter(sender), cause: why }, text)
        }
        Upcall::Resv { style: reserved, flowspec: what, filters: senders, policy } => {
            let document = api::Upcall::Resv {
                style: style(*reserved),
                flowspec: flowspec(what),
                senders: filters(senders),
                policy_data: policy_data(policy),
            };
            let rate = flowspec(what).rate().map(crate::units::format_rate).unwrap_or_default();
            (document, format!("reserved: {reserved} {rate} for {}", sender_list(senders)))
        }
        Upcall::ResvGone { filters: senders, cause: why } => {
            let why = cause(why);
            let text = format!("reservation gone: for {} ({})", sender_list(senders), why.text);
            (api::Upcall::ResvGone { senders: filters(senders), cause: why }, text)
        }
        Upcall::PathError { error, sender, policy } => {
            let error = error_info(error);
            let text = format!("path error from {}: {}", error.node, error.text);
            let document =
                api::Upcall::PathError { error, sender: filter(sender), policy_data: policy_data(policy) };
            (document, text)
        }
        Upcall::ResvError { error, style: refused, flows: what, policy } => {
            let error = error_info(error);
            let text = format!("{} by {}: {}", refusal(&error), error.node, error.text);
            let document = api::Upcall::ResvError {
                error,
                style: style(*refused),
                flows: flows(what),
                policy_data: policy_data(policy),
            };
            (document, text)
        }
        Upcall::Confirmed { node, style: confirmed, flows: what } => {
            let document =
                api::Upcall::Confirmed { node: *node, style: style(*confirmed), flows: flows(what) };
            (document, format!("admitted: confirmed by {node}"))
        }
    }
}

fn refusal(error: &api::ErrorInfo) -> &'static str {
    match (error.not_guilty, error.in_place) {
        (true, _) => "another receiver's larger request was refused",
        (false, true) => "change refused, the earlier reservation stays in place,",
        (false, false) => "refused",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_in_the_words_of_the_rfc() {
        assert_eq!(error_words(1, 2), "Admission Control failure: Requested bandwidth unavailable");
        assert_eq!(error_words(2, 0), "Policy Control failure");
        let error = ErrorSpec {
            node: "192.0.2.1".parse().expect("address"),
            flags: 2,
            code: 1,
            value: 2,
            enterprise: None,
        };
        assert!(error_info(&error).not_guilty && !error_info(&error).in_place);
        let (_, text) = upcall(&Upcall::ResvError {
            error,
            style: rsvp_core::wire::Style::Wf,
            flows: vec![],
            policy: vec![],
        });
        assert!(
            text.starts_with("another receiver's larger request was refused by 192.0.2.1: Admission"),
            "{text}"
        );
    }
}
