//! The table, and the same as JSON.

use std::time::Duration;

use serde_json::{Value, json};

use crate::measure::{Case, DELAY, REFRESH, SOON, Summary};

/// Says what was measured, and how the columns are called.
pub(crate) fn print_head(cases: &[Case], seeds: u64) {
    let Some(Case { hops, rl: _, over, steady, .. }) = cases.first() else { return };
    let asked = if over.is_zero() { "all at once".to_owned() } else { format!("evenly over {over:?}") };
    println!(
        "A host, {} routers and a host in a row: {hops} links of {DELAY:?} each; R is {REFRESH:?}.",
        hops - 1
    );
    println!(
        "Every link loses that share of the datagrams, in each direction. Sender and receiver of each session ask at"
    );
    println!(
        "the same instant ({asked}); its reservation stands when the Resv has reached the sender's node: after"
    );
    println!(
        "the time shown for half of them, 99 % and the last one. \"in {SOON:?}\": how many stood by then, and how many would if"
    );
    println!("only lost copies counted: (1 - loss^Rl)^{} (without RFC 2961 Rl is 1).", 2 * hops);
    println!(
        "Steady state: {steady:?}, 1.5 R after the last one stood; a second and link, both directions together; octets"
    );
    println!(
        "with IP headers. CPU: of one core, for one second of all {} nodes and their simulation.",
        hops + 1
    );
    println!(
        "Expired: states that were not refreshed in time, from beginning to end. Mean of {seeds} run(s); the last: the worst."
    );
    println!();
    println!(
        "{:>8} {:>5} {:>9} {:>9} {:>9} {:>9} {:>9} {:>10} {:>10} {:>11} {:>11} {:>9} {:>9} {:>9}",
        "sessions",
        "loss",
        "RFC 2961",
        "50 %",
        "99 %",
        "last",
        format!("in {SOON:?}"),
        "arithmetic",
        "messages/s",
        "datagrams/s",
        "octets/s",
        "CPU",
        "given up",
        "expired"
    );
}

/// One line.
pub(crate) fn print_row(case: &Case, summary: &Summary) {
    let time = |time: Option<Duration>| time.map_or("-".to_owned(), seconds);
    println!(
        "{:>8} {:>3} % {:>9} {:>9} {:>9} {:>9} {:>7.3} % {:>8.3} % {:>10.1} {:>11.1} {:>11.0} {:>7.2} % {:>9.1} {:>9.1}",
        case.sessions,
        case.loss,
        case.rl.map_or("off".to_owned(), |rl| format!("Rl {rl}")),
        time(summary.median),
        time(summary.most),
        time(summary.last),
        100.0 * summary.soon,
        100.0 * case.arithmetic(),
        summary.messages,
        summary.datagrams,
        summary.octets,
        100.0 * summary.cpu,
        summary.given_up,
        summary.expired,
    );
}

/// Seconds with milliseconds.
pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}

/// One line of the table as JSON. Times are in seconds.
pub(crate) fn json(case: &Case, summary: &Summary) -> Value {
    let time = |time: Option<Duration>| time.map(|time| time.as_secs_f64());
    json!({
        "sessions": case.sessions,
        "hops": case.hops,
        "loss": f64::from(case.loss) / 100.0,
        "rl": case.rl,
        "stands": { "half": time(summary.median), "99-percent": time(summary.most), "last": time(summary.last) },
        "share-in-5-s": summary.soon,
        "arithmetic": case.arithmetic(),
        "per-link": {
            "messages-per-second": summary.messages,
            "datagrams-per-second": summary.datagrams,
            "octets-per-second": summary.octets,
        },
        "cpu-per-second": summary.cpu,
        "retransmitted": summary.retransmitted,
        "given-up": summary.given_up,
        "expired": summary.expired,
    })
}
