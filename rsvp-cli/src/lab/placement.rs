//! Whether the state of a group is where it has to be, and nowhere else: path state along the trees of its senders,
//! reservations on the way to those who reserved.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::backend::{Backend, NodeState, Verdict};
use super::model::{FlowIndex, GroupIndex, LinkIndex, NodeIndex, Scenario};
use super::routing::just_before;
use super::scenario::StyleName;
use crate::units::format_rate;

/// What is reserved at an interface: for which flows, and how much.
type Reserved = BTreeMap<LinkIndex, (BTreeSet<FlowIndex>, u64)>;

/// Judges it by the state of all nodes.
pub(crate) fn judge(
    group: GroupIndex,
    at: Duration,
    scenario: &Scenario,
    backend: &mut dyn Backend,
) -> Verdict {
    let at = just_before(at);
    let (address, port) = (scenario.groups[group].address, scenario.groups[group].port);
    let mut flows = scenario.flows_to(address, port, &[]);
    flows.retain(|flow| scenario.is_announced(*flow, at));
    let (mut paths, mut reservations) = (0, 0);
    for node in scenario.speakers() {
        let judged = backend.state(node).and_then(|state| {
            paths += judge_paths(node, &flows, group, at, scenario, &state)?;
            reservations += judge_reservations(node, &flows, group, at, scenario, &state)?;
            Ok(())
        });
        if let Err(why) = judged {
            return Verdict::Failed(format!("{} {why}", scenario.nodes[node].name));
        }
    }
    Verdict::Passed(format!("{paths} path states, {reservations} reservations"))
}

/// How many path states of the group's flows are at a node, if they are those that have to be there.
fn judge_paths(
    node: NodeIndex,
    flows: &[FlowIndex],
    group: GroupIndex,
    at: Duration,
    scenario: &Scenario,
    state: &NodeState,
) -> Result<usize, String> {
    let there: BTreeSet<FlowIndex> = state.paths.iter().filter_map(|path| path.flow).collect();
    let all = scenario.flows_to(scenario.groups[group].address, scenario.groups[group].port, &[]);
    let reserves = scenario.receivers.iter().enumerate().any(|(index, receiver)| {
        receiver.node == node
            && receiver.group == Some(group)
            && scenario.is_member(index, at)
            && scenario.has_reserved(index, at)
    });
    for flow in &all {
        let (name, is_there) = (&scenario.flows[*flow].name, there.contains(flow));
        let on_tree = flows.contains(flow) && scenario.data_tree(*flow, at).0.contains_key(&node);
        let is_sender = scenario.flows[*flow].from == node;
        let wanted = !scenario.nodes[node].kind.is_host() || is_sender || reserves;
        if on_tree && wanted && !is_there {
            return Err(format!("has no path state of {name}"));
        }
        // The daemon of a host need not have heard yet that nobody there listens any more.
        let forbidden = scenario.nodes[node].kind.forwards() || is_sender;
        if !on_tree && forbidden && is_there {
            return Err(format!("has path state of {name}, which does not pass it"));
        }
    }
    Ok(all.iter().filter(|flow| there.contains(flow)).count())
}

/// How many reservations of the group are at a node, if they are those that have to be there.
fn judge_reservations(
    node: NodeIndex,
    flows: &[FlowIndex],
    group: GroupIndex,
    at: Duration,
    scenario: &Scenario,
    state: &NodeState,
) -> Result<usize, String> {
    let wanted = wanted(node, flows, group, at, scenario);
    let all = scenario.flows_to(scenario.groups[group].address, scenario.groups[group].port, &[]);
    let mut found: BTreeMap<&str, (BTreeSet<FlowIndex>, u64)> = BTreeMap::new();
    for installed in state.installed.iter().filter(|one| one.flows.iter().any(|flow| all.contains(flow))) {
        if !installed.done {
            return Err(format!("has not installed the reservation on {}", installed.interface));
        }
        let (of, bandwidth) = found.entry(&installed.interface).or_default();
        of.extend(installed.flows.iter().filter(|flow| flows.contains(flow)));
        *bandwidth += installed.bandwidth;
    }
    for interface in &scenario.nodes[node].interfaces {
        let name = &interface.name;
        match (wanted.get(&interface.link), found.get(name.as_str())) {
            (None, None) => {}
            (Some(_), None) => return Err(format!("has no reservation on {name}")),
            (None, Some(_)) => return Err(format!("has a reservation on {name}, where nobody asks for one")),
            (Some((flows, _)), Some((of, _))) if !flows.is_subset(of) => {
                let missing: Vec<FlowIndex> = flows.difference(of).copied().collect();
                return Err(format!("has no reservation for {} on {name}", scenario.flow_names(&missing)));
            }
            (Some((_, asked)), Some((_, given))) if given.abs_diff(*asked) > asked / 100 => {
                let [given, asked] = [given, asked].map(|rate| in_words(*rate));
                return Err(format!("has reserved {given} on {name}, where {asked} are asked for"));
            }
            (Some(_), Some(_)) => {}
        }
    }
    Ok(found.len())
}

/// What has to be reserved at a node: on every interface the most that a receiver behind it asks for, for FF of each
/// sender; but no more than the senders send there.
fn wanted(
    node: NodeIndex,
    flows: &[FlowIndex],
    group: GroupIndex,
    at: Duration,
    scenario: &Scenario,
) -> Reserved {
    // By link and, for FF, by flow.
    let mut shares: BTreeMap<(LinkIndex, Option<FlowIndex>), (BTreeSet<FlowIndex>, u64)> = BTreeMap::new();
    for (index, receiver) in scenario.receivers.iter().enumerate() {
        if receiver.group != Some(group)
            || !scenario.is_member(index, at)
            || !scenario.has_reserved(index, at)
        {
            continue;
        }
        for flow in receiver.flows.iter().filter(|flow| flows.contains(flow)) {
            let tree = scenario.tree(&scenario.flows[*flow], &[index], at);
            for link in tree.0.get(&node).into_iter().flat_map(|branch| &branch.outgoing) {
                let distinct = (receiver.style == StyleName::Ff).then_some(*flow);
                let (of, rate) = shares.entry((*link, distinct)).or_default();
                of.insert(*flow);
                *rate = receiver.rate.max(*rate);
            }
        }
    }
    let mut wanted = Reserved::new();
    for ((link, _), (of, rate)) in shares {
        let sent = of.iter().map(|flow| scenario.flows[*flow].rate).sum();
        let (flows, total) = wanted.entry(link).or_default();
        flows.extend(of);
        *total += rate.min(sent);
    }
    wanted
}

fn in_words(rate: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "for display")]
    format_rate(rate as f64)
}
