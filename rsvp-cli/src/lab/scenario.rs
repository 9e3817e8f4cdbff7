//! The scenario file as it is written: what may be in it, and where in it something is.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::units;

/// A scenario file.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ScenarioFile {
    pub(crate) title: String,
    #[serde(default)]
    pub(crate) family: Family,
    pub(crate) duration: Spanned<Time>,
    #[serde(default)]
    pub(crate) rsvp: Timers,
    pub(crate) hosts: Vec<Spanned<String>>,
    #[serde(default)]
    pub(crate) udp_hosts: Vec<Spanned<String>>,
    #[serde(default)]
    pub(crate) routers: Vec<Spanned<String>>,
    #[serde(default)]
    pub(crate) plain_routers: Vec<Spanned<String>>,
    #[serde(default)]
    pub(crate) without_refresh_reduction: Option<Spanned<Names>>,
    #[serde(default)]
    pub(crate) convergence: Option<Time>,
    pub(crate) links: Vec<Spanned<LinkFile>>,
    #[serde(default)]
    pub(crate) groups: Vec<Spanned<GroupFile>>,
    #[serde(default)]
    pub(crate) flows: Vec<Spanned<FlowFile>>,
    #[serde(default)]
    pub(crate) members: Vec<Spanned<MemberFile>>,
    #[serde(default)]
    pub(crate) events: Vec<Spanned<EventFile>>,
    #[serde(default)]
    pub(crate) checks: Vec<Spanned<CheckFile>>,
}

/// The IP version of a scenario.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Family {
    /// IPv4.
    #[default]
    Ipv4,
    /// IPv6.
    Ipv6,
}

/// RSVP's timers, the same on every interface.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Timers {
    /// R.
    pub(crate) refresh: Time,
    /// K.
    pub(crate) refresh_multiple: u32,
    /// Kb.
    pub(crate) blockade_multiple: u32,
    /// W.
    pub(crate) repair_delay: Time,
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            refresh: Time(Duration::from_secs(30)),
            refresh_multiple: 3,
            blockade_multiple: 4,
            repair_delay: Time(Duration::from_secs(2)),
        }
    }
}

/// A link between two nodes, or a LAN of several.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct LinkFile {
    pub(crate) ends: Vec<String>,
    #[serde(default)]
    pub(crate) name: Option<String>,
    pub(crate) rate: Rate,
    #[serde(default = "LinkFile::cost")]
    pub(crate) cost: u32,
    #[serde(default)]
    pub(crate) udp_encapsulation: UdpUse,
    #[serde(default)]
    pub(crate) reservable: Option<Rate>,
    #[serde(default)]
    pub(crate) reservable_per_flow: Option<Rate>,
}

impl LinkFile {
    fn cost() -> u32 {
        1
    }
}

/// When RSVP sends Path messages in UDP, too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum UdpUse {
    /// When one was heard.
    #[default]
    Learn,
    /// From the start.
    Always,
    /// Not at all.
    Never,
}

/// How RSVP messages are carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Form {
    /// In IP.
    Raw,
    /// In UDP.
    Udp,
}

/// A multicast group and the port that it is used with.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct GroupFile {
    pub(crate) name: String,
    pub(crate) port: u16,
}

/// A flow of UDP packets.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct FlowFile {
    pub(crate) name: String,
    pub(crate) from: String,
    pub(crate) to: String,
    #[serde(default)]
    pub(crate) port: Option<u16>,
    pub(crate) rate: Rate,
    #[serde(default = "FlowFile::packet")]
    pub(crate) packet: Size,
    #[serde(default)]
    pub(crate) bucket: Option<Size>,
    #[serde(default)]
    pub(crate) sends: Option<Rate>,
    #[serde(default)]
    pub(crate) service: Option<Service>,
    #[serde(default)]
    pub(crate) style: Option<StyleName>,
}

/// A host that joins a group, and what it reserves there.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct MemberFile {
    pub(crate) host: String,
    pub(crate) group: String,
    /// The host's, if there is none.
    #[serde(default)]
    pub(crate) name: Option<String>,
    pub(crate) style: StyleName,
    /// The flows that it reserves for; all of the group, if there are none.
    #[serde(default)]
    pub(crate) senders: Names,
    pub(crate) rate: Rate,
    #[serde(default)]
    pub(crate) service: Service,
}

impl FlowFile {
    fn packet() -> Size {
        Size(1000)
    }
}

/// The service that a reservation asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Service {
    /// RFC 2211.
    #[default]
    ControlledLoad,
    /// RFC 2212, with R = r.
    Guaranteed,
}

/// The style of a reservation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StyleName {
    /// Fixed filter.
    #[default]
    Ff,
    /// Shared explicit.
    Se,
    /// Wildcard filter.
    Wf,
}

/// What is done at a moment. Within one event, things are done in the order of these fields.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct EventFile {
    pub(crate) at: Time,
    #[serde(default)]
    pub(crate) link_up: Names,
    #[serde(default)]
    pub(crate) start: Names,
    #[serde(default)]
    pub(crate) thaw: Names,
    #[serde(default)]
    pub(crate) send: Names,
    #[serde(default)]
    pub(crate) announce: Names,
    #[serde(default)]
    pub(crate) join: Names,
    #[serde(default)]
    pub(crate) reserve: Names,
    #[serde(default)]
    pub(crate) release: Names,
    #[serde(default)]
    pub(crate) leave: Names,
    #[serde(default)]
    pub(crate) withdraw: Names,
    #[serde(default)]
    pub(crate) silence: Names,
    #[serde(default)]
    pub(crate) freeze: Names,
    #[serde(default)]
    pub(crate) kill: Names,
    #[serde(default)]
    pub(crate) link_down: Names,
    #[serde(default)]
    pub(crate) cost: BTreeMap<String, u32>,
}

/// What must hold.
#[derive(Debug, Deserialize)]
#[serde(tag = "check", rename_all = "kebab-case", deny_unknown_fields, rename_all_fields = "kebab-case")]
pub(crate) enum CheckFile {
    /// Rate and loss of flows.
    Traffic {
        flows: Names,
        #[serde(default)]
        members: Option<Names>,
        during: [Time; 2],
        #[serde(default)]
        rate_at_least: Option<Percent>,
        #[serde(default)]
        loss_at_most: Option<Percent>,
        #[serde(default)]
        loss_at_least: Option<Percent>,
    },
    /// Reservations are in place.
    Reserved {
        flows: Names,
        at: Time,
        #[serde(default)]
        nodes: Option<Names>,
    },
    /// Reservations are not in place.
    NotReserved {
        flows: Names,
        at: Time,
        #[serde(default)]
        nodes: Option<Names>,
    },
    /// Path state is there.
    Path {
        flows: Names,
        at: Time,
        #[serde(default)]
        nodes: Option<Names>,
        #[serde(default)]
        previous_hop: Option<String>,
        #[serde(default)]
        non_rsvp: Option<bool>,
        #[serde(default)]
        broken: Option<bool>,
    },
    /// Path state is not there.
    NoPath {
        flows: Names,
        at: Time,
        #[serde(default)]
        nodes: Option<Names>,
    },
    /// State and reservations of groups are where they have to be, and nowhere else.
    Placement { groups: Names, at: Time },
    /// The receiver was told that its reservation is refused.
    Refused {
        flows: Names,
        at: Time,
        code: u8,
        #[serde(default)]
        value: Option<u16>,
        node: String,
    },
    /// No state times out.
    NoTimeouts {
        during: [Time; 2],
        #[serde(default)]
        nodes: Option<Names>,
    },
    /// State learnt from a neighbour that fell silent ends at its lifetime, not before and not much later.
    Expires {
        flows: Names,
        state: StateKind,
        node: String,
        learnt_from: String,
        during: [Time; 2],
        #[serde(default = "Time::half_a_second")]
        slack: Time,
    },
    /// After a change of the network, reservations stand on the new path and packets arrive again.
    Recovers { flows: Names, from: Time, within: Time },
    /// How the messages of nodes were carried.
    Encapsulation { nodes: Names, form: Form },
    /// What of refresh reduction a node uses with a neighbour.
    Reduction {
        at: Time,
        node: String,
        neighbor: String,
        #[serde(default = "yes")]
        used: bool,
        #[serde(default)]
        states_at_least: usize,
    },
    /// How much RSVP there is on a link.
    RsvpLoad {
        link: String,
        during: [Time; 2],
        #[serde(default)]
        packets_at_least: Option<usize>,
        #[serde(default)]
        packets_at_most: Option<usize>,
        #[serde(default)]
        octets_at_most: Option<Size>,
    },
    /// Every kernel holds exactly what its daemon has installed.
    Kernel {
        at: Time,
        #[serde(default)]
        nodes: Option<Names>,
    },
}

fn yes() -> bool {
    true
}

/// The kinds of soft state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum StateKind {
    /// A PSB.
    Path,
    /// An RSB.
    Reservation,
}

impl fmt::Display for StateKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Path => "path",
            Self::Reservation => "reservation",
        })
    }
}

/// One name or several.
#[derive(Debug, Default)]
pub(crate) struct Names(pub(crate) Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Names;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name or an array of names")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Names, E> {
                Ok(Names(vec![name.to_owned()]))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut names: A) -> Result<Names, A::Error> {
                let mut all = Vec::new();
                while let Some(name) = names.next_element()? {
                    all.push(name);
                }
                Ok(Names(all))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// A moment since the start, or a time span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Time(pub(crate) Duration);

impl Time {
    fn half_a_second() -> Self {
        Self(Duration::from_millis(500))
    }
}

/// Bits per second, counting IP packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate(pub(crate) u64);

/// Bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

/// A share; 1.0 is all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Percent(pub(crate) f64);

fn parse_percent(text: &str) -> Result<f64, String> {
    let number = text.trim().strip_suffix('%').and_then(|number| number.trim_end().parse::<f64>().ok());
    match number {
        Some(number) if (0.0..=100.0).contains(&number) => Ok(number / 100.0),
        _ => Err(format!("`{text}` is not a share: write 97% or 0.5%")),
    }
}

macro_rules! deserialize_from_text {
    ($($type:ident, $parse:path, $numbers:literal;)*) => {$(
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl de::Visitor<'_> for Visitor {
                    type Value = $type;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($numbers)
                    }

                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$type, E> {
                        $parse(text).map($type).map_err(E::custom)
                    }

                    fn visit_i64<E: de::Error>(self, number: i64) -> Result<$type, E> {
                        self.visit_str(&number.to_string())
                    }

                    fn visit_f64<E: de::Error>(self, number: f64) -> Result<$type, E> {
                        self.visit_str(&number.to_string())
                    }
                }
                deserializer.deserialize_any(Visitor)
            }
        }
    )*};
}

deserialize_from_text! {
    Time, units::parse_duration, "a time, as \"20s\", \"500ms\" or seconds";
    Rate, units::parse_rate, "a rate, as \"2Mbit\" or bits per second";
    Size, units::parse_size, "a size, as \"10kB\" or bytes";
    Percent, parse_percent, "a share, as \"97%\"";
}
