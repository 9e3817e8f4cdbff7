//! The events of a scenario.

use super::super::model::{Action, Event, ReceiverIndex, Scenario};
use super::super::routing::Topology;
use super::super::scenario::{EventFile, Names};
use super::{flow_named, link_named, link_states, receiver_named, speaker_named};

/// An event of the file.
pub(super) fn resolve(file: &EventFile, scenario: &Scenario) -> Result<Event, String> {
    let mut actions = Vec::new();
    let speaker = |name: &str| speaker_named(name, &scenario.nodes);
    add(&mut actions, &file.link_up, Action::LinkUp, |name| link_named(name, &scenario.links))?;
    add(&mut actions, &file.start, Action::Start, speaker)?;
    add(&mut actions, &file.thaw, Action::Thaw, speaker)?;
    add(&mut actions, &file.send, Action::Send, |name| flow_named(name, scenario))?;
    add(&mut actions, &file.announce, Action::Announce, |name| flow_named(name, scenario))?;
    add(&mut actions, &file.join, Action::Join, |name| member_named(name, scenario))?;
    add(&mut actions, &file.reserve, Action::Reserve, |name| receiver_named(name, scenario))?;
    add(&mut actions, &file.release, Action::Release, |name| receiver_named(name, scenario))?;
    add(&mut actions, &file.leave, Action::Leave, |name| member_named(name, scenario))?;
    add(&mut actions, &file.withdraw, Action::Withdraw, |name| flow_named(name, scenario))?;
    add(&mut actions, &file.silence, Action::Silence, |name| flow_named(name, scenario))?;
    add(&mut actions, &file.freeze, Action::Freeze, speaker)?;
    add(&mut actions, &file.kill, Action::Kill, speaker)?;
    add(&mut actions, &file.link_down, Action::LinkDown, |name| link_named(name, &scenario.links))?;
    for (name, cost) in &file.cost {
        let link = link_named(name, &scenario.links)?;
        if *cost == 0 {
            return Err(format!("link {name}: a cost is 1 or more"));
        }
        if scenario.convergence.is_none() {
            return Err(
                "a cost changes nothing while routes are static: give the file a convergence".to_owned()
            );
        }
        actions.push(Action::Cost(link, *cost));
    }
    let at = file.at.0;
    if at > scenario.duration {
        return Err(format!("the event at {at:?} is after the end at {:?}", scenario.duration));
    }
    let touches_links = |action: &Action| matches!(action, Action::LinkDown(_) | Action::LinkUp(_));
    if scenario.convergence.is_none() && !scenario.groups.is_empty() && actions.iter().any(touches_links) {
        return Err("trees of groups follow the links: give the file a convergence".to_owned());
    }
    if actions.is_empty() {
        let allowed = "announce, withdraw, reserve, release, send, silence (flows), join, leave (members), \
                       freeze, thaw, kill, start (nodes), link-down, link-up, cost (links)";
        return Err(format!("the event does nothing: give it one of {allowed}"));
    }
    Ok(Event { at, actions })
}

fn add<T>(
    actions: &mut Vec<Action>,
    names: &Names,
    action: fn(T) -> Action,
    find: impl Fn(&str) -> Result<T, String>,
) -> Result<(), String> {
    for name in &names.0 {
        actions.push(action(find(name)?));
    }
    Ok(())
}

fn member_named(name: &str, scenario: &Scenario) -> Result<ReceiverIndex, String> {
    let receiver = receiver_named(name, scenario)?;
    match scenario.receivers[receiver].group {
        Some(_) => Ok(receiver),
        None => Err(format!("{name} is the flow to a host, who hears it without joining")),
    }
}

/// Adds what routing does about the events: the routes that follow each change of the links, and when they do.
pub(super) fn converge(scenario: &mut Scenario) {
    let Some(convergence) = scenario.convergence else { return };
    let mut states = link_states(scenario);
    let mut answers = Vec::new();
    for event in &scenario.events {
        let before = states.clone();
        for action in &event.actions {
            match action {
                Action::LinkDown(link) => states[*link].up = false,
                Action::LinkUp(link) => states[*link].up = true,
                Action::Cost(link, cost) => states[*link].cost = *cost,
                _ => {}
            }
        }
        let from = event.at + convergence;
        if states != before && from <= scenario.duration {
            answers.push(Topology::new(event.at, from, scenario, &states));
        }
    }
    for topology in answers {
        let actions = vec![Action::Converge(scenario.topologies.len())];
        scenario.events.push(Event { at: topology.from, actions });
        scenario.topologies.push(topology);
    }
    scenario.events.sort_by_key(|event| event.at);
}
