//! Keeps the kernel of a router from forwarding RSVP messages to groups that the node forwards itself.

use std::ffi::CStr;

use crate::netlink::{Netlink, NetlinkError};
use crate::nftables::{Expression, Header, Meta, Transaction};
use crate::socket::IPPROTO_RSVP;

const TABLE: &CStr = c"rsvp-multicast";
const FORWARD: &CStr = c"forward";
/// Forwarding, where filters are.
const HOOK: (u32, i32) = (2, 0);

const IPV4: &[u8] = &[libc::NFPROTO_IPV4 as u8];
const IPV6: &[u8] = &[libc::NFPROTO_IPV6 as u8];
const RSVP: &[u8] = &[IPPROTO_RSVP as u8];
/// The type of the Router Alert option (RFC 2113), the first behind a fixed header.
const ROUTER_ALERT: &[u8] = &[0x94];

/// A table of nftables that lives as long as this value.
///
/// An IPv4 message with a Router Alert is not forwarded while nobody has joined its group, but it is once somebody on
/// this router has, though the node gets it then, too. An IPv6 message is always forwarded. An IPv4 message without
/// Router Alert is none of the node's business and goes on.
pub(crate) struct MulticastGuard {
    _netlink: Netlink,
}

impl MulticastGuard {
    pub(crate) fn open() -> Result<Self, NetlinkError> {
        let mut netlink = Netlink::open(netlink_sys::protocols::NETLINK_NETFILTER)?;
        let mut transaction = Transaction::new(TABLE);
        transaction.make_table();
        transaction.make_chain(FORWARD, Some(HOOK));
        let octet = |header, offset| Expression::Payload { header, offset, length: 1, into: 0 };
        let equals = |value| Expression::Equals { register: 0, value };
        let rsvp_in = |family| {
            [
                Expression::Meta { what: Meta::NetworkProtocol, into: 0 },
                equals(family),
                Expression::Meta { what: Meta::TransportProtocol, into: 0 },
                equals(RSVP),
            ]
        };
        // A group's address begins with the bits 1110.
        let group4 =
            [octet(Header::Network, 16), Expression::Mask { register: 0, mask: &[0xf0] }, equals(&[0xe0])];
        let alert = [octet(Header::Network, 20), equals(ROUTER_ALERT), Expression::Drop];
        transaction.append_rule(FORWARD, &[&rsvp_in(IPV4)[..], &group4, &alert].concat());
        let group6 = [octet(Header::Network, 24), equals(&[0xff]), Expression::Drop];
        transaction.append_rule(FORWARD, &[&rsvp_in(IPV6)[..], &group6].concat());
        transaction.commit(&mut netlink)?;
        Ok(Self { _netlink: netlink })
    }
}
