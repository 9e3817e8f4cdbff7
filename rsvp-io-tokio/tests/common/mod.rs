//! An outside in memory: one link, made of a pair of Unix sockets.

use std::borrow::Cow;
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use rsvp_core::input::{Datagram, InterfaceInfo, NextHop, Route};
use rsvp_core::output::RouteKey;
use rsvp_core::{Input, InterfaceId, Request, Transmit};
use rsvp_driver::{Diagnostic, Message, Outside, OutsideView, ReadOutcome, SendOutcome, Source};

/// The only interface.
pub(crate) const LINK: InterfaceId = InterfaceId(1);

/// What a [`Memory`] has done, for the test to see.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    /// Calls of `read`.
    pub(crate) reads: AtomicUsize,
    /// Datagrams handed in.
    pub(crate) received: AtomicUsize,
    /// How many had been handed in when the first was sent.
    pub(crate) before_first_send: OnceLock<usize>,
    /// Refused sends.
    pub(crate) blocked: AtomicUsize,
    /// Calls of `close`.
    pub(crate) closed: AtomicUsize,
}

/// One end of a link.
pub(crate) struct Memory {
    address: IpAddr,
    socket: UnixDatagram,
    trace: Arc<Trace>,
}

/// A node's outside with this address, and the other end of its link.
pub(crate) fn link(address: IpAddr) -> (Memory, UnixDatagram, Arc<Trace>) {
    let (socket, other) = UnixDatagram::pair().expect("a pair of sockets");
    let trace = Arc::new(Trace::default());
    (Memory::on(address, socket, Arc::clone(&trace)), other, trace)
}

impl Memory {
    /// An end of a link that exists.
    pub(crate) fn on(address: IpAddr, socket: UnixDatagram, trace: Arc<Trace>) -> Self {
        socket.set_nonblocking(true).expect("a socket");
        Self { address, socket, trace }
    }
}

/// A message as it crosses the link.
pub(crate) fn unpack(packet: &[u8]) -> (Transmit, Vec<u8>) {
    serde_json::from_slice(packet).expect("a message")
}

impl Outside for Memory {
    fn sources(&self) -> io::Result<Vec<OwnedFd>> {
        Ok(vec![self.socket.as_fd().try_clone_to_owned()?])
    }

    fn start(&mut self, sink: &mut dyn FnMut(Input<'_>)) {
        sink(Input::Interface(InterfaceInfo {
            id: LINK,
            name: "link".to_owned(),
            addresses: vec![self.address],
            mtu: 1500,
            up: true,
            point_to_point: false,
        }));
    }

    fn read(
        &mut self,
        source: Source,
        budget: usize,
        sink: &mut dyn FnMut(Input<'_>),
    ) -> io::Result<ReadOutcome> {
        assert_eq!(source, Source(0));
        self.trace.reads.fetch_add(1, Ordering::Relaxed);
        let mut buffer = vec![0; 65_536];
        for _ in 0..budget {
            let length = match self.socket.recv(&mut buffer) {
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(ReadOutcome::Drained),
                Err(error) => return Err(error),
            };
            let (transmit, payload) = unpack(&buffer[..length]);
            self.trace.received.fetch_add(1, Ordering::Relaxed);
            sink(Input::Datagram(Datagram {
                interface: LINK,
                source: transmit.source,
                destination: transmit.destination,
                ttl: Some(transmit.ttl),
                encapsulation: transmit.encapsulation,
                payload: Cow::Owned(payload),
            }));
        }
        Ok(ReadOutcome::More)
    }

    fn send(&mut self, messages: &[Message]) -> SendOutcome {
        for (number, Message { transmit, payload }) in messages.iter().enumerate() {
            let packet = serde_json::to_vec(&(transmit, payload)).expect("a message");
            self.trace.before_first_send.get_or_init(|| self.trace.received.load(Ordering::Relaxed));
            if self.socket.send(&packet).is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock) {
                self.trace.blocked.fetch_add(1, Ordering::Relaxed);
                return SendOutcome::Blocked(number, Source(0));
            }
        }
        SendOutcome::Sent
    }

    fn is_ready_for_requests(&self) -> bool {
        true
    }

    fn request(&mut self, request: Request, sink: &mut dyn FnMut(Input<'_>)) {
        match request {
            Request::WatchRoute(key) => sink(Input::Route(key, self.route(key))),
            Request::Install(installation) => sink(Input::Installed(installation.id, Ok(()))),
            Request::UnwatchRoute(_) | Request::Remove(_) | Request::Join { .. } | Request::Leave { .. } => {}
        }
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        Vec::new()
    }

    fn view(&self) -> OutsideView {
        OutsideView::default()
    }

    fn close(self) {
        self.trace.closed.fetch_add(1, Ordering::Relaxed);
    }
}

impl Memory {
    fn route(&self, key: RouteKey) -> Route {
        let local = key.destination == self.address;
        let outgoing = if local { vec![] } else { vec![NextHop { interface: LINK, gateway: None }] };
        Route { local, outgoing, ..Route::default() }
    }
}
