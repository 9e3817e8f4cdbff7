//! The checks of a scenario.

use super::super::model::{
    Action, Check, Event, FlowIndex, NodeIndex, ReceiverIndex, Scenario, Target, Window,
};
use super::super::routing::{Tree, just_before};
use super::super::scenario::{CheckFile, Names, Time};
use super::{flow_named, link_named, named, node_named, receiver_named, speaker_named};

/// One check of the file may be several, one for each flow.
pub(super) fn resolve(file: CheckFile, scenario: &Scenario) -> Result<Vec<Check>, String> {
    let each = |flows: &Names, check: &dyn Fn(FlowIndex) -> Result<Check, String>| {
        if flows.0.is_empty() {
            return Err("the check names no flow".to_owned());
        }
        flows.0.iter().map(|name| check(flow_named(name, scenario)?)).collect::<Result<Vec<_>, _>>()
    };
    let path_of = |flow: FlowIndex, at: Time, nodes: &Option<Names>| {
        some_nodes(nodes, || speakers_on_path(flow, at, scenario), scenario)
    };
    // A reservation holds where data leaves a node: everywhere on the path but at its end.
    let forwarders_of = |flow: FlowIndex, at: Time, nodes: &Option<Names>| {
        let default = || {
            let tree = way(flow, at, scenario)?;
            let nodes = speakers_in(&tree, scenario);
            Ok(nodes.into_iter().filter(|node| !tree.0[node].outgoing.is_empty()).collect())
        };
        some_nodes(nodes, default, scenario)
    };
    match file {
        CheckFile::Traffic { flows, members, during, rate_at_least, loss_at_most, loss_at_least } => {
            let during = window(during)?;
            let [rate_at_least, loss_at_most, loss_at_least] =
                [rate_at_least, loss_at_most, loss_at_least].map(|share| share.map(|share| share.0));
            if rate_at_least.or(loss_at_most).or(loss_at_least).is_none() {
                return Err("give a bound: rate-at-least, loss-at-most or loss-at-least".to_owned());
            }
            let mut checks = Vec::new();
            for name in &flows.0 {
                let flow = flow_named(name, scenario)?;
                checks.extend(hearers(flow, &members, during, scenario)?.into_iter().map(|receiver| {
                    Check::Traffic { flow, receiver, during, rate_at_least, loss_at_most, loss_at_least }
                }));
            }
            Ok(checks)
        }
        CheckFile::Reserved { flows, at, nodes } => each(&flows, &|flow| {
            Ok(Check::Reserved { flow, at: at.0, nodes: forwarders_of(flow, at, &nodes)?, wanted: true })
        }),
        CheckFile::NotReserved { flows, at, nodes } => each(&flows, &|flow| {
            Ok(Check::Reserved { flow, at: at.0, nodes: forwarders_of(flow, at, &nodes)?, wanted: false })
        }),
        CheckFile::Path { flows, at, nodes, previous_hop, non_rsvp, broken } => {
            let previous_hop = previous_hop.map(|name| node_named(&name, &scenario.nodes)).transpose()?;
            each(&flows, &|flow| {
                Ok(Check::Path {
                    flow,
                    at: at.0,
                    nodes: path_of(flow, at, &nodes)?,
                    previous_hop,
                    non_rsvp,
                    broken,
                })
            })
        }
        CheckFile::NoPath { flows, at, nodes } => {
            each(&flows, &|flow| Ok(Check::NoPath { flow, at: at.0, nodes: path_of(flow, at, &nodes)? }))
        }
        CheckFile::Placement { groups, at } => {
            let group = |name: &String| named("group", name, &scenario.groups, |group| &group.name);
            groups.0.iter().map(|name| Ok(Check::Placement { group: group(name)?, at: at.0 })).collect()
        }
        CheckFile::Refused { flows, at, code, value, node } => {
            let node = node_named(&node, &scenario.nodes)?;
            let refused = |name: &String| {
                let receiver = receiver_named(name, scenario)?;
                Ok(Check::Refused { receiver, at: at.0, code, value, node })
            };
            flows.0.iter().map(refused).collect()
        }
        CheckFile::NoTimeouts { during, nodes } => {
            let nodes = some_nodes(&nodes, || Ok(scenario.speakers()), scenario)?;
            Ok(vec![Check::NoTimeouts { during: window(during)?, nodes }])
        }
        CheckFile::Expires { flows, state, node, learnt_from, during, slack } => {
            let (during, slack) = (window(during)?, slack.0);
            let [node, learnt_from] =
                [node_named(&node, &scenario.nodes)?, node_named(&learnt_from, &scenario.nodes)?];
            each(&flows, &|flow| Ok(Check::Expires { flow, state, node, learnt_from, during, slack }))
        }
        CheckFile::Recovers { flows, from, within } => {
            if !scenario.topologies[1..].iter().any(|topology| topology.since == from.0) {
                let times: Vec<String> =
                    scenario.topologies[1..].iter().map(|one| format!("{:?}", one.since)).collect();
                let known = if times.is_empty() { "there is none".to_owned() } else { times.join(", ") };
                return Err(format!("no change of the links at {:?} that routing follows: {known}", from.0));
            }
            each(&flows, &|flow| match scenario.flows[flow].to {
                Target::Host(_) => Ok(Check::Recovers { flow, from: from.0, within: within.0 }),
                Target::Group(_) => Err("recovery is measured of flows to a host".to_owned()),
            })
        }
        CheckFile::Encapsulation { nodes, form } => {
            let nodes =
                nodes.0.iter().map(|name| speaker_named(name, &scenario.nodes)).collect::<Result<_, _>>()?;
            Ok(vec![Check::Encapsulation { nodes, form, end: scenario.duration }])
        }
        CheckFile::Reduction { at, node, neighbor, used, states_at_least } => {
            let [node, neighbor] =
                [speaker_named(&node, &scenario.nodes)?, speaker_named(&neighbor, &scenario.nodes)?];
            Ok(vec![Check::Reduction { at: at.0, node, neighbor, used, states: states_at_least }])
        }
        CheckFile::RsvpLoad { link, during, packets_at_least, packets_at_most, octets_at_most } => {
            if packets_at_least.or(packets_at_most).is_none() && octets_at_most.is_none() {
                return Err("give a bound: packets-at-least, packets-at-most or octets-at-most".to_owned());
            }
            let (link, during) = (link_named(&link, &scenario.links)?, window(during)?);
            let octets_at_most = octets_at_most.map(|size| usize::try_from(size.0).unwrap_or(usize::MAX));
            Ok(vec![Check::RsvpLoad { link, during, packets_at_least, packets_at_most, octets_at_most }])
        }
        CheckFile::Kernel { at, nodes } => {
            let nodes = match nodes {
                None => scenario.node_indices(),
                Some(names) => {
                    names.0.iter().map(|name| node_named(name, &scenario.nodes)).collect::<Result<_, _>>()?
                }
            };
            Ok(vec![Check::Kernel { at: at.0, nodes }])
        }
    }
}

fn window([from, to]: [Time; 2]) -> Result<Window, String> {
    if from >= to {
        return Err(format!("the time ends at {:?} before it begins at {:?}", to.0, from.0));
    }
    Ok(Window { from: from.0, to: to.0 })
}

/// The receivers whose traffic is looked at: those named, or all that are in the group all that time.
fn hearers(
    flow: FlowIndex,
    names: &Option<Names>,
    during: Window,
    scenario: &Scenario,
) -> Result<Vec<ReceiverIndex>, String> {
    let all: Vec<_> = scenario.receivers_of(flow).collect();
    let name = &scenario.flows[flow].name;
    let Some(names) = names else {
        let stays = |one: &ReceiverIndex| {
            let leaves = |event: &Event| {
                (during.from..during.to).contains(&event.at) && event.actions.contains(&Action::Leave(*one))
            };
            scenario.is_member(*one, during.from) && !scenario.events.iter().any(leaves)
        };
        let all: Vec<_> = all.into_iter().filter(stays).collect();
        return if all.is_empty() { Err(format!("nobody hears {name} all that time")) } else { Ok(all) };
    };
    let named = |name_of: &String| match receiver_named(name_of, scenario)? {
        receiver if all.contains(&receiver) => Ok(receiver),
        _ => Err(format!("{name_of} does not hear {name}")),
    };
    names.0.iter().map(named).collect()
}

/// The way of a flow just before that time.
fn way(flow: FlowIndex, at: Time, scenario: &Scenario) -> Result<Tree, String> {
    let tree = match scenario.flows[flow].to {
        Target::Host(_) => scenario.data_tree(flow, just_before(at.0)),
        Target::Group(_) => scenario.reserved_tree(flow, just_before(at.0)),
    };
    if tree.0.is_empty() {
        let name = &scenario.flows[flow].name;
        return Err(format!("{name} has no way at {:?}: name the nodes", at.0));
    }
    Ok(tree)
}

/// The nodes with RSVP that a flow passes at that time.
fn speakers_on_path(flow: FlowIndex, at: Time, scenario: &Scenario) -> Result<Vec<NodeIndex>, String> {
    Ok(speakers_in(&way(flow, at, scenario)?, scenario))
}

/// The nodes of a flow's way that run RSVP.
fn speakers_in(tree: &Tree, scenario: &Scenario) -> Vec<NodeIndex> {
    tree.0.keys().copied().filter(|node| scenario.nodes[*node].kind.speaks_rsvp()).collect()
}

/// The nodes named, or those that it is about if none are.
fn some_nodes(
    names: &Option<Names>,
    default: impl FnOnce() -> Result<Vec<NodeIndex>, String>,
    scenario: &Scenario,
) -> Result<Vec<NodeIndex>, String> {
    match names {
        None => default(),
        Some(names) => names.0.iter().map(|name| speaker_named(name, &scenario.nodes)).collect(),
    }
}
