//! One node's share of Linux.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::BorrowedFd;

use rsvp_core::input::Encapsulation;
use rsvp_core::{Input, Request, Transmit};

use crate::diagnostics;
use crate::netlink::{LinkEvent, Monitor};
use crate::options::{Diagnostic, OpenError, SystemOptions};
use crate::receive::{Discard, receive};
use crate::socket::{Batch, Ipv4Header, Ipv4Sockets, Ipv6Header, Ipv6Sockets};
use crate::tc::TrafficControl;

/// Everything that one node needs from Linux: sockets, interfaces, routes and traffic control.
///
/// Nothing here blocks, and nothing here has a clock. A driver waits until one of the [`sources`](Self::sources)
/// is readable, calls [`read`](Self::read) and hands the inputs to its node; it passes the node's transmits to
/// [`send`](Self::send) and its requests to [`request`](Self::request).
pub struct System {
    router: bool,
    ipv4: Ipv4Sockets,
    ipv6: Option<Ipv6Sockets>,
    batch: Batch,
    monitor: Monitor,
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
        let ipv4 = Ipv4Sockets::open(options.router).map_err(OpenError::raw_socket)?;
        let ipv6 = match Ipv6Sockets::open(options.router) {
            Ok(sockets) => Some(sockets),
            Err(error) if error.raw_os_error() == Some(libc::EAFNOSUPPORT) => None,
            Err(error) => return Err(OpenError::raw_socket(error)),
        };
        let monitor = Monitor::open(options.interfaces)?;
        let traffic_control = TrafficControl::open(options.link_rates).map_err(OpenError::thread)?;
        Ok(Self {
            router: options.router,
            ipv4,
            ipv6,
            batch: Batch::new(),
            monitor,
            traffic_control,
            counters: SystemCounters::default(),
            overflowed: BTreeMap::new(),
        })
    }

    /// The file descriptors to wait for. The list never changes.
    pub fn sources(&self) -> impl Iterator<Item = (Source, BorrowedFd<'_>)> {
        let ipv6 = self.ipv6.iter();
        let ipv6 =
            ipv6.flat_map(|ipv6| [(Source::Ipv6, ipv6.local_fd()), (Source::Ipv6Alert, ipv6.alert_fd())]);
        let traffic_control = self.traffic_control.fd().map(|fd| (Source::TrafficControl, fd));
        let always = [(Source::Ipv4, self.ipv4.fd()), (Source::Monitor, self.monitor.fd())];
        always.into_iter().chain(ipv6).chain(traffic_control)
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
            Source::Ipv4 | Source::Ipv6 | Source::Ipv6Alert => self.read_datagrams(source, budget, sink),
            Source::Monitor => {
                let notifications = self.monitor.read(budget)?;
                self.tell_links(sink);
                let routes = self.monitor.refresh_routes(budget, sink);
                Ok(if routes == ReadOutcome::More { routes } else { notifications })
            }
            Source::TrafficControl => self.traffic_control.read(budget, sink),
        }
    }

    /// Sends one datagram. Never blocks.
    pub fn send(&mut self, transmit: &Transmit, payload: &[u8]) -> SendOutcome {
        let (source, result) = match (transmit.source, transmit.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                (Source::Ipv4, self.send_ipv4(transmit, source, destination, payload))
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                (Source::Ipv6Alert, self.send_ipv6(transmit, source, destination, payload))
            }
            _ => (Source::Ipv4, Err(io::ErrorKind::InvalidInput.into())),
        };
        match result {
            Ok(()) => {
                self.counters.sent += 1;
                SendOutcome::Sent
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.counters.send_blocked += 1;
                SendOutcome::WouldBlock(source)
            }
            Err(error) => {
                self.counters.send_failed += 1;
                tracing::trace!(?transmit, %error, "not sent");
                SendOutcome::Failed(error)
            }
        }
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
                tracing::warn!(%group, ?interface, "not joined: multicast is not carried out yet");
            }
            Request::Leave { .. } => {}
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
        let mut found = diagnostics::inspect(self.router, self.ipv6.is_some(), names);
        found.extend_from_slice(self.traffic_control.problems());
        found
    }

    /// The interfaces whose reservations are enforced by traffic control, by name; on the others reservations are
    /// admitted only.
    pub fn enforced(&self) -> impl Iterator<Item = &str> {
        self.traffic_control.enforced()
    }

    /// Removes what was installed and waits until it is gone. Dropping does the same.
    pub fn close(self) {
        drop(self);
    }

    fn tell_links(&mut self, sink: &mut dyn FnMut(Input<'_>)) {
        while let Some(event) = self.monitor.poll_link() {
            tracing::debug!(?event, "interface");
            match event {
                LinkEvent::Present { device, info } => {
                    self.traffic_control.on_interface(device, &info);
                    sink(Input::Interface(info));
                }
                LinkEvent::Gone { id } => {
                    self.traffic_control.on_interface_gone(id);
                    sink(Input::InterfaceRemoved(id));
                }
            }
        }
    }

    fn read_datagrams(
        &mut self,
        source: Source,
        budget: usize,
        sink: &mut dyn FnMut(Input<'_>),
    ) -> io::Result<ReadOutcome> {
        let Self { ipv4, ipv6, batch, monitor, counters, overflowed, .. } = self;
        let fd = match (source, &*ipv6) {
            (Source::Ipv4, _) => ipv4.fd(),
            (Source::Ipv6, Some(ipv6)) => ipv6.local_fd(),
            (_, Some(ipv6)) => ipv6.alert_fd(),
            (_, None) => return Ok(ReadOutcome::Drained),
        };
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
                match receive(source, &packet, ipv6.as_ref(), monitor.links()) {
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
        if transmit.encapsulation != Encapsulation::Raw {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "UDP encapsulation is not supported"));
        }
        transmit
            .interface
            .map(|id| self.monitor.links().device(id).ok_or(io::ErrorKind::NetworkDown.into()))
            .transpose()
    }

    fn send_ipv4(
        &self,
        transmit: &Transmit,
        source: Ipv4Addr,
        destination: Ipv4Addr,
        payload: &[u8],
    ) -> io::Result<()> {
        let header = Ipv4Header {
            source,
            destination,
            next_hop: match transmit.next_hop {
                Some(IpAddr::V4(address)) => Some(address),
                // A route by way of an IPv6 neighbour: the kernel knows how.
                Some(IpAddr::V6(_)) | None => None,
            },
            device: self.device(transmit)?,
            ttl: transmit.ttl,
            router_alert: transmit.router_alert,
            traffic_class: transmit.traffic_class,
        };
        self.ipv4.send(&header, payload)
    }

    fn send_ipv6(
        &self,
        transmit: &Transmit,
        source: Ipv6Addr,
        destination: Ipv6Addr,
        payload: &[u8],
    ) -> io::Result<()> {
        let Some(ipv6) = &self.ipv6 else {
            return Err(io::Error::from_raw_os_error(libc::EAFNOSUPPORT));
        };
        let header = Ipv6Header {
            source,
            destination,
            next_hop: match transmit.next_hop {
                Some(IpAddr::V6(address)) => Some(address),
                Some(IpAddr::V4(_)) | None => None,
            },
            device: self.device(transmit)?,
            hop_limit: transmit.ttl,
            router_alert: transmit.router_alert,
            traffic_class: transmit.traffic_class,
        };
        ipv6.send(&header, payload)
    }
}

impl SystemCounters {
    fn on_discard(&mut self, reason: Discard) {
        *match reason {
            Discard::Malformed => &mut self.malformed,
            Discard::UnknownInterface => &mut self.unknown_interface,
            Discard::Own => &mut self.own,
            Discard::TransitFragment => &mut self.transit_fragments,
            Discard::Forwarded => &mut self.forwarded,
            Discard::NotForwarded => &mut self.forward_failed,
        } += 1;
    }
}
