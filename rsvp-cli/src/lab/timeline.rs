//! What happens, as it happens.

use std::io::{self, Write};
use std::time::Duration;

use super::backend::{StateChange, Subject, Verdict};
use super::model::Scenario;

/// Writes one line for everything that happens.
pub(crate) struct Timeline<'a> {
    scenario: &'a Scenario,
    out: Box<dyn Write + 'a>,
}

impl<'a> Timeline<'a> {
    /// A timeline of a scenario, written to `out`.
    pub(crate) fn new(scenario: &'a Scenario, out: Box<dyn Write + 'a>) -> Self {
        Self { scenario, out }
    }

    /// Something that is not of the scenario's time.
    pub(crate) fn say(&mut self, text: &str) {
        self.line(text);
    }

    /// Something that the scenario does.
    pub(crate) fn action(&mut self, at: Duration, text: &str) {
        self.line(&format!("{} * {text}", stamp(at)));
    }

    /// A check that was judged.
    pub(crate) fn verdict(&mut self, at: Duration, what: &str, verdict: &Verdict) {
        let (mark, seen) = match verdict {
            Verdict::Passed(seen) => ("ok", seen),
            Verdict::Failed(seen) => ("FAILED", seen),
            Verdict::NotMeasured(seen) => ("not measured", seen),
        };
        let seen = if seen.is_empty() { String::new() } else { format!(" ({seen})") };
        self.line(&format!("{} ? {}: {mark}{seen}", stamp(at), what.trim_start()));
    }

    /// The rates of the flows.
    pub(crate) fn glance(&mut self, at: Duration, text: &str) {
        self.line(&format!("{} ~ {text}", stamp(at)));
    }

    /// A change of state in a node.
    pub(crate) fn change(&mut self, change: &StateChange) {
        let node = &self.scenario.nodes[change.node].name;
        let subject = match change.subject {
            Subject::State(kind) => kind.to_string(),
            Subject::Installation => "installation".to_owned(),
            Subject::Other => return,
            Subject::Lost(count) => {
                let at = stamp(change.at);
                return self.line(&format!("{at}   {node}: {count} events were lost"));
            }
        };
        let flow = self.scenario.flow_names(&change.flows);
        let from =
            change.neighbor.map(|hop| format!(" from {}", self.scenario.name_of(hop))).unwrap_or_default();
        let (done, cause) = (change.change, &change.cause);
        self.line(&format!("{}   {node}: {subject} of {flow}{from} {done} ({cause})", stamp(change.at)));
    }

    /// The network is kept until the user ends it.
    pub(crate) fn kept(&mut self) {
        self.line("the scenario is over; the network stays until you press Ctrl-C");
    }

    fn line(&mut self, text: &str) {
        // A reader that went away does not stop the run: the exit code still tells.
        let _: io::Result<()> = writeln!(self.out, "{text}").and_then(|()| self.out.flush());
    }
}

fn stamp(at: Duration) -> String {
    format!("{:8.3}", at.as_secs_f64())
}
