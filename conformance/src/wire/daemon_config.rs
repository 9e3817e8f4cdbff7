//! The configuration file of `rsvp-cli daemon` for what a case asks of its device.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rsvp_core::config::{
    Bandwidth, GuaranteedConfig, InterfaceConfig, Limits, MessageIds, NodeConfig, ReductionConfig,
    SummaryRefresh, UdpEncapsulation, UdpOnly,
};
use rsvp_core::policy::{PolicyAction, PolicyRule};
use serde::Serialize;

use crate::bench::{Port, Unsupported};

/// The file. What a setting is called there is said in `docs/configuration.md`.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct File {
    role: &'static str,
    control: Control,
    #[serde(skip_serializing_if = "Option::is_none")]
    udp_only: Option<UdpOnlyTable>,
    limits: LimitsTable,
    defaults: Defaults,
    interface: BTreeMap<String, Interface>,
    neighbor: BTreeMap<String, Neighbor>,
    policy: Vec<Policy>,
}

#[derive(Serialize)]
struct Control {
    socket: PathBuf,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct UdpOnlyTable {
    #[serde(skip_serializing_if = "Option::is_none")]
    first_hop: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<u8>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct LimitsTable {
    sessions: usize,
    senders_per_session: usize,
    reservations_per_session: usize,
    objects_per_message: usize,
    refusals: usize,
    queued_one_shots: usize,
    queued_acks: usize,
    queued_events: usize,
    repairs_per_second: u32,
}

/// The kernel's own traffic control is left alone: it takes time, and no packet that a case sees depends on it.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Defaults {
    traffic_control: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Interface {
    enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    bandwidth: Option<BandwidthTable>,
    refresh_interval: String,
    refresh_misses: u32,
    blockade_multiple: u32,
    repair_delay: String,
    slew_max: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency: Option<String>,
    link_header: u32,
    guaranteed: Guaranteed,
    non_rsvp: bool,
    udp_encapsulation: UdpEncapsulation,
    udp_send_ttl: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    point_to_point: Option<bool>,
    refresh_reduction: Reduction,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct BandwidthTable {
    link: String,
    total: String,
    per_flow: String,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Guaranteed {
    Off { enabled: bool },
    On(GuaranteedTable),
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct GuaranteedTable {
    c: u32,
    d: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    flows: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mtu: Option<u32>,
    excess: &'static str,
    reshape: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Neighbor {
    refresh_reduction: Reduction,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Reduction {
    message_ids: MessageIds,
    reliable: bool,
    bundle: bool,
    summary_refresh: SummaryRefresh,
    assume_capable: bool,
    ack_retransmit_time: String,
    retransmit_limit: u32,
    retransmit_growth: f32,
    ack_hold_time: String,
    group_ack_hold_time: String,
    bundle_hold_time: String,
    message_max_size: u16,
    max_outstanding: u32,
    full_refresh: u32,
}

#[derive(Serialize)]
struct Policy {
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sender: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    receiver: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bandwidth: Option<String>,
}

/// The configuration file of `rsvp-cli daemon` for a configuration of the engine, with this control socket. The interfaces
/// are those of the bench.
///
/// # Errors
///
/// The setting that the daemon cannot be told.
pub fn file(config: &NodeConfig, socket: &Path) -> Result<String, Unsupported> {
    let NodeConfig {
        router,
        default_interface: _,
        interfaces,
        neighbors,
        limits,
        wait_for_installation,
        udp_only,
        policy,
    } = config;
    if !wait_for_installation {
        return Err(untold("wait-for-installation"));
    }
    let ports = Port::ALL.map(Port::name);
    if let Some(name) = interfaces.keys().find(|name| !ports.contains(&name.as_str())) {
        return Err(untold(&format!("the interface {name}")));
    }
    let interface = ports.map(|name| Ok((name.to_owned(), interface(config.interface(name))?)));
    let neighbor = |(address, config): (&IpAddr, &ReductionConfig)| {
        (address.to_string(), Neighbor { refresh_reduction: reduction(config) })
    };
    let file = File {
        role: if *router { "router" } else { "host" },
        control: Control { socket: socket.to_owned() },
        udp_only: udp_only.as_ref().map(udp_only_table),
        limits: limits_table(limits),
        defaults: Defaults { traffic_control: false },
        interface: interface.into_iter().collect::<Result<_, _>>()?,
        neighbor: neighbors.iter().map(neighbor).collect(),
        policy: policy.iter().map(policy_table).collect(),
    };
    toml::to_string(&file).map_err(|error| untold(&error.to_string()))
}

fn untold(setting: &str) -> Unsupported {
    Unsupported(format!("the device cannot be told {setting}"))
}

fn time(time: Duration) -> String {
    format!("{}us", time.as_micros())
}

fn octets_per_second(rate: u64) -> String {
    format!("{rate}B")
}

fn interface(config: &InterfaceConfig) -> Result<Interface, Unsupported> {
    let InterfaceConfig {
        enabled,
        bandwidth,
        refresh,
        refresh_multiple,
        blockade_multiple,
        repair_delay,
        slew_max,
        latency,
        link_header,
        guaranteed,
        udp_encapsulation,
        udp_send_ttl,
        non_rsvp,
        point_to_point,
        reduction: of_reduction,
    } = config;
    if guaranteed.is_some() && bandwidth.is_none() {
        return Err(untold("guaranteed without bandwidth"));
    }
    let pool = |Bandwidth { total, per_flow, link }: Bandwidth| BandwidthTable {
        link: octets_per_second(link),
        total: octets_per_second(total),
        per_flow: octets_per_second(per_flow),
    };
    Ok(Interface {
        enabled: *enabled,
        bandwidth: bandwidth.map(pool),
        refresh_interval: time(*refresh),
        refresh_misses: *refresh_multiple,
        blockade_multiple: *blockade_multiple,
        repair_delay: time(*repair_delay),
        slew_max: *slew_max,
        latency: latency.map(time),
        link_header: *link_header,
        guaranteed: guaranteed
            .map_or(Guaranteed::Off { enabled: false }, |config| Guaranteed::On(guaranteed_table(&config))),
        non_rsvp: *non_rsvp,
        udp_encapsulation: *udp_encapsulation,
        udp_send_ttl: *udp_send_ttl,
        point_to_point: *point_to_point,
        refresh_reduction: reduction(of_reduction),
    })
}

fn guaranteed_table(config: &GuaranteedConfig) -> GuaranteedTable {
    let GuaranteedConfig { c, d, mtu, flows, discards, reshapes } = *config;
    GuaranteedTable {
        c,
        d: time(Duration::from_micros(d.into())),
        flows,
        mtu,
        excess: if discards { "discard" } else { "best-effort" },
        reshape: reshapes,
    }
}

fn reduction(config: &ReductionConfig) -> Reduction {
    let takes_ids = config.takes_ids();
    Reduction {
        message_ids: config.message_ids,
        // Without ids there is neither, and the daemon wants that said.
        reliable: config.reliable && takes_ids,
        bundle: config.bundle,
        summary_refresh: if takes_ids { config.summary_refresh } else { SummaryRefresh::Off },
        assume_capable: config.assume_capable,
        ack_retransmit_time: time(config.retransmit_interval),
        retransmit_limit: config.retransmit_limit,
        retransmit_growth: config.retransmit_growth,
        ack_hold_time: time(config.ack_delay),
        group_ack_hold_time: time(config.group_ack_delay),
        bundle_hold_time: time(config.bundle_delay),
        message_max_size: config.max_packet,
        max_outstanding: config.max_outstanding,
        full_refresh: config.full_refresh,
    }
}

fn udp_only_table(UdpOnly { first_hop }: &UdpOnly) -> UdpOnlyTable {
    UdpOnlyTable { first_hop: first_hop.map(|hop| hop.address), ttl: first_hop.and_then(|hop| hop.ttl) }
}

fn limits_table(limits: &Limits) -> LimitsTable {
    let Limits {
        sessions,
        senders_per_session,
        reservations_per_session,
        objects_per_message,
        queued_one_shots,
        queued_acks,
        refusals,
        queued_events,
        repairs_per_second,
    } = *limits;
    LimitsTable {
        sessions,
        senders_per_session,
        reservations_per_session,
        objects_per_message,
        refusals,
        queued_one_shots,
        queued_acks,
        queued_events,
        repairs_per_second,
    }
}

fn policy_table(PolicyRule { sender, receiver, action }: &PolicyRule) -> Policy {
    let (action, bandwidth) = match action {
        PolicyAction::Allow => ("allow", None),
        PolicyAction::Deny => ("deny", None),
        PolicyAction::Limit(rate) => ("limit", Some(octets_per_second(*rate))),
    };
    let text = |network: &Option<rsvp_core::policy::IpNet>| network.map(|network| network.to_string());
    Policy { action, sender: text(sender), receiver: text(receiver), bandwidth }
}
