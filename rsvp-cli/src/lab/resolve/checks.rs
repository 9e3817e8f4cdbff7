//! The checks of a scenario.

use super::super::model::{Check, FlowIndex, NodeIndex, Scenario, Window};
use super::super::scenario::{CheckFile, Names, Time};
use super::{flow_named, node_named, speaker_named};

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
            let mut path = speakers_on_path(flow, at, scenario)?;
            path.pop();
            Ok(path)
        };
        some_nodes(nodes, default, scenario)
    };
    match file {
        CheckFile::Traffic { flows, during, rate_at_least, loss_at_most, loss_at_least } => {
            let during = window(during)?;
            let [rate_at_least, loss_at_most, loss_at_least] =
                [rate_at_least, loss_at_most, loss_at_least].map(|share| share.map(|share| share.0));
            if rate_at_least.or(loss_at_most).or(loss_at_least).is_none() {
                return Err("give a bound: rate-at-least, loss-at-most or loss-at-least".to_owned());
            }
            each(&flows, &|flow| {
                Ok(Check::Traffic { flow, during, rate_at_least, loss_at_most, loss_at_least })
            })
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
        CheckFile::Refused { flows, at, code, value, node } => {
            let node = node_named(&node, &scenario.nodes)?;
            each(&flows, &|flow| Ok(Check::Refused { flow, at: at.0, code, value, node }))
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
            each(&flows, &|flow| Ok(Check::Recovers { flow, from: from.0, within: within.0 }))
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

/// The nodes with RSVP that a flow passes at that time.
fn speakers_on_path(flow: FlowIndex, at: Time, scenario: &Scenario) -> Result<Vec<NodeIndex>, String> {
    let flow = &scenario.flows[flow];
    let path = scenario.path(flow, at.0);
    let path = path.ok_or_else(|| format!("{} has no way at {:?}: name the nodes", flow.name, at.0))?;
    Ok(path.into_iter().filter(|node| scenario.nodes[*node].kind.speaks_rsvp()).collect())
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
