//! The file as it is written: what each table may hold, and how it becomes a [`Config`].

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use rsvp_client::api::{Flowspec, ReservationRequest, SenderRequest, SenderService, Session, Style, Tspec};
use rsvp_core::NodeConfig;
use rsvp_core::config::{Bandwidth, GuaranteedConfig, InterfaceConfig, Limits};
use rsvp_core::policy::{PolicyAction, PolicyRule};
use serde::Deserialize;
use toml::Spanned;

use super::promise;
use super::reduction::{NeighborTable, ReductionSwitch, ReductionTable};
use super::udp::{Encapsulation, UdpOnlyTable};
use super::values::{Count, Network, Rate, Size, Span};
use super::{Config, Control, DEFAULT_EVENTS, InterfaceExtras, Log, LogFormat};
use crate::endpoint::{Endpoint, parse_protocol};
use crate::request;

/// What Ethernet adds to an IP packet, in bytes.
const ETHERNET_HEADER: u32 = 14;

/// The whole file.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    role: Role,
    #[serde(default)]
    control: ControlTable,
    #[serde(default)]
    log: LogTable,
    udp_only: Option<Spanned<UdpOnlyTable>>,
    #[serde(default)]
    limits: LimitsTable,
    #[serde(default)]
    defaults: InterfaceTable,
    #[serde(default)]
    interface: BTreeMap<String, InterfaceTable>,
    #[serde(default)]
    neighbor: BTreeMap<IpAddr, NeighborTable>,
    #[serde(default)]
    sender: Vec<Spanned<SenderTable>>,
    #[serde(default)]
    reservation: Vec<Spanned<ReservationTable>>,
    #[serde(default)]
    policy: Vec<Spanned<PolicyTable>>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Role {
    #[default]
    Router,
    Host,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct ControlTable {
    socket: Option<PathBuf>,
    group: Option<String>,
    events: Option<usize>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct LogTable {
    level: Option<Spanned<String>>,
    format: Option<LogFormat>,
    file: Option<PathBuf>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct LimitsTable {
    sessions: Option<Count>,
    senders_per_session: Option<Count>,
    reservations_per_session: Option<Count>,
    objects_per_message: Option<Count>,
    refusals: Option<Count>,
    queued_one_shots: Option<Count>,
    queued_acks: Option<Count>,
    queued_events: Option<Count>,
    repairs_per_second: Option<Count>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct InterfaceTable {
    enabled: Option<bool>,
    bandwidth: Option<Spanned<BandwidthTable>>,
    refresh_interval: Option<Spanned<Span>>,
    refresh_misses: Option<Count>,
    blockade_multiple: Option<Count>,
    repair_delay: Option<Span>,
    slew_max: Option<Spanned<f32>>,
    latency: Option<Span>,
    link_header: Option<Size>,
    guaranteed: Option<GuaranteedTable>,
    non_rsvp: Option<bool>,
    neighbors: Option<Vec<IpAddr>>,
    traffic_control: Option<bool>,
    udp_encapsulation: Option<Encapsulation>,
    udp_send_ttl: Option<bool>,
    point_to_point: Option<bool>,
    refresh_reduction: Option<Spanned<ReductionSwitch>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct BandwidthTable {
    link: Rate,
    total: Option<Rate>,
    per_flow: Option<Rate>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct GuaranteedTable {
    enabled: Option<bool>,
    c: Option<Size>,
    d: Option<Span>,
    flows: Option<Count>,
    mtu: Option<Size>,
    excess: Option<Excess>,
    reshape: Option<bool>,
}

/// What becomes of packets that do not conform where their flow is policed.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Excess {
    BestEffort,
    Discard,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct TspecTable {
    rate: Rate,
    bucket: Size,
    peak: Option<Rate>,
    min_unit: Option<Size>,
    max_packet: Option<Size>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct SenderTable {
    destination: IpAddr,
    port: u16,
    #[serde(default = "udp")]
    protocol: String,
    source: Option<String>,
    rate: Option<Rate>,
    tspec: Option<TspecTable>,
    #[serde(default)]
    service: SenderService,
    #[serde(default = "yes")]
    adspec: bool,
    #[serde(default = "full_ttl")]
    ttl: u8,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct ReservationTable {
    destination: IpAddr,
    port: u16,
    #[serde(default = "udp")]
    protocol: String,
    style: Option<StyleName>,
    #[serde(default)]
    senders: Vec<String>,
    #[serde(default)]
    service: Service,
    rate: Option<Rate>,
    tspec: Option<TspecTable>,
    guaranteed_rate: Option<Rate>,
    #[serde(default)]
    slack: u32,
    receiver: Option<IpAddr>,
    #[serde(default)]
    confirm: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct PolicyTable {
    action: ActionName,
    sender: Option<Network>,
    receiver: Option<Network>,
    bandwidth: Option<Rate>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ActionName {
    Allow,
    Deny,
    Limit,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum StyleName {
    Ff,
    Se,
    Wf,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
enum Service {
    #[default]
    #[serde(rename = "cl")]
    ControlledLoad,
    #[serde(rename = "gs")]
    Guaranteed,
}

fn udp() -> String {
    "udp".to_owned()
}

fn yes() -> bool {
    true
}

fn full_ttl() -> u8 {
    255
}

/// Where in the file, and what is wrong.
type Fault = (usize, String);

impl File {
    /// Checks what spans several values, and fills in the defaults.
    pub(super) fn into_config(self) -> Result<Config, Fault> {
        let level = self.log.level.map(|level| at(level, check_level)).transpose()?;
        let defaults = self.defaults.over(&Settings::default())?;
        let router = self.role == Role::Router;
        let udp_only = self.udp_only.map(|table| at(table, |table| table.into_settings(router)));
        let policy = self.policy.into_iter().map(|rule| at(rule, PolicyTable::into_rule));
        let mut node = NodeConfig {
            router,
            udp_only: udp_only.transpose()?,
            policy: policy.collect::<Result<_, _>>()?,
            default_interface: defaults.config(),
            limits: self.limits.into_limits(),
            ..NodeConfig::default()
        };
        let mut interfaces = BTreeMap::new();
        for (name, table) in self.interface {
            let settings = table.over(&defaults)?;
            node.interfaces.insert(name.clone(), settings.config());
            interfaces.insert(name, settings.extras);
        }
        for (address, table) in self.neighbor {
            let reduction = at(table.refresh_reduction, |switch| {
                check_neighbor(address)?;
                switch.over(&defaults.reduction)
            })?;
            node.neighbors.insert(address, reduction.config());
        }
        let senders = self.sender.into_iter().map(|s| at(s, SenderTable::into_request));
        let reservations = self.reservation.into_iter().map(|r| at(r, ReservationTable::into_request));
        Ok(Config {
            file: None,
            control: Control {
                socket: self.control.socket,
                group: self.control.group,
                events: self.control.events.unwrap_or(DEFAULT_EVENTS),
            },
            log: Log { level, format: self.log.format, file: self.log.file },
            node,
            interfaces,
            default_interface: defaults.extras,
            senders: senders.collect::<Result<_, _>>()?,
            reservations: reservations.collect::<Result<_, _>>()?,
        })
    }
}

fn check_level(level: String) -> Result<String, String> {
    crate::logging::check_filter(&level).map(|()| level)
}

/// Converts a table; what is wrong with it is told with its place.
fn at<T, U>(table: Spanned<T>, convert: impl FnOnce(T) -> Result<U, String>) -> Result<U, Fault> {
    let start = table.span().start;
    convert(table.into_inner()).map_err(|message| (start, message))
}

impl LimitsTable {
    fn into_limits(self) -> Limits {
        let defaults = Limits::default();
        let or = |count: Option<Count>, default| {
            count.map_or(default, |count| usize::try_from(count.0).unwrap_or(usize::MAX))
        };
        Limits {
            sessions: or(self.sessions, defaults.sessions),
            senders_per_session: or(self.senders_per_session, defaults.senders_per_session),
            reservations_per_session: or(self.reservations_per_session, defaults.reservations_per_session),
            objects_per_message: or(self.objects_per_message, defaults.objects_per_message),
            refusals: or(self.refusals, defaults.refusals),
            queued_one_shots: or(self.queued_one_shots, defaults.queued_one_shots),
            queued_acks: or(self.queued_acks, defaults.queued_acks),
            queued_events: or(self.queued_events, defaults.queued_events),
            repairs_per_second: self.repairs_per_second.map_or(defaults.repairs_per_second, |count| count.0),
        }
    }
}

/// What is set for an interface.
struct Settings {
    /// All but guaranteed service and refresh reduction.
    engine: InterfaceConfig,
    guaranteed: GuaranteedTable,
    reduction: ReductionTable,
    extras: InterfaceExtras,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            engine: InterfaceConfig { link_header: ETHERNET_HEADER, ..InterfaceConfig::default() },
            guaranteed: GuaranteedTable::default(),
            reduction: ReductionTable::default(),
            extras: InterfaceExtras::default(),
        }
    }
}

/// What holds for an interface of which nothing is said.
pub(super) fn default_interface() -> InterfaceConfig {
    Settings::default().config()
}

impl Settings {
    /// The engine's part: what is promised to guaranteed service depends on the link, unless it is given.
    fn config(&self) -> InterfaceConfig {
        let is_enforced = self.extras.traffic_control;
        let guaranteed =
            self.engine.bandwidth.and_then(|bandwidth| self.guaranteed.config(bandwidth.link, is_enforced));
        InterfaceConfig { guaranteed, reduction: self.reduction.config(), ..self.engine.clone() }
    }
}

impl InterfaceTable {
    /// These settings over `base`.
    fn over(self, base: &Settings) -> Result<Settings, Fault> {
        let Settings { engine, guaranteed, reduction, extras } = base;
        let refresh = self.refresh_interval.map(|r| at(r, check_refresh)).transpose()?;
        let bandwidth = self.bandwidth.map(|b| at(b, BandwidthTable::into_bandwidth)).transpose()?;
        let slew_max = self.slew_max.map(|slew| at(slew, check_slew)).transpose()?;
        let reduction_given =
            self.refresh_reduction.map(|r| at(r, |switch| switch.over(reduction))).transpose()?;
        Ok(Settings {
            engine: InterfaceConfig {
                enabled: self.enabled.unwrap_or(engine.enabled),
                bandwidth: bandwidth.or(engine.bandwidth),
                refresh: refresh.unwrap_or(engine.refresh),
                refresh_multiple: self.refresh_misses.map_or(engine.refresh_multiple, |count| count.0),
                blockade_multiple: self.blockade_multiple.map_or(engine.blockade_multiple, |count| count.0),
                repair_delay: self.repair_delay.map_or(engine.repair_delay, |span| span.0),
                slew_max: slew_max.unwrap_or(engine.slew_max),
                latency: self.latency.map(|span| span.0).or(engine.latency),
                link_header: self.link_header.map_or(engine.link_header, |size| size.0),
                guaranteed: None,
                point_to_point: self.point_to_point.or(engine.point_to_point),
                reduction: engine.reduction.clone(),
                non_rsvp: self.non_rsvp.unwrap_or(engine.non_rsvp),
                udp_encapsulation: self.udp_encapsulation.map_or(engine.udp_encapsulation, Into::into),
                udp_send_ttl: self.udp_send_ttl.unwrap_or(engine.udp_send_ttl),
            },
            guaranteed: self.guaranteed.unwrap_or_default().over(guaranteed),
            reduction: reduction_given.unwrap_or(*reduction),
            extras: InterfaceExtras {
                traffic_control: self.traffic_control.unwrap_or(extras.traffic_control),
                neighbors: self.neighbors.unwrap_or_else(|| extras.neighbors.clone()),
            },
        })
    }
}

fn check_refresh(span: Span) -> Result<std::time::Duration, String> {
    let millis = span.0.as_millis();
    if millis == 0 || u32::try_from(millis).is_err() {
        return Err("refresh-interval (R) must be at least 1ms and below 49 days".to_owned());
    }
    Ok(span.0)
}

fn check_neighbor(address: IpAddr) -> Result<(), String> {
    if address.is_multicast() || address.is_unspecified() {
        return Err(format!("{address} is no address of a neighbor"));
    }
    Ok(())
}

fn check_slew(slew: f32) -> Result<f32, String> {
    if slew.is_finite() && slew >= 0.0 {
        return Ok(slew);
    }
    Err("slew-max (Slew.Max) must be 0 or more; RFC 2205 suggests 0.30".to_owned())
}

impl BandwidthTable {
    /// From bits to the engine's bytes; a total that is not given is three quarters of the link.
    fn into_bandwidth(self) -> Result<Bandwidth, String> {
        let link = self.link.0 / 8;
        let total = self.total.map_or(link - link / 4, |rate| rate.0 / 8);
        let per_flow = self.per_flow.map_or(total, |rate| rate.0 / 8);
        if link == 0 {
            return Err("bandwidth.link must be at least 8 bit/s".to_owned());
        }
        if total > link {
            return Err("bandwidth.total must not exceed bandwidth.link".to_owned());
        }
        if per_flow > total {
            return Err("bandwidth.per-flow must not exceed bandwidth.total".to_owned());
        }
        Ok(Bandwidth { total, per_flow, link })
    }
}

impl GuaranteedTable {
    /// These settings over `base`.
    fn over(self, base: &Self) -> Self {
        Self {
            enabled: self.enabled.or(base.enabled),
            c: self.c.or(base.c),
            d: self.d.or(base.d),
            flows: self.flows.or(base.flows),
            mtu: self.mtu.or(base.mtu),
            excess: self.excess.or(base.excess),
            reshape: self.reshape.or(base.reshape),
        }
    }

    /// `None` if the service is not offered: that takes a scheduler whose C and D are known, the kernel's or another.
    /// `link` is in bytes per second.
    fn config(&self, link: u64, is_enforced: bool) -> Option<GuaranteedConfig> {
        let c = self.c.map(|size| size.0);
        let d = self.d.map(|span| u32::try_from(span.0.as_micros()).unwrap_or(u32::MAX));
        let flows = self.flows.map(|count| count.0);
        let is_known = is_enforced || (c.is_some() && d.is_some());
        if self.enabled == Some(false) || !is_known {
            return None;
        }
        // The kernel's D is for so many flows; one that is given is for as many as it says.
        let flows = if d.is_none() { Some(flows.unwrap_or(promise::FLOWS)) } else { flows };
        let promised = promise::of_htb(link, flows.unwrap_or(0));
        Some(GuaranteedConfig {
            c: c.unwrap_or(promised.c),
            d: d.unwrap_or(promised.d),
            flows: flows.map(|flows| usize::try_from(flows).unwrap_or(usize::MAX)),
            mtu: self.mtu.map(|size| size.0),
            discards: self.excess == Some(Excess::Discard),
            reshapes: self.reshape.unwrap_or(is_enforced),
        })
    }
}

impl PolicyTable {
    fn into_rule(self) -> Result<PolicyRule, String> {
        let action = match (self.action, self.bandwidth) {
            (ActionName::Limit, Some(rate)) => PolicyAction::Limit(rate.0 / 8),
            (ActionName::Limit, None) => return Err("action = \"limit\" needs a bandwidth".to_owned()),
            (_, Some(_)) => return Err("bandwidth belongs to action = \"limit\"".to_owned()),
            (ActionName::Allow, None) => PolicyAction::Allow,
            (ActionName::Deny, None) => PolicyAction::Deny,
        };
        let (sender, receiver) =
            (self.sender.map(|network| network.0), self.receiver.map(|network| network.0));
        if let (Some(sender), Some(receiver)) = (sender, receiver)
            && sender.addr().is_ipv4() != receiver.addr().is_ipv4()
        {
            return Err("sender and receiver are of different address families: no flow matches".to_owned());
        }
        Ok(PolicyRule { sender, receiver, action })
    }
}

/// The TSpec that is written out, or the one that is derived from a rate.
fn tspec(rate: Option<Rate>, tspec: Option<TspecTable>) -> Result<Tspec, String> {
    match (rate, tspec) {
        (Some(rate), None) => Ok(Tspec::of_rate(rate.0)),
        (None, Some(table)) => {
            let mut tspec = Tspec::token_bucket(request::bits(table.rate.0), table.bucket.0);
            tspec.peak_rate = table.peak.map(|rate| request::bits(rate.0));
            tspec.max_packet_size = table.max_packet.map_or(tspec.max_packet_size, |size| size.0);
            tspec.min_policed_unit = table.min_unit.map_or(tspec.min_policed_unit, |size| size.0);
            Ok(tspec)
        }
        _ => Err("give either `rate` or `tspec`".to_owned()),
    }
}

fn session(destination: IpAddr, port: u16, protocol: &str) -> Result<Session, String> {
    let protocol_id = parse_protocol(protocol)?;
    Ok(Session { destination, protocol_id, destination_port: port, ..Session::udp(destination, port) })
}

impl SenderTable {
    fn into_request(self) -> Result<SenderRequest, String> {
        let source = self.source.as_deref().map(str::parse::<Endpoint>).transpose()?;
        let request = SenderRequest {
            session: session(self.destination, self.port, &self.protocol)?,
            source: source.map(|endpoint| endpoint.address),
            source_port: source.and_then(|endpoint| endpoint.port),
            tspec: tspec(self.rate, self.tspec)?,
            service: self.service,
            adspec: self.adspec,
            policy_data: Vec::new(),
            ttl: self.ttl,
        };
        request::check_sender(&request)?;
        Ok(request)
    }
}

impl ReservationTable {
    fn into_request(self) -> Result<ReservationRequest, String> {
        let session = session(self.destination, self.port, &self.protocol)?;
        let senders = self.senders.iter().map(|sender| Ok(sender.parse::<Endpoint>()?.as_filter(&session)));
        let senders = senders.collect::<Result<Vec<_>, String>>()?;
        let style = match self.style {
            Some(StyleName::Ff) => Style::Ff,
            Some(StyleName::Se) => Style::Se,
            Some(StyleName::Wf) => Style::Wf,
            None => request::default_style(&senders),
        };
        let tspec = tspec(self.rate, self.tspec)?;
        let flowspec = match self.service {
            Service::ControlledLoad => Flowspec::ControlledLoad(tspec),
            Service::Guaranteed => Flowspec::Guaranteed {
                tspec,
                rate: self.guaranteed_rate.map_or(tspec.average_rate, |rate| request::bits(rate.0)),
                slack: self.slack,
            },
        };
        if self.service == Service::ControlledLoad && (self.guaranteed_rate.is_some() || self.slack > 0) {
            return Err("guaranteed-rate and slack belong to service = \"gs\"".to_owned());
        }
        let request = ReservationRequest {
            session,
            style,
            senders,
            flowspec,
            receiver: self.receiver,
            policy_data: Vec::new(),
            confirm: self.confirm,
        };
        request::check_reservation(&request)?;
        Ok(request)
    }
}
