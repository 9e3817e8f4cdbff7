//! From the file as written to the checked scenario.

use std::fmt;

use toml::Spanned;

use super::model::{
    Action, Check, Event, Flow, FlowIndex, Interface, Link, LinkIndex, Node, NodeIndex, Scenario, Window,
    path,
};
use super::scenario::{CheckFile, EventFile, FlowFile, LinkFile, Names, ScenarioFile, Time};

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
                peer,
                address: file.family.address(index, end),
            };
            nodes[node].interfaces.push(interface);
        }
        links.push(link);
    }
    for (node, name) in nodes.iter().zip(file.hosts.iter().chain(&file.routers)) {
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
        nodes,
        links,
        flows: Vec::new(),
        events: Vec::new(),
        checks: Vec::new(),
    };
    for flow in &file.flows {
        let resolved = resolve_flow(flow.get_ref(), &scenario).map_err(at(flow))?;
        scenario.flows.push(resolved);
    }
    for event in &file.events {
        let resolved = resolve_event(event.get_ref(), &scenario).map_err(at(event))?;
        scenario.events.push(resolved);
    }
    scenario.events.sort_by_key(|event| event.at);
    for check in file.checks {
        let located = at(&check);
        let resolved = resolve_check(check.into_inner(), &scenario).map_err(&located)?;
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

fn nodes(file: &ScenarioFile) -> Result<Vec<Node>, Located> {
    let mut nodes: Vec<Node> = Vec::new();
    let hosts = file.hosts.iter().map(|name| (name, false));
    for (spanned, router) in hosts.chain(file.routers.iter().map(|name| (name, true))) {
        let name = spanned.get_ref();
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        if name.is_empty() || name.len() > NODE_NAME_MAX || !name.chars().all(is_plain) {
            let allowed = format!("use 1 to {NODE_NAME_MAX} lower-case letters and digits");
            return Err(at(spanned)(format!("`{name}` is no name for a node: {allowed}")));
        }
        if nodes.iter().any(|node| node.name == *name) {
            return Err(at(spanned)(format!("there are two nodes called {name}")));
        }
        nodes.push(Node { name: name.clone(), router, interfaces: Vec::new() });
    }
    Ok(nodes)
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
    Ok(Link { name, ends, rate, reservable, reservable_per_flow })
}

fn resolve_flow(file: &FlowFile, scenario: &Scenario) -> Result<Flow, String> {
    let FlowFile { name, port, rate, packet, .. } = file;
    let [from, to] = [node_named(&file.from, &scenario.nodes)?, node_named(&file.to, &scenario.nodes)?];
    if scenario.flows.iter().any(|flow| flow.name == *name) {
        return Err(format!("there are two flows called {name}"));
    }
    let path = path(&scenario.nodes, from, to).filter(|path| path.len() > 1);
    let path =
        path.ok_or_else(|| format!("flow {name}: there is no way from {} to {}", file.from, file.to))?;
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
        path,
    })
}

fn resolve_event(file: &EventFile, scenario: &Scenario) -> Result<Event, String> {
    let mut actions = Vec::new();
    add(&mut actions, &file.link_up, Action::LinkUp, |name| link_named(name, &scenario.links))?;
    add(&mut actions, &file.start, Action::Start, |name| node_named(name, &scenario.nodes))?;
    add(&mut actions, &file.thaw, Action::Thaw, |name| node_named(name, &scenario.nodes))?;
    add(&mut actions, &file.send, Action::Send, |name| flow_named(name, scenario))?;
    add(&mut actions, &file.announce, Action::Announce, |name| flow_named(name, scenario))?;
    add(&mut actions, &file.reserve, Action::Reserve, |name| flow_named(name, scenario))?;
    add(&mut actions, &file.release, Action::Release, |name| flow_named(name, scenario))?;
    add(&mut actions, &file.withdraw, Action::Withdraw, |name| flow_named(name, scenario))?;
    add(&mut actions, &file.silence, Action::Silence, |name| flow_named(name, scenario))?;
    add(&mut actions, &file.freeze, Action::Freeze, |name| node_named(name, &scenario.nodes))?;
    add(&mut actions, &file.kill, Action::Kill, |name| node_named(name, &scenario.nodes))?;
    add(&mut actions, &file.link_down, Action::LinkDown, |name| link_named(name, &scenario.links))?;
    let at = file.at.0;
    if at > scenario.duration {
        return Err(format!("the event at {at:?} is after the end at {:?}", scenario.duration));
    }
    if actions.is_empty() {
        let allowed = "announce, withdraw, reserve, release, send, silence (flows), \
                       freeze, thaw, kill, start (nodes), link-down, link-up (links)";
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

/// One check of the file may be several, one for each flow.
fn resolve_check(file: CheckFile, scenario: &Scenario) -> Result<Vec<Check>, String> {
    let each = |flows: &Names, check: &dyn Fn(FlowIndex) -> Result<Check, String>| {
        if flows.0.is_empty() {
            return Err("the check names no flow".to_owned());
        }
        flows.0.iter().map(|name| check(flow_named(name, scenario)?)).collect::<Result<Vec<_>, _>>()
    };
    let path_of =
        |flow: FlowIndex, nodes: &Option<Names>| some_nodes(nodes, &scenario.flows[flow].path, scenario);
    // A reservation holds where data leaves a node: everywhere on the path but at its end.
    let forwarders_of = |flow: FlowIndex, nodes: &Option<Names>| {
        let path = &scenario.flows[flow].path;
        some_nodes(nodes, &path[..path.len() - 1], scenario)
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
            Ok(Check::Reserved { flow, at: at.0, nodes: forwarders_of(flow, &nodes)?, wanted: true })
        }),
        CheckFile::NotReserved { flows, at, nodes } => each(&flows, &|flow| {
            Ok(Check::Reserved { flow, at: at.0, nodes: forwarders_of(flow, &nodes)?, wanted: false })
        }),
        CheckFile::Path { flows, at, nodes, previous_hop, non_rsvp, broken } => {
            let previous_hop = previous_hop.map(|name| node_named(&name, &scenario.nodes)).transpose()?;
            each(&flows, &|flow| {
                Ok(Check::Path {
                    flow,
                    at: at.0,
                    nodes: path_of(flow, &nodes)?,
                    previous_hop,
                    non_rsvp,
                    broken,
                })
            })
        }
        CheckFile::NoPath { flows, at, nodes } => {
            each(&flows, &|flow| Ok(Check::NoPath { flow, at: at.0, nodes: path_of(flow, &nodes)? }))
        }
        CheckFile::Refused { flows, at, code, value, node } => {
            let node = node_named(&node, &scenario.nodes)?;
            each(&flows, &|flow| Ok(Check::Refused { flow, at: at.0, code, value, node }))
        }
        CheckFile::NoTimeouts { during, nodes } => {
            let nodes = some_nodes(&nodes, &scenario.node_indices(), scenario)?;
            Ok(vec![Check::NoTimeouts { during: window(during)?, nodes }])
        }
        CheckFile::Expires { flows, state, node, learnt_from, during, slack } => {
            let (during, slack) = (window(during)?, slack.0);
            let [node, learnt_from] =
                [node_named(&node, &scenario.nodes)?, node_named(&learnt_from, &scenario.nodes)?];
            each(&flows, &|flow| Ok(Check::Expires { flow, state, node, learnt_from, during, slack }))
        }
        CheckFile::Kernel { at, nodes } => {
            let nodes = some_nodes(&nodes, &scenario.node_indices(), scenario)?;
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

fn some_nodes(
    names: &Option<Names>,
    default: &[NodeIndex],
    scenario: &Scenario,
) -> Result<Vec<NodeIndex>, String> {
    match names {
        None => Ok(default.to_vec()),
        Some(names) => names.0.iter().map(|name| node_named(name, &scenario.nodes)).collect(),
    }
}

fn node_named(name: &str, nodes: &[Node]) -> Result<NodeIndex, String> {
    named("node", name, nodes, |node| &node.name)
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
        assert_eq!(flow.path, [0, 2, 3, 1]);
        assert_eq!(flow.bucket, 25_000, "a tenth of a second");
        assert_eq!(scenario.links[0].reservable, 75_000_000);
        assert_eq!(scenario.links[1].reservable_per_flow, 3_000_000);
        let routes: Vec<_> = scenario.routes(0).iter().map(|route| (route.prefix, route.gateway)).collect();
        let ip = |text: &str| text.parse::<std::net::IpAddr>().expect("an address");
        assert_eq!(routes, [(ip("10.0.2.0"), ip("10.0.1.2")), (ip("10.0.3.0"), ip("10.0.1.2"))]);
        let actions: Vec<_> = scenario.events.iter().flat_map(|event| &event.actions).copied().collect();
        assert_eq!(actions, [Action::Send(0), Action::Announce(0), Action::Reserve(0)], "in order of time");
    }

    #[test]
    fn the_example_of_the_documentation_is_right() {
        let text = include_str!("../../../docs/lab.md");
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
        ] {
            let text = SMALL.replacen(from, to, 1);
            let mistake = parse(&text).expect_err(to);
            assert!(mistake.message.contains(part), "{to}: {mistake}");
            assert_eq!(mistake.line, line, "{to}: {mistake}");
        }
    }
}
