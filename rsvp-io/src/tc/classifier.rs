//! Which class a packet belongs to: nftables maps from the flow to its class and to its limits, so that a packet costs
//! the same however many reservations there are.
//!
//! A packet that its flow's limits let pass goes to the flow's class, one beyond them to best effort, or nowhere if
//! its flow is to be kept to its reservation. Where a flow is reshaped it has no limits: its class has. A packet that
//! would have to be fragmented never conforms (RFC 2211 section 7).
//!
//! The kernel's limit in octets has a bucket of one second's worth of its rate, and the burst on top: that
//! holds a flow to its rate, but does not confine a burst to the token bucket. Where RSVP says that a flow is
//! to be policed (RFC 2205 section 3.8), a second limit in packets does, whose bucket is exact: the token
//! bucket of a TSpec counts no packet less than m, so at most b/m packets conform at once.

use std::collections::BTreeSet;
use std::ffi::{CStr, CString};
use std::net::IpAddr;

use rsvp_core::udp::PU;

use super::htb::{BEST_EFFORT_CLASS, ClassId, PROTECTED_CLASS};
use super::parameters::{AH, FlowMatch, PacketPolicer, Policer, Port};
use crate::netlink::{Netlink, NetlinkError};
use crate::nftables::{Expression, Header, Limit, MapOf, Meta, Transaction, Value};

const TABLE: &CStr = c"rsvp";
/// Postrouting, at the priority where packets are marked, before addresses are translated.
const HOOK: (u32, i32) = (4, -150);
/// Room for the answers to a large transaction, and for the transaction itself.
const SOCKET_BUFFER: usize = 1 << 20;
/// Elements of one message: its attributes have 16-bit lengths.
const ELEMENTS_PER_MESSAGE: usize = 400;
/// Filters of one reservation; more do not fit into one transaction everywhere.
pub(crate) const MOST_FILTERS: usize = 1000;

/// One address family's maps and chains, and where its packets have what a key is made of.
struct Family {
    protocol: u8,
    chain: &'static CStr,
    police: [&'static CStr; VARIANTS.len()],
    classes: &'static CStr,
    rates: &'static CStr,
    packets: &'static CStr,
    /// Words of an address.
    words: u32,
    source: u32,
    destination: u32,
    /// The types of the key's parts as the `nft` program knows them.
    key_type: u32,
}

/// IP protocol numbers, as the packet has them.
const RSVP: &[u8] = &[crate::socket::IPPROTO_RSVP as u8];
const UDP: &[u8] = &[libc::IPPROTO_UDP as u8];
const ICMPV6: &[u8] = &[libc::IPPROTO_ICMPV6 as u8];
/// ICMPv6 types of neighbour and router discovery: who cannot resolve our address sends us no Resv.
const NEIGHBOR_DISCOVERY: [&[u8]; 4] = [&[133], &[134], &[135], &[136]];

// Types of the nft program, six bits each in a key: ipv4_addr 7, ipv6_addr 8, inet_proto 12, mark 19 (for want of a
// type for a pair of ports), iface_index 20; classid is 23.
const fn key_type(address: u32) -> u32 {
    20 << 24 | address << 18 | address << 12 | 12 << 6 | 19
}
const CLASS_ID: u32 = 23;
const DISCARDS_KEY: u32 = 20 << 6 | CLASS_ID;

const FAMILIES: [Family; 2] = [
    Family {
        protocol: libc::NFPROTO_IPV4 as u8,
        chain: c"ipv4",
        police: [
            c"ipv4-ah-police-0",
            c"ipv4-ah-police-1",
            c"ipv4-ah-police-2",
            c"ipv4-police-0",
            c"ipv4-police-1",
            c"ipv4-police-2",
            c"ipv4-police-3",
        ],
        classes: c"ipv4-class",
        rates: c"ipv4-rate",
        packets: c"ipv4-packets",
        words: 1,
        source: 12,
        destination: 16,
        key_type: key_type(7),
    },
    Family {
        protocol: libc::NFPROTO_IPV6 as u8,
        chain: c"ipv6",
        police: [
            c"ipv6-ah-police-0",
            c"ipv6-ah-police-1",
            c"ipv6-ah-police-2",
            c"ipv6-police-0",
            c"ipv6-police-1",
            c"ipv6-police-2",
            c"ipv6-police-3",
        ],
        classes: c"ipv6-class",
        rates: c"ipv6-rate",
        packets: c"ipv6-packets",
        words: 4,
        source: 8,
        destination: 24,
        key_type: key_type(8),
    },
];

/// Which parts of a key a packet fills in.
#[derive(Clone, Copy)]
struct Variant {
    /// The key is made from an Authentication Header. IPv6 takes that for one of its extension headers, and what is behind
    /// it for the transport header.
    ah: bool,
    source: bool,
    /// Ports, or a security parameter index: where ESP (RFC 4303) has it, others have their ports.
    port: bool,
}

const fn variant(ah: bool, source: bool, port: bool) -> Variant {
    Variant { ah, source, port }
}

/// The most specific comes first.
const VARIANTS: [Variant; 7] = [
    variant(true, true, true),
    variant(true, true, false),
    variant(true, false, false),
    variant(false, true, true),
    variant(false, false, true),
    variant(false, true, false),
    variant(false, false, false),
];

/// The protocol in a key that is made from an Authentication Header. No protocol that is loaded looks like this: the first
/// word of the header must not pass for an index.
const AH_KEY: [u8; 4] = [AH, 1, 0, 0];
/// Where the Authentication Header has its security parameter index (RFC 4302 section 2).
const AH_SPI: u32 = 4;

/// Where packets go that do not conform.
const EXCESS: &CStr = c"excess";
/// The packets that are too large for their link are told from others here.
const OVERSIZE: &CStr = c"oversize";
/// The classes whose excess is discarded, by device and class.
const DISCARDS: &CStr = c"discard";
const POSTROUTING: &CStr = c"postrouting";

/// The classifier of a network namespace.
pub(crate) struct Classifier {
    netlink: Netlink,
    /// Numbers the limits, so that a new one can take an old one's place in one transaction.
    next_number: u64,
}

/// What the classifier holds for one reservation.
#[derive(Debug)]
pub(crate) struct Entry {
    number: u64,
    device: u32,
    ipv6: bool,
    keys: Vec<Vec<u8>>,
    class: ClassId,
    policer: Option<Policer>,
}

impl Classifier {
    /// Makes the table; what a crashed daemon left is gone then.
    pub(crate) fn open() -> Result<Self, NetlinkError> {
        let mut netlink = Netlink::open(netlink_sys::protocols::NETLINK_NETFILTER)?;
        netlink.set_buffers(SOCKET_BUFFER)?;
        let mut transaction = Transaction::new(TABLE);
        transaction.make_table();
        make_chains(&mut transaction);
        transaction.commit(&mut netlink)?;
        Ok(Self { netlink, next_number: 0 })
    }

    /// Packets that leave by this device and would have to be fragmented are best effort, whatever is reserved for them.
    /// Only IPv4 routers fragment, and only what does not forbid it: what is larger and does, the kernel has put together
    /// from packets of a proper size. (A local program that leaves the cutting to the kernel, UDP_SEGMENT, and does not
    /// forbid fragments is taken for one that sends too large packets.)
    pub(crate) fn attach(&mut self, device: u32, mtu: u32) -> Result<(), NetlinkError> {
        let Ok(mtu) = u16::try_from(mtu) else { return Ok(()) };
        let field = |offset, length| Expression::Payload { header: Header::Network, offset, length, into: 0 };
        let mut transaction = Transaction::new(TABLE);
        transaction.append_rule(
            OVERSIZE,
            &[
                Expression::Meta { what: Meta::OutgoingDevice, into: 0 },
                Expression::Equals { register: 0, value: &device.to_ne_bytes() },
                Expression::Meta { what: Meta::NetworkProtocol, into: 0 },
                Expression::Equals { register: 0, value: &[FAMILIES[0].protocol] },
                // Don't Fragment.
                field(6, 1),
                Expression::Mask { register: 0, mask: &[0x40] },
                Expression::Equals { register: 0, value: &[0] },
                // Total Length.
                field(2, 2),
                Expression::Greater { register: 0, value: &mtu.to_be_bytes() },
                Expression::Goto(EXCESS),
            ],
        );
        transaction.commit(&mut self.netlink)
    }

    /// What is to be held for a reservation; it takes effect with [`apply`](Self::apply).
    pub(crate) fn entry(
        &mut self,
        device: u32,
        class: ClassId,
        policer: Option<Policer>,
        matches: &[FlowMatch],
    ) -> Entry {
        self.next_number += 1;
        let keys: BTreeSet<Vec<u8>> = matches.iter().map(|flow| key(device, flow)).collect();
        Entry {
            number: self.next_number,
            device,
            ipv6: matches.first().is_some_and(|flow| flow.destination.is_ipv6()),
            keys: keys.into_iter().collect(),
            class,
            policer,
        }
    }

    /// Removes some entries and adds others, all together or not at all.
    pub(crate) fn apply(&mut self, removed: &[&Entry], added: &[&Entry]) -> Result<(), NetlinkError> {
        let mut transaction = Transaction::new(TABLE);
        removed.iter().for_each(|entry| entry.remove(&mut transaction));
        added.iter().for_each(|entry| entry.add(&mut transaction));
        transaction.commit(&mut self.netlink)
    }

    /// Removes everything.
    pub(crate) fn close(mut self) -> Result<(), NetlinkError> {
        let mut transaction = Transaction::new(TABLE);
        transaction.remove_table();
        transaction.commit(&mut self.netlink)
    }
}

impl Entry {
    fn family(&self) -> &'static Family {
        &FAMILIES[usize::from(self.ipv6)]
    }

    fn packets(&self) -> Option<PacketPolicer> {
        self.policer.and_then(|policer| policer.packets)
    }

    fn discards(&self) -> bool {
        self.policer.is_some_and(|policer| policer.discards)
    }

    /// Its class among those of all devices.
    fn class_key(&self) -> Vec<u8> {
        [self.device.to_ne_bytes(), self.class.priority().to_ne_bytes()].concat()
    }

    fn rate_name(&self) -> CString {
        CString::new(format!("rate-{}", self.number)).expect("no zero octet")
    }

    fn packets_name(&self) -> CString {
        CString::new(format!("packets-{}", self.number)).expect("no zero octet")
    }

    fn add(&self, transaction: &mut Transaction) {
        let family = self.family();
        let (rate, packets) = (self.rate_name(), self.packets_name());
        let mut maps = vec![(family.classes, Value::Word(self.class.priority()))];
        if let Some(policer) = &self.policer {
            transaction.add_limit(&rate, Limit::Bytes { rate: policer.rate, burst: policer.bucket });
            maps.push((family.rates, Value::Limit(&rate)));
        }
        if let Some(policer) = self.packets() {
            let limit = Limit::PacketsPerMinute { rate: policer.per_minute, burst: policer.burst };
            transaction.add_limit(&packets, limit);
            maps.push((family.packets, Value::Limit(&packets)));
        }
        if self.discards() {
            transaction.add_elements(DISCARDS, &[self.class_key()], Value::Word(1));
        }
        for (map, value) in maps {
            for keys in self.keys.chunks(ELEMENTS_PER_MESSAGE) {
                transaction.add_elements(map, keys, value);
            }
        }
    }

    fn remove(&self, transaction: &mut Transaction) {
        let family = self.family();
        let mut maps = vec![family.classes];
        maps.extend(self.policer.map(|_| family.rates));
        maps.extend(self.packets().map(|_| family.packets));
        for map in maps {
            for keys in self.keys.chunks(ELEMENTS_PER_MESSAGE) {
                transaction.remove_elements(map, keys);
            }
        }
        if self.policer.is_some() {
            transaction.remove_limit(&self.rate_name());
        }
        if self.packets().is_some() {
            transaction.remove_limit(&self.packets_name());
        }
        if self.discards() {
            transaction.remove_elements(DISCARDS, &[self.class_key()]);
        }
    }
}

/// The key of a flow: outgoing device, source, destination, protocol, ports; each part fills whole words.
fn key(device: u32, flow: &FlowMatch) -> Vec<u8> {
    let mut key = device.to_ne_bytes().to_vec();
    match flow.destination {
        IpAddr::V4(destination) => {
            key.extend(match flow.source {
                Some(IpAddr::V4(source)) => source.octets(),
                _ => [0; 4],
            });
            key.extend(destination.octets());
        }
        IpAddr::V6(destination) => {
            key.extend(match flow.source {
                Some(IpAddr::V6(source)) => source.octets(),
                _ => [0; 16],
            });
            key.extend(destination.octets());
        }
    }
    key.extend(if flow.protocol == AH { AH_KEY } else { [flow.protocol, 0, 0, 0] });
    key.extend(match flow.port {
        Port::Spi(spi) => spi.to_be_bytes(),
        // A wildcard has the destination port alone, at the start of the word, as the rule loads it.
        Port::Ports(source, destination) => {
            let (source, destination) = (u32::from(source), u32::from(destination));
            let both = if flow.source.is_some() { source << 16 | destination } else { destination << 16 };
            both.to_be_bytes()
        }
    });
    key
}

/// Loads the key of a packet into the registers from 0 on.
fn load_key(family: &Family, variant: Variant) -> Vec<Expression<'static>> {
    const NOTHING: [u8; 16] = [0; 16];
    let octets = family.words * 4;
    let (source_at, destination_at) = (1, 1 + family.words);
    let protocol_at = destination_at + family.words;
    let port_at = protocol_at + 1;
    let network =
        |offset, into| Expression::Payload { header: Header::Network, offset, length: octets, into };
    let transport =
        |offset, length| Expression::Payload { header: Header::Transport, offset, length, into: port_at };
    let mut load = Vec::new();
    if variant.ah {
        load.extend(find_ah(family, port_at));
    }
    load.extend([
        Expression::Meta { what: Meta::OutgoingDevice, into: 0 },
        match variant.source {
            true => network(family.source, source_at),
            false => Expression::Constant { value: &NOTHING[..octets as usize], into: source_at },
        },
        network(family.destination, destination_at),
        match variant.ah {
            true => Expression::Constant { value: &AH_KEY, into: protocol_at },
            false => Expression::Meta { what: Meta::TransportProtocol, into: protocol_at },
        },
    ]);
    load.extend(match (variant.port, variant.ah, variant.source) {
        (false, ..) => Some(Expression::Constant { value: &NOTHING[..4], into: port_at }),
        // It is there already.
        (true, true, _) => None,
        (true, false, true) => Some(transport(0, 4)),
        (true, false, false) => Some(transport(2, 2)),
    });
    load
}

/// Loads the security parameter index of an Authentication Header; a packet without one has no such key.
fn find_ah(family: &Family, into: u32) -> Vec<Expression<'static>> {
    const PROTOCOL: &[u8] = &[AH];
    if family.protocol == libc::NFPROTO_IPV6 as u8 {
        return vec![Expression::Extension { header: AH, offset: AH_SPI, length: 4, into }];
    }
    vec![
        Expression::Meta { what: Meta::TransportProtocol, into: 0 },
        Expression::Equals { register: 0, value: PROTOCOL },
        Expression::Payload { header: Header::Transport, offset: AH_SPI, length: 4, into },
    ]
}

fn make_chains(transaction: &mut Transaction) {
    transaction.make_chain(POSTROUTING, Some(HOOK));
    transaction.make_chain(EXCESS, None);
    transaction.make_map(DISCARDS, 7, (DISCARDS_KEY, 8), MapOf::Words(CLASS_ID));
    transaction.append_rule(
        EXCESS,
        &[
            Expression::Meta { what: Meta::OutgoingDevice, into: 0 },
            Expression::Meta { what: Meta::Priority, into: 1 },
            Expression::Lookup { map: DISCARDS, key: 0, into: 2 },
            Expression::Drop,
        ],
    );
    let best_effort = BEST_EFFORT_CLASS.to_ne_bytes();
    transaction.append_rule(
        EXCESS,
        &[
            Expression::Constant { value: &best_effort, into: 0 },
            Expression::SetPriority { from: 0 },
            Expression::Accept,
        ],
    );
    transaction.make_chain(OVERSIZE, None);
    let protected = PROTECTED_CLASS.to_ne_bytes();
    let protect = [
        Expression::Constant { value: &protected, into: 0 },
        Expression::SetPriority { from: 0 },
        Expression::Accept,
    ];
    let of_protocol = |protocol: &'static [u8]| {
        [
            Expression::Meta { what: Meta::TransportProtocol, into: 0 },
            Expression::Equals { register: 0, value: protocol },
        ]
    };
    transaction.append_rule(POSTROUTING, &[&of_protocol(RSVP)[..], &protect].concat());
    // What others send from that port is not for us to favour: no privilege is needed for it.
    let of_our_port = [
        Expression::Meta { what: Meta::IncomingDevice, into: 0 },
        Expression::Equals { register: 0, value: &[0; 4] },
        Expression::Payload { header: Header::Transport, offset: 0, length: 2, into: 0 },
        Expression::Equals { register: 0, value: &PU.to_be_bytes() },
    ];
    transaction.append_rule(POSTROUTING, &[&of_protocol(UDP)[..], &of_our_port, &protect].concat());
    for message in NEIGHBOR_DISCOVERY {
        let of_type = [
            Expression::Payload { header: Header::Transport, offset: 0, length: 1, into: 0 },
            Expression::Equals { register: 0, value: message },
        ];
        transaction.append_rule(POSTROUTING, &[&of_protocol(ICMPV6)[..], &of_type, &protect].concat());
    }
    for (index, family) in FAMILIES.iter().enumerate() {
        make_family(transaction, family, index as u32);
        transaction.append_rule(
            POSTROUTING,
            &[
                Expression::Meta { what: Meta::NetworkProtocol, into: 0 },
                Expression::Equals { register: 0, value: &[family.protocol] },
                Expression::Goto(family.chain),
            ],
        );
    }
}

fn make_family(transaction: &mut Transaction, family: &Family, index: u32) {
    let key = (family.key_type, (3 + 2 * family.words) * 4);
    let first_id = 1 + index * 3;
    transaction.make_map(family.classes, first_id, key, MapOf::Words(CLASS_ID));
    transaction.make_map(family.rates, first_id + 1, key, MapOf::Limits);
    transaction.make_map(family.packets, first_id + 2, key, MapOf::Limits);
    transaction.make_chain(family.chain, None);
    for (variant, police) in VARIANTS.into_iter().zip(family.police) {
        transaction.make_chain(police, None);
        transaction.append_rule(police, &[Expression::Jump(OVERSIZE)]);
        for map in [family.packets, family.rates] {
            let mut rule = load_key(family, variant);
            rule.extend([Expression::Exceeds { map, key: 0 }, Expression::Goto(EXCESS)]);
            transaction.append_rule(police, &rule);
        }
        let mut rule = load_key(family, variant);
        rule.extend([
            Expression::Lookup { map: family.classes, key: 0, into: 0 },
            Expression::SetPriority { from: 0 },
            Expression::Goto(police),
        ]);
        transaction.append_rule(family.chain, &rule);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_as_long_as_the_map_says() {
        for (destination, family) in [("192.0.2.1", &FAMILIES[0]), ("2001:db8::1", &FAMILIES[1])] {
            let flow = FlowMatch {
                source: None,
                destination: destination.parse().unwrap(),
                protocol: 17,
                port: Port::Ports(0, 0x1234),
            };
            let key = key(7, &flow);
            assert_eq!(key.len() as u32, (3 + 2 * family.words) * 4);
            assert_eq!(key[key.len() - 4..], [0x12, 0x34, 0, 0]);
        }
    }
}
