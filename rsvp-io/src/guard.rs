//! Keeps the kernel's hands off RSVP messages that the node has taken.

use std::ffi::CStr;

use crate::netlink::{Netlink, NetlinkError};
use crate::nftables::{Expression, Header, Meta, Transaction};
use crate::socket::IPPROTO_RSVP;

const GROUPS_TABLE: &CStr = c"rsvp-multicast";
const ALL_TABLE: &CStr = c"rsvp-packets";
const INPUT: &CStr = c"input";
const FORWARD: &CStr = c"forward";
/// Where filters of what is for this host are, and of what is forwarded.
const INPUT_HOOK: (u32, i32) = (1, 0);
const FORWARD_HOOK: (u32, i32) = (2, 0);

const IPV4: &[u8] = &[libc::NFPROTO_IPV4 as u8];
const IPV6: &[u8] = &[libc::NFPROTO_IPV6 as u8];
const RSVP: &[u8] = &[IPPROTO_RSVP as u8];
/// The type of the Router Alert option (RFC 2113), the first behind a fixed header.
const ROUTER_ALERT: &[u8] = &[0x94];
/// The Router Alert option of IPv6 for RSVP (RFC 2711), the first behind the two octets that begin the header.
const ROUTER_ALERT6: &[u8] = &[5, 2, 0, 1];

/// A table of nftables that lives as long as this value.
pub(crate) struct Guard {
    _netlink: Netlink,
}

impl Guard {
    /// For a router with raw sockets: messages to groups are not forwarded.
    ///
    /// An IPv4 message with a Router Alert is not forwarded while nobody has joined its group, but it is once somebody on
    /// this router has, though the node gets it then, too. An IPv6 message is always forwarded. An IPv4 message without
    /// Router Alert is none of the node's business and goes on.
    pub(crate) fn of_groups() -> Result<Self, NetlinkError> {
        let mut transaction = Transaction::new(GROUPS_TABLE);
        transaction.make_table();
        transaction.make_chain(FORWARD, Some(FORWARD_HOOK));
        drop_groups(&mut transaction);
        Self::commit(transaction)
    }

    /// For packet sockets, which get a copy only: no message is taken by the kernel, which would answer that it knows no such
    /// protocol, and a router's kernel forwards none with Router Alert.
    pub(crate) fn of_packets(router: bool) -> Result<Self, NetlinkError> {
        let mut transaction = Transaction::new(ALL_TABLE);
        transaction.make_table();
        transaction.make_chain(INPUT, Some(INPUT_HOOK));
        for family in [IPV4, IPV6] {
            transaction.append_rule(INPUT, &[&rsvp_in(family)[..], &[Expression::Drop]].concat());
        }
        if router {
            transaction.make_chain(FORWARD, Some(FORWARD_HOOK));
            drop_groups(&mut transaction);
            let alert4 = [octet(20), equals(ROUTER_ALERT), Expression::Drop];
            transaction.append_rule(FORWARD, &[&rsvp_in(IPV4)[..], &alert4].concat());
            let header = libc::IPPROTO_HOPOPTS as u8;
            let options = Expression::Extension { header, offset: 2, length: 4, into: 0 };
            let alert6 = [options, equals(ROUTER_ALERT6), Expression::Drop];
            transaction.append_rule(FORWARD, &[&rsvp_in(IPV6)[..], &alert6].concat());
        }
        Self::commit(transaction)
    }

    fn commit(transaction: Transaction) -> Result<Self, NetlinkError> {
        let mut netlink = Netlink::open(netlink_sys::protocols::NETLINK_NETFILTER)?;
        transaction.commit(&mut netlink)?;
        Ok(Self { _netlink: netlink })
    }
}

fn drop_groups(transaction: &mut Transaction) {
    // A group's address begins with the bits 1110.
    let group4 = [octet(16), Expression::Mask { register: 0, mask: &[0xf0] }, equals(&[0xe0])];
    let alert = [octet(20), equals(ROUTER_ALERT), Expression::Drop];
    transaction.append_rule(FORWARD, &[&rsvp_in(IPV4)[..], &group4, &alert].concat());
    let group6 = [octet(24), equals(&[0xff]), Expression::Drop];
    transaction.append_rule(FORWARD, &[&rsvp_in(IPV6)[..], &group6].concat());
}

fn rsvp_in(family: &'static [u8]) -> [Expression<'static>; 4] {
    [
        Expression::Meta { what: Meta::NetworkProtocol, into: 0 },
        equals(family),
        Expression::Meta { what: Meta::TransportProtocol, into: 0 },
        equals(RSVP),
    ]
}

/// Loads an octet of the IP header.
fn octet(offset: u32) -> Expression<'static> {
    Expression::Payload { header: Header::Network, offset, length: 1, into: 0 }
}

fn equals(value: &'static [u8]) -> Expression<'static> {
    Expression::Equals { register: 0, value }
}
