//! What the kernel tells by itself about interfaces, addresses and routes.

use std::io;
use std::net::IpAddr;
use std::os::fd::BorrowedFd;

use netlink_bindings::traits::NetlinkRequest;
use netlink_bindings::{rt_addr, rt_link, rt_route};
use rsvp_core::Input;
use rsvp_core::input::Route;
use rsvp_core::output::RouteKey;

use super::{LinkEvent, Links, Message, Netlink, NetlinkError, RouteChange, Routes};
use crate::options::{InterfaceSelection, OpenError};
use rsvp_driver::ReadOutcome;

/// Room for a storm of changes before the kernel gives up and everything has to be read anew.
const RECEIVE_BUFFER: usize = 4 << 20;

// Not named by the C library's crate; from linux/rtnetlink.h.
const RTM_NEWNEXTHOP: u16 = 104;
const RTM_DELNEXTHOP: u16 = 105;

const GROUPS: [u32; 10] = [
    libc::RTNLGRP_LINK,
    libc::RTNLGRP_IPV4_IFADDR,
    libc::RTNLGRP_IPV6_IFADDR,
    libc::RTNLGRP_IPV4_ROUTE,
    libc::RTNLGRP_IPV6_ROUTE,
    libc::RTNLGRP_IPV4_MROUTE,
    libc::RTNLGRP_IPV6_MROUTE,
    libc::RTNLGRP_IPV4_RULE,
    libc::RTNLGRP_IPV6_RULE,
    libc::RTNLGRP_NEXTHOP,
];

/// Interfaces and routes, kept up to date.
pub(crate) struct Monitor {
    notifications: Netlink,
    /// For dumps and, at the start, for nothing else.
    requests: Netlink,
    links: Links,
    routes: Routes,
    /// Notifications were lost, and reading everything anew has not succeeded yet.
    stale: bool,
}

impl Monitor {
    /// Subscribes, and reads what there is.
    pub(crate) fn open(selection: InterfaceSelection) -> Result<Self, OpenError> {
        Self::open_netlink(selection).map_err(|error| OpenError {
            what: "cannot watch interfaces and routes over netlink".to_owned(),
            source: error.into(),
            advice: "the kernel must have rtnetlink, and the sandbox must allow AF_NETLINK sockets",
        })
    }

    fn open_netlink(selection: InterfaceSelection) -> Result<Self, NetlinkError> {
        let notifications = Netlink::open(netlink_sys::protocols::NETLINK_ROUTE)?;
        notifications.set_buffers(RECEIVE_BUFFER)?;
        for group in GROUPS {
            notifications.subscribe(group)?;
        }
        let mut requests = Netlink::open(netlink_sys::protocols::NETLINK_ROUTE)?;
        let mut links = Links::new(selection);
        links.dump(&mut requests)?;
        let mut routes = Routes::open()?;
        routes.dump()?;
        Ok(Self { notifications, requests, links, routes, stale: false })
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.notifications.fd()
    }

    pub(crate) fn links(&self) -> &Links {
        &self.links
    }

    pub(crate) fn watch(&mut self, key: RouteKey) -> Route {
        self.routes.watch(key, &self.links)
    }

    pub(crate) fn unwatch(&mut self, key: &RouteKey) {
        self.routes.unwatch(key);
    }

    /// This node is in a group, or is so no more: tells the routes that have changed by that.
    pub(crate) fn on_membership(&mut self, group: IpAddr, joined: bool, sink: &mut dyn FnMut(Input<'_>)) {
        let tell = &mut |key, route| sink(Input::Route(key, route));
        self.routes.on_membership(group, joined, &self.links, tell);
    }

    /// The watched flows to groups that go nowhere because there is no forwarding entry.
    pub(crate) fn unrouted(&self) -> impl Iterator<Item = &RouteKey> {
        self.routes.unrouted(&self.links)
    }

    /// The device by which this host receives a group where nobody says by which.
    pub(crate) fn default_device(&mut self, group: IpAddr) -> Option<u32> {
        let routed = self.routes.default_interface(group, &self.links);
        routed.and_then(|interface| self.links.device(interface)).or_else(|| self.links.first_device(group))
    }

    /// What became of the interfaces since the last call.
    pub(crate) fn poll_link(&mut self) -> Option<LinkEvent> {
        self.links.poll()
    }

    /// Takes in at most `budget` datagrams of notifications.
    pub(crate) fn read(&mut self, budget: usize) -> io::Result<ReadOutcome> {
        let Self { notifications, links, routes, stale, .. } = self;
        let mut outcome = ReadOutcome::More;
        for _ in 0..budget {
            match notifications.receive() {
                Ok(Some(messages)) => messages.for_each(|message| on_message(&message, links, routes)),
                Ok(None) => {
                    outcome = ReadOutcome::Drained;
                    break;
                }
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => {
                    tracing::info!("the kernel dropped notifications; interfaces and routes are read anew");
                    *stale = true;
                }
                Err(error) => return Err(error),
            }
        }
        if outcome == ReadOutcome::Drained {
            self.resynchronise();
        }
        Ok(outcome)
    }

    /// Looks at most `budget` watched routes up again and tells those that changed.
    pub(crate) fn refresh_routes(&mut self, budget: usize, sink: &mut dyn FnMut(Input<'_>)) -> ReadOutcome {
        let more = self.routes.refresh(budget, &self.links, &mut |key, route| sink(Input::Route(key, route)));
        if more { ReadOutcome::More } else { ReadOutcome::Drained }
    }

    fn resynchronise(&mut self) {
        if !self.stale {
            return;
        }
        self.routes.on_change(RouteChange::Any);
        match self.links.dump(&mut self.requests).and_then(|()| self.routes.dump()) {
            Ok(()) => self.stale = false,
            // Tried again with the next notification.
            Err(error) => tracing::warn!(%error, "reading interfaces and multicast entries anew failed"),
        }
    }
}

fn on_message(message: &Message<'_>, links: &mut Links, routes: &mut Routes) {
    match message.kind {
        libc::RTM_NEWLINK => {
            let (header, attributes) = rt_link::OpGetlinkDo::decode_reply(message.payload);
            if links.on_link(&header, &attributes) {
                routes.on_change(RouteChange::Any);
            }
        }
        libc::RTM_DELLINK => {
            let (header, _) = rt_link::OpGetlinkDo::decode_reply(message.payload);
            if i32::from(header.ifi_family) == libc::AF_UNSPEC {
                links.on_link_gone(header.ifi_index.cast_unsigned());
                routes.on_change(RouteChange::Any);
            }
        }
        libc::RTM_NEWADDR | libc::RTM_DELADDR => {
            let (header, attributes) = rt_addr::OpGetaddrDump::decode_reply(message.payload);
            if links.on_address(&header, &attributes, message.kind == libc::RTM_NEWADDR) {
                routes.on_change(RouteChange::Any);
            }
        }
        libc::RTM_NEWROUTE | libc::RTM_DELROUTE => {
            let (header, attributes) = rt_route::OpGetrouteDo::decode_reply(message.payload);
            if routes.on_multicast_entry(&header, &attributes, message.kind == libc::RTM_NEWROUTE) {
                return;
            }
            if let Some(change) = changed_prefix(&header, &attributes) {
                routes.on_change(change);
            }
        }
        libc::RTM_NEWRULE | libc::RTM_DELRULE | RTM_NEWNEXTHOP | RTM_DELNEXTHOP => {
            routes.on_change(RouteChange::Any);
        }
        _ => {}
    }
}

fn changed_prefix(
    header: &rt_route::Rtmsg,
    attributes: &rt_route::IterableRouteAttrs<'_>,
) -> Option<RouteChange> {
    // A default route carries no destination.
    let unspecified = match i32::from(header.rtm_family) {
        libc::AF_INET => std::net::Ipv4Addr::UNSPECIFIED.into(),
        libc::AF_INET6 => std::net::Ipv6Addr::UNSPECIFIED.into(),
        _ => return None,
    };
    Some(RouteChange::Prefix(attributes.get_dst().unwrap_or(unspecified), header.rtm_dst_len))
}
