//! What the kernel tells by itself about interfaces, addresses and routes.

use std::io;
use std::net::IpAddr;
use std::os::fd::OwnedFd;

use netlink_bindings::traits::NetlinkRequest;
use netlink_bindings::{rt_addr, rt_link, rt_route};
use rsvp_core::InterfaceId;
use rsvp_core::input::{NextHop, Route};
use rsvp_core::output::RouteKey;

use super::{Links, Message, Netlink, NetlinkError, RouteChange, Routes};
use crate::options::{InterfaceSelection, OpenError};
use rsvp_driver::{Diagnostic, ReadOutcome, Routing, RoutingEvent, Source};

use crate::diagnostics;

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

/// The [`Routing`] of Linux: interfaces, addresses and routes, kept up to date over netlink.
///
/// Everything belongs to the network namespace in which it was opened.
pub struct KernelRouting {
    router: bool,
    notifications: Netlink,
    /// For dumps and, at the start, for nothing else.
    requests: Netlink,
    links: Links,
    routes: Routes,
    /// Notifications were lost, and reading everything anew has not succeeded yet.
    stale: bool,
}

impl KernelRouting {
    /// Subscribes, and reads what there is.
    ///
    /// # Errors
    ///
    /// If netlink is not to be had.
    pub fn open(router: bool, selection: InterfaceSelection) -> Result<Self, OpenError> {
        Self::open_netlink(router, selection).map_err(|error| OpenError {
            what: "cannot watch interfaces and routes over netlink".to_owned(),
            source: error.into(),
            advice: "the kernel must have rtnetlink, and the sandbox must allow AF_NETLINK sockets",
        })
    }

    fn open_netlink(router: bool, selection: InterfaceSelection) -> Result<Self, NetlinkError> {
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
        Ok(Self { router, notifications, requests, links, routes, stale: false })
    }

    /// Tells what became of the interfaces since the last call.
    fn tell_links(&mut self, sink: &mut dyn FnMut(RoutingEvent)) {
        if let Some(addresses) = self.links.poll_own() {
            sink(RoutingEvent::Own(addresses));
        }
        while let Some(event) = self.links.poll() {
            tracing::debug!(?event, "interface");
            sink(event);
        }
    }

    /// Takes in at most `budget` datagrams of notifications.
    fn read_notifications(&mut self, budget: usize) -> io::Result<ReadOutcome> {
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

impl Routing for KernelRouting {
    fn sources(&self) -> io::Result<Vec<OwnedFd>> {
        Ok(vec![self.notifications.fd().try_clone_to_owned()?])
    }

    fn start(&mut self, sink: &mut dyn FnMut(RoutingEvent)) {
        self.tell_links(sink);
    }

    fn read(
        &mut self,
        _: Source,
        budget: usize,
        sink: &mut dyn FnMut(RoutingEvent),
    ) -> io::Result<ReadOutcome> {
        let notifications = self.read_notifications(budget)?;
        self.tell_links(sink);
        let tell = &mut |key, route| sink(RoutingEvent::Route(key, route));
        let more = self.routes.refresh(budget, &self.links, tell);
        Ok(if more { ReadOutcome::More } else { notifications })
    }

    fn watch(&mut self, key: RouteKey) -> Option<Route> {
        Some(self.routes.watch(key, &self.links))
    }

    fn unwatch(&mut self, key: &RouteKey) {
        self.routes.unwatch(key);
    }

    /// The kernel routes what is sent by no interface.
    fn next_hop(&mut self, _: IpAddr) -> Option<NextHop> {
        None
    }

    fn on_membership(&mut self, group: IpAddr, joined: bool, sink: &mut dyn FnMut(RoutingEvent)) {
        let tell = &mut |key, route| sink(RoutingEvent::Route(key, route));
        self.routes.on_membership(group, joined, &self.links, tell);
    }

    fn default_interface(&mut self, group: IpAddr) -> Option<InterfaceId> {
        let routed = self.routes.default_interface(group, &self.links);
        routed.or_else(|| self.links.first_interface(group))
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        // What goes to groups is forwarded by routers alone.
        let flows = self.routes.unrouted(&self.links).filter(|_| self.router);
        diagnostics::unrouted(flows).into_iter().collect()
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
