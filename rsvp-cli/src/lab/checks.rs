//! Judging the checks of a scenario.

use std::time::Duration;

use super::backend::{
    Backend, Datagram, Ending, Forms, Heard, NodeState, PathState, StateChange, Subject, Verdict,
};
use super::model::{Check, FlowIndex, NodeIndex, Scenario, Window};
use super::scenario::Form;
use super::{placement, recovery};
use crate::units::format_rate;

/// A check and what it came to.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// What was checked, in words.
    pub(crate) what: String,
    pub(crate) verdict: Verdict,
}

/// Whether a check is judged when it is due, while the network still runs; the others are judged at the end.
pub(crate) fn is_live(check: &Check) -> bool {
    !matches!(
        check,
        Check::Traffic { .. }
            | Check::NoTimeouts { .. }
            | Check::Expires { .. }
            | Check::Recovers { .. }
            | Check::Encapsulation { .. }
            | Check::RsvpLoad { .. }
    )
}

/// A check in words.
pub(crate) fn describe(check: &Check, scenario: &Scenario) -> String {
    let flow = |flow: FlowIndex| &scenario.flows[flow].name;
    let names = |nodes: &[NodeIndex]| {
        if nodes.len() > 1 && [scenario.nodes.len(), scenario.speakers().len()].contains(&nodes.len()) {
            return "all nodes".to_owned();
        }
        let names: Vec<&str> = nodes.iter().map(|node| scenario.nodes[*node].name.as_str()).collect();
        names.join(", ")
    };
    let at = |at: &Duration| format!("{:>5.1} s", at.as_secs_f64());
    let during =
        |window: &Window| format!("{:>5.1}-{:.1} s", window.from.as_secs_f64(), window.to.as_secs_f64());
    match check {
        Check::Traffic {
            flow: index,
            receiver,
            during: window,
            rate_at_least,
            loss_at_most,
            loss_at_least,
        } => {
            let percent = |share: &f64| format!("{} %", share * 100.0);
            let bounds = [
                rate_at_least.as_ref().map(|share| format!("at least {} of its rate", percent(share))),
                loss_at_most.as_ref().map(|share| format!("loss at most {}", percent(share))),
                loss_at_least.as_ref().map(|share| format!("loss at least {}", percent(share))),
            ];
            let bounds: Vec<String> = bounds.into_iter().flatten().collect();
            let receiver = &scenario.receivers[*receiver];
            let to = receiver.group.map(|_| format!(" to {}", receiver.name)).unwrap_or_default();
            format!("{} {}{to}: {}", during(window), flow(*index), bounds.join(", "))
        }
        Check::Reserved { flow: index, at: time, nodes, wanted } => {
            let is = if *wanted { "reserved at" } else { "not reserved at" };
            format!("{} {}: {is} {}", at(time), flow(*index), names(nodes))
        }
        Check::Path { flow: index, at: time, nodes, previous_hop, non_rsvp, broken } => {
            let hop =
                previous_hop.map(|hop| format!(" from {}", scenario.nodes[hop].name)).unwrap_or_default();
            let across = match non_rsvp {
                Some(true) => " across a non-RSVP hop",
                Some(false) => " with no non-RSVP hop",
                None => "",
            };
            let broken = match broken {
                Some(true) => ", ADSPEC broken",
                Some(false) => ", ADSPEC not broken",
                None => "",
            };
            format!("{} {}: path state at {}{hop}{across}{broken}", at(time), flow(*index), names(nodes))
        }
        Check::NoPath { flow: index, at: time, nodes } => {
            format!("{} {}: no path state at {}", at(time), flow(*index), names(nodes))
        }
        Check::Placement { group, at: time } => {
            let name = &scenario.groups[*group].name;
            format!("{} {name}: path state and reservations where they belong, none elsewhere", at(time))
        }
        Check::Refused { receiver, at: time, code, value, node } => {
            let value = value.map(|value| format!(", value {value}")).unwrap_or_default();
            let (node, name) = (&scenario.nodes[*node].name, &scenario.receivers[*receiver].name);
            format!("{} {name}: refused by {node} with error code {code}{value}", at(time))
        }
        Check::NoTimeouts { during: window, nodes } => {
            format!("{} no state times out at {}", during(window), names(nodes))
        }
        Check::Expires { flow: index, state, node, learnt_from, during: window, .. } => {
            let (node, from) = (&scenario.nodes[*node].name, &scenario.nodes[*learnt_from].name);
            format!(
                "{} {}: {node}'s {state} state from {from} ends at its lifetime",
                during(window),
                flow(*index)
            )
        }
        Check::Recovers { flow: index, from, within } => {
            let (wait, refresh) = (scenario.timers.repair_delay.0, scenario.timers.refresh.0);
            let routing = scenario.convergence.unwrap_or_default();
            format!(
                "{} {}: recovers on its new path (routing follows in {routing:?}, W {wait:?}, R {refresh:?})",
                during(&Window { from: *from, to: *from + *within }),
                flow(*index)
            )
        }
        Check::Encapsulation { nodes, form, .. } => {
            let form = match form {
                Form::Raw => "raw, none in UDP",
                Form::Udp => "in UDP, none raw",
            };
            format!("all the time, Path and Resv from {}: {form}", names(nodes))
        }
        Check::Reduction { at: time, node, neighbor, used, states } => {
            let (node, neighbor) = (&scenario.nodes[*node].name, &scenario.nodes[*neighbor].name);
            let what = match (used, states) {
                (false, _) => "without refresh reduction".to_owned(),
                (true, 0) => "with refresh reduction".to_owned(),
                (true, states) => format!("with refresh reduction, at least {states} states together"),
            };
            format!("{} {node} speaks to {neighbor} {what}", at(time))
        }
        Check::RsvpLoad { link, during: window, packets_at_least, packets_at_most, octets_at_most } => {
            let bounds = [
                packets_at_least.map(|count| format!("at least {count} packets")),
                packets_at_most.map(|count| format!("at most {count} packets")),
                octets_at_most.map(|count| format!("at most {count} octets")),
            ];
            let bounds: Vec<String> = bounds.into_iter().flatten().collect();
            format!("{} RSVP on link {}: {}", during(window), scenario.links[*link].name, bounds.join(", "))
        }
        Check::Kernel { at: time, nodes } => {
            format!(
                "{} the kernel holds the live reservations and nothing else at {}",
                at(time),
                names(nodes)
            )
        }
    }
}

/// Judges a check while the network runs.
pub(crate) fn judge_live(check: &Check, scenario: &Scenario, backend: &mut dyn Backend) -> Verdict {
    match check {
        Check::Reserved { flow, nodes, wanted, .. } => {
            let asked = scenario.receivers_of(*flow).map(|receiver| scenario.receivers[receiver].rate);
            let least = asked.min().unwrap_or_default();
            each_state(nodes, scenario, backend, |state| reserved(state, *flow, *wanted, least))
        }
        Check::Placement { group, at } => placement::judge(*group, *at, scenario, backend),
        Check::Path { nodes, .. } => {
            each_state(nodes, scenario, backend, |state| path(state, check, scenario))
        }
        Check::NoPath { flow, nodes, .. } => each_state(nodes, scenario, backend, |state| {
            match state.paths.iter().any(|path| path.flow == Some(*flow)) {
                true => Err("still has path state".to_owned()),
                false => Ok(None),
            }
        }),
        Check::Refused { receiver, code, value, node, .. } => {
            let Some(refusal) = backend.refusal(*receiver) else {
                return Verdict::Failed("it was not refused".to_owned());
            };
            let seen = format!(
                "error code {}, value {} from {}",
                refusal.code,
                refusal.value,
                scenario.name_of(refusal.node)
            );
            let right = refusal.code == *code
                && value.is_none_or(|value| value == refusal.value)
                && scenario.owner(refusal.node) == Some(*node);
            if right { Verdict::Passed(seen) } else { Verdict::Failed(seen) }
        }
        Check::Reduction { node, .. } => {
            each_state(&[*node], scenario, backend, |state| reduction(state, check, scenario))
        }
        Check::Kernel { nodes, .. } => kernels(nodes, scenario, backend),
        Check::Traffic { .. }
        | Check::NoTimeouts { .. }
        | Check::Expires { .. }
        | Check::Recovers { .. }
        | Check::Encapsulation { .. }
        | Check::RsvpLoad { .. } => {
            unreachable!("judged at the end")
        }
    }
}

fn kernels(nodes: &[NodeIndex], scenario: &Scenario, backend: &mut dyn Backend) -> Verdict {
    let mut figures = Vec::new();
    for node in nodes {
        let name = &scenario.nodes[*node].name;
        match backend.kernel(*node) {
            Verdict::Passed(seen) => figures.push(format!("{name} {seen}")),
            Verdict::Failed(why) => return Verdict::Failed(format!("{name}: {why}")),
            not @ Verdict::NotMeasured(_) => return not,
        }
    }
    Verdict::Passed(figures.join(", "))
}

/// Asks the nodes one after the other; the first that fails decides.
fn each_state(
    nodes: &[NodeIndex],
    scenario: &Scenario,
    backend: &mut dyn Backend,
    judge: impl Fn(&NodeState) -> Result<Option<String>, String>,
) -> Verdict {
    let mut figures: Vec<String> = Vec::new();
    for node in nodes {
        match backend.state(*node).and_then(|state| judge(&state)) {
            Ok(figure) => figures.extend(figure),
            Err(why) => return Verdict::Failed(format!("{}: {why}", scenario.nodes[*node].name)),
        }
    }
    figures.dedup();
    Verdict::Passed(figures.join(", "))
}

fn reserved(state: &NodeState, flow: FlowIndex, wanted: bool, least: u64) -> Result<Option<String>, String> {
    let installed = state.installed.iter().find(|installed| installed.flows.contains(&flow));
    match (installed, wanted) {
        (None, false) => Ok(None),
        (Some(_), false) => Err("still has a reservation".to_owned()),
        (None, true) => Err("has no reservation".to_owned()),
        (Some(installed), true) if !installed.done => Err("has not installed the reservation".to_owned()),
        (Some(installed), true) if installed.bandwidth < least => {
            Err(format!("has reserved {} only", rate(installed.bandwidth)))
        }
        (Some(installed), true) => Ok(Some(rate(installed.bandwidth))),
    }
}

fn path(state: &NodeState, check: &Check, scenario: &Scenario) -> Result<Option<String>, String> {
    let Check::Path { flow, previous_hop, non_rsvp, broken, .. } = check else {
        unreachable!("a check of path state");
    };
    let paths: Vec<_> = state.paths.iter().filter(|path| path.flow == Some(*flow)).collect();
    let name = |path: &&PathState| path.previous_hop.map_or("itself".to_owned(), |hop| scenario.name_of(hop));
    let is_wanted = |path: &&&PathState| {
        previous_hop.is_none() || path.previous_hop.and_then(|hop| scenario.owner(hop)) == *previous_hop
    };
    let Some(path) = paths.iter().find(is_wanted) else {
        let hops: Vec<String> = paths.iter().map(name).collect();
        return Err(match &hops[..] {
            [] => "has no path state".to_owned(),
            hops => format!("its previous hop is {}", hops.join(" and ")),
        });
    };
    if non_rsvp.is_some_and(|wanted| wanted != path.non_rsvp) {
        return Err(format!("non-RSVP hop seen: {}", path.non_rsvp));
    }
    if broken.is_some_and(|wanted| wanted != path.broken) {
        return Err(format!("the ADSPEC's break bit is {}", u8::from(path.broken)));
    }
    Ok(path.previous_hop.is_some().then(|| format!("from {}", name(path))))
}

fn reduction(state: &NodeState, check: &Check, scenario: &Scenario) -> Result<Option<String>, String> {
    let Check::Reduction { neighbor, used: wanted, states, .. } = check else {
        unreachable!("a check of refresh reduction");
    };
    let mut views = state.neighbors.iter().filter(|view| view.node == Some(*neighbor));
    let Some(view) = views.next() else {
        return Err(format!("does not know {}", scenario.nodes[*neighbor].name));
    };
    let names = ["MESSAGE_ID", "Bundle", "Srefresh"];
    let used: Vec<&str> =
        view.used.iter().zip(names).filter(|(used, _)| **used).map(|(_, name)| name).collect();
    let seen = if used.is_empty() { "nothing of it".to_owned() } else { used.join(", ") };
    let seen = format!("{seen}; {} states together", view.summarized);
    let right = if *wanted { used.len() == names.len() } else { used.is_empty() };
    if right && view.summarized >= *states { Ok(Some(seen)) } else { Err(format!("uses {seen}")) }
}

/// Judges a check when all is over.
pub(crate) fn judge_at_end(
    check: &Check,
    scenario: &Scenario,
    changes: &[StateChange],
    ending: &Ending,
) -> Verdict {
    match check {
        Check::Traffic { .. } => traffic(check, scenario, ending),
        Check::NoTimeouts { during, nodes } => no_timeouts(*during, nodes, scenario, changes),
        Check::Expires { .. } => expires(check, scenario, changes, &ending.heard),
        Check::Encapsulation { nodes, form, .. } => encapsulation(nodes, *form, scenario, ending),
        Check::RsvpLoad { .. } => rsvp_load(check, ending),
        Check::Recovers { flow, from, within } => {
            let during = Window { from: *from, to: *from + *within };
            recovery::judge(*flow, during, scenario, changes, ending)
        }
        _ => unreachable!("judged when it was due"),
    }
}

fn traffic(check: &Check, scenario: &Scenario, ending: &Ending) -> Verdict {
    let Check::Traffic { flow, receiver, during, rate_at_least, loss_at_most, loss_at_least } = check else {
        unreachable!("a check of traffic");
    };
    let Some(traffic) = &ending.traffic else {
        return Verdict::NotMeasured("the simulator carries no data".to_owned());
    };
    let of = &scenario.flows[*flow];
    let measured = traffic.measure(*flow, *receiver, *during);
    if measured.sent == 0 {
        return Verdict::Failed("nothing was sent in that time".to_owned());
    }
    let length = (during.to - during.from).as_secs_f64();
    let received = to_float(measured.received_bytes) * 8.0 / length;
    let share = received / to_float(of.rate);
    let loss = 1.0 - to_float(measured.delivered) / to_float(measured.sent);
    let seen =
        format!("{} ({:.1} %), loss {:.1} %", format_rate(received.round()), share * 100.0, loss * 100.0);
    let offered = to_float(measured.sent * u64::from(of.packet)) * 8.0 / length / to_float(of.rate);
    let keeps_loss =
        loss_at_most.is_none_or(|bound| loss <= bound) && loss_at_least.is_none_or(|bound| loss >= bound);
    match rate_at_least {
        _ if !keeps_loss => Verdict::Failed(seen),
        // Nothing can be said of the network if the sender's thread was kept from running.
        Some(bound) if share < *bound && offered < *bound => Verdict::NotMeasured(format!(
            "{seen}; its sender came to {:.1} % only: this machine is too busy",
            offered * 100.0
        )),
        Some(bound) if share < *bound => Verdict::Failed(seen),
        _ => Verdict::Passed(seen),
    }
}

fn no_timeouts(during: Window, nodes: &[NodeIndex], scenario: &Scenario, changes: &[StateChange]) -> Verdict {
    let inside = |change: &&StateChange| {
        change.at >= during.from && change.at <= during.to && nodes.contains(&change.node)
    };
    for change in changes.iter().filter(inside) {
        let node = &scenario.nodes[change.node].name;
        let at = change.at.as_secs_f64();
        match change.subject {
            Subject::Lost(count) => return Verdict::Failed(format!("{count} events of {node} were lost")),
            Subject::State(kind) if change.expired => {
                let flow = scenario.flow_names(&change.flows);
                return Verdict::Failed(format!("{node}: {kind} state of {flow} timed out at {at:.1} s"));
            }
            _ => {}
        }
    }
    Verdict::Passed(String::new())
}

fn expires(check: &Check, scenario: &Scenario, changes: &[StateChange], heard: &[Heard]) -> Verdict {
    let Check::Expires { flow, state, node, learnt_from, during, slack } = check else {
        unreachable!("a check of a lifetime");
    };
    let gone = changes.iter().find(|change| {
        change.expired
            && change.node == *node
            && change.subject == Subject::State(*state)
            && change.flows.contains(flow)
            && change.neighbor.and_then(|neighbor| scenario.owner(neighbor)) == Some(*learnt_from)
            && (during.from..=during.to).contains(&change.at)
    });
    let Some(gone) = gone else {
        return Verdict::Failed("it did not time out in that time".to_owned());
    };
    let last = heard.iter().rev().find(|message| {
        message.at < gone.at
            && message.node == *node
            && message.kind == *state
            && message.flows.contains(flow)
            && scenario.owner(message.hop) == Some(*learnt_from)
    });
    let Some(last) = last else {
        return Verdict::Failed("no message that refreshed it was seen".to_owned());
    };
    let lifetime = lifetime(scenario.timers.refresh_multiple, last.refresh);
    let lived = gone.at.saturating_sub(last.at);
    let seen = format!(
        "{:.2} s after its last refresh; the lifetime is {:.2} s",
        lived.as_secs_f64(),
        lifetime.as_secs_f64()
    );
    if (lifetime..=lifetime + *slack).contains(&lived) {
        Verdict::Passed(seen)
    } else {
        Verdict::Failed(seen)
    }
}

fn encapsulation(nodes: &[NodeIndex], form: Form, scenario: &Scenario, ending: &Ending) -> Verdict {
    let mut figures = Vec::new();
    let mut right = true;
    for node in nodes {
        let Forms { raw, udp } = ending.sent.get(node).copied().unwrap_or_default();
        let (wanted, others) = if form == Form::Udp { (udp, raw) } else { (raw, udp) };
        right &= wanted > 0 && others == 0;
        figures.push(format!("{} {udp} in UDP and {raw} raw", scenario.nodes[*node].name));
    }
    let seen = figures.join(", ");
    if right { Verdict::Passed(seen) } else { Verdict::Failed(seen) }
}

fn rsvp_load(check: &Check, ending: &Ending) -> Verdict {
    let Check::RsvpLoad { link, during, packets_at_least, packets_at_most, octets_at_most } = check else {
        unreachable!("a check of what RSVP costs");
    };
    let seen = |one: &&Datagram| one.link == *link && (during.from..during.to).contains(&one.at);
    let (mut packets, mut octets) = (0, 0);
    for datagram in ending.datagrams.iter().filter(seen) {
        packets += 1;
        octets += datagram.octets;
    }
    let seen = format!("{packets} packets, {octets} octets");
    let right = packets_at_least.is_none_or(|bound| packets >= bound)
        && packets_at_most.is_none_or(|bound| packets <= bound)
        && octets_at_most.is_none_or(|bound| octets <= bound);
    if right { Verdict::Passed(seen) } else { Verdict::Failed(seen) }
}

/// L = (K + 0.5) * 1.5 * R (RFC 2205 section 3.7).
fn lifetime(refresh_multiple: u32, refresh: Duration) -> Duration {
    (2 * refresh_multiple + 1) * 3 * refresh / 4
}

fn rate(bits: u64) -> String {
    format_rate(to_float(bits))
}

#[expect(clippy::cast_precision_loss, reason = "packets and bits of a few minutes are far below 2^53")]
fn to_float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::backend::{Measured, Outage, Traffic};
    use crate::lab::model::ReceiverIndex;

    /// A flow of 1 Mbit/s in packets of 1000 bytes, for a second.
    #[derive(Debug)]
    struct Figures(Measured);

    impl Traffic for Figures {
        fn measure(&self, _: FlowIndex, _: ReceiverIndex, _: Window) -> Measured {
            self.0
        }

        fn outage(&self, _: FlowIndex, _: ReceiverIndex, _: Window) -> Outage {
            Outage { lost: 0, lasted: None }
        }
    }

    #[test]
    fn what_a_busy_machine_did_not_send_is_no_loss() {
        let scenario = crate::lab::resolve::parse(
            r#"
            title = "two hosts"
            duration = "2s"
            hosts = ["a", "b"]
            links = [{ ends = ["a", "b"], rate = "10Mbit" }]
            flows = [{ name = "f", from = "a", to = "b", port = 5000, rate = "1Mbit" }]
            checks = [{ check = "traffic", flows = "f", during = [0, 1], rate-at-least = "97%", loss-at-most = "1%" }]
            "#,
        )
        .expect("a scenario");
        let judge = |sent: u64, delivered: u64| {
            let figures = Figures(Measured { sent, delivered, received_bytes: delivered * 1000 });
            let ending = Ending { traffic: Some(Box::new(figures)), ..Ending::default() };
            judge_at_end(&scenario.checks[0], &scenario, &[], &ending)
        };
        assert!(matches!(judge(125, 125), Verdict::Passed(_)));
        assert!(matches!(judge(125, 124), Verdict::Passed(_)));
        assert!(matches!(judge(125, 120), Verdict::Failed(_)), "lost");
        assert!(matches!(judge(250, 120), Verdict::Failed(_)), "lost");
        assert!(matches!(judge(110, 110), Verdict::NotMeasured(_)), "not sent");
        assert!(matches!(judge(110, 105), Verdict::Failed(_)), "not sent, and lost");
        assert!(matches!(judge(0, 0), Verdict::Failed(_)));
    }

    #[test]
    fn the_lifetime_is_the_rfcs() {
        assert_eq!(lifetime(3, Duration::from_secs(30)), Duration::from_millis(157_500));
        assert_eq!(lifetime(2, Duration::from_millis(100)), Duration::from_millis(375));
    }
}
