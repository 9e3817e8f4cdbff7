//! The flows of a scenario: groups, senders, receivers.

use super::super::model::{Flow, Group, NodeIndex, Receiver, Scenario, Target};
use super::super::scenario::{FlowFile, GroupFile, MemberFile};
use super::{flow_named, named, node_named};

/// The smallest packet that carries a header, a sequence number and a time.
const SMALLEST_PACKET: u64 = 100;
/// The largest packet that fits every link.
const LARGEST_PACKET: u64 = 1500;
/// A bucket holds this part of a second of its flow if the file does not say: 1/10.
const BUCKETS_PER_SECOND: u64 = 10;

pub(super) fn group(file: &GroupFile, scenario: &Scenario) -> Result<Group, String> {
    let name = &file.name;
    let taken = scenario.groups.iter().map(|group| &group.name);
    if taken.chain(scenario.nodes.iter().map(|node| &node.name)).any(|other| other == name) {
        return Err(format!("there is a group or a node called {name} already"));
    }
    if file.port == 0 {
        return Err(format!("group {name}: the port is 0"));
    }
    let address = scenario.family.group_address(scenario.groups.len());
    Ok(Group { name: name.clone(), address, port: file.port })
}

pub(super) fn flow(file: &FlowFile, scenario: &Scenario) -> Result<Flow, String> {
    let FlowFile { name, rate, packet, .. } = file;
    let from = host_named(&file.from, scenario).map_err(|why| format!("flow {name}: {why}"))?;
    if scenario.flows.iter().any(|flow| flow.name == *name) {
        return Err(format!("there are two flows called {name}"));
    }
    let source = scenario.nodes[from].interfaces[0].address;
    let group = scenario.groups.iter().position(|group| group.name == file.to);
    let (to, destination, port) = match group {
        Some(group) => {
            if file.port.is_some() || file.style.is_some() || file.service.is_some() {
                return Err(format!("flow {name}: the group has the port, its members style and service"));
            }
            (Target::Group(group), scenario.groups[group].address, scenario.groups[group].port)
        }
        None => {
            let to = host_named(&file.to, scenario).map_err(|why| format!("flow {name}: {why}"))?;
            let path = scenario.topologies[0].path(&scenario.nodes, from, to);
            if path.is_none_or(|path| path.len() < 2) {
                return Err(format!("flow {name}: there is no way from {} to {}", file.from, file.to));
            }
            let port = file.port.ok_or_else(|| format!("flow {name}: give it a port"))?;
            (Target::Host(to), scenario.nodes[to].interfaces[0].address, port)
        }
    };
    let sources = if group.is_some() { &[source][..] } else { &[] };
    if port == 0 || !scenario.flows_to(destination, port, sources).is_empty() {
        return Err(format!("flow {name}: port {port} is 0 or taken by another flow to {}", file.to));
    }
    if !(SMALLEST_PACKET..=LARGEST_PACKET).contains(&packet.0) {
        return Err(format!("flow {name}: a packet has {SMALLEST_PACKET} to {LARGEST_PACKET} bytes"));
    }
    if rate.0 == 0 {
        return Err(format!("flow {name}: the rate is 0"));
    }
    let bucket = file.bucket.map_or_else(|| default_bucket(rate.0, packet.0), |size| size.0);
    if bucket < packet.0 {
        return Err(format!("flow {name}: the bucket does not hold one packet of {} bytes", packet.0));
    }
    Ok(Flow {
        name: name.clone(),
        from,
        to,
        source,
        destination,
        port,
        rate: rate.0,
        bucket,
        packet: u32::try_from(packet.0).map_err(|_| "the packet is too large".to_owned())?,
        sends: file.sends.unwrap_or(*rate).0,
    })
}

/// The receiver of a flow, if that goes to a host.
pub(super) fn receiver(file: &FlowFile, flow: &Flow, scenario: &Scenario) -> Option<Receiver> {
    let Target::Host(node) = flow.to else { return None };
    Some(Receiver {
        name: flow.name.clone(),
        node,
        address: flow.destination,
        group: None,
        destination: flow.destination,
        port: flow.port,
        flows: vec![scenario.flows.len()],
        rate: flow.rate,
        bucket: flow.bucket,
        packet: flow.packet,
        service: file.service.unwrap_or_default(),
        style: file.style.unwrap_or_default(),
    })
}

pub(super) fn member(file: &MemberFile, scenario: &Scenario) -> Result<Receiver, String> {
    let name = file.name.as_ref().unwrap_or(&file.host);
    let node = host_named(&file.host, scenario).map_err(|why| format!("member {name}: {why}"))?;
    let index = named("group", &file.group, &scenario.groups, |group| &group.name)?;
    let group = &scenario.groups[index];
    let taken = scenario.receivers.iter().map(|other| &other.name);
    if taken.chain(scenario.flows.iter().map(|flow| &flow.name)).any(|other| other == name) {
        return Err(format!("there is a flow or a member called {name} already: give it a name"));
    }
    if scenario.receivers.iter().any(|other| other.group == Some(index) && other.node == node) {
        return Err(format!("{} is a member of {} already", file.host, group.name));
    }
    let all = scenario.flows_to(group.address, group.port, &[]);
    let flows = match &file.senders.0[..] {
        [] => all.clone(),
        names => names.iter().map(|name| flow_named(name, scenario)).collect::<Result<Vec<_>, _>>()?,
    };
    if flows.is_empty() || !flows.iter().all(|flow| all.contains(flow)) {
        return Err(format!("member {name}: nobody of its senders sends to {}", group.name));
    }
    if file.rate.0 == 0 {
        return Err(format!("member {name}: the rate is 0"));
    }
    let packet = flows.iter().map(|flow| scenario.flows[*flow].packet).max().unwrap_or_default();
    Ok(Receiver {
        name: name.clone(),
        node,
        address: scenario.nodes[node].interfaces[0].address,
        group: Some(index),
        destination: group.address,
        port: group.port,
        flows,
        rate: file.rate.0,
        bucket: default_bucket(file.rate.0, packet.into()),
        packet,
        service: file.service,
        style: file.style,
    })
}

/// A part of a second, at least two packets.
fn default_bucket(rate: u64, packet: u64) -> u64 {
    (rate / 8 / BUCKETS_PER_SECOND).max(2 * packet)
}

fn host_named(name: &str, scenario: &Scenario) -> Result<NodeIndex, String> {
    let node = node_named(name, &scenario.nodes)?;
    if scenario.nodes[node].kind.is_host() {
        Ok(node)
    } else {
        Err(format!("{name} is a router; flows go from a host to a host or a group"))
    }
}
