//! One node's share of Linux.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;
use std::os::fd::BorrowedFd;

use rsvp_core::input::InterfaceInfo;
use rsvp_core::{Input, Request, Transmit, udp};

use crate::diagnostics;
use crate::guard::MulticastGuard;
use crate::membership::Memberships;
use crate::netlink::{LinkEvent, Monitor};
use crate::options::{Diagnostic, OpenError, Severity, SystemOptions};
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
    overflowed: BTreeMap<Source, u32>,
}

/// One of the file descriptors to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Source {
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

/// What is left after a [`read`](System::read).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "more input may be waiting without another readiness notification"]
pub enum ReadOutcome {
    /// Nothing; wait until the source is readable again.
    Drained,
    /// The budget is used up; call again before waiting (after other sources have had their turn).
    More,
}

/// What became of a datagram.
#[derive(Debug)]
#[must_use = "a datagram that would block has to be kept and sent again"]
pub enum SendOutcome {
    /// It is with the kernel.
    Sent,
    /// The kernel takes no more now: keep it, wait until this source is writable, send it again.
    WouldBlock(Source),
    /// It could not be sent and will not be; counted. The next one may be.
    Failed(io::Error),
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

/// What the system does for the node's interfaces, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SystemView {
    /// Those whose reservations are enforced by traffic control; on the others reservations are admitted only.
    pub enforced: BTreeSet<String>,
    /// The groups that are joined.
    pub groups: BTreeMap<String, Vec<IpAddr>>,
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

    /// The file descriptors to wait for. The list never changes.
    pub fn sources(&self) -> impl Iterator<Item = (Source, BorrowedFd<'_>)> {
        let traffic_control = self.traffic_control.fd().map(|fd| (Source::TrafficControl, fd));
        let monitor = [(Source::Monitor, self.monitor.fd())];
        self.sockets.sources().chain(monitor).chain(traffic_control)
    }

    /// Tells the interfaces that there are. To be called once, before anything else.
    pub fn start(&mut self, sink: &mut dyn FnMut(Input<'_>)) {
        self.tell_links(sink);
    }

    /// Reads at most `budget` datagrams or messages from a source and tells what they mean. Never blocks.
    ///
    /// # Errors
    ///
    /// Only if the source is broken for good.
    pub fn read(
        &mut self,
        source: Source,
        budget: usize,
        sink: &mut dyn FnMut(Input<'_>),
    ) -> io::Result<ReadOutcome> {
        match source {
            Source::Monitor => {
                let notifications = self.monitor.read(budget)?;
                self.tell_links(sink);
                let routes = self.monitor.refresh_routes(budget, sink);
                Ok(if routes == ReadOutcome::More { routes } else { notifications })
            }
            Source::TrafficControl => self.traffic_control.read(budget, sink),
            _ => self.read_datagrams(source, budget, sink),
        }
    }

    /// Sends one datagram. Never blocks.
    pub fn send(&mut self, transmit: &Transmit, payload: &[u8]) -> SendOutcome {
        let device = match self.device(transmit) {
            Ok(device) => device,
            Err(error) => return self.on_failed_send(transmit, error),
        };
        let (source, result) = self.sockets.send(transmit, device, payload);
        match result {
            Ok(()) => {
                self.counters.sent += 1;
                SendOutcome::Sent
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.counters.send_blocked += 1;
                SendOutcome::WouldBlock(source)
            }
            Err(error) => self.on_failed_send(transmit, error),
        }
    }

    fn on_failed_send(&mut self, transmit: &Transmit, error: io::Error) -> SendOutcome {
        self.counters.send_failed += 1;
        tracing::trace!(?transmit, %error, "not sent");
        SendOutcome::Failed(error)
    }

    /// Whether [`request`](Self::request) takes another one now. If not, it does so again after
    /// [`Source::TrafficControl`] was read; leave the requests with the node until then, which merges them.
    #[must_use]
    pub fn is_ready_for_requests(&self) -> bool {
        self.traffic_control.is_ready()
    }

    /// Carries out a request. Answers come as inputs, at once or later through [`read`](Self::read). Never blocks.
    pub fn request(&mut self, request: Request, sink: &mut dyn FnMut(Input<'_>)) {
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

    /// The counters.
    #[must_use]
    pub fn counters(&self) -> &SystemCounters {
        &self.counters
    }

    /// What an operator should know about this machine, as of now.
    ///
    /// To be called in the network namespace of [`open`](Self::open).
    #[must_use]
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
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

    /// What the system does for the node's interfaces.
    #[must_use]
    pub fn view(&self) -> SystemView {
        let mut groups: BTreeMap<String, Vec<IpAddr>> = BTreeMap::new();
        for (group, device) in self.memberships.joined() {
            if let Some(name) = self.monitor.links().name(device) {
                groups.entry(name.to_owned()).or_default().push(group);
            }
        }
        SystemView { enforced: self.traffic_control.enforced().map(str::to_owned).collect(), groups }
    }

    /// Removes what was installed and waits until it is gone. Dropping does the same.
    pub fn close(self) {
        drop(self);
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
        source: Source,
        budget: usize,
        sink: &mut dyn FnMut(Input<'_>),
    ) -> io::Result<ReadOutcome> {
        let Self { sockets, memberships, batch, monitor, counters, overflowed, router, .. } = self;
        let Some(fd) = sockets.fd(source) else { return Ok(ReadOutcome::Drained) };
        let mut left = budget;
        while left > 0 {
            let count = batch.receive(fd, left)?;
            if count == 0 {
                return Ok(ReadOutcome::Drained);
            }
            left -= count.min(left);
            for packet in batch.packets() {
                if let Some(total) = packet.overflowed {
                    let before = overflowed.insert(source, total).unwrap_or(0);
                    counters.overflowed += u64::from(total.wrapping_sub(before));
                }
                match receive(source, &packet, sockets, monitor.links(), memberships, *router) {
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
