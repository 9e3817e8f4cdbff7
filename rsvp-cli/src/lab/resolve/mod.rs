//! From the file as written to the checked scenario.

mod checks;
mod events;

use std::fmt;
use std::time::Duration;

use toml::Spanned;

use super::model::{Flow, FlowIndex, Interface, Link, LinkIndex, Node, NodeIndex, NodeKind, Scenario};
use super::routing::{LinkState, Topology};
use super::scenario::{FlowFile, LinkFile, ScenarioFile};

/// Longest name of a node: the interface to it is called `to-NAME`, and Linux allows 15 characters.
const NODE_NAME_MAX: usize = 12;
/// The share of a link that may be reserved if the file does not say, in percent.
const RESERVABLE_PERCENT: u64 = 75;
/// The smallest packet that carries a header, a sequence number and a time.
const SMALLEST_PACKET: u64 = 100;
/// The largest packet that fits every link.
const LARGEST_PACKET: u64 = 1500;
/// A bucket holds this part of a second of its flow if the file does not say: 1/10.
const BUCKETS_PER_SECOND: u64 = 10;

/// What is wrong with a scenario file, and in which line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// Counted from 1.
    pub(crate) line: usize,
    /// In words.
    pub(crate) message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.message)
    }
}

/// Reads and checks a scenario.
///
/// # Errors
///
/// The first mistake.
pub(crate) fn parse(text: &str) -> Result<Scenario, Mistake> {
    let line =
        |offset: usize| 1 + text.as_bytes()[..offset.min(text.len())].iter().filter(|b| **b == b'\n').count();
    let file: ScenarioFile = toml::from_str(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        Mistake { line: line(offset), message: error.message().replace('\n', " ") }
    })?;
    resolve(file).map_err(|(offset, message)| Mistake { line: line(offset), message })
}

/// A mistake, with its offset in the file.
type Located = (usize, String);

fn at<T>(item: &Spanned<T>) -> impl Fn(String) -> Located + use<T> {
    let offset = item.span().start;
    move |message| (offset, message)
}

fn resolve(file: ScenarioFile) -> Result<Scenario, Located> {
    let mut nodes = nodes(&file)?;
    let mut links: Vec<Link> = Vec::new();
    for spanned in &file.links {
        let index = links.len();
        let link = resolve_link(spanned.get_ref(), &nodes, &links).map_err(at(spanned))?;
        for (end, node) in link.ends.into_iter().enumerate() {
            let peer = link.ends[1 - end];
            let interface = Interface {
                name: format!("to-{}", nodes[peer].name),
                link: index,
                address: file.family.address(index, end),
            };
            nodes[node].interfaces.push(interface);
        }
        links.push(link);
    }
    for (node, (name, _)) in nodes.iter().zip(names(&file)) {
        if node.interfaces.is_empty() {
            return Err(at(name)(format!("{} is on no link", node.name)));
        }
    }
    let duration = file.duration.get_ref().0;
    let mut scenario = Scenario {
        title: file.title,
        family: file.family,
        duration,
        timers: file.rsvp,
        convergence: file.convergence.map(|time| time.0),
        nodes,
        links,
        flows: Vec::new(),
        events: Vec::new(),
        checks: Vec::new(),
        topologies: Vec::new(),
    };
    let topology = Topology::new(Duration::ZERO, Duration::ZERO, &scenario, &link_states(&scenario));
    scenario.topologies.push(topology);
    for flow in &file.flows {
        let resolved = resolve_flow(flow.get_ref(), &scenario).map_err(at(flow))?;
        scenario.flows.push(resolved);
    }
    for event in &file.events {
        let resolved = events::resolve(event.get_ref(), &scenario).map_err(at(event))?;
        scenario.events.push(resolved);
    }
    scenario.events.sort_by_key(|event| event.at);
    events::converge(&mut scenario);
    for check in file.checks {
        let located = at(&check);
        let resolved = checks::resolve(check.into_inner(), &scenario).map_err(&located)?;
        if let Some(late) = resolved.iter().find(|check| check.due() > duration) {
            return Err(located(format!(
                "the check is due at {:?}, after the end at {duration:?}",
                late.due()
            )));
        }
        scenario.checks.extend(resolved);
    }
    Ok(scenario)
}

/// The names of all nodes, and what each is.
fn names(file: &ScenarioFile) -> impl Iterator<Item = (&Spanned<String>, NodeKind)> {
    let kinds = [
        (&file.hosts, NodeKind::Host),
        (&file.routers, NodeKind::Router),
        (&file.plain_routers, NodeKind::PlainRouter),
    ];
    kinds.into_iter().flat_map(|(names, kind)| names.iter().map(move |name| (name, kind)))
}

fn nodes(file: &ScenarioFile) -> Result<Vec<Node>, Located> {
    let mut nodes: Vec<Node> = Vec::new();
    for (spanned, kind) in names(file) {
        let name = spanned.get_ref();
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        if name.is_empty() || name.len() > NODE_NAME_MAX || !name.chars().all(is_plain) {
            let allowed = format!("use 1 to {NODE_NAME_MAX} lower-case letters and digits");
            return Err(at(spanned)(format!("`{name}` is no name for a node: {allowed}")));
        }
        if nodes.iter().any(|node| node.name == *name) {
            return Err(at(spanned)(format!("there are two nodes called {name}")));
        }
        nodes.push(Node { name: name.clone(), kind, interfaces: Vec::new() });
    }
    Ok(nodes)
}

/// The links as they are at the start.
fn link_states(scenario: &Scenario) -> Vec<LinkState> {
    scenario.links.iter().map(|link| LinkState { up: true, cost: link.cost }).collect()
}

fn resolve_link(file: &LinkFile, nodes: &[Node], links: &[Link]) -> Result<Link, String> {
    let [one, other] = &file.ends;
    let ends = [node_named(one, nodes)?, node_named(other, nodes)?];
    if ends[0] == ends[1] {
        return Err(format!("the link joins {one} with itself"));
    }
    if links.iter().any(|link| link.ends.contains(&ends[0]) && link.ends.contains(&ends[1])) {
        return Err(format!("there is a link between {one} and {other} already"));
    }
    let name = file.name.clone().unwrap_or_else(|| format!("{one}-{other}"));
    if links.iter().any(|link| link.name == name) {
        return Err(format!("there are two links called {name}"));
    }
    let rate = file.rate.0;
    let reservable = file.reservable.map_or(rate * RESERVABLE_PERCENT / 100, |rate| rate.0);
    let reservable_per_flow = file.reservable_per_flow.map_or(reservable, |rate| rate.0);
    if rate == 0 || reservable > rate || reservable_per_flow > reservable {
        let order = "0 < rate, reservable <= rate, and reservable-per-flow <= reservable must hold";
        return Err(format!("the rates of link {name} do not fit: {order}"));
    }
    if file.cost == 0 {
        return Err(format!("link {name}: a cost is 1 or more"));
    }
    Ok(Link { name, ends, cost: file.cost, rate, reservable, reservable_per_flow })
}

fn resolve_flow(file: &FlowFile, scenario: &Scenario) -> Result<Flow, String> {
    let FlowFile { name, port, rate, packet, .. } = file;
    let [from, to] = [node_named(&file.from, &scenario.nodes)?, node_named(&file.to, &scenario.nodes)?];
    if scenario.flows.iter().any(|flow| flow.name == *name) {
        return Err(format!("there are two flows called {name}"));
    }
    for (node, end) in [(from, &file.from), (to, &file.to)] {
        if scenario.nodes[node].kind != NodeKind::Host {
            return Err(format!("flow {name}: {end} is a router; flows go from a host to a host"));
        }
    }
    let path = scenario.topologies[0].path(&scenario.nodes, from, to);
    if path.is_none_or(|path| path.len() < 2) {
        return Err(format!("flow {name}: there is no way from {} to {}", file.from, file.to));
    }
    let destination = scenario.nodes[to].interfaces[0].address;
    if *port == 0 || scenario.flow_to(destination, *port).is_some() {
        return Err(format!("flow {name}: port {port} is 0 or taken by another flow to {}", file.to));
    }
    if !(SMALLEST_PACKET..=LARGEST_PACKET).contains(&packet.0) {
        return Err(format!("flow {name}: a packet has {SMALLEST_PACKET} to {LARGEST_PACKET} bytes"));
    }
    if rate.0 == 0 {
        return Err(format!("flow {name}: the rate is 0"));
    }
    let bucket =
        file.bucket.map_or_else(|| (rate.0 / 8 / BUCKETS_PER_SECOND).max(2 * packet.0), |size| size.0);
    if bucket < packet.0 {
        return Err(format!("flow {name}: the bucket does not hold one packet of {} bytes", packet.0));
    }
    Ok(Flow {
        name: name.clone(),
        from,
        to,
        source: scenario.nodes[from].interfaces[0].address,
        destination,
        port: *port,
        rate: rate.0,
        bucket,
        packet: u32::try_from(packet.0).map_err(|_| "the packet is too large".to_owned())?,
        sends: file.sends.unwrap_or(*rate).0,
        service: file.service,
        style: file.style,
    })
}

fn node_named(name: &str, nodes: &[Node]) -> Result<NodeIndex, String> {
    named("node", name, nodes, |node| &node.name)
}

/// A node that runs RSVP.
fn speaker_named(name: &str, nodes: &[Node]) -> Result<NodeIndex, String> {
    let node = node_named(name, nodes)?;
    if nodes[node].kind.speaks_rsvp() {
        Ok(node)
    } else {
        Err(format!("{name} is a plain router: it runs no RSVP"))
    }
}

fn link_named(name: &str, links: &[Link]) -> Result<LinkIndex, String> {
    named("link", name, links, |link| &link.name)
}

fn flow_named(name: &str, scenario: &Scenario) -> Result<FlowIndex, String> {
    named("flow", name, &scenario.flows, |flow| &flow.name)
}

fn named<T>(kind: &str, name: &str, all: &[T], name_of: impl Fn(&T) -> &str) -> Result<usize, String> {
    all.iter().position(|item| name_of(item) == name).ok_or_else(|| {
        let known: Vec<&str> = all.iter().map(name_of).collect();
        format!("there is no {kind} called {name}; there are: {}", known.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::model::Action;

    const SMALL: &str = r#"
title = "small"
duration = "10s"
hosts = ["a", "b"]
routers = ["r1", "r2"]

[[links]]
ends = ["a", "r1"]
rate = "100Mbit"

[[links]]
ends = ["r1", "r2"]
rate = "10Mbit"
reservable = "8Mbit"
reservable-per-flow = "3Mbit"

[[links]]
ends = ["r2", "b"]
rate = "100Mbit"

[[flows]]
name = "video"
from = "a"
to = "b"
port = 5000
rate = "2Mbit"

[[events]]
at = "2s"
reserve = "video"

[[events]]
at = 1
announce = ["video"]
send = "video"

[[checks]]
check = "traffic"
flows = "video"
during = ["3s", "9.5s"]
rate-at-least = "97%"
"#;

    #[test]
    fn names_addresses_and_routes_are_found() {
        let scenario = parse(SMALL).expect("a scenario without mistakes");
        let flow = &scenario.flows[0];
        assert_eq!(flow.source.to_string(), "10.0.1.1");
        assert_eq!(flow.destination.to_string(), "10.0.3.2");
        let path = scenario.path(flow, std::time::Duration::ZERO);
        assert_eq!(path.as_deref(), Some(&[0, 2, 3, 1][..]));
        assert_eq!(flow.bucket, 25_000, "a tenth of a second");
        assert_eq!(scenario.links[0].reservable, 75_000_000);
        assert_eq!(scenario.links[1].reservable_per_flow, 3_000_000);
        let routes = scenario.topologies[0].routes(0);
        let routes: Vec<_> = routes.iter().map(|route| (route.prefix, route.gateway)).collect();
        let ip = |text: &str| text.parse::<std::net::IpAddr>().expect("an address");
        assert_eq!(routes, [(ip("10.0.2.0"), ip("10.0.1.2")), (ip("10.0.3.0"), ip("10.0.1.2"))]);
        let actions: Vec<_> = scenario.events.iter().flat_map(|event| &event.actions).copied().collect();
        assert_eq!(actions, [Action::Send(0), Action::Announce(0), Action::Reserve(0)], "in order of time");
    }

    #[test]
    fn the_example_of_the_documentation_is_right() {
        let text = include_str!("../../../../docs/lab.md");
        let (_, from) = text.split_once("```toml\n").expect("an example");
        let (example, _) = from.split_once("```").expect("its end");
        let scenario = parse(example).unwrap_or_else(|mistake| panic!("{mistake}"));
        assert_eq!((scenario.links[1].name.as_str(), scenario.checks.len()), ("bottleneck", 2));
    }

    #[test]
    fn ipv6_has_its_own_addresses() {
        let scenario = parse(&SMALL.replace("title", "family = \"ipv6\"\ntitle")).expect("no mistake");
        assert_eq!(scenario.flows[0].destination.to_string(), "fd00:3::2");
    }

    /// Two ways from a to b, by r1 and by the plain router p.
    const DIAMOND: &str = r#"
title = "diamond"
duration = "10s"
convergence = "500ms"
hosts = ["a", "b"]
routers = ["r0", "r1", "r2"]
plain-routers = ["p"]
links = [
    { ends = ["a", "r0"], rate = "10Mbit" },
    { ends = ["r0", "r1"], rate = "10Mbit" },
    { ends = ["r0", "p"], rate = "10Mbit", cost = 2 },
    { ends = ["r1", "r2"], rate = "10Mbit" },
    { ends = ["p", "r2"], rate = "10Mbit" },
    { ends = ["r2", "b"], rate = "10Mbit" },
]
flows = [{ name = "f", from = "a", to = "b", port = 5000, rate = "1Mbit" }]
events = [{ at = 2, cost = { r1-r2 = 3 } }, { at = 4, link-down = "p-r2" }, { at = 6, link-down = "r0-r1" }]
checks = [{ check = "recovers", flows = "f", from = 2, within = 1 }]
"#;

    #[test]
    fn routing_follows_every_change_in_its_own_time() {
        let scenario = parse(DIAMOND).expect("a scenario without mistakes");
        let names = |at: u64| {
            let path = scenario.path(&scenario.flows[0], Duration::from_millis(at));
            path.map(|path| path.iter().map(|node| scenario.nodes[*node].name.as_str()).collect::<Vec<_>>())
        };
        assert_eq!(names(2499), Some(vec!["a", "r0", "r1", "r2", "b"]));
        assert_eq!(names(2500), Some(vec!["a", "r0", "p", "r2", "b"]));
        assert_eq!(names(4500), Some(vec!["a", "r0", "r1", "r2", "b"]));
        assert_eq!(names(6500), None);
        let followed: Vec<_> = scenario.events.iter().filter(|event| event.actions.len() == 1).collect();
        assert_eq!(followed[1].actions, [Action::Converge(1)]);
        assert_eq!(followed[1].at, Duration::from_millis(2500));
        for (from, to, part) in [
            ("from = 2", "from = 3", "no change of the links at 3s that routing follows: 2s, 4s, 6s"),
            (
                "within = 1 }",
                "within = 1 }, { check = \"path\", flows = \"f\", at = 8 }",
                "f has no way at 8s",
            ),
            (
                "within = 1 }",
                "within = 1 }, { check = \"no-path\", flows = \"f\", at = 8, nodes = \"p\" }",
                "runs no RSVP",
            ),
            ("link-down = \"r0-r1\"", "kill = \"p\"", "p is a plain router"),
            ("cost = 2", "cost = 0", "a cost is 1 or more"),
        ] {
            let mistake = parse(&DIAMOND.replacen(from, to, 1)).expect_err(to);
            assert!(mistake.message.contains(part), "{to}: {mistake}");
        }
    }

    #[test]
    fn mistakes_name_the_line_and_what_is_allowed() {
        for (from, to, line, part) in [
            ("hosts = [\"a\", \"b\"]", "hosts = [\"a\", \"B\"]", 4, "lower-case"),
            ("hosts = [\"a\", \"b\"]", "hosts = [\"a\", \"b\", \"c\"]", 4, "c is on no link"),
            ("ends = [\"r2\", \"b\"]", "ends = [\"r2\", \"c\"]", 17, "there are: a, b, r1, r2"),
            ("reservable = \"8Mbit\"", "reservable = \"80Mbit\"", 11, "reservable <= rate"),
            ("rate = \"2Mbit\"", "rate = \"2Mbps\"", 26, "ambiguous"),
            ("rate = \"2Mbit\"", "rate = \"2Mbit\"\ncolour = \"red\"", 27, "unknown field `colour`"),
            ("reserve = \"video\"", "reserve = \"audio\"", 28, "there are: video"),
            ("reserve = \"video\"", "", 28, "the event does nothing"),
            ("\"9.5s\"", "\"19s\"", 37, "after the end"),
            ("\"97%\"", "97", 37, "is not a share"),
            ("check = \"traffic\"", "check = \"trafic\"", 38, "expected one of"),
            ("reserve = \"video\"", "cost = { r1-r2 = 3 }", 28, "give the file a convergence"),
            ("reserve = \"video\"", "kill = \"a\"\ncost = { r1-r3 = 3 }", 28, "there are: a-r1, r1-r2, r2-b"),
            ("from = \"a\"", "from = \"r1\"", 21, "r1 is a router"),
            ("rate-at-least = \"97%\"", "", 37, "give a bound"),
        ] {
            let text = SMALL.replacen(from, to, 1);
            let mistake = parse(&text).expect_err(to);
            assert!(mistake.message.contains(part), "{to}: {mistake}");
            assert_eq!(mistake.line, line, "{to}: {mistake}");
        }
    }
}
