//! From what a socket received to an input of the node.

use std::borrow::Cow;
use std::io;
use std::os::fd::BorrowedFd;

use rsvp_core::input::{Datagram, Encapsulation};
use rsvp_driver::{Interfaces, ReadOutcome};

use crate::raw_sockets::{Channel, SocketCounters};
use crate::socket::{Batch, Packet, Received};
use crate::sockets::Sockets;

/// Why a packet is not handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Discard {
    /// Its IP header is damaged.
    Malformed,
    /// It came in on a device that is no interface of the node.
    UnknownInterface,
    /// This host had sent it.
    Own,
    /// It goes to a group that others on this host have joined.
    NotJoined,
    /// It is a fragment, and in transit.
    TransitFragment,
    /// It is not RSVP, and was sent on.
    Forwarded,
    /// It is not RSVP, and could not be sent on.
    NotForwarded,
    /// It is not RSVP, and the kernel has taken care of it.
    NotRsvp,
}

/// Makes an input of a packet.
pub(crate) fn receive<'a>(
    channel: Channel,
    packet: &Packet<'a>,
    sockets: &Sockets,
    interfaces: &Interfaces,
    router: bool,
) -> Result<Datagram<'a>, Discard> {
    let (received, encapsulation) = sockets.interpret(channel, packet)?;
    // A router listens to all groups, but not in UDP.
    let is_listening = router && encapsulation == Encapsulation::Raw;
    hand_on(&received, encapsulation, packet.device, interfaces, is_listening)
}

/// Makes an input of a message, unless it is our own, or sent to a group that is not received.
pub(crate) fn hand_on<'a>(
    received: &Received<'a>,
    encapsulation: Encapsulation,
    device: u32,
    interfaces: &Interfaces,
    is_listening: bool,
) -> Result<Datagram<'a>, Discard> {
    let interface = interfaces.of_device(device).ok_or(Discard::UnknownInterface)?;
    if interfaces.is_own(received.source, interface) {
        return Err(Discard::Own);
    }
    if received.destination.is_multicast() && !is_listening && !interfaces.is_member(received.destination) {
        return Err(Discard::NotJoined);
    }
    Ok(Datagram {
        interface,
        source: received.source,
        destination: received.destination,
        ttl: received.ttl,
        encapsulation,
        payload: Cow::Borrowed(received.payload),
    })
}

/// Receives at most `budget` datagrams from a socket, counts them, and hands on those that are messages. `overflowed` is
/// what the kernel last said of the socket's drops.
pub(crate) fn receive_all(
    (batch, fd): (&mut Batch, BorrowedFd<'_>),
    budget: usize,
    (counters, overflowed): (&mut SocketCounters, &mut u32),
    interpret: impl for<'a> Fn(&Packet<'a>) -> Result<Datagram<'a>, Discard>,
    sink: &mut dyn FnMut(Datagram<'_>),
) -> io::Result<ReadOutcome> {
    let mut left = budget;
    while left > 0 {
        let count = batch.receive(fd, left)?;
        if count == 0 {
            return Ok(ReadOutcome::Drained);
        }
        left -= count.min(left);
        for packet in batch.packets() {
            if let Some(total) = packet.overflowed {
                let before = std::mem::replace(overflowed, total);
                counters.overflowed += u64::from(total.wrapping_sub(before));
            }
            match interpret(&packet) {
                Ok(datagram) => {
                    counters.received += 1;
                    sink(datagram);
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
