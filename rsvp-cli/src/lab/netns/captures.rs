//! What was captured: every link's packets, counted and read.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use etherparse::{LaxNetSlice, LaxSlicedPacket, TransportSlice};
use rsvp_core::wire::{Message, RawMessage};
use rsvp_netns::Capture as Recorder;

use crate::decode::capture::{Capture, Frame};
use crate::decode::packet::{Content, dissect};
use crate::lab::backend::{Fault, Heard, Verdict};
use crate::lab::heard;
use crate::lab::model::{Flow, FlowIndex, LinkIndex, NodeIndex, Scenario};
use crate::lab::scenario::StateKind;
use crate::lab::traffic::{Generator, is_ours};

/// The recorders of a run, one for each link.
#[derive(Debug, Default)]
pub(crate) struct Captures(Vec<(PathBuf, Recorder)>);

/// What was found in the captures.
#[derive(Debug)]
pub(crate) struct Found {
    /// Every Path and Resv of the scenario's flows, in order of time.
    pub(crate) heard: Vec<Heard>,
    /// Data packets, by link and flow.
    data: Vec<Vec<u64>>,
    /// Packets that the recorders missed, by link.
    missed: Vec<u64>,
    /// RSVP messages, and the first that is wrong.
    messages: u64,
    wrong: Option<String>,
}

impl Captures {
    /// Records a link at this interface.
    pub(crate) fn add(&mut self, path: PathBuf, recorder: Recorder) {
        self.0.push((path, recorder));
    }

    /// Ends recording and reads everything. `start` is the start of the scenario.
    pub(crate) fn read(self, scenario: &Scenario, start: SystemTime) -> Result<Found, Fault> {
        let mut found =
            Found { heard: Vec::new(), data: Vec::new(), missed: Vec::new(), messages: 0, wrong: None };
        let mut paths = Vec::new();
        for (path, recorder) in self.0 {
            let failed = |error: std::io::Error| format!("cannot write {}: {error}", path.display());
            found.missed.push(recorder.stop().map_err(failed)?.dropped);
            paths.push(path);
        }
        for (link, path) in paths.iter().enumerate() {
            found.data.push(vec![0; scenario.flows.len()]);
            found.read_file(path, link, scenario, start)?;
        }
        found.heard.sort_by_key(|message| message.at);
        Ok(found)
    }
}

impl Found {
    fn read_file(
        &mut self,
        path: &Path,
        link: LinkIndex,
        scenario: &Scenario,
        start: SystemTime,
    ) -> Result<(), Fault> {
        let failed = |error: String| format!("cannot read {}: {error}", path.display());
        let file = File::open(path).map_err(|error| failed(error.to_string()))?;
        let mut capture = Capture::open(BufReader::new(file)).map_err(|error| failed(error.to_string()))?;
        while let Some(frame) = capture.next_frame().map_err(|error| failed(error.to_string()))? {
            if let Content::Rsvp(packet) = dissect(frame.link, frame.data) {
                self.messages += 1;
                if let Err(why) = check(packet.payload) {
                    let name = &scenario.links[link].name;
                    self.wrong.get_or_insert(format!("link {name}, packet {}: {why}", frame.number));
                }
                self.heard.extend(refresh(packet.payload, &frame, link, scenario, start));
            } else if let Some(flow) = flow_of(frame.data, scenario) {
                self.data[link][flow] += 1;
            }
        }
        Ok(())
    }

    /// Whether what the senders and receivers counted is what passed their links.
    pub(crate) fn agree(&self, scenario: &Scenario, generator: &Generator) -> Verdict {
        let (mut packets, mut unheard) = (0, 0);
        for (index, flow) in scenario.flows.iter().enumerate() {
            let totals = generator.totals(index);
            let received = totals.arrived + totals.missed;
            for (node, counted) in [(flow.from, totals.sent), (flow.to, received)] {
                // Hosts do not forward: what passes their links is their own.
                let of_node = |counts: &dyn Fn(LinkIndex) -> u64| -> u64 {
                    scenario.nodes[node].interfaces.iter().map(|interface| counts(interface.link)).sum()
                };
                let captured = of_node(&|link| self.data[link][index]);
                let missed = of_node(&|link| self.missed[link]);
                if captured > counted || captured + missed < counted {
                    let (flow, node) = (&flow.name, &scenario.nodes[node].name);
                    let captured = format!("{captured} captured at {node}{}", and("missed", missed));
                    return Verdict::Failed(format!("{flow}: {counted} packets counted, {captured}"));
                }
                packets += captured;
            }
            unheard += totals.missed;
        }
        let missed = and("missed by the captures", self.missed.iter().sum());
        let unheard = and("missed by the receivers", unheard);
        Verdict::Passed(format!("{packets} packets at the flows' first and last links{missed}{unheard}"))
    }

    /// Whether every captured RSVP message is well-formed and has a good checksum.
    pub(crate) fn well_formed(&self) -> Verdict {
        match &self.wrong {
            None => Verdict::Passed(format!("{} messages", self.messages)),
            Some(wrong) => Verdict::Failed(wrong.clone()),
        }
    }
}

/// A remark on a number of packets, if there are any.
fn and(what: &str, count: u64) -> String {
    if count > 0 { format!(", {count} {what}") } else { String::new() }
}

fn check(message: &[u8]) -> Result<(), String> {
    /// As many as the largest packet can hold.
    const MAX_OBJECTS: usize = 16_384;
    let raw = RawMessage::decode(message).map_err(|error| error.to_string())?;
    Message::parse(&raw, MAX_OBJECTS).map_err(|error| error.to_string()).map(drop)
}

/// Who heard a message that refreshes a flow's state: data flows down the path, so a Path is heard by the lower end of
/// a link and a Resv by the upper one.
fn refresh(
    message: &[u8],
    frame: &Frame<'_>,
    link: LinkIndex,
    scenario: &Scenario,
    start: SystemTime,
) -> Option<Heard> {
    let refresh = heard::read(message, scenario)?;
    let at = frame.time?.duration_since(start).unwrap_or_default();
    let [upper, lower] = ends_along(&scenario.flows[refresh.flow], link, at, scenario)?;
    let node = match refresh.kind {
        StateKind::Path => lower,
        StateKind::Reservation => upper,
    };
    Some(Heard {
        at,
        node,
        kind: refresh.kind,
        flow: refresh.flow,
        hop: refresh.hop.address,
        refresh: refresh.period,
    })
}

/// The ends of a link, in the order in which a flow passes them at that time.
fn ends_along(flow: &Flow, link: LinkIndex, at: Duration, scenario: &Scenario) -> Option<[NodeIndex; 2]> {
    let path = scenario.path(flow, at)?;
    let mut steps = path.windows(2).filter_map(|step| <[NodeIndex; 2]>::try_from(step).ok());
    steps.find(|[one, other]| scenario.link_between(*one, *other) == Some(link))
}

/// The flow of a data packet of the lab.
fn flow_of(frame: &[u8], scenario: &Scenario) -> Option<FlowIndex> {
    let packet = LaxSlicedPacket::from_ethernet(frame).ok()?;
    let destination = match packet.net? {
        LaxNetSlice::Ipv4(ip) => ip.header().destination_addr().into(),
        LaxNetSlice::Ipv6(ip) => ip.header().destination_addr().into(),
        LaxNetSlice::Arp(_) => return None,
    };
    let Some(TransportSlice::Udp(datagram)) = packet.transport else { return None };
    is_ours(datagram.payload()).then_some(())?;
    scenario.flow_to(destination, datagram.destination_port())
}
