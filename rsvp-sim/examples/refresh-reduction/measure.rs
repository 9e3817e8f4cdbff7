//! One run, and what several come to.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use rsvp_sim::{Conditions, Row, RowPlan, Totals};

/// R.
pub(crate) const REFRESH: Duration = Duration::from_secs(30);

/// How long each link takes.
pub(crate) const DELAY: Duration = Duration::from_millis(1);

/// What soon is: reservations that nothing but retransmission held up stand by then.
pub(crate) const SOON: Duration = Duration::from_secs(5);

/// When the wait for the last reservation ends.
const PATIENCE: Duration = Duration::from_secs(3600);

/// What is measured.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// How many sessions.
    pub(crate) sessions: usize,
    /// How many links.
    pub(crate) hops: usize,
    /// Percent of the datagrams that are lost.
    pub(crate) loss: u8,
    /// Rl; `None` without RFC 2961.
    pub(crate) rl: Option<u32>,
    /// Over what time the sessions ask.
    pub(crate) over: Duration,
    /// How long the steady state is watched.
    pub(crate) steady: Duration,
}

/// What one run showed.
pub(crate) struct Run {
    /// How long each session took to stand, shortest first; without those that did not.
    pub(crate) stood: Vec<Duration>,
    /// What was sent in steady state.
    pub(crate) sent: Totals,
    /// What was sent and what went wrong in all the run.
    pub(crate) totals: Totals,
    /// Processor time of the steady state.
    pub(crate) cpu: Duration,
}

/// The mean of several runs.
pub(crate) struct Summary {
    /// When half of the reservations stood; `None` if they did not in every run.
    pub(crate) median: Option<Duration>,
    /// When 99 % did.
    pub(crate) most: Option<Duration>,
    /// When the last one did, in the run where that took longest.
    pub(crate) last: Option<Duration>,
    /// The share that stood soon.
    pub(crate) soon: f64,
    /// Messages a second on each link, both directions together.
    pub(crate) messages: f64,
    /// Datagrams.
    pub(crate) datagrams: f64,
    /// Octets of IP.
    pub(crate) octets: f64,
    /// Processor time for a second of the whole row, in seconds.
    pub(crate) cpu: f64,
    /// States that were not refreshed in time, in a whole run.
    pub(crate) expired: f64,
    /// Messages sent again, in a whole run.
    pub(crate) retransmitted: f64,
    /// Messages never acknowledged, in a whole run.
    pub(crate) given_up: f64,
}

impl Case {
    /// Carries it out.
    pub(crate) fn run(&self, seed: u64) -> Run {
        let mut row = self.set_up(seed);
        row.run_for(REFRESH * 3 / 2);
        let (before, began) = (row.totals(), cpu_time());
        row.run_for(self.steady);
        let (totals, cpu) = (row.totals(), cpu_time().saturating_sub(began));
        let sent = Totals {
            messages: totals.messages - before.messages,
            datagrams: totals.datagrams - before.datagrams,
            octets: totals.octets - before.octets,
            ..totals
        };
        Run { stood: stood(&row), sent, totals, cpu }
    }

    /// The row with all sessions in place, or those that came to stand in time.
    pub(crate) fn set_up(&self, seed: u64) -> Row {
        let conditions =
            Conditions { delay: DELAY, loss: f64::from(self.loss) / 100.0, ..Conditions::default() };
        let plan = RowPlan {
            sessions: self.sessions,
            hops: self.hops,
            conditions,
            reduction: super::reduction(self.rl),
            refresh: REFRESH,
            over: self.over,
            seed,
        };
        let mut row = Row::new(&plan);
        row.ask(&plan);
        row.run_until_all_stand(PATIENCE);
        row
    }

    /// The share of the sessions that nothing but lost messages keeps from standing soon: on each hop, one of the copies of
    /// the Path and one of the Resv must get through.
    pub(crate) fn arithmetic(&self) -> f64 {
        let copies = self.rl.unwrap_or(1);
        let lost = (f64::from(self.loss) / 100.0).powf(copies.into());
        let messages = u32::try_from(2 * self.hops).expect("few enough");
        (1.0 - lost).powf(messages.into())
    }
}

/// How long the sessions took that stand, shortest first.
pub(crate) fn stood(row: &Row) -> Vec<Duration> {
    let mut stood: Vec<Duration> = row.stood().iter().copied().flatten().collect();
    stood.sort_unstable();
    stood
}

/// When `percent` of the sessions stood.
fn percentile(stood: &[Duration], sessions: usize, percent: usize) -> Option<Duration> {
    stood.get((sessions * percent).div_ceil(100).saturating_sub(1)).copied()
}

/// How many of these stood soon.
pub(crate) fn soon(stood: &[Duration]) -> usize {
    stood.partition_point(|time| *time <= SOON)
}

impl Summary {
    /// Of some runs of the case; there is at least one.
    pub(crate) fn of(case: &Case, runs: &[Run]) -> Self {
        let mean = |value: &dyn Fn(&Run) -> f64| runs.iter().map(value).sum::<f64>() / runs.len() as f64;
        let time = |percent| {
            let times: Option<Vec<Duration>> =
                runs.iter().map(|run| percentile(&run.stood, case.sessions, percent)).collect();
            times.map(|times| times.iter().sum::<Duration>() / u32::try_from(times.len()).expect("few runs"))
        };
        let last: Option<Vec<Duration>> =
            runs.iter().map(|run| percentile(&run.stood, case.sessions, 100)).collect();
        let seconds = case.steady.as_secs_f64();
        let a_second = |count: u64| count as f64 / case.hops as f64 / seconds;
        Self {
            median: time(50),
            most: time(99),
            last: last.and_then(|last| last.into_iter().max()),
            soon: mean(&|run| soon(&run.stood) as f64 / case.sessions as f64),
            messages: mean(&|run| a_second(run.sent.messages)),
            datagrams: mean(&|run| a_second(run.sent.datagrams)),
            octets: mean(&|run| a_second(run.sent.octets)),
            cpu: mean(&|run| run.cpu.as_secs_f64() / seconds),
            expired: mean(&|run| run.totals.expired as f64),
            retransmitted: mean(&|run| run.totals.retransmitted as f64),
            given_up: mean(&|run| run.totals.given_up as f64),
        }
    }
}

/// The processor time of this thread so far.
fn cpu_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}
