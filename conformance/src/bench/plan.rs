//! The bench's addresses, sessions and senders.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use rsvp_core::InterfaceId;
use rsvp_core::wire::{FilterSpec, FlowKey, SessionKey};

/// The base quantity of bandwidth, in bytes per second.
pub const B: f32 = 10_000.0;

/// The refresh period, unless a case says otherwise (RFC 2205 section 3.7).
pub const R: Duration = Duration::from_secs(30);

/// The refresh period, in milliseconds, that a neighbour names whose state is to outlive any case without a refresh.
pub const LASTING: u32 = 600_000;

/// An interface of the DUT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Port {
    /// Towards U1.
    A,
    /// Towards U2.
    B,
    /// Towards D1.
    C,
    /// Towards the LAN of D2 and D3.
    D,
}

impl Port {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::A, Self::B, Self::C, Self::D];

    /// The name that the DUT's configuration knows it by.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
            Self::C => "c",
            Self::D => "d",
        }
    }

    /// The logical interface handle.
    #[must_use]
    pub const fn interface(self) -> InterfaceId {
        InterfaceId(self.number() as u32)
    }

    /// The port with this handle.
    #[must_use]
    pub fn of(interface: InterfaceId) -> Option<Self> {
        Self::ALL.into_iter().find(|port| port.interface() == interface)
    }

    /// Its number in addresses.
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::A => 1,
            Self::B => 2,
            Self::C => 3,
            Self::D => 4,
        }
    }
}

/// A neighbour of the DUT, played by the tester.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Station {
    /// Previous hop on a.
    U1,
    /// Previous hop on b.
    U2,
    /// Next hop on c.
    D1,
    /// Next hop on the LAN d.
    D2,
    /// Another next hop on the LAN d.
    D3,
}

impl Station {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::U1, Self::U2, Self::D1, Self::D2, Self::D3];

    /// What it is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::U1 => "U1",
            Self::U2 => "U2",
            Self::D1 => "D1",
            Self::D2 => "D2",
            Self::D3 => "D3",
        }
    }

    /// Where it is attached.
    #[must_use]
    pub const fn port(self) -> Port {
        match self {
            Self::U1 => Port::A,
            Self::U2 => Port::B,
            Self::D1 => Port::C,
            Self::D2 | Self::D3 => Port::D,
        }
    }
}

/// The address family of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// That of an address.
    #[must_use]
    pub const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        })
    }
}

/// Who has which address.
#[derive(Clone, Copy, Debug)]
pub struct Plan(pub Family);

impl Plan {
    /// The DUT's address on a port.
    #[must_use]
    pub fn dut(self, port: Port) -> IpAddr {
        self.address(port.number(), 254)
    }

    /// A neighbour's address.
    #[must_use]
    pub fn station(self, station: Station) -> IpAddr {
        self.address(station.port().number(), if station == Station::D3 { 2 } else { 1 })
    }

    /// Sender `number`: 1 is behind U1, the others are behind U2.
    #[must_use]
    pub fn sender(self, number: u8) -> FilterSpec {
        FilterSpec::Ip { source: self.address(0, number), port: 4000 }
    }

    /// The unicast session H: UDP port 5000 of a host behind D1.
    #[must_use]
    pub fn h(self) -> SessionKey {
        self.session(self.address(7, 7), 5000)
    }

    /// The unicast session K: UDP port 5000 of a host behind D2.
    #[must_use]
    pub fn k(self) -> SessionKey {
        self.session(self.address(8, 8), 5000)
    }

    /// The multicast session G: UDP port 5000 of a group with receivers behind c and d.
    #[must_use]
    pub fn g(self) -> SessionKey {
        let destination = match self.0 {
            Family::V4 => Ipv4Addr::new(224, 1, 2, 3).into(),
            Family::V6 => Ipv6Addr::new(0xff1e, 0, 0, 0, 0, 0, 0, 0x123).into(),
        };
        self.session(destination, 5000)
    }

    /// A UDP session.
    #[must_use]
    pub fn session(self, destination: IpAddr, port: u16) -> SessionKey {
        SessionKey::Ip(FlowKey { destination, protocol: 17, port })
    }

    /// An address that is nobody's here: a node far away.
    #[must_use]
    pub fn far(self) -> IpAddr {
        self.address(9, 9)
    }

    /// Address `host` of network `net`: 10.0.net.host or 2001:db8:0:net::host.
    #[must_use]
    pub fn address(self, net: u8, host: u8) -> IpAddr {
        match self.0 {
            Family::V4 => Ipv4Addr::new(10, 0, net, host).into(),
            Family::V6 => Ipv6Addr::new(0x2001, 0xdb8, 0, net.into(), 0, 0, 0, host.into()).into(),
        }
    }
}
