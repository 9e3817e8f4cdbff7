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

/// How the networks of the bench are numbered: network n of the plan is the subnet n of these prefixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Networks {
    /// The first 16 bits of IPv4 addresses.
    pub v4: [u8; 2],
    /// The first 48 bits of IPv6 addresses.
    pub v6: [u16; 3],
}

impl Networks {
    /// 10.0.0.0/16 and 2001:db8::/48, unless a profile says otherwise.
    pub const STOCK: Self = Self { v4: [10, 0], v6: [0x2001, 0xdb8, 0] };

    /// Who has which address of a family in them.
    #[must_use]
    pub const fn plan(self, family: Family) -> Plan {
        Plan { family, networks: self }
    }
}

impl Default for Networks {
    fn default() -> Self {
        Self::STOCK
    }
}

/// Who has which address: the one place where addresses come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// IPv4 or IPv6.
    pub family: Family,
    /// How its networks are numbered.
    pub networks: Networks,
}

impl Plan {
    /// The addresses of a family in the [stock networks](Networks::STOCK).
    #[must_use]
    pub const fn new(family: Family) -> Self {
        Networks::STOCK.plan(family)
    }

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
        let destination = match self.family {
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

    /// Address `host` of network `net`: in the stock networks 10.0.net.host or 2001:db8:0:net::host.
    #[must_use]
    pub fn address(self, net: u8, host: u8) -> IpAddr {
        let Networks { v4: [a, b], v6: [x, y, z] } = self.networks;
        match self.family {
            Family::V4 => Ipv4Addr::new(a, b, net, host).into(),
            Family::V6 => Ipv6Addr::new(x, y, z, net.into(), 0, 0, 0, host.into()).into(),
        }
    }

    /// Octets that a case has written down, in hexadecimal digits by words of four octets, with addresses of the stock
    /// networks: the same with the addresses of this plan.
    #[must_use]
    pub fn renumber(self, text: &str) -> String {
        let Networks { v4: [a, b], v6: [x, y, z] } = self.networks;
        let mut is_within = false;
        let word = |word: &str| {
            let was_within = std::mem::take(&mut is_within);
            match (self.family, word.len()) {
                (Family::V4, 8) if word.starts_with("0a00") => format!("{a:02x}{b:02x}{}", &word[4..]),
                (Family::V6, 8) if word == "20010db8" => {
                    is_within = true;
                    format!("{x:04x}{y:04x}")
                }
                (Family::V6, 8) if was_within => format!("{z:04x}{}", &word[4..]),
                _ => word.to_owned(),
            }
        };
        text.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_that_were_written_down_follow_the_plan() {
        let networks = Networks { v4: [172, 20], v6: [0xfd00, 0x77, 5] };
        let v4 = networks.plan(Family::V4);
        assert_eq!(v4.renumber("000c0301 0a0001fe 0000004d"), "000c0301 ac1401fe 0000004d");
        let v6 = networks.plan(Family::V6);
        let hop = "00180302 20010db8 00000001 00000000 000000fe 0000004d";
        assert_eq!(v6.renumber(hop), "00180302 fd000077 00050001 00000000 000000fe 0000004d");
        assert_eq!(Plan::new(Family::V6).renumber(hop), hop);
    }
}
