//! RSVP on this machine's network: IP protocol 46, and UDP.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;
use std::os::fd::OwnedFd;

use rsvp_core::input::{Datagram, Encapsulation};
use rsvp_core::{InterfaceId, Transmit};
use rsvp_driver::{Diagnostic, Interfaces, Message, ReadOutcome, SendOutcome, Severity, Source, Transport};

use crate::diagnostics;
use crate::guard::Guard;
use crate::membership::Memberships;
use crate::options::{Carrier, OpenError};
use crate::receive::{Discard, receive, receive_all};
use crate::socket::Batch;
use crate::sockets::{Sockets, channel, compose};

/// The [`Transport`] of raw sockets and UDP sockets.
///
/// Everything belongs to the network namespace in which it was opened.
pub struct RawSockets {
    router: bool,
    sockets: Sockets,
    memberships: Memberships,
    batch: Batch,
    /// Of a router, where the kernel can.
    _guard: Option<Guard>,
    problems: Vec<Diagnostic>,
    counters: SocketCounters,
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
}

/// What the sockets count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SocketCounters {
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

impl RawSockets {
    /// Opens the sockets. A router's take messages in transit.
    ///
    /// # Errors
    ///
    /// If a socket cannot be had; lacking IPv6 is a [`Diagnostic`] only.
    pub fn open(router: bool, carrier: Carrier) -> Result<Self, OpenError> {
        let sockets = Sockets::open(router, carrier)?;
        let mut problems = Vec::new();
        let guard = router.then(Guard::of_groups).and_then(|guard| match guard {
            Ok(guard) => Some(guard),
            Err(error) => {
                problems.push(without_guard(&error.to_string()));
                None
            }
        });
        Ok(Self {
            router,
            sockets,
            memberships: Memberships::open().map_err(OpenError::membership)?,
            batch: Batch::new(),
            _guard: guard,
            problems,
            counters: SocketCounters::default(),
            overflowed: BTreeMap::new(),
        })
    }

    /// The counters.
    #[must_use]
    pub fn counters(&self) -> &SocketCounters {
        &self.counters
    }

    /// Sends the first messages, as many as go with one system call, and tells how many they are. The error is that of the
    /// very first.
    fn send_first(&self, messages: &[Message], interfaces: &Interfaces) -> io::Result<usize> {
        let Some(Message { transmit, payload }) = messages.first() else { return Ok(0) };
        match self.send_run(channel(transmit), messages, interfaces) {
            Err(error) if is_too_large(&error) && transmit.encapsulation == Encapsulation::Raw => {
                let sent = self.sockets.send_in_fragments(transmit, device(transmit, interfaces)?, payload);
                // Another socket makes fragments, and nobody waits for that one: what it does not take is lost.
                sent.map(|()| 1).map_err(|error| io::Error::other(format!("not sent in fragments: {error}")))
            }
            result => result,
        }
    }

    /// Sends the messages up to the first that does not leave by this channel.
    fn send_run(&self, carrier: Channel, messages: &[Message], interfaces: &Interfaces) -> io::Result<usize> {
        let mut run = Vec::with_capacity(messages.len());
        for Message { transmit, payload } in messages.iter().take_while(|it| channel(&it.transmit) == carrier)
        {
            match device(transmit, interfaces).and_then(|device| compose(transmit, device, payload)) {
                Ok(datagram) => run.push(datagram),
                // Those before it go first; it is told of when it is the first.
                Err(_) if !run.is_empty() => break,
                Err(error) => return Err(error),
            }
        }
        self.sockets.send(carrier, &run)
    }
}

impl Transport for RawSockets {
    /// The socket for RSVP over IPv4 is the first, if there is one.
    fn sources(&self) -> io::Result<Vec<OwnedFd>> {
        self.sockets.channels().map(|(_, fd)| fd.try_clone_to_owned()).collect()
    }

    fn read(
        &mut self,
        source: Source,
        budget: usize,
        interfaces: &Interfaces,
        sink: &mut dyn FnMut(Datagram<'_>),
    ) -> io::Result<ReadOutcome> {
        let Self { sockets, batch, counters, overflowed, router, .. } = self;
        let Some((channel, fd)) = sockets.channels().nth(source.0) else { return Ok(ReadOutcome::Drained) };
        let last = overflowed.entry(channel).or_default();
        receive_all(
            (batch, fd),
            budget,
            (counters, last),
            |packet| receive(channel, packet, sockets, interfaces, *router),
            sink,
        )
    }

    fn send(&mut self, messages: &[Message], interfaces: &Interfaces) -> SendOutcome {
        let mut done = 0;
        while let Some(Message { transmit, .. }) = messages.get(done) {
            match self.send_first(&messages[done..], interfaces) {
                Ok(count) => {
                    self.counters.sent += count as u64;
                    done += count;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.counters.send_blocked += 1;
                    let mut channels = self.sockets.channels();
                    let source =
                        channels.position(|(known, _)| known == channel(transmit)).unwrap_or_default();
                    return SendOutcome::Blocked(done, Source(source));
                }
                Err(error) => {
                    tracing::debug!(?transmit, %error, "a message could not be sent");
                    self.counters.send_failed += 1;
                    done += 1;
                }
            }
        }
        SendOutcome::Sent
    }

    fn receive_groups(&mut self, groups: &BTreeSet<(IpAddr, InterfaceId)>, interfaces: &Interfaces) {
        let device = |(group, id): &(IpAddr, InterfaceId)| Some((*group, interfaces.device(*id)?, *id));
        self.memberships.settle(groups.iter().filter_map(device));
    }

    fn groups(&self) -> Vec<(IpAddr, InterfaceId)> {
        self.memberships.joined().collect()
    }

    fn diagnostics(&self, interfaces: &Interfaces) -> Vec<Diagnostic> {
        let names = interfaces.iter().map(|link| link.info.name.as_str());
        let mut found = diagnostics::inspect(self.router, self.sockets.has_ipv6(), names);
        found.extend(diagnostics::overflowed(self.counters.overflowed));
        found.extend_from_slice(&self.problems);
        found
    }
}

/// Whether an error of `sendmmsg` means that the packet is larger than the link takes.
fn is_too_large(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EMSGSIZE)
}

/// The device to leave by; `None` leaves the choice to the routing table.
fn device(transmit: &Transmit, interfaces: &Interfaces) -> io::Result<Option<u32>> {
    let Some(id) = transmit.interface else { return Ok(None) };
    interfaces.device(id).map(Some).ok_or_else(|| io::ErrorKind::NetworkDown.into())
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

impl SocketCounters {
    pub(crate) fn on_discard(&mut self, reason: Discard) {
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
