//! From the file as written to the checked scenario.

mod checks;
mod events;
mod flows;

use std::fmt;
use std::time::Duration;

use toml::Spanned;

use super::model::{
    FlowIndex, Interface, Link, LinkIndex, Node, NodeIndex, NodeKind, ReceiverIndex, Scenario,
};
use super::routing::{LinkState, Topology};
use super::scenario::{LinkFile, ScenarioFile};

/// Longest name of a node: the interface to it is called `to-NAME`, and Linux allows 15 characters.
const NODE_NAME_MAX: usize = 12;
/// The share of a link that may be reserved if the file does not say, in percent.
const RESERVABLE_PERCENT: u64 = 75;
/// What names of nodes and LANs are made of.
const NAMES: &str = "use 1 to 12 lower-case letters and digits";
/// The most nodes on a LAN: they have one octet of the address.
const LAN_MAX: usize = 250;

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
        for (end, node) in link.ends.iter().copied().enumerate() {
            let there = match link.ends[..] {
                [one, other] => &nodes[if node == one { other } else { one }].name,
                _ => &link.name,
            };
            let interface = Interface {
                name: format!("to-{there}"),
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
        groups: Vec::new(),
        flows: Vec::new(),
        receivers: Vec::new(),
        events: Vec::new(),
        checks: Vec::new(),
        topologies: Vec::new(),
    };
    let topology = Topology::new(Duration::ZERO, Duration::ZERO, &scenario, &link_states(&scenario));
    scenario.topologies.push(topology);
    for group in &file.groups {
        let resolved = flows::group(group.get_ref(), &scenario).map_err(at(group))?;
        scenario.groups.push(resolved);
    }
    for flow in &file.flows {
        let resolved = flows::flow(flow.get_ref(), &scenario).map_err(at(flow))?;
        scenario.receivers.extend(flows::receiver(flow.get_ref(), &resolved, &scenario));
        scenario.flows.push(resolved);
    }
    for member in &file.members {
        let resolved = flows::member(member.get_ref(), &scenario).map_err(at(member))?;
        scenario.receivers.push(resolved);
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
        (&file.udp_hosts, NodeKind::UdpHost),
        (&file.routers, NodeKind::Router),
        (&file.plain_routers, NodeKind::PlainRouter),
    ];
    kinds.into_iter().flat_map(|(names, kind)| names.iter().map(move |name| (name, kind)))
}

fn nodes(file: &ScenarioFile) -> Result<Vec<Node>, Located> {
    let mut nodes: Vec<Node> = Vec::new();
    for (spanned, kind) in names(file) {
        let name = spanned.get_ref();
        if !is_plain(name) {
            return Err(at(spanned)(format!("`{name}` is no name for a node: {NAMES}")));
        }
        if nodes.iter().any(|node| node.name == *name) {
            return Err(at(spanned)(format!("there are two nodes called {name}")));
        }
        nodes.push(Node { name: name.clone(), kind, refresh_reduction: true, interfaces: Vec::new() });
    }
    if let Some(without) = &file.without_refresh_reduction {
        for name in &without.get_ref().0 {
            let node = speaker_named(name, &nodes).map_err(at(without))?;
            nodes[node].refresh_reduction = false;
        }
    }
    Ok(nodes)
}

/// Whether an interface may be called after it.
fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    !name.is_empty() && name.len() <= NODE_NAME_MAX && name.chars().all(plain)
}

/// The links as they are at the start.
fn link_states(scenario: &Scenario) -> Vec<LinkState> {
    scenario.links.iter().map(|link| LinkState { up: true, cost: link.cost }).collect()
}

fn resolve_link(file: &LinkFile, nodes: &[Node], links: &[Link]) -> Result<Link, String> {
    let mut ends: Vec<NodeIndex> = Vec::new();
    for name in &file.ends {
        let node = node_named(name, nodes)?;
        if ends.contains(&node) {
            return Err(format!("the link joins {name} with itself"));
        }
        let joins = |link: &&Link, other: NodeIndex| link.ends.contains(&node) && link.ends.contains(&other);
        if let Some(other) = ends.iter().find(|other| links.iter().any(|link| joins(&link, **other))) {
            return Err(format!("there is a link between {} and {name} already", nodes[*other].name));
        }
        ends.push(node);
    }
    if ends.len() < 2 || ends.len() > LAN_MAX {
        return Err(format!("a link has 2 ends, a LAN up to {LAN_MAX}"));
    }
    let name = match &file.name {
        Some(name) => name.clone(),
        None if ends.len() == 2 => file.ends.join("-"),
        None => return Err("a LAN needs a name".to_owned()),
    };
    // Interfaces are called after a LAN as they are after a neighbour.
    if ends.len() > 2 && (!is_plain(&name) || nodes.iter().any(|node| node.name == name)) {
        return Err(format!("`{name}` is no name for a LAN: {NAMES}, and no node's name"));
    }
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
    Ok(Link {
        name,
        ends,
        cost: file.cost,
        rate,
        reservable,
        reservable_per_flow,
        udp_encapsulation: file.udp_encapsulation,
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

/// A receiver: a member of a group, or, by the name of its flow, that of a flow to a host.
fn receiver_named(name: &str, scenario: &Scenario) -> Result<ReceiverIndex, String> {
    let kind = if scenario.groups.is_empty() { "flow" } else { "member or flow to a host" };
    named(kind, name, &scenario.receivers, |receiver| &receiver.name)
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
    use crate::lab::model::{Action, Check};

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
        let path = scenario.topologies[0].path(&scenario.nodes, 0, 1);
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
            let topology = scenario.topology(Duration::from_millis(at));
            let path = topology.path(&scenario.nodes, 0, 1);
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
            (
                "within = 1 }",
                "within = 1 }, { check = \"rsvp-load\", link = \"p-r2\", during = [1, 2] }",
                "give a bound: packets-at-least",
            ),
            (
                "plain-routers = [\"p\"]",
                "plain-routers = [\"p\"]\nwithout-refresh-reduction = [\"r1\", \"p\"]",
                "runs no RSVP",
            ),
            ("cost = 2", "cost = 0", "a cost is 1 or more"),
            ("cost = 2", "udp-encapsulation = \"raw\"", "expected one of `learn`, `always`, `never`"),
        ] {
            let mistake = parse(&DIAMOND.replacen(from, to, 1)).expect_err(to);
            assert!(mistake.message.contains(part), "{to}: {mistake}");
        }
    }

    /// A sender, a router, and a LAN with two members.
    const GROUP: &str = r#"
title = "group"
duration = "10s"
hosts = ["s", "a", "b", "c"]
routers = ["r1", "r2"]
links = [
    { ends = ["s", "r1"], rate = "10Mbit" },
    { ends = ["r1", "r2"], rate = "10Mbit" },
    { name = "lan", ends = ["r2", "a", "b"], rate = "10Mbit" },
    { ends = ["r1", "c"], rate = "10Mbit" },
]
groups = [{ name = "g", port = 5000 }]
flows = [{ name = "f", from = "s", to = "g", rate = "1Mbit" }]
members = [
    { host = "a", group = "g", style = "se", rate = "1Mbit" },
    { host = "b", group = "g", style = "se", rate = "2Mbit" },
    { host = "c", group = "g", style = "se", rate = "1Mbit", name = "late" },
]
events = [
    { at = 1, join = ["a", "b"], announce = "f" },
    { at = 2, reserve = "a" },
    { at = 3, join = "late" },
    { at = 5, leave = ["a", "b"] },
]
checks = [{ check = "traffic", flows = "f", during = [2, 4], loss-at-most = "1%" }]
"#;

    #[test]
    fn trees_follow_the_members() {
        let scenario = parse(GROUP).expect("a scenario without mistakes");
        let branches = |tree: crate::lab::routing::Tree| -> Vec<(NodeIndex, Vec<LinkIndex>)> {
            tree.0.into_iter().map(|(node, branch)| (node, branch.outgoing.into_iter().collect())).collect()
        };
        let data = |at: u64| branches(scenario.data_tree(0, Duration::from_secs(at)));
        // The nodes are s, a, b, c, r1, r2.
        assert_eq!(data(0), [(0, vec![0]), (4, vec![])], "the first router, with nobody behind it");
        assert_eq!(data(2), [(0, vec![0]), (1, vec![]), (2, vec![]), (4, vec![1]), (5, vec![2])]);
        assert_eq!(data(4).iter().find(|(node, _)| *node == 4), Some(&(4, vec![1, 3])));
        assert_eq!(data(6), [(0, vec![0]), (3, vec![]), (4, vec![3])]);
        let reserved = branches(scenario.reserved_tree(0, Duration::from_secs(2)));
        assert_eq!(reserved, [(0, vec![0]), (1, vec![]), (4, vec![1]), (5, vec![2])]);
        assert_eq!(branches(scenario.reserved_tree(0, Duration::from_secs(6))), []);
        let names: Vec<_> = scenario.nodes[5].interfaces.iter().map(|own| own.name.as_str()).collect();
        assert_eq!(names, ["to-r1", "to-lan"]);
        assert_eq!(scenario.nodes[2].interfaces[0].address.to_string(), "10.0.3.3");
        let hearers = scenario.checks.iter().map(|check| match check {
            Check::Traffic { receiver, .. } => *receiver,
            _ => usize::MAX,
        });
        assert_eq!(hearers.collect::<Vec<_>>(), [0, 1], "those who hear it all that time");
    }

    #[test]
    fn mistakes_in_groups_are_told() {
        for (from, to, part) in [
            ("name = \"lan\", ", "", "a LAN needs a name"),
            ("name = \"lan\"", "name = \"r1\"", "`r1` is no name for a LAN"),
            ("\"a\", \"b\"], rate", "\"a\", \"a\"], rate", "the link joins a with itself"),
            ("to = \"g\"", "to = \"g\", port = 1", "the group has the port"),
            ("to = \"g\"", "to = \"c\"", "give it a port"),
            ("name = \"late\"", "name = \"f\"", "there is a flow or a member called f already"),
            ("host = \"b\"", "host = \"a\", name = \"x\"", "a is a member of g already"),
            ("host = \"b\"", "host = \"r2\"", "member r2: r2 is a router"),
            ("name = \"late\"", "senders = \"h\"", "there is no flow called h; there are: f"),
            (
                "reserve = \"a\"",
                "join = \"f\"",
                "there is no member or flow to a host called f; there are: a, b, late",
            ),
            (
                "during = [2, 4]",
                "during = [4, 6], members = \"s\"",
                "there is no member or flow to a host called s",
            ),
            ("reserve = \"a\"", "link-down = \"lan\"", "give the file a convergence"),
            ("during = [2, 4]", "during = [0, 2]", "nobody hears f all that time"),
            ("check = \"traffic\", flows", "check = \"placement\", groups", "unknown field `during`"),
        ] {
            let Err(mistake) = parse(&GROUP.replacen(from, to, 1)) else { panic!("{to} is a mistake") };
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
