//! The tester's side of the links to the device: the stations on them, with addresses of their own.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;
use rsvp_netns::PacketSocket;

use super::frames::{Mac, frames};
use super::heard::{Frame, IpPacket, Reassembly};
use super::isolation::is_interrupted;
use super::medium::{Medium, only_station, send_raw};
use super::neighbors::{Talk, answer, question};
use crate::bench::{Family, Packet, Plan, Port, Station};

/// The largest frame that is heard whole.
const FRAME: usize = 65_536;
/// How long the device may take to say where on the link it is, and how often it is asked.
const ANSWER: Duration = Duration::from_secs(3);
const ASK: Duration = Duration::from_millis(100);

/// How long one sleeps at most before one looks whether the run is to end.
const NAP: Duration = Duration::from_millis(100);

/// The links of the four ports.
#[derive(Debug)]
pub(super) struct Links {
    sockets: Vec<(Port, Medium)>,
    /// Where on its links the device is.
    device: BTreeMap<Port, Mac>,
    reassembly: Reassembly,
    /// Tells the fragments of a packet from those of others.
    id: u16,
    buffer: Vec<u8>,
}

/// A packet of RSVP that came from the device.
#[derive(Clone, Debug)]
pub(super) struct Arrived {
    /// When the kernel had it, since the Unix epoch.
    pub(super) time: Duration,
    pub(super) port: Port,
    pub(super) next_hop: Option<IpAddr>,
    pub(super) packet: Packet,
}

impl Links {
    pub(super) fn new(sockets: Vec<(Port, Medium)>) -> Self {
        let (device, reassembly) = (BTreeMap::new(), Reassembly::default());
        Self { sockets, device, reassembly, id: 0, buffer: vec![0; FRAME] }
    }

    /// Sends a packet from a station to the device, or to the group that it is for.
    ///
    /// # Errors
    ///
    /// The link is down, or the device was not found; [`io::ErrorKind::Unsupported`] where there is no way to send that.
    pub(super) fn send(&mut self, plan: Plan, from: Station, packet: &Packet) -> io::Result<()> {
        let port = from.port();
        self.id = self.id.wrapping_add(1);
        let socket = match self.medium(port)? {
            Medium::Frames(socket) => socket,
            Medium::Packets(socket) => return send_raw(socket, plan, from, packet, self.id),
        };
        let device = self.device.get(&port).copied();
        let to = Mac::group(packet.destination).or(device).ok_or(io::ErrorKind::HostUnreachable)?;
        let mac = Mac::station(port, host(plan.station(from)));
        frames(to, mac, packet, self.id).iter().try_for_each(|frame| socket.send(frame))
    }

    fn medium(&self, port: Port) -> io::Result<&Medium> {
        let mut sockets = self.sockets.iter();
        sockets
            .find(|(known, _)| *known == port)
            .map(|(_, medium)| medium)
            .ok_or(io::ErrorKind::NotFound.into())
    }

    /// Finds out where on its links the device is. Every station asks for itself, and so tells the device where it is. Where
    /// packets are raw, that is the kernel's affair.
    ///
    /// # Errors
    ///
    /// The port where it does not answer, or what the system says.
    pub(super) fn find(&mut self, plan: Plan) -> Result<(), (Port, io::Error)> {
        let end = Instant::now() + ANSWER;
        let unknown = |links: &Self| {
            let sockets = links.sockets.iter().filter(|(_, medium)| matches!(medium, Medium::Frames(_)));
            sockets.map(|(port, _)| *port).find(|port| !links.device.contains_key(port))
        };
        loop {
            for station in Station::ALL {
                self.ask(plan, station).map_err(|error| (station.port(), error))?;
            }
            let next = Instant::now() + ASK;
            while let Some(missing) = unknown(self) {
                let failed = |error| (missing, error);
                let now = Instant::now();
                if now > end {
                    return Err(failed(io::ErrorKind::TimedOut.into()));
                }
                if now > next {
                    break;
                }
                self.wait(next - now).map_err(failed)?;
                self.hear(plan, &mut Vec::new()).map_err(failed)?;
            }
            if unknown(self).is_none() {
                return Ok(());
            }
        }
    }

    fn ask(&self, plan: Plan, station: Station) -> io::Result<()> {
        let (port, address) = (station.port(), plan.station(station));
        let Medium::Frames(socket) = self.medium(port)? else { return Ok(()) };
        let frame = question(Mac::station(port, host(address)), address, plan.dut(port));
        frame.map_or(Ok(()), |frame| socket.send(&frame))
    }

    /// Begins anew with a device: forgets what has come, and where it is.
    pub(super) fn reset(&mut self) -> io::Result<()> {
        self.device.clear();
        self.drain()
    }

    /// Forgets what has come.
    pub(super) fn drain(&mut self) -> io::Result<()> {
        self.reassembly = Reassembly::default();
        for (_, medium) in &self.sockets {
            match medium {
                Medium::Frames(socket) => while socket.receive(&mut self.buffer, false)?.is_some() {},
                Medium::Packets(socket) => while socket.receive(&mut self.buffer)?.is_some() {},
            }
        }
        Ok(())
    }

    /// Speaks for the stations until some time, and returns what RSVP messages came, in order; and how much later than
    /// that it is.
    pub(super) fn listen(&mut self, plan: Plan, end: Instant) -> io::Result<(Vec<Arrived>, Duration)> {
        let mut arrived = Vec::new();
        loop {
            self.hear(plan, &mut arrived)?;
            let now = Instant::now();
            if now >= end {
                arrived.sort_by_key(|one| one.time);
                return Ok((arrived, now - end));
            }
            if is_interrupted() {
                return Err(io::Error::other("the run was interrupted"));
            }
            self.wait(NAP.min(end - now))?;
        }
    }

    /// Sleeps until something comes, or for some time.
    fn wait(&self, time: Duration) -> io::Result<()> {
        let mut sockets: Vec<PollFd<'_>> =
            self.sockets.iter().map(|(_, medium)| PollFd::new(medium.as_fd(), PollFlags::POLLIN)).collect();
        match ppoll(&mut sockets, Some(TimeSpec::from_duration(time)), None) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes all that has come.
    fn hear(&mut self, plan: Plan, arrived: &mut Vec<Arrived>) -> io::Result<()> {
        let Self { sockets, device, reassembly, buffer, .. } = self;
        for (port, medium) in sockets {
            match medium {
                Medium::Frames(socket) => {
                    while let Some(heard) = socket.receive(buffer, false)? {
                        let octets = &buffer[..heard.length.min(FRAME)];
                        let Some(frame) = Frame::read(octets).filter(|_| !heard.is_own) else { continue };
                        if let Some(talk) = Talk::read(&frame) {
                            talk_back(plan, *port, socket, talk, device);
                            continue;
                        }
                        let packet = IpPacket::read(&frame).and_then(|packet| reassembly.take(packet));
                        let to = |packet: &Packet| {
                            let family = plan.networks.plan(Family::of(packet.destination));
                            frame.to.host(*port).map(|host| family.address(port.number(), host))
                        };
                        arrived.extend(arrival(heard.time, *port, packet, to));
                    }
                }
                Medium::Packets(socket) => {
                    while let Some((length, time)) = socket.receive(buffer)? {
                        let packet = IpPacket::read_v4(&buffer[..length.min(FRAME)]);
                        let to = |packet: &Packet| {
                            (!packet.destination.is_multicast()).then(|| plan.station(only_station(*port)))
                        };
                        arrived.extend(arrival(time, *port, packet, to));
                    }
                }
            }
        }
        Ok(())
    }
}

/// A packet of the device, if it is one of RSVP, and the neighbour `to` which it was handed.
fn arrival(
    time: Duration,
    port: Port,
    packet: Option<IpPacket>,
    to: impl Fn(&Packet) -> Option<IpAddr>,
) -> Option<Arrived> {
    let packet = packet.and_then(IpPacket::into_message)?;
    let next_hop = to(&packet).filter(|address| *address != packet.destination);
    Some(Arrived { time, port, next_hop, packet })
}

/// Answers for the stations, and learns where the device is.
fn talk_back(plan: Plan, port: Port, socket: &PacketSocket, talk: Talk, device: &mut BTreeMap<Port, Mac>) {
    let (Talk::Has(address, mac) | Talk::Asks(address, mac, _)) = talk;
    if address == plan.dut(port) {
        device.insert(port, mac);
    }
    let Talk::Asks(address, mac, wanted) = talk else { return };
    let on_link = plan.networks.plan(Family::of(wanted)).address(port.number(), host(wanted));
    let is_station = wanted == on_link && host(wanted) != host(plan.dut(port));
    if is_station && !address.is_unspecified() {
        let frame = answer(Mac::station(port, host(wanted)), wanted, (address, mac));
        // The device asks again if the answer does not reach it.
        let _ = frame.map(|frame| socket.send(&frame));
    }
}

/// The number of an address on its network.
fn host(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(address) => address.octets()[3],
        IpAddr::V6(address) => address.octets()[15],
    }
}
