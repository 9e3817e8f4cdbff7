//! The structures of the header, and what they are in the engine.

use std::ffi::c_char;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ptr;

use rsvp_core::input::{self, InterfaceId, InterfaceInfo};
use rsvp_core::output;

use crate::fault::Fault;
use crate::installation::Installation;
use crate::{
    RSVP_IPV4, RSVP_IPV6, RSVP_NO_ADDRESS, RSVP_NO_INTERFACE, RSVP_RAW, RSVP_TTL_UNKNOWN, RSVP_UDP, pointer,
};

/// An IP address, or none.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// RSVP_NO_ADDRESS, RSVP_IPV4 or RSVP_IPV6.
    pub family: u8,
    /// In network byte order: the first 4 octets for IPv4, all for IPv6.
    pub octets: [u8; 16],
}

/// How an RSVP message is carried (RFC 2205 Appendix C). All zero: raw.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Encapsulation {
    /// RSVP_RAW (IP protocol 46) or RSVP_UDP.
    pub kind: u8,
    /// For UDP: the source port.
    pub source_port: u16,
    /// For UDP: the destination port.
    pub destination_port: u16,
}

/// A received RSVP message.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Datagram {
    /// The number of the interface that it came in on.
    pub interface: u32,
    /// IP source address.
    pub source: Address,
    /// IP destination address; may be another node's, when the message was intercepted in transit.
    pub destination: Address,
    /// The TTL or hop limit that it arrived with, 0 to 255, or RSVP_TTL_UNKNOWN.
    pub ttl: i32,
    /// How it was carried.
    pub encapsulation: Encapsulation,
    /// The RSVP message from the common header on, without IP and UDP headers.
    pub payload: *const u8,
    /// Its length in octets.
    pub length: usize,
}

/// An interface (the "logical interface" of RFC 2205 section 3.3).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Interface {
    /// Its number, not 0: the logical interface handle. It must never name another interface later, not even after a
    /// restart, since neighbours echo it.
    pub id: u32,
    /// Its name, UTF-8; selects its configuration.
    pub name: *const c_char,
    /// Its addresses, the preferred one of each family first.
    pub addresses: *const Address,
    /// How many.
    pub address_count: usize,
    /// Largest IP packet, in octets.
    pub mtu: u32,
    /// 1 if it can carry packets now, else 0.
    pub up: u8,
    /// 1 if there can be only one neighbour on it, as on a tunnel or a serial link, else 0.
    pub point_to_point: u8,
}

/// What identifies a watched route.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RouteKey {
    /// Routing table; 0 is the default one.
    pub table: u32,
    /// Where packets go.
    pub destination: Address,
    /// For multicast: where they come from; else RSVP_NO_ADDRESS.
    pub source: Address,
}

/// One outgoing interface of a route.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct NextHop {
    /// The interface.
    pub interface: u32,
    /// The next router. RSVP_NO_ADDRESS: the destination is on this link, or for multicast: the next hops are not known.
    pub gateway: Address,
}

/// Where packets to a destination go (RFC 2205 section 3.11.4). All zero: there is no route.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// 1 if the destination is an address of this node, or a group that it is a member of, else 0.
    pub local: u8,
    /// For multicast: 1 if all senders share the forwarding tree, else 0.
    pub shared_tree: u8,
    /// For multicast: the interface that the source's packets must arrive on; else RSVP_NO_INTERFACE.
    pub incoming: u32,
    /// The interfaces that packets leave by.
    pub outgoing: *const NextHop,
    /// How many.
    pub outgoing_count: usize,
}

/// A message to send, and how.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Transmit {
    /// The interface to leave by; RSVP_NO_INTERFACE leaves the choice to the routing table.
    pub interface: u32,
    /// The neighbour to hand the packet to; RSVP_NO_ADDRESS when it is the destination itself.
    pub next_hop: Address,
    /// IP source address; a raw Path carries its sender's, which may be another node's.
    pub source: Address,
    /// IP destination address.
    pub destination: Address,
    /// TTL or hop limit.
    pub ttl: u8,
    /// 1 if the Router Alert option is to be set (RFC 2113, RFC 2711), else 0.
    pub router_alert: u8,
    /// The DS field.
    pub traffic_class: u8,
    /// How to carry it.
    pub encapsulation: Encapsulation,
    /// The RSVP message. It belongs to the node, and is valid until the next call with it.
    pub payload: *const u8,
    /// Its length in octets.
    pub length: usize,
}

/// The kinds of requests.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestKind {
    /// Look up the route `route`, answer with rsvp_node_handle_route(), and again whenever it changes.
    WatchRoute,
    /// `route` is of no interest any more.
    UnwatchRoute,
    /// Give a flow what `installation` says, whether it is new or changed, and answer with
    /// rsvp_node_handle_installed(). There is no further request for the same id before the answer.
    Install,
    /// Take the installation `installation_id` away. There is no answer.
    Remove,
    /// Receive what is sent to `group` on `interface` (RSVP_NO_INTERFACE: as the system chooses): a local application
    /// does. There is no answer. It may be joined already.
    Join,
    /// The last local application has left `group` there. There is no answer. It may not be joined.
    Leave,
}

/// Work that only the outside can do. What its kind does not use is zero.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// What to do.
    pub kind: RequestKind,
    /// For WATCH_ROUTE and UNWATCH_ROUTE.
    pub route: RouteKey,
    /// For INSTALL and REMOVE: names the installation; never used again for another.
    pub installation_id: u64,
    /// For INSTALL. It belongs to the node, and is valid until the next call with it.
    pub installation: *const Installation,
    /// For JOIN and LEAVE.
    pub group: Address,
    /// For JOIN and LEAVE.
    pub interface: u32,
}

/// Why the node wants to be called again.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WakeReason {
    /// A message is ready to be sent.
    Transmit,
    /// An event is ready.
    Event,
    /// A request is ready.
    Request,
    /// Work is left over from an earlier call.
    Backlog,
    /// State is due for a refresh.
    Refresh,
    /// State may be due to expire.
    Cleanup,
    /// A blockade ends.
    Blockade,
    /// A local repair has waited long enough.
    Repair,
    /// A message may have to be sent again (RFC 2961 section 6).
    Retransmit,
    /// An acknowledgement has waited long enough (RFC 2961 section 4.6).
    Acknowledge,
    /// Messages have waited for others long enough (RFC 2961 section 3.3).
    Bundle,
}

/// When to call the node again, and why.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Timeout {
    /// When to call rsvp_node_handle_timeout(), in microseconds on the caller's clock.
    pub deadline: u64,
    /// Why.
    pub reason: WakeReason,
}

impl Address {
    pub(crate) fn known(self, what: &str) -> Result<IpAddr, Fault> {
        self.optional(what)?.ok_or_else(|| Fault::argument(format!("{what} is no address (family 0)")))
    }

    pub(crate) fn optional(self, what: &str) -> Result<Option<IpAddr>, Fault> {
        let [a, b, c, d, ..] = self.octets;
        match self.family {
            RSVP_NO_ADDRESS => Ok(None),
            RSVP_IPV4 => Ok(Some(Ipv4Addr::new(a, b, c, d).into())),
            RSVP_IPV6 => Ok(Some(Ipv6Addr::from(self.octets).into())),
            other => Err(Fault::argument(format!("{what} has the family {other}; it must be 0, 4 or 6"))),
        }
    }
}

impl From<IpAddr> for Address {
    fn from(address: IpAddr) -> Self {
        let mut octets = [0; 16];
        let family = match address {
            IpAddr::V4(address) => {
                octets[..4].copy_from_slice(&address.octets());
                RSVP_IPV4
            }
            IpAddr::V6(address) => {
                octets = address.octets();
                RSVP_IPV6
            }
        };
        Self { family, octets }
    }
}

impl From<Option<IpAddr>> for Address {
    fn from(address: Option<IpAddr>) -> Self {
        address.map_or_else(Self::default, Self::from)
    }
}

/// The interface with a number.
pub(crate) fn interface(number: u32, what: &str) -> Result<InterfaceId, Fault> {
    match number {
        RSVP_NO_INTERFACE => {
            Err(Fault::argument(format!("{what} is 0, which is the number of no interface")))
        }
        number => Ok(InterfaceId(number)),
    }
}

pub(crate) fn number(interface: Option<InterfaceId>) -> u32 {
    interface.map_or(RSVP_NO_INTERFACE, |InterfaceId(number)| number)
}

fn flag(value: u8, what: &str) -> Result<bool, Fault> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(Fault::argument(format!("{what} is {other}; it must be 0 or 1"))),
    }
}

impl Encapsulation {
    fn read(self) -> Result<input::Encapsulation, Fault> {
        let Self { kind, source_port, destination_port } = self;
        match kind {
            RSVP_RAW => Ok(input::Encapsulation::Raw),
            RSVP_UDP => Ok(input::Encapsulation::Udp { source_port, destination_port }),
            other => Err(Fault::argument(format!("encapsulation.kind is {other}; it must be 0 or 1"))),
        }
    }
}

impl From<input::Encapsulation> for Encapsulation {
    fn from(encapsulation: input::Encapsulation) -> Self {
        match encapsulation {
            input::Encapsulation::Raw => Self::default(),
            input::Encapsulation::Udp { source_port, destination_port } => {
                Self { kind: RSVP_UDP, source_port, destination_port }
            }
        }
    }
}

impl Datagram {
    /// # Safety
    ///
    /// `payload` is as [`pointer::array`] wants it.
    pub(crate) unsafe fn read<'a>(&self) -> Result<input::Datagram<'a>, Fault> {
        let ttl = match self.ttl {
            RSVP_TTL_UNKNOWN => None,
            ttl => Some(u8::try_from(ttl).map_err(|_| {
                Fault::argument(format!("ttl is {ttl}; it must be 0 to 255, or RSVP_TTL_UNKNOWN"))
            })?),
        };
        // SAFETY: the caller promises it.
        let payload = unsafe { pointer::array(self.payload, self.length, "payload") }?;
        Ok(input::Datagram {
            interface: interface(self.interface, "interface")?,
            source: self.source.known("source")?,
            destination: self.destination.known("destination")?,
            ttl,
            encapsulation: self.encapsulation.read()?,
            payload: payload.into(),
        })
    }
}

impl Interface {
    /// # Safety
    ///
    /// `name` is as [`pointer::text`], `addresses` as [`pointer::array`] wants it.
    pub(crate) unsafe fn read(&self) -> Result<InterfaceInfo, Fault> {
        // SAFETY: the caller promises it.
        let name = unsafe { pointer::text(self.name, "name") }?;
        // SAFETY: the caller promises it.
        let addresses = unsafe { pointer::array(self.addresses, self.address_count, "addresses") }?;
        Ok(InterfaceInfo {
            id: interface(self.id, "id")?,
            name: name.to_owned(),
            addresses: addresses
                .iter()
                .map(|address| address.known("an address"))
                .collect::<Result<_, _>>()?,
            mtu: self.mtu,
            up: flag(self.up, "up")?,
            point_to_point: flag(self.point_to_point, "point_to_point")?,
        })
    }
}

impl RouteKey {
    pub(crate) fn read(self) -> Result<output::RouteKey, Fault> {
        let destination = self.destination.known("destination")?;
        Ok(output::RouteKey { table: self.table, destination, source: self.source.optional("source")? })
    }
}

impl From<output::RouteKey> for RouteKey {
    fn from(output::RouteKey { table, destination, source }: output::RouteKey) -> Self {
        Self { table, destination: destination.into(), source: source.into() }
    }
}

impl Route {
    /// # Safety
    ///
    /// `outgoing` is as [`pointer::array`] wants it.
    pub(crate) unsafe fn read(&self) -> Result<input::Route, Fault> {
        // SAFETY: the caller promises it.
        let outgoing = unsafe { pointer::array(self.outgoing, self.outgoing_count, "outgoing") }?;
        let hops = outgoing.iter().map(|hop| {
            let interface = interface(hop.interface, "outgoing.interface")?;
            Ok(input::NextHop { interface, gateway: hop.gateway.optional("outgoing.gateway")? })
        });
        Ok(input::Route {
            local: flag(self.local, "local")?,
            incoming: Some(self.incoming).filter(|number| *number != RSVP_NO_INTERFACE).map(InterfaceId),
            outgoing: hops.collect::<Result<_, Fault>>()?,
            shared_tree: flag(self.shared_tree, "shared_tree")?,
        })
    }
}

impl Transmit {
    pub(crate) fn new(transmit: &output::Transmit, payload: &[u8]) -> Self {
        Self {
            interface: number(transmit.interface),
            next_hop: transmit.next_hop.into(),
            source: transmit.source.into(),
            destination: transmit.destination.into(),
            ttl: transmit.ttl,
            router_alert: transmit.router_alert.into(),
            traffic_class: transmit.traffic_class,
            encapsulation: transmit.encapsulation.into(),
            payload: payload.as_ptr(),
            length: payload.len(),
        }
    }
}

impl Request {
    pub(crate) fn of_kind(kind: RequestKind) -> Self {
        Self {
            kind,
            route: RouteKey::default(),
            installation_id: 0,
            installation: ptr::null(),
            group: Address::default(),
            interface: RSVP_NO_INTERFACE,
        }
    }
}

impl From<output::WakeReason> for WakeReason {
    fn from(reason: output::WakeReason) -> Self {
        use output::WakeReason as Reason;
        match reason {
            Reason::Transmit => Self::Transmit,
            Reason::Event => Self::Event,
            Reason::Request => Self::Request,
            Reason::Backlog => Self::Backlog,
            Reason::Refresh => Self::Refresh,
            Reason::Cleanup => Self::Cleanup,
            Reason::Blockade => Self::Blockade,
            Reason::Repair => Self::Repair,
            Reason::Retransmit => Self::Retransmit,
            Reason::Acknowledge => Self::Acknowledge,
            Reason::Bundle => Self::Bundle,
        }
    }
}
