//! What the daemon says to Prometheus.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::network::{Network, Node, RECEIVER, eventually};

/// The samples by their series, as `name{label="value"}`.
type Samples = BTreeMap<String, u64>;

pub(crate) fn metrics_say_what_is_shown(network: &mut Network) {
    let sender = network.sender.ok(&["send", "-d", RECEIVER, "-p", "5004", "--detach"]);
    let args = ["reserve", "-d", RECEIVER, "-p", "5004", "-b", "1Mbit", "--wait", "--detach"];
    let receiver = network.receiver.ok(&args);
    eventually("it is installed", || network.router.count("installed") == 1);
    for node in [&network.sender, &network.router, &network.receiver] {
        eventually("nothing is counted while they are compared", || compare(node));
    }
    network.receiver.ok(&["release", &receiver]);
    network.sender.ok(&["release", &sender]);
}

/// Compares the metrics with the tables, unless something has been counted in the meantime.
fn compare(node: &Node) -> bool {
    let show = || (node.show("counters"), node.show("neighbors"), node.show("interfaces"));
    let before = show();
    let samples = parse(&node.ok(&["metrics"]));
    let (counters, neighbors, interfaces) = show();
    if counters != before.0 {
        return false;
    }
    let sample =
        |series: &str| samples.get(series).copied().unwrap_or_else(|| panic!("{series}: {samples:?}"));
    let number = |value: &Value| value.as_u64().unwrap_or_else(|| panic!("{value} is no number"));
    for (field, count) in counters["messages"].as_object().expect("counts") {
        let (kind, direction) = field.rsplit_once('-').expect("type and direction");
        let series = format!("rsvp_messages_total{{direction=\"{direction}\",type=\"{kind}\"}}");
        assert_eq!(sample(&series), number(count), "{series}");
    }
    for (reason, count) in counters["dropped"].as_object().expect("reasons") {
        assert_eq!(sample(&format!("rsvp_dropped_messages_total{{reason=\"{reason}\"}}")), number(count));
    }
    for (series, count) in [
        ("rsvp_packets_total{direction=\"sent\"}", &counters["packets"]["sent"]),
        ("rsvp_bytes_total{direction=\"received\"}", &counters["packets"]["octets-received"]),
        ("rsvp_refresh_messages_total{direction=\"sent\"}", &counters["refreshes-sent"]),
        (
            "rsvp_reduction_acknowledgements_total{direction=\"sent\",kind=\"ack\"}",
            &counters["refresh-reduction"]["sent-ack"],
        ),
        ("rsvp_reduction_retransmitted_messages_total", &counters["refresh-reduction"]["retransmitted"]),
        ("rsvp_admission_failures_total", &counters["admission-failures"]),
    ] {
        assert_eq!(sample(series), number(count), "{series}");
    }
    assert_eq!(sample("rsvp_sessions"), 1);
    let neighbors = neighbors.as_array().expect("a list");
    assert_eq!(usize::try_from(sample("rsvp_neighbors")).ok(), Some(neighbors.len()));
    for view in neighbors {
        let text = |field: &str| view[field].as_str().expect("text").to_owned();
        let labels = format!("{{interface=\"{}\",neighbor=\"{}\"}}", text("interface"), text("address"));
        assert_eq!(sample(&format!("rsvp_neighbor_path_states{labels}")), number(&view["psbs"]));
        let resent = &view["refresh-reduction"]["counters"]["retransmitted"];
        let series = format!("rsvp_neighbor_retransmitted_messages_total{labels}");
        assert_eq!(sample(&series), number(resent));
        assert!(sample(&format!("rsvp_neighbor_last_heard_timestamp_seconds{labels}")) > 1_000_000_000);
    }
    for view in interfaces.as_array().expect("a list") {
        let labels = format!("{{interface=\"{}\"}}", view["name"].as_str().expect("a name"));
        let reserved = number(&view["bandwidth"]["reserved"]) / 8;
        assert_eq!(sample(&format!("rsvp_interface_reserved_bytes_per_second{labels}")), reserved);
    }
    true
}

/// Reads the text format strictly: every family has one HELP and one TYPE, its samples follow at once, and no series
/// comes twice. Every family is documented.
fn parse(text: &str) -> Samples {
    let document = include_str!("../../../docs/control-api.md");
    let mut samples = Samples::new();
    let mut families = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let (name, help) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')).expect(line);
        assert!(help.ends_with('.') && is_name(name), "{line}");
        assert!(!families.contains(&name), "{name} comes twice");
        families.push(name);
        let same = name.replace("rsvp_neighbor_", "rsvp_reduction_");
        assert!([name, &same].iter().any(|name| document.contains(&format!("`{name}`"))), "{name}");
        let kind = lines.next().and_then(|line| line.strip_prefix("# TYPE ")).expect("a type");
        let expected = if name.ends_with("_total") { "counter" } else { "gauge" };
        assert_eq!(kind, format!("{name} {expected}"));
        let mut count = 0;
        while let Some(line) = lines.next_if(|line| !line.starts_with('#')) {
            let (series, value) = line.rsplit_once(' ').expect(line);
            let labels = series.strip_prefix(name).expect("a sample of the family");
            assert!(labels.is_empty() || is_labels(labels), "{line}");
            let value = value.parse().expect("a whole number");
            assert_eq!(samples.insert(series.to_owned(), value), None, "{series} comes twice");
            count += 1;
        }
        assert!(count > 0, "{name} has no samples");
    }
    samples
}

fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_')
}

fn is_labels(text: &str) -> bool {
    let inner = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    inner.is_some_and(|inner| {
        inner.split(',').all(|pair| {
            let value = pair.split_once('=').filter(|(name, _)| is_name(name)).map(|(_, value)| value);
            let value = value.and_then(|value| value.strip_prefix('"')?.strip_suffix('"'));
            value.is_some_and(|value| !value.contains(['"', '\\', '\n']))
        })
    })
}
