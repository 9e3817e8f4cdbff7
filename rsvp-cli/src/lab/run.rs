//! Runs a scenario on a backend: what is to happen happens in time, what is to hold is judged.

use std::time::Duration;

use super::backend::{Backend, Fault, StateChange, Verdict};
use super::checks::{self, Outcome};
use super::model::{Action, Check, Scenario};
use super::scenario::StyleName;
use super::timeline::Timeline;

/// How often the timeline shows the rates of the flows.
const GLANCE: Duration = Duration::from_secs(2);

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Finished {
    /// In the order of the file, then those that every run makes.
    pub(crate) outcomes: Vec<Outcome>,
    /// Whether it was ended before its time; checks that were not yet due are missing.
    pub(crate) interrupted: bool,
}

/// Something on the agenda; at the same moment, checks come before events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Item {
    Check(usize),
    Event(usize),
    Glance,
    End,
}

/// Runs a scenario.
///
/// # Errors
///
/// The backend cannot go on.
pub(crate) fn run(
    scenario: &Scenario,
    backend: &mut dyn Backend,
    timeline: &mut Timeline,
    keep: bool,
) -> Result<Finished, Fault> {
    let mut verdicts: Vec<Option<Verdict>> = vec![None; scenario.checks.len()];
    let mut changes: Vec<StateChange> = Vec::new();
    let mut interrupted = false;
    for (time, item) in agenda(scenario) {
        interrupted = !backend.advance(time)?;
        note(&mut changes, backend, timeline);
        if interrupted {
            break;
        }
        match item {
            Item::Check(index) => {
                let check = &scenario.checks[index];
                let verdict = checks::judge_live(check, scenario, backend);
                timeline.verdict(time, &checks::describe(check, scenario), &verdict);
                verdicts[index] = Some(verdict);
            }
            Item::Event(index) => {
                for action in &scenario.events[index].actions {
                    timeline.action(time, &describe(*action, scenario));
                    backend.act(*action)?;
                }
            }
            Item::Glance => {
                if let Some(text) = backend.glance() {
                    timeline.glance(time, &text);
                }
            }
            Item::End => {}
        }
    }
    if keep && !interrupted {
        timeline.kept();
        backend.advance(Duration::MAX)?;
    }
    let ending = backend.finish()?;
    note(&mut changes, backend, timeline);
    let mut outcomes = Vec::new();
    for (check, verdict) in scenario.checks.iter().zip(verdicts) {
        let verdict = match verdict {
            Some(verdict) => verdict,
            None if interrupted => continue,
            None => checks::judge_at_end(check, scenario, &changes, &ending),
        };
        outcomes.push(Outcome { what: checks::describe(check, scenario), verdict });
    }
    outcomes.extend(ending.checks.into_iter().map(|(what, verdict)| Outcome { what, verdict }));
    Ok(Finished { outcomes, interrupted })
}

fn agenda(scenario: &Scenario) -> Vec<(Duration, Item)> {
    let live =
        |(index, check): (usize, &Check)| checks::is_live(check).then(|| (check.due(), Item::Check(index)));
    let mut agenda: Vec<(Duration, Item)> = scenario.checks.iter().enumerate().filter_map(live).collect();
    agenda.extend(scenario.events.iter().enumerate().map(|(index, event)| (event.at, Item::Event(index))));
    let mut glance = GLANCE;
    while glance < scenario.duration {
        agenda.push((glance, Item::Glance));
        glance += GLANCE;
    }
    agenda.push((scenario.duration, Item::End));
    agenda.sort();
    agenda
}

fn note(changes: &mut Vec<StateChange>, backend: &mut dyn Backend, timeline: &mut Timeline) {
    let new = backend.take_changes();
    for change in &new {
        timeline.change(change);
    }
    changes.extend(new);
}

fn describe(action: Action, scenario: &Scenario) -> String {
    let flow = |index: usize| &scenario.flows[index];
    let sender = |index: usize| &scenario.nodes[flow(index).from].name;
    let receiver = |index: usize| &scenario.receivers[index];
    let host = |index: usize| &scenario.nodes[receiver(index).node].name;
    // What a receiver hears: its flow, or its group.
    let heard = |index: usize| match receiver(index).group {
        Some(group) => &scenario.groups[group].name,
        None => &receiver(index).name,
    };
    let rate = |bits: u64| {
        // Rates are written with three digits after the point at most; they come from a file that people write.
        #[expect(clippy::cast_precision_loss, reason = "for display")]
        crate::units::format_rate(bits as f64)
    };
    match action {
        Action::Send(index) => {
            format!("{} begins to send {} at {}", sender(index), flow(index).name, rate(flow(index).sends))
        }
        Action::Silence(index) => format!("{} stops sending {}", sender(index), flow(index).name),
        Action::Announce(index) => {
            format!("{} announces {} with {}", sender(index), flow(index).name, rate(flow(index).rate))
        }
        Action::Withdraw(index) => format!("{} withdraws {}", sender(index), flow(index).name),
        Action::Join(index) => format!("{} joins {}", host(index), heard(index)),
        Action::Leave(index) => format!("{} leaves {}", host(index), heard(index)),
        Action::Reserve(index) if receiver(index).group.is_some() => {
            let style = match receiver(index).style {
                StyleName::Ff => "for each of",
                StyleName::Se => "to be shared by",
                StyleName::Wf => "to be shared by all of",
            };
            let (rate, senders) = (rate(receiver(index).rate), scenario.flow_names(&receiver(index).flows));
            format!("{} reserves {rate} {style} {senders}", host(index))
        }
        Action::Reserve(index) => {
            format!("{} reserves {} for {}", host(index), rate(receiver(index).rate), heard(index))
        }
        Action::Release(index) => format!("{} releases {}", host(index), heard(index)),
        Action::LinkDown(index) => format!("link {} goes down", scenario.links[index].name),
        Action::LinkUp(index) => format!("link {} comes up", scenario.links[index].name),
        Action::Cost(index, cost) => format!("link {} costs {cost}", scenario.links[index].name),
        Action::Converge(_) => "routing has followed: every node has its new routes".to_owned(),
        Action::Freeze(index) => format!("the daemon of {} stands still", scenario.nodes[index].name),
        Action::Thaw(index) => format!("the daemon of {} goes on", scenario.nodes[index].name),
        Action::Kill(index) => format!("the daemon of {} is killed", scenario.nodes[index].name),
        Action::Start(index) => format!("the daemon of {} starts again", scenario.nodes[index].name),
    }
}
