//! An outside in memory, with links of Unix sockets.

use std::borrow::Cow;
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixDatagram;

use rsvp_core::input::{Datagram, InterfaceInfo, NextHop, Route};
use rsvp_core::{Input, InterfaceId, Request, Transmit};
use rsvp_driver::{Diagnostic, Message, Outside, OutsideView, ReadOutcome, SendOutcome, Source};

/// An interface of a node: its address and its end of the link.
pub struct LinkEnd {
    /// The interface's address; all that share its first 24 bits are on the link.
    pub address: IpAddr,
    /// Whoever is no neighbour of the node is behind this one.
    pub gateway: Option<IpAddr>,
    /// What is sent here comes out at the other end.
    pub socket: UnixDatagram,
}

/// The outside of a node. Its interfaces are called `link1` and so on.
pub struct Memory(Vec<LinkEnd>);

/// Both ends of a link.
///
/// # Panics
///
/// If there can be no more sockets.
#[must_use]
pub fn memory_link(here: &str, there: &str) -> (LinkEnd, LinkEnd) {
    let (socket, other) = UnixDatagram::pair().expect("a pair of sockets");
    let end = |address: &str, socket: UnixDatagram| {
        socket.set_nonblocking(true).expect("a socket");
        LinkEnd { address: address.parse().expect("an address"), gateway: None, socket }
    };
    (end(here, socket), end(there, other))
}

/// A message as it crosses a link.
fn unpack(packet: &[u8]) -> (Transmit, Vec<u8>) {
    serde_json::from_slice(packet).expect("a message")
}

impl LinkEnd {
    /// The same end, with a way to everybody else.
    #[must_use]
    pub fn via(self, gateway: IpAddr) -> Self {
        Self { gateway: Some(gateway), ..self }
    }

    /// What has come, without the headers.
    ///
    /// # Panics
    ///
    /// If a message is damaged.
    pub fn drain(&self) -> Vec<Vec<u8>> {
        let mut buffer = vec![0; 65_536];
        std::iter::from_fn(|| {
            let length = self.socket.recv(&mut buffer).ok()?;
            Some(unpack(&buffer[..length]).1)
        })
        .collect()
    }
}

impl Memory {
    /// The outside of a node with these interfaces.
    #[must_use]
    pub fn new(links: Vec<LinkEnd>) -> Self {
        Self(links)
    }

    fn route(&self, destination: IpAddr) -> Route {
        let Self(links) = self;
        if links.iter().any(|link| link.address == destination) {
            return Route { local: true, ..Route::default() };
        }
        let is_near = |link: &LinkEnd| network(link.address) == network(destination);
        let hop = |number: usize, gateway| NextHop { interface: interface(number), gateway };
        let near = links.iter().position(is_near).map(|number| hop(number, None));
        let far = || {
            let number = links.iter().position(|link| link.gateway.is_some())?;
            Some(hop(number, links[number].gateway))
        };
        Route { outgoing: near.or_else(far).into_iter().collect(), ..Route::default() }
    }
}

/// No other number that one meets is as large, which helps where these are looked for.
const FIRST: u32 = 3_000_000_000;

fn interface(number: usize) -> InterfaceId {
    InterfaceId(FIRST + u32::try_from(number).expect("few links"))
}

fn network(address: IpAddr) -> [u8; 3] {
    match address {
        IpAddr::V4(address) => [address.octets()[0], address.octets()[1], address.octets()[2]],
        IpAddr::V6(address) => panic!("no links for {address}"),
    }
}

impl Outside for Memory {
    fn sources(&self) -> io::Result<Vec<OwnedFd>> {
        self.0.iter().map(|link| link.socket.as_fd().try_clone_to_owned()).collect()
    }

    fn start(&mut self, sink: &mut dyn FnMut(Input<'_>)) {
        for (number, link) in self.0.iter().enumerate() {
            sink(Input::Interface(InterfaceInfo {
                id: interface(number),
                name: format!("link{}", number + 1),
                addresses: vec![link.address],
                mtu: 1500,
                up: true,
                point_to_point: false,
            }));
        }
    }

    fn read(
        &mut self,
        source: Source,
        budget: usize,
        sink: &mut dyn FnMut(Input<'_>),
    ) -> io::Result<ReadOutcome> {
        let mut buffer = vec![0; 65_536];
        for _ in 0..budget {
            let length = match self.0[source.0].socket.recv(&mut buffer) {
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(ReadOutcome::Drained),
                Err(error) => return Err(error),
            };
            let (transmit, payload) = unpack(&buffer[..length]);
            sink(Input::Datagram(Datagram {
                interface: interface(source.0),
                source: transmit.source,
                destination: transmit.destination,
                ttl: Some(transmit.ttl),
                encapsulation: transmit.encapsulation,
                payload: Cow::Owned(payload),
            }));
        }
        Ok(ReadOutcome::More)
    }

    fn send(&mut self, messages: &mut [Message]) -> SendOutcome {
        for (number, Message { transmit, payload }) in messages.iter().enumerate() {
            let packet = serde_json::to_vec(&(transmit, payload)).expect("a message");
            let to = transmit.next_hop.unwrap_or(transmit.destination);
            let routed = || self.route(to).outgoing.first().map(|hop| hop.interface);
            let Some(interface) = transmit.interface.or_else(routed) else { continue };
            let link = (interface.0 - FIRST) as usize;
            let result = self.0[link].socket.send(&packet);
            if result.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock) {
                return SendOutcome::Blocked(number, Source(link));
            }
        }
        SendOutcome::Sent
    }

    fn is_ready_for_requests(&self) -> bool {
        true
    }

    fn request(&mut self, request: Request, sink: &mut dyn FnMut(Input<'_>)) {
        match request {
            Request::WatchRoute(key) => sink(Input::Route(key, self.route(key.destination))),
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

    fn close(self) {}
}
