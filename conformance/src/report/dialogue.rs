//! A transcript in lines that can be read.

use std::fmt;
use std::net::IpAddr;

use rsvp_core::input::Encapsulation;
use rsvp_decode::hex;
use serde::Serialize;
use serde::ser::Serializer;

use crate::bench::{Entry, Family, Happening, Networks, Packet, Port, Station, Transcript};

/// What a line of a transcript tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// A packet that a tester sent to the device.
    ToDevice,
    /// A packet that the device sent.
    FromDevice,
    /// Something else that was done.
    Note,
}

/// One line of a transcript.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Line<'a> {
    /// Which of the case's devices it concerns, from 1.
    pub device: usize,
    /// When, in microseconds since that device was there.
    pub at_us: u64,
    /// What it tells of.
    pub what: What,
    /// Who did it.
    pub from: String,
    /// To whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// What, in few words.
    pub text: String,
    /// The packet, if it is one.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "packet")]
    pub packet: Option<&'a Packet>,
}

impl Line<'_> {
    /// When, in seconds.
    #[must_use]
    pub fn time(&self) -> String {
        format!("{}.{:03}", self.at_us / 1_000_000, self.at_us / 1000 % 1000)
    }

    /// Its headers, in words.
    #[must_use]
    pub fn headers(&self) -> Option<String> {
        let Packet { source, destination, ttl, router_alert, encapsulation, .. } = self.packet?;
        let alert = if *router_alert { ", Router Alert" } else { "" };
        let udp = match encapsulation {
            Encapsulation::Raw => String::new(),
            Encapsulation::Udp { source_port, destination_port } => {
                format!(", in UDP from port {source_port} to port {destination_port}")
            }
        };
        Some(format!("{source} > {destination}, TTL {ttl}{alert}{udp}"))
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.time();
        match &self.to {
            Some(to) => {
                let way = format!("{} -> {to}", self.from);
                write!(f, "{time:>9} s  {way:<18}  {}", self.text)
            }
            None => write!(f, "{time:>9} s  {}", self.text),
        }
    }
}

/// The lines of a transcript, in order.
#[must_use]
pub fn lines(transcript: &Transcript) -> Vec<Line<'_>> {
    transcript.entries.iter().map(|entry| line(transcript.networks, entry)).collect()
}

fn line(networks: Networks, Entry { device, at, happening }: &Entry) -> Line<'_> {
    let dut = |port: Port| format!("device {}", port.name());
    let at_us = at.as_micros();
    let of = |what, from: String, to, packet: &'_ Packet| {
        let text = rsvp_sim::describe(&packet.message);
        (what, from, Some(to), text)
    };
    let (what, from, to, text) = match happening {
        Happening::ToDevice(station, packet) => {
            of(What::ToDevice, station.name().to_owned(), dut(station.port()), packet)
        }
        Happening::FromDevice(port, packet) => {
            of(What::FromDevice, dut(*port), hearers(networks, *port, packet.destination), packet)
        }
        Happening::Note(text) => (What::Note, "bench".to_owned(), None, text.clone()),
    };
    Line { device: *device, at_us, what, from, to, text, packet: happening.packet() }
}

/// The neighbours that a packet may be for.
fn hearers(networks: Networks, port: Port, destination: IpAddr) -> String {
    let there: Vec<Station> = Station::ALL.into_iter().filter(|station| station.port() == port).collect();
    let plan = networks.plan(Family::of(destination));
    let named = there.iter().find(|station| plan.station(**station) == destination);
    let names: Vec<&str> = match named {
        Some(station) => vec![station.name()],
        None => there.iter().map(|station| station.name()).collect(),
    };
    names.join(" ")
}

/// A packet with its message in hexadecimal digits.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Written {
    source: IpAddr,
    destination: IpAddr,
    ttl: u8,
    router_alert: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    udp_ports: Option<(u16, u16)>,
    message: String,
}

fn packet<S: Serializer>(packet: &Option<&Packet>, serializer: S) -> Result<S::Ok, S::Error> {
    let written =
        packet.map(|Packet { source, destination, ttl, router_alert, encapsulation, message }| Written {
            source: *source,
            destination: *destination,
            ttl: *ttl,
            router_alert: *router_alert,
            udp_ports: match *encapsulation {
                Encapsulation::Raw => None,
                Encapsulation::Udp { source_port, destination_port } => Some((source_port, destination_port)),
            },
            message: hex(message),
        });
    written.serialize(serializer)
}
