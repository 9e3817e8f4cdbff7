//! Whether the kernel holds what the daemon says, seen from outside: the nftables maps from flows to classes, and the
//! classes of HTB.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rsvp_client::api::{Filter, InstalledView};
use rsvp_netns::Namespace;

use crate::lab::model::Scenario;

/// The daemon's table.
const TABLE: &str = "rsvp";
/// The kind of its queueing disciplines.
const QDISC: &str = "htb";

/// A flow as the kernel classifies it: interface, source, destination, their ports.
type FlowKey = (u32, IpAddr, u16, IpAddr, u16);

/// Compares what the daemon has installed with what is in the kernel.
///
/// # Errors
///
/// In words, what differs.
pub(crate) fn compare(namespace: &Namespace, installed: &[InstalledView]) -> Result<String, String> {
    let found = classified(namespace)?;
    let mut wanted = BTreeSet::new();
    for view in installed {
        let index = namespace.index(&view.interface).map_err(|error| error.to_string())?;
        let classes = namespace.htb_classes(&view.interface).map_err(|error| error.to_string())?;
        for key in keys(index, view) {
            let Some(class) = found.get(&key) else {
                return Err(format!("no class for {} on {}", view.session, view.interface));
            };
            let rate = classes.iter().find(|known| known.id == *class).map(|known| known.rate * 8);
            if rate.is_none_or(|rate| rate < view.bandwidth) {
                return Err(format!("{} has class {class:#x} with {rate:?} bit/s", view.session));
            }
            wanted.insert(key);
        }
    }
    match found.keys().find(|key| !wanted.contains(*key)) {
        Some((index, source, _, destination, port)) => {
            Err(format!("a class for {source} to {destination} port {port} on interface {index} is left"))
        }
        None => Ok(found.len().to_string()),
    }
}

/// The keys that an installation has in the classifier: one for each sender, or one for all.
fn keys(index: u32, view: &InstalledView) -> Vec<FlowKey> {
    let (destination, port) = (view.session.destination, view.session.destination_port);
    if view.senders.is_empty() {
        let any = match destination {
            IpAddr::V4(_) => IpAddr::from(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::from(Ipv6Addr::UNSPECIFIED),
        };
        // The destination's port stands where the source's would.
        return vec![(index, any, port, destination, 0)];
    }
    let key = |sender: &Filter| (index, sender.source, sender.source_port.unwrap_or(0), destination, port);
    view.senders.iter().map(key).collect()
}

/// The class of every flow in the daemon's maps.
fn classified(namespace: &Namespace) -> Result<BTreeMap<FlowKey, u32>, String> {
    let mut classes = BTreeMap::new();
    for (map, parse) in [("ipv4-class", parse_ipv4 as fn(&[u8]) -> _), ("ipv6-class", parse_ipv6)] {
        for (key, value) in namespace.nft_map(TABLE, map).map_err(|error| error.to_string())? {
            let class = value.try_into().map(u32::from_ne_bytes);
            let (Some(key), Ok(class)) = (parse(&key), class) else {
                return Err(format!("the map {map} holds a key that is none of a flow: {key:02x?}"));
            };
            classes.insert(key, class);
        }
    }
    Ok(classes)
}

fn parse_ipv4(key: &[u8]) -> Option<FlowKey> {
    let (index, rest) = key.split_first_chunk()?;
    let (source, rest) = rest.split_first_chunk::<4>()?;
    let (destination, rest) = rest.split_first_chunk::<4>()?;
    flow_key(*index, Ipv4Addr::from(*source).into(), Ipv4Addr::from(*destination).into(), rest)
}

fn parse_ipv6(key: &[u8]) -> Option<FlowKey> {
    let (index, rest) = key.split_first_chunk()?;
    let (source, rest) = rest.split_first_chunk::<16>()?;
    let (destination, rest) = rest.split_first_chunk::<16>()?;
    flow_key(*index, Ipv6Addr::from(*source).into(), Ipv6Addr::from(*destination).into(), rest)
}

/// `rest` is the protocol, filled up to a word, and both ports.
fn flow_key(index: [u8; 4], source: IpAddr, destination: IpAddr, rest: &[u8]) -> Option<FlowKey> {
    let [_protocol, _, _, _, source_port @ .., high, low] = rest else { return None };
    let source_port = u16::from_be_bytes(source_port.try_into().ok()?);
    Some((u32::from_ne_bytes(index), source, source_port, destination, u16::from_be_bytes([*high, *low])))
}

/// Whether nothing of a daemon that has ended is left in a namespace.
///
/// # Errors
///
/// In words, what is left.
pub(crate) fn is_clean(namespace: &Namespace, scenario: &Scenario, node: usize) -> Result<(), String> {
    let left = classified(namespace)?.len();
    if left > 0 {
        return Err(format!("{}: {left} flows are still classified", namespace.name()));
    }
    for interface in &scenario.nodes[node].interfaces {
        let kind = namespace.root_qdisc(&interface.name).map_err(|error| error.to_string())?;
        if kind.as_deref() == Some(QDISC) {
            return Err(format!("{}: {} still has its {QDISC}", namespace.name(), interface.name));
        }
    }
    Ok(())
}
