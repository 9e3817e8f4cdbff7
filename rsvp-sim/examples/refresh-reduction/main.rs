//! What RFC 2961 does for many sessions along a row of nodes whose links lose datagrams, in virtual time:
//!
//! ```text
//! cargo run --release -p rsvp-sim --example refresh-reduction -- --sessions 1000,10000 --loss 0,5 --seeds 3
//! cargo run --release -p rsvp-sim --example refresh-reduction -- --check
//! ```
//!
//! Prints a table, or JSON. With `--check` it measures what must hold, says whether it does, and exits with 1 if not.

mod check;
mod measure;
mod table;

use std::ops::Range;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use clap::builder::RangedU64ValueParser;
use rsvp_core::config::{MessageIds, ReductionConfig};

use measure::{Case, Summary};

/// Measures, in virtual time, how long reservations take to stand along a row of nodes whose links lose datagrams, and
/// what it takes to keep them, with and without RFC 2961.
#[derive(Parser)]
#[command(name = "refresh-reduction")]
struct Arguments {
    /// How many sessions, all asked for at once.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 10_000, 100_000], value_parser = RangedU64ValueParser::<usize>::new().range(1..=240_000))]
    sessions: Vec<usize>,
    /// Percent of the datagrams that each link loses in each direction.
    #[arg(long, value_delimiter = ',', default_values_t = [0, 1, 5, 10], value_parser = clap::value_parser!(u8).range(0..100))]
    loss: Vec<u8>,
    /// Links between the sender's node and the receiver's.
    #[arg(long, default_value_t = 10, value_parser = RangedU64ValueParser::<usize>::new().range(1..=60))]
    hops: usize,
    /// Rl: how often a message is sent in all while it is not acknowledged.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rl: u32,
    /// How many runs of each case; the table shows their mean.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// The seed of the first run; those of the others follow.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Seconds of steady state that are measured.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    steady: u64,
    /// Seconds over which the sessions ask, evenly.
    #[arg(long, default_value_t = 0)]
    over: u64,
    /// Only with RFC 2961 (`on`) or only without (`off`).
    #[arg(long, value_parser = ["on", "off"])]
    only: Option<String>,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
    /// Measures 10,000 sessions at 5 % loss with Rl 3 and 7, ten seeds each from --from on, and says whether as many stand
    /// as must.
    #[arg(long)]
    check: bool,
}

impl Arguments {
    fn seeds(&self) -> Range<u64> {
        self.from..self.from.saturating_add(self.seeds)
    }

    fn cases(&self) -> Vec<Case> {
        let mut cases = Vec::new();
        for sessions in &self.sessions {
            for loss in &self.loss {
                for reduction in [true, false] {
                    if self.only.as_deref().is_none_or(|only| (only == "on") == reduction) {
                        cases.push(Case {
                            sessions: *sessions,
                            hops: self.hops,
                            loss: *loss,
                            rl: reduction.then_some(self.rl),
                            over: Duration::from_secs(self.over),
                            steady: Duration::from_secs(self.steady),
                        });
                    }
                }
            }
        }
        cases
    }
}

/// What the nodes of a row use of RFC 2961: `None` for nothing. All are capable of it, but have not heard each other yet.
fn reduction(rl: Option<u32>) -> ReductionConfig {
    rl.map_or_else(ReductionConfig::off, |retransmit_limit| ReductionConfig {
        message_ids: MessageIds::Always,
        retransmit_limit,
        ..ReductionConfig::default()
    })
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.check {
        return check::check(arguments.from);
    }
    let cases = arguments.cases();
    if !arguments.json {
        table::print_head(&cases, arguments.seeds);
    }
    let mut rows = Vec::new();
    for case in cases {
        let runs: Vec<_> = arguments.seeds().map(|seed| case.run(seed)).collect();
        let summary = Summary::of(&case, &runs);
        if arguments.json {
            rows.push(table::json(&case, &summary));
        } else {
            table::print_row(&case, &summary);
        }
    }
    if arguments.json {
        println!("{:#}", serde_json::Value::Array(rows));
    }
    ExitCode::SUCCESS
}
