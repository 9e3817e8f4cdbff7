//! How a flow recovers from a change of the network: when its reservation stands on the new path, and when its packets
//! arrive again.

use std::time::Duration;

use super::backend::{Ending, Outage, StateChange, Subject, Verdict};
use super::model::{FlowIndex, NodeIndex, Scenario, Window};
use super::routing::Topology;

/// Judges a recovery when all is over.
pub(crate) fn judge(
    index: FlowIndex,
    during: Window,
    scenario: &Scenario,
    changes: &[StateChange],
    ending: &Ending,
) -> Verdict {
    let topology = scenario.topologies.iter().find(|topology| topology.since == during.from);
    let receiver = scenario.receivers_of(index).next();
    let ends = receiver.map(|receiver| (scenario.flows[index].from, scenario.receivers[receiver].node));
    let (Some(hops), Some(receiver)) =
        (topology.zip(ends).and_then(|(topology, (from, to))| hops(from, to, topology, scenario)), receiver)
    else {
        return Verdict::Failed("there is no way for it any more".to_owned());
    };
    let mut stands = during.from;
    for (node, interface) in hops {
        let own = |change: &&StateChange| {
            change.at <= during.to
                && change.node == node
                && change.subject == Subject::Installation
                && change.flows.contains(&index)
                && change.interface.as_deref() == Some(interface)
        };
        match standing(changes.iter().filter(own)) {
            Some(since) => stands = stands.max(since),
            None => {
                let (name, end) = (&scenario.nodes[node].name, during.to.as_secs_f64());
                return Verdict::Failed(format!("{name} has no reservation on {interface} at {end:.1} s"));
            }
        }
    }
    let after = |moment: Duration| moment.saturating_sub(during.from).as_secs_f64();
    let reserved = format!("the reservation stands on the new path {:.2} s after the change", after(stands));
    let Some(traffic) = &ending.traffic else { return Verdict::Passed(reserved) };
    let data = match traffic.outage(index, receiver, during) {
        Outage { lasted: Some(lasted), .. } if lasted.to >= during.to => {
            return Verdict::Failed(format!("{reserved}, but packets are lost to the end of that time"));
        }
        Outage { lasted: Some(lasted), lost } => {
            format!("{lost} packets lost, all arrive again {:.2} s after the change", after(lasted.to))
        }
        Outage { lost, .. } => format!("{lost} packets lost"),
    };
    Verdict::Passed(format!("{reserved}; {data}"))
}

/// The nodes with RSVP on the flow's new path, each with the interface that the flow leaves by.
fn hops<'a>(
    from: NodeIndex,
    to: NodeIndex,
    topology: &Topology,
    scenario: &'a Scenario,
) -> Option<Vec<(NodeIndex, &'a str)>> {
    let path = topology.path(&scenario.nodes, from, to)?;
    let hop = |pair: &[NodeIndex]| {
        let [node, next] = *pair else { return None };
        let link = scenario.link_between(node, next)?;
        Some((node, scenario.nodes[node].interface_on(link)?.name.as_str()))
    };
    let all: Option<Vec<_>> = path.windows(2).map(hop).collect();
    let speaks = |(node, _): &(NodeIndex, &str)| scenario.nodes[*node].kind.speaks_rsvp();
    Some(all?.into_iter().filter(speaks).collect())
}

/// Since when there is an installation, after these changes of it.
fn standing<'a>(changes: impl Iterator<Item = &'a StateChange>) -> Option<Duration> {
    changes.fold(None, |since, change| match change.change {
        "created" | "modified" => since.or(Some(change.at)),
        _ => None,
    })
}
