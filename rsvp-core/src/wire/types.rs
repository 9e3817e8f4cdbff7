//! Contract of the wire module: the typed contents of objects and messages.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv6Addr};

/// What names a session: the part of the SESSION object that is its identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum SessionKey {
    /// IPv4/UDP and IPv6/UDP (C-Types 1 and 2).
    Ip(FlowKey),
    /// IPv4/GPI and IPv6/GPI (C-Types 3 and 4, RFC 2207): the port is virtual.
    Gpi(FlowKey),
}

/// Destination address, protocol and port of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FlowKey {
    /// DestAddress, unicast or multicast.
    pub destination: IpAddr,
    /// IP protocol id.
    pub protocol: u8,
    /// DstPort (or vDstPort); 0 means the protocol has none.
    pub port: u16,
}

/// SESSION object (class 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Session {
    /// Its identity.
    pub key: SessionKey,
    /// 0x01 = E_Police.
    pub flags: u8,
}

/// RSVP_HOP object (class 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RsvpHop {
    /// Address of the interface that the message left by.
    pub address: IpAddr,
    /// Logical interface handle.
    pub lih: u32,
}

/// FILTER_SPEC (class 10) and SENDER_TEMPLATE (class 11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum FilterSpec {
    /// Source address and port (C-Types 1 and 2).
    Ip {
        /// SrcAddress.
        source: IpAddr,
        /// SrcPort; 0 means the protocol has none.
        port: u16,
    },
    /// IPv6 flow label (C-Type 3).
    FlowLabel {
        /// SrcAddress.
        source: Ipv6Addr,
        /// 20 bits.
        label: u32,
    },
    /// IPsec security parameter index (C-Types 4 and 5, RFC 2207).
    Gpi {
        /// SrcAddress.
        source: IpAddr,
        /// Generalised port identifier: the SPI.
        spi: u32,
    },
}

/// SENDER_TEMPLATE has the same contents as FILTER_SPEC.
pub type SenderTemplate = FilterSpec;

/// Token bucket TSpec (RFC 2210 section 3.1; RFC 2215 section 3.6).
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Tspec {
    /// r, bucket rate in bytes per second.
    pub rate: f32,
    /// b, bucket depth in bytes.
    pub bucket: f32,
    /// p, peak rate in bytes per second; may be infinite.
    pub peak: f32,
    /// m, minimum policed unit in bytes.
    pub min_unit: u32,
    /// M, maximum packet size in bytes.
    pub max_packet: u32,
}

/// RSpec of guaranteed service (RFC 2212).
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Rspec {
    /// R, in bytes per second.
    pub rate: f32,
    /// S, slack in microseconds.
    pub slack: u32,
}

/// An object as received, contents not interpreted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RawObject {
    /// Class-Num.
    pub class: u8,
    /// C-Type.
    pub ctype: u8,
    /// Contents, without the object header.
    pub contents: Vec<u8>,
}

/// FLOWSPEC object (class 9).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Flowspec {
    /// Controlled load (RFC 2211).
    ControlledLoad(Tspec),
    /// Guaranteed service (RFC 2212).
    Guaranteed(Tspec, Rspec),
    /// Null service (RFC 2997): maximum packet size in bytes.
    Null {
        /// M.
        max_packet: u32,
    },
    /// A service or C-Type whose contents this code does not interpret.
    Opaque(RawObject),
}

/// SENDER_TSPEC object (class 12).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum SenderTspec {
    /// Token bucket (service 1).
    TokenBucket(Tspec),
    /// Null service (RFC 2997): maximum packet size in bytes.
    Null {
        /// M.
        max_packet: u32,
    },
    /// Contents that this code does not interpret.
    Opaque(RawObject),
}

/// STYLE object (class 8): the option vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "UPPERCASE"))]
pub enum Style {
    /// Fixed filter: explicit senders, distinct reservations (0x0a).
    Ff,
    /// Shared explicit: explicit senders, one shared reservation (0x12).
    Se,
    /// Wildcard filter: all senders, one shared reservation (0x11).
    Wf,
}

/// ERROR_SPEC object (class 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ErrorSpec {
    /// The node that found the error.
    pub node: IpAddr,
    /// 0x01 = InPlace, 0x02 = NotGuilty.
    pub flags: u8,
    /// Error code (RFC 2205 Appendix B).
    pub code: u8,
    /// Error value.
    pub value: u16,
}

/// ADSPEC object (class 13): RFC 2210 section 3.3.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Adspec {
    /// C-Type 2, IntServ.
    IntServ(IntServAdspec),
    /// Contents that this code does not interpret.
    Opaque(RawObject),
}

/// The fragments of an IntServ ADSPEC.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct IntServAdspec {
    /// Default general parameters fragment (service 1).
    pub general: GeneralParameters,
    /// Guaranteed service fragment (service 2).
    pub guaranteed: Option<GuaranteedFragment>,
    /// Controlled-load service fragment (service 5).
    pub controlled_load: Option<ServiceFragment>,
    /// Fragments of other services, kept as they came.
    pub other: Vec<RawFragment>,
}

/// Default general parameters (RFC 2215).
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct GeneralParameters {
    /// The global break bit: a hop without integrated services was passed.
    pub broken: bool,
    /// IS hop count (parameter 4).
    pub is_hops: u32,
    /// Path bandwidth estimate (parameter 6), bytes per second.
    pub bandwidth: f32,
    /// Minimum path latency (parameter 8), microseconds; 0xffff_ffff is indeterminate.
    pub latency: u32,
    /// Path MTU (parameter 10), bytes.
    pub path_mtu: u32,
}

/// Values that hold for one service instead of the general ones.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Overrides {
    /// IS hop count.
    pub is_hops: Option<u32>,
    /// Path bandwidth estimate, bytes per second.
    pub bandwidth: Option<f32>,
    /// Minimum path latency, microseconds.
    pub latency: Option<u32>,
    /// Path MTU, bytes.
    pub path_mtu: Option<u32>,
}

/// A service fragment without parameters of its own (controlled load).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ServiceFragment {
    /// A hop does not offer this service.
    pub broken: bool,
    /// Values for this service.
    pub overrides: Overrides,
}

/// The guaranteed service fragment (RFC 2212; RFC 2210 section 3.3.3).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct GuaranteedFragment {
    /// A hop does not offer this service.
    pub broken: bool,
    /// Ctot (parameter 133), bytes.
    pub c_total: u32,
    /// Dtot (parameter 134), microseconds.
    pub d_total: u32,
    /// Csum since the last reshaping point (parameter 135), bytes.
    pub c_sum: u32,
    /// Dsum since the last reshaping point (parameter 136), microseconds.
    pub d_sum: u32,
    /// Values for this service.
    pub overrides: Overrides,
}

/// A service fragment as received.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RawFragment {
    /// Service number.
    pub service: u8,
    /// Break bit.
    pub broken: bool,
    /// The parameters, headers included.
    pub contents: Vec<u8>,
}

/// A FLOWSPEC and the filters that share it.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FlowDescriptor {
    /// What is asked for; a ResvTear may leave it out.
    pub flowspec: Option<Flowspec>,
    /// Whose packets: none for WF, one for FF, one or more for SE.
    pub filters: Vec<FilterSpec>,
}

/// Common header fields that are not derived from the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Header {
    /// Four flag bits; RFC 2205 defines none.
    pub flags: u8,
    /// Send_TTL.
    pub send_ttl: u8,
}

/// A message, typed. Objects that RSVP does not interpret and that must be passed on are in `forward`.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Message {
    /// Msg Type 1.
    Path(Path),
    /// Msg Type 2.
    Resv(Resv),
    /// Msg Type 3.
    PathErr(PathErr),
    /// Msg Type 4.
    ResvErr(ResvErr),
    /// Msg Type 5.
    PathTear(PathTear),
    /// Msg Type 6.
    ResvTear(ResvTear),
    /// Msg Type 7.
    ResvConf(ResvConf),
}

/// Path message (RFC 2205 section 3.1.3).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Path {
    /// SESSION.
    pub session: Session,
    /// RSVP_HOP: the previous hop.
    pub hop: RsvpHop,
    /// TIME_VALUES: R in milliseconds.
    pub refresh_ms: u32,
    /// POLICY_DATA objects, contents not interpreted.
    pub policy: Vec<RawObject>,
    /// SENDER_TEMPLATE.
    pub sender_template: SenderTemplate,
    /// SENDER_TSPEC.
    pub sender_tspec: SenderTspec,
    /// ADSPEC.
    pub adspec: Option<Adspec>,
    /// Objects of unknown class 11bbbbbb, to be passed on as they are.
    pub forward: Vec<RawObject>,
}

/// Resv message (RFC 2205 section 3.1.4).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Resv {
    /// SESSION.
    pub session: Session,
    /// RSVP_HOP: the next hop.
    pub hop: RsvpHop,
    /// TIME_VALUES: R in milliseconds.
    pub refresh_ms: u32,
    /// RESV_CONFIRM: the receiver that wants a confirmation.
    pub confirm: Option<IpAddr>,
    /// SCOPE: sender addresses; `None` when the object is absent.
    pub scope: Option<Vec<IpAddr>>,
    /// POLICY_DATA objects.
    pub policy: Vec<RawObject>,
    /// STYLE.
    pub style: Style,
    /// Flow descriptors: several for FF, one for SE and WF.
    pub flows: Vec<FlowDescriptor>,
    /// Objects of unknown class 11bbbbbb.
    pub forward: Vec<RawObject>,
}

/// PathTear message (RFC 2205 section 3.1.5).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PathTear {
    /// SESSION.
    pub session: Session,
    /// RSVP_HOP.
    pub hop: RsvpHop,
    /// SENDER_TEMPLATE.
    pub sender_template: SenderTemplate,
    /// SENDER_TSPEC; carried for compatibility, ignored.
    pub sender_tspec: Option<SenderTspec>,
    /// ADSPEC; ignored.
    pub adspec: Option<Adspec>,
    /// Objects of unknown class 11bbbbbb.
    pub forward: Vec<RawObject>,
}

/// ResvTear message (RFC 2205 section 3.1.6).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ResvTear {
    /// SESSION.
    pub session: Session,
    /// RSVP_HOP.
    pub hop: RsvpHop,
    /// SCOPE.
    pub scope: Option<Vec<IpAddr>>,
    /// STYLE.
    pub style: Style,
    /// Flow descriptors; flowspecs are ignored.
    pub flows: Vec<FlowDescriptor>,
    /// Objects of unknown class 11bbbbbb.
    pub forward: Vec<RawObject>,
}

/// PathErr message (RFC 2205 section 3.1.7).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PathErr {
    /// SESSION.
    pub session: Session,
    /// ERROR_SPEC.
    pub error: ErrorSpec,
    /// POLICY_DATA objects.
    pub policy: Vec<RawObject>,
    /// SENDER_TEMPLATE of the Path in error.
    pub sender_template: SenderTemplate,
    /// SENDER_TSPEC.
    pub sender_tspec: Option<SenderTspec>,
    /// ADSPEC.
    pub adspec: Option<Adspec>,
    /// Objects of unknown class 11bbbbbb.
    pub forward: Vec<RawObject>,
}

/// ResvErr message (RFC 2205 section 3.1.8).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ResvErr {
    /// SESSION.
    pub session: Session,
    /// RSVP_HOP.
    pub hop: RsvpHop,
    /// ERROR_SPEC.
    pub error: ErrorSpec,
    /// SCOPE.
    pub scope: Option<Vec<IpAddr>>,
    /// POLICY_DATA objects.
    pub policy: Vec<RawObject>,
    /// STYLE.
    pub style: Style,
    /// The flow descriptor in error; one.
    pub flows: Vec<FlowDescriptor>,
    /// Objects of unknown class 11bbbbbb.
    pub forward: Vec<RawObject>,
}

/// ResvConf message (RFC 2205 section 3.1.9).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ResvConf {
    /// SESSION.
    pub session: Session,
    /// ERROR_SPEC: the node that confirms; code 0.
    pub error: ErrorSpec,
    /// RESV_CONFIRM: the receiver to tell.
    pub confirm: IpAddr,
    /// STYLE.
    pub style: Style,
    /// Flow descriptors.
    pub flows: Vec<FlowDescriptor>,
    /// Objects of unknown class 11bbbbbb.
    pub forward: Vec<RawObject>,
}

impl SessionKey {
    /// Destination, protocol and port.
    #[must_use]
    pub const fn flow(&self) -> &FlowKey {
        match self {
            Self::Ip(flow) | Self::Gpi(flow) => flow,
        }
    }
}

impl FilterSpec {
    /// The sender's address.
    #[must_use]
    pub const fn source(&self) -> IpAddr {
        match self {
            Self::Ip { source, .. } | Self::Gpi { source, .. } => *source,
            Self::FlowLabel { source, .. } => IpAddr::V6(*source),
        }
    }
}

impl core::fmt::Display for SessionKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let FlowKey { destination, protocol, port } = self.flow();
        write!(f, "{destination} protocol {protocol} port {port}")
    }
}

impl core::fmt::Display for FilterSpec {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Ip { source, port } => write!(f, "{source} port {port}"),
            Self::FlowLabel { source, label } => write!(f, "{source} flow label {label:#x}"),
            Self::Gpi { source, spi } => write!(f, "{source} SPI {spi:#x}"),
        }
    }
}

impl core::fmt::Display for Style {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Ff => "FF",
            Self::Se => "SE",
            Self::Wf => "WF",
        })
    }
}
