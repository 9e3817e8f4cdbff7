//! Links within a process, for tests and for networks in memory.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixDatagram;

use rsvp_core::InterfaceId;
use rsvp_core::input::{Datagram, Encapsulation};

use crate::{Interfaces, Message, ReadOutcome, SendOutcome, Source, Transport};

/// No IP packet is larger.
const LARGEST: usize = 65_536;
/// Octets of an address in a [`Header`].
const ADDRESS: usize = 17;
/// Octets of a [`Header`].
const HEADER: usize = 2 * ADDRESS + 1 + 5;

/// One end of a link between two nodes: what is sent at one arrives at the other.
pub struct LinkEnd(UnixDatagram);

/// A link, as its two ends. It holds as much as a Unix socket does, and blocks beyond.
///
/// # Errors
///
/// If there can be no more file descriptors.
pub fn link() -> io::Result<(LinkEnd, LinkEnd)> {
    let (one, other) = UnixDatagram::pair()?;
    one.set_nonblocking(true)?;
    other.set_nonblocking(true)?;
    Ok((LinkEnd(one), LinkEnd(other)))
}

/// A [`Transport`] that reaches as far as the links that it is given.
///
/// A message leaves by the interface that it names; one that names none, and for which routing knows no
/// [next hop](crate::Routing::next_hop), is lost. Which node a link leads to is all the
/// addressing that there is, so whatever is sent on it arrives, at its one other end.
pub struct MemoryTransport {
    ends: Vec<(InterfaceId, UnixDatagram)>,
    by_id: BTreeMap<InterfaceId, usize>,
    buffer: Vec<u8>,
}

impl MemoryTransport {
    /// With an end of a link for each interface.
    #[must_use]
    pub fn new(ends: impl IntoIterator<Item = (InterfaceId, LinkEnd)>) -> Self {
        let ends: Vec<_> = ends.into_iter().map(|(id, end)| (id, end.0)).collect();
        let by_id = ends.iter().enumerate().map(|(number, (id, _))| (*id, number)).collect();
        Self { ends, by_id, buffer: vec![0; LARGEST + HEADER] }
    }
}

impl Transport for MemoryTransport {
    fn sources(&self) -> io::Result<Vec<OwnedFd>> {
        self.ends.iter().map(|(_, socket)| socket.as_fd().try_clone_to_owned()).collect()
    }

    fn read(
        &mut self,
        source: Source,
        budget: usize,
        _: &Interfaces,
        sink: &mut dyn FnMut(Datagram<'_>),
    ) -> io::Result<ReadOutcome> {
        let Some((interface, socket)) = self.ends.get(source.0) else { return Ok(ReadOutcome::Drained) };
        for _ in 0..budget {
            let length = match socket.recv(&mut self.buffer) {
                // The other end is gone.
                Ok(0) => return Ok(ReadOutcome::Drained),
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(ReadOutcome::Drained),
                Err(error) => return Err(error),
            };
            let Some((header, payload)) = self.buffer[..length].split_first_chunk() else { continue };
            let Some(header) = Header::read(header) else { continue };
            sink(Datagram {
                interface: *interface,
                source: header.source,
                destination: header.destination,
                ttl: Some(header.ttl),
                encapsulation: header.encapsulation,
                payload: Cow::Borrowed(payload),
            });
        }
        Ok(ReadOutcome::More)
    }

    fn send(&mut self, messages: &[Message], _: &Interfaces) -> SendOutcome {
        for (number, Message { transmit, payload }) in messages.iter().enumerate() {
            let place = transmit.interface.and_then(|id| self.by_id.get(&id).copied());
            let Some((place, (_, socket))) = place.and_then(|place| Some((place, self.ends.get(place)?)))
            else {
                tracing::debug!(?transmit, "no link to send by");
                continue;
            };
            let header = Header {
                source: transmit.source,
                destination: transmit.destination,
                ttl: transmit.ttl,
                encapsulation: transmit.encapsulation,
            };
            let packet = [&header.octets()[..], payload].concat();
            match socket.send(&packet) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return SendOutcome::Blocked(number, Source(place));
                }
                Err(error) => tracing::debug!(?transmit, %error, "a message could not be sent"),
                Ok(_) => {}
            }
        }
        SendOutcome::Sent
    }
}

/// What stands before a message on a link.
#[derive(Debug, PartialEq, Eq)]
struct Header {
    source: IpAddr,
    destination: IpAddr,
    ttl: u8,
    encapsulation: Encapsulation,
}

impl Header {
    fn octets(&self) -> [u8; HEADER] {
        let mut octets = [0; HEADER];
        write_address(&mut octets[..ADDRESS], self.source);
        write_address(&mut octets[ADDRESS..2 * ADDRESS], self.destination);
        octets[2 * ADDRESS] = self.ttl;
        if let Encapsulation::Udp { source_port, destination_port } = self.encapsulation {
            octets[2 * ADDRESS + 1] = 1;
            octets[2 * ADDRESS + 2..][..2].copy_from_slice(&source_port.to_be_bytes());
            octets[2 * ADDRESS + 4..][..2].copy_from_slice(&destination_port.to_be_bytes());
        }
        octets
    }

    fn read(octets: &[u8; HEADER]) -> Option<Self> {
        let port = |at: usize| u16::from_be_bytes([octets[2 * ADDRESS + at], octets[2 * ADDRESS + at + 1]]);
        Some(Self {
            source: read_address(&octets[..ADDRESS])?,
            destination: read_address(&octets[ADDRESS..2 * ADDRESS])?,
            ttl: octets[2 * ADDRESS],
            encapsulation: match octets[2 * ADDRESS + 1] {
                0 => Encapsulation::Raw,
                _ => Encapsulation::Udp { source_port: port(2), destination_port: port(4) },
            },
        })
    }
}

/// An address as its family (4 or 6) and its octets.
fn write_address(octets: &mut [u8], address: IpAddr) {
    match address {
        IpAddr::V4(address) => {
            octets[0] = 4;
            octets[1..5].copy_from_slice(&address.octets());
        }
        IpAddr::V6(address) => {
            octets[0] = 6;
            octets[1..].copy_from_slice(&address.octets());
        }
    }
}

fn read_address(octets: &[u8]) -> Option<IpAddr> {
    let (family, octets) = octets.split_first()?;
    match family {
        4 => octets.first_chunk::<4>().map(|octets| (*octets).into()),
        6 => octets.first_chunk::<16>().map(|octets| (*octets).into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_as_it_was_written() {
        for (source, destination) in [("10.0.0.1", "239.1.2.3"), ("fd00::1", "ff0e::1")] {
            for encapsulation in
                [Encapsulation::Raw, Encapsulation::Udp { source_port: 1698, destination_port: 1699 }]
            {
                let [source, destination] =
                    [source, destination].map(|text| text.parse().expect("an address"));
                let header = Header { source, destination, ttl: 63, encapsulation };
                assert_eq!(Header::read(&header.octets()), Some(header));
            }
        }
        assert_eq!(Header::read(&[0; HEADER]), None);
    }
}
