//! One node's share of Linux.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::os::fd::{BorrowedFd, OwnedFd};

use rsvp_core::input::InterfaceInfo;
use rsvp_core::{Input, Request, Transmit, udp};
use rsvp_driver::{Diagnostic, Message, Outside, OutsideView, ReadOutcome, SendOutcome, Severity, Source};

use crate::diagnostics;
use crate::guard::MulticastGuard;
use crate::membership::Memberships;
use crate::netlink::{LinkEvent, Monitor};
use crate::options::{OpenError, SystemOptions};
use crate::receive::{Discard, receive};
use crate::socket::Batch;
use crate::sockets::Sockets;
use crate::tc::TrafficControl;

/// Everything that one node needs from Linux: sockets, interfaces, routes and traffic control.
///
/// Nothing here blocks, and nothing here has a clock. A driver waits until one of the [`sources`](Self::sources)
/// is readable, calls [`read`](Self::read) and hands the inputs to its node; it passes the node's transmits to
/// [`send`](Self::send) and its requests to [`request`](Self::request).
pub struct System {
    router: bool,
    sockets: Sockets,
    memberships: Memberships,
    batch: Batch,
    monitor: Monitor,
    /// Of a router, where the kernel can.
    _guard: Option<MulticastGuard>,
    problems: Vec<Diagnostic>,
    traffic_control: TrafficControl,
    counters: SystemCounters,
    /// What the kernel last said of each socket's drops.
    overflowed: BTreeMap<Channel, u32>,
}

/// What a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Channel {
    /// RSVP over IPv4; also the one to wait for until it is writable.
    Ipv4,
    /// RSVP over IPv6 that is addressed to this node.
    Ipv6,
    /// IPv6 packets in transit with a Router Alert for RSVP; also the one to wait for until it is writable.
    Ipv6Alert,
    /// RSVP over IPv6 in transit to groups.
    Ipv6Groups,
    /// RSVP in UDP; also one to wait for until it is writable.
    Udp {
        /// Of which family.
        ipv6: bool,
        /// The port that it is sent to.
        port: u16,
    },
    /// Changes of interfaces, addresses and routes.
    Monitor,
    /// Answers of traffic control.
    TrafficControl,
}

/// What the system counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SystemCounters {
    /// RSVP datagrams received and handed on.
    pub received: u64,
    /// Datagrams that the kernel dropped because they were not read in time, as far as later ones have told.
    pub overflowed: u64,
    /// Received datagrams dropped because their IP headers are damaged.
    pub malformed: u64,
    /// Received datagrams dropped because they came in on a device that is no interface of the node.
    pub unknown_interface: u64,
    /// Received datagrams dropped because this host had sent them.
    pub own: u64,
    /// Received datagrams dropped because they go to groups that other programs here have joined, not the node.
    pub not_joined: u64,
    /// Fragments of IPv6 messages in transit, which the kernel does not put together: dropped.
    pub transit_fragments: u64,
    /// IPv6 packets in transit that carried the Router Alert for RSVP and were something else: sent on.
    pub forwarded: u64,
    /// The same, but dropped: hop limit used up, or no way to go.
    pub forward_failed: u64,
    /// Datagrams sent.
    pub sent: u64,
    /// Datagrams that could not be sent.
    pub send_failed: u64,
    /// Datagrams that were refused for now.
    pub send_blocked: u64,
}

impl System {
    /// Opens the sockets and takes over the root queueing discipline of the interfaces with a configured rate.
    ///
    /// Everything belongs to the network namespace of the calling thread.
    ///
    /// # Errors
    ///
    /// If a socket cannot be had; lacking IPv6 or traffic control is a [`Diagnostic`] only.
    pub fn open(options: SystemOptions) -> Result<Self, OpenError> {
        let sockets = Sockets::open(options.router, options.transport)?;
        let monitor = Monitor::open(options.interfaces)?;
        let traffic_control = TrafficControl::open(options.link_rates).map_err(OpenError::thread)?;
        let mut problems = Vec::new();
        let guard = options.router.then(MulticastGuard::open).and_then(|guard| match guard {
            Ok(guard) => Some(guard),
            Err(error) => {
                problems.push(without_guard(&error.to_string()));
                None
            }
        });
        Ok(Self {
            router: options.router,
            sockets,
            memberships: Memberships::open().map_err(OpenError::membership)?,
            batch: Batch::new(),
            monitor,
            _guard: guard,
            problems,
            traffic_control,
            counters: SystemCounters::default(),
            overflowed: BTreeMap::new(),
        })
    }

    /// The file descriptors to wait for. The socket for RSVP over IPv4 is the first, if there is one.
    pub fn descriptors(&self) -> impl Iterator<Item = (Source, BorrowedFd<'_>)> {
        self.channels().enumerate().map(|(number, (_, fd))| (Source(number), fd))
    }

    /// The counters.
    #[must_use]
    pub fn counters(&self) -> &SystemCounters {
        &self.counters
    }

    /// The list never changes.
    fn channels(&self) -> impl Iterator<Item = (Channel, BorrowedFd<'_>)> {
        let traffic_control = self.traffic_control.fd().map(|fd| (Channel::TrafficControl, fd));
        let monitor = [(Channel::Monitor, self.monitor.fd())];
        self.sockets.channels().chain(monitor).chain(traffic_control)
    }

    /// Sends one datagram; false if it has to wait until the channel is writable.
    fn send_one(&mut self, message: &Message) -> Result<(), Channel> {
        let Message { transmit, payload } = message;
        let (channel, result) = match self.device(transmit) {
            Ok(device) => self.sockets.send(transmit, device, payload),
            Err(error) => (Channel::Ipv4, Err(error)),
        };
        match result {
            Ok(()) => self.counters.sent += 1,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.counters.send_blocked += 1;
                return Err(channel);
            }
            Err(error) => {
                self.counters.send_failed += 1;
                tracing::debug!(?transmit, %error, "a message could not be sent");
            }
        }
        Ok(())
    }

    fn tell_links(&mut self, sink: &mut dyn FnMut(Input<'_>)) {
        let mut changed = false;
        while let Some(event) = self.monitor.poll_link() {
            tracing::debug!(?event, "interface");
            changed = true;
            match event {
                LinkEvent::Present { device, info } => {
                    self.join_own_groups(&info);
                    self.traffic_control.on_interface(device, &info);
                    sink(Input::Interface(info));
                }
                LinkEvent::Gone { id } => {
                    for group in own_groups() {
                        self.memberships.forget(group, Some(id));
                    }
                    self.traffic_control.on_interface_gone(id);
                    sink(Input::InterfaceRemoved(id));
                }
            }
        }
        if changed {
            self.settle_memberships();
        }
    }

    /// Every RSVP node is in 224.0.0.14 and ff02::e: hosts that can do UDP only send Paths of groups there (RFC 2205
    /// Appendix C), and neighbours that know of each other by configuration Srefreshes (RFC 2961 section 5.3).
    fn join_own_groups(&mut self, info: &InterfaceInfo) {
        for group in own_groups() {
            if info.addresses.iter().any(|address| address.is_ipv4() == group.is_ipv4()) {
                self.memberships.want(group, Some(info.id));
            } else {
                self.memberships.forget(group, Some(info.id));
            }
        }
    }

    fn settle_memberships(&mut self) {
        let Self { memberships, monitor, .. } = self;
        memberships.settle(|(group, interface)| match interface {
            Some(interface) => monitor.links().device(*interface),
            None => monitor.default_device(*group),
        });
    }

    fn read_datagrams(
        &mut self,
        channel: Channel,
        budget: usize,
        sink: &mut dyn FnMut(Input<'_>),
    ) -> io::Result<ReadOutcome> {
        let Self { sockets, memberships, batch, monitor, counters, overflowed, router, .. } = self;
        let Some(fd) = sockets.fd(channel) else { return Ok(ReadOutcome::Drained) };
        let mut left = budget;
        while left > 0 {
            let count = batch.receive(fd, left)?;
            if count == 0 {
                return Ok(ReadOutcome::Drained);
            }
            left -= count.min(left);
            for packet in batch.packets() {
                if let Some(total) = packet.overflowed {
                    let before = overflowed.insert(channel, total).unwrap_or(0);
                    counters.overflowed += u64::from(total.wrapping_sub(before));
                }
                match receive(channel, &packet, sockets, monitor.links(), memberships, *router) {
                    Ok(datagram) => {
                        counters.received += 1;
                        sink(Input::Datagram(datagram));
                    }
                    Err(reason) => {
                        tracing::trace!(?reason, device = packet.device, "discarded");
                        counters.on_discard(reason);
                    }
                }
            }
        }
        Ok(ReadOutcome::More)
    }

    /// The device to leave by; `None` leaves the choice to the routing table.
    fn device(&self, transmit: &Transmit) -> io::Result<Option<u32>> {
        transmit
            .interface
            .map(|id| self.monitor.links().device(id).ok_or(io::ErrorKind::NetworkDown.into()))
            .transpose()
    }
}

impl Outside for System {
    fn sources(&self) -> io::Result<Vec<OwnedFd>> {
        self.channels().map(|(_, fd)| fd.try_clone_to_owned()).collect()
    }

    fn start(&mut self, sink: &mut dyn FnMut(Input<'_>)) {
        self.tell_links(sink);
    }

    fn read(
        &mut self,
        source: Source,
        budget: usize,
        sink: &mut dyn FnMut(Input<'_>),
    ) -> io::Result<ReadOutcome> {
        let Some((channel, _)) = self.channels().nth(source.0) else { return Ok(ReadOutcome::Drained) };
        match channel {
            Channel::Monitor => {
                let notifications = self.monitor.read(budget)?;
                self.tell_links(sink);
                let routes = self.monitor.refresh_routes(budget, sink);
                Ok(if routes == ReadOutcome::More { routes } else { notifications })
            }
            Channel::TrafficControl => self.traffic_control.read(budget, sink),
            _ => self.read_datagrams(channel, budget, sink),
        }
    }

    fn send(&mut self, messages: &[Message]) -> SendOutcome {
        for (number, message) in messages.iter().enumerate() {
            if let Err(channel) = self.send_one(message) {
                let source = self.channels().position(|(known, _)| known == channel).unwrap_or_default();
                return SendOutcome::Blocked(number, Source(source));
            }
        }
        SendOutcome::Sent
    }

    fn is_ready_for_requests(&self) -> bool {
        self.traffic_control.is_ready()
    }

    fn request(&mut self, request: Request, sink: &mut dyn FnMut(Input<'_>)) {
        match request {
            Request::WatchRoute(key) => {
                let route = self.monitor.watch(key);
                sink(Input::Route(key, route));
            }
            Request::UnwatchRoute(key) => self.monitor.unwatch(&key),
            Request::Install(installation) => self.traffic_control.install(installation, sink),
            Request::Remove(id) => self.traffic_control.remove(id),
            Request::Join { group, interface } => {
                self.memberships.want(group, interface);
                self.settle_memberships();
                self.monitor.on_membership(group, true, sink);
            }
            Request::Leave { group, interface } => {
                self.memberships.forget(group, interface);
                self.settle_memberships();
                self.monitor.on_membership(group, self.memberships.includes(group), sink);
            }
        }
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        let names = self.monitor.links().interfaces().map(|info| info.name.as_str());
        let mut found = diagnostics::inspect(self.router, self.sockets.has_ipv6(), names);
        if self.router {
            found.extend(diagnostics::unrouted(self.monitor.unrouted()));
        }
        found.extend(diagnostics::overflowed(self.counters.overflowed));
        found.extend_from_slice(&self.problems);
        found.extend_from_slice(self.traffic_control.problems());
        found
    }

    fn view(&self) -> OutsideView {
        let mut groups: BTreeMap<String, Vec<IpAddr>> = BTreeMap::new();
        for (group, device) in self.memberships.joined() {
            if let Some(name) = self.monitor.links().name(device) {
                groups.entry(name.to_owned()).or_default().push(group);
            }
        }
        OutsideView { enforced: self.traffic_control.enforced().map(str::to_owned).collect(), groups }
    }

    fn close(self) {
        drop(self);
    }
}

/// The group of all RSVP nodes on a link, of both families; G* of RFC 2205 Appendix C.
fn own_groups() -> [IpAddr; 2] {
    [udp::group(std::net::Ipv4Addr::UNSPECIFIED.into()), udp::group(std::net::Ipv6Addr::UNSPECIFIED.into())]
}

fn without_guard(error: &str) -> Diagnostic {
    Diagnostic {
        severity: Severity::Warning,
        interface: None,
        message: format!(
            "messages to groups may reach the next hops twice, once by way of the kernel: nftables is not to be had \
             here ({error}); it needs CAP_NET_ADMIN and no second daemon"
        ),
    }
}

impl SystemCounters {
    fn on_discard(&mut self, reason: Discard) {
        let counter = match reason {
            Discard::Malformed => &mut self.malformed,
            Discard::UnknownInterface => &mut self.unknown_interface,
            Discard::Own => &mut self.own,
            Discard::NotJoined => &mut self.not_joined,
            Discard::TransitFragment => &mut self.transit_fragments,
            Discard::Forwarded => &mut self.forwarded,
            Discard::NotForwarded => &mut self.forward_failed,
            // Somebody else's business, that only looked like RSVP from below.
            Discard::NotRsvp => return,
        };
        *counter += 1;
    }
}
